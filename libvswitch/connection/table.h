/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CONNECTION_TABLE_H
#define CONNECTION_TABLE_H 1

/* The inside of the table of connections, for connection.c, where its rules
 * stand, and for report.c. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "libvswitch/base/hash.h"
#include "libvswitch/base/lock.h"
#include "libvswitch/connection/ended.h"
#include "libvswitch/connection/room.h"
#include "libvswitch/connection/track.h"

struct shard {
	_Alignas(64) struct lock lock;
};

/* The hand that goes round. */
struct hand {
	_Alignas(64) struct lock lock;
	uint32_t bucket;
	uint64_t moved_ns;
};

struct connections {
	struct vsw *vsw;
	struct hash_secret secret;
	uint64_t age_ns[TRACK_N_AGES];
	uint32_t mask;			/* Number of buckets - 1. */
	unsigned shard_shift;
	uint32_t n_shards;
	_Atomic uint32_t *buckets;
	struct shard *shards;
	struct room room;
	struct hand hand;
	struct ended_ring ended;
	_Atomic uint64_t now;
};

static inline uint32_t
table_load(const _Atomic uint32_t *number)
{
	return atomic_load_explicit(number, memory_order_relaxed);
}

static inline struct lock *
connections_lock(const struct connections *t, uint32_t hash)
{
	return &t->shards[(hash & t->mask) >> t->shard_shift].lock;
}

/* Under its shard's lock. */
bool connections_is_alive(const struct connections *, const struct entry *,
			  uint64_t now);

#endif /* connection/table.h */
