/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/operation/assignment.h"

#include <stdlib.h>

#include "agent/base/memory.h"
#include "agent/ovsdb/store/database.h"

struct ovsdb_error *
assignments_from_json(json_t *json, const struct table_schema *table,
		      struct symbols *symbols,
		      struct assignments *ret_assignments)
{
	struct assignments all = { NULL, 0 };
	const char *name;
	json_t *value;

	if (!json_is_object(json))
		return ovsdb_syntax_error(json, "a row is an object");
	all.assignments = xcalloc(json_object_size(json),
				  sizeof *all.assignments);
	json_object_foreach(json, name, value) {
		struct assignment *assignment = &all.assignments[all.n];
		struct ovsdb_error *error;

		assignment->column = table_schema_column(table, name);
		if (!assignment->column)
			error = ovsdb_error(OVSDB_UNKNOWN_COLUMN,
					    "table %s has no column %.64s",
					    table->name, name);
		else
			error = ovsdb_error_prefix(
				datum_from_json(value,
						&assignment->column->type,
						symbols, &assignment->value),
				"table %s column %s", table->name, name);
		if (error) {
			assignments_done(&all);
			return error;
		}
		all.n++;
	}
	*ret_assignments = all;
	return NULL;
}

void
assignments_done(struct assignments *all)
{
	assignments_clear(all);
	free(all->assignments);
	all->assignments = NULL;
}

void
assignments_clear(struct assignments *all)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		datum_done(&all->assignments[i].value,
			   &all->assignments[i].column->type);
	all->n = 0;
}

struct ovsdb_error *
columns_from_json(json_t *json, const struct table_schema *table,
		  struct columns *ret_columns)
{
	struct columns columns = { NULL, 0 };
	json_t *name;
	size_t i;

	columns.columns = xcalloc(table->n_columns, sizeof *columns.columns);
	if (!json) {
		for (i = 0; i < table->n_columns; i++)
			columns.columns[columns.n++] = table->columns[i];
	}
	json_array_foreach(json, i, name) {
		const char *text = json_string_value(name);
		const struct column *column;

		column = text ? table_schema_column(table, text) : NULL;
		if (!column || columns_contain(&columns, column)) {
			columns_done(&columns);
			return ovsdb_syntax_error(json, "expected an array of"
						  " distinct names of columns"
						  " of table %s, which \"%.64s"
						  "\" is not", table->name,
						  text ? text : "");
		}
		columns.columns[columns.n++] = column;
	}
	*ret_columns = columns;
	return NULL;
}

void
columns_done(struct columns *columns)
{
	free(columns->columns);
	columns->columns = NULL;
	columns->n = 0;
}

bool
columns_contain(const struct columns *columns, const struct column *column)
{
	size_t i;

	for (i = 0; i < columns->n; i++) {
		if (columns->columns[i] == column)
			return true;
	}
	return false;
}

uint32_t
columns_hash(const struct columns *columns, const struct row *row)
{
	uint32_t hash = 0;
	size_t i;

	for (i = 0; i < columns->n; i++) {
		const struct column *column = columns->columns[i];
		struct datum room;

		hash = datum_hash(row_datum(row, column, &room),
				  &column->type, hash);
	}
	return hash;
}

int
columns_compare(const struct columns *columns, const struct row *a,
		const struct row *b)
{
	size_t i;

	for (i = 0; i < columns->n; i++) {
		const struct column *column = columns->columns[i];
		struct datum a_room, b_room;
		int order = datum_compare(row_datum(a, column, &a_room),
					  row_datum(b, column, &b_room),
					  &column->type);

		if (order)
			return order;
	}
	return 0;
}
