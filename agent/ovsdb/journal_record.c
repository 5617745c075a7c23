/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/journal_record.h"

#include <string.h>
#include <time.h>

#include "agent/ovsdb/row.h"
#include "agent/ovsdb/transaction.h"

static json_t *row_to_json(const struct change *);
static json_t *datum_diff_to_json(const struct datum *old,
				  const struct datum *new,
				  const struct column_type *);
static struct ovsdb_error *apply_table(struct transaction *, struct table *,
				       json_t *, bool is_diff);
static struct ovsdb_error *apply_row(struct transaction *, struct table *,
				     const struct uuid *, json_t *,
				     bool is_diff);
static struct ovsdb_error *apply_column(struct row *, const struct column *,
					json_t *, bool is_diff);

json_t *
journal_record_from_commit(const struct commit *commit, const char *comment)
{
	json_t *record = json_object();
	struct timespec now;
	size_t i;

	for (i = 0; i < commit->n_changes; i++) {
		const struct change *change = &commit->changes[i];
		const char *name = change->table->schema->name;
		char uuid[UUID_TEXT_SIZE];
		json_t *table, *row;

		row = row_to_json(change);
		if (!row)
			continue;
		table = json_object_get(record, name);
		if (!table) {
			table = json_object();
			json_object_set_new(record, name, table);
		}
		uuid_to_text(&change->uuid, uuid);
		json_object_set_new(table, uuid, row);
	}
	if (!json_object_size(record)) {
		json_decref(record);
		return NULL;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	json_object_set_new(record, "_date",
			    json_integer(now.tv_sec * INT64_C(1000)
					 + now.tv_nsec / 1000000));
	json_object_set_new(record, "_is_diff", json_true());
	if (comment)
		json_object_set_new(record, "_comment", json_string(comment));
	return record;
}

json_t *
journal_record_from_row(const struct row *row)
{
	const struct table_schema *schema = row->table->schema;
	json_t *json = json_object();
	size_t i;

	for (i = N_STANDARD_COLUMNS; i < schema->n_columns; i++) {
		const struct column *column = schema->columns[i];

		if (!column->is_ephemeral
		    && !datum_is_default(&row->data[i], &column->type))
			json_object_set_new(json, column->name,
					    datum_to_json(&row->data[i],
							  &column->type));
	}
	return json;
}

struct ovsdb_error *
journal_record_apply(json_t *record, struct database *db)
{
	bool is_diff = json_is_true(json_object_get(record, "_is_diff"));
	struct ovsdb_error *error = NULL;
	struct transaction *txn;
	const char *name;
	json_t *rows;

	if (!json_is_object(record))
		return ovsdb_error(OVSDB_SYNTAX_ERROR,
				   "a transaction is an object");
	txn = transaction_begin(db);
	json_object_foreach(record, name, rows) {
		struct table *table;

		if (*name == '_')
			continue;
		table = database_table(db, name);
		if (!table)
			error = ovsdb_error(OVSDB_SYNTAX_ERROR,
					    "there is no table %.64s", name);
		else
			error = apply_table(txn, table, rows, is_diff);
		if (error) {
			transaction_abort(txn);
			return error;
		}
	}
	return transaction_commit(txn, false);
}

static json_t *
row_to_json(const struct change *change)
{
	const struct table_schema *schema = change->table->schema;
	json_t *json;
	size_t i;

	if (!change->new)
		return change->old ? json_null() : NULL;
	if (!change->old)
		return journal_record_from_row(change->new);

	json = json_object();
	for (i = N_STANDARD_COLUMNS; i < schema->n_columns; i++) {
		const struct column *column = schema->columns[i];

		if (!column->is_ephemeral && change_has(change, column))
			json_object_set_new(json, column->name,
					    datum_diff_to_json(
						    &change->old->data[i],
						    &change->new->data[i],
						    &column->type));
	}
	if (!json_object_size(json)) {
		json_decref(json);
		return NULL;
	}
	return json;
}

static json_t *
datum_diff_to_json(const struct datum *old, const struct datum *new,
		   const struct column_type *type)
{
	struct datum diff;
	json_t *json;

	datum_diff(old, new, type, &diff);
	json = datum_to_json(&diff, type);
	datum_done(&diff, type);
	return json;
}

static struct ovsdb_error *
apply_table(struct transaction *txn, struct table *table, json_t *rows,
	    bool is_diff)
{
	const char *name;
	json_t *row;

	if (!json_is_object(rows))
		return ovsdb_error(OVSDB_SYNTAX_ERROR,
				   "table %s is not an object",
				   table->schema->name);
	json_object_foreach(rows, name, row) {
		struct ovsdb_error *error;
		struct uuid uuid;

		if (!uuid_from_text(name, &uuid))
			return ovsdb_error(OVSDB_SYNTAX_ERROR, "table %s:"
					   " %.64s is not a UUID",
					   table->schema->name, name);
		error = apply_row(txn, table, &uuid, row, is_diff);
		if (error)
			return ovsdb_error_prefix(error, "table %s row %s",
						  table->schema->name, name);
	}
	return NULL;
}

static struct ovsdb_error *
apply_row(struct transaction *txn, struct table *table,
	  const struct uuid *uuid, json_t *json, bool is_diff)
{
	const struct row *committed = transaction_find(txn, table, uuid);
	struct ovsdb_error *error;
	struct row *row;
	const char *name;
	json_t *value;

	if (json_is_null(json)) {
		if (committed)
			transaction_delete(txn, committed);
		return NULL;
	}
	if (!json_is_object(json))
		return ovsdb_error(OVSDB_SYNTAX_ERROR, "not an object");
	if (committed) {
		row = transaction_modify(txn, committed);
	} else {
		error = transaction_insert(txn, table, uuid, &row);
		if (error)
			return error;
	}
	json_object_foreach(json, name, value) {
		const struct column *column;

		column = table_schema_column(table->schema, name);
		if (!column || column->index < N_STANDARD_COLUMNS)
			return ovsdb_error(OVSDB_SYNTAX_ERROR,
					   "there is no column %.64s", name);
		error = apply_column(row, column, value,
				     is_diff && committed);
		if (error)
			return ovsdb_error_prefix(error, "column %s", name);
	}
	return NULL;
}

static struct ovsdb_error *
apply_column(struct row *row, const struct column *column, json_t *json,
	     bool is_diff)
{
	struct ovsdb_error *error;
	struct datum d, now;

	error = datum_from_json_unchecked(json, &column->type, &d);
	if (error)
		return error;
	if (is_diff) {
		datum_diff(&row->data[column->index], &d, &column->type,
			   &now);
		datum_done(&d, &column->type);
		d = now;
	}
	if (column->is_ephemeral)
		datum_done(&d, &column->type);
	else
		row_set(row, column, &d);
	return NULL;
}
