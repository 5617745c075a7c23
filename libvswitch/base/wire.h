/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BASE_WIRE_H
#define BASE_WIRE_H 1

/* Numbers of the protocols, and big-endian bytes. */

#include <stdint.h>

enum {
	ETH_HEADER_SIZE = 14,
	ETH_TYPE_IPV4 = 0x0800,
	ETH_TYPE_ARP = 0x0806,
	ETH_TYPE_VLAN = 0x8100,
	ETH_TYPE_IPV6 = 0x86dd,
	ETH_TYPE_TEB = 0x6558,		/* In GRE: Ethernet, RFC 7637. */
	VLAN_HEADER_SIZE = 4,

	IPV4_HEADER_SIZE = 20,
	IPV4_DONT_FRAGMENT = 0x4000,
	IPV4_MORE_FRAGMENTS = 0x2000,
	IPV4_FRAGMENT_OFFSET = 0x1fff,
	IPV6_HEADER_SIZE = 40,

	IP_PROTO_HOP_BY_HOP = 0,
	IP_PROTO_ICMP = 1,
	IP_PROTO_TCP = 6,
	IP_PROTO_UDP = 17,
	IP_PROTO_ROUTING = 43,
	IP_PROTO_FRAGMENT = 44,
	IP_PROTO_GRE = 47,
	IP_PROTO_AH = 51,
	IP_PROTO_ICMPV6 = 58,
	IP_PROTO_NONE = 59,
	IP_PROTO_DESTINATION = 60,
	IP_PROTO_SCTP = 132,

	TCP_HEADER_SIZE = 20,
	TCP_CHECKSUM_OFFSET = 16,
	UDP_HEADER_SIZE = 8,
	UDP_CHECKSUM_OFFSET = 6,
	ICMP_CHECKSUM_OFFSET = 2,
	VXLAN_HEADER_SIZE = 8,
	VXLAN_PORT = 4789,		/* RFC 7348, section 5. */
	VXLAN_FLAG_VNI = 0x08,
	NVGRE_HEADER_SIZE = 8,
	GRE_FLAG_KEY = 0x2000,		/* RFC 2890; RFC 7637, section 3.2. */

	ARP_REQUEST = 1,
	ARP_REPLY = 2
};

static inline uint16_t
get_be16(const uint8_t *p)
{
	return (uint16_t) (p[0] << 8 | p[1]);
}

static inline uint32_t
get_be32(const uint8_t *p)
{
	return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16
	       | (uint32_t) p[2] << 8 | p[3];
}

static inline uint64_t
get_be48(const uint8_t *p)
{
	return (uint64_t) get_be16(p) << 32 | get_be32(p + 2);
}

static inline uint64_t
get_be64(const uint8_t *p)
{
	return (uint64_t) get_be32(p) << 32 | get_be32(p + 4);
}

static inline void
put_be16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t) (v >> 8);
	p[1] = (uint8_t) v;
}

static inline void
put_be32(uint8_t *p, uint32_t v)
{
	put_be16(p, (uint16_t) (v >> 16));
	put_be16(p + 2, (uint16_t) v);
}

#endif /* base/wire.h */
