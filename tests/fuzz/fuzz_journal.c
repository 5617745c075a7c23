/* SPDX-License-Identifier: Apache-2.0 */

/* A database's file.  It is opened or refused; what was opened can be written
 * anew, and holds as many rows when it is read again. */

#include <stdlib.h>
#include <stdio.h>
#include <unistd.h>

#include "agent/ovsdb/store/journal.h"
#include "tests/unit/scratch.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static size_t
count_rows(const struct database *db)
{
	size_t n = 0;
	size_t i;

	for (i = 0; i < database_schema(db)->n_tables; i++)
		n += table_n_rows(database_table_at(db, i));
	return n;
}

static struct database *
open_file(const char *path)
{
	struct database *db = NULL;
	struct ovsdb_error *error;
	char *warning;

	error = journal_open_database(path, NULL, &db, &warning);
	if (!error)
		free(warning);
	else if (!error->details)
		abort();
	ovsdb_error_free(error);
	return db;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static char directory[SCRATCH_SIZE], path[SCRATCH_SIZE + 8];
	struct ovsdb_error *error;
	struct database *db;
	size_t n_rows;
	FILE *stream;

	if (!*path) {
		scratch_make_fast(directory);
		snprintf(path, sizeof path, "%s/t.db", directory);
	}
	stream = fopen(path, "w");
	if (!stream || fwrite(bytes, 1, size, stream) != size
	    || fclose(stream))
		abort();
	db = open_file(path);
	if (db) {
		n_rows = count_rows(db);
		error = journal_compact(database_journal(db), n_rows % 2);
		if (error)
			abort();
		database_free(db);
		db = open_file(path);
		if (!db || count_rows(db) != n_rows)
			abort();
		database_free(db);
	}
	unlink(path);
	return 0;
}
