/* SPDX-License-Identifier: Apache-2.0 */

/* Datums for code of our own: plain C values in and out. */

#include "agent/ovsdb/value/datum.h"

#include <string.h>


static const struct column_type string_set = {
	.key.type = ATOM_STRING, .n_max = UINT32_MAX
};
static const struct column_type string_map = {
	.key.type = ATOM_STRING, .value.type = ATOM_STRING,
	.n_max = UINT32_MAX
};
static const struct column_type uuid_set = {
	.key.type = ATOM_UUID, .n_max = UINT32_MAX
};

static void set_one(struct datum *);

int64_t
datum_integer(const struct datum *d, int64_t fallback)
{
	return d->n ? datum_key(d, 0)->integer : fallback;
}

bool
datum_boolean(const struct datum *d, bool fallback)
{
	return d->n ? datum_key(d, 0)->boolean : fallback;
}

const char *
datum_string(const struct datum *d, const char *fallback)
{
	return d->n ? datum_key(d, 0)->string->text : fallback;
}

const struct uuid *
datum_uuid(const struct datum *d)
{
	return d->n ? &datum_key(d, 0)->uuid : NULL;
}

const char *
datum_map_string(const struct datum *d, const char *key, const char *fallback)
{
	uint32_t low = 0, high = d->n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = strcmp(datum_key(d, middle)->string->text, key);

		if (!order)
			return datum_value(d, middle)->string->text;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return fallback;
}

void
datum_set_integer(struct datum *d, int64_t integer)
{
	set_one(d);
	d->one.integer = integer;
}

void
datum_set_boolean(struct datum *d, bool boolean)
{
	set_one(d);
	d->one.boolean = boolean;
}

void
datum_set_string(struct datum *d, const char *text)
{
	set_one(d);
	d->one.string = string_intern(text, strlen(text));
}

void
datum_set_uuid(struct datum *d, const struct uuid *uuid)
{
	set_one(d);
	d->one.uuid = *uuid;
}

void
datum_add_string(struct datum *d, const char *key, const char *value)
{
	const struct column_type *type = value ? &string_map : &string_set;
	union atom pair[2] = { { 0 } };
	struct datum one = { .n = 1, .is_map = value != NULL };

	pair[0].string = string_intern(key, strlen(key));
	if (value) {
		pair[1].string = string_intern(value, strlen(value));
		one.many = pair;
	} else {
		one.one = pair[0];
	}
	datum_union(d, &one, type, true);
	string_unref(pair[0].string);
	string_unref(pair[1].string);
}

void
datum_add_uuid(struct datum *d, const struct uuid *uuid)
{
	struct datum one;

	datum_set_uuid(&one, uuid);
	datum_union(d, &one, &uuid_set, false);
}

static void
set_one(struct datum *d)
{
	memset(d, 0, sizeof *d);
	d->n = 1;
}
