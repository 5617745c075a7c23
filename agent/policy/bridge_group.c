/* SPDX-License-Identifier: Apache-2.0 */

/* Where the packets of a multicast group go in a learning switch. */

#include <stdlib.h>
#include "agent/base/memory.h"
#include "agent/policy/group.h"
#include "agent/policy/bridge.h"

static void place(struct bridge *, const struct bridge_vlan *,
		  const uint8_t mac[6], struct vsw_location *);

/* What the engine refuses is flooded, as without anybody who wants it. */
void
bridge_place_group(struct bridge *bridge, const uint8_t mac[6])
{
	struct vsw_location *wanted = xcalloc(MAX_FLOOD, sizeof *wanted);

	for (unsigned id = 0; id < VLAN_IDS; id++)
		if (bridge->vlans[id] && bridge->vlans[id]->mapping)
			place(bridge, bridge->vlans[id], mac, wanted);
	free(wanted);
}

void
bridge_place_groups(struct bridge *bridge)
{
	const struct list *ports = &bridge->sw->ports;

	for (const struct list *p = ports->next; p != ports; p = p->next) {
		const struct list *groups =
			&LIST_ENTRY(p, const struct model_port, link)->groups;

		for (const struct list *g = groups->next; g != groups;
		     g = g->next)
			bridge_place_group(bridge,
					   LIST_ENTRY(g, struct port_group,
						      link)->mac);
	}
}

static void
place(struct bridge *bridge, const struct bridge_vlan *vlan,
      const uint8_t mac[6], struct vsw_location *wanted)
{
	const struct list *ports = &bridge->sw->ports;
	bool is_wanted = false;
	size_t n = 0;

	for (const struct list *link = ports->next; link != ports;
	     link = link->next) {
		const struct model_port *port =
			LIST_ENTRY(link, const struct model_port, link);
		bool wants;

		if (!port->bridged
		    || !vlan_leaves_by(&port->bridged->vlan, vlan->id))
			continue;
		wants = group_is_wanted(port, mac);
		is_wanted |= wants;
		if (n == MAX_FLOOD
		    || (!wants && !port->is_router
			&& port->role != ROLE_UPLINK))
			continue;
		wanted[n++] = (struct vsw_location) {
			.size = sizeof *wanted,
			.port = port->bridged->vsw_port
		};
	}
	if (!is_wanted || vsw_mapping_set_mac(vlan->mapping, mac, wanted, n))
		vsw_mapping_remove_mac(vlan->mapping, mac);
}
