/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/value/schema.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/ovsdb/value/members.h"

static struct ovsdb_error *read_tables(json_t *, struct schema *);
static struct ovsdb_error *read_table(const char *name, json_t *,
				      struct table_schema **);
static struct ovsdb_error *read_columns(json_t *, struct table_schema *);
static struct ovsdb_error *read_column(const char *name, json_t *,
				       struct column **);
static struct ovsdb_error *read_indexes(json_t *, struct table_schema *);
static struct ovsdb_error *read_index(json_t *, struct table_schema *);
static struct ovsdb_error *check_name(json_t *, const char *kind,
				      const char *name);
static struct column *column_new(const char *name, bool is_mutable);
static void column_free(struct column *);
static void table_schema_free(struct table_schema *);
static void settle_roots(struct schema *);
static struct ovsdb_error *resolve(struct schema *);
static struct ovsdb_error *resolve_base(struct schema *,
					const struct table_schema *,
					struct column *, struct base_type *);
static void rank_tables(struct schema *);
static void count_references(const struct schema *, unsigned *n_references);
static bool is_above_ranked(const struct table_schema *);
static bool is_ranked(const struct table_schema *, const struct base_type *);
static bool is_version(const char *);
static json_t *table_to_json(const struct table_schema *);
static json_t *column_to_json(const struct column *);
static int compare_tables(const void *, const void *);
static int compare_columns(const void *, const void *);

struct ovsdb_error *
schema_from_json(json_t *json, struct schema **ret_schema)
{
	struct schema *schema = xcalloc(1, sizeof *schema);
	json_t *name, *version, *cksum, *tables;
	struct ovsdb_error *error;
	struct members members;

	members_begin(&members, json);
	name = members_get(&members, "name", MEMBER_ID);
	version = members_get(&members, "version",
			      MEMBER_STRING | MEMBER_OPTIONAL);
	cksum = members_get(&members, "cksum",
			    MEMBER_STRING | MEMBER_OPTIONAL);
	tables = members_get(&members, "tables", MEMBER_OBJECT);
	if (version && !is_version(json_string_value(version)))
		members_fail(&members, "schema version \"%.32s\" not in format"
			     " x.y.z", json_string_value(version));
	error = members_end(&members, "database schema");
	if (!error) {
		schema->name = xstrdup(json_string_value(name));
		schema->version = xstrdup(version ? json_string_value(version)
					  : "");
		schema->cksum = xstrdup(cksum ? json_string_value(cksum) : "");
		error = check_name(json, "database", schema->name);
	}
	if (!error)
		error = read_tables(tables, schema);
	if (!error) {
		settle_roots(schema);
		error = resolve(schema);
	}
	if (!error)
		rank_tables(schema);
	if (error)
		schema_free(schema);
	else
		*ret_schema = schema;
	return error;
}

struct ovsdb_error *
schema_from_file(const char *path, struct schema **ret_schema)
{
	struct ovsdb_error *error;
	json_error_t problem;
	json_t *json;

	json = json_load_file(path, JSON_REJECT_DUPLICATES, &problem);
	if (!json && json_error_code(&problem)
		     == json_error_cannot_open_file)
		return ovsdb_error(OVSDB_IO_ERROR, "%s: %s", path,
				   strerror(errno));
	if (!json)
		return ovsdb_error(OVSDB_SYNTAX_ERROR, "%s: line %d: %s", path,
				   problem.line, problem.text);
	error = schema_from_json(json, ret_schema);
	json_decref(json);
	return ovsdb_error_prefix(error, "%s", path);
}

json_t *
schema_to_json(const struct schema *schema)
{
	json_t *json = json_object();
	json_t *tables = json_object();
	size_t i;

	json_object_set_new(json, "name", json_string(schema->name));
	if (*schema->version)
		json_object_set_new(json, "version",
				    json_string(schema->version));
	if (*schema->cksum)
		json_object_set_new(json, "cksum",
				    json_string(schema->cksum));
	for (i = 0; i < schema->n_tables; i++)
		json_object_set_new(tables, schema->tables[i]->name,
				    table_to_json(schema->tables[i]));
	json_object_set_new(json, "tables", tables);
	return json;
}

void
schema_free(struct schema *schema)
{
	size_t i;

	if (!schema)
		return;
	for (i = 0; i < schema->n_tables; i++)
		table_schema_free(schema->tables[i]);
	free(schema->tables);
	free(schema->name);
	free(schema->version);
	free(schema->cksum);
	free(schema);
}

const struct table_schema *
schema_table(const struct schema *schema, const char *name)
{
	size_t low = 0;
	size_t high = schema->n_tables;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(schema->tables[middle]->name, name);

		if (!order)
			return schema->tables[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct column *
table_schema_column(const struct table_schema *table, const char *name)
{
	size_t low = N_STANDARD_COLUMNS;
	size_t high = table->n_columns;
	size_t i;

	for (i = 0; *name == '_' && i < N_STANDARD_COLUMNS; i++) {
		if (!strcmp(table->columns[i]->name, name))
			return table->columns[i];
	}
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(table->columns[middle]->name, name);

		if (!order)
			return table->columns[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static struct ovsdb_error *
read_tables(json_t *json, struct schema *schema)
{
	const char *name;
	json_t *value;
	size_t i;

	schema->tables = xcalloc(json_object_size(json),
				 sizeof *schema->tables);
	json_object_foreach(json, name, value) {
		struct ovsdb_error *error;

		error = check_name(json, "table", name);
		if (!error)
			error = read_table(name, value,
					   &schema->tables[schema->n_tables]);
		if (error)
			return error;
		schema->n_tables++;
	}
	qsort(schema->tables, schema->n_tables, sizeof *schema->tables,
	      compare_tables);
	for (i = 0; i < schema->n_tables; i++)
		schema->tables[i]->index = i;
	return NULL;
}

static struct ovsdb_error *
read_table(const char *name, json_t *json, struct table_schema **ret_table)
{
	struct table_schema *table = xcalloc(1, sizeof *table);
	json_t *columns, *max_rows, *is_root, *indexes;
	struct ovsdb_error *error;
	struct members members;

	table->name = xstrdup(name);
	table->max_rows = UINT32_MAX;
	members_begin(&members, json);
	columns = members_get(&members, "columns", MEMBER_OBJECT);
	max_rows = members_get(&members, "maxRows",
			       MEMBER_INTEGER | MEMBER_OPTIONAL);
	is_root = members_get(&members, "isRoot",
			      MEMBER_BOOLEAN | MEMBER_OPTIONAL);
	indexes = members_get(&members, "indexes",
			      MEMBER_ARRAY | MEMBER_OPTIONAL);
	if (max_rows) {
		json_int_t n = json_integer_value(max_rows);

		if (n < 1)
			members_fail(&members, "maxRows must be at least 1");
		table->max_rows = n < UINT32_MAX ? n : UINT32_MAX;
	}
	table->is_root = table->is_root_written = json_is_true(is_root);
	error = members_end(&members, "table schema for table %s", name);
	if (!error && !json_object_size(columns))
		error = ovsdb_syntax_error(json, "table %s must have at least"
					   " one column", name);
	if (!error)
		error = read_columns(columns, table);
	if (!error && indexes)
		error = read_indexes(indexes, table);
	if (error)
		table_schema_free(table);
	else
		*ret_table = table;
	return error;
}

static struct ovsdb_error *
read_columns(json_t *json, struct table_schema *table)
{
	const char *name;
	json_t *value;
	size_t i;

	table->columns = xcalloc(N_STANDARD_COLUMNS + json_object_size(json),
				 sizeof *table->columns);
	table->columns[COLUMN_UUID] = column_new("_uuid", false);
	table->columns[COLUMN_VERSION] = column_new("_version", false);
	table->columns[COLUMN_VERSION]->is_ephemeral = true;
	table->n_columns = N_STANDARD_COLUMNS;
	json_object_foreach(json, name, value) {
		struct ovsdb_error *error;

		error = check_name(json, "column", name);
		if (!error)
			error = read_column(name, value,
					    &table->columns[table->n_columns]);
		if (error)
			return ovsdb_error_prefix(error, "table %s",
						  table->name);
		table->n_columns++;
	}
	qsort(table->columns + N_STANDARD_COLUMNS,
	      table->n_columns - N_STANDARD_COLUMNS, sizeof *table->columns,
	      compare_columns);
	for (i = 0; i < table->n_columns; i++)
		table->columns[i]->index = i;
	return NULL;
}

static struct ovsdb_error *
read_column(const char *name, json_t *json, struct column **ret_column)
{
	struct ovsdb_error *error;
	struct members members;
	struct column_type parsed;
	json_t *is_mutable, *is_ephemeral, *type;

	members_begin(&members, json);
	is_mutable = members_get(&members, "mutable",
				 MEMBER_BOOLEAN | MEMBER_OPTIONAL);
	is_ephemeral = members_get(&members, "ephemeral",
				   MEMBER_BOOLEAN | MEMBER_OPTIONAL);
	type = members_get(&members, "type", MEMBER_STRING | MEMBER_OBJECT);
	error = members_end(&members, "schema for column %s", name);
	if (!error)
		error = ovsdb_error_prefix(column_type_from_json(type,
								 &parsed),
					   "column %s", name);
	if (error)
		return error;
	*ret_column = column_new(name, !is_mutable
				 || json_is_true(is_mutable));
	(*ret_column)->is_ephemeral = json_is_true(is_ephemeral);
	(*ret_column)->type = parsed;
	return NULL;
}

static struct ovsdb_error *
read_indexes(json_t *json, struct table_schema *table)
{
	json_t *index;
	size_t i;

	table->indexes = xcalloc(json_array_size(json),
				 sizeof *table->indexes);
	json_array_foreach(json, i, index) {
		struct ovsdb_error *error;

		error = read_index(index, table);
		if (error)
			return error;
	}
	return NULL;
}

static struct ovsdb_error *
read_index(json_t *json, struct table_schema *table)
{
	size_t at = table->n_indexes;
	json_t *name;
	size_t i, j;

	if (!json_is_array(json) || !json_array_size(json))
		return ovsdb_syntax_error(json, "table %s: an index is an"
					  " array of at least one column name",
					  table->name);
	table->indexes[at].columns = xcalloc(json_array_size(json),
					     sizeof(struct column *));
	table->n_indexes++;
	json_array_foreach(json, i, name) {
		const char *text = json_string_value(name);
		const struct column *column = text
			? table_schema_column(table, text) : NULL;

		if (!column)
			return ovsdb_syntax_error(json, "table %s: an index"
						  " names a column that is"
						  " not there", table->name);
		if (column->is_ephemeral)
			return ovsdb_syntax_error(json, "table %s: ephemeral"
						  " column %s cannot be in an"
						  " index", table->name,
						  column->name);
		for (j = 0; j < i; j++) {
			if (table->indexes[at].columns[j] == column)
				return ovsdb_syntax_error(json, "table %s: an"
							  " index names column"
							  " %s twice",
							  table->name,
							  column->name);
		}
		table->indexes[at].columns[i] =
			table->columns[column->index];
		table->indexes[at].n++;
	}
	return NULL;
}

/* Names that begin with an underscore are the server's own: _Server is the
 * one database that may have one. */
static struct ovsdb_error *
check_name(json_t *json, const char *kind, const char *name)
{
	if (!members_is_id(name))
		return ovsdb_syntax_error(json, "name must be a valid id: %s"
					  " \"%.64s\"", kind, name);
	if (*name == '_' && strcmp(kind, "database"))
		return ovsdb_syntax_error(json, "names beginning with \"_\""
					  " are reserved: %s %s", kind, name);
	return NULL;
}

static struct column *
column_new(const char *name, bool is_mutable)
{
	struct column *column = xcalloc(1, sizeof *column);

	column->name = xstrdup(name);
	column->is_mutable = is_mutable;
	column->type.key.type = ATOM_UUID;
	column->type.n_min = column->type.n_max = 1;
	return column;
}

static void
column_free(struct column *column)
{
	if (!column)
		return;
	column_type_done(&column->type);
	free(column->name);
	free(column);
}

static void
table_schema_free(struct table_schema *table)
{
	size_t i;

	for (i = 0; i < table->n_columns; i++)
		column_free(table->columns[i]);
	for (i = 0; i < table->n_indexes; i++)
		free(table->indexes[i].columns);
	free(table->columns);
	free(table->indexes);
	free(table->name);
	free(table);
}

/* "isRoot" came after the first schemas: where no table has it, all are. */
static void
settle_roots(struct schema *schema)
{
	size_t i;

	for (i = 0; i < schema->n_tables; i++) {
		if (schema->tables[i]->is_root)
			return;
	}
	for (i = 0; i < schema->n_tables; i++)
		schema->tables[i]->is_root = true;
}

static struct ovsdb_error *
resolve(struct schema *schema)
{
	size_t i, j;

	for (i = 0; i < schema->n_tables; i++) {
		struct table_schema *table = schema->tables[i];

		for (j = 0; j < table->n_columns; j++) {
			struct column *column = table->columns[j];
			struct ovsdb_error *error;

			error = resolve_base(schema, table, column,
					     &column->type.key);
			if (!error)
				error = resolve_base(schema, table, column,
						     &column->type.value);
			if (error)
				return error;
		}
	}
	return NULL;
}

static struct ovsdb_error *
resolve_base(struct schema *schema, const struct table_schema *table,
	     struct column *column, struct base_type *base)
{
	const struct table_schema *target;

	if (!base->ref_table_name)
		return NULL;
	target = schema_table(schema, base->ref_table_name);
	if (!target)
		return ovsdb_error(OVSDB_SYNTAX_ERROR, "table %s column %s"
				   " refers to undefined table %s",
				   table->name, column->name,
				   base->ref_table_name);
	base->ref_table = schema->tables[target->index];

	/* What keeps a row alive must be on disk, or the row is collected at
	 * the next start and later records that name it make no sense. */
	if (base->ref_kind == REFERENCE_STRONG && !target->is_root)
		column->is_ephemeral = false;
	return NULL;
}

/* From 1.  Where all that are left refer to each other, the one with the most
 * references to it goes first; a schema of endless such rings gives up. */
static void
rank_tables(struct schema *schema)
{
	enum { MAX_PASSES = 64 };
	unsigned *n_references = xcalloc(schema->n_tables,
					 sizeof *n_references);
	unsigned rank = 0;

	count_references(schema, n_references);
	for (unsigned pass = 0; rank < schema->n_tables; pass++) {
		struct table_schema *next = NULL;
		unsigned before = rank;

		for (size_t i = 0; i < schema->n_tables; i++) {
			struct table_schema *table = schema->tables[i];

			if (table->rank)
				continue;
			if (is_above_ranked(table) || pass >= MAX_PASSES)
				table->rank = ++rank;
			else if (!next || n_references[i]
					  > n_references[next->index])
				next = table;
		}
		if (rank == before)
			next->rank = ++rank;
	}
	free(n_references);
}

/* By table index. */
static void
count_references(const struct schema *schema, unsigned *n_references)
{
	for (size_t i = 0; i < schema->n_tables; i++) {
		const struct table_schema *table = schema->tables[i];

		for (size_t j = 0; j < table->n_columns; j++) {
			const struct column_type *type
				= &table->columns[j]->type;

			if (type->key.ref_table)
				n_references[type->key.ref_table->index]++;
			if (type->value.ref_table)
				n_references[type->value.ref_table->index]++;
		}
	}
}

/* Does it refer to none but itself and those that have a rank? */
static bool
is_above_ranked(const struct table_schema *table)
{
	for (size_t i = 0; i < table->n_columns; i++) {
		const struct column_type *type = &table->columns[i]->type;

		if (!is_ranked(table, &type->key)
		    || !is_ranked(table, &type->value))
			return false;
	}
	return true;
}

static bool
is_ranked(const struct table_schema *table, const struct base_type *base)
{
	return !base->ref_table || base->ref_table == table
	       || base->ref_table->rank;
}

static bool
is_version(const char *text)
{
	int part;

	for (part = 0; part < 3; part++) {
		size_t n = strspn(text, "0123456789");

		if (!n || (part < 2 && text[n] != '.'))
			return false;
		text += n + (part < 2);
	}
	return !*text;
}

static json_t *
table_to_json(const struct table_schema *table)
{
	json_t *json = json_object();
	json_t *columns = json_object();
	size_t i, j;

	if (table->is_root_written)
		json_object_set_new(json, "isRoot", json_true());
	if (table->max_rows != UINT32_MAX)
		json_object_set_new(json, "maxRows",
				    json_integer(table->max_rows));
	for (i = N_STANDARD_COLUMNS; i < table->n_columns; i++)
		json_object_set_new(columns, table->columns[i]->name,
				    column_to_json(table->columns[i]));
	json_object_set_new(json, "columns", columns);
	if (table->n_indexes) {
		json_t *indexes = json_array();

		for (i = 0; i < table->n_indexes; i++) {
			json_t *index = json_array();

			for (j = 0; j < table->indexes[i].n; j++) {
				const struct column *column =
					table->indexes[i].columns[j];

				json_array_append_new(index, json_string(
							      column->name));
			}
			json_array_append_new(indexes, index);
		}
		json_object_set_new(json, "indexes", indexes);
	}
	return json;
}

static json_t *
column_to_json(const struct column *column)
{
	json_t *json = json_object();

	json_object_set_new(json, "type", column_type_to_json(&column->type));
	if (!column->is_mutable)
		json_object_set_new(json, "mutable", json_false());
	if (column->is_ephemeral)
		json_object_set_new(json, "ephemeral", json_true());
	return json;
}

static int
compare_tables(const void *a, const void *b)
{
	return strcmp((*(struct table_schema *const *) a)->name,
		      (*(struct table_schema *const *) b)->name);
}

static int
compare_columns(const void *a, const void *b)
{
	return strcmp((*(struct column *const *) a)->name,
		      (*(struct column *const *) b)->name);
}
