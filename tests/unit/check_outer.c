/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/policy/outer.c, next_hop.c and what makes outer headers
 * anew: against headers written out by hand from RFC 7348 and RFC 7637. */

#include "libvswitch/policy/outer.h"

#include <errno.h>
#include "libvswitch/base/switch.h"
#include "libvswitch/policy/domain.h"
#include "libvswitch/policy/mapping.h"
#include "libvswitch/policy/next_hop.h"
#include "tests/unit/policy_rig.h"

static struct rig_memory memory;
static struct vsw *vsw;
static struct vsw_port *wire;
static struct vsw_domain *domain;
static struct vsw_mapping *mapping;
static const uint8_t hop[6] = { 2, 0xaa, 0, 0, 0, 1 };
static const struct vsw_addr any;

static struct vsw_underlay
underlay(void)
{
	return (struct vsw_underlay) {
		.size = sizeof(struct vsw_underlay),
		.local_v4 = { 4, { 192, 168, 1, 10 } },
		.local_v6 = rig_addr(16, 10), .mac = { 2, 0xbb, 0, 0, 0, 2 }
	};
}

static void
setup(void)
{
	struct vsw_underlay u = underlay();

	vsw = rig_switch(&memory);
	wire = rig_port(vsw, "wire", 0);
	ck_assert_int_eq(vsw_domain_new(vsw, "d", &domain), 0);
	ck_assert_int_eq(vsw_mapping_new(domain, "m", 5001, &mapping), 0);
	ck_assert_int_eq(vsw_domain_set_uplink(domain, wire), 0);
	ck_assert_int_eq(vsw_port_set_underlay(wire, &u), 0);
}

static void
teardown(void)
{
	vsw_mapping_unref(mapping);
	vsw_domain_unref(domain);
	vsw_port_remove(wire);
	vsw_free(vsw);
	ck_assert_uint_eq(memory.n_live, 0);
}

START_TEST(vxlan_over_ipv4)
{
	static const uint8_t expected[] = {
		2, 0xaa, 0, 0, 0, 1, 2, 0xbb, 0, 0, 0, 2, 0x08, 0x00,
		0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 17, 0, 0,
		192, 168, 1, 10, 192, 168, 2, 20,
		0, 0, 0x12, 0xb5, 0, 0, 0, 0,
		0x08, 0, 0, 0, 0x00, 0x13, 0x89, 0
	};
	struct vsw_addr pa = { 4, { 192, 168, 2, 20 } };
	struct outer outer = { .drop = 0 };

	setup();
	outer_build(wire, &pa, VSW_ENCAP_VXLAN, 5001, hop, &outer);
	ck_assert_int_eq(outer.drop, VSW_N_DROPS);
	ck_assert_uint_eq(outer.size, sizeof expected);
	ck_assert_mem_eq(outer.bytes, expected, sizeof expected);
	ck_assert_uint_eq(outer.l3, 14);
	ck_assert_uint_eq(outer.l4, 34);
	ck_assert_uint_eq(outer.max_size, 1500 - 36);
	ck_assert_uint_eq(outer.ipv4_sum, 0x4500 + 0x4000 + 0x4011 + 0xc0a8
			  + 0x010a + 0xc0a8 + 0x0214);
	ck_assert_ptr_eq(outer.uplink, wire);
	ck_assert_mem_eq(outer.tunnel.dst.bytes, pa.bytes, 4);
	teardown();
}
END_TEST

START_TEST(nvgre_over_ipv6_with_vlan)
{
	struct vsw_underlay u = underlay();
	struct vsw_addr pa = rig_addr(16, 20);
	struct outer outer = { .drop = 0 };
	uint8_t expected[18 + 40 + 8] = {
		2, 0xaa, 0, 0, 0, 1, 2, 0xbb, 0, 0, 0, 2,
		0x81, 0, 0, 100, 0x86, 0xdd,
		0x60, 0, 0, 0, 0, 0, 47, 33
	};

	setup();
	u.vlan = 100;
	u.ttl = 33;
	u.mtu = 9000;
	ck_assert_int_eq(vsw_port_set_underlay(wire, &u), 0);
	memcpy(expected + 26, u.local_v6.bytes, 16);
	memcpy(expected + 42, pa.bytes, 16);
	memcpy(expected + 58, "\x20\0\x65\x58\0\x13\x89\0", 8);
	outer_build(wire, &pa, VSW_ENCAP_NVGRE, 5001, hop, &outer);
	ck_assert_uint_eq(outer.size, sizeof expected);
	ck_assert_mem_eq(outer.bytes, expected, sizeof expected);
	ck_assert_uint_eq(outer.l3, 18);
	ck_assert_uint_eq(outer.l4, 58);
	ck_assert_uint_eq(outer.max_size, 9000 - 48);
	teardown();
}
END_TEST

START_TEST(what_is_missing)
{
	struct vsw_addr pa4 = rig_addr(4, 1), pa6 = rig_addr(16, 1);
	struct vsw_underlay u = underlay();
	struct outer outer = { .drop = 0 };
	struct vsw_port *tunnels, *only4;

	setup();
	outer_build(NULL, &pa4, VSW_ENCAP_VXLAN, 1, hop, &outer);
	ck_assert_int_eq(outer.drop, VSW_DROP_NO_UPLINK);
	outer_build(wire, &pa4, VSW_ENCAP_VXLAN, 1, NULL, &outer);
	ck_assert_int_eq(outer.drop, VSW_DROP_NO_NEXT_HOP);
	u.local_v6.n = 0;
	memset(u.local_v6.bytes, 0, 16);
	ck_assert_int_eq(vsw_port_set_underlay(wire, &u), 0);
	outer_build(wire, &pa6, VSW_ENCAP_VXLAN, 1, hop, &outer);
	ck_assert_int_eq(outer.drop, VSW_DROP_NO_UPLINK);
	ck_assert_int_eq(vsw_port_set_underlay(wire, NULL), 0);
	outer_build(wire, &pa4, VSW_ENCAP_VXLAN, 1, hop, &outer);
	ck_assert_int_eq(outer.drop, VSW_DROP_NO_UPLINK);
	tunnels = rig_port(vsw, "socket", VSW_PORT_TUNNEL);
	only4 = rig_port(vsw, "four", VSW_PORT_TUNNEL | VSW_PORT_ONLY_IPV4);
	outer_build(only4, &pa6, VSW_ENCAP_VXLAN, 1, NULL, &outer);
	ck_assert_int_eq(outer.drop, VSW_DROP_NO_UPLINK);
	outer_build(only4, &pa4, VSW_ENCAP_VXLAN, 1, NULL, &outer);
	ck_assert_int_eq(outer.drop, VSW_N_DROPS);
	vsw_port_remove(only4);
	outer_build(tunnels, &pa6, VSW_ENCAP_NVGRE, 1, NULL, &outer);
	ck_assert_int_eq(outer.drop, VSW_N_DROPS);
	ck_assert_uint_eq(outer.size, 0);
	ck_assert_uint_eq(outer.tunnel.src.n, 0);
	ck_assert_int_eq(vsw_port_set_underlay(tunnels, &u), -EINVAL);
	vsw_port_remove(tunnels);
	u.vlan = 4095;
	ck_assert_int_eq(vsw_port_set_underlay(wire, &u), -EINVAL);
	teardown();
}
END_TEST

static const struct outer *
outer_of(uint8_t mac_byte)
{
	uint8_t mac[6] = { 2, 0, 0, 0, 0, mac_byte };
	uint32_t n;

	return endpoint_outer(mapping_find_mac(mapping, mac, NULL,
					       &n)->endpoint, 0);
}

/* By which of 'n' uplinks each of many flows goes to a MAC. */
enum { N_FLOWS = 1024 };

static void
see_flows(uint8_t mac_byte, const struct vsw_port *ret_by[N_FLOWS])
{
	uint8_t mac[6] = { 2, 0, 0, 0, 0, mac_byte };
	uint32_t n;
	const struct endpoint *endpoint =
		mapping_find_mac(mapping, mac, NULL, &n)->endpoint;

	for (uint32_t i = 0; i < N_FLOWS; i++)
		ret_by[i] = endpoint_outer(endpoint, i * (UINT32_MAX
							  / N_FLOWS))->uplink;
}

static size_t
count_flows(const struct vsw_port *const by[N_FLOWS],
	    const struct vsw_port *port)
{
	size_t n = 0;

	for (size_t i = 0; i < N_FLOWS; i++)
		n += by[i] == port;
	return n;
}

/* A team of three; one of them knows no next hop, one has no IPv6. */
START_TEST(several_uplinks)
{
	struct vsw_location v4 = rig_remote(1, 5001, VSW_ENCAP_VXLAN);
	struct vsw_location v6 = v4;
	const struct vsw_port *by[N_FLOWS], *then[N_FLOWS];
	uint8_t m4[6] = { 2, 0, 0, 0, 0, 1 }, m6[6] = { 2, 0, 0, 0, 0, 2 };
	struct vsw_underlay u = underlay();
	struct vsw_port *team[3];

	setup();
	v6.pa = rig_addr(16, 1);
	team[0] = wire;
	team[1] = rig_port(vsw, "two", 0);
	team[2] = rig_port(vsw, "three", 0);
	u.local_v4.bytes[3] = 11;
	memset(&u.local_v6, 0, sizeof u.local_v6);
	ck_assert_int_eq(vsw_port_set_underlay(team[1], &u), 0);
	u.local_v4.bytes[3] = 12;
	ck_assert_int_eq(vsw_port_set_underlay(team[2], &u), 0);
	ck_assert_int_eq(vsw_port_set_next_hop(wire, &any, hop), 0);
	ck_assert_int_eq(vsw_port_set_next_hop(team[1], &any, hop), 0);
	ck_assert_int_eq(vsw_mapping_set_mac(mapping, m4, &v4, 1), 0);
	ck_assert_int_eq(vsw_mapping_set_mac(mapping, m6, &v6, 1), 0);
	ck_assert_int_eq(vsw_domain_set_uplinks(domain, team, 3), 0);

	see_flows(1, by);
	ck_assert_uint_gt(count_flows(by, team[0]), N_FLOWS / 3);
	ck_assert_uint_gt(count_flows(by, team[1]), N_FLOWS / 3);
	ck_assert_uint_eq(count_flows(by, team[2]), 0);
	see_flows(2, then);
	ck_assert_uint_eq(count_flows(then, wire), N_FLOWS);

	/* Whoever comes takes its share from each, and nothing else moves. */
	ck_assert_int_eq(vsw_port_set_next_hop(team[2], &any, hop), 0);
	see_flows(1, then);
	for (size_t i = 0; i < N_FLOWS; i++)
		ck_assert(then[i] == by[i] || then[i] == team[2]);
	for (size_t i = 0; i < 3; i++)
		ck_assert_uint_gt(count_flows(then, team[i]), N_FLOWS / 4);
	/* Whoever goes leaves its own alone to others. */
	ck_assert_int_eq(vsw_domain_set_uplinks(domain, team + 1, 2), 0);
	see_flows(1, by);
	for (size_t i = 0; i < N_FLOWS; i++)
		ck_assert(then[i] == wire || by[i] == then[i]);
	ck_assert_uint_eq(count_flows(by, wire), 0);
	see_flows(2, then);
	ck_assert_ptr_null(then[0]);

	vsw_port_remove(team[1]);
	vsw_port_remove(team[2]);
	teardown();
}
END_TEST

START_TEST(bad_uplinks)
{
	struct vsw_port *many[VSW_MAX_UPLINKS + 1];

	setup();
	for (size_t i = 0; i <= VSW_MAX_UPLINKS; i++)
		many[i] = wire;
	ck_assert_int_eq(vsw_domain_set_uplinks(domain, many,
						VSW_MAX_UPLINKS + 1), -E2BIG);
	ck_assert_int_eq(vsw_domain_set_uplinks(domain, many, 2), -EINVAL);
	many[0] = NULL;
	ck_assert_int_eq(vsw_domain_set_uplinks(domain, many, 1), -EINVAL);
	ck_assert_uint_eq(domain->n_uplinks, 1);
	ck_assert_ptr_eq(domain->uplinks[0], wire);
	teardown();
}
END_TEST

static uint32_t
generation(void)
{
	return atomic_load(&vsw->generations.of[domain->generation]);
}

/* Next hops, uplinks and underlays make headers anew, and tell flows. */
START_TEST(made_anew)
{
	struct vsw_location one = rig_remote(1, 5001, VSW_ENCAP_VXLAN);
	struct vsw_location two = rig_remote(2, 5001, VSW_ENCAP_VXLAN);
	struct vsw_addr pa = rig_addr(4, 1);
	struct vsw_underlay u = underlay();
	const uint8_t router[6] = { 2, 9, 9, 9, 9, 9 };
	uint8_t m1[6] = { 2, 0, 0, 0, 0, 1 }, m2[6] = { 2, 0, 0, 0, 0, 2 };
	uint32_t before;

	setup();
	ck_assert_int_eq(vsw_mapping_set_mac(mapping, m1, &one, 1), 0);
	ck_assert_int_eq(vsw_mapping_set_mac(mapping, m2, &two, 1), 0);
	ck_assert_int_eq(outer_of(1)->drop, VSW_DROP_NO_NEXT_HOP);
	before = generation();
	ck_assert_int_eq(vsw_port_set_next_hop(wire, &pa, hop), 0);
	ck_assert_uint_gt(generation(), before);
	ck_assert_mem_eq(outer_of(1)->bytes, hop, 6);
	ck_assert_int_eq(outer_of(2)->drop, VSW_DROP_NO_NEXT_HOP);
	ck_assert_int_eq(vsw_port_set_next_hop(wire, &any, router), 0);
	ck_assert_mem_eq(outer_of(1)->bytes, hop, 6);
	ck_assert_mem_eq(outer_of(2)->bytes, router, 6);
	ck_assert_int_eq(vsw_port_set_next_hop(wire, &pa, NULL), 0);
	ck_assert_mem_eq(outer_of(1)->bytes, router, 6);
	u.vlan = 7;
	before = generation();
	ck_assert_int_eq(vsw_port_set_underlay(wire, &u), 0);
	ck_assert_uint_gt(generation(), before);
	ck_assert_uint_eq(outer_of(2)->bytes[15], 7);
	ck_assert_int_eq(vsw_domain_set_uplink(domain, NULL), 0);
	ck_assert_int_eq(outer_of(1)->drop, VSW_DROP_NO_UPLINK);
	teardown();
}
END_TEST

static int
change_all(void)
{
	struct vsw_underlay u = underlay();
	const uint8_t mac[6] = { 2, 5 };
	int error = vsw_port_set_underlay(wire, &u);

	if (!error)
		error = vsw_port_set_next_hop(wire, &any, mac);
	if (!error)
		error = vsw_domain_set_uplink(domain, NULL);
	return error;
}

/* A spare next hop may stay for the next time: it is the port's. */
START_TEST(memory_runs_out)
{
	struct vsw_location one = rig_remote(1, 5001, VSW_ENCAP_VXLAN);
	uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };

	setup();
	ck_assert_int_eq(vsw_port_set_next_hop(wire, &any, hop), 0);
	ck_assert_int_eq(vsw_mapping_set_mac(mapping, mac, &one, 1), 0);
	RIG_RUN_OUT(&memory, change_all());
	ck_assert_int_eq(outer_of(1)->drop, VSW_DROP_NO_UPLINK);
	teardown();
}
END_TEST

RIG_MAIN("outer", vxlan_over_ipv4, nvgre_over_ipv6_with_vlan, what_is_missing,
	 made_anew, several_uplinks, bad_uplinks,
	 memory_runs_out)
