/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/server/monitor_hub.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/memory.h"
#include "agent/ovsdb/server/client.h"
#include "agent/ovsdb/store/history.h"

static void touch_view(struct view *, const struct change *,
		       struct list *touched);
static void touch_users(struct monitor_hub *, struct view *,
			struct list *touched);
static void tell_touched(struct monitor_hub *, struct monitor *,
			 const struct commit *, const struct uuid *name);
static struct view *obtain_view(struct monitor_hub *, struct view *draft);
static void begin_message(struct monitor *, const struct uuid *transaction);
static void add_words(struct monitor_hub *, struct text *);
static void send_message(struct monitor *);
static void add_piece(struct monitor_hub *, struct text *);
static void set_name(struct monitor_hub *, const struct uuid *);
static void count_behind(struct monitor *, int difference);
static const struct uuid nobody;

static bool is_remembered(const struct database *);
static bool is_fleeting(const struct monitor *);

/* Never freed: each has a reference of ours. */
static struct text comma = { 1, 1, "," };
static struct text tail = { 1, 3, "}]}" };

void
monitor_hub_init(struct monitor_hub *hub, struct database *database,
		 struct server_counters *counters)
{
	size_t n = database_schema(database)->n_tables;

	*hub = (struct monitor_hub) {
		.database = database,
		.counters = counters,
		.views = xcalloc(n, sizeof *hub->views),
	};
	for (size_t i = 0; i < n; i++)
		list_init(&hub->views[i]);
	differences_init(&hub->differences, database);
	snapshot_init(&hub->snapshots, database, counters);
}

void
monitor_hub_done(struct monitor_hub *hub)
{
	for (size_t i = 0; i < database_schema(hub->database)->n_tables; i++)
		assert(list_is_empty(&hub->views[i]));
	differences_done(&hub->differences);
	snapshot_done(&hub->snapshots);
	text_unref(hub->name);
	free(hub->pieces);
	free(hub->views);
}

void
monitor_hub_committed(struct monitor_hub *hub, const struct commit *commit)
{
	const struct uuid *name = is_remembered(commit->database)
				  ? &commit->id : &nobody;
	struct list views, monitors, *link;

	list_init(&views);
	list_init(&monitors);
	differences_grow_old(&hub->differences);
	for (size_t i = 0; i < commit->n_changes; i++) {
		const struct change *change = &commit->changes[i];
		unsigned index = table_schema(change->table)->index;
		struct list *head = &hub->views[index];

		for (link = head->next; link != head; link = link->next)
			touch_view(LIST_ENTRY(link, struct view, link),
				   change, &views);
	}
	for (link = views.next; link != &views; link = link->next)
		touch_users(hub, LIST_ENTRY(link, struct view, touched_link),
			    &monitors);
	while (!list_is_empty(&monitors))
		tell_touched(hub, LIST_ENTRY(monitors.next, struct monitor,
					     touched_link), commit, name);
	while (!list_is_empty(&views)) {
		struct view *view = LIST_ENTRY(views.next, struct view,
					       touched_link);

		view->is_touched = false;
		list_remove(&view->touched_link);
		text_unref(view->told);
		view->told = NULL;
	}
}

void
monitor_hub_set_id(struct monitor *monitor, json_t *id)
{
	static const char *const methods[] = {
		[MONITOR_PLAIN] = "update",
		[MONITOR_COND] = "update2",
		[MONITOR_COND_SINCE] = "update3",
	};
	char *dump = json_dumps(id, JSON_COMPACT | JSON_ENCODE_ANY);
	char *head = xasprintf("{\"id\":null,\"method\":\"%s\",\"params\":"
			       "[%s,%s", methods[monitor->version], dump,
			       monitor->version == MONITOR_COND_SINCE
			       ? "" : "{");

	json_incref(id);
	json_decref(monitor->id);
	monitor->id = id;
	text_unref(monitor->head);
	monitor->head = text_take(head, strlen(head));
	free(dump);
}

void
monitor_hub_subscribe(struct subscription *subscription, struct view *draft)
{
	struct monitor *monitor = subscription->monitor;
	struct view *view = obtain_view(&monitor->served->monitors, draft);

	subscription->view = view;
	list_append(&view->users, &subscription->view_link);
	view->n_listeners += !monitor->is_behind;
}

void
monitor_hub_unsubscribe(struct subscription *subscription)
{
	struct monitor *monitor = subscription->monitor;
	struct view *view = subscription->view;

	list_remove(&subscription->view_link);
	view->n_listeners -= !monitor->is_behind;
	if (list_is_empty(&view->users)) {
		differences_forget_view(&monitor->served->monitors
						 .differences, view);
		list_remove(&view->link);
		view_unref(view);
	}
}

void
monitor_hub_tell(struct monitor *monitor, struct text *const words[],
		 size_t n, const struct uuid *transaction)
{
	begin_message(monitor, transaction);
	for (size_t i = 0; i < n; i++)
		add_words(&monitor->served->monitors, words[i]);
	send_message(monitor);
}

bool
monitor_hub_is_backlogged(const struct client *client)
{
	return client->ops->is_backlogged
	       && client->ops->is_backlogged(client->ctx);
}

void
monitor_hub_fall_behind(struct monitor *monitor, const struct uuid *told)
{
	assert(!monitor->is_behind);
	monitor->is_behind = true;
	monitor->told = *told;
	count_behind(monitor, 1);
}

void
monitor_hub_let_go(struct monitor *monitor)
{
	if (!monitor->is_behind)
		return;
	monitor->is_behind = false;
	count_behind(monitor, -1);
}

bool
monitor_hub_catch_up(struct monitor *monitor)
{
	struct monitor_hub *hub = &monitor->served->monitors;
	const struct uuid *last = database_last_transaction(hub->database);

	if (!monitor->is_behind)
		return true;
	while (!uuid_equal(&monitor->told, last)) {
		struct difference difference;

		if (!monitor_hub_difference(monitor, &monitor->told,
					    &difference)) {
			/* What led here is of no use to anybody. */
			differences_done(&hub->differences);
			return false;
		}
		if (difference.words) {
			hub->counters->n_combined_updates++;
			monitor_hub_tell(monitor, &difference.words, 1,
					 monitor_hub_name_upto(monitor,
							       &difference));
			text_unref(difference.words);
		}
		monitor->told = difference.upto;
	}
	monitor_hub_let_go(monitor);
	return true;
}

bool
monitor_hub_difference(struct monitor *monitor, const struct uuid *since,
		       struct difference *ret_difference)
{
	struct monitor_hub *hub = &monitor->served->monitors;
	uint64_t n_made = hub->differences.n_made;
	size_t n = monitor->n_subscriptions;
	struct view **views = xmalloc(n * sizeof *views);
	bool is_known;

	for (size_t i = 0; i < n; i++)
		views[i] = monitor->subscriptions[i].view;
	is_known = difference_find(&hub->differences, views, n, since,
				   ret_difference);
	free(views);
	hub->counters->n_wordings += hub->differences.n_made - n_made;
	return is_known;
}

const struct uuid *
monitor_hub_name_upto(const struct monitor *monitor,
		      const struct difference *difference)
{
	return !is_remembered(monitor->served->database) ? &nobody
	       : is_fleeting(monitor) ? &difference->upto
	       : &difference->last_recorded;
}

const struct uuid *
monitor_hub_name_last(const struct monitor *monitor)
{
	const struct database *database = monitor->served->database;

	return !is_remembered(database) ? &nobody
	       : is_fleeting(monitor) ? database_last_transaction(database)
	       : database_last_recorded(database);
}

static void
touch_view(struct view *view, const struct change *change,
	   struct list *touched)
{
	if (view->n_listeners && view_say_change(view, change)
	    && !view->is_touched) {
		view->is_touched = true;
		list_append(touched, &view->touched_link);
	}
}

/* Ends what the view says of the commit. */
static void
touch_users(struct monitor_hub *hub, struct view *view, struct list *touched)
{
	struct list *link;

	hub->counters->n_wordings++;
	view->told = view_take_words(view);
	for (link = view->users.next; link != &view->users;
	     link = link->next) {
		struct monitor *monitor
			= LIST_ENTRY(link, struct subscription,
				     view_link)->monitor;

		if (monitor->is_behind || monitor->is_touched)
			continue;
		monitor->is_touched = true;
		list_append(touched, &monitor->touched_link);
	}
}

static void
tell_touched(struct monitor_hub *hub, struct monitor *monitor,
	     const struct commit *commit, const struct uuid *name)
{
	monitor->is_touched = false;
	list_remove(&monitor->touched_link);
	begin_message(monitor, name);
	for (size_t i = 0; i < monitor->n_subscriptions; i++)
		if (monitor->subscriptions[i].view->told)
			add_words(hub, monitor->subscriptions[i].view->told);
	send_message(monitor);
	if (monitor_hub_is_backlogged(monitor->client))
		monitor_hub_fall_behind(monitor, &commit->id);
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
			view_unref(draft);
			return view;
		}
	}
	list_append(head, &draft->link);
	return draft;
}

static void
begin_message(struct monitor *monitor, const struct uuid *transaction)
{
	struct monitor_hub *hub = &monitor->served->monitors;

	hub->n_pieces = 0;
	hub->has_words = false;
	add_piece(hub, monitor->head);
	if (monitor->version == MONITOR_COND_SINCE) {
		set_name(hub, transaction);
		add_piece(hub, hub->name);
	}
}

static void
add_words(struct monitor_hub *hub, struct text *words)
{
	if (hub->has_words)
		add_piece(hub, &comma);
	hub->has_words = true;
	add_piece(hub, words);
}

static void
send_message(struct monitor *monitor)
{
	struct monitor_hub *hub = &monitor->served->monitors;

	add_piece(hub, &tail);
	hub->counters->n_updates++;
	client_send_text(monitor->client, hub->pieces, hub->n_pieces);
}

static void
add_piece(struct monitor_hub *hub, struct text *piece)
{
	if (hub->n_pieces == hub->max_pieces) {
		hub->max_pieces = 2 * hub->max_pieces + 8;
		hub->pieces = xrealloc(hub->pieces, hub->max_pieces
						    * sizeof *hub->pieces);
	}
	hub->pieces[hub->n_pieces++] = piece;
}

/* A commit is named in as many messages as there are monitors. */
static void
set_name(struct monitor_hub *hub, const struct uuid *transaction)
{
	struct encoding name = { 0 };

	if (hub->name && uuid_equal(&hub->named, transaction))
		return;
	encode_uuid(&name, transaction);
	encode_text(&name, ",{");
	text_unref(hub->name);
	hub->name = text_copy(name.bytes, name.n);
	hub->named = *transaction;
	encode_done(&name);
}

/* What those miss who are behind must not be forgotten. */
static void
count_behind(struct monitor *monitor, int difference)
{
	struct monitor_hub *hub = &monitor->served->monitors;
	struct client *client = monitor->client;

	client->n_behind += difference;
	hub->n_behind += difference;
	history_hold(database_history(hub->database),
		     hub->n_behind ? client->server->limits.behind_size : 0);
	for (size_t i = 0; i < monitor->n_subscriptions; i++)
		monitor->subscriptions[i].view->n_listeners -= difference;
}

/* Would an id of a transaction tell a client anything? */
static bool
is_remembered(const struct database *database)
{
	return history_size(database_history(database)) > 0;
}

static bool
is_fleeting(const struct monitor *monitor)
{
	for (size_t i = 0; i < monitor->n_subscriptions; i++)
		if (view_is_fleeting(monitor->subscriptions[i].view))
			return true;
	return false;
}
