/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/policy/dimension.h"

#include <errno.h>
#include <string.h>
#include "libvswitch/base/memory.h"
#include "libvswitch/policy/rule.h"
#include "libvswitch/policy/set.h"

/* Rules that say the same in this dimension, so that one large set in many
 * rules is laid out once: only those that look at one set alone are found to
 * be of one class. */
struct builder {
	const struct vsw_allocator *allocator;
	struct dimension *dimension;
	size_t n_words;				/* Of a bitmap. */
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
static int sort_turns(struct builder *);
static void sort_by_byte(struct turn *to, const struct turn *from, size_t n,
			 unsigned byte);
static uint8_t byte_of(const struct turn *, unsigned byte);
static bool get_value(const struct dimension *, const struct flow_key *,
		      uint32_t has, struct point *ret_value);

static void
flip(uint64_t *bitmap, size_t i)
{
	bitmap[i / 64] ^= UINT64_C(1) << i % 64;
}

int
dimension_init(struct dimension *d, const struct vsw_allocator *allocator,
	       const struct vsw_rule *const *rules, size_t n_rules,
	       size_t size_max)
{
	struct builder b = {
		.allocator = allocator, .dimension = d,
		.n_words = (n_rules + 63) / 64
	};
	unsigned bits = d->kind == DIMENSION_FAMILY ? 8
						    : field_size(d->field) * 8;
	int error = -ENOMEM;

	if (!get_scratch(&b, n_rules))
		return -ENOMEM;
	for (size_t i = 0; i < n_rules; i++) {
		error = collect(&b, rules[i], i);
		if (error)
			goto out;
	}
	error = sort_turns(&b);
	if (!error)
		error = intervals_init(&d->intervals, allocator, bits, b.turns,
				       b.n_turns, b.class_bitmaps, b.outside,
				       b.absent, b.n_words, size_max);
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
	intervals_done(&d->intervals, allocator);
}

bool
dimension_find(const struct dimension *d, const struct flow_key *key,
	       uint32_t has, struct row *ret_row)
{
	struct point value;

	if (d->kind != DIMENSION_FAMILY && field_is_unknown(key, d->field))
		return false;
	if (get_value(d, key, has, &value))
		intervals_find(&d->intervals, value, ret_row);
	else
		intervals_absent(&d->intervals, ret_row);
	return true;
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
	size_t bitmap_size = b->n_words * sizeof(uint64_t);

	b->size = (2 + n_rules) * bitmap_size
		  + n_rules * sizeof *b->class_sets;
	b->outside = memory_alloc(b->allocator, 0, b->size);
	if (!b->outside)
		return false;
	b->absent = b->outside + b->n_words;
	b->class_bitmaps = b->absent + b->n_words;
	b->class_sets = (const struct vsw_set **)
		(b->class_bitmaps + n_rules * b->n_words);
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
	flip(&b->class_bitmaps[b->n_classes * b->n_words], i);
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
	size_t n_words = b->n_words;

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
	struct point last = point_ones(field_size(b->dimension->field) * 8);

	if (error)
		return error;
	for (size_t i = 0; i < b->ranges.n; i++) {
		const struct range *range = &b->ranges.ranges[i];
		struct point end = point_next(range->last);
		bool is_last = !point_compare(range->last, last);

		b->turns[b->n_turns++] =
			(struct turn) { range->first, (uint32_t) class };
		/* Behind the largest number nothing begins. */
		if (!is_last)
			b->turns[b->n_turns++] =
				(struct turn) { end, (uint32_t) class };
	}
	return 0;
}

/* From the lowest byte up, as many as the field has; each pass keeps the order
 * of the one before. */
static int
sort_turns(struct builder *b)
{
	unsigned n_bytes = b->dimension->kind == DIMENSION_FAMILY
			   ? 1 : field_size(b->dimension->field);
	struct turn *spare, *from = b->turns, *to;
	size_t size = b->n_turns * sizeof *spare;

	if (b->n_turns < 2)
		return 0;
	spare = to = memory_alloc(b->allocator, 0, size);
	if (!spare)
		return -ENOMEM;
	for (unsigned byte = 0; byte < n_bytes; byte++) {
		struct turn *old = from;

		sort_by_byte(to, from, b->n_turns, byte);
		from = to;
		to = old;
	}
	if (from != b->turns)
		memcpy(b->turns, from, size);
	memory_free(b->allocator, spare, size);
	return 0;
}

static void
sort_by_byte(struct turn *to, const struct turn *from, size_t n,
	     unsigned byte)
{
	size_t ends[257] = { 0 };

	for (size_t i = 0; i < n; i++)
		ends[byte_of(&from[i], byte) + 1]++;
	for (unsigned v = 0; v < 256; v++)
		ends[v + 1] += ends[v];
	for (size_t i = 0; i < n; i++)
		to[ends[byte_of(&from[i], byte)]++] = from[i];
}

static uint8_t
byte_of(const struct turn *turn, unsigned byte)
{
	return (uint8_t) (byte < 8 ? turn->at.low >> 8 * byte
				   : turn->at.high >> 8 * (byte - 8));
}

static bool
get_value(const struct dimension *d, const struct flow_key *key, uint32_t has,
	  struct point *ret_value)
{
	if (d->kind == DIMENSION_FAMILY) {
		*ret_value = (struct point) { 0, field_family(key) };
		return true;
	}
	if (!(has >> d->field & 1))
		return false;
	*ret_value = field_get(key, d->field);
	if (d->kind == DIMENSION_MASKED)
		*ret_value = point_and(*ret_value, d->mask);
	return true;
}
