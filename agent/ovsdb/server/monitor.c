/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/server/monitor.h"

#include <stdlib.h>
#include "agent/base/memory.h"
#include "agent/ovsdb/server/client.h"
#include "agent/ovsdb/store/history.h"
#include "agent/ovsdb/server/monitor_request.h"

static struct ovsdb_error *check(struct client *, json_t *params,
				 enum monitor_version,
				 struct uuid *ret_since);
static struct monitor *monitor_new(struct client *, struct served *,
				   json_t *id, enum monitor_version,
				   size_t max_subscriptions);
static void monitor_free(struct monitor *);
static struct monitor *find(const struct client *, json_t *id);
static struct ovsdb_error *subscribe_all(struct monitor *,
					 json_t *requests);
static struct ovsdb_error *read_requests(const struct monitor *,
					 json_t *requests,
					 struct view **drafts, size_t *ret_n);
static int compare_ranks(const void *, const void *);
static void answer(struct monitor *, json_t *id, const struct uuid *since);
static bool resume(struct monitor *, json_t *id, const struct uuid *since);
static bool is_lost(const struct monitor *, const struct uuid *since);
static void send_difference(struct monitor *, json_t *id,
			    const struct difference *);
static void send_state(struct monitor *, json_t *id);
static bool catch_up(struct monitor *);
static struct ovsdb_error *check_change(struct client *, json_t *params,
					struct monitor **ret_monitor);
static struct ovsdb_error *read_changes(const struct monitor *,
					json_t *requests,
					struct view **drafts);
static struct subscription *find_subscription(const struct monitor *,
					      const struct table_schema *);
static void move_all(struct monitor *, struct view **drafts);
static struct text *move(struct subscription *, struct view *draft);

void
monitor_monitor(struct client *client, json_t *id, struct served *served,
		json_t *params, enum monitor_version version)
{
	json_t *monitor_id = json_array_get(params, 1);
	json_t *requests = json_array_get(params, 2);
	struct uuid since;
	struct ovsdb_error *error = check(client, params, version, &since);
	struct monitor *monitor;

	if (error) {
		client_reply_error(client, id, error);
		return;
	}
	monitor = monitor_new(client, served, monitor_id, version,
			      json_object_size(requests));
	error = subscribe_all(monitor, requests);
	if (error) {
		monitor_free(monitor);
		client_reply_error(client, id, error);
		return;
	}
	answer(monitor, id, &since);
}

void
monitor_change(struct client *client, json_t *id, json_t *params)
{
	json_t *requests = json_array_get(params, 2);
	struct monitor *monitor = NULL;
	struct ovsdb_error *error = check_change(client, params, &monitor);
	struct view **drafts;

	if (error) {
		client_reply_error(client, id, error);
		return;
	}
	/* What is missing is missing from the old view. */
	if (!catch_up(monitor))
		return;
	drafts = xcalloc(monitor->n_subscriptions, sizeof *drafts);
	error = read_changes(monitor, requests, drafts);
	if (!error)
		monitor_hub_set_id(monitor, json_array_get(params, 1));
	if (!error && monitor->version != MONITOR_PLAIN)
		move_all(monitor, drafts);
	for (size_t i = 0; i < monitor->n_subscriptions; i++)
		view_unref(drafts[i]);
	free(drafts);
	if (error) {
		client_reply_error(client, id, error);
		return;
	}
	client_reply(client, id, json_object());
}

void
monitor_cancel(struct client *client, json_t *id, json_t *params)
{
	struct monitor *monitor;

	if (json_array_size(params) != 1) {
		client_reply_refusal(client, id, "invalid parameters");
		return;
	}
	monitor = find(client, json_array_get(params, 0));
	if (!monitor) {
		client_reply_refusal(client, id, "unknown monitor");
		return;
	}
	monitor_free(monitor);
	client_reply(client, id, json_object());
}

void
monitor_cancel_all(struct served *served)
{
	struct list *clients = &served->server->clients, *link, *at, *next;

	for (link = clients->next; link != clients; link = link->next) {
		struct client *client = LIST_ENTRY(link, struct client, link);

		for (at = client->monitors.next; at != &client->monitors;
		     at = next) {
			struct monitor *monitor
				= LIST_ENTRY(at, struct monitor, link);

			next = at->next;
			if (monitor->served != served)
				continue;
			if (client->is_aware)
				client_notify(client, "monitor_canceled",
					      json_pack("[O]", monitor->id));
			monitor_free(monitor);
		}
	}
}

void
monitor_catch_up(struct client *client)
{
	struct list *link;

	if (!client->n_behind)
		return;
	for (link = client->monitors.next; link != &client->monitors;
	     link = link->next)
		if (!catch_up(LIST_ENTRY(link, struct monitor, link)))
			return;
}

/* Those that have caught up go to the end, so that it is the others' turn the
 * next time. */
void
monitor_drained(struct client *client)
{
	struct list *link = client->monitors.next, *next;

	for (uint32_t n = client->n_monitors; n && client->n_behind; n--) {
		struct monitor *monitor = LIST_ENTRY(link, struct monitor,
						     link);

		if (monitor_hub_is_backlogged(client) || !catch_up(monitor))
			return;
		next = link->next;
		list_remove(link);
		list_append(&client->monitors, link);
		link = next;
	}
}

void
monitor_drop(struct client *client)
{
	while (!list_is_empty(&client->monitors))
		monitor_free(LIST_ENTRY(client->monitors.next,
					struct monitor, link));
}

static struct ovsdb_error *
check(struct client *client, json_t *params, enum monitor_version version,
      struct uuid *ret_since)
{
	json_t *id = json_array_get(params, 1);
	json_t *requests = json_array_get(params, 2);
	json_t *since = json_array_get(params, 3);
	struct server *server = client->server;

	if (version == MONITOR_PLAIN ? !requests
	    : json_array_size(params) != (size_t) version + 1)
		return ovsdb_syntax_error(params, "monitor request params "
					  "must be <db-name>, <json-value>, "
					  "<monitor-requests>%s",
					  version == MONITOR_COND_SINCE
					  ? ", <last-txn-id>" : "");
	if (!json_is_object(requests))
		return ovsdb_syntax_error(requests, "monitor-requests must "
					  "be object");
	if (find(client, id))
		return ovsdb_syntax_error(id, "duplicate monitor ID");
	if (version == MONITOR_COND_SINCE && !json_is_string(since))
		return ovsdb_syntax_error(since, "last-txn-id must be string");
	if (version == MONITOR_COND_SINCE
	    && !uuid_from_text(json_string_value(since), ret_since))
		return ovsdb_syntax_error(since, "last-txn-id must be UUID "
					  "format.");
	if (client->n_monitors >= server->limits.n_monitors) {
		server->counters.n_refused_monitors++;
		return ovsdb_error(OVSDB_RESOURCES_EXHAUSTED, "a client may "
				   "have %u monitors",
				   server->limits.n_monitors);
	}
	return NULL;
}

static struct monitor *
monitor_new(struct client *client, struct served *served, json_t *id,
	    enum monitor_version version, size_t max_subscriptions)
{
	struct monitor *monitor
		= xcalloc(1, sizeof *monitor
			     + max_subscriptions
			       * sizeof *monitor->subscriptions);

	monitor->client = client;
	monitor->served = served;
	monitor->version = version;
	monitor_hub_set_id(monitor, id);
	list_append(&client->monitors, &monitor->link);
	client->n_monitors++;
	client->server->counters.n_monitors++;
	return monitor;
}

static void
monitor_free(struct monitor *monitor)
{
	monitor_hub_let_go(monitor);
	for (size_t i = 0; i < monitor->n_subscriptions; i++)
		monitor_hub_unsubscribe(&monitor->subscriptions[i]);
	list_remove(&monitor->link);
	monitor->client->n_monitors--;
	monitor->client->server->counters.n_monitors--;
	json_decref(monitor->id);
	text_unref(monitor->head);
	free(monitor);
}

static struct monitor *
find(const struct client *client, json_t *id)
{
	const struct list *link;

	for (link = client->monitors.next; link != &client->monitors;
	     link = link->next) {
		struct monitor *monitor = LIST_ENTRY(link, struct monitor,
						     link);

		if (json_equal(monitor->id, id))
			return monitor;
	}
	return NULL;
}

/* An update's tables come in one order, whatever that of the request: those
 * that refer to others before those.  The Python client's JSON parser turns
 * them round where its hash collides, and its indexes of references stumble
 * over a row that comes before the one it refers to. */
static struct ovsdb_error *
subscribe_all(struct monitor *monitor, json_t *requests)
{
	struct view **drafts = xcalloc(json_object_size(requests),
				       sizeof *drafts);
	struct ovsdb_error *error;
	size_t n;

	error = read_requests(monitor, requests, drafts, &n);
	qsort(drafts, n, sizeof *drafts, compare_ranks);
	for (size_t i = 0; i < n; i++) {
		struct subscription *subscription
			= &monitor->subscriptions[monitor->n_subscriptions];

		if (error) {
			view_unref(drafts[i]);
			continue;
		}
		monitor->n_subscriptions++;
		subscription->monitor = monitor;
		monitor_hub_subscribe(subscription, drafts[i]);
	}
	free(drafts);
	return error;
}

/* As many drafts as are right, also with an error. */
static struct ovsdb_error *
read_requests(const struct monitor *monitor, json_t *requests,
	      struct view **drafts, size_t *ret_n)
{
	const struct schema *schema
		= database_schema(monitor->served->database);
	const char *name;
	json_t *value;

	*ret_n = 0;
	json_object_foreach(requests, name, value) {
		const struct table_schema *table = schema_table(schema, name);
		struct ovsdb_error *error;

		if (!table)
			return ovsdb_error(OVSDB_SYNTAX_ERROR,
					   "no table named %s", name);
		error = monitor_request_read(table, value,
					     monitor->version
					     != MONITOR_PLAIN,
					     &drafts[*ret_n]);
		if (error)
			return error;
		(*ret_n)++;
	}
	return NULL;
}

static int
compare_ranks(const void *a_, const void *b_)
{
	const struct view *const *a = a_, *const *b = b_;

	return (*a)->table->rank < (*b)->table->rank
	       ? 1 : (*a)->table->rank > (*b)->table->rank ? -1 : 0;
}

static void
answer(struct monitor *monitor, json_t *id, const struct uuid *since)
{
	if (monitor->version == MONITOR_COND_SINCE && !uuid_is_zero(since)) {
		if (resume(monitor, id, since))
			return;
		monitor->client->server->counters.n_forgotten_monitors++;
	}
	send_state(monitor, id);
}

/* Returns false if that is not known any more. */
static bool
resume(struct monitor *monitor, json_t *id, const struct uuid *since)
{
	struct difference difference;

	if (is_lost(monitor, since)
	    || !monitor_hub_difference(monitor, since, &difference))
		return false;
	monitor->client->server->counters.n_resumed_monitors++;
	send_difference(monitor, id, &difference);
	text_unref(difference.words);
	monitor_hub_fall_behind(monitor, &difference.upto);
	if (!monitor_hub_is_backlogged(monitor->client))
		catch_up(monitor);
	return true;
}

/* What was not in the file is not what it was before the restart, and cannot
 * be compared with it. */
static bool
is_lost(const struct monitor *monitor, const struct uuid *since)
{
	const struct database *database = monitor->served->database;

	if (!history_is_from_file(database, since))
		return false;
	for (size_t i = 0; i < monitor->n_subscriptions; i++) {
		const struct view *view = monitor->subscriptions[i].view;
		size_t table = view->table->index;

		if (view_is_fleeting(view)
		    && table_n_rows(database_table_at(database, table)))
			return true;
	}
	return false;
}

/* The reply to the request, whose JSON says members of <table-updates>; there
 * may be none. */
static void
send_difference(struct monitor *monitor, json_t *id,
		const struct difference *difference)
{
	struct text *pieces[3], *tail = text_copy("}]", 2);
	struct encoding head = { 0 };
	size_t n = 0;

	encode_text(&head, "[true,");
	encode_uuid(&head, monitor_hub_name_upto(monitor, difference));
	encode_text(&head, ",{");
	pieces[n++] = text_take(head.bytes, head.n);
	if (difference->words)
		pieces[n++] = difference->words;
	pieces[n++] = tail;
	client_reply_text(monitor->client, id, pieces, n);
	text_unref(pieces[0]);
	text_unref(tail);
}

static void
send_state(struct monitor *monitor, json_t *id)
{
	const size_t n = monitor->n_subscriptions;
	struct view **views = xmalloc(n * sizeof *views);
	bool is_since = monitor->version == MONITOR_COND_SINCE;
	char *dump = json_dumps(id, JSON_COMPACT | JSON_ENCODE_ANY);
	char last[UUID_TEXT_SIZE], *head;

	for (size_t i = 0; i < n; i++)
		views[i] = monitor->subscriptions[i].view;
	uuid_to_text(monitor_hub_name_last(monitor), last);
	head = xasprintf("{\"id\":%s,\"result\":%s%s%s{", dump,
			 is_since ? "[false,\"" : "", is_since ? last : "",
			 is_since ? "\"," : "");
	snapshot_send(&monitor->served->monitors.snapshots, monitor->client,
		      views, n, head,
		      is_since ? "}],\"error\":null}" : "},\"error\":null}");
	free(views);
	free(dump);
	free(head);
}

/* Returns false if the client is lost. */
static bool
catch_up(struct monitor *monitor)
{
	struct client *client = monitor->client;

	if (!client->is_lost && monitor_hub_catch_up(monitor))
		return true;
	if (!client->is_lost) {
		client->is_lost = true;
		client->server->counters.n_lost_clients++;
		if (client->ops->lose)
			client->ops->lose(client->ctx);
	}
	return false;
}

static struct ovsdb_error *
check_change(struct client *client, json_t *params,
	     struct monitor **ret_monitor)
{
	json_t *id = json_array_get(params, 0);
	json_t *new_id = json_array_get(params, 1);
	json_t *requests = json_array_get(params, 2);

	if (json_array_size(params) != 3)
		return ovsdb_syntax_error(params, "invalid parameters");
	*ret_monitor = find(client, id);
	if (!*ret_monitor)
		return ovsdb_syntax_error(id, "unknown monitor session");
	if (!json_equal(id, new_id) && find(client, new_id))
		return ovsdb_syntax_error(new_id, "duplicate monitor ID");
	if (!json_is_object(requests))
		return ovsdb_error(OVSDB_SYNTAX_ERROR,
				   "monitor-cond-change-requests must be "
				   "object");
	return NULL;
}

/* 'drafts' has a place for each of the monitor's subscriptions. */
static struct ovsdb_error *
read_changes(const struct monitor *monitor, json_t *requests,
	     struct view **drafts)
{
	const struct schema *schema
		= database_schema(monitor->served->database);
	const char *name;
	json_t *value;

	json_object_foreach(requests, name, value) {
		const struct table_schema *table = schema_table(schema, name);
		struct subscription *subscription;
		struct ovsdb_error *error;

		if (!table)
			return ovsdb_error(OVSDB_SYNTAX_ERROR,
					   "no table named %s", name);
		subscription = find_subscription(monitor, table);
		if (!subscription)
			return ovsdb_error(OVSDB_SYNTAX_ERROR, "no table "
					   "named %s in monitor session",
					   name);
		error = monitor_request_change(
			subscription->view, value,
			&drafts[subscription - monitor->subscriptions]);
		if (error)
			return error;
	}
	return NULL;
}

static struct subscription *
find_subscription(const struct monitor *monitor,
		  const struct table_schema *table)
{
	for (size_t i = 0; i < monitor->n_subscriptions; i++)
		if (monitor->subscriptions[i].view->table == table)
			return (struct subscription *)
				&monitor->subscriptions[i];
	return NULL;
}

/* To other views of the tables for which there are drafts, which are taken
 * over. */
static void
move_all(struct monitor *monitor, struct view **drafts)
{
	struct text **words = xmalloc(monitor->n_subscriptions
				      * sizeof *words);
	size_t n = 0;

	for (size_t i = 0; i < monitor->n_subscriptions; i++) {
		struct text *moved = NULL;

		if (drafts[i])
			moved = move(&monitor->subscriptions[i], drafts[i]);
		drafts[i] = NULL;
		if (moved)
			words[n++] = moved;
	}
	if (n)
		monitor_hub_tell(monitor, words, n,
				 monitor_hub_name_last(monitor));
	while (n)
		text_unref(words[--n]);
	free(words);
}

/* Returns what is to be said of it. */
static struct text *
move(struct subscription *subscription, struct view *draft)
{
	const struct view *from = subscription->view;
	const struct table *table = database_table_at(
		subscription->monitor->served->database, from->table->index);
	const struct row *row;
	struct text *words;

	if (view_equal(from, draft)) {
		view_unref(draft);
		return NULL;
	}
	for (row = table_first(table); row; row = table_next(table, row))
		view_say_move(from, draft, row);
	words = view_take_words(draft);
	monitor_hub_unsubscribe(subscription);
	monitor_hub_subscribe(subscription, draft);
	return words;
}
