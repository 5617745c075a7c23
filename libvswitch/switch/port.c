/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/policy/port.h"

#include <errno.h>
#include <string.h>
#include "libvswitch/base/hash.h"
#include "libvswitch/base/memory.h"
#include "libvswitch/base/switch.h"
#include "libvswitch/base/wire.h"
#include "libvswitch/connection/connection.h"
#include "libvswitch/datapath/flow.h"
#include "libvswitch/datapath/worker.h"
#include "libvswitch/policy/address.h"
#include "libvswitch/policy/domain.h"
#include "libvswitch/policy/next_hop.h"
#include "libvswitch/policy/program.h"
#include "libvswitch/switch/trunk.h"

enum { UNDERLAY_TTL = 64, UNDERLAY_MTU = 1500 };

static int make_ready(struct vsw *, const struct vsw_program *);
static void limit_connections_of_all(struct vsw *, struct connections *);
static void limit_connections(const struct vsw_port *, struct connections *);
static uint32_t hash_of(const struct vsw *, const char *name);
static bool equal(const void *item, const void *key);
static struct uplink *new_uplink(struct vsw *, const struct vsw_underlay *);
static int check(const struct vsw_underlay *);
static void free_uplink(void *vsw, struct retired *);

int
vsw_port_add(struct vsw *vsw, const char *name, const struct vsw_port_ops *ops,
	     void *ctx, struct vsw_port **ret_port)
{
	struct vsw_port *port;
	bool takes_punts;
	int error;

	if (!name || !*name || strlen(name) >= sizeof port->name
	    || ops->size < sizeof *ops || !ops->transmit)
		return -EINVAL;
	takes_punts = ops->abilities & VSW_PORT_PUNT;
	if (vsw_port_find(vsw, name)
	    || (takes_punts && atomic_load(&vsw->punt_port)))
		return -EEXIST;
	error = table_reserve(&vsw->port_names, &vsw->allocator,
			      &vsw->reclaim, 1);
	if (error)
		return error;
	error = port_new(vsw, name, ops, ctx, &port);
	if (error == -ENOSPC && vsw->reclaim.first) {
		/* Perhaps a removed port's room, which a worker kept. */
		reclaim_wait(&vsw->reclaim);
		reclaim_run(&vsw->reclaim);
		error = port_new(vsw, name, ops, ctx, &port);
	}
	if (error)
		return error;
	for (uint32_t i = 0; i < vsw->options.max_workers; i++)
		if (vsw->workers[i])
			flow_forget_class(vsw->workers[i]->flows,
					  port->number);
	table_add(&vsw->port_names, hash_of(vsw, name), port);
	atomic_store_explicit(&vsw->ports[port->number], port,
			      memory_order_release);
	if (takes_punts)
		atomic_store_explicit(&vsw->punt_port, port,
				      memory_order_release);
	*ret_port = port;
	return 0;
}

void
vsw_port_remove(struct vsw_port *port)
{
	struct vsw_program *program;
	struct vsw *vsw;

	if (!port)
		return;
	vsw = port->vsw;
	table_remove(&vsw->port_names, hash_of(vsw, port->name), port);
	atomic_store_explicit(&vsw->ports[port->number], NULL,
			      memory_order_release);
	if (atomic_load_explicit(&vsw->punt_port, memory_order_relaxed)
	    == port)
		atomic_store_explicit(&vsw->punt_port, NULL,
				      memory_order_release);
	trunk_remove(port);
	atomic_store_explicit(&port->is_gone, true, memory_order_release);
	program = atomic_exchange_explicit(&port->program, NULL,
					   memory_order_acq_rel);
	generation_move(&vsw->generations, port->generation);
	reclaim_wait(&vsw->reclaim);
	/* Nobody opens any here now. */
	if (atomic_load(&vsw->connections))
		connections_end_port(atomic_load(&vsw->connections),
				     port->number);
	vsw_program_unref(program);
	port_unref(port);
}

struct vsw_program *
vsw_port_get_program(const struct vsw_port *port)
{
	return atomic_load_explicit(&port->program, memory_order_relaxed);
}

int
vsw_port_set_program(struct vsw_port *port, struct vsw_program *program)
{
	return vsw_port_set_programs(&port, &program, 1);
}

/* What each had waits, linked as what is retired, until all flows have been
 * told. */
int
vsw_port_set_programs(struct vsw_port *const ports[],
		      struct vsw_program *const programs[], size_t n)
{
	struct vsw *vsw = n ? ports[0]->vsw : NULL;
	struct retired *gone = NULL;
	int error = 0;

	for (size_t i = 0; i < n && !error; i++)
		error = ports[i]->vsw == vsw ? make_ready(vsw, programs[i])
					     : -EINVAL;
	if (!n || error)
		return error;
	for (size_t i = 0; i < n; i++) {
		struct vsw_program *program = programs[i], *old;

		if (program)
			program_ref(program);
		old = atomic_exchange_explicit(&ports[i]->program, program,
					       memory_order_acq_rel);
		generation_touch(&vsw->generations, ports[i]->generation);
		program_let_go(old, &gone);
	}
	generations_tell(&vsw->generations);
	if (gone)
		reclaim_retire_all(&vsw->reclaim, gone, NULL);
	reclaim_run(&vsw->reclaim);
	return 0;
}

int
vsw_port_set_underlay(struct vsw_port *port,
		      const struct vsw_underlay *underlay)
{
	struct vsw *vsw = port->vsw;
	struct uplink *fresh = NULL, *old;
	int error;

	if (port->ops.abilities & VSW_PORT_TUNNEL || port->outside
	    || atomic_load_explicit(&port->trunk, memory_order_relaxed))
		return -EINVAL;
	error = underlay ? check(underlay) : 0;
	if (error)
		return error;
	if (underlay) {
		fresh = new_uplink(vsw, underlay);
		if (!fresh)
			return -ENOMEM;
	}
	error = domains_prepare(port, NULL);
	if (error) {
		memory_free(&vsw->allocator, fresh, sizeof *fresh);
		return error;
	}
	old = (struct uplink *) atomic_exchange_explicit(
		&port->uplink, fresh, memory_order_acq_rel);
	generation_move(&vsw->generations, port->generation);
	domains_renew(port, NULL);
	if (old)
		reclaim_retire(&vsw->reclaim, &old->retired, free_uplink,
			       vsw);
	return 0;
}

int
vsw_port_set_next_hop(struct vsw_port *port, const struct vsw_addr *pa,
		      const uint8_t mac[6])
{
	const struct vsw_addr *which = pa && pa->n ? pa : NULL;
	static const struct vsw_addr any;
	int error;

	if (!pa || (pa->n && !address_is_good(pa)))
		return -EINVAL;
	if (mac) {
		error = next_hop_prepare(port, which ? pa : &any);
		if (error)
			return error;
	}
	error = domains_prepare(port, which);
	if (error)
		return error;
	next_hop_set(port, which ? pa : &any, mac);
	domains_renew(port, which);
	return 0;
}

int
vsw_port_set_limits(struct vsw_port *port, const struct vsw_port_limits *limits)
{
	static const struct vsw_port_limits none;
	const struct vsw_port_limits *more = limits;

	/* What is behind came later. */
	if (limits && limits->size < offsetof(struct vsw_port_limits,
					      max_connections))
		return -EINVAL;
	if (!limits || limits->size < sizeof *limits)
		more = &none;
	if (!limits)
		limits = &none;
	atomic_store_explicit(&port->limits.max_new_flows_per_s,
			      limits->max_new_flows_per_s,
			      memory_order_relaxed);
	atomic_store_explicit(&port->limits.new_flow_burst,
			      limits->new_flow_burst, memory_order_relaxed);
	atomic_store_explicit(&port->limits.max_punts_per_s,
			      limits->max_punts_per_s, memory_order_relaxed);
	atomic_store_explicit(&port->limits.max_flows, limits->max_flows,
			      memory_order_relaxed);
	atomic_store_explicit(&port->limits.max_floods_per_s,
			      limits->max_floods_per_s,
			      memory_order_relaxed);
	port->limits.max_connections = more->max_connections;
	port->limits.max_half_open = more->max_half_open;
	port->limits.max_connections_per_s = more->max_connections_per_s;
	limit_connections(port, atomic_load(&port->vsw->connections));
	return 0;
}

int
vsw_port_set_mtu(struct vsw_port *port, uint32_t mtu)
{
	bool carries = port->ops.abilities & VSW_PORT_TUNNEL;
	int error;

	if (atomic_load_explicit(&port->mtu, memory_order_relaxed) == mtu)
		return 0;
	error = carries ? domains_prepare(port, NULL) : 0;
	if (error)
		return error;
	atomic_store_explicit(&port->mtu, mtu, memory_order_relaxed);
	generation_move(&port->vsw->generations, port->generation);
	if (carries)
		domains_renew(port, NULL);
	return 0;
}

const char *
vsw_port_name(const struct vsw_port *port)
{
	return port->name;
}

struct vsw *
vsw_port_switch(const struct vsw_port *port)
{
	return port->vsw;
}

struct vsw_port *
vsw_port_find(struct vsw *vsw, const char *name)
{
	return table_find(&vsw->port_names, hash_of(vsw, name), equal, name);
}

/* For a port to have it. */
static int
make_ready(struct vsw *vsw, const struct vsw_program *program)
{
	struct connections *connections;
	int error;

	if (!program)
		return 0;
	if (!program_is_sealed(program) || program->vsw != vsw)
		return -EINVAL;
	if (!program->tracked || atomic_load(&vsw->connections))
		return 0;
	error = connections_new(vsw, &connections);
	if (error)
		return error;
	limit_connections_of_all(vsw, connections);
	atomic_store(&vsw->connections, connections);
	return 0;
}

static void
limit_connections_of_all(struct vsw *vsw, struct connections *connections)
{
	for (uint32_t i = 0; i < vsw->options.max_ports; i++) {
		const struct vsw_port *port = atomic_load_explicit(
			&vsw->ports[i], memory_order_relaxed);

		if (port)
			limit_connections(port, connections);
	}
}

/* 'connections' NULL: there are none yet. */
static void
limit_connections(const struct vsw_port *port, struct connections *connections)
{
	const struct port_limits *limits = &port->limits;

	if (connections)
		connections_limit_port(connections, port->number,
				       limits->max_connections,
				       limits->max_half_open,
				       limits->max_connections_per_s);
}

static uint32_t
hash_of(const struct vsw *vsw, const char *name)
{
	return hash_short(hash_bytes(name, strlen(name), vsw->seed));
}

static bool
equal(const void *item, const void *key)
{
	const struct vsw_port *port = item;

	return !strcmp(port->name, key);
}

static struct uplink *
new_uplink(struct vsw *vsw, const struct vsw_underlay *underlay)
{
	struct uplink *uplink = memory_alloc(&vsw->allocator, 0,
					     sizeof *uplink);

	if (!uplink)
		return NULL;
	uplink->underlay = *underlay;
	if (!uplink->underlay.vxlan_port)
		uplink->underlay.vxlan_port = VXLAN_PORT;
	if (!uplink->underlay.ttl)
		uplink->underlay.ttl = UNDERLAY_TTL;
	if (!uplink->underlay.mtu)
		uplink->underlay.mtu = UNDERLAY_MTU;
	shapes_build(&uplink->underlay, &uplink->shapes);
	return uplink;
}

static int
check(const struct vsw_underlay *underlay)
{
	const struct vsw_addr *v4 = &underlay->local_v4;
	const struct vsw_addr *v6 = &underlay->local_v6;

	if (underlay->size < sizeof *underlay || underlay->vlan > VLAN_MAX
	    || (!v4->n && !v6->n)
	    || (v4->n && (v4->n != 4 || !address_is_good(v4)))
	    || (v6->n && v6->n != 16))
		return -EINVAL;
	return 0;
}

static void
free_uplink(void *vsw_, struct retired *retired)
{
	struct vsw *vsw = vsw_;

	memory_free(&vsw->allocator, retired, sizeof(struct uplink));
}
