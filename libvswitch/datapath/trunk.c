/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/datapath/trunk.h"

#include <stdbool.h>
#include <string.h>

#include "libvswitch/base/wire.h"
#include "libvswitch/datapath/batch.h"
#include "libvswitch/datapath/packet.h"
#include "libvswitch/datapath/parse.h"
#include "libvswitch/datapath/transmit.h"
#include "libvswitch/datapath/vlan.h"
#include "libvswitch/datapath/worker.h"
#include "libvswitch/policy/port.h"

enum {
	VID_MASK = 0x0fff,
	TRANSMIT_MAX = 64		/* Promised in <vswitch/switch.h>. */
};

static void drop(struct vsw_worker *, struct vsw_port *trunk,
		 struct vsw_packet *);

struct vsw_port *
trunk_enter(struct vsw_port *port, struct vsw_packet *packet)
{
	struct trunk *trunk = atomic_load_explicit(&port->trunk,
						   memory_order_acquire);
	struct vsw_port *to = port;
	uint16_t vid;

	if (!trunk || packet->size < ETH_HEADER_SIZE + VLAN_HEADER_SIZE
	    || get_be16(packet->data + 12) != ETH_TYPE_VLAN)
		return port;
	vid = get_be16(packet->data + ETH_HEADER_SIZE) & VID_MASK;
	if (vid)
		to = vid > VLAN_MAX ? NULL
		     : atomic_load_explicit(&trunk->ports[vid],
					    memory_order_acquire);
	if (to)
		vlan_pop(packet);
	return to;
}

unsigned
trunk_sort(struct vsw_worker *worker, struct vsw_port *trunk,
	   struct vsw_packet *const packets[], unsigned n,
	   struct vsw_packet *ret_sorted[])
{
	struct vsw_packet *left[BATCH_MAX];
	unsigned n_left = 0, n_sorted = 0;

	for (unsigned i = 0; i < n; i++) {
		struct vsw_port *to = trunk_enter(trunk, packets[i]);

		packets[i]->in_port = to;
		if (to)
			left[n_left++] = packets[i];
		else
			drop(worker, trunk, packets[i]);
	}
	/* Port by port, in the order of each port's first packet. */
	while (n_left) {
		struct vsw_port *port = left[0]->in_port;
		unsigned rest = 0;

		for (unsigned i = 0; i < n_left; i++)
			if (left[i]->in_port == port)
				ret_sorted[n_sorted++] = left[i];
			else
				left[rest++] = left[i];
		n_left = rest;
	}
	return n_sorted;
}

void
trunk_transmit(void *port_, struct vsw_worker *worker,
	       struct vsw_packet *const packets[], size_t n)
{
	struct vsw_port *port = port_, *trunk = port->outside;
	struct vsw_packet *tagged[TRANSMIT_MAX];
	bool is_gone = atomic_load_explicit(&trunk->is_gone,
					    memory_order_acquire);
	size_t n_tagged = 0;

	for (size_t i = 0; i < n; i++) {
		if (is_gone)
			transmit_drop(worker, port, packets[i],
				      VSW_DROP_PORT_GONE);
		else if (!vlan_push(packets[i], port->vlan))
			transmit_drop(worker, port, packets[i],
				      VSW_DROP_NO_ROOM);
		else
			tagged[n_tagged++] = packets[i];
	}
	if (n_tagged)
		trunk->ops.transmit(trunk->ctx, worker, tagged, n_tagged);
}

static void
drop(struct vsw_worker *worker, struct vsw_port *trunk,
     struct vsw_packet *packet)
{
	struct port_counts *counts = &trunk->counts[worker->index];

	count_add(&counts->packets_received, 1);
	count_add(&counts->bytes_received, packet->size);
	transmit_drop(worker, trunk, packet, VSW_DROP_VLAN);
}
