/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/operation/mutation.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"

static const char *const names[] = {
	[MUTATOR_ADD] = "+=",
	[MUTATOR_SUBTRACT] = "-=",
	[MUTATOR_MULTIPLY] = "*=",
	[MUTATOR_DIVIDE] = "/=",
	[MUTATOR_REMAINDER] = "%=",
	[MUTATOR_INSERT] = "insert",
	[MUTATOR_DELETE] = "delete",
};

static struct ovsdb_error *mutation_from_json(json_t *,
					      const struct table_schema *,
					      struct symbols *,
					      struct mutation *);
static bool mutator_from_name(const char *, enum mutator *);
static bool is_arithmetic(enum mutator);
static bool applies(enum mutator, const struct column_type *);
static struct ovsdb_error *read_argument(json_t *, struct symbols *,
					 struct mutation *);
static void type_argument(struct mutation *);
static void clear_constraints(struct base_type *);
static struct ovsdb_error *calculate(const struct mutation *, struct datum *);
static struct ovsdb_error *calculate_integer(enum mutator, int64_t *,
					     int64_t);
static struct ovsdb_error *calculate_real(enum mutator, double *, double);
static struct ovsdb_error *sort(const struct mutation *, union atom *,
				uint32_t n);
static struct ovsdb_error *wrong_number(const struct column_type *,
					uint32_t n);
static int compare_atoms(const void *, const void *, void *type);
static struct ovsdb_error *check_count(const struct mutation *,
				       const struct datum *);

struct ovsdb_error *
mutations_from_json(json_t *json, const struct table_schema *table,
		    struct symbols *symbols, struct mutations *ret_mutations)
{
	struct mutations all = { NULL, 0 };
	json_t *mutation;
	size_t i;

	if (json_array_size(json) > MUTATIONS_MAX)
		return ovsdb_error(OVSDB_RESOURCES_EXHAUSTED,
				   "an operation has at most %u mutations,"
				   " this one %zu", MUTATIONS_MAX,
				   json_array_size(json));
	all.mutations = xcalloc(json_array_size(json), sizeof *all.mutations);
	json_array_foreach(json, i, mutation) {
		struct ovsdb_error *error;

		error = mutation_from_json(mutation, table, symbols,
					   &all.mutations[i]);
		if (error) {
			mutations_done(&all);
			return error;
		}
		all.n++;
	}
	*ret_mutations = all;
	return NULL;
}

void
mutations_done(struct mutations *all)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		datum_done(&all->mutations[i].argument,
			   &all->mutations[i].argument_type);
	free(all->mutations);
	all->mutations = NULL;
	all->n = 0;
}

bool
mutation_begin(const struct column *column, const char *mutator,
	       struct mutation *ret_mutation)
{
	memset(ret_mutation, 0, sizeof *ret_mutation);
	ret_mutation->column = column;
	if (!column->is_mutable
	    || !mutator_from_name(mutator, &ret_mutation->mutator)
	    || !applies(ret_mutation->mutator, &column->type))
		return false;
	type_argument(ret_mutation);
	return true;
}

struct ovsdb_error *
mutation_apply(const struct mutation *mutation, struct datum *d)
{
	const struct column_type *type = &mutation->column->type;

	switch (mutation->mutator) {
	case MUTATOR_ADD:
	case MUTATOR_SUBTRACT:
	case MUTATOR_MULTIPLY:
	case MUTATOR_DIVIDE:
	case MUTATOR_REMAINDER:
		return calculate(mutation, d);
	case MUTATOR_INSERT:
		datum_union(d, &mutation->argument, type, false);
		return check_count(mutation, d);
	case MUTATOR_DELETE:
		datum_subtract(d, &mutation->argument, type,
			       &mutation->argument_type);
		return check_count(mutation, d);
	}
	return NULL;
}

static struct ovsdb_error *
mutation_from_json(json_t *json, const struct table_schema *table,
		   struct symbols *symbols, struct mutation *ret_mutation)
{
	const char *column = json_string_value(json_array_get(json, 0));
	const char *mutator = json_string_value(json_array_get(json, 1));
	struct mutation mutation;
	struct ovsdb_error *error;

	memset(&mutation, 0, sizeof mutation);
	if (json_array_size(json) != 3 || !column || !mutator)
		return ovsdb_syntax_error(json, "expected [<column>,"
					  " <mutator>, <value>]");
	mutation.column = table_schema_column(table, column);
	if (!mutation.column)
		return ovsdb_error(OVSDB_UNKNOWN_COLUMN,
				   "table %s has no column %.64s",
				   table->name, column);
	if (!mutation.column->is_mutable)
		return ovsdb_error_verbatim(OVSDB_CONSTRAINT_VIOLATION, json,
					    "Cannot mutate immutable column %s"
					    " in table %s.", column,
					    table->name);
	if (!mutator_from_name(mutator, &mutation.mutator))
		return ovsdb_error(OVSDB_UNKNOWN_MUTATOR,
				   "there is no mutator %.64s", mutator);
	if (!applies(mutation.mutator, &mutation.column->type))
		return ovsdb_syntax_error(json, "\"%s\" does not apply to the"
					  " type of column %s", mutator,
					  column);
	error = read_argument(json_array_get(json, 2), symbols, &mutation);
	if (!error)
		*ret_mutation = mutation;
	return error;
}

static bool
mutator_from_name(const char *name, enum mutator *ret_mutator)
{
	size_t i;

	for (i = 0; i < sizeof names / sizeof *names; i++) {
		if (!strcmp(names[i], name)) {
			*ret_mutator = i;
			return true;
		}
	}
	return false;
}

static bool
is_arithmetic(enum mutator mutator)
{
	return mutator != MUTATOR_INSERT && mutator != MUTATOR_DELETE;
}

static bool
applies(enum mutator mutator, const struct column_type *type)
{
	if (!is_arithmetic(mutator))
		return !column_type_is_scalar(type);
	if (column_type_is_map(type))
		return false;
	return type->key.type == ATOM_INTEGER
	       || (type->key.type == ATOM_REAL
		   && mutator != MUTATOR_REMAINDER);
}

static struct ovsdb_error *
read_argument(json_t *json, struct symbols *symbols,
	      struct mutation *mutation)
{
	struct column_type *type = &mutation->argument_type;
	struct ovsdb_error *error;

	type_argument(mutation);
	error = datum_from_json(json, type, symbols, &mutation->argument);

	/* What goes from a map may be named by its keys alone. */
	if (error && mutation->mutator == MUTATOR_DELETE
	    && column_type_is_map(type)) {
		ovsdb_error_free(error);
		memset(&type->value, 0, sizeof type->value);
		type->value.type = ATOM_VOID;
		error = datum_from_json(json, type, symbols,
					&mutation->argument);
	}
	return error;
}

static void
type_argument(struct mutation *mutation)
{
	struct column_type *type = &mutation->argument_type;

	*type = mutation->column->type;
	if (is_arithmetic(mutation->mutator)) {
		clear_constraints(&type->key);
		type->n_min = type->n_max = 1;
		return;
	}
	type->n_min = 0;
	if (mutation->mutator == MUTATOR_DELETE)
		type->n_max = UINT32_MAX;
}

static void
clear_constraints(struct base_type *base)
{
	base->choices = NULL;
	base->min_integer = INT64_MIN;
	base->max_integer = INT64_MAX;
	base->min_real = -DBL_MAX;
	base->max_real = DBL_MAX;
}

static struct ovsdb_error *
calculate(const struct mutation *mutation, struct datum *d)
{
	const struct base_type *base = &mutation->column->type.key;
	union atom *atoms = d->n == 1 ? &d->one : d->many;
	struct ovsdb_error *error = NULL;
	uint32_t i;

	for (i = 0; i < d->n && !error; i++) {
		if (base->type == ATOM_INTEGER)
			error = calculate_integer(
				mutation->mutator, &atoms[i].integer,
				mutation->argument.one.integer);
		else
			error = calculate_real(mutation->mutator,
					       &atoms[i].real,
					       mutation->argument.one.real);
		if (!error)
			error = base_type_check(base, &atoms[i]);
	}
	if (!error && d->n > 1)
		error = sort(mutation, atoms, d->n);
	return error;
}

static struct ovsdb_error *
calculate_integer(enum mutator mutator, int64_t *x, int64_t y)
{
	bool overflows = false;
	int64_t result = 0;

	if ((mutator == MUTATOR_DIVIDE || mutator == MUTATOR_REMAINDER) && !y)
		return ovsdb_error(OVSDB_DOMAIN_ERROR, "division by zero");
	switch (mutator) {
	case MUTATOR_ADD:
		overflows = __builtin_add_overflow(*x, y, &result);
		break;
	case MUTATOR_SUBTRACT:
		overflows = __builtin_sub_overflow(*x, y, &result);
		break;
	case MUTATOR_MULTIPLY:
		overflows = __builtin_mul_overflow(*x, y, &result);
		break;
	case MUTATOR_DIVIDE:
		overflows = *x == INT64_MIN && y == -1;
		result = overflows ? 0 : *x / y;
		break;
	case MUTATOR_REMAINDER:
		result = y == -1 ? 0 : *x % y;
		break;
	case MUTATOR_INSERT:
	case MUTATOR_DELETE:
		break;
	}
	if (overflows)
		return ovsdb_error(OVSDB_RANGE_ERROR, "result of \"%s\" is"
				   " out of range", names[mutator]);
	*x = result;
	return NULL;
}

static struct ovsdb_error *
calculate_real(enum mutator mutator, double *x, double y)
{
	double result = *x;

	switch (mutator) {
	case MUTATOR_ADD:
		result += y;
		break;
	case MUTATOR_SUBTRACT:
		result -= y;
		break;
	case MUTATOR_MULTIPLY:
		result *= y;
		break;
	case MUTATOR_DIVIDE:
		if (y == 0)
			return ovsdb_error(OVSDB_DOMAIN_ERROR,
					   "division by zero");
		result /= y;
		break;
	case MUTATOR_REMAINDER:
	case MUTATOR_INSERT:
	case MUTATOR_DELETE:
		break;
	}
	if (!isfinite(result))
		return ovsdb_error(OVSDB_RANGE_ERROR, "result of \"%s\" is"
				   " out of range", names[mutator]);
	*x = result;
	return NULL;
}

static struct ovsdb_error *
sort(const struct mutation *mutation, union atom *atoms, uint32_t n)
{
	enum atom_type type = mutation->column->type.key.type;
	uint32_t i;

	qsort_r(atoms, n, sizeof *atoms, compare_atoms, &type);
	for (i = 1; i < n; i++) {
		if (atom_equal(type, &atoms[i - 1], &atoms[i]))
			return ovsdb_error(OVSDB_CONSTRAINT_VIOLATION,
					   "result of \"%s\" contains"
					   " duplicates",
					   names[mutation->mutator]);
	}
	return NULL;
}

static int
compare_atoms(const void *a, const void *b, void *type)
{
	return atom_compare(*(enum atom_type *) type, a, b);
}

static struct ovsdb_error *
check_count(const struct mutation *mutation, const struct datum *d)
{
	const struct column_type *type = &mutation->column->type;
	uint32_t max = type->n_max < DATUM_MAX_ELEMENTS ? type->n_max
							 : DATUM_MAX_ELEMENTS;

	if (d->n >= type->n_min && d->n <= max)
		return NULL;
	if (d->n > max && max < type->n_max)
		return ovsdb_error(OVSDB_RESOURCES_EXHAUSTED,
				   "column %s would have %u elements, not %u to"
				   " %u", mutation->column->name, d->n,
				   type->n_min, max);
	return wrong_number(type, d->n);
}

static struct ovsdb_error *
wrong_number(const struct column_type *type, uint32_t n)
{
	char max[16] = "unlimited";

	if (type->n_max != UINT32_MAX)
		snprintf(max, sizeof max, "%u", type->n_max);
	if (column_type_is_map(type))
		return ovsdb_error_verbatim(
			OVSDB_CONSTRAINT_VIOLATION, NULL, "Attempted to store"
			" %u elements in map of %u to %s %s-%s pairs.", n,
			type->n_min, max, atom_type_name(type->key.type),
			atom_type_name(type->value.type));
	return ovsdb_error_verbatim(OVSDB_CONSTRAINT_VIOLATION, NULL,
				    "Attempted to store %u elements in set of"
				    " %u to %s %ss.", n, type->n_min, max,
				    atom_type_name(type->key.type));
}
