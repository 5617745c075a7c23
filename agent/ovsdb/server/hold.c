/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/server/hold.h"

#include <stdlib.h>
#include <string.h>
#include "agent/base/memory.h"
#include "agent/ovsdb/server/client.h"
#include "agent/ovsdb/store/journal.h"

/* Answers held for one client, and their bytes. */
enum { FULL = 256, FULL_SIZE = 4 << 20 };

/* An answer. */
struct held {
	struct list link;		/* In server.held, oldest first. */
	struct client *client;
	struct served *served;		/* NULL: waits for its client's turn
					 * alone. */
	uint64_t durable;		/* The number of its record, or 0. */
	struct text *text;		/* The message, or NULL: */
	json_t *message;
};

/* A request. */
struct late {
	struct list link;		/* In client.late. */
	json_t *message;
};

static void send_text(struct client *, struct text *);
static void keep_text(struct client *, struct served *, uint64_t durable,
		      struct text *);
static struct held *keep(struct client *, struct served *, uint64_t durable);
static void send_all(struct server *);
static bool is_due(struct held *);
static void lose(struct held *);
static void drop_text(struct held *);
static void held_free(struct held *);
static void take_up(struct client *, int64_t now_ms);
static void tell(struct client *);

void
hold_transaction(struct client *client, struct served *served, bool wrote,
		 uint64_t durable, struct text *message)
{
	if (wrote && (durable || served->n_held)) {
		keep_text(client, served, durable, message);
	} else if (client->n_held) {
		keep_text(client, NULL, 0, message);
	} else {
		send_text(client, message);
		text_unref(message);
	}
}

void
hold_answer(struct client *client, json_t *message)
{
	if (client->n_held)
		keep(client, NULL, 0)->message = message;
	else
		client->ops->send(client->ctx, message);
}

bool
hold_request(struct client *client, const char *method, json_t *message)
{
	struct late *late;

	if (list_is_empty(&client->late) && !client->n_searches
	    && (!client->n_held || !strcmp(method, "transact")))
		return false;
	late = xmalloc(sizeof *late);
	late->message = json_incref(message);
	list_append(&client->late, &late->link);
	client->server->n_late++;
	tell(client);
	return true;
}

void
hold_run(struct server *server, int64_t now_ms)
{
	struct list *link;

	if (list_is_empty(&server->held) && !server->n_late)
		return;
	send_all(server);
	for (link = server->clients.next;
	     server->n_late && link != &server->clients; link = link->next)
		take_up(LIST_ENTRY(link, struct client, link), now_ms);
}

void
hold_flush(struct served *served)
{
	struct journal *journal = database_journal(served->database);

	if (!served->n_held)
		return;
	journal_flush(journal);
	send_all(served->server);
}

void
hold_end(struct served *served)
{
	struct list *head = &served->server->held, *link;

	hold_flush(served);
	/* What is left waits for its client's turn. */
	for (link = head->next; link != head; link = link->next) {
		struct held *held = LIST_ENTRY(link, struct held, link);

		if (held->served == served)
			held->served = NULL;
	}
	served->n_held = 0;
}

void
hold_drop(struct client *client)
{
	struct list *head = &client->server->held, *link, *next;

	for (link = head->next; client->n_held && link != head; link = next) {
		struct held *held = LIST_ENTRY(link, struct held, link);

		next = link->next;
		if (held->client == client)
			held_free(held);
	}
	while (!list_is_empty(&client->late)) {
		struct late *late = LIST_ENTRY(client->late.next, struct late,
					       link);

		list_remove(&late->link);
		json_decref(late->message);
		free(late);
		client->server->n_late--;
	}
}

/* The answer to a transaction: what the client did itself it is told before. */
static void
send_text(struct client *client, struct text *text)
{
	monitor_catch_up(client);
	client_send_text(client, &text, 1);
}

/* Its message is the caller's to put in. */
static void
keep_text(struct client *client, struct served *served, uint64_t durable,
	  struct text *text)
{
	client->held_size += text->size;
	keep(client, served, durable)->text = text;
}

static struct held *
keep(struct client *client, struct served *served, uint64_t durable)
{
	struct held *held = xcalloc(1, sizeof *held);

	held->client = client;
	held->served = served;
	held->durable = durable;
	list_append(&client->server->held, &held->link);
	client->n_held++;
	if (served)
		served->n_held++;
	client->server->counters.n_held++;
	tell(client);
	return held;
}

/* Those of one database and of one client in their order. */
static void
send_all(struct server *server)
{
	uint64_t pass = ++server->hold_pass;
	struct list *link, *next;

	for (link = server->held.next; link != &server->held; link = next) {
		struct held *held = LIST_ENTRY(link, struct held, link);
		struct client *client = held->client;
		struct served *served = held->served;
		bool is_first = client->held_pass != pass
				&& (!served || served->held_pass != pass);

		next = link->next;
		if (is_due(held) && is_first) {
			if (held->text)
				send_text(client, held->text);
			else
				client->ops->send(client->ctx,
						  json_incref(held->message));
			held_free(held);
			tell(client);
			continue;
		}
		client->held_pass = pass;
		if (served)
			served->held_pass = pass;
	}
}

/* As far as the disk is concerned. */
static bool
is_due(struct held *held)
{
	enum journal_fate fate;

	if (!held->durable)
		return true;
	fate = journal_fate(database_journal(held->served->database),
			    held->durable);
	if (fate == JOURNAL_ON_ITS_WAY)
		return false;
	if (fate == JOURNAL_LOST)
		lose(held);
	held->durable = 0;
	return true;
}

/* RFC 7047, section 4.1.3: an error of the commit comes after the results. */
static void
lose(struct held *held)
{
	struct ovsdb_error *error;

	error = ovsdb_error(OVSDB_IO_ERROR, "the transaction is in force, but"
			    " it is not known to be on disk: database %s"
			    " cannot be written there",
			    database_name(held->served->database));
	held->client->server->counters.n_lost++;
	if (held->text) {
		held->message = json_loadb(held->text->bytes, held->text->size,
					   0, NULL);
		drop_text(held);
	}
	json_array_append_new(json_object_get(held->message, "result"),
			      ovsdb_error_to_json(error));
	ovsdb_error_free(error);
}

static void
drop_text(struct held *held)
{
	if (held->text)
		held->client->held_size -= held->text->size;
	text_unref(held->text);
	held->text = NULL;
}

static void
held_free(struct held *held)
{
	list_remove(&held->link);
	held->client->n_held--;
	held->client->server->counters.n_held--;
	if (held->served)
		held->served->n_held--;
	drop_text(held);
	json_decref(held->message);
	free(held);
}

/* Until an answer is held again, or a lookup waited for. */
static void
take_up(struct client *client, int64_t now_ms)
{
	while (!client->n_held && !client->n_searches
	       && !list_is_empty(&client->late)) {
		struct late *late = LIST_ENTRY(client->late.next, struct late,
					       link);

		list_remove(&late->link);
		client->server->n_late--;
		client_take(client, late->message, now_ms);
		json_decref(late->message);
		free(late);
		tell(client);
	}
}

static void
tell(struct client *client)
{
	enum client_hold hold = CLIENT_FREE;

	if (client->n_held >= FULL || client->held_size >= FULL_SIZE
	    || !list_is_empty(&client->late)
	    || (client->hold == CLIENT_FULL && client->n_held > FULL / 2))
		hold = CLIENT_FULL;
	else if (client->n_held)
		hold = CLIENT_OWED;
	if (client->hold == hold)
		return;
	client->hold = hold;
	if (client->ops->hold)
		client->ops->hold(client->ctx, hold);
}
