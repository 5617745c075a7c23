/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_FLOW_H
#define DATAPATH_FLOW_H 1

/* A worker's cache of decisions: exact match on the whole key, one thread, no
 * locks, bounded; when it is full, or holds too many copies' rewrites, the port
 * that holds most gives way.  Flows are plain data (key, rewrites, counters,
 * dependencies), so that they could be carried out elsewhere.  [worker]
 *
 * A flow stays where it is until it is put away, and none that the current
 * batch has touched is: pointers to flows hold until the next flow_batch(). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "libvswitch/base/generation.h"
#include "libvswitch/datapath/parse.h"
#include "libvswitch/datapath/rewrite.h"

struct decision;
struct vsw;

/* Four cache lines: what is compared is on the first two of them, what is
 * carried out on the third. */
struct flow {
	_Alignas(64) struct flow_key key;
	struct dependencies deps;
	struct rewrite rewrite;		/* The first, and mostly the only. */
	uint64_t n_packets, n_bytes;
	struct rewrite *more;		/* n_rewrites - 1. */
	uint32_t n_rewrites;
	/* The table's own: flow.c. */
	uint32_t batch;			/* That touched it last. */
	uint64_t used_ns;
	uint64_t placed_ns;		/* When it was last put in order. */
	uint32_t older, newer;		/* Of all flows, */
	uint32_t port_older, port_newer;	/* of its port's. */
	uint32_t hash;
};

_Static_assert(sizeof(struct flow) == 256, "a flow straddles cache lines");

struct flow_table;

/* 'max_flows' of which at least 64 are granted.  0 or -ENOMEM. */
int flow_table_new(struct vsw *, uint32_t max_flows,
		   struct flow_table **ret_table);
void flow_table_free(struct flow_table *);

/* Of the whole key, with the switch's secret seed. */
uint32_t flow_hash(const struct flow_key *, uint64_t seed);
struct flow *flow_find(struct flow_table *, const struct flow_key *,
		       uint32_t hash);
/* A new batch begins: flows that the last one touched may go. */
void flow_batch(struct flow_table *);
/* The flow is used. */
void flow_touch(struct flow_table *, struct flow *, uint64_t now);
/* Puts what was decided in place: a new flow, or anew into a stale one, whose
 * counters stay.  Touches it.  Takes the decision's numbers and copies its
 * rewrites.  NULL: out of memory for copies, or each flow there is belongs to
 * this batch; the packet is to be dropped (VSW_DROP_NO_MEMORY). */
struct flow *flow_put(struct flow_table *, const struct flow_key *,
		      uint32_t hash, const struct decision *, uint64_t now);
/* The oldest flow of the port goes, unless this batch uses all it has. */
void flow_give_way(struct flow_table *, uint32_t in_port);
/* Ages out what is idle, looking at at most 'n' flows; returns when the next
 * one will be due (UINT64_MAX: none left).  Flows are kept in order to the
 * second: one may stay up to a second too long.  Not inside of a batch. */
uint64_t flow_expire(struct flow_table *, uint64_t now, size_t n);
size_t flow_count(const struct flow_table *);
size_t flow_count_port(const struct flow_table *, uint32_t in_port);
/* Oldest first; NULL ends. */
struct flow *flow_first(const struct flow_table *);
struct flow *flow_next(const struct flow_table *, const struct flow *);

#endif /* datapath/flow.h */
