/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_FIELD_H
#define POLICY_FIELD_H 1

/* Fields as numbers: each field's value is one number of at most 128 bits, so
 * that one order, one search and one kind of interval serve them all. */

#include <stdbool.h>
#include <stdint.h>
#include <vswitch/policy.h>

struct flow_key;

struct point {
	uint64_t high, low;
};

/* From 'first' to 'last', both included. */
struct range {
	struct point first, last;
};

static inline int
point_compare(struct point a, struct point b)
{
	if (a.high != b.high)
		return a.high < b.high ? -1 : 1;
	return (a.low > b.low) - (a.low < b.low);
}

static inline struct point
point_and(struct point a, struct point b)
{
	return (struct point) { a.high & b.high, a.low & b.low };
}

static inline bool
point_in(struct point p, const struct range *range)
{
	return point_compare(p, range->first) >= 0
	       && point_compare(p, range->last) <= 0;
}

/* The number behind 'p'.  Not of the largest number. */
static inline struct point
point_next(struct point p)
{
	return (struct point) { p.high + (p.low == UINT64_MAX), p.low + 1 };
}

/* Of 'n' bytes, at most 16, in network byte order. */
struct point point_of(const uint8_t *bytes, unsigned n);
/* The lowest 'bits' bits, at most 128. */
struct point point_ones(unsigned bits);
/* All numbers of 'bits' bits that begin as 'p' does, for 'prefix' bits. */
struct range point_prefix(struct point p, unsigned prefix, unsigned bits);

/* "IPV4_SRC"; NULL if there is no such field. */
const char *field_name(enum vsw_field);
/* In bytes; 0 if there is no such field. */
unsigned field_size(enum vsw_field);
/* True and the value, or false: the packet has no such field. */
bool field_get(const struct flow_key *, enum vsw_field,
	       struct point *ret_value);
/* Has the packet such a field, but only its first fragment tells the value? */
bool field_is_unknown(const struct flow_key *, enum vsw_field);
/* Of the packet's own (inner) addresses: 4, 6, or 0 if it has none. */
unsigned field_family(const struct flow_key *);

#endif /* policy/field.h */
