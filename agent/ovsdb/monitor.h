/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_MONITOR_H
#define OVSDB_MONITOR_H 1

/* Monitors of RFC 7047, section 4.1.5: who wants to hear of which changes.
 *
 * What one monitor wants to know of one table is a view: columns, and for
 * each column the kinds of change that show it.  Monitors that want the same
 * share one view, so that a commit is put into words once, however many
 * listen.  A commit looks only at the views of the tables that it changed;
 * one "update" goes to each monitor that has something to hear, before
 * transaction_commit() returns.  [control] */

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "agent/base/list.h"
#include "agent/ovsdb/database.h"
#include "agent/ovsdb/error.h"

struct client;
struct served;

/* The monitors of one database. */
struct monitor_hub {
	struct list *views;		/* struct view, by table index. */
};

void monitor_hub_init(struct monitor_hub *, const struct database *);
/* Ends its monitors. */
void monitor_hub_done(struct monitor_hub *, const struct database *);
void monitor_hub_committed(struct monitor_hub *, const struct commit *);

/* The methods: answer the request 'id'. */
void monitor_monitor(struct client *, json_t *id, struct served *,
		     json_t *params);
void monitor_cancel(struct client *, json_t *id, json_t *params);

/* Ends all monitors of a client that goes. */
void monitor_drop(struct client *);

#endif /* ovsdb/monitor.h */
