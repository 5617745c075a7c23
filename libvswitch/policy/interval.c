/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/policy/interval.h"

#include <errno.h>
#include <string.h>
#include "libvswitch/base/hash.h"
#include "libvswitch/base/memory.h"

enum {
	NODE = 16,			/* Starts in a cache line. */
	ROW_MAX = 1 + INTERVAL_WORDS,
	TURN_WORTH = 16,		/* Bytes of rows for each turn, */
	TURN_WORTH_MAX = 32,		/* or at the utmost. */
	POOL_MIN = 2048
};

/* Rows and starts while they are found; then they move to one piece. */
struct layout {
	const struct vsw_allocator *allocator;
	const struct turn *turns;
	size_t n_turns, n_words;
	const uint64_t *class_bitmaps;
	size_t n_points;		/* Intervals, if none are joined. */
	size_t pool_max;		/* Words. */
	struct point *starts;
	uint32_t *rows;
	size_t n;
	uint64_t *pool;
	size_t n_pool, pool_room;
	uint32_t *known;		/* Rows by hash; 0: none. */
	size_t n_known;			/* Power of 2. */
};

static size_t count_points(const struct turn *, size_t n);
static int lay_out(struct layout *, size_t coarse);
static int add_row(struct layout *, const uint64_t *bitmap);
static void drop_layout(struct layout *);
static int copy_out(struct intervals *, const struct layout *,
		    const uint64_t *base, const uint64_t *absent);
static uint32_t set_levels(struct intervals *);
static void copy_starts(struct intervals *, const struct layout *);
static uint32_t words_of(const uint64_t *bitmap, size_t n);
static uint32_t find_4(const struct intervals *, uint32_t);
static uint32_t find_8(const struct intervals *, uint64_t);
static uint32_t find_16(const struct intervals *, struct point);

int
intervals_init(struct intervals *intervals,
	       const struct vsw_allocator *allocator, unsigned bits,
	       const struct turn *turns, size_t n_turns,
	       const uint64_t *class_bitmaps, const uint64_t *base,
	       const uint64_t *absent, size_t n_words, size_t size_max)
{
	struct layout layout = {
		.allocator = allocator, .turns = turns, .n_turns = n_turns,
		.n_words = n_words, .class_bitmaps = class_bitmaps,
		.n_points = count_points(turns, n_turns)
	};
	size_t coarse = 1;
	int error;

	*intervals = (struct intervals) {
		.n_words = (uint16_t) n_words,
		.width = bits <= 32 ? 4 : bits <= 64 ? 8 : 16
	};
	layout.pool_max = (TURN_WORTH * n_turns + POOL_MIN)
			  / sizeof(uint64_t);
	while ((error = lay_out(&layout, coarse)) == -E2BIG
	       && coarse < INTERVAL_COARSE) {
		coarse *= 2;
		if (coarse == INTERVAL_COARSE)
			layout.pool_max = (size_max > TURN_WORTH_MAX * n_turns
					   ? size_max
					   : TURN_WORTH_MAX * n_turns)
					  / sizeof(uint64_t);
	}
	if (!error)
		error = copy_out(intervals, &layout, base, absent);
	intervals->is_coarse = coarse > 1;
	drop_layout(&layout);
	return error;
}

void
intervals_done(struct intervals *intervals,
	       const struct vsw_allocator *allocator)
{
	memory_free(allocator, intervals->starts, intervals->size);
}

void
intervals_find(const struct intervals *intervals, struct point p,
	       struct row *ret_row)
{
	uint32_t i = intervals->width == 4
		     ? find_4(intervals, (uint32_t) p.low)
		     : intervals->width == 8 ? find_8(intervals, p.low)
					     : find_16(intervals, p);
	const uint64_t *row = &intervals->pool[intervals->rows[i]];

	ret_row->base = intervals->base;
	ret_row->own = row + 1;
	ret_row->own_words = (uint32_t) row[0];
	ret_row->words = intervals->base_words | ret_row->own_words;
}

void
intervals_absent(const struct intervals *intervals, struct row *ret_row)
{
	ret_row->base = intervals->absent;
	ret_row->own = NULL;
	ret_row->own_words = 0;
	ret_row->words = intervals->absent_words;
}

/* And one for what begins at 0. */
static size_t
count_points(const struct turn *turns, size_t n)
{
	size_t n_points = 1;

	for (size_t i = 0; i < n; i++)
		if (i ? point_compare(turns[i].at, turns[i - 1].at)
		      : turns[i].at.high || turns[i].at.low)
			n_points++;
	return n_points;
}

/* So many points to an interval. */
static int
lay_out(struct layout *l, size_t coarse)
{
	uint64_t now[INTERVAL_WORDS] = { 0 };
	struct point at = { 0, 0 };
	size_t t = 0;
	int error = 0;

	drop_layout(l);
	l->n_known = 16;
	while (l->n_known < 2 * l->n_points)
		l->n_known *= 2;
	l->starts = memory_alloc(l->allocator, 0,
				 l->n_points * sizeof *l->starts);
	l->rows = memory_alloc(l->allocator, 0,
			       l->n_points * sizeof *l->rows);
	l->known = memory_alloc(l->allocator, 0,
				l->n_known * sizeof *l->known);
	/* Row 0 is empty. */
	if (!l->starts || !l->rows || !l->known
	    || memory_grow(l->allocator, (void **) &l->pool, &l->pool_room,
			   ROW_MAX, sizeof *l->pool))
		return -ENOMEM;
	l->n_pool = 1;
	for (size_t i = 0; i < l->n_points && !error; i += coarse) {
		uint64_t all[INTERVAL_WORDS] = { 0 };

		l->starts[l->n] = at;
		for (size_t k = i; k < i + coarse && k < l->n_points; k++) {
			for (; t < l->n_turns
			       && !point_compare(l->turns[t].at, at); t++) {
				const uint64_t *by = &l->class_bitmaps[
					l->turns[t].class * l->n_words];

				for (size_t w = 0; w < l->n_words; w++)
					now[w] ^= by[w];
			}
			for (size_t w = 0; w < l->n_words; w++)
				all[w] |= now[w];
			if (t < l->n_turns)
				at = l->turns[t].at;
		}
		error = add_row(l, all);
	}
	return error;
}

static int
add_row(struct layout *l, const uint64_t *bitmap)
{
	uint64_t row[ROW_MAX] = { words_of(bitmap, l->n_words) };
	size_t n = 1, i;

	for (size_t w = 0; w < l->n_words; w++)
		if (bitmap[w])
			row[n++] = bitmap[w];
	if (!row[0]) {
		l->rows[l->n++] = 0;
		return 0;
	}
	/* Whoever writes rules does not know where they are kept. */
	i = hash_bytes(row, n * sizeof *row, (uintptr_t) l->starts)
	    & (l->n_known - 1);
	while (l->known[i]
	       && memcmp(&l->pool[l->known[i]], row, n * sizeof *row))
		i = (i + 1) & (l->n_known - 1);
	if (!l->known[i]) {
		if (l->n_pool + n > l->pool_max)
			return -E2BIG;
		/* As much room behind the last one as is compared. */
		if (memory_grow(l->allocator, (void **) &l->pool,
				&l->pool_room, l->n_pool + n + ROW_MAX,
				sizeof *l->pool))
			return -ENOMEM;
		memcpy(&l->pool[l->n_pool], row, n * sizeof *row);
		l->known[i] = (uint32_t) l->n_pool;
		l->n_pool += n;
	}
	l->rows[l->n++] = l->known[i];
	return 0;
}

static void
drop_layout(struct layout *l)
{
	memory_free(l->allocator, l->starts, l->n_points * sizeof *l->starts);
	memory_free(l->allocator, l->rows, l->n_points * sizeof *l->rows);
	memory_free(l->allocator, l->known, l->n_known * sizeof *l->known);
	memory_free(l->allocator, l->pool, l->pool_room * sizeof *l->pool);
	l->starts = NULL;
	l->rows = l->known = NULL;
	l->pool = NULL;
	l->n = l->n_pool = l->pool_room = 0;
}

static int
copy_out(struct intervals *intervals, const struct layout *l,
	 const uint64_t *base, const uint64_t *absent)
{
	size_t bitmap_size = l->n_words * sizeof *base, starts_size;
	char *p;

	intervals->n = (uint32_t) l->n;
	starts_size = set_levels(intervals) * (size_t) intervals->width;
	starts_size = (starts_size + 7) / 8 * 8;
	intervals->size = starts_size + 2 * bitmap_size
			  + l->n_pool * sizeof *l->pool
			  + l->n * sizeof *l->rows;
	p = memory_alloc(l->allocator, 64, intervals->size);
	if (!p)
		return -ENOMEM;
	intervals->starts = p;
	copy_starts(intervals, l);
	intervals->base = (uint64_t *) (p + starts_size);
	intervals->absent = intervals->base + l->n_words;
	intervals->pool = intervals->absent + l->n_words;
	intervals->rows = (uint32_t *) (intervals->pool + l->n_pool);
	memcpy(intervals->base, base, bitmap_size);
	memcpy(intervals->absent, absent, bitmap_size);
	memcpy(intervals->pool, l->pool, l->n_pool * sizeof *l->pool);
	memcpy(intervals->rows, l->rows, l->n * sizeof *l->rows);
	intervals->base_words = words_of(base, l->n_words);
	intervals->absent_words = words_of(absent, l->n_words);
	return 0;
}

/* Returns how many starts there are in all levels, lines filled up. */
static uint32_t
set_levels(struct intervals *intervals)
{
	uint32_t n = intervals->n, end = 0;

	if (intervals->width != 4)
		return n;
	for (;;) {
		uint32_t n_nodes = (n + NODE - 1) / NODE;

		intervals->levels[intervals->n_levels++] = end;
		end += n_nodes * NODE;
		if (n_nodes == 1)
			return end;
		n = n_nodes;
	}
}

static void
copy_starts(struct intervals *intervals, const struct layout *l)
{
	uint32_t *words = intervals->starts;
	uint64_t *longs = intervals->starts;

	if (intervals->width == 16) {
		memcpy(intervals->starts, l->starts, l->n * sizeof *l->starts);
		return;
	}
	if (intervals->width == 8) {
		for (size_t i = 0; i < l->n; i++)
			longs[i] = l->starts[i].low;
		return;
	}
	for (unsigned level = 0; level < intervals->n_levels; level++) {
		size_t step = (size_t) 1 << 4 * level;
		size_t n = (l->n + step - 1) / step;
		uint32_t *to = words + intervals->levels[level];

		for (size_t i = 0; i < (n + NODE - 1) / NODE * NODE; i++)
			to[i] = i < n ? (uint32_t) l->starts[i * step].low
				      : UINT32_MAX;
	}
}

static uint32_t
words_of(const uint64_t *bitmap, size_t n)
{
	uint32_t words = 0;

	for (size_t w = 0; w < n; w++)
		words |= (uint32_t) (bitmap[w] != 0) << w;
	return words;
}

/* In each line there is a start that is not behind 'value': its first one. */
static uint32_t
find_4(const struct intervals *intervals, uint32_t value)
{
	const uint32_t *starts = intervals->starts;
	uint32_t at = 0;

	/* Lines are filled up with this. */
	if (value == UINT32_MAX)
		return intervals->n - 1;
	for (unsigned level = intervals->n_levels; level-- > 0;) {
		const uint32_t *node = starts + intervals->levels[level]
				       + at * NODE;
		uint32_t n = 0;

		for (unsigned i = 0; i < NODE; i++)
			n += node[i] <= value;
		at = at * NODE + n - 1;
	}
	return at;
}

static uint32_t
find_8(const struct intervals *intervals, uint64_t value)
{
	const uint64_t *starts = intervals->starts;
	uint32_t low = 0, high = intervals->n;

	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (starts[middle] <= value)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static uint32_t
find_16(const struct intervals *intervals, struct point p)
{
	const struct point *starts = intervals->starts;
	uint32_t low = 0, high = intervals->n;

	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (point_compare(starts[middle], p) <= 0)
			low = middle;
		else
			high = middle;
	}
	return low;
}
