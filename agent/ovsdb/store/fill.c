/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/store/fill.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/ovsdb/store/history.h"
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
	struct row **rows;	/* Of this record. */
	size_t n_rows, max_rows;
	struct open_end *ends;
	size_t n_ends, max_ends;
	size_t n_closed;	/* Of them. */
};

enum { ROWS_KEPT = 16 << 10 };	/* Room for so many, between records. */

static void add_link(struct links *, const struct table *,
		     const struct column *, bool is_value);
static bool is_unique(const struct table *, const struct row *);
static void keep_row(struct fill *, struct row *);
static void each_reference(struct fill *, struct row *,
			   void (*)(struct fill *, struct row *,
				    struct link *, const struct uuid *));
static void refer(struct fill *, struct row *, struct link *,
		  const struct uuid *);
static struct row *find(struct link *, const struct uuid *);
static void join(struct row *holder, struct row *target,
		 const struct link *);
static bool close_ends(struct fill *);
static bool is_legal(const struct row *);
static void forget_rows(struct fill *);
static void part(struct fill *, struct row *, struct link *,
		 const struct uuid *);

struct fill *
fill_new(struct database *db)
{
	struct fill *fill = xcalloc(1, sizeof *fill);

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

void
fill_free(struct fill *fill)
{
	if (!fill)
		return;
	for (size_t i = 0; i < fill->database->schema->n_tables; i++)
		free(fill->tables[i].all);
	free(fill->tables);
	free(fill->rows);
	free(fill->ends);
	free(fill);
}

bool
fill_add(struct fill *fill, struct row *row)
{
	struct table *table = row_table(row);

	if (!is_unique(table, row)) {
		row_free(row);
		return false;
	}
	table_insert(table, row);
	keep_row(fill, row);
	each_reference(fill, row, refer);
	return true;
}

bool
fill_end(struct fill *fill)
{
	const struct database *db = fill->database;

	if (!close_ends(fill))
		return false;
	for (size_t i = 0; i < db->schema->n_tables; i++) {
		const struct table *table = &db->tables[i];

		if (row_map_n(&table->rows) > table->schema->max_rows)
			return false;
	}
	for (size_t i = 0; i < fill->n_rows; i++) {
		if (!is_legal(fill->rows[i]))
			return false;
	}
	return true;
}

void
fill_keep(struct fill *fill, const struct uuid *id)
{
	struct database *db = fill->database;
	struct commit commit = { .database = db, .id = *id };
	struct change *changes;

	/* Nobody goes back to before the first one. */
	if (fill->n_rows && !uuid_is_zero(&db->last_transaction)) {
		changes = xcalloc(fill->n_rows, sizeof *changes);
		for (size_t i = 0; i < fill->n_rows; i++) {
			struct row *row = fill->rows[i];

			changes[i].table = row_table(row);
			changes[i].uuid = *row_uuid(row);
			changes[i].new = row;
		}
		commit.changes = changes;
		commit.n_changes = fill->n_rows;
		history_add(db->history, &commit, &db->last_transaction,
			    db->is_last_from_file);
		free(changes);
	}
	forget_rows(fill);
}

void
fill_undo(struct fill *fill)
{
	/* What is open would lead to rows of this record, which go, too. */
	for (size_t i = 0; i < fill->n_rows; i++) {
		each_reference(fill, fill->rows[i], part);
		row_drop_referrers(fill->rows[i]);
	}
	for (size_t i = 0; i < fill->n_rows; i++) {
		table_remove(row_table(fill->rows[i]), fill->rows[i]);
		row_free(fill->rows[i]);
	}
	forget_rows(fill);
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
keep_row(struct fill *fill, struct row *row)
{
	if (fill->n_rows == fill->max_rows) {
		fill->max_rows = fill->max_rows ? fill->max_rows * 2 : 64;
		fill->rows = xrealloc(fill->rows, fill->max_rows
						  * sizeof *fill->rows);
	}
	fill->rows[fill->n_rows++] = row;
}

static void
each_reference(struct fill *fill, struct row *row,
	       void (*visit)(struct fill *, struct row *, struct link *,
			     const struct uuid *))
{
	struct links *links = &fill->tables[row_table(row)->schema->index];

	for (size_t i = 0; i < links->n; i++) {
		struct link *link = &links->all[i];
		const struct datum *d;
		struct datum room;

		d = row_datum(row, link->column, &room);
		for (uint32_t j = 0; j < d->n; j++)
			visit(fill, row, link, link->is_value
					       ? &datum_value(d, j)->uuid
					       : &datum_key(d, j)->uuid);
	}
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

/* Those that can be: false if there is one that leads nowhere. */
static bool
close_ends(struct fill *fill)
{
	bool ok = true;

	for (; fill->n_closed < fill->n_ends; fill->n_closed++) {
		struct open_end *end = &fill->ends[fill->n_closed];
		struct row *target = find(end->link, &end->uuid);

		if (target)
			join(end->holder, target, end->link);
		else
			ok = false;
	}
	return ok;
}

/* A row to which no strong reference leads would be collected. */
static bool
is_legal(const struct row *row)
{
	return row_table(row)->schema->is_root || row_refs(row);
}

/* And what a transaction may take away. */
static void
forget_rows(struct fill *fill)
{
	for (size_t i = 0; i < fill->database->schema->n_tables; i++) {
		for (size_t j = 0; j < fill->tables[i].n; j++)
			fill->tables[i].all[j].last = NULL;
	}
	if (fill->max_rows > ROWS_KEPT) {
		free(fill->rows);
		fill->rows = NULL;
		fill->max_rows = 0;
	}
	if (fill->max_ends > ROWS_KEPT) {
		free(fill->ends);
		fill->ends = NULL;
		fill->max_ends = 0;
	}
	fill->n_rows = fill->n_ends = fill->n_closed = 0;
}

/* Takes a strong reference back, if it leads anywhere. */
static void
part(struct fill *fill, struct row *row, struct link *link,
     const struct uuid *uuid)
{
	struct row *target = link->is_weak ? NULL : find(link, uuid);

	(void) fill;
	if (target && target != row)
		row_set_refs(target, row_refs(target) - 1);
}
