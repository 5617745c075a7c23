/* SPDX-License-Identifier: Apache-2.0 */

#ifndef AGENT_UPGRADE_H
#define AGENT_UPGRADE_H 1

/* A database of ours that an older version has made. */

#include "agent/ovsdb/store/database.h"
#include "agent/ovsdb/value/error.h"

/* Converts the database at 'path' if the schema in 'schema_path' is newer than
 * its own.  The file as it was stays beside it, as PATH.backup-VERSION, unless
 * there is one already.  'ret_said': what was done, or that the file's schema
 * is newer than ours and stays; NULL: nothing.  On failure the file is as it
 * was. */
struct ovsdb_error *upgrade_database(struct database *, const char *path,
				     const char *schema_path,
				     char **ret_said);

#endif /* agent/upgrade.h */
