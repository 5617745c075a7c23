/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/policy/index.h"

#include <errno.h>
#include "libvswitch/base/memory.h"
#include "libvswitch/policy/dimension.h"
#include "libvswitch/policy/rules.h"
#include "libvswitch/policy/set.h"

enum { WORD = 64, DIMENSIONS_MAX = VSW_N_FIELDS + INDEX_MASKS + 1 };

struct block {
	struct block *next;		/* Asked after this one. */
	uint32_t first;			/* Rule, */
	uint32_t n_rules;		/* and how many from there on. */
	uint32_t n_dimensions;		/* 0: ask the rules. */
	uint32_t doubts;		/* Fields of which rows may promise
					 * too much: bits. */
	struct dimension *dimensions;
};

struct index {
	struct block *blocks;
};

static int add_block(const struct vsw_allocator *,
		     const struct vsw_rule *const *, size_t first, size_t n,
		     struct block **ret_block);
static int add_halves(const struct vsw_allocator *,
		      const struct vsw_rule *const *, size_t first, size_t n,
		      struct block **ret_block);
static void free_blocks(const struct vsw_allocator *, struct block *);
static void choose(const struct vsw_rule *const *, size_t n,
		   struct dimension[DIMENSIONS_MAX], size_t *ret_n,
		   uint32_t *ret_doubts);
static uint32_t fields_like(unsigned field);
static bool choose_masked(const struct match *,
			  struct dimension[DIMENSIONS_MAX], size_t *n_masked,
			  size_t *n);
static inline const struct rule *find(const struct index *,
				      const struct rules *,
				      const struct flow_key *,
				      struct index_cost *)
	__attribute__((always_inline));
static inline const struct rule *ask(const struct block *,
				     const struct rules *,
				     const struct flow_key *,
				     struct index_cost *);
static inline const struct rule *find_in(const struct block *,
					 const struct rules *,
					 const struct flow_key *,
					 struct index_cost *)
	__attribute__((always_inline));

int
index_new(const struct vsw_allocator *allocator,
	  const struct vsw_rule *const *rules, size_t n,
	  struct index **ret_index)
{
	struct index *index = memory_alloc(allocator, 0, sizeof *index);
	struct block **last;

	if (!index)
		return -ENOMEM;
	last = &index->blocks;
	for (size_t i = 0; i < n; i += INDEX_BLOCK) {
		size_t n_here = n - i < INDEX_BLOCK ? n - i : INDEX_BLOCK;
		int error = add_block(allocator, rules, i, n_here, last);

		if (error) {
			index_free(allocator, index);
			return error;
		}
		while (*last)
			last = &(*last)->next;
	}
	*ret_index = index;
	return 0;
}

void
index_free(const struct vsw_allocator *allocator, struct index *index)
{
	if (!index)
		return;
	free_blocks(allocator, index->blocks);
	memory_free(allocator, index, sizeof *index);
}

const struct rule *
index_find(const struct index *index, const struct rules *rules,
	   const struct flow_key *key)
{
	const struct block *only = index->blocks;

	/* Few rules need no rows. */
	if (only && !only->n_dimensions && !only->next)
		return ask(only, rules, key, NULL);
	return find(index, rules, key, NULL);
}

void
index_weigh(const struct index *index, const struct rules *rules,
	    const struct flow_key *key, struct index_cost *ret_cost)
{
	*ret_cost = (struct index_cost) { .n_rules = 0 };
	(void) find(index, rules, key, ret_cost);
}

void
index_measure(const struct index *index, struct vsw_group_shape *shape)
{
	shape->n_bytes += sizeof *index;
	for (const struct block *b = index->blocks; b; b = b->next) {
		shape->n_blocks++;
		shape->n_dimensions += b->n_dimensions;
		shape->n_bytes += sizeof *b
				  + b->n_dimensions * sizeof *b->dimensions;
		for (size_t i = 0; i < b->n_dimensions; i++) {
			const struct intervals *intervals =
				&b->dimensions[i].intervals;

			shape->n_intervals += intervals->n;
			shape->n_bytes += intervals->size;
		}
	}
}

size_t
index_n_blocks(const struct index *index)
{
	size_t n = 0;

	for (const struct block *b = index->blocks; b; b = b->next)
		n++;
	return n;
}

static int
add_block(const struct vsw_allocator *allocator,
	  const struct vsw_rule *const *rules, size_t first, size_t n,
	  struct block **ret_block)
{
	struct dimension chosen[DIMENSIONS_MAX];
	struct block *block;
	size_t n_chosen = 0;
	uint32_t doubts = 0;
	int error = -ENOMEM;

	if (n > INDEX_LINEAR)
		choose(rules + first, n, chosen, &n_chosen, &doubts);
	block = memory_alloc(allocator, 0, sizeof *block);
	if (!block)
		return -ENOMEM;
	block->first = (uint32_t) first;
	block->n_rules = (uint32_t) n;
	block->doubts = doubts;
	if (n_chosen) {
		block->dimensions = memory_alloc(allocator, 0,
						 n_chosen * sizeof chosen[0]);
		if (!block->dimensions)
			goto fail;
	}
	while (block->n_dimensions < n_chosen) {
		struct dimension *d = &chosen[block->n_dimensions];

		error = dimension_init(d, allocator, rules + first, n,
				       n > WORD ? INDEX_DIM_BYTES : SIZE_MAX);
		if (error)
			goto fail;
		block->dimensions[block->n_dimensions++] = *d;
		if (d->intervals.is_coarse)
			block->doubts |= fields_like(d->field);
	}
	*ret_block = block;
	return 0;
fail:
	for (size_t i = 0; i < block->n_dimensions; i++)
		dimension_done(&block->dimensions[i], allocator);
	memory_free(allocator, block->dimensions,
		    n_chosen * sizeof chosen[0]);
	memory_free(allocator, block, sizeof *block);
	return error == -E2BIG
	       ? add_halves(allocator, rules, first, n, ret_block) : error;
}

static int
add_halves(const struct vsw_allocator *allocator,
	   const struct vsw_rule *const *rules, size_t first, size_t n,
	   struct block **ret_block)
{
	struct block *blocks, **last = &blocks;
	size_t half = n / 2;
	int error = add_block(allocator, rules, first, half, &blocks);

	if (error)
		return error;
	while (*last)
		last = &(*last)->next;
	error = add_block(allocator, rules, first + half, n - half, last);
	if (error) {
		free_blocks(allocator, blocks);
		return error;
	}
	*ret_block = blocks;
	return 0;
}

static void
free_blocks(const struct vsw_allocator *allocator, struct block *block)
{
	while (block) {
		struct block *next = block->next;

		for (size_t i = 0; i < block->n_dimensions; i++)
			dimension_done(&block->dimensions[i], allocator);
		memory_free(allocator, block->dimensions, block->n_dimensions
			    * sizeof *block->dimensions);
		memory_free(allocator, block, sizeof *block);
		block = next;
	}
}

static void
choose(const struct vsw_rule *const *rules, size_t n,
       struct dimension chosen[DIMENSIONS_MAX], size_t *ret_n,
       uint32_t *ret_doubts)
{
	size_t n_masked = 0, n_chosen = 0;
	bool has_field[VSW_N_FIELDS] = { false }, has_family = false;

	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < rules[i]->n_matches; j++) {
			const struct match *match = &rules[i]->matches[j];
			enum vsw_field field = match->field;

			has_field[field] = true;
			if (match->kind == MATCH_MASK
			    && !choose_masked(match, chosen, &n_masked,
					      &n_chosen))
				*ret_doubts |= 1u << field;
			if (match->kind != MATCH_SET
			    || match->set->kind != VSW_SET_ADDRESSES)
				continue;
			has_family = true;
			if (field == VSW_FIELD_IPV4_SRC
			    || field == VSW_FIELD_IPV6_SRC) {
				has_field[VSW_FIELD_IPV4_SRC] = true;
				has_field[VSW_FIELD_IPV6_SRC] = true;
			} else {
				has_field[VSW_FIELD_IPV4_DST] = true;
				has_field[VSW_FIELD_IPV6_DST] = true;
			}
		}
	}
	for (unsigned field = 0; field < VSW_N_FIELDS; field++)
		if (has_field[field])
			chosen[n_chosen++] = (struct dimension) {
				.kind = DIMENSION_FIELD,
				.field = (uint8_t) field
			};
	if (has_family)
		chosen[n_chosen++] = (struct dimension) {
			.kind = DIMENSION_FAMILY
		};
	*ret_n = n_chosen;
}

/* An address of either family: a set is in both dimensions. */
static uint32_t
fields_like(unsigned field)
{
	if (field == VSW_FIELD_IPV4_SRC || field == VSW_FIELD_IPV6_SRC)
		return 1u << VSW_FIELD_IPV4_SRC | 1u << VSW_FIELD_IPV6_SRC;
	if (field == VSW_FIELD_IPV4_DST || field == VSW_FIELD_IPV6_DST)
		return 1u << VSW_FIELD_IPV4_DST | 1u << VSW_FIELD_IPV6_DST;
	return 1u << field;
}

/* False: there is no dimension for this mask, and none to be had. */
static bool
choose_masked(const struct match *match,
	      struct dimension chosen[DIMENSIONS_MAX], size_t *n_masked,
	      size_t *n)
{
	bool has_holes;

	dimension_prefix(match->field, match->mask, &has_holes);
	if (!has_holes)
		return true;
	for (size_t i = 0; i < *n; i++)
		if (chosen[i].field == match->field
		    && !point_compare(chosen[i].mask, match->mask))
			return true;
	if (*n_masked == INDEX_MASKS)
		return false;
	(*n_masked)++;
	chosen[(*n)++] = (struct dimension) {
		.kind = DIMENSION_MASKED, .field = match->field,
		.mask = match->mask
	};
	return true;
}

/* 'cost' NULL, as packets have it, is gone once this is compiled. */
static inline const struct rule *
find(const struct index *index, const struct rules *rules,
     const struct flow_key *key, struct index_cost *cost)
{
	for (const struct block *b = index->blocks; b; b = b->next) {
		const struct rule *rule =
			b->n_dimensions ? find_in(b, rules, key, cost)
					: ask(b, rules, key, cost);

		if (rule)
			return rule;
	}
	return NULL;
}

/* One rule after the other. */
static inline const struct rule *
ask(const struct block *block, const struct rules *rules,
    const struct flow_key *key, struct index_cost *cost)
{
	uint32_t end = block->first + block->n_rules;
	uint32_t i = rules_find(rules, block->first, block->n_rules, key);

	if (cost)
		cost->n_rules += (i < end ? i + 1 : end) - block->first;
	return i < end ? rules_get(rules, i) : NULL;
}

static inline const struct rule *
find_in(const struct block *block, const struct rules *rules,
	const struct flow_key *key, struct index_cost *cost)
{
	struct row rows[DIMENSIONS_MAX];
	size_t n_rows = 0, n_words = (block->n_rules + WORD - 1) / WORD;
	uint32_t words = UINT32_MAX >> (32 - n_words);
	uint32_t has = field_all_of(key);
	const struct rule *rule;

	for (size_t d = 0; words && d < block->n_dimensions; d++) {
		if (!dimension_find(&block->dimensions[d], key,
				    has, &rows[n_rows]))
			continue;
		words &= rows[n_rows++].words;
	}
	if (cost)
		cost->n_dimensions += (uint32_t) n_rows;
	for (; words; words &= words - 1) {
		unsigned w = (unsigned) __builtin_ctz(words);
		uint64_t left = w + 1 < n_words ? UINT64_MAX
			: UINT64_MAX >> (n_words * WORD - block->n_rules);

		for (size_t r = 0; left && r < n_rows; r++)
			left &= row_word(&rows[r], w);
		for (; left; left &= left - 1) {
			unsigned i = w * WORD
				     + (unsigned) __builtin_ctzll(left);

			if (cost)
				cost->n_rules += block->doubts != 0;
			rule = rules_get(rules, block->first + i);
			if (!block->doubts
			    || rule_matches_in(rule, key, block->doubts))
				return rule;
		}
	}
	return NULL;
}
