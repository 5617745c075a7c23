/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_JOURNAL_LOAD_H
#define OVSDB_JOURNAL_LOAD_H 1

/* Does what records say, row by row as they are read: no more of a large one
 * is in memory than it takes to see some rows.
 *
 * Records that insert rows, the first of which may be the whole database, go
 * straight into the tables (fill.h); others are transactions.  [control] */

#include "agent/ovsdb/store/database.h"
#include "agent/ovsdb/value/error.h"
#include "agent/ovsdb/store/journal_read.h"

struct journal_load;

/* For a file's records, in their order, into a database that has no journal
 * yet, and many rows to come (database_loosen()). */
struct journal_load *journal_load_new(struct database *);
void journal_load_free(struct journal_load *);

/* What the record that has just been read says.  The database gets the
 * transaction's id. */
struct ovsdb_error *journal_load_record(struct journal_load *,
					struct journal_reader *);

#endif /* ovsdb/store/journal_load.h */
