/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/server/monitor_request.h"

#include <string.h>

static struct ovsdb_error *read_request(struct view *, json_t *request);
static struct ovsdb_error *check_members(json_t *, const char *const names[],
					 const char *table,
					 const char *what);
static struct ovsdb_error *check_array(json_t *request, const char *name,
				       const char *table);
static struct ovsdb_error *read_select(const char *table, json_t *select,
				       unsigned *ret_select);
static struct ovsdb_error *read_columns(struct view *, json_t *columns,
					unsigned select);
static struct ovsdb_error *add_column(struct view *, json_t *syntax,
				      const struct column *,
				      unsigned select);
static struct ovsdb_error *read_change(struct view *, json_t *request);

struct ovsdb_error *
monitor_request_read(const struct table_schema *table, json_t *requests,
		     bool is_diff, struct view **ret_view)
{
	struct view *draft = view_new(table, is_diff);
	struct ovsdb_error *error = NULL;

	if (json_is_array(requests))
		for (size_t i = 0; !error && i < json_array_size(requests);
		     i++)
			error = read_request(draft,
					     json_array_get(requests, i));
	else
		error = read_request(draft, requests);
	if (error) {
		view_unref(draft);
		return error;
	}
	view_settle(draft);
	*ret_view = draft;
	return NULL;
}

struct ovsdb_error *
monitor_request_change(const struct view *view, json_t *requests,
		       struct view **ret_view)
{
	const char *table = view->table->name;
	struct ovsdb_error *error = NULL;
	struct view *changed;

	if (!json_is_array(requests))
		return ovsdb_error(OVSDB_SYNTAX_ERROR, "table %s no "
				   "monitor-cond-change JSON array", table);
	*ret_view = NULL;
	if (!json_array_size(requests))
		return NULL;
	changed = view_like(view);
	for (size_t i = 0; !error && i < json_array_size(requests); i++)
		error = read_change(changed, json_array_get(requests, i));
	if (error) {
		view_unref(changed);
		return error;
	}
	*ret_view = changed;
	return NULL;
}

static struct ovsdb_error *
read_request(struct view *draft, json_t *request)
{
	static const char *const members[] = { "columns", "select", "where",
					       NULL };
	static const char *const plain_members[] = { "columns", "select",
						     NULL };
	const char *table = draft->table->name;
	struct ovsdb_error *error
		= check_members(request, draft->is_diff ? members
							: plain_members,
				table, "");
	json_t *columns = json_object_get(request, "columns");
	json_t *select_json = json_object_get(request, "select");
	unsigned select = SELECT_ALL;

	if (!error)
		error = check_array(request, "columns", table);
	if (!error)
		error = check_array(request, "where", table);
	if (!error && select_json && !json_is_object(select_json))
		error = ovsdb_syntax_error(request, "Parsing table %s failed: "
					   "Type mismatch for member "
					   "'select'.", table);
	if (!error && select_json)
		error = read_select(table, select_json, &select);
	if (error)
		return error;

	draft->select |= select;
	if (columns)
		error = read_columns(draft, columns, select);
	for (size_t i = 0; !columns && !error && i < draft->table->n_columns;
	     i++)
		if (i != COLUMN_UUID)
			error = add_column(draft, request,
					   draft->table->columns[i], select);
	if (!error && draft->is_diff)
		error = filter_add(&draft->filter, draft->table,
				   json_object_get(request, "where"));
	return error;
}

static struct ovsdb_error *
check_members(json_t *object, const char *const names[], const char *table,
	      const char *what)
{
	const char *key;
	json_t *value;

	if (!json_is_object(object))
		return ovsdb_error(OVSDB_SYNTAX_ERROR, "Parsing table %s%s "
				   "failed: Object expected.", table, what);
	json_object_foreach(object, key, value) {
		size_t i = 0;

		while (names[i] && strcmp(names[i], key))
			i++;
		if (!names[i])
			return ovsdb_syntax_error(object, "Parsing table "
						  "%s%s failed: Member '%s' "
						  "is present but not "
						  "allowed here.", table,
						  what, key);
	}
	return NULL;
}

static struct ovsdb_error *
check_array(json_t *request, const char *name, const char *table)
{
	json_t *value = json_object_get(request, name);

	if (!value || json_is_array(value))
		return NULL;
	return ovsdb_syntax_error(request, "Parsing table %s failed: Type "
				  "mismatch for member '%s'.", table, name);
}

static struct ovsdb_error *
read_select(const char *table, json_t *object, unsigned *ret_select)
{
	static const char *const names[] = { "initial", "insert", "delete",
					     "modify", NULL };
	static const unsigned bits[] = { SELECT_INITIAL, SELECT_INSERT,
					 SELECT_DELETE, SELECT_MODIFY };
	struct ovsdb_error *error = check_members(object, names, table,
						  " select");

	for (size_t i = 0; !error && names[i]; i++) {
		json_t *value = json_object_get(object, names[i]);

		if (value && !json_is_boolean(value))
			error = ovsdb_syntax_error(object, "Parsing table %s "
						   "select failed: Type "
						   "mismatch for member "
						   "'%s'.", table, names[i]);
		else if (json_is_false(value))
			*ret_select &= ~bits[i];
	}
	return error;
}

static struct ovsdb_error *
read_columns(struct view *draft, json_t *columns, unsigned select)
{
	for (size_t i = 0; i < json_array_size(columns); i++) {
		const char *name
			= json_string_value(json_array_get(columns, i));
		const struct column *column;
		struct ovsdb_error *error;

		if (!name)
			return ovsdb_syntax_error(columns, "array of column "
						  "names expected");
		column = table_schema_column(draft->table, name);
		if (!column)
			return ovsdb_syntax_error(columns, "%s is not a "
						  "valid column name", name);
		error = add_column(draft, columns, column, select);
		if (error)
			return error;
	}
	return NULL;
}

static struct ovsdb_error *
add_column(struct view *draft, json_t *syntax, const struct column *column,
	   unsigned select)
{
	if (view_add_column(draft, column, select))
		return NULL;
	return ovsdb_syntax_error(syntax, "column %s mentioned more than "
				  "once", column->name);
}

static struct ovsdb_error *
read_change(struct view *view, json_t *request)
{
	static const char *const members[] = { "columns", "where", NULL };
	const char *table = view->table->name;
	struct ovsdb_error *error = check_members(request, members, table,
						  "");

	if (!error)
		error = check_array(request, "columns", table);
	if (!error)
		error = check_array(request, "where", table);
	if (error)
		return error;
	if (json_object_get(request, "columns"))
		return ovsdb_syntax_error(request, "changing columns is "
					  "unsupported");
	return filter_add(&view->filter, view->table,
			  json_object_get(request, "where"));
}
