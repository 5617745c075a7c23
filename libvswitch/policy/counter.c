/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/policy/counter.h"

#include <errno.h>
#include "libvswitch/base/memory.h"
#include "libvswitch/base/switch.h"

int
vsw_counter_new(struct vsw *vsw, struct vsw_counter **ret_counter)
{
	struct vsw_counter *counter = memory_alloc(&vsw->allocator, 0,
						   sizeof *counter);

	if (!counter)
		return -ENOMEM;
	counter->vsw = vsw;
	atomic_init(&counter->n_refs, 1);
	*ret_counter = counter;
	return 0;
}

void
vsw_counter_unref(struct vsw_counter *counter)
{
	if (counter
	    && atomic_fetch_sub_explicit(&counter->n_refs, 1,
					 memory_order_acq_rel) == 1)
		memory_free(&counter->vsw->allocator, counter,
			    sizeof *counter);
}

uint64_t
vsw_counter_read(const struct vsw_counter *counter)
{
	return atomic_load_explicit(&counter->n_packets,
				    memory_order_relaxed);
}

struct vsw_counter *
counter_ref(struct vsw_counter *counter)
{
	atomic_fetch_add_explicit(&counter->n_refs, 1, memory_order_relaxed);
	return counter;
}
