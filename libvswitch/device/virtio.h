/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DEVICE_VIRTIO_H
#define DEVICE_VIRTIO_H 1

/* The virtio network header (virtio 1.2, section 5.1.6) in the machine's own
 * byte order, as TAP and AF_PACKET put it before each frame. */

#include <linux/virtio_net.h>
#include <vswitch/packet.h>

/* Headers for kernels older than what may be run on. */
#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

/* Kinds of segments that we do not know become an offload state that no packet
 * fits, so that the switch drops it by name. */
void virtio_to_offload(const struct virtio_net_hdr *,
		       struct vsw_offload *ret_offload);

/* 'frame' is what 'offload' speaks of. */
void virtio_from_offload(const struct vsw_offload *, const uint8_t *frame,
			 size_t size, struct virtio_net_hdr *ret_header);

#endif /* device/virtio.h */
