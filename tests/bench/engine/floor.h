/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H 1

/* What nobody can be faster than, written by hand: of 32 packets at a time,
 * the addresses and ports to a key, its hash, a batched lookup in tagged
 * buckets and entries of one cache line each (48 bytes of key, two counters),
 * and one of 16 templates of 50 bytes put in front, or 50 bytes taken off.  No
 * check of anything, no policy, no ports.  Tables are on 2 MB pages.
 *
 * On the same packets as the engine, so that the engine's figures can be read
 * as ratios to it on any machine. */

#include <stdbool.h>
#include <stdint.h>
#include <vswitch.h>

struct floor;

/* Aborts if there is no memory.  'n_flows' is what it will be asked for. */
struct floor *floor_new(uint32_t n_flows);
void floor_free(struct floor *);
/* Takes 'n' packets, at most 32, and frees them.  Flows that are not known are
 * made. */
void floor_carry(struct floor *, bool decap,
		 struct vsw_packet *const packets[], unsigned n);

#endif /* bench/floor.h */
