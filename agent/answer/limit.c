/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/answer/limit.h"

enum { SECOND_NS = 1000000000 };

bool
limit_take(struct limit *limit, uint32_t rate, uint64_t now)
{
	uint64_t passed, fresh;

	if (!rate)
		return false;
	if (limit->left > rate)
		limit->left = rate;
	passed = now - limit->filled_ns;
	if (!limit->filled_ns || passed >= SECOND_NS) {
		limit->left = rate;
		limit->filled_ns = now ? now : 1;
	} else {
		fresh = passed * rate / SECOND_NS;
		/* What is less than a token is kept for the next time. */
		limit->filled_ns += fresh * SECOND_NS / rate;
		limit->left += (uint32_t) fresh;
		if (limit->left > rate)
			limit->left = rate;
	}
	if (!limit->left)
		return false;
	limit->left--;
	return true;
}
