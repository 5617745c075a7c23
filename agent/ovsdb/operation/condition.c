/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/operation/condition.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/ovsdb/store/row.h"
#include "agent/ovsdb/store/transaction_lookup.h"

static const char *const names[] = {
	[CONDITION_EQ] = "==",
	[CONDITION_NE] = "!=",
	[CONDITION_LT] = "<",
	[CONDITION_LE] = "<=",
	[CONDITION_GE] = ">=",
	[CONDITION_GT] = ">",
	[CONDITION_INCLUDES] = "includes",
	[CONDITION_EXCLUDES] = "excludes",
};

struct query {
	const struct condition *condition;
	bool (*visit)(void *ctx, const struct row *);
	void *ctx;
};

static bool function_from_name(const char *, enum condition_function *);
static struct ovsdb_error *relax(json_t *, const struct clause *,
				 struct column_type *);
static bool is_ordering(enum condition_function);
static bool compare(const struct clause *, const struct datum *);
static bool is_never(const struct condition *);
static const struct clause *collect_equalities(const struct condition *,
					       struct lookup_query *);
static bool is_equality(const struct clause *);
static bool visit_match(void *query, const struct row *);

struct ovsdb_error *
condition_from_json(json_t *json, const struct table_schema *table,
		    struct symbols *symbols, struct condition *ret_condition)
{
	struct condition condition = { NULL, 0 };
	json_t *clause;
	size_t i;

	if (json_array_size(json) > CONDITION_MAX_CLAUSES)
		return ovsdb_error(OVSDB_RESOURCES_EXHAUSTED,
				   "a condition has at most %u clauses, this"
				   " one %zu", CONDITION_MAX_CLAUSES,
				   json_array_size(json));
	condition.clauses = xcalloc(json_array_size(json),
				    sizeof *condition.clauses);
	json_array_foreach(json, i, clause) {
		struct ovsdb_error *error;

		error = clause_from_json(clause, table, symbols,
					 &condition.clauses[i]);
		if (error) {
			condition_done(&condition);
			return error;
		}
		condition.n++;
	}
	*ret_condition = condition;
	return NULL;
}

void
condition_done(struct condition *condition)
{
	size_t i;

	for (i = 0; i < condition->n; i++)
		clause_done(&condition->clauses[i]);
	free(condition->clauses);
	condition->clauses = NULL;
	condition->n = 0;
}

bool
condition_matches(const struct condition *condition, const struct row *row)
{
	size_t i;

	for (i = 0; i < condition->n; i++) {
		if (!clause_matches(&condition->clauses[i], row))
			return false;
	}
	return true;
}

struct ovsdb_error *
clause_from_json(json_t *json, const struct table_schema *table,
		 struct symbols *symbols, struct clause *ret_clause)
{
	const char *column = json_string_value(json_array_get(json, 0));
	const char *function = json_string_value(json_array_get(json, 1));
	struct clause clause = { CONDITION_TRUE, NULL, { 0 } };
	struct column_type type;
	struct ovsdb_error *error;

	if (json_is_boolean(json)) {
		clause.function = json_is_true(json) ? CONDITION_TRUE
						     : CONDITION_FALSE;
		*ret_clause = clause;
		return NULL;
	}
	if (json_array_size(json) != 3 || !column || !function)
		return ovsdb_syntax_error(json, "expected [<column>,"
					  " <function>, <value>]");
	clause.column = table_schema_column(table, column);
	if (!clause.column)
		return ovsdb_error(OVSDB_UNKNOWN_COLUMN,
				   "table %s has no column %.64s",
				   table->name, column);
	if (!function_from_name(function, &clause.function))
		return ovsdb_error(OVSDB_UNKNOWN_FUNCTION,
				   "there is no function %.64s", function);
	error = relax(json, &clause, &type);
	if (!error)
		error = datum_from_json(json_array_get(json, 2), &type,
					symbols, &clause.argument);
	if (!error)
		*ret_clause = clause;
	return error;
}

void
clause_done(struct clause *clause)
{
	if (clause->column)
		datum_done(&clause->argument, &clause->column->type);
}

bool
clause_matches(const struct clause *clause, const struct row *row)
{
	struct datum room;

	if (!clause->column)
		return clause->function == CONDITION_TRUE;
	return compare(clause, row_datum(row, clause->column, &room));
}

void
condition_each(const struct condition *condition, struct transaction *txn,
	       struct table *table,
	       bool (*visit)(void *ctx, const struct row *), void *ctx)
{
	struct lookup_counters *counters =
		&table_database(table)->lookup_counters;
	struct query query = { condition, visit, ctx };
	struct lookup_query terms = { .n = 0 };
	const struct clause *by_uuid;
	struct row **rows;
	size_t n, i;

	if (is_never(condition))
		return;
	by_uuid = collect_equalities(condition, &terms);
	if (by_uuid) {
		const struct row *row;

		counters->n_by_uuid++;
		row = transaction_find(txn, table,
				       datum_uuid(&by_uuid->argument));
		if (row)
			visit_match(&query, row);
	} else if (transaction_lookup(txn, table, &terms, &rows, &n)) {
		for (i = 0; i < n && visit_match(&query, rows[i]); i++)
			continue;
		free(rows);
	} else {
		if (condition->n)
			counters->n_scans++;
		transaction_each(txn, table, visit_match, &query);
	}
}

static bool
function_from_name(const char *name, enum condition_function *ret_function)
{
	size_t i;

	for (i = CONDITION_EQ; i < sizeof names / sizeof *names; i++) {
		if (!strcmp(names[i], name)) {
			*ret_function = i;
			return true;
		}
	}
	return false;
}

/* What the argument may be, which is not always what the column holds: part
 * of a set is not a whole one. */
static struct ovsdb_error *
relax(json_t *json, const struct clause *clause, struct column_type *ret_type)
{
	struct column_type type = clause->column->type;

	if (is_ordering(clause->function)) {
		if ((type.key.type != ATOM_INTEGER
		     && type.key.type != ATOM_REAL)
		    || column_type_is_map(&type) || type.n_max != 1)
			return ovsdb_syntax_error(
				json, "\"%s\" does not apply to column %s: it"
				" is not an integer or a real",
				names[clause->function], clause->column->name);
		type.n_min = 1;
	} else if (clause->function == CONDITION_INCLUDES
		   && !column_type_is_scalar(&type)) {
		type.n_min = 0;
	} else if (clause->function == CONDITION_EXCLUDES
		   && !column_type_is_scalar(&type)) {
		type.n_min = 0;
		type.n_max = UINT32_MAX;
	}
	*ret_type = type;
	return NULL;
}

static bool
is_ordering(enum condition_function function)
{
	return function == CONDITION_LT || function == CONDITION_LE
	       || function == CONDITION_GE || function == CONDITION_GT;
}

static bool
compare(const struct clause *clause, const struct datum *d)
{
	const struct column_type *type = &clause->column->type;
	const struct datum *argument = &clause->argument;
	int order = 0;

	if (is_ordering(clause->function)) {
		if (!d->n)
			return false;
		order = atom_compare(type->key.type, datum_key(d, 0),
				     datum_key(argument, 0));
	}
	switch (clause->function) {
	case CONDITION_FALSE:
		return false;
	case CONDITION_TRUE:
		return true;
	case CONDITION_EQ:
		return datum_equal(d, argument, type);
	case CONDITION_NE:
		return !datum_equal(d, argument, type);
	case CONDITION_LT:
		return order < 0;
	case CONDITION_LE:
		return order <= 0;
	case CONDITION_GE:
		return order >= 0;
	case CONDITION_GT:
		return order > 0;
	case CONDITION_INCLUDES:
		return datum_includes_all(d, argument, type);
	case CONDITION_EXCLUDES:
		return datum_excludes_all(d, argument, type);
	}
	return false;
}

static bool
is_never(const struct condition *condition)
{
	size_t i;

	for (i = 0; i < condition->n; i++) {
		if (condition->clauses[i].function == CONDITION_FALSE)
			return true;
	}
	return false;
}

/* Columns that can hold one value only.  Returns a clause that leaves one row
 * at most, if there is one. */
static const struct clause *
collect_equalities(const struct condition *condition,
		   struct lookup_query *terms)
{
	size_t i, j;

	for (i = 0; i < condition->n; i++) {
		const struct clause *clause = &condition->clauses[i];

		if (!is_equality(clause))
			continue;
		if (clause->column->index == COLUMN_UUID)
			return clause;
		for (j = 0; j < terms->n; j++) {
			if (terms->columns[j] == clause->column)
				break;
		}
		if (j < terms->n || terms->n == LOOKUP_MAX_TERMS
		    || clause->column->index == COLUMN_VERSION)
			continue;
		terms->columns[terms->n] = clause->column;
		terms->values[terms->n++] = &clause->argument;
	}
	return NULL;
}

/* Where there is one at most, to include it is to equal it. */
static bool
is_equality(const struct clause *clause)
{
	return clause->function == CONDITION_EQ
	       || (clause->function == CONDITION_INCLUDES
		   && clause->column->type.n_max == 1
		   && clause->argument.n == 1);
}

static bool
visit_match(void *query_, const struct row *row)
{
	struct query *query = query_;

	if (!condition_matches(query->condition, row))
		return true;
	return query->visit(query->ctx, row);
}
