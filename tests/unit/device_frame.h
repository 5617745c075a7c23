/* SPDX-License-Identifier: Apache-2.0 */

#ifndef UNIT_DEVICE_FRAME_H
#define UNIT_DEVICE_FRAME_H 1

/* Frames for the tests of devices, made and cut by the book: a checksum is
 * added up word by word, a segment is a copy whose headers are written anew.
 * Nothing here is shared with what is tested. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct spec {
	uint8_t version;		/* 4 or 6. */
	uint8_t protocol;		/* 6 or 17. */
	bool tagged;			/* 802.1Q. */
	uint8_t n_options;		/* TCP's, in words of 4 bytes. */
	uint8_t flags;			/* TCP's. */
	uint16_t id;			/* IPv4's. */
	uint32_t sequence;
	uint16_t port;			/* Source. */
	size_t payload_size;
};

static inline size_t
l3_of(const struct spec *s)
{
	return s->tagged ? 18 : 14;
}

static inline size_t
l4_of(const struct spec *s)
{
	return l3_of(s) + (s->version == 4 ? 20 : 40);
}

static inline size_t
payload_of(const struct spec *s)
{
	return l4_of(s) + (s->protocol == 6 ? 20 + s->n_options * 4u : 8u);
}

static inline void
put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t) (v >> 8);
	p[1] = (uint8_t) v;
}

static inline uint32_t
naive_sum(uint32_t sum, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		sum += i % 2 ? p[i] : (uint32_t) p[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}

static inline uint32_t
naive_pseudo(const struct spec *s, const uint8_t *frame, size_t l4_size)
{
	const uint8_t *ip = frame + l3_of(s);
	uint8_t end[4] = { 0, s->protocol, (uint8_t) (l4_size >> 8),
			   (uint8_t) l4_size };
	uint32_t sum = s->version == 4 ? naive_sum(0, ip + 12, 8)
				       : naive_sum(0, ip + 8, 32);

	return naive_sum(sum, end, 4);
}

/* Writes lengths and checksums for a frame of 'size' bytes; 'partial' leaves
 * the pseudo header's sum where a checksum belongs. */
static inline void
naive_finish(const struct spec *s, uint8_t *frame, size_t size, bool partial)
{
	uint8_t *ip = frame + l3_of(s), *l4 = frame + l4_of(s);
	uint8_t *field = l4 + (s->protocol == 6 ? 16 : 6);
	size_t l4_size = size - l4_of(s);
	uint32_t sum;

	if (s->version == 4) {
		put16(ip + 2, size - l3_of(s));
		put16(ip + 10, 0);
		put16(ip + 10, ~naive_sum(0, ip, 20) & 0xffff);
	} else {
		put16(ip + 4, l4_size);
	}
	if (s->protocol == 17)
		put16(l4 + 4, l4_size);
	sum = naive_pseudo(s, frame, l4_size);
	put16(field, 0);
	if (!partial) {
		sum = ~naive_sum(sum, l4, l4_size) & 0xffff;
		if (sum == 0 && s->protocol == 17)
			sum = 0xffff;
	}
	put16(field, sum);
}

/* Makes a frame with random payload and returns its size. */
static inline size_t
make_frame(const struct spec *s, uint8_t *frame, bool partial)
{
	static const uint8_t macs[12] = { 2, 0, 0, 0, 0, 2,
					  2, 0, 0, 0, 0, 1 };
	uint8_t *ip = frame + l3_of(s), *l4 = frame + l4_of(s);
	size_t size = payload_of(s) + s->payload_size;

	memset(frame, 0, payload_of(s));
	memcpy(frame, macs, 12);
	if (s->tagged) {
		put16(frame + 12, 0x8100);
		put16(frame + 14, 7);
	}
	put16(ip - 2, s->version == 4 ? 0x0800 : 0x86dd);
	if (s->version == 4) {
		ip[0] = 0x45;
		put16(ip + 4, s->id);
		ip[6] = 0x40;
		ip[8] = 64;
		ip[9] = s->protocol;
		memcpy(ip + 12, "\x0a\1\1\x0b\x0a\1\1\x0c", 8);
	} else {
		ip[0] = 0x60;
		ip[6] = s->protocol;
		ip[7] = 64;
		ip[8] = ip[24] = 0xfd;
		ip[23] = 1;
		ip[39] = 2;
	}
	put16(l4, s->port);
	put16(l4 + 2, 80);
	if (s->protocol == 6) {
		put16(l4 + 4, s->sequence >> 16);
		put16(l4 + 6, s->sequence & 0xffff);
		put16(l4 + 8, 0x1234);
		l4[12] = (uint8_t) ((5 + s->n_options) << 4);
		l4[13] = s->flags;
		put16(l4 + 14, 501);
		for (int i = 0; i < s->n_options * 4; i++)
			l4[20 + i] = 1;
	}
	for (size_t i = payload_of(s); i < size; i++)
		frame[i] = (uint8_t) rand();
	naive_finish(s, frame, size, partial);
	return size;
}

/* Segment number 'i' of a frame that has a segment size; returns its size, or
 * 0 if there is no such segment. */
static inline size_t
naive_segment(const struct spec *s, const uint8_t *frame, size_t segment_size,
	      size_t i, uint8_t *segment)
{
	size_t offset = i * segment_size, n;
	uint32_t sequence = s->sequence + (uint32_t) offset;
	uint8_t *l4 = segment + l4_of(s);

	if (offset >= s->payload_size)
		return 0;
	n = s->payload_size - offset;
	if (n > segment_size)
		n = segment_size;
	memcpy(segment, frame, payload_of(s));
	memcpy(segment + payload_of(s), frame + payload_of(s) + offset, n);
	if (s->version == 4)
		put16(segment + l3_of(s) + 4, (s->id + i) & 0xffff);
	if (s->protocol == 6) {
		put16(l4 + 4, sequence >> 16);
		put16(l4 + 6, sequence & 0xffff);
		/* FIN and PSH are the last one's. */
		if (offset + n < s->payload_size)
			l4[13] &= 0xf6;
	}
	naive_finish(s, segment, payload_of(s) + n, false);
	return payload_of(s) + n;
}

#endif /* unit/device_frame.h */
