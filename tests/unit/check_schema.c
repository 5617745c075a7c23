/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/value/schema.h"

#include <unistd.h>

#include "tests/unit/ovsdb_tools.h"
#include "tests/unit/scratch.h"

static const struct {
	const char *schema, *words;
} wrong[] = {
	{ "7", "Object expected" },
	{ "{'tables':{}}", "'name' member is missing" },
	{ "{'name':'1','tables':{}}", "'name'" },
	{ "{'name':'N'}", "'tables' member is missing" },
	{ "{'name':'N','tables':{},'x':1}", "'x' is present" },
	{ "{'name':'N','version':'1.2','tables':{}}", "x.y.z" },
	{ "{'name':'N','version':'1.2.x','tables':{}}", "x.y.z" },
	{ "{'name':'N','version':'1.2.3.4','tables':{}}", "x.y.z" },
	{ "{'name':'N','tables':{'_A':{'columns':{'a':{'type':"
	  "'integer'}}}}}", "reserved" },
	{ "{'name':'N','tables':{'A B':{'columns':{'a':{'type':"
	  "'integer'}}}}}", "valid id" },
	{ "{'name':'N','tables':{'A':{'columns':{}}}}", "at least one" },
	{ "{'name':'N','tables':{'A':{}}}", "table A" },
	{ "{'name':'N','tables':{'A':{'columns':{'_a':{'type':"
	  "'integer'}}}}}", "reserved" },
	{ "{'name':'N','tables':{'A':{'columns':{'a':{}}}}}", "column a" },
	{ "{'name':'N','tables':{'A':{'columns':{'a':{'type':'int'}}}}}",
	  "column a" },
	{ "{'name':'N','tables':{'A':{'maxRows':0,'columns':{'a':{'type':"
	  "'integer'}}}}}", "maxRows" },
	{ "{'name':'N','tables':{'A':{'indexes':[[]],'columns':{'a':{'type':"
	  "'integer'}}}}}", "index" },
	{ "{'name':'N','tables':{'A':{'indexes':[['b']],'columns':{'a':"
	  "{'type':'integer'}}}}}", "index" },
	{ "{'name':'N','tables':{'A':{'indexes':[['a','a']],'columns':{'a':"
	  "{'type':'integer'}}}}}", "twice" },
	{ "{'name':'N','tables':{'A':{'indexes':[['a']],'columns':{'a':"
	  "{'type':'integer','ephemeral':true}}}}}", "ephemeral" },
	{ "{'name':'N','tables':{'A':{'columns':{'a':{'type':{'key':{'type':"
	  "'uuid','refTable':'B'}}}}}}}", "undefined table B" },
};

START_TEST(wrong_schemas_are_refused)
{
	json_t *json = parse(wrong[_i].schema);
	struct ovsdb_error *error;
	struct schema *schema;

	error = schema_from_json(json, &schema);
	ck_assert_msg(error != NULL, "%s", wrong[_i].schema);
	ck_assert_str_eq(error->name, OVSDB_SYNTAX_ERROR);
	ck_assert_msg(strstr(error->details, wrong[_i].words) != NULL,
		      "%s: %s", wrong[_i].schema, error->details);
	ovsdb_error_free(error);
	json_decref(json);
}
END_TEST

START_TEST(a_schema_is_written_as_it_was_read)
{
	struct schema *schema = schema_of(everything);
	json_t *json = schema_to_json(schema);
	struct schema *again;
	json_t *twice;

	ck_assert_ptr_null(schema_from_json(json, &again));
	twice = schema_to_json(again);
	ck_assert(json_equal(json, twice));
	/* But for the order within an enumeration and "max": 1. */
	json_object_del(json_object_get(json, "tables"), "C");
	json_object_del(json_object_get(json, "tables"), "R");
	check_json(json, "{'name':'T','version':'1.0.0','tables':{"
		   "'W1':{'isRoot':true,'columns':{'w':{'type':{'key':{'type':"
		   "'uuid','refTable':'C','refType':'weak'},"
		   "'max':'unlimited'}}}},"
		   "'E1':{'isRoot':true,'columns':{'e':{'type':{'key':{'type':"
		   "'string','enum':['set',['x','y']]}}}}},"
		   "'M1':{'isRoot':true,'maxRows':1,'columns':{'i':{'type':"
		   "'integer'}}},'X2':{'isRoot':true,'columns':{'a':{'type':"
		   "'integer'},'b':{'type':'string'}},'indexes':[['a','b'],"
		   "['b']]}}}", "schema");
	json_decref(twice);
	json_decref(json);
	schema_free(again);
	schema_free(schema);
	schema_free(NULL);
}
END_TEST

START_TEST(tables_and_columns_are_found)
{
	struct schema *schema = schema_of(everything);
	const struct table_schema *table = schema_table(schema, "R");
	size_t i;

	ck_assert_ptr_null(schema_table(schema, "Q"));
	ck_assert_ptr_null(schema_table(schema, ""));
	for (i = 0; i < schema->n_tables; i++) {
		ck_assert_ptr_eq(schema_table(schema, schema->tables[i]->name),
				 schema->tables[i]);
		ck_assert_uint_eq(schema->tables[i]->index, i);
	}
	for (i = 0; i < table->n_columns; i++) {
		const struct column *column = table->columns[i];

		ck_assert_uint_eq(column->index, i);
		ck_assert_ptr_eq(table_schema_column(table, column->name),
				 column);
	}
	ck_assert_ptr_null(table_schema_column(table, "zz"));
	ck_assert_str_eq(table->columns[COLUMN_UUID]->name, "_uuid");
	ck_assert_str_eq(table->columns[COLUMN_VERSION]->name, "_version");
	ck_assert(table->is_root);
	ck_assert(!schema_table(schema, "C")->is_root);
	ck_assert(!table_schema_column(table, "im")->is_mutable);
	ck_assert(table_schema_column(table, "ep")->is_ephemeral);
	ck_assert_ptr_eq(table_schema_column(table, "strong")
			 ->type.key.ref_table, schema_table(schema, "C"));
	schema_free(schema);
}
END_TEST

START_TEST(roots_and_persistence_are_settled)
{
	struct schema *schema = schema_of(
		"{'name':'N','tables':{'A':{'columns':{'a':{'type':"
		"'integer'}}},'B':{'columns':{'b':{'type':'integer'}}}}}");

	ck_assert(schema->tables[0]->is_root && schema->tables[1]->is_root);
	ck_assert(!schema->tables[0]->is_root_written);
	schema_free(schema);

	/* What keeps a row alive is on disk, whatever the schema says. */
	schema = schema_of(
		"{'name':'N','tables':{'A':{'isRoot':true,'columns':{'a':"
		"{'ephemeral':true,'type':{'key':{'type':'uuid','refTable':"
		"'B'},'min':0}}}},'B':{'columns':{'b':{'ephemeral':true,"
		"'type':'integer'}}}}}");
	ck_assert(!table_schema_column(schema->tables[0], "a")
		  ->is_ephemeral);
	ck_assert(table_schema_column(schema->tables[1], "b")->is_ephemeral);
	schema_free(schema);
}
END_TEST

/* Each letter pair is a table and the one that it refers to; "-": none. */
static struct schema *
schema_of_references(const char *const pairs[], size_t n)
{
	json_t *tables = json_object(), *json;
	struct schema *schema;

	for (size_t i = 0; i < n; i++) {
		char table[2] = { pairs[i][0] }, other[2] = { pairs[i][1] };

		json_object_set_new(tables, table, *other == '-'
			? json_pack("{s:{s:{s:s}}}", "columns", "a",
				    "type", "integer")
			: json_pack("{s:{s:{s:{s:{s:s,s:s}}}}}", "columns",
				    "a", "type", "key", "type", "uuid",
				    "refTable", other));
	}
	json = json_pack("{s:s, s:o}", "name", "N", "tables", tables);
	ck_assert_ptr_null(schema_from_json(json, &schema));
	json_decref(json);
	return schema;
}

START_TEST(tables_rank_above_what_they_refer_to)
{
	static const char *const pairs[] = { "AB", "BC", "C-", "DE", "ED",
					     "FE", "GG" };
	static const unsigned ranks[] = { 4, 3, 1, 6, 5, 7, 2 };
	struct schema *schema = schema_of_references(pairs, 7);

	for (size_t i = 0; i < 7; i++)
		ck_assert_uint_eq(schema->tables[i]->rank, ranks[i]);
	schema_free(schema);
}
END_TEST

START_TEST(endless_rings_of_tables_have_an_end)
{
	enum { N = 400 };
	json_t *tables = json_object(), *json;
	bool is_taken[N + 1] = { false };
	struct schema *schema;

	for (unsigned i = 0; i < N; i++) {
		char table[16], other[16];

		snprintf(table, sizeof table, "T%u", i);
		snprintf(other, sizeof other, "T%u", i ^ 1);
		json_object_set_new(tables, table, json_pack(
			"{s:{s:{s:{s:{s:s,s:s}}}}}", "columns", "a", "type",
			"key", "type", "uuid", "refTable", other));
	}
	json = json_pack("{s:s, s:o}", "name", "N", "tables", tables);
	ck_assert_ptr_null(schema_from_json(json, &schema));
	for (unsigned i = 0; i < N; i++) {
		unsigned rank = schema->tables[i]->rank;

		ck_assert(rank >= 1 && rank <= N && !is_taken[rank]);
		is_taken[rank] = true;
	}
	schema_free(schema);
	json_decref(json);
}
END_TEST

START_TEST(files_are_read)
{
	char directory[SCRATCH_SIZE], path[SCRATCH_SIZE + 16];
	struct ovsdb_error *error;
	struct schema *schema;
	json_t *json = parse(everything);

	scratch_make(directory);
	snprintf(path, sizeof path, "%s/t.ovsschema", directory);
	ck_assert_int_eq(json_dump_file(json, path, JSON_INDENT(1)), 0);
	ck_assert_ptr_null(schema_from_file(path, &schema));
	ck_assert_str_eq(schema->name, "T");
	schema_free(schema);
	json_decref(json);

	ck_assert_int_eq(truncate(path, 30), 0);
	error = schema_from_file(path, &schema);
	ck_assert_ptr_nonnull(strstr(error->details, path));
	ck_assert_ptr_nonnull(strstr(error->details, "line"));
	ovsdb_error_free(error);
	unlink(path);
	error = schema_from_file(path, &schema);
	ck_assert_str_eq(error->name, OVSDB_IO_ERROR);
	ck_assert_ptr_nonnull(strstr(error->details, "No such file"));
	ovsdb_error_free(error);
}
END_TEST

CHECK_MAIN_LOOP("schema", wrong_schemas_are_refused,
		sizeof wrong / sizeof *wrong,
		a_schema_is_written_as_it_was_read,
		tables_and_columns_are_found,
		roots_and_persistence_are_settled,
		tables_rank_above_what_they_refer_to,
		endless_rings_of_tables_have_an_end, files_are_read)
