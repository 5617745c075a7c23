/* SPDX-License-Identifier: Apache-2.0 */

/* From the wire to the ports: each subnet that is in force here takes its own
 * packets out of the tunnel.  BFD is no subnet's: it is for the host, in VNI 0,
 * where no VM can have said anything. */

#include "agent/policy/compile.h"

#include <stdlib.h>
#include "agent/policy/policy.h"

enum { ETH_IPV4 = 0x0800, PROTO_UDP = 17, PORT_BFD = 3784 };

static void add_bfd(struct draft_group *, enum vsw_field source,
		    size_t size);

struct draft_group *
layer_delivery(const struct model_switch *sw)
{
	struct draft_group *group = draft_group_new("delivery");
	struct model_subnet **subnets;
	size_t n = compile_in_force(sw, &subnets);

	add_bfd(group, VSW_FIELD_TUNNEL_SRC4, 4);
	add_bfd(group, VSW_FIELD_TUNNEL_SRC6, 16);
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

/* Only of a tunnel: a match on its source says so, whatever that is. */
static void
add_bfd(struct draft_group *group, enum vsw_field source, size_t size)
{
	struct draft_rule *rule =
		draft_group_add_rule(group, 0, DRAFT_PUNT, "bfd");
	const uint8_t proto = PROTO_UDP;

	draft_rule_match_any(rule, source, size);
	draft_rule_match_u32(rule, VSW_FIELD_VNI, 0);
	draft_rule_match_u16(rule, VSW_FIELD_ETH_TYPE, ETH_IPV4);
	draft_rule_match(rule, VSW_FIELD_IP_PROTO, &proto, 1);
	draft_rule_match_u16(rule, VSW_FIELD_L4_DST, PORT_BFD);
	rule->reason = PUNT_BFD;
	rule->is_terminating = true;
}
