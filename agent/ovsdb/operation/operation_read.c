/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/operation/operation.h"

#include <string.h>

#include "agent/ovsdb/operation/condition.h"
#include "agent/ovsdb/operation/transact.h"
#include "agent/ovsdb/operation/wait.h"
#include "agent/ovsdb/value/encode.h"

static struct ovsdb_error *read_until(json_t *until, json_t *timeout,
				      struct wait *);
static struct ovsdb_error *read_rows(struct operation_context *,
				     struct table *, json_t *rows,
				     struct wait *);

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
	if (!error)
		operation_read_select_rows(context, table, &condition,
					   &columns, &sort, result);
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
	json_t *timeout = members_get(members, "timeout",
				      MEMBER_NUMBER | MEMBER_OPTIONAL);
	json_t *where = members_get(members, "where", MEMBER_ARRAY);
	json_t *shown = members_get(members, "columns",
				    MEMBER_ARRAY | MEMBER_OPTIONAL);
	json_t *until = members_get(members, "until", MEMBER_STRING);
	json_t *rows = members_get(members, "rows", MEMBER_ARRAY);
	struct condition condition = { NULL, 0 };
	struct ovsdb_error *error;
	struct columns columns;
	struct wait wait;

	(void) result;
	if (members->error)
		return NULL;
	error = columns_from_json(shown, table_schema(table), &columns);
	if (error)
		return error;
	wait_init(&wait, &columns);
	error = read_until(until, timeout, &wait);
	if (!error)
		error = read_rows(context, table, rows, &wait);
	if (!error)
		error = condition_from_json(where, table_schema(table),
					    context->symbols, &condition);
	if (!error)
		error = wait_execute(&wait, context, table, &condition);
	condition_done(&condition);
	wait_done(&wait);
	return error;
}

void
operation_read_select_rows(struct operation_context *context,
			   struct table *table,
			   const struct condition *condition,
			   const struct columns *columns,
			   const struct columns *sort,
			   struct encoding *result)
{
	struct selection selection;

	selection_init(&selection, columns, table_schema(table));
	selection_fill(&selection, condition, context->transaction, table);
	selection_sort(&selection, sort);
	encode_text(result, "{\"rows\":");
	selection_encode(&selection, result);
	encode_text(result, "}");
	selection_done(&selection);
}

static struct ovsdb_error *
read_until(json_t *until_json, json_t *timeout_json, struct wait *wait)
{
	const char *until = json_string_value(until_json);

	if (timeout_json) {
		double timeout = json_number_value(timeout_json);

		if (timeout < 0)
			return ovsdb_syntax_error(timeout_json, "timeout must"
						  " be nonnegative");
		if (timeout < 0x1p62)
			wait->timeout_ms = timeout;
	}
	if (strcmp(until, "==") && strcmp(until, "!="))
		return ovsdb_syntax_error(until_json, "\"until\" must be"
					  " \"==\" or \"!=\"");
	wait->until_equal = *until == '=';
	return NULL;
}

static struct ovsdb_error *
read_rows(struct operation_context *context, struct table *table,
	  json_t *rows, struct wait *wait)
{
	json_t *json;
	size_t i;

	json_array_foreach(rows, i, json) {
		struct assignments all;
		struct ovsdb_error *error;

		error = assignments_from_json(json, table_schema(table),
					      context->symbols, &all);
		if (error)
			return error;
		wait_expect(wait, &all);
		assignments_done(&all);
	}
	return NULL;
}
