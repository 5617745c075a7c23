/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/datapath/vxlan.h"

#include "libvswitch/base/wire.h"
#include "libvswitch/datapath/parse.h"

/* Reserved bits are ignored on receipt; the flag that makes the VNI valid must
 * be set. */
int
vxlan_read(const uint8_t *vxlan, struct vsw_tunnel *tunnel)
{
	tunnel->vni = get_be32(vxlan + 4) >> 8;
	tunnel->encap = VSW_ENCAP_VXLAN;
	return vxlan[0] & VXLAN_FLAG_VNI ? PARSE_GOOD : VSW_DROP_BAD_TUNNEL;
}
