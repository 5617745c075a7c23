/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb_counters.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "agent/ovsdb/store/journal.h"

static struct counter *of_server(const struct program *, struct counter *);
static struct counter *of_searches(const struct program *, struct counter *);
static struct counter *of_remotes(const struct program *, struct counter *);
static struct counter *of_tls(const struct listener_counters *,
			      struct counter *);
static struct counter *of_files(const struct program *, struct counter *);
static struct counter *add(struct counter *, const char *name, uint64_t value);

size_t
counters_read(const struct program *program, struct counter *counters)
{
	struct counter *next = counters;

	next = of_server(program, next);
	next = of_searches(program, next);
	next = of_remotes(program, next);
	next = of_files(program, next);
	assert(next <= counters + MAX_COUNTERS);
	return next - counters;
}

void
counters_of_lookups(const struct program *program,
		    struct lookup_counters *ret_sum)
{
	memset(ret_sum, 0, sizeof *ret_sum);
	for (size_t i = 0; i < program->n_databases; i++) {
		struct lookup_counters one;

		database_lookup_counters(program->databases[i].database, &one);
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

static struct counter *
of_server(const struct program *program, struct counter *next)
{
	struct server_counters c;

	server_counters(program->server, &c);
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
of_searches(const struct program *program, struct counter *next)
{
	struct lookup_counters c;

	counters_of_lookups(program, &c);
	next = add(next, "search_by_uuid", c.n_by_uuid);
	next = add(next, "search_by_index", c.n_by_index);
	next = add(next, "search_by_lookup", c.n_by_lookup);
	next = add(next, "search_scans", c.n_scans);
	next = add(next, "search_built_lookups", c.n_built);
	return add(next, "search_dropped_lookups", c.n_dropped);
}

static struct counter *
of_remotes(const struct program *program, struct counter *next)
{
	struct listener_counters c;

	remotes_counters(program->remotes, &c);
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
of_files(const struct program *program, struct counter *next)
{
	struct journal_status sum = { .n_records = 0 };

	for (size_t i = 0; i < program->n_databases; i++) {
		struct journal_status one;

		journal_status(database_journal(
				program->databases[i].database), &one);
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
