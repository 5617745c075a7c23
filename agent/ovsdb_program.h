/* SPDX-License-Identifier: Apache-2.0 */

#ifndef AGENT_OVSDB_PROGRAM_H
#define AGENT_OVSDB_PROGRAM_H 1

/* What hnv-ovsdb consists of while it runs: databases, remotes, a control
 * socket.  Databases and remotes come and go by command (ovsdb_commands.h);
 * with --monitor, a daemon that is started anew continues with those that the
 * dead one had. [control] */

#include <stdbool.h>
#include <stddef.h>
#include <event2/event.h>
#include "agent/counters.h"
#include "agent/net/control.h"
#include "agent/net/remotes.h"
#include "agent/net/turn.h"
#include "agent/ovsdb/server/server.h"
#include "agent/ovsdb_options.h"

struct program_database {
	char *path;			/* As given. */
	struct database *database;
};

struct program {
	struct program_options options;
	struct event_base *base;
	struct server *server;
	struct turn *turn;
	struct program_database *databases;
	size_t n_databases;
	struct remotes *remotes;
	/* As given.  A "db:" whose database is taken away stays here, and is
	 * there again with it. */
	char **remote_names;
	size_t n_remote_names;
	struct control *control;
	struct counted counted;
	struct event *signals[4];
	int state_fd;			/* What a new daemon is to serve. */
	long child;			/* Of --run; 0: none. */
	int status;			/* To exit with. */
};

/* These return NULL, or why they did nothing: free() it. */
char *program_add_database(struct program *, const char *path);
char *program_remove_database(struct program *, const char *name);
char *program_add_remote(struct program *, const char *name);
char *program_remove_remote(struct program *, const char *name);
/* All sessions end; their clients may connect again, and we do. */
void program_reconnect(struct program *);

/* Ends the loop. */
void program_end(struct program *);

/* The databases and remotes of the options are replaced by what the daemon
 * before had; nothing happens where there was none. */
void program_load(struct program *);
void program_save(struct program *);

#endif /* agent/ovsdb_program.h */
