/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/policy/field.h"

static const char *const names[] = {
	[VSW_FIELD_ETH_SRC] = "ETH_SRC",
	[VSW_FIELD_ETH_DST] = "ETH_DST",
	[VSW_FIELD_ETH_TYPE] = "ETH_TYPE",
	[VSW_FIELD_VLAN] = "VLAN",
	[VSW_FIELD_IP_PROTO] = "IP_PROTO",
	[VSW_FIELD_IPV4_SRC] = "IPV4_SRC",
	[VSW_FIELD_IPV4_DST] = "IPV4_DST",
	[VSW_FIELD_IPV6_SRC] = "IPV6_SRC",
	[VSW_FIELD_IPV6_DST] = "IPV6_DST",
	[VSW_FIELD_L4_SRC] = "L4_SRC",
	[VSW_FIELD_L4_DST] = "L4_DST",
	[VSW_FIELD_FRAGMENT] = "FRAGMENT",
	[VSW_FIELD_VNI] = "VNI",
	[VSW_FIELD_TUNNEL_SRC4] = "TUNNEL_SRC4",
	[VSW_FIELD_TUNNEL_DST4] = "TUNNEL_DST4",
	[VSW_FIELD_TUNNEL_SRC6] = "TUNNEL_SRC6",
	[VSW_FIELD_TUNNEL_DST6] = "TUNNEL_DST6"
};

_Static_assert(sizeof names / sizeof names[0] == VSW_N_FIELDS,
	       "each field has a name");

struct point
point_of(const uint8_t *bytes, unsigned n)
{
	struct point p = { 0, 0 };

	for (unsigned i = 0; i < n; i++) {
		p.high = p.high << 8 | p.low >> 56;
		p.low = p.low << 8 | bytes[i];
	}
	return p;
}

struct point
point_ones(unsigned bits)
{
	struct point p = { 0, 0 };

	if (bits > 64)
		p.high = UINT64_MAX >> (128 - bits);
	if (bits)
		p.low = UINT64_MAX >> (bits > 64 ? 0 : 64 - bits);
	return p;
}

struct range
point_prefix(struct point p, unsigned prefix, unsigned bits)
{
	struct point host = point_ones(bits - prefix);

	return (struct range) {
		.first = { p.high & ~host.high, p.low & ~host.low },
		.last = { p.high | host.high, p.low | host.low }
	};
}

const char *
field_name(enum vsw_field field)
{
	return (unsigned) field < VSW_N_FIELDS ? names[field] : NULL;
}
