/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/value/hash_set.h"

#include <stdbool.h>
#include <stdlib.h>

#include "tests/unit/ovsdb_tools.h"

enum { N_THINGS = 100000 };

struct thing {
	uint32_t hash;
	bool is_in;
	bool is_seen;
};

static struct thing things[N_THINGS];

/* Assertions of libcheck take a system call each; there are millions here. */
static void
must(bool holds)
{
	if (!holds)
		ck_abort();
}

static uint32_t
next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005 + 1442695040888963407;
	return *state >> 32;
}

static void
toggle(struct hash_set *set, struct thing *thing)
{
	if (thing->is_in)
		hash_set_remove(set, thing->hash, thing);
	else
		hash_set_insert(set, thing->hash, thing);
	thing->is_in = !thing->is_in;
}

/* Each thing that is in is found by its hash, once, and no other is. */
static void
check_matches(const struct hash_set *set, const struct thing *thing)
{
	size_t cursor = 0, n = 0;
	const struct thing *found;

	while ((found = hash_set_match(set, thing->hash, &cursor))) {
		must(found->is_in && found->hash == thing->hash);
		n += found == thing;
	}
	must(n == thing->is_in);
}

/* By the largest cursors that there are. */
static size_t
n_homes(const struct hash_set *set)
{
	size_t n = 0, cursor = 0, last = 0, at = SIZE_MAX;

	while (hash_set_next(set, &cursor)) {
		if (cursor >> set->slot_bits != at)
			n += last;
		at = cursor >> set->slot_bits;
		last = cursor - (at << set->slot_bits);
	}
	return n + last;
}

static size_t
count_seen(struct thing *seen, uint32_t *last, const struct hash_set *set)
{
	uint32_t place = hash_set_place(set, seen->hash);

	must(seen->is_in && !seen->is_seen && place >= *last);
	*last = place;
	seen->is_seen = true;
	return 1;
}

/* All that are in are walked through once, in order; so are those of the
 * ranges, together; and from any of them on, those behind it. */
static void
check_walks(const struct hash_set *set, size_t n)
{
	size_t cursor = 0, n_seen = 0, n_behind = 0;
	uint32_t last = 0;
	struct thing *thing, *half = NULL;

	ck_assert_uint_eq(set->n, n);
	for (size_t i = 0; i < N_THINGS; i++)
		things[i].is_seen = false;
	while ((thing = hash_set_next(set, &cursor))) {
		n_seen += count_seen(thing, &last, set);
		if (n_seen == n / 2)
			half = thing;
	}
	ck_assert_uint_eq(n_seen, n);
	for (size_t i = 0; i < N_THINGS; i++)
		things[i].is_seen = false;
	n_seen = last = 0;
	for (uint32_t range = 0; range < 64; range++) {
		uint32_t first = range << 26, end = first + ((1 << 26) - 1);

		cursor = 0;
		while ((thing = hash_set_range(set, first, end, &cursor))) {
			must(hash_set_place(set, thing->hash) >> 26 == range);
			n_seen += count_seen(thing, &last, set);
		}
	}
	ck_assert_uint_eq(n_seen, n);
	if (!half)
		return;
	cursor = hash_set_cursor_after(set, half->hash, half);
	while (hash_set_next(set, &cursor))
		n_behind++;
	ck_assert_uint_eq(n_behind, n - n / 2);
}

START_TEST(random_changes)
{
	struct hash_set set = { 0 };
	uint64_t state = 1;
	size_t n = 0;

	for (size_t i = 0; i < N_THINGS; i++) {
		things[i].hash = next_random(&state);
		if (i % 16 < 4)		/* Many alike; the least, the most. */
			things[i].hash = i % 16 == 0 ? 0
				: i % 16 == 1 ? UINT32_MAX
				: things[i - i % 16].hash + i % 64;
		if (i % 16 < 2 && i > 2000)
			things[i].hash = next_random(&state);
		things[i].is_in = false;
	}
	check_walks(&set, 0);
	/* More and more, then fewer and fewer. */
	for (int step = 0; step < 20; step++) {
		size_t bound = step < 10 ? N_THINGS * (step + 1) / 10
					 : N_THINGS;

		for (size_t i = 0; i < N_THINGS / 4; i++) {
			struct thing *thing =
				&things[next_random(&state) % bound];

			if (step >= 10 && !thing->is_in)
				continue;
			n += thing->is_in ? -1 : 1;
			toggle(&set, thing);
			check_matches(&set, thing);
		}
		check_walks(&set, n);
	}
	for (size_t i = 0; i < N_THINGS; i++) {
		check_matches(&set, &things[i]);
		if (things[i].is_in)
			toggle(&set, &things[i]);
	}
	check_walks(&set, 0);
	ck_assert_ptr_null(set.part);
	hash_set_done(&set);
}
END_TEST

START_TEST(replaced)
{
	struct hash_set set = { 0 };
	struct thing new = { .hash = 5, .is_in = true };
	size_t cursor = 0;

	for (size_t i = 0; i < 100; i++) {
		things[i].hash = i / 10;
		things[i].is_in = false;
		toggle(&set, &things[i]);
	}
	hash_set_replace(&set, 5, &things[55], &new);
	things[55].is_in = false;
	check_matches(&set, &new);
	check_matches(&set, &things[55]);
	check_matches(&set, &things[54]);
	for (size_t n = 0; n < 10; n++)
		ck_assert_ptr_nonnull(hash_set_match(&set, 5, &cursor));
	ck_assert_ptr_null(hash_set_match(&set, 5, &cursor));
	hash_set_done(&set);
	ck_assert_uint_eq(set.n, 0);
}
END_TEST

/* For too few, enough, too many; by parts, and not. */
START_TEST(reserved)
{
	for (size_t round = 0; round < 8; round++) {
		size_t n = N_THINGS / 4 << round / 2;
		struct hash_set set = { 0 };
		bool by_parts = round % 2;
		uint64_t state = n;

		hash_set_reserve(&set, n);
		for (size_t i = 0; i < N_THINGS; i++) {
			things[i].hash = next_random(&state);
			must(hash_set_part(&set, things[i].hash)
			     < (size_t) 1 << set.n_bits);
			things[i].is_in = false;
			if (!by_parts)
				toggle(&set, &things[i]);
		}
		for (size_t part = 0; by_parts && part < 32; part++) {
			for (size_t i = 0; i < N_THINGS; i++) {
				if (hash_set_place(&set, things[i].hash) >> 27
				    == part)
					toggle(&set, &things[i]);
			}
		}
		check_walks(&set, N_THINGS);
		for (size_t i = 0; i < N_THINGS; i++) {
			check_matches(&set, &things[i]);
			toggle(&set, &things[i]);
		}
		ck_assert_ptr_null(set.part);
		hash_set_reserve(&set, n);
		hash_set_done(&set);
		ck_assert_ptr_null(set.part);
	}
}
END_TEST

/* Things come and go in a loose set and in one that has been tightened. */
START_TEST(loosened)
{
	struct hash_set set = { 0 };
	uint64_t state = 11;
	size_t size_loose, size_tight;

	hash_set_tighten(&set);
	hash_set_loosen(&set);
	hash_set_prefetch(&set, 5);
	for (size_t i = 0; i < N_THINGS; i++) {
		/* Some of them are the same. */
		things[i].hash = i % 100 ? next_random(&state) : 77;
		things[i].is_in = false;
		hash_set_prefetch(&set, things[i].hash);
		toggle(&set, &things[i]);
	}
	for (size_t i = 0; i < N_THINGS; i += 3)
		toggle(&set, &things[i]);
	for (size_t i = 0; i < N_THINGS; i++)
		check_matches(&set, &things[i]);
	check_walks(&set, set.n);
	size_loose = n_homes(&set);
	hash_set_tighten(&set);
	size_tight = n_homes(&set);
	ck_assert_uint_gt(size_loose, set.n * 4 / 3);
	ck_assert_uint_lt(size_tight, set.n * 7 / 6);
	check_walks(&set, set.n);
	for (size_t i = 0; i < N_THINGS; i++) {
		check_matches(&set, &things[i]);
		if (!things[i].is_in)
			toggle(&set, &things[i]);
	}
	check_walks(&set, N_THINGS);
	for (size_t i = 0; i < N_THINGS; i++) {
		check_matches(&set, &things[i]);
		toggle(&set, &things[i]);
	}
	ck_assert_ptr_null(set.part);
	hash_set_loosen(&set);
	hash_set_tighten(&set);
	hash_set_done(&set);
}
END_TEST

/* From one set to another, in its order, as a conversion does it. */
START_TEST(order_of_another)
{
	struct hash_set from = { 0 }, to = { 0 };
	uint64_t state = 7;
	size_t cursor = 0;
	struct thing *thing;

	for (size_t i = 0; i < N_THINGS; i++) {
		things[i].hash = next_random(&state);
		things[i].is_in = false;
		toggle(&from, &things[i]);
	}
	while ((thing = hash_set_next(&from, &cursor))) {
		hash_set_insert(&to, thing->hash, thing);
		if (to.n == N_THINGS / 4)
			break;
	}
	for (uint32_t range = 0; range < 64; range++) {
		uint32_t first = range << 26, last = first + ((1 << 26) - 1);
		size_t n = 0;

		cursor = 0;
		while (hash_set_range(&to, first, last, &cursor))
			n++;
		ck_assert_uint_gt(n, N_THINGS / 4 / 64 / 4);
		ck_assert_uint_lt(n, N_THINGS / 4 / 64 * 4);
	}
	hash_set_done(&from);
	hash_set_done(&to);
}
END_TEST

CHECK_MAIN("hash_set", random_changes, replaced, reserved, loosened,
	   order_of_another)
