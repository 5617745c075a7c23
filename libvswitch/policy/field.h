/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_FIELD_H
#define POLICY_FIELD_H 1

/* Fields as numbers: each field's value is one number of at most 128 bits, so
 * that one order, one search and one kind of interval serve them all. */

#include <stdbool.h>
#include <stdint.h>
#include <vswitch/policy.h>
#include "libvswitch/base/wire.h"
#include "libvswitch/policy/key.h"

/* So many may ever be: a field's number is five bits. */
enum { FIELD_ROOM = 32 };

struct point {
	uint64_t high, low;
};

/* From 'first' to 'last', both included. */
struct range {
	struct point first, last;
};

static inline int
point_compare(struct point a, struct point b)
{
	if (a.high != b.high)
		return a.high < b.high ? -1 : 1;
	return (a.low > b.low) - (a.low < b.low);
}

static inline struct point
point_and(struct point a, struct point b)
{
	return (struct point) { a.high & b.high, a.low & b.low };
}

static inline bool
point_in(struct point p, const struct range *range)
{
	return point_compare(p, range->first) >= 0
	       && point_compare(p, range->last) <= 0;
}

/* The number behind 'p'.  Not of the largest number. */
static inline struct point
point_next(struct point p)
{
	return (struct point) { p.high + (p.low == UINT64_MAX), p.low + 1 };
}

/* Of 'n' bytes, at most 16, in network byte order. */
struct point point_of(const uint8_t *bytes, unsigned n);
/* The lowest 'bits' bits, at most 128. */
struct point point_ones(unsigned bits);
/* All numbers of 'bits' bits that begin as 'p' does, for 'prefix' bits. */
struct range point_prefix(struct point p, unsigned prefix, unsigned bits);

/* "IPV4_SRC"; NULL if there is no such field. */
const char *field_name(enum vsw_field);

/* In bytes; 0 if there is no such field.  This and what follows stands here
 * since whatever a first packet is asked begins with it. */
static inline unsigned
field_size(enum vsw_field field)
{
	static const uint8_t sizes[FIELD_ROOM] = {
		[VSW_FIELD_ETH_SRC] = 6, [VSW_FIELD_ETH_DST] = 6,
		[VSW_FIELD_ETH_TYPE] = 2, [VSW_FIELD_VLAN] = 2,
		[VSW_FIELD_IP_PROTO] = 1,
		[VSW_FIELD_IPV4_SRC] = 4, [VSW_FIELD_IPV4_DST] = 4,
		[VSW_FIELD_IPV6_SRC] = 16, [VSW_FIELD_IPV6_DST] = 16,
		[VSW_FIELD_L4_SRC] = 2, [VSW_FIELD_L4_DST] = 2,
		[VSW_FIELD_FRAGMENT] = 1, [VSW_FIELD_VNI] = 4,
		[VSW_FIELD_TUNNEL_SRC4] = 4, [VSW_FIELD_TUNNEL_DST4] = 4,
		[VSW_FIELD_TUNNEL_SRC6] = 16, [VSW_FIELD_TUNNEL_DST6] = 16
	};

	return (unsigned) field < FIELD_ROOM ? sizes[field] : 0;
}

/* Fields that the packet has, but only its first fragment tells their values:
 * as bits. */
static inline uint32_t
field_unknown_of(const struct flow_key *key)
{
	if (!(key->has & FLOW_NO_FIRST))
		return 0;
	return 1u << VSW_FIELD_L4_SRC | 1u << VSW_FIELD_L4_DST
	       | (key->ip_proto == IP_PROTO_FRAGMENT
		  ? 1u << VSW_FIELD_IP_PROTO : 0);
}

static inline bool
field_is_unknown(const struct flow_key *key, enum vsw_field field)
{
	return field_unknown_of(key) >> field & 1;
}

/* Of the packet's own (inner) addresses: 4, 6, or 0 if it has none. */
static inline unsigned
field_family(const struct flow_key *key)
{
	if (key->has & FLOW_HAS_IPV6)
		return 6;
	return key->has & (FLOW_HAS_IPV4 | FLOW_HAS_ARP) ? 4 : 0;
}

/* Those that the packet has, as bits. */
static inline uint32_t
field_all_of(const struct flow_key *key)
{
	uint32_t fields = 1u << VSW_FIELD_ETH_SRC | 1u << VSW_FIELD_ETH_DST
			  | 1u << VSW_FIELD_ETH_TYPE | 1u << VSW_FIELD_VLAN
			  | 1u << VSW_FIELD_FRAGMENT | 1u << VSW_FIELD_VNI;

	if (key->has & (FLOW_HAS_IPV4 | FLOW_HAS_ARP))
		fields |= 1u << VSW_FIELD_IPV4_SRC | 1u << VSW_FIELD_IPV4_DST
			  | 1u << VSW_FIELD_IP_PROTO;
	if (key->has & FLOW_HAS_IPV6)
		fields |= 1u << VSW_FIELD_IPV6_SRC | 1u << VSW_FIELD_IPV6_DST
			  | 1u << VSW_FIELD_IP_PROTO;
	if (key->has & FLOW_HAS_L4)
		fields |= 1u << VSW_FIELD_L4_SRC | 1u << VSW_FIELD_L4_DST;
	if (flow_key_tunnel_is_ipv6(key))
		fields |= 1u << VSW_FIELD_TUNNEL_SRC6
			  | 1u << VSW_FIELD_TUNNEL_DST6;
	else if (key->tunnel)
		fields |= 1u << VSW_FIELD_TUNNEL_SRC4
			  | 1u << VSW_FIELD_TUNNEL_DST4;
	return fields;
}

/* The value of a field that the packet has, of at most 8 bytes. */
static inline uint64_t
field_get_short(const struct flow_key *key, enum vsw_field field)
{
	switch ((unsigned) field) {
	case VSW_FIELD_ETH_SRC:
		return get_be48(key->eth_src);
	case VSW_FIELD_ETH_DST:
		return get_be48(key->eth_dst);
	case VSW_FIELD_ETH_TYPE:
		return key->eth_type;
	case VSW_FIELD_VLAN:
		return key->vlan;
	case VSW_FIELD_IP_PROTO:
		return key->ip_proto;
	case VSW_FIELD_IPV4_SRC:
		return get_be32(key->ip_src);
	case VSW_FIELD_IPV4_DST:
		return get_be32(key->ip_dst);
	case VSW_FIELD_L4_SRC:
		return key->l4_src;
	case VSW_FIELD_L4_DST:
		return key->l4_dst;
	case VSW_FIELD_FRAGMENT:
		return key->fragment;
	case VSW_FIELD_VNI:
		return key->vni;
	case VSW_FIELD_TUNNEL_SRC4:
		return get_be32(key->tunnel_src);
	case VSW_FIELD_TUNNEL_DST4:
		return get_be32(key->tunnel_dst);
	default:
		return 0;
	}
}

/* The same of 16 bytes. */
static inline struct point
field_get_wide(const struct flow_key *key, enum vsw_field field)
{
	const uint8_t *p = field == VSW_FIELD_IPV6_SRC ? key->ip6_src
			   : field == VSW_FIELD_IPV6_DST ? key->ip6_dst
			   : field == VSW_FIELD_TUNNEL_SRC6 ? key->tunnel6_src
			   : key->tunnel6_dst;

	return (struct point) { get_be64(p), get_be64(p + 8) };
}

/* Of any that the packet has. */
static inline struct point
field_get(const struct flow_key *key, enum vsw_field field)
{
	return field_size(field) == 16
	       ? field_get_wide(key, field)
	       : (struct point) { 0, field_get_short(key, field) };
}

#endif /* policy/field.h */
