/* SPDX-License-Identifier: Apache-2.0 */

#ifndef HOST_COMMANDS_H
#define HOST_COMMANDS_H 1

/* The agent's own commands on its control socket: trace, flows, ports,
 * log/set.  [control] */

struct control;
struct host;
struct model;

struct commands {
	struct host *host;
	struct model *model;
};

/* 'commands' must outlive the control. */
void commands_add(struct control *, struct commands *);

#endif /* host/commands.h */
