/* SPDX-License-Identifier: Apache-2.0 */

#include <vswitch/packet.h>

#include <errno.h>
#include "libvswitch/datapath/packet.h"
#include "libvswitch/datapath/parse.h"
#include "libvswitch/datapath/tunnel.h"
#include "libvswitch/policy/next_hop.h"
#include "libvswitch/policy/outer.h"
#include "libvswitch/policy/port.h"

static int put_outer(struct vsw_packet *, const struct outer *,
		     const struct vsw_tunnel *);

int
vsw_worker_send_tunnel(struct vsw_worker *worker, struct vsw_port *uplink,
		       const struct vsw_tunnel *tunnel,
		       struct vsw_packet *packet, uint64_t now)
{
	struct outer outer;
	int error;

	outer_build(uplink, &tunnel->dst, tunnel->encap, tunnel->vni,
		    next_hop_get(uplink, &tunnel->dst), &outer);
	if (outer.drop == VSW_DROP_NO_NEXT_HOP)
		error = -EHOSTUNREACH;
	else if (outer.drop != VSW_N_DROPS)
		error = -ENETUNREACH;
	else
		error = put_outer(packet, &outer, tunnel);
	if (error) {
		vsw_packet_free(packet);
		return error;
	}
	vsw_worker_send(worker, uplink, &packet, 1, now);
	return 0;
}

static int
put_outer(struct vsw_packet *packet, const struct outer *outer,
	  const struct vsw_tunnel *tunnel)
{
	packet->tunnel.encap = VSW_ENCAP_NONE;
	if (outer->size)
		return tunnel_push(packet, outer, tunnel) == PARSE_GOOD
		       ? 0 : -ENOBUFS;
	packet->tunnel = outer->tunnel;
	packet->tunnel.hash = tunnel->hash;
	packet->tunnel.tos = tunnel->tos;
	return 0;
}
