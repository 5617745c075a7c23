/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/value/datum.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/ovsdb/value/hash.h"

static union atom *keys_of(struct datum *);
static union atom *values_of(struct datum *);
static void place(struct datum *, bool is_map, union atom *keys,
		  union atom *values, uint32_t n);
static uint32_t lower_bound(const struct datum *, enum atom_type,
			    const union atom *key);

int64_t
datum_find(const struct datum *d, const struct column_type *type,
	   const union atom *key)
{
	uint32_t i = lower_bound(d, type->key.type, key);

	if (i < d->n && atom_equal(type->key.type, datum_key(d, i), key))
		return i;
	return -1;
}

void
datum_init_empty(struct datum *d, const struct column_type *type)
{
	memset(d, 0, sizeof *d);
	d->is_map = column_type_is_map(type);
}

void
datum_init_default(struct datum *d, const struct column_type *type)
{
	datum_init_empty(d, type);
	if (!type->n_min)
		return;
	if (d->is_map) {
		d->many = xcalloc(2, sizeof *d->many);
		atom_default(type->value.type, &d->many[1]);
	}
	d->n = 1;
	atom_default(type->key.type, keys_of(d));
}

bool
datum_is_default(const struct datum *d, const struct column_type *type)
{
	uint32_t i;

	if (d->n != type->n_min)
		return false;
	for (i = 0; i < d->n; i++) {
		if (!atom_is_default(type->key.type, datum_key(d, i))
		    || (d->is_map && !atom_is_default(type->value.type,
						      datum_value(d, i))))
			return false;
	}
	return true;
}

void
datum_copy(const struct datum *d, const struct column_type *type,
	   struct datum *ret_datum)
{
	const union atom *keys;
	union atom *to;
	uint32_t i;

	*ret_datum = *d;
	if (!d->n)
		return;
	if (d->is_map || d->n > 1)
		ret_datum->many = xmemdup(d->many, sizeof *d->many * d->n
					  * (d->is_map ? 2 : 1));
	keys = datum_key(d, 0);
	to = keys_of(ret_datum);
	if (type->key.type == ATOM_STRING) {
		for (i = 0; i < d->n; i++)
			atom_copy(ATOM_STRING, &keys[i], &to[i]);
	}
	if (d->is_map && type->value.type == ATOM_STRING) {
		for (i = d->n; i < 2 * d->n; i++)
			atom_copy(ATOM_STRING, &keys[i], &to[i]);
	}
}

void
datum_done(struct datum *d, const struct column_type *type)
{
	uint32_t i;

	if (!d->n)
		return;
	if (type->key.type == ATOM_STRING) {
		for (i = 0; i < d->n; i++)
			atom_done(ATOM_STRING, &keys_of(d)[i]);
	}
	if (d->is_map && type->value.type == ATOM_STRING) {
		for (i = 0; i < d->n; i++)
			atom_done(ATOM_STRING, &values_of(d)[i]);
	}
	if (d->is_map || d->n > 1)
		free(d->many);
	d->n = 0;
	d->many = NULL;
}

bool
datum_equal(const struct datum *a, const struct datum *b,
	    const struct column_type *type)
{
	uint32_t i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++) {
		if (!atom_equal(type->key.type, datum_key(a, i),
				datum_key(b, i)))
			return false;
	}
	if (!a->is_map)
		return true;
	for (i = 0; i < a->n; i++) {
		if (!atom_equal(type->value.type, datum_value(a, i),
				datum_value(b, i)))
			return false;
	}
	return true;
}

int
datum_compare(const struct datum *a, const struct datum *b,
	      const struct column_type *type)
{
	uint32_t i;
	int order;

	if (a->n != b->n)
		return a->n < b->n ? -1 : 1;
	for (i = 0; i < a->n; i++) {
		order = atom_compare(type->key.type, datum_key(a, i),
				     datum_key(b, i));
		if (order)
			return order;
	}
	for (i = 0; a->is_map && i < a->n; i++) {
		order = atom_compare(type->value.type, datum_value(a, i),
				     datum_value(b, i));
		if (order)
			return order;
	}
	return 0;
}

uint32_t
datum_hash(const struct datum *d, const struct column_type *type,
	   uint32_t basis)
{
	uint32_t hash = hash_word(d->n, basis);
	uint32_t i;

	for (i = 0; i < d->n; i++)
		hash = hash_word(atom_hash(type->key.type, datum_key(d, i)),
				 hash);
	for (i = 0; d->is_map && i < d->n; i++)
		hash = hash_word(atom_hash(type->value.type,
					   datum_value(d, i)), hash);
	return hash;
}

void
datum_union(struct datum *a, const struct datum *b,
	    const struct column_type *type, bool replace_values)
{
	enum atom_type key_type = type->key.type;
	enum atom_type value_type = type->value.type;
	bool is_map = a->is_map;
	union atom *keys, *values;
	uint32_t i = 0, j = 0, n = 0;

	if (!b->n)
		return;
	keys = xmalloc(sizeof *keys * ((size_t) a->n + b->n));
	values = is_map ? xmalloc(sizeof *values * ((size_t) a->n + b->n))
			: NULL;
	while (i < a->n || j < b->n) {
		int order = i == a->n ? 1 : j == b->n ? -1
			: atom_compare(key_type, datum_key(a, i),
				       datum_key(b, j));

		if (order <= 0) {
			keys[n] = *datum_key(a, i);
			if (is_map)
				values[n] = *datum_value(a, i);
			i++;
		} else {
			atom_copy(key_type, datum_key(b, j), &keys[n]);
			if (is_map)
				atom_copy(value_type, datum_value(b, j),
					  &values[n]);
		}
		if (!order && is_map && replace_values) {
			atom_done(value_type, &values[n]);
			atom_copy(value_type, datum_value(b, j), &values[n]);
		}
		j += order >= 0;
		n++;
	}
	if (is_map || a->n > 1)
		free(a->many);
	place(a, is_map, keys, values, n);
	free(values);
}

void
datum_subtract(struct datum *a, const struct datum *b,
	       const struct column_type *a_type,
	       const struct column_type *b_type)
{
	enum atom_type key_type = a_type->key.type;
	enum atom_type value_type = a_type->value.type;
	bool by_pair = a->is_map && column_type_is_map(b_type);
	union atom *keys, *values;
	uint32_t i, n = 0;

	if (!a->n || !b->n)
		return;
	keys = xmalloc(sizeof *keys * a->n);
	values = a->is_map ? xmalloc(sizeof *values * a->n) : NULL;
	for (i = 0; i < a->n; i++) {
		int64_t j = datum_find(b, b_type, datum_key(a, i));
		bool goes = j >= 0
			&& (!by_pair
			    || atom_equal(value_type, datum_value(a, i),
					  datum_value(b, j)));

		if (goes) {
			atom_done(key_type, &keys_of(a)[i]);
			if (values)
				atom_done(value_type, &values_of(a)[i]);
			continue;
		}
		keys[n] = *datum_key(a, i);
		if (values)
			values[n] = *datum_value(a, i);
		n++;
	}
	if (a->is_map || a->n > 1)
		free(a->many);
	place(a, a->is_map, keys, values, n);
	free(values);
}

void
datum_diff(const struct datum *old, const struct datum *new,
	   const struct column_type *type, struct datum *ret_diff)
{
	struct datum diff, only_new;

	datum_copy(new, type, &only_new);
	if (type->n_max <= 1) {
		*ret_diff = only_new;
		return;
	}
	datum_copy(old, type, &diff);
	datum_subtract(&only_new, old, type, type);
	datum_subtract(&diff, new, type, type);
	datum_union(&diff, &only_new, type, true);
	datum_done(&only_new, type);
	*ret_diff = diff;
}

bool
datum_includes_all(const struct datum *a, const struct datum *b,
		   const struct column_type *type)
{
	uint32_t i;

	if (b->n > a->n)
		return false;
	for (i = 0; i < b->n; i++) {
		int64_t at = datum_find(a, type, datum_key(b, i));

		if (at < 0
		    || (a->is_map
			&& !atom_equal(type->value.type, datum_value(a, at),
				       datum_value(b, i))))
			return false;
	}
	return true;
}

bool
datum_excludes_all(const struct datum *a, const struct datum *b,
		   const struct column_type *type)
{
	uint32_t i;

	for (i = 0; i < b->n; i++) {
		int64_t at = datum_find(a, type, datum_key(b, i));

		if (at >= 0
		    && (!a->is_map
			|| atom_equal(type->value.type, datum_value(a, at),
				      datum_value(b, i))))
			return false;
	}
	return true;
}

void
datum_take(struct datum *d, const struct column_type *type, union atom *keys,
	   union atom *values, uint32_t n)
{
	place(d, column_type_is_map(type), keys, values, n);
	free(values);
}

void
datum_filter(struct datum *d, const struct column_type *type,
	     bool (*keep)(void *ctx, const union atom *key,
			  const union atom *value),
	     void *ctx)
{
	union atom *keys = NULL, *values = NULL;
	uint32_t i, n = 0;

	if (!d->n)
		return;
	keys = xmalloc(sizeof *keys * d->n);
	if (d->is_map)
		values = xmalloc(sizeof *values * d->n);
	for (i = 0; i < d->n; i++) {
		const union atom *value = d->is_map ? datum_value(d, i) : NULL;

		if (!keep(ctx, datum_key(d, i), value)) {
			atom_done(type->key.type, &keys_of(d)[i]);
			if (d->is_map)
				atom_done(type->value.type, &values_of(d)[i]);
			continue;
		}
		keys[n] = *datum_key(d, i);
		if (value)
			values[n] = *value;
		n++;
	}
	if (d->is_map || d->n > 1)
		free(d->many);
	place(d, d->is_map, keys, values, n);
	free(values);
}

static union atom *
keys_of(struct datum *d)
{
	return d->n == 1 && !d->is_map ? &d->one : d->many;
}

static union atom *
values_of(struct datum *d)
{
	return d->many + d->n;
}

/* Makes 'n' sorted keys, and values, the content of 'd'; takes over 'keys',
 * leaves the array of 'values' to the caller.  What 'd' held is gone. */
static void
place(struct datum *d, bool is_map, union atom *keys, union atom *values,
      uint32_t n)
{
	memset(d, 0, sizeof *d);
	d->n = n;
	d->is_map = is_map;
	if (!n) {
		free(keys);
	} else if (is_map) {
		d->many = xrealloc(keys, sizeof *keys * 2 * n);
		memcpy(d->many + n, values, sizeof *values * n);
	} else if (n == 1) {
		d->one = keys[0];
		free(keys);
	} else {
		d->many = xrealloc(keys, sizeof *keys * n);
	}
}

static uint32_t
lower_bound(const struct datum *d, enum atom_type type, const union atom *key)
{
	uint32_t low = 0;
	uint32_t high = d->n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (atom_compare(type, datum_key(d, middle), key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
