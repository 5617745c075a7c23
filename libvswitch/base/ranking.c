/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/base/ranking.h"

#include <errno.h>
#include "libvswitch/base/memory.h"

static void up(struct ranking *, uint32_t at);
static void down(struct ranking *, uint32_t at);
static void swap(struct ranking *, uint32_t a, uint32_t b);

int
ranking_init(struct ranking *r, const struct vsw_allocator *allocator,
	     uint32_t size)
{
	*r = (struct ranking) { .size = size };
	r->heap = memory_alloc(allocator, 0, size * sizeof *r->heap);
	r->places = memory_alloc(allocator, 0, size * sizeof *r->places);
	r->n = memory_alloc(allocator, 0, size * sizeof *r->n);
	if (!r->heap || !r->places || !r->n) {
		ranking_done(r, allocator);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < size; i++)
		r->heap[i] = r->places[i] = i;
	return 0;
}

void
ranking_done(struct ranking *r, const struct vsw_allocator *allocator)
{
	memory_free(allocator, r->heap, r->size * sizeof *r->heap);
	memory_free(allocator, r->places, r->size * sizeof *r->places);
	memory_free(allocator, r->n, r->size * sizeof *r->n);
	*r = (struct ranking) { .size = 0 };
}

void
ranking_add(struct ranking *r, uint32_t who, int32_t n)
{
	r->n[who] += (uint32_t) n;
	if (n > 0)
		up(r, r->places[who]);
	else
		down(r, r->places[who]);
}

static void
up(struct ranking *r, uint32_t at)
{
	while (at && r->n[r->heap[at]] > r->n[r->heap[(at - 1) / 2]]) {
		swap(r, at, (at - 1) / 2);
		at = (at - 1) / 2;
	}
}

static void
down(struct ranking *r, uint32_t at)
{
	for (;;) {
		uint32_t most = at;

		for (uint32_t child = 2 * at + 1; child <= 2 * at + 2; child++)
			if (child < r->size
			    && r->n[r->heap[child]] > r->n[r->heap[most]])
				most = child;
		if (most == at)
			return;
		swap(r, at, most);
		at = most;
	}
}

static void
swap(struct ranking *r, uint32_t a, uint32_t b)
{
	uint32_t who = r->heap[a];

	r->heap[a] = r->heap[b];
	r->heap[b] = who;
	r->places[r->heap[a]] = a;
	r->places[r->heap[b]] = b;
}
