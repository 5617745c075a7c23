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

struct wait {
	int64_t timeout_ms;		/* INT64_MAX: for ever. */
	bool until_equal;
	struct columns columns;
	struct selection expected;	/* Rows of its own. */
};

/* Takes over 'columns'.  The wait stays where it is. */
void wait_init(struct wait *, const struct table_schema *,
	       const struct columns *);
void wait_done(struct wait *);
/* One of the rows that are waited for; takes over the values. */
void wait_expect(struct wait *, struct table *, struct assignments *);
/* If it is not satisfied and has time left, the context must wait. */
struct ovsdb_error *wait_execute(const struct wait *,
				 struct operation_context *, struct table *,
				 const struct condition *);

#endif /* ovsdb/operation/wait.h */
