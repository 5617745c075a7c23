/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_LOCATE_H
#define POLICY_LOCATE_H 1

/* Between locate.c, which says where something is, and locate_copies.c, which
 * says so of each VM that is to get a copy.  [control] */

#include <stdbool.h>
#include <stddef.h>
#include "agent/policy/compile.h"

struct mapping_row;

struct locations {
	struct draft_location *of;
	size_t n, size;
};

void locations_add(struct locations *, const struct draft_location *);
/* In the order of what they say. */
int locations_compare(const void *, const void *);
/* Where the row says; false: it is of use to another switch alone. */
bool locate_row(const struct model_subnet *, const struct model_switch *,
		const struct mapping_row *, struct draft_location *);

/* locate_copies.c: each VM that is to get a copy of what goes to the group, or
 * to all (NULL), in an order of their own. */
void locate_copies(const struct model_subnet *, const struct model_switch *,
		   const uint8_t group[6], struct locations *);

#endif /* policy/locate.h */
