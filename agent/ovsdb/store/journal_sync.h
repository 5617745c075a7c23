/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_JOURNAL_SYNC_H
#define OVSDB_JOURNAL_SYNC_H 1

/* Sees to it that what was written to a file is on disk, in a thread of its
 * own, which lives from the first wish on.
 *
 * Records are known by numbers that grow.  One fdatasync() serves all that
 * were wished for before it began; while it is under way others gather, and
 * share the next.  Those that are answered together tend to come back
 * together, so before the next one begins it is given to them to do so: until
 * there are as many as there were, and no longer than the disk took.
 *
 * After a failure nothing is tried until journal_sync_take() has told of it.
 * All functions are [control]. */

#include <stdbool.h>
#include <stdint.h>

struct journal_sync;

struct journal_sync *journal_sync_new(void);
/* Waits for what is under way. */
void journal_sync_free(struct journal_sync *);

/* An eventfd(2) that is written to when there is something to take; -1: none.
 * Whoever closes it says so before. */
void journal_sync_set_wake(struct journal_sync *, int event_fd);

/* Wants the record of this number, which has been written, and all before it,
 * on disk. */
void journal_sync_want(struct journal_sync *, int fd, uint64_t number);

/* The file has been given up: closes it, as soon as nobody is at work on it,
 * and forgets what is wanted. */
void journal_sync_drop(struct journal_sync *, int fd);

struct journal_synced {
	uint64_t number;	/* Up to here all is on disk; 0: nothing new. */
	uint64_t n_syncs;	/* Since the last time. */
	int problem;		/* 0 or negative errno: what else was wanted
				 * up to now may never be there. */
};
/* What has happened; false: nothing. */
bool journal_sync_take(struct journal_sync *, struct journal_synced *);

/* Returns when nothing is wanted any more, or that has failed. */
void journal_sync_wait(struct journal_sync *);

#endif /* ovsdb/store/journal_sync.h */
