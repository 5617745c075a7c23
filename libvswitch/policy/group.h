/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_GROUP_H
#define POLICY_GROUP_H 1

/* Groups.  Immutable once sealed, and then read by workers through programs,
 * which outlive them by a reference.
 *
 * A draft is roomy: rules of their own, as they are added.  Sealing makes one
 * block of them (policy/rules.h) and an index of it, and lets go of them. */

#include <stdbool.h>
#include <stdint.h>
#include <vswitch/policy.h>
#include "libvswitch/policy/draft.h"
#include "libvswitch/policy/rules.h"

struct flow_key;
struct index;

struct vsw_group {
	struct vsw *vsw;
	uint32_t n_refs;
	uint32_t actions;		/* Of all rules. */
	bool has_terminating;		/* Of any. */
	bool has_counters;
	uint32_t fields;		/* Bit i: some rule looks at field i. */
	struct draft draft;
	/* Of settled layers (policy/layer.h): in how many places it stands, and
	 * where if that is one, which may be unknown (NULL). [control] */
	uint32_t n_places;
	struct vsw_layer *layer;
	struct vsw_group *successor;	/* See policy/exchange.h. */
	struct vsw_rule **drafts;	/* Until sealed: as added. */
	size_t n_drafts, drafts_room;
	struct rules *rules;		/* Sealed: as they are asked. */
	struct index *index;
	char *name;
};

/* [control] Takes a reference. */
struct vsw_group *group_ref(struct vsw_group *);
/* [any] The one rule of a sealed group that the key matches, or NULL. */
const struct rule *group_find(const struct vsw_group *,
			      const struct flow_key *);

#endif /* policy/group.h */
