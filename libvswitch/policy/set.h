/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_SET_H
#define POLICY_SET_H 1

/* Sets: sorted ranges that neither overlap nor touch, one list for each
 * family (ports: one list), searched by halving.  Immutable once sealed. */

#include <stdbool.h>
#include <stdint.h>
#include <vswitch/policy.h>
#include "libvswitch/policy/draft.h"
#include "libvswitch/policy/field.h"

enum set_list { SET_V4, SET_V6, SET_PORTS, SET_N_LISTS };

struct ranges {
	struct range *ranges;
	size_t n, room;
};

struct vsw_set {
	struct vsw *vsw;
	uint32_t n_refs;
	enum vsw_set_kind kind;
	struct draft draft;
	struct ranges lists[SET_N_LISTS];
	char *name;
};

/* [control] Takes a reference. */
struct vsw_set *set_ref(struct vsw_set *);
/* [any] Of a sealed set. */
bool set_has(const struct vsw_set *, enum set_list, struct point);

#endif /* policy/set.h */
