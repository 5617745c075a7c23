/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_HISTORY_H
#define OVSDB_HISTORY_H 1

/* What a database was before its last transactions, so that a client that was
 * away for a while hears only what has changed since.
 *
 * Of each transaction is kept what undoes it: nothing of a row that was
 * inserted, the old values of the columns that were modified, all values of a
 * row that was deleted.  When that takes more than a limit of memory the
 * oldest transactions are forgotten.
 *
 * A transaction's id is a hash of its record in the file and of the id before
 * it: whoever reads the file again finds the same ids, and with them the same
 * history, as far as the file goes back; and two databases that say the same
 * id hold the same.  Transactions that wrote ephemeral columns alone have no
 * record, and random ids.  [control] */

#include <stdbool.h>
#include <stdint.h>
#include "agent/ovsdb/store/database.h"

struct history;

enum { HISTORY_DEFAULT_SIZE = 16 << 20 };	/* Bytes. */

struct history *history_new(void);
void history_free(struct history *);
/* With 0 nothing is remembered, as in a stand-alone ovsdb-server. */
void history_set_size(struct history *, uint64_t size);
/* From now on this much is kept, if it is more than that: somebody is going to
 * ask for it.  0: nobody is any more. */
void history_hold(struct history *, uint64_t size);
uint64_t history_size(const struct history *);

struct history_counters {
	uint64_t size;			/* Bytes in use. */
	uint64_t n_transactions;	/* Known now. */
	uint64_t n_forgotten;		/* Ever. */
};
void history_counters(const struct history *, struct history_counters *);

/* The commit came after the transaction 'before'; nothing is kept if that is
 * zero, because nobody can ask for what came before the first. */
void history_add(struct history *, const struct commit *,
		 const struct uuid *before, bool is_before_from_file);

/* Calls 'visit' once for each row that is not what it was right after the
 * transaction 'since', with both versions of it, in no order.  They are good
 * until 'visit' returns, and the old one has a _version of its own.  Returns
 * false, and calls nobody, if that transaction is not known. */
bool history_recall(const struct database *, const struct uuid *since,
		    void (*visit)(void *ctx, const struct change *),
		    void *ctx);

/* Did the transaction happen before this process opened the file? */
bool history_is_from_file(const struct database *, const struct uuid *);

/* The id of the transaction whose record has this SHA-1, in hexadecimal. */
void history_next_id(const struct uuid *before, const char *sha1,
		     struct uuid *ret_id);

#endif /* ovsdb/store/history.h */
