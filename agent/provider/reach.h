/* SPDX-License-Identifier: Apache-2.0 */

#ifndef PROVIDER_REACH_H
#define PROVIDER_REACH_H 1

/* By which MAC an uplink reaches the provider addresses of others: the next hop
 * that the kernel's routes name, at the MAC at which the kernel's neighbours
 * have it.
 *
 * Every address that a locator names is looked up before there is a packet for
 * it, and followed: when routes change all are looked up again, a tenth of a
 * second later at most, and neighbours are told of one by one.  The kernel is
 * asked to find out what it does not know, and to confirm what is stale, as
 * traffic of its own would have it do.  Until then packets there are dropped,
 * VSW_DROP_NO_NEXT_HOP.  [control] */

#include <stddef.h>
#include <event2/event.h>
#include <vswitch.h>
#include "agent/model/model.h"

struct reach;

/* 'port' has an underlay with the address 'local', and what it sends leaves by
 * interface 'index' of the namespace.  0 or a negative errno. */
int reach_new(struct event_base *, const char *netns, struct vsw_port *port,
	      const struct vsw_addr *local, int index,
	      struct reach **ret_reach);
void reach_free(struct reach *);

/* Once per turn: the model may name other addresses.  Cheap when not. */
void reach_follow(struct reach *, const struct model *);
/* It is another interface now. */
void reach_move(struct reach *, int index);

/* How many addresses there are, and to how many of these no way is known. */
void reach_count(const struct reach *, size_t *ret_n, size_t *ret_n_unknown);

#endif /* provider/reach.h */
