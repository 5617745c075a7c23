/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_TRUNK_H
#define DATAPATH_TRUNK_H 1

/* A port that has others inside of it, one for each of its VLANs: what comes in
 * is told apart here, before anybody looks at it, and what goes out is tagged
 * behind everybody.  So all between sees ports like any other, and ports that
 * are none of these pay nothing. */

#include <stddef.h>

struct vsw_packet;
struct vsw_port;
struct vsw_worker;

/* [worker] The port that a packet of 'trunk' is for: the trunk itself, or one
 * inside of it, and then the packet's tag is gone.  NULL: the VLAN is no
 * port's. */
struct vsw_port *trunk_enter(struct vsw_port *trunk, struct vsw_packet *);

/* [worker] The same of up to BATCH_MAX packets: writes those that go on, their
 * 'in_port' set, port by port and of each in their order, and returns how many
 * there are.  The others are dropped. */
unsigned trunk_sort(struct vsw_worker *, struct vsw_port *trunk,
		    struct vsw_packet *const packets[], unsigned n,
		    struct vsw_packet *ret_sorted[]);

/* [worker] 'transmit' of a port inside of another; 'port' is it. */
void trunk_transmit(void *port, struct vsw_worker *,
		    struct vsw_packet *const packets[], size_t n);

#endif /* datapath/trunk.h */
