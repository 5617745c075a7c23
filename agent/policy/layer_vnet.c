/* SPDX-License-Identifier: Apache-2.0 */

/* The virtual network: from the subnet that a packet is in to the place where
 * its destination lives.  What is too big for the way there is told to the
 * sender; and VMs of a subnet that asks for it agree on TCP segments that are
 * not, with whomever they talk to: so there is a rule for what they send, one
 * for what is sent to them, and one in layer_delivery.c. */

#include "agent/policy/compile.h"

#include <stdlib.h>
#include "agent/policy/policy.h"

enum { PROTO_TCP = 6 };

struct draft_group *
layer_mss(void)
{
	struct draft_group *group = draft_group_new("mss");
	const uint8_t proto = PROTO_TCP;
	struct draft_rule *rule =
		draft_group_add_rule(group, 0, DRAFT_PASS, "tcp");

	draft_rule_match(rule, VSW_FIELD_IP_PROTO, &proto, 1);
	rule->clamps_mss = true;
	return group;
}

struct draft_group *
layer_routed(const struct domain *domain)
{
	struct draft_group *group =
		draft_group_new("subnets of %s", domain->router->name);
	struct model_subnet **subnets;
	size_t n = domain_subnets(domain, &subnets);

	for (size_t i = 0; i < n; i++) {
		struct draft_rule *rule =
			draft_group_add_rule(group, 0, DRAFT_ENCAP,
					     "routed to %s",
					     subnets[i]->name);

		draft_rule_match_u32(rule, VSW_FIELD_VNI, subnets[i]->vni);
		draft_rule_set_subnet(rule, subnets[i]);
		draft_rule_set_sizes(rule, PUNT_TOO_BIG);
		rule->is_terminating = true;
	}
	free(subnets);
	return group;
}

struct draft_group *
layer_own(struct model_subnet *subnet)
{
	struct draft_group *group =
		draft_group_new("subnet %s", subnet->name);
	bool is_copied = subnet->replication == REPLICATE_VM;

	if (is_copied)
		layer_add_copies(group, subnet);
	layer_add_own(group, is_copied ? LAYER_COPIES_LAST + 1 : 0, subnet,
		      "in");
	return group;
}

struct draft_group *
layer_sources(struct model_subnet *subnet)
{
	struct draft_group *group =
		draft_group_new("sources in %s", subnet->name);

	draft_rule_set_subnet(draft_group_add_rule(group, 0, DRAFT_LEARN,
						   "in %s", subnet->name),
			      subnet);
	return group;
}

struct draft_rule *
layer_add_own(struct draft_group *group, uint32_t priority,
	      struct model_subnet *subnet, const char *name)
{
	struct draft_rule *rule =
		draft_group_add_rule(group, priority, DRAFT_ENCAP, "%s %s",
				     name, subnet->name);

	draft_rule_match_u32(rule, VSW_FIELD_VNI, 0);
	draft_rule_set_subnet(rule, subnet);
	draft_rule_set_sizes(rule, PUNT_TOO_BIG_HERE);
	rule->is_terminating = true;
	return rule;
}
