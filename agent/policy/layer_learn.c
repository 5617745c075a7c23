/* SPDX-License-Identifier: Apache-2.0 */

/* Each VLAN of a learning switch: learn who sends, and send to where the
 * destination is, or everywhere. */

#include "agent/policy/bridge.h"

#include <arpa/inet.h>
#include <stdio.h>
#include "agent/policy/policy.h"

enum { TAGGED = 0x1000 };

int
layer_learn(struct vsw *vsw, const struct bridge *bridge,
	    struct vsw_group **ret_group)
{
	struct vsw_group *group;
	int err = vsw_group_new(vsw, "VLANs", &group);

	if (err)
		return err;
	for (unsigned id = 0; id < VLAN_IDS; id++) {
		const struct bridge_vlan *vlan = bridge->vlans[id];
		uint16_t value = htons((uint16_t) (id ? TAGGED | id : 0));
		struct vsw_rule *rule;
		char name[16];

		if (!vlan || !vlan->is_wanted)
			continue;
		snprintf(name, sizeof name, "VLAN %u", id);
		rule = vsw_group_add_rule(group, 0, name);
		vsw_rule_match(rule, VSW_FIELD_VLAN, &value, NULL);
		vsw_rule_learn(rule, bridge->vlans[vlan->family]->sources,
			       id);
		vsw_rule_encap(rule, vlan->mapping);
		vsw_rule_terminate(rule);
	}
	err = vsw_group_seal(group, NULL, 0);
	if (err)
		vsw_group_unref(group);
	else
		*ret_group = group;
	return err;
}

int
layer_snoop(struct vsw *vsw, struct vsw_group **ret_group)
{
	static const struct {
		const char *name;
		uint8_t proto;
		uint16_t first, last;	/* ICMPv6's types; 0: any. */
	} wanted[] = {
		{ "igmp", 2, 0, 0 }, { "mld", 58, 130, 132 },
		{ "mld", 58, 143, 143 }
	};
	struct vsw_group *group;
	int err = vsw_group_new(vsw, "groups", &group);

	if (err)
		return err;
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
		uint16_t type = htons(wanted[i].first ? 0x86dd : 0x0800);
		struct vsw_rule *rule =
			vsw_group_add_rule(group, 0, wanted[i].name);

		vsw_rule_match(rule, VSW_FIELD_ETH_TYPE, &type, NULL);
		vsw_rule_match(rule, VSW_FIELD_IP_PROTO, &wanted[i].proto,
			       NULL);
		if (wanted[i].first)
			vsw_rule_match_range(rule, VSW_FIELD_L4_SRC,
					     wanted[i].first, wanted[i].last);
		vsw_rule_punt(rule, PUNT_GROUP);
		vsw_rule_terminate(rule);
	}
	err = vsw_group_seal(group, NULL, 0);
	if (err)
		vsw_group_unref(group);
	else
		*ret_group = group;
	return err;
}
