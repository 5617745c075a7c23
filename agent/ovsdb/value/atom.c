/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/value/atom.h"

#include <math.h>
#include <string.h>

#include "agent/ovsdb/value/hash.h"
#include "agent/ovsdb/value/symbols.h"

static const char *const names[] = {
	[ATOM_VOID] = "void",
	[ATOM_INTEGER] = "integer",
	[ATOM_REAL] = "real",
	[ATOM_BOOLEAN] = "boolean",
	[ATOM_STRING] = "string",
	[ATOM_UUID] = "uuid",
};

static struct ovsdb_error *integer_from_json(json_t *, int64_t *);
static struct ovsdb_error *uuid_from_json(json_t *, struct symbols *,
					  struct uuid *);
static json_t *real_to_json(double);

const char *
atom_type_name(enum atom_type type)
{
	return names[type];
}

bool
atom_type_from_name(const char *name, enum atom_type *ret_type)
{
	size_t i;

	for (i = 0; i < sizeof names / sizeof *names; i++) {
		if (!strcmp(names[i], name)) {
			*ret_type = i;
			return true;
		}
	}
	return false;
}

void
atom_default(enum atom_type type, union atom *ret_atom)
{
	memset(ret_atom, 0, sizeof *ret_atom);
	if (type == ATOM_STRING)
		ret_atom->string = string_intern("", 0);
}

bool
atom_is_default(enum atom_type type, const union atom *atom)
{
	switch (type) {
	case ATOM_VOID:
		break;
	case ATOM_INTEGER:
		return !atom->integer;
	case ATOM_REAL:
		return atom->real == 0;
	case ATOM_BOOLEAN:
		return !atom->boolean;
	case ATOM_STRING:
		return !atom->string->size;
	case ATOM_UUID:
		return uuid_is_zero(&atom->uuid);
	}
	return true;
}

void
atom_copy(enum atom_type type, const union atom *atom, union atom *ret_atom)
{
	*ret_atom = *atom;
	if (type == ATOM_STRING)
		string_ref(ret_atom->string);
}

void
atom_done(enum atom_type type, union atom *atom)
{
	if (type == ATOM_STRING)
		string_unref(atom->string);
}

int
atom_compare(enum atom_type type, const union atom *a, const union atom *b)
{
	switch (type) {
	case ATOM_VOID:
		break;
	case ATOM_INTEGER:
		return (a->integer > b->integer) - (a->integer < b->integer);
	case ATOM_REAL:
		return (a->real > b->real) - (a->real < b->real);
	case ATOM_BOOLEAN:
		return a->boolean - b->boolean;
	case ATOM_STRING:
		return a->string == b->string ? 0
			: strcmp(a->string->text, b->string->text);
	case ATOM_UUID:
		return uuid_compare(&a->uuid, &b->uuid);
	}
	return 0;
}

bool
atom_equal(enum atom_type type, const union atom *a, const union atom *b)
{
	if (type == ATOM_STRING)
		return a->string == b->string;
	return !atom_compare(type, a, b);
}

uint32_t
atom_hash(enum atom_type type, const union atom *atom)
{
	switch (type) {
	case ATOM_VOID:
		break;
	case ATOM_INTEGER:
		return hash_word(atom->integer, 1);
	case ATOM_REAL: {
		/* -0.0 equals 0.0. */
		double real = atom->real == 0 ? 0 : atom->real;

		return hash_bytes(&real, sizeof real, 2);
	}
	case ATOM_BOOLEAN:
		return hash_word(atom->boolean, 3);
	case ATOM_STRING:
		return string_hash(atom->string);
	case ATOM_UUID:
		return hash_bytes(&atom->uuid, sizeof atom->uuid, 0);
	}
	return 0;
}

struct ovsdb_error *
atom_from_json(enum atom_type type, json_t *json, struct symbols *symbols,
	       union atom *ret_atom)
{
	union atom atom;
	struct ovsdb_error *error;

	memset(&atom, 0, sizeof atom);
	switch (type) {
	case ATOM_VOID:
		break;
	case ATOM_INTEGER:
		error = integer_from_json(json, &atom.integer);
		if (error)
			return error;
		*ret_atom = atom;
		return NULL;
	case ATOM_REAL:
		if (!json_is_number(json))
			break;
		atom.real = json_number_value(json);
		*ret_atom = atom;
		return NULL;
	case ATOM_BOOLEAN:
		if (!json_is_boolean(json))
			break;
		atom.boolean = json_is_true(json);
		*ret_atom = atom;
		return NULL;
	case ATOM_STRING:
		if (!json_is_string(json)
		    || json_string_length(json) > ATOM_MAX_STRING
		    || memchr(json_string_value(json), '\0',
			      json_string_length(json)))
			break;
		atom.string = string_intern(json_string_value(json),
					    json_string_length(json));
		*ret_atom = atom;
		return NULL;
	case ATOM_UUID:
		error = uuid_from_json(json, symbols, &atom.uuid);
		if (error)
			return error;
		*ret_atom = atom;
		return NULL;
	}
	return ovsdb_syntax_error(json, "expected %s", atom_type_name(type));
}

json_t *
atom_to_json(enum atom_type type, const union atom *atom)
{
	char text[UUID_TEXT_SIZE];

	switch (type) {
	case ATOM_VOID:
		break;
	case ATOM_INTEGER:
		return json_integer(atom->integer);
	case ATOM_REAL:
		return real_to_json(atom->real);
	case ATOM_BOOLEAN:
		return json_boolean(atom->boolean);
	case ATOM_STRING:
		return json_stringn_nocheck(atom->string->text,
					    atom->string->size);
	case ATOM_UUID:
		uuid_to_text(&atom->uuid, text);
		return json_pack("[ss]", "uuid", text);
	}
	return json_null();
}

/* A real without a fraction is an integer: JSON does not tell them apart. */
static struct ovsdb_error *
integer_from_json(json_t *json, int64_t *ret_integer)
{
	if (json_is_integer(json)) {
		*ret_integer = json_integer_value(json);
		return NULL;
	}
	if (json_is_real(json)) {
		double real = json_real_value(json);

		if (real >= -0x1p63 && real < 0x1p63 && real == trunc(real)) {
			*ret_integer = real;
			return NULL;
		}
	}
	return ovsdb_syntax_error(json, "expected integer");
}

static struct ovsdb_error *
uuid_from_json(json_t *json, struct symbols *symbols, struct uuid *ret_uuid)
{
	const char *class = json_string_value(json_array_get(json, 0));
	const char *text = json_string_value(json_array_get(json, 1));

	if (json_array_size(json) != 2 || !class || !text)
		return ovsdb_syntax_error(json,
					  "expected [\"uuid\", <string>]");
	if (!strcmp(class, "uuid")) {
		if (uuid_from_text(text, ret_uuid))
			return NULL;
		return ovsdb_syntax_error(json, "\"%.64s\" is not a valid UUID",
					  text);
	}
	if (symbols && !strcmp(class, "named-uuid")) {
		*ret_uuid = symbols_get(symbols, text)->uuid;
		return NULL;
	}
	return ovsdb_syntax_error(json, "expected [\"uuid\", <string>]");
}

/* As ovsdb-server writes them: 3, not 3.0. */
static json_t *
real_to_json(double real)
{
	if (real == trunc(real) && fabs(real) < 1e15
	    && !(real == 0 && signbit(real)))
		return json_integer(real);
	return json_real(real);
}
