/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/base/table.h"

#include <errno.h>
#include "libvswitch/base/memory.h"

enum { SLOTS_MIN = 8 };

static size_t slots_size(size_t n);
static struct slots *slots_of(const struct table *);
static bool has_room(const struct table *, size_t n);
static void free_slots(void *ctx, struct retired *);
static void put(struct slots *, uint32_t hash, void *item);
static size_t place_of(const struct slots *, uint32_t hash, const void *item);

void
table_done(struct table *table)
{
	struct slots *slots = slots_of(table);

	if (slots)
		free_slots(NULL, &slots->retired);
	*table = (struct table) { .n_used = 0 };
}

int
table_reserve(struct table *table, const struct vsw_allocator *allocator,
	      struct reclaim *reclaim, size_t n)
{
	struct slots *old = slots_of(table), *slots;
	size_t n_items = atomic_load_explicit(&table->n,
					      memory_order_relaxed);
	size_t n_slots = SLOTS_MIN;

	if (has_room(table, n))
		return 0;
	/* At most half full, so that the next time is far. */
	while (n_slots < 2 * (n_items + n))
		n_slots *= 2;
	slots = memory_alloc(allocator, 0, slots_size(n_slots));
	if (!slots)
		return -ENOMEM;
	slots->allocator = allocator;
	slots->n = n_slots;
	slots->hashes = (uint32_t *) &slots->items[n_slots];
	for (size_t i = 0; old && i < old->n; i++) {
		void *item = atomic_load_explicit(&old->items[i],
						  memory_order_relaxed);

		if (item && item != table_marker())
			put(slots, old->hashes[i], item);
	}
	table->n_used = n_items;
	atomic_store_explicit(&table->slots, slots, memory_order_release);
	if (old)
		reclaim_retire(reclaim, &old->retired, free_slots, NULL);
	return 0;
}

void
table_add(struct table *table, uint32_t hash, void *item)
{
	put(slots_of(table), hash, item);
	table->n_used++;
	atomic_fetch_add_explicit(&table->n, 1, memory_order_relaxed);
}

void
table_replace(struct table *table, uint32_t hash, const void *old, void *item)
{
	struct slots *slots = slots_of(table);

	atomic_store_explicit(&slots->items[place_of(slots, hash, old)], item,
			      memory_order_release);
}

void
table_remove(struct table *table, uint32_t hash, const void *item)
{
	struct slots *slots = slots_of(table);

	atomic_store_explicit(&slots->items[place_of(slots, hash, item)],
			      table_marker(), memory_order_release);
	atomic_fetch_sub_explicit(&table->n, 1, memory_order_relaxed);
}

void *
table_next(const struct table *table, size_t *at)
{
	struct slots *slots = slots_of(table);

	while (slots && *at < slots->n) {
		void *item = atomic_load_explicit(&slots->items[(*at)++],
						  memory_order_relaxed);

		if (item && item != table_marker())
			return item;
	}
	return NULL;
}

static size_t
slots_size(size_t n)
{
	return sizeof(struct slots)
	       + n * (sizeof(_Atomic(void *)) + sizeof(uint32_t));
}

static struct slots *
slots_of(const struct table *table)
{
	return atomic_load_explicit(&table->slots, memory_order_relaxed);
}

static bool
has_room(const struct table *table, size_t n)
{
	const struct slots *slots = slots_of(table);

	return slots && table->n_used + n <= slots->n / 4 * 3;
}

static void
free_slots(void *ctx, struct retired *retired)
{
	struct slots *slots = (struct slots *) retired;

	(void) ctx;
	_Static_assert(offsetof(struct slots, retired) == 0, "cast above");
	memory_free(slots->allocator, slots, slots_size(slots->n));
}

static void
put(struct slots *slots, uint32_t hash, void *item)
{
	size_t i = hash & (slots->n - 1);

	while (atomic_load_explicit(&slots->items[i], memory_order_relaxed))
		i = (i + 1) & (slots->n - 1);
	slots->hashes[i] = hash;
	atomic_store_explicit(&slots->items[i], item, memory_order_release);
}

static size_t
place_of(const struct slots *slots, uint32_t hash, const void *item)
{
	size_t i = hash & (slots->n - 1);

	while (atomic_load_explicit(&slots->items[i], memory_order_relaxed)
	       != item)
		i = (i + 1) & (slots->n - 1);
	return i;
}
