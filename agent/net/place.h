/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NET_PLACE_H
#define NET_PLACE_H 1

/* A column that holds settings of the server itself, as command lines name
 * it: "db:DB,TABLE,COLUMN".  Its values are those of all the rows.
 * [control] */

#include <stdbool.h>
#include "agent/ovsdb/store/database.h"
#include "agent/ovsdb/server/server.h"

struct place {
	struct database *database;
	char *table, *column;
};

bool place_is_meant(const char *text);		/* Does it begin so? */
/* Column must be there, and hold strings, or references to a table with a
 * column "target" of one string.  On failure returns one line in
 * '*ret_problem', to be freed, in ovsdb-server(1)'s words. */
bool place_parse(struct server *, const char *text, struct place *ret_place,
		 char **ret_problem);
void place_done(struct place *);

/* By name each time, as a database may be given another schema: NULL if they
 * are there no longer. */
struct table *place_table(const struct place *);
const struct column *place_column(const struct place *);
/* What the column refers to; NULL: it holds strings. */
struct table *place_target(const struct place *);
/* The first string there is, or NULL; as long as the row lives. */
const char *place_string(const struct place *);

#endif /* net/place.h */
