/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_ROLE_H
#define OVSDB_ROLE_H 1

/* Who may write what: the role-based access control that ovsdb-server(5) and
 * (7) add to RFC 7047.
 *
 * It is in force in a database that has a table RBAC_Role, for clients that
 * came over a remote with a role.  A row of RBAC_Role has a "name" and
 * "permissions", a map from names of tables to rows of RBAC_Permission.  Such
 * a row says of that table
 *
 *     authorization   columns, or COLUMN:KEY of maps, one of which must hold
 *                     the client's name in the row at hand; "" is met by all
 *     insert_delete   whether rows may be inserted and deleted
 *     update          the columns that may be written, or COLUMN:KEY
 *
 * A client without a name (no TLS), a role that is not there, a table that it
 * does not mention: nothing may be written.  Everything may be read.
 * [control] */

#include "agent/ovsdb/store/database.h"
#include "agent/ovsdb/value/error.h"

struct role {
	const char *name;	/* NULL or "": may do everything. */
	const char *client;	/* The CN of its certificate, or NULL. */
};

/* Each returns NULL, or "permission error".  The first is asked when the row
 * has its values, the others before it is changed. */
struct ovsdb_error *role_check_insert(const struct role *, const struct row *);
struct ovsdb_error *role_check_delete(const struct role *, const struct row *);
struct ovsdb_error *role_check_update(const struct role *, const struct row *,
				      const struct column *);
struct ovsdb_error *role_check_mutate(const struct role *, const struct row *,
				      const struct column *);

#endif /* ovsdb/operation/role.h */
