/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_ATOM_H
#define OVSDB_ATOM_H 1

/* Atoms: the five scalar values of RFC 7047, section 5.1.
 *
 * An atom does not know its type; whoever holds it does.  Strings are
 * interned: equal strings are the same pointer for as long as somebody holds
 * one, so that a million rows in one subnet hold its name once.  [control] */

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "agent/ovsdb/value/error.h"
#include "agent/ovsdb/value/uuid.h"

enum atom_type {
	ATOM_VOID,		/* The value type of a set. */
	ATOM_INTEGER,
	ATOM_REAL,
	ATOM_BOOLEAN,
	ATOM_STRING,
	ATOM_UUID
};

struct string {
	uint32_t n_refs;
	uint32_t size;		/* Bytes in 'text', without the NUL. */
	char text[];		/* UTF-8. */
};

/* Bytes in one string.  Messages are limited before; this only keeps sizes
 * inside their types. */
enum { ATOM_MAX_STRING = 1 << 28 };

struct string *string_intern(const char *text, size_t size);
/* Very many strings will come: hash_set_loosen(), and the end of it. */
void string_loosen_all(void);
void string_tighten_all(void);
/* string_intern() will be called: hash_set_prefetch(). */
void string_prefetch(const char *text, size_t size);
struct string *string_ref(struct string *);
void string_unref(struct string *);
/* [any], while the string is there. */
uint32_t string_hash(const struct string *);

union atom {
	int64_t integer;
	double real;
	bool boolean;
	struct string *string;
	struct uuid uuid;
};

/* Names and the JSON forms of uuids as they stand in a request: ["uuid", U]
 * and ["named-uuid", N].  NULL where named ones are not allowed. */
struct symbols;

const char *atom_type_name(enum atom_type);
bool atom_type_from_name(const char *, enum atom_type *ret_type);

void atom_default(enum atom_type, union atom *ret_atom);
/* Makes no string: [any], while the atom is there. */
bool atom_is_default(enum atom_type, const union atom *);
void atom_copy(enum atom_type, const union atom *, union atom *ret_atom);
void atom_done(enum atom_type, union atom *);
int atom_compare(enum atom_type, const union atom *, const union atom *);
bool atom_equal(enum atom_type, const union atom *, const union atom *);
uint32_t atom_hash(enum atom_type, const union atom *);
struct ovsdb_error *atom_from_json(enum atom_type, json_t *, struct symbols *,
				   union atom *ret_atom);
json_t *atom_to_json(enum atom_type, const union atom *);

#endif /* ovsdb/value/atom.h */
