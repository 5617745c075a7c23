/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/store/pin.h"

#include <assert.h>
#include <stdlib.h>

#include "agent/base/memory.h"
#include "agent/ovsdb/store/row.h"

/* A row's birth, when there is a record that has it. */
#define KEPT UINT32_MAX

enum {
	FREE_AT_ONCE = 256,	/* Rows, when a pin is let go of, */
	FREE_IN_PASSING = 2	/* and whenever one is discarded. */
};

/* A row that is there for pins alone, or almost. */
struct kept {
	struct row *row;
	struct kept *next;		/* Of the pin's. */
	struct kept *next_in_slot, **prev_in_slot;
	uint32_t birth, death;		/* Epochs. */
	uint32_t place;
	bool is_discarded;		/* Nobody else looks at it. */
	bool is_needed;
};

static struct pin *newest(const struct pins *);
static void disown(struct pins *, struct pin *);
static void settle(struct pins *, struct pin *released, struct kept *);
static void kept_free(struct pins *, struct kept *);
static bool is_shown(const struct pin *, const struct kept *);
static void rows_add(struct pin_rows *, const struct row *);
static void touch(struct table *, uint32_t place);
static struct kept *kept_find(const struct table *, const struct row *,
			      uint32_t place);
static void kept_insert(struct kept_map *, struct kept *);
static void kept_grow(struct kept_map *);
static void kept_link(struct kept_map *, struct kept *);
static void renumber(struct database *);
static void renumber_table(const struct pins *, struct table *);
static uint32_t new_number(const struct pins *, uint32_t epoch);

struct pins *
pins_new(void)
{
	struct pins *pins = xcalloc(1, sizeof *pins);

	list_init(&pins->held);
	list_init(&pins->released);
	pins->epoch = 1;
	return pins;
}

void
pins_free(struct pins *pins)
{
	assert(list_is_empty(&pins->held) && list_is_empty(&pins->released));
	free(pins);
}

struct pin *
pin_take(struct database *db)
{
	struct pins *pins = db->pins;
	struct pin *pin = newest(pins);

	if (pin && pins->changed <= pin->epoch)
		return pin_ref(pin);
	if (pins->epoch >= PIN_MAX_EPOCH)
		renumber(db);
	pin = xcalloc(1, sizeof *pin);
	pin->database = db;
	pin->n_refs = 1;
	pin->epoch = pins->epoch++;
	list_append(&pins->held, &pin->link);
	return pin;
}

struct pin *
pin_ref(struct pin *pin)
{
	pin->n_refs++;
	return pin;
}

void
pin_release(struct pin *pin)
{
	struct pins *pins;

	if (!pin || --pin->n_refs)
		return;
	pins = pin->database->pins;
	disown(pins, pin);
	list_remove(&pin->link);
	list_append(&pins->released, &pin->link);
	pin_reclaim(pin->database, FREE_AT_ONCE);
}

bool
pin_reclaim(struct database *db, size_t max)
{
	struct pins *pins = db->pins;

	while (!list_is_empty(&pins->released)) {
		struct pin *pin = LIST_ENTRY(pins->released.next, struct pin,
					     link);
		struct kept *kept;

		while ((kept = pin->kept)) {
			if (!max--)
				return true;
			pin->kept = kept->next;
			settle(pins, pin, kept);
		}
		list_remove(&pin->link);
		free(pin);
	}
	return false;
}

bool
pin_has_garbage(const struct database *db)
{
	return !list_is_empty(&db->pins->released);
}

unsigned
pin_bits(const struct table *table)
{
	unsigned bits = 0;

	while (row_map_n(&table->rows) >> bits > PIN_RANGE_ROWS)
		bits++;
	return bits;
}

void
pin_read(const struct pin *pin, const struct table *table, unsigned bits,
	 uint32_t range, struct pin_rows *rows)
{
	const uint32_t first = (uint64_t) range << (32 - bits);
	const uint32_t last = first + (uint32_t) (UINT32_MAX >> bits);
	const struct kept_map *map = &table->kept;
	const struct row *row;
	size_t cursor = 0, i = rows->n, end;

	while ((row = row_map_range(&table->rows, first, last, &cursor))) {
		rows_add(rows, row);
		/* All are waited for at once. */
		__builtin_prefetch(row);
		__builtin_prefetch((const char *) row + 64);
	}
	for (end = rows->n, rows->n = i; i < end; i++)
		if (rows->rows[i]->birth <= pin->epoch)
			rows->rows[rows->n++] = rows->rows[i];
	if (!map->n)
		return;
	end = (uint64_t) last * map->n_slots >> 32;
	for (i = (uint64_t) first * map->n_slots >> 32; i <= end; i++) {
		const struct kept *kept;

		for (kept = map->slots[i]; kept; kept = kept->next_in_slot)
			if (kept->place >= first && kept->place <= last
			    && is_shown(pin, kept))
				rows_add(rows, kept->row);
	}
}

void
pin_rows_done(struct pin_rows *rows)
{
	free(rows->rows);
	*rows = (struct pin_rows) { 0 };
}

const struct row *
pin_find(const struct pin *pin, const struct table *table,
	 const struct uuid *uuid)
{
	const struct row *row = table_find(table, uuid);
	const struct kept_map *map = &table->kept;
	const struct kept *kept;
	uint64_t place;

	if (row && row->birth <= pin->epoch)
		return row;
	if (!map->n)
		return NULL;
	place = row_map_place(&table->rows, row_uuid_hash(uuid));
	kept = map->slots[place * map->n_slots >> 32];
	for (; kept; kept = kept->next_in_slot)
		if (is_shown(pin, kept)
		    && uuid_equal(row_uuid(kept->row), uuid))
			return kept->row;
	return NULL;
}

void
pin_watch(struct table *table, unsigned bits)
{
	struct pin_stamps *stamps = &table->stamps;

	if (stamps->epochs && stamps->bits == bits)
		return;
	stamps->bits = bits;
	stamps->epochs = xrealloc(stamps->epochs,
				  sizeof *stamps->epochs << bits);
	for (size_t i = 0; i < (size_t) 1 << bits; i++)
		stamps->epochs[i] = table->database->pins->changed;
}

uint32_t
pin_changed(const struct table *table, unsigned bits, uint32_t range)
{
	const struct pin_stamps *stamps = &table->stamps;

	if (!stamps->epochs || stamps->bits != bits)
		return table->database->pins->changed;
	return stamps->epochs[range];
}

void
pin_enter(struct table *table, struct row *row, uint32_t hash)
{
	row->birth = table->database->pins->epoch;
	touch(table, row_map_place(&table->rows, hash));
}

void
pin_leave(struct table *table, struct row *row, uint32_t hash)
{
	struct pins *pins = table->database->pins;
	uint32_t place = row_map_place(&table->rows, hash);
	struct pin *pin = newest(pins);
	struct kept *kept;

	touch(table, place);
	if (!pin || row->birth > pin->epoch)
		return;
	kept = xmalloc(sizeof *kept);
	*kept = (struct kept) {
		.row = row, .next = pin->kept, .birth = row->birth,
		.death = pins->epoch, .place = place, .is_needed = true,
	};
	pin->kept = kept;
	row->birth = KEPT;
	kept_insert(&table->kept, kept);
	pins->n_kept++;
	pins->kept_size += sizeof *kept + row_size(row);
}

void
pin_discard(struct database *db, struct row *row)
{
	struct kept *kept;
	uint32_t place;

	if (!list_is_empty(&db->pins->released))
		pin_reclaim(db, FREE_IN_PASSING);
	if (!row)
		return;
	if (row->birth != KEPT) {
		row_free(row);
		return;
	}
	place = row_map_place(&row_table(row)->rows,
			      row_uuid_hash(row_uuid(row)));
	kept = kept_find(row_table(row), row, place);
	kept->is_discarded = true;
	if (!kept->is_needed)
		kept_free(db->pins, kept);
}

static struct pin *
newest(const struct pins *pins)
{
	return list_is_empty(&pins->held) ? NULL
	       : LIST_ENTRY(pins->held.prev, struct pin, link);
}

/* What is the pin's falls to the one before it. */
static void
disown(struct pins *pins, struct pin *pin)
{
	const struct list *link;

	if (pin->link.prev != &pins->held)
		pin->older = LIST_ENTRY(pin->link.prev, struct pin, link);
	for (link = pins->released.next; link != &pins->released;
	     link = link->next) {
		struct pin *released = LIST_ENTRY(link, struct pin, link);

		if (released->older == pin)
			released->older = pin->older;
	}
}

/* It went after the older pin; if it was there before, that one shows it. */
static void
settle(struct pins *pins, struct pin *released, struct kept *kept)
{
	struct pin *older = released->older;

	if (older && kept->birth <= older->epoch) {
		kept->next = older->kept;
		older->kept = kept;
		return;
	}
	kept->is_needed = false;
	kept->birth = kept->death;
	if (kept->is_discarded)
		kept_free(pins, kept);
}

static void
kept_free(struct pins *pins, struct kept *kept)
{
	struct row *row = kept->row;

	*kept->prev_in_slot = kept->next_in_slot;
	if (kept->next_in_slot)
		kept->next_in_slot->prev_in_slot = kept->prev_in_slot;
	row_table(row)->kept.n--;
	pins->n_kept--;
	pins->kept_size -= sizeof *kept + row_size(row);
	row_free(row);
	free(kept);
}

static bool
is_shown(const struct pin *pin, const struct kept *kept)
{
	return kept->birth <= pin->epoch && pin->epoch < kept->death;
}

static void
rows_add(struct pin_rows *rows, const struct row *row)
{
	if (rows->n == rows->max) {
		rows->max = rows->max ? rows->max * 2 : PIN_RANGE_ROWS;
		rows->rows = xrealloc(rows->rows,
				      rows->max * sizeof *rows->rows);
	}
	rows->rows[rows->n++] = row;
}

static void
touch(struct table *table, uint32_t place)
{
	struct pins *pins = table->database->pins;
	const struct pin_stamps *stamps = &table->stamps;

	pins->changed = pins->epoch;
	if (stamps->epochs)
		stamps->epochs[(uint64_t) place >> (32 - stamps->bits)]
			= pins->epoch;
}

static struct kept *
kept_find(const struct table *table, const struct row *row, uint32_t place)
{
	const struct kept_map *map = &table->kept;
	struct kept *kept
		= map->slots[(uint64_t) place * map->n_slots >> 32];

	while (kept->row != row)
		kept = kept->next_in_slot;
	return kept;
}

static void
kept_insert(struct kept_map *map, struct kept *kept)
{
	if (map->n >= map->n_slots)
		kept_grow(map);
	kept_link(map, kept);
	map->n++;
}

static void
kept_grow(struct kept_map *map)
{
	struct kept **old = map->slots;
	size_t n_old = map->n_slots;

	map->n_slots = n_old ? n_old * 2 : 16;
	map->slots = xcalloc(map->n_slots, sizeof *map->slots);
	for (size_t i = 0; i < n_old; i++) {
		struct kept *kept, *next;

		for (kept = old[i]; kept; kept = next) {
			next = kept->next_in_slot;
			kept_link(map, kept);
		}
	}
	free(old);
}

static void
kept_link(struct kept_map *map, struct kept *kept)
{
	struct kept **slot
		= &map->slots[(uint64_t) kept->place * map->n_slots >> 32];

	kept->next_in_slot = *slot;
	kept->prev_in_slot = slot;
	if (*slot)
		(*slot)->prev_in_slot = &kept->next_in_slot;
	*slot = kept;
}

/* Pins and what they show keep their order, with the smallest numbers that
 * say so.  A walk through all rows, once in two thousand million pins. */
static void
renumber(struct database *db)
{
	struct pins *pins = db->pins;
	const struct list *link;
	uint32_t n = 0;

	for (size_t i = 0; i < db->schema->n_tables; i++)
		renumber_table(pins, &db->tables[i]);
	pins->changed = new_number(pins, pins->changed);
	pins->epoch = new_number(pins, pins->epoch);
	for (link = pins->held.next; link != &pins->held; link = link->next)
		LIST_ENTRY(link, struct pin, link)->epoch = ++n;
	pins->n_renumbered++;
}

static void
renumber_table(const struct pins *pins, struct table *table)
{
	struct pin_stamps *stamps = &table->stamps;
	size_t cursor = 0;
	struct row *row;

	while ((row = row_map_next(&table->rows, &cursor)))
		row->birth = new_number(pins, row->birth);
	for (size_t i = 0; i < table->kept.n_slots; i++) {
		struct kept *kept = table->kept.slots[i];

		for (; kept; kept = kept->next_in_slot) {
			kept->birth = new_number(pins, kept->birth);
			kept->death = new_number(pins, kept->death);
		}
	}
	for (size_t i = 0; stamps->epochs && i < (size_t) 1 << stamps->bits;
	     i++)
		stamps->epochs[i] = new_number(pins, stamps->epochs[i]);
}

/* Of the first pin that shows what came in an epoch. */
static uint32_t
new_number(const struct pins *pins, uint32_t epoch)
{
	const struct list *link;
	uint32_t n = 1;

	for (link = pins->held.next; link != &pins->held; link = link->next) {
		if (LIST_ENTRY(link, struct pin, link)->epoch >= epoch)
			break;
		n++;
	}
	return n;
}
