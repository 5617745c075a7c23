/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/policy/dimension.h"

#include <errno.h>
#include <string.h>
#include "libvswitch/base/memory.h"
#include "libvswitch/base/sort.h"
#include "libvswitch/policy/group.h"
#include "libvswitch/policy/set.h"

/* From 'at' on, the answer of the class is the other one. */
struct turn {
	struct point at;
	size_t class;
};

/* Rules that say the same in this dimension, so that one large set in many
 * rules is laid out once: only those that look at one set alone are found to
 * be of one class. */
struct builder {
	const struct vsw_allocator *allocator;
	struct dimension *dimension;
	const struct vsw_set **class_sets;	/* NULL: a class of one. */
	uint64_t *class_bitmaps;
	size_t n_classes, size;			/* 'size' of the scratch. */
	struct turn *turns;
	size_t n_turns, turns_room;
	struct ranges ranges, spare;	/* Of the rule at hand. */
	uint64_t *outside;		/* Rules possible outside of all that
					 * turns say, */
	uint64_t *absent;		/* and without the field. */
};

static bool get_scratch(struct builder *, size_t n_rules);
static int collect(struct builder *, const struct vsw_rule *, size_t i);
static const struct vsw_set *sole_set(const struct dimension *,
				      const struct vsw_rule *);
static bool join_class(struct builder *, const struct vsw_set *, size_t i);
static bool constrains(const struct dimension *, const struct match *,
		       struct range *ret_range, enum set_list *ret_list,
		       bool *ret_needs_field);
static bool set_constrains(const struct dimension *, const struct match *,
			   struct range *ret_range, enum set_list *ret_list,
			   bool *ret_needs_field);
static int intersect(struct builder *, const struct range *, size_t n);
static int add_turns(struct builder *, size_t class);
static int lay_out(struct builder *, size_t size_max);
static int compare(const void *a, const void *b);
static bool get_value(const struct dimension *, const struct flow_key *,
		      struct point *ret_value);

static void
flip(uint64_t *bitmap, size_t i)
{
	bitmap[i / 64] ^= UINT64_C(1) << i % 64;
}

static void
flip_all(uint64_t *bitmap, const uint64_t *by, size_t n_words)
{
	for (size_t w = 0; w < n_words; w++)
		bitmap[w] ^= by[w];
}

int
dimension_init(struct dimension *d, const struct vsw_allocator *allocator,
	       const struct vsw_rule *const *rules, size_t n_rules,
	       size_t size_max)
{
	struct builder b = { .allocator = allocator, .dimension = d };
	int error = -ENOMEM;

	d->n_words = (n_rules + 63) / 64;
	d->n = 0;
	d->starts = NULL;
	d->bitmaps = NULL;
	if (!get_scratch(&b, n_rules))
		return -ENOMEM;
	for (size_t i = 0; i < n_rules; i++) {
		error = collect(&b, rules[i], i);
		if (error)
			goto out;
	}
	sort_items(b.turns, b.n_turns, sizeof *b.turns, compare);
	error = lay_out(&b, size_max);
out:
	memory_free(allocator, b.outside, b.size);
	memory_free(allocator, b.turns, b.turns_room * sizeof *b.turns);
	memory_free(allocator, b.ranges.ranges,
		    b.ranges.room * sizeof *b.ranges.ranges);
	memory_free(allocator, b.spare.ranges,
		    b.spare.room * sizeof *b.spare.ranges);
	return error;
}

void
dimension_done(struct dimension *d, const struct vsw_allocator *allocator)
{
	memory_free(allocator, d->starts, d->n * sizeof *d->starts);
	memory_free(allocator, d->bitmaps,
		    (d->n + 1) * d->n_words * sizeof *d->bitmaps);
}

const uint64_t *
dimension_find(const struct dimension *d, const struct flow_key *key)
{
	size_t low = 0, high = d->n;
	struct point value;

	if (d->kind != DIMENSION_FAMILY && field_is_unknown(key, d->field))
		return NULL;
	if (!get_value(d, key, &value))
		return &d->bitmaps[d->n * d->n_words];
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (point_compare(d->starts[middle], value) <= 0)
			low = middle;
		else
			high = middle;
	}
	return &d->bitmaps[low * d->n_words];
}

unsigned
dimension_prefix(enum vsw_field field, struct point mask, bool *ret_has_holes)
{
	unsigned bits = field_size(field) * 8, prefix = 0;
	struct point rest;

	while (prefix < bits) {
		unsigned bit = bits - 1 - prefix;
		uint64_t half = bit >= 64 ? mask.high : mask.low;

		if (!(half >> bit % 64 & 1))
			break;
		prefix++;
	}
	rest = point_and(mask, point_ones(bits - prefix));
	*ret_has_holes = rest.high || rest.low;
	return prefix;
}

/* In one piece: the bitmaps, and the classes' sets. */
static bool
get_scratch(struct builder *b, size_t n_rules)
{
	size_t bitmap_size = b->dimension->n_words * sizeof(uint64_t);

	b->size = (2 + n_rules) * bitmap_size
		  + n_rules * sizeof *b->class_sets;
	b->outside = memory_alloc(b->allocator, 0, b->size);
	if (!b->outside)
		return false;
	b->absent = b->outside + b->dimension->n_words;
	b->class_bitmaps = b->absent + b->dimension->n_words;
	b->class_sets = (const struct vsw_set **)
		(b->class_bitmaps + n_rules * b->dimension->n_words);
	return true;
}

/* What rule 'i' says in this dimension. */
static int
collect(struct builder *b, const struct vsw_rule *rule, size_t i)
{
	const struct vsw_set *set = sole_set(b->dimension, rule);
	unsigned bits = field_size(b->dimension->field) * 8;
	bool is_used = false, needs_field = false;
	int error;

	if (set && join_class(b, set, i))
		return 0;
	error = memory_grow(b->allocator, (void **) &b->ranges.ranges,
			    &b->ranges.room, 1, sizeof(struct range));
	if (error)
		return error;
	b->ranges.ranges[0] = (struct range) { .last = point_ones(bits) };
	b->ranges.n = 1;
	for (size_t j = 0; j < rule->n_matches; j++) {
		const struct match *match = &rule->matches[j];
		enum set_list list = SET_N_LISTS;
		bool needs = true;
		struct range range;

		if (!constrains(b->dimension, match, &range, &list, &needs))
			continue;
		is_used = true;
		needs_field |= needs;
		if (list == SET_N_LISTS)
			error = intersect(b, &range, 1);
		else
			error = intersect(b, match->set->lists[list].ranges,
					  match->set->lists[list].n);
		if (error)
			return error;
	}
	if (!needs_field)
		flip(b->absent, i);
	if (!is_used)
		flip(b->outside, i);
	if (!is_used)
		return 0;
	b->class_sets[b->n_classes] = set;
	flip(&b->class_bitmaps[b->n_classes * b->dimension->n_words], i);
	return add_turns(b, b->n_classes++);
}

/* The one set that is all the rule looks at in this dimension, or NULL. */
static const struct vsw_set *
sole_set(const struct dimension *d, const struct vsw_rule *rule)
{
	const struct vsw_set *set = NULL;
	enum set_list list;
	struct range range;
	bool needs;

	for (size_t j = 0; j < rule->n_matches; j++) {
		const struct match *match = &rule->matches[j];

		if (!constrains(d, match, &range, &list, &needs))
			continue;
		if (set || match->kind != MATCH_SET)
			return NULL;
		set = match->set;
	}
	return set;
}

/* Puts rule 'i' to those that look at the same set; false: it is the first. */
static bool
join_class(struct builder *b, const struct vsw_set *set, size_t i)
{
	size_t n_words = b->dimension->n_words;

	for (size_t c = 0; c < b->n_classes; c++) {
		if (b->class_sets[c] != set)
			continue;
		flip(&b->class_bitmaps[c * n_words], i);
		/* Packets without the field: only a set of addresses leaves
		 * them to the other family's dimension. */
		if (set->kind == VSW_SET_ADDRESSES)
			flip(b->absent, i);
		return true;
	}
	return false;
}

/* Does the match count here?  Then in '*ret_range', or in a list of its set,
 * and by '*ret_needs_field' only for packets with the field. */
static bool
constrains(const struct dimension *d, const struct match *match,
	   struct range *ret_range, enum set_list *ret_list,
	   bool *ret_needs_field)
{
	unsigned bits = field_size(match->field) * 8, prefix;
	bool has_holes;

	if (match->kind == MATCH_SET)
		return set_constrains(d, match, ret_range, ret_list,
				      ret_needs_field);
	if (d->kind == DIMENSION_FAMILY || match->field != d->field)
		return false;
	if (match->kind == MATCH_RANGE) {
		*ret_range = match->range;
		return d->kind == DIMENSION_FIELD;
	}
	if (d->kind == DIMENSION_MASKED) {
		*ret_range = (struct range) { match->value, match->value };
		return !point_compare(match->mask, d->mask);
	}
	prefix = dimension_prefix(match->field, match->mask, &has_holes);
	*ret_range = point_prefix(match->value, prefix, bits);
	return true;
}

/* A set of addresses counts in the family's dimension, and in both families'
 * addresses, each of which the packet may be without. */
static bool
set_constrains(const struct dimension *d, const struct match *match,
	       struct range *ret_range, enum set_list *ret_list,
	       bool *ret_needs_field)
{
	bool is_src = match->field == VSW_FIELD_IPV4_SRC
		      || match->field == VSW_FIELD_IPV6_SRC;

	if (match->set->kind == VSW_SET_PORTS) {
		*ret_list = SET_PORTS;
		return d->kind == DIMENSION_FIELD && d->field == match->field;
	}
	*ret_range = (struct range) { { 0, 4 }, { 0, 6 } };
	if (d->kind != DIMENSION_FIELD)
		return d->kind == DIMENSION_FAMILY;
	*ret_needs_field = false;
	*ret_list = SET_V4;
	if (d->field == (is_src ? VSW_FIELD_IPV4_SRC : VSW_FIELD_IPV4_DST))
		return true;
	*ret_list = SET_V6;
	return d->field == (is_src ? VSW_FIELD_IPV6_SRC : VSW_FIELD_IPV6_DST);
}

/* Both lists are sorted, and what comes out is too. */
static int
intersect(struct builder *b, const struct range *list, size_t n)
{
	struct ranges old = b->ranges, *to = &b->spare;
	size_t i = 0, j = 0;
	int error;

	error = memory_grow(b->allocator, (void **) &to->ranges, &to->room,
			    old.n + n, sizeof *list);
	if (error)
		return error;
	to->n = 0;
	while (i < old.n && j < n) {
		struct range x = old.ranges[i], y = list[j];

		if (point_compare(x.last, y.last) <= 0)
			i++;
		else
			j++;
		if (point_compare(x.first, y.first) < 0)
			x.first = y.first;
		if (point_compare(x.last, y.last) > 0)
			x.last = y.last;
		if (point_compare(x.first, x.last) <= 0)
			to->ranges[to->n++] = x;
	}
	b->ranges = *to;
	b->spare = old;
	return 0;
}

static int
add_turns(struct builder *b, size_t class)
{
	int error = memory_grow(b->allocator, (void **) &b->turns,
				&b->turns_room,
				b->n_turns + 2 * b->ranges.n,
				sizeof *b->turns);

	if (error)
		return error;
	for (size_t i = 0; i < b->ranges.n; i++) {
		const struct range *range = &b->ranges.ranges[i];
		struct point end = point_next(range->last);

		b->turns[b->n_turns++] =
			(struct turn) { range->first, class };
		/* Behind the largest number nothing begins. */
		if (end.high || end.low)
			b->turns[b->n_turns++] = (struct turn) { end, class };
	}
	return 0;
}

static int
lay_out(struct builder *b, size_t size_max)
{
	struct dimension *d = b->dimension;
	const struct turn *turns = b->turns;
	const uint64_t *before = b->outside;
	size_t n = 1, t = 0;

	for (size_t i = 0; i < b->n_turns; i++)
		if (i ? point_compare(turns[i].at, turns[i - 1].at)
		      : turns[i].at.high || turns[i].at.low)
			n++;
	if ((n + 1) * d->n_words * sizeof *d->bitmaps > size_max)
		return -E2BIG;
	d->n = n;
	d->starts = memory_alloc(b->allocator, 0, n * sizeof *d->starts);
	d->bitmaps = memory_alloc(b->allocator, 0,
				  (n + 1) * d->n_words * sizeof *d->bitmaps);
	if (!d->starts || !d->bitmaps) {
		dimension_done(d, b->allocator);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		uint64_t *bitmap = &d->bitmaps[i * d->n_words];

		memcpy(bitmap, before, d->n_words * sizeof *bitmap);
		before = bitmap;
		if (i)
			d->starts[i] = turns[t].at;
		while (t < b->n_turns
		       && !point_compare(turns[t].at, d->starts[i]))
			flip_all(bitmap, &b->class_bitmaps[
					 turns[t++].class * d->n_words],
				 d->n_words);
	}
	memcpy(&d->bitmaps[n * d->n_words], b->absent,
	       d->n_words * sizeof *b->absent);
	return 0;
}

static int
compare(const void *a, const void *b)
{
	const struct turn *ta = a, *tb = b;

	return point_compare(ta->at, tb->at);
}

static bool
get_value(const struct dimension *d, const struct flow_key *key,
	  struct point *ret_value)
{
	if (d->kind == DIMENSION_FAMILY) {
		*ret_value = (struct point) { 0, field_family(key) };
		return true;
	}
	if (!field_get(key, d->field, ret_value))
		return false;
	if (d->kind == DIMENSION_MASKED)
		*ret_value = point_and(*ret_value, d->mask);
	return true;
}
