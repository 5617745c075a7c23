/* SPDX-License-Identifier: Apache-2.0 */

#ifndef ANSWER_LIMIT_H
#define ANSWER_LIMIT_H 1

/* How often something may be done in a second: a bucket of tokens that fills at
 * a rate, up to a second's worth.  Times are nanoseconds, as of
 * thread_now(). */

#include <stdbool.h>
#include <stdint.h>

/* Starts as all zero, which is full. */
struct limit {
	uint64_t filled_ns;		/* 0: never yet. */
	uint32_t left;
};

/* Takes a token if there is one; 'rate' 0: there never is one. */
bool limit_take(struct limit *, uint32_t rate, uint64_t now_ns);

#endif /* answer/limit.h */
