/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BASE_BUDGET_H
#define BASE_BUDGET_H 1

/* What somebody may do in a time: a bucket of tokens that fills at a rate, up
 * to a burst.  No lock: it belongs to one worker, and time is an argument. */

#include <stdbool.h>
#include <stdint.h>

/* Starts as all zero, which is full. */
struct budget {
	uint64_t filled_ns;		/* 0: never yet. */
	uint32_t left;
};

/* [worker] Takes a token if there is one.  'rate' a second; 0: there never is
 * one.  'burst' is at least 1.  'now' that runs backwards fills. */
bool budget_take(struct budget *, uint32_t rate, uint32_t burst, uint64_t now);
/* [worker] How many could be taken. */
uint32_t budget_left(struct budget *, uint32_t rate, uint32_t burst,
		     uint64_t now);

#endif /* base/budget.h */
