/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/base/memory.c. */

#include <check.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "libvswitch/base/memory.h"

static bool
is_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

START_TEST(is_zero_and_aligned)
{
	static const size_t sizes[] = {
		1, 64, 4096, MEMORY_BIG - 1, MEMORY_BIG, MEMORY_BIG + 1,
		MEMORY_HUGE_PAGE, 3 * MEMORY_HUGE_PAGE + 12345
	};
	size_t size = sizes[_i];

	/* Twice, so that what was freed comes again. */
	for (unsigned i = 0; i < 2; i++) {
		uint8_t *p = memory_alloc(&memory_own, 64, size);

		ck_assert_ptr_nonnull(p);
		ck_assert_uint_eq((uintptr_t) p
				  % (size >= MEMORY_BIG ? MEMORY_HUGE_PAGE
							: 64), 0);
		ck_assert(is_zero(p, size));
		memset(p, 0xa5, size);
		memory_free(&memory_own, p, size);
	}
}
END_TEST

START_TEST(says_no_to_the_impossible)
{
	ck_assert_ptr_null(memory_alloc(&memory_own, 0, SIZE_MAX / 2));
	ck_assert_ptr_null(memory_alloc(&memory_own, 64, SIZE_MAX - 100));
}
END_TEST

static size_t asked_alignment;

static void *
note(void *ctx, size_t alignment, size_t size)
{
	(void) ctx;
	asked_alignment = alignment;
	return memset(malloc(size), 0xa5, size);
}

static void
give_back(void *ctx, void *memory, size_t size)
{
	(void) ctx;
	(void) size;
	free(memory);
}

/* One that cares for no alignment is taken as it is. */
START_TEST(asks_the_embedder)
{
	const struct vsw_allocator allocator = { .alloc = note,
						 .free = give_back };
	uint8_t *p = memory_alloc(&allocator, 64, 1000);

	ck_assert_uint_eq(asked_alignment, 64);
	ck_assert(is_zero(p, 1000));
	memory_free(&allocator, p, 1000);
	p = memory_alloc(&allocator, 64, MEMORY_BIG);
	ck_assert_uint_eq(asked_alignment, MEMORY_HUGE_PAGE);
	ck_assert(is_zero(p, MEMORY_BIG));
	memory_free(&allocator, p, MEMORY_BIG);
}
END_TEST

START_TEST(grows)
{
	size_t n_room = 0;
	void *array = NULL;
	uint8_t *bytes;

	for (size_t n = 1; n < 5 * MEMORY_BIG; n = 3 * n + 1) {
		ck_assert_int_eq(memory_grow(&memory_own, &array, &n_room, n,
					     1), 0);
		ck_assert_uint_ge(n_room, n);
		bytes = array;
		bytes[n - 1] = (uint8_t) (n % 251 + 1);
	}
	for (size_t n = 1; n < 5 * MEMORY_BIG; n = 3 * n + 1)
		ck_assert_uint_eq(bytes[n - 1], n % 251 + 1);
	memory_free(&memory_own, array, n_room);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("memory");
	TCase *all = tcase_create("all");

	tcase_add_loop_test(all, is_zero_and_aligned, 0, 8);
	tcase_add_test(all, says_no_to_the_impossible);
	tcase_add_test(all, asks_the_embedder);
	tcase_add_test(all, grows);
	suite_add_tcase(suite, all);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
