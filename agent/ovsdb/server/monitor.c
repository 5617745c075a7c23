/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/server/monitor.h"

#include <assert.h>
#include <stdlib.h>
#include "agent/base/memory.h"
#include "agent/ovsdb/server/client.h"
#include "agent/ovsdb/store/history.h"
#include "agent/ovsdb/server/monitor_request.h"
#include "agent/ovsdb/server/view.h"

/* One monitor's use of one view. */
struct subscription {
	struct list view_link;		/* In view.users. */
	struct view *view;
	struct monitor *monitor;
};

struct monitor {
	struct list link;		/* In client.monitors. */
	struct list touched_link;	/* While 'updates' is there. */
	json_t *updates;		/* The <table-updates> of the commit
					 * that is being told. */
	struct client *client;
	struct served *served;
	json_t *id;
	enum monitor_version version;
	size_t n_subscriptions;
	struct subscription subscriptions[];
};

/* While a monitor is told what happened since it last listened. */
struct recall {
	const struct subscription **by_table;	/* NULL: not monitored. */
	json_t *updates;
};

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
static void subscribe(struct subscription *, struct view *);
static void unsubscribe(struct subscription *);
static struct view *obtain_view(struct monitor_hub *, struct view *draft);
static void answer(struct monitor *, json_t *id, const struct uuid *since);
static json_t *show_initial(const struct monitor *);
static json_t *show_since(const struct monitor *, const struct uuid *since);
static bool is_lost(const struct monitor *, const struct uuid *since);
static void recall_change(void *recall, const struct change *);
static json_t *get_rows(json_t *updates, const struct view *);
static const struct uuid *last_of(const struct monitor *);
static struct ovsdb_error *check_change(struct client *, json_t *params,
					struct monitor **ret_monitor);
static struct ovsdb_error *read_changes(const struct monitor *,
					json_t *requests,
					struct view **drafts);
static struct subscription *find_subscription(const struct monitor *,
					      const struct table_schema *);
static void move(struct subscription *, struct view *draft,
		 json_t *updates);
static void touch_view(struct view *, const struct change *,
		       struct list *touched);
static void touch_users(struct view *, struct list *touched);
static void send_update(struct monitor *, json_t *updates,
			const struct uuid *commit);

void
monitor_hub_init(struct monitor_hub *hub, const struct database *database)
{
	size_t n = database_schema(database)->n_tables;

	hub->views = xcalloc(n, sizeof *hub->views);
	for (size_t i = 0; i < n; i++)
		list_init(&hub->views[i]);
}

void
monitor_hub_done(struct monitor_hub *hub, const struct database *database)
{
	for (size_t i = 0; i < database_schema(database)->n_tables; i++)
		assert(list_is_empty(&hub->views[i]));
	free(hub->views);
}

void
monitor_hub_committed(struct monitor_hub *hub, const struct commit *commit)
{
	struct list views, monitors;

	list_init(&views);
	list_init(&monitors);
	for (size_t i = 0; i < commit->n_changes; i++) {
		const struct change *change = &commit->changes[i];
		unsigned index = table_schema(change->table)->index;
		struct list *head = &hub->views[index], *link;

		for (link = head->next; link != head; link = link->next)
			touch_view(LIST_ENTRY(link, struct view, link),
				   change, &views);
	}
	while (!list_is_empty(&views))
		touch_users(LIST_ENTRY(views.next, struct view, touched_link),
			    &monitors);
	while (!list_is_empty(&monitors)) {
		struct monitor *monitor = LIST_ENTRY(monitors.next,
						     struct monitor,
						     touched_link);
		json_t *updates = monitor->updates;

		list_remove(&monitor->touched_link);
		monitor->updates = NULL;
		send_update(monitor, updates, &commit->id);
	}
}

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
	json_t *requests = json_array_get(params, 2), *updates;
	struct monitor *monitor = NULL;
	struct ovsdb_error *error = check_change(client, params, &monitor);
	struct view **drafts;

	if (error) {
		client_reply_error(client, id, error);
		return;
	}
	drafts = xcalloc(monitor->n_subscriptions + 1, sizeof *drafts);
	error = read_changes(monitor, requests, drafts);
	updates = json_object();
	for (size_t i = 0; i < monitor->n_subscriptions; i++)
		if (error || monitor->version == MONITOR_PLAIN)
			view_free(drafts[i]);
		else if (drafts[i])
			move(&monitor->subscriptions[i], drafts[i], updates);
	free(drafts);
	if (error) {
		json_decref(updates);
		client_reply_error(client, id, error);
		return;
	}
	json_decref(monitor->id);
	monitor->id = json_incref(json_array_get(params, 1));
	if (json_object_size(updates))
		send_update(monitor, updates, last_of(monitor));
	else
		json_decref(updates);
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
	monitor->id = json_incref(id);
	monitor->version = version;
	list_append(&client->monitors, &monitor->link);
	client->n_monitors++;
	client->server->counters.n_monitors++;
	return monitor;
}

static void
monitor_free(struct monitor *monitor)
{
	for (size_t i = 0; i < monitor->n_subscriptions; i++)
		unsubscribe(&monitor->subscriptions[i]);
	list_remove(&monitor->link);
	monitor->client->n_monitors--;
	monitor->client->server->counters.n_monitors--;
	json_decref(monitor->id);
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

static struct ovsdb_error *
subscribe_all(struct monitor *monitor, json_t *requests)
{
	const struct schema *schema
		= database_schema(monitor->served->database);
	const char *name;
	json_t *value;

	json_object_foreach(requests, name, value) {
		const struct table_schema *table = schema_table(schema, name);
		struct subscription *subscription;
		struct ovsdb_error *error;
		struct view *draft;

		if (!table)
			return ovsdb_error(OVSDB_SYNTAX_ERROR,
					   "no table named %s", name);
		error = monitor_request_read(table, value,
					     monitor->version
					     != MONITOR_PLAIN, &draft);
		if (error)
			return error;
		subscription
			= &monitor->subscriptions[monitor->n_subscriptions++];
		subscription->monitor = monitor;
		subscribe(subscription, draft);
	}
	return NULL;
}

/* Takes over the draft. */
static void
subscribe(struct subscription *subscription, struct view *draft)
{
	struct view *view = obtain_view(&subscription->monitor->served
						->monitors, draft);

	subscription->view = view;
	list_append(&view->users, &subscription->view_link);
}

static void
unsubscribe(struct subscription *subscription)
{
	struct view *view = subscription->view;

	list_remove(&subscription->view_link);
	if (list_is_empty(&view->users)) {
		list_remove(&view->link);
		view_free(view);
	}
}

/* Makes the draft a view of the hub's, or takes the one that is there; frees
 * the draft in that case. */
static struct view *
obtain_view(struct monitor_hub *hub, struct view *draft)
{
	struct list *head = &hub->views[draft->table->index], *link;

	for (link = head->next; link != head; link = link->next) {
		struct view *view = LIST_ENTRY(link, struct view, link);

		if (view_equal(view, draft)) {
			view_free(draft);
			return view;
		}
	}
	list_append(head, &draft->link);
	return draft;
}

static void
answer(struct monitor *monitor, json_t *id, const struct uuid *since)
{
	struct server *server = monitor->client->server;
	json_t *updates = NULL, *result;
	char last[UUID_TEXT_SIZE];

	if (monitor->version != MONITOR_COND_SINCE) {
		client_reply(monitor->client, id, show_initial(monitor));
		return;
	}
	if (!uuid_is_zero(since)) {
		updates = show_since(monitor, since);
		if (updates)
			server->counters.n_resumed_monitors++;
		else
			server->counters.n_forgotten_monitors++;
	}
	uuid_to_text(last_of(monitor), last);
	result = json_pack("[b, s]", updates != NULL, last);
	json_array_append_new(result, updates ? updates
					      : show_initial(monitor));
	client_reply(monitor->client, id, result);
}

static json_t *
show_initial(const struct monitor *monitor)
{
	json_t *updates = json_object();

	for (size_t i = 0; i < monitor->n_subscriptions; i++) {
		const struct view *view = monitor->subscriptions[i].view;
		json_t *rows;

		if (!(view->select & SELECT_INITIAL))
			continue;
		rows = view_show_all(view, database_table_at(
				monitor->served->database,
				view->table->index));
		if (json_object_size(rows))
			json_object_set_new(updates, view->table->name, rows);
		else
			json_decref(rows);
	}
	return updates;
}

/* NULL if that is not known any more. */
static json_t *
show_since(const struct monitor *monitor, const struct uuid *since)
{
	struct database *database = monitor->served->database;
	struct recall recall;
	bool is_found;

	if (is_lost(monitor, since))
		return NULL;
	recall.by_table = xcalloc(database_schema(database)->n_tables,
				  sizeof *recall.by_table);
	recall.updates = json_object();
	for (size_t i = 0; i < monitor->n_subscriptions; i++) {
		const struct subscription *s = &monitor->subscriptions[i];

		recall.by_table[s->view->table->index] = s;
	}
	is_found = history_recall(database, since, recall_change, &recall);
	free(recall.by_table);
	if (is_found)
		return recall.updates;
	json_decref(recall.updates);
	return NULL;
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

static void
recall_change(void *recall_, const struct change *change)
{
	struct recall *recall = recall_;
	unsigned index = table_schema(change->table)->index;
	const struct subscription *subscription = recall->by_table[index];
	json_t *row;

	if (!subscription)
		return;
	row = view_show_change(subscription->view, change);
	if (row)
		view_set_row(get_rows(recall->updates, subscription->view),
			     &change->uuid, row);
}

/* The table's place in <table-updates>; made if there is none. */
static json_t *
get_rows(json_t *updates, const struct view *view)
{
	json_t *rows = json_object_get(updates, view->table->name);

	if (!rows) {
		rows = json_object();
		json_object_set_new(updates, view->table->name, rows);
	}
	return rows;
}

/* The last transaction that can have told the monitor anything: those that
 * only wrote ephemeral columns have ids that a restart forgets. */
static const struct uuid *
last_of(const struct monitor *monitor)
{
	const struct database *database = monitor->served->database;

	for (size_t i = 0; i < monitor->n_subscriptions; i++)
		if (view_is_fleeting(monitor->subscriptions[i].view))
			return database_last_transaction(database);
	return database_last_recorded(database);
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

/* From the view that is looked through to another.  Takes over the draft. */
static void
move(struct subscription *subscription, struct view *draft, json_t *updates)
{
	const struct view *from = subscription->view;
	const struct table *table = database_table_at(
		subscription->monitor->served->database, from->table->index);
	const struct row *row;

	if (view_equal(from, draft)) {
		view_free(draft);
		return;
	}
	for (row = table_first(table); row; row = table_next(table, row)) {
		json_t *shown = view_show_move(from, draft, row);

		if (shown)
			view_set_row(get_rows(updates, draft), row_uuid(row),
				     shown);
	}
	unsubscribe(subscription);
	subscribe(subscription, draft);
}

static void
touch_view(struct view *view, const struct change *change,
	   struct list *touched)
{
	json_t *row = view_show_change(view, change);

	if (!row)
		return;
	if (!view->rows) {
		view->rows = json_object();
		list_append(touched, &view->touched_link);
	}
	view_set_row(view->rows, &change->uuid, row);
}

/* Ends the view's part in the commit. */
static void
touch_users(struct view *view, struct list *touched)
{
	struct list *link;

	list_remove(&view->touched_link);
	for (link = view->users.next; link != &view->users;
	     link = link->next) {
		struct monitor *monitor
			= LIST_ENTRY(link, struct subscription,
				     view_link)->monitor;

		if (!monitor->updates) {
			monitor->updates = json_object();
			list_append(touched, &monitor->touched_link);
		}
		json_object_set(monitor->updates, view->table->name,
				view->rows);
	}
	json_decref(view->rows);
	view->rows = NULL;
}

/* Takes over 'updates'. */
static void
send_update(struct monitor *monitor, json_t *updates,
	    const struct uuid *commit)
{
	struct client *client = monitor->client;
	char last[UUID_TEXT_SIZE];

	client->server->counters.n_updates++;
	switch (monitor->version) {
	case MONITOR_PLAIN:
		client_notify(client, "update",
			      json_pack("[O, o]", monitor->id, updates));
		return;
	case MONITOR_COND:
		client_notify(client, "update2",
			      json_pack("[O, o]", monitor->id, updates));
		return;
	case MONITOR_COND_SINCE:
		uuid_to_text(commit, last);
		client_notify(client, "update3",
			      json_pack("[O, s, o]", monitor->id, last,
					updates));
		return;
	}
}
