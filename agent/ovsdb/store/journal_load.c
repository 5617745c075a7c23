/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/store/journal_load.h"

#include <stdlib.h>
#include <string.h>

#include "agent/ovsdb/value/decode.h"
#include "agent/ovsdb/store/history.h"
#include "agent/ovsdb/store/journal_compact.h"
#include "agent/ovsdb/store/journal_record.h"
#include "agent/ovsdb/store/row.h"
#include "agent/ovsdb/store/transaction.h"

enum { MAX_NAME = 256 };

/* A record that is being done. */
struct load {
	struct database *database;
	struct transaction *txn;
	struct table *table;
	bool is_diff;
	bool is_odd;		/* Not what anybody writes: jansson's. */
	struct uuid id;		/* That it goes up to, or zero. */
};

static bool load_rows(struct journal_reader *, struct load *,
		      struct ovsdb_error **);
static void begin(struct journal_reader *, struct decoding *);
static bool each_member(struct decoding *, struct load *,
			bool (*visit)(struct decoding *, struct load *,
				      const char *name,
				      struct ovsdb_error **),
			struct ovsdb_error **);
static bool look(struct decoding *, struct load *, const char *name,
		 struct ovsdb_error **);
static bool skip(struct decoding *, struct load *, const char *name,
		 struct ovsdb_error **);
static bool load_table(struct decoding *, struct load *, const char *name,
		       struct ovsdb_error **);
static bool load_row(struct decoding *, struct load *, const char *name,
		     struct ovsdb_error **);
static struct ovsdb_error *set_columns(struct decoding *, struct row *,
				       bool is_diff);
static struct ovsdb_error *set_column(struct decoding *, struct row *,
				      const char *name, bool is_diff);
static struct ovsdb_error *load_whole(struct journal_reader *,
				      struct database *);

/* A compacted file begins with a record that says which transaction it goes up
 * to; every other has an id that comes from what it says. */
struct ovsdb_error *
journal_load(struct journal_reader *reader, struct database *db)
{
	struct load load = { .database = db };
	struct ovsdb_error *error = NULL;
	struct decoding d;

	/* First what it is; then what it says. */
	begin(reader, &d);
	load.is_odd = !each_member(&d, &load, look, &error);
	decode_done(&d);
	db->replayed = load.id;
	if (!uuid_is_zero(&db->last_recorded) || uuid_is_zero(&load.id))
		history_next_id(&db->last_recorded, reader->sha1,
				&db->replayed);
	if (load.is_odd || !load_rows(reader, &load, &error))
		error = load_whole(reader, db);
	if (!error) {
		db->last_transaction = db->last_recorded = db->replayed;
		db->is_last_from_file = true;
	}
	memset(&db->replayed, 0, sizeof db->replayed);
	return error;
}

/* Returns false, and nothing has happened, if jansson has to see to it. */
static bool
load_rows(struct journal_reader *reader, struct load *load,
	  struct ovsdb_error **error)
{
	struct decoding d;
	bool ok;

	load->txn = transaction_begin(load->database);
	begin(reader, &d);
	ok = each_member(&d, load, load_table, error);
	decode_done(&d);
	if (ok && !*error)
		*error = transaction_commit(load->txn, false);
	else
		transaction_abort(load->txn);
	return ok || *error;
}

static void
begin(struct journal_reader *reader, struct decoding *d)
{
	if (reader->body)
		decode_text(d, reader->body, reader->body_size);
	else if (!fseeko(reader->stream, reader->offset - reader->body_size,
			 SEEK_SET))
		decode_stream(d, reader->stream, reader->body_size);
	else
		decode_text(d, "", 0);
}

/* Of one object, to its end. */
static bool
each_member(struct decoding *d, struct load *load,
	    bool (*visit)(struct decoding *, struct load *, const char *name,
			  struct ovsdb_error **),
	    struct ovsdb_error **error)
{
	char name[MAX_NAME];

	if (!decode_char(d, '{'))
		return false;
	if (decode_char(d, '}'))
		return true;
	do {
		if (!decode_name(d, name, sizeof name) || !decode_char(d, ':')
		    || !visit(d, load, name, error))
			return false;
	} while (decode_char(d, ','));
	return decode_char(d, '}');
}

static bool
look(struct decoding *d, struct load *load, const char *name,
     struct ovsdb_error **error)
{
	const char *text;
	size_t size;

	if (*name != '_')
		return each_member(d, load, skip, error);
	if (!decode_extent(d, &text, &size))
		return false;
	if (!strcmp(name, "_is_diff"))
		load->is_diff = size == 4 && !memcmp(text, "true", 4);
	else if (!strcmp(name, "_comment") && size >= 2)
		journal_compact_id(text + 1, size - 2, &load->id);
	return true;
}

static bool
skip(struct decoding *d, struct load *load, const char *name,
     struct ovsdb_error **error)
{
	const char *text;
	size_t size;

	(void) load;
	(void) name;
	(void) error;
	return decode_extent(d, &text, &size);
}

static bool
load_table(struct decoding *d, struct load *load, const char *name,
	   struct ovsdb_error **error)
{
	if (*name == '_')
		return skip(d, load, name, error);
	load->table = database_table(load->database, name);
	return load->table && each_member(d, load, load_row, error);
}

static bool
load_row(struct decoding *d, struct load *load, const char *name,
	 struct ovsdb_error **error)
{
	const struct row *committed;
	struct decoding columns;
	struct row *row = NULL;
	const char *text;
	struct uuid uuid;
	size_t size;

	if (!uuid_from_text(name, &uuid) || !decode_extent(d, &text, &size))
		return false;
	committed = transaction_find(load->txn, load->table, &uuid);
	if (size == 4 && !memcmp(text, "null", 4)) {
		if (committed)
			transaction_delete(load->txn, committed);
		return true;
	}
	if (committed)
		row = transaction_modify(load->txn, committed);
	else
		*error = transaction_insert(load->txn, load->table, &uuid,
					    &row);
	if (!*error) {
		decode_text(&columns, text, size);
		*error = set_columns(&columns, row,
				     load->is_diff && committed);
	}
	*error = ovsdb_error_prefix(*error, "table %s row %s",
				    load->table->schema->name, name);
	return !*error;
}

static struct ovsdb_error *
set_columns(struct decoding *d, struct row *row, bool is_diff)
{
	struct ovsdb_error *error = NULL;
	char name[MAX_NAME];

	if (!decode_char(d, '{'))
		return ovsdb_error(OVSDB_SYNTAX_ERROR, "not an object");
	if (decode_char(d, '}'))
		return NULL;
	do {
		if (!decode_name(d, name, sizeof name) || !decode_char(d, ':'))
			return ovsdb_error(OVSDB_SYNTAX_ERROR,
					   "not an object");
		error = set_column(d, row, name, is_diff);
	} while (!error && decode_char(d, ','));
	if (!error && !decode_char(d, '}'))
		error = ovsdb_error(OVSDB_SYNTAX_ERROR, "not an object");
	return error;
}

static struct ovsdb_error *
set_column(struct decoding *d, struct row *row, const char *name, bool is_diff)
{
	const struct column *column;
	struct ovsdb_error *error;
	struct datum value, now, room;
	const char *text;
	size_t size;

	column = table_schema_column(row->table->schema, name);
	if (!column || column->index < N_STANDARD_COLUMNS)
		return ovsdb_error(OVSDB_SYNTAX_ERROR,
				   "there is no column %.64s", name);
	if (!decode_extent(d, &text, &size))
		return ovsdb_error(OVSDB_SYNTAX_ERROR, "column %s has no"
				   " value", name);
	error = decode_datum(text, size, &column->type, &value);
	if (error)
		return ovsdb_error_prefix(error, "column %s", name);
	if (is_diff) {
		datum_diff(row_datum(row, column, &room), &value,
			   &column->type, &now);
		datum_done(&value, &column->type);
		value = now;
	}
	if (column->is_ephemeral)
		datum_done(&value, &column->type);
	else
		row_set(row, column, &value);
	return NULL;
}

/* All of it at once. */
static struct ovsdb_error *
load_whole(struct journal_reader *reader, struct database *db)
{
	struct ovsdb_error *error;
	char *body = reader->body;
	json_t *record = NULL;

	if (!body) {
		body = malloc(reader->body_size);
		if (!body)
			return ovsdb_error(OVSDB_IO_ERROR,
					   "it does not fit in memory");
		if (!fseeko(reader->stream, reader->offset
					    - reader->body_size, SEEK_SET)
		    && fread(body, 1, reader->body_size, reader->stream)
		       == (size_t) reader->body_size)
			record = json_loadb(body, reader->body_size, 0, NULL);
	} else {
		record = json_loadb(body, reader->body_size, 0, NULL);
	}
	if (record)
		error = journal_record_apply(record, db);
	else
		error = ovsdb_error(OVSDB_SYNTAX_ERROR, "it is not JSON");
	json_decref(record);
	if (body != reader->body)
		free(body);
	return error;
}
