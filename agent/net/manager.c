/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/net/manager.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/list.h"
#include "agent/base/log.h"
#include "agent/base/memory.h"
#include "agent/net/listener.h"
#include "agent/net/place.h"
#include "agent/net/turn.h"
#include "agent/ovsdb/store/transaction.h"

enum { MAX_TARGETS = 100, OFTEN_MS = 500, SELDOM_MS = 2500 };

struct target {
	struct list link;
	struct manager *manager;
	char *method;
	bool has_row;
	struct uuid row;
	char *role;			/* "": none. */
	struct listener_options options;
	struct listener *listener;	/* NULL, and 'problem', if there is */
	char *problem;			/* none. */
	bool is_wanted;			/* While rows are looked at. */
};

struct manager {
	struct observer observer;	/* First. */
	struct event_base *base;
	struct server *server;
	struct tls *tls;
	char *name;
	struct place place;
	struct list targets;
	size_t n_targets;
	struct event *follow;		/* The rows have changed. */
	struct event *tell;		/* What to tell has, or time is up. */
	int64_t told_ms;
	bool is_soon;			/* 'tell' does not wait for long. */
	struct listener_counters gone;	/* Of listeners that are no more. */
};

static struct log_limit listen_limit, write_limit;

static void committed(struct observer *, const struct commit *);
static bool concerns(const struct manager *, const struct change *);
static void follow(evutil_socket_t, short, void *manager);
static void want_row(struct manager *, const struct row *);
static void want(struct manager *, const char *method,
		 const struct row *row);
static struct target *find(struct manager *, const char *method);
static const char *text(const struct row *, const char *name);
static void read_options(const struct row *, struct listener_options *);
static const struct datum *value(const struct row *, const char *name,
				 enum atom_type, struct datum *room);
static void target_close(struct target *);
static void target_listen(struct target *);
static char *why_not(struct target *);
static void target_free(struct target *);
static void changed(void *manager);
static void tell_in(struct manager *, int64_t wait_ms);
static void tell(evutil_socket_t, short, void *manager);
static void write_row(struct transaction **, const struct row *,
		      const struct target *);
static void make_status(const struct target *, struct datum *,
			bool *ret_is_connected);
static void add_seconds(struct datum *, const char *key, int64_t since_ms);
static void write_column(struct transaction **, const struct row *,
			 const char *name, struct datum *datum);

struct manager *
manager_new(struct event_base *base, struct server *server, struct tls *tls,
	    const char *name, char **ret_problem)
{
	struct manager *manager;
	struct place place;

	if (!place_parse(server, name, &place, ret_problem))
		return NULL;
	manager = xcalloc(1, sizeof *manager);
	manager->base = base;
	manager->server = server;
	manager->tls = tls;
	manager->name = xstrdup(name);
	manager->place = place;
	list_init(&manager->targets);
	manager->follow = event_new(base, -1, 0, follow, manager);
	manager->tell = event_new(base, -1, 0, tell, manager);
	manager->observer.committed = committed;
	database_observe(place.database, &manager->observer);
	follow(-1, 0, manager);
	return manager;
}

void
manager_free(struct manager *manager)
{
	if (!manager)
		return;
	while (!list_is_empty(&manager->targets))
		target_free(LIST_ENTRY(manager->targets.next, struct target,
				       link));
	database_unobserve(manager->place.database, &manager->observer);
	event_free(manager->follow);
	event_free(manager->tell);
	place_done(&manager->place);
	free(manager->name);
	free(manager);
}

void
manager_reconnect(struct manager *manager)
{
	struct list *link;

	for (link = manager->targets.next; link != &manager->targets;
	     link = link->next) {
		struct target *target = LIST_ENTRY(link, struct target, link);

		if (target->listener)
			listener_reconnect(target->listener);
	}
	changed(manager);
}

void
manager_counters(const struct manager *manager,
		 struct listener_counters *ret_counters)
{
	const struct list *link;

	*ret_counters = manager->gone;
	for (link = manager->targets.next; link != &manager->targets;
	     link = link->next) {
		const struct target *target = LIST_ENTRY(link, struct target,
							 link);
		struct listener_counters counters;

		if (!target->listener)
			continue;
		listener_counters(target->listener, &counters);
		listener_counters_add(ret_counters, &counters);
	}
}

const char *
manager_name(const struct manager *manager)
{
	return manager->name;
}

struct database *
manager_database(const struct manager *manager)
{
	return manager->place.database;
}

static void
committed(struct observer *observer, const struct commit *commit)
{
	struct manager *manager = (struct manager *) observer;

	for (size_t i = 0; i < commit->n_changes; i++)
		if (concerns(manager, &commit->changes[i])) {
			event_active(manager->follow, EV_TIMEOUT, 0);
			return;
		}
}

/* What we have written ourselves does not. */
static bool
concerns(const struct manager *manager, const struct change *change)
{
	const struct table_schema *schema = table_schema(change->table);

	if (change->table != place_table(&manager->place)
	    && change->table != place_target(&manager->place))
		return false;
	for (size_t i = N_STANDARD_COLUMNS; i < schema->n_columns; i++)
		if (change_has(change, schema->columns[i])
		    && strcmp(schema->columns[i]->name, "is_connected")
		    && strcmp(schema->columns[i]->name, "status"))
			return true;
	return !change->old || !change->new;
}

/* Goes first, then comes: a port may have moved from one row to another. */
static void
follow(evutil_socket_t fd, short what, void *manager_)
{
	struct manager *manager = manager_;
	/* Another schema ("convert") may not have the column. */
	const struct table *table = place_column(&manager->place)
				    ? place_table(&manager->place) : NULL;
	const struct row *row;
	struct list *link, *next;

	(void) fd;
	(void) what;
	for (link = manager->targets.next; link != &manager->targets;
	     link = link->next)
		LIST_ENTRY(link, struct target, link)->is_wanted = false;
	for (row = table ? table_first(table) : NULL; row;
	     row = table_next(table, row))
		want_row(manager, row);
	for (link = manager->targets.next; link != &manager->targets;
	     link = next) {
		struct target *target = LIST_ENTRY(link, struct target, link);

		next = link->next;
		if (target->is_wanted)
			continue;
		log_line(LOG_LEVEL_INFO, manager->name,
			 "%s is served no longer", target->method);
		target_free(target);
	}
	for (link = manager->targets.next; link != &manager->targets;
	     link = link->next)
		target_listen(LIST_ENTRY(link, struct target, link));
	changed(manager);
}

static void
want_row(struct manager *manager, const struct row *row)
{
	const struct column *column = place_column(&manager->place);
	const struct table *table = place_target(&manager->place);
	struct datum room;
	const struct datum *datum = row_datum(row, column, &room);

	for (uint32_t i = 0; i < datum->n; i++) {
		const union atom *atom = datum_key(datum, i);

		if (column->type.key.type == ATOM_STRING) {
			want(manager, atom->string->text, NULL);
		} else if (table) {
			const struct row *found = table_find(table,
							     &atom->uuid);

			if (found)
				want(manager, text(found, "target"), found);
		}
	}
}

static void
want(struct manager *manager, const char *method, const struct row *row)
{
	struct target *target = find(manager, method);
	struct listener_options options = { .tls = manager->tls };
	const char *role;

	/* The first row of those that want the same. */
	if (target && target->is_wanted)
		return;
	role = row ? text(row, "role") : "";
	if (row)
		read_options(row, &options);
	if (!target && manager->n_targets >= MAX_TARGETS) {
		log_limited(&listen_limit, LOG_LEVEL_WARN, manager->name,
			    "%s: more than %d targets; not served", method,
			    MAX_TARGETS);
		return;
	}
	if (!target) {
		target = xcalloc(1, sizeof *target);
		target->manager = manager;
		target->method = xstrdup(method);
		list_append(&manager->targets, &target->link);
		manager->n_targets++;
	} else if (strcmp(role, target->role)
		   || target->options.is_read_only != options.is_read_only) {
		target_close(target);
	} else if (target->listener
		   && (target->options.probe_ms != options.probe_ms
		       || target->options.max_backoff_ms
			  != options.max_backoff_ms)) {
		listener_set_times(target->listener, &options);
	}
	target->has_row = row;
	free(target->role);
	target->role = xstrdup(role);
	if (row)
		target->row = *row_uuid(row);
	target->options = options;
	target->options.role = *target->role ? target->role : NULL;
	target->is_wanted = true;
}

/* By method alone: "set-manager" puts another row in the place of one that
 * says the same. */
static struct target *
find(struct manager *manager, const char *method)
{
	struct list *link;

	for (link = manager->targets.next; link != &manager->targets;
	     link = link->next) {
		struct target *target = LIST_ENTRY(link, struct target, link);

		if (!strcmp(target->method, method))
			return target;
	}
	return NULL;
}

static const char *
text(const struct row *row, const char *name)
{
	struct datum room;

	return datum_string(value(row, name, ATOM_STRING, &room), "");
}

static void
read_options(const struct row *row, struct listener_options *options)
{
	struct datum probe_room, room;
	const struct datum *probe = value(row, "inactivity_probe",
					  ATOM_INTEGER, &probe_room);
	int64_t backoff_ms = datum_integer(value(row, "max_backoff",
						 ATOM_INTEGER, &room), 0);
	int64_t probe_ms = datum_integer(probe, 0);

	options->is_read_only = datum_boolean(value(row, "read_only",
						    ATOM_BOOLEAN, &room),
					      false);
	if (probe->n)
		options->probe_ms = probe_ms > 0 ? probe_ms : -1;
	/* The schema's least is 1000; a day is enough for all. */
	if (backoff_ms > 0)
		options->max_backoff_ms = backoff_ms < 86400000
					  ? backoff_ms : 86400000;
}

/* Nothing, if the row has no such column of that type. */
static const struct datum *
value(const struct row *row, const char *name, enum atom_type type,
      struct datum *room)
{
	static const struct datum nothing;
	const struct column *column
		= table_schema_column(table_schema(row_table(row)), name);

	return column && column->type.key.type == type
	       && !column_type_is_map(&column->type)
	       ? row_datum(row, column, room) : &nothing;
}

static void
target_close(struct target *target)
{
	struct listener_counters counters;

	if (!target->listener)
		return;
	listener_counters(target->listener, &counters);
	counters.n_sessions = counters.n_handshakes = 0;
	listener_counters_add(&target->manager->gone, &counters);
	listener_free(target->listener);
	target->listener = NULL;
}

static void
target_listen(struct target *target)
{
	struct manager *manager = target->manager;
	char *problem;

	if (target->listener)
		return;
	problem = why_not(target);
	if (!problem) {
		log_line(LOG_LEVEL_INFO, manager->name, "serving %s",
			 target->method);
		listener_set_watch(target->listener, changed, manager);
	} else if (!target->problem || strcmp(problem, target->problem)) {
		log_limited(&listen_limit, LOG_LEVEL_WARN, manager->name,
			    "%s; trying on, silently", problem);
	}
	free(target->problem);
	target->problem = problem;
}

/* NULL if it works now. */
static char *
why_not(struct target *target)
{
	struct manager *manager = target->manager;
	const char *missing;
	char *problem = NULL;

	if ((!strncmp(target->method, "ssl:", 4)
	     || !strncmp(target->method, "pssl:", 5))
	    && !tls_is_configured(manager->tls, &missing))
		return xasprintf("%s: %s", target->method, missing);
	target->listener = listener_new(manager->base, manager->server,
					target->method, &target->options,
					&problem);
	return problem;
}

static void
target_free(struct target *target)
{
	target->manager->n_targets--;
	list_remove(&target->link);
	target_close(target);
	free(target->problem);
	free(target->role);
	free(target->method);
	free(target);
}

static void
changed(void *manager_)
{
	struct manager *manager = manager_;
	int64_t wait_ms = manager->told_ms + OFTEN_MS - turn_now_ms();

	if (manager->is_soon)
		return;
	manager->is_soon = true;
	tell_in(manager, wait_ms > 0 ? wait_ms : 0);
}

static void
tell_in(struct manager *manager, int64_t wait_ms)
{
	const struct timeval wait = {
		.tv_sec = (time_t) (wait_ms / 1000),
		.tv_usec = (suseconds_t) (wait_ms % 1000 * 1000),
	};

	event_add(manager->tell, &wait);
}

static void
tell(evutil_socket_t fd, short what, void *manager_)
{
	struct manager *manager = manager_;
	const struct table *table = place_target(&manager->place);
	struct transaction *transaction = NULL;
	struct ovsdb_error *error;
	struct list *link;

	(void) fd;
	(void) what;
	manager->is_soon = false;
	manager->told_ms = turn_now_ms();
	for (link = manager->targets.next; link != &manager->targets;
	     link = link->next) {
		struct target *target = LIST_ENTRY(link, struct target, link);
		const struct row *row = table && target->has_row
			? table_find(table, &target->row) : NULL;

		target_listen(target);
		if (row)
			write_row(&transaction, row, target);
	}
	error = transaction ? transaction_commit(transaction, false) : NULL;
	if (error)
		log_limited(&write_limit, LOG_LEVEL_WARN, manager->name,
			    "status not written: %s: %s", error->name,
			    error->details ? error->details : "");
	ovsdb_error_free(error);
	if (!list_is_empty(&manager->targets) && !manager->is_soon)
		tell_in(manager, SELDOM_MS);
}

static void
write_row(struct transaction **transaction, const struct row *row,
	  const struct target *target)
{
	struct datum status = { .is_map = true }, is_connected = { .n = 0 };
	bool connected;

	make_status(target, &status, &connected);
	datum_set_boolean(&is_connected, connected);
	write_column(transaction, row, "is_connected", &is_connected);
	write_column(transaction, row, "status", &status);
}

static void
make_status(const struct target *target, struct datum *status,
	    bool *ret_is_connected)
{
	static const char *const locks[] = { "locks_held", "locks_waiting",
					     "locks_lost" };
	struct listener_status now;
	char number[16];

	*ret_is_connected = false;
	if (!target->listener) {
		datum_add_string(status, "state", "VOID");
		datum_add_string(status, "last_error", target->problem);
		return;
	}
	listener_status(target->listener, &now);
	*ret_is_connected = now.n_connections > 0;
	datum_add_string(status, "state", now.state);
	if (now.last_error)
		datum_add_string(status, "last_error", now.last_error);
	add_seconds(status, "sec_since_connect", now.connected_ms);
	add_seconds(status, "sec_since_disconnect", now.disconnected_ms);
	for (int i = 0; i < N_LOCKS_LISTS; i++)
		if (*now.locks.names[i])
			datum_add_string(status, locks[i],
					 now.locks.names[i]);
	snprintf(number, sizeof number, "%u", now.n_connections);
	if (now.n_connections > 1)
		datum_add_string(status, "n_connections", number);
	snprintf(number, sizeof number, "%u",
		 listener_port(target->listener));
	if (listener_port(target->listener))
		datum_add_string(status, "bound_port", number);
}

static void
add_seconds(struct datum *status, const char *key, int64_t since_ms)
{
	char number[24];

	if (!since_ms)
		return;
	snprintf(number, sizeof number, "%lld",
		 (long long) ((turn_now_ms() - since_ms) / 1000));
	datum_add_string(status, key, number);
}

/* Takes over 'datum'.  Rows of another schema may lack the column, or have one
 * of their own. */
static void
write_column(struct transaction **transaction, const struct row *row,
	     const char *name, struct datum *datum)
{
	static const struct column_type types[] = {
		{ .key = { .type = ATOM_BOOLEAN },
		  .value = { .type = ATOM_VOID } },
		{ .key = { .type = ATOM_STRING },
		  .value = { .type = ATOM_STRING } },
	};
	const struct column_type *type = &types[datum->is_map];
	struct table *table = row_table(row);
	const struct column *column
		= table_schema_column(table_schema(table), name);
	struct datum room;

	if (!column || column->type.key.type != type->key.type
	    || column->type.value.type != type->value.type
	    || datum_equal(row_datum(row, column, &room), datum,
			   &column->type)) {
		datum_done(datum, type);
		return;
	}
	if (!*transaction)
		*transaction = transaction_begin(table_database(table));
	row_set(transaction_modify(*transaction, row), column, datum);
}
