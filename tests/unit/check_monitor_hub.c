/* SPDX-License-Identifier: Apache-2.0 */

/* Copies of the database that clients keep by all methods, some of them slow,
 * beside what somebody is shown who comes now; and how often something is put
 * into words for all of them. */

#include "agent/ovsdb/server/monitor_hub.h"

#include "agent/ovsdb/store/history.h"
#include "tests/unit/server_fixture.h"

enum { N_READERS = 4, N_STEPS = 300, N_NUMBERS = 6, N_CROWD = 50 };

static const char schema[] =
	"{'name':'t','version':'1.0.0','tables':{"
	"'A':{'isRoot':true,'columns':{'n':{'type':'integer'},"
	"'m':{'type':'integer'},"
	"'s':{'type':{'key':'string','min':0,'max':'unlimited'}},"
	"'p':{'type':{'key':'string','value':'integer','min':0,"
	"'max':'unlimited'}},"
	"'x':{'type':'integer','ephemeral':true},"
	"'r':{'type':{'key':{'type':'uuid','refTable':'B'},'min':0,"
	"'max':'unlimited'}}}},"
	"'B':{'columns':{'n':{'type':'integer'}}}}}";

static const char *const methods[] = {
	NULL, "monitor", "monitor_cond", "monitor_cond_since",
};
static const char *const columns[] = {
	"'n','m','s','p'", "'n','p'", "'n','m','x','s','_version'",
};

/* One monitor's copy. */
struct copy {
	int id;
	int version;			/* As in enum monitor_version. */
	int columns;
	int equal, below;		/* Rows of A with n == or m <. */
	json_t *tables;			/* Rows by UUID, by table. */
};

struct reader {
	struct test_client client;
	struct copy copies[2];
};

static struct test_client writer;
static struct reader readers[N_READERS];
static unsigned n_lost;

static void begin(struct reader *);

static void
set_up(void)
{
	fixture_init(schema);
	test_client_init(&writer);
	n_lost = 0;
}

static void
tear_down(void)
{
	test_client_done(&writer);
	fixture_done();
}

/* A value as an object, so that a difference is easy; NULL if it is the
 * default. */
static json_t *
loosen(json_t *value)
{
	const char *kind = json_string_value(json_array_get(value, 0));
	json_t *elements = json_array_get(value, 1), *loose = json_object();
	bool is_map = kind && !strcmp(kind, "map");
	bool is_set = kind && !strcmp(kind, "set");
	json_t *element;
	size_t i;

	if (!is_map && !is_set) {
		char *text = json_dumps(value, JSON_ENCODE_ANY);

		json_object_set_new(loose, text, json_null());
		free(text);
		return loose;
	}
	json_array_foreach(elements, i, element) {
		json_t *key = is_map ? json_array_get(element, 0) : element;
		char *text = json_dumps(key, JSON_ENCODE_ANY);

		json_object_set_new(loose, text,
				    is_map ? json_incref(json_array_get(
							 element, 1))
					   : json_null());
		free(text);
	}
	return loose;
}

/* Leaves out what is at its default, which some methods say and some not. */
static void
set_column(json_t *row, const char *column, json_t *loose)
{
	if (json_object_size(loose)
	    && !(json_object_size(loose) == 1 && json_object_get(loose, "0")))
		json_object_set(row, column, loose);
	else
		json_object_del(row, column);
	json_decref(loose);
}

static json_t *
loosen_row(json_t *shown)
{
	json_t *row = json_object(), *value;
	const char *column;

	json_object_foreach(shown, column, value)
		set_column(row, column, loosen(value));
	return row;
}

static void
modify(json_t *row, json_t *changes)
{
	const char *column, *key;
	json_t *value, *element;

	ck_assert_uint_gt(json_object_size(changes), 0);
	json_object_foreach(changes, column, value) {
		json_t *old = json_object_get(row, column);
		bool is_plural = !strcmp(column, "s") || !strcmp(column, "p");
		json_t *now = old && is_plural ? json_deep_copy(old)
					       : json_object();
		json_t *diff = loosen(value);

		json_object_foreach(diff, key, element) {
			json_t *known = json_object_get(now, key);

			if (known && json_equal(known, element))
				json_object_del(now, key);
			else
				json_object_set(now, key, element);
		}
		json_decref(diff);
		set_column(row, column, now);
	}
}

/* <row-update>: "old" must be what the copy says. */
static void
apply_plain(json_t *rows, const char *uuid, json_t *update)
{
	json_t *old = json_object_get(update, "old");
	json_t *new = json_object_get(update, "new");
	json_t *known = json_object_get(rows, uuid), *value;
	const char *column;

	ck_assert(old || new);
	ck_assert(!old == !known);
	json_object_foreach(old, column, value) {
		json_t *row = json_object(), *now;

		/* That of a row that was is known only to those who saw it. */
		set_column(row, column, loosen(value));
		now = json_object_get(known, column);
		if (strcmp(column, "_version"))
			ck_assert(now ? json_equal(json_object_get(row,
								   column),
						   now)
				      : !json_object_size(row));
		json_decref(row);
	}
	if (new)
		json_object_set_new(rows, uuid, loosen_row(new));
	else
		json_object_del(rows, uuid);
}

/* <row-update2>. */
static void
apply_diff(json_t *rows, const char *uuid, json_t *update)
{
	json_t *fresh = json_object_get(update, "initial");
	json_t *known = json_object_get(rows, uuid);

	if (!fresh)
		fresh = json_object_get(update, "insert");
	ck_assert_uint_eq(json_object_size(update), 1);
	ck_assert(!fresh == !!known);
	if (fresh)
		json_object_set_new(rows, uuid, loosen_row(fresh));
	else if (json_object_get(update, "modify"))
		modify(known, json_object_get(update, "modify"));
	else if (json_is_null(json_object_get(update, "delete")))
		json_object_del(rows, uuid);
	else
		ck_abort_msg("%s", json_dumps(update, 0));
}

static void
apply(struct copy *copy, json_t *updates)
{
	const char *table, *uuid;
	json_t *rows, *row;

	json_object_foreach(updates, table, rows) {
		json_t *known = json_object_get(copy->tables, table);

		ck_assert_uint_gt(json_object_size(rows), 0);
		if (!known) {
			known = json_object();
			json_object_set_new(copy->tables, table, known);
		}
		json_object_foreach(rows, uuid, row)
			if (copy->version == MONITOR_PLAIN)
				apply_plain(known, uuid, row);
			else
				apply_diff(known, uuid, row);
		if (!json_object_size(known))
			json_object_del(copy->tables, table);
	}
}

static void
hear_update(struct reader *reader, json_t *message)
{
	static const char *const names[] = { NULL, "update", "update2",
					     "update3" };
	json_t *params = json_object_get(message, "params");
	size_t i = json_integer_value(json_array_get(params, 0)) % 2;
	struct copy *copy = &reader->copies[i];

	ck_assert_int_eq(json_integer_value(json_array_get(params, 0)),
			 copy->id);
	ck_assert_str_eq(json_string_value(json_object_get(message,
							   "method")),
			 names[copy->version]);
	ck_assert_uint_eq(json_array_size(params),
			  copy->version == MONITOR_COND_SINCE ? 3 : 2);
	apply(copy, json_array_get(params, json_array_size(params) - 1));
}

/* Takes in everything up to a reply, which is returned, or to the end. */
static json_t *
catch_up(struct reader *reader)
{
	json_t *message;

	while ((message = take(&reader->client))) {
		if (!json_object_get(message, "method"))
			return message;
		hear_update(reader, message);
		json_decref(message);
	}
	return NULL;
}

static const char *
where(const struct copy *copy)
{
	static char text[64];

	if (copy->version == MONITOR_PLAIN)
		return "";
	snprintf(text, sizeof text, ",'where':[['n','==',%d],['m','<',%d]]",
		 copy->equal, copy->below);
	return text;
}

static void
monitor(struct test_client *client, struct copy *copy, const char *since)
{
	json_t *message, *result;

	ask(client, "{'id':1,'method':'%s','params':['t',%d,{'A':[{'columns':"
	    "[%s]%s}],'B':[{'columns':['n']}]}%s]}", methods[copy->version],
	    copy->id, columns[copy->columns], where(copy),
	    copy->version == MONITOR_COND_SINCE ? since : "");
	message = take(client);
	result = json_object_get(message, "result");
	ck_assert_msg(result != NULL, "%s", json_dumps(message, 0));
	if (copy->version == MONITOR_COND_SINCE)
		result = json_array_get(result, 2);
	copy->tables = json_object();
	apply(copy, result);
	json_decref(message);
}

static void
begin(struct reader *reader)
{
	test_client_init(&reader->client);
	for (int i = 0; i < 2; i++) {
		struct copy *copy = &reader->copies[i];

		copy->id = i;
		copy->version = 1 + rand() % 3;
		copy->columns = rand() % 3;
		copy->equal = rand() % N_NUMBERS;
		copy->below = rand() % N_NUMBERS;
		monitor(&reader->client, copy, ",'00000000-0000-0000-0000-"
			"000000000000'");
	}
}

static void
end(struct reader *reader)
{
	test_client_done(&reader->client);
	for (int i = 0; i < 2; i++)
		json_decref(reader->copies[i].tables);
}

/* The copies are what somebody is shown who asks the same now. */
static void
compare(const struct reader *reader)
{
	for (int i = 0; i < 2; i++) {
		const struct copy *copy = &reader->copies[i];
		struct copy fresh = *copy;
		struct test_client other;

		fresh.tables = NULL;
		test_client_init(&other);
		monitor(&other, &fresh, ",'00000000-0000-0000-0000-"
			"000000000000'");
		ck_assert_msg(json_equal(copy->tables, fresh.tables),
			      "%s: %s\nnot\n%s", methods[copy->version],
			      json_dumps(copy->tables, JSON_SORT_KEYS),
			      json_dumps(fresh.tables, JSON_SORT_KEYS));
		test_client_done(&other);
		json_decref(fresh.tables);
	}
}

static void
write_something(struct test_client *client)
{
	int n = rand() % N_NUMBERS, m = rand() % N_NUMBERS;
	char text[400];

	switch (rand() % 8) {
	case 0:
	case 1:
		snprintf(text, sizeof text, "{'op':'insert','table':'A','row'"
			 ":{'n':%d,'m':%d,'p':['map',[['a',%d]]]}}", n, m, m);
		break;
	case 2:
		snprintf(text, sizeof text, "{'op':'update','table':'A',"
			 "'where':[['n','==',%d]],'row':{'m':%d}}", n, m);
		break;
	case 3:
		snprintf(text, sizeof text, "{'op':'mutate','table':'A',"
			 "'where':[['m','==',%d]],'mutations':[['s','%s',"
			 "['set',['x','y%d']]],['p','delete','a'],['p',"
			 "'insert',['map',[['a',%d],['b',1]]]]]}", m,
			 rand() % 2 ? "insert" : "delete", n, n);
		break;
	case 4:
		snprintf(text, sizeof text, "{'op':'delete','table':'A',"
			 "'where':[['n','==',%d],['m','==',%d]]}", n, m);
		break;
	case 5:
		snprintf(text, sizeof text, "{'op':'insert','table':'B',"
			 "'uuid-name':'b','row':{'n':%d}},{'op':'mutate',"
			 "'table':'A','where':[['m','==',%d]],'mutations':[["
			 "'r','insert',['named-uuid','b']]]}", n, m);
		break;
	case 6:
		snprintf(text, sizeof text, "{'op':'update','table':'A',"
			 "'where':[],'row':{'x':%d}}", m);
		break;
	default:
		snprintf(text, sizeof text, "{'op':'mutate','table':'A',"
			 "'where':[['m','==',%d]],'mutations':[['n','+=',1],"
			 "['n','%%=',%d]]},{'op':'update','table':'B','where'"
			 ":[],'row':{'n':%d}}", m, N_NUMBERS, n);
		break;
	}
	ask(client, "{'id':1,'method':'transact','params':['t',%s]}", text);
}

/* Some other condition. */
static void
change(struct reader *reader)
{
	struct copy *copy = &reader->copies[rand() % 2];
	json_t *reply;

	if (copy->version == MONITOR_PLAIN)
		return;
	copy->equal = rand() % N_NUMBERS;
	copy->below = rand() % N_NUMBERS;
	ask(&reader->client, "{'id':2,'method':'monitor_cond_change','params'"
	    ":[%d,%d,{'A':[{%s}]}]}", copy->id, copy->id, where(copy) + 1);
	reply = catch_up(reader);
	ck_assert(reply || reader->client.is_lost);
	json_decref(reply);
}

/* Whoever has done something hears of it before the answer, however slow it
 * is. */
static void
act(struct reader *reader)
{
	json_t *reply;

	write_something(&reader->client);
	reply = catch_up(reader);
	ck_assert_ptr_nonnull(reply);
	json_decref(reply);
	ck_assert_ptr_null(take(&reader->client));
	if (!reader->client.is_lost)
		compare(reader);
}

static void
drain(struct reader *reader)
{
	struct test_client *client = &reader->client;

	while (client->is_full && !client->is_lost) {
		client->is_full = false;
		client->room = rand() % 2;
		client_drained(client->client);
		ck_assert_ptr_null(catch_up(reader));
	}
	client->room = 0;
}

static void
step(void)
{
	struct reader *reader = &readers[rand() % N_READERS];

	write_something(&writer);
	json_decref(take(&writer));
	switch (rand() % 8) {
	case 0:
	case 1:
		ck_assert_ptr_null(catch_up(reader));
		reader->client.is_full = true;
		break;
	case 2:
	case 3:
		drain(reader);
		break;
	case 4:
		change(reader);
		break;
	case 5:
		act(reader);
		break;
	case 6:
		if (rand() % 4)
			break;
		end(reader);
		begin(reader);
		break;
	default:
		break;
	}
	for (int i = 0; i < N_READERS; i++) {
		reader = &readers[i];
		if (reader->client.is_lost) {
			n_lost++;
			end(reader);
			begin(reader);
		}
		ck_assert_ptr_null(catch_up(reader));
		if (!reader->client.is_full)
			compare(reader);
	}
}

/* So much, and no more for those who are behind. */
static void
remember(uint64_t size)
{
	struct server_limits limits;

	history_set_size(database_history(database), size);
	server_limits(server, &limits);
	limits.behind_size = size;
	server_set_limits(server, &limits);
}

/* With a history that suffices, and with one that does not. */
START_TEST(copies_follow)
{
	bool is_short = _i % 2;
	struct server_counters counters;

	srand((unsigned) _i);
	if (is_short)
		remember(4000);
	for (int i = 0; i < N_READERS; i++)
		begin(&readers[i]);
	for (int i = 0; i < N_STEPS; i++)
		step();
	for (int i = 0; i < N_READERS; i++) {
		drain(&readers[i]);
		if (!readers[i].client.is_lost)
			compare(&readers[i]);
		end(&readers[i]);
	}
	server_counters(server, &counters);
	ck_assert_uint_gt(counters.n_combined_updates, N_STEPS / 20);
	if (is_short)
		ck_assert_uint_gt(n_lost, 0);
	else
		ck_assert_uint_eq(counters.n_lost_clients, 0);
	ck_assert_uint_ge(counters.n_lost_clients, n_lost);
}
END_TEST

static uint64_t
n_wordings(void)
{
	struct server_counters counters;

	server_counters(server, &counters);
	return counters.n_wordings;
}

static void
insert(int n)
{
	ask(&writer, "{'id':1,'method':'transact','params':['t',{'op':"
	    "'insert','table':'A','row':{'n':%d}}]}", n);
	json_decref(take(&writer));
}

/* Everybody who fell behind at the same time is told in the same words, even
 * if otherwise nothing is remembered. */
START_TEST(slow_crowd)
{
	static struct test_client crowd[N_CROWD];
	struct history_counters counters;
	uint64_t n_before;

	for (int i = 0; i < N_CROWD; i++) {
		test_client_init(&crowd[i]);
		ask(&crowd[i], "{'id':1,'method':'monitor_cond','params':['t',"
		    "%d,{'A':[{'columns':['n']}]}]}", i);
		hear(&crowd[i], "{'id':1,'result':{},'error':null}");
		crowd[i].is_full = true;
	}
	history_set_size(database_history(database), 0);
	n_before = n_wordings();
	for (int n = 0; n < 20; n++)
		insert(n);
	/* Nobody has listened since the first. */
	ck_assert_uint_eq(n_wordings(), n_before + 1);
	for (int i = 0; i < N_CROWD; i++) {
		json_t *update, *rows;

		json_decref(take(&crowd[i]));
		ck_assert_ptr_null(take(&crowd[i]));
		crowd[i].is_full = false;
		client_drained(crowd[i].client);
		update = take(&crowd[i]);
		rows = json_object_get(json_array_get(json_object_get(
				update, "params"), 1), "A");
		ck_assert_uint_eq(json_object_size(rows), 19);
		json_decref(update);
		ck_assert_ptr_null(take(&crowd[i]));
	}
	ck_assert_uint_eq(n_wordings(), n_before + 2);
	history_counters(database_history(database), &counters);
	ck_assert_uint_eq(counters.n_transactions, 0);
	for (int i = 0; i < N_CROWD; i++)
		test_client_done(&crowd[i]);
}
END_TEST

/* So is everybody who comes back after the same transaction, and also if there
 * are new ones all the time. */
START_TEST(crowd_returns)
{
	static struct test_client crowd[N_CROWD];
	char since[UUID_TEXT_SIZE];
	uint64_t n_before;

	insert(1);
	uuid_to_text(database_last_transaction(database), since);
	for (int n = 0; n < 20; n++)
		insert(2);
	n_before = n_wordings();
	for (int i = 0; i < N_CROWD; i++) {
		size_t n_rows = 0;
		json_t *message, *reply;

		test_client_init(&crowd[i]);
		ask(&crowd[i], "{'id':1,'method':'monitor_cond_since',"
		    "'params':['t',%d,{'A':[{'columns':['n']}]},'%s']}", i,
		    since);
		reply = json_object_get(json_array_get(crowd[i].inbox, 0),
					"result");
		ck_assert(json_is_true(json_array_get(reply, 0)));
		n_rows = json_object_size(json_object_get(json_array_get(
				reply, 2), "A"));
		json_decref(take(&crowd[i]));
		while ((message = take(&crowd[i]))) {
			n_rows += json_object_size(json_object_get(
				json_array_get(json_object_get(
					message, "params"), 2), "A"));
			json_decref(message);
		}
		ck_assert_uint_eq(n_rows, 20 + (i > 25 ? i - 25 : 0));
		if (i >= 25)
			insert(3);
	}
	/* One for the first; for each later commit one for those who are
	 * there, and for who comes next what was after the first. */
	ck_assert_uint_le(n_wordings(), n_before + 1 + 2 * 25);
	for (int i = 0; i < N_CROWD; i++)
		test_client_done(&crowd[i]);
}
END_TEST

/* A monitor may go while it is behind, and its database. */
START_TEST(behind_and_gone)
{
	struct test_client client;

	test_client_init(&client);
	ask(&client, "{'id':1,'method':'set_db_change_aware','params':"
	    "[true]}");
	json_decref(take(&client));
	for (int i = 0; i < 2; i++) {
		ask(&client, "{'id':1,'method':'monitor','params':['t',%d,"
		    "{'A':{'columns':['n']}}]}", i);
		json_decref(take(&client));
	}
	client.is_full = true;
	insert(1);
	for (int i = 0; i < 2; i++)
		json_decref(take(&client));
	insert(2);
	ask(&client, "{'id':1,'method':'monitor_cancel','params':[0]}");
	client.is_full = false;
	hear(&client, "{'id':1,'result':{},'error':null}");
	server_remove_database(server, database);
	hear(&client, "{'id':null,'method':'monitor_canceled','params':"
	     "[1]}");
	client_drained(client.client);
	hear(&client, NULL);
	test_client_done(&client);
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, copies_follow, 0, 6);
	tcase_add_test(tcase, slow_crowd);
	tcase_add_test(tcase, crowd_returns);
	tcase_add_test(tcase, behind_and_gone);
	return run_suite(tcase, "monitor_hub");
}
