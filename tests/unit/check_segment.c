/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/datapath/segment.c. */

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libvswitch/base/wire.h"
#include "libvswitch/datapath/packet.h"
#include "libvswitch/datapath/segment.h"
#include "tests/unit/packet_rig.h"
#include "tests/walk/frame.h"

static struct packet_rig rig;
static struct frame frame;
static struct vsw_packet *parts[SEGMENTS_MAX];
static char problem[160];

static void
setup(void)
{
	packet_rig_up(&rig);
}

static void
teardown(void)
{
	packet_rig_down(&rig);
}

static struct vsw_packet *
packet_of(const struct frame *f)
{
	return packet_rig_packet(&rig, f);
}

/* Cuts 'frame', holds each part against the original, and puts the payload
 * together again. */
static void
cut_and_join(size_t l4, size_t payload, size_t payload_size)
{
	const uint8_t *whole = frame.bytes;
	bool is_tcp = frame.offload.segment_kind != VSW_SEGMENT_UDP;
	size_t size = frame.offload.segment_size, at = payload;
	int n = vsw_packet_finish(NULL, packet_of(&frame), parts,
				  SEGMENTS_MAX);

	ck_assert_int_eq(n, payload_size > size
			    ? (int) ((payload_size + size - 1) / size) : 1);
	for (int i = 0; i < n; i++) {
		const uint8_t *p = parts[i]->data;
		size_t part = parts[i]->size - payload;
		bool is_last = i == n - 1;

		ck_assert_msg(frame_is_sound(p, parts[i]->size, NULL, problem,
					     sizeof problem), "%s", problem);
		ck_assert_uint_eq(parts[i]->offload.segment_kind, 0);
		ck_assert_uint_eq(parts[i]->offload.checksum,
				  VSW_CHECKSUM_GOOD);
		ck_assert(is_last ? part <= size : part == size);
		ck_assert_mem_eq(p, whole, 14);
		ck_assert_mem_eq(p + l4, whole + l4, 4);
		if (p[12] == 8)
			ck_assert_uint_eq(get_be16(p + 18),
					  (uint16_t) (get_be16(whole + 18)
						      + i));
		if (is_tcp) {
			uint8_t flags = whole[l4 + 13];

			if (i)
				flags &= 0x7f;
			if (!is_last)
				flags &= 0xf6;
			ck_assert_uint_eq(p[l4 + 13], flags);
			ck_assert_uint_eq(get_be32(p + l4 + 4),
					  (uint32_t) (get_be32(whole + l4 + 4)
						      + at - payload));
			ck_assert_mem_eq(p + l4 + 8, whole + l4 + 8, 5);
			ck_assert_mem_eq(p + l4 + 18, whole + l4 + 18,
					 payload - l4 - 18);
		} else {
			ck_assert_uint_eq(get_be16(p + l4 + 4), part + 8);
			ck_assert_uint_ne(get_be16(p + l4 + 6), 0);
		}
		ck_assert_mem_eq(p + payload, whole + at, part);
		at += part;
		vsw_packet_free(parts[i]);
	}
	ck_assert_uint_eq(at, payload + payload_size);
}

START_TEST(cuts_every_size)
{
	static const struct {
		const char *headers;
		size_t l4, payload;
	} kinds[] = {
		{ "eth 1>2 ip 10.0.0.1>10.0.0.2 id 65530 tos 2"
		  " tcp 5>6 partial flags CFPA seq 0xfffff000", 34, 54 },
		{ "eth 1>2 ip 10.0.0.1>10.0.0.2 options 8 df"
		  " tcp 5>6 partial options 12 flags A", 42, 74 },
		{ "eth 1>2 ip fd00::1>fd00::2 tcp 5>6 partial"
		  " options 12 flags CEPAF", 54, 86 },
		{ "eth 1>2 ip fd00::1>fd00::2 ext dest 1"
		  " tcp 5>6 partial flags PA", 70, 90 },
		{ "eth 1>2 ip 10.0.0.1>10.0.0.2 udp 5>6 partial", 34, 42 },
		{ "eth 1>2 ip fd00::1>fd00::2 udp 5>6 partial", 54, 62 },
	};
	static const size_t sizes[] = { 0, 1, 2, 535, 536, 537, 1071, 1072,
					1073, 1448, 1449, 9000, 32768,
					65400 };
	static const unsigned cuts[] = { 64, 536, 1448, 8948, 65535 };
	unsigned n = 0;

	for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
		for (size_t c = 0; c < sizeof cuts / sizeof cuts[0]; c++) {
			frame_must_make(&frame, "segments %u %s payload %zu",
					cuts[c], kinds[_i].headers, sizes[s]);
			if (frame.size > 65535)
				continue;
			cut_and_join(kinds[_i].l4, kinds[_i].payload,
				     sizes[s]);
			n++;
		}
	ck_assert_uint_gt(n, 60);
}
END_TEST

START_TEST(cuts_every_size_from_60_to_65535)
{
	/* A prime step, so that all remainders come up. */
	unsigned n = 0;

	for (size_t size = 6; size < 65482; size += 61, n++) {
		frame_must_make(&frame, "segments 1448 eth 1>2"
				" ip 10.0.0.1>10.0.0.2 tcp 5>6 partial"
				" payload %zu", size);
		cut_and_join(34, 54, size);
	}
	ck_assert_uint_gt(n, 1000);
}
END_TEST

START_TEST(keeps_tags_and_forgets_padding)
{
	frame_must_make(&frame, "segments 100 eth 1>2 vlan 5"
			" ip 10.0.0.1>10.0.0.2 udp 5>6 partial payload 250"
			" pad 33");
	ck_assert_int_eq(vsw_packet_finish(NULL, packet_of(&frame), parts, 3),
			 3);
	ck_assert_uint_eq(parts[2]->size, 18 + 20 + 8 + 50);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_mem_eq(parts[i]->data, frame.bytes, 18);
		ck_assert(frame_is_sound(parts[i]->data, parts[i]->size, NULL,
					 problem, sizeof problem));
		vsw_packet_free(parts[i]);
	}
}
END_TEST

/* Memory that is used again is not to tell what was punted of the whole. */
START_TEST(keeps_what_was_punted)
{
	struct vsw_packet *whole;
	uint32_t vni;

	for (uint32_t mtu = 1400; mtu != UINT32_MAX; mtu = mtu ? 0
							       : UINT32_MAX) {
		frame_must_make(&frame, "segments 100 eth 1>2"
				" ip 10.0.0.1>10.0.0.2 udp 5>6 partial"
				" payload 250");
		whole = packet_of(&frame);
		whole->punt_reason = 8;
		whole->punt_vni = 9;
		whole->punt_mtu = mtu;
		ck_assert_int_eq(vsw_packet_finish(NULL, whole, parts, 3), 3);
		for (unsigned i = 0; i < 3; i++) {
			ck_assert_uint_eq(vsw_packet_punt(parts[i], &vni), 8);
			ck_assert_uint_eq(vni, 9);
			ck_assert_uint_eq(vsw_packet_punt_mtu(parts[i]), mtu);
		}
		for (unsigned i = 0; i < 3; i++)
			vsw_packet_free(parts[i]);
	}
	/* And one that nobody punted says nothing at all. */
	whole = packet_of(&frame);
	whole->punt_mtu = 1400;
	ck_assert_uint_eq(vsw_packet_punt_mtu(whole), 0);
	vsw_packet_free(whole);
}
END_TEST

START_TEST(fills_in_what_is_partial)
{
	static const char *const kinds[] = {
		"tcp 5>6 partial", "udp 5>6 partial", "tcp 5>6",
	};

	for (unsigned v = 0; v < 2; v++)
		for (unsigned k = 0; k < 3; k++)
			for (unsigned size = 0; size < 100; size++) {
				static struct frame whole;
				struct vsw_packet *p;

				frame_must_make(&frame, "eth 1>2 ip %s %s"
						" payload %u pad 7",
						v ? "fd00::1>fd00::2"
						: "10.0.0.1>10.0.0.2",
						kinds[k], size);
				frame_must_make(&whole, "eth 1>2 ip %s %.7s"
						" payload %u pad 7",
						v ? "fd00::1>fd00::2"
						: "10.0.0.1>10.0.0.2",
						kinds[k], size);
				ck_assert_int_eq(vsw_packet_finish(
					NULL, packet_of(&frame), &p, 1), 1);
				ck_assert(frame_matches(&whole, p->data,
							p->size));
				vsw_packet_free(p);
			}
}
END_TEST

/* A UDP sum that comes out as 0 would say that there is none. */
START_TEST(never_writes_a_sum_of_zero)
{
	struct vsw_packet *p;

	for (unsigned word = 0; word < 65536; word++) {
		frame_must_make(&frame, "eth 1>2 ip 10.0.0.1>10.0.0.2"
				" udp 5>6 partial hex %04x", word);
		ck_assert_int_eq(vsw_packet_finish(NULL, packet_of(&frame),
						   &p, 1), 1);
		ck_assert_uint_ne(get_be16(p->data + 40), 0);
		ck_assert(frame_is_sound(p->data, p->size, NULL, problem,
					 sizeof problem));
		vsw_packet_free(p);
	}
}
END_TEST

START_TEST(refuses_what_cannot_be_cut)
{
	struct vsw_packet *p;

	/* More than there is room for, or than is cut at all. */
	frame_must_make(&frame, "segments 100 eth 1>2 ip 10.0.0.1>10.0.0.2"
			" tcp 5>6 partial payload 1000");
	ck_assert_int_eq(vsw_packet_finish(NULL, packet_of(&frame), parts, 9),
			 -E2BIG);
	ck_assert_int_eq(vsw_packet_finish(NULL, packet_of(&frame), parts, 0),
			 -E2BIG);
	frame_must_make(&frame, "segments 1 eth 1>2 ip 10.0.0.1>10.0.0.2"
			" tcp 5>6 partial payload 60000");
	ck_assert_int_eq(vsw_packet_finish(NULL, packet_of(&frame), parts,
					   SEGMENTS_MAX), -E2BIG);
	/* State that does not fit. */
	p = packet_of(&frame);
	p->offload.segment_kind = VSW_SEGMENT_TCP6;
	ck_assert_int_eq(vsw_packet_finish(NULL, p, parts, SEGMENTS_MAX),
			 -EINVAL);
	p = packet_of(&frame);
	vsw_packet_trim(p, 20);
	ck_assert_int_eq(vsw_packet_finish(NULL, p, parts, SEGMENTS_MAX),
			 -EINVAL);
}
END_TEST

START_TEST(copes_without_memory)
{
	unsigned n = 0;

	frame_must_make(&frame, "segments 100 eth 1>2 ip 10.0.0.1>10.0.0.2"
			" tcp 5>6 partial payload 1000");
	for (;; n++) {
		struct vsw_packet *p = packet_of(&frame);
		int result;

		rig.memory.fail_at = rig.memory.n_calls + 1 + n;
		result = vsw_packet_finish(NULL, p, parts, SEGMENTS_MAX);
		rig.memory.fail_at = 0;
		if (result > 0) {
			ck_assert_int_eq(result, 10);
			while (result > 0)
				vsw_packet_free(parts[--result]);
			break;
		}
		ck_assert_int_eq(result, -ENOMEM);
		/* An empty pool, so that the next round asks again. */
		ck_assert_uint_eq(packet_pool_n_used(rig.pool), 0);
		packet_pool_free(rig.pool);
		setup();
	}
	ck_assert_uint_eq(n, 10);
}
END_TEST

START_TEST(says_what_a_port_cannot)
{
	struct vsw_offload tso = { .segment_kind = VSW_SEGMENT_TCP4,
				   .checksum = VSW_CHECKSUM_PARTIAL };
	struct vsw_offload sum = { .checksum = VSW_CHECKSUM_PARTIAL };
	struct vsw_offload uso = { .segment_kind = VSW_SEGMENT_UDP };

	ck_assert(!segment_needed(&(struct vsw_offload) { 0 }, 0));
	ck_assert(segment_needed(&sum, 0));
	ck_assert(!segment_needed(&sum, VSW_PORT_CHECKSUM));
	ck_assert(segment_needed(&tso, VSW_PORT_CHECKSUM));
	ck_assert(segment_needed(&tso, VSW_PORT_TSO4));
	ck_assert(segment_needed(&tso, VSW_PORT_CHECKSUM | VSW_PORT_TSO6));
	ck_assert(!segment_needed(&tso, VSW_PORT_CHECKSUM | VSW_PORT_TSO4));
	ck_assert(segment_needed(&uso, VSW_PORT_CHECKSUM | VSW_PORT_TSO4));
	ck_assert(!segment_needed(&uso, VSW_PORT_CHECKSUM | VSW_PORT_USO));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("segment");
	TCase *all = tcase_create("all");

	tcase_set_timeout(all, 60);
	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_loop_test(all, cuts_every_size, 0, 6);
	tcase_add_test(all, cuts_every_size_from_60_to_65535);
	tcase_add_test(all, keeps_tags_and_forgets_padding);
	tcase_add_test(all, keeps_what_was_punted);
	tcase_add_test(all, fills_in_what_is_partial);
	tcase_add_test(all, never_writes_a_sum_of_zero);
	tcase_add_test(all, refuses_what_cannot_be_cut);
	tcase_add_test(all, copes_without_memory);
	tcase_add_test(all, says_what_a_port_cannot);
	suite_add_tcase(suite, all);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
