/* SPDX-License-Identifier: Apache-2.0 */

/* Into a VLAN and out of it: which tags a port may send, and which it gets. */

#include "agent/policy/bridge.h"

#include <arpa/inet.h>

enum { PRIORITY_TAG = 0x1000, PASS = -1, ETH_C_TAG = 0x8100 };

static int seal(struct vsw_group *, struct vsw_group **ret_group);
static void add_out(struct vsw_group *, const struct port_vlan *);
static void add_in(struct vsw_group *, const struct port_vlan *);
static void add_nested(struct vsw_group *, uint16_t tag, uint16_t mask);
static void add_set(struct vsw_group *, const struct vlan_set *, int vlan);
static void add(struct vsw_group *, uint16_t first, uint16_t last, int vlan,
		const char *name);

int
layer_vlan(struct vsw *vsw, const struct port_vlan *vlan,
	   enum vsw_direction direction, struct vsw_group **ret_group)
{
	struct vsw_group *group;
	int err = vsw_group_new(vsw, direction == VSW_OUT ? "into VLANs"
							  : "out of VLANs",
				&group);

	if (err)
		return err;
	if (direction == VSW_OUT)
		add_out(group, vlan);
	else
		add_in(group, vlan);
	vsw_rule_drop_as(vsw_group_add_rule(group, 2, "not its VLAN"),
			 VSW_DROP_VLAN);
	return seal(group, ret_group);
}

bool
vlan_leaves_by(const struct port_vlan *vlan, uint16_t id)
{
	switch (vlan->mode) {
	case VLAN_UNTAGGED:
		return !id;
	case VLAN_TRUNK:
	case VLAN_PROMISCUOUS:
		return id == vlan->id || vlan_set_has(&vlan->set, id);
	case VLAN_COMMUNITY:
		return id == vlan->id || id == vlan->secondary;
	case VLAN_ACCESS:
	case VLAN_ISOLATED:
		return id == vlan->id;
	}
	return false;
}

static int
seal(struct vsw_group *group, struct vsw_group **ret_group)
{
	int err = vsw_group_seal(group, NULL, 0);

	if (err)
		vsw_group_unref(group);
	else
		*ret_group = group;
	return err;
}

/* A tag with VID 0 is a priority alone (IEEE 802.1Q, section 6.9): as if
 * untagged. */
static void
add_out(struct vsw_group *group, const struct port_vlan *vlan)
{
	uint16_t id = vlan->id;

	if (vlan->mode == VLAN_ISOLATED || vlan->mode == VLAN_COMMUNITY)
		id = vlan->secondary;
	add_nested(group, PRIORITY_TAG, 0xffff);
	add(group, 0, 0, id ? id : PASS, "untagged");
	add(group, PRIORITY_TAG, PRIORITY_TAG, id, "priority tag");
	if (vlan->mode != VLAN_TRUNK)
		return;
	if (id)
		add(group, PRIORITY_TAG | id, PRIORITY_TAG | id, PASS,
		    "native");
	add_set(group, &vlan->set, PASS);
}

/* What leaves without its tag must not have another behind it, which would say
 * on the next wire that the packet is of a VLAN that nobody let it into. */
static void
add_in(struct vsw_group *group, const struct port_vlan *vlan)
{
	if (vlan->mode != VLAN_TRUNK)
		add_nested(group, 0, 0);
	else if (vlan->id)
		add_nested(group, PRIORITY_TAG | vlan->id, 0xffff);
	if (vlan->id)
		add(group, PRIORITY_TAG | vlan->id, PRIORITY_TAG | vlan->id,
		    0, "untagged");
	else
		add(group, 0, 0, PASS, "untagged");
	if (vlan->mode == VLAN_COMMUNITY)
		add(group, PRIORITY_TAG | vlan->secondary,
		    PRIORITY_TAG | vlan->secondary, 0, "community");
	if (vlan->mode == VLAN_PROMISCUOUS)
		add_set(group, &vlan->set, 0);
	if (vlan->mode == VLAN_TRUNK)
		add_set(group, &vlan->set, PASS);
}

/* Asked before all others. */
static void
add_nested(struct vsw_group *group, uint16_t tag, uint16_t mask)
{
	struct vsw_rule *rule = vsw_group_add_rule(group, 0, "nested tag");
	uint16_t type = htons(ETH_C_TAG);

	tag = htons(tag);
	mask = htons(mask);
	vsw_rule_match(rule, VSW_FIELD_ETH_TYPE, &type, NULL);
	vsw_rule_match(rule, VSW_FIELD_VLAN, &tag, &mask);
	vsw_rule_drop_as(rule, VSW_DROP_VLAN);
	vsw_rule_terminate(rule);
}

static void
add_set(struct vsw_group *group, const struct vlan_set *set, int vlan)
{
	for (unsigned id = 1; id <= VLAN_LAST; id++) {
		unsigned first = id;

		if (!vlan_set_has(set, (uint16_t) id))
			continue;
		while (id < VLAN_LAST && vlan_set_has(set, (uint16_t) (id + 1)))
			id++;
		add(group, (uint16_t) (PRIORITY_TAG | first),
		    (uint16_t) (PRIORITY_TAG | id), vlan, "allowed");
	}
}

static void
add(struct vsw_group *group, uint16_t first, uint16_t last, int vlan,
    const char *name)
{
	struct vsw_rule *rule = vsw_group_add_rule(group, 1, name);

	vsw_rule_match_range(rule, VSW_FIELD_VLAN, first, last);
	if (vlan != PASS)
		vsw_rule_set_vlan(rule, (uint16_t) vlan);
	vsw_rule_terminate(rule);
}
