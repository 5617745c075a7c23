/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/store/row.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"

static struct row *allocate(struct table *);

struct row *
row_new(struct table *table, const struct uuid *uuid)
{
	const struct table_schema *schema = table->schema;
	struct row *row = allocate(table);
	size_t i;

	datum_set_uuid(&row->data[COLUMN_UUID], uuid);
	datum_set_uuid(&row->data[COLUMN_VERSION], uuid);
	uuid_generate(&row->data[COLUMN_VERSION].one.uuid);
	for (i = N_STANDARD_COLUMNS; i < schema->n_columns; i++)
		datum_init_default(&row->data[i], &schema->columns[i]->type);
	return row;
}

struct row *
row_clone(const struct row *row)
{
	const struct table_schema *schema = row->table->schema;
	struct row *clone = allocate(row->table);
	size_t i;

	for (i = 0; i < schema->n_columns; i++)
		datum_copy(&row->data[i], &schema->columns[i]->type,
			   &clone->data[i]);
	uuid_generate(&clone->data[COLUMN_VERSION].one.uuid);
	return clone;
}

void
row_free(struct row *row)
{
	const struct table_schema *schema;
	size_t i;

	if (!row)
		return;
	schema = row->table->schema;
	for (i = N_STANDARD_COLUMNS; i < schema->n_columns; i++)
		datum_done(&row->data[i], &schema->columns[i]->type);
	free(row);
}

size_t
row_size(const struct row *row)
{
	const struct table_schema *schema = row->table->schema;
	size_t size = sizeof *row + schema->n_columns * sizeof row->data[0];

	for (size_t i = N_STANDARD_COLUMNS; i < schema->n_columns; i++) {
		const struct datum *datum = &row->data[i];

		if (datum->is_map)
			size += 2 * datum->n * sizeof *datum->many;
		else if (datum->n > 1)
			size += datum->n * sizeof *datum->many;
	}
	return size;
}

void
row_succeed(struct row *old, struct row *new)
{
	new->n_refs = old->n_refs;
	new->in = old->in;
	if (new->in)
		new->in->prev_in = &new->in;
	new->out = old->out;
	old->in = old->out = NULL;
}

const struct uuid *
row_uuid(const struct row *row)
{
	return &row->data[COLUMN_UUID].one.uuid;
}

const struct uuid *
row_version(const struct row *row)
{
	return &row->data[COLUMN_VERSION].one.uuid;
}

struct table *
row_table(const struct row *row)
{
	return row->table;
}

const struct datum *
row_datum(const struct row *row, const struct column *column,
	  struct datum *room)
{
	*room = row->data[column->index];
	return room;
}

const struct datum *
row_get(const struct row *row, const char *name, struct datum *room)
{
	const struct column *column;

	column = table_schema_column(row->table->schema, name);
	if (column)
		return row_datum(row, column, room);
	memset(room, 0, sizeof *room);
	return room;
}

const char *
row_string(const struct row *row, const char *column, const char *fallback)
{
	struct datum room;

	return datum_string(row_get(row, column, &room), fallback);
}

int64_t
row_integer(const struct row *row, const char *column, int64_t fallback)
{
	struct datum room;

	return datum_integer(row_get(row, column, &room), fallback);
}

bool
row_boolean(const struct row *row, const char *column, bool fallback)
{
	struct datum room;

	return datum_boolean(row_get(row, column, &room), fallback);
}

void
row_put(struct row *row, const struct column *column, struct datum *value)
{
	struct datum *d = &row->data[column->index];

	datum_done(d, &column->type);
	*d = *value;
	memset(value, 0, sizeof *value);
}

bool
row_has_equal(const struct row *a, const struct row *b,
	      const struct column *column)
{
	return datum_equal(&a->data[column->index], &b->data[column->index],
			   &column->type);
}

uint32_t
row_uuid_hash(const struct uuid *uuid)
{
	union atom atom = { .uuid = *uuid };

	return atom_hash(ATOM_UUID, &atom);
}

bool
row_index_equal(const struct row *a, const struct row *b, size_t index)
{
	const struct table_schema *schema = a->table->schema;
	size_t i;

	for (i = 0; i < schema->indexes[index].n; i++) {
		const struct column *column =
			schema->indexes[index].columns[i];

		if (!datum_equal(&a->data[column->index],
				 &b->data[column->index], &column->type))
			return false;
	}
	return true;
}

struct table *
row_target(const struct table *table, const struct base_type *base)
{
	return base->ref_table ? &table->database->tables[
					 base->ref_table->index] : NULL;
}

void
row_add_referrer(struct row *holder, struct row *target)
{
	struct referrer *referrer = xmalloc(sizeof *referrer);

	referrer->table = holder->table;
	referrer->uuid = *row_uuid(holder);
	referrer->next_out = holder->out;
	holder->out = referrer;
	referrer->next_in = target->in;
	referrer->prev_in = &target->in;
	if (target->in)
		target->in->prev_in = &referrer->next_in;
	target->in = referrer;
}

void
row_drop_referrers(struct row *holder)
{
	struct referrer *referrer = holder->out;

	holder->out = NULL;
	while (referrer) {
		struct referrer *next = referrer->next_out;

		if (referrer->prev_in)
			*referrer->prev_in = referrer->next_in;
		if (referrer->next_in)
			referrer->next_in->prev_in = referrer->prev_in;
		free(referrer);
		referrer = next;
	}
}

static struct row *
allocate(struct table *table)
{
	struct row *row = xmalloc(sizeof *row + table->schema->n_columns
				  * sizeof row->data[0]);

	row->table = table;
	row->transaction = NULL;
	row->in = row->out = NULL;
	row->n_refs = 0;
	row->birth = 0;
	return row;
}
