/* SPDX-License-Identifier: Apache-2.0 */

#include <vswitch/inspect.h>

#include <string.h>
#include "libvswitch/base/switch.h"
#include "libvswitch/connection/connection.h"
#include "libvswitch/datapath/flow.h"
#include "libvswitch/datapath/worker.h"
#include "libvswitch/policy/port.h"

static const char *const class_names[] = {
#define CLASS_NAME(NAME, TEXT) TEXT,
	VSW_CLASSES(CLASS_NAME)
#undef CLASS_NAME
};

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

const char *
vsw_class_name(enum vsw_class class)
{
	return class < VSW_N_CLASSES ? class_names[class] : NULL;
}

void
vsw_port_get_classes(const struct vsw_port *port,
		     struct vsw_port_classes *ret_classes)
{
	const struct vsw *vsw = port->vsw;
	const struct vsw_options *options = &vsw->options;
	struct vsw_port_classes classes = { .size = ret_classes->size };
	struct vsw_class_counters *flows = &classes.of[VSW_CLASS_FLOWS];
	struct connections *connections = atomic_load_explicit(
		&vsw->connections, memory_order_acquire);
	uint32_t max_flows = atomic_load_explicit(&port->limits.max_flows,
						  memory_order_relaxed);

	if (!max_flows || max_flows > options->max_flows)
		max_flows = options->max_flows;
	for (uint32_t i = 0; i < options->max_workers; i++) {
		if (!vsw->workers[i])
			continue;
		flow_count_class(vsw->workers[i]->flows, port->number, flows);
		flows->limit += max_flows;
	}
	classes.of[VSW_CLASS_CONNECTIONS].limit =
		port->limits.max_connections ? port->limits.max_connections
					     : options->max_port_connections;
	classes.of[VSW_CLASS_HALF_OPEN].limit =
		port->limits.max_half_open ? port->limits.max_half_open
					   : options->max_port_half_open;
	if (connections)
		connections_count_classes(connections, port->number, &classes);
	memcpy(ret_classes, &classes, classes.size < sizeof classes
				      ? classes.size : sizeof classes);
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
