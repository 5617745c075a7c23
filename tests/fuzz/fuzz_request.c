/* SPDX-License-Identifier: Apache-2.0 */

/* Whatever two clients say to a server: it answers each request that it is
 * not left waiting for, exactly once, and lives. */

#include <stdint.h>
#include <stdlib.h>
#include <jansson.h>
#include "agent/net/jsonrpc.h"
#include "agent/ovsdb/server/server.h"

enum { MAX_SIZE = 16384, MAX_DEPTH = 64, N_CLIENTS = 2 };

static const char schema_text[] =
	"{\"name\":\"t\",\"version\":\"1.0.0\",\"tables\":{\"A\":{\"isRoot\":"
	"true,\"maxRows\":9,\"indexes\":[[\"n\"]],\"columns\":{\"n\":{\"type\""
	":\"integer\"},\"s\":{\"type\":{\"key\":\"string\",\"min\":0,\"max\":"
	"\"unlimited\"}},\"m\":{\"type\":{\"key\":\"string\",\"value\":"
	"\"real\",\"min\":0,\"max\":4}},\"r\":{\"type\":{\"key\":{\"type\":"
	"\"uuid\",\"refTable\":\"B\"},\"min\":0,\"max\":2}}}},\"B\":{"
	"\"columns\":{\"b\":{\"type\":\"boolean\"}}}}}";

static unsigned n_sent;

static void play(struct server *, const char *text, size_t size);
static bool is_request(json_t *message);
static void count(void *ctx, json_t *message);

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	json_t *json = json_loads(schema_text, 0, NULL);
	struct server *server = server_new();
	struct database *database;
	struct schema *schema;

	if (schema_from_json(json, &schema))
		abort();
	json_decref(json);
	database = database_new(schema, NULL);
	if (server_add_database(server, database))
		abort();
	play(server, (const char *) bytes, size);
	server_free(server);
	database_free(database);
	return 0;
}

/* The messages go to the clients in turn. */
static void
play(struct server *server, const char *text, size_t size)
{
	static const struct client_ops ops = { .send = count };
	struct client *clients[N_CLIENTS];
	struct jsonrpc_reader reader;
	int64_t now_ms = 0;
	size_t used, text_size;
	const char *message;

	for (int i = 0; i < N_CLIENTS; i++)
		clients[i] = server_connect(server, "fuzz", &ops, NULL);
	jsonrpc_reader_init(&reader, MAX_SIZE, MAX_DEPTH);
	while (size && jsonrpc_read_text(&reader, text, size, &used, &message,
					 &text_size) == JSONRPC_MESSAGE) {
		json_t *json = json_loadb(message, text_size, 0, NULL);
		struct server_counters before, after;
		enum client_verdict verdict;

		server_counters(server, &before);
		n_sent = 0;
		verdict = client_receive_text(clients[now_ms % N_CLIENTS],
					      message, text_size, now_ms);
		server_counters(server, &after);
		if ((verdict == CLIENT_MALFORMED) != !json)
			abort();
		if (verdict == CLIENT_CONTENT && is_request(json)
		    && n_sent + after.n_waits != 1 + before.n_waits)
			abort();
		server_run(server, ++now_ms);
		json_decref(json);
		text += used;
		size -= used;
	}
	server_run(server, INT64_MAX - 1);
	jsonrpc_reader_done(&reader);
	for (int i = 0; i < N_CLIENTS; i++)
		client_disconnect(clients[i]);
}

static bool
is_request(json_t *message)
{
	json_t *id = json_object_get(message, "id");

	return json_object_get(message, "method") && id && !json_is_null(id);
}

/* Replies alone. */
static void
count(void *ctx, json_t *message)
{
	(void) ctx;
	if (!json_object_get(message, "method"))
		n_sent++;
	json_decref(message);
}
