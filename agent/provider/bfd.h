/* SPDX-License-Identifier: Apache-2.0 */

#ifndef PROVIDER_BFD_H
#define PROVIDER_BFD_H 1

/* BFD with other hosts, inside the tunnels, as vtep(5) has it: control packets
 * (RFC 5880, over UDP as in RFC 5881) in Ethernet in VXLAN or NVGRE with VNI 0.
 * What a VM could send is in another VNI, and never taken for one.
 *
 * A session for each path of the model.  They go out by an uplink, through the
 * very device that data takes, and come in as punts.  Each has a timer in the
 * loop: a thousand sessions at a packet a second are a thousand short turns
 * that end here.  [control] */

#include <stddef.h>
#include <event2/event.h>
#include <vswitch.h>
#include "agent/model/model.h"

struct bfd;

struct bfd_options {
	struct event_base *base;
	struct model *model;
	/* The worker of the main thread in 'sw'; NULL: there is none. */
	struct vsw_worker *(*worker)(void *ctx, const struct model_switch *sw);
	void *worker_ctx;
	/* Asks for another turn of the loop. */
	void (*turn)(void *ctx);
	void *turn_ctx;
};

struct bfd *bfd_new(const struct bfd_options *);
void bfd_free(struct bfd *);

/* What asks, on demand, whether others are there: in the same packets. */
struct probe;
struct probe *bfd_probe(const struct bfd *);

/* Once per turn, when uplinks are what they are to be: sessions follow the
 * model's paths. */
void bfd_follow(struct bfd *);

/* A frame that was punted, out of this tunnel: a punt_bfd_fn. */
void bfd_receive(void *bfd, const struct vsw_tunnel *, const void *bytes,
		 size_t size);

#endif /* provider/bfd.h */
