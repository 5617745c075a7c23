/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/datapath/address.c; which copy gets which address is in
 * tests/walk/copies.walk. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "libvswitch/base/wire.h"
#include "libvswitch/datapath/address.h"
#include "libvswitch/datapath/packet.h"
#include "libvswitch/datapath/parse.h"
#include "tests/unit/policy_rig.h"
#include "tests/walk/frame.h"

static struct frame frame;
static struct vsw_packet packet;
static struct headers h;

static void
make(const char *ip, const char *rest)
{
	frame_must_make(&frame, "eth 1>2 ip %s %s", ip, rest);
	packet = (struct vsw_packet) {
		.data = frame.bytes, .size = (uint32_t) frame.size,
		.offload = frame.offload
	};
	ck_assert_msg(parse_frame(frame.bytes, frame.size, &h) == PARSE_GOOD,
		      "%s %s", ip, rest);
}

/* Sets a random address, often enough for all carries; only it and the sums may
 * be others. */
static void
turn(uint64_t *random, bool is_ipv6)
{
	static struct frame before;
	unsigned n = is_ipv6 ? 16 : 4, at = h.l3 + (is_ipv6 ? 24u : 16u);
	struct new_address to = { .bytes = { 0 } };
	char problem[160];
	uint32_t n_others = 0;

	for (unsigned i = 0; i < n; i++)
		to.bytes[i] = rig_random(random) % 4
			      ? (uint8_t) rig_random(random) : 0xff;
	before = frame;
	address_set(&packet, &h, &to);
	ck_assert_mem_eq(frame.bytes + at, to.bytes, n);
	ck_assert_msg(frame_is_sound(frame.bytes, frame.size, &packet.offload,
				     problem, sizeof problem), "%s", problem);
	for (size_t i = 0; i < frame.size; i++)
		n_others += frame.bytes[i] != before.bytes[i]
			    && (i < at || i >= at + n);
	ck_assert_uint_le(n_others, is_ipv6 ? 2 : 4);
}

START_TEST(sums_stay_right)
{
	static const char *const rests[] = {
		"udp 1>2 payload 9", "udp 1>2 partial payload 9",
		"tcp 1>2 payload 9", "tcp 1>2 partial payload 90",
		"udp 1>2", "sctp 1>2 payload 9"
	};
	uint64_t random = 1;

	for (size_t i = 0; i < sizeof rests / sizeof rests[0]; i++) {
		make("10.0.0.1>239.1.2.3", rests[i]);
		for (unsigned j = 0; j < 20000; j++)
			turn(&random, false);
		make("fd00::1>ff05::1", rests[i]);
		for (unsigned j = 0; j < 20000; j++)
			turn(&random, true);
	}
	make("10.0.0.1>239.1.2.3", "icmp 8/0 7 payload 5");
	turn(&random, false);
	make("10.0.0.1>239.1.2.3 options 8", "udp 1>2 payload 5");
	turn(&random, false);
	make("fd00::1>ff05::1", "icmp6 128/0 7 payload 5");
	for (unsigned j = 0; j < 20000; j++)
		turn(&random, true);
	make("fd00::1>ff05::1", "ext hop ext dest udp 1>2 payload 5");
	turn(&random, true);
}
END_TEST

/* RFC 768: what says that there is no sum is left, and no sum becomes that. */
START_TEST(no_sum_is_none)
{
	struct new_address to = { .bytes = { 10, 0, 0, 0 } };
	unsigned n_ones = 0;
	uint64_t random = 1;

	make("10.0.0.1>239.1.2.3", "udp 1>2 nosum payload 9");
	turn(&random, false);
	ck_assert_uint_eq(get_be16(frame.bytes + h.l4 + 6), 0);
	/* One of all addresses of a /16 makes the sum zero. */
	make("10.0.0.1>239.1.2.3", "udp 1>2 payload 9");
	for (unsigned i = 0; i < 65536; i++) {
		to.bytes[2] = (uint8_t) (i >> 8);
		to.bytes[3] = (uint8_t) i;
		address_set(&packet, &h, &to);
		ck_assert_uint_ne(get_be16(frame.bytes + h.l4 + 6), 0);
		n_ones += get_be16(frame.bytes + h.l4 + 6) == 0xffff;
	}
	ck_assert_uint_ge(n_ones, 1);
}
END_TEST

static uint16_t
udp_sum(void)
{
	return (uint16_t) ~get_be16(frame.bytes + h.l4 + UDP_CHECKSUM_OFFSET);
}

/* Of one packet's pieces the first has the sum, over all of it. */
START_TEST(fragments_have_one_sum)
{
	struct new_address to = { .bytes = { 10, 0, 0, 9 } };
	static struct frame before;
	uint32_t difference;

	make("10.0.0.1>10.0.0.9", "udp 1>2 payload 24");
	difference = udp_sum();
	make("10.0.0.1>239.1.2.3", "udp 1>2 payload 24");
	difference += 0xffffu - udp_sum();
	make("10.0.0.1>239.1.2.3 mf", "udp 1>2 len 99 payload 24");
	difference += udp_sum();
	address_set(&packet, &h, &to);
	ck_assert_uint_eq(udp_sum() % 0xffff, difference % 0xffff);
	make("10.0.0.1>239.1.2.3 offset 4 proto 17", "payload 24");
	before = frame;
	address_set(&packet, &h, &to);
	ck_assert_mem_eq(frame.bytes + 34, before.bytes + 34, frame.size - 34);
	ck_assert_uint_eq(frame.bytes[33], 9);
}
END_TEST

RIG_MAIN("address", sums_stay_right, no_sum_is_none, fragments_have_one_sum)
