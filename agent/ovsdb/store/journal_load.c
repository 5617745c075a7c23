/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/store/journal_load.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/ovsdb/value/decode.h"
#include "agent/ovsdb/value/scan.h"
#include "agent/ovsdb/store/fill.h"
#include "agent/ovsdb/store/history.h"
#include "agent/ovsdb/store/journal_compact.h"
#include "agent/ovsdb/store/journal_record.h"
#include "agent/ovsdb/store/row.h"
#include "agent/ovsdb/store/transaction.h"

enum {
	MAX_NAME = 256,
	AHEAD_ROWS = 32,	/* Seen before the first of them is done; */
	AHEAD_SIZE = 16 << 10	/* fewer, if this is their text. */
};

/* A row's text, from where the decoding holds it. */
struct seen {
	struct uuid uuid;
	size_t offset, size;
};

/* A record that is being done: by a transaction, or straight into the
 * tables. */
struct journal_load {
	struct database *database;
	struct fill *fill;
	bool inserts;		/* The last one did nothing else: the next will
				 * not, either. */

	struct transaction *txn;	/* NULL: straight. */
	struct table *table;
	bool is_diff;
	bool knows_diff;	/* It has said so, or has been searched. */
	bool must_know;		/* And that was wanted before. */
	struct uuid id;		/* That it goes up to, or zero. */
	struct ovsdb_error *error;
};

typedef bool visit_member(struct decoding *, struct journal_load *,
			  const char *name);

static bool fill_rows(struct journal_reader *, struct journal_load *);
static bool look_and_load_rows(struct journal_reader *,
			       struct journal_load *);
static bool load_rows(struct journal_reader *, struct journal_load *);
static void take_id(const struct journal_reader *,
		    const struct journal_load *);
static void begin(struct journal_reader *, struct decoding *);
static bool each_member(struct decoding *, struct journal_load *,
			visit_member *);
static bool look(struct decoding *, struct journal_load *, const char *name);
static bool skip(struct decoding *, struct journal_load *, const char *name);
static bool load_table(struct decoding *, struct journal_load *,
		       const char *name);
static bool load_each_row(struct decoding *, struct journal_load *);
static bool see_row(struct decoding *, const struct journal_load *,
		    struct seen *);
static void prefetch_row(const struct table *, const struct uuid *,
			 const char *text, size_t size);
static bool load_seen(const struct decoding *, struct journal_load *,
		      const struct seen *, size_t n);
static bool load_row(struct journal_load *, const struct uuid *,
		     struct scan *);
static bool add_row(struct journal_load *, const struct uuid *,
		    struct scan *);
static bool is_null(const struct scan *);
static bool write_row(struct journal_load *, const struct uuid *,
		      struct scan *);
static struct ovsdb_error *set_columns(struct journal_load *, struct scan *,
				       struct row *, bool is_old);
static const struct column *find_column(const struct table_schema *,
					const struct scanned *name,
					size_t *next);
static struct ovsdb_error *read_value(struct scan *, const struct column *,
				      struct datum *ret_value);
static void set_column(struct journal_load *, struct row *,
		       const struct column *, struct datum *value,
		       bool is_diff);
static struct ovsdb_error *load_whole(struct journal_reader *,
				      struct database *);

struct journal_load *
journal_load_new(struct database *db)
{
	struct journal_load *load = xcalloc(1, sizeof *load);

	load->database = db;
	load->fill = fill_new(db);
	load->inserts = true;
	database_loosen(db);
	return load;
}

void
journal_load_free(struct journal_load *load)
{
	if (!load)
		return;
	database_tighten(load->database);
	fill_free(load->fill);
	free(load);
}

struct ovsdb_error *
journal_load_record(struct journal_load *load, struct journal_reader *reader)
{
	struct database *db = load->database;

	load->is_diff = load->knows_diff = load->must_know = false;
	memset(&load->id, 0, sizeof load->id);
	load->error = NULL;
	if (!fill_rows(reader, load) && !load_rows(reader, load)
	    && !look_and_load_rows(reader, load)) {
		take_id(reader, load);
		load->error = load_whole(reader, db);
	}
	if (!load->error) {
		db->last_transaction = db->last_recorded = db->replayed;
		db->is_last_from_file = true;
	}
	memset(&db->replayed, 0, sizeof db->replayed);
	return load->error;
}

/* Returns false, and nothing has happened, if it has to be done another
 * way. */
static bool
fill_rows(struct journal_reader *reader, struct journal_load *load)
{
	struct decoding d;
	bool ok;

	if (!load->inserts)
		return false;
	begin(reader, &d);
	ok = each_member(&d, load, load_table) && fill_end(load->fill);
	decode_done(&d);
	take_id(reader, load);
	if (ok)
		fill_keep(load->fill, &load->database->replayed);
	else
		fill_undo(load->fill);
	load->inserts = ok;
	ovsdb_error_free(load->error);
	load->error = NULL;
	return ok;
}

/* What it is stands behind what it says, and makes a difference; or it is not
 * what anybody writes, and jansson's. */
static bool
look_and_load_rows(struct journal_reader *reader, struct journal_load *load)
{
	struct decoding d;
	bool ok;

	if (!load->must_know)
		return false;
	begin(reader, &d);
	ok = each_member(&d, load, look);
	decode_done(&d);
	load->knows_diff = true;
	return ok && load_rows(reader, load);
}

/* As fill_rows(), or there is an error. */
static bool
load_rows(struct journal_reader *reader, struct journal_load *load)
{
	struct decoding d;
	bool ok;

	load->txn = transaction_begin(load->database);
	load->inserts = true;
	begin(reader, &d);
	ok = each_member(&d, load, load_table);
	decode_done(&d);
	take_id(reader, load);
	if (ok)
		load->error = transaction_commit(load->txn, false);
	else
		transaction_abort(load->txn);
	load->txn = NULL;
	return ok || load->error;
}

/* A compacted file begins with a record that says which transaction it goes up
 * to; every other has an id that comes from what it says. */
static void
take_id(const struct journal_reader *reader, const struct journal_load *load)
{
	struct database *db = load->database;

	db->replayed = load->id;
	if (!uuid_is_zero(&db->last_recorded) || uuid_is_zero(&load->id))
		history_next_id(&db->last_recorded, reader->sha1,
				&db->replayed);
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
each_member(struct decoding *d, struct journal_load *load, visit_member *visit)
{
	char name[MAX_NAME];

	if (!decode_char(d, '{'))
		return false;
	if (decode_char(d, '}'))
		return true;
	do {
		if (!decode_name(d, name, sizeof name) || !decode_char(d, ':')
		    || !visit(d, load, name))
			return false;
	} while (decode_char(d, ','));
	return decode_char(d, '}');
}

static bool
look(struct decoding *d, struct journal_load *load, const char *name)
{
	const char *text;
	size_t size;

	if (*name != '_')
		return each_member(d, load, skip);
	if (!decode_extent(d, &text, &size))
		return false;
	if (!strcmp(name, "_is_diff")) {
		load->is_diff = size == 4 && !memcmp(text, "true", 4);
		load->knows_diff = true;
	} else if (!strcmp(name, "_comment") && size >= 2) {
		journal_compact_id(text + 1, size - 2, &load->id);
	}
	return true;
}

static bool
skip(struct decoding *d, struct journal_load *load, const char *name)
{
	const char *text;
	size_t size;

	(void) load;
	(void) name;
	return decode_extent(d, &text, &size);
}

static bool
load_table(struct decoding *d, struct journal_load *load, const char *name)
{
	if (*name == '_')
		return look(d, load, name);
	load->table = database_table(load->database, name);
	return load->table && load_each_row(d, load);
}

/* What rows hold is all over the memory.  So that nobody waits for one piece
 * of it after the other, many rows are looked at, and theirs is asked for,
 * before the first of them is done. */
static bool
load_each_row(struct decoding *d, struct journal_load *load)
{
	struct seen rows[AHEAD_ROWS];
	bool ok = true, more;
	const char *text;
	size_t n;

	if (!decode_char(d, '{'))
		return false;
	if (decode_char(d, '}'))
		return true;
	do {
		n = 0;
		decode_hold(d);
		do {
			ok = see_row(d, load, &rows[n]);
			n += ok;
			more = ok && decode_char(d, ',');
		} while (more && n < AHEAD_ROWS
			 && decode_held(d, &text) < AHEAD_SIZE);
		ok = load_seen(d, load, rows, n) && ok;
	} while (ok && more);
	return ok && decode_char(d, '}');
}

static bool
see_row(struct decoding *d, const struct journal_load *load, struct seen *row)
{
	char name[UUID_TEXT_SIZE];
	const char *text, *held;

	if (!decode_name(d, name, sizeof name) || !decode_char(d, ':')
	    || !uuid_from_text(name, &row->uuid)
	    || !decode_extent(d, &text, &row->size))
		return false;
	row->offset = decode_held(d, &held) - row->size;
	prefetch_row(load->table, &row->uuid, text, row->size);
	return true;
}

static void
prefetch_row(const struct table *table, const struct uuid *uuid,
	     const char *text, size_t size)
{
	struct scan scan = { text, text + size };
	struct scanned string;

	row_map_prefetch(&table->rows, row_uuid_hash(uuid));
	while (scan_guess(&scan, &string))
		string_prefetch(string.text, string.size);
}

static bool
load_seen(const struct decoding *d, struct journal_load *load,
	  const struct seen *rows, size_t n)
{
	const char *text;

	decode_held(d, &text);
	for (size_t i = 0; i < n; i++) {
		const char *start = text + rows[i].offset;
		struct scan scan = { start, start + rows[i].size };

		if (!load_row(load, &rows[i].uuid, &scan))
			return false;
	}
	return true;
}

static bool
load_row(struct journal_load *load, const struct uuid *uuid, struct scan *scan)
{
	char name[UUID_TEXT_SIZE];
	bool ok = load->txn ? write_row(load, uuid, scan)
			    : add_row(load, uuid, scan);

	if (load->error) {
		uuid_to_text(uuid, name);
		load->error = ovsdb_error_prefix(load->error,
						 "table %s row %s",
						 load->table->schema->name,
						 name);
	}
	return ok;
}

static bool
add_row(struct journal_load *load, const struct uuid *uuid, struct scan *scan)
{
	struct row *row;

	if (is_null(scan) || table_find(load->table, uuid))
		return false;
	row = row_new(load->table, uuid);
	load->error = set_columns(load, scan, row, false);
	if (!load->error)
		return fill_add(load->fill, row);
	row_free(row);
	return false;
}

static bool
is_null(const struct scan *scan)
{
	return scan->end - scan->p == 4 && !memcmp(scan->p, "null", 4);
}

static bool
write_row(struct journal_load *load, const struct uuid *uuid, struct scan *scan)
{
	const struct row *committed = transaction_find(load->txn, load->table,
						       uuid);
	struct row *row = NULL;

	load->inserts = load->inserts && !committed && !is_null(scan);
	if (is_null(scan)) {
		if (committed)
			transaction_delete(load->txn, committed);
		return true;
	}
	if (committed)
		row = transaction_modify(load->txn, committed);
	else
		load->error = transaction_insert(load->txn, load->table, uuid,
						 &row);
	if (!load->error)
		load->error = set_columns(load, scan, row, committed);
	return !load->error && (!load->must_know || load->knows_diff);
}

static struct ovsdb_error *
set_columns(struct journal_load *load, struct scan *scan, struct row *row,
	    bool is_old)
{
	const struct table_schema *schema = row_table(row)->schema;
	struct ovsdb_error *error = NULL;
	size_t next = N_STANDARD_COLUMNS;

	if (!scan_char(scan, '{'))
		return ovsdb_error(OVSDB_SYNTAX_ERROR, "not an object");
	if (scan_char(scan, '}'))
		return NULL;
	do {
		const struct column *column;
		struct scanned name;
		struct datum value;

		if (!scan_name(scan, &name))
			return ovsdb_error(OVSDB_SYNTAX_ERROR,
					   "not an object");
		column = find_column(schema, &name, &next);
		if (!column)
			return ovsdb_error(OVSDB_SYNTAX_ERROR,
					   "there is no column %.*s",
					   name.size < 64 ? (int) name.size
							  : 64, name.text);
		error = read_value(scan, column, &value);
		if (error)
			return ovsdb_error_prefix(error, "column %s",
						  column->name);
		if (is_old && column->type.n_max > 1 && !load->knows_diff)
			load->must_know = true;
		set_column(load, row, column, &value, is_old && load->is_diff);
	} while (scan_char(scan, ','));
	if (!scan_char(scan, '}'))
		error = ovsdb_error(OVSDB_SYNTAX_ERROR, "not an object");
	return error;
}

/* Writers have columns in the schema's order: it may be the next one. */
static const struct column *
find_column(const struct table_schema *schema, const struct scanned *name,
	    size_t *next)
{
	char text[MAX_NAME];
	const struct column *column;

	for (size_t i = *next; i < schema->n_columns; i++) {
		if (!scanned_is(name, schema->columns[i]->name))
			continue;
		*next = i + 1;
		return schema->columns[i];
	}
	if (name->size >= sizeof text)
		return NULL;
	memcpy(text, name->text, name->size);
	text[name->size] = '\0';
	column = table_schema_column(schema, text);
	return column && column->index >= N_STANDARD_COLUMNS ? column : NULL;
}

/* Constraints may have changed since it was written. */
static struct ovsdb_error *
read_value(struct scan *scan, const struct column *column,
	   struct datum *ret_value)
{
	const struct scan start = *scan;
	struct scan extent;

	if (scan_datum(scan, &column->type, NULL, ret_value))
		return NULL;
	*scan = start;
	if (!scan_extent(scan, &extent))
		return ovsdb_error(OVSDB_SYNTAX_ERROR, "there is no value");
	return decode_datum(extent.p, extent.end - extent.p, &column->type,
			    ret_value);
}

/* Takes over 'value'. */
static void
set_column(struct journal_load *load, struct row *row,
	   const struct column *column, struct datum *value, bool is_diff)
{
	if (is_diff) {
		struct datum now, room;

		datum_diff(row_datum(row, column, &room), value, &column->type,
			   &now);
		datum_done(value, &column->type);
		*value = now;
	}
	if (column->is_ephemeral)
		datum_done(value, &column->type);
	else if (load->txn)
		row_set(row, column, value);
	else
		row_put(row, column, value);
}

/* All of it at once. */
static struct ovsdb_error *
load_whole(struct journal_reader *reader, struct database *db)
{
	struct ovsdb_error *error;
	json_t *record = NULL;
	char *body = NULL;

	if (!reader->body) {
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
		record = json_loadb(reader->body, reader->body_size, 0, NULL);
	}
	if (record)
		error = journal_record_apply(record, db);
	else
		error = ovsdb_error(OVSDB_SYNTAX_ERROR, "it is not JSON");
	json_decref(record);
	free(body);
	return error;
}
