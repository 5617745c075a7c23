/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BASE_LOCK_H
#define BASE_LOCK_H 1

/* A lock for a few dozen instructions, one byte, all zero when free.  Whoever
 * waits spins, and then lets others run: the holder may have been put to sleep.
 * Nobody calls out (allocator, callbacks) while holding one. */

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

struct lock {
	_Atomic bool is_taken;
};

static inline bool
lock_try(struct lock *lock)
{
	return !atomic_load_explicit(&lock->is_taken, memory_order_relaxed)
	       && !atomic_exchange_explicit(&lock->is_taken, true,
					    memory_order_acquire);
}

static inline void
lock_take(struct lock *lock)
{
	for (unsigned spins = 0; !lock_try(lock); spins++)
		if (spins >= 256)
			sched_yield();
}

static inline void
lock_give(struct lock *lock)
{
	atomic_store_explicit(&lock->is_taken, false, memory_order_release);
}

#endif /* base/lock.h */
