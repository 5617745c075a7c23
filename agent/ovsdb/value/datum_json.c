/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/value/datum.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"

/* What is being read: keys and, for a map, values, in the order of the
 * request. */
struct reader {
	const struct column_type *type;
	struct symbols *symbols;
	union atom *keys;
	union atom *values;
	uint32_t n;
	bool check;
};

static struct ovsdb_error *read_datum(json_t *, const struct column_type *,
				      struct symbols *, bool check,
				      struct datum *);
static struct ovsdb_error *read_elements(struct reader *, json_t *elements);
static struct ovsdb_error *read_atom(struct reader *,
				     const struct base_type *, json_t *,
				     union atom *);
static struct ovsdb_error *unwrap(json_t *, const char *class,
				  json_t **ret_elements);
static struct ovsdb_error *check_count(json_t *, const struct column_type *,
				       size_t n);
static bool is_sorted(const struct reader *);
static void sort(const struct reader *);
static bool has_duplicates(const struct reader *);
static int compare_keys(const void *, const void *, void *type);
static void reader_done(struct reader *);

struct ovsdb_error *
datum_from_json(json_t *json, const struct column_type *type,
		struct symbols *symbols, struct datum *ret_datum)
{
	return read_datum(json, type, symbols, true, ret_datum);
}

struct ovsdb_error *
datum_from_json_unchecked(json_t *json, const struct column_type *type,
			  struct datum *ret_datum)
{
	struct column_type any = *type;

	any.n_min = 0;
	any.n_max = UINT32_MAX;
	return read_datum(json, &any, NULL, false, ret_datum);
}

json_t *
datum_to_json(const struct datum *d, const struct column_type *type)
{
	json_t *elements, *json;
	uint32_t i;

	if (d->n == 1 && !d->is_map)
		return atom_to_json(type->key.type, &d->one);

	elements = json_array();
	for (i = 0; i < d->n; i++) {
		json_t *element = atom_to_json(type->key.type,
					       datum_key(d, i));

		if (d->is_map) {
			json_t *pair = json_array();

			json_array_append_new(pair, element);
			json_array_append_new(pair,
					      atom_to_json(type->value.type,
							   datum_value(d, i)));
			element = pair;
		}
		json_array_append_new(elements, element);
	}
	json = json_array();
	json_array_append_new(json, json_string(d->is_map ? "map" : "set"));
	json_array_append_new(json, elements);
	return json;
}

bool
datum_take_unsorted(struct datum *d, const struct column_type *type,
		    union atom *keys, union atom *values, uint32_t n)
{
	const struct reader reader = {
		.type = type, .keys = keys, .values = values, .n = n
	};

	if (!is_sorted(&reader))
		sort(&reader);
	if (has_duplicates(&reader))
		return false;
	datum_take(d, type, keys, values, n);
	return true;
}

static struct ovsdb_error *
read_datum(json_t *json, const struct column_type *type,
	   struct symbols *symbols, bool check, struct datum *ret_datum)
{
	bool is_map = column_type_is_map(type);
	const char *class = json_string_value(json_array_get(json, 0));
	struct reader reader = {
		.type = type, .symbols = symbols, .check = check
	};
	struct ovsdb_error *error;
	json_t *elements = NULL;

	if (!is_map && !(class && !strcmp(class, "set"))) {
		union atom atom;

		error = read_atom(&reader, &type->key, json, &atom);
		if (error)
			return error;
		memset(ret_datum, 0, sizeof *ret_datum);
		ret_datum->n = 1;
		ret_datum->one = atom;
		return NULL;
	}

	error = unwrap(json, is_map ? "map" : "set", &elements);
	if (!error)
		error = check_count(json, type, json_array_size(elements));
	if (!error)
		error = read_elements(&reader, elements);
	if (!error && !datum_take_unsorted(ret_datum, type, reader.keys,
					   reader.values, reader.n))
		error = ovsdb_syntax_error(json, is_map
					   ? "map contains duplicate key"
					   : "set contains duplicate");
	if (error) {
		reader_done(&reader);
		return error;
	}
	return NULL;
}

static struct ovsdb_error *
read_elements(struct reader *reader, json_t *elements)
{
	const struct column_type *type = reader->type;
	bool is_map = column_type_is_map(type);
	struct ovsdb_error *error;
	json_t *element;
	size_t i;

	reader->keys = xmalloc(sizeof(union atom) * json_array_size(elements));
	if (is_map)
		reader->values = xmalloc(sizeof(union atom)
					 * json_array_size(elements));
	json_array_foreach(elements, i, element) {
		json_t *key = is_map ? json_array_get(element, 0) : element;

		if (is_map && json_array_size(element) != 2)
			return ovsdb_syntax_error(element,
						  "expected 2-element array");
		error = read_atom(reader, &type->key, key, &reader->keys[i]);
		if (error)
			return error;
		if (is_map) {
			error = read_atom(reader, &type->value,
					  json_array_get(element, 1),
					  &reader->values[i]);
			if (error) {
				atom_done(type->key.type, &reader->keys[i]);
				return error;
			}
		}
		reader->n++;
	}
	return NULL;
}

static struct ovsdb_error *
read_atom(struct reader *reader, const struct base_type *base, json_t *json,
	  union atom *ret_atom)
{
	struct ovsdb_error *error;
	union atom atom;

	error = atom_from_json(base->type, json, reader->symbols, &atom);
	if (error)
		return error;
	if (reader->check) {
		error = base_type_check(base, &atom);
		if (error) {
			atom_done(base->type, &atom);
			return error;
		}
	}
	*ret_atom = atom;
	return NULL;
}

static struct ovsdb_error *
unwrap(json_t *json, const char *class, json_t **ret_elements)
{
	const char *found = json_string_value(json_array_get(json, 0));
	json_t *elements = json_array_get(json, 1);

	if (json_array_size(json) != 2 || !found || strcmp(found, class)
	    || !json_is_array(elements))
		return ovsdb_syntax_error(json, "expected [\"%s\", <array>]",
					  class);
	*ret_elements = elements;
	return NULL;
}

static struct ovsdb_error *
check_count(json_t *json, const struct column_type *type, size_t n)
{
	const char *class = column_type_is_map(type) ? "map" : "set";

	if (n > DATUM_MAX_ELEMENTS)
		return ovsdb_error(OVSDB_RESOURCES_EXHAUSTED,
				   "%s has %zu members, but at most %u are"
				   " served", class, n, DATUM_MAX_ELEMENTS);
	if (n >= type->n_min && n <= type->n_max)
		return NULL;
	if (type->n_min == 1 && type->n_max == 1)
		return ovsdb_syntax_error(json, "%s must have exactly one"
					  " member but %zu are present",
					  class, n);
	return ovsdb_syntax_error(json, "%s must have %u to %u members but %zu"
				  " are present", class, type->n_min,
				  type->n_max, n);
}

static bool
is_sorted(const struct reader *reader)
{
	uint32_t i;

	for (i = 1; i < reader->n; i++) {
		if (atom_compare(reader->type->key.type, &reader->keys[i - 1],
				 &reader->keys[i]) > 0)
			return false;
	}
	return true;
}

static void
sort(const struct reader *reader)
{
	struct pair {
		union atom key, value;
	} *pairs;
	enum atom_type type = reader->type->key.type;
	uint32_t i;

	if (!reader->values) {
		qsort_r(reader->keys, reader->n, sizeof *reader->keys,
			compare_keys, &type);
		return;
	}
	pairs = xmalloc(sizeof *pairs * reader->n);
	for (i = 0; i < reader->n; i++) {
		pairs[i].key = reader->keys[i];
		pairs[i].value = reader->values[i];
	}
	qsort_r(pairs, reader->n, sizeof *pairs, compare_keys, &type);
	for (i = 0; i < reader->n; i++) {
		reader->keys[i] = pairs[i].key;
		reader->values[i] = pairs[i].value;
	}
	free(pairs);
}

static bool
has_duplicates(const struct reader *reader)
{
	uint32_t i;

	for (i = 1; i < reader->n; i++) {
		if (atom_equal(reader->type->key.type, &reader->keys[i - 1],
			       &reader->keys[i]))
			return true;
	}
	return false;
}

static int
compare_keys(const void *a, const void *b, void *type)
{
	return atom_compare(*(enum atom_type *) type, a, b);
}

static void
reader_done(struct reader *reader)
{
	uint32_t i;

	for (i = 0; i < reader->n; i++) {
		atom_done(reader->type->key.type, &reader->keys[i]);
		if (reader->values)
			atom_done(reader->type->value.type,
				  &reader->values[i]);
	}
	free(reader->keys);
	free(reader->values);
}
