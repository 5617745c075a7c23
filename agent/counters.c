/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/counters.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/chore.h"
#include "agent/base/memory.h"
#include "agent/ovsdb/store/journal.h"

static struct counter *of_server(const struct server *, struct counter *);
static struct counter *of_searches(const struct server *, struct counter *);
static struct counter *of_remotes(const struct remotes *, struct counter *);
static struct counter *of_tls(const struct listener_counters *,
			      struct counter *);
static struct counter *of_files(const struct server *, struct counter *);
static struct counter *add(struct counter *, const char *name, uint64_t value);
static void show(struct control_request *, size_t n_args,
		 const char *const args[], void *counted);
static void read_one(struct control_request *, size_t n_args,
		     const char *const args[], void *counted);
static void show_turns(struct control_request *, size_t n_args,
		       const char *const args[], void *counted);
static void print_totals(FILE *);

size_t
counters_read(const struct counted *counted, struct counter *counters)
{
	struct counter *next = counters;

	next = of_server(counted->server, next);
	next = of_searches(counted->server, next);
	next = of_remotes(counted->remotes, next);
	next = of_files(counted->server, next);
	assert(next <= counters + MAX_COUNTERS);
	return next - counters;
}

void
counters_of_lookups(const struct server *server,
		    struct lookup_counters *ret_sum)
{
	struct database *database = NULL;

	memset(ret_sum, 0, sizeof *ret_sum);
	while ((database = server_next_database(server, database))) {
		struct lookup_counters one;

		database_lookup_counters(database, &one);
		ret_sum->n_by_uuid += one.n_by_uuid;
		ret_sum->n_by_index += one.n_by_index;
		ret_sum->n_by_lookup += one.n_by_lookup;
		ret_sum->n_scans += one.n_scans;
		ret_sum->n_built += one.n_built;
		ret_sum->n_dropped += one.n_dropped;
		ret_sum->n_lookups += one.n_lookups;
		ret_sum->size += one.size;
	}
}

void
counters_add_commands(struct control *control, struct counted *counted)
{
	control_add_command(control, "coverage/show", "", 0, 0, show, counted);
	control_add_command(control, "coverage/read-counter", "COUNTER", 1, 1,
			    read_one, counted);
	control_add_command(control, "turns/show", "[MS]", 0, 1, show_turns,
			    counted);
}

static struct counter *
of_server(const struct server *server, struct counter *next)
{
	struct server_counters c;

	server_counters(server, &c);
	next = add(next, "ovsdb_requests", c.n_requests);
	next = add(next, "ovsdb_errors", c.n_errors);
	next = add(next, "ovsdb_transactions", c.n_transactions);
	next = add(next, "ovsdb_updates", c.n_updates);
	next = add(next, "ovsdb_wordings", c.n_wordings);
	next = add(next, "ovsdb_combined_updates", c.n_combined_updates);
	next = add(next, "ovsdb_lost_clients", c.n_lost_clients);
	next = add(next, "ovsdb_lost_transactions", c.n_lost);
	next = add(next, "ovsdb_resumed_monitors", c.n_resumed_monitors);
	next = add(next, "ovsdb_forgotten_monitors", c.n_forgotten_monitors);
	next = add(next, "ovsdb_snapshots", c.n_snapshots);
	next = add(next, "ovsdb_chunks", c.n_chunks);
	next = add(next, "ovsdb_shared_chunks", c.n_shared_chunks);
	next = add(next, "ovsdb_lagging_clients", c.n_lagging_clients);
	next = add(next, "ovsdb_refused_monitors", c.n_refused_monitors);
	next = add(next, "ovsdb_refused_waits", c.n_refused_waits);
	next = add(next, "ovsdb_refused_locks", c.n_refused_locks);
	return add(next, "ovsdb_refused_operations", c.n_refused_operations);
}

static struct counter *
of_searches(const struct server *server, struct counter *next)
{
	struct lookup_counters c;

	counters_of_lookups(server, &c);
	next = add(next, "search_by_uuid", c.n_by_uuid);
	next = add(next, "search_by_index", c.n_by_index);
	next = add(next, "search_by_lookup", c.n_by_lookup);
	next = add(next, "search_scans", c.n_scans);
	next = add(next, "search_built_lookups", c.n_built);
	return add(next, "search_dropped_lookups", c.n_dropped);
}

static struct counter *
of_remotes(const struct remotes *remotes, struct counter *next)
{
	struct listener_counters c;

	remotes_counters(remotes, &c);
	next = add(next, "session_accepted", c.n_accepted);
	next = add(next, "session_dialled", c.n_dialled);
	next = add(next, "session_accept_errors", c.n_accept_errors);
	next = add(next, "session_dial_errors", c.n_dial_errors);
	next = add(next, "session_refused", c.n_refused);
	next = add(next, "session_malformed", c.n_malformed);
	next = add(next, "session_too_long", c.n_too_long);
	next = add(next, "session_too_deep", c.n_too_deep);
	next = add(next, "session_backlogged", c.n_backlogged);
	next = add(next, "session_silent", c.n_silent);
	next = add(next, "session_lagging", c.n_lagging);
	return of_tls(&c, next);
}

static struct counter *
of_tls(const struct listener_counters *c, struct counter *next)
{
	for (size_t i = 0; i < N_TLS_REFUSALS; i++) {
		char name[sizeof next->name];

		snprintf(name, sizeof name, "tls_%s", tls_refusal_name(i));
		next = add(next, name, c->n_tls_refusals[i]);
	}
	return next;
}

static struct counter *
of_files(const struct server *server, struct counter *next)
{
	struct journal_status sum = { .n_records = 0 };
	struct database *database = NULL;

	while ((database = server_next_database(server, database))) {
		struct journal_status one;

		journal_status(database_journal(database), &one);
		sum.n_records += one.n_records;
		sum.n_durable += one.n_durable;
		sum.n_syncs += one.n_syncs;
		sum.n_errors += one.n_errors;
		sum.n_compactions += one.n_compactions;
		sum.n_failed_compactions += one.n_failed_compactions;
	}
	next = add(next, "file_records", sum.n_records);
	next = add(next, "file_durable", sum.n_durable);
	next = add(next, "file_syncs", sum.n_syncs);
	next = add(next, "file_errors", sum.n_errors);
	next = add(next, "file_compactions", sum.n_compactions);
	return add(next, "file_failed_compactions", sum.n_failed_compactions);
}

static struct counter *
add(struct counter *next, const char *name, uint64_t value)
{
	snprintf(next->name, sizeof next->name, "%s", name);
	next->value = value;
	return next + 1;
}

static void
show(struct control_request *request, size_t n_args,
     const char *const args[], void *counted)
{
	struct counter counters[MAX_COUNTERS];
	size_t n = counters_read(counted, counters), n_never = 0, size;
	char *text = NULL;
	FILE *stream = open_memstream(&text, &size);

	(void) n_args;
	(void) args;
	fputs("Event coverage, since the start:\n", stream);
	for (size_t i = 0; i < n; i++)
		if (counters[i].value)
			fprintf(stream, "%-26s total: %" PRIu64 "\n",
				counters[i].name, counters[i].value);
		else
			n_never++;
	fprintf(stream, "%zu events never hit\n", n_never);
	fclose(stream);
	control_reply(request, text);
	free(text);
}

static void
read_one(struct control_request *request, size_t n_args,
	 const char *const args[], void *counted)
{
	struct counter counters[MAX_COUNTERS];
	size_t n = counters_read(counted, counters);

	(void) n_args;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(counters[i].name, args[0])) {
			char *text = xasprintf("%" PRIu64 "\n",
					       counters[i].value);

			control_reply(request, text);
			free(text);
			return;
		}
	control_fail(request, "No such counter");
}

/* The long ones, the oldest first, by CLOCK_MONOTONIC. */
static void
show_turns(struct control_request *request, size_t n_args,
	   const char *const args[], void *counted)
{
	double at_least_ms = n_args ? atof(args[0]) : 0;
	size_t size, n = 0;
	char *text;
	FILE *file = open_memstream(&text, &size);

	(void) counted;
	if (!file)
		abort();
	print_totals(file);
	while (chore_kept(n))
		n++;
	while (n--) {
		const struct chore_turn *turn = chore_kept(n);

		if ((double) turn->took_ns / 1e6 < at_least_ms)
			continue;
		fprintf(file, "%.6f ", (double) turn->began_ns / 1e9);
		chore_print(file, turn);
		putc('\n', file);
	}
	fclose(file);
	control_reply(request, text);
	free(text);
}

static void
print_totals(FILE *file)
{
	fprintf(file, "%-12s %12s %14s %12s\n", "", "turns", "total ms",
		"longest ms");
	for (int i = 0; i < N_CHORES; i++) {
		const struct chore_total *total = chore_total(i);

		if (total->n)
			fprintf(file, "%-12s %12" PRIu64 " %14.3f %12.3f\n",
				chore_name(i), total->n,
				(double) total->ns / 1e6,
				(double) total->longest_ns / 1e6);
	}
}
