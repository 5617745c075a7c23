/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_ROW_MAP_H
#define OVSDB_ROW_MAP_H 1

/* A hash table of rows, by any hash of theirs; equal hashes
 * should be few: those rows are found one after the other.  Does not know
 * what the hash is made of and does not own the rows.
 *
 * Rows stand in the order of their places, which are their hashes mixed with a
 * number that is the map's own and stays the same when its size changes: so a
 * range of places can be walked through at any time, whatever has become of
 * the map since the last one; and rows that come in the order of another map
 * do not all crowd into one corner.  [control] */

#include <stddef.h>
#include <stdint.h>

struct row;

struct row_slot {
	struct row *row;	/* NULL: free. */
	uint32_t hash;
};

struct row_map {		/* Zero-initialised. */
	struct row_slot *slots;	/* A power of two. */
	size_t n_slots;
	size_t n;
	uint32_t mix;		/* Odd, or 0 before the first row. */
};

static inline uint32_t
row_map_place(const struct row_map *map, uint32_t hash)
{
	return hash * map->mix;
}

void row_map_done(struct row_map *);
void row_map_insert(struct row_map *, uint32_t hash, struct row *);
/* The row must be there. */
void row_map_remove(struct row_map *, uint32_t hash, const struct row *);
/* Puts 'new' where 'old' stands; both have this hash. */
void row_map_replace(struct row_map *, uint32_t hash, const struct row *old,
		     struct row *new);

/* Rows of this hash: start with '*cursor' 0; NULL after the last.  Nothing
 * may be inserted or removed meanwhile. */
struct row *row_map_match(const struct row_map *, uint32_t hash,
			  size_t *cursor);
/* All rows, likewise. */
struct row *row_map_next(const struct row_map *, size_t *cursor);
/* Those whose places are from 'first' to 'last', likewise. */
struct row *row_map_range(const struct row_map *, uint32_t first,
			  uint32_t last, size_t *cursor);
/* The cursor of row_map_next() that continues behind 'row'. */
size_t row_map_cursor_after(const struct row_map *, uint32_t hash,
			    const struct row *);

#endif /* ovsdb/store/row_map.h */
