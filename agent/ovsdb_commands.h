/* SPDX-License-Identifier: Apache-2.0 */

#ifndef AGENT_OVSDB_COMMANDS_H
#define AGENT_OVSDB_COMMANDS_H 1

/* The commands of hnv-ovsdb's control socket: those of ovsdb-server(1) that
 * a stand-alone database has a use for. */

#include "agent/ovsdb_program.h"

void commands_add(struct program *);

#endif /* agent/ovsdb_commands.h */
