/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_TRANSACTION_ROW_H
#define OVSDB_TRANSACTION_ROW_H 1

/* A transaction from the inside: for transaction.c, transaction_lookup.c,
 * publish.c and constraint.c.
 *
 * What 'old' and 'new' of a row say:
 *
 *     old    new          the transaction
 *     -----  -----------  -------------------------------------------------
 *     NULL   a row        inserts it
 *     a row  another row  modifies it
 *     a row  the same     leaves it alone, but may change who refers to it
 *     a row  NULL         deletes it
 *     NULL   NULL         has inserted it and deleted it again
 */

#include "agent/ovsdb/store/row.h"
#include "agent/ovsdb/store/transaction.h"

struct transaction_row {
	struct table *table;
	struct row *old, *new;
	struct uuid uuid;
	uint32_t n_refs;	/* Strong references, after the commit. */
	bool mend;		/* A weak reference of it leads nowhere now. */
	bool is_dirty;		/* In the table's list of that name. */
	bool is_mapped;		/* 'new' stands under 'hashes'. */
	struct transaction_row *next_dirty;
	uint32_t *hashes;	/* By the number of the table's lookup. */
	uint64_t changed[];	/* Columns written; from the commit on, those
				 * whose values differ. */
};

struct transaction_table {
	struct transaction_table *next;	/* In transaction.touched. */
	struct table *table;		/* NULL: not touched. */
	struct row_map inserted;	/* By row_uuid_hash(). */
	/* Inserted and modified rows by the number of the table's lookup;
	 * NULL before the first search. */
	struct transaction_map *maps;
	size_t n_maps;
	struct transaction_row *dirty;	/* Not yet in 'maps' as they are. */
	struct transaction_row *last;	/* That transaction_touch() found. */
	int64_t n_more;			/* Rows inserted less rows deleted. */
};

/* A database keeps one for its next transaction. */
struct transaction {
	struct database *database;
	struct transaction_table *tables; /* By table_schema->index. */
	struct transaction_table *touched;
	struct transaction_row **rows;	/* In the order of first touch. */
	size_t n_rows, max_rows;
	struct transaction_block *blocks; /* Where they are; the newest. */
	size_t used;			/* Of its bytes. */
	char *comment;			/* NULL: none. */
	size_t comment_size, comment_room;	/* Without its end. */
	bool is_patient, must_wait;	/* For a lookup to be built. */
};

static inline bool
transaction_row_is_written(const struct transaction_row *row)
{
	return row->new && row->new != row->old;
}

static inline bool
transaction_row_has_changed(const struct transaction_row *row,
			    const struct column *column)
{
	return row->changed[column->index / 64] >> column->index % 64 & 1;
}

/* Says that there is something of this table in its 'tables'. */
void transaction_touch_table(struct transaction *, struct table *);
/* The transaction's record of a row, made if there was none; NULL if there is
 * no such row, or it was inserted and deleted again. */
struct transaction_row *transaction_touch(struct transaction *,
					  struct table *,
					  const struct uuid *);
/* Deletes the row, whatever refers to it. */
void transaction_row_delete(struct transaction *, struct transaction_row *);
/* Says anew which columns differ; a row of which none does goes back to the
 * committed version. */
void transaction_row_settle(struct transaction *, struct transaction_row *);

#endif /* ovsdb/store/transaction_row.h */
