/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_INTERVAL_H
#define POLICY_INTERVAL_H 1

/* A line of numbers cut into intervals, each with a row: the rules of a block,
 * at most 1024, that are possible there.
 *
 * Rows are kept as what they have beyond a base that all of them share (the
 * rules that do not look at the field): a word that says which of their 16
 * words are not zero, then those.  Rows that are equal are kept once.  Where
 * rows are many and long, as with ranges that lie in each other, neighbouring
 * intervals are taken together and their rows or'ed, up to INTERVAL_COARSE at
 * a time: then they promise too much, for as many rules at most.
 *
 * Starts of 4 bytes stand in levels of 16 to a cache line, each level with the
 * first of each line below, so that a search among 100,000 touches five lines
 * of which the last two may be far.  Longer ones are searched by halving.
 *
 * Immutable once laid out. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "libvswitch/policy/field.h"

struct vsw_allocator;

enum {
	INTERVAL_WORDS = 16,		/* Of a bitmap, at most. */
	INTERVAL_COARSE = 16,
	INTERVAL_LEVELS = 8
};

/* From 'at' on, the answer of the class is the other one. */
struct turn {
	struct point at;
	uint32_t class;
};

struct intervals {
	uint32_t n;
	uint16_t n_words;		/* Of a bitmap. */
	uint8_t width;			/* Of a start: 4, 8, 16 bytes. */
	uint8_t n_levels;
	bool is_coarse;			/* Rows may promise too much. */
	uint32_t base_words, absent_words;	/* Those that are not 0. */
	uint32_t levels[INTERVAL_LEVELS];	/* Where each begins. */
	size_t size;			/* Of all that follows, which is one
					 * piece of memory. */
	void *starts;
	uint64_t *base;
	uint64_t *absent;		/* For packets without the field. */
	uint64_t *pool;			/* Of rows. */
	uint32_t *rows;			/* Of each interval: in the pool. */
};

/* What is possible: 'base', or'ed with the words of 'own'. */
struct row {
	const uint64_t *base, *own;
	uint32_t own_words;		/* Bit w: 'own' has a word w. */
	uint32_t words;			/* Bit w: word w may be not 0. */
};

/* [control] 'turns' are sorted; a class' bitmap has 'n_words' words; rules in
 * 'base' are in no class.  'bits': of the numbers.  0, -ENOMEM, or -E2BIG:
 * rows take more than 'size_max' and more than the turns are worth. */
int intervals_init(struct intervals *, const struct vsw_allocator *,
		   unsigned bits, const struct turn *turns, size_t n_turns,
		   const uint64_t *class_bitmaps, const uint64_t *base,
		   const uint64_t *absent, size_t n_words, size_t size_max);
void intervals_done(struct intervals *, const struct vsw_allocator *);
/* [any] */
void intervals_find(const struct intervals *, struct point,
		    struct row *ret_row);
void intervals_absent(const struct intervals *, struct row *ret_row);

static inline uint64_t
row_word(const struct row *row, unsigned w)
{
	uint32_t below = row->own_words & ((1u << w) - 1);

	return row->base[w]
	       | (row->own_words >> w & 1
		  ? row->own[__builtin_popcount(below)] : 0);
}

#endif /* policy/interval.h */
