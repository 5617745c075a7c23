/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MODEL_MAP_H
#define MODEL_MAP_H 1

/* Hashes from UUIDs to structs that carry a link of their own.  Several may
 * carry the same key.  [control] */

#include <stddef.h>
#include <stdint.h>
#include "agent/ovsdb/value/uuid.h"

struct keyed {
	struct uuid key;
	struct keyed *next;		/* In the bucket. */
};

struct map {
	struct keyed **buckets;
	size_t n_buckets;		/* A power of two, or 0. */
	size_t n;
	uint64_t seed;
};

#define KEYED_ENTRY(keyed, type, member) \
	((type *) ((char *) (keyed) - offsetof(type, member)))

/* Mixes 'size' bytes: for tables that peers fill. */
uint64_t map_hash(const void *bytes, size_t size, uint64_t seed);

void map_init(struct map *, uint64_t seed);
void map_done(struct map *);		/* Leaves what was in it. */
void map_add(struct map *, struct keyed *);	/* Its key is set. */
void map_remove(struct map *, struct keyed *);
/* The first with this key, and the next with the same; NULL: none. */
struct keyed *map_find(const struct map *, const struct uuid *key);
struct keyed *map_find_next(const struct keyed *);
/* map_find() will be called: has its bucket come from memory; and a bit before
 * the call, the first that is in there. */
void map_prefetch(const struct map *, const struct uuid *key);
void map_prefetch_first(const struct map *, const struct uuid *key);
/* Takes any out; NULL: empty.  For taking everything down: '*bucket' is 0 at
 * first and ours then. */
struct keyed *map_pop(struct map *, size_t *bucket);

#endif /* model/map.h */
