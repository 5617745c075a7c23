/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/datapath/parse.c. */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libvswitch/base/wire.h"
#include "libvswitch/datapath/parse.h"
#include "tests/unit/rig.h"
#include "tests/walk/frame.h"

#define ETH "eth 1>2 "

static struct frame frame;
static struct headers h;

/* In memory of exactly its size, so that a sanitizer sees more. */
static int
parse(const char *text)
{
	uint8_t *bytes;
	int result;

	frame_must_make(&frame, "%s", text);
	bytes = malloc(frame.size ? frame.size : 1);
	memcpy(bytes, frame.bytes, frame.size);
	result = parse_frame(bytes, frame.size, &h);
	free(bytes);
	return result;
}

static const struct {
	const char *text;
	uint16_t l4, payload, l4_src, l4_dst;
	uint8_t proto, has;
} good[] = {
	{ ETH "ip 10.1.1.11>10.1.1.12 udp 1000>2000 payload 5",
	  34, 42, 1000, 2000, 17, FLOW_HAS_IPV4 | FLOW_HAS_L4 },
	{ ETH "vlan 7 ip 10.1.1.11>10.1.1.12 udp 1000>2000 payload 5",
	  38, 46, 1000, 2000, 17, FLOW_HAS_IPV4 | FLOW_HAS_L4 },
	{ ETH "ip 10.1.1.11>10.1.1.12 options 40 tcp 1>65535 options 40",
	  74, 134, 1, 65535, 6, FLOW_HAS_IPV4 | FLOW_HAS_L4 },
	{ ETH "ip 10.1.1.11>10.1.1.12 icmp 8/0",
	  34, 42, 8, 0, 1, FLOW_HAS_IPV4 | FLOW_HAS_L4 },
	{ ETH "ip 10.1.1.11>10.1.1.12 sctp 5>6",
	  34, 46, 5, 6, 132, FLOW_HAS_IPV4 | FLOW_HAS_L4 },
	{ ETH "ip fd00::1>fd00::2 tcp 1000>2000",
	  54, 74, 1000, 2000, 6, FLOW_HAS_IPV6 | FLOW_HAS_L4 },
	{ ETH "ip fd00::1>fd00::2 icmp6 135/0 payload 16",
	  54, 62, 135, 0, 58, FLOW_HAS_IPV6 | FLOW_HAS_L4 },
	{ ETH "ip fd00::1>fd00::2 ext hop ext dest 2 ext routing 1 ext ah"
	  " ext dest udp 53>53",
	  54 + 8 + 24 + 16 + 24 + 8, 54 + 8 + 24 + 16 + 24 + 16, 53, 53, 17,
	  FLOW_HAS_IPV6 | FLOW_HAS_L4 },
	/* An atomic fragment is a whole packet. */
	{ ETH "ip fd00::1>fd00::2 ext fragment 0 udp 53>54",
	  62, 70, 53, 54, 17, FLOW_HAS_IPV6 | FLOW_HAS_L4 },
	/* ESP, no next header, and a protocol that nobody knows. */
	{ ETH "ip fd00::1>fd00::2 proto 50 payload 40",
	  54, HEADER_NONE, 0, 0, 50, FLOW_HAS_IPV6 },
	{ ETH "ip fd00::1>fd00::2", 54, HEADER_NONE, 0, 0, 59,
	  FLOW_HAS_IPV6 },
	{ ETH "ip 10.1.1.11>10.1.1.12 proto 99 payload 40",
	  34, HEADER_NONE, 0, 0, 99, FLOW_HAS_IPV4 },
	/* ICMPv6 over IPv4 and ICMP over IPv6 have no type and code. */
	{ ETH "ip 10.1.1.11>10.1.1.12 proto 58 payload 40",
	  34, HEADER_NONE, 0, 0, 58, FLOW_HAS_IPV4 },
	{ ETH "ip fd00::1>fd00::2 proto 1 payload 40",
	  54, HEADER_NONE, 0, 0, 1, FLOW_HAS_IPV6 },
};

START_TEST(finds_headers)
{
	ck_assert_int_eq(parse(good[_i].text), PARSE_GOOD);
	ck_assert_uint_eq(h.l4, good[_i].l4);
	ck_assert_uint_eq(h.payload, good[_i].payload);
	ck_assert_uint_eq(h.key.l4_src, good[_i].l4_src);
	ck_assert_uint_eq(h.key.l4_dst, good[_i].l4_dst);
	ck_assert_uint_eq(h.key.ip_proto, good[_i].proto);
	ck_assert_uint_eq(h.key.has, good[_i].has);
	ck_assert_uint_eq(h.l3_end, frame.size);
	ck_assert_uint_eq(h.key.fragment, VSW_FRAGMENT_NONE);
	ck_assert_uint_eq(h.ttl, 64);
	ck_assert_uint_eq(h.key.in_port, 0);
	ck_assert_uint_eq(h.key.vni, 0);
}
END_TEST

/* Each shorter frame is refused, by the right name, and read no further. */
START_TEST(refuses_every_cut_frame)
{
	size_t whole;
	char text[512];

	ck_assert_int_eq(parse(good[_i].text), PARSE_GOOD);
	whole = frame.size;
	for (size_t size = 0; size < whole; size++) {
		int result;

		snprintf(text, sizeof text, "%s cut %zu", good[_i].text, size);
		result = parse(text);
		ck_assert_int_ne(result, PARSE_GOOD);
		ck_assert(result == VSW_DROP_SHORT
			  || result == VSW_DROP_BAD_HEADER);
		if (size < 34)
			ck_assert_int_eq(result, VSW_DROP_SHORT);
	}
}
END_TEST

static const struct {
	const char *text;
	int drop;
} bad[] = {
	{ ETH "ip 1.2.3.4>5.6.7.8 version 6 udp 1>2", VSW_DROP_BAD_HEADER },
	{ ETH "ip 1.2.3.4>5.6.7.8 ihl 4 udp 1>2", VSW_DROP_BAD_HEADER },
	/* CVE-2016-10377: total length below the header's. */
	{ ETH "ip 1.2.3.4>5.6.7.8 len 19 udp 1>2", VSW_DROP_BAD_HEADER },
	{ ETH "ip 1.2.3.4>5.6.7.8 len 0 udp 1>2", VSW_DROP_BAD_HEADER },
	{ ETH "ip 1.2.3.4>5.6.7.8 options 8 len 27 udp 1>2",
	  VSW_DROP_BAD_HEADER },
	{ ETH "ip 1.2.3.4>5.6.7.8 len 29 udp 1>2", VSW_DROP_BAD_HEADER },
	{ ETH "ip 1.2.3.4>5.6.7.8 len 65535 udp 1>2", VSW_DROP_BAD_HEADER },
	/* The rest of the frame must not pass for a header. */
	{ ETH "ip 1.2.3.4>5.6.7.8 len 27 udp 1>2", VSW_DROP_SHORT },
	{ ETH "ip 1.2.3.4>5.6.7.8 len 39 tcp 1>2 payload 60",
	  VSW_DROP_SHORT },
	{ ETH "ip 1.2.3.4>5.6.7.8 len 27 icmp 8/0 pad 30", VSW_DROP_SHORT },
	{ ETH "ip 1.2.3.4>5.6.7.8 len 31 sctp 1>2", VSW_DROP_SHORT },
	{ ETH "ip 1.2.3.4>5.6.7.8 udp 1>2 len 7", VSW_DROP_BAD_HEADER },
	{ ETH "ip 1.2.3.4>5.6.7.8 udp 1>2 len 0", VSW_DROP_BAD_HEADER },
	{ ETH "ip 1.2.3.4>5.6.7.8 udp 1>2 len 9 pad 20",
	  VSW_DROP_BAD_HEADER },
	{ ETH "ip 1.2.3.4>5.6.7.8 tcp 1>2 offset 4", VSW_DROP_BAD_HEADER },
	{ ETH "ip 1.2.3.4>5.6.7.8 tcp 1>2 offset 6", VSW_DROP_SHORT },
	/* RFC 1858: ports in the first fragment, none laid over them. */
	{ ETH "ip 1.2.3.4>5.6.7.8 len 28 mf tcp 1>2 cut 42",
	  VSW_DROP_SHORT },
	{ ETH "ip 1.2.3.4>5.6.7.8 mf proto 6 payload 8", VSW_DROP_SHORT },
	{ ETH "ip 1.2.3.4>5.6.7.8 offset 1 proto 6 payload 60",
	  VSW_DROP_BAD_HEADER },
	{ ETH "ip fd00::1>fd00::2 version 4 udp 1>2", VSW_DROP_BAD_HEADER },
	{ ETH "ip fd00::1>fd00::2 len 9 udp 1>2", VSW_DROP_BAD_HEADER },
	{ ETH "ip fd00::1>fd00::2 len 7 udp 1>2", VSW_DROP_SHORT },
	/* A jumbogram says 0. */
	{ ETH "ip fd00::1>fd00::2 len 0 ext hop udp 1>2", VSW_DROP_SHORT },
	{ ETH "ip fd00::1>fd00::2 ext dest ext hop udp 1>2",
	  VSW_DROP_BAD_HEADER },
	{ ETH "ip fd00::1>fd00::2 ext fragment 0 mf ext fragment 0 mf"
	  " udp 1>2", VSW_DROP_BAD_HEADER },
	{ ETH "ip fd00::1>fd00::2 ext dest ext dest ext dest ext dest"
	  " ext dest ext dest ext dest ext dest ext dest udp 1>2",
	  VSW_DROP_BAD_HEADER },
	{ ETH "ip fd00::1>fd00::2 len 16 ext fragment 0 mf tcp 1>2",
	  VSW_DROP_SHORT },
	{ ETH "ip fd00::1>fd00::2 len 16 ext dest 2", VSW_DROP_SHORT },
	{ ETH "type 0x0806 hex 0001080006040001 payload 19",
	  VSW_DROP_SHORT },
	{ ETH "type 0x0806 hex 00010800060400", VSW_DROP_SHORT },
	{ ETH "vlan 5 cut 16", VSW_DROP_SHORT },
	{ ETH "cut 13", VSW_DROP_SHORT },
};

START_TEST(refuses_what_contradicts_itself)
{
	ck_assert_int_eq(parse(bad[_i].text), bad[_i].drop);
}
END_TEST

START_TEST(reads_addresses_and_macs)
{
	static const uint8_t one[6] = { 2, 0, 0, 0, 0, 1 };

	ck_assert_int_eq(parse("eth 1>2 vlan 0x2fff ip 10.1.1.11>10.1.1.12"
			       " tos 0xb9 ttl 3 tcp 1>2 flags SF"),
			 PARSE_GOOD);
	ck_assert_mem_eq(h.key.eth_src, one, 6);
	ck_assert_uint_eq(h.key.eth_dst[5], 2);
	ck_assert_uint_eq(h.key.vlan, 0x1fff);
	ck_assert_uint_eq(h.key.eth_type, ETH_TYPE_IPV4);
	ck_assert_uint_eq(get_be32(h.key.ip_src), 0x0a01010b);
	ck_assert_uint_eq(get_be32(h.key.ip_dst), 0x0a01010c);
	ck_assert_uint_eq(h.tos, 0xb9);
	ck_assert_uint_eq(h.ttl, 3);
	ck_assert_uint_eq(h.tcp_flags, 3);
	ck_assert_uint_eq(h.l3, 18);

	ck_assert_int_eq(parse(ETH "ip fd00::1>fd00::2 tos 0xb9 ttl 7"),
			 PARSE_GOOD);
	ck_assert_uint_eq(h.key.ip6_src[0], 0xfd);
	ck_assert_uint_eq(h.key.ip6_dst[15], 2);
	ck_assert_uint_eq(h.tos, 0xb9);
	ck_assert_uint_eq(h.ttl, 7);
}
END_TEST

START_TEST(reads_arp)
{
	ck_assert_int_eq(parse("eth 1>broadcast arp request"
			       " 10.1.1.11>10.1.1.12 pad 18"), PARSE_GOOD);
	ck_assert_uint_eq(h.key.has, FLOW_HAS_ARP);
	ck_assert_uint_eq(h.key.ip_proto, ARP_REQUEST);
	ck_assert_uint_eq(get_be32(h.key.ip_src), 0x0a01010b);
	ck_assert_uint_eq(get_be32(h.key.ip_dst), 0x0a01010c);
	ck_assert_uint_eq(h.l3, 14);
	ck_assert_uint_eq(h.l4, HEADER_NONE);
	ck_assert_uint_eq(h.l3_end, 42);

	/* Of another kind: a frame, and nothing that could be looked at. */
	ck_assert_int_eq(parse(ETH "type 0x0806 hex 0006080006040001"
			       " payload 20"), PARSE_GOOD);
	ck_assert_uint_eq(h.key.has, 0);
	ck_assert_uint_eq(h.key.ip_proto, 0);
	ck_assert_int_eq(parse(ETH "type 0x0806 hex 0001080006040101"
			       " payload 20"), PARSE_GOOD);
	ck_assert_uint_eq(h.key.has, 0);
}
END_TEST

START_TEST(lets_other_frames_pass)
{
	/* 802.3, and two tags: the inner one is not looked behind. */
	ck_assert_int_eq(parse(ETH "type 46 payload 46"), PARSE_GOOD);
	ck_assert_uint_eq(h.key.eth_type, 0);
	ck_assert_uint_eq(h.key.has, 0);
	ck_assert_uint_eq(h.l3, HEADER_NONE);
	ck_assert_uint_eq(h.l3_end, 60);

	ck_assert_int_eq(parse(ETH "vlan 5 vlan 6 ip 1.2.3.4>5.6.7.8"
			       " udp 1>2"), PARSE_GOOD);
	ck_assert_uint_eq(h.key.vlan, 0x1005);
	ck_assert_uint_eq(h.key.eth_type, ETH_TYPE_VLAN);
	ck_assert_uint_eq(h.key.has, 0);

	ck_assert_int_eq(parse(ETH "type 0x88a8 hex 00050800 payload 40"),
			 PARSE_GOOD);
	ck_assert_uint_eq(h.key.eth_type, 0x88a8);
	ck_assert_uint_eq(h.key.vlan, 0);
	ck_assert_uint_eq(h.key.has, 0);
}
END_TEST

/* CVE-2020-35498: a decision must not depend on padding, nor padding be taken
 * for payload. */
START_TEST(knows_padding)
{
	struct headers plain;

	ck_assert_int_eq(parse(ETH "ip 1.2.3.4>5.6.7.8 udp 1>2"), PARSE_GOOD);
	plain = h;
	ck_assert_int_eq(parse(ETH "ip 1.2.3.4>5.6.7.8 udp 1>2 pad 18"),
			 PARSE_GOOD);
	ck_assert_uint_eq(frame.size, 60);
	ck_assert_uint_eq(h.l3_end, 42);
	ck_assert(flow_key_equal(&h.key, &plain.key));
	ck_assert_int_eq(parse(ETH "ip 1.2.3.4>5.6.7.8 udp 1>2 pad 1000"),
			 PARSE_GOOD);
	ck_assert(flow_key_equal(&h.key, &plain.key));
	ck_assert_int_eq(parse(ETH "ip fd00::1>fd00::2 udp 1>2 pad 10"),
			 PARSE_GOOD);
	ck_assert_uint_eq(h.l3_end, 62);
}
END_TEST

/* CVE-2023-1668: protocol 0 is a protocol. */
START_TEST(knows_protocol_zero)
{
	struct headers zero;

	ck_assert_int_eq(parse(ETH "ip 1.2.3.4>5.6.7.8 proto 0 payload 20"),
			 PARSE_GOOD);
	zero = h;
	ck_assert_uint_eq(h.key.has, FLOW_HAS_IPV4);
	ck_assert_uint_eq(h.key.ip_proto, 0);
	ck_assert_int_eq(parse(ETH "ip 1.2.3.4>5.6.7.8 tcp 1>2"),
			 PARSE_GOOD);
	ck_assert(!flow_key_equal(&h.key, &zero.key));
}
END_TEST

START_TEST(gives_later_fragments_no_ports)
{
	ck_assert_int_eq(parse(ETH "ip 1.2.3.4>5.6.7.8 mf udp 1>2 len 900"
			       " payload 100"), PARSE_GOOD);
	ck_assert_uint_eq(h.key.fragment, VSW_FRAGMENT_FIRST);
	ck_assert_uint_eq(h.key.l4_dst, 2);
	ck_assert_int_eq(parse(ETH "ip 1.2.3.4>5.6.7.8 mf offset 20 proto 17"
			       " payload 100"), PARSE_GOOD);
	ck_assert_uint_eq(h.key.fragment, VSW_FRAGMENT_LATER);
	ck_assert_uint_eq(h.key.has, FLOW_HAS_IPV4 | FLOW_NO_FIRST);
	ck_assert_uint_eq(h.key.l4_dst, 0);
	ck_assert_uint_eq(h.l4, HEADER_NONE);
	/* However short. */
	ck_assert_int_eq(parse(ETH "ip 1.2.3.4>5.6.7.8 offset 20 proto 17"
			       " payload 1"), PARSE_GOOD);
	ck_assert_int_eq(parse(ETH "ip fd00::1>fd00::2 ext dest"
			       " ext fragment 5 udp 1>2"), PARSE_GOOD);
	ck_assert_uint_eq(h.key.fragment, VSW_FRAGMENT_LATER);
	ck_assert_uint_eq(h.key.ip_proto, 17);
	ck_assert_uint_eq(h.key.has, FLOW_HAS_IPV6 | FLOW_NO_FIRST);
	/* Protocols without ports lack nothing; behind extension headers
	 * nobody knows which one it is. */
	ck_assert_int_eq(parse(ETH "ip 1.2.3.4>5.6.7.8 offset 20 proto 47"
			       " payload 8"), PARSE_GOOD);
	ck_assert_uint_eq(h.key.has, FLOW_HAS_IPV4);
	ck_assert_int_eq(parse(ETH "ip fd00::1>fd00::2 ext fragment 5"
			       " ext dest udp 1>2"), PARSE_GOOD);
	ck_assert_uint_eq(h.key.has, FLOW_HAS_IPV6 | FLOW_NO_FIRST);
	ck_assert_uint_eq(h.key.ip_proto, IP_PROTO_FRAGMENT);
	ck_assert_int_eq(parse(ETH "ip fd00::1>fd00::2 ext fragment 0 mf"
			       " tcp 1>2"), PARSE_GOOD);
	ck_assert_uint_eq(h.key.fragment, VSW_FRAGMENT_FIRST);
	ck_assert_uint_eq(h.key.l4_dst, 2);
}
END_TEST

#define PARTIAL(START, OFFSET)                                              \
	{ .checksum = VSW_CHECKSUM_PARTIAL, .checksum_start = (START),      \
	  .checksum_offset = (OFFSET) }
#define CUT(KIND, SIZE, START, OFFSET)                                      \
	{ .segment_kind = VSW_SEGMENT_##KIND, .segment_size = (SIZE),       \
	  .checksum = VSW_CHECKSUM_PARTIAL, .checksum_start = (START),      \
	  .checksum_offset = (OFFSET) }
#define TCP4 ETH "ip 1.2.3.4>5.6.7.8 tcp 1>2 payload 3000"
#define TCP6 ETH "ip fd00::1>fd00::2 tcp 1>2 payload 3000"
#define UDP4 ETH "ip 1.2.3.4>5.6.7.8 udp 1>2 payload 3000"

static const struct {
	const char *text;
	struct vsw_offload offload;
	bool fits;
} offloads[] = {
	{ TCP4, { 0 }, true },
	{ TCP4, { .checksum = VSW_CHECKSUM_GOOD }, true },
	{ TCP4, { .checksum = 3 }, false },
	{ TCP4, { .segment_kind = 4, .segment_size = 9 }, false },
	{ TCP4, PARTIAL(34, 16), true },
	{ UDP4, PARTIAL(34, 6), true },
	{ TCP6, PARTIAL(54, 16), true },
	{ ETH "ip fd00::1>fd00::2 icmp6 128/0", PARTIAL(54, 2), true },
	/* Two bytes that were decided by may not be written any more. */
	{ TCP4, PARTIAL(26, 0), false },
	{ TCP4, PARTIAL(34, 0), false },
	{ TCP4, PARTIAL(34, 2), false },
	{ TCP4, PARTIAL(0, 0), false },
	{ TCP4, PARTIAL(14, 22), false },
	{ TCP4, PARTIAL(40, 10), false },
	{ UDP4, PARTIAL(34, 16), false },
	{ "eth 1>broadcast arp request 1.2.3.4>5.6.7.8", PARTIAL(20, 8),
	  false },
	/* Behind all headers it is the sender's own affair. */
	{ UDP4, PARTIAL(92, 16), true },
	{ TCP4, PARTIAL(3052, 0), true },
	{ TCP4, PARTIAL(3053, 0), false },
	{ TCP4, PARTIAL(65535, 65535), false },
	{ TCP4 " pad 10", PARTIAL(3053, 0), false },
	{ ETH "ip 1.2.3.4>5.6.7.8 proto 47 payload 60", PARTIAL(60, 16),
	  true },
	{ ETH "ip 1.2.3.4>5.6.7.8 mf udp 1>2 payload 64", PARTIAL(34, 6),
	  false },
	{ ETH "ip 1.2.3.4>5.6.7.8 offset 9 proto 17 payload 64",
	  PARTIAL(34, 6), false },
	{ ETH "vlan 5 vlan 6 ip 1.2.3.4>5.6.7.8 udp 1>2", PARTIAL(42, 6),
	  true },
	{ ETH "vlan 5 vlan 6 ip 1.2.3.4>5.6.7.8 udp 1>2", PARTIAL(14, 2),
	  false },
	{ TCP4, CUT(TCP4, 1000, 34, 16), true },
	{ TCP6, CUT(TCP6, 1000, 54, 16), true },
	{ UDP4, CUT(UDP, 1000, 34, 6), true },
	{ TCP4, { .segment_kind = VSW_SEGMENT_TCP4, .segment_size = 1000 },
	  true },
	{ TCP4, CUT(TCP4, 0, 34, 16), false },
	{ TCP4, CUT(TCP6, 1000, 34, 16), false },
	{ TCP6, CUT(TCP4, 1000, 54, 16), false },
	{ TCP4, CUT(UDP, 1000, 34, 16), false },
	{ UDP4, CUT(TCP4, 1000, 34, 6), false },
	{ TCP4, CUT(TCP4, 1000, 54, 16), false },
	{ ETH "ip 1.2.3.4>5.6.7.8 mf tcp 1>2 payload 64",
	  { .segment_kind = VSW_SEGMENT_TCP4, .segment_size = 8 }, false },
	{ ETH "type 0x1234 payload 100",
	  { .segment_kind = VSW_SEGMENT_TCP4, .segment_size = 8 }, false },
};

START_TEST(holds_offload_against_headers)
{
	ck_assert_int_eq(parse(offloads[_i].text), PARSE_GOOD);
	ck_assert_int_eq(parse_offload(&h, &offloads[_i].offload, frame.size),
			 offloads[_i].fits);
}
END_TEST

static bool
headers_equal(const struct headers *a, const struct headers *b)
{
	return flow_key_equal(&a->key, &b->key) && a->l3 == b->l3
	       && a->l4 == b->l4 && a->payload == b->payload
	       && a->l3_end == b->l3_end && a->tos == b->tos
	       && a->ttl == b->ttl && a->tcp_flags == b->tcp_flags;
}

/* No bytes make it read what is not there, or find headers outside of the
 * frame; under the sanitizers. */
START_TEST(stands_random_changes)
{
	enum { N_GOOD = sizeof good / sizeof good[0] };
	uint64_t random = 7;
	unsigned n_good = 0, n_usual = 0;
	struct headers usual;

	for (unsigned i = 0; i < 100000; i++) {
		uint8_t *bytes;
		size_t size;

		if (i % 1000 == 0)
			frame_must_make(&frame, "%s",
					good[i / 1000 % N_GOOD].text);
		size = rig_random(&random) % (frame.size + 1);
		if (i % 2)
			size = frame.size;
		bytes = malloc(size ? size : 1);
		memcpy(bytes, frame.bytes, size);
		for (unsigned n = rig_random(&random) % 4; size && n; n--)
			bytes[rig_random(&random) % size] =
				(uint8_t) rig_random(&random);
		if (parse_usual(bytes, size, &usual)) {
			n_usual++;
			ck_assert_int_eq(parse_frame(bytes, size, &h),
					 PARSE_GOOD);
			ck_assert(headers_equal(&usual, &h));
		}
		if (parse_frame(bytes, size, &h) == PARSE_GOOD) {
			n_good++;
			ck_assert_uint_le(h.l3_end, size);
			ck_assert(h.l3 == HEADER_NONE || h.l3 < h.l3_end);
			ck_assert(h.l4 == HEADER_NONE || h.l4 <= h.l3_end);
			ck_assert(h.payload == HEADER_NONE
				  || h.payload <= h.l3_end);
			ck_assert_int_eq(!!(h.key.has & FLOW_HAS_L4),
					 h.payload != HEADER_NONE);
		}
		free(bytes);
	}
	ck_assert_uint_gt(n_good, 1000);
	ck_assert_uint_gt(n_usual, 1000);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("parse");
	TCase *all = tcase_create("all");

	tcase_add_loop_test(all, finds_headers, 0,
			    sizeof good / sizeof good[0]);
	tcase_add_loop_test(all, refuses_every_cut_frame, 0,
			    sizeof good / sizeof good[0]);
	tcase_add_loop_test(all, refuses_what_contradicts_itself, 0,
			    sizeof bad / sizeof bad[0]);
	tcase_add_test(all, reads_addresses_and_macs);
	tcase_add_test(all, reads_arp);
	tcase_add_test(all, lets_other_frames_pass);
	tcase_add_test(all, knows_padding);
	tcase_add_test(all, knows_protocol_zero);
	tcase_add_test(all, gives_later_fragments_no_ports);
	tcase_add_loop_test(all, holds_offload_against_headers, 0,
			    sizeof offloads / sizeof offloads[0]);
	tcase_add_test(all, stands_random_changes);
	suite_add_tcase(suite, all);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
