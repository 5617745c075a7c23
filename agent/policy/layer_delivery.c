/* SPDX-License-Identifier: Apache-2.0 */

/* From the wire to the ports: each subnet that is in force here takes its own
 * packets out of the tunnel. */

#include "agent/policy/compile.h"

#include <stdlib.h>

struct draft_group *
layer_delivery(const struct model_switch *sw)
{
	struct draft_group *group = draft_group_new("delivery");
	struct model_subnet **subnets;
	size_t n = compile_in_force(sw, &subnets);

	for (size_t i = 0; i < n; i++) {
		struct draft_rule *rule =
			draft_group_add_rule(group, 0, DRAFT_DECAP, "to %s",
					     subnets[i]->name);

		draft_rule_match_u32(rule, VSW_FIELD_VNI, subnets[i]->vni);
		draft_rule_set_subnet(rule, subnets[i]);
		rule->clamps_mss = subnets[i]->clamps_mss;
		rule->is_terminating = true;
	}
	free(subnets);
	return group;
}
