/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_BATCH_H
#define DATAPATH_BATCH_H 1

/* A batch is the workbench that the stations of the datapath share.
 *
 * Each station takes (worker, batch), fills in its own array, and sends a
 * packet that must go no further to batch_drop().  Stations neither log nor,
 * on a cache hit, allocate, and look at nothing but the batch, the worker and
 * sealed policy. */

#include <stdbool.h>
#include <stdint.h>
#include <vswitch/inspect.h>
#include "libvswitch/datapath/parse.h"
#include "libvswitch/datapath/rewrite.h"

struct decided;
struct flow;
struct vsw_packet;
struct vsw_port;
struct vsw_worker;

enum {
	BATCH_MAX = 32,
	OUT_MAX = 128			/* Copies and segments included. */
};

/* A finished packet, and where it goes. */
struct out {
	struct vsw_packet *packet;
	struct vsw_port *port;
};

struct batch {
	struct vsw_port *port;
	uint64_t now;			/* Nanoseconds. */
	uint32_t live;			/* Bit i: packets[i] still goes on, */
	uint32_t dropped;		/* or is to be dropped. */
	uint32_t missed;		/* Of those: by lookup, no flow. */
	unsigned n;
	bool has_fragments;		/* Says parse. */
	bool has_decided;		/* Classify: the cache has changed. */
	bool is_spent;			/* The budget for new flows is. */
	struct vsw_packet *packets[BATCH_MAX];
	struct headers headers[BATCH_MAX];	/* Filled in by parse. */
	uint32_t hashes[BATCH_MAX];		/* By lookup, */
	struct flow *flows[BATCH_MAX];		/* with these; what misses,
						 * NULL or stale, is */
	const struct decided *decided[BATCH_MAX];	/* classify's. */
	uint8_t drops[BATCH_MAX];	/* enum vsw_drop, if dropped. */
	unsigned n_out;			/* By execute: what is to be sent. */
	struct out out[OUT_MAX];
};

static inline void
batch_drop(struct batch *batch, unsigned i, enum vsw_drop why)
{
	batch->live &= ~(UINT32_C(1) << i);
	batch->dropped |= UINT32_C(1) << i;
	batch->drops[i] = (uint8_t) why;
}

/* The stations, in walk order. */
void batch_parse(struct vsw_worker *, struct batch *);	/* parse.c, tunnel.c */
void batch_join(struct vsw_worker *, struct batch *);	/* fragment.c */
void batch_lookup(struct vsw_worker *, struct batch *);		/* flow.c */
void batch_classify(struct vsw_worker *, struct batch *);	/* classify.c */
void batch_execute(struct vsw_worker *, struct batch *);	/* execute.c */
void batch_transmit(struct vsw_worker *, struct batch *);	/* transmit.c */

#endif /* datapath/batch.h */
