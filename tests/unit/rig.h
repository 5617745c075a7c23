/* SPDX-License-Identifier: Apache-2.0 */

#ifndef UNIT_RIG_H
#define UNIT_RIG_H 1

/* What unit tests of the engine stand on: memory that can run out, and random
 * numbers that come again. */

#include <stdbool.h>
#include <stdint.h>
#include <vswitch/switch.h>

/* Counts what is asked for and what is out; 'fail_at' n makes the n-th call
 * (from 1) and, unless 'fails_once', those behind it fail, 0 none. */
struct rig_memory {
	unsigned long n_calls, n_live, n_failed;
	unsigned long fail_at;
	bool fails_once;
	size_t n_bytes;
};

struct vsw_allocator rig_allocator(struct rig_memory *);

uint32_t rig_random(uint64_t *state);

#endif /* unit/rig.h */
