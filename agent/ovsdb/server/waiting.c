/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/server/waiting.h"

#include <stdlib.h>
#include <string.h>
#include "agent/base/memory.h"
#include "agent/ovsdb/operation/transact.h"
#include "agent/ovsdb/server/client.h"
#include "agent/ovsdb/server/envelope.h"
#include "agent/ovsdb/server/hold.h"
#include "agent/ovsdb/store/journal.h"
#include "agent/ovsdb/value/encode.h"

struct waiting {
	struct list served_link;	/* In served.waits. */
	struct list client_link;	/* In client.waits. */
	struct client *client;
	struct served *served;
	json_t *id;
	json_t *params;			/* Or NULL, and what stands behind */
	struct text *operations;	/* the database's name in them. */
	int64_t started_ms, deadline_ms;
	bool is_search;			/* Waits for a lookup. */
};

/* What is asked for, until it waits: one that has begun now. */
struct asked {
	struct client *client;
	struct served *served;
	struct scanned id;		/* As text. */
	json_t *params;			/* As in struct waiting. */
	struct scan operations;
	int64_t started_ms;
};

static bool transact(const struct asked *, int64_t now_ms);
static enum transact_outcome execute(const struct asked *, int64_t now_ms,
				     int64_t *ret_deadline_ms);
static void answer(const struct asked *, struct encoding *reply,
		   const struct uuid *before, uint64_t durable);
static bool owns_lock(void *client, const char *name);
static void refuse(const struct asked *, struct ovsdb_error *);
static void begin(const struct asked *, bool is_search, int64_t deadline_ms);
static void set_search(struct waiting *, bool is_search);
static bool is_due(const struct waiting *, bool is_changed, int64_t now_ms);
static void expect(struct served *, int64_t deadline_ms);
static struct waiting *find(const struct client *, json_t *id);
static json_t *parse_id(const struct scanned *);
static void retry(struct waiting *, int64_t now_ms);
static void cancel(struct waiting *);
static void waiting_free(struct waiting *);

void
waiting_transact(struct client *client, json_t *id, struct served *served,
		 json_t *params, int64_t now_ms)
{
	char *text;

	if (find(client, id)) {
		client_reply_error(client, id,
				   ovsdb_syntax_error(params, "transact: "
						      "duplicate request "
						      "ID"));
		return;
	}
	text = json_dumps(id, JSON_COMPACT | JSON_ENCODE_ANY);
	if (!text)
		return;
	transact(&(const struct asked) {
			.client = client,
			.served = served,
			.id = { text, strlen(text) },
			.params = params,
			.started_ms = now_ms,
		 }, now_ms);
	free(text);
}

bool
waiting_transact_text(struct client *client, const struct envelope *envelope,
		      struct served *served, int64_t now_ms)
{
	const struct asked asked = {
		.client = client,
		.served = served,
		.id = envelope->id,
		.operations = envelope->operations,
		.started_ms = now_ms,
	};
	bool is_known = false;

	if (client->n_waits) {
		json_t *id = parse_id(&envelope->id);

		is_known = find(client, id) != NULL;
		json_decref(id);
	}
	return !is_known && transact(&asked, now_ms);
}

void
waiting_cancel(struct client *client, json_t *params)
{
	struct waiting *waiting = NULL;

	if (json_array_size(params) == 1)
		waiting = find(client, json_array_get(params, 0));
	if (waiting)
		cancel(waiting);
}

void
waiting_run(struct served *served, int64_t now_ms)
{
	bool is_changed = served->is_changed;
	struct list *link, *next;

	if (!is_changed && now_ms < served->deadline_ms
	    && (!served->n_searches
		|| database_is_building(served->database)))
		return;
	/* A transaction that goes through here sets 'is_changed' again, for
	 * those before it in the list; the next turn sees to them. */
	served->is_changed = false;
	served->deadline_ms = INT64_MAX;
	for (link = served->waits.next; link != &served->waits; link = next) {
		struct waiting *waiting = LIST_ENTRY(link, struct waiting,
						     served_link);

		next = link->next;
		if (is_due(waiting, is_changed, now_ms))
			retry(waiting, now_ms);
		else
			expect(served, waiting->deadline_ms);
	}
}

void
waiting_cancel_all(struct served *served)
{
	while (!list_is_empty(&served->waits))
		cancel(LIST_ENTRY(served->waits.next, struct waiting,
				  served_link));
}

void
waiting_drop(struct client *client)
{
	while (!list_is_empty(&client->waits))
		waiting_free(LIST_ENTRY(client->waits.next, struct waiting,
					client_link));
}

/* False, and nothing done, if it is text of the kind that is not read so. */
static bool
transact(const struct asked *asked, int64_t now_ms)
{
	struct client *client = asked->client;
	struct server *server = client->server;
	int64_t deadline_ms;

	switch (execute(asked, now_ms, &deadline_ms)) {
	case TRANSACT_DONE:
		server->counters.n_transactions++;
		break;
	case TRANSACT_EXCESSIVE:
		server->counters.n_refused_operations++;
		refuse(asked, ovsdb_error(OVSDB_RESOURCES_EXHAUSTED,
					  "a transaction may have %u"
					  " operations",
					  server->limits.n_operations));
		break;
	case TRANSACT_WAIT:
		server->counters.n_transactions++;
		if (client->n_waits < server->limits.n_waits) {
			begin(asked, false, deadline_ms);
			break;
		}
		server->counters.n_refused_waits++;
		refuse(asked, ovsdb_error(OVSDB_RESOURCES_EXHAUSTED,
					  "a client may have %u waiting"
					  " transactions",
					  server->limits.n_waits));
		break;
	case TRANSACT_SEARCH:
		server->counters.n_transactions++;
		begin(asked, true, INT64_MAX);
		break;
	case TRANSACT_ODD:
		return false;
	}
	return true;
}

/* Answers it if it is done. */
static enum transact_outcome
execute(const struct asked *asked, int64_t now_ms, int64_t *ret_deadline_ms)
{
	struct client *client = asked->client;
	struct served *served = asked->served;
	struct database *db = served->database;
	struct journal *journal = database_journal(db);
	const struct uuid before = *database_last_transaction(db);
	uint64_t durable = journal_last_durable(journal);
	const struct transact_request request = {
		.database = db,
		.params = asked->params,
		.text = asked->operations.p,
		.size = (size_t) (asked->operations.end
				  - asked->operations.p),
		.max_operations = client->server->limits.n_operations,
		.owns_lock = owns_lock,
		.ctx = client,
		.started_ms = asked->started_ms,
		.now_ms = now_ms,
		.is_patient = true,
		.read_only = served->is_reserved || client->is_read_only,
		.role = { client->role, client->identity },
	};
	struct encoding reply = { 0 };
	enum transact_outcome outcome;

	encode_text(&reply, "{\"id\":");
	encode_bytes(&reply, asked->id.text, asked->id.size);
	encode_text(&reply, ",\"result\":");
	outcome = transact_run(&request, &reply, ret_deadline_ms);
	/* A failure to write wants to be repaired, too. */
	if (journal_deadline(journal) < INT64_MAX && client->server->wake)
		client->server->wake(client->server->wake_ctx);
	if (outcome == TRANSACT_DONE)
		answer(asked, &reply, &before, durable);
	else
		encode_done(&reply);
	return outcome;
}

/* Takes over what is in 'reply'.  'before' and 'durable' were the last
 * transaction and the last durable one before this one. */
static void
answer(const struct asked *asked, struct encoding *reply,
       const struct uuid *before, uint64_t durable)
{
	struct database *db = asked->served->database;
	uint64_t now_durable = journal_last_durable(database_journal(db));

	encode_text(reply, ",\"error\":null}");
	hold_transaction(asked->client, asked->served,
			 !uuid_equal(before, database_last_transaction(db)),
			 now_durable == durable ? 0 : now_durable,
			 text_take(reply->bytes, reply->n));
}

static bool
owns_lock(void *client, const char *name)
{
	return lock_is_owner(client, name);
}

static void
refuse(const struct asked *asked, struct ovsdb_error *error)
{
	json_t *id = parse_id(&asked->id);

	client_reply_error(asked->client, id, error);
	json_decref(id);
}

static void
begin(const struct asked *asked, bool is_search, int64_t deadline_ms)
{
	struct waiting *waiting = xmalloc(sizeof *waiting);
	struct client *client = asked->client;
	const struct scan *operations = &asked->operations;

	*waiting = (struct waiting) {
		.client = client,
		.served = asked->served,
		.id = parse_id(&asked->id),
		.params = json_incref(asked->params),
		.started_ms = asked->started_ms,
		.deadline_ms = deadline_ms,
	};
	if (!asked->params)
		waiting->operations = text_copy(operations->p,
						(size_t) (operations->end
							  - operations->p));
	list_append(&asked->served->waits, &waiting->served_link);
	list_append(&client->waits, &waiting->client_link);
	client->n_waits++;
	client->server->counters.n_waits++;
	set_search(waiting, is_search);
	expect(asked->served, deadline_ms);
}

/* The server has something to do, either way. */
static void
set_search(struct waiting *waiting, bool is_search)
{
	struct server *server = waiting->client->server;

	if (waiting->is_search == is_search)
		return;
	waiting->is_search = is_search;
	waiting->client->n_searches += is_search ? 1 : -1;
	waiting->served->n_searches += is_search ? 1 : -1;
	if (server->wake)
		server->wake(server->wake_ctx);
}

static bool
is_due(const struct waiting *waiting, bool is_changed, int64_t now_ms)
{
	if (waiting->is_search)
		return !database_is_building(waiting->served->database);
	return is_changed || now_ms >= waiting->deadline_ms;
}

static void
expect(struct served *served, int64_t deadline_ms)
{
	struct server *server = served->server;

	if (deadline_ms >= served->deadline_ms)
		return;
	served->deadline_ms = deadline_ms;
	if (server->wake)
		server->wake(server->wake_ctx);
}

static struct waiting *
find(const struct client *client, json_t *id)
{
	const struct list *link;

	for (link = client->waits.next; link != &client->waits;
	     link = link->next) {
		struct waiting *waiting = LIST_ENTRY(link, struct waiting,
						     client_link);

		if (json_equal(waiting->id, id))
			return waiting;
	}
	return NULL;
}

static json_t *
parse_id(const struct scanned *id)
{
	return json_loadb(id->text, id->size, JSON_DECODE_ANY, NULL);
}

static void
retry(struct waiting *waiting, int64_t now_ms)
{
	const struct text *operations = waiting->operations;
	enum transact_outcome outcome;
	char *id = json_dumps(waiting->id, JSON_COMPACT | JSON_ENCODE_ANY);
	struct asked asked = {
		.client = waiting->client,
		.served = waiting->served,
		.id = { id, strlen(id) },
		.params = waiting->params,
		.started_ms = waiting->started_ms,
	};

	if (operations)
		asked.operations = (struct scan) {
			operations->bytes, operations->bytes + operations->size
		};
	waiting->deadline_ms = INT64_MAX;
	outcome = execute(&asked, now_ms, &waiting->deadline_ms);
	set_search(waiting, outcome == TRANSACT_SEARCH);
	if (outcome == TRANSACT_WAIT || outcome == TRANSACT_SEARCH)
		expect(waiting->served, waiting->deadline_ms);
	else
		waiting_free(waiting);
	free(id);
}

static void
cancel(struct waiting *waiting)
{
	client_reply_refusal(waiting->client, waiting->id, OVSDB_CANCELED);
	waiting_free(waiting);
}

static void
waiting_free(struct waiting *waiting)
{
	set_search(waiting, false);
	list_remove(&waiting->served_link);
	list_remove(&waiting->client_link);
	waiting->client->n_waits--;
	waiting->client->server->counters.n_waits--;
	json_decref(waiting->id);
	json_decref(waiting->params);
	text_unref(waiting->operations);
	free(waiting);
}
