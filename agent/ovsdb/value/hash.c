/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/value/hash.h"

#include <sys/random.h>
#include <time.h>

uint64_t
hash_seed(void)
{
	static uint64_t seed;

	while (!seed) {
		if (getrandom(&seed, sizeof seed, 0) != sizeof seed) {
			struct timespec now;

			/* Only a kernel without getrandom() comes here. */
			clock_gettime(CLOCK_MONOTONIC, &now);
			seed = (uint64_t) now.tv_nsec << 32 ^ now.tv_sec;
		}
	}
	return seed;
}
