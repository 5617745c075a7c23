/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_SELECTION_H
#define OVSDB_SELECTION_H 1

/* Rows of one table that differ in some of a list of columns: what "select"
 * answers, and what "wait" compares.  [control] */

#include <stdbool.h>
#include <stddef.h>
#include "agent/ovsdb/operation/assignment.h"
#include "agent/ovsdb/store/row_map.h"

struct condition;
struct encoding;
struct table;
struct transaction;

struct selection {
	const struct columns *columns;
	bool is_distinct;	/* They cannot but differ: "_uuid" is in it. */
	struct row_map map;
	struct row **rows;	/* In the order in which they came. */
	size_t n, max;
};

/* 'columns' stays the caller's, and where it is. */
void selection_init(struct selection *, const struct columns *,
		    const struct table_schema *);
void selection_done(struct selection *);

/* False if there is such a row already. */
bool selection_add(struct selection *, struct row *);
/* Those that match, as the transaction sees them. */
void selection_fill(struct selection *, const struct condition *,
		    struct transaction *, struct table *);
void selection_sort(struct selection *, const struct columns *by);
/* [{COLUMN: VALUE, ...}, ...] */
void selection_encode(const struct selection *, struct encoding *);

#endif /* ovsdb/operation/selection.h */
