/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/store/lookup_build.h"

#include "agent/ovsdb/store/row.h"

enum {
	RANGE_ROWS = 256,	/* Whose places are gone through at once, */
	AT_ONCE = 64		/* and that wait for memory together. */
};

static void add(struct lookup *, struct row *const *rows, size_t n);

void
lookup_build_begin(struct table *table, struct lookup *lookup)
{
	lookup->is_building = true;
	lookup->built_to = 0;
	table->database->n_building++;
}

void
lookup_build_end(struct table *table, struct lookup *lookup)
{
	lookup->is_building = false;
	table->database->n_building--;
}

bool
lookup_build_has(const struct table *table, const struct lookup *lookup,
		 const struct row *row)
{
	return !lookup->is_building
	       || row_map_place(&table->rows, row_uuid_hash(row_uuid(row)))
		  <= lookup->built_to;
}

void
lookup_build_more(struct table *table, struct lookup *lookup, size_t max)
{
	size_t n_ranges = table_n_rows(table) / RANGE_ROWS + 1;
	uint32_t step = (uint32_t) (UINT32_MAX / n_ranges);
	size_t n_rows = 0;

	while (lookup->is_building && n_rows < max) {
		uint32_t first = lookup->built_to + 1, last = UINT32_MAX;
		struct row *rows[AT_ONCE], *row;
		size_t cursor = 0, n = 0;

		if (last - lookup->built_to > step)
			last = lookup->built_to + step;
		while ((row = row_map_range(&table->rows, first, last,
					    &cursor))) {
			rows[n++] = row;
			n_rows++;
			__builtin_prefetch(row);
			__builtin_prefetch((char *) row + 64);
			if (n < AT_ONCE)
				continue;
			add(lookup, rows, n);
			n = 0;
		}
		add(lookup, rows, n);
		lookup->built_to = last;
		if (last == UINT32_MAX)
			lookup_build_end(table, lookup);
	}
}

/* Where each row, what it holds, and its place wait for memory of their own,
 * many can wait at once. */
static void
add(struct lookup *lookup, struct row *const *rows, size_t n)
{
	uint32_t hashes[AT_ONCE];

	for (size_t i = 0; i < n; i++)
		row_fetch(rows[i], lookup->columns[0]);
	for (size_t i = 0; i < n; i++) {
		hashes[i] = lookup_hash(lookup, rows[i]);
		hash_set_prefetch(&lookup->rows.set, hashes[i]);
	}
	for (size_t i = 0; i < n; i++)
		row_multimap_insert(&lookup->rows, hashes[i], rows[i]);
}
