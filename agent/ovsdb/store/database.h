/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_DATABASE_H
#define OVSDB_DATABASE_H 1

/* A database: tables of rows, what is committed.
 *
 * A row that is committed is never written again: a transaction makes another
 * version of it, and the commit puts the new version in its place.  Pointers
 * to committed rows are good until the next commit that changes that row; an
 * observer is shown the old and the new version and may not keep the old one.
 *
 * Everything here is [control]: one thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "agent/ovsdb/value/datum.h"
#include "agent/ovsdb/value/schema.h"
#include "agent/ovsdb/value/uuid.h"

struct database;
struct history;
struct journal;
struct row;
struct table;

/* Takes over 'schema'.  Without a journal ('journal' NULL) the database lives
 * in memory alone, as _Server does.  Takes over 'journal' otherwise. */
struct database *database_new(struct schema *, struct journal *);
void database_free(struct database *);

const char *database_name(const struct database *);
const struct schema *database_schema(const struct database *);
/* Of the last commit; all zero before the first.  And of the last one that
 * the file knows: those that wrote ephemeral columns alone are not in it. */
const struct uuid *database_last_transaction(const struct database *);
const struct uuid *database_last_recorded(const struct database *);
struct history *database_history(const struct database *);
/* NULL if it lives in memory alone. */
struct journal *database_journal(const struct database *);
struct table *database_table(const struct database *, const char *name);
struct table *database_table_at(const struct database *, size_t index);

/* Searches of rows by conditions, and the lookups that they made. */
struct lookup_counters {
	uint64_t n_by_uuid, n_by_index, n_by_lookup;	/* Searches. */
	uint64_t n_scans;		/* Those that looked at every row. */
	uint64_t n_built, n_dropped;	/* Lookups made on demand. */
	uint32_t n_lookups;		/* Such that are there now, ... */
	size_t size;			/* ... and their bytes. */
};

/* Are lookups of very many rows being built?  lookup_run() goes on with it. */
bool database_is_building(const struct database *);
void database_lookup_counters(const struct database *,
			      struct lookup_counters *ret_counters);

const struct table_schema *table_schema(const struct table *);
struct database *table_database(const struct table *);
size_t table_n_rows(const struct table *);
const struct row *table_find(const struct table *, const struct uuid *);
/* table_find() will be called: has what it looks at first come from memory. */
void table_prefetch(const struct table *, const struct uuid *);

/* for (row = table_first(t); row; row = table_next(t, row)), in no order.
 * No commit may happen meanwhile. */
const struct row *table_first(const struct table *);
const struct row *table_next(const struct table *, const struct row *);

const struct uuid *row_uuid(const struct row *);
struct uuid row_version(const struct row *);
struct table *row_table(const struct row *);
/* The value of a column: inside the row, or put together in 'room'.  Borrowed
 * either way, never for datum_done(); good for as long as both are. */
const struct datum *row_datum(const struct row *, const struct column *,
			      struct datum *room);
/* By name: for code of our own that knows the schema; a column that is not
 * there reads as an empty datum. */
const struct datum *row_get(const struct row *, const char *column,
			    struct datum *room);
/* The first element; the string lives as long as the row. */
const char *row_string(const struct row *, const char *column,
		       const char *fallback);
/* Of a column of strings that is known, the first one, or NULL: as good for
 * comparing as the text, since equal ones are one.  [control] */
struct string *row_text(const struct row *, const struct column *);
int64_t row_integer(const struct row *, const char *column, int64_t fallback);
bool row_boolean(const struct row *, const char *column, bool fallback);

/* Observers see each commit, after it is on disk as far as it was asked to
 * be, in the order of registration. */
struct change {
	const struct table *table;
	struct uuid uuid;
	const struct row *old;		/* NULL: inserted. */
	const struct row *new;		/* NULL: deleted. */
	const uint64_t *changed;	/* Bit column->index: values differ. */
};

struct commit {
	struct database *database;
	struct uuid id;
	const struct change *changes;	/* With those of garbage collection. */
	size_t n_changes;
};

static inline bool
change_has(const struct change *change, const struct column *column)
{
	return change->changed[column->index / 64] >> column->index % 64 & 1;
}

struct observer {
	void (*committed)(struct observer *, const struct commit *);
	struct observer *next;		/* Ours. */
};

void database_observe(struct database *, struct observer *);
void database_unobserve(struct database *, struct observer *);

#endif /* ovsdb/store/database.h */
