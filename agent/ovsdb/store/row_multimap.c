/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/store/row_multimap.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/ovsdb/store/row_map.h"
#include "agent/ovsdb/value/hash.h"

enum {
	MIN_BUCKETS = 16,
	/* Less than ROW_BUCKET_FEW, so that one row that comes and goes does
	 * not turn array to map and back each time. */
	FEW_AGAIN = ROW_BUCKET_FEW / 2
};

static struct row_bucket *find(const struct row_multimap *, uint32_t hash);
static void resize(struct row_multimap *, size_t n_buckets);
static void add_to_few(struct row_multimap *, struct row_bucket *,
		       struct row *);
static void few_to_many(struct row_multimap *, struct row_bucket *);
static void add_to_many(struct row_multimap *, struct row_bucket *,
			struct row *);
static void drop_from_few(struct row_multimap *, struct row_bucket *,
			  const struct row *);
static void drop_from_many(struct row_multimap *, struct row_bucket *,
			   const struct row *);
static void many_to_few(struct row_multimap *, struct row_bucket *);
static struct row **place_in_few(const struct row_bucket *,
				 const struct row *);
static size_t size_of_few(uint32_t n);
static size_t size_of_many(const struct row_map *);
static uint32_t address_hash(const struct row *);
static void close_gap(struct row_multimap *, struct row_bucket *);

void
row_multimap_done(struct row_multimap *map)
{
	size_t i;

	for (i = 0; i < map->n_buckets; i++) {
		struct row_bucket *bucket = &map->buckets[i];

		if (bucket->is_many) {
			row_map_done(bucket->many);
			free(bucket->many);
		} else if (bucket->n > 1) {
			free(bucket->few);
		}
	}
	free(map->buckets);
	*map = (struct row_multimap) { 0 };
}

void
row_multimap_fill(struct row_multimap *map, struct row_entry *entries,
		  size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		row_multimap_insert(map, entries[i].hash, entries[i].row);
}

void
row_multimap_insert(struct row_multimap *map, uint32_t hash, struct row *row)
{
	struct row_bucket *bucket;

	if ((map->n_hashes + 1) * 4 > map->n_buckets * 3)
		resize(map, map->n_buckets ? map->n_buckets * 2
					   : MIN_BUCKETS);
	bucket = find(map, hash);
	map->n++;
	if (!bucket->n) {
		bucket->hash = hash;
		bucket->n = 1;
		bucket->one = row;
		map->n_hashes++;
		return;
	}
	if (!bucket->is_many && bucket->n == ROW_BUCKET_FEW)
		few_to_many(map, bucket);
	if (bucket->is_many)
		add_to_many(map, bucket, row);
	else
		add_to_few(map, bucket, row);
}

void
row_multimap_remove(struct row_multimap *map, uint32_t hash,
		    const struct row *row)
{
	struct row_bucket *bucket = find(map, hash);

	map->n--;
	if (bucket->is_many) {
		drop_from_many(map, bucket, row);
		if (bucket->n == FEW_AGAIN)
			many_to_few(map, bucket);
	} else if (bucket->n > 1) {
		drop_from_few(map, bucket, row);
	} else {
		map->n_hashes--;
		close_gap(map, bucket);
		if (map->n_buckets > MIN_BUCKETS
		    && map->n_hashes * 8 < map->n_buckets)
			resize(map, map->n_buckets / 2);
	}
}

void
row_multimap_replace(struct row_multimap *map, uint32_t hash,
		     const struct row *old, struct row *new)
{
	struct row_bucket *bucket = find(map, hash);

	if (bucket->is_many) {
		drop_from_many(map, bucket, old);
		add_to_many(map, bucket, new);
	} else if (bucket->n > 1) {
		*place_in_few(bucket, old) = new;
	} else {
		bucket->one = new;
	}
}

size_t
row_multimap_count(const struct row_multimap *map, uint32_t hash)
{
	return map->n_buckets ? find(map, hash)->n : 0;
}

void
row_multimap_copy(const struct row_multimap *map, uint32_t hash,
		  struct row **rows)
{
	const struct row_bucket *bucket;
	size_t cursor = 0;
	struct row *row;

	if (!map->n_buckets)
		return;
	bucket = find(map, hash);
	if (bucket->is_many) {
		while ((row = row_map_next(bucket->many, &cursor)))
			*rows++ = row;
	} else if (bucket->n > 1) {
		memcpy(rows, bucket->few, bucket->n * sizeof *rows);
	} else if (bucket->n) {
		*rows = bucket->one;
	}
}

/* That of this hash, or the free one where it would stand. */
static struct row_bucket *
find(const struct row_multimap *map, uint32_t hash)
{
	size_t mask = map->n_buckets - 1;
	size_t i = hash & mask;

	while (map->buckets[i].n && map->buckets[i].hash != hash)
		i = (i + 1) & mask;
	return &map->buckets[i];
}

static void
resize(struct row_multimap *map, size_t n_buckets)
{
	struct row_bucket *old = map->buckets;
	size_t n_old = map->n_buckets;
	size_t i;

	map->n_buckets = n_buckets;
	map->buckets = xcalloc(n_buckets, sizeof *map->buckets);
	for (i = 0; i < n_old; i++) {
		if (old[i].n)
			*find(map, old[i].hash) = old[i];
	}
	free(old);
	map->size += n_buckets * sizeof *old;
	map->size -= n_old * sizeof *old;
}

static void
add_to_few(struct row_multimap *map, struct row_bucket *bucket,
	   struct row *row)
{
	size_t before = size_of_few(bucket->n);
	size_t after = size_of_few(bucket->n + 1);

	if (bucket->n == 1) {
		struct row *first = bucket->one;

		bucket->few = xmalloc(after);
		bucket->few[0] = first;
	} else if (after != before) {
		bucket->few = xrealloc(bucket->few, after);
	}
	map->size += after - before;
	bucket->few[bucket->n++] = row;
}

static void
few_to_many(struct row_multimap *map, struct row_bucket *bucket)
{
	struct row_map *many = xcalloc(1, sizeof *many);
	uint32_t i;

	for (i = 0; i < bucket->n; i++)
		row_map_insert(many, address_hash(bucket->few[i]),
			       bucket->few[i]);
	free(bucket->few);
	bucket->many = many;
	bucket->is_many = true;
	map->size += size_of_many(many) - size_of_few(bucket->n);
}

static void
add_to_many(struct row_multimap *map, struct row_bucket *bucket,
	    struct row *row)
{
	map->size -= size_of_many(bucket->many);
	row_map_insert(bucket->many, address_hash(row), row);
	map->size += size_of_many(bucket->many);
	bucket->n = row_map_n(bucket->many);
}

static void
drop_from_few(struct row_multimap *map, struct row_bucket *bucket,
	      const struct row *row)
{
	size_t before = size_of_few(bucket->n);
	size_t after = size_of_few(bucket->n - 1);
	struct row **few = bucket->few;

	*place_in_few(bucket, row) = few[bucket->n - 1];
	bucket->n--;
	if (bucket->n == 1) {
		bucket->one = few[0];
		free(few);
	} else if (after != before) {
		bucket->few = xrealloc(few, after);
	}
	map->size -= before - after;
}

static void
drop_from_many(struct row_multimap *map, struct row_bucket *bucket,
	       const struct row *row)
{
	map->size -= size_of_many(bucket->many);
	row_map_remove(bucket->many, address_hash(row), row);
	map->size += size_of_many(bucket->many);
	bucket->n = row_map_n(bucket->many);
}

static void
many_to_few(struct row_multimap *map, struct row_bucket *bucket)
{
	struct row_map *many = bucket->many;
	struct row **few = xmalloc(size_of_few(bucket->n));
	size_t cursor = 0, n = 0;
	struct row *row;

	while ((row = row_map_next(many, &cursor)))
		few[n++] = row;
	map->size -= size_of_many(many);
	map->size += size_of_few(bucket->n);
	row_map_done(many);
	free(many);
	bucket->few = few;
	bucket->is_many = false;
}

static struct row **
place_in_few(const struct row_bucket *bucket, const struct row *row)
{
	struct row **place = bucket->few;

	while (*place != row)
		place++;
	return place;
}

/* The next power of two, so that an array need not remember how large it
 * is. */
static size_t
size_of_few(uint32_t n)
{
	size_t max = 2;

	if (n < 2)
		return 0;
	while (max < n)
		max *= 2;
	return max * sizeof(struct row *);
}

static size_t
size_of_many(const struct row_map *many)
{
	return sizeof *many + row_map_size(many);
}

static uint32_t
address_hash(const struct row *row)
{
	return hash_word((uintptr_t) row, 0);
}

/* Those behind the gap whose home is not behind it move up. */
static void
close_gap(struct row_multimap *map, struct row_bucket *bucket)
{
	size_t mask = map->n_buckets - 1;
	size_t gap = bucket - map->buckets;
	size_t next;

	for (next = (gap + 1) & mask; map->buckets[next].n;
	     next = (next + 1) & mask) {
		size_t home = map->buckets[next].hash & mask;

		if (((next - home) & mask) >= ((next - gap) & mask)) {
			map->buckets[gap] = map->buckets[next];
			gap = next;
		}
	}
	memset(&map->buckets[gap], 0, sizeof map->buckets[gap]);
}
