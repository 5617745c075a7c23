/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/base/budget.h"

static const uint64_t ns_per_s = 1000000000;

static void fill(struct budget *, uint32_t rate, uint32_t burst,
		 uint64_t elapsed, uint64_t now);

bool
budget_take(struct budget *budget, uint32_t rate, uint32_t burst, uint64_t now)
{
	if (!budget_left(budget, rate, burst, now))
		return false;
	budget->left--;
	return true;
}

uint32_t
budget_left(struct budget *budget, uint32_t rate, uint32_t burst, uint64_t now)
{
	uint64_t elapsed;

	if (!rate)
		return 0;
	if (!now)
		now = 1;
	elapsed = now - budget->filled_ns;
	/* Whoever has used it up asks most often: no division for them. */
	if (!budget->filled_ns || elapsed >= ns_per_s
	    || elapsed * rate >= ns_per_s)
		fill(budget, rate, burst, elapsed, now);
	return budget->left;
}

static void
fill(struct budget *budget, uint32_t rate, uint32_t burst, uint64_t elapsed,
     uint64_t now)
{
	uint64_t n;

	if (!budget->filled_ns || elapsed >= burst * ns_per_s / rate) {
		budget->left = burst;
		budget->filled_ns = now;
		return;
	}
	/* Less than a burst's time, so that nothing overflows; what is not a
	 * whole token yet stays in the time. */
	n = elapsed * rate / ns_per_s;
	budget->filled_ns += n * ns_per_s / rate;
	n += budget->left;
	budget->left = (uint32_t) (n < burst ? n : burst);
}
