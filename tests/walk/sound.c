/* SPDX-License-Identifier: Apache-2.0 */

/* Reads frames that somebody else made, in the plainest way. */

#include "tests/walk/frame.h"

#include <stdarg.h>
#include <stdio.h>

struct reader {
	const uint8_t *p;
	size_t size, l4, end;
	unsigned proto;
	uint32_t pseudo;		/* Of the addresses. */
	bool is_v4, is_fragment;
	char *problem;
	size_t problem_size;
};

static bool read_ip4(struct reader *, size_t at);
static bool read_ip6(struct reader *, size_t at);
static bool read_l4(struct reader *);
static bool complain(struct reader *, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

bool
frame_is_sound(const uint8_t *p, size_t size,
	       const struct vsw_offload *offload, char *problem,
	       size_t problem_size)
{
	struct reader r = { .p = p, .size = size, .problem = problem,
			    .problem_size = problem_size };
	size_t at = 14;
	unsigned type;

	if (size < 14)
		return complain(&r, "%zu bytes", size);
	type = p[12] * 256u + p[13];
	if (type == 0x8100 && size >= 18) {
		type = p[16] * 256u + p[17];
		at = 18;
	}
	if (type != 0x0800 && type != 0x86dd)
		return true;
	r.is_v4 = type == 0x0800;
	if (size < at + (r.is_v4 ? 20 : 40))
		return complain(&r, "IP header is cut");
	if (!(r.is_v4 ? read_ip4(&r, at) : read_ip6(&r, at)))
		return false;
	if (r.is_fragment
	    || (offload && offload->checksum == VSW_CHECKSUM_PARTIAL
		&& offload->checksum_start == r.l4))
		return true;
	return read_l4(&r);
}

uint16_t
frame_naive_checksum(const uint8_t *bytes, size_t size, uint32_t start)
{
	unsigned long long sum = start;

	for (size_t i = 0; i < size; i++)
		sum += i % 2 ? bytes[i] : bytes[i] * 256u;
	while (sum > 0xffff)
		sum = sum % 65536 + sum / 65536;
	return (uint16_t) (0xffff - sum);
}

static bool
read_ip4(struct reader *r, size_t at)
{
	const uint8_t *p = r->p + at;
	size_t header = (p[0] & 15) * 4u;
	size_t total = p[2] * 256u + p[3];

	if (p[0] / 16 != 4 || header < 20 || total < header
	    || total > r->size - at)
		return complain(r, "IPv4 length at %zu", at);
	if (frame_naive_checksum(p, header, 0))
		return complain(r, "IPv4 checksum at %zu", at);
	r->proto = p[9];
	r->l4 = at + header;
	r->end = at + total;
	r->is_fragment = (p[6] & 0x3f) || p[7];
	for (size_t i = 12; i < 20; i += 2)
		r->pseudo += p[i] * 256u + p[i + 1];
	return true;
}

static bool
read_ip6(struct reader *r, size_t at)
{
	const uint8_t *p = r->p + at;
	size_t total = 40 + p[4] * 256u + p[5];

	if (p[0] / 16 != 6 || total > r->size - at)
		return complain(r, "IPv6 length at %zu", at);
	r->proto = p[6];
	r->l4 = at + 40;
	r->end = at + total;
	while (r->proto == 0 || r->proto == 43 || r->proto == 60) {
		r->proto = r->p[r->l4];
		r->l4 += 8 + r->p[r->l4 + 1] * 8u;
	}
	r->is_fragment = r->proto == 44;
	for (size_t i = 8; i < 40; i += 2)
		r->pseudo += p[i] * 256u + p[i + 1];
	return true;
}

static bool
read_l4(struct reader *r)
{
	const uint8_t *p = r->p + r->l4;
	size_t size = r->end - r->l4;
	uint32_t pseudo = r->pseudo + r->proto;

	if (r->proto == 17 && size >= 8) {
		size_t length = p[4] * 256u + p[5];

		if (length < 8 || length > size)
			return complain(r, "UDP length %zu of %zu", length,
					size);
		if ((p[6] || p[7])
		    && frame_naive_checksum(p, length,
					    pseudo + (uint32_t) length))
			return complain(r, "UDP checksum at %zu", r->l4);
		if (p[2] * 256u + p[3] == 4789 && length >= 16)
			return frame_is_sound(p + 16, size - 16, NULL,
					      r->problem, r->problem_size);
		return true;
	}
	if (r->proto == 47 && size >= 8 && p[2] == 0x65)
		return frame_is_sound(p + 8, size - 8, NULL, r->problem,
				      r->problem_size);
	if (r->proto == 1 && r->is_v4)
		pseudo = 0;
	else if (r->proto == 6 || (r->proto == 58 && !r->is_v4))
		pseudo += (uint32_t) size;
	else
		return true;
	if (frame_naive_checksum(p, size, pseudo))
		return complain(r, "checksum of protocol %u at %zu", r->proto,
				r->l4);
	return true;
}

static bool
complain(struct reader *r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(r->problem, r->problem_size, format, args);
	va_end(args);
	return false;
}
