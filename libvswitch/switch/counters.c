/* SPDX-License-Identifier: Apache-2.0 */

#include <vswitch/inspect.h>

#include <string.h>
#include "libvswitch/base/switch.h"
#include "libvswitch/connection/connection.h"
#include "libvswitch/datapath/worker.h"
#include "libvswitch/policy/port.h"

static uint64_t read(const _Atomic uint64_t *);

void
vsw_port_get_counters(const struct vsw_port *port,
		      struct vsw_port_counters *ret_counters)
{
	struct vsw_port_counters sum = { .size = ret_counters->size };
	struct connections *connections = atomic_load_explicit(
		&port->vsw->connections, memory_order_acquire);

	for (uint32_t i = 0; i < port->vsw->options.max_workers; i++) {
		const struct port_counts *c = &port->counts[i];

		sum.packets_received += read(&c->packets_received);
		sum.bytes_received += read(&c->bytes_received);
		sum.packets_sent += read(&c->packets_sent);
		sum.bytes_sent += read(&c->bytes_sent);
		sum.flows_hit += read(&c->flows_hit);
		sum.flows_missed += read(&c->flows_missed);
		sum.flows_stale += read(&c->flows_stale);
		sum.punts += read(&c->punts);
		for (unsigned drop = 0; drop < VSW_N_DROPS; drop++)
			sum.drops[drop] += read(&c->drops[drop]);
	}
	if (connections)
		connections_count(connections, port->number, &sum);
	/* The embedder's struct may be longer or shorter than ours. */
	memcpy(ret_counters, &sum,
	       sum.size < sizeof sum ? sum.size : sizeof sum);
}

void
vsw_port_count_drops(struct vsw_port *port, struct vsw_worker *worker,
		     int drop, uint64_t n)
{
	if (drop >= 0 && drop < VSW_N_DROPS)
		count_add(&port->counts[worker->index].drops[drop], n);
}

static uint64_t
read(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}
