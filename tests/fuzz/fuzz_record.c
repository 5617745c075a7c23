/* SPDX-License-Identifier: Apache-2.0 */

/* A record of a database's file, with the checksum that it needs to be looked
 * at: as the first and behind one that has inserted a row, where it fills the
 * tables, and behind one that has deleted one, where it is a transaction.  All
 * come to the same. */

#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/ovsdb/store/journal.h"
#include "agent/ovsdb/store/row.h"
#include "agent/ovsdb/value/encode.h"
#include "tests/unit/scratch.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const char schema[] = "{\"name\":\"T\",\"tables\":{\"R\":{\"isRoot\":"
	"true,\"columns\":{\"name\":{\"type\":\"string\"},\"i\":{\"type\":"
	"{\"key\":\"integer\",\"min\":0,\"max\":\"unlimited\"}},\"m\":"
	"{\"type\":{\"key\":\"string\",\"value\":\"real\",\"min\":0,\"max\":"
	"9}},\"strong\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":"
	"\"C\"},\"min\":0,\"max\":2}},\"weak\":{\"type\":{\"key\":{\"type\":"
	"\"uuid\",\"refTable\":\"C\",\"refType\":\"weak\"},\"min\":0,"
	"\"max\":2}}},\"indexes\":[[\"name\"]]},\"C\":{\"columns\":{\"next\":"
	"{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"C\"},\"min\":"
	"0,\"max\":1}}}},\"M\":{\"isRoot\":true,\"maxRows\":1,\"columns\":"
	"{\"b\":{\"type\":\"boolean\"}}},\"S\":{\"isRoot\":true,\"columns\":"
	"{\"b\":{\"type\":\"boolean\"}}}}}";
#define ID "\"00000000-0000-0000-0000-000000000001\""

static char path[SCRATCH_SIZE + 8], schema_path[SCRATCH_SIZE + 16];

static void
name_files(void)
{
	char directory[SCRATCH_SIZE];

	scratch_make_fast(directory);
	snprintf(path, sizeof path, "%s/t.db", directory);
	snprintf(schema_path, sizeof schema_path, "%s/schema", directory);
}

static struct database *
open_file(void)
{
	struct database *db = NULL;
	char *warning;

	ovsdb_error_free(journal_open_database(path, schema_path, &db,
					       &warning));
	free(warning);
	return db;
}

static void
append(struct database *db, const void *bytes, size_t size)
{
	struct uuid id = { { 0 } };

	encode_bytes(journal_begin(database_journal(db)), bytes, size);
	ovsdb_error_free(journal_append(database_journal(db), false, &id));
}

enum before { NOTHING, AN_INSERTION, A_DELETION };

/* What is there, in a number; 0 if the file is not read. */
static uint64_t
read_record(const uint8_t *bytes, size_t size, enum before before)
{
	static const char other[] = "{\"S\":{" ID ":{}}}";
	static const char come[] = "{\"M\":{" ID ":{}}}";
	static const char go[] = "{\"M\":{" ID ":null}}";
	struct database *db;
	uint64_t sum = 1;

	unlink(path);
	db = open_file();
	if (!db)
		abort();
	if (before != NOTHING)
		append(db, other, sizeof other - 1);
	if (before == A_DELETION) {
		append(db, come, sizeof come - 1);
		append(db, go, sizeof go - 1);
	}
	append(db, bytes, size);
	if (before == NOTHING)
		append(db, other, sizeof other - 1);
	/* The last one may be put aside. */
	append(db, "{}", 2);
	database_free(db);
	db = open_file();
	if (!db)
		return 0;
	for (size_t i = 0; i < db->schema->n_tables; i++) {
		const struct row *row;

		sum = sum * 1000003 + table_n_rows(&db->tables[i]);
		for (row = table_first(&db->tables[i]); row;
		     row = table_next(&db->tables[i], row)) {
			const struct referrer *r;

			sum += row_refs(row) * UINT64_C(10007);
			for (r = row_first_in(row); r; r = r->next_in)
				sum += UINT64_C(1000000009);
		}
	}
	database_free(db);
	return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	FILE *stream;
	uint64_t sum;

	if (!*path)
		name_files();
	stream = fopen(schema_path, "w");
	if (!stream || fputs(schema, stream) < 0 || fclose(stream))
		abort();
	sum = read_record(bytes, size, A_DELETION);
	if (read_record(bytes, size, NOTHING) != sum
	    || read_record(bytes, size, AN_INSERTION) != sum)
		abort();
	unlink(schema_path);
	unlink(path);
	return 0;
}
