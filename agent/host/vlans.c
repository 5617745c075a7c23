/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/host/vlans.h"

#include <errno.h>
#include <string.h>

#include "agent/answer/punt.h"
#include "agent/base/log.h"
#include "agent/model/model.h"
#include "agent/policy/policy.h"

static bool open_vlan(struct model_port *);
static void close_vlan(struct model *, struct model_port *, struct punt *);

bool
vlans_apply(struct model *model, struct model_port *trunk, struct punt *punt)
{
	struct list *end = model_behind(trunk), *link, *next;
	bool is_whole = true;

	for (link = trunk->link.next; link != end; link = next) {
		struct model_port *port =
			LIST_ENTRY(link, struct model_port, link);

		next = link->next;
		if (port->is_removed) {
			close_vlan(model, port, punt);
			model_forget_port(model, port);
		} else if (!trunk->port) {
			model_fault_set(&port->device_fault, MODEL_NO_DEVICE,
					"port \"%s\" is not open",
					trunk->name);
		} else if (!port->port) {
			is_whole &= open_vlan(port);
		}
	}
	return is_whole;
}

void
vlans_close(struct model *model, struct model_port *trunk, struct punt *punt)
{
	struct list *end = model_behind(trunk);

	for (struct list *link = trunk->link.next; link != end;
	     link = link->next)
		close_vlan(model, LIST_ENTRY(link, struct model_port, link),
			   punt);
}

static bool
open_vlan(struct model_port *port)
{
	int error = vsw_port_add_vlan(port->trunk->port, port->name,
				      port->vid, &port->port);

	if (!error) {
		model_fault_set(&port->device_fault, MODEL_OK, NULL);
		port->is_dirty = true;
		log_line(LOG_LEVEL_INFO, port->name, "VLAN is open");
		return true;
	}
	if (model_fault_set(&port->device_fault,
			    error == -ENOSPC ? MODEL_LIMIT : MODEL_ENGINE,
			    "%s", error == -EEXIST
				  ? "another port has this name"
				  : strerror(-error)))
		log_line(LOG_LEVEL_WARN, port->name, "VLAN does not open: "
			 "%s; it is tried again", port->device_fault.detail);
	return false;
}

static void
close_vlan(struct model *model, struct model_port *port, struct punt *punt)
{
	if (!port->port)
		return;
	policy_leave_port(model, port);
	punt_forget(punt, port->port);
	vsw_port_remove(port->port);
	port->port = NULL;
}
