/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/base/cursor.h. */

#include <check.h>
#include <stdlib.h>

#include "libvswitch/base/cursor.h"

static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8 };

START_TEST(reads_big_endian)
{
	struct cursor c = cursor_over(bytes, sizeof bytes);

	ck_assert_uint_eq(cursor_u8(&c), 1);
	ck_assert_uint_eq(cursor_be16(&c), 0x0203);
	ck_assert_uint_eq(cursor_be32(&c), 0x04050607);
	ck_assert_uint_eq(cursor_left(&c), 1);
	ck_assert(!c.is_short);
}
END_TEST

START_TEST(is_short_for_ever)
{
	struct cursor c = cursor_over(bytes, 3);
	uint8_t to[2] = { 9, 9 };

	cursor_skip(&c, 2);
	ck_assert_uint_eq(cursor_be16(&c), 0);
	ck_assert(c.is_short);
	/* There is a byte left, and it is not given any more. */
	ck_assert_uint_eq(cursor_u8(&c), 0);
	ck_assert_uint_eq(cursor_left(&c), 0);
	cursor_copy(&c, to, sizeof to);
	ck_assert_uint_eq(to[0], 0);
	ck_assert_uint_eq(to[1], 0);
}
END_TEST

START_TEST(cannot_be_wrapped_around)
{
	struct cursor c = cursor_over(bytes, sizeof bytes);

	cursor_skip(&c, 4);
	ck_assert_ptr_null(cursor_take(&c, SIZE_MAX));
	ck_assert_ptr_null(cursor_take(&c, SIZE_MAX - 3));
	ck_assert(c.is_short);
}
END_TEST

START_TEST(takes_exactly_all)
{
	struct cursor c = cursor_over(bytes, sizeof bytes);

	ck_assert_ptr_eq(cursor_take(&c, sizeof bytes), bytes);
	ck_assert_ptr_nonnull(cursor_take(&c, 0));
	ck_assert(!c.is_short);
	ck_assert_ptr_null(cursor_take(&c, 1));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("cursor");
	TCase *all = tcase_create("all");

	tcase_add_test(all, reads_big_endian);
	tcase_add_test(all, is_short_for_ever);
	tcase_add_test(all, cannot_be_wrapped_around);
	tcase_add_test(all, takes_exactly_all);
	suite_add_tcase(suite, all);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
