/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/monitor.h"

#include <stdlib.h>
#include <string.h>
#include "agent/base/memory.h"
#include "agent/ovsdb/client.h"

/* The kinds of change that a monitor selects. */
enum {
	SELECT_INITIAL = 1 << 0,
	SELECT_INSERT = 1 << 1,
	SELECT_DELETE = 1 << 2,
	SELECT_MODIFY = 1 << 3,
	SELECT_ALL = SELECT_INITIAL | SELECT_INSERT | SELECT_DELETE
		     | SELECT_MODIFY
};

struct view_column {
	const struct column *column;
	unsigned select;
};

/* What one or more monitors want to know of one table. */
struct view {
	struct list link;		/* In monitor_hub.views[]. */
	struct list users;		/* struct subscription. */
	struct list touched_link;	/* While 'rows' is there. */
	json_t *rows;			/* The <table-update> of the commit
					 * that is being told. */
	const struct table_schema *table;
	unsigned select;		/* Of any column, and of none. */
	size_t n_columns;
	struct view_column columns[];	/* By index. */
};

/* One monitor's use of one view. */
struct subscription {
	struct list view_link;		/* In view.users. */
	struct view *view;
	struct monitor *monitor;
};

struct monitor {
	struct list link;		/* In client.monitors. */
	struct list touched_link;	/* While 'updates' is there. */
	json_t *updates;		/* The <table-updates> of the commit
					 * that is being told. */
	struct client *client;
	struct served *served;
	json_t *id;
	size_t n_subscriptions;
	struct subscription subscriptions[];
};

static struct ovsdb_error *check(struct client *, json_t *params);
static struct monitor *monitor_new(struct client *, struct served *,
				   json_t *id, size_t max_subscriptions);
static void monitor_free(struct monitor *);
static struct monitor *find(const struct client *, json_t *id);
static struct ovsdb_error *subscribe_all(struct monitor *,
					 json_t *requests);
static struct ovsdb_error *subscribe(struct monitor *,
				     const struct table_schema *,
				     json_t *requests);
static struct ovsdb_error *read_request(struct view *draft, json_t *request);
static struct ovsdb_error *check_members(json_t *, const char *const names[],
					 const char *table,
					 const char *what);
static struct ovsdb_error *read_select(const char *table, json_t *select,
				       unsigned *ret_select);
static struct ovsdb_error *read_columns(struct view *draft, json_t *columns,
					unsigned select);
static struct ovsdb_error *add_column(struct view *draft, json_t *syntax,
				      const struct column *,
				      unsigned select);
static struct view *draft_new(const struct table_schema *);
static struct view *obtain_view(struct monitor_hub *, struct view *draft);
static bool equal_views(const struct view *, const struct view *);
static json_t *show_initial(const struct monitor *);
static json_t *show_table(const struct view *, const struct database *);
static void touch_view(struct view *, const struct change *,
		       struct list *touched);
static json_t *show_change(const struct view *, const struct change *);
static json_t *show_row(const struct view *, const struct row *,
			unsigned select);
static json_t *show_old(const struct view *, const struct change *);
static bool is_changed(const struct change *, const struct column *);
static void touch_users(struct view *, struct list *touched);
static void send_update(struct monitor *);
static void set_row(json_t *rows, const struct uuid *, json_t *row);

void
monitor_hub_init(struct monitor_hub *hub, const struct database *database)
{
	size_t n = database_schema(database)->n_tables;

	hub->views = xcalloc(n, sizeof *hub->views);
	for (size_t i = 0; i < n; i++)
		list_init(&hub->views[i]);
}

void
monitor_hub_done(struct monitor_hub *hub, const struct database *database)
{
	for (size_t i = 0; i < database_schema(database)->n_tables; i++)
		while (!list_is_empty(&hub->views[i])) {
			struct view *view = LIST_ENTRY(hub->views[i].next,
						       struct view, link);

			/* Its last user takes the view along. */
			monitor_free(LIST_ENTRY(view->users.next,
						struct subscription,
						view_link)->monitor);
		}
	free(hub->views);
}

void
monitor_hub_committed(struct monitor_hub *hub, const struct commit *commit)
{
	struct list views, monitors;

	list_init(&views);
	list_init(&monitors);
	for (size_t i = 0; i < commit->n_changes; i++) {
		const struct change *change = &commit->changes[i];
		unsigned index = table_schema(change->table)->index;
		struct list *head = &hub->views[index], *link;

		for (link = head->next; link != head; link = link->next)
			touch_view(LIST_ENTRY(link, struct view, link),
				   change, &views);
	}
	while (!list_is_empty(&views))
		touch_users(LIST_ENTRY(views.next, struct view, touched_link),
			    &monitors);
	while (!list_is_empty(&monitors))
		send_update(LIST_ENTRY(monitors.next, struct monitor,
				       touched_link));
}

void
monitor_monitor(struct client *client, json_t *id, struct served *served,
		json_t *params)
{
	json_t *monitor_id = json_array_get(params, 1);
	json_t *requests = json_array_get(params, 2);
	struct ovsdb_error *error = check(client, params);
	struct monitor *monitor;

	if (error) {
		client_reply_error(client, id, error);
		return;
	}
	monitor = monitor_new(client, served, monitor_id,
			      json_object_size(requests));
	error = subscribe_all(monitor, requests);
	if (error) {
		monitor_free(monitor);
		client_reply_error(client, id, error);
		return;
	}
	client_reply(client, id, show_initial(monitor));
}

void
monitor_cancel(struct client *client, json_t *id, json_t *params)
{
	struct monitor *monitor;

	if (json_array_size(params) != 1) {
		client_reply_refusal(client, id, "invalid parameters");
		return;
	}
	monitor = find(client, json_array_get(params, 0));
	if (!monitor) {
		client_reply_refusal(client, id, "unknown monitor");
		return;
	}
	monitor_free(monitor);
	client_reply(client, id, json_object());
}

void
monitor_drop(struct client *client)
{
	while (!list_is_empty(&client->monitors))
		monitor_free(LIST_ENTRY(client->monitors.next,
					struct monitor, link));
}

static struct ovsdb_error *
check(struct client *client, json_t *params)
{
	json_t *id = json_array_get(params, 1);
	json_t *requests = json_array_get(params, 2);
	struct server *server = client->server;

	if (!requests)
		return ovsdb_syntax_error(params, "monitor request params "
					  "must be <db-name>, <json-value>, "
					  "<monitor-requests>");
	if (!json_is_object(requests))
		return ovsdb_syntax_error(requests, "monitor-requests must "
					  "be object");
	if (find(client, id))
		return ovsdb_syntax_error(id, "duplicate monitor ID");
	if (client->n_monitors >= server->limits.n_monitors) {
		server->counters.n_refused_monitors++;
		return ovsdb_error(OVSDB_RESOURCES_EXHAUSTED, "a client may "
				   "have %u monitors",
				   server->limits.n_monitors);
	}
	return NULL;
}

static struct monitor *
monitor_new(struct client *client, struct served *served, json_t *id,
	    size_t max_subscriptions)
{
	struct monitor *monitor
		= xcalloc(1, sizeof *monitor
			     + max_subscriptions
			       * sizeof *monitor->subscriptions);

	monitor->client = client;
	monitor->served = served;
	monitor->id = json_incref(id);
	list_append(&client->monitors, &monitor->link);
	client->n_monitors++;
	client->server->counters.n_monitors++;
	return monitor;
}

static void
monitor_free(struct monitor *monitor)
{
	for (size_t i = 0; i < monitor->n_subscriptions; i++) {
		struct view *view = monitor->subscriptions[i].view;

		list_remove(&monitor->subscriptions[i].view_link);
		if (list_is_empty(&view->users)) {
			list_remove(&view->link);
			free(view);
		}
	}
	list_remove(&monitor->link);
	monitor->client->n_monitors--;
	monitor->client->server->counters.n_monitors--;
	json_decref(monitor->id);
	free(monitor);
}

static struct monitor *
find(const struct client *client, json_t *id)
{
	const struct list *link;

	for (link = client->monitors.next; link != &client->monitors;
	     link = link->next) {
		struct monitor *monitor = LIST_ENTRY(link, struct monitor,
						     link);

		if (json_equal(monitor->id, id))
			return monitor;
	}
	return NULL;
}

static struct ovsdb_error *
subscribe_all(struct monitor *monitor, json_t *requests)
{
	const struct schema *schema
		= database_schema(monitor->served->database);
	struct ovsdb_error *error;
	const char *name;
	json_t *value;

	json_object_foreach(requests, name, value) {
		const struct table_schema *table = schema_table(schema, name);

		if (!table)
			return ovsdb_error(OVSDB_SYNTAX_ERROR,
					   "no table named %s", name);
		error = subscribe(monitor, table, value);
		if (error)
			return error;
	}
	return NULL;
}

/* 'requests' is one <monitor-request> or an array of them. */
static struct ovsdb_error *
subscribe(struct monitor *monitor, const struct table_schema *table,
	  json_t *requests)
{
	struct view *draft = draft_new(table);
	struct ovsdb_error *error = NULL;
	struct subscription *subscription;

	if (json_is_array(requests))
		for (size_t i = 0; !error && i < json_array_size(requests);
		     i++)
			error = read_request(draft,
					     json_array_get(requests, i));
	else
		error = read_request(draft, requests);
	if (error) {
		free(draft);
		return error;
	}
	subscription = &monitor->subscriptions[monitor->n_subscriptions++];
	subscription->monitor = monitor;
	subscription->view = obtain_view(&monitor->served->monitors, draft);
	list_append(&subscription->view->users, &subscription->view_link);
	return NULL;
}

static struct ovsdb_error *
read_request(struct view *draft, json_t *request)
{
	static const char *const members[] = { "columns", "select", NULL };
	const char *table = draft->table->name;
	struct ovsdb_error *error = check_members(request, members, table,
						  "");
	json_t *columns = json_object_get(request, "columns");
	json_t *select_json = json_object_get(request, "select");
	unsigned select = SELECT_ALL;

	if (!error && columns && !json_is_array(columns))
		error = ovsdb_syntax_error(request, "Parsing table %s failed: "
					   "Type mismatch for member "
					   "'columns'.", table);
	if (!error && select_json && !json_is_object(select_json))
		error = ovsdb_syntax_error(request, "Parsing table %s failed: "
					   "Type mismatch for member "
					   "'select'.", table);
	if (!error && select_json)
		error = read_select(table, select_json, &select);
	if (error)
		return error;

	draft->select |= select;
	if (columns)
		return read_columns(draft, columns, select);
	for (size_t i = 0; !error && i < draft->table->n_columns; i++)
		if (i != COLUMN_UUID)
			error = add_column(draft, request,
					   draft->table->columns[i], select);
	return error;
}

static struct ovsdb_error *
check_members(json_t *object, const char *const names[], const char *table,
	      const char *what)
{
	const char *key;
	json_t *value;

	if (!json_is_object(object))
		return ovsdb_error(OVSDB_SYNTAX_ERROR, "Parsing table %s%s "
				   "failed: Object expected.", table, what);
	json_object_foreach(object, key, value) {
		size_t i = 0;

		while (names[i] && strcmp(names[i], key))
			i++;
		if (!names[i])
			return ovsdb_syntax_error(object, "Parsing table "
						  "%s%s failed: Member '%s' "
						  "is present but not "
						  "allowed here.", table,
						  what, key);
	}
	return NULL;
}

static struct ovsdb_error *
read_select(const char *table, json_t *object, unsigned *ret_select)
{
	static const char *const names[] = { "initial", "insert", "delete",
					     "modify", NULL };
	static const unsigned bits[] = { SELECT_INITIAL, SELECT_INSERT,
					 SELECT_DELETE, SELECT_MODIFY };
	struct ovsdb_error *error = check_members(object, names, table,
						  " select");

	for (size_t i = 0; !error && names[i]; i++) {
		json_t *value = json_object_get(object, names[i]);

		if (value && !json_is_boolean(value))
			error = ovsdb_syntax_error(object, "Parsing table %s "
						   "select failed: Type "
						   "mismatch for member "
						   "'%s'.", table, names[i]);
		else if (json_is_false(value))
			*ret_select &= ~bits[i];
	}
	return error;
}

static struct ovsdb_error *
read_columns(struct view *draft, json_t *columns, unsigned select)
{
	for (size_t i = 0; i < json_array_size(columns); i++) {
		const char *name
			= json_string_value(json_array_get(columns, i));
		const struct column *column;
		struct ovsdb_error *error;

		if (!name)
			return ovsdb_syntax_error(columns, "array of column "
						  "names expected");
		column = table_schema_column(draft->table, name);
		if (!column)
			return ovsdb_syntax_error(columns, "%s is not a "
						  "valid column name", name);
		error = add_column(draft, columns, column, select);
		if (error)
			return error;
	}
	return NULL;
}

/* In a draft, 'columns' has a place for each column of the table, and those
 * that nobody asked for have none in theirs. */
static struct ovsdb_error *
add_column(struct view *draft, json_t *syntax, const struct column *column,
	   unsigned select)
{
	struct view_column *place = &draft->columns[column->index];

	if (place->column)
		return ovsdb_syntax_error(syntax, "column %s mentioned more "
					  "than once", column->name);
	place->column = column;
	place->select = select;
	return NULL;
}

static struct view *
draft_new(const struct table_schema *table)
{
	struct view *draft = xcalloc(1, sizeof *draft
					+ table->n_columns
					  * sizeof *draft->columns);

	draft->table = table;
	list_init(&draft->users);
	return draft;
}

/* Makes the draft a view, or takes the one that is there; frees the draft in
 * that case. */
static struct view *
obtain_view(struct monitor_hub *hub, struct view *draft)
{
	struct list *head = &hub->views[draft->table->index], *link;

	for (size_t i = 0; i < draft->table->n_columns; i++)
		if (draft->columns[i].column)
			draft->columns[draft->n_columns++]
				= draft->columns[i];
	for (link = head->next; link != head; link = link->next) {
		struct view *view = LIST_ENTRY(link, struct view, link);

		if (equal_views(view, draft)) {
			free(draft);
			return view;
		}
	}
	list_append(head, &draft->link);
	return draft;
}

static bool
equal_views(const struct view *a, const struct view *b)
{
	if (a->n_columns != b->n_columns || a->select != b->select)
		return false;
	for (size_t i = 0; i < a->n_columns; i++)
		if (a->columns[i].column != b->columns[i].column
		    || a->columns[i].select != b->columns[i].select)
			return false;
	return true;
}

static json_t *
show_initial(const struct monitor *monitor)
{
	json_t *updates = json_object();

	for (size_t i = 0; i < monitor->n_subscriptions; i++) {
		const struct view *view = monitor->subscriptions[i].view;
		json_t *rows;

		if (!(view->select & SELECT_INITIAL))
			continue;
		rows = show_table(view, monitor->served->database);
		if (json_object_size(rows))
			json_object_set_new(updates, view->table->name, rows);
		else
			json_decref(rows);
	}
	return updates;
}

static json_t *
show_table(const struct view *view, const struct database *database)
{
	struct table *table = database_table_at(database, view->table->index);
	json_t *rows = json_object();
	const struct row *row;

	for (row = table_first(table); row; row = table_next(table, row)) {
		json_t *shown = json_object();

		json_object_set_new_nocheck(shown, "new",
					    show_row(view, row,
						     SELECT_INITIAL));
		set_row(rows, row_uuid(row), shown);
	}
	return rows;
}

static void
touch_view(struct view *view, const struct change *change,
	   struct list *touched)
{
	json_t *row = show_change(view, change);

	if (!row)
		return;
	if (!view->rows) {
		view->rows = json_object();
		list_append(touched, &view->touched_link);
	}
	set_row(view->rows, &change->uuid, row);
}

/* The <row-update>, or NULL if the view has no interest in it. */
static json_t *
show_change(const struct view *view, const struct change *change)
{
	unsigned select = !change->old ? SELECT_INSERT
			  : !change->new ? SELECT_DELETE : SELECT_MODIFY;
	json_t *old = NULL, *shown;

	if (!(view->select & select))
		return NULL;
	if (select == SELECT_MODIFY) {
		old = show_old(view, change);
		if (!old)
			return NULL;
	} else if (select == SELECT_DELETE) {
		old = show_row(view, change->old, select);
	}
	shown = json_object();
	if (old)
		json_object_set_new_nocheck(shown, "old", old);
	if (change->new)
		json_object_set_new_nocheck(shown, "new",
					    show_row(view, change->new,
						     select));
	return shown;
}

static json_t *
show_row(const struct view *view, const struct row *row, unsigned select)
{
	json_t *columns = json_object();

	for (size_t i = 0; i < view->n_columns; i++) {
		const struct column *column = view->columns[i].column;

		if (view->columns[i].select & select)
			json_object_set_new_nocheck(
				columns, column->name,
				datum_to_json(row_datum(row, column),
					      &column->type));
	}
	return columns;
}

/* The columns that were modified, with their old values; NULL if there are
 * none among those that are monitored for that. */
static json_t *
show_old(const struct view *view, const struct change *change)
{
	json_t *columns = NULL;

	for (size_t i = 0; i < view->n_columns; i++) {
		const struct column *column = view->columns[i].column;

		if (!(view->columns[i].select & SELECT_MODIFY)
		    || !is_changed(change, column))
			continue;
		if (!columns)
			columns = json_object();
		json_object_set_new_nocheck(
			columns, column->name,
			datum_to_json(row_datum(change->old, column),
				      &column->type));
	}
	return columns;
}

static bool
is_changed(const struct change *change, const struct column *column)
{
	if (column->index == COLUMN_VERSION)
		return !uuid_equal(row_version(change->old),
				   row_version(change->new));
	return change_has(change, column);
}

/* Ends the view's part in the commit. */
static void
touch_users(struct view *view, struct list *touched)
{
	struct list *link;

	list_remove(&view->touched_link);
	for (link = view->users.next; link != &view->users;
	     link = link->next) {
		struct monitor *monitor
			= LIST_ENTRY(link, struct subscription,
				     view_link)->monitor;

		if (!monitor->updates) {
			monitor->updates = json_object();
			list_append(touched, &monitor->touched_link);
		}
		json_object_set(monitor->updates, view->table->name,
				view->rows);
	}
	json_decref(view->rows);
	view->rows = NULL;
}

/* Ends the monitor's part in the commit. */
static void
send_update(struct monitor *monitor)
{
	json_t *updates = monitor->updates;

	list_remove(&monitor->touched_link);
	monitor->updates = NULL;
	monitor->client->server->counters.n_updates++;
	client_notify(monitor->client, "update",
		      json_pack("[O, o]", monitor->id, updates));
}

static void
set_row(json_t *rows, const struct uuid *uuid, json_t *row)
{
	char text[UUID_TEXT_SIZE];

	uuid_to_text(uuid, text);
	json_object_set_new_nocheck(rows, text, row);
}
