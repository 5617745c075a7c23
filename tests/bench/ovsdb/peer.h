/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BENCH_OVSDB_PEER_H
#define BENCH_OVSDB_PEER_H 1

/* A server that is measured: ours or the stock one, with one database on one
 * socket, all in a directory of its own. */

#include <stdint.h>
#include <sys/types.h>
#include "tests/bench/ovsdb/client.h"

enum { OURS, STOCK, N_PEERS };

struct rows;

struct peer {
	unsigned which;
	const char *program;
	char file[128], socket[128], control[128], log[128];
	pid_t pid;		/* 0: does not run. */
	bool is_loaded;		/* Holds what 'rows' says, */
	bool is_compacted;	/* and was compacted since. */
	struct rows *rows;
	double rss_empty, rss_loaded;	/* MiB, before and after that. */
	double rss_least;		/* At rest, since it was started. */
};

/* Sets up files' names, which begin with 'prefix'; starts nothing. */
void peer_init(struct peer *, unsigned which, const char *program,
	       const char *prefix);
/* Starts it on a new file that holds the schema alone. */
void peer_start_empty(struct peer *, const char *schema);
void peer_start(struct peer *);
/* Ends it, politely or with a SIGKILL, and waits for that.  Nothing if it does
 * not run. */
void peer_stop(struct peer *);
void peer_kill(struct peer *);
/* Waits until somebody listens. */
void peer_connect(struct peer *, struct client *);

/* MiB that are resident now. */
double peer_rss(const struct peer *);
/* The most that was resident since the first, over the least at rest.  What
 * an earlier peak has left resident counts again: it was not there before. */
void peer_forget_peak(struct peer *);
double peer_growth(const struct peer *);
/* MiB of the database's file. */
double peer_file_size(const struct peer *);
/* A number of memory/show, or -1 if the server has none of that name. */
int64_t peer_counter(struct peer *, const char *name);

/* From now on this program has the machine's last processor for itself, and
 * the peer the others; 'false': both have all of them again.  Where there is
 * but one, nothing changes. */
void peer_part(const struct peer *, bool is_apart);

#endif /* bench/ovsdb/peer.h */
