/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/policy/bridge.h"

#include <stdlib.h>
#include <string.h>
#include "agent/base/memory.h"

static struct uuid key_of(const uint8_t mac[6], uint16_t family);
static struct bridge_mac *find(const struct bridge *, const uint8_t mac[6],
			       uint16_t family);
static struct bridge_mac *add(struct bridge *, struct bridge_port *,
			      uint16_t vlan, uint16_t family,
			      const uint8_t mac[6]);
static void move(struct bridge *, struct bridge_mac *, struct bridge_port *,
		 uint16_t vlan);
static int place(struct bridge *, const struct bridge_mac *);
static bool reaches(const struct bridge_vlan *from,
		    const struct bridge_vlan *to);
static void forget(struct bridge *, struct bridge_mac *);

void
bridge_heard(struct bridge *bridge, struct bridge_port *port, uint16_t id,
	     const uint8_t mac[6], uint64_t now)
{
	const struct bridge_vlan *vlan = id < VLAN_IDS ? bridge->vlans[id]
						       : NULL;
	struct bridge_mac *known;

	if (!vlan || !vlan->is_wanted)
		return;
	known = find(bridge, mac, vlan->family);
	if (known && known->port == port && known->vlan == id
	    && !known->is_asked)
		return;			/* Told twice before it was set. */
	if (known && (known->port != port || known->vlan != id)) {
		if (known->moved_ns && now - known->moved_ns
				       < BRIDGE_HOLD_MS * UINT64_C(1000000)) {
			bridge->n_held++;
			return;
		}
		if (known->port != port && port->n_macs >= BRIDGE_PORT_MACS) {
			port->n_refused++;
			return;
		}
		move(bridge, known, port, id);
		known->moved_ns = now;
	} else if (!known) {
		known = add(bridge, port, id, vlan->family, mac);
		if (!known)
			return;
	}
	known->at_ns = now;
	known->is_asked = false;
	list_remove(&known->by_age);
	list_append(&bridge->fresh, &known->by_age);
	if (place(bridge, known))
		forget(bridge, known);
}

void
bridge_age(struct bridge *bridge, uint64_t now)
{
	struct bridge_mac *mac;

	while (!list_is_empty(&bridge->asked)) {
		mac = LIST_ENTRY(bridge->asked.next, struct bridge_mac,
				 by_age);
		if (now - mac->at_ns < bridge->ageing_ns)
			break;
		forget(bridge, mac);
	}
	while (!list_is_empty(&bridge->fresh)) {
		mac = LIST_ENTRY(bridge->fresh.next, struct bridge_mac,
				 by_age);
		if (now - mac->at_ns < bridge->ageing_ns / 4)
			break;
		vsw_mapping_remove_mac(bridge->vlans[mac->family]->sources,
				       mac->mac);
		mac->is_asked = true;
		mac->at_ns = now;
		list_remove(&mac->by_age);
		list_append(&bridge->asked, &mac->by_age);
	}
}

void
bridge_forget_port(struct bridge *bridge, struct bridge_port *port)
{
	while (!list_is_empty(&port->macs))
		forget(bridge, LIST_ENTRY(port->macs.next, struct bridge_mac,
					  by_port));
}

void
bridge_forget_vlan(struct bridge *bridge, const struct bridge_vlan *vlan)
{
	for (struct list *ages = &bridge->fresh; ages;
	     ages = ages == &bridge->fresh ? &bridge->asked : NULL) {
		struct list *link, *next;

		for (link = ages->next; link != ages; link = next) {
			struct bridge_mac *mac =
				LIST_ENTRY(link, struct bridge_mac, by_age);

			next = link->next;
			if (mac->vlan == vlan->id || mac->family == vlan->id)
				forget(bridge, mac);
		}
	}
}

static struct uuid
key_of(const uint8_t mac[6], uint16_t family)
{
	uint8_t bytes[sizeof(struct uuid)] = { 0 };
	struct uuid key;

	memcpy(bytes, mac, 6);
	memcpy(bytes + 6, &family, sizeof family);
	memcpy(&key, bytes, sizeof key);
	return key;
}

static struct bridge_mac *
find(const struct bridge *bridge, const uint8_t mac[6], uint16_t family)
{
	struct uuid key = key_of(mac, family);
	struct keyed *keyed = map_find(&bridge->macs, &key);

	return keyed ? KEYED_ENTRY(keyed, struct bridge_mac, keyed) : NULL;
}

static struct bridge_mac *
add(struct bridge *bridge, struct bridge_port *port, uint16_t vlan,
    uint16_t family, const uint8_t mac[6])
{
	struct bridge_mac *entry;

	if (port->n_macs >= BRIDGE_PORT_MACS
	    || bridge->n_macs >= BRIDGE_MACS) {
		port->n_refused++;
		return NULL;
	}
	entry = xcalloc(1, sizeof *entry);
	entry->keyed.key = key_of(mac, family);
	memcpy(entry->mac, mac, 6);
	entry->family = family;
	entry->vlan = vlan;
	entry->port = port;
	list_init(&entry->by_age);
	list_append(&port->macs, &entry->by_port);
	port->n_macs++;
	bridge->n_macs++;
	map_add(&bridge->macs, &entry->keyed);
	return entry;
}

static void
move(struct bridge *bridge, struct bridge_mac *mac, struct bridge_port *port,
     uint16_t vlan)
{
	mac->port->n_macs--;
	list_remove(&mac->by_port);
	mac->port = port;
	mac->vlan = vlan;
	port->n_macs++;
	list_append(&port->macs, &mac->by_port);
	bridge->n_moves++;
}

/* The sources last: who finds it there may rely on the rest. */
static int
place(struct bridge *bridge, const struct bridge_mac *mac)
{
	const struct bridge_vlan *from = bridge->vlans[mac->vlan];
	struct vsw_location location = {
		.size = sizeof location, .port = mac->port->vsw_port
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
forget(struct bridge *bridge, struct bridge_mac *mac)
{
	const struct bridge_vlan *family = bridge->vlans[mac->family];

	for (unsigned id = 0; id < VLAN_IDS; id++) {
		const struct bridge_vlan *vlan = bridge->vlans[id];

		if (vlan && vlan->family == mac->family)
			vsw_mapping_remove_mac(vlan->mapping, mac->mac);
	}
	if (family && family->sources)
		vsw_mapping_remove_mac(family->sources, mac->mac);
	map_remove(&bridge->macs, &mac->keyed);
	list_remove(&mac->by_age);
	list_remove(&mac->by_port);
	mac->port->n_macs--;
	bridge->n_macs--;
	free(mac);
}
