/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/policy/field.h"

#include "libvswitch/base/wire.h"
#include "libvswitch/policy/key.h"


static bool get_address(const uint8_t *, unsigned n, bool is_there,
			struct point *);
static bool get_number(uint64_t, bool is_there, struct point *);

static const struct {
	const char *name;
	unsigned size;
} fields[] = {
	[VSW_FIELD_ETH_SRC] = { "ETH_SRC", 6 },
	[VSW_FIELD_ETH_DST] = { "ETH_DST", 6 },
	[VSW_FIELD_ETH_TYPE] = { "ETH_TYPE", 2 },
	[VSW_FIELD_VLAN] = { "VLAN", 2 },
	[VSW_FIELD_IP_PROTO] = { "IP_PROTO", 1 },
	[VSW_FIELD_IPV4_SRC] = { "IPV4_SRC", 4 },
	[VSW_FIELD_IPV4_DST] = { "IPV4_DST", 4 },
	[VSW_FIELD_IPV6_SRC] = { "IPV6_SRC", 16 },
	[VSW_FIELD_IPV6_DST] = { "IPV6_DST", 16 },
	[VSW_FIELD_L4_SRC] = { "L4_SRC", 2 },
	[VSW_FIELD_L4_DST] = { "L4_DST", 2 },
	[VSW_FIELD_FRAGMENT] = { "FRAGMENT", 1 },
	[VSW_FIELD_VNI] = { "VNI", 4 },
	[VSW_FIELD_TUNNEL_SRC4] = { "TUNNEL_SRC4", 4 },
	[VSW_FIELD_TUNNEL_DST4] = { "TUNNEL_DST4", 4 },
	[VSW_FIELD_TUNNEL_SRC6] = { "TUNNEL_SRC6", 16 },
	[VSW_FIELD_TUNNEL_DST6] = { "TUNNEL_DST6", 16 },
};

_Static_assert(sizeof fields / sizeof fields[0] == VSW_N_FIELDS,
	       "each field has a row");

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
	return (unsigned) field < VSW_N_FIELDS ? fields[field].name : NULL;
}

unsigned
field_size(enum vsw_field field)
{
	return (unsigned) field < VSW_N_FIELDS ? fields[field].size : 0;
}

bool
field_get(const struct flow_key *key, enum vsw_field field,
	  struct point *ret_value)
{
	bool v4 = key->has & (FLOW_HAS_IPV4 | FLOW_HAS_ARP);
	bool v6 = key->has & FLOW_HAS_IPV6;
	bool l4 = key->has & FLOW_HAS_L4;
	bool tunnel6 = flow_key_tunnel_is_ipv6(key);
	bool tunnel4 = key->tunnel && !tunnel6;

	switch (field) {
	case VSW_FIELD_ETH_SRC:
		return get_address(key->eth_src, 6, true, ret_value);
	case VSW_FIELD_ETH_DST:
		return get_address(key->eth_dst, 6, true, ret_value);
	case VSW_FIELD_ETH_TYPE:
		return get_number(key->eth_type, true, ret_value);
	case VSW_FIELD_VLAN:
		return get_number(key->vlan, true, ret_value);
	case VSW_FIELD_IP_PROTO:
		return get_number(key->ip_proto, v4 || v6, ret_value);
	case VSW_FIELD_IPV4_SRC:
		return get_address(key->ip_src, 4, v4, ret_value);
	case VSW_FIELD_IPV4_DST:
		return get_address(key->ip_dst, 4, v4, ret_value);
	case VSW_FIELD_IPV6_SRC:
		return get_address(key->ip6_src, 16, v6, ret_value);
	case VSW_FIELD_IPV6_DST:
		return get_address(key->ip6_dst, 16, v6, ret_value);
	case VSW_FIELD_L4_SRC:
		return get_number(key->l4_src, l4, ret_value);
	case VSW_FIELD_L4_DST:
		return get_number(key->l4_dst, l4, ret_value);
	case VSW_FIELD_FRAGMENT:
		return get_number(key->fragment, true, ret_value);
	case VSW_FIELD_VNI:
		return get_number(key->vni, true, ret_value);
	case VSW_FIELD_TUNNEL_SRC4:
		return get_address(key->tunnel_src, 4, tunnel4, ret_value);
	case VSW_FIELD_TUNNEL_DST4:
		return get_address(key->tunnel_dst, 4, tunnel4, ret_value);
	case VSW_FIELD_TUNNEL_SRC6:
		return get_address(key->tunnel6_src, 16, tunnel6, ret_value);
	case VSW_FIELD_TUNNEL_DST6:
		return get_address(key->tunnel6_dst, 16, tunnel6, ret_value);
	case VSW_N_FIELDS:
		break;
	}
	return false;
}

bool
field_is_unknown(const struct flow_key *key, enum vsw_field field)
{
	if (!(key->has & FLOW_NO_FIRST))
		return false;
	return field == VSW_FIELD_L4_SRC || field == VSW_FIELD_L4_DST
	       || (field == VSW_FIELD_IP_PROTO
		   && key->ip_proto == IP_PROTO_FRAGMENT);
}

unsigned
field_family(const struct flow_key *key)
{
	if (key->has & FLOW_HAS_IPV6)
		return 6;
	return key->has & (FLOW_HAS_IPV4 | FLOW_HAS_ARP) ? 4 : 0;
}

static bool
get_address(const uint8_t *bytes, unsigned n, bool is_there,
	    struct point *ret_value)
{
	if (is_there)
		*ret_value = point_of(bytes, n);
	return is_there;
}

static bool
get_number(uint64_t number, bool is_there, struct point *ret_value)
{
	if (is_there)
		*ret_value = (struct point) { 0, number };
	return is_there;
}
