/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/policy/bridge.h"

static int place(void *bridge_, const struct mac *);
static bool reaches(const struct bridge_vlan *from,
		    const struct bridge_vlan *to);
static void ask(void *bridge_, const struct mac *);
static void forget(void *bridge_, const struct mac *);
static bool is_of(void *vlan_, const struct mac *);

const struct macs_ops bridge_macs_ops = {
	.place = place, .ask = ask, .forget = forget
};

void
bridge_heard(struct bridge *bridge, struct bridge_port *port, uint16_t id,
	     const uint8_t mac[6], uint64_t now)
{
	const struct bridge_vlan *vlan = id < VLAN_IDS ? bridge->vlans[id]
						       : NULL;

	if (vlan && vlan->is_wanted)
		macs_heard(&bridge->macs, &port->macs, vlan->family, id, mac,
			   now);
}

void
bridge_forget_vlan(struct bridge *bridge, const struct bridge_vlan *vlan)
{
	uint16_t id = vlan->id;

	macs_forget_if(&bridge->macs, is_of, &id);
}

/* The sources last: who finds it there may rely on the rest. */
static int
place(void *bridge_, const struct mac *mac)
{
	const struct bridge *bridge = bridge_;
	const struct bridge_vlan *from = bridge->vlans[mac->vlan];
	struct vsw_location location = {
		.size = sizeof location,
		.port = LIST_ENTRY(mac->port, struct bridge_port, macs)
			->vsw_port
	};

	for (unsigned id = 0; id < VLAN_IDS; id++) {
		const struct bridge_vlan *to = bridge->vlans[id];
		int err;

		if (!to || to->family != mac->family)
			continue;
		if (!reaches(to, from)) {
			vsw_mapping_remove_mac(to->mapping, mac->mac);
			continue;
		}
		err = vsw_mapping_set_mac(to->mapping, mac->mac, &location, 1);
		if (err)
			return err;
		if (from->kind == VLAN_PLAIN)
			break;
	}
	return vsw_mapping_set_mac(bridge->vlans[mac->family]->sources,
				   mac->mac, &location, 1);
}

/* May what is sent in 'from' go to who is heard in 'to'? */
static bool
reaches(const struct bridge_vlan *from, const struct bridge_vlan *to)
{
	return from->id == from->family || to->id == to->family
	       || (from == to && from->kind == VLAN_IS_COMMUNITY);
}

static void
ask(void *bridge_, const struct mac *mac)
{
	const struct bridge *bridge = bridge_;

	vsw_mapping_remove_mac(bridge->vlans[mac->family]->sources, mac->mac);
}

static void
forget(void *bridge_, const struct mac *mac)
{
	const struct bridge *bridge = bridge_;
	const struct bridge_vlan *family = bridge->vlans[mac->family];

	for (unsigned id = 0; id < VLAN_IDS; id++) {
		const struct bridge_vlan *vlan = bridge->vlans[id];

		if (vlan && vlan->family == mac->family)
			vsw_mapping_remove_mac(vlan->mapping, mac->mac);
	}
	if (family && family->sources)
		vsw_mapping_remove_mac(family->sources, mac->mac);
}

static bool
is_of(void *vlan_, const struct mac *mac)
{
	const uint16_t *vlan = vlan_;

	return mac->vlan == *vlan || mac->family == *vlan;
}
