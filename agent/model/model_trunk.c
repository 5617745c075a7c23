/* SPDX-License-Identifier: Apache-2.0 */

/* VLANs of a port that a controller binds (Physical_Port.vlan_bindings): each
 * is a port of its own, in a subnet of its own, which is inside of the one that
 * the row of hnv.Port is about, its trunk.  It stands behind its trunk in the
 * switch's list, and lives no longer.  What the trunk's row says of it, MAC,
 * guards and all, is true of each. */

#include "agent/model/state.h"

#include <stdlib.h>
#include <string.h>
#include "agent/base/memory.h"

static bool has_vlans(const struct datum *bindings);
static struct model_port *add(struct model_port *trunk, struct list *behind,
			      uint16_t vid);
static void inherit(struct model_port *, const struct model_port *trunk);
static void *copy(const void *, size_t size);

struct list *
model_behind(const struct model_port *port)
{
	struct list *link = port->link.next;

	while (link != &port->sw->ports
	       && LIST_ENTRY(link, struct model_port, link)->trunk == port)
		link = link->next;
	return link;
}

bool
model_is_trunk(const struct model_port *port)
{
	const struct list *end = model_behind(port);

	for (const struct list *link = port->link.next; link != end;
	     link = link->next)
		if (!LIST_ENTRY(link, const struct model_port, link)
			    ->is_removed)
			return true;
	return false;
}

bool
trunk_follow(struct model_port *trunk, const struct datum *bindings)
{
	struct model_port *ports[VLAN_LAST + 1];
	struct list *end = model_behind(trunk), *link;
	bool is_other = false;

	trunk->has_cut_vlans = false;
	/* Most are no trunks, and this is asked of each. */
	if (end == trunk->link.next && !has_vlans(bindings))
		return false;
	memset(ports, 0, sizeof ports);
	for (link = trunk->link.next; link != end; link = link->next) {
		struct model_port *port =
			LIST_ENTRY(link, struct model_port, link);

		/* One that is on its way out is another's namesake. */
		if (!port->is_removed)
			ports[port->vid] = port;
		port->is_removed = true;
	}
	for (uint32_t i = 0; bindings && i < bindings->n; i++) {
		int64_t vid = datum_key(bindings, i)->integer;

		if (vid < 1 || vid > VLAN_LAST)
			continue;
		if (!ports[vid]) {
			if (trunk->sw->n_vlans == MODEL_MAX_VLANS) {
				trunk->has_cut_vlans = true;
				continue;
			}
			ports[vid] = add(trunk, end, (uint16_t) vid);
			is_other = true;
		}
		ports[vid]->is_removed = false;
		inherit(ports[vid], trunk);
	}
	return is_other;
}

const union atom *
trunk_get(const struct datum *map, int64_t vid)
{
	uint32_t low = 0, high = map->n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (datum_key(map, middle)->integer < vid)
			low = middle + 1;
		else
			high = middle;
	}
	return low < map->n && datum_key(map, low)->integer == vid
	       ? datum_value(map, low) : NULL;
}

void
trunk_move(struct model_port *trunk, struct list *from, struct list *to)
{
	struct list *link, *next;

	for (link = from->next; link != from; link = next) {
		next = link->next;
		if (LIST_ENTRY(link, struct model_port, link)->trunk
		    != trunk)
			continue;
		list_remove(link);
		list_append(to, link);
	}
}

/* Keys are in order. */
static bool
has_vlans(const struct datum *bindings)
{
	return bindings && bindings->n
	       && datum_key(bindings, bindings->n - 1)->integer >= 1;
}

static struct model_port *
add(struct model_port *trunk, struct list *behind, uint16_t vid)
{
	struct model_port *port = port_new();

	list_append(behind, &port->link);
	port->row = trunk->row;
	port->sw = trunk->sw;
	port->trunk = trunk;
	port->vid = vid;
	port->sw->n_vlans++;
	port->name = xasprintf("%s.%u", trunk->name, vid);
	port->type = xstrdup("vlan");
	return port;
}

static void
inherit(struct model_port *port, const struct model_port *trunk)
{
	free(port->iface_id);
	port->iface_id = xstrdup(trunk->iface_id);
	memcpy(port->mac, trunk->mac, 6);
	port->role = trunk->role;
	port->limits = trunk->limits;
	port->firewall_default = trunk->firewall_default;
	port->guards_on = trunk->guards_on;
	port->guards_off = trunk->guards_off;
	guard_done(port);
	port->n_allowed_macs = trunk->n_allowed_macs;
	port->allowed_macs = copy(trunk->allowed_macs,
				  6 * trunk->n_allowed_macs);
	port->allowed.n = trunk->allowed.n;
	port->allowed.of = copy(trunk->allowed.of, trunk->allowed.n
				* sizeof *trunk->allowed.of);
	if (trunk->allowed_problem)
		port->allowed_problem = xstrdup(trunk->allowed_problem);
}

static void *
copy(const void *from, size_t size)
{
	return size ? xmemdup(from, size) : NULL;
}
