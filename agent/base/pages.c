/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/base/pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "agent/base/memory.h"

enum { MAPPED = 64 * 1024 };		/* Bytes: mapped from here on. */

static void *map(void *old, size_t old_size, size_t new_size);

void *
pages_resize(void *memory, size_t old_size, size_t new_size)
{
	void *moved;

	if (old_size >= MAPPED && new_size >= MAPPED)
		return map(memory, old_size, new_size);
	if (old_size < MAPPED && new_size && new_size < MAPPED)
		return xrealloc(memory, new_size);
	moved = !new_size ? NULL
		: new_size >= MAPPED ? map(NULL, 0, new_size)
		: xmalloc(new_size);
	if (old_size && new_size)
		memcpy(moved, memory,
		       old_size < new_size ? old_size : new_size);
	if (old_size >= MAPPED)
		munmap(memory, old_size);
	else
		free(memory);
	return moved;
}

static void *
map(void *old, size_t old_size, size_t new_size)
{
	void *mapped = old
		? mremap(old, old_size, new_size, MREMAP_MAYMOVE)
		: mmap(NULL, new_size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mapped == MAP_FAILED) {
		fprintf(stderr, "out of memory: %zu bytes\n", new_size);
		abort();
	}
	return mapped;
}
