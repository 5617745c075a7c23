/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/base/reclaim.c, generation.c and table.c. */

#include "libvswitch/base/reclaim.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include "libvswitch/base/generation.h"
#include "libvswitch/base/memory.h"
#include "libvswitch/base/table.h"
#include "tests/unit/policy_rig.h"

static struct rig_memory memory;
static struct vsw_allocator allocator;
static struct reclaim reclaim;

static void
setup(void)
{
	allocator = rig_allocator(&memory);
	ck_assert_int_eq(reclaim_init(&reclaim, &allocator, 3), 0);
}

static void
teardown(void)
{
	reclaim_done(&reclaim, &allocator);
	ck_assert_uint_eq(memory.n_live, 0);
}

struct object {
	struct retired retired;
	bool is_freed;
	struct object *holds;
};

static void
free_object(void *ctx, struct retired *retired)
{
	struct object *object = (struct object *) retired;

	ck_assert(!object->is_freed);
	object->is_freed = true;
	if (object->holds)
		reclaim_retire(&reclaim, &object->holds->retired, free_object,
			       ctx);
}

START_TEST(who_is_inside_holds_up)
{
	struct object a = { .is_freed = false }, b = a, c = a;

	setup();
	reclaim_enter(&reclaim, 0);
	reclaim_retire(&reclaim, &a.retired, free_object, NULL);
	ck_assert(!a.is_freed);
	reclaim_enter(&reclaim, 1);	/* Came in later: saw it unlinked. */
	reclaim_retire(&reclaim, &b.retired, free_object, NULL);
	reclaim_leave(&reclaim, 0);
	reclaim_run(&reclaim);
	ck_assert(a.is_freed && !b.is_freed);
	reclaim_leave(&reclaim, 1);
	reclaim_run(&reclaim);
	ck_assert(b.is_freed);
	/* Nobody inside: at once. */
	reclaim_retire(&reclaim, &c.retired, free_object, NULL);
	ck_assert(c.is_freed);
	teardown();
}
END_TEST

START_TEST(freeing_may_retire)
{
	struct object chain[50];

	setup();
	for (int i = 0; i < 50; i++)
		chain[i] = (struct object) {
			.holds = i < 49 ? &chain[i + 1] : NULL
		};
	reclaim_enter(&reclaim, 2);
	reclaim_retire(&reclaim, &chain[0].retired, free_object, NULL);
	reclaim_leave(&reclaim, 2);
	reclaim_done(&reclaim, &allocator);
	for (int i = 0; i < 50; i++)
		ck_assert(chain[i].is_freed);
	ck_assert_uint_eq(memory.n_live, 0);
}
END_TEST

START_TEST(visitors)
{
	struct object a = { .is_freed = false };
	size_t marks[RECLAIM_VISITORS];

	setup();
	for (int i = 0; i < RECLAIM_VISITORS; i++) {
		marks[i] = reclaim_visit(&reclaim);
		ck_assert_uint_ge(marks[i], 3);
		for (int j = 0; j < i; j++)
			ck_assert_uint_ne(marks[i], marks[j]);
	}
	reclaim_retire(&reclaim, &a.retired, free_object, NULL);
	for (int i = 0; i < RECLAIM_VISITORS; i++) {
		ck_assert(!a.is_freed);
		reclaim_leave(&reclaim, marks[i]);
		reclaim_run(&reclaim);
	}
	ck_assert(a.is_freed);
	teardown();
}
END_TEST

static struct {
	_Atomic(int *) shared;
	_Atomic bool is_done;
} race;

/* Reads what the other thread replaces: freed memory holds 0. */
static void *
read_shared(void *unused)
{
	unsigned long n_bad = 0;

	(void) unused;
	while (!atomic_load(&race.is_done)) {
		reclaim_enter(&reclaim, 0);
		for (int i = 0; i < 10; i++)
			n_bad += *atomic_load(&race.shared) != 42;
		reclaim_leave(&reclaim, 0);
	}
	return (void *) n_bad;
}

START_TEST(wait_lets_nobody_behind)
{
	static int values[2];
	pthread_t thread;
	void *n_bad;

	setup();
	values[0] = 42;
	atomic_store(&race.shared, &values[0]);
	ck_assert_int_eq(pthread_create(&thread, NULL, read_shared, NULL), 0);
	for (int i = 1; i < 3000; i++) {
		values[i % 2] = 42;
		atomic_store(&race.shared, &values[i % 2]);
		reclaim_wait(&reclaim);
		values[(i + 1) % 2] = 0;
	}
	atomic_store(&race.is_done, true);
	pthread_join(thread, &n_bad);
	ck_assert_ptr_null(n_bad);
	teardown();
}
END_TEST

/* One generation stands for a domain's stripes, as long as there is one
 * domain. */
static void
stripes(struct generations *g, uint32_t edits, uint32_t other)
{
	uint32_t a = generation_stripe(g, 0);
	uint32_t b = generation_stripe(g, UINT64_C(1) << 20);
	struct dependencies d;

	for (int mixed = 0; mixed < 2; mixed++) {
		dependencies_start(&d, g);
		dependencies_add_edits(&d, g, edits);
		dependencies_add_edits(&d, g, mixed ? other : edits);
		dependencies_add(&d, g, a);
		/* Elsewhere, and here. */
		generation_move(g, other);
		ck_assert(dependencies_hold(&d, g));
		generation_touch(g, b);
		generation_move(g, edits);
		ck_assert(dependencies_hold(&d, g));
		/* Who decides sees what is not told yet. */
		ck_assert(dependencies_stand(&d, g));
		generation_touch(g, a);
		ck_assert(!dependencies_stand(&d, g));
		generation_move(g, mixed ? other : edits);
		ck_assert(!dependencies_hold(&d, g));
		ck_assert(!dependencies_hold(&d, g));
	}
}

START_TEST(generations)
{
	struct generations g;
	struct dependencies d;
	uint32_t a, b, n[GENERATION_DEPS + 2];

	setup();
	ck_assert_int_eq(generations_init(&g, &allocator, 70, 8), 0);
	ck_assert_int_eq(generation_new(&g, &a), 0);
	ck_assert_int_eq(generation_new(&g, &b), 0);
	ck_assert_uint_ne(a, b);
	ck_assert_uint_ne(a, GENERATION_NONE);
	dependencies_start(&d, &g);
	dependencies_add(&d, &g, a);
	dependencies_add(&d, &g, a);
	ck_assert_uint_eq(d.n, 1);
	generation_move(&g, b);
	ck_assert(dependencies_hold(&d, &g));
	generation_move(&g, a);
	ck_assert(!dependencies_hold(&d, &g));
	/* A number's next holder is not its last one. */
	dependencies_start(&d, &g);
	dependencies_add(&d, &g, a);
	generation_free(&g, a);
	ck_assert_int_eq(generation_new(&g, &n[0]), 0);
	ck_assert_uint_eq(n[0], a);
	ck_assert(!dependencies_hold(&d, &g));
	/* Too many to tell apart: any change counts. */
	dependencies_start(&d, &g);
	for (int i = 0; i < GENERATION_DEPS + 2; i++) {
		ck_assert_int_eq(generation_new(&g, &n[i]), 0);
		dependencies_add(&d, &g, n[i]);
	}
	ck_assert(dependencies_hold(&d, &g));
	generation_move(&g, b);
	ck_assert(!dependencies_hold(&d, &g));
	/* 0, and all but those that are taken. */
	for (int i = 0; i < 70 - 1 - 2 - GENERATION_DEPS - 2; i++)
		ck_assert_int_eq(generation_new(&g, &n[0]), 0);
	ck_assert_int_eq(generation_new(&g, &n[0]), -ENOSPC);
	/* Stripes lie behind all of them, and are told of later. */
	a = generation_stripe(&g, UINT64_C(3) << 20);
	ck_assert_uint_eq(a, 70 + 3);
	ck_assert_uint_eq(generation_stripe(&g, UINT64_MAX), 70 + 7);
	dependencies_start(&d, &g);
	dependencies_add(&d, &g, a);
	generation_touch(&g, a);
	ck_assert(dependencies_hold(&d, &g));
	generations_tell(&g);
	ck_assert(!dependencies_hold(&d, &g));
	stripes(&g, n[1], n[2]);
	generations_done(&g, &allocator);
	teardown();
}
END_TEST

static bool
equal(const void *item, const void *key)
{
	return *(const unsigned *) item == *(const unsigned *) key;
}

/* Eight hashes, so that many items share one. */
START_TEST(table_twin)
{
	static unsigned keys[200];
	static bool is_there[200];
	struct table table = { .n_used = 0 };
	uint64_t state = 11;
	size_t n = 0, at = 0, n_walked = 0;

	setup();
	for (unsigned i = 0; i < 200; i++)
		keys[i] = i;
	for (int i = 0; i < 100000; i++) {
		unsigned k = rig_random(&state) % 200;
		uint32_t hash = k % 8;

		if (is_there[k] && rig_random(&state) % 2) {
			table_remove(&table, hash, &keys[k]);
			is_there[k] = false;
			n--;
		} else if (is_there[k]) {
			table_replace(&table, hash, &keys[k], &keys[k]);
		} else {
			ck_assert_int_eq(table_reserve(&table, &allocator,
						       &reclaim, 1), 0);
			table_add(&table, hash, &keys[k]);
			is_there[k] = true;
			n++;
		}
		k = rig_random(&state) % 200;
		ck_assert_ptr_eq(table_find(&table, k % 8, equal, &keys[k]),
				 is_there[k] ? &keys[k] : NULL);
		ck_assert_uint_eq(atomic_load(&table.n), n);
	}
	while (table_next(&table, &at))
		n_walked++;
	ck_assert_uint_eq(n_walked, n);
	/* No memory: as it was. */
	memory.n_calls = 0;
	memory.fail_at = 1;
	ck_assert_int_eq(table_reserve(&table, &allocator, &reclaim, 100000),
			 -ENOMEM);
	memory.fail_at = 0;
	for (unsigned k = 0; k < 200; k++)
		ck_assert_ptr_eq(table_find(&table, k % 8, equal, &keys[k]),
				 is_there[k] ? &keys[k] : NULL);
	table_done(&table);
	teardown();
}
END_TEST

RIG_MAIN("reclaim", who_is_inside_holds_up, freeing_may_retire, visitors,
	 wait_lets_nobody_behind, generations, table_twin)
