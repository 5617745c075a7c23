/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/base/memory.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void *allocate(void *ctx, size_t alignment, size_t size);
static void release(void *ctx, void *memory, size_t size);
static void *map(size_t size);
static size_t round_up(size_t size, size_t to);

const struct vsw_allocator memory_own = { .alloc = allocate, .free = release };

void *
memory_alloc(const struct vsw_allocator *allocator, size_t alignment,
	     size_t size)
{
	void *memory = memory_alloc_raw(allocator, alignment, size);

	/* What is mapped is zero, and is not to be there before it is used. */
	if (memory && !(allocator->alloc == allocate && size >= MEMORY_BIG))
		memset(memory, 0, size);
	return memory;
}

void *
memory_alloc_raw(const struct vsw_allocator *allocator, size_t alignment,
		 size_t size)
{
	if (!alignment)
		alignment = _Alignof(max_align_t);
	if (size >= MEMORY_BIG)
		alignment = MEMORY_HUGE_PAGE;
	return allocator->alloc(allocator->ctx, alignment, size);
}

void
memory_free(const struct vsw_allocator *allocator, void *memory, size_t size)
{
	if (memory)
		allocator->free(allocator->ctx, memory, size);
}

char *
memory_strdup(const struct vsw_allocator *allocator, const char *string)
{
	size_t size = strlen(string) + 1;
	char *copy = memory_alloc(allocator, 0, size);

	if (copy)
		memcpy(copy, string, size);
	return copy;
}

void
memory_free_string(const struct vsw_allocator *allocator, char *string)
{
	if (string)
		memory_free(allocator, string, strlen(string) + 1);
}

int
memory_grow(const struct vsw_allocator *allocator, void **array,
	    size_t *n_room, size_t n_wanted, size_t item_size)
{
	size_t n = *n_room ? *n_room : 4;
	void *grown;

	if (n_wanted <= *n_room)
		return 0;
	while (n < n_wanted)
		n *= 2;
	grown = memory_alloc(allocator, 0, n * item_size);
	if (!grown)
		return -ENOMEM;
	if (*n_room)
		memcpy(grown, *array, *n_room * item_size);
	memory_free(allocator, *array, *n_room * item_size);
	*array = grown;
	*n_room = n;
	return 0;
}

static void *
allocate(void *ctx, size_t alignment, size_t size)
{
	(void) ctx;
	if (size >= MEMORY_BIG)
		return map(size);
	if (alignment <= _Alignof(max_align_t))
		return malloc(size);
	return aligned_alloc(alignment, round_up(size, alignment));
}

static void
release(void *ctx, void *memory, size_t size)
{
	(void) ctx;
	if (size >= MEMORY_BIG)
		munmap(memory, round_up(size, MEMORY_HUGE_PAGE));
	else
		free(memory);
}

/* One page more than asked for, and what is not aligned given back. */
static void *
map(size_t size)
{
	size_t wanted = round_up(size, MEMORY_HUGE_PAGE);
	size_t mapped = wanted + MEMORY_HUGE_PAGE;
	char *memory, *aligned;

	if (mapped < size)
		return NULL;
	memory = mmap(NULL, mapped, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return NULL;
	aligned = memory + (round_up((uintptr_t) memory, MEMORY_HUGE_PAGE)
			    - (uintptr_t) memory);
	if (aligned > memory)
		munmap(memory, (size_t) (aligned - memory));
	if (aligned + wanted < memory + mapped)
		munmap(aligned + wanted,
		       (size_t) (memory + mapped - aligned - wanted));
	/* Small pages will do. */
	(void) madvise(aligned, wanted, MADV_HUGEPAGE);
	return aligned;
}

static size_t
round_up(size_t size, size_t to)
{
	return (size + to - 1) / to * to;
}
