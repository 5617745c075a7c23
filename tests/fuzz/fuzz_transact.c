/* SPDX-License-Identifier: Apache-2.0 */

/* The parameters of "transact" as text, executed on a database that has a
 * column of every kind and a few rows.  Whatever comes, there is a reply, and
 * what is committed can be written as a record and read again; and a server
 * that executes the text says and does the same as one that has it read as a
 * tree first. */

#include <stdlib.h>

#include "agent/ovsdb/store/journal_record.h"
#include "agent/ovsdb/operation/transact.h"
#include "tests/unit/twins.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const char schema_text[] =
	"{\"name\":\"T\",\"tables\":{\"R\":{\"isRoot\":true,\"maxRows\":8,"
	"\"indexes\":[[\"name\"]],\"columns\":{\"name\":{\"type\":\"string\"},"
	"\"i\":{\"type\":\"integer\"},\"r\":{\"type\":\"real\"},"
	"\"b\":{\"type\":\"boolean\"},\"oi\":{\"type\":{\"key\":\"integer\","
	"\"min\":0}},\"s\":{\"type\":{\"key\":{\"type\":\"string\","
	"\"maxLength\":9},\"min\":0,\"max\":5}},\"m\":{\"type\":{\"key\":"
	"\"string\",\"value\":\"integer\",\"min\":0,\"max\":\"unlimited\"}},"
	"\"strong\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"C\"},"
	"\"min\":0,\"max\":\"unlimited\"}},\"weak\":{\"type\":{\"key\":{"
	"\"type\":\"uuid\",\"refTable\":\"C\",\"refType\":\"weak\"},"
	"\"min\":0,\"max\":\"unlimited\"}}}},\"C\":{\"columns\":{\"next\":"
	"{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"C\"},"
	"\"min\":0}}}}}}";

static const char first_text[] =
	"[\"T\",{\"op\":\"insert\",\"table\":\"R\",\"row\":{\"name\":\"a\","
	"\"strong\":[\"named-uuid\",\"c\"],\"m\":[\"map\",[[\"k\",1]]]}},"
	"{\"op\":\"insert\",\"table\":\"C\",\"row\":{},\"uuid-name\":\"c\"},"
	"{\"op\":\"insert\",\"table\":\"R\",\"row\":{\"name\":\"b\","
	"\"weak\":[\"named-uuid\",\"c\"],\"s\":[\"set\",[\"x\",\"y\"]]}}]";

/* A second database, to which each commit goes through its record. */
struct mirror {
	struct observer observer;
	struct database *database;
};

static struct database *
open_database(void)
{
	json_t *json = json_loads(schema_text, 0, NULL);
	struct schema *schema;

	if (schema_from_json(json, &schema))
		abort();
	json_decref(json);
	return database_new(schema, NULL);
}

static void
reflect(struct observer *observer, const struct commit *commit)
{
	struct mirror *mirror = (struct mirror *) observer;
	struct encoding text = { 0 };
	json_t *record;

	if (journal_record_from_commit(commit, NULL, &text)) {
		record = json_loadb(text.bytes, text.n, 0, NULL);
		if (!record || journal_record_apply(record, mirror->database))
			abort();
		json_decref(record);
	}
	encode_done(&text);
}

static void
execute(struct database *db, json_t *params)
{
	struct transact_request request = {
		.database = db, .params = params
	};
	json_t *reply = NULL;
	int64_t deadline;

	if (transact_execute(&request, &reply, &deadline) == TRANSACT_DONE
	    && !json_is_array(reply) && !json_is_object(reply))
		abort();
	json_decref(reply);
}

static void
compare(const struct database *a, const struct database *b)
{
	size_t i;

	for (i = 0; i < database_schema(a)->n_tables; i++) {
		const struct table *table = database_table_at(a, i);
		const struct table *other = database_table_at(b, i);
		const struct row *row;

		if (table_n_rows(table) != table_n_rows(other))
			abort();
		for (row = table_first(table); row;
		     row = table_next(table, row)) {
			const struct row *twin = table_find(other,
							    row_uuid(row));
			struct encoding one = { 0 }, two = { 0 };

			if (!twin)
				abort();
			journal_record_from_row(row, &one);
			journal_record_from_row(twin, &two);
			if (one.n != two.n
			    || memcmp(one.bytes, two.bytes, one.n))
				abort();
			encode_done(&one);
			encode_done(&two);
		}
	}
}

static void
compare_ways(const char *params, size_t size)
{
	static const char head[] = "{\"id\":0,\"method\":\"transact\","
				   "\"params\":";
	json_t *schema = json_loads(schema_text, 0, NULL);
	struct encoding message = { 0 };
	struct twins twins;
	char *problem;

	encode_text(&message, head);
	encode_bytes(&message, first_text, strlen(first_text));
	encode_bytes(&message, "}", 1);
	twins_init(&twins, schema, NULL);
	problem = twins_hear(&twins, message.bytes, message.n);
	message.n = strlen(head);
	encode_bytes(&message, params, size);
	encode_bytes(&message, "}", 1);
	if (!problem)
		problem = twins_hear(&twins, message.bytes, message.n);
	if (problem) {
		fprintf(stderr, "%.*s\n%s\n", (int) message.n, message.bytes,
			problem);
		abort();
	}
	encode_done(&message);
	twins_done(&twins);
	json_decref(schema);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	json_t *params = json_loadb((const char *) bytes, size, 0, NULL);
	struct mirror mirror = { .observer.committed = reflect };
	struct database *db;
	json_t *first;

	compare_ways((const char *) bytes, size);
	if (!params)
		return 0;
	db = open_database();
	mirror.database = open_database();
	database_observe(db, &mirror.observer);
	first = json_loads(first_text, 0, NULL);
	execute(db, first);
	json_decref(first);
	execute(db, params);
	compare(db, mirror.database);
	json_decref(params);
	database_free(db);
	database_free(mirror.database);
	return 0;
}
