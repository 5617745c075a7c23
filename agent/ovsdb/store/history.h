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
 * record, and random ids.
 *
 * Of each is known, too, where in the file its record begins, so that a new
 * file can begin with what the database was some time ago, and go on with the
 * records from then on: who reads that one finds the same history.
 *
 * All [control], but where it says otherwise. */

#include <stdbool.h>
#include <stdint.h>
#include "agent/ovsdb/store/database.h"

struct history;
struct pin;

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

/* The record of the next transaction will begin at this offset of the file,
 * and its id come from this one. */
void history_set_end(struct history *, int64_t offset,
		     const struct uuid *recorded);

/* There is a new file.  What is at 'to' in it was at 'from' in the old one,
 * and what was before that is in no record any more. */
void history_move(struct history *, int64_t from, int64_t to);

/* Calls 'visit' once for each row that is not what it was right after the
 * transaction 'since', with both versions of it, in no order.  They are good
 * until 'visit' returns, and the old one has a _version of its own.  Returns
 * false, and calls nobody, if that transaction is not known. */
bool history_recall(const struct database *, const struct uuid *since,
		    void (*visit)(void *ctx, const struct change *),
		    void *ctx);

/* What differs between what a pin shows, of the database as it is, and what was
 * some time before.  history_past_step() goes back from there by up to so many
 * changes of rows, over transactions whose records take up to 'max_size' bytes
 * of the file and changes that the history knows, and not without end in
 * memory; it returns whether it can go on.  Transactions may go on meanwhile.
 * There may be one for a history, and the pin has to outlive it. */
struct history_past;

struct history_past *history_past_begin(struct database *, const struct pin *,
					int64_t max_size);
bool history_past_step(struct history_past *, size_t max);
/* Accepts NULL.  What it was made of is left for history_reclaim(). */
void history_past_free(struct history_past *);

/* Frees up to so many rows of such as were freed; returns whether there are
 * others. */
bool history_reclaim(struct history *, size_t max);

/* When there is nothing left to do.  The id is that of the transaction which
 * it is right after, as far as the file knows them; the offset, of the file as
 * it was at the beginning, that of the next record. */
const struct uuid *history_past_id(const struct history_past *);
int64_t history_past_offset(const struct history_past *);
/* [any], when there is nothing left to do: what a row that the pin shows was
 * then (NULL: it was not there); and those of a table that it does not show,
 * in no order. */
const struct row *history_past_find(const struct history_past *,
				    const struct row *);
void history_past_visit_gone(const struct history_past *,
			     const struct table *,
			     void (*visit)(void *ctx, const struct row *),
			     void *ctx);

/* Did the transaction happen before this process opened the file? */
bool history_is_from_file(const struct database *, const struct uuid *);

/* The id of the transaction whose record has this SHA-1, in hexadecimal. */
void history_next_id(const struct uuid *before, const char *sha1,
		     struct uuid *ret_id);

#endif /* ovsdb/store/history.h */
