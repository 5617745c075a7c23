/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_ROW_MAP_H
#define OVSDB_ROW_MAP_H 1

/* A hash_set of rows.  [control] */

#include "agent/ovsdb/value/hash_set.h"

struct row;

struct row_map {		/* Zero-initialised. */
	struct hash_set set;
};

static inline size_t
row_map_n(const struct row_map *map)
{
	return map->set.n;
}

static inline uint32_t
row_map_place(const struct row_map *map, uint32_t hash)
{
	return hash_set_place(&map->set, hash);
}

static inline size_t
row_map_size(const struct row_map *map)
{
	return hash_set_size(&map->set);
}

static inline void
row_map_done(struct row_map *map)
{
	hash_set_done(&map->set);
}

static inline void
row_map_loosen(struct row_map *map)
{
	hash_set_loosen(&map->set);
}

static inline void
row_map_tighten(struct row_map *map)
{
	hash_set_tighten(&map->set);
}

static inline void
row_map_insert(struct row_map *map, uint32_t hash, struct row *row)
{
	hash_set_insert(&map->set, hash, row);
}

static inline void
row_map_remove(struct row_map *map, uint32_t hash, const struct row *row)
{
	hash_set_remove(&map->set, hash, row);
}

static inline void
row_map_replace(struct row_map *map, uint32_t hash, const struct row *old,
		struct row *new)
{
	hash_set_replace(&map->set, hash, old, new);
}

static inline void
row_map_prefetch(const struct row_map *map, uint32_t hash)
{
	hash_set_prefetch(&map->set, hash);
}

static inline struct row *
row_map_match(const struct row_map *map, uint32_t hash, size_t *cursor)
{
	return hash_set_match(&map->set, hash, cursor);
}

static inline struct row *
row_map_next(const struct row_map *map, size_t *cursor)
{
	return hash_set_next(&map->set, cursor);
}

static inline struct row *
row_map_range(const struct row_map *map, uint32_t first, uint32_t last,
	      size_t *cursor)
{
	return hash_set_range(&map->set, first, last, cursor);
}

static inline size_t
row_map_cursor_after(const struct row_map *map, uint32_t hash,
		     const struct row *row)
{
	return hash_set_cursor_after(&map->set, hash, row);
}

#endif /* ovsdb/store/row_map.h */
