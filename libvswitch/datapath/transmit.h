/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_TRANSMIT_H
#define DATAPATH_TRANSMIT_H 1

/* Where packets leave the engine, in one way or the other.  [worker] */

#include <vswitch/inspect.h>

struct batch;
struct vsw_packet;
struct vsw_port;
struct vsw_worker;

/* Queues a packet for the port, finished in software as far as the port's
 * abilities need.  Takes the packet.  What the batch has no room for is sent
 * at once; order is kept. */
void transmit_add(struct vsw_worker *, struct batch *, struct vsw_packet *,
		  struct vsw_port *);

/* Counts the drop at 'port' and frees the packet. */
void transmit_drop(struct vsw_worker *, struct vsw_port *,
		   struct vsw_packet *, enum vsw_drop);

#endif /* datapath/transmit.h */
