/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/store/history.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/list.h"
#include "agent/base/memory.h"
#include "agent/ovsdb/store/journal_read.h"
#include "agent/ovsdb/store/row.h"
#include "agent/ovsdb/store/uuid_map.h"

enum undo_kind {
	UNDO_INSERT,		/* There was no row. */
	UNDO_MODIFY,		/* These columns had these values. */
	UNDO_DELETE		/* So had these, and others their defaults. */
};

struct old_value {
	const struct column *column;
	struct datum datum;
};

/* What a row was before a transaction. */
struct undo {
	struct table *table;
	struct uuid uuid;
	enum undo_kind kind;
	uint32_t n;
	struct old_value *values;	/* Behind the entry's undos. */
};

struct entry {
	struct uuid_node node;	/* Of the transaction before, */
	struct uuid recorded;	/* and of the last before with a record. */
	int64_t position;	/* Of its own record, if it has one. */
	struct list link;	/* In history.entries. */
	bool is_from_file;	/* Was the transaction before? */
	uint64_t size;
	size_t n;
	struct undo undos[];
};

struct history {
	struct list entries;	/* Oldest first. */
	struct uuid_map by_id;	/* From the first question on. */
	bool is_mapped;
	uint64_t max_size, held_size;
	struct history_counters counters;

	/* Positions count the bytes of all files: one's offsets and 'shift'.
	 * From 'begin' on they are in the file. */
	int64_t shift, begin, end;
	struct uuid recorded;	/* The last. */
	struct history_past *past;
	struct past *garbage;
};

/* A row as it was; 'row' NULL: it was not there. */
struct past {
	struct uuid_node node;
	struct past *next, *next_gone;
	struct table *table;
	struct row *row;
};

/* While the past is made from the present, or from what a pin shows. */
struct walk {
	struct uuid_map by_uuid;
	struct past *first;
	const struct pin *pin;	/* Or NULL. */
	struct past **gone;	/* By table: those that it does not show. */
	size_t size;		/* Bytes of rows. */
};

struct history_past {
	struct history *history;
	struct walk walk;
	struct entry *entry;	/* That is being undone, */
	size_t next;		/* from this change on. */
	bool is_forgotten;	/* Then it is ours alone. */
	bool is_over;
	struct uuid id;		/* Of all that is undone. */
	int64_t position, limit;
	int64_t shift;		/* As it was at the beginning. */
};

enum { PAST_MAX_SIZE = 64 << 20 };	/* Of rows in memory. */

static uint64_t limit(const struct history *);
static void forget_until(struct history *, uint64_t size);
static void forget(struct history *, struct entry *);
static void entry_free(struct entry *);
static struct entry *entry_new(const struct commit *);
static struct old_value *keep(struct undo *, const struct change *,
			      struct old_value *room, uint64_t *size);
static size_t count_values(const struct change *);
static size_t next_undone(const struct change *, size_t i);
static uint64_t datum_size(const struct datum *, const struct column_type *);
static uint64_t atoms_size(enum atom_type, const union atom *, uint32_t n);
static struct entry *find(struct history *, const struct uuid *before);
static void undo(struct walk *, const struct undo *);
static struct past *obtain_past(struct walk *, const struct undo *);
static struct past *find_past(const struct walk *, const struct table *,
			      const struct uuid *);
static void walk_done(struct walk *);
static void free_pasts(struct past **, size_t max);
static bool go_back(struct history_past *);
static void tell(const struct past *,
		 void (*visit)(void *ctx, const struct change *), void *ctx);

struct history *
history_new(void)
{
	struct history *history = xcalloc(1, sizeof *history);

	list_init(&history->entries);
	history->max_size = HISTORY_DEFAULT_SIZE;
	return history;
}

void
history_free(struct history *history)
{
	if (!history)
		return;
	forget_until(history, 0);
	history_reclaim(history, SIZE_MAX);
	uuid_map_done(&history->by_id);
	free(history);
}

void
history_set_size(struct history *history, uint64_t size)
{
	history->max_size = size;
	forget_until(history, limit(history));
}

void
history_hold(struct history *history, uint64_t size)
{
	history->held_size = size;
	forget_until(history, limit(history));
}

uint64_t
history_size(const struct history *history)
{
	return history->max_size;
}

void
history_counters(const struct history *history,
		 struct history_counters *ret_counters)
{
	*ret_counters = history->counters;
}

void
history_add(struct history *history, const struct commit *commit,
	    const struct uuid *before, bool is_before_from_file)
{
	struct entry *entry;

	if (uuid_is_zero(before))
		return;
	/* With one that is too large go all that lead to it. */
	if (commit->n_changes * sizeof *entry->undos > limit(history)) {
		forget_until(history, 0);
		history->counters.n_forgotten++;
		return;
	}
	entry = entry_new(commit);
	entry->node.uuid = *before;
	entry->recorded = history->recorded;
	entry->position = history->end;
	entry->is_from_file = is_before_from_file;
	list_append(&history->entries, &entry->link);
	if (history->is_mapped)
		uuid_map_insert(&history->by_id, &entry->node);
	history->counters.n_transactions++;
	history->counters.size += entry->size;
	forget_until(history, limit(history));
}

void
history_set_end(struct history *history, int64_t offset,
		const struct uuid *recorded)
{
	history->end = offset + history->shift;
	history->recorded = *recorded;
}

void
history_move(struct history *history, int64_t from, int64_t to)
{
	history->begin = from + history->shift;
	history->shift += from - to;
}

bool
history_recall(const struct database *db, const struct uuid *since,
	       void (*visit)(void *ctx, const struct change *), void *ctx)
{
	struct history *history = db->history;
	struct walk walk = { .first = NULL };
	const struct list *link;
	struct entry *entry;

	if (uuid_equal(since, &db->last_transaction))
		return true;
	entry = find(history, since);
	if (!entry)
		return false;
	for (link = history->entries.prev; link != entry->link.prev;
	     link = link->prev) {
		const struct entry *e = LIST_ENTRY(link, struct entry, link);

		for (size_t i = 0; i < e->n; i++)
			undo(&walk, &e->undos[i]);
	}
	for (const struct past *past = walk.first; past; past = past->next)
		tell(past, visit, ctx);
	walk_done(&walk);
	return true;
}

struct history_past *
history_past_begin(struct database *db, const struct pin *pin,
		   int64_t max_size)
{
	struct history_past *past = xcalloc(1, sizeof *past);
	struct history *history = db->history;

	past->history = history;
	past->walk.pin = pin;
	past->walk.gone = xcalloc(db->schema->n_tables,
				  sizeof *past->walk.gone);
	past->id = db->last_recorded;
	past->position = history->end;
	past->shift = history->shift;
	past->limit = history->end - max_size;
	if (past->limit < history->begin)
		past->limit = history->begin;
	past->is_over = !max_size || !go_back(past);
	history->past = past;
	return past;
}

bool
history_past_step(struct history_past *past, size_t max)
{
	while (!past->is_over && max--) {
		if (past->next < past->entry->n)
			undo(&past->walk, &past->entry->undos[past->next++]);
		else
			past->is_over = !go_back(past);
	}
	return !past->is_over;
}

void
history_past_free(struct history_past *past)
{
	if (!past)
		return;
	past->history->past = NULL;
	if (past->is_forgotten)
		entry_free(past->entry);
	history_reclaim(past->history, SIZE_MAX);
	past->history->garbage = past->walk.first;
	past->walk.first = NULL;
	walk_done(&past->walk);
	free(past->walk.gone);
	free(past);
}

bool
history_reclaim(struct history *history, size_t max)
{
	free_pasts(&history->garbage, max);
	return history->garbage;
}

const struct uuid *
history_past_id(const struct history_past *past)
{
	return &past->id;
}

int64_t
history_past_offset(const struct history_past *past)
{
	return past->position - past->shift;
}

const struct row *
history_past_find(const struct history_past *past_, const struct row *row)
{
	const struct past *past = find_past(&past_->walk, row_table(row),
					    row_uuid(row));

	return past ? past->row : row;
}

void
history_past_visit_gone(const struct history_past *past_,
			const struct table *table,
			void (*visit)(void *ctx, const struct row *),
			void *ctx)
{
	const struct past *past = past_->walk.gone[table->schema->index];

	for (; past; past = past->next_gone)
		if (past->row)
			visit(ctx, past->row);
}

bool
history_is_from_file(const struct database *db, const struct uuid *id)
{
	const struct entry *entry;

	if (uuid_equal(id, &db->last_transaction))
		return db->is_last_from_file;
	entry = find(db->history, id);
	return entry && entry->is_from_file;
}

void
history_next_id(const struct uuid *before, const char *sha1,
		struct uuid *ret_id)
{
	char text[UUID_TEXT_SIZE + JOURNAL_SHA1_TEXT_SIZE];
	unsigned char digest[JOURNAL_SHA1_SIZE];
	size_t n = UUID_TEXT_SIZE - 1;

	uuid_to_text(before, text);
	for (; *sha1; sha1++)
		text[n++] = *sha1 >= 'A' && *sha1 <= 'F' ? *sha1 | 0x20
							 : *sha1;
	journal_sha1(text, n, digest);
	memcpy(ret_id->bytes, digest, sizeof ret_id->bytes);
	/* RFC 4122, section 4.3: a name's. */
	ret_id->bytes[6] = (ret_id->bytes[6] & 0x0f) | 0x50;
	ret_id->bytes[8] = (ret_id->bytes[8] & 0x3f) | 0x80;
}

static uint64_t
limit(const struct history *history)
{
	return history->held_size > history->max_size ? history->held_size
						      : history->max_size;
}

static void
forget_until(struct history *history, uint64_t size)
{
	while (history->counters.size > size)
		forget(history, LIST_ENTRY(history->entries.next,
					   struct entry, link));
}

static void
forget(struct history *history, struct entry *entry)
{
	history->counters.size -= entry->size;
	history->counters.n_transactions--;
	history->counters.n_forgotten++;
	if (history->is_mapped)
		uuid_map_remove(&history->by_id, &entry->node);
	list_remove(&entry->link);
	if (history->past && history->past->entry == entry)
		history->past->is_forgotten = true;
	else
		entry_free(entry);
}

static void
entry_free(struct entry *entry)
{
	for (size_t i = 0; i < entry->n; i++) {
		const struct undo *undo = &entry->undos[i];

		for (uint32_t j = 0; j < undo->n; j++)
			datum_done(&undo->values[j].datum,
				   &undo->values[j].column->type);
	}
	free(entry);
}

/* In one piece. */
static struct entry *
entry_new(const struct commit *commit)
{
	size_t n = commit->n_changes, n_values = 0;
	struct old_value *room;
	struct entry *entry;
	uint64_t size;

	for (size_t i = 0; i < n; i++)
		n_values += count_values(&commit->changes[i]);
	size = sizeof *entry + n * sizeof *entry->undos
	       + n_values * sizeof *room;
	entry = xmalloc(size);
	entry->n = n;
	room = (struct old_value *) &entry->undos[n];
	for (size_t i = 0; i < n; i++)
		room = keep(&entry->undos[i], &commit->changes[i], room,
			    &size);
	entry->size = size;
	return entry;
}

/* Returns the room behind the values. */
static struct old_value *
keep(struct undo *undo, const struct change *change, struct old_value *room,
     uint64_t *size)
{
	const struct table_schema *schema = change->table->schema;
	const struct row *old = change->old;

	undo->table = (struct table *) change->table;
	undo->uuid = change->uuid;
	undo->kind = !old ? UNDO_INSERT : !change->new ? UNDO_DELETE
						       : UNDO_MODIFY;
	undo->values = room;
	for (size_t i = next_undone(change, N_STANDARD_COLUMNS);
	     i < schema->n_columns; i = next_undone(change, i + 1)) {
		const struct column *column = schema->columns[i];
		struct datum there;

		room->column = column;
		datum_copy(row_datum(old, column, &there), &column->type,
			   &room->datum);
		*size += datum_size(&room->datum, &column->type);
		room++;
	}
	undo->n = (uint32_t) (room - undo->values);
	return room;
}

static size_t
count_values(const struct change *change)
{
	const struct table_schema *schema = change->table->schema;
	size_t n = 0;

	for (size_t i = next_undone(change, N_STANDARD_COLUMNS);
	     i < schema->n_columns; i = next_undone(change, i + 1))
		n++;
	return n;
}

/* The first column from 'i' on that has something to go back to; behind the
 * last: none. */
static size_t
next_undone(const struct change *change, size_t i)
{
	const struct table_schema *schema = change->table->schema;
	struct datum room;

	if (!change->old)
		return schema->n_columns;
	while (!change->new && i < schema->n_columns
	       && datum_is_default(row_datum(change->old, schema->columns[i],
					     &room),
				   &schema->columns[i]->type))
		i++;
	while (change->new && i < schema->n_columns) {
		uint64_t changed = change->changed[i / 64] >> i % 64;

		if (changed)
			return i + (size_t) __builtin_ctzll(changed);
		i = (i / 64 + 1) * 64;
	}
	return i;
}

/* Beside the datum itself.  Strings are counted in full, although others may
 * hold them as well. */
static uint64_t
datum_size(const struct datum *d, const struct column_type *type)
{
	uint64_t size = 0;

	if (!d->n)
		return 0;
	if (d->n > 1 || d->is_map)
		size = d->n * sizeof *d->many * (d->is_map ? 2 : 1);
	size += atoms_size(type->key.type, datum_key(d, 0), d->n);
	if (d->is_map)
		size += atoms_size(type->value.type, datum_value(d, 0), d->n);
	return size;
}

static uint64_t
atoms_size(enum atom_type type, const union atom *atoms, uint32_t n)
{
	uint64_t size = 0;

	for (uint32_t i = 0; type == ATOM_STRING && i < n; i++)
		size += sizeof *atoms[i].string + atoms[i].string->size + 1;
	return size;
}

static struct entry *
find(struct history *history, const struct uuid *before)
{
	struct uuid_node *node;
	struct list *link;

	for (link = history->entries.next;
	     !history->is_mapped && link != &history->entries;
	     link = link->next)
		uuid_map_insert(&history->by_id,
				&LIST_ENTRY(link, struct entry, link)->node);
	history->is_mapped = true;
	node = uuid_map_find(&history->by_id, before);
	return node ? LIST_ENTRY(node, struct entry, node) : NULL;
}

static void
undo(struct walk *walk, const struct undo *undo)
{
	struct past *past = obtain_past(walk, undo);

	if (undo->kind != UNDO_MODIFY) {
		row_free(past->row);
		past->row = undo->kind == UNDO_DELETE
			    ? row_new(undo->table, &undo->uuid) : NULL;
	}
	for (uint32_t i = 0; i < undo->n; i++) {
		const struct column *column = undo->values[i].column;
		struct datum datum;

		datum_copy(&undo->values[i].datum, &column->type, &datum);
		row_put(past->row, column, &datum);
	}
}

/* As it is now, if it was not asked for before. */
static struct past *
obtain_past(struct walk *walk, const struct undo *undo)
{
	struct past *past = find_past(walk, undo->table, &undo->uuid);
	const struct row *row;

	if (past)
		return past;
	row = walk->pin ? pin_find(walk->pin, undo->table, &undo->uuid)
			: table_find(undo->table, &undo->uuid);
	past = xcalloc(1, sizeof *past);
	past->node.uuid = undo->uuid;
	past->table = undo->table;
	past->row = row ? row_clone(row) : NULL;
	past->next = walk->first;
	walk->first = past;
	uuid_map_insert(&walk->by_uuid, &past->node);
	walk->size += sizeof *past + (row ? row_size(row) : 0);
	if (!row && walk->gone) {
		struct past **gone = &walk->gone[undo->table->schema->index];

		past->next_gone = *gone;
		*gone = past;
	}
	return past;
}

static struct past *
find_past(const struct walk *walk, const struct table *table,
	  const struct uuid *uuid)
{
	struct uuid_node *node = uuid_map_find(&walk->by_uuid, uuid);

	for (; node; node = uuid_map_find_next(node)) {
		struct past *past = LIST_ENTRY(node, struct past, node);

		if (past->table == table)
			return past;
	}
	return NULL;
}

static void
walk_done(struct walk *walk)
{
	free_pasts(&walk->first, SIZE_MAX);
	uuid_map_done(&walk->by_uuid);
}

static void
free_pasts(struct past **first, size_t max)
{
	while (*first && max--) {
		struct past *past = *first;

		*first = past->next;
		row_free(past->row);
		free(past);
	}
}

/* One transaction is undone; on to the one before.  Those that were forgotten
 * meanwhile are the oldest. */
static bool
go_back(struct history_past *past)
{
	struct list *entries = &past->history->entries;
	struct list *link = entries->prev;
	struct entry *entry = past->entry;

	if (entry) {
		past->id = entry->recorded;
		past->position = entry->position;
		link = past->is_forgotten ? entries : entry->link.prev;
		past->entry = NULL;
	}
	if (past->is_forgotten)
		entry_free(entry);
	past->is_forgotten = false;
	if (link == entries || past->walk.size > PAST_MAX_SIZE)
		return false;
	entry = LIST_ENTRY(link, struct entry, link);
	if (entry->position < past->limit)
		return false;
	past->entry = entry;
	past->next = 0;
	return true;
}

static void
tell(const struct past *past,
     void (*visit)(void *ctx, const struct change *), void *ctx)
{
	const struct table_schema *schema = past->table->schema;
	struct change change = {
		.table = past->table,
		.uuid = past->node.uuid,
		.old = past->row,
		.new = table_find(past->table, &past->node.uuid),
	};
	uint64_t *changed;

	if (!change.old && !change.new)
		return;
	changed = xcalloc(schema->n_columns / 64 + 1, sizeof *changed);
	for (size_t i = N_STANDARD_COLUMNS; i < schema->n_columns; i++)
		if (!change.old || !change.new
		    || !row_has_equal(change.old, change.new,
				      schema->columns[i]))
			changed[i / 64] |= UINT64_C(1) << i % 64;
	change.changed = changed;
	visit(ctx, &change);
	free(changed);
}
