/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/datapath/nvgre.h"

#include "libvswitch/base/wire.h"
#include "libvswitch/datapath/parse.h"

/* Exactly the key, no checksum, no sequence number, version 0. */
int
nvgre_read(struct cursor *c, struct vsw_tunnel *tunnel)
{
	uint16_t flags = cursor_be16(c);
	uint16_t protocol = cursor_be16(c);
	uint32_t key = cursor_be32(c);

	tunnel->vni = key >> 8;
	tunnel->flow_id = (uint8_t) key;
	tunnel->encap = VSW_ENCAP_NVGRE;
	if (c->is_short)
		return VSW_DROP_SHORT;
	if (flags != GRE_FLAG_KEY || protocol != ETH_TYPE_TEB)
		return VSW_DROP_BAD_TUNNEL;
	return tunnel->vni ? PARSE_GOOD : VSW_DROP_UNKNOWN_VNI;
}

void
nvgre_stamp(uint8_t *gre, const struct vsw_tunnel *tunnel)
{
	gre[7] = tunnel->flow_id;
}
