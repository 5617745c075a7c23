/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_TRANSACT_H
#define OVSDB_TRANSACT_H 1

/* Executes the "transact" method of RFC 7047, section 4.1.3 and 5.2: the
 * operations of one request, in order, on one transaction, then the commit.
 *
 * The operations come as a tree of JSON or as text.  From text those that are
 * common are read without a tree (request.h), the others through jansson one
 * by one: the answers are the same (check_request.c).
 *
 * Start reading the policy's way through the database here. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>
#include "agent/ovsdb/operation/role.h"
#include "agent/ovsdb/store/database.h"

struct encoding;

enum { TRANSACT_MAX_OPERATIONS = 1 << 20 };	/* In one request. */

enum transact_outcome {
	TRANSACT_DONE,		/* The reply is the result array. */
	TRANSACT_WAIT,		/* A "wait" is not satisfied yet; try again
				 * after the next commit, or at the time
				 * '*ret_deadline_ms'. */
	TRANSACT_SEARCH,	/* So many rows are to be searched that a
				 * lookup is being built first; try again when
				 * database_is_building() says no more. */
	TRANSACT_EXCESSIVE,	/* More than 'max_operations'. */
	TRANSACT_ODD		/* The text is no JSON, or none that is read
				 * here: try again with a tree. */
};

struct transact_request {
	struct database *database;
	json_t *params;		/* [<db-name>, <operation>*], or NULL: */
	const char *text;	/* what stands behind the name in it, up to */
	size_t size;		/* the last bracket. */
	size_t max_operations;	/* 0: TRANSACT_MAX_OPERATIONS alone. */
	/* Does the client own this lock?  For "assert". */
	bool (*owns_lock)(void *ctx, const char *lock);
	void *ctx;
	int64_t started_ms;	/* When the request came in. */
	int64_t now_ms;
	bool is_patient;	/* TRANSACT_SEARCH may be. */
	bool read_only;		/* Writing operations: "not allowed". */
	struct role role;
};

/* Writes behind what is in 'reply', nothing unless TRANSACT_DONE.  There is
 * one element for each operation, with RFC 7047's null for those after a
 * failed one, and one more if the commit failed.  It is one <error> object and
 * no array if 'params' is not of the form above or has more than
 * TRANSACT_MAX_OPERATIONS.  Whether the name in it is the database's is the
 * caller's to know. */
enum transact_outcome transact_run(const struct transact_request *,
				   struct encoding *reply,
				   int64_t *ret_deadline_ms);
/* The same, for those who want a tree of the reply. */
enum transact_outcome transact_execute(const struct transact_request *,
				       json_t **ret_reply,
				       int64_t *ret_deadline_ms);

#endif /* ovsdb/operation/transact.h */
