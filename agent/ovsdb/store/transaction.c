/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/store/transaction.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/chore.h"
#include "agent/base/memory.h"
#include "agent/ovsdb/store/constraint.h"
#include "agent/ovsdb/store/publish.h"
#include "agent/ovsdb/store/transaction_lookup.h"
#include "agent/ovsdb/store/transaction_row.h"

enum {
	BLOCK_MIN = 4 << 10, BLOCK_MAX = 1 << 20,
	ROWS_KEPT = 64,
	TRIM_ROWS = 50000	/* So many took memory that is worth it. */
};

struct transaction_block {
	struct transaction_block *next;
	size_t size;
	uint64_t bytes[];
};

static struct transaction_table *table_of(struct transaction *,
					  const struct table *);
static struct transaction_row *row_begin(struct transaction *, struct table *,
					 const struct uuid *, struct row *old,
					 struct row *new);
static void *allocate(struct transaction *, size_t size);
static struct row *find_inserted(struct transaction *, const struct table *,
				 const struct uuid *);
static void settle(struct transaction *);
static bool has_changes(const struct transaction *);
static void end(struct transaction *);

struct transaction *
transaction_begin(struct database *db)
{
	struct transaction *txn = db->next_transaction;

	assert(!db->transaction);
	db->next_transaction = NULL;
	if (!txn) {
		txn = xcalloc(1, sizeof *txn);
		txn->tables = xcalloc(db->schema->n_tables,
				      sizeof *txn->tables);
	}
	txn->database = db;
	txn->is_patient = txn->must_wait = false;
	db->transaction = txn;
	return txn;
}

void
transaction_be_patient(struct transaction *txn)
{
	txn->is_patient = true;
}

bool
transaction_must_wait(const struct transaction *txn)
{
	return txn->must_wait;
}

struct ovsdb_error *
transaction_insert(struct transaction *txn, struct table *table,
		   const struct uuid *given, struct row **ret_row)
{
	struct transaction_row *row;
	struct uuid uuid;

	if (!given) {
		uuid_generate(&uuid);
	} else if (table_find(table, given)
		   || find_inserted(txn, table, given)) {
		char text[UUID_TEXT_SIZE];
		struct ovsdb_error *error;
		json_t *syntax;

		uuid_to_text(given, text);
		syntax = json_string(text);
		error = ovsdb_error_verbatim(
			OVSDB_DUPLICATE_UUID, syntax, "This UUID would"
			" duplicate a UUID already present within the table"
			" or deleted within the same transaction.");
		json_decref(syntax);
		return error;
	} else {
		uuid = *given;
	}
	row = row_begin(txn, table, &uuid, NULL, row_new(table, &uuid));
	row->new->transaction = row;
	row_map_insert(&table_of(txn, table)->inserted, row_uuid_hash(&uuid),
		       row->new);
	table_of(txn, table)->n_more++;
	transaction_lookup_note(txn, row);
	*ret_row = row->new;
	return NULL;
}

struct row *
transaction_modify(struct transaction *txn, const struct row *committed)
{
	struct row *old = (struct row *) committed;
	struct transaction_row *row = old->transaction;

	if (!row) {
		row = row_begin(txn, row_table(old), row_uuid(old), old, old);
		old->transaction = row;
	}
	assert(row->new);
	if (row->new == row->old) {
		row->new = row_clone(row->old);
		row->new->transaction = row;
		transaction_lookup_note(txn, row);
	}
	return row->new;
}

void
transaction_delete(struct transaction *txn, const struct row *committed)
{
	struct row *old = (struct row *) committed;

	if (!old->transaction)
		old->transaction = row_begin(txn, row_table(old), row_uuid(old),
					     old, old);
	transaction_row_delete(txn, old->transaction);
}

const struct row *
transaction_find(struct transaction *txn, struct table *table,
		 const struct uuid *uuid)
{
	const struct row *row = table_find(table, uuid);

	if (!row)
		return find_inserted(txn, table, uuid);
	return row->transaction ? row->transaction->new : row;
}

void
transaction_each(struct transaction *txn, struct table *table,
		 bool (*visit)(void *ctx, const struct row *), void *ctx)
{
	size_t n_inserted = row_map_n(&table_of(txn, table)->inserted);
	size_t n_rows = txn->n_rows;
	size_t cursor = 0;
	struct row *row;
	size_t i;

	while ((row = row_map_next(&table->rows, &cursor))) {
		if (row->transaction)
			row = row->transaction->new;
		if (row && !visit(ctx, row))
			return;
	}
	/* 'visit' may delete, so the map would not do; nor may it be shown
	 * what it has inserted itself. */
	for (i = 0; i < n_rows && n_inserted; i++) {
		struct transaction_row *r = txn->rows[i];

		if (r->table == table && !r->old && r->new
		    && !visit(ctx, r->new))
			return;
	}
}

void
row_set(struct row *row, const struct column *column, struct datum *value)
{
	struct transaction_row *r = row->transaction;

	assert(r && r->new == row && row != r->old);
	row_put(row, column, value);
	r->changed[column->index / 64] |= UINT64_C(1) << column->index % 64;
	transaction_lookup_note(row_table(row)->database->transaction, r);
}

void
transaction_comment(struct transaction *txn, const char *text)
{
	size_t size = strlen(text), wanted = txn->comment_size + size + 2;
	bool has_comment = txn->comment;

	/* A transaction may have a million of them. */
	if (wanted > txn->comment_room) {
		txn->comment_room = 2 * wanted;
		txn->comment = xrealloc(txn->comment, txn->comment_room);
	}
	if (has_comment)
		txn->comment[txn->comment_size++] = '\n';
	memcpy(txn->comment + txn->comment_size, text, size + 1);
	txn->comment_size += size;
}

struct ovsdb_error *
transaction_commit(struct transaction *txn, bool durable)
{
	struct ovsdb_error *error;

	chore_begin(CHORE_COMMIT);
	settle(txn);
	if (!has_changes(txn)) {
		end(txn);
		chore_end();
		return NULL;
	}
	error = constraint_check(txn);
	if (!error)
		error = publish(txn, durable);
	if (error)
		transaction_abort(txn);
	else
		end(txn);
	chore_end();
	return error;
}

void
transaction_abort(struct transaction *txn)
{
	size_t i;

	for (i = 0; i < txn->n_rows; i++) {
		struct transaction_row *r = txn->rows[i];

		if (r->new != r->old)
			row_free(r->new);
		r->new = r->old;
	}
	end(txn);
}

void
transaction_free(struct transaction *txn)
{
	if (!txn)
		return;
	while (txn->blocks) {
		struct transaction_block *block = txn->blocks;

		txn->blocks = block->next;
		free(block);
	}
	free(txn->tables);
	free(txn->rows);
	free(txn);
}

void
transaction_touch_table(struct transaction *txn, struct table *table)
{
	struct transaction_table *t = table_of(txn, table);

	if (t->table)
		return;
	t->table = table;
	t->next = txn->touched;
	txn->touched = t;
}

struct transaction_row *
transaction_touch(struct transaction *txn, struct table *table,
		  const struct uuid *uuid)
{
	struct transaction_row *last = table_of(txn, table)->last;
	struct row *row;

	/* Many rows refer to the same one. */
	if (last && uuid_equal(&last->uuid, uuid) && (last->old || last->new))
		return last;
	row = (struct row *) table_find(table, uuid);
	if (!row)
		row = find_inserted(txn, table, uuid);
	if (row && !row->transaction)
		row->transaction = row_begin(txn, table, uuid, row, row);
	if (!row)
		return NULL;
	table_of(txn, table)->last = row->transaction;
	return row->transaction;
}

void
transaction_row_delete(struct transaction *txn, struct transaction_row *r)
{
	struct transaction_table *table = table_of(txn, r->table);
	struct row *new = r->new;

	assert(new);
	transaction_lookup_forget(txn, r);
	if (!r->old)
		row_map_remove(&table->inserted, row_uuid_hash(&r->uuid),
			       new);
	if (new != r->old)
		row_free(new);
	r->new = NULL;
	table->n_more--;
}

void
transaction_row_settle(struct transaction *txn, struct transaction_row *r)
{
	const struct table_schema *schema = r->table->schema;
	bool any = false;
	size_t i;

	if (!r->old || !r->new) {
		memset(r->changed, 0xff,
		       (schema->n_columns + 63) / 64 * sizeof *r->changed);
		return;
	}
	if (r->new == r->old)
		return;
	for (i = N_STANDARD_COLUMNS; i < schema->n_columns; i++) {
		const struct column *column = schema->columns[i];

		if (!transaction_row_has_changed(r, column))
			continue;
		if (row_has_equal(r->old, r->new, column))
			r->changed[i / 64] &= ~(UINT64_C(1) << i % 64);
		else
			any = true;
	}
	if (any) {
		r->changed[0] |= UINT64_C(1) << COLUMN_VERSION;
		return;
	}
	memset(r->changed, 0,
	       (schema->n_columns + 63) / 64 * sizeof *r->changed);
	transaction_lookup_forget(txn, r);
	row_free(r->new);
	r->new = r->old;
}

static struct transaction_table *
table_of(struct transaction *txn, const struct table *table)
{
	return &txn->tables[table->schema->index];
}

static struct transaction_row *
row_begin(struct transaction *txn, struct table *table,
	  const struct uuid *uuid, struct row *old, struct row *new)
{
	size_t n_words = (table->schema->n_columns + 63) / 64;
	size_t n_hashes = table->schema->n_indexes + LOOKUP_MAX_DEMANDED;
	struct transaction_row *r;

	r = allocate(txn, sizeof *r + n_words * sizeof *r->changed
			  + n_hashes * sizeof *r->hashes);
	r->table = table;
	r->old = old;
	r->new = new;
	r->uuid = *uuid;
	r->n_refs = old ? row_refs(old) : 0;
	r->hashes = (uint32_t *) (r->changed + n_words);
	if (txn->n_rows == txn->max_rows) {
		txn->max_rows = txn->max_rows ? txn->max_rows * 2 : 8;
		txn->rows = xrealloc(txn->rows,
				     txn->max_rows * sizeof *txn->rows);
	}
	txn->rows[txn->n_rows++] = r;
	transaction_touch_table(txn, table);
	return r;
}

/* Zeros, which go with the transaction. */
static void *
allocate(struct transaction *txn, size_t size)
{
	struct transaction_block *block = txn->blocks;
	void *room;

	size = (size + 7) & ~(size_t) 7;
	if (!block || block->size - txn->used < size) {
		size_t most = block ? block->size * 2 : BLOCK_MIN;

		if (most > BLOCK_MAX)
			most = BLOCK_MAX;
		if (most < size)
			most = size;
		block = xmalloc(sizeof *block + most);
		block->size = most;
		block->next = txn->blocks;
		txn->blocks = block;
		txn->used = 0;
	}
	room = (char *) block->bytes + txn->used;
	txn->used += size;
	return memset(room, 0, size);
}

static struct row *
find_inserted(struct transaction *txn, const struct table *table,
	      const struct uuid *uuid)
{
	const struct row_map *map = &table_of(txn, table)->inserted;
	uint32_t hash = row_uuid_hash(uuid);
	size_t cursor = 0;
	struct row *row;

	while ((row = row_map_match(map, hash, &cursor))) {
		if (uuid_equal(row_uuid(row), uuid))
			break;
	}
	return row;
}

static void
settle(struct transaction *txn)
{
	size_t i;

	for (i = 0; i < txn->n_rows; i++)
		transaction_row_settle(txn, txn->rows[i]);
}

static bool
has_changes(const struct transaction *txn)
{
	size_t i;

	for (i = 0; i < txn->n_rows; i++) {
		if (txn->rows[i]->old != txn->rows[i]->new)
			return true;
	}
	return false;
}

/* What was little is kept. */
static void
end(struct transaction *txn)
{
	struct database *db = txn->database;
	struct transaction_block *block = txn->blocks;
	bool was_large = txn->n_rows >= TRIM_ROWS;
	size_t i;

	for (i = 0; i < txn->n_rows; i++) {
		struct transaction_row *r = txn->rows[i];

		if (r->old)
			r->old->transaction = NULL;
		if (r->new)
			r->new->transaction = NULL;
	}
	while (txn->touched) {
		struct transaction_table *t = txn->touched;

		txn->touched = t->next;
		row_map_done(&t->inserted);
		transaction_lookup_done(t);
		memset(t, 0, sizeof *t);
	}
	while (block && (block->next || block->size > BLOCK_MIN)) {
		txn->blocks = block->next;
		free(block);
		block = txn->blocks;
	}
	if (txn->max_rows > ROWS_KEPT) {
		free(txn->rows);
		txn->rows = NULL;
		txn->max_rows = 0;
	}
	txn->n_rows = txn->used = 0;
	free(txn->comment);
	txn->comment = NULL;
	txn->comment_size = txn->comment_room = 0;
	/* An observer of the commit may have begun the next one. */
	if (db->transaction == txn)
		db->transaction = NULL;
	if (db->next_transaction)
		transaction_free(txn);
	else
		db->next_transaction = txn;
	if (was_large)
		memory_trim();
}
