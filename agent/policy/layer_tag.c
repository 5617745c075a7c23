/* SPDX-License-Identifier: Apache-2.0 */

/* Tags at a port of a virtual network: there are none.  A port is in one
 * subnet, and what is in a subnet is untagged (RFC 7348, section 6.1); a VLAN
 * of a trunk is a port of its own, which packets come to without their tag.  So
 * a frame that says otherwise, by an 802.1Q tag or an 802.1ad one, alone or
 * behind another, is dropped, on its way in and on its way out.
 *
 * A tag with VID 0 is a priority and no VLAN (IEEE 802.1Q, section 6.9): what
 * has one is untagged, and goes on so. */

#include "agent/policy/compile.h"

enum {
	ETH_C_TAG = 0x8100,
	ETH_S_TAG = 0x88a8,
	PRIORITY_TAG = 0x1000,		/* As VSW_FIELD_VLAN has VID 0. */
	LAST_TAG = 0x1fff
};

static void add_drop(struct draft_group *, const char *name,
		     enum vsw_field, uint16_t first, uint16_t last);

struct draft_group *
layer_tags(enum vsw_direction direction)
{
	struct draft_group *group = draft_group_new(
		direction == VSW_OUT ? "no tags" : "no tags in");

	/* Behind an 802.1Q tag, or none. */
	add_drop(group, "nested tag", VSW_FIELD_ETH_TYPE, ETH_C_TAG,
		 ETH_C_TAG);
	add_drop(group, "service tag", VSW_FIELD_ETH_TYPE, ETH_S_TAG,
		 ETH_S_TAG);
	if (direction == VSW_OUT) {
		struct draft_rule *rule = draft_group_add_rule(
			group, 1, DRAFT_PASS, "priority tag");

		draft_rule_match_u16(rule, VSW_FIELD_VLAN, PRIORITY_TAG);
		rule->takes_tag = true;
		rule->is_terminating = true;
	}
	add_drop(group, "tag", VSW_FIELD_VLAN,
		 direction == VSW_OUT ? PRIORITY_TAG + 1 : PRIORITY_TAG,
		 LAST_TAG);
	return group;
}

static void
add_drop(struct draft_group *group, const char *name, enum vsw_field field,
	 uint16_t first, uint16_t last)
{
	struct draft_rule *rule =
		draft_group_add_rule(group, 0, DRAFT_DROP, "%s", name);

	if (first == last)
		draft_rule_match_u16(rule, field, first);
	else
		draft_rule_match_range(rule, field, first, last);
	rule->drop_as = VSW_DROP_VLAN;
	rule->is_terminating = true;
}
