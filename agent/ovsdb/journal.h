/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_JOURNAL_H
#define OVSDB_JOURNAL_H 1

/* A database's file, in the standard format (ovsdb(5)): records of
 *
 *     OVSDB JSON <size> <sha1>\n<json>\n
 *
 * whose size and SHA-1 count the JSON with its newline.  The first record is
 * the schema, each later one a transaction: tables by name, rows by UUID,
 * null for a deleted row, "_date" (milliseconds), "_comment", "_is_diff".
 *
 * A record that is not whole, at the end of the file, was never acknowledged:
 * it is cut off at open, and a sentence says so.  Anything else that does not
 * read is damage, and opening fails with a sentence that names the offset.
 *
 * The file is locked by ".NAME.~lock~" beside it, as ovsdb-server does it.
 * Bytes that could not be written whole are cut off again; the journal then
 * refuses further records until that has succeeded. */

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "agent/ovsdb/database.h"
#include "agent/ovsdb/error.h"

/* Opens a database's file.  Where it does not exist, or is empty, it is
 * created with 'schema_path'.  With 'schema_path' given, the file's schema
 * must be of the same name.  'ret_warning' is NULL or one line about what was
 * repaired; free() it. */
struct ovsdb_error *journal_open_database(const char *path,
					  const char *schema_path,
					  struct database **ret_database,
					  char **ret_warning);

/* Appends one record; with 'durable', fdatasync()s it.  'id' is that of the
 * transaction before, and on success of this one (history.h). */
struct ovsdb_error *journal_append(struct journal *, json_t *record,
				   bool durable, struct uuid *id);

/* Writes the database as one schema and one transaction record to a file
 * beside, and puts it in place atomically. */
struct ovsdb_error *journal_compact(struct journal *,
				    const struct database *);

/* Bytes in the file. */
int64_t journal_size(const struct journal *);

void journal_close(struct journal *);

#endif /* ovsdb/journal.h */
