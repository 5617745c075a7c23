/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_DATUM_H
#define OVSDB_DATUM_H 1

/* A datum is the value of one column of one row: a set or a map of atoms,
 * sorted by key, without duplicates.  A scalar is a set of one.
 *
 * 24 bytes.  A set of one atom lives inside; everything else is one array of
 * 'n' keys, followed by 'n' values for a map. */

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "agent/ovsdb/value/atom.h"
#include "agent/ovsdb/value/type.h"

enum { DATUM_MAX_ELEMENTS = 1 << 20 };	/* What a peer may send as one. */

struct datum {
	uint32_t n;
	bool is_map;
	union {
		union atom one;		/* n == 1 and not a map. */
		union atom *many;	/* Otherwise; NULL when n == 0. */
	};
};

static inline const union atom *
datum_key(const struct datum *d, uint32_t i)
{
	return d->n == 1 && !d->is_map ? &d->one : &d->many[i];
}

static inline const union atom *
datum_value(const struct datum *d, uint32_t i)
{
	return &d->many[d->n + i];
}

/* The key's index, or -1. */
int64_t datum_find(const struct datum *, const struct column_type *,
		   const union atom *key);

void datum_init_empty(struct datum *, const struct column_type *);
void datum_init_default(struct datum *, const struct column_type *);
bool datum_is_default(const struct datum *, const struct column_type *);
void datum_copy(const struct datum *, const struct column_type *,
		struct datum *ret_datum);
void datum_done(struct datum *, const struct column_type *);
bool datum_equal(const struct datum *, const struct datum *,
		 const struct column_type *);
int datum_compare(const struct datum *, const struct datum *,
		  const struct column_type *);
uint32_t datum_hash(const struct datum *, const struct column_type *,
		    uint32_t basis);

/* Checks types, number of elements and base type constraints. */
struct ovsdb_error *datum_from_json(json_t *, const struct column_type *,
				    struct symbols *,
				    struct datum *ret_datum);
/* For what is on disk already: checks types alone. */
struct ovsdb_error *datum_from_json_unchecked(json_t *,
					      const struct column_type *,
					      struct datum *ret_datum);
json_t *datum_to_json(const struct datum *, const struct column_type *);

/* Set algebra, on keys; 'a' becomes the result. */
void datum_union(struct datum *a, const struct datum *b,
		 const struct column_type *, bool replace_values);
void datum_subtract(struct datum *a, const struct datum *b,
		    const struct column_type *a_type,
		    const struct column_type *b_type);
/* The difference of ovsdb-server(7), section 4.1.14: of two sets, what is only
 * in one; of two maps, also the pairs whose values differ, with the new value;
 * where at most one element can be, the new value.  The difference of 'old'
 * and a difference is 'new' again. */
void datum_diff(const struct datum *old, const struct datum *new,
		const struct column_type *, struct datum *ret_diff);
bool datum_includes_all(const struct datum *a, const struct datum *b,
			const struct column_type *);
bool datum_excludes_all(const struct datum *a, const struct datum *b,
			const struct column_type *);

/* Makes 'd' of 'n' keys, sorted and without duplicates, and for a map their
 * values; takes over the arrays and what they hold. */
void datum_take(struct datum *d, const struct column_type *,
		union atom *keys, union atom *values, uint32_t n);
/* Of keys in any order; with a duplicate among them it says false, and takes
 * over nothing. */
bool datum_take_unsorted(struct datum *d, const struct column_type *,
			 union atom *keys, union atom *values, uint32_t n);
/* Removes the elements for which 'keep' says false. */
void datum_filter(struct datum *, const struct column_type *,
		  bool (*keep)(void *ctx, const union atom *key,
			       const union atom *value),
		  void *ctx);

/* For code of our own that reads and writes rows.  The readers give the first
 * element, or 'fallback' where there is none; the string lives as long as the
 * row. */
int64_t datum_integer(const struct datum *, int64_t fallback);
bool datum_boolean(const struct datum *, bool fallback);
const char *datum_string(const struct datum *, const char *fallback);
const struct uuid *datum_uuid(const struct datum *);
/* In a map from string to string. */
const char *datum_map_string(const struct datum *, const char *key,
			     const char *fallback);

void datum_set_integer(struct datum *, int64_t);	/* Of a new datum: */
void datum_set_boolean(struct datum *, bool);		/* what it held is */
void datum_set_string(struct datum *, const char *);	/* not freed. */
void datum_set_uuid(struct datum *, const struct uuid *);
/* Adds to a set of strings or a map of strings (value not NULL), in any
 * order; an element that is there already is replaced. */
void datum_add_string(struct datum *, const char *key, const char *value);
void datum_add_uuid(struct datum *, const struct uuid *);

#endif /* ovsdb/value/datum.h */
