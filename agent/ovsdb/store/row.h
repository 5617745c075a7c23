/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_ROW_H
#define OVSDB_ROW_H 1

/* Rows, tables and databases from the inside: for what makes up a
 * transaction (database.c, transaction.c, constraint.c, publish.c,
 * journal*.c, operation_read.c) and its tests; everybody else has database.h.
 *
 * A row is one allocation: header, then values as the table's layout has
 * them.  What other rows hold against it moves on to its next version with
 * row_succeed().  [control]; of a row that is committed, the table, the UUID
 * and the values are [any]: row_table(), row_uuid(), row_datum(). */

#include "agent/base/slab.h"
#include "agent/ovsdb/store/database.h"
#include "agent/ovsdb/store/layout.h"
#include "agent/ovsdb/store/lookup.h"
#include "agent/ovsdb/store/pin.h"
#include "agent/ovsdb/store/row_map.h"

struct transaction_row;

/* A weak reference that a committed row holds.  It stands in a list of the
 * holder's, and in one of the row's that it leads to, so that a deletion finds
 * the rows to mend without a look at all the others. */
struct referrer {
	struct table *table;		/* The holder. */
	struct uuid uuid;
	struct referrer *next_out;
	struct referrer *next_in, **prev_in;
};

struct row {
	struct transaction_row *transaction; /* Of the open one, or NULL. */
	uint32_t birth;		/* When it was committed: pin.c's. */
	uint32_t version;	/* Another one for each. */
	struct uuid uuid;
	/* The layout's. */
};

struct table {
	const struct table_schema *schema;
	struct database *database;
	struct layout layout;
	struct slab_pool pool;		/* Of its rows. */
	struct row_map rows;		/* By row_uuid_hash(). */
	struct lookup_set lookups;
	struct kept_map kept;
	struct pin_stamps stamps;
	/* Do its columns hold such references?  Most tables skip the work. */
	bool has_strong, has_weak;
};

struct database {
	struct schema *schema;
	struct journal *journal;
	struct table *tables;		/* By table_schema->index. */
	struct observer *observers;
	struct transaction *transaction;	/* The open one, */
	struct transaction *next_transaction;	/* or NULL: made if needed. */
	struct history *history;
	struct lookup_counters lookup_counters;
	int64_t lookups_due_ms;		/* Of lookup_run(); 0: not known. */
	uint32_t n_building;		/* Lookups of lookup_build.h. */
	struct uuid last_transaction, last_recorded;
	/* That of the record that is being read; all zero otherwise. */
	struct uuid replayed;
	bool is_last_from_file;		/* The last transaction. */
	struct pins *pins;
};

/* All columns at their defaults; random version. */
struct row *row_new(struct table *, const struct uuid *);
/* Another version of the same row, without what others hold against it. */
struct row *row_clone(const struct row *);
void row_free(struct row *);
/* Bytes of memory, roughly; no more and no less from its commit on. */
size_t row_size(const struct row *);
/* Strong references by committed rows, but for its own.  In tables that none
 * can refer to it is always 0. */
uint32_t row_refs(const struct row *);
void row_set_refs(struct row *, uint32_t n);
/* The first weak reference to it, and of its own; NULL if there is none. */
const struct referrer *row_first_in(const struct row *);
const struct referrer *row_first_out(const struct row *);
/* Moves counts and referrers from one version to the next. */
void row_succeed(struct row *old, struct row *new);

/* Replaces the value of a column, takes over 'value'.  For rows that are not
 * committed; whoever changes one in a transaction uses row_set(). */
void row_put(struct row *, const struct column *, struct datum *value);
/* datum_hash() of the value there. */
uint32_t row_hash(const struct row *, const struct column *, uint32_t basis);
/* Has what the value leads to come from memory; the row itself is near. */
void row_fetch(const struct row *, const struct column *);
/* Have both the same value there?  They are rows of one table. */
bool row_has_equal(const struct row *, const struct row *,
		   const struct column *);

uint32_t row_uuid_hash(const struct uuid *);
bool row_index_equal(const struct row *, const struct row *, size_t index);

/* The table that a base type refers to, or NULL. */
struct table *row_target(const struct table *, const struct base_type *);

void row_add_referrer(struct row *holder, struct row *target);
void row_drop_referrers(struct row *holder);
/* For the end of a database: the rows at the other end may be gone already. */
void row_free_referrers(struct row *holder);

/* Makes the committed rows what a transaction left, all at once.  Rows that go
 * are passed on to pin_discard() when nobody looks at them any more. */
void table_insert(struct table *, struct row *);
void table_remove(struct table *, struct row *);
void table_replace(struct table *, struct row *old, struct row *new);

/* Very many rows will come, and nobody waits (hash_set_loosen()); and the end
 * of it. */
void database_loosen(struct database *);
void database_tighten(struct database *);

#endif /* ovsdb/store/row.h */
