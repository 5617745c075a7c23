/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/store/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/chore.h"
#include "agent/base/memory.h"
#include "agent/ovsdb/store/history.h"
#include "agent/ovsdb/store/journal_compact.h"
#include "agent/ovsdb/store/journal_lock.h"
#include "agent/ovsdb/store/journal_open.h"
#include "agent/ovsdb/store/journal_record.h"
#include "agent/ovsdb/store/journal_sync.h"
#include "agent/ovsdb/store/journal_write.h"
#include "agent/ovsdb/store/row.h"

struct journal {
	char *path;
	struct journal_lock *lock;
	struct database *database;
	int fd;
	int64_t size;		/* Up to the end of the last whole record. */
	int64_t rows_end;	/* Of the first record of rows. */
	int64_t compacted_size;	/* When it was last compacted. */
	bool has_rubbish;	/* Behind it, and it could not be cut off. */
	bool is_suspect;	/* The disk may hold something else. */
	struct encoding out;	/* Room for a header, then a record's JSON. */

	struct journal_sync *sync;
	uint64_t last_durable;	/* Records' numbers are those of */
	uint64_t on_disk;	/* 'counters.n_records'.  Up to here, */
	uint64_t tried;		/* or tried in vain. */

	struct compaction *compaction;
	bool with_past;		/* Is it? */
	struct asker *askers;	/* What it is asked for. */
	int64_t due_ms;		/* Of journal_run(). */
	int64_t size_tried;	/* When it last failed; not again before the
				 * file has grown by a part. */
	char *problem;		/* The last one, or NULL; */
	bool is_full;		/* a record's that could not be written. */
	struct journal_status counters;
};

struct asker {
	void (*done)(void *ctx, struct ovsdb_error *);
	void *ctx;
	struct asker *next;
};

enum {
	OUT_KEPT = 1 << 20,
	SLICE_GARBAGE = 512,	/* Rows freed in one go. */
	POLL_MS = 5,		/* While a compaction is under way. */
	PROBE_SIZE = 64 << 10,
	RETRY_MS = 1000		/* After one that was needed and failed. */
};

static void hear(struct journal *);
static bool has_room(struct journal *);
static struct ovsdb_error *write_record(struct journal *,
					char ret_sha1[JOURNAL_SHA1_TEXT_SIZE]);
static void note(struct journal *, const struct ovsdb_error *);
static void start_compaction(struct journal *, bool with_past);
static int64_t max_past(const struct journal *, uint64_t history_size);
static bool has_outgrown(const struct journal *);
static struct ovsdb_error *end_compaction(struct journal *);
static void adopt(struct journal *, const struct compacted *, bool is_sure);
static void drop_compaction(struct journal *);
static void answer_askers(struct journal *, const struct ovsdb_error *);
static struct ovsdb_error *cut_rubbish(struct journal *);
static struct ovsdb_error *problem(const struct journal *, const char *what);

struct ovsdb_error *
journal_open_database(const char *path, const char *schema_path,
		      struct database **ret_database, char **ret_warning)
{
	struct journal *journal = xcalloc(1, sizeof *journal);
	struct journal_opened opened;
	struct ovsdb_error *error;

	*ret_warning = NULL;
	journal->fd = -1;
	journal->due_ms = INT64_MAX;
	journal->path = journal_lock_path(path);
	journal->sync = journal_sync_new();
	error = journal_lock_take(journal->path, &journal->lock);
	if (!error)
		error = journal_open(journal->path, path, schema_path,
				     &opened, ret_warning);
	if (error) {
		journal_close(journal);
		return error;
	}
	journal->fd = opened.fd;
	journal->size = opened.size;
	journal->rows_end = opened.rows_end;
	/* How much of it was the past, when it was compacted, is not known. */
	journal->compacted_size = journal->rows_end
				  + max_past(journal, HISTORY_DEFAULT_SIZE);
	if (journal->compacted_size > journal->size)
		journal->compacted_size = journal->size;
	journal->database = opened.database;
	journal->database->journal = journal;
	*ret_database = journal->database;
	return NULL;
}

struct encoding *
journal_begin(struct journal *journal)
{
	struct encoding *out = &journal->out;

	/* One large record should not stay in memory for ever. */
	if (out->max > OUT_KEPT)
		encode_done(out);
	out->n = 0;
	encode_reserve(out, JOURNAL_HEADER_MAX);
	out->n = JOURNAL_HEADER_MAX;
	return out;
}

struct ovsdb_error *
journal_append(struct journal *journal, bool durable, struct uuid *id)
{
	char sha1[JOURNAL_SHA1_TEXT_SIZE];
	struct ovsdb_error *error = NULL;

	hear(journal);
	if (journal->is_suspect)
		error = ovsdb_error(OVSDB_IO_ERROR, "%s: what is on the disk"
				    " is not sure since an error; all of it"
				    " is being written anew", journal->path);
	else if (journal->has_rubbish)
		error = cut_rubbish(journal);
	if (!error)
		error = write_record(journal, sha1);
	if (error) {
		journal->counters.n_errors++;
		journal->is_full = !journal->is_suspect;
		if (!journal->is_suspect || !journal->problem)
			note(journal, error);
		if (journal->is_suspect && journal->due_ms == INT64_MAX)
			journal->due_ms = INT64_MIN;
		return error;
	}
	history_next_id(id, sha1, id);
	journal->counters.n_records++;
	/* A little one may find room where most would not. */
	if (!journal->is_full || has_room(journal))
		note(journal, NULL);
	if (durable) {
		journal->counters.n_durable++;
		journal->last_durable = journal->counters.n_records;
		journal_sync_want(journal->sync, journal->fd,
				  journal->last_durable);
	}
	/* Not at once: the rows of this record are not in their tables. */
	if (journal->compaction)
		compaction_extend(journal->compaction, journal->size);
	else if (has_outgrown(journal))
		journal->due_ms = INT64_MIN;
	return NULL;
}

uint64_t
journal_last_durable(const struct journal *journal)
{
	return journal ? journal->last_durable : 0;
}

enum journal_fate
journal_fate(const struct journal *journal, uint64_t number)
{
	return number <= journal->on_disk ? JOURNAL_ON_DISK
	       : number <= journal->tried ? JOURNAL_LOST : JOURNAL_ON_ITS_WAY;
}

void
journal_flush(struct journal *journal)
{
	journal_sync_wait(journal->sync);
	hear(journal);
}

void
journal_set_wake(struct journal *journal, int event_fd)
{
	if (journal)
		journal_sync_set_wake(journal->sync, event_fd);
}

void
journal_compact_begin(struct journal *journal, bool with_past,
		      void (*done)(void *, struct ovsdb_error *), void *ctx)
{
	struct asker *asker;

	if (done) {
		asker = xmalloc(sizeof *asker);
		asker->done = done;
		asker->ctx = ctx;
		asker->next = journal->askers;
		journal->askers = asker;
	}
	if (journal->compaction && journal->with_past && !with_past)
		drop_compaction(journal);
	if (!journal->compaction)
		start_compaction(journal, with_past);
}

struct ovsdb_error *
journal_compact(struct journal *journal, bool with_past)
{
	struct ovsdb_error *error;

	hear(journal);
	journal_compact_begin(journal, with_past, NULL, NULL);
	error = end_compaction(journal);
	answer_askers(journal, error);
	history_reclaim(database_history(journal->database), SIZE_MAX);
	return error;
}

struct ovsdb_error *
journal_replace(struct journal *journal, struct database *db)
{
	struct ovsdb_error *error;

	drop_compaction(journal);
	journal->compaction = compaction_start(journal->path, db, -1,
					       journal->size, 0);
	journal->with_past = false;
	error = end_compaction(journal);
	if (!error) {
		history_set_end(database_history(db), journal->size,
				database_last_recorded(db));
		answer_askers(journal, NULL);
		return NULL;
	}
	if (journal->askers)
		start_compaction(journal, false);
	else if (journal->is_suspect)
		journal->due_ms = INT64_MIN;
	return error;
}

void
journal_run(struct journal *journal, int64_t now_ms)
{
	struct ovsdb_error *error;
	bool goes_on;

	if (!journal)
		return;
	hear(journal);
	if (now_ms < journal->due_ms
	    || history_reclaim(database_history(journal->database),
			       SLICE_GARBAGE))
		return;
	if (!journal->compaction
	    && (journal->is_suspect || has_outgrown(journal)))
		start_compaction(journal, true);
	journal->due_ms = INT64_MAX;
	if (!journal->compaction)
		return;
	chore_begin(CHORE_COMPACT);
	goes_on = compaction_run(journal->compaction);
	chore_end();
	if (goes_on) {
		journal->due_ms = INT64_MIN;
		return;
	}
	if (!compaction_is_ready(journal->compaction)) {
		journal->due_ms = now_ms + POLL_MS;
		return;
	}
	chore_begin(CHORE_COMPACT);
	error = end_compaction(journal);
	chore_end();
	answer_askers(journal, error);
	ovsdb_error_free(error);
	if (journal->is_suspect)
		journal->due_ms = now_ms + RETRY_MS;
}

int64_t
journal_deadline(const struct journal *journal)
{
	return journal ? journal->due_ms : INT64_MAX;
}

void
journal_probe(struct journal *journal)
{
	struct ovsdb_error *error = NULL;

	if (!journal || !journal->is_full || journal->is_suspect
	    || journal->compaction)
		return;
	if (journal->has_rubbish)
		error = cut_rubbish(journal);
	errno = 0;
	if (!error && has_room(journal) && errno != EOPNOTSUPP)
		note(journal, NULL);
	ovsdb_error_free(error);
}

int64_t
journal_size(const struct journal *journal)
{
	return journal->size;
}

void
journal_status(const struct journal *journal,
	       struct journal_status *ret_status)
{
	*ret_status = journal->counters;
	ret_status->path = journal->path;
	ret_status->size = journal->size;
	ret_status->compacted_size = journal->compacted_size;
	ret_status->is_compacting = journal->compaction;
	ret_status->problem = journal->problem;
}

void
journal_close(struct journal *journal)
{
	struct ovsdb_error *error;

	if (!journal)
		return;
	if (journal->askers) {
		error = ovsdb_error(OVSDB_CANCELED, "%s: the database is"
				    " closed", journal->path);
		answer_askers(journal, error);
		ovsdb_error_free(error);
	}
	drop_compaction(journal);
	journal_sync_wait(journal->sync);
	journal_sync_free(journal->sync);
	if (journal->fd >= 0)
		close(journal->fd);
	journal_lock_release(journal->lock);
	encode_done(&journal->out);
	free(journal->problem);
	free(journal->path);
	free(journal);
}

/* What the thread has to say.  After an fdatasync() that failed nothing counts
 * that was on its way. */
static void
hear(struct journal *journal)
{
	struct journal_synced synced;
	struct ovsdb_error *error;

	if (!journal_sync_take(journal->sync, &synced))
		return;
	journal->counters.n_syncs += synced.n_syncs;
	if (synced.number > journal->on_disk)
		journal->on_disk = synced.number;
	if (!synced.problem)
		return;
	journal->tried = journal->counters.n_records;
	journal->is_suspect = true;
	journal->due_ms = INT64_MIN;
	/* It has copied from this file. */
	drop_compaction(journal);
	errno = -synced.problem;
	error = problem(journal, "cannot be written to disk");
	note(journal, error);
	ovsdb_error_free(error);
}

/* For some records more, as far as the file system can say. */
static bool
has_room(struct journal *journal)
{
	if (fallocate(journal->fd, FALLOC_FL_KEEP_SIZE, journal->size,
		      PROBE_SIZE))
		return errno == EOPNOTSUPP;
	return !journal_cut(journal->fd, journal->size);
}

static struct ovsdb_error *
write_record(struct journal *journal, char ret_sha1[JOURNAL_SHA1_TEXT_SIZE])
{
	struct ovsdb_error *error;
	size_t size, header;
	char *json;
	int failed;

	encode_bytes(&journal->out, "\n", 1);
	json = journal->out.bytes + JOURNAL_HEADER_MAX;
	size = journal->out.n - JOURNAL_HEADER_MAX;
	header = journal_put_header(json, size, ret_sha1);
	failed = journal_write(journal->fd, journal->size, json - header,
			       header + size);
	if (!failed) {
		journal->size += header + size;
		return NULL;
	}
	error = ovsdb_error(OVSDB_IO_ERROR, "%s: cannot be written: %s",
			    journal->path, strerror(-failed));
	journal->has_rubbish = true;
	ovsdb_error_free(cut_rubbish(journal));
	return error;
}

/* A problem, or that there is none any more. */
static void
note(struct journal *journal, const struct ovsdb_error *error)
{
	if (!error && !journal->problem)
		return;
	if (!error)
		journal->is_full = false;
	free(journal->problem);
	journal->problem = error ? xstrdup(error->details) : NULL;
}

/* Nothing is copied from a file that may be wrong, and from one that could not
 * be copied from the last time. */
static void
start_compaction(struct journal *journal, bool with_past)
{
	struct history *history = database_history(journal->database);
	int64_t max = journal->is_suspect || journal->size_tried ? 0
		      : max_past(journal, history_size(history));

	journal->with_past = with_past && max;
	journal->compaction = compaction_start(journal->path,
					       journal->database, journal->fd,
					       journal->size,
					       with_past ? max : 0);
	journal->due_ms = INT64_MIN;
}

static int64_t
max_past(const struct journal *journal, uint64_t history_size)
{
	uint64_t max = JOURNAL_COMPACT_MIN / 2;

	if (max < (uint64_t) journal->rows_end)
		max = journal->rows_end;
	return max < history_size ? max : history_size;
}

static bool
has_outgrown(const struct journal *journal)
{
	return journal->size >= JOURNAL_COMPACT_MIN
	       && journal->size / 2 > journal->compacted_size
	       && journal->size - journal->size / 8 > journal->size_tried;
}

static struct ovsdb_error *
end_compaction(struct journal *journal)
{
	struct compacted compacted;
	struct ovsdb_error *error;

	error = compaction_adopt(journal->compaction, &compacted);
	if (compacted.fd >= 0)
		adopt(journal, &compacted, !error);
	if (error) {
		journal->counters.n_failed_compactions++;
		journal->size_tried = journal->size;
		note(journal, error);
	} else {
		journal->counters.n_compactions++;
		journal->size_tried = 0;
		if (!journal->is_suspect)
			note(journal, NULL);
	}
	drop_compaction(journal);
	return error;
}

/* A new file.  If it is not sure to stay, the old one may be back when the
 * power fails; and if writing that one to disk has failed meanwhile, what was
 * copied from it may be wrong. */
static void
adopt(struct journal *journal, const struct compacted *new, bool is_sure)
{
	journal->is_suspect = !is_sure;
	hear(journal);
	journal_sync_drop(journal->sync, journal->fd);
	if (journal->is_suspect)
		journal->tried = journal->counters.n_records;
	else
		journal->on_disk = journal->counters.n_records;
	journal->fd = new->fd;
	journal->size = journal->compacted_size = new->size;
	journal->rows_end = new->rows_end;
	journal->has_rubbish = false;
	history_move(database_history(journal->database), new->from,
		     new->rows_end);
}

static void
drop_compaction(struct journal *journal)
{
	compaction_free(journal->compaction);
	journal->compaction = NULL;
	if (journal->database
	    && history_reclaim(database_history(journal->database),
			       SLICE_GARBAGE))
		journal->due_ms = INT64_MIN;
}

static void
answer_askers(struct journal *journal, const struct ovsdb_error *error)
{
	struct asker *asker;

	while ((asker = journal->askers)) {
		journal->askers = asker->next;
		asker->done(asker->ctx, !error ? NULL
			    : ovsdb_error(error->name, "%s",
					  error->details));
		free(asker);
	}
}


static struct ovsdb_error *
cut_rubbish(struct journal *journal)
{
	if (journal_cut(journal->fd, journal->size) < 0)
		return problem(journal, "cannot be cut back to its last whole"
			       " record");
	journal->has_rubbish = false;
	return NULL;
}

static struct ovsdb_error *
problem(const struct journal *journal, const char *what)
{
	return ovsdb_error(OVSDB_IO_ERROR, "%s: %s: %s", journal->path, what,
			   strerror(errno));
}
