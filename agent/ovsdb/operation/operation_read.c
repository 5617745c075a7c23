/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/operation/operation.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/ovsdb/operation/assignment.h"
#include "agent/ovsdb/operation/condition.h"
#include "agent/ovsdb/store/row.h"
#include "agent/ovsdb/operation/transact.h"
#include "agent/ovsdb/store/transaction.h"
#include "agent/ovsdb/value/encode.h"

/* Rows that differ in some column of a list. */
struct selection {
	const struct columns *columns;
	bool is_distinct;	/* They cannot but differ: "_uuid" is in it. */
	struct row_map map;
	struct row **rows;	/* In the order in which they came. */
	size_t n, max;
};

struct wait {
	json_t *timeout, *where, *columns, *until, *rows;
	int64_t timeout_ms;
	bool until_equal;
	struct columns compared;
	struct selection expected, actual;
};

static void selection_init(struct selection *, const struct columns *,
			   const struct table_schema *);
static void selection_done(struct selection *);
static bool selection_has(const struct selection *, const struct row *,
			  uint32_t hash);
static bool selection_add(struct selection *, struct row *);
static bool select_row(void *selection, const struct row *);
static int compare_rows(const void *, const void *, void *columns);
static void encode_selection(const struct selection *, struct encoding *);
static struct ovsdb_error *read_until(struct wait *);
static struct ovsdb_error *read_expected(struct operation_context *,
					 struct table *, struct wait *);
static struct ovsdb_error *read_actual(struct operation_context *,
				       struct table *, struct wait *);
static bool is_equal(const struct selection *, const struct selection *);
static struct ovsdb_error *wait_or_fail(struct operation_context *,
					const struct wait *);
static void wait_done(struct wait *);

struct ovsdb_error *
operation_read_select(struct operation_context *context,
		      struct members *members, struct encoding *result)
{
	struct table *table = operation_table(context, members);
	json_t *where = members_get(members, "where", MEMBER_ARRAY);
	json_t *shown = members_get(members, "columns",
				    MEMBER_ARRAY | MEMBER_OPTIONAL);
	json_t *sorted = members_get(members, "sort",
				     MEMBER_ARRAY | MEMBER_OPTIONAL);
	struct columns columns = { NULL, 0 }, sort = { NULL, 0 };
	struct condition condition = { NULL, 0 };
	struct selection selection;
	struct ovsdb_error *error;

	if (members->error)
		return NULL;
	error = condition_from_json(where, table_schema(table),
				    context->symbols, &condition);
	if (!error)
		error = columns_from_json(shown, table_schema(table),
					  &columns);
	if (!error && sorted)
		error = columns_from_json(sorted, table_schema(table), &sort);
	if (!error) {
		selection_init(&selection, &columns, table_schema(table));
		condition_each(&condition, context->transaction, table,
			       select_row, &selection);
		if (sort.n && selection.n)
			qsort_r(selection.rows, selection.n,
				sizeof *selection.rows, compare_rows, &sort);
		encode_selection(&selection, result);
		selection_done(&selection);
	}
	columns_done(&sort);
	columns_done(&columns);
	condition_done(&condition);
	return error;
}

struct ovsdb_error *
operation_read_wait(struct operation_context *context,
		    struct members *members, struct encoding *result)
{
	struct table *table = operation_table(context, members);
	struct wait wait;
	struct ovsdb_error *error;

	(void) result;
	memset(&wait, 0, sizeof wait);
	wait.timeout = members_get(members, "timeout",
				   MEMBER_NUMBER | MEMBER_OPTIONAL);
	wait.where = members_get(members, "where", MEMBER_ARRAY);
	wait.columns = members_get(members, "columns",
				   MEMBER_ARRAY | MEMBER_OPTIONAL);
	wait.until = members_get(members, "until", MEMBER_STRING);
	wait.rows = members_get(members, "rows", MEMBER_ARRAY);
	if (members->error)
		return NULL;

	error = columns_from_json(wait.columns, table_schema(table),
				  &wait.compared);
	if (error)
		return error;
	selection_init(&wait.expected, &wait.compared, table_schema(table));
	selection_init(&wait.actual, &wait.compared, table_schema(table));
	error = read_until(&wait);
	if (!error)
		error = read_expected(context, table, &wait);
	if (!error)
		error = read_actual(context, table, &wait);
	if (!error && is_equal(&wait.expected, &wait.actual)
		      != wait.until_equal)
		error = wait_or_fail(context, &wait);
	wait_done(&wait);
	return error;
}

static void
selection_init(struct selection *selection, const struct columns *columns,
	       const struct table_schema *table)
{
	memset(selection, 0, sizeof *selection);
	selection->columns = columns;
	selection->is_distinct =
		columns_contain(columns, table->columns[COLUMN_UUID]);
}

static void
selection_done(struct selection *selection)
{
	row_map_done(&selection->map);
	free(selection->rows);
}

static bool
selection_has(const struct selection *selection, const struct row *row,
	      uint32_t hash)
{
	size_t cursor = 0;
	struct row *other;

	while ((other = row_map_match(&selection->map, hash, &cursor))) {
		if (!columns_compare(selection->columns, row, other))
			return true;
	}
	return false;
}

/* False if there is such a row already. */
static bool
selection_add(struct selection *selection, struct row *row)
{
	if (!selection->is_distinct) {
		uint32_t hash = columns_hash(selection->columns, row);

		if (selection_has(selection, row, hash))
			return false;
		row_map_insert(&selection->map, hash, row);
	}
	if (selection->n == selection->max) {
		selection->max = selection->max ? selection->max * 2 : 16;
		selection->rows = xrealloc(selection->rows, selection->max
					   * sizeof *selection->rows);
	}
	selection->rows[selection->n++] = row;
	return true;
}

static bool
select_row(void *selection, const struct row *row)
{
	selection_add(selection, (struct row *) row);
	return true;
}

static int
compare_rows(const void *a, const void *b, void *columns)
{
	return columns_compare(columns, *(struct row *const *) a,
			       *(struct row *const *) b);
}

static void
encode_selection(const struct selection *selection, struct encoding *e)
{
	const struct columns *columns = selection->columns;
	struct datum room;
	size_t i, j;

	encode_text(e, "{\"rows\":[");
	for (i = 0; i < selection->n; i++) {
		encode_text(e, i ? ",{" : "{");
		for (j = 0; j < columns->n; j++) {
			const struct column *column = columns->columns[j];

			if (j)
				encode_text(e, ",");
			encode_string(e, column->name, strlen(column->name));
			encode_text(e, ":");
			encode_datum(e, row_datum(selection->rows[i], column,
						  &room), &column->type);
		}
		encode_text(e, "}");
	}
	encode_text(e, "]}");
}

static struct ovsdb_error *
read_until(struct wait *wait)
{
	const char *until = json_string_value(wait->until);

	wait->timeout_ms = INT64_MAX;
	if (wait->timeout) {
		double timeout = json_number_value(wait->timeout);

		if (timeout < 0)
			return ovsdb_syntax_error(wait->timeout, "timeout must"
						  " be nonnegative");
		if (timeout < 0x1p62)
			wait->timeout_ms = timeout;
	}
	if (strcmp(until, "==") && strcmp(until, "!="))
		return ovsdb_syntax_error(wait->until, "\"until\" must be"
					  " \"==\" or \"!=\"");
	wait->until_equal = *until == '=';
	return NULL;
}

static struct ovsdb_error *
read_expected(struct operation_context *context, struct table *table,
	      struct wait *wait)
{
	static const struct uuid zero;
	json_t *json;
	size_t i, j;

	json_array_foreach(wait->rows, i, json) {
		struct assignments all;
		struct ovsdb_error *error;
		struct row *row;

		error = assignments_from_json(json, table_schema(table),
					      context->symbols, &all);
		if (error)
			return error;
		row = row_new(table, &zero);
		for (j = 0; j < all.n; j++) {
			struct assignment *a = &all.assignments[j];

			row_put(row, a->column, &a->value);
		}
		assignments_done(&all);
		wait->expected.is_distinct = false;
		if (!selection_add(&wait->expected, row))
			row_free(row);
	}
	return NULL;
}

static struct ovsdb_error *
read_actual(struct operation_context *context, struct table *table,
	    struct wait *wait)
{
	struct condition condition;
	struct ovsdb_error *error;

	error = condition_from_json(wait->where, table_schema(table),
				    context->symbols, &condition);
	if (error)
		return error;
	condition_each(&condition, context->transaction, table, select_row,
		       &wait->actual);
	condition_done(&condition);
	return NULL;
}

static bool
is_equal(const struct selection *expected, const struct selection *actual)
{
	size_t i;

	if (expected->n != actual->n)
		return false;
	for (i = 0; i < actual->n; i++) {
		if (!selection_has(expected, actual->rows[i],
				   columns_hash(expected->columns,
						actual->rows[i])))
			return false;
	}
	return true;
}

static struct ovsdb_error *
wait_or_fail(struct operation_context *context, const struct wait *wait)
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

static void
wait_done(struct wait *wait)
{
	size_t i;

	for (i = 0; i < wait->expected.n; i++)
		row_free(wait->expected.rows[i]);
	selection_done(&wait->expected);
	selection_done(&wait->actual);
	columns_done(&wait->compared);
}
