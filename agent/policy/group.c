/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/policy/group.h"

#include <stdlib.h>
#include <string.h>
#include "agent/base/memory.h"
#include "agent/model/state.h"
#include "agent/policy/bridge.h"

static struct port_group *find(const struct model_port *,
			       const uint8_t mac[6]);
static void touch(struct model *, struct model_port *, const uint8_t mac[6]);

bool
group_set(struct model *model, struct model_port *port, const uint8_t mac[6],
	  bool is_wanted)
{
	struct port_group *group = find(port, mac);

	if (!group == !is_wanted)
		return false;
	if (is_wanted) {
		group = xcalloc(1, sizeof *group);
		memcpy(group->mac, mac, 6);
		list_append(&port->groups, &group->link);
	} else {
		list_remove(&group->link);
		free(group);
	}
	touch(model, port, mac);
	return true;
}

bool
group_is_wanted(const struct model_port *port, const uint8_t mac[6])
{
	return find(port, mac);
}

void
group_set_router(struct model *model, struct model_port *port, bool is_router)
{
	(void) model;
	if (port->is_router == is_router)
		return;
	port->is_router = is_router;
	if (port->bridged)
		bridge_place_groups(port->sw->bridge);
}

static struct port_group *
find(const struct model_port *port, const uint8_t mac[6])
{
	for (struct list *link = port->groups.next; link != &port->groups;
	     link = link->next) {
		struct port_group *group =
			LIST_ENTRY(link, struct port_group, link);

		if (!memcmp(group->mac, mac, 6))
			return group;
	}
	return NULL;
}

static void
touch(struct model *model, struct model_port *port, const uint8_t mac[6])
{
	struct mapping_key key = mapping_key_mac(mac);

	if (port->subnet) {
		subnet_table_touch(port->subnet->table, &key);
		state_subnet_changed(model->state, port->subnet);
	} else if (port->bridged) {
		bridge_place_group(port->sw->bridge, mac);
	}
}
