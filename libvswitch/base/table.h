/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BASE_TABLE_H
#define BASE_TABLE_H 1

/* A hash table of pointers: one writer, any number of readers without locks.
 *
 * Open addressing.  A slot's hash is written once, before the slot's first
 * item is published (release; pairs with the reader's acquire), and stands
 * until the slots are made anew: so a reader never takes an item by another's
 * hash.  Removing leaves a marker, which is not used again; replacing swaps
 * the pointer.  When slots run short, live items go to new slots, which are
 * published, and the old ones are retired.
 *
 * Readers are under a read mark (base/reclaim.h).  Items are the caller's: who
 * takes one out retires it.  12 bytes a slot, at most 3/4 of them used. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "libvswitch/base/reclaim.h"

struct vsw_allocator;

struct slots {
	struct retired retired;
	const struct vsw_allocator *allocator;
	uint32_t *hashes;		/* Behind 'items'. */
	size_t n;			/* Power of 2. */
	_Atomic(void *) items[];
};

struct table {
	_Atomic(struct slots *) slots;	/* NULL: empty. */
	_Atomic size_t n;		/* Items; [any] may read. */
	size_t n_used;			/* Slots with item or marker. */
};

typedef bool table_equal_fn(const void *item, const void *key);

static inline void *
table_marker(void)
{
	return (void *) (uintptr_t) 1;
}

/* [control] All zero is an empty table.  done frees the slots at once: nobody
 * reads any more. */
void table_done(struct table *);
/* [control] Room for 'n' items more.  0 or -ENOMEM, and nothing is changed. */
int table_reserve(struct table *, const struct vsw_allocator *,
		  struct reclaim *, size_t n);
/* [control] Adds an item that is not there, in room that was reserved. */
void table_add(struct table *, uint32_t hash, void *item);
/* [control] Both are of items that are there. */
void table_replace(struct table *, uint32_t hash, const void *old, void *item);
void table_remove(struct table *, uint32_t hash, const void *item);
/* [control] Walks all items; '*at' starts at 0; NULL ends.  The item that was
 * returned may be removed. */
void *table_next(const struct table *, size_t *at);

/* [any] Under a read mark.  The item that 'equal' says yes to, or NULL. */
static inline void *
table_find(const struct table *table, uint32_t hash, table_equal_fn *equal,
	   const void *key)
{
	struct slots *slots = atomic_load_explicit(&table->slots,
						   memory_order_acquire);

	if (!slots)
		return NULL;
	for (size_t i = hash & (slots->n - 1);; i = (i + 1) & (slots->n - 1)) {
		void *item = atomic_load_explicit(&slots->items[i],
						  memory_order_acquire);

		if (!item)
			return NULL;
		if (item != table_marker() && slots->hashes[i] == hash
		    && equal(item, key))
			return item;
	}
}

#endif /* base/table.h */
