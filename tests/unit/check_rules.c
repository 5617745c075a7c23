/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/policy/rules.c: what was drafted is what is sealed, in as
 * much memory as it takes, and nothing that rules name is let go of too soon.
 * Whether matches hold is tested in check_group.c and check_index.c. */

#include "libvswitch/policy/rules.h"

#include "libvswitch/policy/group.h"
#include "tests/unit/policy_rig.h"

static struct rig_memory memory;
static struct vsw *vsw;
static struct vsw_group *group;
static struct vsw_port *port;
static struct vsw_mapping *mapping;
static const uint8_t mac1[6] = { 2, 1 }, mac2[6] = { 2, 2 }, mac3[6] = { 2, 3 };

static void
setup(void)
{
	struct vsw_port_ops ops = { .size = sizeof ops,
				    .transmit = rig_ignore };
	struct vsw_domain *domain;

	vsw = rig_switch(&memory);
	ck_assert_int_eq(vsw_group_new(vsw, "g", &group), 0);
	ck_assert_int_eq(vsw_port_add(vsw, "p", &ops, NULL, &port), 0);
	ck_assert_int_eq(vsw_domain_new(vsw, "d", &domain), 0);
	ck_assert_int_eq(vsw_mapping_new(domain, "m", 7, &mapping), 0);
	vsw_domain_unref(domain);
}

static void
teardown(void)
{
	vsw_group_unref(group);
	vsw_mapping_unref(mapping);
	vsw_port_remove(port);
	vsw_free(vsw);
	ck_assert_uint_eq(memory.n_live, 0);
}

static const struct rule *
sealed(uint32_t i)
{
	char problem[200] = "";

	if (!group->rules && vsw_group_seal(group, problem, sizeof problem))
		ck_abort_msg("%s", problem);
	return rules_get(group->rules, i);
}

/* Each action has its own, whatever others there are. */
START_TEST(actions)
{
	static const uint8_t next[16] = { 0x20, 1, 0xd, 0xb8 };
	struct vsw_addr hop = { .n = 16 };
	const struct rule_route *route;
	struct vsw_counter *counter;
	struct vsw_rule *draft;
	const struct rule *rule;

	setup();
	ck_assert_int_eq(vsw_counter_new(vsw, &counter), 0);
	memcpy(hop.bytes, next, sizeof next);
	draft = vsw_group_add_rule(group, 1, "all");
	vsw_rule_set_eth_dst(draft, mac2);
	vsw_rule_route(draft, mapping, &hop, mac3, 9);
	vsw_rule_set_eth_src(draft, mac1);
	vsw_rule_decrement_ttl(draft);
	vsw_rule_output(draft, port);
	vsw_rule_learn(draft, mapping, UINT64_C(1) << 40);
	vsw_rule_count(draft, counter);
	vsw_rule_set_vlan(draft, 5);
	vsw_rule_punt(vsw_group_add_rule(group, 2, "punt"), 77);
	vsw_rule_encap(vsw_group_add_rule(group, 3, "encap"), mapping);
	draft = vsw_group_add_rule(group, 4, "decap");
	vsw_rule_decap(draft, mapping);
	vsw_rule_terminate(draft);
	vsw_rule_drop(vsw_group_add_rule(group, 5, NULL));

	rule = sealed(0);
	ck_assert_str_eq(rule_name(rule), "all");
	ck_assert_uint_eq(rule->actions, ACTION_OUTPUT | ACTION_ROUTE
			  | ACTION_ETH_SRC | ACTION_ETH_DST | ACTION_TTL
			  | ACTION_LEARN | ACTION_VLAN);
	ck_assert_uint_eq(rule_vlan(rule), 0x1005);
	ck_assert_ptr_eq(rule_counter(rule), counter);
	ck_assert_ptr_eq(rule_learn(rule)->mapping, mapping);
	ck_assert_uint_eq(rule_learn(rule)->tag, UINT64_C(1) << 40);
	ck_assert_ptr_eq(rule_port(rule), port);
	ck_assert_mem_eq(rule_mac(rule, ACTION_ETH_SRC), mac1, 6);
	ck_assert_mem_eq(rule_mac(rule, ACTION_ETH_DST), mac2, 6);
	route = rule_route(rule);
	ck_assert_uint_eq(route->n_hops, 1);
	ck_assert_ptr_eq(route->hops[0].mapping, mapping);
	ck_assert_mem_eq(route->router_mac, mac3, 6);
	ck_assert_uint_eq(route->ttl_reason, 9);
	ck_assert_uint_eq(route->hops[0].addr.n, 16);
	ck_assert_mem_eq(route->hops[0].addr.bytes, next, 16);
	ck_assert_uint_eq(rule_punt_reason(sealed(1)), 77);
	ck_assert_ptr_eq(rule_mapping(sealed(2)), mapping);
	ck_assert_ptr_eq(rule_mapping(sealed(3)), mapping);
	ck_assert(sealed(3)->is_terminating && !sealed(2)->is_terminating);
	ck_assert_uint_eq(sealed(4)->actions, ACTION_DROP);
	ck_assert_ptr_null(rule_name(sealed(4)));
	ck_assert_ptr_null(rule_counter(sealed(4)));
	ck_assert_uint_eq(sealed(4)->number, 5);
	ck_assert_uint_eq(sealed(4)->priority, 5);
	ck_assert_uint_eq(rules_n(group->rules), 5);
	vsw_counter_unref(counter);
	teardown();
}
END_TEST

/* One of each width, with all bits and with some, as it was given. */
START_TEST(matches)
{
	static const struct {
		enum vsw_field field;
		unsigned size;
	} fields[] = {
		{ VSW_FIELD_IP_PROTO, 1 }, { VSW_FIELD_L4_DST, 2 },
		{ VSW_FIELD_IPV4_SRC, 4 }, { VSW_FIELD_ETH_SRC, 6 },
		{ VSW_FIELD_IPV6_DST, 16 }
	};
	uint8_t value[16], mask[16];
	const uint8_t *at = NULL;
	struct vsw_rule *draft;
	struct vsw_set *set;
	struct match match;

	setup();
	for (unsigned i = 0; i < 16; i++) {
		value[i] = (uint8_t) (0xc3 + 3 * i);
		mask[i] = (uint8_t) (0xff << i % 5);
	}
	ck_assert_int_eq(vsw_set_new(vsw, "s", VSW_SET_PORTS, &set), 0);
	draft = vsw_group_add_rule(group, 1, NULL);
	for (unsigned i = 0; i < 5; i++) {
		vsw_rule_match(draft, fields[i].field, value, NULL);
		vsw_rule_match(draft, fields[i].field, value, mask);
	}
	vsw_rule_match_range(draft, VSW_FIELD_IP_PROTO, 3, 250);
	vsw_rule_match_range(draft, VSW_FIELD_L4_SRC, 3, 65535);
	vsw_rule_match_set(draft, VSW_FIELD_L4_SRC, set);
	vsw_set_unref(set);
	for (unsigned i = 0; i < 10; i++) {
		unsigned size = fields[i / 2].size;
		struct point bits = i % 2 ? point_of(mask, size)
					  : point_ones(size * 8);

		ck_assert(rule_next_match(sealed(0), &at, &match));
		ck_assert_uint_eq(match.field, fields[i / 2].field);
		ck_assert_uint_eq(match.kind, MATCH_MASK);
		ck_assert(!point_compare(match.mask, bits));
		ck_assert(!point_compare(match.value,
					 point_and(point_of(value, size),
						   bits)));
	}
	ck_assert(rule_next_match(sealed(0), &at, &match));
	ck_assert_uint_eq(match.kind, MATCH_RANGE);
	ck_assert_uint_eq(match.range.first.low, 3);
	ck_assert_uint_eq(match.range.last.low, 250);
	ck_assert(rule_next_match(sealed(0), &at, &match));
	ck_assert_uint_eq(match.range.last.low, 65535);
	ck_assert(rule_next_match(sealed(0), &at, &match));
	ck_assert_uint_eq(match.kind, MATCH_SET);
	ck_assert_ptr_eq(match.set, set);
	ck_assert(!rule_next_match(sealed(0), &at, &match));
	teardown();
}
END_TEST

/* A name is kept once, and nothing is kept that a draft had. */
START_TEST(memory_of_many)
{
	struct vsw_group_shape shape = { .size = sizeof shape };
	const char *first = NULL;

	setup();
	for (uint32_t i = 0; i < 1000; i++) {
		struct vsw_rule *draft = vsw_group_add_rule(
			group, i, i % 2 ? "a name that many rules have"
					: "another one of that kind");
		uint8_t addr[4] = { 10, 0, (uint8_t) (i >> 8), (uint8_t) i };

		vsw_rule_match(draft, VSW_FIELD_IPV4_SRC, addr, NULL);
		vsw_rule_match_range(draft, VSW_FIELD_L4_DST, 80, 90);
	}
	for (uint32_t i = 0; i < 1000; i++) {
		const char *name = rule_name(sealed(i));

		ck_assert_str_eq(name, i % 2 ? "a name that many rules have"
					     : "another one of that kind");
		if (i == 1)
			first = name;
		else if (i % 2)
			ck_assert_ptr_eq(name, first);
	}
	vsw_group_get_shape(group, &shape);
	ck_assert_uint_eq(shape.n_rule_bytes, 16 + 1000 * (40 + 4)
			  + sizeof "a name that many rules have"
			  + sizeof "another one of that kind");
	teardown();
}
END_TEST

RIG_MAIN("rules", actions, matches, memory_of_many)
