/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_KEY_H
#define POLICY_KEY_H 1

/* What a flow is told from others by: datapath/parse.c makes it of bytes,
 * rules look at it, the flow cache compares it whole. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <vswitch/policy.h>

/* Everything that a rule can look at or an action depends on.  Numbers are in
 * host byte order.
 *
 * The first FLOW_KEY_SHORT bytes are all there is to most packets: they have no
 * holes, and what is not there is zero.  IPv6 addresses stand behind them, and
 * nobody reads or writes any if there is none ('has'); where they are, the
 * short place for an address is zero.  The first FLOW_KEY_PAIR bytes of all say
 * between whom on which wire; one flow is told from the next by what follows,
 * and by IPv6 addresses. */
struct flow_key {
	uint8_t eth_dst[6], eth_src[6];
	uint16_t eth_type;		/* Innermost; 0x0600 and up. 802.3
					 * length frames: 0. */
	uint16_t vlan;			/* VID | 0x1000, or 0. */
	uint8_t ip_src[4], ip_dst[4];	/* IPv4's; ARP's sender, target. */
	uint8_t tunnel_src[4], tunnel_dst[4];
	uint16_t l4_src, l4_dst;	/* ICMP: type, code. */
	uint32_t vni : 24;		/* From the tunnel; 0: no tunnel. */
	uint32_t tunnel : 4;		/* enum vsw_encap. */
	uint32_t fragment : 4;		/* enum vsw_fragment. */
	uint16_t in_port;		/* vsw_port.number. */
	uint8_t ip_proto;		/* ARP: operation. */
	uint8_t has;			/* enum flow_has, or'ed. */

	uint8_t ip6_src[16], ip6_dst[16];
	uint8_t tunnel6_src[16], tunnel6_dst[16];
};

enum flow_has {
	FLOW_HAS_IPV4 = 1 << 0,		/* Complete and consistent header. */
	FLOW_HAS_IPV6 = 1 << 1,
	FLOW_HAS_ARP = 1 << 2,		/* Ethernet and IPv4. */
	FLOW_HAS_L4 = 1 << 3,		/* Ports, or ICMP's type and code: its
					 * own, or, of a later fragment, those
					 * of the first one. */
	FLOW_TUNNEL_IPV6 = 1 << 4,	/* The tunnel's addresses are. */
	FLOW_NO_FIRST = 1 << 6,		/* A later fragment that would have
					 * them if its first had been seen.  Of
					 * IPv6 even the protocol may be
					 * unknown: IP_PROTO_FRAGMENT. */
	FLOW_RESUMED = 1 << 7		/* The host has seen it: it is not
					 * punted again. */
};

enum {
	FLOW_KEY_SHORT = 44,
	FLOW_KEY_PAIR = 32		/* Two IPv6 addresses. */
};

_Static_assert(offsetof(struct flow_key, l4_src) == FLOW_KEY_PAIR
	       && offsetof(struct flow_key, ip6_src) == FLOW_KEY_SHORT
	       && offsetof(struct flow_key, tunnel6_src)
		  == FLOW_KEY_SHORT + FLOW_KEY_PAIR
	       && sizeof(struct flow_key)
		  == FLOW_KEY_SHORT + 2 * FLOW_KEY_PAIR, "the key has holes");

static inline bool
flow_key_is_ipv6(const struct flow_key *key)
{
	return key->has & FLOW_HAS_IPV6;
}

static inline bool
flow_key_tunnel_is_ipv6(const struct flow_key *key)
{
	return key->has & FLOW_TUNNEL_IPV6;
}

/* Is there more of it than its short part? */
static inline bool
flow_key_is_wide(const struct flow_key *key)
{
	return key->has & (FLOW_HAS_IPV6 | FLOW_TUNNEL_IPV6);
}

/* Addresses: 16 bytes if they are IPv6's, else 4. */
static inline const uint8_t *
flow_key_ip_src(const struct flow_key *key)
{
	return flow_key_is_ipv6(key) ? key->ip6_src : key->ip_src;
}

static inline const uint8_t *
flow_key_ip_dst(const struct flow_key *key)
{
	return flow_key_is_ipv6(key) ? key->ip6_dst : key->ip_dst;
}

static inline const uint8_t *
flow_key_tunnel_src(const struct flow_key *key)
{
	return flow_key_tunnel_is_ipv6(key) ? key->tunnel6_src
					    : key->tunnel_src;
}

/* Two short keys; the second piece begins inside of the first one, since
 * compilers compare 32 and 16 bytes without a call. */
static inline bool
flow_key_short_equal(const void *a, const void *b)
{
	const char *p = a, *q = b;

	return !memcmp(p, q, 32)
	       && !memcmp(p + FLOW_KEY_SHORT - 16, q + FLOW_KEY_SHORT - 16, 16);
}

static inline bool
flow_key_equal(const struct flow_key *a, const struct flow_key *b)
{
	return flow_key_short_equal(a, b)
	       && (!flow_key_is_ipv6(a)
		   || !memcmp(a->ip6_src, b->ip6_src, FLOW_KEY_PAIR))
	       && (!flow_key_tunnel_is_ipv6(a)
		   || !memcmp(a->tunnel6_src, b->tunnel6_src, FLOW_KEY_PAIR));
}

/* What is the same for many wide keys and so is kept once for them, not with
 * each: where the packet has IPv6 addresses, which take that place, the first
 * FLOW_KEY_PAIR bytes; and an IPv6 tunnel's addresses.  Else zero. */
struct flow_key_rest {
	uint8_t head[FLOW_KEY_PAIR];
	uint8_t tunnel[FLOW_KEY_PAIR];
};

/* A key as 'own' bytes, FLOW_KEY_SHORT of them, and the rest; which kind it is
 * is said at the same place in all, by 'has'. */
static inline void
flow_key_split(const struct flow_key *key, uint8_t *ret_own,
	       struct flow_key_rest *ret_rest)
{
	memset(ret_rest, 0, sizeof *ret_rest);
	memcpy(ret_own, key, FLOW_KEY_SHORT);
	if (flow_key_is_ipv6(key)) {
		memcpy(ret_rest->head, key, FLOW_KEY_PAIR);
		memcpy(ret_own, key->ip6_src, FLOW_KEY_PAIR);
	}
	if (flow_key_tunnel_is_ipv6(key))
		memcpy(ret_rest->tunnel, key->tunnel6_src, FLOW_KEY_PAIR);
}

static inline void
flow_key_join(const uint8_t *own, const struct flow_key_rest *rest,
	      struct flow_key *ret_key)
{
	memset(ret_key, 0, sizeof *ret_key);
	memcpy(ret_key, own, FLOW_KEY_SHORT);
	if (flow_key_is_ipv6(ret_key)) {
		memcpy(ret_key->ip6_src, own, FLOW_KEY_PAIR);
		memcpy(ret_key, rest->head, FLOW_KEY_PAIR);
	}
	if (flow_key_tunnel_is_ipv6(ret_key))
		memcpy(ret_key->tunnel6_src, rest->tunnel, FLOW_KEY_PAIR);
}

/* Is the wide key the one that was split? */
static inline bool
flow_key_is_of(const struct flow_key *key, const uint8_t *own,
	       const struct flow_key_rest *rest)
{
	const uint8_t *short_key = (const uint8_t *) key;

	if (!flow_key_is_ipv6(key)) {
		if (!flow_key_short_equal(own, key))
			return false;
	} else if (memcmp(own + FLOW_KEY_SHORT - 8,
			  short_key + FLOW_KEY_SHORT - 8, 8)
		   || memcmp(own + FLOW_KEY_PAIR, short_key + FLOW_KEY_PAIR, 8)
		   || memcmp(own, key->ip6_src, FLOW_KEY_PAIR)
		   || memcmp(rest->head, key, FLOW_KEY_PAIR)) {
		return false;
	}
	return !flow_key_tunnel_is_ipv6(key)
	       || !memcmp(rest->tunnel, key->tunnel6_src, FLOW_KEY_PAIR);
}

/* Fragments of one packet are to go one way, and only the first one has ports:
 * what all of them have. */
static inline struct flow_key
flow_key_of_any_fragment(const struct flow_key *key)
{
	struct flow_key portless = *key;

	portless.l4_src = portless.l4_dst = 0;
	portless.has &= (uint8_t) ~(FLOW_HAS_L4 | FLOW_NO_FIRST);
	portless.fragment = VSW_FRAGMENT_LATER;
	return portless;
}

#endif /* policy/key.h */
