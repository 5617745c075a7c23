/* SPDX-License-Identifier: Apache-2.0 */

#ifndef UNIT_OVSDB_TOOLS_H
#define UNIT_OVSDB_TOOLS_H 1

/* What the tests of agent/ovsdb share: JSON with single quotes, a schema with
 * a column of every kind, and transactions as text. */

#include <stdio.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "agent/ovsdb/operation/transact.h"

/* JSON text in which ' stands for ". */
static inline json_t *
parse(const char *text)
{
	char *copy = strdup(text);
	json_error_t error;
	json_t *json;
	char *p;

	for (p = copy; *p; p++) {
		if (*p == '\'')
			*p = '"';
	}
	json = json_loads(copy, JSON_DECODE_ANY, &error);
	ck_assert_msg(json != NULL, "%s: %s", error.text, copy);
	free(copy);
	return json;
}

/* Equal as JSON; 'expected' as in parse(). */
static inline void
check_json(json_t *json, const char *expected, const char *what)
{
	json_t *other = parse(expected);
	char *text = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT);

	ck_assert_msg(json_equal(json, other), "%s: got %s, not %s", what,
		      text, expected);
	free(text);
	json_decref(other);
}

static const char everything[] =
	"{'name':'T','version':'1.0.0','tables':{"
	"'R':{'isRoot':true,'columns':{"
	"'name':{'type':'string'},'i':{'type':'integer'},"
	"'r':{'type':'real'},'b':{'type':'boolean'},'u':{'type':'uuid'},"
	"'oi':{'type':{'key':'integer','min':0,'max':1}},"
	"'si':{'type':{'key':'integer','min':0,'max':'unlimited'}},"
	"'s3':{'type':{'key':'string','min':0,'max':3}},"
	"'m':{'type':{'key':'string','value':'string','min':0,"
	"'max':'unlimited'}},"
	"'im':{'type':'string','mutable':false},"
	"'ep':{'type':'string','ephemeral':true},"
	"'rng':{'type':{'key':{'type':'integer','minInteger':0,"
	"'maxInteger':10}}},"
	"'len':{'type':{'key':{'type':'string','maxLength':3}}},"
	"'en':{'type':{'key':{'type':'string','enum':['set',['a','b','']]}}},"
	"'strong':{'type':{'key':{'type':'uuid','refTable':'C'},'min':0,"
	"'max':'unlimited'}},"
	"'weak':{'type':{'key':{'type':'uuid','refTable':'C',"
	"'refType':'weak'},'min':0,'max':'unlimited'}},"
	"'pair':{'type':{'key':{'type':'uuid','refTable':'C'},"
	"'value':{'type':'uuid','refTable':'C','refType':'weak'},"
	"'min':0,'max':'unlimited'}}},"
	"'indexes':[['name']]},"
	"'W1':{'isRoot':true,'columns':{'w':{'type':{'key':{'type':'uuid',"
	"'refTable':'C','refType':'weak'},'min':1,'max':'unlimited'}}}},"
	"'E1':{'isRoot':true,'columns':{'e':{'type':{'key':{'type':'string',"
	"'enum':['set',['x','y']]}}}}},"
	"'M1':{'isRoot':true,'maxRows':1,'columns':{'i':{'type':'integer'}}},"
	"'X2':{'isRoot':true,'columns':{'a':{'type':'integer'},"
	"'b':{'type':'string'}},'indexes':[['a','b'],['b']]},"
	"'C':{'columns':{'name':{'type':'string'},"
	"'next':{'type':{'key':{'type':'uuid','refTable':'C'},'min':0,"
	"'max':1}}}}}}";

static inline struct schema *
schema_of(const char *text)
{
	json_t *json = parse(text);
	struct schema *schema;
	struct ovsdb_error *error = schema_from_json(json, &schema);

	ck_assert_msg(!error, "%s", error ? error->details : "");
	json_decref(json);
	return schema;
}

static inline struct database *
open_everything(void)
{
	return database_new(schema_of(everything), NULL);
}

/* Replaces every UUID but zero by <0>, <1>, ..., in the order of their first
 * occurrence in 'seen', which grows. */
static inline json_t *
hide_uuids(json_t *json, json_t *seen)
{
	json_t *copy, *value;
	struct uuid uuid;
	const char *key;
	size_t i;

	if (json_is_array(json)) {
		copy = json_array();
		json_array_foreach(json, i, value)
			json_array_append_new(copy, hide_uuids(value, seen));
		return copy;
	}
	if (json_is_object(json)) {
		copy = json_object();
		json_object_foreach(json, key, value)
			json_object_set_new(copy, key,
					    hide_uuids(value, seen));
		return copy;
	}
	if (json_is_string(json)
	    && uuid_from_text(json_string_value(json), &uuid)
	    && !uuid_is_zero(&uuid)) {
		for (i = 0; i < json_array_size(seen); i++) {
			if (json_equal(json_array_get(seen, i), json))
				break;
		}
		if (i == json_array_size(seen))
			json_array_append(seen, json);
		return json_sprintf("<%zu>", i);
	}
	return json_incref(json);
}

/* The other way. */
static inline json_t *
show_uuids(json_t *json, json_t *seen)
{
	json_t *copy, *value;
	const char *key;
	unsigned n;
	char end;
	size_t i;

	if (json_is_array(json)) {
		copy = json_array();
		json_array_foreach(json, i, value)
			json_array_append_new(copy, show_uuids(value, seen));
		return copy;
	}
	if (json_is_object(json)) {
		copy = json_object();
		json_object_foreach(json, key, value)
			json_object_set_new(copy, key,
					    show_uuids(value, seen));
		return copy;
	}
	if (json_is_string(json)
	    && sscanf(json_string_value(json), "<%u%c", &n, &end) == 2
	    && end == '>') {
		ck_assert_uint_lt(n, json_array_size(seen));
		return json_incref(json_array_get(seen, n));
	}
	return json_incref(json);
}

/* Runs "OP,OP,..." on the database 'T'; the reply as it is.  NULL if it has
 * to wait, and then the deadline. */
static inline json_t *
run_at(struct database *db, json_t *params, int64_t now_ms,
       int64_t *ret_deadline_ms)
{
	struct transact_request request = {
		.database = db, .params = params, .now_ms = now_ms
	};
	json_t *reply = NULL;

	if (transact_execute(&request, &reply, ret_deadline_ms)
	    == TRANSACT_WAIT)
		return NULL;
	return reply;
}

static inline json_t *
run(struct database *db, const char *operations)
{
	int64_t deadline;
	json_t *reply, *params;
	char *text = NULL;

	ck_assert_int_gt(asprintf(&text, "['T',%s]", operations), 0);
	params = parse(text);
	free(text);
	reply = run_at(db, params, 0, &deadline);
	json_decref(params);
	return reply;
}

/* All rows of all tables, without versions and ephemeral columns, sorted. */
static inline char *
dump(const struct database *db)
{
	const struct schema *schema = database_schema(db);
	json_t *all = json_object();
	size_t i, j;
	char *text;

	for (i = 0; i < schema->n_tables; i++) {
		const struct table *table = database_table_at(db, i);
		const struct row *row;

		for (row = table_first(table); row;
		     row = table_next(table, row)) {
			char uuid[UUID_TEXT_SIZE];
			json_t *json = json_object();

			for (j = N_STANDARD_COLUMNS;
			     j < schema->tables[i]->n_columns; j++) {
				const struct column *column =
					schema->tables[i]->columns[j];
				struct datum room;

				if (!column->is_ephemeral)
					json_object_set_new(
						json, column->name,
						datum_to_json(
							row_datum(row, column,
								  &room),
							&column->type));
			}
			uuid_to_text(row_uuid(row), uuid);
			json_object_set_new(all, uuid, json);
		}
	}
	text = json_dumps(all, JSON_SORT_KEYS);
	json_decref(all);
	return text;
}

/* The "error" of the last element of a reply that has one, or "". */
static inline const char *
error_of(json_t *reply)
{
	size_t i = json_array_size(reply);

	while (i--) {
		json_t *error = json_object_get(json_array_get(reply, i),
						"error");

		if (error)
			return json_string_value(error);
	}
	return "";
}

/* main() of a program with these tests; with 'n' for a first one that runs
 * for _i = 0 to n - 1. */
static inline int
run_tests(const char *name, const TTest *const tests[], size_t n_tests,
	  int n_loops)
{
	Suite *suite = suite_create(name);
	TCase *all = tcase_create("all");
	SRunner *runner;
	int n_failed;
	size_t i;

	tcase_set_timeout(all, 120);
	for (i = 0; i < n_tests; i++) {
		if (!i && n_loops)
			tcase_add_loop_test(all, tests[i], 0, n_loops);
		else
			tcase_add_test(all, tests[i]);
	}
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed != 0;
}

#define CHECK_MAIN(name, ...) CHECK_MAIN_OF(name, 0, __VA_ARGS__)
#define CHECK_MAIN_LOOP(name, first, n, ...) \
	CHECK_MAIN_OF(name, n, first, __VA_ARGS__)
#define CHECK_MAIN_OF(name, n, ...) \
	int \
	main(void) \
	{ \
		const TTest *const tests[] = { __VA_ARGS__ }; \
 \
		return run_tests(name, tests, sizeof tests / sizeof *tests, \
				 n); \
	}

#endif /* unit/ovsdb_tools.h */
