/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_OUTER_H
#define POLICY_OUTER_H 1

/* The outer side of a remote location: made once, here, when the location or
 * its uplink changes; stamped on each packet by datapath/tunnel.c.
 *
 * For an uplink that carries headers as bytes, 'bytes' is everything in front
 * of the inner frame, complete but for what differs per packet: IPv4 total
 * length, identification and checksum, IPv6 payload length, UDP source port
 * and length, TOS, NVGRE's flow id.  Checksum of the outer UDP header is 0 over
 * IPv4 (RFC 7348, section 5) and filled in over IPv6.  For an uplink with
 * VSW_PORT_TUNNEL 'size' is 0 and 'tunnel' is what the packet is given.
 *
 * A domain may have several uplinks, and an endpoint has a struct outer for
 * each one that its headers can be made for: these stand together in a struct
 * outers, and a flow keeps to one of them.  Immutable; replaced whole and
 * retired. */

#include <stdbool.h>
#include <stdint.h>
#include <vswitch/inspect.h>
#include <vswitch/packet.h>
#include "libvswitch/base/reclaim.h"

struct uplink;
struct vsw_port;

enum { OUTER_MAX = 96 };

struct outer {
	struct vsw_port *uplink;	/* NULL: see 'drop'. */
	uint32_t max_size;		/* Of the inner frame. */
	uint32_t ipv4_sum;		/* Of the IPv4 header's constant
					 * part; ones' complement, unfolded. */
	uint32_t udp_sum;		/* Of what VXLAN over IPv6 has
					 * constant: addresses, protocol, UDP's
					 * and VXLAN's header. */
	uint8_t drop;			/* enum vsw_drop: NO_UPLINK or
					 * NO_NEXT_HOP; VSW_N_DROPS: usable. */
	uint8_t size;			/* Of 'bytes'. */
	uint8_t l3, l4;			/* Offsets in 'bytes'; l4: UDP or
					 * GRE header. */
	bool is_ipv6, is_nvgre;
	bool can_sum;			/* The uplink fills checksums in. */
	uint8_t bytes[OUTER_MAX];
	struct vsw_tunnel tunnel;	/* dst, vni, encap; src if known. */
};

struct outers {
	struct retired retired;
	uint32_t n;			/* At least 1; then it may be one that
					 * drops. */
	uint32_t size;			/* Room in 'of'. */
	struct outer of[];
};

/* [control] Fills in everything from the uplink (NULL: none) and the remote
 * side.  'mac': next hop's, NULL if not known. */
void outer_build(struct vsw_port *uplink, const struct vsw_addr *pa,
		 uint8_t encap, uint32_t vni, const uint8_t mac[6],
		 struct outer *ret_outer);

/* [any] The one that a flow of this hash uses: a flow stays where it is as long
 * as its uplink is there, whatever becomes of the others. */
const struct outer *outer_pick(const struct outers *, uint32_t hash);

/* The largest frame that a tunnel's outer packet on this port can hold. */
uint32_t outer_max_size(const struct vsw_port *uplink, bool is_ipv6,
			uint8_t encap);

#endif /* policy/outer.h */
