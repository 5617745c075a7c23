/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/switch/trunk.h"

#include <errno.h>
#include <vswitch/switch.h>
#include "libvswitch/base/memory.h"
#include "libvswitch/base/switch.h"
#include "libvswitch/datapath/trunk.h"
#include "libvswitch/policy/port.h"

static bool may_hold(const struct vsw_port *);
static struct trunk *make_trunk(struct vsw_port *);
static void leave(struct vsw_port *trunk_port);
static void free_trunk(void *vsw, struct retired *);

int
vsw_port_add_vlan(struct vsw_port *trunk_port, const char *name,
		  uint16_t vlan, struct vsw_port **ret_port)
{
	struct vsw_port_ops ops = {
		.size = sizeof ops, .abilities = trunk_port->ops.abilities,
		.transmit = trunk_transmit
	};
	struct vsw_port *port;
	struct trunk *trunk;
	int error;

	if (!vlan || vlan > VLAN_MAX || !may_hold(trunk_port))
		return -EINVAL;
	trunk = make_trunk(trunk_port);
	if (!trunk)
		return -ENOMEM;
	error = atomic_load_explicit(&trunk->ports[vlan],
				     memory_order_relaxed)
		? -EEXIST
		: vsw_port_add(trunk_port->vsw, name, &ops, NULL, &port);
	if (error) {
		leave(trunk_port);
		return error;
	}
	port->ctx = port;
	port->outside = port_ref(trunk_port);
	port->vlan = vlan;
	trunk->n++;
	atomic_store_explicit(&trunk->ports[vlan], port, memory_order_release);
	*ret_port = port;
	return 0;
}

void
trunk_remove(struct vsw_port *port)
{
	struct vsw_port *outside = port->outside;
	struct trunk *trunk;

	if (!outside)
		return;
	trunk = atomic_load_explicit(&outside->trunk, memory_order_relaxed);
	atomic_store_explicit(&trunk->ports[port->vlan], NULL,
			      memory_order_release);
	trunk->n--;
	leave(outside);
}

static bool
may_hold(const struct vsw_port *port)
{
	return !(port->ops.abilities & (VSW_PORT_TUNNEL | VSW_PORT_PUNT))
	       && !port->outside
	       && !atomic_load_explicit(&port->uplink, memory_order_relaxed)
	       && !atomic_load_explicit(&port->is_gone, memory_order_relaxed);
}

static struct trunk *
make_trunk(struct vsw_port *port)
{
	struct trunk *trunk = atomic_load_explicit(&port->trunk,
						   memory_order_relaxed);

	if (trunk)
		return trunk;
	trunk = memory_alloc(&port->vsw->allocator, 0, sizeof *trunk);
	if (trunk)
		atomic_store_explicit(&port->trunk, trunk,
				      memory_order_release);
	return trunk;
}

/* Without a port inside it is no trunk any more. */
static void
leave(struct vsw_port *trunk_port)
{
	struct vsw *vsw = trunk_port->vsw;
	struct trunk *trunk = atomic_load_explicit(&trunk_port->trunk,
						   memory_order_relaxed);

	if (trunk->n)
		return;
	atomic_store_explicit(&trunk_port->trunk, NULL, memory_order_release);
	reclaim_retire(&vsw->reclaim, &trunk->retired, free_trunk, vsw);
}

static void
free_trunk(void *vsw_, struct retired *retired)
{
	struct vsw *vsw = vsw_;

	memory_free(&vsw->allocator, retired, sizeof(struct trunk));
}
