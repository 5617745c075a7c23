/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_FILL_H
#define OVSDB_FILL_H 1

/* Rows straight into a database that has none, without a transaction: for a
 * record that holds a whole database, as compaction writes it, and that was
 * checked when it was written.
 *
 * All the same nothing is taken on trust.  Whatever a commit would complain
 * about, or mend, is found; then the rows are taken out again, and a
 * transaction has to do the work.  Nobody may observe the database.
 * [control] */

#include <stdbool.h>
#include "agent/ovsdb/store/database.h"

struct fill;

/* NULL if the database is not empty. */
struct fill *fill_begin(struct database *);
/* Takes over a row from row_new(), with its values.  False if the commit would
 * fail. */
bool fill_add(struct fill *, struct row *);
/* The last row has been added: are all there that others refer to? */
bool fill_end(struct fill *);
/* Ends it; without 'keep', the database is empty again. */
void fill_free(struct fill *, bool keep);

#endif /* ovsdb/store/fill.h */
