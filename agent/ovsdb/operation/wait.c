/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/operation/wait.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/ovsdb/operation/condition.h"
#include "agent/ovsdb/operation/operation.h"
#include "agent/ovsdb/operation/transact.h"
#include "agent/ovsdb/store/row.h"

struct expected_row {
	uint32_t hash;			/* As of columns_hash(). */
	struct datum values[];		/* Of the wait's columns. */
};

static void sort(struct wait *);
static int compare_hashes(const void *, const void *);
static bool is_equal(const struct wait *, const struct selection *);
static bool is_expected(const struct wait *, const struct row *);
static bool same_values(const struct wait *, const struct expected_row *,
			const struct expected_row *);
static bool has_values(const struct wait *, const struct expected_row *,
		       const struct row *);
static void expected_free(const struct wait *, struct expected_row *);
static struct ovsdb_error *wait_or_fail(const struct wait *,
					struct operation_context *);

void
wait_init(struct wait *wait, const struct columns *columns)
{
	memset(wait, 0, sizeof *wait);
	wait->timeout_ms = INT64_MAX;
	wait->until_equal = true;
	wait->columns = *columns;
}

void
wait_done(struct wait *wait)
{
	for (size_t i = 0; i < wait->n_expected; i++)
		expected_free(wait, wait->expected[i]);
	free(wait->expected);
	columns_done(&wait->columns);
}

void
wait_expect(struct wait *wait, struct assignments *all)
{
	struct expected_row *row = xmalloc(sizeof *row + wait->columns.n
							 * sizeof *row->values);

	row->hash = 0;
	for (size_t i = 0; i < wait->columns.n; i++) {
		const struct column *column = wait->columns.columns[i];
		struct datum *value = &row->values[i];
		size_t j;

		for (j = 0; j < all->n; j++)
			if (all->assignments[j].column == column)
				break;
		if (j < all->n) {
			*value = all->assignments[j].value;
			memset(&all->assignments[j].value, 0, sizeof *value);
		} else {
			datum_init_default(value, &column->type);
		}
		row->hash = datum_hash(value, &column->type, row->hash);
	}
	if (wait->n_expected == wait->max_expected) {
		wait->max_expected = 2 * wait->max_expected + 4;
		wait->expected = xrealloc(wait->expected, wait->max_expected
					  * sizeof *wait->expected);
	}
	wait->expected[wait->n_expected++] = row;
	wait->is_sorted = false;
}

struct ovsdb_error *
wait_execute(struct wait *wait, struct operation_context *context,
	     struct table *table, const struct condition *condition)
{
	struct selection actual;
	bool is_over;

	sort(wait);
	selection_init(&actual, &wait->columns, table_schema(table));
	selection_fill(&actual, condition, context->transaction, table);
	is_over = is_equal(wait, &actual) == wait->until_equal;
	selection_done(&actual);
	return is_over ? NULL : wait_or_fail(wait, context);
}

/* Rows that look the same are one. */
static void
sort(struct wait *wait)
{
	size_t n = 0;

	if (wait->is_sorted)
		return;
	if (wait->n_expected)
		qsort(wait->expected, wait->n_expected,
		      sizeof *wait->expected, compare_hashes);
	for (size_t i = 0; i < wait->n_expected; i++) {
		struct expected_row *row = wait->expected[i];
		size_t j = n;

		while (j > 0 && wait->expected[j - 1]->hash == row->hash
		       && !same_values(wait, wait->expected[j - 1], row))
			j--;
		if (j > 0 && wait->expected[j - 1]->hash == row->hash)
			expected_free(wait, row);
		else
			wait->expected[n++] = row;
	}
	wait->n_expected = n;
	wait->is_sorted = true;
}

static int
compare_hashes(const void *a_, const void *b_)
{
	const struct expected_row *a = *(struct expected_row *const *) a_;
	const struct expected_row *b = *(struct expected_row *const *) b_;

	return a->hash < b->hash ? -1 : a->hash > b->hash;
}

static bool
is_equal(const struct wait *wait, const struct selection *actual)
{
	if (actual->n != wait->n_expected)
		return false;
	for (size_t i = 0; i < actual->n; i++)
		if (!is_expected(wait, actual->rows[i]))
			return false;
	return true;
}

static bool
is_expected(const struct wait *wait, const struct row *row)
{
	uint32_t hash = columns_hash(&wait->columns, row);
	size_t low = 0, high = wait->n_expected;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (wait->expected[middle]->hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < wait->n_expected && wait->expected[low]->hash == hash;
	     low++)
		if (has_values(wait, wait->expected[low], row))
			return true;
	return false;
}

static bool
same_values(const struct wait *wait, const struct expected_row *a,
	    const struct expected_row *b)
{
	for (size_t i = 0; i < wait->columns.n; i++)
		if (!datum_equal(&a->values[i], &b->values[i],
				 &wait->columns.columns[i]->type))
			return false;
	return true;
}

static bool
has_values(const struct wait *wait, const struct expected_row *expected,
	   const struct row *row)
{
	for (size_t i = 0; i < wait->columns.n; i++) {
		const struct column *column = wait->columns.columns[i];
		struct datum room;

		if (!datum_equal(&expected->values[i],
				 row_datum(row, column, &room),
				 &column->type))
			return false;
	}
	return true;
}

static void
expected_free(const struct wait *wait, struct expected_row *row)
{
	for (size_t i = 0; i < wait->columns.n; i++)
		datum_done(&row->values[i], &wait->columns.columns[i]->type);
	free(row);
}

static struct ovsdb_error *
wait_or_fail(const struct wait *wait, struct operation_context *context)
{
	const struct transact_request *request = context->request;
	int64_t elapsed = request->now_ms - request->started_ms;

	if (elapsed < wait->timeout_ms) {
		context->must_wait = true;
		context->deadline_ms =
			wait->timeout_ms > INT64_MAX - request->started_ms
			? INT64_MAX
			: request->started_ms + wait->timeout_ms;
		return NULL;
	}
	if (!elapsed)
		return ovsdb_error(OVSDB_TIMED_OUT,
				   "\"where\" clause test failed");
	return ovsdb_error(OVSDB_TIMED_OUT, "\"where\" clause test failed after"
			   " %lld ms", (long long) elapsed);
}
