/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_TYPE_H
#define OVSDB_TYPE_H 1

/* <type> and <base-type> of RFC 7047, section 3.2. */

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "agent/ovsdb/value/atom.h"

struct datum;

enum reference_kind { REFERENCE_STRONG, REFERENCE_WEAK };

struct base_type {
	enum atom_type type;
	struct datum *choices;		/* "enum", or NULL. */
	int64_t min_integer, max_integer;
	double min_real, max_real;
	uint32_t min_length, max_length;	/* Characters, not bytes. */
	char *ref_table_name;		/* ATOM_UUID: NULL if no reference. */
	struct table_schema *ref_table;	/* Resolved by schema_from_json(). */
	enum reference_kind ref_kind;
};

struct column_type {
	struct base_type key;
	struct base_type value;		/* ATOM_VOID: not a map. */
	uint32_t n_min;			/* 0 or 1. */
	uint32_t n_max;			/* UINT32_MAX: unlimited. */
};

static inline bool
column_type_is_map(const struct column_type *type)
{
	return type->value.type != ATOM_VOID;
}

static inline bool
column_type_is_scalar(const struct column_type *type)
{
	return type->n_min == 1 && type->n_max == 1
	       && !column_type_is_map(type);
}

struct ovsdb_error *column_type_from_json(json_t *,
					  struct column_type *ret_type);
json_t *column_type_to_json(const struct column_type *);
void column_type_done(struct column_type *);

/* Enum, range and length of one atom; the error names the limit. */
struct ovsdb_error *base_type_check(const struct base_type *,
				    const union atom *);

#endif /* ovsdb/value/type.h */
