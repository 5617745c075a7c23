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
	struct uuid_node node;	/* Of the transaction before. */
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
};

/* A row as it was; 'row' NULL: it was not there. */
struct past {
	struct uuid_node node;
	struct past *next;
	struct table *table;
	struct row *row;
};

/* While the past is made from the present. */
struct walk {
	struct uuid_map by_uuid;
	struct past *first;
};

static uint64_t limit(const struct history *);
static void forget_until(struct history *, uint64_t size);
static void forget(struct history *, struct entry *);
static void entry_free(struct entry *);
static struct entry *entry_new(const struct commit *);
static struct old_value *keep(struct undo *, const struct change *,
			      struct old_value *room, uint64_t *size);
static size_t count_values(const struct change *);
static bool is_undone(const struct change *, const struct column *);
static uint64_t datum_size(const struct datum *, const struct column_type *);
static uint64_t atoms_size(enum atom_type, const union atom *, uint32_t n);
static struct entry *find(struct history *, const struct uuid *before);
static void undo(struct walk *, const struct undo *);
static struct past *obtain_past(struct walk *, const struct undo *);
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
	entry->is_from_file = is_before_from_file;
	list_append(&history->entries, &entry->link);
	if (history->is_mapped)
		uuid_map_insert(&history->by_id, &entry->node);
	history->counters.n_transactions++;
	history->counters.size += entry->size;
	forget_until(history, limit(history));
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
	while (walk.first) {
		struct past *past = walk.first;

		walk.first = past->next;
		tell(past, visit, ctx);
		row_free(past->row);
		free(past);
	}
	uuid_map_done(&walk.by_uuid);
	return true;
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
	for (size_t i = N_STANDARD_COLUMNS; old && i < schema->n_columns;
	     i++) {
		const struct column *column = schema->columns[i];
		struct datum there;

		if (!is_undone(change, column))
			continue;
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

	if (!change->old)
		return 0;
	for (size_t i = N_STANDARD_COLUMNS; i < schema->n_columns; i++)
		n += is_undone(change, schema->columns[i]);
	return n;
}

static bool
is_undone(const struct change *change, const struct column *column)
{
	struct datum room;

	if (!change->old)
		return false;
	if (change->new)
		return change_has(change, column);
	return !datum_is_default(row_datum(change->old, column, &room),
				 &column->type);
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
	struct uuid_node *node = uuid_map_find(&walk->by_uuid, &undo->uuid);
	const struct row *row;
	struct past *past;

	for (; node; node = uuid_map_find_next(node)) {
		past = LIST_ENTRY(node, struct past, node);
		if (past->table == undo->table)
			return past;
	}
	row = table_find(undo->table, &undo->uuid);
	past = xmalloc(sizeof *past);
	past->node.uuid = undo->uuid;
	past->table = undo->table;
	past->row = row ? row_clone(row) : NULL;
	past->next = walk->first;
	walk->first = past;
	uuid_map_insert(&walk->by_uuid, &past->node);
	return past;
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
