/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/policy/port.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include "libvswitch/base/memory.h"
#include "libvswitch/base/switch.h"
#include "libvswitch/policy/next_hop.h"

static int find_number(const struct vsw *, uint32_t *ret_number);
static void free_port(void *ctx, struct retired *);

int
port_new(struct vsw *vsw, const char *name, const struct vsw_port_ops *ops,
	 void *ctx, struct vsw_port **ret_port)
{
	size_t counts_size = vsw->options.max_workers
			     * sizeof(struct port_counts);
	struct vsw_port *port = memory_alloc(&vsw->allocator, 0,
					     sizeof *port);
	int error;

	if (!port)
		return -ENOMEM;
	error = find_number(vsw, &port->number);
	if (error)
		goto free_port;
	error = generation_new(&vsw->generations, &port->generation);
	if (error)
		goto free_port;
	port->counts = memory_alloc(&vsw->allocator,
				    _Alignof(struct port_counts),
				    counts_size);
	if (!port->counts) {
		error = -ENOMEM;
		goto free_generation;
	}
	port->vsw = vsw;
	port->ops = *ops;
	port->ctx = ctx;
	port->n_refs = 1;
	snprintf(port->name, sizeof port->name, "%s", name);
	vsw->n_ports++;
	vsw->port_numbers[port->number / 64] |=
		UINT64_C(1) << port->number % 64;
	*ret_port = port;
	return 0;
free_generation:
	generation_free(&vsw->generations, port->generation);
free_port:
	memory_free(&vsw->allocator, port, sizeof *port);
	return error;
}

struct vsw_port *
port_ref(struct vsw_port *port)
{
	port->n_refs++;
	return port;
}

void
port_unref(struct vsw_port *port)
{
	if (port && !--port->n_refs)
		reclaim_retire(&port->vsw->reclaim, &port->retired, free_port,
			       port);
}

static int
find_number(const struct vsw *vsw, uint32_t *ret_number)
{
	for (uint32_t i = 0; i < vsw->options.max_ports; i += 64) {
		uint64_t word = vsw->port_numbers[i / 64];
		uint32_t number;

		if (word == UINT64_MAX)
			continue;
		number = i + (uint32_t) __builtin_ctzll(~word);
		if (number >= vsw->options.max_ports)
			break;
		*ret_number = number;
		return 0;
	}
	return -ENOSPC;
}

static void
free_port(void *ctx, struct retired *retired)
{
	struct vsw_port *port = ctx;
	struct vsw *vsw = port->vsw;
	struct uplink *uplink = (struct uplink *) atomic_load_explicit(
		&port->uplink, memory_order_relaxed);

	(void) retired;
	vsw->n_ports--;
	vsw->port_numbers[port->number / 64] &=
		~(UINT64_C(1) << port->number % 64);
	generation_free(&vsw->generations, port->generation);
	next_hops_free(vsw, port->next_hops);
	memory_free(&vsw->allocator, uplink, sizeof *uplink);
	memory_free(&vsw->allocator, port->counts,
		    vsw->options.max_workers * sizeof(struct port_counts));
	memory_free(&vsw->allocator, port, sizeof *port);
}
