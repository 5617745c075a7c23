/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/datapath/vlan.h"

#include <string.h>
#include "libvswitch/base/wire.h"
#include "libvswitch/datapath/packet.h"
#include "libvswitch/datapath/parse.h"

enum { MACS_SIZE = 12, TAG_SIZE = 4, VID_MASK = 0x0fff };

bool
vlan_set(struct vsw_packet *packet, const struct headers *h, uint16_t vlan)
{
	uint8_t *tci = packet->data + MACS_SIZE + 2;

	if (!h->key.vlan)
		return !vlan || vlan_push(packet, vlan);
	if (!vlan) {
		vlan_pop(packet);
		return true;
	}
	put_be16(tci, (uint16_t) ((get_be16(tci) & ~VID_MASK)
				  | (vlan & VID_MASK)));
	return true;
}

bool
vlan_push(struct vsw_packet *packet, uint16_t vlan)
{
	uint8_t *frame = packet_push(packet, TAG_SIZE);

	if (!frame)
		return false;
	memmove(frame, frame + TAG_SIZE, MACS_SIZE);
	put_be16(frame + MACS_SIZE, ETH_TYPE_VLAN);
	put_be16(frame + MACS_SIZE + 2, vlan & VID_MASK);
	if (packet->offload.checksum == VSW_CHECKSUM_PARTIAL)
		packet->offload.checksum_start += TAG_SIZE;
	return true;
}

void
vlan_pop(struct vsw_packet *packet)
{
	memmove(packet->data + TAG_SIZE, packet->data, MACS_SIZE);
	packet_pull(packet, TAG_SIZE);
	if (packet->offload.checksum == VSW_CHECKSUM_PARTIAL)
		packet->offload.checksum_start -= TAG_SIZE;
}
