/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_MONITOR_HUB_H
#define OVSDB_MONITOR_HUB_H 1

/* Tells the monitors of one database what each commit did to what they look
 * at.
 *
 * A commit looks only at the views (view.h) of the tables that it changed, and
 * is put into words once for each view; a monitor's update is an envelope of
 * its own around words that all who have the view share.
 *
 * A client that does not take its output is told nothing more: its monitors
 * fall behind, each remembering the last transaction that it was told of, and
 * when the output has gone they catch up with one update that says the
 * difference.  [control] */

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "agent/base/list.h"
#include "agent/ovsdb/server/difference.h"
#include "agent/ovsdb/server/snapshot.h"
#include "agent/ovsdb/server/view.h"

struct client;
struct served;
struct server_counters;

struct monitor_hub {
	struct database *database;
	struct server_counters *counters;
	struct list *views;		/* struct view, by table index. */
	struct differences differences;
	struct snapshots snapshots;
	size_t n_behind;		/* Monitors. */
	struct uuid named;		/* A transaction, and what messages */
	struct text *name;		/* call it; NULL: none yet. */
	struct text **pieces;		/* Of one message. */
	size_t n_pieces, max_pieces;
	bool has_words;
};

/* As many as there are methods that make monitors: what each understands. */
enum monitor_version {
	MONITOR_PLAIN = 1,	/* "monitor": "update". */
	MONITOR_COND,		/* "monitor_cond": "update2". */
	MONITOR_COND_SINCE	/* "monitor_cond_since": "update3". */
};

/* One monitor's use of one view. */
struct subscription {
	struct list view_link;		/* In view.users. */
	struct view *view;
	struct monitor *monitor;
};

struct monitor {
	struct list link;		/* In client.monitors. */
	struct list touched_link;	/* While it is to be told a commit. */
	bool is_touched, is_behind;
	struct uuid told;		/* While it is behind: up to here. */
	struct client *client;
	struct served *served;
	json_t *id;
	struct text *head;		/* What its messages begin with. */
	enum monitor_version version;
	size_t n_subscriptions;
	struct subscription subscriptions[];
};

void monitor_hub_init(struct monitor_hub *, struct database *,
		      struct server_counters *);
void monitor_hub_done(struct monitor_hub *);	/* Without monitors. */
void monitor_hub_committed(struct monitor_hub *, const struct commit *);

/* What the monitor is called from now on, by its client and by us. */
void monitor_hub_set_id(struct monitor *, json_t *id);
/* Gives the subscription the view that the draft, which is taken over, asks
 * for; and takes it away. */
void monitor_hub_subscribe(struct subscription *, struct view *draft);
void monitor_hub_unsubscribe(struct subscription *);

/* Sends one update: members of <table-updates>, as of a transaction; takes no
 * reference. */
void monitor_hub_tell(struct monitor *, struct text *const words[], size_t n,
		      const struct uuid *transaction);

/* Does more wait for the client than for one that takes its output? */
bool monitor_hub_is_backlogged(const struct client *);
/* From now on the monitor is told nothing, until it catches up; it was told
 * everything up to this transaction. */
void monitor_hub_fall_behind(struct monitor *, const struct uuid *told);
/* Nothing has been missed, or nobody wants to know. */
void monitor_hub_let_go(struct monitor *);
/* Tells the monitor what it missed, if anything.  Returns false if that is not
 * known any more, and leaves it behind. */
bool monitor_hub_catch_up(struct monitor *);

/* The difference (difference.h) for what the monitor looks at. */
bool monitor_hub_difference(struct monitor *, const struct uuid *since,
			    struct difference *ret_difference);
/* The transaction that the monitor has been told of after this difference, and
 * after everything: one that only wrote ephemeral columns, whose id a restart
 * forgets, counts only for who looks at such columns. */
const struct uuid *monitor_hub_name_upto(const struct monitor *,
					 const struct difference *);
const struct uuid *monitor_hub_name_last(const struct monitor *);

#endif /* ovsdb/server/monitor_hub.h */
