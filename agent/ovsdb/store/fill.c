/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/store/fill.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/ovsdb/store/row.h"

/* A column of references. */
struct link {
	const struct column *column;
	struct table *target;
	bool is_value, is_weak;
	struct row *last;	/* That was referred to: often the next. */
};

struct links {
	struct link *all;
	size_t n;
};

/* A reference to a row that has not come yet. */
struct open_end {
	struct row *holder;
	struct uuid uuid;
	struct link *link;
};

struct fill {
	struct database *database;
	struct links *tables;	/* By table_schema->index. */
	struct open_end *ends;
	size_t n_ends, max_ends;
};

static void add_link(struct links *, const struct table *,
		     const struct column *, bool is_value);
static bool is_unique(const struct table *, const struct row *);
static void refer(struct fill *, struct row *, struct link *,
		  const struct uuid *);
static struct row *find(struct link *, const struct uuid *);
static void join(struct row *holder, struct row *target,
		 const struct link *);
static bool is_legal(const struct table *);
static void empty(struct table *);

struct fill *
fill_begin(struct database *db)
{
	struct fill *fill;

	for (size_t i = 0; i < db->schema->n_tables; i++) {
		if (row_map_n(&db->tables[i].rows))
			return NULL;
	}
	fill = xcalloc(1, sizeof *fill);
	fill->database = db;
	fill->tables = xcalloc(db->schema->n_tables, sizeof *fill->tables);
	for (size_t i = 0; i < db->schema->n_tables; i++) {
		const struct table *table = &db->tables[i];

		for (size_t j = N_STANDARD_COLUMNS;
		     j < table->schema->n_columns; j++) {
			add_link(&fill->tables[i], table,
				 table->schema->columns[j], false);
			add_link(&fill->tables[i], table,
				 table->schema->columns[j], true);
		}
	}
	return fill;
}

bool
fill_add(struct fill *fill, struct row *row)
{
	struct table *table = row_table(row);
	struct links *links = &fill->tables[table->schema->index];

	if (table_find(table, row_uuid(row)) || !is_unique(table, row)) {
		row_free(row);
		return false;
	}
	table_insert(table, row);
	for (size_t i = 0; i < links->n; i++) {
		struct link *link = &links->all[i];
		const struct datum *d;
		struct datum room;

		d = row_datum(row, link->column, &room);
		for (uint32_t j = 0; j < d->n; j++)
			refer(fill, row, link, link->is_value
					       ? &datum_value(d, j)->uuid
					       : &datum_key(d, j)->uuid);
	}
	return true;
}

bool
fill_end(struct fill *fill)
{
	const struct database *db = fill->database;

	for (size_t i = 0; i < fill->n_ends; i++) {
		struct open_end *end = &fill->ends[i];
		struct row *target = find(end->link, &end->uuid);

		if (!target)
			return false;
		join(end->holder, target, end->link);
	}
	for (size_t i = 0; i < db->schema->n_tables; i++) {
		if (!is_legal(&db->tables[i]))
			return false;
	}
	return true;
}

void
fill_free(struct fill *fill, bool keep)
{
	struct database *db = fill->database;

	for (size_t i = 0; i < db->schema->n_tables; i++) {
		struct table *table = &db->tables[i];
		size_t cursor = 0;
		struct row *row;

		free(fill->tables[i].all);
		while (!keep && (row = row_map_next(&table->rows, &cursor)))
			row_drop_referrers(row);
	}
	for (size_t i = 0; !keep && i < db->schema->n_tables; i++)
		empty(&db->tables[i]);
	free(fill->tables);
	free(fill->ends);
	free(fill);
}

static void
add_link(struct links *links, const struct table *table,
	 const struct column *column, bool is_value)
{
	const struct base_type *base = is_value ? &column->type.value
						: &column->type.key;
	struct table *target = row_target(table, base);

	if (!target)
		return;
	links->all = xrealloc(links->all, (links->n + 1) * sizeof *links->all);
	links->all[links->n++] = (struct link) {
		.column = column,
		.target = target,
		.is_value = is_value,
		.is_weak = base->ref_kind == REFERENCE_WEAK,
	};
}

static bool
is_unique(const struct table *table, const struct row *row)
{
	bool ok = true;

	for (size_t i = 0; ok && i < table->schema->n_indexes; i++) {
		const struct lookup *lookup = &table->lookups.all[i];
		uint32_t hash = lookup_hash(lookup, row);
		size_t n = row_multimap_count(&lookup->rows, hash);
		struct row **others;

		if (!n)
			continue;
		others = xmalloc(n * sizeof *others);
		row_multimap_copy(&lookup->rows, hash, others);
		for (size_t j = 0; j < n; j++)
			ok = ok && !row_index_equal(others[j], row, i);
		free(others);
	}
	return ok;
}

static void
refer(struct fill *fill, struct row *row, struct link *link,
      const struct uuid *uuid)
{
	struct row *target = find(link, uuid);
	struct open_end *end;

	if (target) {
		join(row, target, link);
		return;
	}
	if (fill->n_ends == fill->max_ends) {
		fill->max_ends = fill->max_ends ? fill->max_ends * 2 : 64;
		fill->ends = xrealloc(fill->ends, fill->max_ends
						  * sizeof *fill->ends);
	}
	end = &fill->ends[fill->n_ends++];
	end->holder = row;
	end->uuid = *uuid;
	end->link = link;
}

static struct row *
find(struct link *link, const struct uuid *uuid)
{
	if (!link->last || !uuid_equal(row_uuid(link->last), uuid))
		link->last = (struct row *) table_find(link->target, uuid);
	return link->last;
}

/* A row does not keep itself alive. */
static void
join(struct row *holder, struct row *target, const struct link *link)
{
	if (link->is_weak)
		row_add_referrer(holder, target);
	else if (target != holder)
		row_set_refs(target, row_refs(target) + 1);
}

/* A row to which no strong reference leads would be collected. */
static bool
is_legal(const struct table *table)
{
	size_t cursor = 0;
	struct row *row;

	if (row_map_n(&table->rows) > table->schema->max_rows)
		return false;
	if (table->schema->is_root)
		return true;
	while ((row = row_map_next(&table->rows, &cursor))) {
		if (!row_refs(row))
			return false;
	}
	return true;
}

/* The map gives back what is emptied, so nobody walks through it
 * meanwhile. */
static void
empty(struct table *table)
{
	size_t n = row_map_n(&table->rows), cursor = 0;
	struct row **rows = xmalloc((n + 1) * sizeof *rows);

	for (size_t i = 0; i < n; i++)
		rows[i] = row_map_next(&table->rows, &cursor);
	for (size_t i = 0; i < n; i++) {
		table_remove(table, rows[i]);
		row_free(rows[i]);
	}
	free(rows);
}
