/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/server/waiting.h"

#include <stdlib.h>
#include "agent/base/memory.h"
#include "agent/ovsdb/server/client.h"
#include "agent/ovsdb/server/hold.h"
#include "agent/ovsdb/store/journal.h"
#include "agent/ovsdb/operation/transact.h"

struct waiting {
	struct list served_link;	/* In served.waits. */
	struct list client_link;	/* In client.waits. */
	struct client *client;
	struct served *served;
	json_t *id, *params;
	int64_t started_ms, deadline_ms;
};

static struct ovsdb_error *check(struct client *, json_t *id,
				 json_t *params);
static enum transact_outcome execute(struct client *, struct served *,
				     json_t *id, json_t *params,
				     int64_t started_ms, int64_t now_ms,
				     int64_t *ret_deadline_ms);
static bool owns_lock(void *client, const char *name);
static void begin(struct client *, json_t *id, struct served *,
		  json_t *params, int64_t now_ms, int64_t deadline_ms);
static void expect(struct served *, int64_t deadline_ms);
static struct waiting *find(const struct client *, json_t *id);
static void retry(struct waiting *, int64_t now_ms);
static void cancel(struct waiting *);
static void waiting_free(struct waiting *);

void
waiting_transact(struct client *client, json_t *id, struct served *served,
		 json_t *params, int64_t now_ms)
{
	struct ovsdb_error *error = check(client, id, params);
	struct server *server = client->server;
	int64_t deadline_ms;

	if (error) {
		client_reply_error(client, id, error);
		return;
	}
	server->counters.n_transactions++;
	if (execute(client, served, id, params, now_ms, now_ms, &deadline_ms)
	    == TRANSACT_DONE)
		return;
	if (client->n_waits >= server->limits.n_waits) {
		server->counters.n_refused_waits++;
		client_reply_error(client, id,
				   ovsdb_error(OVSDB_RESOURCES_EXHAUSTED,
					       "a client may have %u waiting "
					       "transactions",
					       server->limits.n_waits));
	} else {
		begin(client, id, served, params, now_ms, deadline_ms);
	}
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

	if (!is_changed && now_ms < served->deadline_ms)
		return;
	/* A transaction that goes through here sets 'is_changed' again, for
	 * those before it in the list; the next turn sees to them. */
	served->is_changed = false;
	served->deadline_ms = INT64_MAX;
	for (link = served->waits.next; link != &served->waits; link = next) {
		struct waiting *waiting = LIST_ENTRY(link, struct waiting,
						     served_link);

		next = link->next;
		if (is_changed || now_ms >= waiting->deadline_ms)
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

static struct ovsdb_error *
check(struct client *client, json_t *id, json_t *params)
{
	struct server *server = client->server;

	if (find(client, id))
		return ovsdb_syntax_error(params, "transact: duplicate "
					  "request ID");
	if (json_array_size(params) - 1 > server->limits.n_operations) {
		server->counters.n_refused_operations++;
		return ovsdb_error(OVSDB_RESOURCES_EXHAUSTED, "a transaction "
				   "may have %u operations",
				   server->limits.n_operations);
	}
	return NULL;
}

/* Answers the request 'id' if it is done. */
static enum transact_outcome
execute(struct client *client, struct served *served, json_t *id,
	json_t *params, int64_t started_ms, int64_t now_ms,
	int64_t *ret_deadline_ms)
{
	struct database *db = served->database;
	struct journal *journal = database_journal(db);
	const struct uuid before = *database_last_transaction(db);
	uint64_t durable = journal_last_durable(journal);
	const struct transact_request request = {
		.database = db,
		.params = params,
		.owns_lock = owns_lock,
		.ctx = client,
		.started_ms = started_ms,
		.now_ms = now_ms,
		.read_only = served->is_reserved || client->is_read_only,
		.role = { client->role, client->identity },
	};
	enum transact_outcome outcome;
	json_t *reply;

	outcome = transact_execute(&request, &reply, ret_deadline_ms);
	/* A failure to write wants to be repaired, too. */
	if (journal_deadline(journal) < INT64_MAX && client->server->wake)
		client->server->wake(client->server->wake_ctx);
	if (outcome == TRANSACT_WAIT)
		return outcome;
	if (journal_last_durable(journal) == durable)
		durable = 0;
	else
		durable = journal_last_durable(journal);
	hold_transaction(client, served,
			 !uuid_equal(&before, database_last_transaction(db)),
			 durable, client_result(id, reply));
	return outcome;
}

static bool
owns_lock(void *client, const char *name)
{
	return lock_is_owner(client, name);
}

static void
begin(struct client *client, json_t *id, struct served *served,
      json_t *params, int64_t now_ms, int64_t deadline_ms)
{
	struct waiting *waiting = xmalloc(sizeof *waiting);

	*waiting = (struct waiting) {
		.client = client,
		.served = served,
		.id = json_incref(id),
		.params = json_incref(params),
		.started_ms = now_ms,
		.deadline_ms = deadline_ms,
	};
	list_append(&served->waits, &waiting->served_link);
	list_append(&client->waits, &waiting->client_link);
	client->n_waits++;
	client->server->counters.n_waits++;
	expect(served, deadline_ms);
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

static void
retry(struct waiting *waiting, int64_t now_ms)
{
	if (execute(waiting->client, waiting->served, waiting->id,
		    waiting->params, waiting->started_ms, now_ms,
		    &waiting->deadline_ms) == TRANSACT_WAIT)
		expect(waiting->served, waiting->deadline_ms);
	else
		waiting_free(waiting);
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
	list_remove(&waiting->served_link);
	list_remove(&waiting->client_link);
	waiting->client->n_waits--;
	waiting->client->server->counters.n_waits--;
	json_decref(waiting->id);
	json_decref(waiting->params);
	free(waiting);
}
