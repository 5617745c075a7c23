/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_JOURNAL_OPEN_H
#define OVSDB_JOURNAL_OPEN_H 1

/* A database's file from when it is found, or made, to when all that it says
 * is in a database, and what a power cut or somebody else has left at its end
 * is not there any more (journal.h).  The file is locked.  [control] */

#include <stdint.h>
#include "agent/ovsdb/store/database.h"
#include "agent/ovsdb/value/error.h"

struct journal_opened {
	int fd;				/* For reading and writing. */
	int64_t size;			/* Of whole records, and of the file. */
	int64_t rows_end;		/* Of the first record of rows. */
	struct database *database;	/* Without a journal. */
};

/* 'path' is the file's, 'name' what it was called by whoever gave it;
 * 'schema_path' and 'ret_warning' are those of journal_open_database(). */
struct ovsdb_error *journal_open(const char *path, const char *name,
				 const char *schema_path,
				 struct journal_opened *ret_opened,
				 char **ret_warning);

#endif /* ovsdb/store/journal_open.h */
