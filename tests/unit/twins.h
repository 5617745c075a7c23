/* SPDX-License-Identifier: Apache-2.0 */

#ifndef UNIT_TWINS_H
#define UNIT_TWINS_H 1

/* Two servers with the same database that hear the same messages: one as
 * trees of JSON, the other as text.  Whatever they are told they must say and
 * hold the same, but for the UUIDs that they make up. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>
#include "agent/base/text.h"
#include "agent/ovsdb/server/server.h"
#include "agent/ovsdb/value/encode.h"

struct side {
	struct server *server;
	struct database *database;
	struct client *client;
	json_t *inbox;
	json_t *seen;		/* UUIDs of rows, in the order of inserts. */
};

struct twins {
	struct side tree, text;
	int64_t now_ms;
};

static inline void
side_send(void *side_, json_t *message)
{
	struct side *side = side_;

	json_array_append_new(side->inbox, message);
}

static inline void
side_send_text(void *side, struct text *const *pieces, size_t n)
{
	struct encoding all = { 0 };
	json_t *message;

	for (size_t i = 0; i < n; i++)
		encode_bytes(&all, pieces[i]->bytes, pieces[i]->size);
	encode_bytes(&all, "", 1);
	message = json_loads(all.bytes, 0, NULL);
	if (!message)
		abort();
	side_send(side, message);
	encode_done(&all);
}

static inline void
side_init(struct side *side, json_t *schema_json, const char *first)
{
	static const struct client_ops ops = {
		.send = side_send, .send_text = side_send_text,
	};
	struct schema *schema;
	json_t *message;

	if (schema_from_json(schema_json, &schema))
		abort();
	side->database = database_new(schema, NULL);
	side->server = server_new();
	if (server_add_database(side->server, side->database))
		abort();
	side->client = server_connect(side->server, "twin", &ops, side);
	side->inbox = json_array();
	side->seen = json_array();
	if (!first)
		return;
	message = json_loads(first, 0, NULL);
	client_receive(side->client, message, 0);
	json_decref(message);
}

static inline void
side_done(struct side *side)
{
	client_disconnect(side->client);
	server_free(side->server);
	database_free(side->database);
	json_decref(side->inbox);
	json_decref(side->seen);
}

/* 'first' NULL, or a request that both sides hear before. */
static inline void
twins_init(struct twins *twins, json_t *schema, const char *first)
{
	twins->now_ms = 0;
	side_init(&twins->tree, schema, first);
	side_init(&twins->text, schema, first);
}

static inline void
twins_done(struct twins *twins)
{
	side_done(&twins->tree);
	side_done(&twins->text);
}

/* UUIDs, wherever in the string, become numbers; 'seen' NULL: all the same.
 * Which of two rows is the first one is a question of their UUIDs. */
static inline json_t *
plain_string(const char *text, json_t *seen)
{
	const char *rows = strstr(text, ".  First row");
	struct encoding e = { 0 };
	char uuid[UUID_TEXT_SIZE];
	struct uuid ignored;
	json_t *string;

	while (*text && text != rows) {
		char name[32] = "<?>";
		size_t n = 0;

		if (strlen(text) < sizeof uuid - 1
		    || !uuid_from_bytes(text, &ignored)) {
			encode_bytes(&e, text++, 1);
			continue;
		}
		memcpy(uuid, text, sizeof uuid - 1);
		uuid[sizeof uuid - 1] = '\0';
		while (n < json_array_size(seen)
		       && strcmp(json_string_value(json_array_get(seen, n)),
				 uuid))
			n++;
		if (n < json_array_size(seen))
			snprintf(name, sizeof name, "<%zu>", n);
		encode_text(&e, name);
		text += sizeof uuid - 1;
	}
	/* Half a UTF-8 sequence at the end of an error's "syntax" is not
	 * here: jansson would not have read it. */
	string = json_stringn_nocheck(e.bytes ? e.bytes : "", e.n);
	encode_done(&e);
	return string;
}

static inline int
compare_dumps(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* In an order that UUIDs have no part in. */
static inline void
sort_elements(json_t *array)
{
	size_t n = json_array_size(array);
	char **dumps = calloc(n + 1, sizeof *dumps);

	for (size_t i = 0; i < n; i++)
		dumps[i] = json_dumps(json_array_get(array, i),
				      JSON_ENCODE_ANY | JSON_SORT_KEYS);
	qsort(dumps, n, sizeof *dumps, compare_dumps);
	for (size_t i = 0; i < n; i++) {
		json_array_set_new(array, i, json_loads(dumps[i],
							JSON_DECODE_ANY,
							NULL));
		free(dumps[i]);
	}
	free(dumps);
}

static inline json_t *
plain(json_t *json, json_t *seen)
{
	json_t *copy, *value;
	const char *name;
	size_t i;

	if (json_is_string(json))
		return plain_string(json_string_value(json), seen);
	if (json_is_array(json)) {
		const char *class;

		copy = json_array();
		json_array_foreach(json, i, value)
			json_array_append_new(copy, plain(value, seen));
		class = json_string_value(json_array_get(copy, 0));
		if (class && (!strcmp(class, "set") || !strcmp(class, "map")))
			sort_elements(json_array_get(copy, 1));
		return copy;
	}
	if (json_is_object(json)) {
		copy = json_object();
		/* Of many rows that are at fault one is named. */
		json_object_foreach(json, name, value)
			json_object_set_new(copy, name, plain(
				value, strcmp(name, "details") ? seen : NULL));
		sort_elements(json_object_get(copy, "rows"));
		return copy;
	}
	return json_incref(json);
}

/* All that was said, of which 'seen' learns what rows are called. */
static inline json_t *
side_take(struct side *side)
{
	json_t *message, *result, *all;
	size_t i, j;

	json_array_foreach(side->inbox, i, message) {
		json_array_foreach(json_object_get(message, "result"), j,
				   result) {
			json_t *uuid = json_array_get(json_object_get(
						result, "uuid"), 1);

			if (uuid)
				json_array_append(side->seen, uuid);
		}
	}
	all = plain(side->inbox, side->seen);
	json_array_clear(side->inbox);
	return all;
}

/* All rows of all tables, without versions. */
static inline json_t *
side_content(const struct side *side)
{
	const struct schema *schema = database_schema(side->database);
	json_t *all = json_array();

	for (size_t i = 0; i < schema->n_tables; i++) {
		const struct table *table = database_table_at(side->database,
							      i);
		const struct table_schema *columns = table_schema(table);
		const struct row *row;

		for (row = table_first(table); row;
		     row = table_next(table, row)) {
			json_t *json = json_array(), *hidden;

			json_array_append_new(json,
					      json_string(columns->name));
			for (size_t j = 0; j < columns->n_columns; j++) {
				const struct column *c = columns->columns[j];
				struct datum room;

				if (j == COLUMN_VERSION)
					continue;
				json_array_append_new(json, datum_to_json(
					row_datum(row, c, &room), &c->type));
			}
			hidden = plain(json, side->seen);
			json_array_append_new(all, hidden);
			json_decref(json);
		}
	}
	sort_elements(all);
	return all;
}

static inline char *
twins_differ(const char *what, json_t *tree, json_t *text)
{
	char *problem = NULL;

	if (!json_equal(tree, text)) {
		char *a = json_dumps(tree, JSON_SORT_KEYS);
		char *b = json_dumps(text, JSON_SORT_KEYS);

		if (asprintf(&problem, "%s: as a tree %s, as text %s", what, a,
			     b) < 0)
			abort();
		free(a);
		free(b);
	}
	json_decref(tree);
	json_decref(text);
	return problem;
}

static inline enum client_verdict
side_hear_tree(struct side *side, const char *text, size_t size,
	       int64_t now_ms)
{
	json_t *message = json_loadb(text, size, 0, NULL);
	bool is_right;

	if (!json_is_object(message)) {
		json_decref(message);
		return CLIENT_MALFORMED;
	}
	is_right = client_receive(side->client, message, now_ms);
	json_decref(message);
	return is_right ? CLIENT_CONTENT : CLIENT_REFUSED;
}

static inline json_t *
side_state(struct side *side)
{
	struct server_counters c;

	server_counters(side->server, &c);
	return json_pack("[I,I,I,I,I]", (json_int_t) c.n_requests,
			 (json_int_t) c.n_errors,
			 (json_int_t) c.n_transactions,
			 (json_int_t) c.n_refused_operations,
			 (json_int_t) c.n_waits);
}

/* NULL, or the first difference; free() it. */
static inline char *
twins_hear(struct twins *twins, const char *text, size_t size)
{
	int64_t now_ms = twins->now_ms++;
	enum client_verdict a, b;
	char *problem;

	a = side_hear_tree(&twins->tree, text, size, now_ms);
	b = client_receive_text(twins->text.client, text, size, now_ms);
	problem = twins_differ("verdict", json_integer(a), json_integer(b));
	server_run(twins->tree.server, twins->now_ms);
	server_run(twins->text.server, twins->now_ms);
	if (!problem)
		problem = twins_differ("messages", side_take(&twins->tree),
				       side_take(&twins->text));
	if (!problem)
		problem = twins_differ("rows", side_content(&twins->tree),
				       side_content(&twins->text));
	if (!problem)
		problem = twins_differ("counters", side_state(&twins->tree),
				       side_state(&twins->text));
	return problem;
}

#endif /* unit/twins.h */
