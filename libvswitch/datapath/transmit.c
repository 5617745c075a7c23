/* SPDX-License-Identifier: Apache-2.0 */

/* Station 5 of the packet's way: see worker.c. */

#include "libvswitch/datapath/transmit.h"

#include <string.h>

#include "libvswitch/base/probe.h"
#include "libvswitch/datapath/batch.h"
#include "libvswitch/datapath/packet.h"
#include "libvswitch/datapath/segment.h"
#include "libvswitch/datapath/worker.h"
#include "libvswitch/policy/port.h"

enum { TRANSMIT_MAX = 64 };		/* Promised in <vswitch/switch.h>. */

static void add(struct vsw_worker *, struct batch *, struct vsw_packet *,
		struct vsw_port *);
static void flush(struct vsw_worker *, struct batch *);
static void hand_over(struct vsw_worker *, struct vsw_port *,
		      struct vsw_packet *const packets[], unsigned n);
static void drop_rest(struct vsw_worker *, struct vsw_port *, enum vsw_drop,
		      uint32_t n);

void
batch_transmit(struct vsw_worker *worker, struct batch *batch)
{
	flush(worker, batch);
	for (uint32_t left = batch->dropped; left; left &= left - 1) {
		unsigned i = (unsigned) __builtin_ctz(left);

		transmit_drop(worker, batch->port, batch->packets[i],
			      (enum vsw_drop) batch->drops[i]);
	}
}

void
transmit_drop(struct vsw_worker *worker, struct vsw_port *port,
	      struct vsw_packet *packet, enum vsw_drop why)
{
	PROBE3(drop, port->name, (int) why, packet);
	count_add(&port->counts[worker->index].drops[why], 1);
	vsw_packet_free(packet);
}

void
transmit_add_other(struct vsw_worker *worker, struct batch *batch,
		   struct vsw_packet *packet, struct vsw_port *port)
{
	struct segments segments;

	if (atomic_load_explicit(&port->is_gone, memory_order_acquire)) {
		transmit_drop(worker, batch->port, packet, VSW_DROP_PORT_GONE);
		return;
	}
	if (!segment_needed(&packet->offload, port->ops.abilities)) {
		add(worker, batch, packet, port);
		return;
	}
	if (segments_start(&segments, packet)) {
		drop_rest(worker, batch->port, VSW_DROP_SEGMENT, 1);
		return;
	}
	while ((packet = segments_next(&segments)))
		add(worker, batch, packet, port);
	drop_rest(worker, batch->port, VSW_DROP_NO_MEMORY,
		  segments.n - segments.index);
}

static void
add(struct vsw_worker *worker, struct batch *batch, struct vsw_packet *packet,
    struct vsw_port *port)
{
	if (batch->n_out == OUT_MAX)
		flush(worker, batch);
	batch->out[batch->n_out++] = (struct out) { packet, port };
}

/* Port by port, in the order of each port's first packet.  Mostly there is one
 * port, and one turn. */
static void
flush(struct vsw_worker *worker, struct batch *batch)
{
	unsigned first = 0;

	while (first < batch->n_out) {
		struct vsw_port *port = batch->out[first].port;
		struct vsw_packet *packets[TRANSMIT_MAX];
		unsigned n = 0, rest = first;

		for (unsigned i = first; i < batch->n_out; i++) {
			if (batch->out[i].port != port) {
				batch->out[rest++] = batch->out[i];
				continue;
			}
			packets[n++] = batch->out[i].packet;
			if (n == TRANSMIT_MAX) {
				hand_over(worker, port, packets, n);
				n = 0;
			}
		}
		if (n)
			hand_over(worker, port, packets, n);
		batch->n_out = rest;
	}
	batch->n_out = 0;
}

static void
hand_over(struct vsw_worker *worker, struct vsw_port *port,
	  struct vsw_packet *const packets[], unsigned n)
{
	struct port_counts *counts = &port->counts[worker->index];
	uint64_t n_bytes = 0;

	for (unsigned i = 0; i < n; i++)
		n_bytes += packets[i]->size;
	PROBE2(transmit, port->name, n);
	count_add(&counts->packets_sent, n);
	count_add(&counts->bytes_sent, n_bytes);
	port->ops.transmit(port->ctx, worker, packets, n);
}

static void
drop_rest(struct vsw_worker *worker, struct vsw_port *port, enum vsw_drop why,
	  uint32_t n)
{
	if (!n)
		return;
	PROBE3(drop, port->name, (int) why, NULL);
	count_add(&port->counts[worker->index].drops[why], n);
}
