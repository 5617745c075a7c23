/* SPDX-License-Identifier: Apache-2.0 */

/* Time is the innermost chore's, long turns are kept in order, and the last
 * ones only. */

#include "agent/base/chore.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/unit/ovsdb_tools.h"

static uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t) now.tv_sec * UINT64_C(1000000000)
	       + (uint64_t) now.tv_nsec;
}

static void
work(uint64_t ns)
{
	uint64_t end = now_ns() + ns;

	while (now_ns() < end)
		;
}

static void
take_turn(enum chore chore, uint64_t ns)
{
	chore_begin(chore);
	work(ns);
	chore_end();
	chore_turn();
}

/* A commit within a request, twice, then the model. */
START_TEST(innermost)
{
	enum { MS = 1000000 };
	uint64_t began_ns = now_ns();
	const struct chore_turn *turn;
	uint64_t sum = 0;

	chore_begin(CHORE_REQUEST);
	work(2 * MS);
	chore_begin(CHORE_COMMIT);
	work(3 * MS);
	chore_end();
	chore_begin(CHORE_COMMIT);
	work(MS);
	chore_end();
	chore_end();
	chore_begin(CHORE_MODEL);
	chore_next(CHORE_POLICY);
	work(MS);
	chore_end();
	chore_turn();

	turn = chore_kept(0);
	ck_assert_ptr_nonnull(turn);
	ck_assert_uint_ge(turn->began_ns, began_ns);
	ck_assert_uint_ge(turn->took_ns, 7 * MS);
	ck_assert_uint_le(turn->took_ns, now_ns() - began_ns);
	ck_assert_uint_ge(turn->each_ns[CHORE_REQUEST], 2 * MS);
	ck_assert_uint_ge(turn->each_ns[CHORE_COMMIT], 4 * MS);
	ck_assert_uint_ge(turn->each_ns[CHORE_POLICY], MS);
	/* Nothing counts twice; one unit for each chore that was begun. */
	for (int i = 0; i < N_CHORES; i++)
		sum += turn->each_ns[i];
	ck_assert_uint_ge(sum, turn->took_ns);
	ck_assert_uint_le(sum, turn->took_ns + N_CHORES);
	ck_assert_uint_eq(turn->each_ns[CHORE_AUDIT], 0);
	ck_assert_uint_gt(turn->each_ns[CHORE_MODEL], 0);
	ck_assert_uint_eq(turn->after_ns[CHORE_REQUEST], 0);
	ck_assert_uint_ge(turn->after_ns[CHORE_COMMIT], 2 * MS);
	ck_assert_uint_ge(turn->after_ns[CHORE_MODEL], 6 * MS);
	ck_assert_uint_le(turn->after_ns[CHORE_MODEL],
			  turn->after_ns[CHORE_POLICY]);
	ck_assert_uint_eq(chore_total(CHORE_COMMIT)->n, 1);
	ck_assert_uint_eq(chore_total(CHORE_COMMIT)->ns,
			  turn->each_ns[CHORE_COMMIT]);
	ck_assert_uint_eq(chore_total(CHORE_COMMIT)->longest_ns,
			  turn->each_ns[CHORE_COMMIT]);
}
END_TEST

/* Short turns count, and are not kept; of long ones the last. */
START_TEST(kept)
{
	enum { MORE = 3 };

	chore_turn();
	ck_assert_ptr_null(chore_kept(0));
	/* One may be interrupted, hardly a hundred. */
	for (int i = 0; i < 100; i++)
		take_turn(CHORE_SEND, 0);
	ck_assert_uint_eq(chore_total(CHORE_SEND)->n, 100);
	ck_assert_ptr_null(chore_kept(50));

	for (int i = 0; i < CHORE_N_KEPT; i++)
		take_turn(CHORE_AUDIT, CHORE_KEEP_NS);
	for (int i = 0; i < MORE; i++)
		take_turn(CHORE_STATUS, CHORE_KEEP_NS);
	for (size_t i = 0; i < CHORE_N_KEPT; i++) {
		const struct chore_turn *turn = chore_kept(i);

		ck_assert_ptr_nonnull(turn);
		ck_assert_uint_ge(turn->took_ns, CHORE_KEEP_NS);
		if (i)
			ck_assert_uint_lt(turn->began_ns,
					  chore_kept(i - 1)->began_ns);
	}
	ck_assert_uint_gt(chore_kept(0)->each_ns[CHORE_STATUS], 0);
	ck_assert_ptr_null(chore_kept(CHORE_N_KEPT));
}
END_TEST

/* In the order in which they began, which is not that of the enum. */
START_TEST(printed)
{
	struct chore_turn turn = { .took_ns = 12300000 };
	char *text;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	turn.each_ns[CHORE_MODEL] = 4500000;
	turn.after_ns[CHORE_MODEL] = 7000000;
	turn.each_ns[CHORE_AUDIT] = 7800000;
	turn.after_ns[CHORE_AUDIT] = 1000;
	chore_print(file, &turn);
	fclose(file);
	ck_assert_str_eq(text, "12.300 ms: audit 7.800, model 4.500");
	free(text);
	for (int i = 0; i < N_CHORES; i++)
		for (int j = 0; j < i; j++)
			ck_assert_str_ne(chore_name(i), chore_name(j));
}
END_TEST

CHECK_MAIN("chore", innermost, kept, printed)
