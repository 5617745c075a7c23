/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/upgrade.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/memory.h"
#include "agent/ovsdb/server/convert.h"

static int compare_versions(const char *a, const char *b);
static struct ovsdb_error *keep(const char *path, const char *version);

struct ovsdb_error *
upgrade_database(struct database *db, const char *path,
		 const char *schema_path, char **ret_said)
{
	struct database *converted;
	struct ovsdb_error *error;
	struct schema *schema;
	char *from, *to;
	int order;

	*ret_said = NULL;
	error = schema_from_file(schema_path, &schema);
	if (error)
		return error;
	from = xasprintf("%s", database_schema(db)->version);
	to = xasprintf("%s", schema->version);
	order = compare_versions(from, to);
	if (order > 0)
		*ret_said = xasprintf("the file is of schema %s, which is newer"
				      " than ours, %s: it stays as it is",
				      from, to);
	if (order >= 0)
		schema_free(schema);
	else if ((error = keep(path, from)))
		schema_free(schema);
	else if (!(error = convert_prepare(db, schema, &converted))) {
		convert_finish(db, converted);
		*ret_said = xasprintf("converted from schema %s to %s; what it"
				      " was is in %s.backup-%s", from, to,
				      path, from);
	}
	free(from);
	free(to);
	return error;
}

/* x.y.z, each a number. */
static int
compare_versions(const char *a, const char *b)
{
	for (;;) {
		char *end_a, *end_b;
		unsigned long x = strtoul(a, &end_a, 10);
		unsigned long y = strtoul(b, &end_b, 10);

		if (x != y)
			return x < y ? -1 : 1;
		if (*end_a != '.' || *end_b != '.')
			return 0;
		a = end_a + 1;
		b = end_b + 1;
	}
}

/* Conversion puts another file in this one's place: a link is enough. */
static struct ovsdb_error *
keep(const char *path, const char *version)
{
	struct ovsdb_error *error = NULL;
	char *backup = xasprintf("%s.backup-%s", path, version);

	if (link(path, backup) && errno != EEXIST)
		error = ovsdb_error(OVSDB_IO_ERROR, "%s: no backup before it is"
				    " converted: %s", backup, strerror(errno));
	free(backup);
	return error;
}
