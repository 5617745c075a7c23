/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/store/constraint.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/ovsdb/store/transaction_lookup.h"
#include "agent/ovsdb/store/transaction_row.h"

/* One column's strong references that come or go. */
struct adjustment {
	struct transaction *txn;
	struct transaction_row *holder;
	const struct column *column;
	const struct base_type *base;
};

struct stack {
	struct transaction_row **rows;
	size_t n, max;
};

struct mending {
	struct transaction *txn;
	struct table *key_table, *value_table;
	bool finds_dead;
};

static struct ovsdb_error *count_references(struct transaction *,
					    struct transaction_row *);
static struct ovsdb_error *count_column(struct adjustment *,
					const struct datum *old,
					const struct datum *new);
static struct ovsdb_error *count_atom(struct adjustment *,
				      const union atom *, int delta);
static struct ovsdb_error *check_deleted(const struct transaction *);
static void collect_garbage(struct transaction *);
static void collect_row(struct transaction *, struct transaction_row *,
			struct stack *);
static void drop_references(struct transaction *, struct transaction_row *,
			    const struct base_type *, const struct datum *,
			    bool is_value, struct stack *);
static bool is_garbage(const struct transaction_row *);
static void push(struct stack *, struct transaction_row *);
static struct ovsdb_error *check_max_rows(const struct transaction *);
static void find_broken(struct transaction *);
static struct ovsdb_error *mend_row(struct transaction *,
				    struct transaction_row *, bool *again);
static struct ovsdb_error *mend_column(struct transaction *,
				       struct transaction_row *,
				       const struct column *, bool *again);
static struct ovsdb_error *drop_strong(struct transaction *,
				       struct transaction_row *,
				       const struct column *,
				       const struct datum *old,
				       const struct datum *new, bool *again);
static bool leads_somewhere(void *mending, const union atom *key,
			    const union atom *value);
static bool note_dead(void *mending, const union atom *key,
		      const union atom *value);
static struct ovsdb_error *became_empty(const struct transaction_row *,
					const struct column *, uint32_t n);
static struct ovsdb_error *check_indexes(struct transaction *,
					 struct transaction_row *);
static bool index_changed(const struct transaction_row *, size_t index);
static struct ovsdb_error *duplicate(const struct transaction_row *,
				     const struct row *other, size_t index);
static bool is_before(const struct row *, const struct row *,
		      const struct table_schema *);
static char *index_columns(const struct table_schema *, size_t index);
static char *index_values(const struct row *, const struct table_schema *,
			  size_t index);
static char *origin(const struct row *, const struct table_schema *,
		    size_t index);

struct ovsdb_error *
constraint_check(struct transaction *txn)
{
	struct ovsdb_error *error;
	size_t n = txn->n_rows;
	bool again;
	size_t i;

	for (i = 0; i < n; i++) {
		error = count_references(txn, txn->rows[i]);
		if (error)
			return error;
	}
	error = check_deleted(txn);
	if (error)
		return error;
	do {
		again = false;
		collect_garbage(txn);
		find_broken(txn);
		for (i = 0; i < txn->n_rows; i++) {
			error = mend_row(txn, txn->rows[i], &again);
			if (error)
				return error;
		}
	} while (again);
	error = check_max_rows(txn);
	if (error)
		return error;
	for (i = 0; i < txn->n_rows; i++) {
		error = check_indexes(txn, txn->rows[i]);
		if (error)
			return error;
	}
	return NULL;
}

static struct ovsdb_error *
count_references(struct transaction *txn, struct transaction_row *r)
{
	const struct table_schema *schema = r->table->schema;
	size_t i;

	if (!r->table->has_strong || r->old == r->new)
		return NULL;
	for (i = N_STANDARD_COLUMNS; i < schema->n_columns; i++) {
		const struct column *column = schema->columns[i];
		struct adjustment adjustment = { txn, r, column, NULL };
		struct datum old = { 0 }, new = { 0 };
		struct ovsdb_error *error;

		if (!transaction_row_has_changed(r, column))
			continue;
		if (r->old)
			row_datum(r->old, column, &old);
		if (r->new)
			row_datum(r->new, column, &new);
		adjustment.base = &column->type.key;
		error = count_column(&adjustment, &old, &new);
		if (error)
			return error;
		adjustment.base = &column->type.value;
		error = count_column(&adjustment, &old, &new);
		if (error)
			return error;
	}
	return NULL;
}

/* Keys are sorted, so those that stay are skipped without a look at the rows
 * that they lead to. */
static struct ovsdb_error *
count_column(struct adjustment *a, const struct datum *old,
	     const struct datum *new)
{
	bool is_value = a->base == &a->column->type.value;
	struct ovsdb_error *error = NULL;
	uint32_t i = 0, j = 0;

	if (!a->base->ref_table || a->base->ref_kind != REFERENCE_STRONG)
		return NULL;
	if (is_value) {
		for (j = 0; j < new->n && !error; j++)
			error = count_atom(a, datum_value(new, j), +1);
		for (i = 0; i < old->n && !error; i++)
			error = count_atom(a, datum_value(old, i), -1);
		return error;
	}
	while (!error && (i < old->n || j < new->n)) {
		int order = i == old->n ? 1 : j == new->n ? -1
			: uuid_compare(&datum_key(old, i)->uuid,
				       &datum_key(new, j)->uuid);

		if (order < 0)
			error = count_atom(a, datum_key(old, i), -1);
		else if (order > 0)
			error = count_atom(a, datum_key(new, j), +1);
		i += order <= 0;
		j += order >= 0;
	}
	return error;
}

static struct ovsdb_error *
count_atom(struct adjustment *a, const union atom *atom, int delta)
{
	struct table *table = row_target(a->holder->table, a->base);
	char from[UUID_TEXT_SIZE], to[UUID_TEXT_SIZE];
	struct transaction_row *target;

	/* A row does not keep itself alive. */
	if (table == a->holder->table
	    && uuid_equal(&atom->uuid, &a->holder->uuid))
		return NULL;
	target = transaction_touch(a->txn, table, &atom->uuid);
	if (target) {
		target->n_refs += delta;
		return NULL;
	}
	uuid_to_text(&a->holder->uuid, from);
	uuid_to_text(&atom->uuid, to);
	return ovsdb_error(OVSDB_REFERENTIAL_INTEGRITY,
			   "Table %s column %s row %s references nonexistent"
			   " row %s in table %s.",
			   a->holder->table->schema->name, a->column->name,
			   from, to, table->schema->name);
}

static struct ovsdb_error *
check_deleted(const struct transaction *txn)
{
	size_t i;

	for (i = 0; i < txn->n_rows; i++) {
		const struct transaction_row *r = txn->rows[i];
		char text[UUID_TEXT_SIZE];

		if (r->new || !r->n_refs)
			continue;
		uuid_to_text(&r->uuid, text);
		return ovsdb_error(OVSDB_REFERENTIAL_INTEGRITY,
				   "cannot delete %s row %s because of %u"
				   " remaining reference(s)",
				   r->table->schema->name, text, r->n_refs);
	}
	return NULL;
}

static void
collect_garbage(struct transaction *txn)
{
	struct stack stack = { NULL, 0, 0 };
	size_t i;

	for (i = 0; i < txn->n_rows; i++) {
		if (is_garbage(txn->rows[i]))
			push(&stack, txn->rows[i]);
		while (stack.n)
			collect_row(txn, stack.rows[--stack.n], &stack);
	}
	free(stack.rows);
}

static void
collect_row(struct transaction *txn, struct transaction_row *r,
	    struct stack *stack)
{
	const struct table_schema *schema = r->table->schema;
	size_t i;

	for (i = N_STANDARD_COLUMNS;
	     r->table->has_strong && i < schema->n_columns; i++) {
		const struct column_type *type = &schema->columns[i]->type;

		struct datum room;
		const struct datum *d = row_datum(r->new, schema->columns[i],
						  &room);

		drop_references(txn, r, &type->key, d, false, stack);
		drop_references(txn, r, &type->value, d, true, stack);
	}
	transaction_row_delete(txn, r);
	transaction_row_settle(txn, r);
}

static void
drop_references(struct transaction *txn, struct transaction_row *r,
		const struct base_type *base, const struct datum *d,
		bool is_value, struct stack *stack)
{
	struct table *table = row_target(r->table, base);
	uint32_t i;

	if (!table || base->ref_kind != REFERENCE_STRONG)
		return;
	for (i = 0; i < d->n; i++) {
		const union atom *atom = is_value ? datum_value(d, i)
						  : datum_key(d, i);
		struct transaction_row *target;

		if (table == r->table && uuid_equal(&atom->uuid, &r->uuid))
			continue;
		target = transaction_touch(txn, table, &atom->uuid);
		if (!target)
			continue;
		target->n_refs--;
		if (is_garbage(target))
			push(stack, target);
	}
}

static bool
is_garbage(const struct transaction_row *r)
{
	return r->new && !r->n_refs && !r->table->schema->is_root;
}

static void
push(struct stack *stack, struct transaction_row *row)
{
	if (stack->n == stack->max) {
		stack->max = stack->max ? stack->max * 2 : 16;
		stack->rows = xrealloc(stack->rows,
				       stack->max * sizeof *stack->rows);
	}
	stack->rows[stack->n++] = row;
}

static struct ovsdb_error *
check_max_rows(const struct transaction *txn)
{
	size_t i;

	for (i = 0; i < txn->database->schema->n_tables; i++) {
		const struct table *table = &txn->database->tables[i];
		int64_t n_more = txn->tables[i].n_more;

		if (n_more <= 0
		    || row_map_n(&table->rows) + n_more
		       <= table->schema->max_rows)
			continue;
		return ovsdb_error(OVSDB_CONSTRAINT_VIOLATION,
				   "transaction causes \"%s\" table to contain"
				   " %zu rows, greater than the schema-defined"
				   " limit of %u row(s)", table->schema->name,
				   row_map_n(&table->rows) + (size_t) n_more,
				   table->schema->max_rows);
	}
	return NULL;
}

/* Marks the rows that refer weakly to one that goes. */
static void
find_broken(struct transaction *txn)
{
	size_t n = txn->n_rows;
	size_t i;

	for (i = 0; i < n; i++) {
		const struct transaction_row *r = txn->rows[i];
		const struct referrer *referrer;

		if (!r->old || r->new)
			continue;
		for (referrer = row_first_in(r->old); referrer;
		     referrer = referrer->next_in) {
			struct transaction_row *holder;

			holder = transaction_touch(txn, referrer->table,
						   &referrer->uuid);
			if (holder)
				holder->mend = true;
		}
	}
}

static struct ovsdb_error *
mend_row(struct transaction *txn, struct transaction_row *r, bool *again)
{
	const struct table_schema *schema = r->table->schema;
	bool is_written = transaction_row_is_written(r);
	size_t i;

	if (!r->table->has_weak || !r->new || (!r->mend && !is_written))
		return NULL;
	for (i = N_STANDARD_COLUMNS; i < schema->n_columns; i++) {
		const struct column *column = schema->columns[i];
		struct ovsdb_error *error;

		if (!r->mend && !transaction_row_has_changed(r, column))
			continue;
		error = mend_column(txn, r, column, again);
		if (error)
			return error;
	}
	transaction_row_settle(txn, r);
	return NULL;
}

static struct ovsdb_error *
mend_column(struct transaction *txn, struct transaction_row *r,
	    const struct column *column, bool *again)
{
	const struct column_type *type = &column->type;
	struct ovsdb_error *error;
	struct mending mending = { .txn = txn };
	struct datum d, room;
	const struct datum *old;
	uint32_t i;

	if (type->key.ref_table && type->key.ref_kind == REFERENCE_WEAK)
		mending.key_table = row_target(r->table, &type->key);
	if (type->value.ref_table && type->value.ref_kind == REFERENCE_WEAK)
		mending.value_table = row_target(r->table, &type->value);
	if (!mending.key_table && !mending.value_table)
		return NULL;

	old = row_datum(r->new, column, &room);
	for (i = 0; i < old->n && !mending.finds_dead; i++)
		note_dead(&mending, datum_key(old, i),
			  old->is_map ? datum_value(old, i) : NULL);
	if (!mending.finds_dead)
		return NULL;

	datum_copy(old, type, &d);
	datum_filter(&d, type, leads_somewhere, &mending);
	if (d.n < type->n_min) {
		error = became_empty(r, column, d.n);
		datum_done(&d, type);
		return error;
	}
	error = drop_strong(txn, r, column, old, &d, again);
	row_set(transaction_modify(txn, r->new), column, &d);
	return error;
}

/* In a map whose other half is strong, pairs that go take a reference with
 * them, and with it perhaps a row, and with that perhaps more. */
static struct ovsdb_error *
drop_strong(struct transaction *txn, struct transaction_row *r,
	    const struct column *column, const struct datum *old,
	    const struct datum *new, bool *again)
{
	struct adjustment a = { txn, r, column, &column->type.key };
	struct ovsdb_error *error;

	if (!column_type_is_map(&column->type) || !r->table->has_strong)
		return NULL;
	*again = true;
	error = count_column(&a, old, new);
	a.base = &column->type.value;
	return error ? error : count_column(&a, old, new);
}

static bool
leads_somewhere(void *mending_, const union atom *key,
		const union atom *value)
{
	struct mending *mending = mending_;

	return (!mending->key_table
		|| transaction_find(mending->txn, mending->key_table,
				    &key->uuid))
	       && (!mending->value_table
		   || transaction_find(mending->txn, mending->value_table,
				       &value->uuid));
}

static bool
note_dead(void *mending_, const union atom *key, const union atom *value)
{
	struct mending *mending = mending_;

	if (!leads_somewhere(mending, key, value))
		mending->finds_dead = true;
	return true;
}

/* 'n' references are left, but one is needed. */
static struct ovsdb_error *
became_empty(const struct transaction_row *r, const struct column *column,
	     uint32_t n)
{
	struct datum room;
	const struct datum *d = row_datum(r->new, column, &room);
	static const struct uuid none;
	char text[UUID_TEXT_SIZE];

	uuid_to_text(&r->uuid, text);
	if (!r->old && d->n == 1 && column->type.key.type == ATOM_UUID
	    && uuid_equal(&datum_key(d, 0)->uuid, &none))
		return ovsdb_error(OVSDB_CONSTRAINT_VIOLATION,
				   "Weak reference column \"%s\" in \"%s\" row"
				   " %s (inserted within this transaction)"
				   " contained all-zeros UUID (probably as the"
				   " default value for this column) but"
				   " deleting this value caused a constraint"
				   " volation because this column is not"
				   " allowed to be empty.", column->name,
				   r->table->schema->name, text);
	return ovsdb_error(OVSDB_CONSTRAINT_VIOLATION,
			   "Deletion of %u weak reference(s) to deleted (or"
			   " never-existing) rows from column \"%s\" in \"%s\""
			   " row %s caused this column to become empty, but"
			   " constraints on this column disallow an empty"
			   " column.", d->n - n, column->name,
			   r->table->schema->name, text);
}

static struct ovsdb_error *
check_indexes(struct transaction *txn, struct transaction_row *r)
{
	const struct table_schema *schema = r->table->schema;
	size_t i, j;

	if (!transaction_row_is_written(r))
		return NULL;
	for (i = 0; i < schema->n_indexes; i++) {
		struct row **rows;
		size_t n;

		if (!index_changed(r, i))
			continue;
		rows = transaction_match(txn, r->table, i,
					 lookup_hash(&r->table->lookups.all[i],
						     r->new), &n);
		for (j = 0; j < n; j++) {
			if (rows[j] != r->new
			    && row_index_equal(rows[j], r->new, i)) {
				struct row *other = rows[j];

				free(rows);
				return duplicate(r, other, i);
			}
		}
		free(rows);
	}
	return NULL;
}

static bool
index_changed(const struct transaction_row *r, size_t index)
{
	const struct table_schema *schema = r->table->schema;
	size_t i;

	for (i = 0; i < schema->indexes[index].n; i++) {
		if (transaction_row_has_changed(
			    r, schema->indexes[index].columns[i]))
			return true;
	}
	return false;
}

static struct ovsdb_error *
duplicate(const struct transaction_row *r, const struct row *other,
	  size_t index)
{
	const struct table_schema *schema = r->table->schema;
	const struct row *first = r->new, *second = other;
	char first_uuid[UUID_TEXT_SIZE], second_uuid[UUID_TEXT_SIZE];
	char *values, *columns, *first_origin, *second_origin;
	struct ovsdb_error *error;

	/* One and the same order, whichever was found first. */
	if (is_before(first, second, schema)) {
		first = other;
		second = r->new;
	}
	columns = index_columns(schema, index);
	values = index_values(first, schema, index);
	first_origin = origin(first, schema, index);
	second_origin = origin(second, schema, index);
	uuid_to_text(row_uuid(first), first_uuid);
	uuid_to_text(row_uuid(second), second_uuid);
	error = ovsdb_error(OVSDB_CONSTRAINT_VIOLATION,
			    "Transaction causes multiple rows in \"%s\" table"
			    " to have identical values (%.512s) for index on"
			    " %s.  First row, with UUID %s, %s.  Second row,"
			    " with UUID %s, %s.", schema->name, values,
			    columns, first_uuid, first_origin, second_uuid,
			    second_origin);
	free(second_origin);
	free(first_origin);
	free(values);
	free(columns);
	return error;
}

static bool
is_before(const struct row *a, const struct row *b,
	  const struct table_schema *schema)
{
	size_t i;

	for (i = N_STANDARD_COLUMNS; i < schema->n_columns; i++) {
		const struct column *column = schema->columns[i];
		struct datum a_room, b_room;
		int order = datum_compare(row_datum(a, column, &a_room),
					  row_datum(b, column, &b_room),
					  &column->type);

		if (order)
			return order < 0;
	}
	return uuid_compare(row_uuid(a), row_uuid(b)) < 0;
}

static char *
index_columns(const struct table_schema *schema, size_t index)
{
	size_t n = schema->indexes[index].n, i;
	char *text = xstrdup(n > 1 ? "columns " : "column ");

	for (i = 0; i < n; i++) {
		char *more = xasprintf("%s%s\"%s\"", text, !i ? ""
				       : i + 1 < n ? ", "
				       : n > 2 ? ", and " : " and ",
				       schema->indexes[index].columns[i]
				       ->name);

		free(text);
		text = more;
	}
	return text;
}

static char *
index_values(const struct row *row, const struct table_schema *schema,
	     size_t index)
{
	char *text = xstrdup("");
	size_t i;

	for (i = 0; i < schema->indexes[index].n; i++) {
		const struct column *column =
			schema->indexes[index].columns[i];
		struct datum room;
		json_t *value = datum_to_json(row_datum(row, column, &room),
					      &column->type);
		char *one = json_dumps(value, JSON_COMPACT
					      | JSON_ENCODE_ANY);
		char *more = xasprintf("%s%s%.128s", text, i ? ", " : "",
				       one ? one : "?");

		json_decref(value);
		free(one);
		free(text);
		text = more;
	}
	return text;
}

static char *
origin(const struct row *row, const struct table_schema *schema,
       size_t index)
{
	const struct transaction_row *r = row->transaction;
	char *values, *text;

	if (!r || r->new == r->old)
		return xstrdup("existed in the database before this"
			       " transaction and was not modified by the"
			       " transaction");
	if (!r->old)
		return xstrdup("was inserted by this transaction");
	if (!index_changed(r, index))
		return xstrdup("existed in the database before this"
			       " transaction, which modified some of the row's"
			       " columns but not any columns in this index");
	values = index_values(r->old, schema, index);
	text = xasprintf("had the following index values before the"
			 " transaction: %.512s", values);
	free(values);
	return text;
}
