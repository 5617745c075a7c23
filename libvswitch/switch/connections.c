/* SPDX-License-Identifier: Apache-2.0 */

#include <vswitch/inspect.h>

#include <string.h>
#include "libvswitch/base/switch.h"
#include "libvswitch/base/wire.h"
#include "libvswitch/connection/connection.h"
#include "libvswitch/policy/port.h"

enum { BATCH = 32 };

static void show_one(struct vsw *, const struct connection_copy *,
		     vsw_connection_fn *show, void *ctx);
static struct vsw_addr addr_of(const uint8_t *bytes, uint8_t family);

size_t
vsw_connections(struct vsw *vsw, struct vsw_port *port, uint64_t now,
		size_t max, vsw_connection_fn *show, void *ctx)
{
	struct connections *connections = atomic_load_explicit(
		&vsw->connections, memory_order_acquire);
	uint32_t number = port ? port->number : UINT32_MAX;
	struct connection_copy copies[BATCH];
	uint64_t at = 0;
	size_t n = 0, part;

	if (!connections)
		return 0;
	do {
		part = connections_copy(connections, number, now, &at,
					UINT64_MAX, copies, BATCH);
		for (size_t i = 0; i < part; i++)
			if (n++ < max)
				show_one(vsw, &copies[i], show, ctx);
	} while (part);
	return n;
}

bool
vsw_connections_from(struct vsw *vsw, struct vsw_port *port, uint64_t now,
		     size_t *at, size_t n, vsw_connection_fn *show, void *ctx)
{
	struct connections *connections = atomic_load_explicit(
		&vsw->connections, memory_order_acquire);
	uint32_t number = port ? port->number : UINT32_MAX;
	struct connection_copy copies[BATCH];
	uint64_t in = (uint64_t) *at << 8;
	size_t part;

	if (!connections)
		return false;
	*at += n;
	do {
		part = connections_copy(connections, number, now, &in,
					(uint64_t) *at << 8, copies, BATCH);
		for (size_t i = 0; i < part; i++)
			show_one(vsw, &copies[i], show, ctx);
	} while (part);
	return *at < connections_n_places(connections);
}

static void
show_one(struct vsw *vsw, const struct connection_copy *copy,
	 vsw_connection_fn *show, void *ctx)
{
	const struct connection_key *key = &copy->key;
	bool is_icmp = key->proto == IP_PROTO_ICMP;
	struct vsw_connection_info info = {
		.size = sizeof info,
		.port = atomic_load_explicit(&vsw->ports[key->port],
					     memory_order_acquire),
		.state = track_name(copy->state),
		.direction = copy->direction,
		.ip_proto = is_icmp && key->family == 6 ? IP_PROTO_ICMPV6
							: key->proto,
		.local = addr_of(key->local, key->family),
		.remote = addr_of(key->remote, key->family),
		.local_port = key->local_port,
		.remote_port = is_icmp ? key->local_port : key->remote_port,
		.vlan = key->vlan & 0x0fff, .vni = key->vni,
		.layers = copy->layers,
		.idle_ns = copy->idle_ns, .age_ns = copy->age_ns
	};

	if (info.port)
		show(ctx, &info);
}

static struct vsw_addr
addr_of(const uint8_t *bytes, uint8_t family)
{
	struct vsw_addr addr = { .n = family == 4 ? 4 : 16 };

	memcpy(addr.bytes, bytes, addr.n);
	return addr;
}
