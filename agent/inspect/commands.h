/* SPDX-License-Identifier: Apache-2.0 */

#ifndef INSPECT_COMMANDS_H
#define INSPECT_COMMANDS_H 1

/* The agent's own commands on its control socket: trace, ports, drops and
 * log/set here; flows, connections, mappings and rules in inspect.h.
 * [control] */

#include <event2/event.h>
#include <stdbool.h>
#include "agent/base/list.h"

struct control;
struct host;
struct model;
struct model_port;
struct model_switch;
struct vsw_port;

struct commands {
	struct event_base *base;
	struct host *host;
	struct model *model;
	struct list jobs;		/* That are under way.  inspect.c */
};

/* 'commands' must outlive the control. */
void commands_add(struct control *, struct commands *);
/* Before host and model go. */
void commands_stop(struct commands *);

/* A port by its name; "uplink" is that of the first switch that has one, and
 * no struct model_port: '*ret_port' is NULL.  False: there is none.  The
 * pointers may be NULL. */
bool commands_find_port(const struct commands *, const char *name,
			struct model_switch **ret_switch,
			struct model_port **ret_port);
/* The engine's of this switch, or NULL. */
struct vsw_port *commands_port_of(const struct model_switch *,
				  const char *name);
/* commands_bridge.c */
void commands_add_bridge(struct control *, struct commands *);

#endif /* inspect/commands.h */
