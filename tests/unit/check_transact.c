/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/operation/transact.h"

#include <stdio.h>

#include "tests/unit/ovsdb_tools.h"
#include "tests/unit/transact_stock.h"

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Of {"rows": ...}: the order is nobody's business. */
static void
sort_rows(json_t *result)
{
	json_t *rows = json_object_get(result, "rows");
	size_t n = json_array_size(rows);
	char **texts = calloc(n + 1, sizeof *texts);
	size_t i;

	for (i = 0; i < n; i++)
		texts[i] = json_dumps(json_array_get(rows, i),
				      JSON_COMPACT | JSON_SORT_KEYS);
	qsort(texts, n, sizeof *texts, compare_texts);
	for (i = 0; i < n; i++) {
		json_array_set_new(rows, i, json_loads(texts[i], 0, NULL));
		free(texts[i]);
	}
	free(texts);
}

/* The reply as transact_stock.h has it. */
static json_t *
normalise(json_t *reply, json_t *seen)
{
	json_t *copy = json_deep_copy(reply);
	json_t *result, *hidden, *sorted;
	char *text;
	size_t i;

	json_array_foreach(copy, i, result) {
		json_object_del(result, "details");
		json_object_del(result, "syntax");
		sort_rows(result);
	}
	text = json_dumps(copy, JSON_SORT_KEYS);
	json_decref(copy);
	sorted = json_loads(text, 0, NULL);
	free(text);
	hidden = hide_uuids(sorted, seen);
	json_decref(sorted);
	return hidden;
}

START_TEST(answers_as_stock_does)
{
	struct database *db = open_everything();
	json_t *seen = json_array();
	size_t i;

	for (i = 0; i < sizeof stock / sizeof *stock; i++) {
		json_t *reply = run(db, stock[i].operations);
		json_t *normal = normalise(reply, seen);

		check_json(normal, stock[i].reply, stock[i].operations);
		json_decref(normal);
		json_decref(reply);
	}
	ck_assert_uint_gt(i, 200);
	json_decref(seen);
	database_free(db);
}
END_TEST

/* Operations one after the other on one database; the error that the last
 * ends in, and words that its details must hold. */
static const struct {
	const char *operations[3];
	const char *error, *details;
} failures[] = {
	{ { "{'op':'insert','table':'R','row':{'name':'a','strong':"
	    "['uuid','01234567-89ab-cdef-0123-456789abcdef']}}" },
	  "referential integrity violation",
	  "01234567-89ab-cdef-0123-456789abcdef" },
	{ { "{'op':'insert','table':'R','row':{'name':'a','strong':"
	    "['named-uuid','c']}},{'op':'insert','table':'C','row':{},"
	    "'uuid-name':'c'}",
	    "{'op':'delete','table':'C','where':[]}" },
	  "referential integrity violation", "1 remaining reference" },
	{ { "{'op':'insert','table':'X2','row':{'a':7,'b':'q'},'uuid':"
	    "'01234567-89ab-cdef-0123-456789abcdef'}",
	    "{'op':'insert','table':'X2','row':{'a':7,'b':'q'}}" },
	  "constraint violation", "(7, \"q\") for index on columns "
	  "\"a\" and \"b\"" },
	{ { "{'op':'insert','table':'X2','row':{'a':7,'b':'q'},'uuid':"
	    "'01234567-89ab-cdef-0123-456789abcdef'}",
	    "{'op':'insert','table':'X2','row':{'a':8,'b':'q'}}" },
	  "constraint violation", "01234567-89ab-cdef-0123-456789abcdef" },
	{ { "{'op':'insert','table':'M1','row':{}},"
	    "{'op':'insert','table':'M1','row':{}}" },
	  "constraint violation", "\"M1\" table to contain 2 rows" },
	{ { "{'op':'insert','table':'E1','row':{}}" },
	  "constraint violation", "E1 column e" },
	{ { "{'op':'insert','table':'R','row':{'s3':['set',['a','a']]}}" },
	  "syntax error", "duplicate" },
	{ { "{'op':'assert','lock':'mine'}" }, "not owner", "mine" },
};

START_TEST(errors_say_what_and_where)
{
	struct database *db = open_everything();
	json_t *reply = NULL;
	json_t *last;
	size_t i;

	for (i = 0; i < 3 && failures[_i].operations[i]; i++) {
		ck_assert_str_eq(error_of(reply), "");
		json_decref(reply);
		reply = run(db, failures[_i].operations[i]);
	}
	ck_assert_str_eq(error_of(reply), failures[_i].error);
	last = json_array_get(reply, json_array_size(reply) - 1);
	ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(
					     last, "details")),
				     failures[_i].details));
	json_decref(reply);
	database_free(db);
}
END_TEST

START_TEST(a_failed_operation_is_followed_by_nulls)
{
	struct database *db = open_everything();
	json_t *reply = run(db, "{'op':'comment','comment':'x'},{'op':'abort'}"
			    ",{'op':'abort'},{'op':'abort'}");

	ck_assert_uint_eq(json_array_size(reply), 4);
	ck_assert(json_is_object(json_array_get(reply, 1)));
	ck_assert(json_is_null(json_array_get(reply, 2)));
	ck_assert(json_is_null(json_array_get(reply, 3)));
	json_decref(reply);
	database_free(db);
}
END_TEST

/* Where stock 3.1.0 leaves the reference dangling. */
START_TEST(weak_references_go_whatever_else_is_written)
{
	struct database *db = open_everything();
	json_t *reply;

	json_decref(run(db, "{'op':'insert','table':'C','row':{},'uuid-name':"
			"'c'},{'op':'insert','table':'R','row':{'name':'k',"
			"'strong':['named-uuid','c']}},{'op':'insert','table':"
			"'R','row':{'name':'h','weak':['named-uuid','c']}}"));
	json_decref(run(db, "{'op':'update','table':'R','where':[['name','=='"
			",'h']],'row':{'i':5}},{'op':'delete','table':'R',"
			"'where':[['name','==','k']]}"));
	reply = run(db, "{'op':'select','table':'R','where':[],'columns':"
		    "['i','weak']}");
	check_json(reply, "[{'rows':[{'i':5,'weak':['set',[]]}]}]", "weak");
	json_decref(reply);
	database_free(db);
}
END_TEST

/* The pair goes with its weak value, and its strong key with the pair. */
START_TEST(half_weak_pairs_release_their_strong_half)
{
	struct database *db = open_everything();
	json_t *reply;

	json_decref(run(db, "{'op':'insert','table':'C','row':{'name':'k'},"
			"'uuid-name':'k'},{'op':'insert','table':'C','row':"
			"{'name':'v'},'uuid-name':'v'},{'op':'insert','table':"
			"'R','row':{'name':'p','pair':['map',[[['named-uuid',"
			"'k'],['named-uuid','v']]]]}},{'op':'insert','table':"
			"'R','row':{'name':'q','strong':['named-uuid','v']}}"));
	ck_assert_uint_eq(table_n_rows(database_table(db, "C")), 2);
	json_decref(run(db, "{'op':'delete','table':'R','where':[['name','=='"
			",'q']]}"));
	ck_assert_uint_eq(table_n_rows(database_table(db, "C")), 0);
	reply = run(db, "{'op':'select','table':'R','where':[],'columns':"
		    "['pair']}");
	check_json(reply, "[{'rows':[{'pair':['map',[]]}]}]", "pair");
	json_decref(reply);
	database_free(db);
}
END_TEST

START_TEST(wait_waits_until_its_time)
{
	struct database *db = open_everything();
	int64_t deadline = 0;
	json_t *params = parse("['T',{'op':'insert','table':'M1','row':{}},"
			       "{'op':'wait','timeout':50,'table':'C','where'"
			       ":[],'columns':['name'],'until':'!=','rows':"
			       "[]}]");
	json_t *forever = parse("['T',{'op':'wait','table':'C','where':[],"
				"'until':'!=','rows':[]}]");
	json_t *reply;

	ck_assert_ptr_null(run_at(db, params, 0, &deadline));
	ck_assert_int_eq(deadline, 50);
	ck_assert_uint_eq(table_n_rows(database_table(db, "M1")), 0);
	ck_assert_ptr_null(run_at(db, params, 49, &deadline));
	reply = run_at(db, params, 50, &deadline);
	ck_assert_str_eq(error_of(reply), OVSDB_TIMED_OUT);
	json_decref(reply);

	ck_assert_ptr_null(run_at(db, forever, INT64_MAX - 1, &deadline));
	ck_assert_int_eq(deadline, INT64_MAX);
	json_decref(run(db, "{'op':'insert','table':'C','row':{},'uuid-name':"
			"'c'},{'op':'insert','table':'R','row':{'strong':"
			"['named-uuid','c']}}"));
	reply = run_at(db, forever, 0, &deadline);
	check_json(reply, "[{}]", "wait");
	json_decref(reply);
	json_decref(forever);
	json_decref(params);
	database_free(db);
}
END_TEST

static bool
owns(void *ctx, const char *lock)
{
	return !strcmp(lock, ctx);
}

START_TEST(the_request_says_who_may_what)
{
	static char mine[] = "mine";
	struct transact_request request = {
		.database = open_everything(), .owns_lock = owns, .ctx = mine
	};
	static const struct {
		const char *params, *error;
		bool read_only;
	} cases[] = {
		{ "['T',{'op':'assert','lock':'mine'}]", "", false },
		{ "['T',{'op':'assert','lock':'other'}]", "not owner", false },
		{ "['T',{'op':'insert','table':'M1','row':{}}]",
		  "not allowed", true },
		{ "['T',{'op':'mutate','table':'M1','where':[],'mutations':"
		  "[]}]", "not allowed", true },
		{ "['T',{'op':'update','table':'M1','where':[],'row':{}}]",
		  "not allowed", true },
		{ "['T',{'op':'delete','table':'M1','where':[]}]",
		  "not allowed", true },
		{ "['T',{'op':'select','table':'M1','where':[]}]", "", true },
	};
	int64_t deadline;
	size_t i;

	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		json_t *reply;

		request.params = parse(cases[i].params);
		request.read_only = cases[i].read_only;
		ck_assert_int_eq(transact_execute(&request, &reply, &deadline),
				 TRANSACT_DONE);
		ck_assert_str_eq(error_of(reply), cases[i].error);
		json_decref(request.params);
		json_decref(reply);
	}
	database_free(request.database);
}
END_TEST

START_TEST(requests_have_limits)
{
	struct database *db = open_everything();
	json_t *params = json_pack("[s]", "T");
	int64_t deadline;
	json_t *reply;
	size_t i;

	for (i = 0; i <= TRANSACT_MAX_OPERATIONS; i++)
		json_array_append_new(params, json_object());
	reply = run_at(db, params, 0, &deadline);
	ck_assert_str_eq(json_string_value(json_object_get(reply, "error")),
			 OVSDB_RESOURCES_EXHAUSTED);
	json_decref(reply);
	json_array_clear(params);
	reply = run_at(db, params, 0, &deadline);
	ck_assert_str_eq(json_string_value(json_object_get(reply, "error")),
			 OVSDB_SYNTAX_ERROR);
	json_decref(reply);
	json_decref(params);
	database_free(db);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("transact");
	TCase *tests = tcase_create("all");
	SRunner *runner;
	int n_failed;

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, answers_as_stock_does);
	tcase_add_loop_test(tests, errors_say_what_and_where, 0,
			    sizeof failures / sizeof *failures);
	tcase_add_test(tests, a_failed_operation_is_followed_by_nulls);
	tcase_add_test(tests, weak_references_go_whatever_else_is_written);
	tcase_add_test(tests, half_weak_pairs_release_their_strong_half);
	tcase_add_test(tests, wait_waits_until_its_time);
	tcase_add_test(tests, the_request_says_who_may_what);
	tcase_add_test(tests, requests_have_limits);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed != 0;
}
