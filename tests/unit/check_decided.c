/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/datapath/decided.c. */

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libvswitch/base/switch.h"
#include "libvswitch/datapath/decide.h"
#include "libvswitch/datapath/decided.h"
#include "tests/unit/rig.h"

enum { MAX = 300, MAX_MORE = 50 };

static struct rig_memory memory;
static struct vsw vsw;
static struct decided_store store;
static struct rewrite rewrites[8];
static struct decision decision;
static const struct flow_key one = { .in_port = 1 };

static void
setup(void)
{
	memory = (struct rig_memory) { 0 };
	memset(&vsw, 0, sizeof vsw);
	memset(rewrites, 0, sizeof rewrites);
	vsw.allocator = rig_allocator(&memory);
	vsw.seed = 42;
	decision = (struct decision) {
		.rewrites = rewrites, .n = 1, .size = 8,
		.deps = { .all = 5, .sum = 30, .n = 2, .of = { 3, 4 } }
	};
	ck_assert_int_eq(decided_init(&store, &vsw, MAX, MAX_MORE), 0);
}

static void
teardown(void)
{
	decided_done(&store);
	ck_assert_uint_eq(memory.n_live, 0);
	ck_assert_uint_eq(memory.n_bytes, 0);
}

static uint32_t
hold(uint32_t in_port)
{
	struct flow_key key = { .in_port = (uint16_t) in_port };
	uint32_t number;

	ck_assert_int_eq(decided_hold(&store, &decision, &key, &number), 0);
	return number;
}

START_TEST(keeps_what_is_equal_once)
{
	uint32_t first = hold(1);

	decision.deps.all = 6;
	ck_assert_uint_eq(hold(1), first);
	ck_assert_uint_eq(decided_at(&store, first)->n_flows, 2);
	/* Somebody has just looked: it holds for all. */
	ck_assert_uint_eq(decided_at(&store, first)->deps.all, 6);
	decision.n = 3;
	ck_assert_uint_ne(hold(1), first);
	ck_assert_uint_eq(hold(1), hold(1));
}
END_TEST

/* Each byte counts, of what is done and of when it holds. */
START_TEST(tells_apart_what_differs)
{
	uint32_t first, other;

	decision.n = 2;
	first = hold(1);
	ck_assert_uint_ne(hold(2), first);
	for (size_t i = 0; i < 2 * sizeof *rewrites; i++) {
		((uint8_t *) rewrites)[i] ^= 1;
		other = hold(1);
		if (other == first)
			ck_abort_msg("byte %zu does not count", i);
		ck_assert_uint_eq(decided_release(&store, other), 1);
		((uint8_t *) rewrites)[i] ^= 1;
	}
	decision.deps.sum++;
	ck_assert_uint_ne(hold(1), first);
	decision.deps.sum--;
	decision.deps.of[1]++;
	ck_assert_uint_ne(hold(1), first);
	decision.deps.of[1]--;
	ck_assert_uint_eq(hold(1), first);
	/* Too many to be told apart: any change at all. */
	decision.deps.n = GENERATION_DEPS + 1;
	first = hold(1);
	ck_assert_uint_eq(hold(1), first);
	decision.deps.all++;
	ck_assert_uint_ne(hold(1), first);
}
END_TEST

START_TEST(lets_go_of_what_nobody_holds)
{
	size_t n_bytes = memory.n_bytes;
	uint32_t number;

	decision.n = 8;
	number = hold(1);
	ck_assert_uint_eq(hold(1), number);
	ck_assert_uint_gt(memory.n_bytes, n_bytes);
	ck_assert_uint_eq(decided_release(&store, number), 0);
	ck_assert_uint_eq(decided_release(&store, number), 7);
	ck_assert_uint_eq(memory.n_bytes, n_bytes);
	/* Its place is the next one's, who finds nothing of it. */
	rewrites[0].reason = 9;
	ck_assert_uint_eq(hold(1), number);
	rewrites[0].reason = 0;
	ck_assert_uint_ne(hold(1), number);
}
END_TEST

START_TEST(has_limits)
{
	uint32_t number;

	decision.n = 8;
	for (uint32_t n = 0; n < MAX_MORE / 7; n++) {
		rewrites[7].reason = n;
		hold(1);
	}
	rewrites[7].reason = 999;
	ck_assert_int_eq(decided_hold(&store, &decision, &one,
				      &number), -ENOSPC);
	decision.n = 1;
	/* Whole chunks, with those from above among them. */
	for (uint32_t n = 0; n < 5 * DECIDED_CHUNK - MAX_MORE / 7; n++) {
		rewrites[0].reason = 1000 + n;
		hold(1);
	}
	rewrites[0].reason = 1;
	ck_assert_int_eq(decided_hold(&store, &decision, &one,
				      &number), -ENOSPC);
	rewrites[0].reason = 1000;
	hold(1);
}
END_TEST

START_TEST(copes_without_memory)
{
	struct decided_store other;
	uint32_t number;
	unsigned n = 0;

	memory.fail_at = memory.n_calls + 1;
	decision.n = 2;
	ck_assert_int_eq(decided_hold(&store, &decision, &one,
				      &number), -ENOMEM);
	decision.n = 1;
	for (; n < DECIDED_CHUNK; n++) {
		rewrites[0].reason = n;
		hold(1);
	}
	rewrites[0].reason = n;
	ck_assert_int_eq(decided_hold(&store, &decision, &one,
				      &number), -ENOSPC);
	for (n = 0;; n++) {
		memory.fail_at = memory.n_calls + 1 + n;
		if (!decided_init(&other, &vsw, MAX, MAX_MORE))
			break;
	}
	ck_assert_uint_eq(n, 5);
	decided_done(&other);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("decided");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_test(all, keeps_what_is_equal_once);
	tcase_add_test(all, tells_apart_what_differs);
	tcase_add_test(all, lets_go_of_what_nobody_holds);
	tcase_add_test(all, has_limits);
	tcase_add_test(all, copes_without_memory);
	suite_add_tcase(suite, all);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
