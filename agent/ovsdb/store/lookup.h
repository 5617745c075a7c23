/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_LOOKUP_H
#define OVSDB_LOOKUP_H 1

/* Finds committed rows by what some of their columns hold.
 *
 * A lookup is a way to do so: a map from the hash of the values of one or
 * more columns to the rows.  Each table has one for each index of its schema,
 * for ever, and, beside them, up to LOOKUP_MAX_DEMANDED that searches have
 * asked for.  A lookup has a number: those of the schema come first, in its
 * order; the number of one that is dropped is given to another.
 *
 * On demand a lookup is built by the first search that binds its columns, if
 * it would be worth it: the table has at least LOOKUP_MIN_ROWS rows, and what
 * is searched for is not what every eighth row holds, as far as a sample of
 * at most LOOKUP_MAX_SAMPLE rows tells.  Of several columns it is the one
 * with the most values; columns that tell rows apart only together get one
 * together, of up to LOOKUP_MAX_COLUMNS.  Building visits every row once; for
 * a search that may wait, of a table with more than LOOKUP_BUILD_ROWS, that is
 * done by lookup_run(), so many at a time, and others go on in between.
 *
 * It is dropped when the table has seen twice as many changes as it has rows
 * (and LOOKUP_IDLE_CHANGES) without one search by it: keeping it has then cost
 * about as much as building it again.  It is dropped when nobody has searched
 * by it for LOOKUP_IDLE_MS: memory is for what is used.  A search that finds
 * all places taken may have that of one that LOOKUP_IDLE_SEARCHES others went
 * past.
 *
 * Knows nothing of open transactions: transaction_lookup.c does.  [control] */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "agent/ovsdb/store/database.h"
#include "agent/ovsdb/store/row_multimap.h"

enum {
	LOOKUP_MAX_DEMANDED = 8,	/* Of one table. */
	LOOKUP_MAX_COLUMNS = 4,		/* Of one that is demanded. */
	LOOKUP_MAX_TERMS = 8,		/* Of a query; more are of no use. */
	LOOKUP_MIN_ROWS = 64,
	LOOKUP_BUILD_ROWS = 512,		/* Visited at once. */
	LOOKUP_MAX_SAMPLE = 512,
	LOOKUP_IDLE_CHANGES = 4096,
	LOOKUP_IDLE_SEARCHES = 1024,
	LOOKUP_IDLE_MS = 10 * 60 * 1000	/* At most twice that. */
};

struct lookup {
	const struct column **columns;	/* NULL: nobody has this number. */
	size_t n_columns;
	struct row_multimap rows;	/* By lookup_hash(). */
	uint64_t n_changes;		/* Of the table since ... */
	uint64_t last_search;		/* ... this search of it. */
	bool was_used;			/* In this LOOKUP_IDLE_MS. */
	bool is_building;		/* lookup_build.h: rows of places */
	uint32_t built_to;		/* up to this one are in it. */
};

/* What a table has of them. */
struct lookup_set {
	struct lookup *all;		/* By number. */
	size_t n;			/* Numbers in use and free ones. */
	uint64_t n_searches;
	/* Rows visited for having no better lookup than there was. */
	uint64_t n_in_vain;
};

/* What rows are to hold, column by column; no column twice. */
struct lookup_query {
	const struct column *columns[LOOKUP_MAX_TERMS];
	const struct datum *values[LOOKUP_MAX_TERMS];
	size_t n;
};

void lookup_set_init(struct lookup_set *, const struct table_schema *);
void lookup_set_done(struct lookup_set *, const struct table_schema *);

/* For what makes rows committed, and ends it. */
void lookup_insert(struct table *, struct row *);
void lookup_remove(struct table *, struct row *);
void lookup_replace(struct table *, struct row *old, struct row *new);

enum lookup_outcome {
	LOOKUP_NONE,		/* It would not pay. */
	LOOKUP_BUILT,
	LOOKUP_BUILDING		/* It is going to be: search by it then. */
};

/* Drops what nobody uses, and builds.  No transaction may be open. */
void lookup_run(struct database *, int64_t now_ms);
/* When to do so; INT64_MAX: never. */
int64_t lookup_deadline(const struct database *);

/* Of the values of a row in the columns of a lookup. */
uint32_t lookup_hash(const struct lookup *, const struct row *);

/* The number of the lookup that leaves the fewest rows to visit, and the
 * hash of what they hold; false if there is none.  An index of the schema
 * goes before everything. */
bool lookup_find(struct table *, const struct lookup_query *,
		 size_t *ret_number, uint32_t *ret_hash);
/* Does that search visit so many rows, again and again, that a lookup by more
 * columns would pay? */
bool lookup_is_poor(struct table *, const struct lookup_query *,
		    size_t number, uint32_t hash);
/* Builds one that answers the query better than number 'than' (SIZE_MAX: than
 * visiting all rows), if 'sample' promises so; in parts, if the search
 * 'may_wait' for that.  'is_held' tells of numbers that may not be given
 * away. */
enum lookup_outcome lookup_demand(struct table *, const struct lookup_query *,
				  size_t than, const struct row *const *sample,
				  size_t n_sample, bool may_wait,
				  bool (*is_held)(const void *ctx,
						  size_t number),
				  const void *ctx);

#endif /* ovsdb/store/lookup.h */
