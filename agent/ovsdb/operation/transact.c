/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/operation/transact.h"

#include "agent/ovsdb/value/error.h"
#include "agent/ovsdb/operation/operation.h"
#include "agent/ovsdb/value/symbols.h"
#include "agent/ovsdb/store/transaction.h"

static struct ovsdb_error *check_params(const struct transact_request *);
static struct ovsdb_error *execute_all(struct operation_context *,
				       json_t *reply);
static struct ovsdb_error *execute(struct operation_context *,
				   json_t *operation, size_t i, size_t n,
				   json_t *result);
static void append_error(json_t *reply, struct ovsdb_error *);

enum transact_outcome
transact_execute(const struct transact_request *request, json_t **ret_reply,
		 int64_t *ret_deadline_ms)
{
	struct operation_context context = { .request = request };
	size_t n = json_array_size(request->params);
	struct ovsdb_error *error;
	json_t *reply;

	error = check_params(request);
	if (error) {
		*ret_reply = ovsdb_error_to_json(error);
		ovsdb_error_free(error);
		return TRANSACT_DONE;
	}

	reply = json_array();
	context.transaction = transaction_begin(request->database);
	context.symbols = symbols_new();
	error = execute_all(&context, reply);
	symbols_free(context.symbols);
	if (context.must_wait) {
		transaction_abort(context.transaction);
		ovsdb_error_free(error);
		json_decref(reply);
		*ret_deadline_ms = context.deadline_ms;
		return TRANSACT_WAIT;
	}
	if (error) {
		transaction_abort(context.transaction);
		append_error(reply, error);
		while (json_array_size(reply) < n - 1)
			json_array_append_new(reply, json_null());
	} else {
		error = transaction_commit(context.transaction,
					   context.durable);
		if (error)
			append_error(reply, error);
	}
	*ret_reply = reply;
	return TRANSACT_DONE;
}

static struct ovsdb_error *
check_params(const struct transact_request *request)
{
	size_t n = json_array_size(request->params);

	if (!json_is_string(json_array_get(request->params, 0)))
		return ovsdb_syntax_error(request->params, "expected"
					  " [<database>, <operation>...]");
	if (n - 1 > TRANSACT_MAX_OPERATIONS)
		return ovsdb_error(OVSDB_RESOURCES_EXHAUSTED,
				   "a transaction has at most %u operations,"
				   " this one %zu", TRANSACT_MAX_OPERATIONS,
				   n - 1);
	return NULL;
}

/* Stops at the first error, which is the caller's to put in its place. */
static struct ovsdb_error *
execute_all(struct operation_context *context, json_t *reply)
{
	json_t *params = context->request->params;
	size_t n = json_array_size(params) - 1;
	size_t i;

	for (i = 1; i <= n; i++) {
		json_t *result = json_object();
		struct ovsdb_error *error;

		error = execute(context, json_array_get(params, i), i, n,
				result);
		if (error || context->must_wait) {
			json_decref(result);
			return error;
		}
		json_array_append_new(reply, result);
	}
	return NULL;
}

static struct ovsdb_error *
execute(struct operation_context *context, json_t *json, size_t i, size_t n,
	json_t *result)
{
	const struct operation *operation = NULL;
	struct ovsdb_error *error = NULL;
	struct ovsdb_error *syntax;
	struct members members;
	json_t *name;

	members_begin(&members, json);
	name = members_get(&members, "op", MEMBER_ID);
	if (name) {
		operation = operation_find(json_string_value(name));
		if (!operation)
			members_fail(&members, "No operation \"%.64s\"",
				     json_string_value(name));
	}
	if (operation && operation->writes && context->request->read_only)
		return ovsdb_error(OVSDB_NOT_ALLOWED, "%s operation not"
				   " allowed when database server is in read"
				   " only mode", operation->name);
	if (operation)
		error = operation->execute(context, &members, result);
	syntax = members_end(&members, "ovsdb operation %zu of %zu", i, n);
	if (syntax) {
		ovsdb_error_free(error);
		context->must_wait = false;
	}
	return syntax ? syntax : error;
}

static void
append_error(json_t *reply, struct ovsdb_error *error)
{
	json_array_append_new(reply, ovsdb_error_to_json(error));
	ovsdb_error_free(error);
}
