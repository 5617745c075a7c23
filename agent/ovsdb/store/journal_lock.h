/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_JOURNAL_LOCK_H
#define OVSDB_JOURNAL_LOCK_H 1

/* One process at a time for one database file, through a lock on the file
 * ".NAME.~lock~" beside it, which ovsdb-server and ovsdb-tool take too.  The
 * kernel lets go of it when the process ends, however it ends; the lock file
 * stays.  [control] */

#include "agent/ovsdb/value/error.h"

struct journal_lock;

/* The name of the file to open and to lock: where a link leads, so that the
 * lock is beside the file itself; absolute, because a daemon leaves the
 * directory in which it was started.  free() it. */
char *journal_lock_path(const char *path);

struct ovsdb_error *journal_lock_take(const char *path,
				      struct journal_lock **ret_lock);
void journal_lock_release(struct journal_lock *);

#endif /* ovsdb/store/journal_lock.h */
