/* SPDX-License-Identifier: Apache-2.0 */

/* Filters beside a twin that tries each clause in turn, on random rows. */

#include "agent/ovsdb/server/filter.h"

#include "tests/unit/server_fixture.h"

enum { N_ROWS = 60, N_VALUES = 12 };

static const char schema[] =
	"{'name':'t','version':'1.0.0','tables':{'A':{'columns':{"
	"'n':{'type':'integer'},'o':{'type':{'key':'integer','min':0}},"
	"'s':{'type':{'key':'string','min':0,'max':'unlimited'}}}}}}";

static struct test_client client;
static const struct table_schema *table;

static void
set_up(void)
{
	fixture_init(schema);
	test_client_init(&client);
	table = table_schema(database_table(database, "A"));
}

static void
tear_down(void)
{
	test_client_done(&client);
	fixture_done();
}

static void
insert_rows(void)
{
	for (int i = 0; i < N_ROWS; i++) {
		char optional[32] = "['set',[]]";

		if (rand() % 3)
			snprintf(optional, sizeof optional, "%d",
				 rand() % N_VALUES);
		ask(&client, "{'id':1,'method':'transact','params':['t',"
		    "{'op':'insert','table':'A','row':{'n':%d,'o':%s,'s':"
		    "['set',['a%d','b%d']]}}]}", rand() % N_VALUES, optional,
		    rand() % 3, rand() % 3);
		json_decref(take(&client));
	}
}

static json_t *
random_where(int n)
{
	static const char *const functions[] = {
		"==", "==", "==", "==", "!=", "<", ">=",
	};
	json_t *where = json_array();

	for (int i = 0; i < n; i++) {
		int value = rand() % N_VALUES;

		switch (rand() % 8) {
		case 0:
			json_array_append_new(where, json_false());
			break;
		case 1:
			json_array_append_new(where, json_pack(
				"[s, s, s]", "s", rand() % 2 ? "includes"
				: "excludes", value % 2 ? "a1" : "b2"));
			break;
		case 2:
			json_array_append_new(where, json_pack(
				"[s, s, [s, [s, s]]]", "s", "==", "set",
				"a0", value % 2 ? "b1" : "b2"));
			break;
		default:
			json_array_append_new(where, json_pack(
				"[s, s, i]", rand() % 2 ? "n" : "o",
				functions[rand() % 7], value));
			break;
		}
	}
	return where;
}

static bool
twin_matches(json_t *where, const struct row *row)
{
	bool is_match = !json_array_size(where);
	json_t *json;
	size_t i;

	json_array_foreach(where, i, json) {
		struct clause clause;

		ck_assert_ptr_null(clause_from_json(json, table, NULL,
						    &clause));
		is_match |= clause_matches(&clause, row);
		clause_done(&clause);
	}
	return is_match;
}

START_TEST(like_its_twin)
{
	struct table *rows = database_table(database, "A");
	unsigned n_matches = 0, n_others = 0;

	srand((unsigned) _i);
	insert_rows();
	for (int i = 0; i < 200; i++) {
		json_t *where = random_where(rand() % 9);
		struct filter filter = { 0 };
		const struct row *row;

		ck_assert_ptr_null(filter_add(&filter, table, where));
		for (row = table_first(rows); row;
		     row = table_next(rows, row)) {
			bool is_match = filter_matches(&filter, row);

			ck_assert_int_eq(is_match, twin_matches(where, row));
			n_matches += is_match;
			n_others += !is_match;
		}
		filter_done(&filter);
		json_decref(where);
	}
	ck_assert_uint_gt(n_matches, 1000);
	ck_assert_uint_gt(n_others, 1000);
}
END_TEST

static struct filter
filter_of(const char *text)
{
	struct filter filter = { 0 };
	json_t *where = json_of(text);

	ck_assert_ptr_null(filter_add(&filter, table, where));
	json_decref(where);
	return filter;
}

START_TEST(equality)
{
	static const struct {
		const char *a, *b;
		bool is_equal;
	} cases[] = {
		{ "[]", "[true]", true },
		{ "[]", "[['n','==',1],true]", true },
		{ "[]", "[false]", false },
		{ "[false]", "[false,false]", true },
		{ "[['n','==',1],['o','==',2]]",
		  "[['o','==',2],['n','==',1],['o','==',2]]", true },
		{ "[['n','==',1]]", "[['n','==',2]]", false },
		{ "[['n','==',1]]", "[['n','!=',1]]", false },
		{ "[['n','==',1]]", "[['o','==',1]]", false },
		{ "[['n','==',1]]", "[['n','==',1],['n','==',2]]", false },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct filter a = filter_of(cases[i].a);
		struct filter b = filter_of(cases[i].b);

		ck_assert_msg(filter_equal(&a, &b) == cases[i].is_equal
			      && filter_equal(&b, &a) == cases[i].is_equal,
			      "%s %s", cases[i].a, cases[i].b);
		filter_done(&a);
		filter_done(&b);
	}
}
END_TEST

static json_t *
long_where(int n)
{
	json_t *where = json_array();

	for (int i = 0; i < n; i++)
		json_array_append_new(where, json_pack("[s, s, i]", "n", "==",
						       i));
	return where;
}

/* What is refused, for whatever reason, changes nothing. */
START_TEST(refused)
{
	struct filter filter = { 0 }, same = filter_of("[['n','==',1]]");
	json_t *most = long_where(FILTER_MAX_CLAUSES);
	json_t *bad = json_of("[['n','==',2],['n','==','x']]");
	json_t *one = json_of("[['n','==',1]]");
	struct ovsdb_error *error;

	ck_assert_ptr_null(filter_add(&filter, table, most));
	ck_assert_uint_eq(filter.n, FILTER_MAX_CLAUSES);
	error = filter_add(&filter, table, one);
	ck_assert_str_eq(error->name, "resources exhausted");
	ovsdb_error_free(error);
	ck_assert_uint_eq(filter.n, FILTER_MAX_CLAUSES);
	filter_done(&filter);

	ck_assert_ptr_null(filter_add(&filter, table, one));
	error = filter_add(&filter, table, bad);
	ck_assert_str_eq(error->name, "syntax error");
	ovsdb_error_free(error);
	ck_assert(filter_equal(&filter, &same));
	filter_done(&filter);
	filter_done(&same);
	json_decref(most);
	json_decref(bad);
	json_decref(one);
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, like_its_twin, 0, 5);
	tcase_add_test(tcase, equality);
	tcase_add_test(tcase, refused);
	return run_suite(tcase, "filter");
}
