/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_MONITOR_H
#define OVSDB_MONITOR_H 1

/* Monitors: who wants to hear of which changes.  RFC 7047, section 4.1.5, and
 * ovsdb-server(7), sections 4.1.12 to 4.1.16.
 *
 * A commit looks only at the views (view.h) of the tables that it changed; one
 * "update", "update2" or "update3" goes to each monitor that has something to
 * hear, before transaction_commit() returns.  [control] */

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "agent/base/list.h"
#include "agent/ovsdb/store/database.h"
#include "agent/ovsdb/value/error.h"

struct client;
struct served;

/* The monitors of one database. */
struct monitor_hub {
	struct list *views;		/* struct view, by table index. */
};

void monitor_hub_init(struct monitor_hub *, const struct database *);
/* Its monitors must have ended. */
void monitor_hub_done(struct monitor_hub *, const struct database *);
void monitor_hub_committed(struct monitor_hub *, const struct commit *);

/* As many as there are methods that make monitors: what each understands. */
enum monitor_version {
	MONITOR_PLAIN = 1,	/* "monitor": "update". */
	MONITOR_COND,		/* "monitor_cond": "update2". */
	MONITOR_COND_SINCE	/* "monitor_cond_since": "update3". */
};

/* The methods: answer the request 'id'. */
void monitor_monitor(struct client *, json_t *id, struct served *,
		     json_t *params, enum monitor_version);
void monitor_change(struct client *, json_t *id, json_t *params);
void monitor_cancel(struct client *, json_t *id, json_t *params);

/* Ends the monitors of a database that goes, and tells the clients that asked
 * to hear of such things. */
void monitor_cancel_all(struct served *);
/* Ends all monitors of a client that goes. */
void monitor_drop(struct client *);

#endif /* ovsdb/server/monitor.h */
