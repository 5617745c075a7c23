/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_WAIT_H
#define OVSDB_WAIT_H 1

/* "wait" of RFC 7047, section 5.2.6, once it has been read.  [control] */

#include <stdbool.h>
#include <stdint.h>
#include "agent/ovsdb/operation/selection.h"
#include "agent/ovsdb/value/error.h"

struct condition;
struct operation_context;
struct table;

struct expected_row;

struct wait {
	int64_t timeout_ms;		/* INT64_MAX: for ever. */
	bool until_equal;
	struct columns columns;
	/* No rows of a table's: those have the _uuid and _version that the
	 * table gives them. */
	struct expected_row **expected;
	size_t n_expected, max_expected;
	bool is_sorted;			/* And without duplicates. */
};

/* Takes over 'columns'. */
void wait_init(struct wait *, const struct columns *);
void wait_done(struct wait *);
/* One of the rows that are waited for; takes over the values. */
void wait_expect(struct wait *, struct assignments *);
/* If it is not satisfied and has time left, the context must wait. */
struct ovsdb_error *wait_execute(struct wait *, struct operation_context *,
				 struct table *, const struct condition *);

#endif /* ovsdb/operation/wait.h */
