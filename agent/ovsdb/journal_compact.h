/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_JOURNAL_COMPACT_H
#define OVSDB_JOURNAL_COMPACT_H 1

/* Writes records, and whole databases as new files.  [control] */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>
#include "agent/ovsdb/error.h"
#include "agent/ovsdb/journal_read.h"
#include "agent/ovsdb/uuid.h"

struct database;

/* A record with its header, as it stands in the file; free() it. */
char *journal_format(json_t *record, size_t *ret_size,
		     char ret_sha1[JOURNAL_SHA1_TEXT_SIZE]);

/* All the bytes, at this offset. */
struct ovsdb_error *journal_write(int fd, const char *path, int64_t offset,
				  const char *bytes, size_t size);

/* Makes "PATH.tmp" with the schema and one record of all rows, and puts it in
 * the place of 'path': afterwards one or the other is there, whole, whatever
 * happens.  Gives the new file, open for writing, and its size. */
struct ovsdb_error *journal_compact_to(const char *path,
				       const struct database *, int *ret_fd,
				       int64_t *ret_size);

/* The transaction that the record of all rows says it goes up to; false if
 * this is not such a record. */
bool journal_compact_id(json_t *record, struct uuid *ret_id);

#endif /* ovsdb/journal_compact.h */
