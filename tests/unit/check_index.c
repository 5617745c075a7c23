/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/policy/index.c and dimension.c: random rules and keys, and
 * as a twin the rules asked one after the other for each of their matches, as
 * rule_next_match() gives them, without help from policy/field.h; and
 * rule_matches() is held to the same. */

#include "libvswitch/policy/index.h"

#include <errno.h>
#include "libvswitch/policy/group.h"
#include "libvswitch/policy/set.h"
#include "tests/unit/policy_rig.h"

static struct rig_memory memory;
static const unsigned sizes[VSW_N_FIELDS] = {
	6, 6, 2, 2, 1, 4, 4, 16, 16, 2, 2, 1, 4, 4, 4, 16, 16
};

/* Few values in each field, so that rules and keys meet. */
static void
random_bytes(uint64_t *state, uint8_t *p, unsigned n)
{
	memset(p, 0, n);
	p[n - 1] = (uint8_t) (rig_random(state) % 6);
	if (rig_random(state) % 4 == 0)
		p[0] = (uint8_t) (rig_random(state) % 4 << 6);
}

static struct flow_key
random_key(uint64_t *state)
{
	struct flow_key key = { .eth_type = 0x0806 };
	uint8_t number[4];
	unsigned size = 4;

	random_bytes(state, key.eth_src, 6);
	random_bytes(state, key.eth_dst, 6);
	switch (rig_random(state) % 4) {
	case 0:
		key.eth_type = (uint16_t) (rig_random(state) % 6);
		break;
	case 1:
		key.has = FLOW_HAS_ARP;
		break;
	case 2:
		key.has = FLOW_HAS_IPV4;
		break;
	default:
		key.has = FLOW_HAS_IPV6;
		size = 16;
	}
	if (key.has) {
		random_bytes(state, size == 16 ? key.ip6_src : key.ip_src,
			     size);
		random_bytes(state, size == 16 ? key.ip6_dst : key.ip_dst,
			     size);
		key.ip_proto = (uint8_t) (rig_random(state) % 6);
	}
	if (rig_random(state) % 2) {
		key.has |= FLOW_HAS_L4;
		key.l4_src = (uint16_t) (rig_random(state) % 6);
		key.l4_dst = (uint16_t) (rig_random(state) % 6);
	}
	key.vlan = (uint16_t) (rig_random(state) % 3);
	key.fragment = (uint8_t) (rig_random(state) % 3);
	if (rig_random(state) % 2) {
		bool v6 = rig_random(state) % 2;

		key.tunnel = VSW_ENCAP_VXLAN;
		if (v6)
			key.has |= FLOW_TUNNEL_IPV6;
		random_bytes(state, v6 ? key.tunnel6_src : key.tunnel_src,
			     v6 ? 16 : 4);
		random_bytes(state, v6 ? key.tunnel6_dst : key.tunnel_dst,
			     v6 ? 16 : 4);
		random_bytes(state, number, 4);
		key.vni = number[3];
	}
	return key;
}

static struct vsw_set *
random_set(struct vsw *vsw, uint64_t *state, enum vsw_set_kind kind)
{
	struct vsw_set *set;

	ck_assert_int_eq(vsw_set_new(vsw, "s", kind, &set), 0);
	for (unsigned i = rig_random(state) % 4; i > 0; i--) {
		struct vsw_addr addr = { .n = rig_random(state) % 2 ? 4 : 16 };
		uint16_t first = (uint16_t) (rig_random(state) % 6);

		random_bytes(state, addr.bytes, addr.n);
		if (kind == VSW_SET_PORTS)
			vsw_set_add_ports(set, first,
					  (uint16_t) (first + 1));
		else
			vsw_set_add_prefix(set, &addr, addr.n * 8u
					   - rig_random(state) % 4);
	}
	return set;
}

static void
random_match(struct vsw *vsw, struct vsw_rule *rule, uint64_t *state)
{
	enum vsw_field field = rig_random(state) % VSW_N_FIELDS;
	uint8_t value[16], mask[16];
	uint16_t first = (uint16_t) (rig_random(state) % 6);
	unsigned choice = rig_random(state) % 6, size = sizes[field];
	struct vsw_set *set;

	random_bytes(state, value, size);
	if (field == VSW_FIELD_VNI)
		value[0] = 0;
	if (choice == 0 && size <= 2) {
		vsw_rule_match_range(rule, field, first,
				     (uint16_t) (first + 2));
	} else if (choice == 1) {
		bool is_ports = rig_random(state) % 2;

		set = random_set(vsw, state, is_ports ? VSW_SET_PORTS
						      : VSW_SET_ADDRESSES);
		vsw_rule_match_set(rule, is_ports
				   ? VSW_FIELD_L4_SRC + rig_random(state) % 2
				   : VSW_FIELD_IPV4_SRC
				     + rig_random(state) % 4, set);
		vsw_set_unref(set);
	} else if (choice == 2) {
		/* A prefix. */
		unsigned bits = rig_random(state) % (size * 8 + 1);

		memset(mask, 0, sizeof mask);
		for (unsigned i = 0; i < bits; i++)
			mask[i / 8] |= (uint8_t) (0x80 >> i % 8);
		vsw_rule_match(rule, field, value, mask);
	} else if (choice == 3) {
		/* With holes: many masks. */
		memset(mask, 0, sizeof mask);
		mask[0] = (uint8_t) (rig_random(state) % 2 << 7);
		mask[size - 1] |= (uint8_t) (1 << rig_random(state) % 8);
		vsw_rule_match(rule, field, value, mask);
	} else {
		vsw_rule_match(rule, field, value, NULL);
	}
}

static struct vsw_group *
random_group(struct vsw *vsw, uint64_t *state, unsigned n,
	     unsigned n_matches_min)
{
	char problem[200] = "";
	struct vsw_group *group;

	ck_assert_int_eq(vsw_group_new(vsw, "g", &group), 0);
	for (unsigned i = 0; i < n; i++) {
		struct vsw_rule *rule = vsw_group_add_rule(
			group, rig_random(state) % 50, NULL);

		for (unsigned j = n_matches_min + rig_random(state) % 3;
		     j > 0; j--)
			random_match(vsw, rule, state);
	}
	if (vsw_group_seal(group, problem, sizeof problem))
		ck_abort_msg("%s", problem);
	return group;
}

/* NULL: the packet has no such field.  Else as many bytes as the field has. */
static const uint8_t *
naive_bytes(const struct flow_key *key, enum vsw_field field,
	    uint8_t scratch[4])
{
	bool v4 = key->has & (FLOW_HAS_IPV4 | FLOW_HAS_ARP);
	bool v6 = key->has & FLOW_HAS_IPV6, l4 = key->has & FLOW_HAS_L4;
	bool outer6 = key->has & FLOW_TUNNEL_IPV6;
	bool outer4 = key->tunnel && !outer6;
	const struct {
		bool is_there;
		const uint8_t *bytes;	/* NULL: the number. */
		uint32_t number;
	} all[VSW_N_FIELDS] = {
		{ true, key->eth_src, 0 }, { true, key->eth_dst, 0 },
		{ true, NULL, key->eth_type }, { true, NULL, key->vlan },
		{ v4 || v6, NULL, key->ip_proto },
		{ v4, key->ip_src, 0 }, { v4, key->ip_dst, 0 },
		{ v6, key->ip6_src, 0 }, { v6, key->ip6_dst, 0 },
		{ l4, NULL, key->l4_src }, { l4, NULL, key->l4_dst },
		{ true, NULL, key->fragment }, { true, NULL, key->vni },
		{ outer4, key->tunnel_src, 0 }, { outer4, key->tunnel_dst, 0 },
		{ outer6, key->tunnel6_src, 0 },
		{ outer6, key->tunnel6_dst, 0 }
	};

	if (!all[field].is_there || all[field].bytes)
		return all[field].is_there ? all[field].bytes : NULL;
	for (unsigned i = 0; i < sizes[field]; i++)
		scratch[sizes[field] - 1 - i] =
			(uint8_t) (all[field].number >> 8 * i);
	return scratch;
}

static bool
naive_holds(const struct match *match, const struct flow_key *key)
{
	enum vsw_field field = match->field;
	enum set_list list = SET_PORTS;
	const uint8_t *bytes;
	uint8_t scratch[4];
	struct point value;

	/* A set of addresses is of both families, whichever was named. */
	if (match->kind == MATCH_SET && match->set->kind == VSW_SET_ADDRESSES) {
		bool is_v6 = key->has & FLOW_HAS_IPV6;
		bool is_src = field == VSW_FIELD_IPV4_SRC
			      || field == VSW_FIELD_IPV6_SRC;

		list = is_v6 ? SET_V6 : SET_V4;
		field = is_src ? is_v6 ? VSW_FIELD_IPV6_SRC : VSW_FIELD_IPV4_SRC
			: is_v6 ? VSW_FIELD_IPV6_DST : VSW_FIELD_IPV4_DST;
	}
	bytes = naive_bytes(key, field, scratch);
	if (!bytes)
		return false;
	value = point_of(bytes, sizes[field]);
	if (match->kind == MATCH_SET)
		return set_has(match->set, list, value);
	if (match->kind == MATCH_RANGE)
		return point_compare(match->range.first, value) <= 0
		       && point_compare(value, match->range.last) <= 0;
	return (value.high & match->mask.high) == match->value.high
	       && (value.low & match->mask.low) == match->value.low;
}

static bool
naive_matches(const struct rule *rule, const struct flow_key *key)
{
	const uint8_t *at = NULL;
	struct match match;

	while (rule_next_match(rule, &at, &match))
		if (!naive_holds(&match, key))
			return false;
	return true;
}

/* By the contract, without the group's sorting: least priority, then least
 * number. */
static const struct rule *
naive_find(const struct vsw_group *group, const struct flow_key *key)
{
	const struct rule *best = NULL;

	for (uint32_t i = 0; i < rules_n(group->rules); i++) {
		const struct rule *rule = rules_get(group->rules, i);

		bool is_match = naive_matches(rule, key);

		/* Each assertion is a system call. */
		if (rule_matches(rule, key) != is_match)
			ck_abort_msg("rule %u, which is %s match", i,
				     is_match ? "to" : "not to");
		if (is_match
		    && (!best || rule->priority < best->priority
			|| (rule->priority == best->priority
			    && rule->number < best->number)))
			best = rule;
	}
	return best;
}

START_TEST(twin)
{
	static const unsigned ns[] = { 0, 1, 8, 9, 40, 64, 65, 300, 1500 };
	struct vsw *vsw = rig_switch(&memory);
	uint64_t state = 3;
	unsigned n_found = 0, n_none = 0;

	for (unsigned i = 0; i < sizeof ns / sizeof ns[0]; i++) {
		for (unsigned round = 0; round < 8; round++) {
			struct vsw_group *group = random_group(
				vsw, &state, ns[i], 1 + round % 4);

			for (unsigned j = 0; j < 300; j++) {
				struct flow_key key = random_key(&state);
				const struct rule *found, *expected;

				found = group_find(group, &key);
				expected = naive_find(group, &key);
				ck_assert_ptr_eq(found, expected);
				*(found ? &n_found : &n_none) += 1;
			}
			vsw_group_unref(group);
		}
	}
	ck_assert_uint_gt(n_found, 5000);
	ck_assert_uint_gt(n_none, 2000);
	vsw_free(vsw);
	ck_assert_uint_eq(memory.n_live, 0);
}
END_TEST

/* 5000 rules, each with a mask of its own: more than one block, and bounded
 * memory. */
START_TEST(many_rules)
{
	struct vsw *vsw = rig_switch(&memory);
	size_t bytes_before = memory.n_bytes;
	struct vsw_group *group;

	ck_assert_int_eq(vsw_group_new(vsw, "big", &group), 0);
	for (uint32_t i = 0; i < 5000; i++) {
		struct vsw_rule *rule = vsw_group_add_rule(group, i, NULL);
		struct vsw_addr addr = rig_addr(4, 0x0a000000 + i * 16);
		struct vsw_addr mask = rig_addr(4, 0xfffffff0);

		vsw_rule_match(rule, VSW_FIELD_IPV4_DST, addr.bytes,
			       mask.bytes);
		vsw_rule_match_range(rule, VSW_FIELD_L4_DST, (uint16_t) i,
				     (uint16_t) (i + 10));
	}
	ck_assert_int_eq(vsw_group_seal(group, NULL, 0), 0);
	ck_assert_uint_ge(index_n_blocks(group->index), 5);
	/* The rules themselves, and 144 bytes for two fields. */
	ck_assert_uint_lt(memory.n_bytes - bytes_before,
			  5000 * (48 + 4 + 144) + 8192);
	for (uint32_t i = 0; i < 5000; i++) {
		struct vsw_addr addr = rig_addr(4, 0x0a000000 + i * 16 + 3);
		struct flow_key key = { .has = FLOW_HAS_IPV4 | FLOW_HAS_L4,
					.l4_dst = (uint16_t) (i + 5) };

		memcpy(key.ip_dst, addr.bytes, 4);
		ck_assert_ptr_eq(group_find(group, &key),
				 rules_get(group->rules, i));
		key.l4_dst = (uint16_t) (i + 11);
		ck_assert_ptr_null(group_find(group, &key));
	}
	vsw_group_unref(group);
	vsw_free(vsw);
	ck_assert_uint_eq(memory.n_live, 0);
}
END_TEST

/* A large set in many rules is laid out once; large ones that differ are kept
 * apart, in bounds. */
START_TEST(large_sets)
{
	struct vsw *vsw = rig_switch(&memory);
	struct vsw_group *group;
	struct vsw_set *set;
	size_t before;

	ck_assert_int_eq(vsw_set_new(vsw, "large", VSW_SET_ADDRESSES, &set),
			 0);
	for (uint32_t i = 0; i < 20000; i++) {
		struct vsw_addr addr = rig_addr(4, i * 4);

		vsw_set_add_prefix(set, &addr, 31);
	}
	ck_assert_int_eq(vsw_group_new(vsw, "g", &group), 0);
	for (uint16_t i = 0; i < 500; i++) {
		struct vsw_rule *rule = vsw_group_add_rule(group, i, NULL);

		vsw_rule_match_set(rule, VSW_FIELD_IPV6_SRC, set);
		vsw_rule_match_range(rule, VSW_FIELD_L4_DST, i, i);
	}
	vsw_set_unref(set);
	before = memory.n_bytes;
	ck_assert_int_eq(vsw_group_seal(group, NULL, 0), 0);
	ck_assert_uint_eq(index_n_blocks(group->index), 1);
	ck_assert_uint_lt(memory.n_bytes - before, 20000 * 20 + 500 * 40);
	for (uint32_t i = 0; i < 1000; i++) {
		struct vsw_addr addr = rig_addr(4, i * 4 + i % 4);
		struct flow_key key = { .has = FLOW_HAS_IPV4 | FLOW_HAS_L4,
					.l4_dst = (uint16_t) (i % 600) };

		memcpy(key.ip_src, addr.bytes, 4);
		ck_assert_ptr_eq(group_find(group, &key),
				 naive_find(group, &key));
		ck_assert_int_eq(group_find(group, &key) != NULL,
				 i % 4 < 2 && i % 600 < 500);
	}
	vsw_group_unref(group);
	vsw_free(vsw);
	ck_assert_uint_eq(memory.n_live, 0);
}
END_TEST

/* Ranges that lie in each other, in two fields: each row has half of the rules,
 * and intervals are joined. */
START_TEST(nested_ranges)
{
	struct vsw *vsw = rig_switch(&memory);
	struct vsw_group *group;
	uint64_t state = 9;
	size_t before;

	ck_assert_int_eq(vsw_group_new(vsw, "g", &group), 0);
	before = memory.n_bytes;
	for (uint16_t i = 0; i < 1000; i++) {
		struct vsw_rule *rule = vsw_group_add_rule(
			group, rig_random(&state) % 1000, NULL);

		vsw_rule_match_range(rule, VSW_FIELD_L4_DST, i,
				     (uint16_t) (2000 - i));
		vsw_rule_match_range(rule, VSW_FIELD_L4_SRC, 0,
				     (uint16_t) (rig_random(&state) % 3000));
	}
	ck_assert_int_eq(vsw_group_seal(group, NULL, 0), 0);
	ck_assert_uint_eq(index_n_blocks(group->index), 1);
	/* And 40 bytes of each rule. */
	ck_assert_uint_lt(memory.n_bytes - before,
			  1000 * (2 * 2 * (16 + 10) + 40) + 8192);
	for (uint32_t i = 0; i < 4000; i++) {
		struct flow_key key = {
			.has = FLOW_HAS_IPV4 | FLOW_HAS_L4,
			.l4_dst = (uint16_t) (rig_random(&state) % 2100),
			.l4_src = (uint16_t) (rig_random(&state) % 3100)
		};

		ck_assert_ptr_eq(group_find(group, &key),
				 naive_find(group, &key));
	}
	vsw_group_unref(group);
	vsw_free(vsw);
	ck_assert_uint_eq(memory.n_live, 0);
}
END_TEST

static struct vsw_set *
prefixes(struct vsw *vsw, uint64_t *state)
{
	struct vsw_set *set;

	ck_assert_int_eq(vsw_set_new(vsw, "s", VSW_SET_ADDRESSES, &set), 0);
	for (unsigned p = 0; p < 100; p++) {
		struct vsw_addr addr = rig_addr(p % 2 ? 4 : 16,
						rig_random(state) << 16);

		vsw_set_add_prefix(set, &addr, addr.n * 8u - 8
				   - rig_random(state) % 8);
	}
	return set;
}

/* Random sets of 100 prefixes in each of 300 rules, IPv4 and IPv6, and MACs. */
START_TEST(many_sets)
{
	struct vsw *vsw = rig_switch(&memory);
	struct vsw_set *sets[300];
	struct vsw_group *group;
	uint64_t state = 11;
	struct vsw_group_shape shape = { .size = sizeof shape };
	unsigned n_found = 0;
	size_t before;

	for (uint32_t i = 0; i < 300; i++)
		sets[i] = prefixes(vsw, &state);
	before = memory.n_bytes;
	ck_assert_int_eq(vsw_group_new(vsw, "g", &group), 0);
	for (uint32_t i = 0; i < 300; i++) {
		struct vsw_rule *rule = vsw_group_add_rule(group, i, "same");
		uint8_t mac[6] = { 2, 0, 0, 0, 0, (uint8_t) (i % 5) };

		vsw_rule_match_set(rule, VSW_FIELD_IPV4_DST, sets[i]);
		vsw_set_unref(sets[i]);
		vsw_rule_match(rule, VSW_FIELD_ETH_SRC, mac, NULL);
	}
	vsw_group_get_shape(group, &shape);
	ck_assert_uint_eq(shape.n_rules, 0);
	ck_assert_int_eq(vsw_group_seal(group, NULL, 0), 0);
	vsw_group_get_shape(group, &shape);
	ck_assert_uint_eq(shape.n_rules, 300);
	ck_assert_uint_eq(shape.n_blocks, 1);
	/* The MAC, two addresses, and which of them there is. */
	ck_assert_uint_eq(shape.n_dimensions, 4);
	ck_assert_uint_gt(shape.n_intervals, 15000);
	/* A head, a set, a MAC, what ends them, and where it is. */
	ck_assert_uint_ge(shape.n_rule_bytes, 300 * (24 + 9 + 9 + 1 + 4));
	ck_assert_uint_le(shape.n_rule_bytes, 300 * (48 + 4) + 24);
	ck_assert_uint_eq(shape.n_bytes + shape.n_rule_bytes
			  + sizeof *group + sizeof "g",
			  memory.n_bytes - before);
	for (uint32_t i = 0; i < 20000; i++) {
		struct vsw_addr addr = rig_addr(i % 2 ? 4 : 16,
						rig_random(&state) << 16);
		struct flow_key key = {
			.has = i % 2 ? FLOW_HAS_IPV4 : FLOW_HAS_IPV6,
			.eth_src = { 2, 0, 0, 0, 0, (uint8_t) (i % 6) }
		};
		const struct rule *found;

		memcpy(i % 2 ? key.ip_dst : key.ip6_dst, addr.bytes, addr.n);
		found = group_find(group, &key);
		ck_assert_ptr_eq(found, naive_find(group, &key));
		n_found += found != NULL;
	}
	ck_assert_uint_gt(n_found, 500);
	vsw_group_unref(group);
	vsw_free(vsw);
	ck_assert_uint_eq(memory.n_live, 0);
}
END_TEST

RIG_MAIN("index", twin, many_rules, large_sets, nested_ranges, many_sets)
