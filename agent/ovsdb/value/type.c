/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/value/type.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/ovsdb/value/datum.h"
#include "agent/ovsdb/value/members.h"

static void base_init(struct base_type *, enum atom_type);
static void base_done(struct base_type *);
static struct ovsdb_error *base_from_json(json_t *, struct base_type *);
static struct ovsdb_error *atomic_from_json(json_t *, enum atom_type *);
static struct ovsdb_error *choices_from_json(json_t *, struct base_type *);
static void read_range(struct members *, struct base_type *);
static void read_reference(struct members *, struct base_type *);
static uint32_t read_length(struct members *, const char *name,
			    uint32_t fallback);
static bool has_constraints(const struct base_type *);
static json_t *base_to_json(const struct base_type *);
static void range_to_json(const struct base_type *, json_t *);
static struct ovsdb_error *check_choices(const struct base_type *,
					 const union atom *);
static struct ovsdb_error *out_of_range(const struct base_type *,
					int64_t value);
static struct ovsdb_error *check_length(const struct base_type *,
					const struct string *);

struct ovsdb_error *
column_type_from_json(json_t *json, struct column_type *ret_type)
{
	struct column_type type;
	struct ovsdb_error *error;
	struct members members;
	json_t *key, *value, *min, *max;

	memset(&type, 0, sizeof type);
	type.n_min = type.n_max = 1;
	base_init(&type.value, ATOM_VOID);
	if (json_is_string(json)) {
		error = base_from_json(json, &type.key);
		if (!error)
			*ret_type = type;
		return error;
	}

	members_begin(&members, json);
	key = members_get(&members, "key", MEMBER_STRING | MEMBER_OBJECT);
	value = members_get(&members, "value", MEMBER_STRING | MEMBER_OBJECT
			    | MEMBER_OPTIONAL);
	min = members_get(&members, "min", MEMBER_INTEGER | MEMBER_OPTIONAL);
	max = members_get(&members, "max", MEMBER_INTEGER | MEMBER_STRING
			  | MEMBER_OPTIONAL);
	if (min)
		type.n_min = json_integer_value(min) == 0 ? 0 : 1;
	if (min && json_integer_value(min) != type.n_min)
		members_fail(&members, "\"min\" must be 0 or 1");
	if (json_is_string(max)) {
		type.n_max = UINT32_MAX;
		if (strcmp(json_string_value(max), "unlimited"))
			members_fail(&members, "\"max\" must be an integer"
				     " or \"unlimited\"");
	} else if (max) {
		json_int_t n = json_integer_value(max);

		type.n_max = n;
		if (n < 1 || n >= UINT32_MAX)
			members_fail(&members, "\"max\" is not in the range"
				     " 1 to 4294967294");
	}
	error = members_end(&members, "ovsdb type");
	if (!error)
		error = base_from_json(key, &type.key);
	if (!error && value) {
		error = base_from_json(value, &type.value);
		if (error)
			base_done(&type.key);
	}
	if (!error)
		*ret_type = type;
	return error;
}

json_t *
column_type_to_json(const struct column_type *type)
{
	json_t *json;

	if (column_type_is_scalar(type) && !has_constraints(&type->key))
		return base_to_json(&type->key);

	json = json_object();
	json_object_set_new(json, "key", base_to_json(&type->key));
	if (column_type_is_map(type))
		json_object_set_new(json, "value", base_to_json(&type->value));
	if (type->n_min != 1)
		json_object_set_new(json, "min", json_integer(type->n_min));
	if (type->n_max == UINT32_MAX)
		json_object_set_new(json, "max", json_string("unlimited"));
	else if (type->n_max != 1)
		json_object_set_new(json, "max", json_integer(type->n_max));
	return json;
}

void
column_type_done(struct column_type *type)
{
	base_done(&type->key);
	base_done(&type->value);
}

struct ovsdb_error *
base_type_check(const struct base_type *base, const union atom *atom)
{
	if (base->choices)
		return check_choices(base, atom);

	switch (base->type) {
	case ATOM_INTEGER:
		if (atom->integer >= base->min_integer
		    && atom->integer <= base->max_integer)
			return NULL;
		return out_of_range(base, atom->integer);
	case ATOM_REAL:
		if (atom->real >= base->min_real
		    && atom->real <= base->max_real)
			return NULL;
		return ovsdb_error(OVSDB_CONSTRAINT_VIOLATION,
				   "%.15g is not in the valid range %.15g to"
				   " %.15g", atom->real, base->min_real,
				   base->max_real);
	case ATOM_STRING:
		return check_length(base, atom->string);
	case ATOM_VOID:
	case ATOM_BOOLEAN:
	case ATOM_UUID:
		break;
	}
	return NULL;
}

static struct ovsdb_error *
out_of_range(const struct base_type *base, int64_t value)
{
	long long min = base->min_integer, max = base->max_integer;

	if (max == INT64_MAX)
		return ovsdb_error_verbatim(OVSDB_CONSTRAINT_VIOLATION, NULL,
					    "%lld is less than minimum allowed"
					    " value %lld", (long long) value,
					    min);
	if (min == INT64_MIN)
		return ovsdb_error_verbatim(OVSDB_CONSTRAINT_VIOLATION, NULL,
					    "%lld is greater than maximum"
					    " allowed value %lld",
					    (long long) value, max);
	return ovsdb_error_verbatim(OVSDB_CONSTRAINT_VIOLATION, NULL,
				    "%lld is not in the valid range %lld to"
				    " %lld (inclusive)", (long long) value,
				    min, max);
}

static void
base_init(struct base_type *base, enum atom_type type)
{
	memset(base, 0, sizeof *base);
	base->type = type;
	base->min_integer = INT64_MIN;
	base->max_integer = INT64_MAX;
	base->min_real = -DBL_MAX;
	base->max_real = DBL_MAX;
	base->max_length = UINT32_MAX;
}

static void
base_done(struct base_type *base)
{
	if (base->choices) {
		const struct column_type set = {
			.key.type = base->type, .n_max = UINT32_MAX
		};

		datum_done(base->choices, &set);
		free(base->choices);
	}
	free(base->ref_table_name);
}

static struct ovsdb_error *
base_from_json(json_t *json, struct base_type *ret_base)
{
	struct base_type base;
	struct ovsdb_error *error;
	struct members members;
	enum atom_type type;
	json_t *choices;

	if (json_is_string(json)) {
		error = atomic_from_json(json, &type);
		if (!error)
			base_init(ret_base, type);
		return error;
	}

	members_begin(&members, json);
	error = atomic_from_json(members_get(&members, "type", MEMBER_STRING),
				 &type);
	if (error) {
		ovsdb_error_free(members.error);
		return error;
	}
	base_init(&base, type);
	choices = members_get(&members, "enum", MEMBER_ANY | MEMBER_OPTIONAL);
	read_range(&members, &base);
	read_reference(&members, &base);
	error = members_end(&members, "ovsdb base type");
	if (!error && choices)
		error = choices_from_json(choices, &base);
	if (error)
		base_done(&base);
	else
		*ret_base = base;
	return error;
}

static struct ovsdb_error *
atomic_from_json(json_t *json, enum atom_type *ret_type)
{
	const char *name = json_string_value(json);

	if (!name || !atom_type_from_name(name, ret_type)
	    || *ret_type == ATOM_VOID)
		return ovsdb_syntax_error(json, "\"%.64s\" is not an atomic"
					  " type", name ? name : "");
	return NULL;
}

static struct ovsdb_error *
choices_from_json(json_t *json, struct base_type *base)
{
	struct column_type set;
	struct datum choices;
	struct ovsdb_error *error;

	memset(&set, 0, sizeof set);
	base_init(&set.key, base->type);
	base_init(&set.value, ATOM_VOID);
	set.n_min = 1;
	set.n_max = UINT32_MAX;
	error = datum_from_json(json, &set, NULL, &choices);
	if (!error)
		base->choices = xmemdup(&choices, sizeof choices);
	return error;
}

static void
read_range(struct members *members, struct base_type *base)
{
	json_t *min, *max;

	if (base->type == ATOM_INTEGER) {
		min = members_get(members, "minInteger",
				  MEMBER_INTEGER | MEMBER_OPTIONAL);
		max = members_get(members, "maxInteger",
				  MEMBER_INTEGER | MEMBER_OPTIONAL);
		if (min)
			base->min_integer = json_integer_value(min);
		if (max)
			base->max_integer = json_integer_value(max);
		if (base->min_integer > base->max_integer)
			members_fail(members,
				     "minInteger exceeds maxInteger");
	} else if (base->type == ATOM_REAL) {
		min = members_get(members, "minReal",
				  MEMBER_NUMBER | MEMBER_OPTIONAL);
		max = members_get(members, "maxReal",
				  MEMBER_NUMBER | MEMBER_OPTIONAL);
		if (min)
			base->min_real = json_number_value(min);
		if (max)
			base->max_real = json_number_value(max);
		if (base->min_real > base->max_real)
			members_fail(members, "minReal exceeds maxReal");
	} else if (base->type == ATOM_STRING) {
		base->min_length = read_length(members, "minLength", 0);
		base->max_length = read_length(members, "maxLength",
					       UINT32_MAX);
		if (base->min_length > base->max_length)
			members_fail(members, "minLength exceeds maxLength");
	}
}

static void
read_reference(struct members *members, struct base_type *base)
{
	const char *kind;
	json_t *table;

	if (base->type != ATOM_UUID)
		return;
	table = members_get(members, "refTable", MEMBER_ID | MEMBER_OPTIONAL);
	if (!table)
		return;
	base->ref_table_name = xstrdup(json_string_value(table));
	kind = json_string_value(members_get(members, "refType", MEMBER_STRING
					     | MEMBER_OPTIONAL));
	if (!kind || !strcmp(kind, "strong"))
		base->ref_kind = REFERENCE_STRONG;
	else if (!strcmp(kind, "weak"))
		base->ref_kind = REFERENCE_WEAK;
	else
		members_fail(members,
			     "refType must be \"strong\" or \"weak\"");
}

static uint32_t
read_length(struct members *members, const char *name, uint32_t fallback)
{
	json_t *json = members_get(members, name,
				   MEMBER_INTEGER | MEMBER_OPTIONAL);
	json_int_t length = json_integer_value(json);

	if (!json)
		return fallback;
	if (length < 0 || length >= UINT32_MAX) {
		members_fail(members, "%s is not in the range 0 to"
			     " 4294967294", name);
		return fallback;
	}
	return length;
}

static bool
has_constraints(const struct base_type *base)
{
	return base->choices || base->min_integer != INT64_MIN
	       || base->max_integer != INT64_MAX || base->min_real != -DBL_MAX
	       || base->max_real != DBL_MAX || base->min_length
	       || base->max_length != UINT32_MAX || base->ref_table_name;
}

static json_t *
base_to_json(const struct base_type *base)
{
	json_t *json;

	if (!has_constraints(base))
		return json_string(atom_type_name(base->type));

	json = json_object();
	json_object_set_new(json, "type",
			    json_string(atom_type_name(base->type)));
	if (base->choices) {
		const struct column_type set = {
			.key.type = base->type, .n_max = UINT32_MAX
		};

		json_object_set_new(json, "enum",
				    datum_to_json(base->choices, &set));
	}
	range_to_json(base, json);
	if (base->ref_table_name) {
		json_object_set_new(json, "refTable",
				    json_string(base->ref_table_name));
		if (base->ref_kind == REFERENCE_WEAK)
			json_object_set_new(json, "refType",
					    json_string("weak"));
	}
	return json;
}

static void
range_to_json(const struct base_type *base, json_t *json)
{
	const union atom min_real = { .real = base->min_real };
	const union atom max_real = { .real = base->max_real };

	if (base->min_integer != INT64_MIN)
		json_object_set_new(json, "minInteger",
				    json_integer(base->min_integer));
	if (base->max_integer != INT64_MAX)
		json_object_set_new(json, "maxInteger",
				    json_integer(base->max_integer));
	if (base->min_real != -DBL_MAX)
		json_object_set_new(json, "minReal",
				    atom_to_json(ATOM_REAL, &min_real));
	if (base->max_real != DBL_MAX)
		json_object_set_new(json, "maxReal",
				    atom_to_json(ATOM_REAL, &max_real));
	if (base->min_length)
		json_object_set_new(json, "minLength",
				    json_integer(base->min_length));
	if (base->max_length != UINT32_MAX)
		json_object_set_new(json, "maxLength",
				    json_integer(base->max_length));
}

static struct ovsdb_error *
check_choices(const struct base_type *base, const union atom *atom)
{
	const struct column_type set = {
		.key.type = base->type, .n_max = UINT32_MAX
	};
	struct ovsdb_error *error;
	char *value, *choices;
	json_t *json;

	if (datum_find(base->choices, &set, atom) >= 0)
		return NULL;

	json = atom_to_json(base->type, atom);
	value = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT);
	json_decref(json);
	json = datum_to_json(base->choices, &set);
	choices = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT);
	json_decref(json);
	error = ovsdb_error(OVSDB_CONSTRAINT_VIOLATION,
			    "%.256s is not one of the allowed values %.512s",
			    value ? value : "?", choices ? choices : "?");
	free(value);
	free(choices);
	return error;
}

static struct ovsdb_error *
check_length(const struct base_type *base, const struct string *string)
{
	uint32_t n = 0;
	uint32_t i;

	if (!base->min_length && string->size <= base->max_length)
		return NULL;
	for (i = 0; i < string->size; i++)
		n += (string->text[i] & 0xc0) != 0x80;
	if (n < base->min_length)
		return ovsdb_error(OVSDB_CONSTRAINT_VIOLATION,
				   "\"%.64s\" has %u characters, but at least"
				   " %u are required", string->text, n,
				   base->min_length);
	if (n > base->max_length)
		return ovsdb_error(OVSDB_CONSTRAINT_VIOLATION,
				   "\"%.64s\" has %u characters, but at most"
				   " %u are allowed", string->text, n,
				   base->max_length);
	return NULL;
}
