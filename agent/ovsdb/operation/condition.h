/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_CONDITION_H
#define OVSDB_CONDITION_H 1

/* <condition> of RFC 7047, section 5.1: clauses of which all must hold.  Two
 * extensions of ovsdb-server's: a clause may be true or false itself, and
 * < <= >= > apply to optional integers and reals, where no value means no.
 * [control] */

#include <stdbool.h>
#include <stddef.h>
#include <jansson.h>
#include "agent/ovsdb/store/database.h"
#include "agent/ovsdb/value/error.h"

struct symbols;
struct transaction;

enum { CONDITION_MAX_CLAUSES = 4096 };

enum condition_function {
	CONDITION_FALSE, CONDITION_TRUE,
	CONDITION_EQ, CONDITION_NE,
	CONDITION_LT, CONDITION_LE, CONDITION_GE, CONDITION_GT,
	CONDITION_INCLUDES, CONDITION_EXCLUDES
};

struct clause {
	enum condition_function function;
	const struct column *column;	/* NULL for TRUE and FALSE. */
	struct datum argument;
};

struct condition {
	struct clause *clauses;
	size_t n;
};

/* 'symbols' NULL: named UUIDs are not allowed. */
struct ovsdb_error *condition_from_json(json_t *, const struct table_schema *,
					struct symbols *,
					struct condition *ret_condition);
void condition_done(struct condition *);
bool condition_matches(const struct condition *, const struct row *);
/* One of them; clause_done() it. */
struct ovsdb_error *clause_from_json(json_t *, const struct table_schema *,
				     struct symbols *,
				     struct clause *ret_clause);
void clause_done(struct clause *);
bool clause_matches(const struct clause *, const struct row *);

/* transaction_each() for the rows that match: by UUID or by an index where
 * the clauses allow it, otherwise by a look at each. */
void condition_each(const struct condition *, struct transaction *,
		    struct table *,
		    bool (*visit)(void *ctx, const struct row *), void *ctx);

#endif /* ovsdb/operation/condition.h */
