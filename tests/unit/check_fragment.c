/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/datapath/fragment.c: where later fragments go, and what
 * becomes of those that come too early, too late, or too many. */

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libvswitch/base/ranking.h"
#include "libvswitch/datapath/fragment.h"
#include "libvswitch/datapath/packet.h"
#include "libvswitch/datapath/worker.h"
#include "libvswitch/policy/port.h"
#include "tests/unit/policy_rig.h"
#include "tests/walk/frame.h"

enum { N_PORTS = 8, OUT = 7, TUNNEL = 6, MAX_SENT = 4096, SECOND = 1000000000 };

static struct rig_memory memory;
static struct vsw *vsw;
static struct vsw_worker *worker;
static struct vsw_port *ports[N_PORTS];
static uint64_t now;
static struct frame frame;
/* What came out of the port OUT: the frames' last bytes, which say which piece
 * it was. */
static unsigned n_sent;
static uint8_t sent[MAX_SENT];

static void
hear(void *ctx, struct vsw_worker *w, struct vsw_packet *const packets[],
     size_t n)
{
	(void) ctx;
	(void) w;
	for (size_t i = 0; i < n; i++) {
		ck_assert_uint_lt(n_sent, MAX_SENT);
		sent[n_sent++] = packets[i]->data[packets[i]->size - 1];
		vsw_packet_free(packets[i]);
	}
}

static void
add_port(unsigned i)
{
	struct vsw_port_ops ops = {
		.size = sizeof ops, .transmit = hear,
		.abilities = i == TUNNEL ? VSW_PORT_TUNNEL : 0
	};
	char name[8];

	snprintf(name, sizeof name, "p%u", i);
	ck_assert_int_eq(vsw_port_add(vsw, name, &ops, NULL, &ports[i]), 0);
}

static struct vsw_rule *
add_rule(struct vsw_group *group, uint32_t priority, int dst_port)
{
	struct vsw_rule *rule = vsw_group_add_rule(group, priority, NULL);
	uint8_t bytes[2] = { (uint8_t) (dst_port >> 8), (uint8_t) dst_port };

	if (dst_port >= 0)
		vsw_rule_match(rule, VSW_FIELD_L4_DST, bytes, NULL);
	return rule;
}

/* Port 80 goes out, 81 does not; to MAC 9 everything goes out, whatever the
 * port.  'with_many': and rules enough for an index. */
static struct vsw_program *
new_program(bool with_many, int open_port)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 9 };
	struct vsw_group *group;
	struct vsw_program *program;
	struct vsw_rule *rule;
	struct vsw_layer *layer;
	char problem[160];

	ck_assert_int_eq(vsw_group_new(vsw, "g", &group), 0);
	rule = vsw_group_add_rule(group, 1, NULL);
	vsw_rule_match(rule, VSW_FIELD_ETH_DST, mac, NULL);
	vsw_rule_output(rule, ports[OUT]);
	vsw_rule_output(add_rule(group, 2, open_port), ports[OUT]);
	for (int i = 0; with_many && i < 100; i++)
		vsw_rule_drop(add_rule(group, 3, 1000 + i));
	vsw_rule_drop(add_rule(group, 4, -1));
	ck_assert_int_eq(vsw_group_seal(group, problem, sizeof problem), 0);
	ck_assert_int_eq(vsw_program_new(vsw, &program), 0);
	layer = vsw_program_add_layer(program, "l");
	vsw_layer_add_group(layer, VSW_OUT, group);
	ck_assert_int_eq(vsw_program_seal(program, problem, sizeof problem),
			 0);
	vsw_group_unref(group);
	return program;
}

static void
use(struct vsw_program *program)
{
	for (unsigned i = 0; i < N_PORTS; i++)
		ck_assert_int_eq(vsw_port_set_program(ports[i], program), 0);
	vsw_program_unref(program);
}

/* OUT lets in what comes, because no layer has groups for that direction. */
static void
setup(void)
{
	memory = (struct rig_memory) { 0 };
	vsw = rig_switch(&memory);
	ck_assert_int_eq(vsw_worker_new(vsw, &worker), 0);
	for (unsigned i = 0; i < N_PORTS; i++)
		add_port(i);
	use(new_program(false, 80));
	n_sent = 0;
	now = SECOND;
}

static void
teardown(void)
{
	vsw_worker_free(worker);
	for (unsigned i = 0; i < N_PORTS; i++)
		vsw_port_remove(ports[i]);
	vsw_free(vsw);
	ck_assert_uint_eq(memory.n_live, 0);
	ck_assert_uint_eq(memory.n_bytes, 0);
}

static struct vsw_packet *
make_marked(unsigned mark, const char *format, va_list args)
{
	char text[256];
	struct vsw_packet *p;

	vsnprintf(text, sizeof text, format, args);
	frame_must_make(&frame, "%s", text);
	p = vsw_packet_new(worker, frame.size);
	ck_assert_ptr_nonnull(p);
	memcpy(p->data, frame.bytes, frame.size);
	p->tunnel = frame.tunnel;
	p->data[frame.size - 1] = (uint8_t) mark;
	return p;
}

static struct vsw_packet *
packet_of(unsigned mark, const char *format, ...)
{
	va_list args;
	struct vsw_packet *p;

	va_start(args, format);
	p = make_marked(mark, format, args);
	va_end(args);
	return p;
}

static void
give(unsigned port, unsigned mark, const char *format, ...)
{
	va_list args;
	struct vsw_packet *p;

	va_start(args, format);
	p = make_marked(mark, format, args);
	va_end(args);
	now += 1000;
	vsw_worker_receive(worker, ports[port], &p, 1, now);
}

/* Of datagram 'id': the first 32 bytes, to UDP port 'dst'. */
static void
first(unsigned port, unsigned mark, unsigned id, unsigned dst)
{
	give(port, mark, "eth 1>2 ip 10.0.0.1>10.0.0.2 id %u mf udp 7>%u "
	     "len 500 payload 24", id, dst);
}

/* 'n' bytes from unit 'at' on. */
static void
later(unsigned port, unsigned mark, unsigned id, unsigned at, unsigned n,
      bool is_last)
{
	give(port, mark, "eth 1>2 ip 10.0.0.1>10.0.0.2 id %u %s offset %u "
	     "proto 17 payload %u", id, is_last ? "" : "mf", at, n);
}

static void
first6(unsigned mark, unsigned id, unsigned dst)
{
	give(0, mark, "eth 1>2 ip fd::1>fd::2 ext fragment 0 id %u mf "
	     "udp 7>%u len 500 payload 24", id, dst);
}

static void
later6(unsigned mark, unsigned id, unsigned at, unsigned n, bool is_last)
{
	/* What says what follows is made of what does: eight bytes at least
	 * look like a header. */
	if (n < 8)
		give(0, mark, "eth 1>2 ip fd::1>fd::2 ext fragment %u id %u "
		     "%s payload %u", at, id, is_last ? "" : "mf", n);
	else
		give(0, mark, "eth 1>2 ip fd::1>fd::2 ext fragment %u id %u "
		     "%s udp 1>2 payload %u", at, id, is_last ? "" : "mf",
		     n - 8);
}

static uint64_t
drops(unsigned port, enum vsw_drop drop)
{
	struct vsw_port_counters counters = { .size = sizeof counters };

	vsw_port_get_counters(ports[port], &counters);
	return counters.drops[drop];
}

static void
expect_sent(const char *marks)
{
	ck_assert_uint_eq(n_sent, strlen(marks));
	for (unsigned i = 0; i < n_sent; i++)
		ck_assert_int_eq(sent[i], marks[i]);
	n_sent = 0;
}

static size_t
n_waiting(void)
{
	return fragment_n_waiting(worker->fragments);
}

static size_t
n_datagrams(void)
{
	return fragment_n_datagrams(worker->fragments);
}

START_TEST(lets_later_ones_follow)
{
	first(0, 'a', 1, 80);
	ck_assert_uint_eq(n_datagrams(), 1);
	later(0, 'b', 1, 4, 16, false);
	later(0, 'c', 1, 6, 5, true);
	expect_sent("abc");
	/* All of it has been seen. */
	ck_assert_uint_eq(n_datagrams(), 0);

	first(0, 'a', 2, 81);
	later(0, 'b', 2, 4, 16, false);
	later(0, 'c', 2, 6, 5, true);
	expect_sent("");
	ck_assert_uint_eq(drops(0, VSW_DROP_RULE), 3);
	ck_assert_uint_eq(n_datagrams(), 0);
}
END_TEST

START_TEST(keeps_early_ones)
{
	later(0, 'c', 1, 6, 5, true);
	later(0, 'b', 1, 4, 16, false);
	expect_sent("");
	ck_assert_uint_eq(n_waiting(), 2);
	first(0, 'a', 1, 80);
	expect_sent("acb");
	ck_assert_uint_eq(n_waiting(), 0);
	ck_assert_uint_eq(n_datagrams(), 0);

	later(0, 'b', 2, 4, 16, true);
	first(0, 'a', 2, 81);
	expect_sent("");
	ck_assert_uint_eq(drops(0, VSW_DROP_RULE), 2);
	ck_assert_uint_eq(n_datagrams(), 0);
}
END_TEST

START_TEST(sorts_one_batch_out)
{
	struct vsw_packet *p[4] = {
		packet_of('c', "eth 1>2 ip 10.0.0.1>10.0.0.2 id 1 offset 6 "
			  "proto 17 payload 5"),
		packet_of('a', "eth 1>2 ip 10.0.0.1>10.0.0.2 id 1 mf udp "
			  "7>80 len 500 payload 24"),
		packet_of('b', "eth 1>2 ip 10.0.0.1>10.0.0.2 id 1 offset 4 "
			  "mf proto 17 payload 16"),
		packet_of('x', "eth 1>2 ip 10.0.0.1>10.0.0.2 udp 7>80 "
			  "payload 24")
	};

	vsw_worker_receive(worker, ports[0], p, 4, now);
	expect_sent("abxc");
	ck_assert_uint_eq(n_waiting(), 0);
	ck_assert_uint_eq(n_datagrams(), 0);
}
END_TEST

START_TEST(asks_only_where_it_matters)
{
	struct vsw_port_counters counters = { .size = sizeof counters };

	give(0, 'b', "eth 1>9 ip 10.0.0.1>10.0.0.2 id 1 offset 4 proto 17 "
	     "payload 16");
	give(0, 'c', "eth 1>9 ip 10.0.0.1>10.0.0.2 id 2 offset 4 proto 17 "
	     "payload 16");
	expect_sent("bc");
	ck_assert_uint_eq(n_datagrams(), 0);
	vsw_port_get_counters(ports[0], &counters);
	ck_assert_uint_eq(counters.flows_hit, 1);
	/* A protocol without ports has nothing to wait for. */
	give(0, 'd', "eth 1>2 ip 10.0.0.1>10.0.0.2 id 1 offset 4 proto 47 "
	     "payload 16");
	ck_assert_uint_eq(drops(0, VSW_DROP_RULE), 1);
	ck_assert_uint_eq(n_waiting(), 0);
}
END_TEST

START_TEST(asks_an_index_too)
{
	use(new_program(true, 80));
	give(0, 'z', "eth 1>9 ip 10.0.0.1>10.0.0.2 id 1 offset 4 proto 17 "
	     "payload 16");
	expect_sent("z");
	later(0, 'b', 2, 4, 16, true);
	ck_assert_uint_eq(n_waiting(), 1);
	first(0, 'a', 2, 80);
	expect_sent("ab");
	later(0, 'b', 3, 4, 16, true);
	first(0, 'a', 3, 1099);
	expect_sent("");
	ck_assert_uint_eq(drops(0, VSW_DROP_RULE), 2);
}
END_TEST

START_TEST(loses_what_nobody_asks_for)
{
	later(0, 'b', 1, 4, 16, false);
	later(0, 'c', 1, 6, 16, false);
	first(1, 'a', 9, 80);
	/* From the first one that waited on. */
	ck_assert_uint_eq(vsw_worker_idle(worker, now),
			  now - 2000 + FRAGMENT_IDLE_NS);
	now += FRAGMENT_IDLE_NS - 2001;
	vsw_worker_idle(worker, now);
	ck_assert_uint_eq(n_waiting(), 2);
	now++;
	vsw_worker_idle(worker, now);
	ck_assert_uint_eq(n_waiting(), 0);
	ck_assert_uint_eq(drops(0, VSW_DROP_FRAGMENT_LOST), 2);
	ck_assert_uint_eq(n_datagrams(), 1);
	/* Under load nobody idles. */
	now += FRAGMENT_IDLE_NS;
	later(0, 'b', 2, 4, 16, false);
	ck_assert_uint_eq(n_datagrams(), 1);
	expect_sent("a");
	/* Its first comes too late. */
	first(0, 'a', 1, 80);
	expect_sent("a");
}
END_TEST

START_TEST(bounds_a_datagram)
{
	for (unsigned i = 0; i <= FRAGMENT_DATAGRAM_WAITING; i++)
		later(0, 'b', 1, 4 + i, 8, false);
	ck_assert_uint_eq(n_waiting(), FRAGMENT_DATAGRAM_WAITING);
	ck_assert_uint_eq(drops(0, VSW_DROP_FRAGMENT_LIMIT), 1);
	first(0, 'a', 1, 80);
	ck_assert_uint_eq(n_sent, FRAGMENT_DATAGRAM_WAITING + 1);
	ck_assert_int_eq(sent[0], 'a');

	/* Nor is it kept in any number of pieces. */
	for (unsigned i = 0; i <= FRAGMENT_RANGES; i++)
		later(0, 'b', 2, 4 + 2 * i, 8, false);
	ck_assert_uint_eq(n_waiting(), FRAGMENT_RANGES);
	ck_assert_uint_eq(drops(0, VSW_DROP_FRAGMENT_LIMIT), 2);
}
END_TEST

START_TEST(bounds_a_port_and_a_worker)
{
	/* Five ports that want as much as they get. */
	for (unsigned i = 0; i < FRAGMENT_PORT_WAITING + 1; i++)
		for (unsigned port = 0; port < 4; port++)
			later(port, 'b', i, 4, 8, false);
	ck_assert_uint_eq(n_waiting(), FRAGMENT_WAITING);
	for (unsigned port = 0; port < 4; port++)
		ck_assert_uint_eq(drops(port, VSW_DROP_FRAGMENT_LIMIT), 1);
	/* Who holds most gives way, its oldest first. */
	later(5, 'x', 1, 4, 8, true);
	ck_assert_uint_eq(n_waiting(), FRAGMENT_WAITING);
	ck_assert_uint_eq(drops(5, VSW_DROP_FRAGMENT_LIMIT), 0);
	first(5, 'a', 1, 80);
	expect_sent("ax");
	for (unsigned i = 0; i < FRAGMENT_PORT_WAITING; i++)
		later(5, 'b', i + 2, 4, 8, false);
	/* Till all have the same; then it is its own that is too much. */
	ck_assert_uint_eq(n_waiting(), FRAGMENT_WAITING);
	ck_assert_uint_gt(drops(5, VSW_DROP_FRAGMENT_LIMIT),
			  FRAGMENT_PORT_WAITING / 8);
	for (unsigned port = 0; port < 4; port++)
		ck_assert_uint_le(drops(port, VSW_DROP_FRAGMENT_LIMIT),
				  1 + FRAGMENT_PORT_WAITING / 4);
}
END_TEST

START_TEST(bounds_what_is_followed)
{
	first(1, 'a', 1, 80);
	for (unsigned i = 0; i < FRAGMENT_DATAGRAMS; i++)
		first(0, 'a', i, 81);
	ck_assert_uint_eq(n_datagrams(), FRAGMENT_DATAGRAMS);
	/* Another port's is not what gave way. */
	later(1, 'b', 1, 4, 16, true);
	expect_sent("ab");
	/* What did was the oldest: nobody knows its first any more. */
	later(0, 'b', 0, 4, 16, true);
	ck_assert_uint_eq(n_waiting(), 1);
	later(0, 'b', FRAGMENT_DATAGRAMS - 1, 4, 16, true);
	ck_assert_uint_eq(n_waiting(), 1);
}
END_TEST

/* RFC 5722, section 3. */
START_TEST(drops_what_overlaps)
{
	first6('a', 1, 80);
	later6('b', 1, 4, 16, false);
	later6('c', 1, 5, 8, false);	/* Seen: it alone. */
	expect_sent("ab");
	ck_assert_uint_eq(drops(0, VSW_DROP_FRAGMENT_OVERLAP), 1);
	later6('d', 1, 5, 16, false);	/* In part: everything. */
	later6('e', 1, 8, 16, false);
	first6('f', 1, 80);
	expect_sent("");
	ck_assert_uint_eq(drops(0, VSW_DROP_FRAGMENT_OVERLAP), 4);

	/* What waits goes with it. */
	later6('b', 2, 4, 16, false);
	later6('c', 2, 7, 16, false);
	later6('d', 2, 5, 16, false);
	ck_assert_uint_eq(n_waiting(), 0);
	first6('a', 2, 80);
	expect_sent("");
	ck_assert_uint_eq(drops(0, VSW_DROP_FRAGMENT_OVERLAP), 8);

	/* An end that has something behind it. */
	first6('a', 3, 80);
	later6('b', 3, 8, 16, false);
	later6('c', 3, 6, 8, true);
	expect_sent("ab");
	first6('a', 4, 80);
	later6('b', 4, 8, 16, true);
	later6('c', 4, 10, 16, false);
	expect_sent("ab");
	/* Two ends. */
	first6('a', 5, 80);
	later6('b', 5, 8, 16, true);
	later6('c', 5, 5, 8, true);
	expect_sent("ab");
	ck_assert_uint_eq(drops(0, VSW_DROP_FRAGMENT_OVERLAP), 11);
}
END_TEST

/* Identifications of IPv4 come around. */
START_TEST(begins_anew_with_a_first)
{
	first(0, 'a', 1, 81);
	first(0, 'b', 1, 80);
	later(0, 'c', 1, 4, 16, true);
	expect_sent("bc");
	ck_assert_uint_eq(n_datagrams(), 0);
	/* Spoilt, and then used again. */
	later(0, 'c', 2, 5, 16, false);
	later(0, 'd', 2, 4, 16, false);
	ck_assert_uint_eq(drops(0, VSW_DROP_FRAGMENT_OVERLAP), 2);
	first(0, 'a', 2, 80);
	later(0, 'b', 2, 4, 16, true);
	expect_sent("ab");
	ck_assert_uint_eq(n_datagrams(), 0);
}
END_TEST

START_TEST(takes_pieces_in_any_order)
{
	uint64_t random = 7;
	unsigned long n = 0;

	for (unsigned id = 1; id < 400; id++) {
		unsigned order[9], n_pieces = 2 + rig_random(&random) % 8;

		for (unsigned i = 0; i < n_pieces; i++) {
			unsigned j = rig_random(&random) % (i + 1);

			order[i] = order[j];
			order[j] = i;
		}
		for (unsigned i = 0; i < n_pieces; i++) {
			if (order[i])
				later(0, '0' + order[i], id,
				      4 + (order[i] - 1) * 3, 24,
				      order[i] == n_pieces - 1);
			else
				first(0, '0', id, 80);
		}
		ck_assert_uint_eq(n_sent, n_pieces);
		ck_assert_uint_eq(n_datagrams(), 0);
		ck_assert_uint_eq(n_waiting(), 0);
		n += n_sent;
		n_sent = 0;
	}
	ck_assert_uint_gt(n, 1000);
}
END_TEST

START_TEST(refuses_what_is_no_piece)
{
	later(0, 'b', 1, 4, 15, false);		/* No whole units. */
	later(0, 'b', 1, 4, 0, true);		/* Nothing. */
	later(0, 'b', 1, 0x1fff, 16, true);	/* Behind 64 KiB. */
	later6('b', 1, 4, 15, false);
	later6('b', 1, 4, 0, true);
	later6('b', 1, 0x1fff, 16, true);
	first(0, 'a', 1, 80);
	give(0, 'a', "eth 1>2 ip 10.0.0.1>10.0.0.2 id 2 mf udp 7>80 len 99 "
	     "payload 23");
	expect_sent("a");
	ck_assert_uint_eq(drops(0, VSW_DROP_BAD_HEADER), 7);
	/* RFC 1858, section 3.2.2: flags must not be laid over; RFC 3128: nor
	 * may they come later. */
	give(0, 'b', "eth 1>2 ip 10.0.0.1>10.0.0.2 id 3 offset 1 proto 6 "
	     "payload 16");
	ck_assert_uint_eq(drops(0, VSW_DROP_BAD_HEADER), 8);
	give(0, 'b', "eth 1>2 ip 10.0.0.1>10.0.0.2 id 3 mf proto 6 "
	     "payload 16");
	ck_assert_uint_eq(drops(0, VSW_DROP_SHORT), 1);
}
END_TEST

START_TEST(keeps_datagrams_apart)
{
	/* Another port's, protocol's, tag's or tunnel's of the same number. */
	first(0, 'a', 1, 80);
	later(1, 'b', 1, 4, 16, true);
	give(0, 'b', "eth 1>2 ip 10.0.0.1>10.0.0.2 id 1 offset 4 proto 6 "
	     "payload 16");
	give(0, 'b', "eth 1>2 vlan 5 ip 10.0.0.1>10.0.0.2 id 1 offset 4 "
	     "proto 17 payload 16");
	expect_sent("a");
	ck_assert_uint_eq(n_waiting(), 3);
	for (unsigned vni = 1; vni < 3; vni++)
		give(TUNNEL, '0' + vni, "tunnel vxlan %u 1.1.1.1>1.1.1.2 "
		     "eth 1>2 ip 10.0.0.1>10.0.0.2 id 1 mf udp 7>%u len 500 "
		     "payload 24", vni, 79 + vni);
	for (unsigned vni = 1; vni < 3; vni++)
		give(TUNNEL, 'a' + vni, "tunnel vxlan %u 1.1.1.1>1.1.1.2 "
		     "eth 1>2 ip 10.0.0.1>10.0.0.2 id 1 offset 4 proto 17 "
		     "payload 24", vni);
	expect_sent("1b");
	ck_assert_uint_eq(drops(TUNNEL, VSW_DROP_RULE), 2);
}
END_TEST

START_TEST(follows_into_a_tunnel)
{
	/* What waited has lost its outer side, and keeps what it said. */
	give(TUNNEL, 'b', "tunnel vxlan 5 1.1.1.1>1.1.1.2 eth 1>2 "
	     "ip 10.0.0.1>10.0.0.2 id 1 offset 4 proto 17 payload 24");
	ck_assert_uint_eq(n_waiting(), 1);
	give(TUNNEL, 'a', "tunnel vxlan 5 1.1.1.1>1.1.1.2 eth 1>2 "
	     "ip 10.0.0.1>10.0.0.2 id 1 mf udp 7>80 len 500 payload 24");
	expect_sent("ab");
}
END_TEST

START_TEST(asks_the_first_what_follows)
{
	/* Behind destination options nobody but the first one knows. */
	give(0, 'b', "eth 1>2 ip fd::1>fd::2 ext fragment 5 id 7 ext dest "
	     "payload 8");
	ck_assert_uint_eq(n_waiting(), 1);
	give(0, 'a', "eth 1>2 ip fd::1>fd::2 ext fragment 0 id 7 mf ext dest "
	     "udp 7>80 len 500 payload 24");
	expect_sent("ab");
	/* The protocol is the first one's, whatever a later one says. */
	give(0, 'a', "eth 1>2 ip fd::1>fd::2 ext fragment 0 id 8 mf "
	     "nvgre 5 eth 1>2 payload 10");
	later6('b', 8, 4, 16, true);
	ck_assert_uint_eq(drops(0, VSW_DROP_RULE), 2);
}
END_TEST

START_TEST(obeys_the_policy_of_its_time)
{
	later(0, 'b', 1, 4, 16, true);
	use(new_program(false, 81));
	first(0, 'a', 1, 81);
	expect_sent("ab");
	/* Known ports, and a new policy between the two. */
	first(0, 'a', 2, 81);
	use(new_program(false, 80));
	later(0, 'b', 2, 4, 16, true);
	expect_sent("a");
	ck_assert_uint_eq(drops(0, VSW_DROP_RULE), 1);
	/* Ports that suddenly matter. */
	use(new_program(true, 80));
	later(0, 'b', 3, 4, 16, true);
	ck_assert_uint_eq(n_waiting(), 1);
}
END_TEST

START_TEST(forgets_removed_ports)
{
	uint32_t number = ports[1]->number;
	struct vsw_program *program = new_program(false, 80);

	later(1, 'b', 1, 4, 16, true);
	first(1, 'a', 2, 80);
	vsw_port_remove(ports[1]);
	add_port(1);
	ck_assert_int_eq(vsw_port_set_program(ports[1], program), 0);
	vsw_program_unref(program);
	ck_assert_uint_eq(ports[1]->number, number);
	/* Neither what waited nor what was known is the new port's. */
	first(1, 'c', 1, 80);
	expect_sent("ac");
	later(1, 'd', 2, 4, 16, true);
	expect_sent("");
	ck_assert_uint_eq(n_waiting(), 1);
	/* And one that nobody takes the number of. */
	vsw_port_remove(ports[1]);
	now += FRAGMENT_IDLE_NS;
	vsw_worker_idle(worker, now);
	ck_assert_uint_eq(n_waiting(), 0);
	ck_assert_uint_eq(n_datagrams(), 0);
	add_port(1);
}
END_TEST

START_TEST(follows_what_is_resumed)
{
	struct vsw_packet *p;

	first(0, 'a', 1, 80);
	later(0, 'b', 1, 4, 16, true);
	p = packet_of('c', "eth 1>2 ip 10.0.0.1>10.0.0.2 id 1 offset 4 "
		      "proto 17 payload 16");
	vsw_worker_resume(worker, ports[0], &p, 1, now);
	ck_assert_uint_eq(n_waiting(), 1);
	p = packet_of('d', "eth 1>2 ip 10.0.0.1>10.0.0.2 id 1 mf udp 7>80 "
		      "len 500 payload 24");
	vsw_worker_resume(worker, ports[0], &p, 1, now);
	expect_sent("abdc");
}
END_TEST

/* A device may take what it reads into the largest packets there are. */
START_TEST(holds_no_more_than_it_needs)
{
	struct vsw_packet *p = vsw_packet_new(worker, VSW_PACKET_MAX);
	size_t before;

	first(0, 'a', 9, 80);
	frame_must_make(&frame, "eth 1>2 ip 10.0.0.1>10.0.0.2 id 1 offset 4 "
			"proto 17 payload 16");
	memcpy(p->data, frame.bytes, frame.size);
	vsw_packet_trim(p, frame.size);
	p->data[frame.size - 1] = 'b';
	before = packet_pool_n_used(worker->pool);
	vsw_worker_receive(worker, ports[0], &p, 1, now);
	ck_assert_uint_eq(n_waiting(), 1);
	ck_assert_uint_eq(packet_pool_n_used(worker->pool), before);
	/* The large one is free again. */
	ck_assert_ptr_eq(p, vsw_packet_new(worker, VSW_PACKET_MAX));
	vsw_packet_free(p);
	first(0, 'a', 1, 80);
	expect_sent("aab");
}
END_TEST

/* As far as it gets: what there is no memory for is dropped as such. */
START_TEST(survives_lack_of_memory)
{
	unsigned long n = 0, n_failed;

	do {
		struct vsw_packet *p[2] = {
			packet_of('b', "eth 1>2 ip 10.0.0.1>10.0.0.2 id 1 "
				  "offset 4 proto 17 payload 16"),
			packet_of('a', "eth 1>2 ip 10.0.0.1>10.0.0.2 id 1 mf "
				  "udp 7>80 len 500 payload 24")
		};
		uint64_t before = drops(0, VSW_DROP_NO_MEMORY);

		memory.n_calls = 0;
		memory.n_failed = 0;
		memory.fail_at = ++n;
		vsw_worker_receive(worker, ports[0], &p[0], 1, now);
		vsw_worker_receive(worker, ports[0], &p[1], 1, now);
		memory.fail_at = 0;
		n_failed = memory.n_failed;
		if (n_failed)
			ck_assert_uint_gt(drops(0, VSW_DROP_NO_MEMORY),
					  before);
		ck_assert_uint_eq(n_waiting(), 0);
		if (!n_failed)
			expect_sent("ab");
		n_sent = 0;
		/* From the beginning. */
		now += FRAGMENT_IDLE_NS;
		vsw_worker_idle(worker, now);
		vsw_worker_free(worker);
		ck_assert_int_eq(vsw_worker_new(vsw, &worker), 0);
	} while (n_failed);
	ck_assert_uint_gt(n, 5);
}
END_TEST

START_TEST(frees_what_still_waits)
{
	later(0, 'b', 1, 4, 16, true);
	later(0, 'b', 2, 4, 16, true);
	ck_assert_uint_eq(n_waiting(), 2);
}
END_TEST

/* Against a list that is searched. */
START_TEST(ranks)
{
	const struct vsw_allocator allocator = rig_allocator(&memory);
	uint32_t n[50] = { 0 };
	uint64_t random = 3;
	struct ranking r;

	ck_assert_int_eq(ranking_init(&r, &allocator, 50), 0);
	for (unsigned i = 0; i < 20000; i++) {
		uint32_t who = rig_random(&random) % 50, most = 0;
		int32_t by = (int32_t) (rig_random(&random) % 9);

		if (rig_random(&random) % 2)
			by = -(int32_t) (n[who] ? (uint32_t) by % n[who] : 0);
		n[who] += (uint32_t) by;
		ranking_add(&r, who, by);
		for (uint32_t j = 0; j < 50; j++) {
			ck_assert_uint_eq(ranking_of(&r, j), n[j]);
			if (n[j] > most)
				most = n[j];
		}
		ck_assert_uint_eq(n[ranking_first(&r)], most);
	}
	ranking_done(&r, &allocator);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
		lets_later_ones_follow, keeps_early_ones,
		sorts_one_batch_out, asks_only_where_it_matters,
		asks_an_index_too, loses_what_nobody_asks_for,
		bounds_a_datagram, bounds_a_port_and_a_worker,
		bounds_what_is_followed, drops_what_overlaps,
		begins_anew_with_a_first, takes_pieces_in_any_order,
		refuses_what_is_no_piece, keeps_datagrams_apart,
		follows_into_a_tunnel, asks_the_first_what_follows,
		obeys_the_policy_of_its_time, forgets_removed_ports,
		follows_what_is_resumed, holds_no_more_than_it_needs,
		survives_lack_of_memory, frees_what_still_waits, ranks
	};
	Suite *suite = suite_create("fragment");
	TCase *tcase = tcase_create("fragment");
	SRunner *runner;
	int n_failed;

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, setup, teardown);
	for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed != 0;
}
