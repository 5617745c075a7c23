/* SPDX-License-Identifier: Apache-2.0 */

/* Where MACs were heard: that they move, age and are bounded, and that whoever
 * has the table is told of each step. */

#include "agent/model/macs.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MS UINT64_C(1000000)
#define S (1000 * MS)

/* What place, ask and forget have made of it. */
struct world {
	unsigned n_placed, n_asked, n_forgotten;
	uint8_t last[6];
	const struct mac_port *at;
	int err;
};

static struct macs macs;
static struct mac_port a, b;
static struct world world;

static int
place(void *ctx, const struct mac *mac)
{
	ck_assert_ptr_eq(ctx, &world);
	world.n_placed++;
	world.at = mac->port;
	memcpy(world.last, mac->mac, 6);
	return world.err;
}

static void
ask(void *ctx, const struct mac *mac)
{
	ck_assert_ptr_eq(ctx, &world);
	ck_assert(!mac->is_asked);
	world.n_asked++;
}

/* By then nobody finds it any more. */
static void
forget(void *ctx, const struct mac *mac)
{
	ck_assert_ptr_eq(ctx, &world);
	ck_assert_ptr_null(macs_find(&macs, mac->mac, mac->family));
	world.n_forgotten++;
	memcpy(world.last, mac->mac, 6);
}

static void
setup(void)
{
	static const struct macs_ops ops = { place, ask, forget };

	memset(&world, 0, sizeof world);
	macs_init(&macs, &ops, &world, 1);
	macs.ageing_ns = 8 * S;
	mac_port_init(&a);
	mac_port_init(&b);
}

static void
teardown(void)
{
	macs_forget_port(&macs, &a);
	macs_forget_port(&macs, &b);
	ck_assert_uint_eq(macs.map.n, 0);
	macs_done(&macs);
}

static void
hear(struct mac_port *port, uint32_t family, unsigned i, uint64_t now)
{
	const uint8_t mac[6] = {
		2, 0, 0, (uint8_t) (i >> 16), (uint8_t) (i >> 8), (uint8_t) i
	};

	macs_heard(&macs, port, family, 0, mac, now);
}

static const struct mac *
find(uint32_t family, unsigned i)
{
	const uint8_t mac[6] = {
		2, 0, 0, (uint8_t) (i >> 16), (uint8_t) (i >> 8), (uint8_t) i
	};

	return macs_find(&macs, mac, family);
}

START_TEST(each_family_by_itself)
{
	hear(&a, 70000, 1, S);
	hear(&b, 4464, 1, S);		/* 70000 in sixteen bits. */
	ck_assert_ptr_eq(find(70000, 1)->port, &a);
	ck_assert_ptr_eq(find(4464, 1)->port, &b);
	ck_assert_ptr_null(find(1, 1));
	hear(&a, 70000, 1, S);		/* Told twice. */
	ck_assert_uint_eq(world.n_placed, 2);
	ck_assert_uint_eq(macs.map.n, 2);
	ck_assert_uint_eq(macs.n_moves, 0);
}
END_TEST

START_TEST(moves_and_stays_a_while)
{
	hear(&a, 1, 1, S);
	hear(&b, 1, 1, S + MS);
	ck_assert_ptr_eq(world.at, &b);
	ck_assert_uint_eq(a.n, 0);
	ck_assert_uint_eq(b.n, 1);
	hear(&a, 1, 1, S + 2 * MS);
	ck_assert_ptr_eq(find(1, 1)->port, &b);
	ck_assert_uint_eq(macs.n_held, 1);
	hear(&a, 1, 1, S + MS + MACS_HOLD_MS * MS);
	ck_assert_ptr_eq(find(1, 1)->port, &a);
	ck_assert_uint_eq(macs.n_moves, 2);
}
END_TEST

START_TEST(ages)
{
	hear(&a, 1, 1, S);
	hear(&a, 1, 2, S);
	macs_age(&macs, 3 * S - 1);
	ck_assert_uint_eq(world.n_asked, 0);
	macs_age(&macs, 3 * S);
	ck_assert_uint_eq(world.n_asked, 2);
	ck_assert(find(1, 1)->is_asked);
	hear(&a, 1, 2, 4 * S);		/* Is there. */
	ck_assert(!find(1, 2)->is_asked);
	ck_assert_uint_eq(world.n_placed, 3);
	macs_age(&macs, 11 * S - 1);
	ck_assert_ptr_nonnull(find(1, 1));
	macs_age(&macs, 11 * S);
	ck_assert_ptr_null(find(1, 1));
	ck_assert_ptr_nonnull(find(1, 2));
	ck_assert_uint_eq(world.n_forgotten, 1);
}
END_TEST

START_TEST(is_bounded)
{
	struct mac_port *ports =
		calloc(MACS_OF_SWITCH / MACS_OF_PORT, sizeof *ports);
	unsigned i;

	for (i = 0; i < MACS_OF_PORT + 7; i++)
		hear(&a, 1, i, S);
	ck_assert_uint_eq(a.n, MACS_OF_PORT);
	ck_assert_uint_eq(a.n_refused, 7);
	hear(&b, 1, 0x10000, S);
	hear(&a, 1, 0x10000, S);	/* Nor does one move there. */
	ck_assert_ptr_eq(find(1, 0x10000)->port, &b);
	ck_assert_uint_eq(a.n_refused, 8);
	for (i = 0; i < MACS_OF_SWITCH / MACS_OF_PORT; i++)
		mac_port_init(&ports[i]);
	for (i = 0; i < MACS_OF_SWITCH; i++)
		hear(&ports[i / MACS_OF_PORT], 2, i, S);
	ck_assert_uint_eq(macs.map.n, MACS_OF_SWITCH);
	hear(&b, 3, 1, S);
	ck_assert_uint_eq(b.n_refused, 1);
	for (i = 0; i < MACS_OF_SWITCH / MACS_OF_PORT; i++)
		macs_forget_port(&macs, &ports[i]);
	ck_assert_uint_eq(macs.map.n, MACS_OF_PORT + 1);
	free(ports);
}
END_TEST

START_TEST(what_cannot_be_placed_is_not_there)
{
	world.err = -ENOMEM;
	hear(&a, 1, 1, S);
	ck_assert_ptr_null(find(1, 1));
	ck_assert_uint_eq(a.n, 0);
	ck_assert_uint_eq(a.n_refused, 1);
	ck_assert_uint_eq(world.n_forgotten, 1);
}
END_TEST

static bool
is_odd(void *ctx, const struct mac *mac)
{
	ck_assert_ptr_eq(ctx, &a);
	return mac->mac[5] & 1;
}

START_TEST(forgets_some)
{
	for (unsigned i = 0; i < 10; i++)
		hear(&a, 1, i, S + i);
	macs_age(&macs, 3 * S + 4);	/* Half of them asked. */
	macs_forget_if(&macs, is_odd, &a);
	ck_assert_uint_eq(macs.map.n, 5);
	for (unsigned i = 0; i < 10; i++)
		ck_assert((find(1, i) != NULL) == !(i & 1));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("macs");
	TCase *tcase = tcase_create("macs");
	SRunner *runner = srunner_create(suite);
	int n_failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, each_family_by_itself);
	tcase_add_test(tcase, moves_and_stays_a_while);
	tcase_add_test(tcase, ages);
	tcase_add_test(tcase, is_bounded);
	tcase_add_test(tcase, what_cannot_be_placed_is_not_there);
	tcase_add_test(tcase, forgets_some);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
