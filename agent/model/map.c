/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/model/map.h"

#include <stdlib.h>
#include "agent/base/memory.h"

enum { MIN_BUCKETS = 16 };

static struct keyed **find_bucket(const struct map *, const struct uuid *);
static void grow(struct map *);

uint64_t
map_hash(const void *bytes, size_t size, uint64_t seed)
{
	const uint8_t *p = bytes;
	uint64_t hash = seed ^ size * 0x9e3779b97f4a7c15u;

	while (size) {
		uint64_t word = 0;
		size_t n = size < 8 ? size : 8;

		memcpy(&word, p, n);
		hash = (hash ^ word) * 0xff51afd7ed558ccdu;
		hash ^= hash >> 32;
		p += n;
		size -= n;
	}
	hash *= 0xc4ceb9fe1a85ec53u;
	return hash ^ hash >> 29;
}

void
map_init(struct map *map, uint64_t seed)
{
	memset(map, 0, sizeof *map);
	map->seed = seed;
}

void
map_done(struct map *map)
{
	free(map->buckets);
	map_init(map, map->seed);
}

void
map_add(struct map *map, struct keyed *keyed)
{
	struct keyed **bucket;

	if (map->n >= map->n_buckets)
		grow(map);
	bucket = find_bucket(map, &keyed->key);
	keyed->next = *bucket;
	*bucket = keyed;
	map->n++;
}

void
map_remove(struct map *map, struct keyed *keyed)
{
	struct keyed **p = find_bucket(map, &keyed->key);

	while (*p != keyed)
		p = &(*p)->next;
	*p = keyed->next;
	map->n--;
}

struct keyed *
map_find(const struct map *map, const struct uuid *key)
{
	struct keyed *keyed;

	if (!map->n)
		return NULL;
	keyed = *find_bucket(map, key);
	while (keyed && !uuid_equal(&keyed->key, key))
		keyed = keyed->next;
	return keyed;
}

struct keyed *
map_find_next(const struct keyed *keyed)
{
	struct keyed *next = keyed->next;

	while (next && !uuid_equal(&next->key, &keyed->key))
		next = next->next;
	return next;
}

void
map_prefetch(const struct map *map, const struct uuid *key)
{
	if (map->n)
		__builtin_prefetch(find_bucket(map, key));
}

void
map_prefetch_first(const struct map *map, const struct uuid *key)
{
	if (map->n)
		__builtin_prefetch(*find_bucket(map, key));
}

struct keyed *
map_pop(struct map *map, size_t *bucket)
{
	for (; *bucket < map->n_buckets; ++*bucket) {
		struct keyed *keyed = map->buckets[*bucket];

		if (keyed) {
			map->buckets[*bucket] = keyed->next;
			map->n--;
			return keyed;
		}
	}
	return NULL;
}

static struct keyed **
find_bucket(const struct map *map, const struct uuid *key)
{
	return &map->buckets[map_hash(key, sizeof *key, map->seed)
			     & (map->n_buckets - 1)];
}

static void
grow(struct map *map)
{
	struct keyed **old = map->buckets;
	size_t n_old = map->n_buckets;

	map->n_buckets = n_old ? n_old * 2 : MIN_BUCKETS;
	map->buckets = xcalloc(map->n_buckets, sizeof *map->buckets);
	for (size_t i = 0; i < n_old; i++)
		while (old[i]) {
			struct keyed *keyed = old[i], **bucket;

			old[i] = keyed->next;
			bucket = find_bucket(map, &keyed->key);
			keyed->next = *bucket;
			*bucket = keyed;
		}
	free(old);
}
