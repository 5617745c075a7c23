/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/value/uuid.h"

#include <stdio.h>

#include "tests/unit/ovsdb_tools.h"

START_TEST(text_and_back)
{
	static const char lower[] = "01234567-89ab-cdef-fedc-ba9876543210";
	char text[UUID_TEXT_SIZE];
	struct uuid a, b;
	size_t i;

	ck_assert(uuid_from_text(lower, &a));
	ck_assert_uint_eq(a.bytes[0], 0x01);
	ck_assert_uint_eq(a.bytes[15], 0x10);
	uuid_to_text(&a, text);
	ck_assert_str_eq(text, lower);
	ck_assert(uuid_from_text("01234567-89AB-CDEF-FEDC-BA9876543210", &b));
	ck_assert(uuid_equal(&a, &b));
	ck_assert_int_eq(uuid_compare(&a, &b), 0);
	ck_assert(!uuid_is_zero(&a));
	memset(&b, 0, sizeof b);
	ck_assert(uuid_is_zero(&b));
	ck_assert_int_gt(uuid_compare(&a, &b), 0);

	/* Each character replaced, left out and cut off at. */
	for (i = 0; i < sizeof lower - 1; i++) {
		char wrong[64];

		strcpy(wrong, lower);
		wrong[i] = 'g';
		ck_assert(!uuid_from_text(wrong, &b));
		wrong[i] = lower[i] == '-' ? '0' : '-';
		ck_assert(!uuid_from_text(wrong, &b));
		wrong[i] = '\0';
		ck_assert(!uuid_from_text(wrong, &b));
		strcpy(wrong + i, lower + i + 1);
		ck_assert(!uuid_from_text(wrong, &b));
		ck_assert(uuid_is_zero(&b));
	}
	ck_assert(!uuid_from_text("01234567-89ab-cdef-fedc-ba98765432100",
				  &b));
	ck_assert(!uuid_from_text(" 1234567-89ab-cdef-fedc-ba9876543210",
				  &b));
}
END_TEST

START_TEST(random_ones_differ)
{
	enum { N = 1000 };
	static struct uuid seen[N];
	size_t i, j;

	for (i = 0; i < N; i++) {
		uuid_generate(&seen[i]);
		ck_assert_uint_eq(seen[i].bytes[6] >> 4, 4);
		ck_assert_uint_eq(seen[i].bytes[8] >> 6, 2);
		for (j = 0; j < i; j++)
			ck_assert(!uuid_equal(&seen[i], &seen[j]));
	}
}
END_TEST

CHECK_MAIN("uuid", text_and_back, random_ones_differ)
