/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_TRANSACTION_H
#define OVSDB_TRANSACTION_H 1

/* A transaction in the making: rows inserted, modified, deleted, seen by its
 * own later operations and by nobody else.  RFC 7047, section 4.1.3.
 *
 * Commit checks, in this order: references (strong ones must lead somewhere,
 * weak ones to nowhere are removed), garbage collection of unreferenced rows
 * of non-root tables, maxRows, indexes; writes the journal; publishes; tells
 * the observers.  If any step fails nothing has happened.
 *
 * Only one transaction of a database can be open at a time.  [control] */

#include <stdbool.h>
#include "agent/ovsdb/store/database.h"
#include "agent/ovsdb/value/error.h"

struct transaction;

struct transaction *transaction_begin(struct database *);
/* Whoever can do all of it once more says so, and a search of very many rows
 * may find none because it would take too long now.  Then the transaction has
 * to be aborted; once database_is_building() says no more it goes quickly. */
void transaction_be_patient(struct transaction *);
bool transaction_must_wait(const struct transaction *);

/* A row that may be written.  'uuid' NULL: random.  Fails with "duplicate
 * uuid" if there is one. */
struct ovsdb_error *transaction_insert(struct transaction *, struct table *,
				       const struct uuid *uuid,
				       struct row **ret_row);
/* The transaction's own version of a row, made when first asked for. */
struct row *transaction_modify(struct transaction *, const struct row *);
void transaction_delete(struct transaction *, const struct row *);

/* As seen from inside the transaction. */
const struct row *transaction_find(struct transaction *, struct table *,
				   const struct uuid *);
/* Calls 'visit' for each row of the table as the transaction sees it, until
 * it returns false.  'visit' may modify and delete the row it is shown. */
void transaction_each(struct transaction *, struct table *,
		      bool (*visit)(void *ctx, const struct row *),
		      void *ctx);

/* Takes over 'value'; marks the column as written.  Does not look at
 * 'is_mutable': those who speak for a client must. */
void row_set(struct row *, const struct column *, struct datum *value);

void transaction_comment(struct transaction *, const char *text);

/* Ends the transaction.  A commit without changes writes nothing and tells
 * nobody.  'durable': its record is on its way to the disk (journal.h). */
struct ovsdb_error *transaction_commit(struct transaction *, bool durable);
void transaction_abort(struct transaction *);

/* What a database keeps for its next transaction goes. */
void transaction_free(struct transaction *);

#endif /* ovsdb/store/transaction.h */
