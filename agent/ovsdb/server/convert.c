/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/server/convert.h"

#include <assert.h>
#include <string.h>

#include "agent/ovsdb/store/history.h"
#include "agent/ovsdb/store/journal.h"
#include "agent/ovsdb/store/row.h"
#include "agent/ovsdb/store/transaction.h"

static struct ovsdb_error *copy_rows(const struct database *from,
				     struct database *to);
static struct ovsdb_error *copy_table(const struct table *,
				      struct transaction *, struct table *);
static struct ovsdb_error *copy_row(const struct row *, struct row *);
static void adopt_tables(struct database *);

struct ovsdb_error *
convert_prepare(struct database *db, struct schema *schema,
		struct database **ret_converted)
{
	struct database *converted;
	struct ovsdb_error *error;

	if (strcmp(schema->name, database_name(db))) {
		error = ovsdb_error("invalid parameters", "new schema name "
				    "(%s) does not match database name (%s)",
				    schema->name, database_name(db));
		schema_free(schema);
		return error;
	}
	converted = database_new(schema, NULL);
	history_set_size(converted->history, history_size(db->history));
	error = copy_rows(db, converted);
	/* Nobody has seen what it is now. */
	uuid_generate(&converted->last_transaction);
	converted->last_recorded = converted->last_transaction;
	if (!error && db->journal)
		error = journal_replace(db->journal, converted);
	if (error) {
		database_free(converted);
		return error;
	}
	*ret_converted = converted;
	return NULL;
}

void
convert_finish(struct database *db, struct database *converted)
{
	struct database old = *db;

	assert(!db->transaction && !converted->transaction);
	*db = *converted;
	db->journal = old.journal;
	db->observers = old.observers;
	adopt_tables(db);
	*converted = old;
	converted->journal = NULL;
	adopt_tables(converted);
	database_free(converted);
}

static struct ovsdb_error *
copy_rows(const struct database *from, struct database *to)
{
	struct transaction *txn = transaction_begin(to);

	for (size_t i = 0; i < from->schema->n_tables; i++) {
		const struct table *table = &from->tables[i];
		struct table *copy = database_table(to, table->schema->name);
		struct ovsdb_error *error;

		if (!copy)
			continue;
		error = copy_table(table, txn, copy);
		if (error) {
			transaction_abort(txn);
			return error;
		}
	}
	return transaction_commit(txn, false);
}

static struct ovsdb_error *
copy_table(const struct table *table, struct transaction *txn,
	   struct table *copies)
{
	struct ovsdb_error *error = NULL;
	const struct row *row;

	for (row = table_first(table); row && !error;
	     row = table_next(table, row)) {
		struct row *copy;

		error = transaction_insert(txn, copies, row_uuid(row), &copy);
		if (!error)
			error = copy_row(row, copy);
		if (error) {
			char uuid[UUID_TEXT_SIZE];

			uuid_to_text(row_uuid(row), uuid);
			error = ovsdb_error_prefix(error, "table %s row %s",
						   table->schema->name, uuid);
		}
	}
	return error;
}

static struct ovsdb_error *
copy_row(const struct row *row, struct row *copy)
{
	const struct table_schema *from = row_table(row)->schema;

	for (size_t i = N_STANDARD_COLUMNS; i < from->n_columns; i++) {
		const struct column *column = from->columns[i], *to;
		struct ovsdb_error *error;
		struct datum datum, room;
		json_t *json;

		to = table_schema_column(row_table(copy)->schema, column->name);
		if (!to)
			continue;
		json = datum_to_json(row_datum(row, column, &room),
				     &column->type);
		error = datum_from_json(json, &to->type, NULL, &datum);
		json_decref(json);
		if (error)
			return ovsdb_error_prefix(error, "column %s",
						  column->name);
		row_set(copy, to, &datum);
	}
	return NULL;
}

static void
adopt_tables(struct database *db)
{
	for (size_t i = 0; i < db->schema->n_tables; i++)
		db->tables[i].database = db;
}
