/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/operation/operation.h"

#include <stdlib.h>

#include "agent/ovsdb/operation/assignment.h"
#include "agent/ovsdb/operation/condition.h"
#include "agent/ovsdb/operation/mutation.h"
#include "agent/ovsdb/operation/transact.h"
#include "agent/ovsdb/store/transaction.h"
#include "agent/ovsdb/value/encode.h"
#include "agent/ovsdb/value/symbols.h"

/* What update, mutate and delete do to each row that matches. */
struct work {
	struct transaction *transaction;
	const struct role *role;
	const struct assignments *assignments;
	const struct mutations *mutations;
	int64_t n;
	struct ovsdb_error *error;
};

static struct ovsdb_error *check_defaults(const struct row *,
					  const struct assignments *);
static bool is_assigned(const struct assignments *, const struct column *);
static struct ovsdb_error *check_mutable(json_t *operation,
					 const struct table_schema *,
					 const struct assignments *);
static struct ovsdb_error *work_on(struct operation_context *,
				   struct table *, const struct condition *,
				   bool (*visit)(void *, const struct row *),
				   struct work *, struct encoding *result);
static bool update_row(void *work, const struct row *);
static bool mutate_row(void *work, const struct row *);
static bool delete_row(void *work, const struct row *);

struct ovsdb_error *
operation_write_insert(struct operation_context *context,
		       struct members *members, struct encoding *result)
{
	struct table *table = operation_table(context, members);
	json_t *given, *name, *row;
	struct assignments assignments;
	struct ovsdb_error *error;
	struct uuid uuid;

	given = members_get(members, "uuid", MEMBER_STRING | MEMBER_OPTIONAL);
	name = members_get(members, "uuid-name", MEMBER_ID | MEMBER_OPTIONAL);
	row = members_get(members, "row", MEMBER_OBJECT);
	if (members->error)
		return NULL;

	if (given && !uuid_from_text(json_string_value(given), &uuid))
		return ovsdb_syntax_error(given, "\"uuid\" is not a UUID");
	error = operation_write_name_row(context, json_string_value(name),
					 given ? &uuid : NULL, &uuid);
	if (error)
		return error;
	error = assignments_from_json(row, table_schema(table),
				      context->symbols, &assignments);
	if (error)
		return error;
	error = operation_write_insert_row(context, table, &uuid,
					   &assignments, result);
	assignments_done(&assignments);
	return error;
}

struct ovsdb_error *
operation_write_update(struct operation_context *context,
		       struct members *members, struct encoding *result)
{
	struct table *table = operation_table(context, members);
	json_t *where = members_get(members, "where", MEMBER_ARRAY);
	json_t *row = members_get(members, "row", MEMBER_OBJECT);
	struct assignments assignments;
	struct condition condition;
	struct ovsdb_error *error;

	if (members->error)
		return NULL;
	error = assignments_from_json(row, table_schema(table),
				      context->symbols, &assignments);
	if (error)
		return error;
	error = check_mutable(members->object, table_schema(table),
			      &assignments);
	if (!error)
		error = condition_from_json(where, table_schema(table),
					    context->symbols, &condition);
	if (!error) {
		error = operation_write_update_rows(context, table, &condition,
						    &assignments, result);
		condition_done(&condition);
	}
	assignments_done(&assignments);
	return error;
}

struct ovsdb_error *
operation_write_mutate(struct operation_context *context,
		       struct members *members, struct encoding *result)
{
	struct table *table = operation_table(context, members);
	json_t *where = members_get(members, "where", MEMBER_ARRAY);
	json_t *json = members_get(members, "mutations", MEMBER_ARRAY);
	struct mutations mutations;
	struct condition condition;
	struct ovsdb_error *error;

	if (members->error)
		return NULL;
	error = mutations_from_json(json, table_schema(table),
				    context->symbols, &mutations);
	if (error)
		return error;
	error = condition_from_json(where, table_schema(table),
				    context->symbols, &condition);
	if (!error) {
		error = operation_write_mutate_rows(context, table, &condition,
						    &mutations, result);
		condition_done(&condition);
	}
	mutations_done(&mutations);
	return error;
}

struct ovsdb_error *
operation_write_delete(struct operation_context *context,
		       struct members *members, struct encoding *result)
{
	struct table *table = operation_table(context, members);
	json_t *where = members_get(members, "where", MEMBER_ARRAY);
	struct condition condition;
	struct ovsdb_error *error;

	if (members->error)
		return NULL;
	error = condition_from_json(where, table_schema(table),
				    context->symbols, &condition);
	if (error)
		return error;
	error = operation_write_delete_rows(context, table, &condition,
					    result);
	condition_done(&condition);
	return error;
}

/* The UUID is the one that is given, or the one that the name already stands
 * for, or a fresh one. */
struct ovsdb_error *
operation_write_name_row(struct operation_context *context, const char *name,
			 const struct uuid *given, struct uuid *ret_uuid)
{
	struct symbol *symbol;

	if (given)
		*ret_uuid = *given;
	else if (!name)
		uuid_generate(ret_uuid);
	if (!name)
		return NULL;
	symbol = symbols_get(context->symbols, name);
	if (symbol->is_inserted)
		return ovsdb_error(OVSDB_DUPLICATE_UUID_NAME,
				   "\"uuid-name\" %.64s is that of an earlier"
				   " \"insert\" already", name);
	symbol->is_inserted = true;
	if (given)
		symbol->uuid = *given;
	else
		*ret_uuid = symbol->uuid;
	return NULL;
}

struct ovsdb_error *
operation_write_insert_row(struct operation_context *context,
			   struct table *table, const struct uuid *uuid,
			   struct assignments *assignments,
			   struct encoding *result)
{
	struct ovsdb_error *error;
	struct row *row;
	size_t i;

	error = transaction_insert(context->transaction, table, uuid, &row);
	if (error)
		return error;
	for (i = 0; i < assignments->n; i++) {
		struct assignment *a = &assignments->assignments[i];

		/* What they are is not the client's to say. */
		if (a->column->index >= N_STANDARD_COLUMNS)
			row_set(row, a->column, &a->value);
	}
	error = check_defaults(row, assignments);
	if (!error)
		error = role_check_insert(&context->request->role, row);
	if (error)
		return error;
	encode_text(result, "{\"uuid\":[\"uuid\",");
	encode_uuid(result, row_uuid(row));
	encode_text(result, "]}");
	return NULL;
}

struct ovsdb_error *
operation_write_update_rows(struct operation_context *context,
			    struct table *table,
			    const struct condition *condition,
			    const struct assignments *assignments,
			    struct encoding *result)
{
	struct work work = { .assignments = assignments };

	return work_on(context, table, condition, update_row, &work, result);
}

struct ovsdb_error *
operation_write_mutate_rows(struct operation_context *context,
			    struct table *table,
			    const struct condition *condition,
			    const struct mutations *mutations,
			    struct encoding *result)
{
	struct work work = { .mutations = mutations };

	return work_on(context, table, condition, mutate_row, &work, result);
}

struct ovsdb_error *
operation_write_delete_rows(struct operation_context *context,
			    struct table *table,
			    const struct condition *condition,
			    struct encoding *result)
{
	struct work work = { .n = 0 };

	return work_on(context, table, condition, delete_row, &work, result);
}

/* A default may be no legal value: "" of an enumeration without it. */
static struct ovsdb_error *
check_defaults(const struct row *row, const struct assignments *assignments)
{
	const struct table_schema *table = table_schema(row_table(row));
	size_t i;

	for (i = N_STANDARD_COLUMNS; i < table->n_columns; i++) {
		const struct column *column = table->columns[i];
		const struct column_type *type = &column->type;
		struct datum room;
		const struct datum *d = row_datum(row, column, &room);
		struct ovsdb_error *error;

		if (!type->n_min || is_assigned(assignments, column))
			continue;
		error = base_type_check(&type->key, datum_key(d, 0));
		if (!error && column_type_is_map(type))
			error = base_type_check(&type->value,
						datum_value(d, 0));
		if (error)
			return ovsdb_error_prefix(error,
						  "table %s column %s, which"
						  " the row leaves out",
						  table->name, column->name);
	}
	return NULL;
}

static bool
is_assigned(const struct assignments *assignments,
	    const struct column *column)
{
	size_t i;

	for (i = 0; i < assignments->n; i++) {
		if (assignments->assignments[i].column == column)
			return true;
	}
	return false;
}

static struct ovsdb_error *
check_mutable(json_t *operation, const struct table_schema *table,
	      const struct assignments *assignments)
{
	size_t i;

	for (i = 0; i < assignments->n; i++) {
		const struct column *column =
			assignments->assignments[i].column;

		if (!column->is_mutable)
			return ovsdb_error_verbatim(
				OVSDB_CONSTRAINT_VIOLATION, operation,
				"Cannot update immutable column %s in table"
				" %s.", column->name, table->name);
	}
	return NULL;
}

static struct ovsdb_error *
work_on(struct operation_context *context, struct table *table,
	const struct condition *condition,
	bool (*visit)(void *, const struct row *), struct work *work,
	struct encoding *result)
{
	work->transaction = context->transaction;
	work->role = &context->request->role;
	condition_each(condition, context->transaction, table, visit, work);
	if (work->error)
		return work->error;
	encode_text(result, "{\"count\":");
	encode_integer(result, work->n);
	encode_text(result, "}");
	return NULL;
}

static bool
update_row(void *work_, const struct row *row)
{
	struct work *work = work_;
	size_t i;

	/* All of them first: they may decide whose row it is. */
	for (i = 0; i < work->assignments->n && !work->error; i++)
		work->error = role_check_update(
			work->role, row,
			work->assignments->assignments[i].column);
	if (work->error)
		return false;
	work->n++;
	for (i = 0; i < work->assignments->n; i++) {
		const struct assignment *a = &work->assignments->assignments[i];
		const struct column_type *type = &a->column->type;
		struct row *mine;
		struct datum d, room;

		if (datum_equal(row_datum(row, a->column, &room), &a->value,
				type))
			continue;
		mine = transaction_modify(work->transaction, row);
		datum_copy(&a->value, type, &d);
		row_set(mine, a->column, &d);
		row = mine;
	}
	return true;
}

static bool
mutate_row(void *work_, const struct row *row)
{
	struct work *work = work_;
	struct row *mine;
	size_t i;

	for (i = 0; i < work->mutations->n && !work->error; i++)
		work->error = role_check_mutate(
			work->role, row, work->mutations->mutations[i].column);
	if (work->error)
		return false;
	mine = transaction_modify(work->transaction, row);
	work->n++;
	for (i = 0; i < work->mutations->n; i++) {
		const struct mutation *m = &work->mutations->mutations[i];
		struct datum d, room;

		datum_copy(row_datum(mine, m->column, &room),
			   &m->column->type, &d);
		work->error = mutation_apply(m, &d);
		if (work->error) {
			datum_done(&d, &m->column->type);
			return false;
		}
		row_set(mine, m->column, &d);
	}
	return true;
}

static bool
delete_row(void *work_, const struct row *row)
{
	struct work *work = work_;

	work->error = role_check_delete(work->role, row);
	if (work->error)
		return false;
	work->n++;
	transaction_delete(work->transaction, row);
	return true;
}
