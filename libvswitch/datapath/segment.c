/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/datapath/segment.h"

#include <errno.h>
#include <string.h>

#include "libvswitch/base/checksum.h"
#include "libvswitch/base/wire.h"
#include "libvswitch/datapath/packet.h"

/* Byte 13 of the TCP header. */
enum { TCP_FLAGS_OFFSET = 13, TCP_FIN = 0x01, TCP_PSH = 0x08, TCP_CWR = 0x80 };

static void fill_partial(struct vsw_packet *, const struct headers *);
static void set_ip(uint8_t *frame, const struct headers *, uint32_t size,
		   uint32_t index);
static void set_tcp(uint8_t *tcp, uint32_t sent, bool is_first, bool is_last);
static void set_checksum(uint8_t *frame, const struct headers *,
			 uint32_t size);

int
vsw_packet_finish(struct vsw_worker *worker, struct vsw_packet *packet,
		  struct vsw_packet *ret_packets[], size_t max)
{
	struct segments segments;
	int n = 0, error = segments_start(&segments, packet);

	(void) worker;
	if (error)
		return error;
	if (segments.n > max) {
		segments_stop(&segments);
		return -E2BIG;
	}
	while ((ret_packets[n] = segments_next(&segments)))
		if ((size_t) ++n == segments.n)
			break;
	segments_stop(&segments);
	if ((uint32_t) n == segments.n)
		return n;
	while (n > 0)
		vsw_packet_free(ret_packets[--n]);
	return -ENOMEM;
}

int
segments_start(struct segments *s, struct vsw_packet *packet)
{
	uint32_t size = packet->offload.segment_size;

	*s = (struct segments) { .packet = packet, .n = 1 };
	if (parse_frame(packet->data, packet->size, &s->headers) != PARSE_GOOD
	    || !parse_offload(&s->headers, &packet->offload, packet->size)) {
		segments_stop(s);
		return -EINVAL;
	}
	if (packet->offload.segment_kind == VSW_SEGMENT_NONE)
		return 0;
	s->at = s->headers.payload;
	if (s->headers.l3_end - s->at > size)
		s->n = (s->headers.l3_end - s->at + size - 1) / size;
	if (s->n > SEGMENTS_MAX) {
		segments_stop(s);
		return -E2BIG;
	}
	return 0;
}

struct vsw_packet *
segments_next(struct segments *s)
{
	const struct headers *h = &s->headers;
	struct vsw_packet *whole = s->packet, *part;
	uint32_t left, size;

	if (!whole)
		return NULL;
	if (s->n == 1) {
		fill_partial(whole, h);
		s->packet = NULL;
		s->index++;
		return whole;
	}

	left = h->l3_end - s->at;
	size = whole->offload.segment_size;
	if (size > left)
		size = left;
	part = packet_new(whole->pool, h->payload + size);
	if (!part) {
		segments_stop(s);
		return NULL;
	}
	memcpy(part->data, whole->data, h->payload);
	memcpy(part->data + h->payload, whole->data + s->at, size);
	part->tunnel = whole->tunnel;
	part->in_port = whole->in_port;
	part->punt_reason = whole->punt_reason;
	part->punt_vni = whole->punt_vni;
	part->punt_mtu = whole->punt_mtu;
	part->offload.checksum = VSW_CHECKSUM_GOOD;

	set_ip(part->data, h, part->size, s->index);
	if (h->key.ip_proto == IP_PROTO_TCP)
		set_tcp(part->data + h->l4, s->at - h->payload, s->index == 0,
			s->index + 1 == s->n);
	set_checksum(part->data, h, part->size);

	s->at += size;
	if (++s->index == s->n)
		segments_stop(s);
	return part;
}

void
segments_stop(struct segments *s)
{
	vsw_packet_free(s->packet);
	s->packet = NULL;
}

/* A sum that comes out as 0 is written as 0xffff: to UDP 0 says that there is
 * none (RFC 768), and to everybody else they are equal. */
static void
fill_partial(struct vsw_packet *packet, const struct headers *h)
{
	struct vsw_offload *offload = &packet->offload;
	uint8_t *start = packet->data + offload->checksum_start;
	uint16_t checksum;

	if (offload->checksum == VSW_CHECKSUM_PARTIAL) {
		checksum = checksum_finish(checksum_sum(
			start, h->l3_end - offload->checksum_start));
		put_be16(start + offload->checksum_offset,
			 checksum ? checksum : 0xffff);
		offload->checksum = VSW_CHECKSUM_GOOD;
	}
	*offload = (struct vsw_offload) { .checksum = offload->checksum };
}

static void
set_ip(uint8_t *frame, const struct headers *h, uint32_t size, uint32_t index)
{
	uint8_t *l3 = frame + h->l3;

	if (h->key.has & FLOW_HAS_IPV6) {
		put_be16(l3 + 4, (uint16_t) (size - h->l3 - IPV6_HEADER_SIZE));
		return;
	}
	put_be16(l3 + 2, (uint16_t) (size - h->l3));
	put_be16(l3 + 4, (uint16_t) (get_be16(l3 + 4) + index));
	put_be16(l3 + 10, 0);
	put_be16(l3 + 10, checksum_finish(checksum_sum(l3, h->l4 - h->l3)));
}

/* What ends a stream, and pushes it, is said at the end; that the congestion
 * window was reduced, once: RFC 3168, section 6.1.2. */
static void
set_tcp(uint8_t *tcp, uint32_t sent, bool is_first, bool is_last)
{
	put_be32(tcp + 4, get_be32(tcp + 4) + sent);
	if (!is_first)
		tcp[TCP_FLAGS_OFFSET] &= (uint8_t) ~TCP_CWR;
	if (!is_last)
		tcp[TCP_FLAGS_OFFSET] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
}

static void
set_checksum(uint8_t *frame, const struct headers *h, uint32_t size)
{
	uint8_t *l4 = frame + h->l4;
	uint32_t l4_size = size - h->l4;
	bool is_tcp = h->key.ip_proto == IP_PROTO_TCP;
	uint8_t *field = l4 + (is_tcp ? TCP_CHECKSUM_OFFSET
				      : UDP_CHECKSUM_OFFSET);
	uint16_t checksum;

	if (!is_tcp)
		put_be16(l4 + 4, (uint16_t) l4_size);
	put_be16(field, 0);
	checksum = checksum_finish(
		checksum_pseudo(flow_key_ip_src(&h->key),
				flow_key_ip_dst(&h->key),
				h->key.has & FLOW_HAS_IPV4 ? 4 : 16,
				h->key.ip_proto, l4_size)
		+ checksum_sum(l4, l4_size));
	put_be16(field, checksum ? checksum : 0xffff);
}
