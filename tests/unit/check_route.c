/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/datapath/route.c: several next hops, and what becomes of
 * what a mapping does not know. */

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "libvswitch/datapath/packet.h"
#include "libvswitch/datapath/worker.h"
#include "tests/unit/policy_rig.h"
#include "tests/walk/frame.h"

enum { VM, HOST, HOP, N_HOPS = 4, N_PORTS = HOP + N_HOPS, N_FLOWS = 2000,
       NOWHERE = -1, TTL_REASON = 7, MISSING = 9 };

static const uint8_t router[6] = { 2, 0, 0, 0, 0, 0xfe };

static struct rig_memory memory;
static struct vsw *vsw;
static struct vsw_worker *worker;
static struct vsw_port *ports[N_PORTS];
static unsigned numbers[N_PORTS], n_sent[N_PORTS];
static struct vsw_domain *domain;
static struct vsw_mapping *mappings[2];	/* Hops 0 and 1 in the first. */
static struct frame frame;
static uint32_t punt_reason, punt_vni;
static uint64_t now;

static void
hear(void *ctx, struct vsw_worker *w, struct vsw_packet *const packets[],
     size_t n)
{
	unsigned number = *(unsigned *) ctx;

	(void) w;
	for (size_t i = 0; i < n; i++) {
		n_sent[number]++;
		if (number == HOST)
			punt_reason = vsw_packet_punt(packets[i], &punt_vni);
		vsw_packet_free(packets[i]);
	}
}

static struct vsw_addr
hop_addr(unsigned i)
{
	return rig_addr(4, 0x0a000001u + i);
}

static void
know(unsigned i)
{
	struct vsw_location place = rig_local(ports[HOP + i],
					      (uint8_t) (HOP + i));
	struct vsw_addr addr = hop_addr(i);

	ck_assert_int_eq(vsw_mapping_set_addr(mappings[i / 2], &addr, &place,
					      1), 0);
	ck_assert_int_eq(vsw_mapping_set_mac(mappings[i / 2], place.mac,
					     &place, 1), 0);
}

static void
forget(unsigned i)
{
	struct vsw_addr addr = hop_addr(i);

	vsw_mapping_remove_addr(mappings[i / 2], &addr);
}

/* Routes by those hops that are bits in 'which', then on in the subnet. */
static void
route_by(unsigned which)
{
	struct vsw_next_hop hops[N_HOPS];
	struct vsw_group *route, *go;
	struct vsw_program *program;
	struct vsw_layer *layer;
	size_t n = 0;

	for (unsigned i = 0; i < N_HOPS; i++)
		if (which >> i & 1)
			hops[n++] = (struct vsw_next_hop) {
				.size = sizeof *hops, .addr = hop_addr(i),
				.mapping = mappings[i / 2]
			};
	ck_assert_int_eq(vsw_group_new(vsw, "route", &route), 0);
	vsw_rule_route_any(vsw_group_add_rule(route, 1, NULL), hops, n,
			   router, TTL_REASON);
	ck_assert_int_eq(vsw_group_seal(route, NULL, 0), 0);
	ck_assert_int_eq(vsw_group_new(vsw, "go", &go), 0);
	for (uint8_t i = 0; i < 2; i++) {
		struct vsw_rule *rule = vsw_group_add_rule(go, 1, NULL);
		const uint8_t vni[4] = { 0, 0, 0, (uint8_t) (i + 1) };

		vsw_rule_match(rule, VSW_FIELD_VNI, vni, NULL);
		vsw_rule_encap(rule, mappings[i]);
	}
	ck_assert_int_eq(vsw_group_seal(go, NULL, 0), 0);
	ck_assert_int_eq(vsw_program_new(vsw, &program), 0);
	layer = vsw_program_add_layer(program, "route");
	vsw_layer_add_group(layer, VSW_OUT, route);
	layer = vsw_program_add_layer(program, "go");
	vsw_layer_add_group(layer, VSW_OUT, go);
	ck_assert_int_eq(vsw_program_seal(program, NULL, 0), 0);
	for (unsigned i = 0; i < N_PORTS; i++)
		ck_assert_int_eq(vsw_port_set_program(ports[i], program), 0);
	vsw_program_unref(program);
	vsw_group_unref(route);
	vsw_group_unref(go);
}

static void
setup(void)
{
	struct vsw_options options;

	memory = (struct rig_memory) { 0 };
	memset(n_sent, 0, sizeof n_sent);
	vsw_options_init(&options);
	options.allocator = rig_allocator(&memory);
	options.hash_seed = 7;
	options.max_flows = 4 * N_FLOWS;
	options.max_new_flows_per_s = VSW_UNLIMITED;
	options.max_punts_per_s = VSW_UNLIMITED;
	ck_assert_int_eq(vsw_new(&options, &vsw), 0);
	ck_assert_int_eq(vsw_worker_new(vsw, &worker), 0);
	for (unsigned i = 0; i < N_PORTS; i++) {
		struct vsw_port_ops ops = {
			.size = sizeof ops, .transmit = hear,
			.abilities = i == HOST ? VSW_PORT_PUNT : 0
		};
		char name[8];

		numbers[i] = i;
		snprintf(name, sizeof name, "p%u", i);
		ck_assert_int_eq(vsw_port_add(vsw, name, &ops, &numbers[i],
					      &ports[i]), 0);
	}
	ck_assert_int_eq(vsw_domain_new(vsw, "d", &domain), 0);
	for (unsigned i = 0; i < 2; i++)
		ck_assert_int_eq(vsw_mapping_new(domain, "m", i + 1,
						 &mappings[i]), 0);
	for (unsigned i = 0; i < N_HOPS; i++)
		know(i);
	route_by(0xf);
}

static void
teardown(void)
{
	for (unsigned i = 0; i < N_PORTS; i++)
		vsw_port_remove(ports[i]);
	for (unsigned i = 0; i < 2; i++)
		vsw_mapping_unref(mappings[i]);
	vsw_domain_unref(domain);
	ck_assert_uint_eq(packet_pool_n_used(worker->pool), 0);
	vsw_worker_free(worker);
	vsw_free(vsw);
	ck_assert_uint_eq(memory.n_live, 0);
}

/* Where the packet came out; NOWHERE: not at all. */
static int
send_it(bool is_resumed, const char *text)
{
	unsigned before[N_PORTS];
	struct vsw_packet *p;

	frame_must_make(&frame, "%s", text);
	p = vsw_packet_new(worker, frame.size);
	memcpy(p->data, frame.bytes, frame.size);
	memcpy(before, n_sent, sizeof before);
	now += 1000;
	if (is_resumed)
		vsw_worker_resume(worker, ports[VM], &p, 1, now);
	else
		vsw_worker_receive(worker, ports[VM], &p, 1, now);
	for (int i = 0; i < N_PORTS; i++)
		if (n_sent[i] != before[i])
			return i;
	return NOWHERE;
}

static int
send_flow(unsigned i)
{
	char text[100];

	snprintf(text, sizeof text,
		 "eth 1>9 ip 10.0.0.9>192.0.2.1 udp %u>%u", 1 + i, 7 + i % 3);
	return send_it(false, text);
}

static void
send_flows(int8_t ret_where[N_FLOWS], unsigned counts[N_PORTS])
{
	memset(counts, 0, N_PORTS * sizeof *counts);
	for (unsigned i = 0; i < N_FLOWS; i++) {
		int where = send_flow(i);

		ck_assert_int_ge(where, 0);
		ret_where[i] = (int8_t) where;
		counts[where]++;
	}
}

static uint64_t
drops(enum vsw_drop drop)
{
	struct vsw_port_counters counters = { .size = sizeof counters };

	vsw_port_get_counters(ports[VM], &counters);
	return counters.drops[drop];
}

START_TEST(hops_share_the_flows)
{
	static int8_t first[N_FLOWS], again[N_FLOWS];
	unsigned counts[N_PORTS];

	send_flows(first, counts);
	/* Of a binomial of 2000 and 1/4, six deviations are 116. */
	for (unsigned i = HOP; i < N_PORTS; i++) {
		ck_assert_uint_gt(counts[i], N_FLOWS / N_HOPS - 116);
		ck_assert_uint_lt(counts[i], N_FLOWS / N_HOPS + 116);
	}
	send_flows(again, counts);
	ck_assert_mem_eq(first, again, sizeof first);
	/* Decided anew by a group that says the same. */
	route_by(0xf);
	send_flows(again, counts);
	ck_assert_mem_eq(first, again, sizeof first);
}
END_TEST

/* A hop that is withdrawn, in its mapping or in the rule, takes its flows along
 * and no others; and gets the same ones back. */
START_TEST(others_stay)
{
	static int8_t first[N_FLOWS], then[N_FLOWS];
	unsigned counts[N_PORTS];

	for (unsigned in_rule = 0; in_rule < 2; in_rule++)
		for (unsigned gone = 0; gone < N_HOPS; gone++) {
			unsigned n_moved = 0;

			send_flows(first, counts);
			if (in_rule)
				route_by(0xf & ~(1u << gone));
			else
				forget(gone);
			send_flows(then, counts);
			ck_assert_uint_eq(counts[HOP + gone], 0);
			for (unsigned i = 0; i < N_FLOWS; i++) {
				n_moved += first[i] != then[i];
				ck_assert(first[i] == then[i]
					  || first[i] == HOP + (int) gone);
			}
			ck_assert_uint_gt(n_moved, N_FLOWS / N_HOPS - 116);
			for (unsigned i = HOP; i < N_PORTS; i++)
				ck_assert(i == HOP + gone
					  || counts[i] > N_FLOWS / 3 - 127);
			if (in_rule)
				route_by(0xf);
			else
				know(gone);
			send_flows(then, counts);
			ck_assert_mem_eq(first, then, sizeof first);
		}
}
END_TEST

/* All of a datagram's, also if they come before the first. */
START_TEST(fragments_go_together)
{
	for (unsigned i = 0; i < 200; i++) {
		char first[160], later[160];
		unsigned before[N_PORTS];
		int where;

		snprintf(first, sizeof first, "eth 1>9 ip 10.0.0.9>192.0.2.1"
			 " id %u mf udp %u>7 len 100 payload 24", i, 1 + i);
		snprintf(later, sizeof later, "eth 1>9 ip 10.0.0.9>192.0.2.1"
			 " id %u offset 4 proto 17 payload 24", i);
		memcpy(before, n_sent, sizeof before);
		if (i & 1) {
			ck_assert_int_eq(send_it(false, later), NOWHERE);
			where = send_it(false, first);
		} else {
			where = send_it(false, first);
			ck_assert_int_eq(send_it(false, later), where);
		}
		ck_assert_int_ge(where, HOP);
		ck_assert_uint_eq(n_sent[where], before[where] + 2);
		snprintf(first, sizeof first, "eth 1>9 ip 10.0.0.9>192.0.2.1"
			 " udp %u>7 payload 3", 1 + i);
		ck_assert_int_eq(send_it(false, first), where);
	}
}
END_TEST

START_TEST(none_known_is_no_mapping)
{
	for (unsigned i = 0; i < N_HOPS; i++)
		forget(i);
	ck_assert_int_eq(send_flow(1), NOWHERE);
	ck_assert_uint_eq(drops(VSW_DROP_NO_MAPPING), 1);
	know(2);
	ck_assert_int_eq(send_flow(1), HOP + 2);
	ck_assert_int_eq(send_it(false, "eth 1>9 type 0x88b5"), NOWHERE);
	ck_assert_uint_eq(drops(VSW_DROP_NO_MAPPING), 2);
}
END_TEST

/* Asked for, and then where the unknown goes; both undone. */
START_TEST(unknown_is_punted_and_located)
{
	struct vsw_location place = rig_local(ports[HOP + 3], 77);
	struct vsw_unknown unknown = {
		.size = sizeof unknown, .punt_reason = MISSING
	};
	const char *routed = "eth 1>9 ip 10.0.0.9>192.0.2.1 udp 1>7";

	route_by(1u << 2);
	forget(2);
	ck_assert_int_eq(vsw_mapping_set_unknown(mappings[1], &unknown), 0);
	ck_assert_int_eq(send_it(false, routed), HOST);
	ck_assert_uint_eq(punt_reason, MISSING);
	ck_assert_uint_eq(punt_vni, 2);
	ck_assert_int_eq(send_it(true, routed), NOWHERE);
	ck_assert_uint_eq(drops(VSW_DROP_NO_MAPPING), 1);
	unknown.location = &place;
	ck_assert_int_eq(vsw_mapping_set_unknown(mappings[1], &unknown), 0);
	ck_assert_int_eq(send_it(false, routed), HOST);
	ck_assert_int_eq(send_it(true, routed), HOP + 3);
	unknown.punt_reason = 0;
	ck_assert_int_eq(vsw_mapping_set_unknown(mappings[1], &unknown), 0);
	ck_assert_int_eq(send_it(false, routed), HOP + 3);
	know(2);
	ck_assert_int_eq(send_it(false, routed), HOP + 2);
	forget(2);
	/* Without a MAC it is for those alone that have one. */
	memset(place.mac, 0, 6);
	ck_assert_int_eq(vsw_mapping_set_unknown(mappings[1], &unknown), 0);
	ck_assert_int_eq(send_it(false, routed), NOWHERE);
	ck_assert_int_eq(vsw_mapping_set_unknown(mappings[1], NULL), 0);
	ck_assert_int_eq(send_it(false, routed), NOWHERE);
	ck_assert_uint_eq(drops(VSW_DROP_NO_MAPPING), 3);
}
END_TEST

START_TEST(refuses_nonsense)
{
	struct vsw_location nowhere = { .size = sizeof nowhere };
	struct vsw_unknown unknown = {
		.size = sizeof unknown, .location = &nowhere
	};
	struct vsw_next_hop hops[VSW_MAX_NEXT_HOPS + 1];
	static const struct { size_t n; int error; uint8_t addr_n; } cases[] = {
		{ 0, -EINVAL, 4 }, { 1, 0, 4 }, { VSW_MAX_NEXT_HOPS, 0, 16 },
		{ VSW_MAX_NEXT_HOPS + 1, -E2BIG, 4 }, { 3, -EINVAL, 5 }
	};

	ck_assert_int_eq(vsw_mapping_set_unknown(mappings[0], &unknown),
			 -EINVAL);
	unknown.size = 1;
	ck_assert_int_eq(vsw_mapping_set_unknown(mappings[0], &unknown),
			 -EINVAL);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct vsw_group *group;

		for (size_t j = 0; j < sizeof hops / sizeof *hops; j++)
			hops[j] = (struct vsw_next_hop) {
				.size = sizeof *hops, .mapping = mappings[0],
				.addr.n = cases[i].addr_n
			};
		ck_assert_int_eq(vsw_group_new(vsw, "g", &group), 0);
		vsw_rule_route_any(vsw_group_add_rule(group, 1, NULL), hops,
				   cases[i].n, router, 0);
		ck_assert_int_eq(vsw_group_seal(group, NULL, 0),
				 cases[i].error);
		vsw_group_unref(group);
	}
}
END_TEST

static int
try_unknown(void)
{
	struct vsw_location place = rig_remote(0xc0a80214, 1,
					       VSW_ENCAP_VXLAN);
	struct vsw_unknown unknown = {
		.size = sizeof unknown, .location = &place
	};

	return vsw_mapping_set_unknown(mappings[0], &unknown);
}

static int
try_route(void)
{
	struct vsw_next_hop hops[2] = {
		{ .size = sizeof *hops, .mapping = mappings[0],
		  .addr = hop_addr(0) },
		{ .size = sizeof *hops, .mapping = mappings[1],
		  .addr = hop_addr(2) }
	};
	struct vsw_group *group;
	int error = vsw_group_new(vsw, "g", &group);

	if (error)
		return error;
	vsw_rule_route_any(vsw_group_add_rule(group, 1, NULL), hops, 2,
			   router, 0);
	error = vsw_group_seal(group, NULL, 0);
	vsw_group_unref(group);
	return error;
}

START_TEST(memory_may_end)
{
	/* The tables have their first slots. */
	ck_assert_int_eq(try_unknown(), 0);
	ck_assert_int_eq(vsw_mapping_set_unknown(mappings[0], NULL), 0);
	RIG_RUN_OUT(&memory, try_unknown());
	RIG_RUN_OUT(&memory, try_route());
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("route");
	TCase *tcase = tcase_create("route");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, hops_share_the_flows);
	tcase_add_test(tcase, others_stay);
	tcase_add_test(tcase, fragments_go_together);
	tcase_add_test(tcase, none_known_is_no_mapping);
	tcase_add_test(tcase, unknown_is_punted_and_located);
	tcase_add_test(tcase, refuses_nonsense);
	tcase_add_test(tcase, memory_may_end);
	suite_add_tcase(s, tcase);
	return s;
}

int
main(void)
{
	SRunner *runner = srunner_create(suite());
	int n_failed;

	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed != 0;
}
