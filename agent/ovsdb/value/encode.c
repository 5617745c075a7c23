/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/value/encode.h"

#include <stdlib.h>

#include "agent/base/memory.h"

static void encode_escape(struct encoding *, unsigned char);
static void encode_real(struct encoding *, const union atom *);

void
encode_done(struct encoding *e)
{
	free(e->bytes);
	memset(e, 0, sizeof *e);
}

void
encode_reserve(struct encoding *e, size_t size)
{
	if (e->max - e->n >= size)
		return;
	e->max = e->max * 2 > e->n + size ? e->max * 2 : e->n + size + 64;
	e->bytes = xrealloc(e->bytes, e->max);
}

void
encode_string(struct encoding *e, const char *text, size_t size)
{
	size_t i, done = 0;

	encode_bytes(e, "\"", 1);
	for (i = 0; i < size; i++) {
		unsigned char c = text[i];

		if (c >= ' ' && c != '"' && c != '\\')
			continue;
		encode_bytes(e, text + done, i - done);
		encode_escape(e, c);
		done = i + 1;
	}
	encode_bytes(e, text + done, size - done);
	encode_bytes(e, "\"", 1);
}

void
encode_integer(struct encoding *e, int64_t integer)
{
	char text[24];
	char *p = text + sizeof text;
	uint64_t left = integer < 0 ? 0 - (uint64_t) integer
				    : (uint64_t) integer;

	do {
		*--p = '0' + left % 10;
		left /= 10;
	} while (left);
	if (integer < 0)
		*--p = '-';
	encode_bytes(e, p, text + sizeof text - p);
}

void
encode_uuid(struct encoding *e, const struct uuid *uuid)
{
	char text[UUID_TEXT_SIZE + 2];

	text[0] = '"';
	uuid_to_text(uuid, text + 1);
	text[UUID_TEXT_SIZE] = '"';
	encode_bytes(e, text, UUID_TEXT_SIZE + 1);
}

void
encode_atom(struct encoding *e, enum atom_type type, const union atom *atom)
{
	switch (type) {
	case ATOM_VOID:
		encode_text(e, "null");
		break;
	case ATOM_INTEGER:
		encode_integer(e, atom->integer);
		break;
	case ATOM_REAL:
		encode_real(e, atom);
		break;
	case ATOM_BOOLEAN:
		encode_text(e, atom->boolean ? "true" : "false");
		break;
	case ATOM_STRING:
		encode_string(e, atom->string->text, atom->string->size);
		break;
	case ATOM_UUID:
		encode_bytes(e, "[\"uuid\",", 8);
		encode_uuid(e, &atom->uuid);
		encode_bytes(e, "]", 1);
		break;
	}
}

void
encode_datum(struct encoding *e, const struct datum *d,
	     const struct column_type *type)
{
	uint32_t i;

	if (d->n == 1 && !d->is_map) {
		encode_atom(e, type->key.type, &d->one);
		return;
	}
	encode_text(e, d->is_map ? "[\"map\",[" : "[\"set\",[");
	for (i = 0; i < d->n; i++) {
		if (i)
			encode_bytes(e, ",", 1);
		if (d->is_map)
			encode_bytes(e, "[", 1);
		encode_atom(e, type->key.type, datum_key(d, i));
		if (d->is_map) {
			encode_bytes(e, ",", 1);
			encode_atom(e, type->value.type, datum_value(d, i));
			encode_bytes(e, "]", 1);
		}
	}
	encode_bytes(e, "]]", 2);
}

static void
encode_escape(struct encoding *e, unsigned char c)
{
	static const char hex[] = "0123456789ABCDEF";
	static const char letters[] = "btnvfr";	/* 8 to 13; \v is not JSON. */
	char text[7] = "\\u0000";

	if (c == '"' || c == '\\') {
		text[1] = c;
		text[2] = '\0';
	} else if (c >= '\b' && c <= '\r' && c != '\v') {
		text[1] = letters[c - '\b'];
		text[2] = '\0';
	} else {
		text[4] = hex[c >> 4];
		text[5] = hex[c & 15];
	}
	encode_text(e, text);
}

/* Rare, and the last digit matters: jansson's business. */
static void
encode_real(struct encoding *e, const union atom *atom)
{
	json_t *json = atom_to_json(ATOM_REAL, atom);
	char *text = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT);

	if (!text)
		abort();
	encode_text(e, text);
	free(text);
	json_decref(json);
}
