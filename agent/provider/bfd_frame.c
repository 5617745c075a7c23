/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/provider/bfd_frame.h"

#include <string.h>

#include "agent/device/thread.h"

enum {
	PORT = 3784,			/* RFC 5881, section 4. */
	FIRST_SOURCE_PORT = 49152,
	TTL = 255,			/* RFC 5881, section 5. */
	TOS = 0xc0,			/* Internetwork control. */
	PROTO_UDP = 17,
	ETH_IPV4 = 0x0800,
	ETH_SIZE = 14, IP_SIZE = 20, UDP_SIZE = 8
};

/* Ours in frames: any will do. */
static const uint8_t source_mac[6] = { 0x02, 0x68, 0x6e, 0x76, 0x62, 0x66 };

static void write_frame(const struct bfd_ends *, const struct bfd_packet *,
			size_t size, uint8_t *frame);
static void put16(uint8_t *, size_t);

bool
bfd_frame_read(const struct vsw_tunnel *tunnel, const void *bytes, size_t size,
	       struct frame *frame, struct bfd_packet *packet)
{
	/* RFC 5881, section 5: what was forwarded on its way is nobody's. */
	return tunnel->encap != VSW_ENCAP_NONE && !tunnel->vni
	       && frame_read(bytes, size, frame) && frame->proto == PROTO_UDP
	       && !frame->is_fragment && frame->ttl == TTL
	       && frame->end >= frame->l4 + UDP_SIZE
	       && bfd_packet_read(frame->bytes + frame->l4 + UDP_SIZE,
				  frame->end - frame->l4 - UDP_SIZE, packet);
}

void
bfd_frame_send(struct vsw_worker *worker, struct vsw_port *uplink,
	       const struct vsw_tunnel *to, const struct bfd_ends *ends,
	       const struct bfd_packet *control, size_t size)
{
	struct vsw_tunnel tunnel = {
		.dst = to->dst, .encap = to->encap,
		.hash = control->my_discr, .tos = TOS
	};
	struct vsw_packet *packet = vsw_packet_new(worker, size);

	if (!packet)
		return;
	write_frame(ends, control, size, vsw_packet_data(packet));
	(void) !vsw_worker_send_tunnel(worker, uplink, &tunnel, packet,
				       thread_now());
}

static void
write_frame(const struct bfd_ends *ends, const struct bfd_packet *control,
	    size_t size, uint8_t *frame)
{
	uint8_t *ip = frame + ETH_SIZE, *udp = ip + IP_SIZE;

	memset(frame, 0, size);
	memcpy(frame, ends->dst_mac, 6);
	memcpy(frame + 6, source_mac, 6);
	put16(frame + 12, ETH_IPV4);
	ip[0] = 0x45;
	ip[1] = TOS;
	put16(ip + 2, size - ETH_SIZE);
	ip[8] = TTL;
	ip[9] = PROTO_UDP;
	memcpy(ip + 12, ends->src_ip, 4);
	memcpy(ip + 16, ends->dst_ip, 4);
	put16(ip + 10, frame_fold(frame_sum(ip, IP_SIZE, 0)));
	put16(udp, FIRST_SOURCE_PORT | (control->my_discr & 0x3fff));
	put16(udp + 2, PORT);
	put16(udp + 4, size - ETH_SIZE - IP_SIZE);
	bfd_packet_write(control, udp + UDP_SIZE);
}

static void
put16(uint8_t *b, size_t n)
{
	b[0] = (uint8_t) (n >> 8);
	b[1] = (uint8_t) n;
}
