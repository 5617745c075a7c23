/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_ASSIGNMENT_H
#define OVSDB_ASSIGNMENT_H 1

/* <row> of RFC 7047, section 5.1, as it stands in a request: some columns and
 * the values they are to have.  Also lists of columns.  [control] */

#include <stdbool.h>
#include <stddef.h>
#include <jansson.h>
#include "agent/ovsdb/value/datum.h"
#include "agent/ovsdb/value/error.h"
#include "agent/ovsdb/value/schema.h"

struct row;
struct symbols;

struct assignment {
	const struct column *column;
	struct datum value;
};

struct assignments {
	struct assignment *assignments;
	size_t n;
};

struct ovsdb_error *assignments_from_json(json_t *,
					  const struct table_schema *,
					  struct symbols *,
					  struct assignments *ret_assignments);
void assignments_done(struct assignments *);
/* The room that they stand in stays. */
void assignments_clear(struct assignments *);

/* Distinct columns, in the order given. */
struct columns {
	const struct column **columns;
	size_t n;
};

/* 'json' NULL: all of them. */
struct ovsdb_error *columns_from_json(json_t *, const struct table_schema *,
				      struct columns *ret_columns);
void columns_done(struct columns *);
bool columns_contain(const struct columns *, const struct column *);

uint32_t columns_hash(const struct columns *, const struct row *);
int columns_compare(const struct columns *, const struct row *,
		    const struct row *);

#endif /* ovsdb/operation/assignment.h */
