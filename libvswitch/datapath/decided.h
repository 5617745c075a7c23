/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_DECIDED_H
#define DATAPATH_DECIDED_H 1

/* Decisions as flows keep them.  A million flows of one port to one host are
 * decided alike: what is equal is kept once and shared, so that a hit finds it
 * in the nearest cache, and one look says for all of them whether policy has
 * overtaken it.  With it stands the part of IPv6 flows' keys that those
 * which are decided alike mostly share, too.  [worker]
 *
 * Flows refer to decisions by number.  One lives as long as a flow holds it and
 * stays where it is.  Memory grows with the number of different ones, at most
 * one for each flow; what copies need among them is limited. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "libvswitch/base/generation.h"
#include "libvswitch/datapath/address.h"
#include "libvswitch/datapath/rewrite.h"
#include "libvswitch/policy/key.h"

struct decision;
struct vsw;

/* What a hit needs is on the first line; with a wide key, on the last, too. */
struct decided {
	_Alignas(64) struct rewrite rewrite;	/* First, mostly the only. */
	uint32_t n_rewrites;
	bool is_usual;			/* One packet, to one port, unless its
					 * TTL ends. */
	uint16_t n_addresses;
	struct dependencies deps;
	struct rewrite *more;		/* n_rewrites - 1, and addresses. */
	uint32_t n_flows;		/* That hold it; 0: it is free. */
	uint32_t in_port;		/* Its flows'. */
	uint32_t hash;
	uint32_t next;			/* Of its hash, or free. */

	_Alignas(64) struct flow_key_rest rest;	/* Its flows'. */
};

_Static_assert(sizeof(struct rewrite) == 48
	       && offsetof(struct decided, deps.all) == 56
	       && sizeof(struct decided) == 192,
	       "a decision's first line holds too much");

enum { DECIDED_CHUNK = 64 };	/* A batch decides less. */
#define NO_DECIDED UINT32_MAX		/* No number of any. */

struct tally;

struct decided_store {
	struct vsw *vsw;
	struct decided **chunks;	/* Each has DECIDED_CHUNK. */
	/* Beside each: which rules' counters it counts in; NULL: in none. */
	struct tally ***tallies;
	uint32_t n_chunks, max_chunks;
	uint32_t n_fresh;		/* Ever taken from chunks. */
	uint32_t free;			/* Put away; linked by 'next'. */
	uint32_t *heads;		/* By hash; linked by 'next'. */
	uint32_t mask;			/* Number of heads - 1. */
	uint64_t n_more, max_more;	/* Rewrites in 'more'. */
};

/* For at most 'max' decisions with 'max_more' rewrites beyond each one's first.
 * 0 or -ENOMEM. */
int decided_init(struct decided_store *, struct vsw *, uint32_t max,
		 uint64_t max_more);
void decided_done(struct decided_store *);

/* Finds what equals the decision for a flow of this key, or copies it, and
 * holds it once more.  0; -ENOSPC: some flows must give way first; or
 * -ENOMEM. */
int decided_hold(struct decided_store *, const struct decision *,
		 const struct flow_key *, uint32_t *ret_number);
/* Gives it back.  Returns decided_n_more() of it if that went with it. */
uint32_t decided_release(struct decided_store *, uint32_t number);

/* Flows of it have passed so many packets: those are counters' at once, or at
 * the latest when it goes, or is counted. */
void decided_add(struct decided_store *, uint32_t number, uint64_t n_packets);
void decided_count(struct decided_store *);

/* How many rewrites there are beyond the first, or as much memory. */
static inline uint32_t
decided_n_more(uint32_t n_rewrites, uint32_t n_addresses)
{
	return n_rewrites - 1
	       + (n_addresses * (uint32_t) sizeof(struct new_address)
		  + (uint32_t) sizeof(struct rewrite) - 1)
		 / (uint32_t) sizeof(struct rewrite);
}

/* Of those rewrites that have one, in their order.  NULL: there is one rewrite,
 * without one. */
static inline const struct new_address *
decided_addresses(const struct decided *decided)
{
	if (!decided->more)
		return NULL;
	return (const struct new_address *) (decided->more
					     + decided->n_rewrites - 1);
}

static inline struct decided *
decided_at(const struct decided_store *store, uint32_t number)
{
	return &store->chunks[number / DECIDED_CHUNK][number % DECIDED_CHUNK];
}

#endif /* datapath/decided.h */
