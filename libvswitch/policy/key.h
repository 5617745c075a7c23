/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_KEY_H
#define POLICY_KEY_H 1

/* What a flow is told from others by: datapath/parse.c makes it of bytes,
 * rules look at it, the flow cache compares it whole. */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <vswitch/policy.h>

/* Everything that a rule can look at or an action depends on; compared whole.
 * No holes; unused bytes are zero.  IPv4 addresses stand in the first 4 of 16
 * bytes.  Numbers are in host byte order. */
struct flow_key {
	uint32_t in_port;		/* vsw_port.number. */
	uint32_t vni;			/* From the tunnel; 0: no tunnel. */
	uint8_t tunnel_src[16], tunnel_dst[16];
	uint8_t eth_dst[6], eth_src[6];
	uint16_t eth_type;		/* Innermost; 0x0600 and up. 802.3
					 * length frames: 0. */
	uint16_t vlan;			/* VID | 0x1000, or 0. */
	uint8_t ip_src[16], ip_dst[16];
	uint16_t l4_src, l4_dst;	/* ICMP: type, code. */
	uint8_t ip_proto;		/* ARP: operation. */
	uint8_t fragment;		/* enum vsw_fragment. */
	uint8_t has;			/* enum flow_has, or'ed. */
	uint8_t tunnel;		/* enum vsw_encap | FLOW_TUNNEL_IPV6. */
};

enum flow_has {
	FLOW_HAS_IPV4 = 1 << 0,		/* Complete and consistent header. */
	FLOW_HAS_IPV6 = 1 << 1,
	FLOW_HAS_ARP = 1 << 2,		/* Ethernet and IPv4. */
	FLOW_HAS_L4 = 1 << 3,		/* Ports, or ICMP's type and code. */
	FLOW_RESUMED = 1 << 7		/* The host has seen it: it is not
					 * punted again. */
};

enum { FLOW_TUNNEL_IPV6 = 0x80 };

_Static_assert(sizeof(struct flow_key) == 96, "the key has holes");

/* In thirds, which compilers compare without a call. */
static inline bool
flow_key_equal(const struct flow_key *a, const struct flow_key *b)
{
	const char *p = (const char *) a, *q = (const char *) b;

	return !memcmp(p, q, 32) && !memcmp(p + 32, q + 32, 32)
	       && !memcmp(p + 64, q + 64, 32);
}

#endif /* policy/key.h */
