/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/server/client.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/memory.h"
#include "agent/ovsdb/server/hold.h"
#include "agent/ovsdb/value/encode.h"

static json_t *parse_pieces(struct text *const *pieces, size_t n);

json_t *
client_result(json_t *id, json_t *result)
{
	return json_pack("{s:O, s:o, s:n}", "id", id, "result", result,
			 "error");
}

void
client_reply(struct client *client, json_t *id, json_t *result)
{
	hold_answer(client, client_result(id, result));
}

void
client_reply_error(struct client *client, json_t *id,
		   struct ovsdb_error *error)
{
	client->server->counters.n_errors++;
	hold_answer(client, json_pack("{s:O, s:n, s:o}", "id", id, "result",
				      "error", ovsdb_error_to_json(error)));
	ovsdb_error_free(error);
}

void
client_reply_refusal(struct client *client, json_t *id, const char *text)
{
	client->server->counters.n_errors++;
	hold_answer(client, json_pack("{s:O, s:n, s:s}", "id", id, "result",
				      "error", text));
}

void
client_notify(struct client *client, const char *method, json_t *params)
{
	client->ops->send(client->ctx,
			  json_pack("{s:n, s:s, s:o}", "id", "method", method,
				    "params", params));
}

void
client_send_text(struct client *client, struct text *const *pieces, size_t n)
{
	if (client->ops->send_text)
		client->ops->send_text(client->ctx, pieces, n);
	else
		client->ops->send(client->ctx, parse_pieces(pieces, n));
}

void
client_reply_text(struct client *client, json_t *id,
		  struct text *const *pieces, size_t n)
{
	struct text **all = xmalloc((n + 2) * sizeof *all);
	char *dump = json_dumps(id, JSON_COMPACT | JSON_ENCODE_ANY);
	char *head = xasprintf("{\"id\":%s,\"result\":", dump);
	static const char tail[] = ",\"error\":null}";

	all[0] = text_take(head, strlen(head));
	memcpy(all + 1, pieces, n * sizeof *all);
	all[n + 1] = text_copy(tail, strlen(tail));
	client_send_text(client, all, n + 2);
	text_unref(all[0]);
	text_unref(all[n + 1]);
	free(all);
	free(dump);
}

void
client_send_source(struct client *client, struct source *source)
{
	struct text **pieces = NULL, *piece;
	size_t n = 0, max = 0;

	if (client->ops->send_source) {
		client->ops->send_source(client->ctx, source);
		return;
	}
	while ((piece = source->next(source))) {
		if (n == max) {
			max = 2 * max + 8;
			pieces = xrealloc(pieces, max * sizeof *pieces);
		}
		pieces[n++] = piece;
	}
	source->free(source);
	client_send_text(client, pieces, n);
	while (n)
		text_unref(pieces[--n]);
	free(pieces);
}

static json_t *
parse_pieces(struct text *const *pieces, size_t n)
{
	struct encoding whole = { 0 };
	json_t *message;

	for (size_t i = 0; i < n; i++)
		encode_bytes(&whole, pieces[i]->bytes, pieces[i]->size);
	message = json_loadb(whole.bytes, whole.n, 0, NULL);
	encode_done(&whole);
	assert(message);
	return message;
}
