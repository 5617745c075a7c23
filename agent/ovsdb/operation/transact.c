/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/operation/transact.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ovsdb/operation/operation.h"
#include "agent/ovsdb/operation/request.h"
#include "agent/ovsdb/store/transaction.h"
#include "agent/ovsdb/value/encode.h"
#include "agent/ovsdb/value/error.h"
#include "agent/ovsdb/value/symbols.h"

/* A request on its way through its operations. */
struct run {
	struct operation_context context;
	struct encoding *reply;
	size_t start;			/* Where it begins there. */
	struct ovsdb_error *error;	/* Of the operation that failed. */
	size_t n_results, n;
	struct request request;		/* What comes as text. */
};

static void execute_tree(struct run *);
static bool execute_text(struct run *);
static bool skip(struct scan *);
static size_t count(struct scan);
static bool execute_odd(struct run *, struct scan *, size_t n);
static bool is_over(const struct run *);
static size_t max_operations(const struct run *);
static void begin_result(struct run *);
static void end_result(struct run *, size_t before, size_t begin);
static void execute(struct run *, json_t *operation, size_t n);
static const struct operation *find_operation(struct members *);
static enum transact_outcome finish(struct run *, bool is_read,
				    int64_t *ret_deadline_ms);
static enum transact_outcome give_up(struct run *, enum transact_outcome);
static void add_error(struct run *, struct ovsdb_error *);
static void encode_error(struct encoding *, struct ovsdb_error *);

enum transact_outcome
transact_run(const struct transact_request *request, struct encoding *reply,
	     int64_t *ret_deadline_ms)
{
	struct run run = {
		.context.request = request,
		.reply = reply,
		.start = reply->n,
	};
	json_t *params = request->params;
	enum transact_outcome outcome;
	bool is_read = true;

	if (params && !json_is_string(json_array_get(params, 0))) {
		encode_error(reply, ovsdb_syntax_error(params, "expected"
						       " [<database>,"
						       " <operation>...]"));
		return TRANSACT_DONE;
	}
	run.context.transaction = transaction_begin(request->database);
	if (request->is_patient)
		transaction_be_patient(run.context.transaction);
	run.context.symbols = symbols_new();
	encode_bytes(reply, "[", 1);
	if (params)
		execute_tree(&run);
	else
		is_read = execute_text(&run);
	outcome = finish(&run, is_read, ret_deadline_ms);
	request_done(&run.request);
	symbols_free(run.context.symbols);
	return outcome;
}

enum transact_outcome
transact_execute(const struct transact_request *request, json_t **ret_reply,
		 int64_t *ret_deadline_ms)
{
	struct encoding reply = { 0 };
	enum transact_outcome outcome;

	outcome = transact_run(request, &reply, ret_deadline_ms);
	if (outcome == TRANSACT_DONE) {
		*ret_reply = json_loadb(reply.bytes, reply.n, 0, NULL);
		assert(*ret_reply);
	}
	encode_done(&reply);
	return outcome;
}

static void
execute_tree(struct run *run)
{
	json_t *params = run->context.request->params;
	size_t i;

	run->n = json_array_size(params) - 1;
	if (run->n > max_operations(run))
		return;
	for (i = 1; i <= run->n && !is_over(run); i++)
		execute(run, json_array_get(params, i), run->n);
}

/* What is executed before it is known that the text is JSON up to its end can
 * be undone.  False: it has to. */
static bool
execute_text(struct run *run)
{
	const struct transact_request *request = run->context.request;
	struct scan s = { request->text, request->text + request->size };
	size_t n = 0;

	while (scan_char(&s, ',')) {
		size_t before = run->reply->n, begin;

		if (run->n++ >= max_operations(run) || is_over(run)) {
			if (!skip(&s))
				return false;
			continue;
		}
		begin_result(run);
		begin = run->reply->n;
		if (request_execute(&run->request, &run->context, &s,
				    run->reply, &run->error)) {
			end_result(run, before, begin);
			continue;
		}
		run->reply->n = before;
		if (!n)
			n = run->n - 1 + count(s);
		if (!execute_odd(run, &s, n))
			return false;
	}
	return scan_char(&s, ']') && scan_end(&s);
}

static bool
skip(struct scan *s)
{
	struct scan extent;
	json_t *json;

	if (!scan_extent(s, &extent))
		return false;
	json = json_loadb(extent.p, extent.end - extent.p, JSON_DECODE_ANY,
			  NULL);
	json_decref(json);
	return json != NULL;
}

/* How many operations stand here, if it is JSON. */
static size_t
count(struct scan s)
{
	struct scan extent;
	size_t n = 0;

	do {
		n += scan_extent(&s, &extent);
	} while (scan_char(&s, ','));
	return n;
}

static bool
execute_odd(struct run *run, struct scan *s, size_t n)
{
	struct scan extent;
	json_t *operation;

	if (!scan_extent(s, &extent))
		return false;
	operation = json_loadb(extent.p, extent.end - extent.p,
			       JSON_DECODE_ANY, NULL);
	if (!operation)
		return false;
	execute(run, operation, n);
	json_decref(operation);
	return true;
}

static bool
is_over(const struct run *run)
{
	return run->error || run->context.must_wait
	       || transaction_must_wait(run->context.transaction);
}

static size_t
max_operations(const struct run *run)
{
	size_t max = run->context.request->max_operations;

	return max && max < TRANSACT_MAX_OPERATIONS ? max
						    : TRANSACT_MAX_OPERATIONS;
}

static void
begin_result(struct run *run)
{
	if (run->n_results)
		encode_bytes(run->reply, ",", 1);
}

/* One that begins where the reply was 'before' and, behind the comma, at
 * 'begin'. */
static void
end_result(struct run *run, size_t before, size_t begin)
{
	if (is_over(run)) {
		run->reply->n = before;
		return;
	}
	if (run->reply->n == begin)
		encode_bytes(run->reply, "{}", 2);
	run->n_results++;
}

/* The next one, of 'n'. */
static void
execute(struct run *run, json_t *json, size_t n)
{
	const struct operation *operation;
	struct ovsdb_error *syntax = NULL;
	size_t before = run->reply->n;
	struct members members;
	size_t begin;

	begin_result(run);
	begin = run->reply->n;
	members_begin(&members, json);
	operation = find_operation(&members);
	if (operation && operation->writes
	    && run->context.request->read_only) {
		run->error = ovsdb_error(OVSDB_NOT_ALLOWED, "%s operation not"
					 " allowed when database server is in"
					 " read only mode", operation->name);
	} else {
		if (operation)
			run->error = operation->execute(&run->context,
							&members, run->reply);
		syntax = members_end(&members, "ovsdb operation %zu of %zu",
				     run->n_results + 1, n);
	}
	if (syntax) {
		ovsdb_error_free(run->error);
		run->error = syntax;
		run->context.must_wait = false;
	}
	end_result(run, before, begin);
}

static const struct operation *
find_operation(struct members *members)
{
	json_t *name = members_get(members, "op", MEMBER_ID);
	const struct operation *operation = NULL;

	if (name) {
		operation = operation_find(json_string_value(name));
		if (!operation)
			members_fail(members, "No operation \"%.64s\"",
				     json_string_value(name));
	}
	return operation;
}

static enum transact_outcome
finish(struct run *run, bool is_read, int64_t *ret_deadline_ms)
{
	const struct transact_request *request = run->context.request;
	struct ovsdb_error *error;

	if (!is_read)
		return give_up(run, TRANSACT_ODD);
	if (request->max_operations && run->n > request->max_operations)
		return give_up(run, TRANSACT_EXCESSIVE);
	if (run->n > TRANSACT_MAX_OPERATIONS) {
		give_up(run, TRANSACT_DONE);
		encode_error(run->reply,
			     ovsdb_error(OVSDB_RESOURCES_EXHAUSTED, "a"
					 " transaction has at most %u"
					 " operations, this one %zu",
					 TRANSACT_MAX_OPERATIONS, run->n));
		return TRANSACT_DONE;
	}
	if (transaction_must_wait(run->context.transaction))
		return give_up(run, TRANSACT_SEARCH);
	if (run->context.must_wait) {
		*ret_deadline_ms = run->context.deadline_ms;
		return give_up(run, TRANSACT_WAIT);
	}
	if (run->error) {
		transaction_abort(run->context.transaction);
		add_error(run, run->error);
		while (run->n_results < run->n) {
			encode_bytes(run->reply, ",null", 5);
			run->n_results++;
		}
	} else {
		error = transaction_commit(run->context.transaction,
					   run->context.durable);
		if (error)
			add_error(run, error);
	}
	encode_bytes(run->reply, "]", 1);
	return TRANSACT_DONE;
}

static enum transact_outcome
give_up(struct run *run, enum transact_outcome outcome)
{
	transaction_abort(run->context.transaction);
	ovsdb_error_free(run->error);
	run->reply->n = run->start;
	return outcome;
}

static void
add_error(struct run *run, struct ovsdb_error *error)
{
	begin_result(run);
	encode_error(run->reply, error);
	run->n_results++;
}

static void
encode_error(struct encoding *e, struct ovsdb_error *error)
{
	json_t *json = ovsdb_error_to_json(error);
	char *text = json_dumps(json, JSON_COMPACT);

	assert(text);
	encode_text(e, text);
	free(text);
	json_decref(json);
	ovsdb_error_free(error);
}
