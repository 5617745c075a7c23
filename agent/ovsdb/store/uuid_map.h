/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_UUID_MAP_H
#define OVSDB_UUID_MAP_H 1

/* A hash table of things that have a UUID and a node; several may have the
 * same.  Does not own them.  [control] */

#include <stddef.h>
#include "agent/ovsdb/value/uuid.h"

struct uuid_node {
	struct uuid uuid;
	struct uuid_node *next;		/* In the bucket. */
};

struct uuid_map {			/* Zero-initialised. */
	struct uuid_node **buckets;	/* A power of two. */
	size_t n_buckets;
	size_t n;
};

void uuid_map_done(struct uuid_map *);
void uuid_map_insert(struct uuid_map *, struct uuid_node *);
/* It must be there. */
void uuid_map_remove(struct uuid_map *, struct uuid_node *);

/* One with this UUID, and the next one of the same; NULL after the last. */
struct uuid_node *uuid_map_find(const struct uuid_map *, const struct uuid *);
struct uuid_node *uuid_map_find_next(const struct uuid_node *);

#endif /* ovsdb/store/uuid_map.h */
