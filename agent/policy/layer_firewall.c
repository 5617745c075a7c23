/* SPDX-License-Identifier: Apache-2.0 */

/* The firewall: one layer for each tier that the port has rules of, and in it
 * what no firewall is asked about, the rules, and what becomes of the rest.
 *
 * What no rule of a tier speaks of goes on to the next, so that all but the
 * last end in a pass.  It is tracked as what a rule allows is, or a rule for
 * the other direction would stop the answers. */

#include "agent/policy/compile.h"

static void add_entries(struct draft_group *, const struct acl_rule *);
static void add_rule(struct draft_group *, const struct acl_rule *,
		     const struct acl_range *proto, uint16_t eth_type);
static void match_addresses(struct draft_rule *, enum vsw_field,
			    const struct acl_addresses *);
static void match_ports(struct draft_rule *, enum vsw_field,
			const struct acl_ranges *);

struct draft_group *
layer_neighbours(void)
{
	struct draft_group *group = draft_group_new("neighbours");

	layer_add_neighbours(group, DRAFT_PASS, 0, 0);
	return group;
}

struct draft_group *
layer_acl(const struct acl *acl, enum vsw_direction direction)
{
	struct draft_group *group =
		draft_group_new("rules %08x %s", acl->number,
				direction == VSW_OUT ? "out" : "in");

	/* Rows of one rule_id are one rule, whichever list they are in. */
	if (acl->n_rules && !acl->rules[0].is_of_list)
		group->scope = direction == VSW_OUT ? "rules out" : "rules in";
	for (size_t i = 0; i < acl->n_rules; i++) {
		const struct acl_rule *rule = &acl->rules[i];

		if (rule->direction != direction)
			continue;
		if (rule->is_of_list) {
			add_entries(group, rule);
			continue;
		}
		for (size_t j = 0; j < rule->protos.n; j++)
			add_rule(group, rule, &rule->protos.of[j], 0);
		if (!rule->protos.n)
			add_rule(group, rule, NULL, 0);
	}
	return group;
}

struct draft_group *
layer_no_rule(bool passes)
{
	struct draft_group *group =
		draft_group_new(passes ? "no rule: pass" : "no rule: drop");

	draft_group_add_rule(group, 0, passes ? DRAFT_TRACK : DRAFT_DROP,
			     "no rule")->is_terminating = true;
	return group;
}

struct draft_group *
layer_blocked(void)
{
	struct draft_group *group = draft_group_new("blocked");

	draft_group_add_rule(group, 0, DRAFT_DROP, "port blocked")
		->is_terminating = true;
	return group;
}

/* One for each family and each protocol that an entry does not name, but must
 * mean. */
static void
add_entries(struct draft_group *group, const struct acl_rule *acl)
{
	static const struct {
		bool is_icmp;
		uint16_t eth_type;
		struct acl_range proto;
	} with[] = {
		{ false, 0x0800, { 6, 6 } }, { false, 0x0800, { 17, 17 } },
		{ false, 0x86dd, { 6, 6 } }, { false, 0x86dd, { 17, 17 } },
		{ true, 0x0800, { 1, 1 } }, { true, 0x86dd, { 58, 58 } }
	};
	static const uint16_t families[] = { 0x0800, 0x86dd };
	bool must_name = !acl->protos.n
			 && (acl->src_ports.n || acl->dst_ports.n);

	for (size_t i = 0; must_name && i < sizeof with / sizeof *with; i++)
		if (with[i].is_icmp == acl->is_icmp
		    && (!acl->eth_type || acl->eth_type == with[i].eth_type))
			add_rule(group, acl, &with[i].proto,
				 with[i].eth_type);
	for (size_t i = 0; !must_name && acl->is_ip && i < 2; i++)
		if (!acl->eth_type || acl->eth_type == families[i])
			add_rule(group, acl, acl->protos.n ? acl->protos.of
						       : NULL, families[i]);
	if (!must_name && !acl->is_ip)
		add_rule(group, acl, NULL, acl->eth_type);
}

static void
add_rule(struct draft_group *group, const struct acl_rule *acl,
	 const struct acl_range *proto, uint16_t eth_type)
{
	struct draft_rule *rule = draft_group_add_rule(
		group, acl->priority,
		!acl->allows ? DRAFT_DROP
		: acl->is_stateful ? DRAFT_TRACK : DRAFT_PASS,
		"%s%s", acl->name, acl->is_bad ? " (does not read)" : "");

	if (acl->has_src_mac)
		draft_rule_match(rule, VSW_FIELD_ETH_SRC, acl->src_mac, 6);
	if (acl->has_dst_mac)
		draft_rule_match(rule, VSW_FIELD_ETH_DST, acl->dst_mac, 6);
	if (eth_type)
		draft_rule_match_u16(rule, VSW_FIELD_ETH_TYPE, eth_type);
	if (proto && proto->first == proto->last) {
		const uint8_t number = (uint8_t) proto->first;

		draft_rule_match(rule, VSW_FIELD_IP_PROTO, &number, 1);
	} else if (proto) {
		draft_rule_match_range(rule, VSW_FIELD_IP_PROTO, proto->first,
				       proto->last);
	}
	match_addresses(rule, VSW_FIELD_IPV4_SRC, &acl->src);
	match_addresses(rule, VSW_FIELD_IPV4_DST, &acl->dst);
	match_ports(rule, VSW_FIELD_L4_SRC, &acl->src_ports);
	match_ports(rule, VSW_FIELD_L4_DST, &acl->dst_ports);
	rule->is_terminating = true;
	rule->is_logged = acl->is_logged;
}

static void
match_addresses(struct draft_rule *rule, enum vsw_field field,
		const struct acl_addresses *addresses)
{
	struct draft_set *set;

	if (addresses->n == 1) {
		draft_rule_match_prefix(rule, field, &addresses->of[0].addr,
					addresses->of[0].bits);
	} else if (addresses->n) {
		set = draft_rule_match_set(rule, field);
		for (size_t i = 0; i < addresses->n; i++)
			draft_set_add_prefix(set, &addresses->of[i].addr,
					     addresses->of[i].bits);
	}
}

static void
match_ports(struct draft_rule *rule, enum vsw_field field,
	    const struct acl_ranges *ports)
{
	struct draft_set *set;

	if (ports->n == 1 && ports->of[0].first == ports->of[0].last) {
		draft_rule_match_u16(rule, field, ports->of[0].first);
	} else if (ports->n == 1) {
		draft_rule_match_range(rule, field, ports->of[0].first,
				       ports->of[0].last);
	} else if (ports->n) {
		set = draft_rule_match_set(rule, field);
		for (size_t i = 0; i < ports->n; i++)
			draft_set_add_range(set, ports->of[i].first,
					    ports->of[i].last);
	}
}
