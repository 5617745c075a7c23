/* SPDX-License-Identifier: Apache-2.0 */

/* Tests agent/answer/limit.c. */

#include <check.h>
#include <stdlib.h>

#include "agent/answer/limit.h"

enum { SECOND = 1000000000 };

static unsigned
take(struct limit *limit, uint32_t rate, uint64_t now, unsigned n)
{
	unsigned taken = 0;

	while (n--)
		taken += limit_take(limit, rate, now);
	return taken;
}

START_TEST(starts_full_and_fills)
{
	struct limit limit = { .left = 0 };

	ck_assert_uint_eq(take(&limit, 10, 5, 50), 10);
	ck_assert_uint_eq(take(&limit, 10, 5 + SECOND / 10 - 1, 5), 0);
	ck_assert_uint_eq(take(&limit, 10, 5 + SECOND / 10, 5), 1);
	ck_assert_uint_eq(take(&limit, 10, 5 + SECOND / 2, 50), 4);
	ck_assert_uint_eq(take(&limit, 10, 1000ull * SECOND, 50), 10);
}
END_TEST

START_TEST(knows_none_and_many)
{
	struct limit limit = { .left = 0 };

	ck_assert_uint_eq(take(&limit, 0, 5, 50), 0);
	ck_assert_uint_eq(take(&limit, 1000000, 5, 50), 50);
	/* Less now: what was saved is forgotten. */
	ck_assert_uint_eq(take(&limit, 3, 6, 50), 3);
	ck_assert_uint_eq(take(&limit, 0, 7, 50), 0);
}
END_TEST

/* Over a long time it is the rate, however often it is asked. */
START_TEST(keeps_the_rate)
{
	struct limit limit = { .left = 0 };
	unsigned taken = 0;

	for (uint64_t now = 1; now < 20ull * SECOND; now += 7777777)
		taken += take(&limit, 37, now, 3);
	ck_assert_uint_ge(taken, 37 * 20);
	ck_assert_uint_le(taken, 37 * 21 + 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("limit");
	TCase *tcase = tcase_create("limit");
	SRunner *runner;
	int n_failed;

	tcase_add_test(tcase, starts_full_and_fills);
	tcase_add_test(tcase, knows_none_and_many);
	tcase_add_test(tcase, keeps_the_rate);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
