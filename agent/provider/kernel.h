/* SPDX-License-Identifier: Apache-2.0 */

#ifndef PROVIDER_KERNEL_H
#define PROVIDER_KERNEL_H 1

/* What the host's kernel knows of one network namespace: its links and
 * addresses, which are followed as they change, and its routes and neighbours,
 * which are asked for.  By rtnetlink(7).
 *
 * A namespace has one struct kernel, shared by all that watch it.  Changes are
 * told on the main thread's loop, many at once.  When the kernel says that it
 * lost some of them, everything is read anew and told as changed.  [control] */

#include <stdbool.h>
#include <stdint.h>
#include <event2/event.h>
#include <vswitch.h>
#include "agent/base/list.h"

struct kernel;

enum { KERNEL_NAME_SIZE = 16 };

struct kernel_link {
	int index;
	int lower;			/* What a VLAN interface stands on. */
	uint16_t vlan;			/* Its VLAN; 0: it is none. */
	uint32_t mtu;
	uint8_t mac[6];
	bool is_up;			/* Set up, and its wire is there. */
	char name[KERNEL_NAME_SIZE];
};

/* Who is told.  Each may be NULL.  None may take a watch away. */
struct kernel_watch {
	struct list link;		/* Ours. */
	void *ctx;
	/* Links or addresses are others. */
	void (*links)(void *ctx);
	/* Routes are, or anything may be. */
	void (*routes)(void *ctx);
	/* The neighbour is at 'mac', or at nobody knows which: NULL.
	 * 'is_stale': nobody has heard of it for a while. */
	void (*neighbour)(void *ctx, int index, const struct vsw_addr *,
			  const uint8_t mac[6], bool is_stale);
};

/* 'netns' as in devices' options, NULL: the agent's own.  0 or a negative
 * errno; from then on 'watch' is told, until it is dropped.  The kernel goes
 * with its last watch. */
int kernel_watch(struct event_base *, const char *netns, struct kernel_watch *,
		 struct kernel **ret_kernel);
void kernel_unwatch(struct kernel *, struct kernel_watch *);

/* NULL: there is none.  Valid until the next turn of the loop. */
const struct kernel_link *kernel_link_named(const struct kernel *,
					    const char *name);
const struct kernel_link *kernel_link_at(const struct kernel *, int index);
/* That has the address. */
const struct kernel_link *kernel_link_with(const struct kernel *,
					   const struct vsw_addr *);
/* The VLAN interface on top of link 'lower'. */
const struct kernel_link *kernel_link_over(const struct kernel *, int lower,
					   uint16_t vlan);

/* Where packets from 'src' to 'dst' go, out of interface 'index' (0: any):
 * the gateway, or 'dst' itself, and by which interface.  0, or a negative
 * errno: -ENETUNREACH, -EHOSTUNREACH. */
int kernel_route(struct kernel *, const struct vsw_addr *src,
		 const struct vsw_addr *dst, int index,
		 struct vsw_addr *ret_next_hop, int *ret_index);
/* The watch's 'neighbour' is told at once what is known now. */
void kernel_ask_neighbour(struct kernel *, const struct kernel_watch *,
			  int index, const struct vsw_addr *);
/* Has the kernel find out, as if it had a packet for it: asks when nothing is
 * known, and confirms what is stale. */
void kernel_use_neighbour(struct kernel *, int index,
			  const struct vsw_addr *);

/* Runs 'call' in the namespace.  -errno if that could not be entered, else what
 * 'call' returned. */
int kernel_visit(const char *netns, int (*call)(void *ctx), void *ctx);

#endif /* provider/kernel.h */
