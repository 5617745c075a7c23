/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NET_MANAGER_H
#define NET_MANAGER_H 1

/* Remotes that stand in a database: one listener for each target that a
 * column holds, made and freed as rows come and go.
 *
 * A column of strings holds the methods themselves.  One of references leads
 * to rows with a "target", and where they have them "max_backoff" and
 * "inactivity_probe" (both in ms, 0: no probes), "read_only", "role"
 * (operation/role.h), "is_connected" and "status" (ovs-vswitchd.conf.db(5),
 * table Manager; ovn-nb(5), table Connection).  What the rows are told is
 * written soon after it has changed, not more than once in half a second;
 * times in it every few seconds, while a row is there.
 *
 * A target that cannot be listened on, or makes no sense, is tried again
 * every few seconds.  At most 100 targets are served.  [control] */

#include <event2/event.h>
#include "agent/net/listener.h"
#include "agent/net/tls.h"
#include "agent/ovsdb/store/database.h"
#include "agent/ovsdb/server/server.h"

struct manager;

/* 'name' is "db:DB,TABLE,COLUMN".  Returns NULL, and why in '*ret_problem'
 * (free() it), if there is no such column.  What rows want already is listened
 * on when this returns. */
struct manager *manager_new(struct event_base *, struct server *,
			    struct tls *, const char *name,
			    char **ret_problem);
/* Before its database is freed. */
void manager_free(struct manager *);

void manager_reconnect(struct manager *);
/* Adds up what its listeners count, those that are gone included. */
void manager_counters(const struct manager *, struct listener_counters *);
const char *manager_name(const struct manager *);
struct database *manager_database(const struct manager *);

#endif /* net/manager.h */
