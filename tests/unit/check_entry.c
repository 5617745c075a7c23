/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/policy/entry.c and entry_table.c: an array as their twin,
 * with hashes that collide as often as they can. */

#include "libvswitch/policy/entry.h"

#include <errno.h>
#include "libvswitch/base/switch.h"
#include "tests/unit/policy_rig.h"

enum { N_KEYS = 3000, N_STEPS = 60000 };

static struct rig_memory memory;
static struct vsw *vsw;
static struct entry_table table;
static uint32_t numbers[N_KEYS];	/* Of those that are there. */
static uint64_t hashes[N_KEYS];

static void
setup(void)
{
	memory = (struct rig_memory) { 0 };
	vsw = rig_switch(&memory);
	table = (struct entry_table) { .n = 0 };
	memset(numbers, 0, sizeof numbers);
}

static void
teardown(void)
{
	entry_table_done(&table, vsw);
	vsw_free(vsw);
	ck_assert_uint_eq(memory.n_live, 0);
}

static struct entry_key
key_of(uint32_t k)
{
	struct entry_key key = { .kind = ENTRY_V4 };

	memcpy(key.bytes, &k, 4);
	return key;
}

static uint32_t
new_entry(uint32_t k)
{
	uint32_t number = entry_take(vsw->entries);
	struct entry_key key = key_of(k);
	struct entry *entry = entry_at(vsw->entries, number);

	ck_assert_uint_ne(number, ENTRY_NONE);
	ck_assert_uint_eq(entry->place.key_kind, 0);
	memcpy(entry->key, key.bytes, sizeof entry->key);
	entry->place.key_kind = ENTRY_V4;
	return number;
}

static void
retire(uint32_t number)
{
	uint32_t list = ENTRY_NONE;

	entry_leave(vsw->entries, number, &list);
	entry_retire(vsw->entries, list, reclaim_next(&vsw->reclaim));
}

static uint64_t
tag_of(uint32_t k)
{
	return hashes[k] >> 48 ? hashes[k] >> 48 : 1;
}

static void
look_up(uint32_t k)
{
	struct entry_key key = key_of(k);
	uint32_t guess;

	ck_assert_uint_eq(entry_table_find(&table, vsw->entries, hashes[k],
					   &key), numbers[k]);
	/* A guess is somebody with this tag, or nobody. */
	entry_table_fetch(&table, hashes[k]);
	guess = entry_table_guess(&table, hashes[k]);
	for (uint32_t i = 0; guess && i < N_KEYS; i++)
		if (numbers[i] == guess)
			ck_assert_uint_eq(tag_of(i), tag_of(k));
	key.kind = ENTRY_MAC;
	ck_assert_uint_eq(entry_table_find(&table, vsw->entries, hashes[k],
					   &key), 0);
}

static void
look_up_all(void)
{
	size_t n = 0, at = 0;

	for (uint32_t k = 0; k < N_KEYS; k++) {
		look_up(k);
		n += numbers[k] != 0;
	}
	ck_assert_uint_eq(atomic_load(&table.n), n);
	while (entry_table_next(&table, &at, SIZE_MAX))
		n--;
	ck_assert_uint_eq(n, 0);
}

/* The table hashes anew when it grows: then, chosen hashes are at an end.  So
 * it has its room before. */
static void
make_room(void)
{
	static uint32_t filler[N_KEYS];

	for (uint32_t k = 0; k < N_KEYS; k++) {
		struct entry_key key = key_of(k);

		ck_assert_int_eq(entry_table_reserve(&table, vsw), 0);
		filler[k] = new_entry(k);
		entry_table_add(&table, entry_hash(&key, &vsw->secret),
				filler[k]);
	}
	for (uint32_t k = 0; k < N_KEYS; k++) {
		struct entry_key key = key_of(k);

		entry_table_remove(&table, entry_hash(&key, &vsw->secret),
				   filler[k]);
		retire(filler[k]);
	}
	ck_assert_uint_eq(atomic_load(&table.n), 0);
}

/* All in few buckets, next to each other, around the end; few tags. */
START_TEST(twin)
{
	uint64_t state = 7, n_buckets[] = { 1, 3, 500, 1 << 20 };

	for (unsigned run = 0; run < 4; run++) {
		setup();
		make_room();
		for (uint32_t k = 0; k < N_KEYS; k++)
			hashes[k] = (uint64_t) (rig_random(&state) % 3) << 48
				    | (uint32_t) -(rig_random(&state)
						   % n_buckets[run] + 1);
		for (unsigned step = 0; step < N_STEPS / (run ? 1 : 20);
		     step++) {
			uint32_t k = rig_random(&state) % N_KEYS, number;

			if (step % 3000 == 0)
				look_up_all();
			number = rig_random(&state) % 3 ? new_entry(k) : 0;
			if (!numbers[k] && number)
				entry_table_add(&table, hashes[k], number);
			else if (numbers[k] && number)
				entry_table_replace(&table, hashes[k],
						    numbers[k], number);
			else if (numbers[k])
				entry_table_remove(&table, hashes[k],
						   numbers[k]);
			if (numbers[k])
				retire(numbers[k]);
			numbers[k] = number;
			look_up(k);
		}
		look_up_all();
		for (uint32_t k = 0; k < N_KEYS; k++)
			if (numbers[k])
				entry_table_remove(&table, hashes[k],
						   numbers[k]);
		memset(numbers, 0, sizeof numbers);
		look_up_all();
		teardown();
	}
}
END_TEST

/* Where tags are many, a guess is nearly always right. */
START_TEST(guesses)
{
	uint32_t n_right = 0;

	setup();
	for (uint32_t k = 0; k < N_KEYS; k++) {
		struct entry_key key = key_of(k);

		hashes[k] = entry_hash(&key, &vsw->secret);
		ck_assert_uint_eq(entry_table_guess(&table, hashes[k]),
				  ENTRY_NONE);
	}
	for (uint32_t k = 0; k < N_KEYS; k++) {
		ck_assert_int_eq(entry_table_reserve(&table, vsw), 0);
		numbers[k] = new_entry(k);
		entry_table_add(&table, hashes[k], numbers[k]);
	}
	look_up_all();
	for (uint32_t k = 0; k < N_KEYS; k++)
		n_right += entry_table_guess(&table, hashes[k]) == numbers[k];
	ck_assert_uint_ge(n_right, N_KEYS * 9 / 10);
	for (uint32_t k = 0; k < N_KEYS; k++) {
		entry_table_remove(&table, hashes[k], numbers[k]);
		retire(numbers[k]);
	}
	memset(numbers, 0, sizeof numbers);
	teardown();
}
END_TEST

/* An entry that a reader may be looking at is not used again. */
START_TEST(waits_for_readers)
{
	size_t mark;
	uint32_t number, list = ENTRY_NONE;

	setup();
	number = new_entry(1);
	mark = reclaim_visit(&vsw->reclaim);
	entry_leave(vsw->entries, number, &list);
	entry_leave(vsw->entries, new_entry(2), &list);
	entry_retire(vsw->entries, list, reclaim_next(&vsw->reclaim));
	entry_pool_run(vsw->entries);
	ck_assert_uint_eq(entry_at(vsw->entries, number)->place.key_kind,
			  ENTRY_V4);
	ck_assert_uint_ne(new_entry(3), number);
	reclaim_leave(&vsw->reclaim, mark);
	entry_pool_run(vsw->entries);
	ck_assert_uint_eq(entry_at(vsw->entries, number)->place.key_kind, 0);
	entry_give_back(vsw->entries, number = new_entry(4));
	ck_assert_uint_eq(new_entry(5), number);
	teardown();
}
END_TEST

/* Small chunks, then large ones, and as many as there are. */
START_TEST(numbers_are_places)
{
	enum { N = 300000 };
	uint32_t number = 0;

	setup();
	for (uint32_t i = 1; i <= N; i++) {
		number = entry_take(vsw->entries);
		ck_assert_uint_eq(number, i);
		memcpy(entry_at(vsw->entries, number)->key, &number, 4);
	}
	for (uint32_t i = 1; i <= N; i++) {
		memcpy(&number, entry_at(vsw->entries, i)->key, 4);
		ck_assert_uint_eq(number, i);
	}
	/* Its own memory runs out: what is there stays. */
	memory.fail_at = 1;
	memory.n_calls = 0;
	for (uint32_t i = 0; number; i++) {
		number = entry_take(vsw->entries);
		ck_assert_uint_lt(i, 70000);
	}
	memory.fail_at = 2;
	memory.n_calls = 0;
	ck_assert_uint_eq(entry_take(vsw->entries), ENTRY_NONE);
	memory.fail_at = 0;
	ck_assert_uint_ne(entry_take(vsw->entries), ENTRY_NONE);
	ck_assert_int_eq(entry_table_reserve(&table, vsw), 0);
	teardown();
}
END_TEST

RIG_MAIN("entry", twin, guesses, waits_for_readers, numbers_are_places)
