/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_FILTER_H
#define OVSDB_FILTER_H 1

/* Which rows a monitor is shown: those for which any of its clauses holds
 * (ovsdb-server(7), section 4.1.12), or, without clauses, all.
 *
 * Controllers send a clause for each of hundreds of things that concern them,
 * nearly all of them "==" on two or three columns: those of one column are
 * looked up together, not tried in turn.  [control] */

#include <stdbool.h>
#include <stddef.h>
#include <jansson.h>
#include "agent/ovsdb/operation/condition.h"

enum { FILTER_MAX_CLAUSES = 65536 };

struct filter {			/* Zero-initialised: all rows. */
	struct clause *clauses;	/* Without duplicates; sorted by column and
				 * function, TRUE and FALSE first. */
	size_t n;
	bool is_all;		/* There is a TRUE among the clauses. */
};

/* Adds the clauses of a "where".  On failure the filter is as it was. */
struct ovsdb_error *filter_add(struct filter *, const struct table_schema *,
			       json_t *where);
/* Adds all rows. */
void filter_add_all(struct filter *);
void filter_done(struct filter *);

bool filter_equal(const struct filter *, const struct filter *);
bool filter_matches(const struct filter *, const struct row *);

#endif /* ovsdb/server/filter.h */
