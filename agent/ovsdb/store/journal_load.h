/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_JOURNAL_LOAD_H
#define OVSDB_JOURNAL_LOAD_H 1

/* Does what a record says, row by row as it is read: no more of it is in
 * memory than it takes to see the largest row.
 *
 * The first record of rows, which may be the whole database, goes straight into
 * the tables (fill.h); others are transactions.  [control] */

#include "agent/ovsdb/store/database.h"
#include "agent/ovsdb/value/error.h"
#include "agent/ovsdb/store/journal_read.h"

/* To the database, which has no journal yet, what the record that has just
 * been read says.  It gets the transaction's id. */
struct ovsdb_error *journal_load(struct journal_reader *, struct database *);

#endif /* ovsdb/store/journal_load.h */
