/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/datapath/mss.c. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "libvswitch/base/wire.h"
#include "libvswitch/datapath/mss.h"
#include "libvswitch/datapath/packet.h"
#include "libvswitch/datapath/parse.h"
#include "tests/unit/rig.h"
#include "tests/walk/frame.h"

static struct frame frame;
static struct vsw_packet packet;
static struct headers h;

/* A TCP packet with these options (of a multiple of 4 bytes), sums right. */
static void
make(const char *ip, const char *flags, const uint8_t *options, size_t size)
{
	uint8_t *sum;

	frame_must_make(&frame, "eth 1>2 ip %s tcp 1>2 flags %s options %zu "
			"payload 5", ip, flags, size);
	packet = (struct vsw_packet) {
		.data = frame.bytes, .size = (uint32_t) frame.size
	};
	ck_assert_int_eq(parse_frame(frame.bytes, frame.size, &h),
			 PARSE_GOOD);
	/* Options come in the place of zeros, or of what adds up to a sum that
	 * is known: it is made anew. */
	memcpy(frame.bytes + h.l4 + TCP_HEADER_SIZE, options, size);
	sum = frame.bytes + h.l4 + TCP_CHECKSUM_OFFSET;
	put_be16(sum, 0);
	for (uint32_t value = 0; value < 65536; value++) {
		char problem[160];

		put_be16(sum, (uint16_t) value);
		if (frame_is_sound(frame.bytes, frame.size, NULL, problem,
				   sizeof problem))
			return;
	}
	ck_abort_msg("no sum is right");
}

/* To 'mss', which must find 'at' the option, or (0) nothing to be done. */
static void
clamp(uint16_t mss, size_t at)
{
	static struct frame before;
	char problem[160];
	size_t place = h.l4 + TCP_HEADER_SIZE + at;

	before = frame;
	mss_clamp(&packet, &h, mss);
	ck_assert_msg(frame_is_sound(frame.bytes, frame.size, NULL, problem,
				     sizeof problem), "%s", problem);
	if (!at) {
		ck_assert_mem_eq(frame.bytes, before.bytes, frame.size);
		return;
	}
	ck_assert_uint_eq(get_be16(frame.bytes + place), mss);
	memcpy(before.bytes + place, frame.bytes + place, 2);
	memcpy(before.bytes + h.l4 + TCP_CHECKSUM_OFFSET,
	       frame.bytes + h.l4 + TCP_CHECKSUM_OFFSET, 2);
	ck_assert_mem_eq(frame.bytes, before.bytes, frame.size);
}

START_TEST(clamps)
{
	static const uint8_t first[] = { 2, 4, 0x05, 0xb4, 1, 3, 3, 7 };
	static const uint8_t odd[] = { 3, 3, 7, 2, 4, 0x05, 0xb4, 1 };
	static const char *const ips[] = { "1.1.1.1>2.2.2.2",
					   "fd00::1>fd00::2" };

	for (unsigned i = 0; i < 2; i++) {
		make(ips[i], "S", first, sizeof first);
		clamp(1400, 2);
		clamp(1400, 0);		/* It is so by now. */
		clamp(1410, 0);
		clamp(536, 2);
		make(ips[i], "SA", odd, sizeof odd);
		clamp(1400, 5);
		clamp(1, 5);
		make(ips[i], "A", first, sizeof first);
		clamp(1400, 0);
		make(ips[i], "R", first, sizeof first);
		clamp(1400, 0);
	}
}
END_TEST

START_TEST(leaves_what_does_not_read)
{
	static const struct { uint8_t bytes[8]; } bad[] = {
		{ { 0, 2, 4, 9, 9, 1, 1, 1 } },		/* Behind the end. */
		{ { 3, 0, 2, 4, 9, 9, 1, 1 } },
		{ { 3, 1, 2, 4, 9, 9, 1, 1 } },
		{ { 3, 99, 2, 4, 9, 9, 1, 1 } },
		{ { 2, 3, 9, 9, 9, 1, 1, 1 } },		/* Another size. */
		{ { 1, 1, 1, 1, 1, 2, 4, 9 } },		/* Cut off. */
		{ { 1, 1, 1, 1, 1, 1, 1, 2 } },
		{ { 8, 8, 2, 4, 9, 9, 9, 9 } },		/* In another. */
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		make("1.1.1.1>2.2.2.2", "S", bad[i].bytes, 8);
		clamp(100, 0);
	}
	make("1.1.1.1>2.2.2.2", "S", bad[0].bytes, 0);
	clamp(100, 0);
}
END_TEST

/* All of it at random: never more than two bytes and the sum. */
START_TEST(survives_anything)
{
	uint64_t random = 1;
	unsigned n_changed = 0;

	frame_must_make(&frame, "eth 1>2 ip 1.1.1.1>2.2.2.2 tcp 1>2 flags S "
			"options 12");
	packet = (struct vsw_packet) {
		.data = frame.bytes, .size = (uint32_t) frame.size
	};
	ck_assert_int_eq(parse_frame(frame.bytes, frame.size, &h),
			 PARSE_GOOD);
	for (unsigned i = 0; i < 200000; i++) {
		uint8_t *options = frame.bytes + h.l4 + TCP_HEADER_SIZE;
		uint8_t before[12];
		unsigned n = 0;

		for (unsigned j = 0; j < 12; j++)
			before[j] = options[j] = (uint8_t) (rig_random(&random)
							    % 6);
		mss_clamp(&packet, &h, 0x0101);
		for (unsigned j = 0; j < 12; j++)
			n += before[j] != options[j];
		ck_assert_uint_le(n, 2);
		n_changed += n > 0;
	}
	ck_assert_uint_gt(n_changed, 100);
}
END_TEST

/* The stack of whoever sent it has not added the options up yet. */
START_TEST(leaves_partial_sums)
{
	static const uint8_t options[] = { 2, 4, 0x05, 0xb4 };
	uint8_t sum[2];

	make("1.1.1.1>2.2.2.2", "S", options, sizeof options);
	packet.offload.checksum = VSW_CHECKSUM_PARTIAL;
	memcpy(sum, frame.bytes + h.l4 + TCP_CHECKSUM_OFFSET, 2);
	mss_clamp(&packet, &h, 1000);
	ck_assert_uint_eq(get_be16(frame.bytes + h.l4 + TCP_HEADER_SIZE + 2),
			  1000);
	ck_assert_mem_eq(sum, frame.bytes + h.l4 + TCP_CHECKSUM_OFFSET, 2);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("mss");
	TCase *tcase = tcase_create("mss");
	SRunner *runner;
	int n_failed;

	tcase_add_test(tcase, clamps);
	tcase_add_test(tcase, leaves_what_does_not_read);
	tcase_add_test(tcase, survives_anything);
	tcase_add_test(tcase, leaves_partial_sums);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
