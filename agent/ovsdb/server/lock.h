/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_LOCK_H
#define OVSDB_LOCK_H 1

/* Locks of RFC 7047, section 4.1.8: names that clients hold in turn, across
 * all databases of the server.
 *
 * A claim is one client's place at one lock.  Claims stand in a queue:
 *
 *     first	    holds the lock; ends by unlock, disconnect, or a steal
 *     later	    waits; becomes first when all before it have ended, and
 *		    hears "locked"
 *
 * A thief goes to the front and the one robbed hears "stolen"; it stays next
 * in the queue until it unlocks.  [control] */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>
#include "agent/base/list.h"

struct client;
struct client_locks;

struct lock_table {
	struct list *buckets;
	uint32_t n_buckets, n_locks;	/* n_buckets is a power of two. */
	uint32_t seed;
};

void lock_table_init(struct lock_table *);
void lock_table_done(struct lock_table *);

/* The methods: answer the request 'id'. */
void lock_lock(struct client *, json_t *id, json_t *params, bool steal);
void lock_unlock(struct client *, json_t *id, json_t *params);

bool lock_is_owner(const struct client *, const char *name);
void lock_list(const struct client *, struct client_locks *ret_locks);

/* Ends all claims of a client that goes. */
void lock_drop(struct client *);

#endif /* ovsdb/server/lock.h */
