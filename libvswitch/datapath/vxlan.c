/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/datapath/vxlan.h"

#include "libvswitch/base/wire.h"
#include "libvswitch/datapath/parse.h"

/* Source ports: the dynamic range, as the RFC recommends. */
enum { FIRST_PORT = 49152, PORT_BITS = 0x3fff };

/* Reserved bits are ignored on receipt; the flag that makes the VNI valid must
 * be set.  VNI 0 is nobody's: in a key it means "no tunnel". */
int
vxlan_read(struct cursor *c, struct vsw_tunnel *tunnel)
{
	uint8_t flags = cursor_u8(c);

	cursor_skip(c, 3);
	tunnel->vni = cursor_be32(c) >> 8;
	tunnel->encap = VSW_ENCAP_VXLAN;
	if (c->is_short)
		return VSW_DROP_SHORT;
	if (!(flags & VXLAN_FLAG_VNI))
		return VSW_DROP_BAD_TUNNEL;
	return tunnel->vni ? PARSE_GOOD : VSW_DROP_UNKNOWN_VNI;
}

void
vxlan_stamp(uint8_t *udp, uint16_t size, const struct vsw_tunnel *tunnel)
{
	put_be16(udp, (uint16_t) (FIRST_PORT | (tunnel->hash & PORT_BITS)));
	put_be16(udp + 4, size);
}
