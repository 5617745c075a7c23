/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/datapath/{event,learn}.c and libvswitch/switch/events.c:
 * who is told of what, and what becomes of it when there is too much. */

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "libvswitch/base/switch.h"
#include "libvswitch/datapath/event.h"
#include "libvswitch/datapath/worker.h"
#include "libvswitch/policy/port.h"
#include "tests/unit/policy_rig.h"
#include "tests/walk/frame.h"

enum { MAX_HEARD = 4096, TAG = 77, PORTS = 12 };

static struct rig_memory memory;
static struct vsw *vsw;
static struct vsw_worker *worker;
static struct vsw_port *ports[PORTS];
static struct vsw_mapping *sources;
static struct frame frame;
static _Atomic unsigned n_woken;
static struct vsw_event heard[MAX_HEARD];
static unsigned n_heard;

static void
wake(void *ctx)
{
	ck_assert_ptr_eq(ctx, &n_woken);
	atomic_fetch_add(&n_woken, 1);
}

/* All ports flood to all, and learn. */
static void
setup_with(uint32_t max_events_per_s)
{
	struct vsw_location places[PORTS];
	struct vsw_options options;
	struct vsw_mapping *mapping;
	struct vsw_domain *domain;
	struct vsw_program *program;
	struct vsw_group *group;
	struct vsw_rule *rule;
	char name[16], problem[160];

	memory = (struct rig_memory) { 0 };
	n_woken = n_heard = 0;
	vsw_options_init(&options);
	options.allocator = rig_allocator(&memory);
	options.hash_seed = 7;
	options.max_workers = 4;
	options.max_flows = 4096;
	options.max_new_flows_per_s = VSW_UNLIMITED;
	options.max_events_per_s = max_events_per_s;
	options.wake = wake;
	options.wake_ctx = &n_woken;
	ck_assert_int_eq(vsw_new(&options, &vsw), 0);
	ck_assert_int_eq(vsw_worker_new(vsw, &worker), 0);
	ck_assert_int_eq(vsw_domain_new(vsw, "d", &domain), 0);
	ck_assert_int_eq(vsw_mapping_new(domain, "m", 0, &mapping), 0);
	ck_assert_int_eq(vsw_mapping_new(domain, "sources", 0, &sources), 0);
	ck_assert_int_eq(vsw_group_new(vsw, "g", &group), 0);
	rule = vsw_group_add_rule(group, 1, NULL);
	vsw_rule_learn(rule, sources, TAG);
	vsw_rule_encap(rule, mapping);
	ck_assert_int_eq(vsw_group_seal(group, problem, sizeof problem), 0);
	ck_assert_int_eq(vsw_program_new(vsw, &program), 0);
	vsw_layer_add_group(vsw_program_add_layer(program, "l"), VSW_OUT,
			    group);
	ck_assert_int_eq(vsw_program_seal(program, problem, sizeof problem),
			 0);
	for (unsigned i = 0; i < PORTS; i++) {
		snprintf(name, sizeof name, "p%u", i);
		ports[i] = rig_port(vsw, name, 0);
		places[i] = rig_local(ports[i], 0);
		ck_assert_int_eq(vsw_port_set_program(ports[i], program), 0);
	}
	ck_assert_int_eq(vsw_mapping_set_flood(mapping, places, 2, true), 0);
	vsw_program_unref(program);
	vsw_group_unref(group);
	vsw_mapping_unref(mapping);
	vsw_domain_unref(domain);
}

static void
setup(void)
{
	setup_with(VSW_UNLIMITED);
}

static void
teardown(void)
{
	for (unsigned i = 0; i < PORTS; i++)
		vsw_port_remove(ports[i]);
	vsw_worker_free(worker);
	vsw_mapping_unref(sources);
	vsw_free(vsw);
	ck_assert_uint_eq(memory.n_live, 0);
}

static void
receive_at(unsigned port, uint64_t now, const char *text)
{
	struct vsw_packet *p;

	frame_must_make(&frame, "%s", text);
	p = vsw_packet_new(worker, frame.size);
	memcpy(vsw_packet_data(p), frame.bytes, frame.size);
	vsw_worker_receive(worker, ports[port], &p, 1, now);
}

/* From the 'i'-th MAC. */
static void
receive_from(unsigned port, unsigned i, uint64_t now)
{
	struct vsw_packet *p;

	frame_must_make(&frame, "eth 1>2 ip 1.1.1.1>2.2.2.2 udp 1>2");
	frame.bytes[9] = 9;
	frame.bytes[10] = (uint8_t) (i >> 8);
	frame.bytes[11] = (uint8_t) i;
	p = vsw_packet_new(worker, frame.size);
	memcpy(vsw_packet_data(p), frame.bytes, frame.size);
	vsw_worker_receive(worker, ports[port], &p, 1, now);
}

static void
hear(void *ctx, const struct vsw_event *event)
{
	ck_assert_ptr_eq(ctx, heard);
	ck_assert_uint_lt(n_heard, MAX_HEARD);
	heard[n_heard++] = *event;
}

static size_t
events(size_t max)
{
	n_heard = 0;
	ck_assert_uint_eq(vsw_events(vsw, max, hear, heard), n_heard);
	return n_heard;
}

static void
expect_counters(uint64_t told, uint64_t lost)
{
	struct vsw_event_counters counters = { .size = sizeof counters };

	vsw_event_get_counters(vsw, &counters);
	ck_assert_uint_eq(counters.told[VSW_EVENT_LEARNED], told);
	ck_assert_uint_eq(counters.lost[VSW_EVENT_LEARNED], lost);
	ck_assert_uint_eq(counters.told[VSW_EVENT_LOGGED], 0);
	ck_assert_uint_eq(counters.lost[VSW_EVENT_LOGGED], 0);
}

START_TEST(tells_of_a_source_once_a_flow)
{
	static const struct vsw_addr src = { 4, { 10, 0, 0, 1 } };
	static const struct vsw_addr dst = { 4, { 10, 0, 0, 2 } };

	ck_assert_uint_eq(events(10), 0);
	receive_at(0, 5, "eth 1>2 vlan 7 ip 10.0.0.1>10.0.0.2 tcp 80>4000");
	receive_at(0, 6, "eth 1>2 vlan 7 ip 10.0.0.1>10.0.0.2 tcp 80>4000");
	ck_assert_uint_eq(events(10), 1);
	ck_assert_uint_eq(heard->size, sizeof *heard);
	ck_assert_uint_eq(heard->kind, VSW_EVENT_LEARNED);
	ck_assert_uint_eq(heard->direction, VSW_OUT);
	ck_assert_ptr_eq(heard->port, ports[0]);
	ck_assert_uint_eq(heard->tag, TAG);
	ck_assert_uint_eq(heard->time_ns, 5);
	ck_assert_mem_eq(heard->eth_src, frame.bytes + 6, 6);
	ck_assert_mem_eq(heard->eth_dst, frame.bytes, 6);
	ck_assert_uint_eq(heard->eth_type, 0x0800);
	ck_assert_uint_eq(heard->vlan, 0x1007);
	ck_assert_uint_eq(heard->vni, 0);
	ck_assert_mem_eq(&heard->src, &src, sizeof src);
	ck_assert_mem_eq(&heard->dst, &dst, sizeof dst);
	ck_assert_uint_eq(heard->ip_proto, 6);
	ck_assert_uint_eq(heard->fragment, VSW_FRAGMENT_NONE);
	ck_assert_uint_eq(heard->l4_src, 80);
	ck_assert_uint_eq(heard->l4_dst, 4000);
	ck_assert_uint_eq(events(10), 0);
	receive_at(1, 7, "eth 3>2 ip 2001:db8::1>2001:db8::2 udp 1>2");
	ck_assert_uint_eq(events(10), 1);
	ck_assert_uint_eq(heard->src.n, 16);
	ck_assert_uint_eq(heard->src.bytes[15], 1);
	ck_assert_uint_eq(heard->dst.bytes[15], 2);
	receive_at(1, 8, "eth 3>2 type 0x88b5 payload 50");
	ck_assert_uint_eq(events(10), 1);
	ck_assert_uint_eq(heard->src.n, 0);
	expect_counters(3, 0);
}
END_TEST

/* What is known to be there is no news; elsewhere it is, and so is what was
 * forgotten, of a flow that is in the cache. */
START_TEST(tells_again_when_its_entry_is_edited)
{
	struct vsw_location here = rig_local(ports[0], 0);
	struct vsw_location there = rig_local(ports[1], 0);
	uint8_t mac[6];

	receive_at(0, 1, "eth 1>2 ip 1.1.1.1>2.2.2.2 udp 1>2");
	memcpy(mac, frame.bytes + 6, 6);
	ck_assert_uint_eq(events(10), 1);
	ck_assert_int_eq(vsw_mapping_set_mac(sources, mac, &here, 1), 0);
	receive_at(0, 2, "eth 1>2 ip 1.1.1.1>2.2.2.2 udp 1>2");
	receive_at(0, 2, "eth 1>2 ip 1.1.1.1>2.2.2.2 udp 5>2");
	ck_assert_uint_eq(events(10), 0);
	receive_at(1, 2, "eth 1>2 ip 1.1.1.1>2.2.2.2 udp 1>2");
	ck_assert_uint_eq(events(10), 1);
	ck_assert_ptr_eq(heard->port, ports[1]);
	ck_assert_int_eq(vsw_mapping_set_mac(sources, mac, &there, 1), 0);
	receive_at(1, 3, "eth 1>2 ip 1.1.1.1>2.2.2.2 udp 1>2");
	ck_assert_uint_eq(events(10), 0);
	receive_at(0, 3, "eth 1>2 ip 1.1.1.1>2.2.2.2 udp 1>2");
	ck_assert_uint_eq(events(10), 1);
	vsw_mapping_remove_mac(sources, mac);
	receive_at(1, 4, "eth 1>2 ip 1.1.1.1>2.2.2.2 udp 1>2");
	ck_assert_uint_eq(events(10), 1);
	ck_assert_ptr_eq(heard->port, ports[1]);
}
END_TEST

START_TEST(learns_nobodys_mac)
{
	receive_at(0, 1, "eth 0>2 ip 1.1.1.1>2.2.2.2 udp 1>2");
	memset(frame.bytes + 6, 0, 6);
	for (unsigned i = 0; i < 2; i++) {
		struct vsw_packet *p = vsw_packet_new(worker, frame.size);

		events(10);
		memcpy(vsw_packet_data(p), frame.bytes, frame.size);
		vsw_worker_receive(worker, ports[0], &p, 1, 2);
		ck_assert_uint_eq(events(10), 0);
		frame.bytes[6] = 1;		/* A group. */
	}
}
END_TEST

/* Once until control has looked, and once more after that. */
START_TEST(wakes_once)
{
	for (unsigned i = 0; i < 3; i++)
		receive_from(0, i, 1);
	ck_assert_uint_eq(n_woken, 1);
	ck_assert_uint_eq(events(2), 2);
	receive_from(0, 4, 1);
	ck_assert_uint_eq(n_woken, 2);
	ck_assert_uint_eq(events(100), 2);
	ck_assert_uint_eq(events(100), 0);
	ck_assert_uint_eq(n_woken, 2);
	receive_from(0, 5, 1);
	ck_assert_uint_eq(n_woken, 3);
}
END_TEST

START_TEST(one_port_leaves_room_for_others)
{
	for (unsigned i = 0; i < 1000; i++)
		receive_from(0, i, 1);
	expect_counters(EVENT_PORT_SLOTS, 1000 - EVENT_PORT_SLOTS);
	for (unsigned i = 0; i < 100; i++)
		receive_from(1, 1000 + i, 1);
	expect_counters(EVENT_PORT_SLOTS + 100, 1000 - EVENT_PORT_SLOTS);
	/* Room is given back when its last one is taken, not before. */
	ck_assert_uint_eq(events(EVENT_PORT_SLOTS - 1), EVENT_PORT_SLOTS - 1);
	ck_assert_ptr_eq(heard[0].port, ports[0]);
	receive_from(0, 2000, 1);
	expect_counters(EVENT_PORT_SLOTS + 100, 1001 - EVENT_PORT_SLOTS);
	ck_assert_uint_eq(events(1), 1);
	receive_from(0, 2001, 1);
	expect_counters(EVENT_PORT_SLOTS + 101, 1001 - EVENT_PORT_SLOTS);
	ck_assert_uint_eq(events(1000), 101);
	ck_assert_ptr_eq(heard[0].port, ports[1]);
	ck_assert_ptr_eq(heard[100].port, ports[0]);
	/* What was lost is told by the next packet of the same flow, and what
	 * was told is not. */
	receive_from(0, 500, 1);
	receive_from(0, 500, 1);
	receive_from(0, 50, 1);
	ck_assert_uint_eq(events(1000), 1);
}
END_TEST

/* Many times around, so that slots are used again. */
START_TEST(is_full_when_all_ports_are)
{
	uint64_t told = 0;

	for (unsigned round = 0; round < 3; round++) {
		for (unsigned p = 0; p < PORTS; p++)
			for (unsigned i = 0; i < EVENT_PORT_SLOTS; i++)
				receive_from(p, (round * PORTS + p) * 128 + i,
					     1);
		told += EVENT_SLOTS;
		expect_counters(told, (round + 1) * (PORTS - 8)
				      * EVENT_PORT_SLOTS);
		ck_assert_uint_eq(events(MAX_HEARD), EVENT_SLOTS);
		for (unsigned i = 0; i < EVENT_SLOTS; i++)
			ck_assert_ptr_eq(heard[i].port,
					 ports[i / EVENT_PORT_SLOTS]);
	}
}
END_TEST

START_TEST(a_port_tells_so_many_a_second)
{
	teardown();
	setup_with(80);
	for (unsigned i = 0; i < 50; i++)
		receive_from(0, i, 1);
	expect_counters(10, 40);
	receive_from(1, 100, 1);
	expect_counters(11, 40);
	for (unsigned i = 0; i < 50; i++)
		receive_from(0, 200 + i, 100000001);
	expect_counters(19, 82);
	ck_assert_uint_eq(events(100), 19);
}
END_TEST

START_TEST(forgets_ports_that_are_gone)
{
	struct vsw_port *again;

	receive_from(0, 1, 1);
	receive_from(1, 2, 1);
	vsw_port_remove(ports[0]);
	again = rig_port(vsw, "p0", 0);
	ports[0] = again;
	ck_assert_uint_eq(events(10), 1);
	ck_assert_ptr_eq(heard->port, ports[1]);
}
END_TEST

START_TEST(takes_from_each_worker)
{
	struct vsw_worker *first = worker, *second;

	ck_assert_int_eq(vsw_worker_new(vsw, &second), 0);
	for (unsigned i = 0; i < 10; i++)
		receive_from(0, i, 1);
	worker = second;
	for (unsigned i = 0; i < 10; i++)
		receive_from(1, i, 1);
	worker = first;
	ck_assert_uint_eq(events(4), 4);
	ck_assert_ptr_eq(heard[0].port, ports[0]);
	ck_assert_ptr_eq(heard[1].port, ports[1]);
	ck_assert_ptr_eq(heard[2].port, ports[0]);
	ck_assert_ptr_eq(heard[3].port, ports[1]);
	/* What a worker takes with it is lost, and not forgotten. */
	vsw_worker_free(second);
	expect_counters(20, 8);
	ck_assert_uint_eq(events(100), 8);
}
END_TEST

START_TEST(copes_without_memory)
{
	receive_from(0, 1, 1);
	events(10);
	ck_assert_uint_eq(n_heard, 1);
	teardown();
	setup();
	/* All that there is goes to the slots. */
	memory.fail_at = memory.n_calls + 2;
	memory.fails_once = true;
	for (unsigned i = 0; i < 4; i++)
		receive_from(0, i, 1);
	memory.fail_at = 0;
	ck_assert_uint_eq(memory.n_failed, 1);
	events(10);
	expect_counters(n_heard, 4 - n_heard);
	ck_assert_uint_ge(n_heard, 3);
}
END_TEST

static void
find_news(void *is_news, const struct vsw_step *step)
{
	if (strstr(step->text, "is news to \"sources\""))
		*(bool *) is_news = true;
}

START_TEST(explain_says_it_and_tells_nobody)
{
	bool is_news = false;

	frame_must_make(&frame, "eth 1>2 ip 1.1.1.1>2.2.2.2 udp 1>2");
	ck_assert_int_eq(vsw_explain(ports[0], frame.bytes, frame.size, NULL,
				     find_news, &is_news), 0);
	ck_assert(is_news);
	ck_assert_uint_eq(events(10), 0);
	expect_counters(0, 0);
	ck_assert_uint_eq(n_woken, 0);
}
END_TEST

START_TEST(refuses_what_makes_no_sense)
{
	struct vsw_group *group;
	struct vsw_program *program;
	struct vsw_rule *rule;
	char problem[160];

	ck_assert_int_eq(vsw_group_new(vsw, "g", &group), 0);
	vsw_rule_learn(vsw_group_add_rule(group, 1, NULL), NULL, 1);
	ck_assert_int_lt(vsw_group_seal(group, problem, sizeof problem), 0);
	vsw_group_unref(group);

	ck_assert_int_eq(vsw_group_new(vsw, "g", &group), 0);
	rule = vsw_group_add_rule(group, 1, NULL);
	vsw_rule_learn(rule, sources, 1);
	vsw_rule_drop(rule);
	ck_assert_int_lt(vsw_group_seal(group, problem, sizeof problem), 0);
	vsw_group_unref(group);

	/* Of what goes to a port nobody knows where it comes from. */
	ck_assert_int_eq(vsw_group_new(vsw, "g", &group), 0);
	vsw_rule_learn(vsw_group_add_rule(group, 1, NULL), sources, 1);
	ck_assert_int_eq(vsw_group_seal(group, problem, sizeof problem), 0);
	ck_assert_int_eq(vsw_program_new(vsw, &program), 0);
	vsw_layer_add_group(vsw_program_add_layer(program, "l"), VSW_IN,
			    group);
	ck_assert_int_lt(vsw_program_seal(program, problem, sizeof problem),
			 0);
	vsw_program_unref(program);
	vsw_group_unref(group);
}
END_TEST

struct race {
	uint64_t n_sent;
	_Atomic bool is_done;
};

static void *
send_all(void *race_)
{
	struct race *race = race_;

	for (unsigned i = 0; i < race->n_sent; i++)
		receive_from(i % PORTS, i, 1);
	atomic_store(&race->is_done, true);
	return NULL;
}

/* Each event is taken once or counted as lost, while another thread writes,
 * and none is left without a wake. */
START_TEST(a_thread_writes_while_another_reads)
{
	struct race race = { .n_sent = 20000 };
	struct vsw_event_counters counters = { .size = sizeof counters };
	unsigned seen = 0;
	uint64_t n = 0;
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, send_all, &race), 0);
	for (;;) {
		bool is_done = atomic_load(&race.is_done);
		unsigned woken = atomic_load(&n_woken);

		if (woken != seen) {
			seen = woken;
			while (events(64) == 64)
				n += n_heard;
			n += n_heard;
		} else if (is_done) {
			break;
		}
	}
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	vsw_event_get_counters(vsw, &counters);
	ck_assert_uint_eq(counters.told[VSW_EVENT_LEARNED], n);
	ck_assert_uint_eq(n + counters.lost[VSW_EVENT_LEARNED], race.n_sent);
	ck_assert_uint_gt(n, 100);
	ck_assert_uint_eq(events(10), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("event");
	TCase *tc = tcase_create("event");
	SRunner *runner;
	int n_failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, tells_of_a_source_once_a_flow);
	tcase_add_test(tc, tells_again_when_its_entry_is_edited);
	tcase_add_test(tc, learns_nobodys_mac);
	tcase_add_test(tc, wakes_once);
	tcase_add_test(tc, one_port_leaves_room_for_others);
	tcase_add_test(tc, is_full_when_all_ports_are);
	tcase_add_test(tc, a_port_tells_so_many_a_second);
	tcase_add_test(tc, forgets_ports_that_are_gone);
	tcase_add_test(tc, takes_from_each_worker);
	tcase_add_test(tc, copes_without_memory);
	tcase_add_test(tc, explain_says_it_and_tells_nobody);
	tcase_add_test(tc, refuses_what_makes_no_sense);
	tcase_add_test(tc, a_thread_writes_while_another_reads);
	suite_add_tcase(s, tc);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
