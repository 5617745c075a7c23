/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/base/slab.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/ovsdb_tools.h"

enum { N_OBJECTS = 20000 };

static uint32_t
next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005 + 1442695040888963407;
	return *state >> 32;
}

static bool
is_filled(const unsigned char *object, size_t size, unsigned char with)
{
	for (size_t i = 0; i < size; i++)
		if (object[i] != with)
			return false;
	return true;
}

/* Objects keep what is in them, whatever else comes and goes, and know whose
 * they are; slabs go when they are empty. */
static void
come_and_go(size_t size, size_t n, int *owner)
{
	unsigned char **objects = calloc(n, sizeof *objects);
	struct slab_pool pool;
	uint64_t state = size;
	size_t n_used = 0;

	slab_pool_init(&pool, size, owner);
	for (size_t step = 0; step < 5 * n; step++) {
		size_t i = next_random(&state) % n;

		if (objects[i]) {
			if (!is_filled(objects[i], size, i % 251)
			    || slab_owner(objects[i]) != owner)
				ck_abort();
			slab_free(objects[i]);
			objects[i] = NULL;
			n_used--;
		} else if (step < 4 * n) {
			objects[i] = slab_alloc(&pool);
			memset(objects[i], i % 251, size);
			n_used++;
		}
	}
	ck_assert_uint_gt(n_used, 0);
	ck_assert_uint_gt(pool.n_slabs, 0);
	for (size_t i = 0; i < n; i++) {
		if (objects[i] && !is_filled(objects[i], size, i % 251))
			ck_abort();
		slab_free(objects[i]);
	}
	ck_assert_uint_eq(pool.n_slabs, 0);
	slab_pool_done(&pool);
	free(objects);
}

START_TEST(all_sizes)
{
	int owner;

	for (size_t size = 12; size <= 256; size += 4)
		come_and_go(size, N_OBJECTS / 10, &owner);
	come_and_go(32, N_OBJECTS, &owner);
	come_and_go(4000, 500, &owner);
	come_and_go(16 * 1024, 100, &owner);
	come_and_go(20000, 50, &owner);
	come_and_go(65536, 20, &owner);
	come_and_go(300000, 20, &owner);
}
END_TEST

/* No more room than there must be: 64 KiB, less a header. */
START_TEST(side_by_side)
{
	enum { N = 20000, SIZE = 24 };
	static void *objects[N];
	struct slab_pool pool;

	slab_pool_init(&pool, SIZE, NULL);
	for (size_t i = 0; i < N; i++)
		objects[i] = slab_alloc(&pool);
	/* Not where a sanitizer has margins. */
	if ((char *) objects[1] - (char *) objects[0] == SIZE)
		ck_assert_uint_eq(pool.n_slabs,
				  N / (65536 / SIZE - 4) + 1);
	slab_free(NULL);
	for (size_t i = 0; i < N; i++)
		slab_free(objects[i]);
	ck_assert_uint_eq(pool.n_slabs, 0);
}
END_TEST

CHECK_MAIN("slab", all_sizes, side_by_side)
