/* SPDX-License-Identifier: Apache-2.0 */

#ifndef AGENT_OVSDB_COUNTERS_H
#define AGENT_OVSDB_COUNTERS_H 1

/* What hnv-ovsdb has counted since its start: what was done, what was refused
 * because of a limit, which connections ended for what.  [control] */

#include <stddef.h>
#include <stdint.h>
#include "agent/ovsdb_program.h"

enum { MAX_COUNTERS = 64 };

struct counter {
	char name[32];
	uint64_t value;
};

/* How many there are, at most MAX_COUNTERS. */
size_t counters_read(const struct program *, struct counter *);

/* The sums over all databases. */
void counters_of_lookups(const struct program *,
			 struct lookup_counters *ret_sum);

#endif /* agent/ovsdb_counters.h */
