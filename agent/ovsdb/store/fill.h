/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_FILL_H
#define OVSDB_FILL_H 1

/* Rows straight into a database, without a transaction: for records that
 * insert and do nothing else, as most do, and that were checked when they were
 * written.
 *
 * All the same nothing is taken on trust.  Whatever a commit would complain
 * about, or mend, is found; then the record's rows are taken out again, and a
 * transaction has to do the work.  Nobody may observe the database.
 * [control] */

#include <stdbool.h>
#include "agent/ovsdb/store/database.h"

struct fill;

struct fill *fill_new(struct database *);
void fill_free(struct fill *);

/* Of a record: takes over a row from row_new(), with its values, which is not
 * there yet (table_find()).  False if the commit would fail; then it is
 * freed. */
bool fill_add(struct fill *, struct row *);
/* The last row has been added.  False if the commit would fail, or do more
 * than add them. */
bool fill_end(struct fill *);
/* After that, if it has said so, the record is a transaction of this id, which
 * the history (history.h) gets to know; */
void fill_keep(struct fill *, const struct uuid *id);
/* or, whenever it is, the rows are not there any more. */
void fill_undo(struct fill *);

#endif /* ovsdb/store/fill.h */
