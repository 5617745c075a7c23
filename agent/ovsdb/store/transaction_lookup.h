/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_TRANSACTION_LOOKUP_H
#define OVSDB_TRANSACTION_LOOKUP_H 1

/* Finds rows as the open transaction sees them: the committed ones by the
 * table's lookups, without those that it has changed or deleted, and its own
 * by maps of the same hashes and numbers.
 *
 * A map of the transaction's own is made when it first searches by that
 * number; from then on the rows that are written since the last search are
 * put in their places before the next one, so that a transaction of many
 * searches and many writes stays linear.  [control] */

#include "agent/ovsdb/store/lookup.h"
#include "agent/ovsdb/store/transaction_row.h"

/* The rows that hold what the query says; more may come.  False if there is
 * nothing to find them by, and every row is to be visited.  Otherwise
 * 'ret_rows' is an array that the caller frees. */
bool transaction_lookup(struct transaction *, struct table *,
			const struct lookup_query *,
			struct row ***ret_rows, size_t *ret_n);

/* Likewise, by the number of a lookup and a hash. */
struct row **transaction_match(struct transaction *, struct table *,
			       size_t number, uint32_t hash, size_t *ret_n);

/* For transaction.c.  The row is new, or has been written: */
void transaction_lookup_note(struct transaction *, struct transaction_row *);
/* 'new' is about to go: */
void transaction_lookup_forget(struct transaction *,
			       struct transaction_row *);
/* And the maps. */
void transaction_lookup_done(struct transaction_table *);

#endif /* ovsdb/store/transaction_lookup.h */
