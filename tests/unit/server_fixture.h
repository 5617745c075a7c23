/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TESTS_UNIT_SERVER_FIXTURE_H
#define TESTS_UNIT_SERVER_FIXTURE_H 1

/* A server with one database in memory, and clients whose messages pile up.
 * JSON is written with ' for ". */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <check.h>
#include <jansson.h>
#include "agent/ovsdb/server/server.h"

struct test_client {
	struct client *client;
	json_t *inbox;
	bool is_dismissed, is_lost;
	bool is_full;			/* It takes nothing, says the test. */
	int room;			/* Messages until it is; 0: never. */
};

static struct server *server;
static struct database *database;

static json_t *
json_of(const char *text)
{
	char *copy = strdup(text);
	json_error_t error;
	json_t *json;

	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	json = json_loads(copy, JSON_DECODE_ANY, &error);
	ck_assert_msg(json != NULL, "%s: %s", copy, error.text);
	free(copy);
	return json;
}

static struct database *
new_database(const char *schema_text)
{
	json_t *json = json_of(schema_text);
	struct schema *schema;

	ck_assert_ptr_null(schema_from_json(json, &schema));
	json_decref(json);
	return database_new(schema, NULL);
}

static void __attribute__((unused))
fixture_init(const char *schema_text)
{
	database = new_database(schema_text);
	server = server_new();
	ck_assert_ptr_null(server_add_database(server, database));
}

static void
fixture_done(void)
{
	server_free(server);
	database_free(database);
}

static void
pile_up(void *client_, json_t *message)
{
	struct test_client *client = client_;

	json_array_append_new(client->inbox, message);
	if (client->room && !--client->room)
		client->is_full = true;
}

static void
dismiss(void *client_)
{
	struct test_client *client = client_;

	client->is_dismissed = true;
}

static bool
is_backlogged(void *client_)
{
	const struct test_client *client = client_;

	return client->is_full;
}

static void
lose(void *client_)
{
	struct test_client *client = client_;

	ck_assert(!client->is_lost);
	client->is_lost = true;
}

static void __attribute__((unused))
test_client_init(struct test_client *client)
{
	static const struct client_ops ops = {
		.send = pile_up,
		.dismiss = dismiss,
		.is_backlogged = is_backlogged,
		.lose = lose,
	};

	*client = (struct test_client) { .room = 0 };
	client->inbox = json_array();
	client->client = server_connect(server, "test", &ops, client);
}

static void
test_client_done(struct test_client *client)
{
	client_disconnect(client->client);
	json_decref(client->inbox);
}

/* Sends a message; takes over 'message'. */
static void
put(struct test_client *client, json_t *message, int64_t now_ms)
{
	ck_assert(client_receive(client->client, message, now_ms));
	json_decref(message);
}

static void __attribute__((unused, format(printf, 2, 3)))
ask(struct test_client *client, const char *format, ...)
{
	char text[4096];
	va_list args;

	va_start(args, format);
	ck_assert_uint_lt((size_t) vsnprintf(text, sizeof text, format, args),
			  sizeof text);
	va_end(args);
	put(client, json_of(text), 0);
}

/* The oldest message, which the caller owns; NULL if there is none. */
static json_t *
take(struct test_client *client)
{
	json_t *message = json_incref(json_array_get(client->inbox, 0));

	json_array_remove(client->inbox, 0);
	return message;
}

/* The oldest message is this; NULL: there is none. */
static void __attribute__((unused))
hear(struct test_client *client, const char *expected_text)
{
	json_t *actual = take(client), *expected;

	if (!expected_text) {
		ck_assert_msg(!actual, "%s", json_dumps(actual, 0));
		return;
	}
	expected = json_of(expected_text);
	ck_assert_msg(actual && json_equal(actual, expected), "%s not %s",
		      actual ? json_dumps(actual, 0) : "nothing",
		      expected_text);
	json_decref(expected);
	json_decref(actual);
}

/* The oldest message is an error of this name. */
static void __attribute__((unused))
hear_error(struct test_client *client, const char *name)
{
	json_t *message = take(client);
	json_t *error = json_object_get(message, "error");
	const char *actual = json_string_value(
		json_object_get(error, "error"));

	ck_assert_msg(actual && !strcmp(actual, name), "%s not %s",
		      json_dumps(message, 0), name);
	json_decref(message);
}

static int
run_suite(TCase *tcase, const char *name)
{
	Suite *suite = suite_create(name);
	SRunner *runner;
	int n_failed;

	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
