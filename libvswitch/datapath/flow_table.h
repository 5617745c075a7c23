/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_FLOW_TABLE_H
#define DATAPATH_FLOW_TABLE_H 1

/* What is behind flow.h, for flow.c and flow_ages.c alone.
 *
 * Buckets of one cache line hold eight tags and places; what does not fit goes
 * to the next bucket, and each bucket counts what has passed it, so that a
 * search ends at the first bucket that nothing passed and removal leaves no
 * gravestones.  At most half of the room is ever in use.
 *
 * Two orders of age run through the flows, of all and of each port's.  To put a
 * flow at the new end is to touch its neighbours, which are in no cache; it is
 * done when the flow is used and was not yet in this span of 2^order_shift
 * seconds, an eighth of the idle time or less.  A ranking of ports by what
 * they hold, flows and copies alike, says who gives way. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "libvswitch/base/hash.h"
#include "libvswitch/base/ranking.h"
#include "libvswitch/datapath/decided.h"
#include "libvswitch/datapath/flow.h"

enum {
	BUCKET_FLOWS = 8,
	FLOWS_MIN = 64,			/* More than a batch: there is always
					 * one to give. */
	NO_FLOW = UINT32_MAX
};

struct bucket {
	_Alignas(64) uint16_t tags[BUCKET_FLOWS];	/* 0: free. */
	uint32_t flows[BUCKET_FLOWS];
	uint32_t n_passed;		/* Flows that wanted a place here or
					 * before, and are behind. */
};

struct age_list {
	uint32_t oldest, newest;
};

struct port_flows {
	struct age_list ages;
	_Atomic uint32_t n;		/* These three are read by control. */
	_Atomic uint32_t n_max;
	_Atomic uint64_t n_created;
	uint32_t n_more;		/* Its decisions' decided_n_more(). */
};

struct flow_table {
	struct vsw *vsw;
	struct hash_secret secret;	/* Of the switch's seed. */
	uint32_t idle_s;
	unsigned order_shift;
	uint32_t max_flows, n_flows;
	uint32_t mask;			/* Number of buckets - 1. */
	uint8_t batch;
	struct bucket *buckets;
	struct flow *flows;		/* max_flows, */
	uint32_t n_fresh;		/* of which so many were ever taken. */
	uint32_t free;			/* Put away; linked by 'older'. */
	struct decided_store decided;
	struct age_list ages;
	struct port_flows *ports;	/* options.max_ports. */
	struct ranking holders;		/* Ports, by what they hold. */
};

static inline uint32_t
flow_port_n(const struct port_flows *port)
{
	return atomic_load_explicit(&port->n, memory_order_relaxed);
}

static inline struct flow *
flow_table_at(const struct flow_table *t, uint32_t place)
{
	return &t->flows[place];
}

static inline uint32_t
flow_table_place(const struct flow_table *t, const struct flow *flow)
{
	return (uint32_t) (flow - t->flows);
}

static inline uint32_t
flow_key_in_port(const struct flow *flow)
{
	uint16_t in_port;

	memcpy(&in_port, flow->key + offsetof(struct flow_key, in_port),
	       sizeof in_port);
	return in_port;
}

/* As flow_hash(). */
static inline uint32_t
flow_key_hash(const struct flow_key *key, const struct hash_secret *secret)
{
	uint64_t hash;

	if (flow_key_is_ipv6(key))
		hash = hash_with(key, FLOW_KEY_SHORT + FLOW_KEY_PAIR, secret);
	else
		hash = hash_with(key, FLOW_KEY_SHORT, secret);
	if (flow_key_tunnel_is_ipv6(key))
		hash = hash_fold(hash ^ secret->k0,
				 hash_with(key->tunnel6_src, FLOW_KEY_PAIR,
					   secret) ^ secret->k1);
	return hash_short(hash);
}

/* flow_ages.c: the flow is in both orders from link to unlink, at their new
 * end. */
void flow_ages_link(struct flow_table *, struct flow *);
void flow_ages_unlink(struct flow_table *, struct flow *);
/* What the port holds has changed. */
void flow_ages_weigh(struct flow_table *, uint32_t in_port);
/* The oldest flow of the port, or of the port that holds most, but not one that
 * the batch uses; NULL: it uses them all. */
struct flow *flow_ages_oldest_of(const struct flow_table *, uint32_t in_port);
struct flow *flow_ages_first_to_go(const struct flow_table *);

#endif /* datapath/flow_table.h */
