/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/base/checksum.c. */

#include <check.h>
#include <stdlib.h>

#include "libvswitch/base/checksum.h"
#include "libvswitch/base/wire.h"
#include "tests/unit/rig.h"
#include "tests/walk/frame.h"

/* RFC 1071, section 3. */
START_TEST(sums_the_rfc_s_example)
{
	static const uint8_t bytes[] = { 0x00, 0x01, 0xf2, 0x03,
					 0xf4, 0xf5, 0xf6, 0xf7 };

	ck_assert_uint_eq(checksum_sum(bytes, sizeof bytes), 0xddf2);
	ck_assert_uint_eq(checksum_finish(0xddf2), 0x220d);
}
END_TEST

START_TEST(agrees_with_the_naive_twin)
{
	static uint8_t bytes[66000];
	uint64_t random = 1;
	unsigned n = 0;

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t) (rig_random(&random) % 3 ? 0xff
				      : rig_random(&random));
	for (size_t size = 0; size < 300; size++)
		for (size_t at = 0; at < 9; at++, n++)
			ck_assert_uint_eq(
				checksum_finish(checksum_sum(bytes + at,
							     size)),
				frame_naive_checksum(bytes + at, size, 0));
	for (size_t size = 65500; size < 65551; size++, n++)
		ck_assert_uint_eq(checksum_finish(checksum_sum(bytes, size)),
				  frame_naive_checksum(bytes, size, 0));
	ck_assert_uint_eq(n, 300 * 9 + 51);
}
END_TEST

/* Every old and new word against sums made from scratch: RFC 1624 is about the
 * cases where equation 2 and RFC 1141 go wrong. */
START_TEST(updates_as_if_made_anew)
{
	uint64_t random = 2;

	for (unsigned i = 0; i < 200000; i++) {
		uint8_t header[20];
		uint16_t old, new, checksum;

		for (unsigned b = 0; b < sizeof header; b++)
			header[b] = (uint8_t) rig_random(&random);
		if (i % 4 == 0)
			put_be16(header, i % 8 ? 0 : 0xffff);
		checksum = frame_naive_checksum(header, sizeof header, 0);
		old = get_be16(header);
		new = (uint16_t) (i % 3 ? rig_random(&random) : 0xffff);
		put_be16(header, new);
		ck_assert_uint_eq(checksum_update(checksum, old, new),
				  frame_naive_checksum(header, sizeof header,
						       0));
	}
	/* RFC 1624, section 4. */
	ck_assert_uint_eq(checksum_update(0xdd2f, 0x5555, 0x3285), 0x0000);
}
END_TEST

/* Every size of header; right, and with one word changed to any other that is
 * not its equal in ones' complement. */
START_TEST(checks_ipv4_headers)
{
	uint64_t random = 3;

	for (unsigned i = 0; i < 100000; i++) {
		size_t size = 20 + 4 * (i % 11);
		size_t at = rig_random(&random) % (size / 2) * 2;
		uint8_t header[60];
		uint16_t old, new;

		for (unsigned b = 0; b < size; b++)
			header[b] = i % 7 ? (uint8_t) rig_random(&random)
					  : 0xff;
		header[0] = 0x45;
		put_be16(header + 10, 0);
		put_be16(header + 10, frame_naive_checksum(header, size, 0));
		ck_assert(checksum_ipv4_is_good(header, size));
		old = get_be16(header + at);
		new = (uint16_t) rig_random(&random);
		put_be16(header + at, new);
		ck_assert_int_eq(checksum_ipv4_is_good(header, size),
				 old % 0xffff == new % 0xffff);
	}
}
END_TEST

START_TEST(sums_pseudo_headers)
{
	uint8_t header[40] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1,
			       0xfe, 0x80, [31] = 2 };
	uint32_t size = 0x12345;

	put_be32(header + 32, size);
	header[39] = 17;
	ck_assert_uint_eq(
		checksum_finish(checksum_pseudo(header, header + 16, 16, 17,
						size)),
		frame_naive_checksum(header, 40, 0));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("checksum");
	TCase *all = tcase_create("all");

	tcase_add_test(all, sums_the_rfc_s_example);
	tcase_add_test(all, agrees_with_the_naive_twin);
	tcase_add_test(all, updates_as_if_made_anew);
	tcase_add_test(all, checks_ipv4_headers);
	tcase_add_test(all, sums_pseudo_headers);
	suite_add_tcase(suite, all);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
