/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_MONITOR_H
#define OVSDB_MONITOR_H 1

/* Monitors: who wants to hear of which changes.  RFC 7047, section 4.1.5, and
 * ovsdb-server(7), sections 4.1.12 to 4.1.16.  What they are told, and how, is
 * monitor_hub.h's.  [control] */

#include <jansson.h>
#include "agent/ovsdb/server/monitor_hub.h"

struct client;
struct served;

/* The methods: answer the request 'id'. */
void monitor_monitor(struct client *, json_t *id, struct served *,
		     json_t *params, enum monitor_version);
void monitor_change(struct client *, json_t *id, json_t *params);
void monitor_cancel(struct client *, json_t *id, json_t *params);

/* Ends the monitors of a database that goes, and tells the clients that asked
 * to hear of such things. */
void monitor_cancel_all(struct served *);
/* Tells a client's monitors what they missed: all of it, because something
 * comes that must not overtake it, as the reply to a transaction; or as much
 * as the client takes.  Who cannot be told any more is lost. */
void monitor_catch_up(struct client *);
void monitor_drained(struct client *);
/* Ends all monitors of a client that goes. */
void monitor_drop(struct client *);

#endif /* ovsdb/server/monitor.h */
