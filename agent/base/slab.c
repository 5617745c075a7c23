/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/base/slab.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "agent/base/memory.h"

#ifdef HAS_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>
enum { MARGIN = 16 };		/* Behind each object. */
#else
#define ASAN_POISON_MEMORY_REGION(p, size) ((void) (p), (void) (size))
#define ASAN_UNPOISON_MEMORY_REGION(p, size) ((void) (p), (void) (size))
#define __lsan_register_root_region(p, size) ((void) (p), (void) (size))
#define __lsan_unregister_root_region(p, size) ((void) (p), (void) (size))
enum { MARGIN = 0 };
#endif

enum {
	SLAB = 64 * 1024,
	REGION_SLABS = 64,
	MAX_SHARED = 16 * 1024,	/* Larger objects: mapped alone. */
	MAX_DIRTY = 16		/* Empty slabs whose memory is kept. */
};

/* At the start of its memory, which starts at a multiple of SLAB; so objects
 * lead to it. */
struct slab {
	struct slab_pool *pool;
	void *owner;
	struct list link;	/* In pool->open; alone: it is full. */
	struct region *region;	/* NULL: memory of its own. */
	uint32_t free;		/* Offset of the first freed object, where
				 * that of the next one stands; or 0. */
	uint32_t fresh;		/* From here on none was ever used. */
	uint32_t n_used;
};

/* Memory is mapped for many slabs at once. */
struct region {
	struct list link;	/* In 'regions' if there are free ones. */
	char *base;
	uint64_t free;		/* Bit i: slab i. */
	uint64_t dirty;		/* Of them: those that may hold memory. */
};

static struct list regions = { &regions, &regions };
static unsigned n_dirty;

static struct slab *slab_of(const void *object);
static struct slab *slab_new(struct slab_pool *);
static void slab_end(struct slab *);
static size_t stride(const struct slab_pool *);
static size_t size_alone(const struct slab_pool *);
static void *take_memory(struct region **ret_region);
static struct region *region_new(void);
static void give_memory(struct region *, void *);
static void *map_aligned(size_t size);

void
slab_pool_init(struct slab_pool *pool, size_t size, void *owner)
{
	pool->size = size;
	pool->owner = owner;
	list_init(&pool->open);
	pool->n_slabs = 0;
}

void
slab_pool_done(struct slab_pool *pool)
{
	assert(!pool->n_slabs);
	(void) pool;
}

void *
slab_alloc(struct slab_pool *pool)
{
	struct slab *slab = list_is_empty(&pool->open) ? slab_new(pool)
		: LIST_ENTRY(pool->open.next, struct slab, link);
	char *object;

	if (slab->free) {
		object = (char *) slab + slab->free;
		ASAN_UNPOISON_MEMORY_REGION(object, pool->size);
		slab->free = *(uint32_t *) object;
	} else {
		object = (char *) slab + slab->fresh;
		ASAN_UNPOISON_MEMORY_REGION(object, pool->size);
		slab->fresh += stride(pool);
	}
	slab->n_used++;
	if (!slab->free && slab->fresh + stride(pool) > SLAB)
		list_remove(&slab->link);
	return object;
}

void
slab_free(void *object)
{
	struct slab *slab;

	if (!object)
		return;
	slab = slab_of(object);
	if (!--slab->n_used) {
		slab_end(slab);
		return;
	}
	if (!slab->free && slab->fresh + stride(slab->pool) > SLAB)
		list_append(&slab->pool->open, &slab->link);
	*(uint32_t *) object = slab->free;
	slab->free = (char *) object - (char *) slab;
	ASAN_POISON_MEMORY_REGION(object, slab->pool->size);
}

void *
slab_owner(const void *object)
{
	return slab_of(object)->owner;
}

static struct slab *
slab_of(const void *object)
{
	return (struct slab *) ((uintptr_t) object & ~(uintptr_t) (SLAB - 1));
}

static struct slab *
slab_new(struct slab_pool *pool)
{
	struct region *region = NULL;
	bool is_alone = pool->size > MAX_SHARED;
	struct slab *slab = is_alone ? map_aligned(size_alone(pool))
				     : take_memory(&region);

	slab->pool = pool;
	slab->owner = pool->owner;
	slab->region = region;
	slab->free = 0;
	slab->fresh = (sizeof *slab + 15) & ~15;
	slab->n_used = 0;
	list_append(&pool->open, &slab->link);
	pool->n_slabs++;
	ASAN_POISON_MEMORY_REGION((char *) slab + slab->fresh,
				  (is_alone ? size_alone(pool) : SLAB)
				  - slab->fresh);
	return slab;
}

static void
slab_end(struct slab *slab)
{
	struct slab_pool *pool = slab->pool;
	size_t size = slab->region ? SLAB : size_alone(pool);

	list_remove(&slab->link);
	pool->n_slabs--;
	ASAN_UNPOISON_MEMORY_REGION(slab, size);
	if (slab->region) {
		give_memory(slab->region, slab);
	} else {
		__lsan_unregister_root_region(slab, size);
		munmap(slab, size);
	}
}

static size_t
stride(const struct slab_pool *pool)
{
	return pool->size + MARGIN;
}

static size_t
size_alone(const struct slab_pool *pool)
{
	return (sizeof(struct slab) + 15 + stride(pool) + SLAB - 1)
	       & ~(size_t) (SLAB - 1);
}

static void *
take_memory(struct region **ret_region)
{
	struct region *region = list_is_empty(&regions) ? region_new()
		: LIST_ENTRY(regions.next, struct region, link);
	/* One that holds memory already, if there is. */
	uint64_t choice = region->dirty ? region->dirty : region->free;
	unsigned i = __builtin_ctzll(choice);
	uint64_t bit = UINT64_C(1) << i;

	if (region->dirty & bit)
		n_dirty--;
	region->free &= ~bit;
	region->dirty &= ~bit;
	if (!region->free)
		list_remove(&region->link);
	*ret_region = region;
	return region->base + (size_t) i * SLAB;
}

static struct region *
region_new(void)
{
	struct region *region = xmalloc(sizeof *region);

	region->base = map_aligned((size_t) REGION_SLABS * SLAB);
	region->free = UINT64_MAX;
	region->dirty = 0;
	list_append(&regions, &region->link);
	return region;
}

static void
give_memory(struct region *region, void *memory)
{
	const size_t size = (size_t) REGION_SLABS * SLAB;
	unsigned i = ((char *) memory - region->base) / SLAB;

	if (!region->free)
		list_append(&regions, &region->link);
	region->free |= UINT64_C(1) << i;
	if (region->free == UINT64_MAX) {
		n_dirty -= __builtin_popcountll(region->dirty);
		list_remove(&region->link);
		__lsan_unregister_root_region(region->base, size);
		munmap(region->base, size);
		free(region);
	} else if (n_dirty < MAX_DIRTY) {
		region->dirty |= UINT64_C(1) << i;
		n_dirty++;
	} else {
		madvise(memory, SLAB, MADV_DONTNEED);
	}
}

/* Maps more than that, and cuts off what stands out. */
static void *
map_aligned(size_t size)
{
	char *base = mmap(NULL, size + SLAB, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t before;

	if (base == MAP_FAILED) {
		fprintf(stderr, "out of memory: %zu bytes\n", size);
		abort();
	}
	before = -(uintptr_t) base & (SLAB - 1);
	if (before)
		munmap(base, before);
	if (before < SLAB)
		munmap(base + before + size, SLAB - before);
	__lsan_register_root_region(base + before, size);
	return base + before;
}
