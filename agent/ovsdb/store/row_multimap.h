/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_ROW_MULTIMAP_H
#define OVSDB_ROW_MULTIMAP_H 1

/* Rows by a hash of what they hold, where very many may hold the same: each
 * hash has one place in a hash_set, and of however many rows there are, one
 * comes and goes in constant time.  Does not know what the hash is made of,
 * does not tell values of equal hash apart, and does not own the rows.
 *
 * A row that is alone with its hash costs nothing but that place; up to
 * ROW_MULTIMAP_FEW stand in an array, more in a set by their UUIDs.
 * [control] */

#include <stddef.h>
#include <stdint.h>
#include "agent/ovsdb/value/hash_set.h"

struct row;

enum { ROW_MULTIMAP_FEW = 16 };

struct row_multimap {		/* Zero-initialised. */
	struct hash_set set;
	size_t n;		/* Rows. */
	size_t more_size;	/* Bytes of arrays and sets. */
};

struct row_entry {
	struct row *row;
	uint32_t hash;
};

static inline size_t
row_multimap_size(const struct row_multimap *map)
{
	return hash_set_size(&map->set) + map->more_size;
}

void row_multimap_done(struct row_multimap *);
/* Inserts many into an empty one, faster than one by one. */
void row_multimap_fill(struct row_multimap *, const struct row_entry *,
		       size_t n);
/* The row must not be there under this hash. */
void row_multimap_insert(struct row_multimap *, uint32_t hash, struct row *);
/* The row must be there. */
void row_multimap_remove(struct row_multimap *, uint32_t hash,
			 const struct row *);
/* Puts 'new' where 'old' stands; both have this hash, and one UUID. */
void row_multimap_replace(struct row_multimap *, uint32_t hash,
			  const struct row *old, struct row *new);

/* How many rows have this hash. */
size_t row_multimap_count(const struct row_multimap *, uint32_t hash);
/* Copies them to 'rows', which has room for row_multimap_count(). */
void row_multimap_copy(const struct row_multimap *, uint32_t hash,
		       struct row **rows);

#endif /* ovsdb/store/row_multimap.h */
