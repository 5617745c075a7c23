/* SPDX-License-Identifier: Apache-2.0 */

/* Broadcast and multicast of a subnet whose VMs each get a copy of their own,
 * as Hyper-V Network Virtualization has it: a unicast packet with the VM's MAC
 * and address, so that the host that it comes to has nothing to copy.
 *
 * An address stays where it is part of what is said: in what a VM hears that
 * has no address yet (DHCP, duplicate address detection), and where the
 * protocol has a look at it (IGMP, MLD, neighbour discovery). */

#include "agent/policy/compile.h"

#include "agent/policy/policy.h"

enum {
	ETH_IPV4 = 0x0800, ETH_IPV6 = 0x86dd,
	PROTO_IGMP = 2, PROTO_UDP = 17, PROTO_ICMPV6 = 58,
	/* MLD and neighbour discovery, inverse discovery and MLDv2, multicast
	 * routers: RFC 2710, 4861, 3122, 3810, 4286. */
	MLD_FIRST = 130, ND_LAST = 137, IND_FIRST = 141, MLD_V2 = 143,
	MRD_FIRST = 151, MRD_LAST = 153,
	DHCP_SERVER = 67, DHCP_CLIENT = 68,
	DHCPV6_CLIENT = 546, DHCPV6_SERVER = 547
};

static struct draft_rule *add(struct draft_group *, uint32_t priority,
			      struct model_subnet *, enum draft_copies,
			      const char *name);
static void add_l4(struct draft_group *, struct model_subnet *,
		   uint16_t eth_type, uint8_t proto, enum vsw_field,
		   uint16_t first, uint16_t last, const char *name);
static void add_addresses(struct draft_group *, struct model_subnet *);
static struct vsw_addr last_of(const struct model_prefix *);

void
layer_add_copies(struct draft_group *group, struct model_subnet *subnet)
{
	static const uint8_t igmp = PROTO_IGMP;
	struct draft_rule *rule;

	/* Reports of old versions are sent to the group: all are to hear. */
	rule = add(group, 0, subnet, COPIES_MAC, "igmp in");
	draft_rule_match_u16(rule, VSW_FIELD_ETH_TYPE, ETH_IPV4);
	draft_rule_match(rule, VSW_FIELD_IP_PROTO, &igmp, 1);
	rule->to_all = true;
	add_l4(group, subnet, ETH_IPV6, PROTO_ICMPV6, VSW_FIELD_L4_SRC,
	       MLD_FIRST, ND_LAST, "nd in");
	add_l4(group, subnet, ETH_IPV6, PROTO_ICMPV6, VSW_FIELD_L4_SRC,
	       IND_FIRST, MLD_V2, "mld in");
	add_l4(group, subnet, ETH_IPV6, PROTO_ICMPV6, VSW_FIELD_L4_SRC,
	       MRD_FIRST, MRD_LAST, "mrd in");
	add_l4(group, subnet, ETH_IPV4, PROTO_UDP, VSW_FIELD_L4_DST,
	       DHCP_SERVER, DHCP_CLIENT, "dhcp in");
	add_l4(group, subnet, ETH_IPV6, PROTO_UDP, VSW_FIELD_L4_DST,
	       DHCPV6_CLIENT, DHCPV6_SERVER, "dhcp6 in");
	add_addresses(group, subnet);
	add(group, LAYER_COPIES_LAST, subnet, COPIES_MAC, "multicast in");
}

static struct draft_rule *
add(struct draft_group *group, uint32_t priority, struct model_subnet *subnet,
    enum draft_copies copies, const char *name)
{
	struct draft_rule *rule = layer_add_own(group, priority, subnet, name);

	draft_rule_match_multicast(rule);
	rule->copies = copies;
	return rule;
}

static void
add_l4(struct draft_group *group, struct model_subnet *subnet,
       uint16_t eth_type, uint8_t proto, enum vsw_field field, uint16_t first,
       uint16_t last, const char *name)
{
	struct draft_rule *rule = add(group, 0, subnet, COPIES_MAC, name);

	draft_rule_match_u16(rule, VSW_FIELD_ETH_TYPE, eth_type);
	draft_rule_match(rule, VSW_FIELD_IP_PROTO, &proto, 1);
	draft_rule_match_range(rule, field, first, last);
	rule->to_all = proto == PROTO_ICMPV6;
}

/* A packet to one address in a frame for all is no multicast, and keeps it. */
static void
add_addresses(struct draft_group *group, struct model_subnet *subnet)
{
	static const struct { struct vsw_addr addr; unsigned bits; } all[] = {
		{ { 4, { 224 } }, 4 },
		{ { 4, { 255, 255, 255, 255 } }, 32 },
		{ { 16, { 0xff } }, 8 }
	};

	for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++)
		draft_rule_match_dst(add(group, 1, subnet, COPIES_IP,
					 "to each in"),
				     &all[i].addr, all[i].bits);
	for (const struct list *link = subnet->prefixes.next;
	     link != &subnet->prefixes; link = link->next) {
		const struct model_prefix *prefix =
			LIST_ENTRY(link, const struct model_prefix, link);
		struct vsw_addr last = last_of(prefix);

		/* RFC 3021: two addresses are two hosts. */
		if (last.n == 4 && prefix->bits < 31)
			draft_rule_match_dst(add(group, 1, subnet, COPIES_IP,
						 "to each in"), &last, 32);
	}
}

static struct vsw_addr
last_of(const struct model_prefix *prefix)
{
	struct vsw_addr last = prefix->network;

	for (unsigned i = prefix->bits; i < last.n * 8u; i++)
		last.bytes[i / 8] |= (uint8_t) (0x80 >> i % 8);
	return last;
}
