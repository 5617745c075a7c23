/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/value/decode.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/brackets.h"
#include "agent/base/memory.h"

enum { CHUNK_SIZE = 256 << 10 };

/* What is left of one value. */
struct cursor {
	const char *p, *end;
};

static bool find_bracket(struct decoding *, size_t *ret_size);
static bool find_end(struct decoding *, size_t *ret_size);
static bool fetch(struct decoding *);
static int peek(struct decoding *);
static bool is_space(char);
static bool read_common(struct cursor *, const struct column_type *,
			struct datum *);
static bool read_elements(struct cursor *, const struct column_type *,
			  struct datum *);
static bool read_element(struct cursor *, const struct column_type *,
			 union atom *key, union atom *value);
static bool read_atom(struct cursor *, enum atom_type, union atom *);
static bool read_integer(struct cursor *, int64_t *);
static bool read_string(struct cursor *, const char **ret_text,
			size_t *ret_size);
static bool take(struct cursor *, const char *text);

void
decode_text(struct decoding *d, const char *text, size_t size)
{
	memset(d, 0, sizeof *d);
	d->bytes = (char *) text;
	d->end = size;
	d->held = SIZE_MAX;
}

void
decode_stream(struct decoding *d, FILE *stream, int64_t size)
{
	memset(d, 0, sizeof *d);
	d->stream = stream;
	d->unread = size;
	d->held = SIZE_MAX;
}

void
decode_done(struct decoding *d)
{
	if (d->stream)
		free(d->bytes);
}

bool
decode_char(struct decoding *d, char c)
{
	if (peek(d) != c)
		return false;
	d->begin++;
	return true;
}

bool
decode_name(struct decoding *d, char *ret_name, size_t max)
{
	const char *start, *end;
	size_t size;

	if (peek(d) != '"')
		return false;
	do {
		start = d->bytes + d->begin + 1;
		size = d->end - d->begin - 1;
		end = memchr(start, '"', size < max ? size : max);
	} while (!end && size < max && fetch(d));
	if (!end)
		return false;
	size = end - start;
	if (memchr(start, '\\', size) || memchr(start, '\0', size))
		return false;
	memcpy(ret_name, start, size);
	ret_name[size] = '\0';
	d->begin += size + 2;
	return true;
}

bool
decode_extent(struct decoding *d, const char **ret_text, size_t *ret_size)
{
	int first = peek(d);
	size_t size = 0;

	if (first < 0 || !(first == '{' || first == '['
			   ? find_bracket(d, &size) : find_end(d, &size)))
		return false;
	*ret_text = d->bytes + d->begin;
	*ret_size = size;
	d->begin += size;
	return size > 0;
}

void
decode_hold(struct decoding *d)
{
	d->held = d->begin;
}

size_t
decode_held(const struct decoding *d, const char **ret_text)
{
	*ret_text = d->bytes + d->held;
	return d->begin - d->held;
}

struct ovsdb_error *
decode_datum(const char *text, size_t size, const struct column_type *type,
	     struct datum *ret_datum)
{
	struct cursor cursor = { text, text + size };
	struct ovsdb_error *error;
	json_t *json;

	if (read_common(&cursor, type, ret_datum))
		return NULL;
	json = json_loadb(text, size, JSON_DECODE_ANY, NULL);
	if (!json)
		return ovsdb_error(OVSDB_SYNTAX_ERROR, "not JSON");
	error = datum_from_json_unchecked(json, type, ret_datum);
	json_decref(json);
	return error;
}

static bool
find_bracket(struct decoding *d, size_t *ret_size)
{
	struct brackets brackets = { .max_depth = UINT_MAX };
	size_t n = 0;

	for (;;) {
		enum brackets_status status;
		size_t used;

		status = brackets_scan(&brackets, d->bytes + d->begin + n,
				       d->end - d->begin - n, &used);
		n += used;
		*ret_size = n;
		if (status != BRACKETS_OPEN)
			return status == BRACKETS_CLOSED;
		if (!fetch(d))
			return false;
	}
}

/* Of a value that is no array and no object. */
static bool
find_end(struct decoding *d, size_t *ret_size)
{
	bool is_string = false;
	size_t i;

	for (i = 0;; i++) {
		char c;

		while (d->begin + i >= d->end)
			if (!fetch(d))
				return false;
		c = d->bytes[d->begin + i];
		*ret_size = i;
		if (c == '\\') {
			i += is_string;
		} else if (c == '"') {
			*ret_size = i + 1;
			if (is_string)
				return true;
			is_string = true;
		} else if (!is_string
			   && (c == ',' || c == ']' || c == '}' || c == ':'
			       || is_space(c))) {
			return true;
		}
	}
}

/* More of the text behind 'end'; what is before 'begin', and not held, goes. */
static bool
fetch(struct decoding *d)
{
	size_t gone = d->held < d->begin ? d->held : d->begin;
	size_t n;

	if (!d->stream || !d->unread)
		return false;
	if (gone) {
		memmove(d->bytes, d->bytes + gone, d->end - gone);
		d->end -= gone;
		d->begin -= gone;
		if (d->held != SIZE_MAX)
			d->held -= gone;
	}
	if (d->end == d->max) {
		d->max = d->max ? d->max * 2 : CHUNK_SIZE;
		d->bytes = xrealloc(d->bytes, d->max);
	}
	n = d->max - d->end;
	if ((int64_t) n > d->unread)
		n = d->unread;
	n = fread(d->bytes + d->end, 1, n, d->stream);
	d->end += n;
	d->unread = n ? d->unread - (int64_t) n : 0;
	return n > 0;
}

/* The next character that is not white space, or -1. */
static int
peek(struct decoding *d)
{
	for (;; d->begin++) {
		if (d->begin == d->end && !fetch(d))
			return -1;
		if (!is_space(d->bytes[d->begin]))
			return (unsigned char) d->bytes[d->begin];
	}
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* False, and nothing made, if it is not one of the common shapes. */
static bool
read_common(struct cursor *c, const struct column_type *type,
	    struct datum *ret_datum)
{
	bool is_map = column_type_is_map(type);
	union atom atom;

	if (take(c, is_map ? "[\"map\",[" : "[\"set\",["))
		return read_elements(c, type, ret_datum);
	if (is_map || !read_atom(c, type->key.type, &atom))
		return false;
	if (c->p != c->end) {
		atom_done(type->key.type, &atom);
		return false;
	}
	memset(ret_datum, 0, sizeof *ret_datum);
	ret_datum->n = 1;
	ret_datum->one = atom;
	return true;
}

/* In ascending order, as our own writer has them. */
static bool
read_elements(struct cursor *c, const struct column_type *type,
	      struct datum *ret_datum)
{
	const enum atom_type key_type = type->key.type;
	bool is_map = column_type_is_map(type), ok = true;
	union atom *keys = NULL, *values = NULL;
	uint32_t n = 0, max = 0;

	while (ok && !take(c, "]]")) {
		if (n == max) {
			max = max ? max * 2 : 4;
			keys = xrealloc(keys, max * sizeof *keys);
			if (is_map)
				values = xrealloc(values,
						  max * sizeof *values);
		}
		ok = n < DATUM_MAX_ELEMENTS && (!n || take(c, ","))
		     && read_element(c, type, &keys[n],
				     is_map ? &values[n] : NULL);
		if (!ok)
			break;
		n++;
		ok = n < 2 || atom_compare(key_type, &keys[n - 2],
					   &keys[n - 1]) < 0;
	}
	if (ok && c->p == c->end) {
		datum_take(ret_datum, type, keys, values, n);
		return true;
	}
	while (n--) {
		atom_done(key_type, &keys[n]);
		if (is_map)
			atom_done(type->value.type, &values[n]);
	}
	free(keys);
	free(values);
	return false;
}

static bool
read_element(struct cursor *c, const struct column_type *type,
	     union atom *key, union atom *value)
{
	if (!value)
		return read_atom(c, type->key.type, key);
	if (!take(c, "[") || !read_atom(c, type->key.type, key))
		return false;
	if (!take(c, ",") || !read_atom(c, type->value.type, value)) {
		atom_done(type->key.type, key);
		return false;
	}
	if (take(c, "]"))
		return true;
	atom_done(type->key.type, key);
	atom_done(type->value.type, value);
	return false;
}

static bool
read_atom(struct cursor *c, enum atom_type type, union atom *ret_atom)
{
	char uuid[UUID_TEXT_SIZE];
	const char *text;
	size_t size;

	memset(ret_atom, 0, sizeof *ret_atom);
	switch (type) {
	case ATOM_INTEGER:
		return read_integer(c, &ret_atom->integer);
	case ATOM_BOOLEAN:
		ret_atom->boolean = take(c, "true");
		return ret_atom->boolean || take(c, "false");
	case ATOM_STRING:
		if (!read_string(c, &text, &size))
			return false;
		ret_atom->string = string_intern(text, size);
		return true;
	case ATOM_UUID:
		if (!take(c, "[\"uuid\",") || !read_string(c, &text, &size)
		    || size != UUID_TEXT_SIZE - 1 || !take(c, "]"))
			return false;
		memcpy(uuid, text, size);
		uuid[size] = '\0';
		return uuid_from_text(uuid, &ret_atom->uuid);
	case ATOM_REAL:
	case ATOM_VOID:
		break;
	}
	return false;
}

/* What fits for sure, and is no real. */
static bool
read_integer(struct cursor *c, int64_t *ret_integer)
{
	bool is_negative = take(c, "-");
	const char *start = c->p;
	int64_t integer = 0;

	for (; c->p < c->end && *c->p >= '0' && *c->p <= '9'; c->p++) {
		if (c->p - start == 18)
			return false;
		integer = integer * 10 + (*c->p - '0');
	}
	if (c->p == start || (*start == '0' && c->p - start > 1)
	    || (c->p < c->end && *c->p != ',' && *c->p != ']'))
		return false;
	*ret_integer = is_negative ? -integer : integer;
	return true;
}

/* ASCII without escapes. */
static bool
read_string(struct cursor *c, const char **ret_text, size_t *ret_size)
{
	const char *start;

	if (!take(c, "\""))
		return false;
	for (start = c->p; c->p < c->end && *c->p != '"'; c->p++)
		if (*c->p < ' ' || *c->p == '\\' || *c->p == 0x7f)
			return false;
	*ret_text = start;
	*ret_size = c->p - start;
	return *ret_size <= ATOM_MAX_STRING && take(c, "\"");
}

static bool
take(struct cursor *c, const char *text)
{
	size_t n = strlen(text);

	if ((size_t) (c->end - c->p) < n || memcmp(c->p, text, n))
		return false;
	c->p += n;
	return true;
}
