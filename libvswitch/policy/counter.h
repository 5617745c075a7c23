/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_COUNTER_H
#define POLICY_COUNTER_H 1

/* What rules count in.  Held by the embedder, by rules, and by what workers
 * have decided from them, so that packets of a flow whose rule is gone still
 * find where they count. [any] */

#include <stdatomic.h>
#include <stdint.h>
#include <vswitch/inspect.h>

struct vsw;

struct vsw_counter {
	struct vsw *vsw;
	_Atomic uint32_t n_refs;
	_Atomic uint64_t n_packets;
};

/* Whoever calls sees somebody else's reference. */
struct vsw_counter *counter_ref(struct vsw_counter *);

static inline void
counter_add(struct vsw_counter *counter, uint64_t n_packets)
{
	atomic_fetch_add_explicit(&counter->n_packets, n_packets,
				  memory_order_relaxed);
}

#endif /* policy/counter.h */
