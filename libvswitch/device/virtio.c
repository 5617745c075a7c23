/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/device/virtio.h"

#include <string.h>

static uint16_t header_size(const struct vsw_offload *, const uint8_t *frame,
			    size_t size);

void
virtio_to_offload(const struct virtio_net_hdr *header,
		  struct vsw_offload *offload)
{
	memset(offload, 0, sizeof *offload);
	if (header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
		offload->checksum = VSW_CHECKSUM_PARTIAL;
		offload->checksum_start = header->csum_start;
		offload->checksum_offset = header->csum_offset;
	} else if (header->flags & VIRTIO_NET_HDR_F_DATA_VALID) {
		offload->checksum = VSW_CHECKSUM_GOOD;
	}

	switch (header->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_NONE:
		return;
	case VIRTIO_NET_HDR_GSO_TCPV4:
		offload->segment_kind = VSW_SEGMENT_TCP4;
		break;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		offload->segment_kind = VSW_SEGMENT_TCP6;
		break;
	case VIRTIO_NET_HDR_GSO_UDP_L4:
		offload->segment_kind = VSW_SEGMENT_UDP;
		break;
	default:
		offload->segment_kind = UINT8_MAX;
		break;
	}
	offload->segment_size = header->gso_size;
	offload->ecn = header->gso_type & VIRTIO_NET_HDR_GSO_ECN;
}

void
virtio_from_offload(const struct vsw_offload *offload, const uint8_t *frame,
		    size_t size, struct virtio_net_hdr *header)
{
	static const uint8_t kinds[] = {
		[VSW_SEGMENT_TCP4] = VIRTIO_NET_HDR_GSO_TCPV4,
		[VSW_SEGMENT_TCP6] = VIRTIO_NET_HDR_GSO_TCPV6,
		[VSW_SEGMENT_UDP] = VIRTIO_NET_HDR_GSO_UDP_L4,
	};

	memset(header, 0, sizeof *header);
	if (offload->checksum == VSW_CHECKSUM_PARTIAL) {
		header->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		header->csum_start = offload->checksum_start;
		header->csum_offset = offload->checksum_offset;
	} else if (offload->checksum == VSW_CHECKSUM_GOOD) {
		header->flags = VIRTIO_NET_HDR_F_DATA_VALID;
	}
	if (offload->segment_kind == VSW_SEGMENT_NONE)
		return;
	header->gso_type = kinds[offload->segment_kind];
	if (offload->ecn)
		header->gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	header->gso_size = offload->segment_size;
	header->hdr_len = header_size(offload, frame, size);
}

/* Of all headers, the layer 4 one included: what a segment begins with. */
static uint16_t
header_size(const struct vsw_offload *offload, const uint8_t *frame,
	    size_t size)
{
	size_t l4 = offload->checksum_start;

	if (offload->segment_kind == VSW_SEGMENT_UDP)
		l4 += 8;
	else if (l4 + 13 <= size)
		l4 += (frame[l4 + 12] >> 4) * 4u;
	return (uint16_t) (l4 < size ? l4 : size);
}
