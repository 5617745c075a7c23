/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/policy/group.c and rule.c. */

#include "libvswitch/policy/group.h"

#include <errno.h>
#include "tests/unit/policy_rig.h"

static struct rig_memory memory;
static struct vsw *vsw;
static struct vsw_group *group;
static struct vsw_domain *domain;
static struct vsw_mapping *mapping;
static struct vsw_port *port;
static struct vsw_set *addresses, *ports;

static void
setup(void)
{
	struct vsw_addr net4 = rig_addr(4, 0x0a010000);
	struct vsw_addr net6 = rig_addr(16, 0);

	vsw = rig_switch(&memory);
	port = rig_port(vsw, "p", 0);
	ck_assert_int_eq(vsw_domain_new(vsw, "d", &domain), 0);
	ck_assert_int_eq(vsw_mapping_new(domain, "m", 5001, &mapping), 0);
	ck_assert_int_eq(vsw_set_new(vsw, "nets", VSW_SET_ADDRESSES,
				     &addresses), 0);
	vsw_set_add_prefix(addresses, &net4, 16);
	vsw_set_add_prefix(addresses, &net6, 32);
	ck_assert_int_eq(vsw_set_new(vsw, "ports", VSW_SET_PORTS, &ports), 0);
	vsw_set_add_ports(ports, 80, 90);
	ck_assert_int_eq(vsw_group_new(vsw, "acl-in", &group), 0);
}

static void
teardown(void)
{
	vsw_group_unref(group);
	vsw_set_unref(addresses);
	vsw_set_unref(ports);
	vsw_mapping_unref(mapping);
	vsw_domain_unref(domain);
	vsw_port_remove(port);
	vsw_free(vsw);
	ck_assert_uint_eq(memory.n_live, 0);
}

static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };

/* What each problem's rule does, and the line it must give. */
static void empty_range(struct vsw_rule *r)
{ vsw_rule_match_range(r, VSW_FIELD_L4_DST, 90, 80); }
static void empty_range_of_vlans(struct vsw_rule *r)
{ vsw_rule_match_range(r, VSW_FIELD_VLAN, 9, 8); }
static void long_range(struct vsw_rule *r)
{ vsw_rule_match_range(r, VSW_FIELD_IPV4_SRC, 1, 2); }
static void no_field(struct vsw_rule *r)
{ vsw_rule_match(r, VSW_N_FIELDS, mac, NULL); }
static void no_value(struct vsw_rule *r)
{ vsw_rule_match(r, VSW_FIELD_ETH_SRC, NULL, NULL); }
static void long_vni(struct vsw_rule *r)
{ vsw_rule_match(r, VSW_FIELD_VNI, "\x89\x13\0", NULL); }
static void wrong_set(struct vsw_rule *r)
{ vsw_rule_match_set(r, VSW_FIELD_L4_DST, addresses); }
static void wrong_ports(struct vsw_rule *r)
{ vsw_rule_match_set(r, VSW_FIELD_IPV4_DST, ports); }
static void no_set(struct vsw_rule *r)
{ vsw_rule_match_set(r, VSW_FIELD_IPV4_DST, NULL); }
static void drop_and_output(struct vsw_rule *r)
{ vsw_rule_drop(r); vsw_rule_output(r, port); }
static void edit_and_drop(struct vsw_rule *r)
{ vsw_rule_decrement_ttl(r); vsw_rule_drop(r); }
static void twice(struct vsw_rule *r)
{ vsw_rule_set_eth_src(r, mac); vsw_rule_set_eth_src(r, mac); }
static void two_ends(struct vsw_rule *r)
{ vsw_rule_encap(r, mapping); vsw_rule_punt(r, 1); }
static void no_port(struct vsw_rule *r)
{ vsw_rule_output(r, NULL); }
static void no_mapping(struct vsw_rule *r)
{ vsw_rule_route(r, NULL, NULL, mac, 0); }
static void bad_next_hop(struct vsw_rule *r)
{ vsw_rule_route(r, mapping, &(struct vsw_addr) { .n = 7 }, mac, 0); }

static const struct {
	void (*add)(struct vsw_rule *);
	const char *line;
} problems[] = {
	{ empty_range, "port range 90-80 is empty" },
	{ empty_range_of_vlans, "VLAN range 9-8 is empty" },
	{ long_range, "a range on field IPV4_SRC" },
	{ no_field, "match on field 17 without such a field" },
	{ no_value, "match on field 0 without a value" },
	{ long_vni, "match on a VNI of more than 24 bits, which is in "
		    "network byte order" },
	{ wrong_set, "set \"nets\" of addresses does not fit field L4_DST" },
	{ wrong_ports, "set \"ports\" of ports does not fit field IPV4_DST" },
	{ no_set, "no set" },
	{ drop_and_output, "output, but drop stands alone" },
	{ edit_and_drop, "drop, but drop stands alone" },
	{ twice, "set_eth_src twice" },
	{ two_ends, "punt, but the rule says already where to" },
	{ no_port, "output to no port" },
	{ no_mapping, "route by no mapping" },
	{ bad_next_hop, "next hop is not an address" },
};

START_TEST(first_problem_is_told)
{
	setup();
	for (unsigned i = 0; i < sizeof problems / sizeof problems[0]; i++) {
		char problem[200] = "", expected[200];
		struct vsw_rule *rule;

		vsw_group_unref(group);
		ck_assert_int_eq(vsw_group_new(vsw, "acl-in", &group), 0);
		vsw_group_add_rule(group, 1, NULL);
		rule = vsw_group_add_rule(group, 2, "web");
		problems[i].add(rule);
		/* Nothing that follows matters. */
		no_value(rule);
		ck_assert_ptr_null(vsw_group_add_rule(group, 3, "x"));
		vsw_rule_drop(NULL);
		snprintf(expected, sizeof expected,
			 "group \"acl-in\", rule 2 \"web\": %s",
			 problems[i].line);
		for (int again = 0; again < 2; again++) {
			ck_assert_int_eq(vsw_group_seal(group, problem,
							sizeof problem),
					 -EINVAL);
			ck_assert_str_eq(problem, expected);
		}
	}
	teardown();
}
END_TEST

START_TEST(order_of_rules)
{
	struct flow_key key = { .eth_type = 0x0800 };

	setup();
	vsw_group_add_rule(group, 5, "late");
	vsw_group_add_rule(group, 3, "first");
	vsw_group_add_rule(group, 3, "second");
	ck_assert_int_eq(vsw_group_seal(group, NULL, 0), 0);
	ck_assert_str_eq(rule_name(group_find(group, &key)), "first");
	ck_assert_ptr_null(vsw_group_add_rule(group, 0, "sealed"));
	ck_assert_int_eq(vsw_group_seal(group, NULL, 0), 0);
	teardown();
}
END_TEST

/* A rule on a field wants packets that have the field. */
static bool
matches(void (*add)(struct vsw_rule *), const struct flow_key *key)
{
	struct vsw_group *one;
	bool result;

	ck_assert_int_eq(vsw_group_new(vsw, "one", &one), 0);
	add(vsw_group_add_rule(one, 1, NULL));
	ck_assert_int_eq(vsw_group_seal(one, NULL, 0), 0);
	result = group_find(one, key) != NULL;
	vsw_group_unref(one);
	return result;
}

static void any_v4(struct vsw_rule *r)
{ vsw_rule_match(r, VSW_FIELD_IPV4_DST, "\1\2\3\4", "\0\0\0\0"); }
static void any_v6(struct vsw_rule *r)
{ vsw_rule_match(r, VSW_FIELD_IPV6_DST, "0123456789abcdef",
		 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"); }
static void port_0(struct vsw_rule *r)
{ vsw_rule_match(r, VSW_FIELD_L4_DST, "\0\0", NULL); }
static void proto_0(struct vsw_rule *r)
{ vsw_rule_match(r, VSW_FIELD_IP_PROTO, "\0", NULL); }
static void in_nets(struct vsw_rule *r)
{ vsw_rule_match_set(r, VSW_FIELD_IPV4_SRC, addresses); }
static void in_nets6(struct vsw_rule *r)
{ vsw_rule_match_set(r, VSW_FIELD_IPV6_SRC, addresses); }
static void tunnel4(struct vsw_rule *r)
{ vsw_rule_match(r, VSW_FIELD_TUNNEL_SRC4, "\0\0\0\0", NULL); }
static void loose(struct vsw_rule *r)
{ vsw_rule_match(r, VSW_FIELD_ETH_TYPE, "\x08\xff", "\xff\0"); }
static void both(struct vsw_rule *r)
{ loose(r); port_0(r); }

START_TEST(fields_that_are_not_there)
{
	struct flow_key plain = { .eth_type = 0x88cc };
	struct flow_key v4 = { .eth_type = 0x0800, .has = FLOW_HAS_IPV4,
			       .ip_src = { 10, 1, 9, 9 } };
	struct flow_key v6 = { .eth_type = 0x86dd, .has = FLOW_HAS_IPV6,
			       .ip6_src = { 0x20, 1, 0xd, 0xb8, 7 } };
	struct flow_key arp = { .eth_type = 0x0806, .has = FLOW_HAS_ARP,
				.ip_src = { 10, 1, 0, 1 } };

	setup();
	ck_assert(!matches(any_v4, &plain) && matches(any_v4, &v4)
		  && matches(any_v4, &arp) && !matches(any_v4, &v6));
	ck_assert(!matches(any_v6, &plain) && !matches(any_v6, &v4)
		  && matches(any_v6, &v6));
	ck_assert(!matches(proto_0, &plain) && matches(proto_0, &v4));
	ck_assert(!matches(port_0, &v4));
	v4.has |= FLOW_HAS_L4;
	ck_assert(matches(port_0, &v4) && matches(both, &v4));
	/* Both names of a set's field mean both families. */
	ck_assert(matches(in_nets, &v4) && matches(in_nets6, &v4)
		  && matches(in_nets, &v6) && matches(in_nets6, &v6)
		  && matches(in_nets, &arp) && !matches(in_nets, &plain));
	v4.ip_src[1] = 2;
	ck_assert(!matches(in_nets, &v4));
	ck_assert(!matches(tunnel4, &v4));
	v4.tunnel = VSW_ENCAP_VXLAN;
	ck_assert(matches(tunnel4, &v4));
	v4.has |= FLOW_TUNNEL_IPV6;
	ck_assert(!matches(tunnel4, &v4));
	/* What the mask leaves out of the value does not count. */
	ck_assert(matches(loose, &arp) && !matches(loose, &v6));
	teardown();
}
END_TEST

static int
make(void)
{
	struct vsw_group *g;
	int error = vsw_group_new(vsw, "g", &g);

	if (error)
		return error;
	for (uint32_t i = 0; i < 12; i++) {
		struct vsw_rule *rule = vsw_group_add_rule(g, i, "rule");

		in_nets(rule);
		vsw_rule_match_range(rule, VSW_FIELD_L4_SRC, 1, 2);
		vsw_rule_match_set(rule, VSW_FIELD_L4_DST, ports);
		vsw_rule_route(rule, mapping, NULL, mac, 1);
		vsw_rule_output(rule, port);
	}
	error = vsw_group_seal(g, NULL, 0);
	if (!error)
		ck_assert_ptr_null(group_find(g, &(struct flow_key) {
			.vni = 1 }));
	vsw_group_unref(g);
	return error;
}

START_TEST(memory_runs_out)
{
	setup();
	RIG_RUN_OUT(&memory, make());
	teardown();
}
END_TEST

RIG_MAIN("group", first_problem_is_told, order_of_rules,
	 fields_that_are_not_there, memory_runs_out)
