/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/connection/ended.c, and all of vsw_rule_log(): new flows and
 * the ends of connections, as events. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "libvswitch/connection/ended.h"
#include "libvswitch/datapath/packet.h"
#include "libvswitch/datapath/worker.h"
#include "tests/unit/policy_rig.h"
#include "tests/walk/frame.h"

#define S UINT64_C(1000000000)

static struct rig_memory memory;
static struct vsw *vsw;
static struct vsw_worker *worker;
static struct vsw_port *ports[2];
static struct frame frame;
static struct vsw_event events[64];
static size_t n_events;

/* UDP to 7 is tracked, under 'tag'; to 8 it is dropped, under 8; the rest
 * passes and is nobody's news. */
static void
set_program(uint16_t tag)
{
	const uint8_t seven[2] = { 0, 7 }, eight[2] = { 0, 8 };
	struct vsw_group *group, *out;
	struct vsw_program *program;
	struct vsw_layer *layer;
	struct vsw_rule *rule;
	char problem[160];

	for (unsigned i = 0; i < 2; i++) {
		ck_assert_int_eq(vsw_group_new(vsw, "g", &group), 0);
		ck_assert_int_eq(vsw_group_new(vsw, "out", &out), 0);
		rule = vsw_group_add_rule(group, 1, NULL);
		vsw_rule_match(rule, VSW_FIELD_L4_DST, seven, NULL);
		vsw_rule_log(rule, 99);
		vsw_rule_track(rule);
		vsw_rule_log(rule, i ? 0 : tag);
		rule = vsw_group_add_rule(group, 1, NULL);
		vsw_rule_match(rule, VSW_FIELD_L4_DST, eight, NULL);
		vsw_rule_drop(rule);
		vsw_rule_log(rule, 8);
		vsw_rule_output(vsw_group_add_rule(out, 1, NULL), ports[!i]);
		ck_assert_int_eq(vsw_group_seal(group, problem,
						sizeof problem), 0);
		ck_assert_int_eq(vsw_group_seal(out, problem, sizeof problem),
				 0);
		ck_assert_int_eq(vsw_program_new(vsw, &program), 0);
		layer = vsw_program_add_layer(program, "l");
		vsw_layer_add_group(layer, VSW_OUT, group);
		vsw_layer_add_group(vsw_program_add_layer(program, "o"),
				    VSW_OUT, out);
		ck_assert_int_eq(vsw_program_seal(program, problem,
						  sizeof problem), 0);
		ck_assert_int_eq(vsw_port_set_program(ports[i], program), 0);
		vsw_program_unref(program);
		vsw_group_unref(group);
		vsw_group_unref(out);
	}
}

static void
setup(void)
{
	memory = (struct rig_memory) { 0 };
	vsw = rig_switch(&memory);
	ck_assert_int_eq(vsw_worker_new(vsw, &worker), 0);
	for (unsigned i = 0; i < 2; i++)
		ports[i] = rig_port(vsw, i ? "b" : "a", 0);
	set_program(7);
	n_events = 0;
}

static void
teardown(void)
{
	for (unsigned i = 0; i < 2; i++)
		vsw_port_remove(ports[i]);
	vsw_worker_free(worker);
	vsw_free(vsw);
	ck_assert_uint_eq(memory.n_live, 0);
	ck_assert_uint_eq(memory.n_bytes, 0);
}

static void
send(unsigned port, const char *text, uint64_t now)
{
	struct vsw_packet *p;

	frame_must_make(&frame, "%s", text);
	p = vsw_packet_new(worker, frame.size);
	memcpy(p->data, frame.bytes, frame.size);
	p->offload = frame.offload;
	vsw_worker_receive(worker, ports[port], &p, 1, now);
}

static void
note(void *ctx, const struct vsw_event *event)
{
	(void) ctx;
	ck_assert_uint_lt(n_events, 64);
	events[n_events++] = *event;
}

static size_t
take(void)
{
	n_events = 0;
	return vsw_events(vsw, 64, note, NULL);
}

static const char to7[] = "eth 1>2 ip 1.1.1.1>2.2.2.2 udp 40>7";
static const char to8[] = "eth 1>2 ip 1.1.1.1>2.2.2.2 udp 40>8";
static const char to9[] = "eth 1>2 ip 1.1.1.1>2.2.2.2 udp 40>9";
static const char from7[] = "eth 2>1 ip 2.2.2.2>1.1.1.1 udp 7>40";

START_TEST(tells_of_new_flows_once)
{
	for (unsigned i = 0; i < 3; i++) {
		send(0, to7, S);
		send(0, to8, S);
		send(0, to9, S);
		send(1, from7, S);
	}
	ck_assert_uint_eq(take(), 2);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_uint_eq(events[i].kind, VSW_EVENT_LOGGED);
		ck_assert_uint_eq(events[i].tag, 7 + i);
		ck_assert_ptr_eq(events[i].port, ports[0]);
		ck_assert_uint_eq(events[i].direction, VSW_OUT);
		ck_assert_uint_eq(events[i].l4_src, 40);
		ck_assert_uint_eq(events[i].l4_dst, 7 + i);
	}
	/* What goes on under another program is no news. */
	set_program(6);
	send(0, to7, 2 * S);
	ck_assert_uint_eq(take(), 0);
}
END_TEST

/* Until nothing is left. */
static void
age(uint64_t from_s)
{
	for (unsigned i = 1; i < 10000; i++)
		if (vsw_worker_idle(worker, (from_s + i) * S) == UINT64_MAX)
			return;
	ck_abort_msg("nothing ends");
}

static void
expect_end(uint64_t tag)
{
	ck_assert_uint_eq(take(), 1);
	ck_assert_uint_eq(events[0].kind, VSW_EVENT_ENDED);
	ck_assert_uint_eq(events[0].tag, tag);
	ck_assert_ptr_eq(events[0].port, ports[0]);
	ck_assert_uint_eq(events[0].direction, VSW_OUT);
	ck_assert_uint_eq(events[0].src.bytes[0], 1);
	ck_assert_uint_eq(events[0].dst.bytes[0], 2);
	ck_assert_uint_eq(events[0].l4_src, 40);
	ck_assert_uint_eq(events[0].l4_dst, 7);
	ck_assert_uint_eq(events[0].ip_proto, 17);
}

/* By time, and because a program does not let it begin any more; the tag is
 * that of whoever approved last. */
START_TEST(tells_of_ends)
{
	struct vsw_event_counters counters = { .size = sizeof counters };

	send(0, to7, S);
	ck_assert_uint_eq(take(), 1);
	age(0);
	expect_end(7);

	send(0, to7, 12000 * S);
	ck_assert_uint_eq(take(), 1);
	set_program(5);
	send(0, to7, 12001 * S);
	ck_assert_uint_eq(take(), 0);
	age(12000);
	expect_end(5);

	/* Nobody tells of what is not to be logged any more. */
	send(0, to7, 20000 * S);
	ck_assert_uint_eq(take(), 1);
	set_program(0);
	send(0, to7, 20001 * S);
	age(20000);
	ck_assert_uint_eq(take(), 0);
	vsw_event_get_counters(vsw, &counters);
	ck_assert_uint_eq(counters.told[VSW_EVENT_ENDED], 2);
	ck_assert_uint_eq(counters.lost[VSW_EVENT_ENDED], 0);
}
END_TEST

static size_t
take_going(uint64_t now)
{
	size_t at = 0, n = 0, n_more;
	bool has_more;

	n_events = 0;
	do {
		has_more = vsw_events_continue(vsw, now, &at, 1000, &n_more,
					       note, NULL);
		n += n_more;
	} while (has_more);
	return n;
}

static void
expect_passed(uint64_t packets, uint64_t bytes, uint64_t back)
{
	ck_assert_uint_eq(events[0].packets[0], packets);
	ck_assert_uint_eq(events[0].bytes[0], bytes);
	ck_assert_uint_eq(events[0].packets[1], back);
	ck_assert_uint_eq(events[0].bytes[1], back * 42);
}

/* What a connection has passed, each packet once: while it goes on and at its
 * end, since it was last told of; also when memory for it was not there at
 * first. */
START_TEST(tells_what_has_passed)
{
	static const char longer[] =
		"eth 1>2 ip 1.1.1.1>2.2.2.2 udp 40>7 payload 100";

	ck_assert_uint_eq(take_going(S), 0);
	send(0, to7, S);
	for (unsigned i = 0; i < 3; i++) {
		send(1, from7, S + i);
		send(0, longer, S + i);
	}
	ck_assert_uint_eq(take(), 1);
	ck_assert_uint_eq(events[0].kind, VSW_EVENT_LOGGED);
	expect_passed(0, 0, 0);
	ck_assert_uint_eq(take_going(S), 1);
	ck_assert_uint_eq(events[0].kind, VSW_EVENT_CONTINUED);
	ck_assert_uint_eq(events[0].tag, 7);
	ck_assert_ptr_eq(events[0].port, ports[0]);
	ck_assert_uint_eq(events[0].l4_src, 40);
	ck_assert_uint_eq(events[0].time_ns, S);
	expect_passed(4, 42 + 3 * 142, 3);
	/* Nothing has happened since. */
	ck_assert_uint_eq(take_going(S), 0);
	send(1, from7, 2 * S);
	ck_assert_uint_eq(take_going(2 * S), 1);
	expect_passed(0, 0, 1);
	send(0, to7, 3 * S);
	age(3);
	expect_end(7);
	expect_passed(1, 42, 0);
	/* Another one in its place begins at nothing. */
	send(0, to7, 12000 * S);
	ck_assert_uint_eq(take(), 1);
	ck_assert_uint_eq(take_going(12000 * S), 1);
	expect_passed(1, 42, 0);
	/* What nobody logs is not counted. */
	set_program(0);
	send(0, to7, 12001 * S);
	ck_assert_uint_eq(take_going(12001 * S), 0);
}
END_TEST

START_TEST(has_room_for_so_many)
{
	struct ended_ring ring;
	struct vsw_allocator allocator = rig_allocator(&memory);
	struct ended ended;

	memset(&ring, 0, sizeof ring);
	memset(&ended, 0, sizeof ended);
	ck_assert(!ended_take(&ring, &ended));
	memory.fail_at = memory.n_calls + 1;
	ck_assert(!ended_put(&ring, &allocator, &ended));
	memory.fail_at = 0;
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < ENDED_MAX + 5; i++) {
			ended.time_ns = i;
			ck_assert_int_eq(ended_put(&ring, &allocator, &ended),
					 i < ENDED_MAX);
		}
		for (unsigned i = 0; i < ENDED_MAX; i++) {
			ck_assert(ended_take(&ring, &ended));
			ck_assert_uint_eq(ended.time_ns, i);
		}
		ck_assert(!ended_take(&ring, &ended));
	}
	ck_assert_uint_eq(ring.n_lost, 16);
	ck_assert_uint_eq(ring.n_told, 3 * ENDED_MAX);
	ended_done(&ring, &allocator);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ended");
	TCase *all = tcase_create("all");
	SRunner *runner;
	int n_failed;

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_test(all, tells_of_new_flows_once);
	tcase_add_test(all, tells_of_ends);
	tcase_add_test(all, tells_what_has_passed);
	tcase_add_test(all, has_room_for_so_many);
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed != 0;
}
