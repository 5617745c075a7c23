/* SPDX-License-Identifier: Apache-2.0 */

/* Plays transcripts: what clients send, and every message that comes back.
 *
 *     transcript FILE...		against a server in this process
 *     transcript --socket=PATH FILE	against one behind a Unix socket
 *     transcript --stock --socket=PATH FILE
 *					and that is ovsdb-server
 *     transcript --schema FILE		prints the schema
 *
 * A file is {"about", "schema", "steps"}; a step is one of
 *
 *     {"client", "method", "params", "id", "result" | "error" | "waits",
 *	"others"}
 *	    a request; "id" is 0 where it is not given.  The client gets this
 *	    reply and nothing else, or, with "waits", nothing; each member of
 *	    "others" is another client and the list of what it gets.
 *     {"client", "method", "params", "id", "gets", "others"}
 *	    the same, with the list of everything the client gets, in order.
 *     {"client", "message", "gets", "others"}
 *	    any message.
 *     {"advance_ms", "others"}, {"disconnect", "others"}
 *	    the clock moves on; a client goes.
 *
 * Messages are written without members that are null.  {} is a connection
 * that the server closes.  A step with "unlike_stock", which says why, is not
 * held against ovsdb-server; one with "not_stock" is not even sent to it. */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>
#include "tests/ovsdb/match.h"
#include "tests/ovsdb/peers.h"

struct play {
	const char *file;
	size_t step;
	bool is_stock;
	struct match match;
	struct peers *peers;
};

static unsigned n_passed, n_failed;

static json_t *load(const char *file);
static void play_file(const char *file, const char *socket_path,
		      bool is_stock);
static void play_step(struct play *, json_t *step);
static void act(struct play *, json_t *step);
static bool check_all(struct play *, json_t *step);
static bool check(struct play *, json_t *step, const char *client,
		  json_t *expected);
static json_t *expect(json_t *step);
static json_t *without_nulls(json_t *message);
static void complain(const struct play *, const char *client,
		     json_t *expected, json_t *actual);

int
main(int argc, char *argv[])
{
	const char *socket_path = NULL;
	bool is_stock = false;
	int i;

	for (i = 1; i < argc && !strncmp(argv[i], "--", 2); i++)
		if (!strncmp(argv[i], "--socket=", 9)) {
			socket_path = argv[i] + 9;
		} else if (!strcmp(argv[i], "--stock")) {
			is_stock = true;
		} else if (!strcmp(argv[i], "--schema") && i + 1 < argc) {
			json_t *file = load(argv[i + 1]);

			json_dumpf(json_object_get(file, "schema"), stdout,
				   JSON_INDENT(1));
			json_decref(file);
			return EXIT_SUCCESS;
		}
	for (; i < argc; i++)
		play_file(argv[i], socket_path, is_stock);
	printf("%u passed, %u failed\n", n_passed, n_failed);
	return n_failed || !n_passed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static json_t *
load(const char *file)
{
	json_error_t error;
	json_t *json = json_load_file(file, JSON_REJECT_DUPLICATES, &error);

	if (!json) {
		fprintf(stderr, "%s:%d: %s\n", file, error.line, error.text);
		exit(EXIT_FAILURE);
	}
	return json;
}

static void
play_file(const char *file, const char *socket_path, bool is_stock)
{
	json_t *json = load(file), *step;
	struct play play = { .file = file, .is_stock = is_stock };
	unsigned n_before = n_passed + n_failed;
	size_t i;

	play.peers = socket_path
		     ? peers_outside(socket_path)
		     : peers_inside(json_object_get(json, "schema"));
	json_array_foreach(json_object_get(json, "steps"), i, step) {
		play.step = i + 1;
		if (!is_stock || !json_object_get(step, "not_stock"))
			play_step(&play, step);
	}
	if (n_passed + n_failed == n_before) {
		printf("%s: no step was played\n", file);
		n_failed++;
	}
	peers_free(play.peers);
	json_decref(json);
}

static void
play_step(struct play *play, json_t *step)
{
	bool is_free = play->is_stock
		       && json_object_get(step, "unlike_stock");

	bool is_right;

	act(play, step);
	is_right = check_all(play, step);
	if (is_right && is_free)
		printf("%s: step %zu is like ovsdb-server's after all\n",
		       play->file, play->step);
	if (is_right || is_free)
		n_passed++;
	else
		n_failed++;
}

static void
act(struct play *play, json_t *step)
{
	const char *client
		= json_string_value(json_object_get(step, "client"));
	const char *gone
		= json_string_value(json_object_get(step, "disconnect"));
	json_t *message = json_object_get(step, "message"), *filled;

	if (gone) {
		peers_disconnect(play->peers, gone);
		return;
	}
	if (!client) {
		peers_advance(play->peers, json_integer_value(
				json_object_get(step, "advance_ms")));
		return;
	}
	if (message)
		json_incref(message);
	else
		message = json_pack("{s:O, s:O, s:o}", "method",
				    json_object_get(step, "method"),
				    "params",
				    json_object_get(step, "params"), "id",
				    json_deep_copy(json_object_get(step, "id"))
				    ?: json_integer(0));
	filled = match_fill(&play->match, message);
	peers_send(play->peers, client, filled);
	json_decref(filled);
	json_decref(message);
}

/* The client that acted first: its reply names the UUIDs that others hear
 * of. */
static bool
check_all(struct play *play, json_t *step)
{
	const char *client
		= json_string_value(json_object_get(step, "client"));
	json_t *others = json_object_get(step, "others");
	json_t *names = peers_names(play->peers), *name;
	bool is_right = true;
	size_t i;

	if (client) {
		json_t *expected = expect(step);

		is_right = check(play, step, client, expected);
		json_decref(expected);
	}
	json_array_foreach(names, i, name) {
		const char *other = json_string_value(name);
		json_t *expected = json_object_get(others, other);

		if (!client || strcmp(client, other))
			is_right &= check(play, step, other, expected);
	}
	json_decref(names);
	return is_right;
}

static bool
check(struct play *play, json_t *step, const char *client,
      json_t *expected)
{
	json_t *taken = peers_take(play->peers, client,
				   json_array_size(expected));
	json_t *actual = json_array(), *none = json_array(), *message;
	bool is_right;
	size_t i;

	json_array_foreach(taken, i, message)
		json_array_append_new(actual, without_nulls(message));
	is_right = match_equal(&play->match, expected ? expected : none,
			       actual);
	if (!is_right
	    && !(play->is_stock && json_object_get(step, "unlike_stock")))
		complain(play, client, expected ? expected : none, actual);
	json_decref(none);
	json_decref(actual);
	json_decref(taken);
	return is_right;
}

static json_t *
expect(json_t *step)
{
	json_t *gets = json_object_get(step, "gets");
	json_t *result = json_object_get(step, "result");
	json_t *error = json_object_get(step, "error");
	json_t *id = json_object_get(step, "id");

	if (gets)
		return json_incref(gets);
	if (!result && !error)
		return json_array();
	return json_pack("[{s:o, s:O}]", "id",
			 id ? json_incref(id) : json_integer(0),
			 result ? "result" : "error",
			 result ? result : error);
}

static json_t *
without_nulls(json_t *message)
{
	static const char *const names[] = { "id", "result", "error" };
	json_t *copy = json_copy(message);

	for (size_t i = 0; i < 3; i++)
		if (json_is_null(json_object_get(copy, names[i])))
			json_object_del(copy, names[i]);
	return copy;
}

static void
complain(const struct play *play, const char *client, json_t *expected,
	 json_t *actual)
{
	char *expected_text = json_dumps(expected, JSON_SORT_KEYS);
	char *actual_text = json_dumps(actual, JSON_SORT_KEYS);

	printf("%s: step %zu: %s\n  expected %s\n  got      %s\n",
	       play->file, play->step, client, expected_text, actual_text);
	free(expected_text);
	free(actual_text);
}
