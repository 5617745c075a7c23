/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_FLOW_H
#define DATAPATH_FLOW_H 1

/* A worker's cache of decisions: exact match on the whole key, one thread, no
 * locks, bounded; when it is full the port that holds most gives way.  Flows
 * are plain data (key, rewrites, counters, dependencies), so that they could
 * be carried out elsewhere.  [worker] */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "libvswitch/base/generation.h"
#include "libvswitch/datapath/parse.h"
#include "libvswitch/datapath/rewrite.h"

struct decision;
struct vsw;

struct flow {
	struct flow_key key;
	uint32_t hash;
	uint32_t n_rewrites;
	struct dependencies deps;
	struct rewrite rewrite;		/* The first, and mostly the only. */
	struct rewrite *more;		/* n_rewrites - 1. */
	uint64_t n_packets, n_bytes;
	uint64_t used_ns;
	uint32_t older, newer;		/* Ages, in the table: flow.c. */
};

struct flow_table;

int flow_table_new(struct vsw *, uint32_t max_flows,
		   struct flow_table **ret_table);
void flow_table_free(struct flow_table *);

/* Of the whole key, with the switch's secret seed. */
uint32_t flow_hash(const struct flow_key *, uint64_t seed);
struct flow *flow_find(struct flow_table *, const struct flow_key *,
		       uint32_t hash);
/* Puts what was decided in place: a new flow, or anew into a stale one, whose
 * counters stay.  NULL: out of memory, and the packet goes by the decision
 * alone. */
struct flow *flow_put(struct flow_table *, const struct flow_key *,
		      uint32_t hash, const struct decision *, uint64_t now);
/* Ages out what is idle, looking at at most 'n' flows; returns when the next
 * one will be due (UINT64_MAX: none left). */
uint64_t flow_expire(struct flow_table *, uint64_t now, size_t n);
size_t flow_count(const struct flow_table *);
/* Oldest first; NULL ends. */
struct flow *flow_first(const struct flow_table *);
struct flow *flow_next(const struct flow_table *, const struct flow *);

#endif /* datapath/flow.h */
