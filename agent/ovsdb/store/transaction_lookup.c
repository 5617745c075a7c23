/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/store/transaction_lookup.h"

#include <stdlib.h>

#include "agent/base/memory.h"

/* The transaction's own rows by the hash of one lookup. */
struct transaction_map {
	struct row_multimap rows;
	bool is_active;
};

static size_t take_sample(struct transaction *, struct table *,
			  const struct row **sample);
static bool is_active(const void *transaction_table, size_t number);
static void activate(struct transaction *, struct table *, size_t number);
static void note_all(struct transaction *, const struct table *);
static void settle_dirty(struct transaction_table *, const struct table *);
static void unmap(struct transaction_table *, struct transaction_row *);
static struct transaction_table *table_of(struct transaction *,
					  const struct table *);

bool
transaction_lookup(struct transaction *txn, struct table *table,
		   const struct lookup_query *query, struct row ***ret_rows,
		   size_t *ret_n)
{
	struct transaction_table *t = table_of(txn, table);
	size_t number;
	uint32_t hash;
	bool found;

	if (!query->n)
		return false;
	found = lookup_find(table, query, &number, &hash);
	if (!found ? table_n_rows(table) + row_map_n(&t->inserted)
		     >= LOOKUP_MIN_ROWS
		   : lookup_is_poor(table, query, number, hash)) {
		const struct row *sample[LOOKUP_MAX_SAMPLE];
		size_t n = take_sample(txn, table, sample);

		switch (lookup_demand(table, query, found ? number : SIZE_MAX,
				      sample, n, txn->is_patient, is_active,
				      t)) {
		case LOOKUP_NONE:
			break;
		case LOOKUP_BUILT:
			found = lookup_find(table, query, &number, &hash);
			break;
		case LOOKUP_BUILDING:
			txn->must_wait |= !found;
			break;
		}
	}
	if (!found && txn->must_wait) {
		*ret_rows = NULL;
		*ret_n = 0;
		return true;
	}
	if (!found)
		return false;
	if (number < table->schema->n_indexes)
		table->database->lookup_counters.n_by_index++;
	else
		table->database->lookup_counters.n_by_lookup++;
	*ret_rows = transaction_match(txn, table, number, hash, ret_n);
	return true;
}

struct row **
transaction_match(struct transaction *txn, struct table *table, size_t number,
		  uint32_t hash, size_t *ret_n)
{
	struct transaction_table *t = table_of(txn, table);
	const struct row_multimap *committed =
		&table->lookups.all[number].rows;
	const struct row_multimap *own;
	struct row **rows;
	size_t n_committed, n_own;
	size_t n = 0, i;

	if (!t->maps || !t->maps[number].is_active)
		activate(txn, table, number);
	settle_dirty(t, table);
	own = &t->maps[number].rows;
	n_committed = row_multimap_count(committed, hash);
	n_own = row_multimap_count(own, hash);
	rows = xmalloc((n_committed + n_own) * sizeof *rows);
	row_multimap_copy(committed, hash, rows);
	for (i = 0; i < n_committed; i++) {
		const struct transaction_row *r = rows[i]->transaction;

		if (!r || r->new == rows[i])
			rows[n++] = rows[i];
	}
	row_multimap_copy(own, hash, rows + n);
	*ret_n = n + n_own;
	return rows;
}

void
transaction_lookup_note(struct transaction *txn, struct transaction_row *r)
{
	struct transaction_table *t = table_of(txn, r->table);

	if (r->is_dirty || !t->maps)
		return;
	r->is_dirty = true;
	r->next_dirty = t->dirty;
	t->dirty = r;
}

void
transaction_lookup_forget(struct transaction *txn, struct transaction_row *r)
{
	unmap(table_of(txn, r->table), r);
}

void
transaction_lookup_done(struct transaction_table *t)
{
	size_t i;

	for (i = 0; i < t->n_maps; i++)
		row_multimap_done(&t->maps[i].rows);
	free(t->maps);
}

/* Their order in the table is as good as chance. */
static size_t
take_sample(struct transaction *txn, struct table *table,
	    const struct row **sample)
{
	const struct row_map *inserted = &table_of(txn, table)->inserted;
	size_t max = (table_n_rows(table) + row_map_n(inserted)) / 4;
	size_t cursor = 0, n = 0;
	const struct row *row;

	if (max > LOOKUP_MAX_SAMPLE)
		max = LOOKUP_MAX_SAMPLE;
	while (n < max && (row = row_map_next(&table->rows, &cursor)))
		sample[n++] = row;
	cursor = 0;
	while (n < max && (row = row_map_next(inserted, &cursor)))
		sample[n++] = row;
	return n;
}

static bool
is_active(const void *t_, size_t number)
{
	const struct transaction_table *t = t_;

	return t->maps && t->maps[number].is_active;
}

static void
activate(struct transaction *txn, struct table *table, size_t number)
{
	struct transaction_table *t = table_of(txn, table);
	const struct lookup *lookup = &table->lookups.all[number];
	struct transaction_map *map;
	size_t i;

	if (!t->maps) {
		t->n_maps = table->schema->n_indexes + LOOKUP_MAX_DEMANDED;
		t->maps = xcalloc(t->n_maps, sizeof *t->maps);
		transaction_touch_table(txn, table);
		note_all(txn, table);
	}
	settle_dirty(t, table);
	map = &t->maps[number];
	map->is_active = true;
	for (i = 0; i < txn->n_rows; i++) {
		struct transaction_row *r = txn->rows[i];

		if (r->table != table || !r->is_mapped)
			continue;
		r->hashes[number] = lookup_hash(lookup, r->new);
		row_multimap_insert(&map->rows, r->hashes[number], r->new);
	}
}

static void
note_all(struct transaction *txn, const struct table *table)
{
	size_t i;

	for (i = 0; i < txn->n_rows; i++) {
		if (txn->rows[i]->table == table)
			transaction_lookup_note(txn, txn->rows[i]);
	}
}

static void
settle_dirty(struct transaction_table *t, const struct table *table)
{
	struct transaction_row *r;
	size_t i;

	for (r = t->dirty; r; r = r->next_dirty) {
		r->is_dirty = false;
		unmap(t, r);
		if (!transaction_row_is_written(r))
			continue;
		for (i = 0; i < t->n_maps; i++) {
			if (!t->maps[i].is_active)
				continue;
			r->hashes[i] = lookup_hash(&table->lookups.all[i],
						   r->new);
			row_multimap_insert(&t->maps[i].rows, r->hashes[i],
					    r->new);
		}
		r->is_mapped = true;
	}
	t->dirty = NULL;
}

static void
unmap(struct transaction_table *t, struct transaction_row *r)
{
	size_t i;

	if (!r->is_mapped)
		return;
	for (i = 0; i < t->n_maps; i++) {
		if (t->maps[i].is_active)
			row_multimap_remove(&t->maps[i].rows, r->hashes[i],
					    r->new);
	}
	r->is_mapped = false;
}

static struct transaction_table *
table_of(struct transaction *txn, const struct table *table)
{
	return &txn->tables[table->schema->index];
}
