/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/device/cut.h"

#include <string.h>

#include "libvswitch/device/sum.h"

enum { TCP_FIN = 0x01, TCP_PSH = 0x08, TCP_CWR = 0x80 };

static bool kind_fits(const struct vsw_offload *, const struct inner *);
static void sum_constants(struct cut *);
static void finish_ip(const struct cut *, uint8_t *ip, size_t size);
static uint64_t finish_tcp(const struct cut *, uint8_t *tcp,
			   size_t offset, bool last);

bool
cut_begin(struct cut *cut, const uint8_t *frame, size_t size,
	      const struct vsw_offload *offload)
{
	struct inner *inner = &cut->inner;
	size_t payload_size;

	if (!inner_parse(frame, size, inner)
	    || !kind_fits(offload, inner)
	    || offload->segment_size == 0
	    || inner->end == inner->payload
	    || inner->payload > CUT_MAX_HEADER)
		return false;
	cut->frame = frame;
	cut->segment_size = offload->segment_size;
	cut->header_size = inner->payload;
	payload_size = inner->end - inner->payload;
	cut->n_segments = (payload_size + cut->segment_size - 1)
			      / cut->segment_size;
	cut->ecn = offload->ecn;
	cut->next = 0;
	sum_constants(cut);
	return cut->n_segments <= CUT_MAX_SEGMENTS;
}

size_t
cut_next(struct cut *cut, uint8_t *header,
	     const uint8_t **ret_payload)
{
	const struct inner *inner = &cut->inner;
	size_t offset = cut->next * cut->segment_size;
	size_t left, size, l4_size;
	uint8_t *l4 = header + inner->l4;
	uint64_t sum;
	bool last;

	if (cut->next == cut->n_segments)
		return 0;
	left = inner->end - inner->payload - offset;
	last = left <= cut->segment_size;
	size = last ? left : cut->segment_size;
	l4_size = inner->payload - inner->l4 + size;
	*ret_payload = cut->frame + inner->payload + offset;

	memcpy(header, cut->frame, cut->header_size);
	finish_ip(cut, header + inner->l3, l4_size);
	sum = cut->l4_sum + sum_be16((uint16_t) l4_size);
	if (inner->protocol == INNER_TCP) {
		sum += finish_tcp(cut, l4, offset, last);
	} else {
		be16_put(l4 + 4, (uint16_t) l4_size);
		sum += sum_be16((uint16_t) l4_size);
	}
	sum = sum_add(sum, *ret_payload, size);
	sum = (uint16_t) ~sum_fold(sum);
	/* No UDP checksum is zero: that would mean that there is none. */
	if (sum == 0 && inner->protocol == INNER_UDP)
		sum = 0xffff;
	sum_put(l4 + inner_checksum_offset(inner), (uint16_t) sum);
	cut->next++;
	return size;
}

static bool
kind_fits(const struct vsw_offload *offload, const struct inner *inner)
{
	switch (offload->segment_kind) {
	case VSW_SEGMENT_TCP4:
		return inner->protocol == INNER_TCP && inner->version == 4;
	case VSW_SEGMENT_TCP6:
		return inner->protocol == INNER_TCP && inner->version == 6;
	case VSW_SEGMENT_UDP:
		return inner->protocol == INNER_UDP;
	default:
		return false;
	}
}

/* What is the same in all segments is summed once. */
static void
sum_constants(struct cut *cut)
{
	const struct inner *inner = &cut->inner;
	uint8_t header[CUT_MAX_HEADER];
	uint8_t *ip = header + inner->l3, *l4 = header + inner->l4;

	memcpy(header, cut->frame, cut->header_size);
	cut->ip_sum = 0;
	if (inner->version == 4) {
		memset(ip + 2, 0, 4);
		memset(ip + 10, 0, 2);
		cut->ip_sum = sum_add(0, ip, inner->l4 - inner->l3);
	}
	cut->l4_sum = inner_pseudo_sum(header, inner, 0);
	if (inner->protocol == INNER_TCP) {
		memset(l4 + 4, 0, 4);
		l4[13] = 0;
	} else {
		memset(l4 + 4, 0, 2);
	}
	memset(l4 + inner_checksum_offset(inner), 0, 2);
	cut->l4_sum = sum_add(cut->l4_sum, l4,
				       inner->payload - inner->l4);
}

/* Segments of one IPv4 packet count its identification on. */
static void
finish_ip(const struct cut *cut, uint8_t *ip, size_t l4_size)
{
	const struct inner *inner = &cut->inner;
	uint16_t length, id;

	if (inner->version == 6) {
		be16_put(ip + 4, (uint16_t) l4_size);
		return;
	}
	length = (uint16_t) (inner->l4 - inner->l3 + l4_size);
	id = (uint16_t) (be16_get(ip + 4) + cut->next);
	be16_put(ip + 2, length);
	be16_put(ip + 4, id);
	sum_put(ip + 10, (uint16_t) ~sum_fold(cut->ip_sum + sum_be16(length)
					      + sum_be16(id)));
}

/* FIN and PSH belong to the last segment; CWR, if the sender says so, to the
 * first (RFC 3168, section 6.1.2).  Returns the sum of what it wrote. */
static uint64_t
finish_tcp(const struct cut *cut, uint8_t *tcp, size_t offset,
	   bool last)
{
	uint32_t sequence = be32_get(tcp + 4) + (uint32_t) offset;

	be32_put(tcp + 4, sequence);
	if (!last)
		tcp[13] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
	if (cut->ecn && cut->next > 0)
		tcp[13] &= (uint8_t) ~TCP_CWR;
	return sum_be16((uint16_t) (sequence >> 16))
	       + sum_be16((uint16_t) sequence) + sum_be16(tcp[13]);
}
