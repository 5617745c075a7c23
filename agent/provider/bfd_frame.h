/* SPDX-License-Identifier: Apache-2.0 */

#ifndef PROVIDER_BFD_FRAME_H
#define PROVIDER_BFD_FRAME_H 1

/* BFD's control packets in their frames: UDP in IPv4 in Ethernet, in a tunnel
 * with VNI 0.  [control] */

#include <vswitch.h>
#include "agent/answer/frame.h"
#include "agent/provider/bfd_session.h"

enum { BFD_FRAME_SIZE = 14 + 20 + 8 + BFD_PACKET_SIZE };

/* What the frame says of its ends. */
struct bfd_ends {
	uint8_t dst_mac[6];
	uint8_t src_ip[4], dst_ip[4];
};

/* False: that is none, or nobody's. */
bool bfd_frame_read(const struct vsw_tunnel *, const void *bytes, size_t size,
		    struct frame *ret_frame, struct bfd_packet *ret_packet);
/* Sends it by the uplink in a frame of 'size' bytes, BFD_FRAME_SIZE at least:
 * what it has more are zeros.  Of the tunnel 'dst' and 'encap' count.  What
 * cannot be sent is as if it was lost. */
void bfd_frame_send(struct vsw_worker *, struct vsw_port *uplink,
		    const struct vsw_tunnel *, const struct bfd_ends *,
		    const struct bfd_packet *, size_t size);

#endif /* provider/bfd_frame.h */
