/* SPDX-License-Identifier: Apache-2.0 */

/* Copies of the database, kept by what monitors tell, beside what select
 * finds in the database. */

#include "agent/ovsdb/server/monitor.h"

#include "tests/unit/server_fixture.h"

enum { N_CLIENTS = 5, N_STEPS = 400 };

static const char schema[] =
	"{'name':'t','version':'1.0.0','tables':{"
	"'A':{'isRoot':true,'columns':{'n':{'type':'integer'},"
	"'m':{'type':'integer'},'s':{'type':{'key':'string','min':0,"
	"'max':'unlimited'}},'r':{'type':{'key':{'type':'uuid','refTable':"
	"'B'},'min':0,'max':'unlimited'}}}},"
	"'B':{'columns':{'name':{'type':'string'}}}}}";

static const char *const requests[N_CLIENTS] = {
	"{'A':{'columns':['n','m','s']},'B':{'columns':['name']}}",
	"{'A':{'columns':['n']}}",
	"{'A':[{'columns':['n']},{'columns':['s']}]}",
	"{'B':{'columns':['name']}}",
	"{'A':{'columns':['n','m','s']}}",
};

static struct test_client clients[N_CLIENTS], writer;
static json_t *copies[N_CLIENTS];

static void
set_up(void)
{
	fixture_init(schema);
	test_client_init(&writer);
	for (int i = 0; i < N_CLIENTS; i++)
		test_client_init(&clients[i]);
}

static void
tear_down(void)
{
	test_client_done(&writer);
	for (int i = 0; i < N_CLIENTS; i++) {
		test_client_done(&clients[i]);
		json_decref(copies[i]);
	}
	fixture_done();
}

/* Each row of a copy is its "new"; "old" must be what the copy says. */
static void
apply_row(json_t *rows, const char *uuid, json_t *update)
{
	json_t *old = json_object_get(update, "old");
	json_t *new = json_object_get(update, "new");
	json_t *known = json_object_get(rows, uuid), *value;
	const char *column;

	ck_assert(old || new);
	ck_assert_msg(!old == !known, "%s", json_dumps(update, 0));
	json_object_foreach(old, column, value) {
		ck_assert(json_equal(json_object_get(known, column), value));
		ck_assert(!new || !json_equal(json_object_get(new, column),
					      value));
	}
	if (old && new)
		ck_assert_uint_gt(json_object_size(old), 0);
	if (old && !new)
		ck_assert(json_equal(old, known));
	if (new)
		json_object_set(rows, uuid, new);
	else
		json_object_del(rows, uuid);
}

static void
apply(json_t *copy, json_t *updates)
{
	const char *table, *uuid;
	json_t *rows, *row;

	json_object_foreach(updates, table, rows) {
		ck_assert_uint_gt(json_object_size(rows), 0);
		if (!json_object_get(copy, table))
			json_object_set_new(copy, table, json_object());
		json_object_foreach(rows, uuid, row)
			apply_row(json_object_get(copy, table), uuid, row);
	}
}

static void
apply_inbox(int i)
{
	json_t *message;

	while ((message = take(&clients[i]))) {
		json_t *params = json_object_get(message, "params");

		ck_assert_str_eq(json_string_value(
				json_object_get(message, "method")),
				 "update");
		ck_assert_int_eq(json_integer_value(
				json_array_get(params, 0)), i);
		ck_assert_uint_gt(json_object_size(
				json_array_get(params, 1)), 0);
		apply(copies[i], json_array_get(params, 1));
		json_decref(message);
	}
}

static void
monitor(int i)
{
	json_t *message;

	ask(&clients[i], "{'id':1,'method':'monitor','params':['t',%d,%s]}",
	    i, requests[i]);
	message = take(&clients[i]);
	copies[i] = json_object();
	apply(copies[i], json_object_get(message, "result"));
	json_decref(message);
}

/* What a monitor that begins now is told is what the copy should be. */
static void
compare(int i)
{
	json_t *kept = copies[i], *rows;
	const char *table;
	void *next;

	ask(&clients[i], "{'id':1,'method':'monitor_cancel','params':[%d]}",
	    i);
	hear(&clients[i], "{'id':1,'result':{},'error':null}");
	monitor(i);
	json_object_foreach_safe(kept, next, table, rows)
		if (!json_object_size(rows))
			json_object_del(kept, table);
	ck_assert_msg(json_equal(kept, copies[i]), "%d: %s not %s", i,
		      json_dumps(kept, JSON_SORT_KEYS),
		      json_dumps(copies[i], JSON_SORT_KEYS));
	json_decref(kept);
}

static void
write_something(void)
{
	int n = rand() % 6, m = rand() % 4;

	switch (rand() % 6) {
	case 0:
		ask(&writer, "{'id':1,'method':'transact','params':['t',"
		    "{'op':'insert','table':'A','row':{'n':%d,'m':%d}}]}", n,
		    m);
		break;
	case 1:
		ask(&writer, "{'id':1,'method':'transact','params':['t',"
		    "{'op':'update','table':'A','where':[['n','==',%d]],"
		    "'row':{'m':%d}}]}", n, m);
		break;
	case 2:
		ask(&writer, "{'id':1,'method':'transact','params':['t',"
		    "{'op':'mutate','table':'A','where':[['m','==',%d]],"
		    "'mutations':[['s','insert','s%d'],['n','+=',1],"
		    "['n','%%=',6]]}]}", m, n);
		break;
	case 3:
		ask(&writer, "{'id':1,'method':'transact','params':['t',"
		    "{'op':'delete','table':'A','where':[['n','==',%d]]}]}",
		    n);
		break;
	case 4:
		ask(&writer, "{'id':1,'method':'transact','params':['t',"
		    "{'op':'insert','table':'B','uuid-name':'b','row':"
		    "{'name':'b%d'}},{'op':'mutate','table':'A','where':"
		    "[['m','==',%d]],'mutations':[['r','insert',"
		    "['named-uuid','b']]]}]}", n, m);
		break;
	default:
		ask(&writer, "{'id':1,'method':'transact','params':['t',"
		    "{'op':'update','table':'B','where':[['name','==',"
		    "'b%d']],'row':{'name':'b%d'}},{'op':'delete','table':"
		    "'A','where':[['n','==',%d]]}%s]}", n, m, m,
		    rand() % 3 ? "" : ",{'op':'abort'}");
		break;
	}
	json_decref(take(&writer));
}

START_TEST(copies_follow)
{
	srand((unsigned) _i);
	for (int step = 0; step < N_STEPS; step++) {
		int i = rand() % N_CLIENTS;

		if (!copies[i])
			monitor(i);
		write_something();
		for (i = 0; i < N_CLIENTS; i++)
			if (copies[i])
				apply_inbox(i);
	}
	for (int i = 0; i < N_CLIENTS; i++)
		compare(i);
}
END_TEST

/* What those hear who ask the same was put into words once. */
START_TEST(views_are_shared)
{
	static const char *const same[] = {
		"{'A':{'columns':['n','m']}}", "{'A':[{'columns':['m','n']}]}",
		"{'A':[{'columns':['m']},{'columns':['n']}]}",
		"{'A':{'columns':['m','n'],'select':{'insert':true}}}",
		"{'A':{'columns':['m','n'],'select':{'modify':false}}}",
	};
	struct server_counters before, after;
	json_t *rows[N_CLIENTS];

	for (int i = 0; i < N_CLIENTS; i++) {
		ask(&clients[i], "{'id':1,'method':'monitor','params':"
		    "['t',%d,%s]}", i, same[i]);
		hear(&clients[i], "{'id':1,'result':{},'error':null}");
	}
	server_counters(server, &before);
	ask(&writer, "{'id':1,'method':'transact','params':['t',{'op':"
	    "'insert','table':'A','row':{'n':1,'m':2}}]}");
	for (int i = 0; i < N_CLIENTS; i++)
		rows[i] = json_object_get(json_array_get(json_object_get(
				json_array_get(clients[i].inbox, 0),
				"params"), 1), "A");
	server_counters(server, &after);
	ck_assert_uint_eq(after.n_wordings - before.n_wordings, 2);
	ck_assert_uint_eq(after.n_updates - before.n_updates, N_CLIENTS);
	for (int i = 1; i < N_CLIENTS; i++)
		ck_assert(json_equal(rows[i], rows[0]));
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, copies_follow, 0, 10);
	tcase_add_test(tcase, views_are_shared);
	return run_suite(tcase, "monitor");
}
