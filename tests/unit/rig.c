/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/unit/rig.h"

#include <stdlib.h>

static void *get(void *ctx, size_t alignment, size_t size);
static void put(void *ctx, void *memory, size_t size);

struct vsw_allocator
rig_allocator(struct rig_memory *memory)
{
	return (struct vsw_allocator) { .alloc = get, .free = put,
					.ctx = memory };
}

uint32_t
rig_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005)
		 + UINT64_C(1442695040888963407);
	return (uint32_t) (*state >> 33);
}

static void *
get(void *ctx, size_t alignment, size_t size)
{
	struct rig_memory *memory = ctx;
	void *p = NULL;

	memory->n_calls++;
	if (memory->fail_at
	    && (memory->fails_once ? memory->n_calls == memory->fail_at
				   : memory->n_calls >= memory->fail_at)) {
		memory->n_failed++;
		return NULL;
	}
	if (alignment < sizeof(void *))
		alignment = sizeof(void *);
	if (posix_memalign(&p, alignment, size))
		abort();
	memory->n_live++;
	memory->n_bytes += size;
	return p;
}

static void
put(void *ctx, void *p, size_t size)
{
	struct rig_memory *memory = ctx;

	if (!p)
		return;
	memory->n_live--;
	memory->n_bytes -= size;
	free(p);
}
