/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/store/row_map.h"

#include <stdlib.h>

#include "agent/base/memory.h"
#include "agent/ovsdb/value/hash.h"

enum { MIN_SLOTS = 16 };

static size_t home(const struct row_map *, uint32_t hash);
static uint32_t new_mix(void);
static size_t find_slot(const struct row_map *, uint32_t hash,
			const struct row *);
static void resize(struct row_map *, size_t n_slots);

void
row_map_done(struct row_map *map)
{
	free(map->slots);
	map->slots = NULL;
	map->n_slots = map->n = 0;
	map->mix = 0;
}

void
row_map_insert(struct row_map *map, uint32_t hash, struct row *row)
{
	size_t i;

	if ((map->n + 1) * 4 > map->n_slots * 3)
		resize(map, map->n_slots ? map->n_slots * 2 : MIN_SLOTS);
	i = home(map, hash);
	while (map->slots[i].row)
		i = (i + 1) & (map->n_slots - 1);
	map->slots[i].row = row;
	map->slots[i].hash = hash;
	map->n++;
}

void
row_map_remove(struct row_map *map, uint32_t hash, const struct row *row)
{
	size_t mask = map->n_slots - 1;
	size_t hole = find_slot(map, hash, row);
	size_t next;

	/* Those behind the hole whose home is not behind it move up. */
	for (next = (hole + 1) & mask; map->slots[next].row;
	     next = (next + 1) & mask) {
		size_t from = home(map, map->slots[next].hash);

		if (((next - from) & mask) >= ((next - hole) & mask)) {
			map->slots[hole] = map->slots[next];
			hole = next;
		}
	}
	map->slots[hole].row = NULL;
	map->n--;
	if (map->n_slots > MIN_SLOTS && map->n * 8 < map->n_slots)
		resize(map, map->n_slots / 2);
}

void
row_map_replace(struct row_map *map, uint32_t hash, const struct row *old,
		struct row *new)
{
	map->slots[find_slot(map, hash, old)].row = new;
}

struct row *
row_map_match(const struct row_map *map, uint32_t hash, size_t *cursor)
{
	size_t mask = map->n_slots - 1, first;

	if (!map->n_slots)
		return NULL;
	first = home(map, hash);
	for (;;) {
		const struct row_slot *slot =
			&map->slots[(first + *cursor) & mask];

		if (!slot->row)
			return NULL;
		++*cursor;
		if (slot->hash == hash)
			return slot->row;
	}
}

struct row *
row_map_next(const struct row_map *map, size_t *cursor)
{
	while (*cursor < map->n_slots) {
		struct row *row = map->slots[(*cursor)++].row;

		if (row)
			return row;
	}
	return NULL;
}

/* Behind the last slot of the range those of it follow that found theirs
 * taken. */
struct row *
row_map_range(const struct row_map *map, uint32_t first, uint32_t last,
	      size_t *cursor)
{
	size_t mask = map->n_slots - 1, start, n;

	if (!map->n_slots)
		return NULL;
	start = (uint64_t) first * map->n_slots >> 32;
	n = ((uint64_t) last * map->n_slots >> 32) - start + 1;
	while (*cursor < map->n_slots) {
		const struct row_slot *slot =
			&map->slots[(start + *cursor) & mask];
		uint32_t place;

		if (!slot->row && *cursor >= n)
			return NULL;
		++*cursor;
		place = row_map_place(map, slot->hash);
		if (slot->row && place >= first && place <= last)
			return slot->row;
	}
	return NULL;
}

size_t
row_map_cursor_after(const struct row_map *map, uint32_t hash,
		     const struct row *row)
{
	return find_slot(map, hash, row) + 1;
}

static size_t
home(const struct row_map *map, uint32_t hash)
{
	return (uint64_t) row_map_place(map, hash) * map->n_slots >> 32;
}

static uint32_t
new_mix(void)
{
	static uint32_t n;

	return hash_word(n++, 0) | 1;
}

static size_t
find_slot(const struct row_map *map, uint32_t hash, const struct row *row)
{
	size_t i = home(map, hash);

	while (map->slots[i].row != row)
		i = (i + 1) & (map->n_slots - 1);
	return i;
}

static void
resize(struct row_map *map, size_t n_slots)
{
	struct row_slot *old = map->slots;
	size_t n_old = map->n_slots;
	size_t i;

	map->n_slots = n_slots;
	if (!map->mix)
		map->mix = new_mix();
	map->slots = xcalloc(map->n_slots, sizeof *map->slots);
	for (i = 0; i < n_old; i++) {
		size_t j;

		if (!old[i].row)
			continue;
		j = home(map, old[i].hash);
		while (map->slots[j].row)
			j = (j + 1) & (map->n_slots - 1);
		map->slots[j] = old[i];
	}
	free(old);
}
