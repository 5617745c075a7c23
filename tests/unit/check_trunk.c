/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/datapath/trunk.c and switch/trunk.c: ports inside of a
 * port, one for each VLAN. */

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libvswitch/datapath/packet.h"
#include "libvswitch/datapath/worker.h"
#include "libvswitch/policy/port.h"
#include "tests/unit/policy_rig.h"
#include "tests/walk/frame.h"

enum { MAX_HEARD = 64 };

/* What a port's way out was given. */
struct ear {
	unsigned n;
	struct heard {
		size_t size;
		uint8_t bytes[1600];
		struct vsw_offload offload;
		struct vsw_port *in_port;
	} heard[MAX_HEARD];
	struct vsw_port *back_to;	/* Sends each packet in there. */
};

static struct rig_memory memory;
static struct vsw *vsw;
static struct vsw_worker *worker;
static struct ear ears[3];
static struct vsw_port *trunk, *ten, *twenty, *far, *host;
static struct frame frame;

static void
hear(void *ctx, struct vsw_worker *w, struct vsw_packet *const packets[],
     size_t n)
{
	struct ear *ear = ctx;

	for (size_t i = 0; i < n; i++) {
		struct vsw_packet *p = packets[i];
		struct heard *heard = &ear->heard[ear->n++ % MAX_HEARD];

		ck_assert_uint_le(p->size, sizeof heard->bytes);
		heard->size = p->size;
		memcpy(heard->bytes, p->data, p->size);
		heard->offload = p->offload;
		heard->in_port = p->in_port;
		if (ear->back_to)
			vsw_worker_receive(w, ear->back_to, &p, 1, 5);
		else
			vsw_packet_free(p);
	}
}

/* One rule for all: to 'to'; NULL: to the host. */
static void
send_all(struct vsw_port *port, struct vsw_port *to)
{
	struct vsw_program *program;
	struct vsw_group *group;
	struct vsw_rule *rule;

	ck_assert_int_eq(vsw_group_new(vsw, "g", &group), 0);
	rule = vsw_group_add_rule(group, 1, NULL);
	if (to)
		vsw_rule_output(rule, to);
	else
		vsw_rule_punt(rule, 9);
	ck_assert_int_eq(vsw_group_seal(group, NULL, 0), 0);
	ck_assert_int_eq(vsw_program_new(vsw, &program), 0);
	vsw_layer_add_group(vsw_program_add_layer(program, "l"), VSW_OUT,
			    group);
	ck_assert_int_eq(vsw_program_seal(program, NULL, 0), 0);
	ck_assert_int_eq(vsw_port_set_program(port, program), 0);
	vsw_program_unref(program);
	vsw_group_unref(group);
}

static struct vsw_port *
add(const char *name, struct ear *ear, uint32_t abilities)
{
	struct vsw_port_ops ops = { .size = sizeof ops,
				    .abilities = abilities,
				    .transmit = hear };
	struct vsw_port *port;

	ck_assert_int_eq(vsw_port_add(vsw, name, &ops, ear, &port), 0);
	return port;
}

/* VLANs 10 and 20 go to "far" and back; what is untagged, to "far". */
static void
setup(void)
{
	memory = (struct rig_memory) { 0 };
	memset(ears, 0, sizeof ears);
	vsw = rig_switch(&memory);
	ck_assert_int_eq(vsw_worker_new(vsw, &worker), 0);
	trunk = add("trunk", &ears[0], VSW_PORT_CHECKSUM);
	far = add("far", &ears[1], VSW_PORT_CHECKSUM);
	host = add("host", &ears[2], VSW_PORT_PUNT);
	ck_assert_int_eq(vsw_port_add_vlan(trunk, "trunk.10", 10, &ten), 0);
	ck_assert_int_eq(vsw_port_add_vlan(trunk, "trunk.20", 20, &twenty),
			 0);
	send_all(trunk, far);
	send_all(ten, far);
	send_all(twenty, NULL);
	send_all(far, ten);
}

static void
teardown(void)
{
	vsw_port_remove(ten);
	vsw_port_remove(twenty);
	vsw_port_remove(trunk);
	vsw_port_remove(far);
	vsw_port_remove(host);
	ck_assert_uint_eq(packet_pool_n_used(worker->pool), 0);
	vsw_worker_free(worker);
	vsw_free(vsw);
	ck_assert_uint_eq(memory.n_live, 0);
	ck_assert_uint_eq(memory.n_bytes, 0);
}

static void
receive(struct vsw_port *port, const char *text)
{
	struct vsw_packet *p;

	frame_must_make(&frame, "%s", text);
	p = vsw_packet_new(worker, frame.size);
	memcpy(p->data, frame.bytes, frame.size);
	p->offload = frame.offload;
	vsw_worker_receive(worker, port, &p, 1, 5);
}

static struct vsw_port_counters
counters(const struct vsw_port *port)
{
	struct vsw_port_counters c = { .size = sizeof c };

	vsw_port_get_counters(port, &c);
	return c;
}

static void
heard_last(const struct ear *ear, unsigned n, const char *text)
{
	const struct heard *heard = &ear->heard[(n - 1) % MAX_HEARD];

	ck_assert_uint_eq(ear->n, n);
	frame_must_make(&frame, "%s", text);
	ck_assert(frame_matches(&frame, heard->bytes, heard->size));
}

START_TEST(takes_tags_off)
{
	receive(trunk, "eth 1>2 vlan 10 ip 1.1.1.1>2.2.2.2 udp 1>7");
	heard_last(&ears[1], 1, "eth 1>2 ip 1.1.1.1>2.2.2.2 udp 1>7");
	ck_assert_ptr_eq(ears[1].heard[0].in_port, ten);
	receive(trunk, "eth 1>2 ip 1.1.1.1>2.2.2.2 udp 1>7");
	heard_last(&ears[1], 2, "eth 1>2 ip 1.1.1.1>2.2.2.2 udp 1>7");
	ck_assert_ptr_eq(ears[1].heard[1].in_port, trunk);
	/* A priority, which is no VLAN. */
	receive(trunk, "eth 1>2 vlan 0 ip 1.1.1.1>2.2.2.2 udp 1>7");
	heard_last(&ears[1], 3, "eth 1>2 ip 1.1.1.1>2.2.2.2 udp 1>7");
	ck_assert_ptr_eq(ears[1].heard[2].in_port, trunk);
	/* What is behind the tag is not looked at, be it another. */
	receive(trunk, "eth 1>2 vlan 10 vlan 20 ip 1.1.1.1>2.2.2.2 udp 1>7");
	heard_last(&ears[1], 4, "eth 1>2 vlan 20 ip 1.1.1.1>2.2.2.2 udp 1>7");
	ck_assert_ptr_eq(ears[1].heard[3].in_port, ten);
	/* Others' tags are no tags here. */
	receive(trunk, "eth 1>2 type 0x88a8 hex 000a0800");
	heard_last(&ears[1], 5, "eth 1>2 type 0x88a8 hex 000a0800");
	ck_assert_ptr_eq(ears[1].heard[4].in_port, trunk);

	ck_assert_uint_eq(counters(ten).packets_received, 2);
	ck_assert_uint_eq(counters(trunk).packets_received, 3);
	ck_assert_uint_eq(counters(ten).flows_missed, 2);
}
END_TEST

START_TEST(drops_what_is_no_ports)
{
	static const char *const texts[] = {
		"eth 1>2 vlan 11 ip 1.1.1.1>2.2.2.2 udp 1>7",
		"eth 1>2 vlan 4094 ip 1.1.1.1>2.2.2.2 udp 1>7",
		"eth 1>2 vlan 4095 ip 1.1.1.1>2.2.2.2 udp 1>7",
		"eth 1>2 vlan 4095 vlan 10 arp request 1.1.1.1>2.2.2.2"
	};

	for (unsigned i = 0; i < 4; i++) {
		receive(trunk, texts[i]);
		ck_assert_uint_eq(counters(trunk).drops[VSW_DROP_VLAN],
				  i + 1);
		ck_assert_uint_eq(counters(trunk).packets_received, i + 1);
	}
	ck_assert_uint_eq(ears[1].n, 0);
	/* Too short to have a tag that says anything. */
	receive(trunk, "eth 1>2 vlan 10 cut 16");
	ck_assert_uint_eq(counters(trunk).drops[VSW_DROP_SHORT], 1);
	ck_assert_uint_eq(counters(ten).packets_received, 0);
	/* Once nothing is inside, tags are the program's matter. */
	vsw_port_remove(ten);
	receive(trunk, "eth 1>2 vlan 10 ip 1.1.1.1>2.2.2.2 udp 1>7");
	ck_assert_uint_eq(counters(trunk).drops[VSW_DROP_VLAN], 5);
	vsw_port_remove(twenty);
	ten = twenty = NULL;
	receive(trunk, "eth 1>2 vlan 10 ip 1.1.1.1>2.2.2.2 udp 1>7");
	heard_last(&ears[1], 1, "eth 1>2 vlan 10 ip 1.1.1.1>2.2.2.2 udp 1>7");
	ck_assert_int_eq(vsw_port_add_vlan(trunk, "trunk.10", 10, &ten), 0);
	send_all(ten, far);
	receive(trunk, "eth 1>2 vlan 10 ip 1.1.1.1>2.2.2.2 udp 1>7");
	heard_last(&ears[1], 2, "eth 1>2 ip 1.1.1.1>2.2.2.2 udp 1>7");
}
END_TEST

START_TEST(puts_tags_on)
{
	struct vsw_packet *p;

	receive(far, "eth 2>1 ip 2.2.2.2>1.1.1.1 udp 7>1");
	heard_last(&ears[0], 1, "eth 2>1 vlan 10 ip 2.2.2.2>1.1.1.1 udp 7>1");
	ck_assert_uint_eq(counters(ten).packets_sent, 1);
	ck_assert_uint_eq(counters(trunk).packets_sent, 0);
	/* One that is there stays, inside. */
	receive(far, "eth 2>1 vlan 5 ip 2.2.2.2>1.1.1.1 udp 7>1");
	heard_last(&ears[0], 2,
		   "eth 2>1 vlan 10 vlan 5 ip 2.2.2.2>1.1.1.1 udp 7>1");
	/* Without a layer: an answer of the host's. */
	frame_must_make(&frame, "eth 2>1 arp reply 1.1.1.1>2.2.2.2");
	p = vsw_packet_new(worker, frame.size);
	memcpy(p->data, frame.bytes, frame.size);
	vsw_worker_send(worker, twenty, &p, 1, 5);
	heard_last(&ears[0], 3, "eth 2>1 vlan 20 arp reply 1.1.1.1>2.2.2.2");
}
END_TEST

/* A sum that is filled in later lies four bytes further, both ways. */
START_TEST(moves_offload_state)
{
	receive(far, "eth 2>1 ip 2.2.2.2>1.1.1.1 tcp 7>1 partial payload 9");
	ck_assert_uint_eq(ears[0].heard[0].offload.checksum_start,
			  14 + 4 + 20);
	heard_last(&ears[0], 1, "eth 2>1 vlan 10 ip 2.2.2.2>1.1.1.1 tcp 7>1"
		   " partial payload 9");
	receive(trunk, "eth 1>2 vlan 10 ip 1.1.1.1>2.2.2.2 tcp 1>7 partial"
		" payload 9");
	ck_assert_uint_eq(ears[1].heard[0].offload.checksum_start, 14 + 20);
	ck_assert_uint_eq(counters(ten).drops[VSW_DROP_BAD_OFFLOAD], 0);
	/* Segments are cut before they are tagged: each has its tag. */
	receive(far, "segments 100 eth 2>1 ip 2.2.2.2>1.1.1.1 tcp 7>1 partial"
		" payload 300");
	ck_assert_uint_eq(ears[0].n, 4);
	for (unsigned i = 1; i < 4; i++) {
		ck_assert_uint_eq(ears[0].heard[i].size, 18 + 40 + 100);
		ck_assert(!memcmp(ears[0].heard[i].bytes + 12,
				  "\x81\0\0\x0a\x08\0", 6));
	}
}
END_TEST

/* The program, the flows, the punts and the answers are each port's own. */
START_TEST(is_a_port_like_any)
{
	struct vsw_packet *p;

	receive(trunk, "eth 1>2 vlan 20 ip 1.1.1.1>2.2.2.2 udp 1>7");
	heard_last(&ears[2], 1, "eth 1>2 ip 1.1.1.1>2.2.2.2 udp 1>7");
	ck_assert_ptr_eq(ears[2].heard[0].in_port, twenty);
	ck_assert_uint_eq(counters(twenty).punts, 1);
	ck_assert_str_eq(vsw_port_name(twenty), "trunk.20");
	ck_assert_ptr_eq(vsw_port_find(vsw, "trunk.20"), twenty);
	for (unsigned i = 0; i < 3; i++)
		receive(trunk, "eth 1>2 vlan 10 ip 1.1.1.1>2.2.2.2 udp 1>7");
	ck_assert_uint_eq(counters(ten).flows_hit, 2);
	ck_assert_uint_eq(vsw_worker_flows(worker, ten, 5, 0, NULL, NULL), 1);
	/* What has been punted goes on from there: it has no tag. */
	send_all(twenty, far);
	frame_must_make(&frame, "eth 1>2 ip 1.1.1.1>2.2.2.2 udp 1>7");
	p = vsw_packet_new(worker, frame.size);
	memcpy(p->data, frame.bytes, frame.size);
	vsw_worker_resume(worker, twenty, &p, 1, 5);
	heard_last(&ears[1], 4, "eth 1>2 ip 1.1.1.1>2.2.2.2 udp 1>7");
	ck_assert_int_eq(vsw_port_set_program(ten, NULL), 0);
	receive(trunk, "eth 1>2 vlan 10 ip 1.1.1.1>2.2.2.2 udp 1>7");
	ck_assert_uint_eq(counters(ten).drops[VSW_DROP_NO_PROGRAM], 1);
}
END_TEST

/* Several of several at once, and from a transmit that calls back. */
START_TEST(keeps_order)
{
	struct vsw_packet *packets[60];

	for (unsigned i = 0; i < 60; i++) {
		frame_must_make(&frame, "eth 1>2 %s ip 1.1.1.1>2.2.2.2 id %u"
				" udp 1>7", i % 3 == 0 ? "vlan 10"
				: i % 3 == 1 ? "" : "vlan 11", i);
		packets[i] = vsw_packet_new(worker, frame.size);
		memcpy(packets[i]->data, frame.bytes, frame.size);
	}
	ears[1].back_to = trunk;
	send_all(trunk, ten);
	vsw_worker_receive(worker, trunk, packets, 60, 5);
	ck_assert_uint_eq(counters(trunk).drops[VSW_DROP_VLAN], 20);
	/* VLAN 10's to "far", from there untagged into the trunk, and all that
	 * is untagged into VLAN 10. */
	ck_assert_uint_eq(ears[1].n, 20);
	ck_assert_uint_eq(ears[0].n, 40);
	for (unsigned i = 1; i < 20; i++)
		ck_assert_uint_lt(ears[1].heard[i - 1].bytes[19],
				  ears[1].heard[i].bytes[19]);
}
END_TEST

START_TEST(outlives_its_trunk)
{
	vsw_port_remove(trunk);
	receive(far, "eth 2>1 ip 2.2.2.2>1.1.1.1 udp 7>1");
	ck_assert_uint_eq(counters(ten).drops[VSW_DROP_PORT_GONE], 1);
	ck_assert_uint_eq(ears[0].n, 0);
	trunk = NULL;
}
END_TEST

START_TEST(is_refused)
{
	struct vsw_underlay underlay = { .size = sizeof underlay,
					 .local_v4 = rig_addr(4, 0xc0000201) };
	struct vsw_port *port = NULL;
	struct vsw_port *tunnel = rig_port(vsw, "tunnel", VSW_PORT_TUNNEL);

	ck_assert_int_eq(vsw_port_add_vlan(trunk, "x", 10, &port), -EEXIST);
	ck_assert_int_eq(vsw_port_add_vlan(trunk, "far", 11, &port), -EEXIST);
	ck_assert_int_eq(vsw_port_add_vlan(trunk, "x", 0, &port), -EINVAL);
	ck_assert_int_eq(vsw_port_add_vlan(trunk, "x", 4095, &port), -EINVAL);
	ck_assert_int_eq(vsw_port_add_vlan(ten, "x", 11, &port), -EINVAL);
	ck_assert_int_eq(vsw_port_add_vlan(tunnel, "x", 11, &port), -EINVAL);
	ck_assert_int_eq(vsw_port_add_vlan(host, "x", 11, &port), -EINVAL);
	ck_assert_int_eq(vsw_port_set_underlay(trunk, &underlay), -EINVAL);
	ck_assert_int_eq(vsw_port_set_underlay(ten, &underlay), -EINVAL);
	ck_assert_int_eq(vsw_port_set_underlay(far, &underlay), 0);
	ck_assert_int_eq(vsw_port_add_vlan(far, "x", 11, &port), -EINVAL);
	ck_assert_int_eq(vsw_port_set_underlay(far, NULL), 0);
	ck_assert_ptr_null(port);
	/* What failed has left nothing: the port is no trunk. */
	ck_assert_int_eq(vsw_port_add_vlan(far, "ten", 4095, &port), -EINVAL);
	ck_assert_int_eq(vsw_port_add_vlan(far, "far", 10, &port), -EEXIST);
	receive(far, "eth 2>1 vlan 5 ip 2.2.2.2>1.1.1.1 udp 7>1");
	ck_assert_uint_eq(counters(far).drops[VSW_DROP_VLAN], 0);
	vsw_port_remove(tunnel);
}
END_TEST

START_TEST(needs_memory)
{
	unsigned n = 0;

	for (;; n++) {
		struct vsw_port *port = NULL;
		unsigned long n_live;
		int error;

		n_live = memory.n_live;
		memory.fail_at = memory.n_calls + 1 + n;
		error = vsw_port_add_vlan(far, "far.7", 7, &port);
		memory.fail_at = 0;
		if (!error) {
			vsw_port_remove(port);
			break;
		}
		ck_assert_int_eq(error, -ENOMEM);
		ck_assert_ptr_null(port);
		/* A trunk that was made goes when nobody can look. */
		ck_assert_uint_le(memory.n_live, n_live + 1);
	}
	ck_assert_uint_gt(n, 1);
}
END_TEST

static void
note_step(void *ctx, const struct vsw_step *step)
{
	*(struct vsw_step *) ctx = *step;
}

START_TEST(is_explained)
{
	struct vsw_step last;

	frame_must_make(&frame, "eth 1>2 vlan 10 ip 1.1.1.1>2.2.2.2 udp 1>7");
	ck_assert_int_eq(vsw_explain(trunk, frame.bytes, frame.size, NULL,
				     note_step, &last), 0);
	ck_assert_int_eq(last.kind, VSW_STEP_SENT);
	ck_assert_ptr_eq(last.port, far);
	frame_must_make(&frame, "eth 1>2 vlan 11 ip 1.1.1.1>2.2.2.2 udp 1>7");
	ck_assert_int_eq(vsw_explain(trunk, frame.bytes, frame.size, NULL,
				     note_step, &last), 0);
	ck_assert_int_eq(last.kind, VSW_STEP_DROPPED);
	ck_assert_int_eq(last.drop, VSW_DROP_VLAN);
}
END_TEST

START_TEST(drops_by_name)
{
	struct vsw_program *program;
	struct vsw_group *group;
	struct vsw_rule *rule;
	char problem[200];

	ck_assert_int_eq(vsw_group_new(vsw, "g", &group), 0);
	rule = vsw_group_add_rule(group, 1, NULL);
	vsw_rule_drop_as(rule, VSW_N_DROPS);
	ck_assert_int_eq(vsw_group_seal(group, problem, sizeof problem),
			 -EINVAL);
	ck_assert_ptr_nonnull(strstr(problem, "no drop"));
	vsw_group_unref(group);
	ck_assert_int_eq(vsw_group_new(vsw, "g", &group), 0);
	rule = vsw_group_add_rule(group, 1, NULL);
	vsw_rule_drop_as(rule, VSW_DROP_TTL);
	vsw_rule_drop(rule);
	ck_assert_int_eq(vsw_group_seal(group, NULL, 0), -EINVAL);
	vsw_group_unref(group);

	ck_assert_int_eq(vsw_group_new(vsw, "g", &group), 0);
	rule = vsw_group_add_rule(group, 1, NULL);
	vsw_rule_log(rule, 7);
	vsw_rule_drop_as(rule, VSW_DROP_VLAN);
	rule = vsw_group_add_rule(group, 2, NULL);
	vsw_rule_drop_as(rule, VSW_DROP_RULE);
	ck_assert_int_eq(vsw_group_seal(group, NULL, 0), 0);
	ck_assert_int_eq(vsw_program_new(vsw, &program), 0);
	vsw_layer_add_group(vsw_program_add_layer(program, "l"), VSW_OUT,
			    group);
	ck_assert_int_eq(vsw_program_seal(program, NULL, 0), 0);
	ck_assert_int_eq(vsw_port_set_program(ten, program), 0);
	vsw_program_unref(program);
	vsw_group_unref(group);
	for (unsigned i = 0; i < 3; i++)
		receive(trunk, "eth 1>2 vlan 10 ip 1.1.1.1>2.2.2.2 udp 1>7");
	ck_assert_uint_eq(counters(ten).drops[VSW_DROP_VLAN], 3);
	ck_assert_uint_eq(counters(ten).drops[VSW_DROP_RULE], 0);
	ck_assert_uint_eq(counters(trunk).drops[VSW_DROP_VLAN], 0);
}
END_TEST

/* It is to be known which tag a packet leaves with when connections are looked
 * for. */
START_TEST(tags_change_before_tracking)
{
	struct vsw_group *tag, *track;

	ck_assert_int_eq(vsw_group_new(vsw, "tag", &tag), 0);
	vsw_rule_set_vlan(vsw_group_add_rule(tag, 1, NULL), 7);
	ck_assert_int_eq(vsw_group_seal(tag, NULL, 0), 0);
	ck_assert_int_eq(vsw_group_new(vsw, "track", &track), 0);
	vsw_rule_track(vsw_group_add_rule(track, 1, NULL));
	ck_assert_int_eq(vsw_group_seal(track, NULL, 0), 0);
	for (unsigned i = 0; i < 4; i++) {
		struct vsw_program *program;
		struct vsw_layer *first, *second;
		char problem[200];
		int error;

		ck_assert_int_eq(vsw_program_new(vsw, &program), 0);
		first = vsw_program_add_layer(program, "first");
		second = vsw_program_add_layer(program, "second");
		vsw_layer_add_group(i & 1 ? first : second, VSW_OUT, track);
		vsw_layer_add_group(i & 2 ? first : second, VSW_IN, tag);
		error = vsw_program_seal(program, problem, sizeof problem);
		ck_assert_int_eq(error, i == 1 ? 0 : -EINVAL);
		if (error)
			ck_assert_ptr_nonnull(strstr(problem, "tags"));
		vsw_program_unref(program);
	}
	vsw_group_unref(tag);
	vsw_group_unref(track);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("trunk");
	TCase *tests = tcase_create("trunk");
	SRunner *runner;
	int n_failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, takes_tags_off);
	tcase_add_test(tests, drops_what_is_no_ports);
	tcase_add_test(tests, puts_tags_on);
	tcase_add_test(tests, moves_offload_state);
	tcase_add_test(tests, is_a_port_like_any);
	tcase_add_test(tests, keeps_order);
	tcase_add_test(tests, outlives_its_trunk);
	tcase_add_test(tests, is_refused);
	tcase_add_test(tests, needs_memory);
	tcase_add_test(tests, is_explained);
	tcase_add_test(tests, drops_by_name);
	tcase_add_test(tests, tags_change_before_tracking);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
