/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/value/uuid.h"

#include <ctype.h>
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

/* Every byte in every place, and every value there and back. */
START_TEST(digits)
{
	static const char lower[] = "01234567-89ab-cdef-fedc-ba9876543210";
	struct uuid a, b;
	size_t n = 0;

	for (size_t i = 0; i < sizeof lower - 1; i++) {
		for (int c = 1; c < 256; c++) {
			char text[sizeof lower], back[UUID_TEXT_SIZE];
			bool is_digit = c < 128 && isxdigit(c);

			strcpy(text, lower);
			text[i] = (char) c;
			if (uuid_from_text(text, &a)
			    != (lower[i] == '-' ? c == '-' : is_digit))
				ck_abort_msg("byte %d at %zu", c, i);
			if (lower[i] == '-' || !is_digit)
				continue;
			text[i] = (char) tolower(c);
			uuid_to_text(&a, back);
			ck_assert_str_eq(back, text);
			ck_assert(uuid_from_bytes(text, &b));
			ck_assert(uuid_equal(&a, &b));
			n++;
		}
	}
	ck_assert_uint_eq(n, 32 * 22);
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

CHECK_MAIN("uuid", text_and_back, digits, random_ones_differ)
