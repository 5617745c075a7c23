/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/operation/wait.h"

#include "agent/ovsdb/operation/condition.h"
#include "agent/ovsdb/operation/operation.h"
#include "agent/ovsdb/operation/transact.h"
#include "agent/ovsdb/store/row.h"

static struct ovsdb_error *wait_or_fail(const struct wait *,
					struct operation_context *);

void
wait_init(struct wait *wait, const struct table_schema *table,
	  const struct columns *columns)
{
	wait->timeout_ms = INT64_MAX;
	wait->until_equal = true;
	wait->columns = *columns;
	selection_init(&wait->expected, &wait->columns, table);
}

void
wait_done(struct wait *wait)
{
	size_t i;

	for (i = 0; i < wait->expected.n; i++)
		row_free(wait->expected.rows[i]);
	selection_done(&wait->expected);
	columns_done(&wait->columns);
}

void
wait_expect(struct wait *wait, struct table *table, struct assignments *all)
{
	static const struct uuid zero;
	struct row *row = row_new(table, &zero);
	size_t i;

	for (i = 0; i < all->n; i++) {
		struct assignment *a = &all->assignments[i];

		row_put(row, a->column, &a->value);
	}
	wait->expected.is_distinct = false;
	if (!selection_add(&wait->expected, row))
		row_free(row);
}

struct ovsdb_error *
wait_execute(const struct wait *wait, struct operation_context *context,
	     struct table *table, const struct condition *condition)
{
	struct selection actual;
	bool is_equal;

	selection_init(&actual, &wait->columns, table_schema(table));
	selection_fill(&actual, condition, context->transaction, table);
	is_equal = selection_equal(&wait->expected, &actual);
	selection_done(&actual);
	return is_equal == wait->until_equal ? NULL
					     : wait_or_fail(wait, context);
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
