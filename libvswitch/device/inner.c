/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/device/inner.h"

#include "libvswitch/device/sum.h"

static bool parse_ipv4(const uint8_t *frame, size_t size, struct inner *);
static bool parse_ipv6(const uint8_t *frame, size_t size, struct inner *);
static bool parse_l4(const uint8_t *frame, struct inner *);

bool
inner_parse(const uint8_t *frame, size_t size, struct inner *inner)
{
	uint16_t type;

	inner->l3 = INNER_ETH_SIZE;
	if (size < inner->l3)
		return false;
	type = be16_get(frame + 12);
	if (type == 0x8100) {
		inner->l3 += 4;
		if (size < inner->l3)
			return false;
		type = be16_get(frame + 16);
	}
	switch (type) {
	case 0x0800:
		return parse_ipv4(frame, size, inner) && parse_l4(frame, inner);
	case 0x86dd:
		return parse_ipv6(frame, size, inner) && parse_l4(frame, inner);
	default:
		return false;
	}
}

uint64_t
inner_pseudo_sum(const uint8_t *frame, const struct inner *inner,
		 size_t l4_size)
{
	const uint8_t *ip = frame + inner->l3;
	uint64_t sum = inner->version == 4 ? sum_add(0, ip + 12, 8)
					   : sum_add(0, ip + 8, 32);

	return sum + sum_be16(inner->protocol)
	       + sum_be16((uint16_t) (l4_size >> 16))
	       + sum_be16((uint16_t) l4_size);
}

/* RFC 791, section 3.1. */
static bool
parse_ipv4(const uint8_t *frame, size_t size, struct inner *inner)
{
	const uint8_t *ip = frame + inner->l3;
	size_t header_size;

	if (size < inner->l3 + 20u || ip[0] >> 4 != 4)
		return false;
	header_size = (ip[0] & 15) * 4u;
	inner->version = 4;
	inner->protocol = ip[9];
	inner->l4 = (uint16_t) (inner->l3 + header_size);
	inner->end = inner->l3 + be16_get(ip + 2);
	/* More fragments, or an offset. */
	return header_size >= 20 && inner->l4 <= inner->end
	       && inner->end <= size && !(be16_get(ip + 6) & 0x3fff);
}

/* RFC 8200, section 3. */
static bool
parse_ipv6(const uint8_t *frame, size_t size, struct inner *inner)
{
	const uint8_t *ip = frame + inner->l3;

	if (size < inner->l3 + 40u || ip[0] >> 4 != 6)
		return false;
	inner->version = 6;
	inner->protocol = ip[6];
	inner->l4 = (uint16_t) (inner->l3 + 40);
	inner->end = inner->l4 + be16_get(ip + 4);
	return inner->end <= size;
}

/* RFC 9293, section 3.1, and RFC 768. */
static bool
parse_l4(const uint8_t *frame, struct inner *inner)
{
	size_t l4_size = inner->end - inner->l4;
	const uint8_t *l4 = frame + inner->l4;
	size_t header_size;

	if (inner->protocol == INNER_TCP) {
		if (l4_size < 20)
			return false;
		header_size = (l4[12] >> 4) * 4u;
		if (header_size < 20 || header_size > l4_size)
			return false;
	} else if (inner->protocol == INNER_UDP) {
		header_size = 8;
		if (l4_size < header_size || be16_get(l4 + 4) != l4_size)
			return false;
	} else {
		return false;
	}
	inner->payload = (uint16_t) (inner->l4 + header_size);
	return true;
}
