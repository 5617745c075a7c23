/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/base/memory.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

void *
memory_alloc(const struct vsw_allocator *allocator, size_t alignment,
	     size_t size)
{
	void *memory;

	if (!alignment)
		alignment = _Alignof(max_align_t);
	memory = allocator->alloc(allocator->ctx, alignment, size);
	if (memory)
		memset(memory, 0, size);
	return memory;
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
