/* SPDX-License-Identifier: Apache-2.0 */

/* The virtual network: from the subnet that a packet is in to the place where
 * its destination lives. */

#include "agent/policy/compile.h"

#include <stdlib.h>

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
	struct draft_rule *rule =
		draft_group_add_rule(group, 0, DRAFT_ENCAP, "in %s",
				     subnet->name);

	draft_rule_match_u32(rule, VSW_FIELD_VNI, 0);
	draft_rule_set_subnet(rule, subnet);
	rule->is_terminating = true;
	return group;
}
