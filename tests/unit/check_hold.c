/* SPDX-License-Identifier: Apache-2.0 */

/* Replies that wait for the disk, which the linker puts in our hands: what the
 * journal's thread asks of it may wait for a permit, and fail. */

#include "agent/ovsdb/server/hold.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>
#include "agent/ovsdb/store/journal.h"
#include "tests/unit/scratch.h"
#include "tests/unit/server_fixture.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t permitted = PTHREAD_COND_INITIALIZER;
static pthread_cond_t begun = PTHREAD_COND_INITIALIZER;
static int n_begun, n_permits, problem;
static char directory[SCRATCH_SIZE], path[128];
static struct test_client clients[8];
static enum client_hold holds[8];

int __real_fdatasync(int);
int __wrap_fdatasync(int);
int __real_fsync(int);
int __wrap_fsync(int);

int
__wrap_fdatasync(int fd)
{
	int result = 0;

	(void) fd;
	pthread_mutex_lock(&mutex);
	n_begun++;
	pthread_cond_broadcast(&begun);
	while (!n_permits)
		pthread_cond_wait(&permitted, &mutex);
	n_permits--;
	if (problem) {
		errno = problem;
		result = -1;
	}
	pthread_mutex_unlock(&mutex);
	return result;
}

/* A disk that is broken cannot be written to anew either. */
int
__wrap_fsync(int fd)
{
	int its_problem;

	pthread_mutex_lock(&mutex);
	its_problem = problem;
	pthread_mutex_unlock(&mutex);
	if (!its_problem)
		return __real_fsync(fd);
	errno = its_problem;
	return -1;
}

static void
permit(int n, int its_problem)
{
	pthread_mutex_lock(&mutex);
	n_permits = n;
	problem = its_problem;
	pthread_cond_broadcast(&permitted);
	pthread_mutex_unlock(&mutex);
}

/* Until the disk has been asked so many times. */
static void
await_begun(int n)
{
	pthread_mutex_lock(&mutex);
	while (n_begun < n)
		pthread_cond_wait(&begun, &mutex);
	pthread_mutex_unlock(&mutex);
}

static void
note_hold(void *client, enum client_hold hold)
{
	holds[(struct test_client *) client - clients] = hold;
}

static void
setup(void)
{
	static const struct client_ops ops = {
		.send = pile_up,
		.dismiss = dismiss,
		.hold = note_hold,
	};
	static const char schema[] = "{\"name\":\"D\",\"tables\":{\"T\":"
		"{\"isRoot\":true,\"columns\":{\"i\":{\"type\":\"integer\"}}"
		"}}}";
	char schema_path[128], *warning;
	FILE *file;

	scratch_make_fast(directory);
	snprintf(path, sizeof path, "%s/d.db", directory);
	snprintf(schema_path, sizeof schema_path, "%s/d.ovsschema", directory);
	file = fopen(schema_path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(schema, file);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_ptr_null(journal_open_database(path, schema_path, &database,
						 &warning));
	server = server_new();
	server_allow_convert(server);
	ck_assert_ptr_null(server_add_database(server, database));
	for (int i = 0; i < 8; i++) {
		clients[i].inbox = json_array();
		clients[i].client = server_connect(server, "test", &ops,
						   &clients[i]);
	}
	permit(0, 0);
	n_begun = 0;
}

static void
teardown(void)
{
	permit(1000, 0);
	for (int i = 0; i < 8; i++)
		if (clients[i].client)
			test_client_done(&clients[i]);
	fixture_done();
}

static void
insert(int client, int id, bool durable)
{
	ask(&clients[client], "{'id':%d,'method':'transact','params':['D',"
	    "{'op':'insert','table':'T','row':{'i':%d}}%s]}", id, id,
	    durable ? ",{'op':'commit','durable':true}" : "");
}

/* Its oldest message answers this request. */
static void
answered(int client, int id)
{
	json_t *message = take(&clients[client]);

	ck_assert_msg(json_integer_value(json_object_get(message, "id")) == id,
		      "client %d, not %d: %s", client, id,
		      message ? json_dumps(message, 0) : "nothing");
	ck_assert(json_is_null(json_object_get(message, "error")));
	json_decref(message);
}

static void
silent(int client)
{
	hear(&clients[client], NULL);
}

/* Until the journal has heard of so many syncs. */
static void
await_syncs(uint64_t n)
{
	struct journal_status status;
	int i;

	for (i = 0; i < 200; i++) {
		struct pollfd fd = { server_event_fd(server), POLLIN, 0 };

		server_run(server, i);
		journal_status(database_journal(database), &status);
		if (status.n_syncs >= n)
			break;
		ck_assert_int_eq(poll(&fd, 1, 5000), 1);
	}
	ck_assert_uint_eq(status.n_syncs, n);
}

START_TEST(replies_wait_their_turn)
{
	server_event_fd(server);
	ask(&clients[3], "{'id':9,'method':'monitor','params':['D',null,"
	    "{'T':{}}]}");
	answered(3, 9);
	insert(0, 1, true);
	ck_assert_int_eq(holds[0], CLIENT_OWED);
	await_begun(1);
	insert(1, 2, false);
	insert(1, 3, true);
	ask(&clients[0], "{'id':4,'method':'transact','params':['D',{'op':"
	    "'select','table':'T','where':[]}]}");
	ask(&clients[0], "{'id':5,'method':'echo','params':[]}");
	insert(0, 6, false);
	ck_assert_int_eq(holds[0], CLIENT_FULL);
	/* Who waits for nothing is answered, and sees what is in force; who
	 * watches is told. */
	ask(&clients[2], "{'id':7,'method':'transact','params':['D',{'op':"
	    "'wait','timeout':0,'table':'T','where':[['i','<',4]],'columns':"
	    "['i'],'until':'==','rows':[{'i':1},{'i':2},{'i':3}]}]}");
	answered(2, 7);
	for (int i = 0; i < 3; i++)
		json_decref(take(&clients[3]));
	silent(3);
	server_run(server, 0);
	silent(0);
	silent(1);

	permit(1, 0);
	await_syncs(1);
	answered(0, 1);
	answered(0, 4);
	answered(0, 5);
	answered(1, 2);
	silent(1);
	/* It is later than the third. */
	silent(0);
	ck_assert_int_eq(holds[0], CLIENT_OWED);
	permit(1, 0);
	await_syncs(2);
	answered(1, 3);
	answered(0, 6);
	ck_assert_int_eq(holds[0], CLIENT_FREE);
}
END_TEST

START_TEST(many_share_one_sync)
{
	struct journal_status status;
	struct server_counters counters;

	server_event_fd(server);
	for (int i = 0; i < 8; i++)
		insert(i, i, true);
	server_counters(server, &counters);
	ck_assert_uint_eq(counters.n_held, 8);
	permit(2, 0);
	/* The first may have begun with one of them or with more. */
	for (int i = 0; i < 100 && counters.n_held; i++) {
		struct pollfd fd = { server_event_fd(server), POLLIN, 0 };

		poll(&fd, 1, 5000);
		server_run(server, i);
		server_counters(server, &counters);
	}
	for (int i = 0; i < 8; i++)
		answered(i, i);
	journal_status(database_journal(database), &status);
	ck_assert_uint_eq(status.n_durable, 8);
	ck_assert_uint_le(status.n_syncs, 2);
}
END_TEST

START_TEST(what_is_not_on_disk_is_said)
{
	struct server_counters counters;
	json_t *message, *result;

	server_event_fd(server);
	insert(0, 1, true);
	insert(1, 2, false);
	permit(1, EIO);
	await_syncs(1);
	message = take(&clients[0]);
	result = json_object_get(message, "result");
	ck_assert_uint_eq(json_array_size(result), 3);
	ck_assert_ptr_nonnull(json_object_get(json_array_get(result, 0),
					      "uuid"));
	ck_assert_str_eq(json_string_value(json_object_get(
				json_array_get(result, 2), "error")),
			 "I/O error");
	ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(
				json_array_get(result, 2), "details")),
				     "in force"));
	json_decref(message);
	answered(1, 2);
	server_counters(server, &counters);
	ck_assert_uint_eq(counters.n_lost, 1);
	ck_assert_uint_eq(counters.n_held, 0);
	/* Then the file is written anew. */
	permit(1000, 0);
	for (int i = 0; i < 2000 && server_deadline(server) < INT64_MAX; i++) {
		server_run(server, i * 5);
		poll(NULL, 0, 1);
	}
	ck_assert(server_deadline(server) == INT64_MAX);
	insert(0, 3, true);
	await_syncs(2);
	answered(0, 3);
	silent(0);
}
END_TEST

START_TEST(a_client_that_goes_holds_up_nobody)
{
	server_event_fd(server);
	insert(0, 1, true);
	ask(&clients[0], "{'id':2,'method':'echo','params':[]}");
	await_begun(1);
	insert(1, 3, false);
	insert(0, 4, true);
	insert(2, 5, true);
	test_client_done(&clients[0]);
	clients[0].client = NULL;
	server_run(server, 0);
	answered(1, 3);
	silent(2);
	permit(2, 0);
	await_syncs(2);
	answered(2, 5);
}
END_TEST

START_TEST(nothing_is_left_when_a_database_goes)
{
	insert(0, 1, true);
	insert(1, 2, false);
	permit(1000, 0);
	server_remove_database(server, database);
	answered(0, 1);
	answered(1, 2);
	ck_assert_ptr_null(server_add_database(server, database));
	insert(0, 3, true);
	ask(&clients[1], "{'id':4,'method':'convert','params':['D',{'name':"
	    "'D','tables':{'T':{'columns':{'i':{'type':'integer'},'j':{"
	    "'type':'integer'}}}}}]}");
	answered(0, 3);
	answered(1, 4);
}
END_TEST

START_TEST(who_sends_much_is_asked_to_wait)
{
	server_event_fd(server);
	for (int i = 0; i < 300; i++) {
		insert(0, i, true);
		ck_assert_int_eq(holds[0], i < 255 ? CLIENT_OWED
						   : CLIENT_FULL);
	}
	permit(1000, 0);
	for (int i = 0; i < 100 && holds[0] != CLIENT_FREE; i++) {
		struct pollfd fd = { server_event_fd(server), POLLIN, 0 };

		ck_assert_int_eq(poll(&fd, 1, 5000), 1);
		server_run(server, i);
	}
	for (int i = 0; i < 300; i++)
		answered(0, i);
	silent(0);
}
END_TEST

START_TEST(nobody_needs_to_watch)
{
	permit(1000, 0);
	insert(0, 1, true);
	ck_assert(server_deadline(server) == INT64_MIN);
	server_run(server, 0);
	answered(0, 1);
	ck_assert(server_deadline(server) == INT64_MAX);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("all");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, replies_wait_their_turn);
	tcase_add_test(tests, many_share_one_sync);
	tcase_add_test(tests, what_is_not_on_disk_is_said);
	tcase_add_test(tests, a_client_that_goes_holds_up_nobody);
	tcase_add_test(tests, nothing_is_left_when_a_database_goes);
	tcase_add_test(tests, who_sends_much_is_asked_to_wait);
	tcase_add_test(tests, nobody_needs_to_watch);
	return run_suite(tests, "hold");
}
