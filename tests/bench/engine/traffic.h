/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BENCH_ENGINE_TRAFFIC_H
#define BENCH_ENGINE_TRAFFIC_H 1

/* Flows between a scene's VM and the remote ones, as frames; and what it costs
 * to carry them.  Making the frames is never part of a figure. */

#include <stdbool.h>
#include <stdint.h>
#include "tests/bench/engine/floor.h"
#include "tests/bench/engine/scene.h"

enum way {
	WAY_ENCAP,			/* From the VM. */
	WAY_ROUTED,			/* From the VM to the other subnet. */
	WAY_MIXED,			/* Every second one of both. */
	WAY_DECAP			/* To the VM. */
};

enum { TRAFFIC_FRAME_MAX = 192 };

/* Flows 'first' to 'first' + 'n' - 1 of a scene: their UDP ports say the
 * number, and it is scattered over all remote VMs. */
struct traffic {
	struct scene *scene;
	struct vsw_worker *worker;
	struct vsw_port *port;		/* That they come in on. */
	enum way way;
	uint64_t first, n;
	bool is_in_order;		/* 'next' counts; else at random. */
	uint64_t next;
	double now;			/* Nanoseconds of carrying so far: the
					 * engine's clock stands still while
					 * frames are made. */
	/* A frame of the first flow; that of the other subnet. */
	uint8_t frames[2][TRAFFIC_FRAME_MAX];
	size_t size, inner_at;
};

void traffic_init(struct traffic *, struct scene *, enum way, uint64_t n);
/* The VM that is on the other side of a flow. */
uint32_t traffic_remote(const struct traffic *, uint64_t flow);
/* Writes the frame of a flow, 'size' bytes. */
void traffic_write(const struct traffic *, uint64_t flow, uint8_t *frame);
/* Nanoseconds a packet of 'n_packets', through the engine, or through a floor
 * if it is not NULL.  Ends the program if one is not sent. */
double traffic_carry(struct traffic *, struct floor *, uint64_t n_packets);
/* Each flow once, in order; where the ACL tracks, each is answered then, by
 * another worker, and carried once more. */
void traffic_warm(struct traffic *, struct floor *);

/* How much slower this machine is than the one that times in bars are written
 * for: measured anew at each call, by the floor of 10,000 flows. */
double traffic_slowness(void);

#endif /* bench/engine/traffic.h */
