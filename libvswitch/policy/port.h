/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_PORT_H
#define POLICY_PORT_H 1

/* A port, as policy and packets see it.  Its life is in switch/port.c. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <vswitch/inspect.h>
#include <vswitch/switch.h>
#include "libvswitch/base/budget.h"
#include "libvswitch/base/reclaim.h"
#include "libvswitch/policy/shape.h"

struct next_hops;
struct vsw_program;

/* What one worker counted at one port: written by that worker alone, with
 * relaxed stores, so that anybody can read whole numbers. */
struct port_counts {
	_Alignas(64) _Atomic uint64_t packets_received;
	_Atomic uint64_t bytes_received;
	_Atomic uint64_t packets_sent, bytes_sent;
	_Atomic uint64_t flows_hit, flows_missed, flows_stale;
	_Atomic uint64_t punts;
	_Atomic uint64_t drops[VSW_N_DROPS];
	/* [worker] alone: */
	struct budget punt_budget;
	struct budget new_budget;	/* Of flows that are new, */
	struct budget again_budget;	/* and of those decided anew. */
	struct budget event_budget, flood_budget;
	uint32_t n_events, last_event;	/* See datapath/event.c. */
};

/* struct vsw_port_limits; 0: as the switch's options say.  Relaxed: each
 * number counts by itself. */
struct port_limits {
	_Atomic uint32_t max_new_flows_per_s, new_flow_burst;
	_Atomic uint32_t max_punts_per_s;
	_Atomic uint32_t max_flows, max_floods_per_s;
	/* [control] The connections' table has them, too, once there is one. */
	uint32_t max_connections, max_half_open, max_connections_per_s;
};

static inline void
count_add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter,
		atomic_load_explicit(counter, memory_order_relaxed) + n,
		memory_order_relaxed);
}

struct vsw_port {
	struct vsw *vsw;
	uint32_t number;			/* Its place in vsw->ports. */
	uint64_t serial;			/* No other port ever has it. */
	uint32_t generation;			/* Of the program and of what
						 * is set up on the port. */
	struct vsw_port_ops ops;
	void *ctx;
	_Atomic(struct vsw_program *) program;	/* Where the policy's way and
						 * the packet's way meet. */
	_Atomic bool is_gone;			/* No new packets to it. */

	/* An uplink's provider side; NULL if the port is none, or carries
	 * tunnels as metadata.  Replaced whole. */
	_Atomic(const struct uplink *) uplink;

	/* Ports inside of it; NULL: none, it is no trunk.  Of one inside: */
	_Atomic(struct trunk *) trunk;
	struct vsw_port *outside;		/* Holds; NULL: it is none. */
	uint16_t vlan;

	_Atomic uint32_t mtu;			/* vsw_port_set_mtu(). */
	struct port_limits limits;
	struct port_counts *counts;		/* One for each worker. */
	struct next_hops *next_hops;		/* NULL: none. [control] */
	uint32_t n_refs;			/* Of the embedder until it is
						 * removed, of rules, mappings
						 * and domains. [control] */
	struct retired retired;
	char name[64];
};

enum { VLAN_MAX = 4094 };

/* Edited in place; gone with the last port in it. */
struct trunk {
	struct retired retired;
	uint32_t n;				/* [control] */
	_Atomic(struct vsw_port *) ports[VLAN_MAX + 1];	/* By VID. */
};

/* Immutable once published. */
struct uplink {
	struct retired retired;
	struct vsw_underlay underlay;		/* Defaults filled in. */
	struct shapes shapes;			/* Of what comes in on it. */
};

static inline bool
port_carries_tunnels(const struct vsw_port *port)
{
	return port->ops.abilities & VSW_PORT_TUNNEL
	       || atomic_load_explicit(&port->uplink, memory_order_acquire);
}

/* [worker] May the port start a flow, or, 'is_again', have one that is
 * established decided anew?  Takes it off what 'worker' grants it. */
bool port_may_decide(struct vsw_port *, unsigned worker, bool is_again,
		     uint64_t now);
/* [worker] May it send a packet to all of several places? */
bool port_may_flood(struct vsw_port *, unsigned worker, uint64_t now);
/* [worker] How many flows it may start now, established ones apart. */
uint32_t port_decisions_left(struct vsw_port *, unsigned worker, uint64_t now);
/* [worker] May it punt? */
bool port_may_punt(struct vsw_port *, unsigned worker, uint64_t now);

/* [control] A port that is in no list yet and has no program: 0, -ENOSPC or
 * -ENOMEM.  'name' fits. */
int port_new(struct vsw *, const char *name, const struct vsw_port_ops *,
	     void *ctx, struct vsw_port **ret_port);
/* [control] Whoever holds a removed port finds it gone.  Its memory, its number
 * and its generation go with the last reference, and when no worker can look
 * any more.  unref accepts NULL. */
struct vsw_port *port_ref(struct vsw_port *);
void port_unref(struct vsw_port *);

#endif /* policy/port.h */
