/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_VXLAN_H
#define DATAPATH_VXLAN_H 1

/* VXLAN, RFC 7348, section 5.  [worker] */

#include <stdint.h>
#include <vswitch/packet.h>
#include "libvswitch/base/wire.h"

/* Reads the header behind UDP's, VXLAN_HEADER_SIZE bytes.  Returns PARSE_GOOD
 * and the tunnel's kind and VNI, or an enum vsw_drop. */
int vxlan_read(const uint8_t *, struct vsw_tunnel *);

/* 'udp': header in front of VXLAN's; 'size': from there to the packet's
 * end. */
static inline void
vxlan_stamp(uint8_t *udp, uint16_t size, const struct vsw_tunnel *tunnel)
{
	/* Source ports: the dynamic range, as the RFC recommends. */
	enum { FIRST_PORT = 49152, PORT_BITS = 0x3fff };

	put_be16(udp, (uint16_t) (FIRST_PORT | (tunnel->hash & PORT_BITS)));
	put_be16(udp + 4, size);
}

#endif /* datapath/vxlan.h */
