/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/connection/ended.h"

#include "libvswitch/base/memory.h"

void
ended_done(struct ended_ring *ring, const struct vsw_allocator *allocator)
{
	memory_free(allocator, ring->of, ENDED_MAX * sizeof *ring->of);
	ring->of = NULL;
}

bool
ended_put(struct ended_ring *ring, const struct vsw_allocator *allocator,
	  const struct ended *ended)
{
	bool is_there;

	lock_take(&ring->lock);
	if (!ring->of)
		ring->of = memory_alloc(allocator, 0,
					ENDED_MAX * sizeof *ring->of);
	is_there = ring->of && ring->n_put - ring->n_taken < ENDED_MAX;
	if (is_there)
		ring->of[ring->n_put++ % ENDED_MAX] = *ended;
	lock_give(&ring->lock);
	atomic_fetch_add_explicit(is_there ? &ring->n_told : &ring->n_lost, 1,
				  memory_order_relaxed);
	return is_there;
}

bool
ended_take(struct ended_ring *ring, struct ended *ret_ended)
{
	bool is_there;

	lock_take(&ring->lock);
	is_there = ring->n_put != ring->n_taken;
	if (is_there)
		*ret_ended = ring->of[ring->n_taken++ % ENDED_MAX];
	lock_give(&ring->lock);
	return is_there;
}
