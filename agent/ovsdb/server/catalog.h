/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_CATALOG_H
#define OVSDB_CATALOG_H 1

/* The database _Server of ovsdb-server(5): which databases there are, as rows
 * that clients can monitor.  It lives in memory; only the server writes it.
 *
 * Clients read the schemas there, and whether to trust a server: ours is
 * always "standalone", "connected" and the "leader".  [control] */

#include "agent/ovsdb/store/database.h"

struct database *catalog_new(void);

/* A row for a database; its schema, when that is another one; and away with
 * it. */
void catalog_add(struct database *catalog, const struct database *);
void catalog_change(struct database *catalog, const struct database *);
void catalog_remove(struct database *catalog, const struct database *);

#endif /* ovsdb/server/catalog.h */
