/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/datapath/nvgre.h"

#include "libvswitch/base/wire.h"
#include "libvswitch/datapath/parse.h"

/* Exactly the key, no checksum, no sequence number, version 0. */
int
nvgre_read(const uint8_t *gre, struct vsw_tunnel *tunnel)
{
	tunnel->vni = get_be32(gre + 4) >> 8;
	tunnel->flow_id = gre[7];
	tunnel->encap = VSW_ENCAP_NVGRE;
	if (get_be16(gre) != GRE_FLAG_KEY
	    || get_be16(gre + 2) != ETH_TYPE_TEB)
		return VSW_DROP_BAD_TUNNEL;
	return PARSE_GOOD;
}

void
nvgre_stamp(uint8_t *gre, const struct vsw_tunnel *tunnel)
{
	gre[7] = tunnel->flow_id;
}
