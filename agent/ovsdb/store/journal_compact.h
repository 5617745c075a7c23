/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_JOURNAL_COMPACT_H
#define OVSDB_JOURNAL_COMPACT_H 1

/* Writes whole databases as new files, in a thread of its own.
 *
 * Committed rows are never written to (database.h), so a list of them is a
 * snapshot: the thread reads them while transactions go on, and a pin (pin.h)
 * keeps the versions that those replace until the compaction is freed.  The
 * list is made a slice at a time.  One at a time for one database.
 *
 * Records that are appended to the old file meanwhile are copied from there;
 * the thread does so until little is left, and compaction_adopt() copies the
 * rest.  Afterwards, whatever happens, one file or the other is there, whole.
 *
 * So may be records from before, as they are, for who reads the file to know
 * the database's past (history.h): then the record of all rows says what they
 * were before these.  The versions that they had then are made before the
 * list, a slice at a time, too.  What is copied is read first; if it is
 * damaged, the compaction fails.
 *
 * All functions are [control]. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "agent/ovsdb/value/error.h"
#include "agent/ovsdb/value/uuid.h"

struct compaction;
struct database;

/* Begins to write "PATH.tmp".  'old_fd' is the file that is in its place, and
 * stays the caller's; records behind 'old_size' are appended to the new one,
 * and those before it that the history knows, up to 'max_past' bytes.  With -1
 * nothing is copied. */
struct compaction *compaction_start(const char *path, struct database *,
				    int old_fd, int64_t old_size,
				    int64_t max_past);

/* Says that the old file now has so many bytes of whole records. */
void compaction_extend(struct compaction *, int64_t old_size);

/* Goes on with what is not the thread's to do; returns whether there is more
 * of it. */
bool compaction_run(struct compaction *);
/* Is there anything left to wait for? */
bool compaction_is_ready(const struct compaction *);
void compaction_wait(struct compaction *);

struct compacted {
	int fd;			/* Open for writing. */
	int64_t size;
	int64_t rows_end;	/* Of the record of all rows: what is there, */
	int64_t from;		/* stood here in the old file. */
};

/* Puts the new file in place.  On failure its descriptor is -1 and the old
 * file is in place; or it is not, and the new one is, but may not stay there
 * when the power fails. */
struct ovsdb_error *compaction_adopt(struct compaction *,
				     struct compacted *ret_compacted);

/* Removes what is left of it. */
void compaction_free(struct compaction *);

/* The transaction that a record of all rows goes up to, by its comment; false
 * if this is not the comment of such a record. */
bool journal_compact_id(const char *comment, size_t size,
			struct uuid *ret_id);

#endif /* ovsdb/store/journal_compact.h */
