/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_SNAPSHOT_H
#define OVSDB_SNAPSHOT_H 1

/* What the tables of a database look like through some views, as of one
 * commit, sent as one answer that is made while the client takes it: a stream.
 *
 * A stream holds a pin (pin.h) and goes through its tables range by range, so
 * that neither beginning it nor any step of it costs more in a large database
 * than in a small one, and what waits for a client is a few pieces.  While
 * there is more than one stream, what was made last is remembered: a range in
 * the words of a view, good for all commits since the range changed last.
 * Streams may begin anywhere in a table, and so one with the same views begins
 * where another is now: clients that come together share their words, slow
 * ones make them anew.
 *
 * A client that takes longer than it may, or that holds the oldest pin while
 * the rows kept for pins are more than they may be, is given up.  [control] */

#include <stddef.h>
#include <stdint.h>
#include "agent/base/list.h"
#include "agent/ovsdb/server/view.h"
#include "agent/ovsdb/store/pin.h"

struct client;
struct server_counters;
struct server_limits;

enum {
	SNAPSHOT_CACHE_SIZE = 8 << 20,	/* Bytes remembered. */
	SNAPSHOT_SLOTS = 256
};

/* Of a database. */
struct snapshots {
	struct database *database;
	struct server_counters *counters;
	struct list streams;		/* struct stream, oldest first. */
	struct list chunks;		/* What was made or used last at the
					 * end; and by range. */
	struct list slots[SNAPSHOT_SLOTS];
	size_t n_streams, size;		/* Bytes of the chunks. */
	uint32_t n_renumbered;		/* Of the pins, when they were made. */
	struct pin_rows rows;		/* Room for one range, */
	struct encoding words;		/* and for what is said of it. */
};

void snapshot_init(struct snapshots *, struct database *,
		   struct server_counters *);
/* Clients whose streams are not at their end are dismissed. */
void snapshot_done(struct snapshots *);

/* Sends one message: 'head', members of <table-updates> or <table-updates2>
 * as of now, 'tail'. */
void snapshot_send(struct snapshots *, struct client *,
		   struct view *const views[], size_t n_views,
		   const char *head, const char *tail);

/* Gives up clients; wants to be called when snapshot_deadline() has come, in
 * INT64_MAX: never. */
void snapshot_run(struct snapshots *, int64_t now_ms);
int64_t snapshot_deadline(const struct snapshots *);

/* The client goes. */
void snapshot_drop(struct client *);

#endif /* ovsdb/server/snapshot.h */
