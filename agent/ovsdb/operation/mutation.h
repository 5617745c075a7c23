/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_MUTATION_H
#define OVSDB_MUTATION_H 1

/* <mutation> of RFC 7047, section 5.1: a change to what a column holds,
 * whatever that is.  [control] */

#include <stdbool.h>
#include <stddef.h>
#include <jansson.h>
#include "agent/ovsdb/value/error.h"
#include "agent/ovsdb/value/schema.h"
#include "agent/ovsdb/value/datum.h"

struct symbols;

enum { MUTATIONS_MAX = 4096 };

enum mutator {
	MUTATOR_ADD, MUTATOR_SUBTRACT, MUTATOR_MULTIPLY, MUTATOR_DIVIDE,
	MUTATOR_REMAINDER, MUTATOR_INSERT, MUTATOR_DELETE
};

struct mutation {
	enum mutator mutator;
	const struct column *column;
	struct datum argument;
	struct column_type argument_type;	/* Borrows from the column's. */
};

struct mutations {
	struct mutation *mutations;
	size_t n;
};

struct ovsdb_error *mutations_from_json(json_t *, const struct table_schema *,
					struct symbols *,
					struct mutations *ret_mutations);
void mutations_done(struct mutations *);
/* One without its argument, whose type it tells.  False where
 * mutations_from_json() would complain. */
bool mutation_begin(const struct column *, const char *mutator,
		    struct mutation *ret_mutation);
/* 'd' is a value of the mutation's column; in any state after an error, but
 * good for datum_done(). */
struct ovsdb_error *mutation_apply(const struct mutation *, struct datum *d);

#endif /* ovsdb/operation/mutation.h */
