/* SPDX-License-Identifier: Apache-2.0 */

/* What the host answers itself: ARP and neighbour discovery of bound ports,
 * and whatever is for a gateway. */

#include "agent/policy/compile.h"

#include <stdlib.h>
#include "agent/policy/policy.h"

enum {
	ETH_ARP = 0x0806,
	ETH_IPV6 = 0x86dd,
	PROTO_ICMPV6 = 58,
	ND_FIRST = 133,		/* Router solicitation, RFC 4861. */
	ND_LAST = 137		/* Redirect. */
};

static void add_gateways(struct draft_group *, const struct model *,
			 const struct model_subnet *);

struct draft_group *
layer_intercept(void)
{
	struct draft_group *group = draft_group_new("intercept");

	layer_add_neighbours(group, DRAFT_PUNT, PUNT_ARP, PUNT_ND);
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
