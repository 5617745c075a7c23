/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_DIMENSION_H
#define POLICY_DIMENSION_H 1

/* One dimension of an index's block: intervals of a field's values, each with
 * the rules that it leaves possible.  See policy/index.h. */

#include <stddef.h>
#include <stdint.h>
#include "libvswitch/policy/interval.h"

struct flow_key;
struct vsw_allocator;
struct vsw_rule;

enum dimension_kind {
	DIMENSION_FIELD,
	DIMENSION_MASKED,		/* Field and mask with holes. */
	DIMENSION_FAMILY		/* 0, 4, 6: for sets of addresses. */
};

struct dimension {
	uint8_t kind, field;
	struct point mask;
	struct intervals intervals;
};

/* [control] Builds intervals and rows for 'n_rules' rules, at most 1024.
 * 'kind', 'field' and 'mask' are set.  0, -ENOMEM, or -E2BIG, as
 * intervals_init().  On failure there is nothing to free. */
int dimension_init(struct dimension *, const struct vsw_allocator *,
		   const struct vsw_rule *const *, size_t n_rules,
		   size_t size_max);
void dimension_done(struct dimension *, const struct vsw_allocator *);
/* [any] What is possible; 'has' is field_all_of() the key.  False: everything
 * is, because the field is unknown of the packet (field_is_unknown()). */
bool dimension_find(const struct dimension *, const struct flow_key *,
		    uint32_t has, struct row *ret_row);
/* The leading ones of a field's mask; '*ret_has_holes' if there are more. */
unsigned dimension_prefix(enum vsw_field, struct point mask,
			  bool *ret_has_holes);

#endif /* policy/dimension.h */
