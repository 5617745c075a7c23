/* SPDX-License-Identifier: Apache-2.0 */

/* Copies that clients keep by "update3", across absences, changes of their
 * conditions, restarts of the server and compactions of its file, beside what
 * select finds in the database. */

#include "agent/ovsdb/store/history.h"

#include "agent/ovsdb/store/journal.h"
#include "agent/ovsdb/store/row.h"
#include "tests/unit/scratch.h"
#include "tests/unit/server_fixture.h"

enum { N_CLIENTS = 3, N_STEPS = 300, N_NUMBERS = 6 };

static const char schema[] =
	"{\"name\":\"t\",\"version\":\"1.0.0\",\"tables\":{"
	"\"A\":{\"isRoot\":true,\"columns\":{\"n\":{\"type\":\"integer\"},"
	"\"m\":{\"type\":\"integer\"},"
	"\"s\":{\"type\":{\"key\":\"string\",\"min\":0,\"max\":\"unlimited\"}},"
	"\"o\":{\"type\":{\"key\":\"integer\",\"min\":0,\"max\":1}},"
	"\"p\":{\"type\":{\"key\":\"string\",\"value\":\"integer\",\"min\":0,"
	"\"max\":\"unlimited\"}},"
	"\"x\":{\"type\":\"integer\",\"ephemeral\":true},"
	"\"r\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"B\"},"
	"\"min\":0,\"max\":\"unlimited\"}},"
	"\"w\":{\"type\":{\"key\":{\"type\":\"uuid\",\"refTable\":\"B\","
	"\"refType\":\"weak\"},\"min\":0,\"max\":\"unlimited\"}}}},"
	"\"B\":{\"columns\":{\"name\":{\"type\":\"integer\"}}}}}";

static const char *const columns[N_CLIENTS] = {
	"'n','m','s','o','p','w'", "'n','p'", "'m','s','o','w'",
};

/* Shows rows with n == equal or m < below. */
struct copy {
	struct test_client client;
	bool is_connected;
	json_t *tables;			/* Rows by UUID, by table. */
	char last[UUID_TEXT_SIZE];
	int equal, below;		/* Those of the copy. */
};

static const char nothing[] = "00000000-0000-0000-0000-000000000000";
static char directory[SCRATCH_SIZE], *path, *schema_path;
static struct test_client writer;
static struct copy copies[N_CLIENTS];
static unsigned n_found, n_lost;

static void
start(void)
{
	struct ovsdb_error *error;
	char *warning;

	error = journal_open_database(path, schema_path, &database, &warning);
	ck_assert_msg(!error, "%s", error ? error->details : "");
	ck_assert_msg(!warning, "%s", warning);
	server = server_new();
	ck_assert_ptr_null(server_add_database(server, database));
	test_client_init(&writer);
}

static void
stop(void)
{
	for (int i = 0; i < N_CLIENTS; i++)
		if (copies[i].is_connected) {
			test_client_done(&copies[i].client);
			copies[i].is_connected = false;
		}
	test_client_done(&writer);
	fixture_done();
}

static void
set_up(void)
{
	FILE *stream;

	scratch_make(directory);
	ck_assert_int_gt(asprintf(&path, "%s/db", directory), 0);
	ck_assert_int_gt(asprintf(&schema_path, "%s/schema", directory), 0);
	stream = fopen(schema_path, "w");
	ck_assert_ptr_nonnull(stream);
	fputs(schema, stream);
	fclose(stream);
	start();
	for (int i = 0; i < N_CLIENTS; i++) {
		copies[i].tables = json_object();
		strcpy(copies[i].last, nothing);
	}
}

static void
tear_down(void)
{
	stop();
	for (int i = 0; i < N_CLIENTS; i++)
		json_decref(copies[i].tables);
	free(path);
	free(schema_path);
}

/* Sets and maps as objects, so that a difference is easy. */
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

static bool
is_plural(const char *column)
{
	return strchr("spw", *column);
}

static void
modify(json_t *row, json_t *changes)
{
	const char *column, *key;
	json_t *value, *element;

	ck_assert_uint_gt(json_object_size(changes), 0);
	json_object_foreach(changes, column, value) {
		json_t *now = json_object_get(row, column);
		json_t *diff = loosen(value);

		if (!now) {
			now = json_object();
			json_object_set_new(row, column, now);
		}
		if (!is_plural(column))
			json_object_clear(now);
		json_object_foreach(diff, key, element) {
			json_t *old = json_object_get(now, key);

			if (old && json_equal(old, element))
				json_object_del(now, key);
			else
				json_object_set(now, key, element);
		}
		json_decref(diff);
	}
}

static void
apply_row(json_t *rows, const char *uuid, json_t *update)
{
	json_t *fresh = json_object_get(update, "initial");
	json_t *known = json_object_get(rows, uuid), *value, *row;
	const char *column;

	if (!fresh)
		fresh = json_object_get(update, "insert");
	ck_assert_uint_eq(json_object_size(update), 1);
	ck_assert_msg(!fresh == !!known, "%s", json_dumps(update, 0));
	if (fresh) {
		row = json_object();
		json_object_foreach(fresh, column, value)
			json_object_set_new(row, column, loosen(value));
		json_object_set_new(rows, uuid, row);
	} else if (json_object_get(update, "modify")) {
		modify(known, json_object_get(update, "modify"));
	} else {
		ck_assert(json_is_null(json_object_get(update, "delete")));
		json_object_del(rows, uuid);
	}
}

static void
apply(struct copy *copy, json_t *updates)
{
	const char *table, *uuid;
	json_t *rows, *row;

	json_object_foreach(updates, table, rows) {
		ck_assert_uint_gt(json_object_size(rows), 0);
		if (!json_object_get(copy->tables, table))
			json_object_set_new(copy->tables, table,
					    json_object());
		json_object_foreach(rows, uuid, row)
			apply_row(json_object_get(copy->tables, table), uuid,
				  row);
	}
}

static void
apply_inbox(struct copy *copy)
{
	json_t *message;

	while ((message = take(&copy->client))) {
		json_t *params = json_object_get(message, "params");

		if (json_object_get(message, "method")) {
			strcpy(copy->last, json_string_value(
				       json_array_get(params, 1)));
			apply(copy, json_array_get(params, 2));
		}
		json_decref(message);
	}
}

static void
connect_copy(int i)
{
	struct copy *copy = &copies[i];
	json_t *message, *result;

	test_client_init(&copy->client);
	copy->is_connected = true;
	ask(&copy->client, "{'id':1,'method':'monitor_cond_since','params':"
	    "['t','m',{'A':[{'columns':[%s],'where':[['n','==',%d],['m','<',"
	    "%d]]}],'B':[{'columns':['name']}]},'%s']}", columns[i],
	    copy->equal, copy->below, copy->last);
	message = take(&copy->client);
	result = json_object_get(message, "result");
	if (json_is_true(json_array_get(result, 0))) {
		n_found++;
	} else {
		/* A copy of what was empty has no transaction to name. */
		n_lost += strcmp(copy->last, nothing) != 0;
		json_object_clear(copy->tables);
	}
	strcpy(copy->last, json_string_value(json_array_get(result, 1)));
	apply(copy, json_array_get(result, 2));
	json_decref(message);
}

static void
change_condition(struct copy *copy)
{
	copy->equal = rand() % N_NUMBERS;
	copy->below = rand() % N_NUMBERS;
	ask(&copy->client, "{'id':2,'method':'monitor_cond_change','params':"
	    "['m','m',{'A':[{'where':[['n','==',%d],['m','<',%d]]}]}]}",
	    copy->equal, copy->below);
	apply_inbox(copy);
}

static bool
is_shown(const struct copy *copy, json_t *row)
{
	return json_integer_value(json_object_get(row, "n")) == copy->equal
	       || json_integer_value(json_object_get(row, "m"))
		  < copy->below;
}

/* The copy has the rows it asked for, and says of them what the database
 * says, but for what is at its default. */
static void
compare(int i)
{
	struct copy *copy = &copies[i];
	json_t *copied = json_object_get(copy->tables, "A");
	json_t *message, *rows, *row;
	size_t n = 0, at;

	ask(&writer, "{'id':1,'method':'transact','params':['t',{'op':"
	    "'select','table':'A','where':[],'columns':['_uuid','n','m',"
	    "'s','o','p','w']}]}");
	message = take(&writer);
	rows = json_object_get(json_array_get(json_object_get(message,
							      "result"), 0),
			       "rows");
	json_array_foreach(rows, at, row) {
		const char *uuid = json_string_value(json_array_get(
			json_object_get(row, "_uuid"), 1)), *column;
		json_t *known = json_object_get(copied, uuid), *value;

		if (!is_shown(copy, row))
			continue;
		ck_assert_ptr_nonnull(known);
		n++;
		json_object_foreach(row, column, value) {
			json_t *expected = loosen(value);
			json_t *actual = json_object_get(known, column);
			char quoted[8];

			snprintf(quoted, sizeof quoted, "'%s'", column);
			if (!strstr(columns[i], quoted))
				ck_assert_ptr_null(actual);
			else if (actual)
				ck_assert(json_equal(actual, expected));
			else
				ck_assert(!json_object_size(expected)
					  || json_object_get(expected, "0"));
			json_decref(expected);
		}
	}
	ck_assert_uint_eq(n, json_object_size(copied));
	json_decref(message);
}

static void
write_something(void)
{
	int n = rand() % N_NUMBERS, m = rand() % N_NUMBERS;
	char operation[400];

	switch (rand() % 7) {
	case 0:
		snprintf(operation, sizeof operation, "{'op':'insert','table':"
			 "'A','row':{'n':%d,'m':%d,'p':['map',[['a',%d]]]}}",
			 n, m, m);
		break;
	case 1:
		snprintf(operation, sizeof operation, "{'op':'update','table':"
			 "'A','where':[['n','==',%d]],'row':{'m':%d,'o':%s}}",
			 n, m, rand() % 2 ? "5" : "['set',[]]");
		break;
	case 2:
		snprintf(operation, sizeof operation, "{'op':'mutate','table':"
			 "'A','where':[['m','==',%d]],'mutations':[['s','%s',"
			 "['set',['x','y%d']]],['p','delete','a'],['p',"
			 "'insert',['map',[['a',%d],['b',1]]]]]}", m,
			 rand() % 2 ? "insert" : "delete", n, n);
		break;
	case 3:
		snprintf(operation, sizeof operation, "{'op':'delete','table':"
			 "'A','where':[['n','==',%d],['m','==',%d]]}", n, m);
		break;
	case 4:
		snprintf(operation, sizeof operation, "{'op':'insert','table':"
			 "'B','uuid-name':'b','row':{'name':%d}},{'op':"
			 "'mutate','table':'A','where':[['m','==',%d]],"
			 "'mutations':[['r','insert',['named-uuid','b']]]},"
			 "{'op':'mutate','table':'A','where':[['n','==',%d]],"
			 "'mutations':[['w','insert',['named-uuid','b']]]}",
			 n, m, n);
		break;
	case 5:
		snprintf(operation, sizeof operation, "{'op':'update','table':"
			 "'A','where':[],'row':{'x':%d}}", rand());
		break;
	default:
		snprintf(operation, sizeof operation, "{'op':'mutate','table':"
			 "'A','where':[['m','==',%d]],'mutations':[['n','+=',"
			 "1]]},{'op':'update','table':'A','where':[['n','>',"
			 "%d]],'row':{'n':0}}", m, N_NUMBERS - 1);
		break;
	}
	ask(&writer, "{'id':1,'method':'transact','params':['t',%s]}",
	    operation);
	json_decref(take(&writer));
}

static void
step(void)
{
	int i = rand() % N_CLIENTS;
	struct ovsdb_error *error;

	write_something();
	journal_run(database_journal(database), INT64_MAX - 10);
	for (int k = 0; k < N_CLIENTS; k++)
		if (copies[k].is_connected) {
			apply_inbox(&copies[k]);
			compare(k);
		}
	switch (rand() % 12) {
	case 0:
		stop();
		start();
		break;
	case 10:
		error = journal_compact(database_journal(database), true);
		ck_assert_msg(!error, "%s", error ? error->details : "");
		break;
	case 11:
		journal_compact_begin(database_journal(database), true, NULL,
				      NULL);
		break;
	case 1:
		if (copies[i].is_connected)
			change_condition(&copies[i]);
		break;
	case 2:
	case 3:
		if (copies[i].is_connected)
			test_client_done(&copies[i].client);
		copies[i].is_connected = false;
		break;
	default:
		if (!copies[i].is_connected)
			connect_copy(i);
		break;
	}
}

/* Nothing is forgotten, restart or not, compaction or not. */
START_TEST(copies_follow)
{
	srand((unsigned) _i);
	n_found = n_lost = 0;
	for (int i = 0; i < N_STEPS; i++)
		step();
	ck_assert_uint_gt(n_found, 20);
	ck_assert_uint_eq(n_lost, 0);
}
END_TEST

/* With little memory much is forgotten, but nothing goes wrong. */
START_TEST(little_is_remembered)
{
	struct history_counters counters;

	srand((unsigned) _i);
	n_found = n_lost = 0;
	for (int i = 0; i < N_STEPS; i++) {
		history_set_size(database_history(database), 3000);
		step();
		history_counters(database_history(database), &counters);
		ck_assert_uint_le(counters.size, 16 << 20);
	}
	history_set_size(database_history(database), 3000);
	for (int i = 0; i < 20; i++)
		write_something();
	history_counters(database_history(database), &counters);
	ck_assert_uint_le(counters.size, 3000);
	ck_assert_uint_gt(counters.n_forgotten, 0);
	ck_assert_uint_gt(n_found, 0);
	ck_assert_uint_gt(n_lost, 0);
}
END_TEST

/* A compacted file knows its last transaction, and what comes after it. */
START_TEST(compacted)
{
	struct uuid before, after;

	srand(7);
	for (int i = 0; i < 30; i++)
		write_something();
	connect_copy(0);
	ck_assert_ptr_null(journal_compact(database_journal(database),
					   false));
	before = *database_last_recorded(database);
	stop();
	start();
	ck_assert_mem_eq(database_last_recorded(database), &before,
			 sizeof before);
	n_found = 0;
	connect_copy(0);
	ck_assert_uint_eq(n_found, 1);
	compare(0);
	test_client_done(&copies[0].client);
	copies[0].is_connected = false;
	for (int i = 0; i < 30; i++)
		write_something();
	after = *database_last_recorded(database);
	stop();
	start();
	ck_assert_mem_eq(database_last_recorded(database), &after,
			 sizeof after);
	connect_copy(0);
	ck_assert_uint_eq(n_found, 2);
	compare(0);
}
END_TEST

/* The id comes from all that was said: one other word, and all later ones are
 * others. */
START_TEST(ids)
{
	struct uuid zero = { { 0 } }, a, b, again;

	history_next_id(&zero, "da39a3ee5e6b4b0d3255bfef95601890afd80709",
			&a);
	history_next_id(&zero, "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709",
			&again);
	ck_assert(uuid_equal(&a, &again));
	history_next_id(&zero, "da39a3ee5e6b4b0d3255bfef95601890afd80708",
			&b);
	ck_assert(!uuid_equal(&a, &b));
	history_next_id(&a, "da39a3ee5e6b4b0d3255bfef95601890afd80709", &b);
	ck_assert(!uuid_equal(&a, &b));
	ck_assert_uint_eq(b.bytes[6] >> 4, 5);
	ck_assert_uint_eq(b.bytes[8] >> 6, 2);
}
END_TEST

static bool
resumes(const char *last, const char *shown)
{
	struct test_client client;
	json_t *message;
	bool is_found;

	test_client_init(&client);
	ask(&client, "{'id':1,'method':'monitor_cond_since','params':['t',"
	    "'m',{'A':[{'columns':[%s]}]},'%s']}", shown, last);
	message = take(&client);
	is_found = json_is_true(json_array_get(json_object_get(message,
							       "result"),
					       0));
	json_decref(message);
	test_client_done(&client);
	return is_found;
}

/* Ephemeral columns do not survive a restart: who watches them cannot be told
 * differences afterwards, as long as there is such a row. */
START_TEST(ephemeral_columns)
{
	char last[UUID_TEXT_SIZE], recorded[UUID_TEXT_SIZE];

	ask(&writer, "{'id':1,'method':'transact','params':['t',{'op':"
	    "'insert','table':'A','row':{'n':1}}]}");
	uuid_to_text(database_last_transaction(database), recorded);
	ask(&writer, "{'id':1,'method':'transact','params':['t',{'op':"
	    "'update','table':'A','where':[],'row':{'x':1}}]}");
	uuid_to_text(database_last_transaction(database), last);
	ck_assert_str_ne(last, recorded);
	ck_assert(resumes(last, "'x'"));
	ck_assert(resumes(recorded, "'x'"));
	ck_assert(resumes(recorded, "'n'"));
	json_decref(take(&writer));
	json_decref(take(&writer));
	stop();
	start();
	uuid_to_text(database_last_transaction(database), last);
	ck_assert_str_eq(last, recorded);
	ck_assert(!resumes(recorded, "'x'"));
	ck_assert(!resumes(recorded, "'_version'"));
	ck_assert(resumes(recorded, "'n'"));
	ask(&writer, "{'id':1,'method':'transact','params':['t',{'op':"
	    "'delete','table':'A','where':[]}]}");
	ck_assert(resumes(recorded, "'x'"));
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, copies_follow, 0, 8);
	tcase_add_loop_test(tcase, little_is_remembered, 0, 4);
	tcase_add_test(tcase, compacted);
	tcase_add_test(tcase, ids);
	tcase_add_test(tcase, ephemeral_columns);
	return run_suite(tcase, "history");
}
