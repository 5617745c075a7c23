/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/operation/role.h"

#include <string.h>

static const struct row *find_permission(const struct role *,
					 const struct row *,
					 bool *ret_is_free);
static const struct row *find_role(const struct table *, const char *name);
static bool may_come_and_go(const struct role *, const struct row *);
static bool may_change(const struct role *, const struct row *,
		       const struct column *);
static bool is_authorized(const struct row *permission, const char *client,
			  const struct row *);
static bool holds(const struct row *, const char *place, const char *client);
static bool is_writable(const struct row *permission, const char *column);
static const struct datum *value(const struct row *, const char *column,
				 enum atom_type key, enum atom_type value,
				 struct datum *room);
static const char *text_of(const struct datum *, uint32_t i);
static struct ovsdb_error *prohibit(const struct role *, const struct row *,
				    const char *what);

struct ovsdb_error *
role_check_insert(const struct role *role, const struct row *row)
{
	/* Most may do everything. */
	if (!role->name)
		return NULL;
	return may_come_and_go(role, row) ? NULL
	       : prohibit(role, row, "row insertion into");
}

struct ovsdb_error *
role_check_delete(const struct role *role, const struct row *row)
{
	return may_come_and_go(role, row) ? NULL
	       : prohibit(role, row, "row deletion from");
}

struct ovsdb_error *
role_check_update(const struct role *role, const struct row *row,
		  const struct column *column)
{
	if (!role->name)
		return NULL;
	return may_change(role, row, column) ? NULL
	       : prohibit(role, row, "modification of");
}

struct ovsdb_error *
role_check_mutate(const struct role *role, const struct row *row,
		  const struct column *column)
{
	return may_change(role, row, column) ? NULL
	       : prohibit(role, row, "mutate operation on");
}

/* The row of RBAC_Permission that speaks of the row's table; NULL if there is
 * none.  '*ret_is_free': nobody needs one. */
static const struct row *
find_permission(const struct role *role, const struct row *row,
		bool *ret_is_free)
{
	const struct database *db = table_database(row_table(row));
	const char *name = table_schema(row_table(row))->name;
	const struct table *roles = database_table(db, "RBAC_Role");
	const struct table *permissions
		= database_table(db, "RBAC_Permission");
	const struct row *found;
	const struct datum *map;
	struct datum room;

	*ret_is_free = !role->name || !*role->name || !roles;
	if (*ret_is_free || !role->client || !permissions)
		return NULL;
	found = find_role(roles, role->name);
	if (!found)
		return NULL;
	map = value(found, "permissions", ATOM_STRING, ATOM_UUID, &room);
	for (uint32_t i = 0; i < map->n; i++)
		if (!strcmp(text_of(map, i), name))
			return table_find(permissions,
					  &datum_value(map, i)->uuid);
	return NULL;
}

static const struct row *
find_role(const struct table *roles, const char *name)
{
	const struct row *row;
	struct datum room;

	for (row = table_first(roles); row; row = table_next(roles, row))
		if (!strcmp(datum_string(value(row, "name", ATOM_STRING,
					       ATOM_VOID, &room), ""), name))
			break;
	return row;
}

static bool
may_come_and_go(const struct role *role, const struct row *row)
{
	const struct row *permission;
	struct datum room;
	bool is_free;

	permission = find_permission(role, row, &is_free);
	return is_free
	       || (permission
		   && datum_boolean(value(permission, "insert_delete",
					  ATOM_BOOLEAN, ATOM_VOID, &room),
				    false)
		   && is_authorized(permission, role->client, row));
}

static bool
may_change(const struct role *role, const struct row *row,
	   const struct column *column)
{
	const struct row *permission;
	bool is_free;

	permission = find_permission(role, row, &is_free);
	return is_free
	       || (permission && is_writable(permission, column->name)
		   && is_authorized(permission, role->client, row));
}

static bool
is_authorized(const struct row *permission, const char *client,
	      const struct row *row)
{
	struct datum room;
	const struct datum *places = value(permission, "authorization",
					   ATOM_STRING, ATOM_VOID, &room);

	for (uint32_t i = 0; i < places->n; i++) {
		const char *place = text_of(places, i);

		if (!*place || holds(row, place, client))
			return true;
	}
	return false;
}

/* 'place' is COLUMN or COLUMN:KEY. */
static bool
holds(const struct row *row, const char *place, const char *client)
{
	const char *colon = strchr(place, ':');
	size_t size = colon ? (size_t) (colon - place) : strlen(place);
	const struct table_schema *schema = table_schema(row_table(row));

	for (size_t i = 0; i < schema->n_columns; i++) {
		const struct column *column = schema->columns[i];
		const struct column_type *type = &column->type;
		const struct datum *datum;
		struct datum room;

		if (strlen(column->name) != size
		    || memcmp(column->name, place, size)
		    || type->key.type != ATOM_STRING)
			continue;
		datum = row_datum(row, column, &room);
		if (colon)
			return type->value.type == ATOM_STRING
			       && !strcmp(datum_map_string(datum, colon + 1,
							   ""), client);
		for (uint32_t j = 0; j < datum->n; j++)
			if (!strcmp(text_of(datum, j), client))
				return true;
	}
	return false;
}

static bool
is_writable(const struct row *permission, const char *column)
{
	struct datum room;
	const struct datum *columns = value(permission, "update", ATOM_STRING,
					    ATOM_VOID, &room);
	size_t size = strlen(column);

	for (uint32_t i = 0; i < columns->n; i++) {
		const char *text = text_of(columns, i);

		if (!strncmp(text, column, size)
		    && (!text[size] || text[size] == ':'))
			return true;
	}
	return false;
}

/* Nothing, if the schema has something else in mind with that column. */
static const struct datum *
value(const struct row *row, const char *name, enum atom_type key,
      enum atom_type value, struct datum *room)
{
	static const struct datum nothing;
	const struct column *column
		= table_schema_column(table_schema(row_table(row)), name);

	return column && column->type.key.type == key
	       && column->type.value.type == value
	       ? row_datum(row, column, room) : &nothing;
}

static const char *
text_of(const struct datum *datum, uint32_t i)
{
	return datum_key(datum, i)->string->text;
}

static struct ovsdb_error *
prohibit(const struct role *role, const struct row *row, const char *what)
{
	return ovsdb_error_verbatim(OVSDB_PERMISSION_ERROR, NULL,
				    "RBAC rules for client \"%s\" role \"%s\""
				    " prohibit %s table \"%s\".",
				    role->client ? role->client : "",
				    role->name,
				    what, table_schema(row_table(row))->name);
}
