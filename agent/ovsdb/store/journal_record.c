/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/store/journal_record.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/base/memory.h"
#include "agent/ovsdb/store/row.h"
#include "agent/ovsdb/store/transaction.h"

static bool encode_table(struct encoding *, const struct commit *,
			 size_t first);
static bool encode_change(struct encoding *, const struct change *);
static bool encode_changed(struct encoding *, const struct change *);
static void encode_member(struct encoding *, bool is_first, const char *name);
static void encode_diff(struct encoding *, const struct datum *old,
			const struct datum *new, const struct column_type *);
static struct ovsdb_error *apply_table(struct transaction *, struct table *,
				       json_t *, bool is_diff);
static struct ovsdb_error *apply_row(struct transaction *, struct table *,
				     const struct uuid *, json_t *,
				     bool is_diff);
static struct ovsdb_error *apply_column(struct row *, const struct column *,
					json_t *, bool is_diff);

bool
journal_record_from_commit(const struct commit *commit, const char *comment,
			   struct encoding *e)
{
	const struct change *changes = commit->changes;
	size_t n_tables = commit->database->schema->n_tables;
	bool *is_done = xcalloc(n_tables, sizeof *is_done);
	const size_t start = e->n;
	struct timespec now;
	bool any = false;
	size_t i;

	/* What is to be known before the rows stands in front of them. */
	clock_gettime(CLOCK_REALTIME, &now);
	encode_text(e, "{\"_date\":");
	encode_integer(e, now.tv_sec * INT64_C(1000)
			  + now.tv_nsec / 1000000);
	encode_text(e, ",\"_is_diff\":true");
	if (comment) {
		encode_text(e, ",\"_comment\":");
		encode_string(e, comment, strlen(comment));
	}
	for (i = 0; i < commit->n_changes; i++) {
		bool *done = &is_done[changes[i].table->schema->index];

		if (!*done && encode_table(e, commit, i))
			any = true;
		*done = true;
	}
	free(is_done);
	if (!any)
		e->n = start;
	else
		encode_bytes(e, "}", 1);
	return any;
}

void
journal_record_from_row(const struct row *row, struct encoding *e)
{
	const struct table_schema *schema = row_table(row)->schema;
	bool any = false;
	size_t i;

	encode_bytes(e, "{", 1);
	for (i = N_STANDARD_COLUMNS; i < schema->n_columns; i++) {
		const struct column *column = schema->columns[i];
		const struct datum *d;
		struct datum room;

		if (column->is_ephemeral)
			continue;
		d = row_datum(row, column, &room);
		if (datum_is_default(d, &column->type))
			continue;
		encode_member(e, !any, column->name);
		encode_datum(e, d, &column->type);
		any = true;
	}
	encode_bytes(e, "}", 1);
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
			error = ovsdb_error_verbatim(
				OVSDB_UNKNOWN_TABLE, record,
				"No table named %.64s.", name);
		else
			error = apply_table(txn, table, rows, is_diff);
		if (error) {
			transaction_abort(txn);
			return error;
		}
	}
	return transaction_commit(txn, false);
}

/* Of all rows in the table of the change 'first'. */
static bool
encode_table(struct encoding *e, const struct commit *commit, size_t first)
{
	const struct table *table = commit->changes[first].table;
	const size_t start = e->n;
	bool any = false;
	size_t i;

	encode_member(e, false, table->schema->name);
	encode_bytes(e, "{", 1);
	for (i = first; i < commit->n_changes; i++) {
		const struct change *change = &commit->changes[i];
		const size_t row = e->n;

		if (change->table != table)
			continue;
		if (any)
			encode_bytes(e, ",", 1);
		encode_uuid(e, &change->uuid);
		encode_bytes(e, ":", 1);
		if (encode_change(e, change))
			any = true;
		else
			e->n = row;
	}
	encode_bytes(e, "}", 1);
	if (!any)
		e->n = start;
	return any;
}

static bool
encode_change(struct encoding *e, const struct change *change)
{
	if (!change->new) {
		encode_text(e, "null");
		return change->old;
	}
	if (change->old)
		return encode_changed(e, change);
	journal_record_from_row(change->new, e);
	return true;
}

static bool
encode_changed(struct encoding *e, const struct change *change)
{
	const struct table_schema *schema = change->table->schema;
	bool any = false;
	size_t i;

	encode_bytes(e, "{", 1);
	for (i = N_STANDARD_COLUMNS; i < schema->n_columns; i++) {
		const struct column *column = schema->columns[i];
		struct datum old, new;

		if (column->is_ephemeral || !change_has(change, column))
			continue;
		encode_member(e, !any, column->name);
		encode_diff(e, row_datum(change->old, column, &old),
			    row_datum(change->new, column, &new),
			    &column->type);
		any = true;
	}
	encode_bytes(e, "}", 1);
	return any;
}

/* Names of tables and columns are <id>s: nothing in them to escape. */
static void
encode_member(struct encoding *e, bool is_first, const char *name)
{
	encode_text(e, is_first ? "\"" : ",\"");
	encode_text(e, name);
	encode_bytes(e, "\":", 2);
}

static void
encode_diff(struct encoding *e, const struct datum *old,
	    const struct datum *new, const struct column_type *type)
{
	struct datum d;

	datum_diff(old, new, type, &d);
	encode_datum(e, &d, type);
	datum_done(&d, type);
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
	struct datum d, now, room;

	error = datum_from_json_unchecked(json, &column->type, &d);
	if (error)
		return error;
	if (is_diff) {
		datum_diff(row_datum(row, column, &room), &d, &column->type,
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
