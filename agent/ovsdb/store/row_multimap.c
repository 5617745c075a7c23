/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/store/row_multimap.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/ovsdb/store/row.h"

enum {
	/* Less than ROW_MULTIMAP_FEW, so that one row that comes and goes does
	 * not turn array to set and back each time. */
	FEW_AGAIN = ROW_MULTIMAP_FEW / 2
};

/* What stands in the set is the address of one of these, with a mark. */
enum mark { ONE, FEW, MANY, MARKS = 3 };

struct few {
	uint32_t n, max;
	struct row *rows[];
};

struct many {
	struct row_map rows;		/* By uuid_hash(). */
};

static void *find(const struct row_multimap *, uint32_t hash);
static enum mark mark_of(const void *thing);
static void *address_of(const void *thing);
static void *marked(void *, enum mark);
static size_t count_hashes(const struct row_entry *, size_t n);
static int compare_hashes(const void *, const void *);
static void group(const struct row_multimap *, const struct row_entry *,
		  size_t n, struct row_entry *grouped);
static void *one_to_few(struct row_multimap *, struct row *first);
static void *add_to_few(struct row_multimap *, struct few *, struct row *);
static void *few_to_many(struct row_multimap *, struct few *);
static void add_to_many(struct row_multimap *, struct many *, struct row *);
static void *drop_from_few(struct row_multimap *, struct few *,
			   const struct row *);
static void *drop_from_many(struct row_multimap *, struct many *,
			    const struct row *);
static struct few *few_resize(struct row_multimap *, struct few *,
			      uint32_t max);
static void few_free(struct row_multimap *, struct few *);
static struct row **place_in_few(struct few *, const struct row *);
static size_t size_of_few(uint32_t max);
static size_t size_of_many(const struct many *);
static uint32_t uuid_hash(const struct row *);

void
row_multimap_done(struct row_multimap *map)
{
	size_t cursor = 0;
	void *thing;

	while (map->more_size && (thing = hash_set_next(&map->set, &cursor))) {
		if (mark_of(thing) == MANY) {
			struct many *many = address_of(thing);

			row_map_done(&many->rows);
			free(many);
		} else if (mark_of(thing) == FEW) {
			free(address_of(thing));
		}
	}
	hash_set_done(&map->set);
	*map = (struct row_multimap) { .n = 0 };
}

/* Part by part of the set, each of which fits into the processor's cache. */
void
row_multimap_fill(struct row_multimap *map,
		  const struct row_entry *entries, size_t n)
{
	struct row_entry *grouped = xmalloc(n * sizeof *grouped);
	size_t i;

	hash_set_reserve(&map->set, count_hashes(entries, n));
	group(map, entries, n, grouped);
	for (i = 0; i < n; i++)
		row_multimap_insert(map, grouped[i].hash, grouped[i].row);
	free(grouped);
}

void
row_multimap_insert(struct row_multimap *map, uint32_t hash, struct row *row)
{
	void *old = find(map, hash);
	void *new = old;

	assert(!((uintptr_t) row & MARKS));
	map->n++;
	if (!old) {
		hash_set_insert(&map->set, hash, row);
		return;
	}
	switch (mark_of(old)) {
	case ONE:
		new = one_to_few(map, old);
		new = add_to_few(map, address_of(new), row);
		break;
	case FEW:
		new = add_to_few(map, address_of(old), row);
		break;
	default:
		add_to_many(map, address_of(old), row);
	}
	if (new != old)
		hash_set_replace(&map->set, hash, old, new);
}

void
row_multimap_remove(struct row_multimap *map, uint32_t hash,
		    const struct row *row)
{
	void *old = find(map, hash);
	void *new = old;

	map->n--;
	switch (mark_of(old)) {
	case ONE:
		hash_set_remove(&map->set, hash, row);
		return;
	case FEW:
		new = drop_from_few(map, address_of(old), row);
		break;
	default:
		new = drop_from_many(map, address_of(old), row);
	}
	if (new != old)
		hash_set_replace(&map->set, hash, old, new);
}

void
row_multimap_replace(struct row_multimap *map, uint32_t hash,
		     const struct row *old, struct row *new)
{
	void *thing = find(map, hash);

	switch (mark_of(thing)) {
	case ONE:
		hash_set_replace(&map->set, hash, old, new);
		return;
	case FEW:
		*place_in_few(address_of(thing), old) = new;
		return;
	default: {
		struct many *many = address_of(thing);

		row_map_replace(&many->rows, uuid_hash(old), old, new);
	}
	}
}

size_t
row_multimap_count(const struct row_multimap *map, uint32_t hash)
{
	void *thing = find(map, hash);

	if (!thing)
		return 0;
	switch (mark_of(thing)) {
	case ONE:
		return 1;
	case FEW:
		return ((struct few *) address_of(thing))->n;
	default:
		return row_map_n(&((struct many *) address_of(thing))->rows);
	}
}

void
row_multimap_copy(const struct row_multimap *map, uint32_t hash,
		  struct row **rows)
{
	void *thing = find(map, hash);
	size_t cursor = 0;

	if (!thing)
		return;
	if (mark_of(thing) == ONE) {
		*rows = thing;
	} else if (mark_of(thing) == FEW) {
		const struct few *few = address_of(thing);

		memcpy(rows, few->rows, few->n * sizeof *rows);
	} else {
		const struct many *many = address_of(thing);
		struct row *row;

		while ((row = row_map_next(&many->rows, &cursor)))
			*rows++ = row;
	}
}

static void *
find(const struct row_multimap *map, uint32_t hash)
{
	size_t cursor = 0;

	return hash_set_match(&map->set, hash, &cursor);
}

static enum mark
mark_of(const void *thing)
{
	return (uintptr_t) thing & MARKS;
}

static void *
address_of(const void *thing)
{
	return (char *) thing - mark_of(thing);
}

static void *
marked(void *address, enum mark mark)
{
	return (char *) address + mark;
}

/* Roughly: of many, one part in 256 is counted and stands for all. */
static size_t
count_hashes(const struct row_entry *entries, size_t n)
{
	enum { SMALL = 65536 };
	uint32_t mask = n > SMALL ? 255 : 0;
	uint32_t *hashes = xmalloc(n * sizeof *hashes);
	size_t n_hashes = 0, n_different = 0, i;

	for (i = 0; i < n; i++) {
		if (!(entries[i].hash & mask))
			hashes[n_hashes++] = entries[i].hash;
	}
	qsort(hashes, n_hashes, sizeof *hashes, compare_hashes);
	for (i = 0; i < n_hashes; i++) {
		if (!i || hashes[i] != hashes[i - 1])
			n_different++;
	}
	free(hashes);
	return n_different * (mask + 1);
}

static int
compare_hashes(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;

	return (x > y) - (x < y);
}

static void
group(const struct row_multimap *map, const struct row_entry *entries,
      size_t n, struct row_entry *grouped)
{
	size_t n_parts = (size_t) 1 << map->set.n_bits;
	size_t *ends = xcalloc(n_parts, sizeof *ends);
	size_t i;

	for (i = 0; i < n; i++)
		ends[hash_set_part(&map->set, entries[i].hash)]++;
	for (i = 1; i < n_parts; i++)
		ends[i] += ends[i - 1];
	for (i = n; i-- > 0;)
		grouped[--ends[hash_set_part(&map->set, entries[i].hash)]]
			= entries[i];
	free(ends);
}

static void *
one_to_few(struct row_multimap *map, struct row *first)
{
	struct few *few = few_resize(map, NULL, 2);

	few->n = 1;
	few->rows[0] = first;
	return marked(few, FEW);
}

/* Returns what then stands in the set, marked; so do those below. */
static void *
add_to_few(struct row_multimap *map, struct few *few, struct row *row)
{
	if (few->n == ROW_MULTIMAP_FEW) {
		void *many = few_to_many(map, few);

		add_to_many(map, address_of(many), row);
		return many;
	}
	if (few->n == few->max)
		few = few_resize(map, few, 2 * few->max);
	few->rows[few->n++] = row;
	return marked(few, FEW);
}

static void *
few_to_many(struct row_multimap *map, struct few *few)
{
	struct many *many = xcalloc(1, sizeof *many);
	uint32_t i;

	map->more_size += size_of_many(many);
	for (i = 0; i < few->n; i++)
		add_to_many(map, many, few->rows[i]);
	few_free(map, few);
	return marked(many, MANY);
}

static void
add_to_many(struct row_multimap *map, struct many *many, struct row *row)
{
	map->more_size -= size_of_many(many);
	row_map_insert(&many->rows, uuid_hash(row), row);
	map->more_size += size_of_many(many);
}

static void *
drop_from_few(struct row_multimap *map, struct few *few,
	      const struct row *row)
{
	*place_in_few(few, row) = few->rows[few->n - 1];
	few->n--;
	if (few->n == 1) {
		struct row *last = few->rows[0];

		few_free(map, few);
		return last;
	}
	if (few->n == few->max / 2)
		few = few_resize(map, few, few->n);
	return marked(few, FEW);
}

static void *
drop_from_many(struct row_multimap *map, struct many *many,
	       const struct row *row)
{
	size_t cursor = 0;
	struct few *few;
	struct row *r;

	map->more_size -= size_of_many(many);
	row_map_remove(&many->rows, uuid_hash(row), row);
	map->more_size += size_of_many(many);
	if (row_map_n(&many->rows) > FEW_AGAIN)
		return marked(many, MANY);
	few = few_resize(map, NULL, FEW_AGAIN);
	while ((r = row_map_next(&many->rows, &cursor)))
		few->rows[few->n++] = r;
	map->more_size -= size_of_many(many);
	row_map_done(&many->rows);
	free(many);
	return marked(few, FEW);
}

/* 'few' NULL: a new one, empty. */
static struct few *
few_resize(struct row_multimap *map, struct few *few, uint32_t max)
{
	bool is_new = !few;

	if (few)
		map->more_size -= size_of_few(few->max);
	few = xrealloc(few, size_of_few(max));
	if (is_new)
		few->n = 0;
	few->max = max;
	map->more_size += size_of_few(max);
	return few;
}

static void
few_free(struct row_multimap *map, struct few *few)
{
	map->more_size -= size_of_few(few->max);
	free(few);
}

static struct row **
place_in_few(struct few *few, const struct row *row)
{
	struct row **place = few->rows;

	while (*place != row)
		place++;
	return place;
}

static size_t
size_of_few(uint32_t max)
{
	return sizeof(struct few) + max * sizeof(struct row *);
}

static size_t
size_of_many(const struct many *many)
{
	return sizeof *many + row_map_size(&many->rows);
}

static uint32_t
uuid_hash(const struct row *row)
{
	return row_uuid_hash(&row->uuid);
}
