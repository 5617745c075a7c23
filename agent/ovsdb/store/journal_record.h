/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_JOURNAL_RECORD_H
#define OVSDB_JOURNAL_RECORD_H 1

/* Transactions as they stand in the file (ovsdb(5)).
 *
 * A record with "_is_diff" holds, for a row that was there and a column that
 * is a set or map of more than one, only the elements that came or went; a
 * map's pair whose value changed stands in it with the new value.  We write
 * such records, as ovsdb-server 3.1 does, and read both kinds.  [control] */

#include <stdbool.h>
#include <jansson.h>
#include "agent/ovsdb/store/database.h"
#include "agent/ovsdb/value/encode.h"
#include "agent/ovsdb/value/error.h"

/* Appends the JSON of the record, without the newline; false, and nothing
 * appended, if nothing of the commit belongs on disk. */
bool journal_record_from_commit(const struct commit *, const char *comment,
				struct encoding *);
/* One row as a compacted file has it: columns at their default left out.
 * [any], while the row is there. */
void journal_record_from_row(const struct row *, struct encoding *);

/* Does to the database, which has no journal yet, what the record says. */
struct ovsdb_error *journal_record_apply(json_t *, struct database *);

#endif /* ovsdb/store/journal_record.h */
