/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/net/place.h"

#include <stdlib.h>
#include <string.h>
#include "agent/base/memory.h"

static const char prefix[] = "db:";

static bool is_of(const struct column *, enum atom_type);
static char *find(struct server *, const char *db, struct place *);

bool
place_is_meant(const char *text)
{
	return !strncmp(text, prefix, strlen(prefix));
}

bool
place_parse(struct server *server, const char *text, struct place *ret_place,
	    char **ret_problem)
{
	char *copy = xstrdup(text + strlen(prefix)), *rest = copy;
	const char *db = strsep(&rest, ","), *table = strsep(&rest, ",");
	const char *column = strsep(&rest, ",");
	struct place place = { NULL, NULL, NULL };
	char *problem;

	if (!column || rest) {
		problem = xstrdup("invalid syntax; expected "
				  "db:DATABASE,TABLE,COLUMN");
	} else {
		place.table = xstrdup(table);
		place.column = xstrdup(column);
		problem = find(server, db, &place);
	}
	free(copy);
	if (!problem) {
		*ret_place = place;
		return true;
	}
	place_done(&place);
	*ret_problem = xasprintf("\"%s\": %s", text, problem);
	free(problem);
	return false;
}

void
place_done(struct place *place)
{
	free(place->table);
	free(place->column);
}

struct table *
place_table(const struct place *place)
{
	return database_table(place->database, place->table);
}

const struct column *
place_column(const struct place *place)
{
	struct table *table = place_table(place);

	return table ? table_schema_column(table_schema(table),
					   place->column) : NULL;
}

struct table *
place_target(const struct place *place)
{
	const struct column *column = place_column(place);

	if (!column || !is_of(column, ATOM_UUID)
	    || !column->type.key.ref_table)
		return NULL;
	return database_table_at(place->database,
				 column->type.key.ref_table->index);
}

const char *
place_string(const struct place *place)
{
	const struct column *column = place_column(place);
	const struct table *table = place_table(place);
	const struct row *row;

	if (!column || !is_of(column, ATOM_STRING))
		return NULL;
	for (row = table_first(table); row; row = table_next(table, row)) {
		struct datum room;
		const char *text =
			datum_string(row_datum(row, column, &room), "");

		if (*text)
			return text;
	}
	return NULL;
}

static bool
is_of(const struct column *column, enum atom_type type)
{
	return column->type.key.type == type
	       && !column_type_is_map(&column->type);
}

static char *
find(struct server *server, const char *db, struct place *place)
{
	const struct column *column;
	struct table *target;

	place->database = server_find_database(server, db);
	if (!place->database)
		return xasprintf("no database named %s", db);
	if (!place_table(place))
		return xasprintf("no table named %s", place->table);
	column = place_column(place);
	if (!column)
		return xasprintf("table \"%s\" has no column \"%s\"",
				 place->table, place->column);
	if (is_of(column, ATOM_STRING))
		return NULL;
	target = place_target(place);
	column = target ? table_schema_column(table_schema(target), "target")
		 : NULL;
	if (column && is_of(column, ATOM_STRING))
		return NULL;
	return xstrdup("the column holds neither strings nor references to "
		       "rows with a \"target\"");
}
