/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_INDEX_H
#define POLICY_INDEX_H 1

/* Which rule of a group a packet matches.  Chosen when the group is sealed.
 *
 * Up to INDEX_LINEAR rules are asked one after the other.  More are cut into
 * blocks of at most INDEX_BLOCK in the order they are asked, and each block
 * has a dimension for each field that its rules look at: the field's values
 * are cut into intervals at every value where the answer of some rule changes,
 * and each interval has a row of the rules whose matches on this field hold
 * there (policy/interval.h).  A look-up finds one interval in each dimension,
 * and the lowest bit that is set in all their rows is the rule.  What it costs
 * depends on the number of fields, not on the number of masks: exact values,
 * prefixes, ranges and sets are all intervals.
 *
 * A mask with holes is no interval: each (field, mask) makes a dimension of
 * its own, up to INDEX_MASKS of them in a block.  Of further ones only the
 * leading ones count; for those, and where intervals were joined, rows promise
 * too much, and the rules themselves are asked about these fields.
 *
 * Memory: for each interval, of which each value, prefix or range adds two, 8
 * to 20 bytes by the width of the field, and for each row that differs from
 * all others 8 bytes, and 8 for each 64 rules of which there is one in it;
 * but not more than 16 bytes for each end of a value, prefix or range, or
 * else intervals are joined.  Should that not do, rows may take INDEX_DIM_BYTES
 * in a dimension, or 32 bytes for each end; of more, the block is cut in
 * halves, down to 64 rules.
 *
 * Immutable.  It knows rules by their places in the order they are asked. */

#include <stddef.h>
#include <stdint.h>

struct flow_key;
struct index;
struct vsw_allocator;
struct rule;
struct rules;
struct vsw_rule;

enum {
	INDEX_LINEAR = 8,
	INDEX_BLOCK = 1024,
	INDEX_MASKS = 8,
	INDEX_DIM_BYTES = 1 << 20
};

/* [control] Of 'n' rules in the order they are asked.  0 or -ENOMEM. */
int index_new(const struct vsw_allocator *, const struct vsw_rule *const *,
	      size_t n, struct index **ret_index);
void index_free(const struct vsw_allocator *, struct index *);
/* [any] The first rule that matches, or NULL.  'rules' are those that the
 * index was made of. */
const struct rule *index_find(const struct index *, const struct rules *,
			      const struct flow_key *);
/* What index_find() looks at for this key: for explain. */
struct index_cost {
	uint32_t n_dimensions;		/* Look-ups of a field's value, */
	uint32_t n_rules;		/* and rules compared. */
};
void index_weigh(const struct index *, const struct rules *,
		 const struct flow_key *, struct index_cost *ret_cost);
/* [control] Adds to the shape what the index is made of. */
struct vsw_group_shape;
void index_measure(const struct index *, struct vsw_group_shape *);
/* How many blocks there are, for tests. */
size_t index_n_blocks(const struct index *);

#endif /* policy/index.h */
