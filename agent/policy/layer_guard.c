/* SPDX-License-Identifier: Apache-2.0 */

/* What a port must not pretend to be: another's MAC or address, a DHCP server,
 * a router.  First of all layers, so that nothing that is punted gets past.
 *
 * Two groups: whose MAC it is, and then what the packet says of itself.  A
 * packet without an own address has few things to say: that it asks for one
 * (DHCP; RFC 5227 probes; RFC 4862 duplicate address detection), and which
 * groups it wants to hear meanwhile (RFC 3590). */

#include "agent/policy/compile.h"

#include <string.h>
#include "agent/model/guard.h"

enum {
	ETH_IPV4 = 0x0800, ETH_ARP = 0x0806, ETH_IPV6 = 0x86dd,
	PROTO_ICMP = 1, PROTO_UDP = 17, PROTO_ICMPV6 = 58,
	DHCP_CLIENT = 68, DHCP_SERVER = 67, DHCPV6_SERVER = 547,
	ICMP_REDIRECT = 5,		/* RFC 792. */
	ND_FIRST = 133,			/* RFC 4861. */
	ND_ROUTER_ADVERTISEMENT = 134,
	ND_REDIRECT = 137, ND_LAST = 137
};

/* In the order of asking. */
enum { NEVER, NEIGHBOURS, NO_NEIGHBOURS, OWN, NOT_OWN };

static void add_never(struct draft_group *, const struct guard *);
static void add_neighbours(struct draft_group *, const struct guard *);
static void add_sources(struct draft_group *, const struct guard *);
static struct draft_rule *add(struct draft_group *, uint32_t priority,
			      enum draft_action, const char *name,
			      uint16_t eth_type);
static void match_proto(struct draft_rule *, uint8_t proto);
static void match_own(struct draft_rule *, const struct acl_addresses *,
		      enum vsw_field);

struct draft_group *
layer_guard_macs(const struct model_port *port)
{
	struct draft_group *group = draft_group_new("macs of %s", port->name);
	struct guard guard;

	guard_init(&guard, port);
	for (size_t i = 0; guard.on & 1 << GUARD_MAC && i < guard.n_macs; i++)
		draft_rule_match(draft_group_add_rule(group, 0, DRAFT_PASS,
						      "own mac"),
				 VSW_FIELD_ETH_SRC, guard.macs[i], 6);
	if (guard.on & 1 << GUARD_MAC)
		draft_group_add_rule(group, 1, DRAFT_DROP, "source mac")
			->is_terminating = true;
	guard_clear(&guard);
	return group;
}

struct draft_group *
layer_guard_sources(const struct model_port *port)
{
	struct draft_group *group =
		draft_group_new("addresses of %s", port->name);
	struct guard guard;

	guard_init(&guard, port);
	add_never(group, &guard);
	add_neighbours(group, &guard);
	if (guard.on & 1 << GUARD_IP)
		add_sources(group, &guard);
	guard_clear(&guard);
	return group;
}

static void
add_never(struct draft_group *group, const struct guard *guard)
{
	struct draft_rule *rule;

	if (guard->on & 1 << GUARD_DHCP) {
		rule = add(group, NEVER, DRAFT_DROP, "dhcp server", ETH_IPV4);
		match_proto(rule, PROTO_UDP);
		draft_rule_match_u16(rule, VSW_FIELD_L4_SRC, DHCP_SERVER);
		rule = add(group, NEVER, DRAFT_DROP, "dhcpv6 server",
			   ETH_IPV6);
		match_proto(rule, PROTO_UDP);
		draft_rule_match_u16(rule, VSW_FIELD_L4_SRC, DHCPV6_SERVER);
	}
	if (guard->on & 1 << GUARD_ROUTER) {
		rule = add(group, NEVER, DRAFT_DROP, "router advertisement",
			   ETH_IPV6);
		match_proto(rule, PROTO_ICMPV6);
		draft_rule_match_u16(rule, VSW_FIELD_L4_SRC,
				     ND_ROUTER_ADVERTISEMENT);
	}
	if (guard->on & 1 << GUARD_REDIRECT) {
		rule = add(group, NEVER, DRAFT_DROP, "redirect", ETH_IPV6);
		match_proto(rule, PROTO_ICMPV6);
		draft_rule_match_u16(rule, VSW_FIELD_L4_SRC, ND_REDIRECT);
		rule = add(group, NEVER, DRAFT_DROP, "redirect", ETH_IPV4);
		match_proto(rule, PROTO_ICMP);
		draft_rule_match_u16(rule, VSW_FIELD_L4_SRC, ICMP_REDIRECT);
	}
}

static void
add_neighbours(struct draft_group *group, const struct guard *guard)
{
	static const struct vsw_addr none4 = { 4, { 0 } };
	static const struct vsw_addr none6 = { 16, { 0 } };
	struct draft_rule *rule;

	if (guard->on & 1 << GUARD_ARP) {
		rule = add(group, NEIGHBOURS, DRAFT_PASS, "arp probe",
			   ETH_ARP);
		draft_rule_match_prefix(rule, VSW_FIELD_IPV4_SRC, &none4, 32);
		if (guard->v4.n)
			match_own(add(group, NEIGHBOURS, DRAFT_PASS,
				      "own arp", ETH_ARP), &guard->v4,
				  VSW_FIELD_IPV4_SRC);
	}
	/* If it is not looked at, it is not anybody's address either. */
	add(group, NO_NEIGHBOURS,
	    guard->on & 1 << GUARD_ARP ? DRAFT_DROP : DRAFT_PASS,
	    guard->on & 1 << GUARD_ARP ? "arp sender" : "arp", ETH_ARP);
	if (guard->on & 1 << GUARD_ND) {
		rule = add(group, NEIGHBOURS, DRAFT_PASS, "nd probe",
			   ETH_IPV6);
		match_proto(rule, PROTO_ICMPV6);
		draft_rule_match_range(rule, VSW_FIELD_L4_SRC, ND_FIRST,
				       ND_LAST);
		draft_rule_match_prefix(rule, VSW_FIELD_IPV6_SRC, &none6,
					128);
		rule = add(group, NEIGHBOURS, DRAFT_PASS, "own nd", ETH_IPV6);
		match_proto(rule, PROTO_ICMPV6);
		draft_rule_match_range(rule, VSW_FIELD_L4_SRC, ND_FIRST,
				       ND_LAST);
		match_own(rule, &guard->v6, VSW_FIELD_IPV6_SRC);
	}
	rule = add(group, NO_NEIGHBOURS,
		   guard->on & 1 << GUARD_ND ? DRAFT_DROP : DRAFT_PASS,
		   guard->on & 1 << GUARD_ND ? "nd sender" : "nd", ETH_IPV6);
	match_proto(rule, PROTO_ICMPV6);
	draft_rule_match_range(rule, VSW_FIELD_L4_SRC, ND_FIRST, ND_LAST);
}

static void
add_sources(struct draft_group *group, const struct guard *guard)
{
	static const struct vsw_addr none4 = { 4, { 0 } };
	static const struct vsw_addr none6 = { 16, { 0 } };
	struct draft_rule *rule;

	if (guard->v4.n)
		match_own(add(group, OWN, DRAFT_PASS, "own address",
			      ETH_IPV4), &guard->v4, VSW_FIELD_IPV4_SRC);
	rule = add(group, OWN, DRAFT_PASS, "dhcp client", ETH_IPV4);
	draft_rule_match_prefix(rule, VSW_FIELD_IPV4_SRC, &none4, 32);
	match_proto(rule, PROTO_UDP);
	draft_rule_match_u16(rule, VSW_FIELD_L4_SRC, DHCP_CLIENT);
	draft_rule_match_u16(rule, VSW_FIELD_L4_DST, DHCP_SERVER);
	add(group, NOT_OWN, DRAFT_DROP, "source address", ETH_IPV4);
	match_own(add(group, OWN, DRAFT_PASS, "own address", ETH_IPV6),
		  &guard->v6, VSW_FIELD_IPV6_SRC);
	rule = add(group, OWN, DRAFT_PASS, "no address yet", ETH_IPV6);
	draft_rule_match_prefix(rule, VSW_FIELD_IPV6_SRC, &none6, 128);
	match_proto(rule, PROTO_ICMPV6);
	add(group, NOT_OWN, DRAFT_DROP, "source address", ETH_IPV6);
}

static struct draft_rule *
add(struct draft_group *group, uint32_t priority, enum draft_action action,
    const char *name, uint16_t eth_type)
{
	struct draft_rule *rule =
		draft_group_add_rule(group, priority, action, "%s", name);

	draft_rule_match_u16(rule, VSW_FIELD_ETH_TYPE, eth_type);
	rule->is_terminating = true;
	return rule;
}

static void
match_proto(struct draft_rule *rule, uint8_t proto)
{
	draft_rule_match(rule, VSW_FIELD_IP_PROTO, &proto, 1);
}

static void
match_own(struct draft_rule *rule, const struct acl_addresses *own,
	  enum vsw_field field)
{
	struct draft_set *set;

	if (own->n == 1) {
		draft_rule_match_prefix(rule, field, &own->of[0].addr,
					own->of[0].bits);
		return;
	}
	set = draft_rule_match_set(rule, field);
	for (size_t i = 0; i < own->n; i++)
		draft_set_add_prefix(set, &own->of[i].addr, own->of[i].bits);
}
