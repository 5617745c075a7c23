/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_REQUEST_H
#define OVSDB_REQUEST_H 1

/* Operations straight from the text of a request, as clients write them by the
 * thousand, without a tree of JSON in between.  Whatever is unusual about one,
 * a mistake in it above all, is left to operation.h, which reads the same text
 * through jansson; both do the same and answer the same (check_request.c).
 * [control] */

#include <stdbool.h>
#include "agent/ovsdb/operation/assignment.h"
#include "agent/ovsdb/operation/operation.h"
#include "agent/ovsdb/value/scan.h"

/* What the operations of one transaction have in common: the same table, and
 * rows with the same columns in the same order.  Zero-initialised. */
struct request {
	struct table *table;		/* Of the last one. */
	struct assignment *assignments;	/* Room for each of its columns. */
	const struct column **order;	/* In which they came last. */
	uint64_t *assigned;		/* Bit column->index. */
};

void request_done(struct request *);

/* Executes the operation that stands here and takes it.  False: it is none of
 * these, or not even JSON; nothing has happened then. */
bool request_execute(struct request *, struct operation_context *,
		     struct scan *, struct encoding *result,
		     struct ovsdb_error **ret_error);

#endif /* ovsdb/operation/request.h */
