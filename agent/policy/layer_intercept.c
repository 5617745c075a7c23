/* SPDX-License-Identifier: Apache-2.0 */

/* What the host answers itself: ARP and neighbour discovery of bound ports,
 * and whatever is for a gateway. */

#include "agent/policy/compile.h"

#include <stdlib.h>
#include "agent/policy/policy.h"

enum {
	ETH_ARP = 0x0806,
	ETH_IPV4 = 0x0800,
	ETH_IPV6 = 0x86dd,
	PROTO_IGMP = 2,
	PROTO_ICMPV6 = 58,
	MLD_FIRST = 130,	/* Query, report, done: RFC 2710, */
	MLD_LAST = 132,
	MLD_V2 = 143,		/* and RFC 3810's report. */
	ND_FIRST = 133,		/* Router solicitation, RFC 4861. */
	ND_LAST = 137		/* Redirect. */
};

static void add_groups(struct draft_group *);
static void add_gateways(struct draft_group *, const struct model *,
			 const struct model_subnet *);

struct draft_group *
layer_intercept(bool snoops)
{
	struct draft_group *group = draft_group_new("intercept");

	layer_add_neighbours(group, DRAFT_PUNT, PUNT_ARP, PUNT_ND);
	if (snoops)
		add_groups(group);
	return group;
}

void
layer_add_neighbours(struct draft_group *group, enum draft_action action,
		     uint32_t arp_reason, uint32_t nd_reason)
{
	const uint8_t proto = PROTO_ICMPV6;
	struct draft_rule *rule;

	rule = draft_group_add_rule(group, 0, action, "arp");
	draft_rule_match_u16(rule, VSW_FIELD_ETH_TYPE, ETH_ARP);
	rule->reason = arp_reason;
	rule->is_terminating = true;
	rule = draft_group_add_rule(group, 1, action, "nd");
	draft_rule_match_u16(rule, VSW_FIELD_ETH_TYPE, ETH_IPV6);
	draft_rule_match(rule, VSW_FIELD_IP_PROTO, &proto, 1);
	draft_rule_match_range(rule, VSW_FIELD_L4_SRC, ND_FIRST, ND_LAST);
	rule->reason = nd_reason;
	rule->is_terminating = true;
}

struct draft_group *
layer_gateways(const struct model *model, const struct domain *domain)
{
	struct draft_group *group =
		draft_group_new("gateways of %s", domain->router->name);
	struct model_subnet **subnets;
	size_t n = domain_subnets(domain, &subnets);

	for (size_t i = 0; domain->router->is_enabled && i < n; i++)
		add_gateways(group, model, subnets[i]);
	free(subnets);
	return group;
}

/* IGMP; MLD of both versions. */
static void
add_groups(struct draft_group *group)
{
	static const uint16_t mld[2][2] = { { MLD_FIRST, MLD_LAST },
					    { MLD_V2, MLD_V2 } };
	const uint8_t igmp = PROTO_IGMP, icmpv6 = PROTO_ICMPV6;
	struct draft_rule *rule;

	rule = draft_group_add_rule(group, 2, DRAFT_PUNT, "igmp");
	draft_rule_match_u16(rule, VSW_FIELD_ETH_TYPE, ETH_IPV4);
	draft_rule_match(rule, VSW_FIELD_IP_PROTO, &igmp, 1);
	rule->reason = PUNT_GROUP;
	rule->is_terminating = true;
	for (int i = 0; i < 2; i++) {
		rule = draft_group_add_rule(group, 2, DRAFT_PUNT, "mld");
		draft_rule_match_u16(rule, VSW_FIELD_ETH_TYPE, ETH_IPV6);
		draft_rule_match(rule, VSW_FIELD_IP_PROTO, &icmpv6, 1);
		draft_rule_match_range(rule, VSW_FIELD_L4_SRC, mld[i][0],
				       mld[i][1]);
		rule->reason = PUNT_GROUP;
		rule->is_terminating = true;
	}
}

static void
add_gateways(struct draft_group *group, const struct model *model,
	     const struct model_subnet *subnet)
{
	for (const struct list *link = subnet->prefixes.next;
	     link != &subnet->prefixes; link = link->next) {
		const struct model_prefix *prefix =
			LIST_ENTRY(link, const struct model_prefix, link);
		struct draft_rule *rule =
			draft_group_add_rule(group, 0, DRAFT_PUNT,
					     "gateway of %s", subnet->name);

		draft_rule_match(rule, VSW_FIELD_ETH_DST, model->router_mac,
				 6);
		draft_rule_match_dst(rule, &prefix->gateway,
				     prefix->gateway.n * 8u);
		rule->reason = PUNT_GATEWAY;
		rule->is_terminating = true;
	}
}
