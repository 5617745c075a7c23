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
 * What a power cut may do to the end of the file is cut off at open, and a
 * sentence says so (journal_read.h has the rule); none of it had been
 * acknowledged as durable.  What is at the end and is no record, or one that
 * makes no sense, is cut off, too, as ovsdb-server does it, but kept beside
 * the file, as NAME.cut-OFFSET.  Anything else that does not read is damage,
 * and opening fails with a sentence that names the offset.
 *
 * The file is locked by ".NAME.~lock~" beside it, as ovsdb-server does it.
 *
 * A record that is to be durable is written when journal_append() returns,
 * but not on disk yet: a thread sees to that, for all such records at once
 * (journal_sync.h).  Records have numbers, and journal_fate() says what became
 * of one.
 *
 * While the disk fails, appending fails, and nothing of the transaction is
 * seen.  Bytes that could not be written whole are cut off again before
 * anything else is written.  After a failed fdatasync() the kernel may have
 * forgotten pages that it says are clean, and a second one that succeeds
 * proves nothing: the journal then trusts nothing that is in the file, takes
 * no records, and writes the whole database to a new one, again and again
 * until that has worked.  Durable records of which it was not known before
 * that they are on disk count as lost, although their transactions are in
 * force, and a new file will hold what they did.
 *
 * Compaction is the same: a new file beside, written in the background from a
 * snapshot, with what was appended meanwhile behind it, which takes the old
 * one's place.  It begins by itself when the file has outgrown what it held
 * when it was last compacted.  Such a file keeps its past: it says what all
 * rows were some time ago, and goes on with the records from then on, as they
 * were, so that the history (history.h) outlives a restart.  A compaction that
 * somebody asks for may keep it or not; one of a file that may be wrong does
 * not.  [control] */

#include <stdbool.h>
#include <stdint.h>
#include "agent/ovsdb/store/database.h"
#include "agent/ovsdb/value/error.h"

struct encoding;

/* A file smaller than this is not compacted by itself; a larger one when it
 * is more than twice what it was after the last time. */
enum { JOURNAL_COMPACT_MIN = 10 << 20 };

/* The past that a file keeps takes no more than the history may, and no more
 * than the record of all rows or, where that is smaller, half of
 * JOURNAL_COMPACT_MIN. */

/* Opens a database's file.  Where it does not exist, or is empty, it is
 * created with 'schema_path'.  With 'schema_path' given, the file's schema
 * must be of the same name.  'ret_warning' is NULL or one line about what was
 * repaired; free() it. */
struct ovsdb_error *journal_open_database(const char *path,
					  const char *schema_path,
					  struct database **ret_database,
					  char **ret_warning);

/* One record: its JSON, without the newline, is encoded into what
 * journal_begin() returns, and journal_append() writes it; with 'durable', it
 * and all before it are on their way to the disk.  'id' is that of the
 * transaction before, and on success of this one (history.h). */
struct encoding *journal_begin(struct journal *);
struct ovsdb_error *journal_append(struct journal *, bool durable,
				   struct uuid *id);

/* The number of the last record that was to be durable, in this process; 0:
 * there was none.  Accepts NULL. */
uint64_t journal_last_durable(const struct journal *);

enum journal_fate {
	JOURNAL_ON_ITS_WAY,
	JOURNAL_ON_DISK,
	JOURNAL_LOST		/* Not known to be there. */
};
/* Of a durable record.  It changes in journal_run(), journal_append(),
 * journal_flush() and with compactions. */
enum journal_fate journal_fate(const struct journal *, uint64_t number);

/* Waits until nothing is on its way to the disk. */
void journal_flush(struct journal *);

/* An eventfd(2) that is written to when journal_run() should be called because
 * of that; -1: none.  Whoever closes it says so before.  Accepts NULL. */
void journal_set_wake(struct journal *, int event_fd);

/* Begins to write the database as one schema and one transaction record and,
 * with 'with_past', records that lead from there to now, in the background.
 * 'done' (NULL: nobody asks) is called once, from journal_run() or
 * journal_close(), with an error or NULL, and owns the error.  If that is
 * under way already, hears of its end; but what is under way with the past
 * begins anew for who wants none. */
void journal_compact_begin(struct journal *, bool with_past,
			   void (*done)(void *ctx, struct ovsdb_error *),
			   void *ctx);
/* The same, in one go. */
struct ovsdb_error *journal_compact(struct journal *, bool with_past);

/* Puts in the file, in one go, what another database holds, which is about to
 * take the place of the journal's. */
struct ovsdb_error *journal_replace(struct journal *, struct database *);

/* Goes on with what is under way.  Wants to be called when the time
 * journal_deadline() has come; INT64_MAX: never.  Accept NULL. */
void journal_run(struct journal *, int64_t now_ms);
int64_t journal_deadline(const struct journal *);

/* If the last record could not be written: is there room for one by now?  Then
 * that is no problem any more.  Leaves the file as it is.  Accepts NULL. */
void journal_probe(struct journal *);

/* Bytes in the file. */
int64_t journal_size(const struct journal *);

struct journal_status {
	const char *path;
	int64_t size;		/* Bytes in the file, */
	int64_t compacted_size;	/* and after it was last compacted. */
	bool is_compacting;
	/* The last problem, in one line, if it has not been overcome. */
	const char *problem;
	uint64_t n_records, n_compactions;
	/* Of records: how many were to be durable, and how often the disk was
	 * asked for it. */
	uint64_t n_durable, n_syncs;
	uint64_t n_errors;	/* Records that could not be written, */
	uint64_t n_failed_compactions;
};
/* Its strings are good until the journal does anything. */
void journal_status(const struct journal *, struct journal_status *);

void journal_close(struct journal *);

#endif /* ovsdb/store/journal.h */
