/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_OPERATION_H
#define OVSDB_OPERATION_H 1

/* The operations of RFC 7047, section 5.2, one by one: each reads its members
 * and does its work on the open transaction.  [control] */

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "agent/ovsdb/value/error.h"
#include "agent/ovsdb/value/members.h"
#include "agent/ovsdb/value/uuid.h"

struct assignments;
struct columns;
struct condition;
struct encoding;
struct mutations;
struct symbols;
struct transaction;
struct transact_request;

struct operation_context {
	const struct transact_request *request;
	struct transaction *transaction;
	struct symbols *symbols;
	bool durable;			/* Some "commit" asked for it. */
	/* Set by a "wait" that is not satisfied yet and has time left. */
	bool must_wait;
	int64_t deadline_ms;
};

struct operation {
	const char *name;
	bool writes;
	/* Writes its result, an object, which is empty if it writes nothing.
	 * Reads all its members first; an error that members_end() will find
	 * goes before this one. */
	struct ovsdb_error *(*execute)(struct operation_context *,
				       struct members *, struct encoding *);
};

const struct operation *operation_find(const char *name);

/* The table that member "table" names; NULL after an error in 'members'. */
struct table *operation_table(struct operation_context *, struct members *);

/* operation_write.c */
struct ovsdb_error *operation_write_insert(struct operation_context *,
					   struct members *, struct encoding *);
struct ovsdb_error *operation_write_update(struct operation_context *,
					   struct members *, struct encoding *);
struct ovsdb_error *operation_write_mutate(struct operation_context *,
					   struct members *, struct encoding *);
struct ovsdb_error *operation_write_delete(struct operation_context *,
					   struct members *, struct encoding *);

/* What they do once they have read their members.  A row that has a name is
 * named, which tells its UUID, before it is inserted; without a UUID, as which
 * NULL stands, it gets a random one.  Those who update for a client look at
 * what is mutable before. */
struct ovsdb_error *operation_write_name_row(struct operation_context *,
					     const char *name,
					     const struct uuid *given,
					     struct uuid *ret_uuid);
struct ovsdb_error *operation_write_insert_row(struct operation_context *,
					       struct table *,
					       const struct uuid *,
					       struct assignments *,
					       struct encoding *result);
struct ovsdb_error *operation_write_update_rows(struct operation_context *,
						struct table *,
						const struct condition *,
						const struct assignments *,
						struct encoding *result);
struct ovsdb_error *operation_write_mutate_rows(struct operation_context *,
						struct table *,
						const struct condition *,
						const struct mutations *,
						struct encoding *result);
struct ovsdb_error *operation_write_delete_rows(struct operation_context *,
						struct table *,
						const struct condition *,
						struct encoding *result);

/* operation_read.c */
struct ovsdb_error *operation_read_select(struct operation_context *,
					  struct members *, struct encoding *);
struct ovsdb_error *operation_read_wait(struct operation_context *,
					struct members *, struct encoding *);
void operation_read_select_rows(struct operation_context *, struct table *,
				const struct condition *,
				const struct columns *shown,
				const struct columns *sort,
				struct encoding *result);

#endif /* ovsdb/operation/operation.h */
