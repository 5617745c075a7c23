/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/policy/counter.c, and who counts in it: rules are hit by
 * what flows pass, without a hit knowing of it. */

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libvswitch/datapath/packet.h"
#include "libvswitch/datapath/worker.h"
#include "libvswitch/policy/port.h"
#include "tests/unit/policy_rig.h"
#include "tests/walk/frame.h"

#define S UINT64_C(1000000000)

static struct rig_memory memory;
static struct vsw *vsw;
static struct vsw_worker *worker;
static struct vsw_port *ports[2];
static struct vsw_counter *counters[3];	/* Of UDP to 7, of the rest, of what
					 * goes to the second port. */
static struct frame frame;

static struct vsw_group *
seal(struct vsw_group *group)
{
	char problem[160];

	ck_assert_int_eq(vsw_group_seal(group, problem, sizeof problem), 0);
	return group;
}

/* Rules that say the same of all packets, and count them apart; each in front
 * of an output to the other port. */
static void
set_program(bool tracks)
{
	const uint8_t seven[2] = { 0, 7 };
	struct vsw_group *group, *out, *in;
	struct vsw_program *program;
	struct vsw_layer *layer;
	struct vsw_rule *rules[2];
	char problem[160];

	for (unsigned i = 0; i < 2; i++) {
		ck_assert_int_eq(vsw_group_new(vsw, "g", &group), 0);
		ck_assert_int_eq(vsw_group_new(vsw, "out", &out), 0);
		ck_assert_int_eq(vsw_group_new(vsw, "in", &in), 0);
		for (unsigned j = 0; j < 2; j++) {
			rules[j] = vsw_group_add_rule(group, j, NULL);
			if (!i)
				vsw_rule_count(rules[j], counters[j]);
			if (tracks)
				vsw_rule_track(rules[j]);
		}
		vsw_rule_match(rules[0], VSW_FIELD_L4_DST, seven, NULL);
		vsw_rule_output(vsw_group_add_rule(out, 1, NULL),
				ports[!i]);
		if (i)
			vsw_rule_count(vsw_group_add_rule(in, 1, NULL),
				       counters[2]);
		ck_assert_int_eq(vsw_program_new(vsw, &program), 0);
		layer = vsw_program_add_layer(program, "l");
		vsw_layer_add_group(layer, VSW_OUT, seal(group));
		vsw_layer_add_group(layer, VSW_IN, seal(in));
		vsw_layer_add_group(vsw_program_add_layer(program, "o"),
				    VSW_OUT, seal(out));
		ck_assert_int_eq(vsw_program_seal(program, problem,
						  sizeof problem), 0);
		ck_assert_int_eq(vsw_port_set_program(ports[i], program), 0);
		vsw_program_unref(program);
		vsw_group_unref(group);
		vsw_group_unref(out);
		vsw_group_unref(in);
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
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(vsw_counter_new(vsw, &counters[i]), 0);
	set_program(false);
}

static void
teardown(void)
{
	for (unsigned i = 0; i < 3; i++)
		vsw_counter_unref(counters[i]);
	vsw_counter_unref(NULL);
	for (unsigned i = 0; i < 2; i++)
		vsw_port_remove(ports[i]);
	vsw_worker_free(worker);
	vsw_free(vsw);
	ck_assert_uint_eq(memory.n_live, 0);
	ck_assert_uint_eq(memory.n_bytes, 0);
}

static void
send_from(unsigned port, const char *text, uint64_t now)
{
	struct vsw_packet *p;

	frame_must_make(&frame, "%s", text);
	p = vsw_packet_new(worker, frame.size);
	if (!p)
		return;
	memcpy(p->data, frame.bytes, frame.size);
	p->offload = frame.offload;
	vsw_worker_receive(worker, ports[port], &p, 1, now);
}

static void
send(const char *text, unsigned n)
{
	while (n--)
		send_from(0, text, S);
}

static void
count(size_t n)
{
	size_t at = 0;

	while (vsw_worker_count(worker, &at, n))
		;
}

static void
expect(uint64_t seven, uint64_t rest, uint64_t in)
{
	const uint64_t expected[3] = { seven, rest, in };

	for (unsigned i = 0; i < 3; i++)
		ck_assert_msg(vsw_counter_read(counters[i]) == expected[i],
			      "counter %u: %llu", i, (unsigned long long)
			      vsw_counter_read(counters[i]));
}

static const char udp7[] = "eth 1>2 ip 1.1.1.1>2.2.2.2 udp 1>7";
static const char udp8[] = "eth 1>2 ip 1.1.1.1>2.2.2.2 udp 1>8";

/* The two are decided alike, and yet by two rules. */
START_TEST(counts_what_flows_pass)
{
	send(udp7, 3);
	send(udp8, 2);
	expect(0, 0, 0);
	count(1);
	expect(3, 2, 5);
	count(100);
	expect(3, 2, 5);
	send(udp8, 1);
	count(100);
	expect(3, 3, 6);
}
END_TEST

START_TEST(counts_flows_that_go)
{
	send(udp7, 3);
	ck_assert_uint_eq(vsw_worker_idle(worker, 100 * S), UINT64_MAX);
	expect(3, 0, 3);
	/* A full cache; each flow is put where another was. */
	for (unsigned i = 0; i < 1000; i++) {
		char text[64];

		snprintf(text, sizeof text,
			 "eth 1>2 ip 1.1.1.1>2.2.2.2 udp %u>8", i + 1);
		send(text, 2);
	}
	count(7);
	expect(3, 2000, 2003);
}
END_TEST

/* What the old program decided is not lost, whether it passes again or not,
 * nor is what a counter of nobody's was to get. */
START_TEST(outlives_policy)
{
	send(udp7, 3);
	send(udp8, 5);
	set_program(false);
	send(udp7, 1);
	expect(3, 0, 3);
	count(100);
	expect(4, 5, 9);
	for (unsigned i = 0; i < 2; i++)
		ck_assert_int_eq(vsw_port_set_program(ports[i], NULL), 0);
	send(udp7, 1);
	count(100);
	expect(4, 5, 9);
}
END_TEST

/* A connection's packets pass without the rule's being asked: those that go its
 * opener's way are its own still. */
START_TEST(counts_connections_one_way)
{
	set_program(true);
	send(udp7, 2);
	send_from(1, "eth 2>1 ip 2.2.2.2>1.1.1.1 udp 7>1", S);
	send(udp7, 2);
	set_program(true);
	send(udp7, 2);
	send_from(1, "eth 2>1 ip 2.2.2.2>1.1.1.1 udp 7>1", S);
	count(100);
	/* The other port's own connection began with the reply. */
	expect(6, 0, 2);
}
END_TEST

static void
step(void *ctx, const struct vsw_step *s)
{
	(void) ctx;
	(void) s;
}

START_TEST(leaves_explain_out)
{
	send(udp7, 1);
	count(100);
	frame_must_make(&frame, "%s", udp7);
	ck_assert_int_eq(vsw_explain(ports[0], frame.bytes, frame.size, NULL,
				     step, NULL), 0);
	count(100);
	expect(1, 0, 1);
}
END_TEST

START_TEST(copes_without_memory)
{
	struct vsw_counter *counter;

	for (memory.fail_at = 1, memory.n_calls = 0;
	     vsw_counter_new(vsw, &counter) == -ENOMEM; memory.fail_at = 0)
		ck_assert_uint_eq(memory.fail_at, 1);
	ck_assert_uint_eq(memory.n_calls, 2);
	vsw_counter_unref(counter);
	/* A packet that no flow can be kept for is lost, and counts nowhere;
	 * the next one does. */
	for (unsigned n = 1; n < 4; n++) {
		memory.n_calls = 0;
		memory.fail_at = n;
		send_from(0, udp7, S);
		memory.fail_at = 0;
	}
	send(udp7, 1);
	count(100);
	ck_assert_uint_ge(vsw_counter_read(counters[0]), 1);
	ck_assert_uint_eq(vsw_counter_read(counters[0]),
			  vsw_counter_read(counters[2]));
}
END_TEST

static void
look(void *ctx, const struct vsw_flow_info *info)
{
	unsigned *n = ctx;

	ck_assert_int_eq(info->drop, -1);
	++*n;
}

/* Flows in pieces. */
START_TEST(shows_flows_in_pieces)
{
	unsigned n = 0, n_pieces = 1;
	size_t at = 0;

	send(udp7, 1);
	send(udp8, 1);
	while (vsw_worker_flows_from(worker, NULL, S, &at, 1, look, &n))
		n_pieces++;
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(n_pieces, 2);
	at = 0;
	ck_assert(!vsw_worker_flows_from(worker, ports[1], S, &at, 9, look,
					 &n));
	ck_assert_uint_eq(n, 2);
	/* Of places that are free nothing is shown. */
	ck_assert_uint_eq(vsw_worker_idle(worker, 100 * S), UINT64_MAX);
	at = 0;
	ck_assert(!vsw_worker_flows_from(worker, NULL, S, &at, 9, look, &n));
	ck_assert_uint_eq(n, 2);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("counter");
	TCase *all = tcase_create("all");
	SRunner *runner;
	int n_failed;

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_test(all, counts_what_flows_pass);
	tcase_add_test(all, counts_flows_that_go);
	tcase_add_test(all, outlives_policy);
	tcase_add_test(all, counts_connections_one_way);
	tcase_add_test(all, leaves_explain_out);
	tcase_add_test(all, copes_without_memory);
	tcase_add_test(all, shows_flows_in_pieces);
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed != 0;
}
