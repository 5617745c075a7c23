/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_JOURNAL_AHEAD_H
#define OVSDB_JOURNAL_AHEAD_H 1

/* Reads a file's records, and makes sure of their checksums, in a thread of
 * its own, while somebody does what the ones before say.  It is a few
 * megabytes ahead, no more; of a record that is not in memory it waits for the
 * end.  Small files are read without a thread, and so are all if there is
 * none to be had.  [control] */

#include "agent/ovsdb/store/journal_read.h"

struct journal_ahead;

/* From where the reader is.  Until the end of it only journal_ahead_next()
 * reads records; whoever reads a large one from the stream puts the stream
 * back to where the next one begins, before he asks for it. */
struct journal_ahead *journal_ahead_new(struct journal_reader *);
void journal_ahead_free(struct journal_ahead *);

/* As journal_read(), into the same reader.  After anything but a record there
 * is nothing to come. */
enum journal_read_result journal_ahead_next(struct journal_ahead *,
					    struct ovsdb_error **ret_error);

#endif /* ovsdb/store/journal_ahead.h */
