/* SPDX-License-Identifier: Apache-2.0 */

/* Many locks, many clients, beside a naive list of who stands where. */

#include "agent/ovsdb/server/lock.h"

#include "tests/unit/server_fixture.h"

enum { N_CLIENTS = 8, N_LOCKS = 100, N_STEPS = 4000 };

static struct test_client clients[N_CLIENTS];

/* The queue of each lock, the owner first. */
static struct {
	int clients[N_CLIENTS];
	int n;
} queues[N_LOCKS];

static void
set_up(void)
{
	fixture_init("{'name':'t','version':'1.0.0','tables':{}}");
	for (int i = 0; i < N_CLIENTS; i++)
		test_client_init(&clients[i]);
	memset(queues, 0, sizeof queues);
}

static void
tear_down(void)
{
	for (int i = 0; i < N_CLIENTS; i++)
		test_client_done(&clients[i]);
	fixture_done();
}

static int
place_of(int lock, int client)
{
	for (int i = 0; i < queues[lock].n; i++)
		if (queues[lock].clients[i] == client)
			return i;
	return -1;
}

static void
hear_notice(int client, const char *method, int lock)
{
	char text[100];

	snprintf(text, sizeof text, "{'id':null,'method':'%s','params':"
		 "['l%d']}", method, lock);
	hear(&clients[client], text);
}

static void
enter(int lock, int client, bool steal)
{
	int place = steal ? 0 : queues[lock].n;
	int *queue = queues[lock].clients;

	ask(&clients[client], "{'id':1,'method':'%s','params':['l%d']}",
	    steal ? "steal" : "lock", lock);
	if (place_of(lock, client) >= 0) {
		hear_error(&clients[client], "syntax error");
		return;
	}
	memmove(queue + place + 1, queue + place,
		(size_t) (queues[lock].n - place) * sizeof *queue);
	queue[place] = client;
	queues[lock].n++;
	hear(&clients[client], place ? "{'id':1,'result':{'locked':false},"
				       "'error':null}"
				     : "{'id':1,'result':{'locked':true},"
				       "'error':null}");
	if (steal && queues[lock].n > 1)
		hear_notice(queue[1], "stolen", lock);
}

static void
drop_out(int lock, int client)
{
	int place = place_of(lock, client);
	int *queue = queues[lock].clients;

	queues[lock].n--;
	memmove(queue + place, queue + place + 1,
		(size_t) (queues[lock].n - place) * sizeof *queue);
	if (!place && queues[lock].n)
		hear_notice(queue[0], "locked", lock);
}

static void
leave(int lock, int client)
{
	ask(&clients[client], "{'id':1,'method':'unlock','params':['l%d']}",
	    lock);
	if (place_of(lock, client) < 0) {
		hear_error(&clients[client], "syntax error");
		return;
	}
	hear(&clients[client], "{'id':1,'result':{},'error':null}");
	drop_out(lock, client);
}

/* Claims end in the order in which they began, which a naive list does not
 * know: notices are looked for, not awaited. */
static void
go(int client)
{
	client_disconnect(clients[client].client);
	json_decref(clients[client].inbox);
	for (int lock = 0; lock < N_LOCKS; lock++) {
		int place = place_of(lock, client);
		int *queue = queues[lock].clients;
		json_t *inbox;
		size_t i = 0;
		char name[20];

		if (place < 0)
			continue;
		queues[lock].n--;
		memmove(queue + place, queue + place + 1,
			(size_t) (queues[lock].n - place) * sizeof *queue);
		if (place || !queues[lock].n)
			continue;
		inbox = clients[queue[0]].inbox;
		snprintf(name, sizeof name, "l%d", lock);
		while (i < json_array_size(inbox)
		       && strcmp(json_string_value(json_array_get(
				json_object_get(json_array_get(inbox, i),
						"params"), 0)), name))
			i++;
		ck_assert_uint_lt(i, json_array_size(inbox));
		json_array_remove(inbox, i);
	}
	test_client_init(&clients[client]);
}

START_TEST(twin)
{
	srand((unsigned) _i);
	for (int step = 0; step < N_STEPS; step++) {
		int lock = rand() % N_LOCKS, client = rand() % N_CLIENTS;
		int what = rand() % 100;

		if (what < 50)
			enter(lock, client, what < 15);
		else if (what < 99)
			leave(lock, client);
		else
			go(client);
		for (int i = 0; i < N_CLIENTS; i++)
			hear(&clients[i], NULL);
	}
	for (int lock = 0; lock < N_LOCKS; lock++) {
		char name[20];

		snprintf(name, sizeof name, "l%d", lock);
		for (int i = 0; i < N_CLIENTS; i++)
			ck_assert_int_eq(lock_is_owner(clients[i].client,
						       name),
					 place_of(lock, i) == 0);
	}
}
END_TEST

/* What people are told of them is short, however long the names are. */
START_TEST(lists_say_what_they_leave_out)
{
	static const char name[] = "a123456789012345678901234567890123456789"
				   "0123456789012345678901234567890123456789";
	struct test_client *client = &clients[0];
	struct client_locks locks;

	client_list_locks(client->client, &locks);
	ck_assert_str_eq(locks.names[LOCKS_HELD], "");
	ask(client, "{'id':1,'method':'lock','params':['%s%s%s%s']}", name,
	    name, name, name);
	hear(client, "{'id':1,'result':{'locked':true},'error':null}");
	client_list_locks(client->client, &locks);
	ck_assert_str_eq(locks.names[LOCKS_HELD], "...");
	for (int i = 0; i < 8; i++) {
		ask(client, "{'id':1,'method':'lock','params':['l%d%s']}", i,
		    name);
		hear(client, "{'id':1,'result':{'locked':true},"
			     "'error':null}");
	}
	client_list_locks(client->client, &locks);
	ck_assert_ptr_nonnull(strstr(locks.names[LOCKS_HELD], " l1a"));
	ck_assert_ptr_null(strstr(locks.names[LOCKS_HELD], " l7a"));
	ck_assert_str_eq(locks.names[LOCKS_HELD]
			 + strlen(locks.names[LOCKS_HELD]) - 4, " ...");
	ck_assert_str_eq(locks.names[LOCKS_WAITING], "");
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, twin, 0, 5);
	tcase_add_test(tcase, lists_say_what_they_leave_out);
	return run_suite(tcase, "lock");
}
