/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_TRANSMIT_H
#define DATAPATH_TRANSMIT_H 1

/* Where packets leave the engine, in one way or the other.  [worker] */

#include <stdatomic.h>
#include <vswitch/inspect.h>
#include "libvswitch/datapath/batch.h"
#include "libvswitch/datapath/packet.h"
#include "libvswitch/datapath/segment.h"
#include "libvswitch/policy/port.h"

struct vsw_worker;

/* Queues a packet for the port, finished in software as far as the port's
 * abilities need.  Takes the packet.  What the batch has no room for is sent
 * at once; order is kept. */
static inline void transmit_add(struct vsw_worker *, struct batch *,
				struct vsw_packet *, struct vsw_port *);

/* Counts the drop at 'port' and frees the packet. */
void transmit_drop(struct vsw_worker *, struct vsw_port *,
		   struct vsw_packet *, enum vsw_drop);

/* transmit_add() of what is not as usual. */
void transmit_add_other(struct vsw_worker *, struct batch *,
			struct vsw_packet *, struct vsw_port *);

static inline void
transmit_add(struct vsw_worker *worker, struct batch *batch,
	     struct vsw_packet *packet, struct vsw_port *port)
{
	if (batch->n_out < OUT_MAX
	    && !segment_needed(&packet->offload, port->ops.abilities)
	    && !atomic_load_explicit(&port->is_gone, memory_order_acquire))
		batch->out[batch->n_out++] = (struct out) { packet, port };
	else
		transmit_add_other(worker, batch, packet, port);
}

#endif /* datapath/transmit.h */
