/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/takeover/wish.h"

#include <stdlib.h>
#include <string.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>

#include "agent/device/option.h"
#include "agent/policy/bridge.h"

static const char *interface_of(const struct model_port *);
static bool is_staying(const struct model_port *);
static bool is_in_force(const struct model_port *, const char *what,
			struct model_fault *);
static bool check_place(const struct wish *, struct model_fault *);
static bool check_kind(const struct link *, struct model_fault *);
static bool check_use(const struct wish *, const struct model *,
		      struct netlink *, const struct link *,
		      struct model_fault *);
static const char *find_user(const struct wish *, const struct model *);
static bool check_host(const struct wish *, struct netlink *,
		       const struct link *interface, const struct link *host,
		       struct model_fault *);
static bool has_addresses(struct netlink *, const struct link *);

bool
wish_read(struct model_switch *sw, struct wish *wish)
{
	memset(wish, 0, sizeof *wish);
	wish->sw = sw;
	wish->interface = model_option(&sw->options, "take_over", NULL);
	if (!wish->interface || sw->is_removed)
		return false;
	wish->request = model_option(&sw->options, "take_over_request", "");
	wish->confirmed = model_option(&sw->options, "take_over_confirmed",
				       "");
	for (struct list *link = sw->ports.next; link != &sw->ports;
	     link = link->next) {
		struct model_port *port = LIST_ENTRY(link, struct model_port,
						     link);

		if (port->is_removed)
			continue;
		if (port->role == ROLE_UPLINK && !wish->uplink
		    && !strcmp(interface_of(port), wish->interface))
			wish->uplink = port;
		else if (port->role == ROLE_HOST && !wish->host)
			wish->host = port;
	}
	if (wish->host)
		wish->host_interface = interface_of(wish->host);
	return true;
}

bool
wish_has_ports(const struct wish *wish)
{
	return wish->uplink && wish->host && is_staying(wish->uplink)
	       && is_staying(wish->host);
}

bool
wish_is_ready(const struct wish *wish, struct model_fault *fault)
{
	if (!wish->uplink)
		model_fault_set(fault, MODEL_NO_DEVICE, "the switch has no "
				"port of role uplink with the interface %s",
				wish->interface);
	else if (!wish->host)
		model_fault_set(fault, MODEL_NO_DEVICE, "the switch has no "
				"port of role host");
	else if (!wish->sw->settings.learns)
		model_fault_set(fault, MODEL_NOT_ALLOWED, "the switch is none "
				"that learns: options:learning");
	else if (is_in_force(wish->uplink, "the uplink's port", fault))
		return is_in_force(wish->host, "the host's port", fault);
	return false;
}

bool
wish_check(const struct wish *wish, const struct model *model,
	   struct netlink *netlink, const struct link *interface,
	   const struct link *host, struct model_fault *fault)
{
	return check_place(wish, fault) && check_kind(interface, fault)
	       && check_use(wish, model, netlink, interface, fault)
	       && check_host(wish, netlink, interface, host, fault);
}

static const char *
interface_of(const struct model_port *port)
{
	return model_option(&port->options, "interface", port->name);
}

static bool
is_staying(const struct model_port *port)
{
	return !port->is_removed && !port->is_changed
	       && !model_forbids_port(port);
}

static bool
is_in_force(const struct model_port *port, const char *what,
	    struct model_fault *fault)
{
	if (port->port && port->bridged && port->bridged->program)
		return true;
	if (port->device_fault.reason)
		model_fault_set(fault, port->device_fault.reason, "%s: %s",
				what, port->device_fault.detail
				? port->device_fault.detail
				: model_reason_text(port->device_fault.reason));
	else
		model_fault_set(fault, MODEL_NO_DEVICE, "%s is not in force "
				"yet", what);
	return false;
}

static bool
check_place(const struct wish *wish, struct model_fault *fault)
{
	if (model_option(&wish->uplink->options, "netns", NULL)
	    || model_option(&wish->host->options, "netns", NULL))
		model_fault_set(fault, MODEL_NOT_ALLOWED, "an interface is "
				"taken over where the agent is, not in "
				"another network namespace");
	else
		return true;
	return false;
}

static bool
check_kind(const struct link *link, struct model_fault *fault)
{
	const char *name = link->id.name;

	if (link->flags & IFF_LOOPBACK)
		model_fault_set(fault, MODEL_NOT_SUPPORTED, "%s is the host's "
				"loopback", name);
	else if (link->type != ARPHRD_ETHER || !link->has_mac)
		model_fault_set(fault, MODEL_NOT_SUPPORTED, "%s is no "
				"Ethernet interface", name);
	else if (link_is_wireless(name))
		model_fault_set(fault, MODEL_NOT_SUPPORTED, "%s is wireless: "
				"it sends for no MAC but its own", name);
	else if (!(link->flags & IFF_UP))
		model_fault_set(fault, MODEL_LINK_DOWN, "%s is down", name);
	else
		return true;
	return false;
}

static bool
check_use(const struct wish *wish, const struct model *model,
	  struct netlink *netlink, const struct link *link,
	  struct model_fault *fault)
{
	const char *user = find_user(wish, model), *name = link->id.name;
	char upper[16];
	int error = link_find_upper(netlink, link->id.index, upper);

	if (error)
		model_fault_set(fault, MODEL_SYSTEM, "interfaces cannot be "
				"listed: %s", strerror(-error));
	else if (link->master)
		model_fault_set(fault, MODEL_IN_USE, "%s belongs to %s", name,
				link_get_name(netlink, link->master, upper)
				? "another interface" : upper);
	else if (*upper)
		model_fault_set(fault, MODEL_IN_USE, "%s stands on %s", upper,
				name);
	else if (link_has_ingress(netlink, link->id.index))
		model_fault_set(fault, MODEL_IN_USE, "somebody filters what "
				"comes in at %s: tc qdisc show dev %s", name,
				name);
	else if (user)
		model_fault_set(fault, MODEL_IN_USE, "switch %s uses %s", user,
				name);
	else
		return true;
	return false;
}

/* The name of another switch. */
static const char *
find_user(const struct wish *wish, const struct model *model)
{
	const struct list *switches = &model->switches, *link;

	for (const struct list *s = switches->next; s != switches;
	     s = s->next) {
		const struct model_switch *sw =
			LIST_ENTRY(s, const struct model_switch, link);

		if (sw == wish->sw || sw->is_removed)
			continue;
		for (link = sw->ports.next; link != &sw->ports;
		     link = link->next) {
			const struct model_port *port =
				LIST_ENTRY(link, const struct model_port,
					   link);

			if (!port->is_removed && !strcmp(port->type, "packet")
			    && !strcmp(interface_of(port), wish->interface))
				return sw->name;
		}
		for (link = sw->provider_addresses.next;
		     link != &sw->provider_addresses; link = link->next) {
			const struct model_pa *pa =
				LIST_ENTRY(link, const struct model_pa, link);

			if (!pa->is_removed && !strcmp(pa->device, "packet")
			    && !strcmp(model_option(&pa->options, "interface",
						    ""), wish->interface))
				return sw->name;
		}
	}
	return NULL;
}

static bool
check_host(const struct wish *wish, struct netlink *netlink,
	   const struct link *interface, const struct link *host,
	   struct model_fault *fault)
{
	static const uint8_t no_mac[6];
	const struct model_port *port = wish->host;
	unsigned long mtu = interface->mtu;

	if (!option_number(&port->options, "mtu", 68, 65535, &mtu, fault))
		return false;
	if (port->is_mac_bad || (memcmp(port->mac, no_mac, 6)
				 && memcmp(port->mac, interface->mac, 6)))
		model_fault_set(fault, MODEL_CONFLICT, "port %s has a MAC of "
				"its own, and is to have that of %s",
				port->name, interface->id.name);
	else if (mtu != interface->mtu)
		model_fault_set(fault, MODEL_CONFLICT, "port %s has an MTU of "
				"its own, and is to have that of %s",
				port->name, interface->id.name);
	else if (has_addresses(netlink, host))
		model_fault_set(fault, MODEL_CONFLICT, "%s has addresses of "
				"its own", host->id.name);
	else
		return true;
	return false;
}

/* Besides those that come by themselves. */
static bool
has_addresses(struct netlink *netlink, const struct link *link)
{
	struct holdings holdings;
	bool is_found = false;

	if (holdings_take(netlink, &link->id, &holdings))
		return false;
	for (size_t i = 0; i < holdings.n; i++) {
		const struct nlmsghdr *item = holdings.items[i];
		const struct ifaddrmsg *info = mnl_nlmsg_get_payload(item);

		is_found |= item->nlmsg_type == RTM_NEWADDR
			    && info->ifa_scope != RT_SCOPE_LINK;
	}
	holdings_done(&holdings);
	return is_found;
}
