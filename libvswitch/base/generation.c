/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/base/generation.h"

#include <errno.h>
#include "libvswitch/base/memory.h"

enum { WORD = 64 };

static uint32_t value(const struct generations *, uint32_t number);
static size_t of_size(const struct generations *);
static size_t used_size(uint32_t size);

int
generations_init(struct generations *g, const struct vsw_allocator *allocator,
		 uint32_t size, uint32_t n_stripes)
{
	*g = (struct generations) {
		.size = size, .stripe_mask = n_stripes - 1
	};
	g->of = memory_alloc(allocator, 0, of_size(g));
	g->used = memory_alloc(allocator, 0, used_size(size));
	if (!g->of || !g->used) {
		generations_done(g, allocator);
		return -ENOMEM;
	}
	g->used[0] = 1;			/* GENERATION_NONE. */
	return 0;
}

void
generations_done(struct generations *g, const struct vsw_allocator *allocator)
{
	memory_free(allocator, g->of, of_size(g));
	memory_free(allocator, g->used, used_size(g->size));
	*g = (struct generations) { .size = 0 };
}

int
generation_new(struct generations *g, uint32_t *ret_number)
{
	for (uint32_t i = 0; i < g->size; i += WORD) {
		uint64_t word = g->used[i / WORD];
		uint32_t number;

		if (word == UINT64_MAX)
			continue;
		number = i + (uint32_t) __builtin_ctzll(~word);
		if (number >= g->size)
			break;
		g->used[i / WORD] |= UINT64_C(1) << number % WORD;
		*ret_number = number;
		return 0;
	}
	return -ENOSPC;
}

/* Moves on, and never back to where it started: a flow that depended on the
 * number's former holder must not take the next holder for it. */
void
generation_free(struct generations *g, uint32_t number)
{
	if (number == GENERATION_NONE)
		return;
	generation_move(g, number);
	g->used[number / WORD] &= ~(UINT64_C(1) << number % WORD);
}

/* There is one writer. */
void
generation_touch(struct generations *g, uint32_t number)
{
	uint32_t now = atomic_load_explicit(&g->of[number],
					    memory_order_relaxed);

	atomic_store_explicit(&g->of[number], now + 1, memory_order_release);
}

void
generations_tell(struct generations *g)
{
	uint64_t now = atomic_load_explicit(&g->all, memory_order_relaxed);

	atomic_store_explicit(&g->all, now + 1, memory_order_release);
}

void
generation_move(struct generations *g, uint32_t number)
{
	generation_touch(g, number);
	generations_tell(g);
}

/* First those that are near.  What stands for the stripes is read before they
 * are: if it moves meanwhile, the next look finds that. */
bool
dependencies_look(struct dependencies *d, const struct generations *g,
		  uint64_t all)
{
	uint32_t quick_sum = 0, sum;
	bool stands;

	if (d->n > GENERATION_DEPS)
		return false;
	for (uint8_t i = 0; i < d->n; i++)
		if (d->of[i] < g->size)
			quick_sum += value(g, d->of[i]);
	sum = quick_sum;
	stands = d->edits != GENERATION_NONE && d->edits != GENERATION_MIXED;
	if (stands)
		quick_sum += value(g, d->edits);
	if (quick_sum != d->quick_sum || !stands) {
		for (uint8_t i = 0; i < d->n; i++)
			if (d->of[i] >= g->size)
				sum += value(g, d->of[i]);
		if (sum != d->sum)
			return false;
		d->quick_sum = quick_sum;
	}
	d->all = all;
	return true;
}

bool
dependencies_stand(const struct dependencies *d, const struct generations *g)
{
	uint32_t sum = 0;

	/* What was read is read before the numbers are again. */
	atomic_thread_fence(memory_order_acquire);
	if (d->n > GENERATION_DEPS)
		return atomic_load_explicit(&g->all, memory_order_relaxed)
		       == d->all;
	for (uint8_t i = 0; i < d->n; i++)
		sum += value(g, d->of[i]);
	return sum == d->sum;
}

static uint32_t
value(const struct generations *g, uint32_t number)
{
	return atomic_load_explicit(&g->of[number], memory_order_acquire);
}

static size_t
of_size(const struct generations *g)
{
	return (g->size + (size_t) g->stripe_mask + 1) * sizeof *g->of;
}

static size_t
used_size(uint32_t size)
{
	return (size + WORD - 1) / WORD * sizeof(uint64_t);
}
