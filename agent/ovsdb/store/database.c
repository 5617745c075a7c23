/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/store/database.h"

#include <assert.h>
#include <stdlib.h>

#include "agent/base/memory.h"
#include "agent/ovsdb/store/history.h"
#include "agent/ovsdb/store/journal.h"
#include "agent/ovsdb/store/row.h"
#include "agent/ovsdb/store/transaction.h"

static void table_init(struct table *, struct table_schema *,
		       struct database *);
static void table_done(struct table *);
static void note_references(struct table *, const struct base_type *);

struct database *
database_new(struct schema *schema, struct journal *journal)
{
	struct database *db = xcalloc(1, sizeof *db);
	size_t i;

	db->schema = schema;
	db->journal = journal;
	db->history = history_new();
	db->pins = pins_new();
	db->tables = xcalloc(schema->n_tables, sizeof *db->tables);
	for (i = 0; i < schema->n_tables; i++)
		table_init(&db->tables[i], schema->tables[i], db);
	return db;
}

void
database_free(struct database *db)
{
	size_t i;

	if (!db)
		return;
	assert(!db->transaction);
	/* What it has under way reads the rows. */
	journal_close(db->journal);
	pin_reclaim(db, SIZE_MAX);
	pins_free(db->pins);
	history_free(db->history);
	for (i = 0; i < db->schema->n_tables; i++)
		table_done(&db->tables[i]);
	free(db->tables);
	transaction_free(db->next_transaction);
	schema_free(db->schema);
	free(db);
}

const char *
database_name(const struct database *db)
{
	return db->schema->name;
}

const struct schema *
database_schema(const struct database *db)
{
	return db->schema;
}

const struct uuid *
database_last_transaction(const struct database *db)
{
	return &db->last_transaction;
}

const struct uuid *
database_last_recorded(const struct database *db)
{
	return &db->last_recorded;
}

struct history *
database_history(const struct database *db)
{
	return db->history;
}

struct journal *
database_journal(const struct database *db)
{
	return db->journal;
}

struct table *
database_table(const struct database *db, const char *name)
{
	const struct table_schema *schema = schema_table(db->schema, name);

	return schema ? &db->tables[schema->index] : NULL;
}

struct table *
database_table_at(const struct database *db, size_t index)
{
	return index < db->schema->n_tables ? &db->tables[index] : NULL;
}

const struct table_schema *
table_schema(const struct table *table)
{
	return table->schema;
}

struct database *
table_database(const struct table *table)
{
	return table->database;
}

size_t
table_n_rows(const struct table *table)
{
	return row_map_n(&table->rows);
}

void
table_prefetch(const struct table *table, const struct uuid *uuid)
{
	row_map_prefetch(&table->rows, row_uuid_hash(uuid));
}

const struct row *
table_find(const struct table *table, const struct uuid *uuid)
{
	uint32_t hash = row_uuid_hash(uuid);
	size_t cursor = 0;
	struct row *row;

	while ((row = row_map_match(&table->rows, hash, &cursor))) {
		if (uuid_equal(row_uuid(row), uuid))
			break;
	}
	return row;
}

bool
database_is_building(const struct database *db)
{
	return db->n_building;
}

void
database_lookup_counters(const struct database *db,
			 struct lookup_counters *ret_counters)
{
	size_t i, j;

	*ret_counters = db->lookup_counters;
	for (i = 0; i < db->schema->n_tables; i++) {
		const struct table *table = &db->tables[i];

		for (j = table->schema->n_indexes; j < table->lookups.n; j++)
			ret_counters->size += row_multimap_size(
						&table->lookups.all[j].rows);
	}
}

const struct row *
table_first(const struct table *table)
{
	size_t cursor = 0;

	return row_map_next(&table->rows, &cursor);
}

const struct row *
table_next(const struct table *table, const struct row *row)
{
	size_t cursor = row_map_cursor_after(&table->rows,
					     row_uuid_hash(row_uuid(row)),
					     row);

	return row_map_next(&table->rows, &cursor);
}

void
database_observe(struct database *db, struct observer *observer)
{
	struct observer **end = &db->observers;

	while (*end)
		end = &(*end)->next;
	*end = observer;
	observer->next = NULL;
}

void
database_unobserve(struct database *db, struct observer *observer)
{
	struct observer **o;

	for (o = &db->observers; *o; o = &(*o)->next) {
		if (*o == observer) {
			*o = observer->next;
			return;
		}
	}
}

void
table_insert(struct table *table, struct row *row)
{
	uint32_t hash = row_uuid_hash(row_uuid(row));

	row_map_insert(&table->rows, hash, row);
	pin_enter(table, row, hash);
	lookup_insert(table, row);
}

void
table_remove(struct table *table, struct row *row)
{
	uint32_t hash = row_uuid_hash(row_uuid(row));

	row_map_remove(&table->rows, hash, row);
	pin_leave(table, row, hash);
	lookup_remove(table, row);
}

void
table_replace(struct table *table, struct row *old, struct row *new)
{
	uint32_t hash = row_uuid_hash(row_uuid(old));

	row_map_replace(&table->rows, hash, old, new);
	pin_leave(table, old, hash);
	pin_enter(table, new, hash);
	lookup_replace(table, old, new);
}

void
database_loosen(struct database *db)
{
	string_loosen_all();
	for (size_t i = 0; i < db->schema->n_tables; i++) {
		struct table *table = &db->tables[i];

		row_map_loosen(&table->rows);
		for (size_t j = 0; j < table->lookups.n; j++)
			hash_set_loosen(&table->lookups.all[j].rows.set);
	}
}

void
database_tighten(struct database *db)
{
	string_tighten_all();
	for (size_t i = 0; i < db->schema->n_tables; i++) {
		struct table *table = &db->tables[i];

		row_map_tighten(&table->rows);
		for (size_t j = 0; j < table->lookups.n; j++)
			hash_set_tighten(&table->lookups.all[j].rows.set);
	}
}

static void
table_init(struct table *table, struct table_schema *schema,
	   struct database *db)
{
	size_t i;

	table->schema = schema;
	table->database = db;
	layout_init(&table->layout, db->schema, schema, sizeof(struct row));
	slab_pool_init(&table->pool, table->layout.size, table);
	lookup_set_init(&table->lookups, schema);
	for (i = 0; i < schema->n_columns; i++) {
		note_references(table, &schema->columns[i]->type.key);
		note_references(table, &schema->columns[i]->type.value);
	}
}

static void
table_done(struct table *table)
{
	size_t cursor = 0;
	struct row *row;

	while ((row = row_map_next(&table->rows, &cursor))) {
		row_free_referrers(row);
		row_free(row);
	}
	row_map_done(&table->rows);
	slab_pool_done(&table->pool);
	layout_done(&table->layout);
	lookup_set_done(&table->lookups, table->schema);
	free(table->kept.slots);
	free(table->stamps.epochs);
}

static void
note_references(struct table *table, const struct base_type *base)
{
	if (!base->ref_table)
		return;
	if (base->ref_kind == REFERENCE_STRONG)
		table->has_strong = true;
	else
		table->has_weak = true;
}
