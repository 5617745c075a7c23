/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/base/reclaim.h"

#include <errno.h>
#include <sched.h>
#include "libvswitch/base/memory.h"

enum { SPINS = 256 };

int
reclaim_init(struct reclaim *r, const struct vsw_allocator *allocator,
	     size_t n_marks)
{
	size_t n = n_marks + RECLAIM_VISITORS;

	*r = (struct reclaim) { .n_marks = n, .first_visitor = n_marks };
	r->marks = memory_alloc(allocator, _Alignof(struct reclaim_mark),
				n * sizeof *r->marks);
	if (!r->marks)
		return -ENOMEM;
	/* 0 in a mark means outside, so epochs start at 1. */
	atomic_init(&r->epoch, 1);
	r->last = &r->first;
	return 0;
}

void
reclaim_done(struct reclaim *r, const struct vsw_allocator *allocator)
{
	/* What is freed may retire what it held. */
	while (r->first) {
		reclaim_next(r);
		reclaim_run(r);
	}
	memory_free(allocator, r->marks, r->n_marks * sizeof *r->marks);
	r->marks = NULL;
}

void
reclaim_retire(struct reclaim *r, struct retired *retired,
	       void (*free)(void *ctx, struct retired *), void *ctx)
{
	*retired = (struct retired) {
		.epoch = reclaim_next(r), .free = free, .ctx = ctx
	};
	*r->last = retired;
	r->last = &retired->next;
	r->n_retired++;
	reclaim_run(r);
}

void
reclaim_retire_all(struct reclaim *r, struct retired *list, void *ctx)
{
	uint64_t epoch = reclaim_next(r);

	while (list) {
		struct retired *next = list->next;

		*list = (struct retired) {
			.epoch = epoch, .free = list->free, .ctx = ctx
		};
		*r->last = list;
		r->last = &list->next;
		r->n_retired++;
		list = next;
	}
}

uint64_t
reclaim_next(struct reclaim *r)
{
	atomic_thread_fence(memory_order_seq_cst);
	return atomic_fetch_add_explicit(&r->epoch, 1, memory_order_relaxed);
}

/* The oldest epoch in a mark; if nobody is inside, the current one, which
 * nothing retired so far has. */
uint64_t
reclaim_oldest(const struct reclaim *r)
{
	uint64_t oldest = atomic_load_explicit(&r->epoch,
					       memory_order_relaxed);

	/* Pairs with the one in reclaim_enter(). */
	atomic_thread_fence(memory_order_seq_cst);
	for (size_t i = 0; i < r->n_marks; i++) {
		uint64_t epoch = atomic_load_explicit(&r->marks[i].epoch,
						      memory_order_acquire);

		if (epoch && epoch < oldest)
			oldest = epoch;
	}
	return oldest;
}

void
reclaim_run(struct reclaim *r)
{
	uint64_t oldest;

	if (r->is_running || !r->first)
		return;
	r->is_running = true;
	oldest = reclaim_oldest(r);
	while (r->first && r->first->epoch < oldest) {
		struct retired *retired = r->first;

		r->first = retired->next;
		if (!r->first)
			r->last = &r->first;
		r->n_retired--;
		retired->free(retired->ctx, retired);
	}
	r->is_running = false;
}

void
reclaim_wait(struct reclaim *r)
{
	uint64_t epoch = reclaim_next(r);

	for (unsigned spins = 0; reclaim_oldest(r) <= epoch; spins++)
		if (spins >= SPINS)
			sched_yield();
}

size_t
reclaim_visit(struct reclaim *r)
{
	for (;;) {
		for (size_t i = r->first_visitor; i < r->n_marks; i++) {
			uint64_t outside = 0;
			uint64_t epoch = atomic_load_explicit(
				&r->epoch, memory_order_relaxed);

			if (!atomic_compare_exchange_strong_explicit(
				    &r->marks[i].epoch, &outside, epoch,
				    memory_order_acquire,
				    memory_order_relaxed))
				continue;
			/* As in reclaim_enter(). */
			atomic_thread_fence(memory_order_seq_cst);
			return i;
		}
		sched_yield();
	}
}
