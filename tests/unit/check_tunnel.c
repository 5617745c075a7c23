/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/datapath/{tunnel,vxlan,nvgre}.c. */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libvswitch/base/wire.h"
#include "libvswitch/datapath/packet.h"
#include "libvswitch/datapath/segment.h"
#include "libvswitch/datapath/tunnel.h"
#include "libvswitch/policy/outer.h"
#include "libvswitch/policy/port.h"
#include "tests/unit/packet_rig.h"
#include "tests/walk/frame.h"

static struct packet_rig rig;
static struct uplink uplink;
static struct vsw_port port;
static struct frame frame;
static struct headers h;

static const struct vsw_addr remote4 = { 4, { 192, 168, 2, 20 } };
static const struct vsw_addr remote6 = { 16, { 0xfd, 1, [15] = 0x20 } };
static const uint8_t next_hop[6] = { 2, 0, 0, 0, 10, 0xfe };

static void
setup(void)
{
	packet_rig_up(&rig);
	memset(&uplink, 0, sizeof uplink);
	uplink.underlay = (struct vsw_underlay) {
		.local_v4 = { 4, { 192, 168, 1, 10 } },
		.local_v6 = { 16, { 0xfd, 1, [15] = 0x10 } },
		.mac = { 2, 0, 0, 0, 10, 1 }, .vxlan_port = 4789, .ttl = 64,
		.mtu = 1500
	};
	shapes_build(&uplink.underlay, &uplink.shapes);
	memset(&port, 0, sizeof port);
	atomic_store(&port.uplink, &uplink);
}

static void
teardown(void)
{
	packet_rig_down(&rig);
}

static struct vsw_packet *
packet_of(const char *text)
{
	struct vsw_packet *p;

	frame_must_make(&frame, "%s", text);
	p = packet_rig_packet(&rig, &frame);
	ck_assert_int_eq(parse_frame(p->data, p->size, &h), PARSE_GOOD);
	return p;
}

static void
swap(uint8_t *a, uint8_t *b, size_t n)
{
	while (n-- > 0) {
		uint8_t byte = a[n];

		a[n] = b[n];
		b[n] = byte;
	}
}

/* What is pushed here and strips there comes out as it went in, whatever the
 * encapsulation, the family, and the tag. */
START_TEST(strips_what_was_pushed)
{
	bool is_v6 = _i & 1, has_vlan = _i & 2;
	uint8_t encap = _i & 4 ? VSW_ENCAP_NVGRE : VSW_ENCAP_VXLAN;
	struct vsw_tunnel tunnel;
	struct vsw_packet *p;
	struct outer outer = { .size = 0 };
	char problem[160];
	size_t l3;

	port.ops.abilities = _i & 8 ? VSW_PORT_CHECKSUM : 0;
	uplink.underlay.vlan = has_vlan ? 7 : 0;
	outer_build(&port, is_v6 ? &remote6 : &remote4, encap, 5001,
		    next_hop, &outer);
	ck_assert_uint_eq(outer.drop, VSW_N_DROPS);
	for (unsigned size = 0; size < 1300; size += 13) {
		char text[160];

		snprintf(text, sizeof text, "eth 1>2 ip 10.0.0.1>10.0.0.2"
			 " tos 0xba tcp 5>6 payload %u", size);
		p = packet_of(text);
		tunnel_describe(&outer, &h, 0x12345678, &tunnel);
		ck_assert_int_eq(tunnel_push(p, &outer, &tunnel), PARSE_GOOD);
		ck_assert_msg(frame_is_sound(p->data, p->size, &p->offload,
					     problem, sizeof problem),
			      "%s", problem);
		if (segment_needed(&p->offload, 0)) {
			ck_assert(is_v6 && encap == VSW_ENCAP_VXLAN);
			ck_assert_uint_eq(port.ops.abilities,
					  VSW_PORT_CHECKSUM);
			ck_assert_int_eq(vsw_packet_finish(NULL, p, &p, 1),
					 1);
			ck_assert(frame_is_sound(p->data, p->size, NULL,
						 problem, sizeof problem));
		}

		/* On the other side source and destination change places. */
		l3 = has_vlan ? 18 : 14;
		swap(p->data, p->data + 6, 6);
		if (is_v6)
			swap(p->data + l3 + 8, p->data + l3 + 24, 16);
		else
			swap(p->data + l3 + 12, p->data + l3 + 16, 4);
		p->offload.checksum = VSW_CHECKSUM_UNKNOWN;
		ck_assert_int_eq(parse_frame(p->data, p->size, &h),
				 PARSE_GOOD);
		ck_assert(tunnel_is_ours(&uplink, &h));
		ck_assert_int_eq(tunnel_strip(p, &h), PARSE_GOOD);
		ck_assert(frame_matches(&frame, p->data, p->size));
		ck_assert_uint_eq(p->tunnel.vni, 5001);
		ck_assert_uint_eq(p->tunnel.encap, encap);
		ck_assert_uint_eq(p->tunnel.tos, 0xba);
		ck_assert_mem_eq(&p->tunnel.src, is_v6 ? &remote6 : &remote4,
				 sizeof p->tunnel.src);
		if (encap == VSW_ENCAP_NVGRE)
			ck_assert_uint_eq(p->tunnel.flow_id, tunnel.flow_id);
		vsw_packet_free(p);
	}
}
END_TEST

static bool
strips(struct vsw_packet *p)
{
	return parse_frame(p->data, p->size, &h) == PARSE_GOOD
	       && tunnel_is_ours(&uplink, &h)
	       && tunnel_strip(p, &h) == PARSE_GOOD;
}

static void
damage(struct vsw_packet *p, unsigned i, uint64_t *random)
{
	for (unsigned n = rig_random(random) % 4; n; n--)
		p->data[rig_random(random) % 80]
			= (uint8_t) rig_random(random);
	for (unsigned n = rig_random(random) % 2; n; n--)
		p->data[rig_random(random) % 80]
			^= (uint8_t) (1u << rig_random(random) % 8);
	if (i % 4 == 0)
		p->size -= rig_random(random) % p->size;
	p->offload.checksum = (uint8_t) (rig_random(random) % 8 / 5);
	if (i % 16 == 0)
		p->offload.checksum = VSW_CHECKSUM_PARTIAL;
	if (i % 32 == 0)
		p->offload.segment_kind = VSW_SEGMENT_TCP4;
}

/* The short way comes to the same as the long one, or leaves it to it. */
START_TEST(takes_as_it_strips)
{
	static const char *const frames[] = {
		"ip 192.168.2.20>192.168.1.10 udp 5>4789 nosum vxlan 5001",
		"ip 192.168.2.20>192.168.1.10 tos 2 udp 5>4789 vxlan 5001",
		"ip fd01::20>fd01::10 tos 0x21 udp 5>4789 vxlan 5001",
		"ip fd01::20>fd01::10 udp 5>4789 nosum vxlan 5001",
		"ip 192.168.2.20>192.168.1.10 nvgre 5001",
		"ip fd01::20>fd01::10 nvgre 5001"
	};
	unsigned n_taken = 0, n_stripped = 0;
	uint64_t random = (uint64_t) _i + 1;

	uplink.underlay.vlan = _i & 1 ? 7 : 0;
	if (_i & 2)
		memset(uplink.underlay.mac, 0, 6);
	shapes_build(&uplink.underlay, &uplink.shapes);
	for (unsigned i = 0; i < 60000; i++) {
		struct vsw_packet *p, *copy;
		bool is_taken;

		if (i % 1000 == 0)
			frame_must_make(&frame, "eth a:fe>a:1 %s%s eth 2>1 ip"
					" 10.1.1.12>10.1.1.11 udp 5>6 payload"
					" %u", _i & 1 ? "vlan 7 " : "",
					frames[i / 1000 % 6], i / 6000);
		p = packet_new(rig.pool, frame.size);
		memcpy(p->data, frame.bytes, frame.size);
		if (i % 1000)
			damage(p, i, &random);
		copy = packet_clone(p);
		is_taken = tunnel_take(&uplink, p);
		if (i % 1000 == 0)
			ck_assert(is_taken);
		if (is_taken) {
			n_taken++;
			ck_assert(strips(copy));
			ck_assert_mem_eq(&p->offload, &copy->offload,
					 sizeof p->offload);
			ck_assert_mem_eq(&p->tunnel, &copy->tunnel,
					 sizeof p->tunnel);
		} else {
			ck_assert_uint_eq(p->size, copy->size);
			ck_assert_mem_eq(p->data, copy->data, p->size);
			n_stripped += strips(copy);
		}
		if (is_taken) {
			ck_assert_uint_eq(p->size, copy->size);
			ck_assert_mem_eq(p->data, copy->data, p->size);
		}
		vsw_packet_free(p);
		vsw_packet_free(copy);
	}
	ck_assert_uint_gt(n_taken, 10000);
	ck_assert_uint_gt(n_stripped, 20);
	ck_assert_uint_lt(n_stripped, n_taken / 4);
}
END_TEST

START_TEST(chooses_source_ports_by_flow)
{
	struct outer outer = { .size = 0 };
	bool seen[16384] = { false };
	unsigned n_seen = 0;
	uint64_t random = 5;

	outer_build(&port, &remote4, VSW_ENCAP_VXLAN, 5001, next_hop, &outer);
	for (unsigned i = 0; i < 20000; i++) {
		uint32_t hash = rig_random(&random) * 2654435761u;
		uint16_t ports[2];

		for (unsigned turn = 0; turn < 2; turn++) {
			struct vsw_packet *p = packet_of("eth 1>2");
			struct vsw_tunnel tunnel;

			tunnel_describe(&outer, &h, hash, &tunnel);
			ck_assert_int_eq(tunnel_push(p, &outer, &tunnel),
					 PARSE_GOOD);
			ports[turn] = get_be16(p->data + 34);
			vsw_packet_free(p);
		}
		ck_assert_uint_eq(ports[0], ports[1]);
		ck_assert_uint_ge(ports[0], 49152);
		n_seen += !seen[ports[0] - 49152];
		seen[ports[0] - 49152] = true;
	}
	ck_assert_uint_gt(n_seen, 10000);
}
END_TEST

START_TEST(refuses_to_push)
{
	struct outer outer = { .size = 0 };
	struct vsw_tunnel tunnel;
	struct vsw_packet *p;

	outer_build(&port, &remote4, VSW_ENCAP_VXLAN, 5001, next_hop, &outer);
	p = packet_of("eth 1>2 ip 10.0.0.1>10.0.0.2 tcp 5>6 payload 1410");
	tunnel_describe(&outer, &h, 1, &tunnel);
	ck_assert_uint_eq(p->size, outer.max_size);
	ck_assert_int_eq(tunnel_push(p, &outer, &tunnel), PARSE_GOOD);
	ck_assert_uint_eq(p->size, 1514);
	vsw_packet_free(p);

	/* No MTU, but no more than an IP packet can be. */
	uplink.underlay.mtu = 0;
	outer_build(&port, &remote4, VSW_ENCAP_VXLAN, 5001, next_hop, &outer);
	p = packet_of("eth 1>2 type 0x88cc payload 65485");
	ck_assert_uint_eq(p->size, outer.max_size);
	ck_assert_int_eq(tunnel_push(p, &outer, &tunnel), PARSE_GOOD);
	vsw_packet_free(p);

	p = packet_of("eth 1>2");
	while (vsw_packet_push(p, 1))
		continue;
	ck_assert_int_eq(tunnel_push(p, &outer, &tunnel), VSW_DROP_NO_ROOM);
	vsw_packet_free(p);
}
END_TEST

/* RFC 6040, figure 4: outer mark by inner mark; -1: dropped. */
START_TEST(combines_congestion_marks)
{
	static const int figure[4][4] = {
		/* inner:      00  01  10  11 */
		/* outer 00 */ { 0, 1, 2, 3 },
		/* outer 01 */ { 0, 1, 1, 3 },
		/* outer 10 */ { 0, 1, 2, 3 },
		/* outer 11 */ { -1, 3, 3, 3 },
	};
	char text[160], problem[160];

	for (int outer = 0; outer < 4; outer++)
		for (int inner = 0; inner < 4; inner++)
			for (int v6 = 0; v6 < 2; v6++) {
				struct vsw_packet *p;
				int result;

				snprintf(text, sizeof text, "tunnel vxlan 9"
					 " 1.1.1.1>2.2.2.2 tos %d eth 1>2"
					 " ip %s tos %d tcp 1>2",
					 outer | 0xb8,
					 v6 ? "fd00::1>fd00::2"
					 : "10.0.0.1>10.0.0.2", inner | 0x40);
				p = packet_of(text);
				result = tunnel_accept(&p->tunnel, p->data,
						       &h);
				if (figure[outer][inner] < 0) {
					ck_assert_int_eq(result,
							 VSW_DROP_BAD_TUNNEL);
					vsw_packet_free(p);
					continue;
				}
				ck_assert_int_eq(result, PARSE_GOOD);
				ck_assert_int_eq(h.tos, figure[outer][inner]
						 | 0x40);
				ck_assert(frame_is_sound(p->data, p->size,
							 NULL, problem,
							 sizeof problem));
				parse_frame(p->data, p->size, &h);
				ck_assert_int_eq(h.tos, figure[outer][inner]
						 | 0x40);
				vsw_packet_free(p);
			}
}
END_TEST

START_TEST(hands_offload_in)
{
	static const char outer[] = "eth a:fe>a:1"
		" ip 192.168.2.20>192.168.1.10 udp 50000>4789";
	char text[300];
	struct vsw_packet *p;

	/* The inner packet's state moves with its bytes. */
	snprintf(text, sizeof text, "segments 500 %s nosum vxlan 5001 eth 2>1"
		 " ip 10.0.0.1>10.0.0.2 tcp 1>2 partial payload 1200", outer);
	p = packet_of(text);
	p->offload.segment_kind = VSW_SEGMENT_TCP4;
	ck_assert_int_eq(tunnel_strip(p, &h), PARSE_GOOD);
	ck_assert_uint_eq(p->offload.checksum_start, 34);
	ck_assert_uint_eq(p->offload.segment_size, 500);
	ck_assert_int_eq(parse_frame(p->data, p->size, &h), PARSE_GOOD);
	ck_assert(parse_offload(&h, &p->offload, p->size));
	vsw_packet_free(p);

	/* The outer one's goes with its header. */
	snprintf(text, sizeof text, "%s partial vxlan 5001 eth 2>1"
		 " ip 10.0.0.1>10.0.0.2 tcp 1>2", outer);
	p = packet_of(text);
	ck_assert_int_eq(tunnel_strip(p, &h), PARSE_GOOD);
	ck_assert_uint_eq(p->offload.checksum, VSW_CHECKSUM_UNKNOWN);
	vsw_packet_free(p);

	/* Several tunnel packets in one cannot be told apart. */
	snprintf(text, sizeof text, "segments 90 %s partial vxlan 5001"
		 " eth 2>1 ip 10.0.0.1>10.0.0.2 tcp 1>2 payload 90", outer);
	p = packet_of(text);
	ck_assert_int_eq(tunnel_strip(p, &h), VSW_DROP_BAD_OFFLOAD);
	vsw_packet_free(p);
}
END_TEST

START_TEST(knows_its_own)
{
	static const struct {
		const char *text;
		bool is_ours;
	} frames[] = {
		{ "eth a:fe>a:1 ip 1.2.3.4>192.168.1.10 udp 1>4789 vxlan 1",
		  true },
		{ "eth a:fe>a:1 ip 1.2.3.4>192.168.1.10 udp 4789>1", false },
		{ "eth a:fe>a:1 ip 1.2.3.4>192.168.1.11 udp 1>4789", false },
		{ "eth a:fe>a:2 ip 1.2.3.4>192.168.1.10 udp 1>4789", false },
		{ "eth a:fe>a:1 vlan 7 ip 1.2.3.4>192.168.1.10 udp 1>4789",
		  false },
		{ "eth a:fe>a:1 ip 1.2.3.4>192.168.1.10 nvgre 1", true },
		{ "eth a:fe>a:1 ip fd01::1>fd01::10 nvgre 1", true },
		{ "eth a:fe>a:1 ip fd01::1>fd01::11 nvgre 1", false },
		{ "eth a:fe>a:1 ip 1.2.3.4>192.168.1.10 offset 9 proto 17"
		  " payload 30", false },
		{ "eth a:fe>a:1 ip 1.2.3.4>192.168.1.10 tcp 1>4789", false },
		{ "eth a:fe>broadcast arp request 1.2.3.4>192.168.1.10",
		  false },
	};

	for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
		frame_must_make(&frame, "%s", frames[i].text);
		ck_assert_int_eq(parse_frame(frame.bytes, frame.size, &h),
				 PARSE_GOOD);
		ck_assert_msg(tunnel_is_ours(&uplink, &h)
			      == frames[i].is_ours, "%s", frames[i].text);
	}
	/* Without an address of the family nothing is. */
	uplink.underlay.local_v6.n = 0;
	frame_must_make(&frame, "eth a:fe>a:1 ip fd01::1>fd01::10 nvgre 1");
	parse_frame(frame.bytes, frame.size, &h);
	ck_assert(!tunnel_is_ours(&uplink, &h));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tunnel");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_loop_test(all, strips_what_was_pushed, 0, 16);
	tcase_add_loop_test(all, takes_as_it_strips, 0, 4);
	tcase_add_test(all, chooses_source_ports_by_flow);
	tcase_add_test(all, refuses_to_push);
	tcase_add_test(all, combines_congestion_marks);
	tcase_add_test(all, hands_offload_in);
	tcase_add_test(all, knows_its_own);
	suite_add_tcase(suite, all);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
