/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/store/lookup.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/ovsdb/store/lookup_build.h"
#include "agent/ovsdb/store/row.h"

enum {
	FEW_ROWS = 64,		/* Visited without regret. */
	AT_ONCE = 64		/* Rows that wait for memory together. */
};

/* A lookup that there might be, and what a sample of rows says of it. */
struct candidate {
	const struct column *columns[LOOKUP_MAX_COLUMNS];
	size_t n_columns;
	size_t n_values;	/* Different ones in the sample. */
	size_t n_wanted;	/* Rows there that hold what is wanted. */
};

static void build_some(struct database *);
static void note_change(struct table *, size_t number);
static void drop(struct table *, size_t number);
static bool has_equal(const struct lookup *, const struct row *,
		      const struct row *);
static bool hash_query(const struct column *const *columns, size_t n_columns,
		       const struct lookup_query *, uint32_t *ret_hash);
static uint32_t hash_row(const struct column *const *columns,
			 size_t n_columns, const struct row *);
static bool is_demanded(const struct table *, size_t number);
static size_t max_columns(const struct lookup_query *);
static void choose(const struct table *, const struct lookup_query *,
		   const struct row *const *sample, size_t n_sample,
		   struct candidate *best);
static void together(const struct lookup_query *, struct candidate *);
static void estimate(struct candidate *, const struct lookup_query *,
		     const struct row *const *sample, size_t n_sample);
static bool is_built(const struct table *, const struct candidate *);
static struct lookup *find_columns(const struct table *,
				   const struct candidate *);
static bool find_place(struct table *,
		       bool (*is_held)(const void *ctx, size_t number),
		       const void *ctx, size_t *ret_number);
static void begin(struct table *, struct lookup *, const struct candidate *);
static void build(struct table *, struct lookup *);
static struct row_entry *gather(const struct table *, const struct lookup *);

void
lookup_set_init(struct lookup_set *set, const struct table_schema *schema)
{
	size_t i;

	memset(set, 0, sizeof *set);
	set->n = schema->n_indexes;
	set->all = xcalloc(set->n, sizeof *set->all);
	for (i = 0; i < set->n; i++) {
		set->all[i].columns = (const struct column **)
				      schema->indexes[i].columns;
		set->all[i].n_columns = schema->indexes[i].n;
	}
}

void
lookup_set_done(struct lookup_set *set, const struct table_schema *schema)
{
	size_t i;

	for (i = 0; i < set->n; i++) {
		row_multimap_done(&set->all[i].rows);
		if (i >= schema->n_indexes)
			free(set->all[i].columns);
	}
	free(set->all);
}

void
lookup_insert(struct table *table, struct row *row)
{
	size_t i;

	for (i = 0; i < table->lookups.n; i++) {
		struct lookup *lookup = &table->lookups.all[i];

		if (!lookup->columns
		    || !lookup_build_has(table, lookup, row))
			continue;
		row_multimap_insert(&lookup->rows, lookup_hash(lookup, row),
				    row);
		note_change(table, i);
	}
}

void
lookup_remove(struct table *table, struct row *row)
{
	size_t i;

	for (i = 0; i < table->lookups.n; i++) {
		struct lookup *lookup = &table->lookups.all[i];

		if (!lookup->columns
		    || !lookup_build_has(table, lookup, row))
			continue;
		row_multimap_remove(&lookup->rows, lookup_hash(lookup, row),
				    row);
		note_change(table, i);
	}
}

void
lookup_replace(struct table *table, struct row *old, struct row *new)
{
	size_t i;

	for (i = 0; i < table->lookups.n; i++) {
		struct lookup *lookup = &table->lookups.all[i];
		uint32_t before;

		if (!lookup->columns
		    || !lookup_build_has(table, lookup, old))
			continue;
		before = lookup_hash(lookup, old);
		if (has_equal(lookup, old, new)) {
			row_multimap_replace(&lookup->rows, before, old, new);
		} else {
			row_multimap_remove(&lookup->rows, before, old);
			row_multimap_insert(&lookup->rows,
					    lookup_hash(lookup, new), new);
		}
		note_change(table, i);
	}
}

void
lookup_run(struct database *db, int64_t now_ms)
{
	size_t i, j;

	if (!db->lookup_counters.n_lookups) {
		db->lookups_due_ms = 0;
		return;
	}
	if (db->n_building)
		build_some(db);
	if (db->lookups_due_ms && now_ms < db->lookups_due_ms)
		return;
	for (i = 0; db->lookups_due_ms && i < db->schema->n_tables; i++) {
		struct table *table = &db->tables[i];

		for (j = table->schema->n_indexes; j < table->lookups.n; j++) {
			struct lookup *lookup = &table->lookups.all[j];

			if (lookup->columns && !lookup->was_used)
				drop(table, j);
			lookup->was_used = false;
		}
	}
	db->lookups_due_ms = db->lookup_counters.n_lookups
			     ? now_ms + LOOKUP_IDLE_MS : 0;
}

int64_t
lookup_deadline(const struct database *db)
{
	if (db->n_building)
		return INT64_MIN;
	return db->lookup_counters.n_lookups ? db->lookups_due_ms : INT64_MAX;
}

uint32_t
lookup_hash(const struct lookup *lookup, const struct row *row)
{
	return hash_row(lookup->columns, lookup->n_columns, row);
}

bool
lookup_find(struct table *table, const struct lookup_query *query,
	    size_t *ret_number, uint32_t *ret_hash)
{
	struct lookup_set *set = &table->lookups;
	struct lookup *best = NULL;
	size_t n_best = 0;
	size_t i;

	set->n_searches++;
	for (i = 0; i < set->n; i++) {
		struct lookup *lookup = &set->all[i];
		uint32_t hash;
		size_t n;

		if (!lookup->columns || lookup->is_building
		    || !hash_query(lookup->columns, lookup->n_columns, query,
				   &hash))
			continue;
		n = row_multimap_count(&lookup->rows, hash);
		if (best && n >= n_best)
			continue;
		best = lookup;
		n_best = n;
		*ret_number = i;
		*ret_hash = hash;
		if (!is_demanded(table, i))
			break;
	}
	if (!best)
		return false;
	best->last_search = set->n_searches;
	best->n_changes = 0;
	best->was_used = true;
	return true;
}

bool
lookup_is_poor(struct table *table, const struct lookup_query *query,
	       size_t number, uint32_t hash)
{
	struct lookup_set *set = &table->lookups;
	const struct lookup *lookup = &set->all[number];
	size_t n;

	if (!is_demanded(table, number)
	    || lookup->n_columns == max_columns(query))
		return false;
	n = row_multimap_count(&lookup->rows, hash);
	if (n <= FEW_ROWS)
		return false;
	set->n_in_vain += n;
	return set->n_in_vain > table_n_rows(table);
}

enum lookup_outcome
lookup_demand(struct table *table, const struct lookup_query *query,
	      size_t than, const struct row *const *sample, size_t n_sample,
	      bool may_wait,
	      bool (*is_held)(const void *ctx, size_t number),
	      const void *ctx)
{
	struct lookup_set *set = &table->lookups;
	struct candidate best = { .n_columns = 0 };
	struct lookup *lookup;
	size_t number;

	set->n_in_vain = 0;
	if (than != SIZE_MAX) {
		lookup = &set->all[than];
		best.n_columns = lookup->n_columns;
		memcpy(best.columns, lookup->columns,
		       best.n_columns * sizeof *best.columns);
		estimate(&best, query, sample, n_sample);
	}
	choose(table, query, sample, n_sample, &best);
	if (!best.n_columns)
		return LOOKUP_NONE;
	lookup = find_columns(table, &best);
	if (!lookup) {
		if (!find_place(table, is_held, ctx, &number))
			return LOOKUP_NONE;
		lookup = &set->all[number];
		begin(table, lookup, &best);
		if (may_wait && table_n_rows(table) > LOOKUP_BUILD_ROWS)
			lookup_build_begin(table, lookup);
		else
			build(table, lookup);
	} else if (!lookup->is_building) {
		return LOOKUP_NONE;
	}
	if (lookup->is_building && may_wait)
		return LOOKUP_BUILDING;
	if (lookup->is_building)
		lookup_build_more(table, lookup, SIZE_MAX);
	return LOOKUP_BUILT;
}

/* One part of one of them. */
static void
build_some(struct database *db)
{
	size_t i, j;

	for (i = 0; i < db->schema->n_tables; i++) {
		struct table *table = &db->tables[i];

		for (j = 0; j < table->lookups.n; j++) {
			struct lookup *lookup = &table->lookups.all[j];

			if (!lookup->is_building)
				continue;
			lookup_build_more(table, lookup, LOOKUP_BUILD_ROWS);
			return;
		}
	}
}

/* One that nobody searches by any more is given up. */
static void
note_change(struct table *table, size_t number)
{
	struct lookup *lookup = &table->lookups.all[number];

	if (is_demanded(table, number)
	    && ++lookup->n_changes
	       > LOOKUP_IDLE_CHANGES + 2 * table_n_rows(table))
		drop(table, number);
}

static void
drop(struct table *table, size_t number)
{
	struct lookup *lookup = &table->lookups.all[number];

	if (lookup->is_building)
		lookup_build_end(table, lookup);
	row_multimap_done(&lookup->rows);
	free(lookup->columns);
	memset(lookup, 0, sizeof *lookup);
	table->database->lookup_counters.n_dropped++;
	table->database->lookup_counters.n_lookups--;
}

static bool
has_equal(const struct lookup *lookup, const struct row *a,
	  const struct row *b)
{
	size_t i;

	for (i = 0; i < lookup->n_columns; i++) {
		if (!row_has_equal(a, b, lookup->columns[i]))
			return false;
	}
	return true;
}

/* False if the query leaves a column open. */
static bool
hash_query(const struct column *const *columns, size_t n_columns,
	   const struct lookup_query *query, uint32_t *ret_hash)
{
	uint32_t hash = 0;
	size_t i, j;

	for (i = 0; i < n_columns; i++) {
		for (j = 0; j < query->n; j++) {
			if (query->columns[j] == columns[i])
				break;
		}
		if (j == query->n)
			return false;
		hash = datum_hash(query->values[j], &columns[i]->type, hash);
	}
	*ret_hash = hash;
	return true;
}

static uint32_t
hash_row(const struct column *const *columns, size_t n_columns,
	 const struct row *row)
{
	uint32_t hash = 0;
	size_t i;

	for (i = 0; i < n_columns; i++)
		hash = row_hash(row, columns[i], hash);
	return hash;
}

static bool
is_demanded(const struct table *table, size_t number)
{
	return number >= table->schema->n_indexes;
}

static size_t
max_columns(const struct lookup_query *query)
{
	return query->n < LOOKUP_MAX_COLUMNS ? query->n : LOOKUP_MAX_COLUMNS;
}

/* What '*best' is at first has to be beaten.  Columns together beat one only
 * where the sample shows that it takes them; or where one was not good
 * enough and no other one is better. */
static void
choose(const struct table *table, const struct lookup_query *query,
       const struct row *const *sample, size_t n_sample,
       struct candidate *best)
{
	bool was_poor = best->n_columns > 0;
	bool is_better = false;
	struct candidate all;
	size_t i;

	for (i = 0; i < query->n; i++) {
		struct candidate one = {
			.columns = { query->columns[i] }, .n_columns = 1
		};

		estimate(&one, query, sample, n_sample);
		if (one.n_wanted * 8 > n_sample
		    || one.n_values <= best->n_values
		    || is_built(table, &one))
			continue;
		*best = one;
		is_better = true;
	}
	if (query->n < 2)
		return;
	together(query, &all);
	estimate(&all, query, sample, n_sample);
	if ((was_poor && !is_better) || all.n_values >= 2 * best->n_values) {
		if (all.n_wanted * 8 <= n_sample)
			*best = all;
	}
}

/* In the order of the schema, whatever that of the clauses is. */
static void
together(const struct lookup_query *query, struct candidate *all)
{
	size_t n = max_columns(query);
	size_t i, j;

	memset(all, 0, sizeof *all);
	for (i = 0; i < n; i++) {
		const struct column *column = query->columns[i];

		for (j = i; j && all->columns[j - 1]->index > column->index;
		     j--)
			all->columns[j] = all->columns[j - 1];
		all->columns[j] = column;
	}
	all->n_columns = n;
}

static void
estimate(struct candidate *candidate, const struct lookup_query *query,
	 const struct row *const *sample, size_t n_sample)
{
	enum { N_SLOTS = 2 * LOOKUP_MAX_SAMPLE };
	uint64_t seen[N_SLOTS] = { 0 };		/* Hash + 1; 0: free. */
	uint32_t wanted = 0;
	size_t i;

	hash_query(candidate->columns, candidate->n_columns, query, &wanted);
	candidate->n_values = candidate->n_wanted = 0;
	for (i = 0; i < n_sample; i++) {
		uint32_t hash = hash_row(candidate->columns,
					 candidate->n_columns, sample[i]);
		size_t at = hash % N_SLOTS;

		candidate->n_wanted += hash == wanted;
		while (seen[at] && seen[at] != (uint64_t) hash + 1)
			at = (at + 1) % N_SLOTS;
		if (!seen[at])
			candidate->n_values++;
		seen[at] = (uint64_t) hash + 1;
	}
}

static bool
is_built(const struct table *table, const struct candidate *candidate)
{
	const struct lookup *lookup = find_columns(table, candidate);

	return lookup && !lookup->is_building;
}

/* NULL: there is none that is, or will be, of these. */
static struct lookup *
find_columns(const struct table *table, const struct candidate *candidate)
{
	size_t i;

	for (i = 0; i < table->lookups.n; i++) {
		struct lookup *lookup = &table->lookups.all[i];

		if (lookup->columns
		    && lookup->n_columns == candidate->n_columns
		    && !memcmp(lookup->columns, candidate->columns,
			       lookup->n_columns * sizeof *lookup->columns))
			return lookup;
	}
	return NULL;
}

static bool
find_place(struct table *table,
	   bool (*is_held)(const void *ctx, size_t number), const void *ctx,
	   size_t *ret_number)
{
	struct lookup_set *set = &table->lookups;
	size_t n_indexes = table->schema->n_indexes;
	size_t oldest = SIZE_MAX;
	size_t i;

	for (i = n_indexes; i < set->n; i++) {
		if (is_held(ctx, i))
			continue;
		if (!set->all[i].columns) {
			*ret_number = i;
			return true;
		}
		if (oldest == SIZE_MAX || set->all[i].last_search
					  < set->all[oldest].last_search)
			oldest = i;
	}
	if (set->n < n_indexes + LOOKUP_MAX_DEMANDED) {
		set->all = xrealloc(set->all, (set->n + 1) * sizeof *set->all);
		memset(&set->all[set->n], 0, sizeof *set->all);
		*ret_number = set->n++;
		return true;
	}
	if (oldest == SIZE_MAX || set->n_searches - set->all[oldest].last_search
				  < LOOKUP_IDLE_SEARCHES)
		return false;
	drop(table, oldest);
	*ret_number = oldest;
	return true;
}

static void
begin(struct table *table, struct lookup *lookup,
      const struct candidate *candidate)
{
	lookup->columns = xmemdup(candidate->columns, candidate->n_columns
				  * sizeof *candidate->columns);
	lookup->n_columns = candidate->n_columns;
	lookup->last_search = table->lookups.n_searches;
	lookup->was_used = true;
	table->database->lookup_counters.n_built++;
	table->database->lookup_counters.n_lookups++;
}

static void
build(struct table *table, struct lookup *lookup)
{
	struct row_entry *entries = gather(table, lookup);

	row_multimap_fill(&lookup->rows, entries, table_n_rows(table));
	free(entries);
}

/* Where each row, and what it holds, waits for memory of its own, many can
 * wait at once. */
static struct row_entry *
gather(const struct table *table, const struct lookup *lookup)
{
	size_t n_rows = table_n_rows(table);
	struct row_entry *entries = xmalloc(n_rows * sizeof *entries);
	size_t cursor = 0, n = 0;

	while (n < n_rows) {
		struct row_entry *chunk = entries + n;
		size_t n_chunk = 0, i;

		for (; n_chunk < AT_ONCE && n < n_rows; n++) {
			struct row *row = row_map_next(&table->rows, &cursor);

			chunk[n_chunk++].row = row;
			__builtin_prefetch(row);
			__builtin_prefetch((char *) row + 64);
		}
		for (i = 0; i < n_chunk; i++)
			row_fetch(chunk[i].row, lookup->columns[0]);
		for (i = 0; i < n_chunk; i++)
			chunk[i].hash = lookup_hash(lookup, chunk[i].row);
	}
	return entries;
}
