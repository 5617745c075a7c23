/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_FLOW_H
#define DATAPATH_FLOW_H 1

/* A worker's cache of decisions: exact match on the whole key, one thread, no
 * locks, bounded; when it is full, or holds too many copies' rewrites, the port
 * that holds most gives way.  Flows are plain data, so that they could be
 * carried out elsewhere: key, counters, and the number of a decision that they
 * share with others (decided.h).  [worker]
 *
 * A flow stays where it is until it is put away, and none that the current
 * batch has touched is: pointers to flows, and to what was decided for them,
 * hold until the next flow_batch().
 *
 * What memory a flow costs: its own two lines, 16 to 32 bytes of buckets, up to
 * eight of the index of decisions, and its share of one.  All but decisions is
 * there from the start. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "libvswitch/base/ear.h"
#include "libvswitch/datapath/decided.h"
#include "libvswitch/datapath/follow.h"
#include "libvswitch/datapath/parse.h"

struct batch;
struct decision;
struct vsw;
struct vsw_worker;

/* Each hit looks at the first line and writes to it, and needs the second one
 * if something is unusual, and when some seconds have passed.  Of wide keys the
 * first line holds what is their own; the rest stands with what was decided. */
struct flow {
	_Alignas(64) uint8_t key[FLOW_KEY_SHORT];	/* flow_get_key(). */
	uint32_t decided;		/* flow_decided(). */
	uint32_t n_packets, n_bytes;	/* Lower halves. */
	uint32_t n_counted;		/* Of n_packets, for rules. */
	uint16_t used_s;		/* When it was last used. */
	uint8_t batch;			/* That touched it last. */
	_Atomic uint8_t flags;		/* enum follow_flags; an ear. */

	uint32_t connections[2];	/* struct followed. */
	uint16_t serials[2];
	uint32_t n_packets_high, n_bytes_high;
	/* The table's own. */
	uint32_t older, newer;		/* Of all flows, */
	uint32_t port_older, port_newer;	/* of its port's. */
};

_Static_assert(offsetof(struct flow, connections) == 64
	       && sizeof(struct flow) == 128, "a flow straddles cache lines");
_Static_assert(sizeof(struct flow) == EAR_STRIDE
	       && (int) FOLLOW_ALWAYS == (int) EAR_BIT, "flows do not listen");

struct flow_table;

/* 'max_flows' of which at least 64 are granted.  0 or -ENOMEM. */
int flow_table_new(struct vsw *, uint32_t max_flows,
		   struct flow_table **ret_table);
void flow_table_free(struct flow_table *);

/* The flags of place 0: base/ear.h. */
_Atomic uint8_t *flow_table_ear(const struct flow_table *);

/* Of the whole key, with the switch's secret seed. */
uint32_t flow_hash(const struct flow_key *, uint64_t seed);
struct flow *flow_find(struct flow_table *, const struct flow_key *,
		       uint32_t hash);
/* A new batch begins: flows that the last one touched may go. */
void flow_batch(struct flow_table *);
/* The flow is used. */
void flow_touch(struct flow_table *, struct flow *, uint64_t now);
/* Puts what was decided in place: a new flow, or anew into a stale one, whose
 * counters stay.  Touches it.  NULL: out of memory, or each
 * flow there is belongs to this batch; the packet is to be dropped
 * (VSW_DROP_NO_MEMORY). */
struct flow *flow_put(struct flow_table *, const struct flow_key *,
		      uint32_t hash, const struct decision *, uint64_t now);
/* The oldest flow of the port goes, unless this batch uses all it has. */
void flow_give_way(struct flow_table *, uint32_t in_port);
/* Ages out what is idle, looking at at most 'n' flows; returns when the next
 * one will be due (UINT64_MAX: none left).  Ages are in whole seconds, and
 * in order to an eighth of the idle time: a flow may go up to a second too
 * early, and may stay for such an eighth too long.  Not inside of a batch. */
uint64_t flow_expire(struct flow_table *, uint64_t now, size_t n);

/* What packet 'i' of the batch makes of the flow's connections, if they must
 * hear of it. */
enum follow_verdict flow_look(struct vsw_worker *, struct batch *, unsigned i,
			      struct flow *);

/* Mutable, since who asks whether it holds brings it up to date. */
struct decided *flow_decided(const struct flow_table *, const struct flow *);
void flow_get_key(const struct flow_table *, const struct flow *,
		  struct flow_key *ret_key);
uint64_t flow_idle_ns(const struct flow *, uint64_t now);
size_t flow_count(const struct flow_table *);
size_t flow_count_port(const struct flow_table *, uint32_t in_port);
/* [control] Adds what this cache holds of the port, and has held.  'forget', of
 * a number that another port has now, and that no packet has come from yet. */
void flow_count_class(const struct flow_table *, uint32_t in_port,
		      struct vsw_class_counters *counters);
void flow_forget_class(struct flow_table *, uint32_t in_port);
/* Has packets of 'n' places counted by rules, beginning at '*at', which it
 * moves on.  False: there are no more. */
bool flow_count_rules(struct flow_table *, size_t *at, size_t n);
/* Places are numbered from 0; those behind flow_n_places() never had a flow.
 * NULL: there is none at this one. */
size_t flow_n_places(const struct flow_table *);
uint32_t flow_place(const struct flow_table *, const struct flow *);
struct flow *flow_at_place(const struct flow_table *, size_t place);
/* Oldest first; NULL ends. */
struct flow *flow_first(const struct flow_table *);
struct flow *flow_next(const struct flow_table *, const struct flow *);

/* Adds a packet.  The second line is touched once in 2^32. */
static inline void
flow_add(struct flow *flow, uint32_t size)
{
	flow->n_packets++;
	flow->n_bytes += size;
	if (__builtin_expect(!flow->n_packets, 0))
		flow->n_packets_high++;
	if (__builtin_expect(flow->n_bytes < size, 0))
		flow->n_bytes_high++;
}

static inline uint64_t
flow_n_packets(const struct flow *flow)
{
	return (uint64_t) flow->n_packets_high << 32 | flow->n_packets;
}

static inline uint64_t
flow_n_bytes(const struct flow *flow)
{
	return (uint64_t) flow->n_bytes_high << 32 | flow->n_bytes;
}

#endif /* datapath/flow.h */
