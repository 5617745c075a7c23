/* SPDX-License-Identifier: Apache-2.0 */

/* Tests agent/ovsdb/store/row_multimap.c; as a twin, the hash of each row. */

#include "agent/ovsdb/store/row_multimap.h"

#include <stdbool.h>

#include "agent/base/memory.h"
#include "agent/ovsdb/store/row.h"
#include "tests/unit/ovsdb_tools.h"

static uint32_t
random_below(uint64_t *state, uint32_t n)
{
	*state = *state * 6364136223846793005 + 1442695040888963407;
	return (*state >> 33) % n;
}

/* The rows that a test has put into a map: row i has hash hashes[i], or is
 * not there. */
struct twin {
	struct row_multimap map;
	struct row rows[4096][2];	/* Two versions of each, of which */
	bool is_second[4096];		/* this is there. */
	int64_t hashes[4096];
};

/* Assertions of libcheck take a system call each; there are millions here. */
static void
must(bool holds)
{
	if (!holds)
		ck_abort();
}

/* The i-th row; its UUID is all that is looked at. */
static struct row *
row_at(struct twin *twin, size_t i)
{
	struct row *row = &twin->rows[i][twin->is_second[i]];

	memcpy(&row->uuid, &i, sizeof i);
	return row;
}

static int
compare_pointers(const void *a, const void *b)
{
	const char *p = *(char *const *) a, *q = *(char *const *) b;

	return (p > q) - (p < q);
}

static size_t
check_bucket(struct twin *twin, uint32_t hash)
{
	static struct row *got[4096];
	size_t n = row_multimap_count(&twin->map, hash);
	size_t i, j = 0;

	must(n <= 4096);
	row_multimap_copy(&twin->map, hash, got);
	qsort(got, n, sizeof *got, compare_pointers);
	for (i = 0; i < 4096; i++) {
		if (twin->hashes[i] != hash)
			continue;
		must(j < n && got[j] == row_at(twin, i));
		j++;
	}
	ck_assert_uint_eq(j, n);
	return n;
}

/* Few hashes and many, so that buckets of each size come, grow, shrink and
 * go, and neighbours move up. */
START_TEST(equals_its_twin)
{
	static struct twin twin;
	uint64_t state = _i + 1;
	uint32_t n_hashes = _i % 2 ? 3 + _i : 200 * _i + 50;
	size_t n_checked = 0, n_in = 0;

	memset(twin.hashes, 0xff, sizeof twin.hashes);
	for (unsigned step = 0; step < 60000; step++) {
		/* It grows, it shrinks, it grows, ... */
		bool fill = step / 10000 % 2 == 0;
		size_t i = random_below(&state, 4096);
		uint32_t hash = random_below(&state, n_hashes) << 7;

		if (twin.hashes[i] < 0) {
			if (!fill && random_below(&state, 8))
				continue;
			row_multimap_insert(&twin.map, hash, row_at(&twin, i));
			twin.hashes[i] = hash;
			n_in++;
		} else if (random_below(&state, 3) == 0) {
			struct row *old = row_at(&twin, i);

			twin.is_second[i] = !twin.is_second[i];
			row_multimap_replace(&twin.map, twin.hashes[i], old,
					     row_at(&twin, i));
		} else if (!fill || random_below(&state, 8) == 0) {
			row_multimap_remove(&twin.map, twin.hashes[i],
					    row_at(&twin, i));
			twin.hashes[i] = -1;
			n_in--;
		}
		must(twin.map.n == n_in);
		if (step % 64 == 0)
			n_checked += check_bucket(&twin, hash);
	}
	ck_assert_uint_gt(n_checked, 100);
	/* It can go with what is in it, too. */
	for (size_t i = 0; _i % 4 && i < 4096; i++) {
		if (twin.hashes[i] >= 0)
			row_multimap_remove(&twin.map, twin.hashes[i],
					    row_at(&twin, i));
	}
	if (_i % 4) {
		ck_assert_uint_eq(twin.map.n, 0);
		ck_assert_uint_eq(row_multimap_size(&twin.map), 0);
	}
	row_multimap_done(&twin.map);
}
END_TEST

/* All at once: as if one by one, however they are spread. */
START_TEST(filled_at_once)
{
	static struct row_entry entries[4096];
	static struct twin twin;
	uint64_t state = _i + 1;
	size_t n = _i < 4 ? _i : _i * 500;

	memset(twin.hashes, 0xff, sizeof twin.hashes);
	for (size_t i = 0; i < n; i++) {
		twin.hashes[i] = random_below(&state, _i % 2 ? 50 : 1000000);
		entries[i].row = row_at(&twin, i);
		entries[i].hash = twin.hashes[i];
	}
	row_multimap_fill(&twin.map, entries, n);
	ck_assert_uint_eq(twin.map.n, n);
	for (size_t i = 0; i < n; i += 8)
		ck_assert_uint_ge(check_bucket(&twin, twin.hashes[i]), 1);
	row_multimap_done(&twin.map);
}
END_TEST

/* Would take hours if a bucket's rows stood one behind the other. */
START_TEST(a_million_equal_hashes_are_no_burden)
{
	enum { N = 1000000 };
	struct row_multimap map = { 0 };
	struct row *rows = xcalloc(N, sizeof *rows);

	for (size_t i = 0; i < N; i++) {
		memcpy(&rows[i].uuid, &i, sizeof i);
		row_multimap_insert(&map, 7, &rows[i]);
	}
	ck_assert_uint_eq(row_multimap_count(&map, 7), N);
	ck_assert_uint_eq(row_multimap_count(&map, 8), 0);
	for (size_t i = 0; i < N; i++)
		row_multimap_remove(&map, 7, &rows[i]);
	ck_assert_uint_eq(map.n, 0);
	row_multimap_done(&map);
	free(rows);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("row_multimap");
	TCase *all = tcase_create("all");
	SRunner *runner;
	int n_failed;

	tcase_set_timeout(all, 120);
	tcase_add_loop_test(all, equals_its_twin, 0, 8);
	tcase_add_loop_test(all, filled_at_once, 0, 9);
	tcase_add_test(all, a_million_equal_hashes_are_no_burden);
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed != 0;
}
