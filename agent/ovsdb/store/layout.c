/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/store/layout.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"

static bool is_target(const struct schema *, const struct table_schema *,
		      enum reference_kind);
static bool holds(const struct table_schema *, enum reference_kind);
static bool refers(const struct base_type *, enum reference_kind);
static enum column_form form_of(const struct column_type *);
static void place_all(struct layout *, struct table_schema *, size_t size);
static uint32_t place(struct layout *, size_t size);
static size_t value_size(enum column_form);
static size_t count_size(enum column_form);

void
layout_init(struct layout *layout, const struct schema *schema,
	    struct table_schema *table, size_t start)
{
	memset(layout, 0, sizeof *layout);
	layout->size = start;
	layout->held = xcalloc(table->n_columns, sizeof *layout->held);
	for (size_t i = N_STANDARD_COLUMNS; i < table->n_columns; i++) {
		struct column *column = table->columns[i];

		column->form = form_of(&column->type);
		if (column->form == FORM_STRING || column->form == FORM_MANY
		    || column->form == FORM_MAYBE_STRING)
			layout->held[layout->n_held++] = column;
	}
	if (is_target(schema, table, REFERENCE_WEAK))
		layout->in = place(layout, sizeof(void *));
	if (holds(table, REFERENCE_WEAK))
		layout->out = place(layout, sizeof(void *));
	place_all(layout, table, 8);
	place_all(layout, table, 16);	/* Bytes, not aligned. */
	if (is_target(schema, table, REFERENCE_STRONG))
		layout->n_refs = place(layout, sizeof(uint32_t));
	place_all(layout, table, 4);
	place_all(layout, table, 1);
	layout->size = (layout->size + 7) & ~(uint32_t) 7;
}

void
layout_done(struct layout *layout)
{
	free(layout->held);
}

/* May rows of other tables, or of this one, refer to its rows? */
static bool
is_target(const struct schema *schema, const struct table_schema *table,
	  enum reference_kind kind)
{
	for (size_t i = 0; i < schema->n_tables; i++) {
		const struct table_schema *from = schema->tables[i];

		for (size_t j = 0; j < from->n_columns; j++) {
			const struct column_type *type =
				&from->columns[j]->type;

			if ((type->key.ref_table == table
			     && refers(&type->key, kind))
			    || (type->value.ref_table == table
				&& refers(&type->value, kind)))
				return true;
		}
	}
	return false;
}

static bool
holds(const struct table_schema *table, enum reference_kind kind)
{
	for (size_t i = 0; i < table->n_columns; i++) {
		if (refers(&table->columns[i]->type.key, kind)
		    || refers(&table->columns[i]->type.value, kind))
			return true;
	}
	return false;
}

static bool
refers(const struct base_type *base, enum reference_kind kind)
{
	return base->ref_table && base->ref_kind == kind;
}

static enum column_form
form_of(const struct column_type *type)
{
	enum column_form one;

	if (type->n_max != 1 || column_type_is_map(type))
		return FORM_MANY;
	switch (type->key.type) {
	case ATOM_UUID:
		one = FORM_UUID;
		break;
	case ATOM_STRING:
		one = FORM_STRING;
		break;
	case ATOM_BOOLEAN:
		one = FORM_BOOLEAN;
		break;
	default:
		one = FORM_WORD;
		break;
	}
	return type->n_min ? one : one + (FORM_MAYBE_UUID - FORM_UUID);
}

/* What takes 'size' bytes. */
static void
place_all(struct layout *layout, struct table_schema *table, size_t size)
{
	for (size_t i = N_STANDARD_COLUMNS; i < table->n_columns; i++) {
		struct column *column = table->columns[i];

		if (value_size(column->form) == size)
			column->offset = place(layout, size);
		if (count_size(column->form) == size)
			column->count_offset = place(layout, size);
	}
}

static uint32_t
place(struct layout *layout, size_t size)
{
	uint32_t mask = size == 16 ? 0 : size - 1;
	uint32_t at = (layout->size + mask) & ~mask;

	layout->size = at + size;
	return at;
}

static size_t
value_size(enum column_form form)
{
	switch (form) {
	case FORM_UUID:
	case FORM_MAYBE_UUID:
		return 16;
	case FORM_BOOLEAN:
	case FORM_MAYBE_BOOLEAN:
		return 1;
	default:
		return 8;
	}
}

static size_t
count_size(enum column_form form)
{
	switch (form) {
	case FORM_MAYBE_UUID:
	case FORM_MAYBE_WORD:
	case FORM_MAYBE_BOOLEAN:
		return 1;
	case FORM_MANY:
		return 4;
	default:
		return 0;
	}
}
