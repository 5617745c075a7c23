/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_TUNNEL_H
#define DATAPATH_TUNNEL_H 1

/* Outer headers, on and off: what VXLAN and NVGRE share.  What is theirs
 * alone is in vxlan.c and nvgre.c.  [worker] */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vswitch/packet.h>
#include "libvswitch/datapath/parse.h"

struct outer;
struct uplink;
struct vsw_packet;

/* Takes outer headers off that are as they mostly are, and checks all that
 * tunnel_is_ours() and tunnel_strip() would: then it comes to the same.  false:
 * nothing was changed, and it is for these to say what it is. */
bool tunnel_take(const struct uplink *, struct vsw_packet *);

/* Is a frame with these (outer) headers a tunnel's packet for one of the
 * uplink's provider addresses?  What is not, is a frame like any other. */
bool tunnel_is_ours(const struct uplink *, const struct headers *outer);

/* Checks the outer headers, takes them off, and keeps what they said in
 * packet->tunnel and what they say of the inner frame in its offload state.
 * Returns PARSE_GOOD or an enum vsw_drop. */
int tunnel_strip(struct vsw_packet *, const struct headers *outer);

/* Puts the tunnel into the key of the inner frame, and its congestion mark
 * into the frame (RFC 6040, section 4.2).  Returns PARSE_GOOD or an enum
 * vsw_drop. */
int tunnel_accept(const struct vsw_tunnel *, uint8_t *frame,
		  struct headers *inner);

/* What differs per packet of what is sent in a tunnel, 'hash', 'tos' and
 * 'flow_id': made of the inner headers and a hash that is constant for the
 * flow.  TOS is copied whole, as RFC 6040's normal mode and RFC 2983's uniform
 * model say.  describe fills in everything else, too. */
static inline void
tunnel_stamp(const struct headers *inner, uint32_t hash,
	     struct vsw_tunnel *tunnel)
{
	tunnel->hash = hash;
	tunnel->tos = inner->tos;
	tunnel->flow_id = (uint8_t) (hash ^ hash >> 8);
}

void tunnel_describe(const struct outer *, const struct headers *inner,
		     uint32_t hash, struct vsw_tunnel *ret_tunnel);

/* Puts the outer headers in front of a packet whose offload state is done
 * with and that is no larger than outer->max_size, and puts the stamp in.  Over
 * IPv6 the UDP checksum is left partial in the new offload state.  Returns
 * PARSE_GOOD, or VSW_DROP_NO_ROOM and the packet is as it was. */
int tunnel_push(struct vsw_packet *, const struct outer *,
		const struct vsw_tunnel *);

#endif /* datapath/tunnel.h */
