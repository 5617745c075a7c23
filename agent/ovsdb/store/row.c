/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/store/row.h"

#include <stddef.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/ovsdb/value/hash.h"

static struct row *allocate(struct table *);
static void *field(const struct row *, uint32_t offset);
static bool has_string(const struct column *);
static struct string *string_at(const struct row *, const struct column *);
static void hold(struct string *);
static void get_one(const void *from, size_t size, bool is_there,
		    struct datum *room);
static void get_many(const struct row *, const struct column *,
		     struct datum *room);
static void put_one(void *to, size_t size, const struct datum *);
static void put_many(struct row *, const struct column *,
		     const struct datum *);
static bool is_in_word(const struct column *, uint32_t n);
static void store(struct row *, const struct column *, const struct datum *);
static void release(struct row *, const struct column *);
static struct referrer **first_in(const struct row *);
static struct referrer **first_out(const struct row *);

struct row *
row_new(struct table *table, const struct uuid *uuid)
{
	const struct layout *layout = &table->layout;
	struct row *row = allocate(table);

	memset(row + 1, 0, layout->size - sizeof *row);
	row->uuid = *uuid;
	for (size_t i = 0; i < layout->n_held; i++) {
		const struct column *column = layout->held[i];
		struct datum datum;

		if (!column->type.n_min)
			continue;
		datum_init_default(&datum, &column->type);
		store(row, column, &datum);
	}
	return row;
}

struct row *
row_clone(const struct row *row)
{
	struct table *table = row_table(row);
	const struct layout *layout = &table->layout;
	struct row *clone = allocate(table);

	memcpy(&clone->uuid, &row->uuid,
	       layout->size - offsetof(struct row, uuid));
	if (layout->in)
		*first_in(clone) = NULL;
	if (layout->out)
		*first_out(clone) = NULL;
	row_set_refs(clone, 0);
	for (size_t i = 0; i < layout->n_held; i++) {
		const struct column *column = layout->held[i];
		struct datum room, datum;

		if (column->form != FORM_MANY) {
			hold(string_at(clone, column));
			continue;
		}
		row_datum(row, column, &room);
		if (!room.n)
			continue;
		datum_copy(&room, &column->type, &datum);
		store(clone, column, &datum);
	}
	return clone;
}

void
row_free(struct row *row)
{
	const struct layout *layout;

	if (!row)
		return;
	layout = &row_table(row)->layout;
	for (size_t i = 0; i < layout->n_held; i++)
		release(row, layout->held[i]);
	slab_free(row);
}

size_t
row_size(const struct row *row)
{
	const struct layout *layout = &row_table(row)->layout;
	size_t size = layout->size;

	for (size_t i = 0; i < layout->n_held; i++) {
		const struct column *column = layout->held[i];
		uint32_t n;

		if (column->form != FORM_MANY)
			continue;
		memcpy(&n, field(row, column->count_offset), sizeof n);
		if (n && !is_in_word(column, n))
			size += (column_type_is_map(&column->type) ? 2 : 1)
				* n * sizeof(union atom);
	}
	return size;
}

uint32_t
row_refs(const struct row *row)
{
	uint32_t offset = row_table(row)->layout.n_refs;

	return offset ? *(uint32_t *) field(row, offset) : 0;
}

void
row_set_refs(struct row *row, uint32_t n)
{
	uint32_t offset = row_table(row)->layout.n_refs;

	if (offset)
		*(uint32_t *) field(row, offset) = n;
}

const struct referrer *
row_first_in(const struct row *row)
{
	return row_table(row)->layout.in ? *first_in(row) : NULL;
}

const struct referrer *
row_first_out(const struct row *row)
{
	return row_table(row)->layout.out ? *first_out(row) : NULL;
}

void
row_succeed(struct row *old, struct row *new)
{
	const struct layout *layout = &row_table(old)->layout;

	row_set_refs(new, row_refs(old));
	if (layout->in) {
		struct referrer **in = first_in(new);

		*in = *first_in(old);
		if (*in)
			(*in)->prev_in = in;
		*first_in(old) = NULL;
	}
	if (layout->out) {
		*first_out(new) = *first_out(old);
		*first_out(old) = NULL;
	}
}

const struct uuid *
row_uuid(const struct row *row)
{
	return &row->uuid;
}

/* Nobody may guess it, but it need not be kept. */
struct uuid
row_version(const struct row *row)
{
	struct uuid uuid;
	uint64_t halves[2];

	memcpy(halves, &row->uuid, sizeof halves);
	halves[0] = hash_mix(halves[0] ^ hash_seed(),
			     halves[1] ^ row->version ^ 0x9e3779b97f4a7c15);
	halves[1] = hash_mix(halves[0] ^ row->version,
			     halves[1] ^ hash_seed() ^ 0xa0761d6478bd642f);
	memcpy(&uuid, halves, sizeof uuid);
	uuid.bytes[6] = (uuid.bytes[6] & 0x0f) | 0x40;
	uuid.bytes[8] = (uuid.bytes[8] & 0x3f) | 0x80;
	return uuid;
}

struct table *
row_table(const struct row *row)
{
	return slab_owner(row);
}

const struct datum *
row_datum(const struct row *row, const struct column *column,
	  struct datum *room)
{
	const void *at = field(row, column->offset);
	const bool *is_there = field(row, column->count_offset);

	if (column->index == COLUMN_UUID) {
		datum_set_uuid(room, &row->uuid);
		return room;
	}
	if (column->index == COLUMN_VERSION) {
		struct uuid version = row_version(row);

		datum_set_uuid(room, &version);
		return room;
	}
	switch ((enum column_form) column->form) {
	case FORM_UUID:
		get_one(at, sizeof(struct uuid), true, room);
		break;
	case FORM_STRING:
	case FORM_WORD:
		get_one(at, sizeof(int64_t), true, room);
		break;
	case FORM_BOOLEAN:
		get_one(at, sizeof(bool), true, room);
		break;
	case FORM_MAYBE_UUID:
		get_one(at, sizeof(struct uuid), *is_there, room);
		break;
	case FORM_MAYBE_STRING:
		get_one(at, sizeof(struct string *),
			*(struct string *const *) at, room);
		break;
	case FORM_MAYBE_WORD:
		get_one(at, sizeof(int64_t), *is_there, room);
		break;
	case FORM_MAYBE_BOOLEAN:
		get_one(at, sizeof(bool), *is_there, room);
		break;
	case FORM_MANY:
		get_many(row, column, room);
		break;
	}
	return room;
}

const struct datum *
row_get(const struct row *row, const char *name, struct datum *room)
{
	const struct column *column;

	column = table_schema_column(row_table(row)->schema, name);
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
	assert(column->index >= N_STANDARD_COLUMNS);
	release(row, column);
	store(row, column, value);
	memset(value, 0, sizeof *value);
}

uint32_t
row_hash(const struct row *row, const struct column *column, uint32_t basis)
{
	struct string *string;
	struct datum room;

	if (!has_string(column))
		return datum_hash(row_datum(row, column, &room),
				  &column->type, basis);
	string = string_at(row, column);
	return string ? hash_word(string_hash(string), hash_word(1, basis))
		      : hash_word(0, basis);
}

void
row_fetch(const struct row *row, const struct column *column)
{
	if (has_string(column))
		__builtin_prefetch(string_at(row, column));
}

/* Strings are interned. */
bool
row_has_equal(const struct row *a, const struct row *b,
	      const struct column *column)
{
	struct datum a_room, b_room;

	if (has_string(column))
		return string_at(a, column) == string_at(b, column);
	return datum_equal(row_datum(a, column, &a_room),
			   row_datum(b, column, &b_room), &column->type);
}

struct string *
row_text(const struct row *row, const struct column *column)
{
	const struct datum *datum;
	struct datum room;

	if (has_string(column))
		return string_at(row, column);
	datum = row_datum(row, column, &room);
	return datum->n ? datum_key(datum, 0)->string : NULL;
}

uint32_t
row_uuid_hash(const struct uuid *uuid)
{
	return hash_bytes(uuid, sizeof *uuid, 0);
}

bool
row_index_equal(const struct row *a, const struct row *b, size_t index)
{
	const struct table_schema *schema = row_table(a)->schema;
	size_t i;

	for (i = 0; i < schema->indexes[index].n; i++) {
		if (!row_has_equal(a, b, schema->indexes[index].columns[i]))
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
	struct referrer **out = first_out(holder);
	struct referrer **in = first_in(target);

	referrer->table = row_table(holder);
	referrer->uuid = *row_uuid(holder);
	referrer->next_out = *out;
	*out = referrer;
	referrer->next_in = *in;
	referrer->prev_in = in;
	if (*in)
		(*in)->prev_in = &referrer->next_in;
	*in = referrer;
}

void
row_drop_referrers(struct row *holder)
{
	struct referrer *referrer;

	if (!row_table(holder)->layout.out)
		return;
	for (referrer = *first_out(holder); referrer;
	     referrer = referrer->next_out) {
		if (referrer->prev_in)
			*referrer->prev_in = referrer->next_in;
		if (referrer->next_in)
			referrer->next_in->prev_in = referrer->prev_in;
	}
	row_free_referrers(holder);
}

void
row_free_referrers(struct row *holder)
{
	struct referrer *referrer;

	if (!row_table(holder)->layout.out)
		return;
	referrer = *first_out(holder);
	*first_out(holder) = NULL;
	while (referrer) {
		struct referrer *next = referrer->next_out;

		free(referrer);
		referrer = next;
	}
}

/* The UUID and what follows it is the caller's to write. */
static struct row *
allocate(struct table *table)
{
	static uint32_t version;
	struct row *row = slab_alloc(&table->pool);

	row->transaction = NULL;
	row->birth = 0;
	row->version = ++version;
	return row;
}

static void *
field(const struct row *row, uint32_t offset)
{
	return (char *) row + offset;
}

/* One at most, and nothing else. */
static bool
has_string(const struct column *column)
{
	return column->form == FORM_STRING
	       || column->form == FORM_MAYBE_STRING;
}

/* NULL: there is none. */
static struct string *
string_at(const struct row *row, const struct column *column)
{
	return *(struct string **) field(row, column->offset);
}

static void
hold(struct string *string)
{
	if (string)
		string_ref(string);
}

static void
get_one(const void *from, size_t size, bool is_there, struct datum *room)
{
	room->is_map = false;
	room->n = is_there;
	if (is_there)
		memcpy(&room->one, from, size);
	else
		room->many = NULL;
}

static void
get_many(const struct row *row, const struct column *column,
	 struct datum *room)
{
	const void *at = field(row, column->offset);

	room->n = *(uint32_t *) field(row, column->count_offset);
	room->is_map = column_type_is_map(&column->type);
	if (is_in_word(column, room->n))
		memcpy(&room->one, at, sizeof(int64_t));
	else if (room->n == 1 && !room->is_map)
		room->one = **(union atom *const *) at;
	else
		memcpy(&room->many, at, sizeof room->many);
}

/* Of a set of at most one. */
static void
put_one(void *to, size_t size, const struct datum *value)
{
	if (value->n)
		memcpy(to, &value->one, size);
	else
		memset(to, 0, size);
}

static void
put_many(struct row *row, const struct column *column,
	 const struct datum *value)
{
	void *at = field(row, column->offset);
	union atom *atoms;

	*(uint32_t *) field(row, column->count_offset) = value->n;
	if (is_in_word(column, value->n)) {
		memcpy(at, &value->one, sizeof(int64_t));
		return;
	}
	if (!value->n)
		atoms = NULL;
	else if (value->n == 1 && !column_type_is_map(&column->type))
		atoms = xmemdup(&value->one, sizeof value->one);
	else
		atoms = value->many;
	memcpy(at, &atoms, sizeof atoms);
}

static bool
is_in_word(const struct column *column, uint32_t n)
{
	return n == 1 && !column_type_is_map(&column->type)
	       && column->type.key.type != ATOM_UUID;
}

/* Takes over 'value'; what stands there is nothing. */
static void
store(struct row *row, const struct column *column,
      const struct datum *value)
{
	void *at = field(row, column->offset);

	switch ((enum column_form) column->form) {
	case FORM_MAYBE_UUID:
		*(bool *) field(row, column->count_offset) = value->n;
		/* Fall through. */
	case FORM_UUID:
		put_one(at, sizeof(struct uuid), value);
		break;
	case FORM_MAYBE_WORD:
		*(bool *) field(row, column->count_offset) = value->n;
		/* Fall through. */
	case FORM_STRING:
	case FORM_WORD:
	case FORM_MAYBE_STRING:
		put_one(at, sizeof(int64_t), value);
		break;
	case FORM_MAYBE_BOOLEAN:
		*(bool *) field(row, column->count_offset) = value->n;
		/* Fall through. */
	case FORM_BOOLEAN:
		put_one(at, sizeof(bool), value);
		break;
	case FORM_MANY:
		put_many(row, column, value);
		break;
	}
}

static void
release(struct row *row, const struct column *column)
{
	struct datum datum;

	switch ((enum column_form) column->form) {
	case FORM_STRING:
	case FORM_MAYBE_STRING:
		string_unref(string_at(row, column));
		break;
	case FORM_MANY:
		if (!*(uint32_t *) field(row, column->count_offset))
			break;
		row_datum(row, column, &datum);
		if (datum.n == 1 && !datum.is_map
		    && !is_in_word(column, datum.n))
			free(*(union atom **) field(row, column->offset));
		else
			datum_done(&datum, &column->type);
		break;
	default:
		break;
	}
}

static struct referrer **
first_in(const struct row *row)
{
	return field(row, row_table(row)->layout.in);
}

static struct referrer **
first_out(const struct row *row)
{
	return field(row, row_table(row)->layout.out);
}
