/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BASE_EAR_H
#define BASE_EAR_H 1

/* How flows are told, by whoever knows, that they are to look at their
 * connections again: a worker has an ear, which is the byte of its first flow's
 * flags, and each flow's is EAR_STRIDE further on.  A hit looks at that byte in
 * any case, so that listening costs it nothing.
 *
 * Who tells sets EAR_BIT and nothing else, and may tell a flow that has become
 * another meanwhile: that one looks once, to no purpose.  The owner clears the
 * bit before it looks, never behind that: what it looks at is under a lock, and
 * who tells holds the same one, so that nothing is missed. */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum { EAR_STRIDE = 128, EAR_BIT = 0x80 };

struct ear {
	_Atomic(_Atomic uint8_t *) first;	/* NULL: nobody listens. */
};

/* [control] The worker's flows are there; and, before they are freed and what
 * others may be doing is waited for: not any more. */
static inline void
ear_open(struct ear *ear, _Atomic uint8_t *first)
{
	atomic_store_explicit(&ear->first, first, memory_order_release);
}

static inline void
ear_close(struct ear *ear)
{
	atomic_store_explicit(&ear->first, NULL, memory_order_release);
}

/* [worker] Inside of its read mark; or [control]. */
static inline void
ear_tell(const struct ear *ear, uint32_t flow)
{
	_Atomic uint8_t *first = atomic_load_explicit(&ear->first,
						      memory_order_acquire);

	if (first)
		atomic_fetch_or_explicit(first + (size_t) flow * EAR_STRIDE,
					 EAR_BIT, memory_order_relaxed);
}

#endif /* base/ear.h */
