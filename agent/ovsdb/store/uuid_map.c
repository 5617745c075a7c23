/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/store/uuid_map.h"

#include <stdlib.h>

#include "agent/base/memory.h"
#include "agent/ovsdb/value/hash.h"

static struct uuid_node **bucket(const struct uuid_map *,
				 const struct uuid *);
static void grow(struct uuid_map *);
static struct uuid_node *find_from(struct uuid_node *, const struct uuid *);

void
uuid_map_done(struct uuid_map *map)
{
	free(map->buckets);
	*map = (struct uuid_map) { 0 };
}

void
uuid_map_insert(struct uuid_map *map, struct uuid_node *node)
{
	struct uuid_node **head;

	if (map->n >= map->n_buckets)
		grow(map);
	head = bucket(map, &node->uuid);
	node->next = *head;
	*head = node;
	map->n++;
}

void
uuid_map_remove(struct uuid_map *map, struct uuid_node *node)
{
	struct uuid_node **at = bucket(map, &node->uuid);

	while (*at != node)
		at = &(*at)->next;
	*at = node->next;
	map->n--;
}

struct uuid_node *
uuid_map_find(const struct uuid_map *map, const struct uuid *uuid)
{
	return map->n ? find_from(*bucket(map, uuid), uuid) : NULL;
}

struct uuid_node *
uuid_map_find_next(const struct uuid_node *node)
{
	return find_from(node->next, &node->uuid);
}

static struct uuid_node **
bucket(const struct uuid_map *map, const struct uuid *uuid)
{
	uint32_t hash = hash_bytes(uuid, sizeof *uuid, 0);

	return &map->buckets[hash & (map->n_buckets - 1)];
}

static void
grow(struct uuid_map *map)
{
	struct uuid_map larger = {
		.n_buckets = map->n_buckets ? map->n_buckets * 2 : 16,
		.n = map->n,
	};

	larger.buckets = xcalloc(larger.n_buckets, sizeof *larger.buckets);
	for (size_t i = 0; i < map->n_buckets; i++) {
		struct uuid_node *node = map->buckets[i], *next;

		for (; node; node = next) {
			struct uuid_node **head = bucket(&larger,
							 &node->uuid);

			next = node->next;
			node->next = *head;
			*head = node;
		}
	}
	free(map->buckets);
	*map = larger;
}

static struct uuid_node *
find_from(struct uuid_node *node, const struct uuid *uuid)
{
	while (node && !uuid_equal(&node->uuid, uuid))
		node = node->next;
	return node;
}
