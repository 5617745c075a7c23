/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/policy/entry.h"

#include <errno.h>
#include <string.h>
#include "libvswitch/base/memory.h"
#include "libvswitch/base/switch.h"

enum {
	SMALL_BITS = 10,		/* Chunks of 1024 entries, as long as */
	LARGE_BITS = 16,		/* there are no more than these; then
					 * such ones, of 2 MB. */
	N_SMALL = 1 << (LARGE_BITS - SMALL_BITS),
	DIRECTORY_MIN = 8
};

/* Of an entry that is in no table. */
struct note {
	uint32_t next;			/* Free, leaving, or waiting. */
	uint32_t epoch;			/* Waiting; lower half. */
};

struct chunk {
	struct entry *entries;
	struct note *notes;		/* [control] */
};

struct directory {
	struct retired retired;
	uint32_t n, room;
	struct chunk chunks[];
};

struct entry_pool {
	struct vsw *vsw;
	_Atomic(struct directory *) directory;
	uint32_t n_fresh;		/* Numbers ever taken; 0 is one. */
	uint32_t n_room;		/* In chunks. */
	uint32_t free;			/* List. */
	uint32_t waiting, last_waiting;	/* List, oldest first. */
};

static struct directory *directory_of(const struct entry_pool *);
static bool grow(struct entry_pool *);
static struct directory *grow_directory(struct entry_pool *);
static size_t directory_size(uint32_t room);
static void free_directory(void *vsw, struct retired *);
static size_t chunk_entries(uint32_t chunk);
static uint32_t chunk_of(uint32_t number, uint32_t *ret_at);
static struct note *note_at(const struct entry_pool *, uint32_t number);
static void reuse(struct entry_pool *, uint32_t number);

int
entry_pool_new(struct vsw *vsw, struct entry_pool **ret_pool)
{
	struct entry_pool *pool = memory_alloc(&vsw->allocator, 0,
					       sizeof *pool);
	struct directory *directory = memory_alloc(
		&vsw->allocator, 0, directory_size(DIRECTORY_MIN));

	if (!pool || !directory) {
		memory_free(&vsw->allocator, pool, sizeof *pool);
		memory_free(&vsw->allocator, directory,
			    directory_size(DIRECTORY_MIN));
		return -ENOMEM;
	}
	directory->room = DIRECTORY_MIN;
	pool->vsw = vsw;
	pool->n_fresh = 1;
	atomic_init(&pool->directory, directory);
	*ret_pool = pool;
	return 0;
}

void
entry_pool_free(struct entry_pool *pool)
{
	const struct vsw_allocator *allocator;
	struct directory *directory;

	if (!pool)
		return;
	allocator = &pool->vsw->allocator;
	directory = directory_of(pool);
	while (pool->waiting) {
		uint32_t number = pool->waiting;

		pool->waiting = note_at(pool, number)->next;
		reuse(pool, number);
	}
	for (uint32_t i = 0; i < directory->n; i++) {
		memory_free(allocator, directory->chunks[i].entries,
			    chunk_entries(i) * sizeof(struct entry));
		memory_free(allocator, directory->chunks[i].notes,
			    chunk_entries(i) * sizeof(struct note));
	}
	memory_free(allocator, directory, directory_size(directory->room));
	memory_free(allocator, pool, sizeof *pool);
}

uint32_t
entry_take(struct entry_pool *pool)
{
	uint32_t number;

	if (!pool->free)
		entry_pool_run(pool);
	if (!pool->free && pool->n_fresh >= pool->n_room && !grow(pool))
		return ENTRY_NONE;
	if (!pool->free)
		return pool->n_fresh++;
	number = pool->free;
	pool->free = note_at(pool, number)->next;
	return number;
}

void
entry_give_back(struct entry_pool *pool, uint32_t number)
{
	struct entry *entry = entry_at(pool, number);

	memset(entry, 0, sizeof *entry);
	note_at(pool, number)->next = pool->free;
	pool->free = number;
}

void
entry_leave(struct entry_pool *pool, uint32_t number, uint32_t *list)
{
	note_at(pool, number)->next = *list;
	*list = number;
}

void
entry_retire(struct entry_pool *pool, uint32_t list, uint64_t epoch)
{
	while (list) {
		struct note *note = note_at(pool, list);
		uint32_t next = note->next;

		*note = (struct note) { .epoch = (uint32_t) epoch };
		if (pool->waiting)
			note_at(pool, pool->last_waiting)->next = list;
		else
			pool->waiting = list;
		pool->last_waiting = list;
		list = next;
	}
}

/* Epochs that are waited for lie behind each other by fewer than there is
 * memory for. */
void
entry_pool_run(struct entry_pool *pool)
{
	uint32_t oldest;

	if (!pool->waiting)
		return;
	oldest = (uint32_t) reclaim_oldest(&pool->vsw->reclaim);
	while (pool->waiting) {
		uint32_t number = pool->waiting;
		struct note *note = note_at(pool, number);

		if ((int32_t) (oldest - note->epoch) <= 0)
			break;
		pool->waiting = note->next;
		reuse(pool, number);
	}
}

struct entry *
entry_at(const struct entry_pool *pool, uint32_t number)
{
	const struct directory *directory = atomic_load_explicit(
		&pool->directory, memory_order_acquire);
	uint32_t at, chunk = chunk_of(number, &at);

	return &directory->chunks[chunk].entries[at];
}

static struct directory *
directory_of(const struct entry_pool *pool)
{
	return atomic_load_explicit(&pool->directory, memory_order_relaxed);
}

static bool
grow(struct entry_pool *pool)
{
	const struct vsw_allocator *allocator = &pool->vsw->allocator;
	struct directory *directory = directory_of(pool);
	uint32_t i = directory->n;
	size_t n = chunk_entries(i);
	struct chunk chunk;

	if (n > UINT32_MAX - pool->n_room)
		return false;
	chunk.entries = memory_alloc(allocator, 64,
				     n * sizeof *chunk.entries);
	chunk.notes = memory_alloc(allocator, 0, n * sizeof *chunk.notes);
	if (directory->n == directory->room)
		directory = grow_directory(pool);
	if (!chunk.entries || !chunk.notes || !directory) {
		memory_free(allocator, chunk.entries,
			    n * sizeof *chunk.entries);
		memory_free(allocator, chunk.notes, n * sizeof *chunk.notes);
		return false;
	}
	/* Readers come here by a number behind whose tag this is seen. */
	directory->chunks[i] = chunk;
	directory->n = i + 1;
	pool->n_room += (uint32_t) n;
	return true;
}

static struct directory *
grow_directory(struct entry_pool *pool)
{
	struct vsw *vsw = pool->vsw;
	struct directory *old = directory_of(pool);
	uint32_t room = old->room * 2;
	struct directory *fresh = memory_alloc(&vsw->allocator, 0,
					       directory_size(room));

	if (!fresh)
		return NULL;
	memcpy(fresh->chunks, old->chunks, old->n * sizeof old->chunks[0]);
	fresh->n = old->n;
	fresh->room = room;
	atomic_store_explicit(&pool->directory, fresh, memory_order_release);
	reclaim_retire(&vsw->reclaim, &old->retired, free_directory, vsw);
	return fresh;
}

static size_t
directory_size(uint32_t room)
{
	return sizeof(struct directory) + room * sizeof(struct chunk);
}

static void
free_directory(void *vsw_, struct retired *retired)
{
	struct directory *directory = (struct directory *) retired;
	struct vsw *vsw = vsw_;

	_Static_assert(offsetof(struct directory, retired) == 0, "cast above");
	memory_free(&vsw->allocator, directory,
		    directory_size(directory->room));
}

static size_t
chunk_entries(uint32_t chunk)
{
	return (size_t) 1 << (chunk < N_SMALL ? SMALL_BITS : LARGE_BITS);
}

static uint32_t
chunk_of(uint32_t number, uint32_t *ret_at)
{
	if (number >> LARGE_BITS) {
		*ret_at = number & ((1u << LARGE_BITS) - 1);
		return N_SMALL - 1 + (number >> LARGE_BITS);
	}
	*ret_at = number & ((1u << SMALL_BITS) - 1);
	return number >> SMALL_BITS;
}

static struct note *
note_at(const struct entry_pool *pool, uint32_t number)
{
	uint32_t at, chunk = chunk_of(number, &at);

	return &directory_of(pool)->chunks[chunk].notes[at];
}

static void
reuse(struct entry_pool *pool, uint32_t number)
{
	const struct entry *entry = entry_at(pool, number);
	struct places *many = entry->place.many;

	if (entry->place.kind == PLACE_MANY)
		memory_free(&pool->vsw->allocator, many,
			    places_size(many->n, places_inhabitants(
						 many->places, many->n)));
	entry_give_back(pool, number);
}
