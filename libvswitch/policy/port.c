/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/policy/port.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include "libvswitch/base/memory.h"
#include "libvswitch/base/switch.h"
#include "libvswitch/policy/next_hop.h"

enum {
	NEW_BURST_MIN = 256,
	PUNT_BURST_MIN = 32,
	TUNNEL_FACTOR = 8,		/* Many tenants' flows. */
	AGAIN_FACTOR = 4
};

static uint32_t new_rate(const struct vsw_port *, uint32_t *ret_burst);
static uint32_t times(uint32_t n, uint32_t factor);
static uint32_t tenth(uint32_t rate, uint32_t min);
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
	port->serial = ++vsw->n_ports_ever;
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

/* Who is established must not lose its place to what else the port starts: it
 * has a share of its own, which one change of policy cannot use up, and behind
 * that may take from the other. */
bool
port_may_decide(struct vsw_port *port, unsigned worker, bool is_again,
		uint64_t now)
{
	struct port_counts *counts = &port->counts[worker];
	uint32_t burst, rate = new_rate(port, &burst);

	return rate == VSW_UNLIMITED
	       || (is_again && budget_take(&counts->again_budget,
					   times(rate, AGAIN_FACTOR),
					   port->vsw->options.max_flows, now))
	       || budget_take(&counts->new_budget, rate, burst, now);
}

uint32_t
port_decisions_left(struct vsw_port *port, unsigned worker, uint64_t now)
{
	uint32_t burst, rate = new_rate(port, &burst);

	return rate == VSW_UNLIMITED ? UINT32_MAX
	       : budget_left(&port->counts[worker].new_budget, rate, burst,
			     now);
}

bool
port_may_flood(struct vsw_port *port, unsigned worker, uint64_t now)
{
	uint32_t rate = atomic_load_explicit(&port->limits.max_floods_per_s,
					     memory_order_relaxed);

	return !rate || rate == VSW_UNLIMITED
	       || budget_take(&port->counts[worker].flood_budget, rate, rate,
			      now);
}

bool
port_may_punt(struct vsw_port *port, unsigned worker, uint64_t now)
{
	uint32_t rate = atomic_load_explicit(&port->limits.max_punts_per_s,
					     memory_order_relaxed);

	if (!rate)
		rate = port->vsw->options.max_punts_per_s;
	return rate == VSW_UNLIMITED
	       || budget_take(&port->counts[worker].punt_budget, rate,
			      tenth(rate, PUNT_BURST_MIN), now);
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

/* Flows a second that the port may start at each worker. */
static uint32_t
new_rate(const struct vsw_port *port, uint32_t *ret_burst)
{
	const struct vsw_options *options = &port->vsw->options;
	uint32_t rate = atomic_load_explicit(
		&port->limits.max_new_flows_per_s, memory_order_relaxed);
	uint32_t burst = atomic_load_explicit(
		&port->limits.new_flow_burst, memory_order_relaxed);

	if (!rate) {
		rate = options->max_new_flows_per_s;
		if (port_carries_tunnels(port))
			rate = times(rate, TUNNEL_FACTOR);
	}
	if (!burst)
		burst = options->new_flow_burst;
	if (!burst)
		burst = tenth(rate, NEW_BURST_MIN);
	*ret_burst = burst;
	return rate;
}

/* No limit stays none. */
static uint32_t
times(uint32_t n, uint32_t factor)
{
	uint64_t product = (uint64_t) n * factor;

	return product < VSW_UNLIMITED ? (uint32_t) product : VSW_UNLIMITED;
}

static uint32_t
tenth(uint32_t rate, uint32_t min)
{
	return rate / 10 > min ? rate / 10 : min;
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
	port_unref(port->outside);
	next_hops_free(vsw, port->next_hops);
	memory_free(&vsw->allocator, uplink, sizeof *uplink);
	memory_free(&vsw->allocator, port->counts,
		    vsw->options.max_workers * sizeof(struct port_counts));
	memory_free(&vsw->allocator, port, sizeof *port);
}
