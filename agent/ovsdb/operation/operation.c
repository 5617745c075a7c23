/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/operation/operation.h"

#include <string.h>

#include "agent/ovsdb/operation/transact.h"
#include "agent/ovsdb/store/transaction.h"

static struct ovsdb_error *execute_commit(struct operation_context *,
					  struct members *,
					  struct encoding *);
static struct ovsdb_error *execute_abort(struct operation_context *,
					 struct members *, struct encoding *);
static struct ovsdb_error *execute_comment(struct operation_context *,
					   struct members *,
					   struct encoding *);
static struct ovsdb_error *execute_assert(struct operation_context *,
					  struct members *,
					  struct encoding *);

static const struct operation operations[] = {
	{ "insert", true, operation_write_insert },
	{ "select", false, operation_read_select },
	{ "update", true, operation_write_update },
	{ "mutate", true, operation_write_mutate },
	{ "delete", true, operation_write_delete },
	{ "wait", false, operation_read_wait },
	{ "commit", false, execute_commit },
	{ "abort", false, execute_abort },
	{ "comment", false, execute_comment },
	{ "assert", false, execute_assert },
};

const struct operation *
operation_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof operations / sizeof *operations; i++) {
		if (!strcmp(operations[i].name, name))
			return &operations[i];
	}
	return NULL;
}

struct table *
operation_table(struct operation_context *context, struct members *members)
{
	json_t *name = members_get(members, "table", MEMBER_STRING);
	struct table *table;

	if (!name)
		return NULL;
	table = database_table(context->request->database,
			       json_string_value(name));
	if (!table)
		members_fail(members, "No table named %.64s.",
			     json_string_value(name));
	return table;
}

static struct ovsdb_error *
execute_commit(struct operation_context *context, struct members *members,
	       struct encoding *result)
{
	json_t *durable = members_get(members, "durable", MEMBER_BOOLEAN);

	(void) result;
	if (json_is_true(durable))
		context->durable = true;
	return NULL;
}

static struct ovsdb_error *
execute_abort(struct operation_context *context, struct members *members,
	      struct encoding *result)
{
	(void) context;
	(void) members;
	(void) result;
	return ovsdb_error(OVSDB_ABORTED, "aborted by request");
}

static struct ovsdb_error *
execute_comment(struct operation_context *context, struct members *members,
		struct encoding *result)
{
	json_t *comment = members_get(members, "comment", MEMBER_STRING);

	(void) result;
	if (comment)
		transaction_comment(context->transaction,
				    json_string_value(comment));
	return NULL;
}

static struct ovsdb_error *
execute_assert(struct operation_context *context, struct members *members,
	       struct encoding *result)
{
	const struct transact_request *request = context->request;
	json_t *lock = members_get(members, "lock", MEMBER_ID);

	(void) result;
	if (lock && !(request->owns_lock
		      && request->owns_lock(request->ctx,
					    json_string_value(lock))))
		return ovsdb_error(OVSDB_NOT_OWNER, "lock %.64s is not held by"
				   " this client", json_string_value(lock));
	return NULL;
}
