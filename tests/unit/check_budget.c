/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/base/budget.c, and what ports are granted with it: one
 * port's scan costs that port's own new flows, and nobody else anything. */

#include "libvswitch/base/budget.h"

#include <errno.h>
#include "libvswitch/datapath/flow.h"
#include "libvswitch/datapath/worker.h"
#include "libvswitch/policy/port.h"
#include "tests/unit/policy_rig.h"

enum { BATCH = 32, SECOND = 1000000000 };

static struct rig_memory memory;
static struct vsw *vsw;
static struct vsw_worker *worker;
static struct vsw_port *scanner, *victim, *sink;

/* Over any time no more than the rate and the burst, and no less. */
START_TEST(keeps_to_its_rate)
{
	static const uint32_t rates[] = { 1, 7, 320, 1000, 2000, 1000000 };

	for (size_t i = 0; i < 2 * sizeof rates / sizeof rates[0]; i++) {
		uint32_t rate = rates[i / 2];
		uint64_t now = i % 2 ? 1000000007 : 0;
		uint32_t burst = rate / 10 > 32 ? rate / 10 : 32;
		uint64_t n = 0, end = now + UINT64_C(20) * SECOND;
		uint64_t step = SECOND / rate / 3 + 1;
		struct budget budget = { .left = 0 };

		while (budget_take(&budget, rate, burst, now))
			n++;
		ck_assert_uint_eq(n, burst);
		if (step < 100000)
			step = 100000;
		for (n = 0; now < end; now += step)
			while (budget_take(&budget, rate, burst, now))
				n++;
		ck_assert_uint_le(n, (uint64_t) rate * 20 + 1);
		ck_assert_uint_ge(n + 1 + rate / 1000, (uint64_t) rate * 20);

		/* It rests, and gets the burst, and not more. */
		now += UINT64_C(1000000) * SECOND;
		ck_assert_uint_eq(budget_left(&budget, rate, burst, now),
				  burst);
		for (n = 0; budget_take(&budget, rate, burst, now);)
			n++;
		ck_assert_uint_eq(n, burst);
		ck_assert_uint_eq(budget_left(&budget, rate, burst, now), 0);
	}
}
END_TEST

START_TEST(grants_nothing_at_a_rate_of_zero)
{
	struct budget budget = { .left = 0 };

	ck_assert_uint_eq(budget_left(&budget, 0, 5, 5), 0);
	ck_assert(!budget_take(&budget, 0, 5, 5));
	ck_assert(!budget_take(&budget, 0, 5, UINT64_MAX));
}
END_TEST

/* All that comes from a port goes to "sink". */
static void
set_program(struct vsw_port *port)
{
	enum vsw_direction direction = port == sink ? VSW_IN : VSW_OUT;
	struct vsw_program *program;
	struct vsw_group *group;
	struct vsw_rule *rule;

	ck_assert_int_eq(vsw_group_new(vsw, "g", &group), 0);
	rule = vsw_group_add_rule(group, 1, NULL);
	if (port != sink)
		vsw_rule_output(rule, sink);
	ck_assert_int_eq(vsw_group_seal(group, NULL, 0), 0);
	ck_assert_int_eq(vsw_program_new(vsw, &program), 0);
	vsw_layer_add_group(vsw_program_add_layer(program, "l"), direction,
			    group);
	ck_assert_int_eq(vsw_program_seal(program, NULL, 0), 0);
	ck_assert_int_eq(vsw_port_set_program(port, program), 0);
	vsw_program_unref(program);
	vsw_group_unref(group);
}

static void
setup(uint32_t max_flows, uint32_t rate, uint32_t burst)
{
	struct vsw_options options;

	memory = (struct rig_memory) { 0 };
	vsw_options_init(&options);
	options.allocator = rig_allocator(&memory);
	options.max_ports = 8;
	options.max_workers = 1;
	options.max_flows = max_flows;
	options.max_new_flows_per_s = rate;
	options.new_flow_burst = burst;
	ck_assert_int_eq(vsw_new(&options, &vsw), 0);
	ck_assert_int_eq(vsw_worker_new(vsw, &worker), 0);
	scanner = rig_port(vsw, "scanner", 0);
	victim = rig_port(vsw, "victim", 0);
	sink = rig_port(vsw, "sink", 0);
	set_program(scanner);
	set_program(victim);
	set_program(sink);
}

static void
teardown(void)
{
	vsw_worker_free(worker);
	vsw_port_remove(scanner);
	vsw_port_remove(victim);
	vsw_port_remove(sink);
	vsw_free(vsw);
	ck_assert_uint_eq(memory.n_live, 0);
}

/* A batch of flows 'first' and on; each 'copies' times. */
static void
give(struct vsw_port *port, uint32_t first, unsigned n, unsigned copies,
     uint64_t now)
{
	struct vsw_packet *packets[BATCH];

	for (unsigned i = 0; i < n; i++) {
		uint32_t flow = first + i / copies;
		uint8_t *p;

		packets[i] = vsw_packet_new(worker, 64);
		p = vsw_packet_data(packets[i]);
		memset(p, 0, 64);
		p[5] = 2;
		memcpy(p + 7, &flow, 4);
		p[12] = 0x88;
		p[13] = 0xb5;
	}
	vsw_worker_receive(worker, port, packets, n, now);
}

static struct vsw_port_counters
counters(const struct vsw_port *port)
{
	struct vsw_port_counters c = { .size = sizeof c };

	vsw_port_get_counters(port, &c);
	return c;
}

static struct vsw_class_counters
held(const struct vsw_port *port)
{
	struct vsw_port_classes classes = { .size = sizeof classes };

	vsw_port_get_classes(port, &classes);
	return classes.of[VSW_CLASS_FLOWS];
}

/* One scans at line rate, the other starts 100 flows a millisecond and keeps a
 * hundred going: batch by batch, for a simulated second. */
START_TEST(scans_are_their_ports_own_loss)
{
	struct vsw_port_counters c;
	uint64_t n_decided;

	setup(65536, 10000, 300);
	for (uint32_t i = 0; i < 100000; i++) {
		uint64_t now = SECOND + i * UINT64_C(10000);

		give(scanner, 1000000 + i * BATCH, BATCH, 1, now);
		give(victim, i % 100, 1, 1, now);
		if (i % 10 == 0)
			give(victim, 1000 + i / 10 % 8000, 1, 1, now);
	}
	c = counters(scanner);
	n_decided = c.packets_received - c.drops[VSW_DROP_FLOW_LIMIT];
	ck_assert_uint_eq(c.flows_missed, c.packets_received);
	ck_assert_uint_ge(n_decided, 10000 + 300 - 1);
	ck_assert_uint_le(n_decided, 10000 + 300 + 1);
	c = counters(victim);
	ck_assert_uint_eq(c.drops[VSW_DROP_FLOW_LIMIT], 0);
	/* Nothing of it was made to give way either. */
	ck_assert_uint_eq(c.flows_missed, 100 + 8000);
	ck_assert_uint_eq(counters(sink).packets_sent,
			  n_decided + c.packets_received);
	teardown();
}
END_TEST

/* All of a port's established flows are decided anew at once, its scan going
 * on: none of them is dropped; what has sent one packet has no such share. */
START_TEST(established_flows_have_a_share)
{
	struct vsw_port_counters before, after;
	uint64_t now = SECOND;

	setup(4096, 1000, 600);
	give(scanner, 5000, BATCH, 1, now);
	for (uint32_t i = 0; i < 500; i += BATCH / 2)
		give(scanner, i, BATCH, 2, now);
	for (uint32_t edit = 0; edit < 5; edit++) {
		/* The new flows' budget is used up. */
		for (uint32_t i = 0; i < 100; i++)
			give(scanner, 10000 + i * BATCH, BATCH, 1, now);
		before = counters(scanner);
		ck_assert_uint_gt(before.drops[VSW_DROP_FLOW_LIMIT], 0);
		set_program(scanner);
		for (uint32_t i = 0; i < 496; i += BATCH)
			give(scanner, i, i + BATCH > 496 ? 496 - i : BATCH, 1,
			     now);
		after = counters(scanner);
		ck_assert_uint_eq(after.flows_stale - before.flows_stale, 496);
		ck_assert_uint_eq(after.drops[VSW_DROP_FLOW_LIMIT],
				  before.drops[VSW_DROP_FLOW_LIMIT]);
		/* Those of the scan are the scan's. */
		give(scanner, 5000, BATCH, 1, now);
		after = counters(scanner);
		ck_assert_uint_eq(after.drops[VSW_DROP_FLOW_LIMIT]
				  - before.drops[VSW_DROP_FLOW_LIMIT], BATCH);
		now += SECOND / 10;
	}
	teardown();
}
END_TEST

START_TEST(ports_have_limits_of_their_own)
{
	struct vsw_port_limits limits = {
		.size = sizeof limits, .max_new_flows_per_s = VSW_UNLIMITED,
		.max_flows = 100
	};

	setup(4096, 1000, 64);
	ck_assert_int_eq(vsw_port_set_limits(scanner, &limits), 0);
	for (uint32_t i = 0; i < 100; i++)
		give(scanner, i * BATCH, BATCH, 1, SECOND);
	ck_assert_uint_eq(counters(scanner).drops[VSW_DROP_FLOW_LIMIT], 0);
	ck_assert_uint_eq(flow_count_port(worker->flows, scanner->number),
			  100);
	ck_assert_uint_eq(held(scanner).n, 100);
	ck_assert_uint_eq(held(scanner).max, 100);
	ck_assert_uint_eq(held(scanner).limit, 100);
	ck_assert_uint_eq(held(scanner).created, 100 * BATCH);
	ck_assert_uint_eq(held(victim).created, 0);
	ck_assert_uint_eq(held(victim).limit, 4096);
	/* Fewer than a batch has: those of this batch stay. */
	limits.max_flows = 4;
	ck_assert_int_eq(vsw_port_set_limits(scanner, &limits), 0);
	give(scanner, 100000, BATCH, 1, SECOND);
	ck_assert_uint_le(flow_count_port(worker->flows, scanner->number),
			  100);
	ck_assert_uint_eq(counters(scanner).drops[VSW_DROP_FLOW_LIMIT], 0);

	limits.max_new_flows_per_s = 10;
	limits.new_flow_burst = 1;
	limits.max_flows = 0;
	ck_assert_int_eq(vsw_port_set_limits(victim, &limits), 0);
	give(victim, 0, BATCH, 1, SECOND);
	ck_assert_uint_eq(counters(victim).drops[VSW_DROP_FLOW_LIMIT],
			  BATCH - 1);
	ck_assert_int_eq(vsw_port_set_limits(victim, NULL), 0);
	give(victim, 100, BATCH, 1, 2 * (uint64_t) SECOND);
	ck_assert_uint_eq(counters(victim).drops[VSW_DROP_FLOW_LIMIT],
			  BATCH - 1);
	/* What has been is remembered of a port, and not of its successor. */
	while (vsw_worker_idle(worker, 1000 * (uint64_t) SECOND) != UINT64_MAX)
		continue;
	ck_assert_uint_eq(held(scanner).n, 0);
	ck_assert_uint_eq(held(scanner).max, 100);
	vsw_port_remove(scanner);
	scanner = rig_port(vsw, "another", 0);
	ck_assert_uint_eq(held(scanner).max, 0);
	ck_assert_uint_eq(held(scanner).created, 0);
	limits.size = offsetof(struct vsw_port_limits, max_connections) - 1;
	ck_assert_int_eq(vsw_port_set_limits(victim, &limits), -EINVAL);
	teardown();
}
END_TEST

/* Many tenants' flows come in by a tunnel's port. */
START_TEST(tunnels_may_start_more)
{
	struct vsw_underlay underlay = {
		.size = sizeof underlay, .local_v4 = rig_addr(4, 9)
	};
	struct vsw_port *wire;

	setup(4096, 100, 0);
	wire = rig_port(vsw, "wire", 0);
	ck_assert_int_eq(vsw_port_set_underlay(wire, &underlay), 0);
	for (uint32_t i = 0; i < 400; i++) {
		uint64_t now = SECOND + i / 200 * (uint64_t) SECOND / 10;

		give(scanner, i * BATCH, BATCH, 1, now);
		give(wire, i * BATCH, BATCH, 1, now);
	}
	ck_assert_uint_eq(counters(scanner).drops[VSW_DROP_FLOW_LIMIT],
			  400 * BATCH - 256 - 10);
	ck_assert_uint_eq(counters(wire).drops[VSW_DROP_FLOW_LIMIT],
			  400 * BATCH - 256 - 80);
	vsw_port_remove(wire);
	teardown();
}
END_TEST

RIG_MAIN("budget", keeps_to_its_rate, grants_nothing_at_a_rate_of_zero,
	 scans_are_their_ports_own_loss, established_flows_have_a_share,
	 ports_have_limits_of_their_own, tunnels_may_start_more)
