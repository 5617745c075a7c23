/* SPDX-License-Identifier: Apache-2.0 */

/* What transcripts do not see: limits, counters, databases that come and go,
 * waiting transactions and their times. */

#include "agent/ovsdb/server/server.h"

#include "tests/unit/server_fixture.h"

static const char schema[] =
	"{'name':'t','version':'1.0.0','tables':{'A':{'columns':{"
	"'n':{'type':'integer'}},'isRoot':true}}}";

static struct test_client a, b;
static int n_woken;

static void
wake(void *ctx)
{
	ck_assert_ptr_eq(ctx, &n_woken);
	n_woken++;
}

static void
set_up(void)
{
	fixture_init(schema);
	server_set_wake(server, wake, &n_woken);
	test_client_init(&a);
	test_client_init(&b);
}

static void
tear_down(void)
{
	test_client_done(&a);
	test_client_done(&b);
	fixture_done();
}

static struct server_counters
counters(void)
{
	struct server_counters now;

	server_counters(server, &now);
	return now;
}

static void
limit(struct server_limits limits)
{
	server_set_limits(server, &limits);
}

/* Waits until there is a row with that number. */
static void
ask_wait(struct test_client *client, int id, int n, const char *timeout,
	 int64_t now_ms)
{
	char text[300];

	snprintf(text, sizeof text, "{'id':%d,'method':'transact','params':"
		 "['t',{'op':'wait','table':'A','where':[['n','==',%d]],"
		 "'columns':['n'],'until':'==','rows':[{'n':%d}]%s}]}", id, n,
		 n, timeout);
	put(client, json_of(text), now_ms);
}

static void
insert(struct test_client *client, int n)
{
	ask(client, "{'id':'i','method':'transact','params':['t',{'op':"
	    "'insert','table':'A','row':{'n':%d}}]}", n);
}

START_TEST(limits_are_kept)
{
	struct server_limits limits;

	server_limits(server, &limits);
	ck_assert_uint_ge(limits.n_monitors, 100);
	ck_assert_uint_ge(limits.n_waits, 100);
	ck_assert_uint_ge(limits.n_locks, 100);
	ck_assert_uint_ge(limits.n_operations, 100000);
	limits.n_locks = 7;
	server_set_limits(server, &limits);
	limits.n_locks = 0;
	server_limits(server, &limits);
	ck_assert_uint_eq(limits.n_locks, 7);
}
END_TEST

START_TEST(too_many_monitors)
{
	limit((struct server_limits) { .n_monitors = 2 });
	for (int i = 0; i < 2; i++) {
		ask(&a, "{'id':1,'method':'monitor','params':['t',%d,{}]}", i);
		hear(&a, "{'id':1,'result':{},'error':null}");
	}
	ask(&a, "{'id':1,'method':'monitor','params':['t',2,{}]}");
	hear_error(&a, "resources exhausted");
	ck_assert_uint_eq(counters().n_refused_monitors, 1);
	ck_assert_uint_eq(counters().n_monitors, 2);
	/* It is the client's limit; and one that ends makes room. */
	ask(&b, "{'id':1,'method':'monitor','params':['t',2,{}]}");
	hear(&b, "{'id':1,'result':{},'error':null}");
	ask(&a, "{'id':1,'method':'monitor_cancel','params':[0]}");
	hear(&a, "{'id':1,'result':{},'error':null}");
	ask(&a, "{'id':1,'method':'monitor','params':['t',2,{}]}");
	hear(&a, "{'id':1,'result':{},'error':null}");
	test_client_done(&a);
	test_client_init(&a);
	ck_assert_uint_eq(counters().n_monitors, 1);
}
END_TEST

START_TEST(too_many_locks)
{
	limit((struct server_limits) { .n_locks = 1 });
	ask(&a, "{'id':1,'method':'lock','params':['x']}");
	hear(&a, "{'id':1,'result':{'locked':true},'error':null}");
	ask(&a, "{'id':1,'method':'steal','params':['y']}");
	hear_error(&a, "resources exhausted");
	ck_assert_uint_eq(counters().n_refused_locks, 1);
	ck_assert_uint_eq(counters().n_locks, 1);
	ask(&a, "{'id':1,'method':'unlock','params':['x']}");
	hear(&a, "{'id':1,'result':{},'error':null}");
	ck_assert_uint_eq(counters().n_locks, 0);
}
END_TEST

START_TEST(too_many_operations)
{
	limit((struct server_limits) { .n_operations = 2 });
	ask(&a, "{'id':1,'method':'transact','params':['t',{'op':'comment',"
	    "'comment':'1'},{'op':'comment','comment':'2'}]}");
	hear(&a, "{'id':1,'result':[{},{}],'error':null}");
	ask(&a, "{'id':1,'method':'transact','params':['t',1,2,3]}");
	hear_error(&a, "resources exhausted");
	ck_assert_uint_eq(counters().n_refused_operations, 1);
	ck_assert_uint_eq(counters().n_transactions, 1);
}
END_TEST

START_TEST(too_many_waits)
{
	limit((struct server_limits) { .n_operations = 9, .n_waits = 2 });
	ask_wait(&a, 1, 1, "", 0);
	ask_wait(&a, 2, 1, "", 0);
	ck_assert_uint_eq(counters().n_waits, 2);
	ask_wait(&a, 3, 1, "", 0);
	hear_error(&a, "resources exhausted");
	ck_assert_uint_eq(counters().n_refused_waits, 1);
	/* One that need not wait is no wait. */
	ask_wait(&a, 3, 1, ",'timeout':0", 0);
	json_decref(take(&a));
	test_client_done(&a);
	test_client_init(&a);
	ck_assert_uint_eq(counters().n_waits, 0);
	ck_assert_int_eq(n_woken, 0);
}
END_TEST

START_TEST(waits_have_their_time)
{
	ck_assert(server_deadline(server) == INT64_MAX);
	ask_wait(&a, 1, 1, ",'timeout':50", 1000);
	ck_assert_int_eq(n_woken, 1);
	ck_assert(server_deadline(server) == 1050);
	ask_wait(&a, 2, 1, ",'timeout':70", 1000);
	ask_wait(&b, 3, 1, ",'timeout':20", 1010);
	ck_assert_int_eq(n_woken, 2);
	ck_assert(server_deadline(server) == 1030);

	server_run(server, 1029);
	hear(&b, NULL);
	server_run(server, 1030);
	hear(&a, NULL);
	json_decref(take(&b));
	ck_assert_uint_eq(counters().n_waits, 2);
	ck_assert(server_deadline(server) == 1050);
	server_run(server, 1100);
	ck_assert_uint_eq(json_array_size(a.inbox), 2);
	ck_assert_uint_eq(counters().n_waits, 0);
	ck_assert(server_deadline(server) == INT64_MAX);
}
END_TEST

/* Three waits, each made true by the one before it in the list: those before
 * are tried in the next turn. */
START_TEST(waits_make_each_other_true)
{
	for (int i = 3; i >= 1; i--)
		ask(&a, "{'id':%d,'method':'transact','params':['t',{'op':"
		    "'wait','table':'A','where':[['n','==',%d]],'columns':"
		    "['n'],'until':'==','rows':[{'n':%d}]},{'op':'insert',"
		    "'table':'A','row':{'n':%d}}]}", i, i, i, i + 1);
	n_woken = 0;
	insert(&b, 1);
	ck_assert_int_gt(n_woken, 0);
	for (int i = 1; i <= 3; i++) {
		json_t *message;

		ck_assert(server_deadline(server) <= 0);
		server_run(server, 0);
		message = take(&a);
		ck_assert_int_eq(json_integer_value(
				json_object_get(message, "id")), i);
		hear(&a, NULL);
		json_decref(message);
	}
	ck_assert_uint_eq(counters().n_waits, 0);
	server_run(server, 0);
	ck_assert(server_deadline(server) == INT64_MAX);
}
END_TEST

/* Commits of nobody's, as the agent's own, count as well. */
static void
insert_many(int n)
{
	json_t *params = json_pack("[s]", "t");

	for (int i = 0; i < n; i++)
		json_array_append_new(params, json_pack(
			"{s:s, s:s, s:{s:i}}", "op", "insert", "table", "A",
			"row", "n", i));
	put(&b, json_pack("{s:i, s:s, s:o}", "id", 0, "method", "transact",
			  "params", params), 0);
	json_decref(take(&b));
}

/* Takes the oldest message, and returns the rows that it tells of. */
static size_t
hear_rows(struct test_client *client, int id)
{
	json_t *message = take(client);
	size_t n;

	ck_assert_int_eq(json_integer_value(json_object_get(message, "id")),
			 id);
	n = json_array_size(json_object_get(
		json_array_get(json_object_get(message, "result"), 0),
		"rows"));
	json_decref(message);
	return n;
}

static const char find_77[] =
	"{'id':%d,'method':'transact','params':['t',{'op':'select',"
	"'table':'A','where':[['n','==',77]]}]}";

/* What a search is to go by takes some turns; its client's requests wait behind
 * it, and nobody else's. */
START_TEST(searches_wait_their_turn)
{
	int n_turns = 0, n_before;

	insert_many(5000);
	n_before = n_woken;
	ask(&a, find_77, 1);
	hear(&a, NULL);
	ck_assert_int_gt(n_woken, n_before);
	ck_assert(server_deadline(server) == INT64_MIN);
	insert(&a, 77);
	ask(&a, find_77, 2);
	ask(&a, "{'id':3,'method':'echo','params':[]}");
	hear(&a, NULL);
	while (!json_array_size(a.inbox)) {
		ck_assert(server_deadline(server) == INT64_MIN);
		insert(&b, 6000 + n_turns);
		ck_assert_uint_eq(json_array_size(b.inbox), 1);
		json_decref(take(&b));
		server_run(server, 10);
		ck_assert_int_lt(++n_turns, 100);
	}
	ck_assert_int_ge(n_turns, 4);
	ck_assert_uint_eq(hear_rows(&a, 1), 1);
	json_decref(take(&a));
	ck_assert_uint_eq(hear_rows(&a, 2), 2);
	hear(&a, "{'id':3,'result':[],'error':null}");
	ck_assert_uint_eq(counters().n_waits, 0);
	/* From now on at once. */
	ask(&a, find_77, 4);
	ck_assert_uint_eq(hear_rows(&a, 4), 2);
}
END_TEST

/* A client, or a database, may go meanwhile. */
START_TEST(searches_end)
{
	struct test_client c;

	insert_many(5000);
	test_client_init(&c);
	ask(&c, find_77, 1);
	insert(&c, 77);
	ask(&a, find_77, 1);
	ask(&a, "{'id':2,'method':'echo','params':[]}");
	server_run(server, 10);
	test_client_done(&c);
	hear(&a, NULL);
	server_remove_database(server, database);
	json_decref(take(&a));
	server_run(server, 10);
	hear(&a, "{'id':2,'result':[],'error':null}");
	ck_assert_uint_eq(counters().n_waits, 0);
}
END_TEST

START_TEST(second_database)
{
	struct database *second = new_database(
		"{'name':'u','version':'1.0.0','tables':{}}");
	struct ovsdb_error *error;

	ck_assert_ptr_null(server_add_database(server, second));
	ck_assert_ptr_eq(server_find_database(server, "u"), second);
	ck_assert_ptr_eq(server_find_database(server, "t"), database);
	ck_assert_ptr_null(server_find_database(server, "v"));
	error = server_add_database(server, second);
	ck_assert_ptr_nonnull(error);
	ovsdb_error_free(error);
	ask(&a, "{'id':1,'method':'list_dbs','params':[]}");
	hear(&a, "{'id':1,'result':['_Server','t','u'],'error':null}");
	ask(&a, "{'id':1,'method':'get_schema','params':['u']}");
	hear(&a, "{'id':1,'result':{'name':'u','version':'1.0.0',"
	     "'tables':{}},'error':null}");
	server_remove_database(server, second);
	ck_assert_ptr_null(server_find_database(server, "u"));
	server_remove_database(server, second);
	database_free(second);
}
END_TEST

START_TEST(database_goes)
{
	ask(&a, "{'id':1,'method':'monitor','params':['t','m',"
	    "{'A':{'columns':['n']}}]}");
	hear(&a, "{'id':1,'result':{},'error':null}");
	ask_wait(&a, 2, 1, "", 0);
	ask_wait(&b, 3, 1, ",'timeout':5", 0);
	server_remove_database(server, database);
	hear(&a, "{'id':2,'result':null,'error':'canceled'}");
	hear(&b, "{'id':3,'result':null,'error':'canceled'}");
	ck_assert_uint_eq(counters().n_monitors, 0);
	ck_assert_uint_eq(counters().n_waits, 0);
	insert(&a, 1);
	hear_error(&a, "unknown database");
	ask(&a, "{'id':1,'method':'monitor_cancel','params':['m']}");
	hear(&a, "{'id':1,'result':null,'error':'unknown monitor'}");
	server_run(server, 100);
}
END_TEST

/* Who asked to be told of databases is told; who did not is dismissed. */
START_TEST(databases_come_and_go)
{
	struct database *second = new_database(
		"{'name':'u','version':'1.0.0','tables':{'A':{'columns':"
		"{'n':{'type':'integer'}}}}}");
	json_t *message;

	ask(&a, "{'id':1,'method':'set_db_change_aware','params':[true]}");
	hear(&a, "{'id':1,'result':{},'error':null}");
	ask(&a, "{'id':1,'method':'monitor_cond','params':['_Server','s',"
	    "{'Database':[{'columns':['name'],'where':[['name','==','u']]}]}"
	    "]}");
	hear(&a, "{'id':1,'result':{},'error':null}");
	ck_assert_ptr_null(server_add_database(server, second));
	message = take(&a);
	ck_assert_str_eq(json_string_value(json_object_get(message,
							   "method")),
			 "update2");
	json_decref(message);
	ck_assert(!a.is_dismissed);
	ck_assert(b.is_dismissed);

	b.is_dismissed = false;
	for (int i = 0; i < 2; i++) {
		ask(i ? &b : &a, "{'id':1,'method':'monitor_cond','params':"
		    "['u',['m'],{'A':[]}]}");
		hear(i ? &b : &a, "{'id':1,'result':{},'error':null}");
	}
	server_remove_database(server, second);
	hear(&a, "{'id':null,'method':'monitor_canceled','params':[['m']]}");
	message = take(&a);
	ck_assert_str_eq(json_string_value(json_object_get(message,
							   "method")),
			 "update2");
	json_decref(message);
	hear(&b, NULL);
	ck_assert(!a.is_dismissed);
	ck_assert(b.is_dismissed);
	server_remove_database(server, server_find_database(server,
							    "_Server"));
	ck_assert_ptr_nonnull(server_find_database(server, "_Server"));
	database_free(second);
}
END_TEST

/* Unless the program said so, schemas are not for clients to change. */
START_TEST(conversion_is_refused)
{
	ask(&a, "{'id':1,'method':'convert','params':['t',{'name':'t',"
	    "'version':'2.0.0','tables':{}}]}");
	hear_error(&a, "not allowed");
	ck_assert_str_eq(database_schema(database)->version, "1.0.0");
	ck_assert(!b.is_dismissed);
}
END_TEST

START_TEST(counts)
{
	struct server_counters now;

	ask(&a, "{'id':1,'method':'echo','params':[]}");
	ask(&a, "{'id':1,'method':'none','params':[]}");
	ask(&a, "{'id':1,'method':'get_schema','params':[]}");
	ask(&a, "{'id':1,'method':'monitor','params':['t',1,{'A':{}}]}");
	insert(&b, 1);
	now = counters();
	ck_assert_uint_eq(now.n_clients, 2);
	ck_assert_uint_eq(now.n_requests, 5);
	ck_assert_uint_eq(now.n_errors, 2);
	ck_assert_uint_eq(now.n_transactions, 1);
	ck_assert_uint_eq(now.n_updates, 1);
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, limits_are_kept);
	tcase_add_test(tcase, too_many_monitors);
	tcase_add_test(tcase, too_many_locks);
	tcase_add_test(tcase, too_many_operations);
	tcase_add_test(tcase, too_many_waits);
	tcase_add_test(tcase, waits_have_their_time);
	tcase_add_test(tcase, waits_make_each_other_true);
	tcase_add_test(tcase, searches_wait_their_turn);
	tcase_add_test(tcase, searches_end);
	tcase_add_test(tcase, second_database);
	tcase_add_test(tcase, database_goes);
	tcase_add_test(tcase, databases_come_and_go);
	tcase_add_test(tcase, conversion_is_refused);
	tcase_add_test(tcase, counts);
	return run_suite(tcase, "server");
}
