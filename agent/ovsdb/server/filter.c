/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/server/filter.h"

#include <stdlib.h>

#include "agent/base/memory.h"

static void settle(struct filter *);
static int compare(const void *, const void *);
static int compare_kind(const struct clause *, const struct clause *);
static bool has_equal(const struct filter *, size_t first, size_t end,
		      const struct datum *);

struct ovsdb_error *
filter_add(struct filter *filter, const struct table_schema *table,
	   json_t *where)
{
	size_t n_before = filter->n, n = json_array_size(where);

	if (n > FILTER_MAX_CLAUSES || n + n_before > FILTER_MAX_CLAUSES)
		return ovsdb_error(OVSDB_RESOURCES_EXHAUSTED, "the conditions"
				   " on table %s have at most %u clauses,"
				   " these %zu", table->name,
				   FILTER_MAX_CLAUSES, n + n_before);
	if (!n) {
		filter_add_all(filter);
		return NULL;
	}
	filter->clauses = xrealloc(filter->clauses,
				   (n_before + n) * sizeof *filter->clauses);
	for (size_t i = 0; i < n; i++) {
		struct ovsdb_error *error;

		error = clause_from_json(json_array_get(where, i), table,
					 NULL, &filter->clauses[filter->n]);
		if (error) {
			while (filter->n > n_before)
				clause_done(&filter->clauses[--filter->n]);
			return error;
		}
		filter->n++;
	}
	settle(filter);
	return NULL;
}

void
filter_add_all(struct filter *filter)
{
	filter_done(filter);
	filter->clauses = xcalloc(1, sizeof *filter->clauses);
	filter->clauses[0].function = CONDITION_TRUE;
	filter->n = 1;
	filter->is_all = true;
}

void
filter_done(struct filter *filter)
{
	for (size_t i = 0; i < filter->n; i++)
		clause_done(&filter->clauses[i]);
	free(filter->clauses);
	*filter = (struct filter) { 0 };
}

bool
filter_equal(const struct filter *a, const struct filter *b)
{
	if (!a->n || !b->n || a->is_all || b->is_all)
		return (!a->n || a->is_all) == (!b->n || b->is_all);
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (compare(&a->clauses[i], &b->clauses[i]))
			return false;
	return true;
}

bool
filter_matches(const struct filter *filter, const struct row *row)
{
	size_t i = 0, end;

	if (!filter->n || filter->is_all)
		return true;
	for (; i < filter->n; i = end) {
		const struct clause *clause = &filter->clauses[i];
		struct datum room;

		end = i + 1;
		if (clause->function != CONDITION_EQ) {
			if (clause_matches(clause, row))
				return true;
			continue;
		}
		while (end < filter->n
		       && !compare_kind(clause, &filter->clauses[end]))
			end++;
		if (has_equal(filter, i, end,
			      row_datum(row, clause->column, &room)))
			return true;
	}
	return false;
}

static void
settle(struct filter *filter)
{
	size_t n = 0;

	qsort(filter->clauses, filter->n, sizeof *filter->clauses, compare);
	for (size_t i = 0; i < filter->n; i++) {
		if (n && !compare(&filter->clauses[n - 1],
				  &filter->clauses[i]))
			clause_done(&filter->clauses[i]);
		else
			filter->clauses[n++] = filter->clauses[i];
	}
	filter->n = n;
	for (size_t i = 0; i < n && !filter->is_all; i++)
		filter->is_all = filter->clauses[i].function
				 == CONDITION_TRUE;
}

static int
compare(const void *a_, const void *b_)
{
	const struct clause *a = a_, *b = b_;
	int order = compare_kind(a, b);

	if (order || !a->column)
		return order;
	return datum_compare(&a->argument, &b->argument, &a->column->type);
}

static int
compare_kind(const struct clause *a, const struct clause *b)
{
	unsigned a_column = a->column ? a->column->index + 1 : 0;
	unsigned b_column = b->column ? b->column->index + 1 : 0;

	if (a_column != b_column)
		return a_column < b_column ? -1 : 1;
	return (a->function > b->function) - (a->function < b->function);
}

/* The clauses from 'first' to before 'end' are "==" on one column. */
static bool
has_equal(const struct filter *filter, size_t first, size_t end,
	  const struct datum *datum)
{
	while (first < end) {
		size_t middle = first + (end - first) / 2;
		const struct clause *clause = &filter->clauses[middle];
		int order = datum_compare(&clause->argument, datum,
					  &clause->column->type);

		if (!order)
			return true;
		if (order < 0)
			first = middle + 1;
		else
			end = middle;
	}
	return false;
}
