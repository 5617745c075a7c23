/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_CONVERT_H
#define OVSDB_CONVERT_H 1

/* Another schema for a database: ovsdb-server(7), section 4.1.19.
 *
 * Tables and columns that the new schema does not have are dropped, those that
 * it adds are empty or at their defaults, and all of its constraints apply to
 * what is left.  [control] */

#include "agent/ovsdb/store/database.h"
#include "agent/ovsdb/value/error.h"

/* Makes the file of the database what the schema says, and 'ret_converted'
 * what is in it.  Takes over 'schema'.  On failure nothing has happened. */
struct ovsdb_error *convert_prepare(struct database *, struct schema *,
				    struct database **ret_converted);
/* Puts that in the place of the database, which must follow at once, and takes
 * it over.  The database keeps its address and its observers; its tables, rows
 * and schema are others, and its history is empty. */
void convert_finish(struct database *, struct database *converted);

#endif /* ovsdb/server/convert.h */
