/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_PARSE_H
#define DATAPATH_PARSE_H 1

/* Bytes to headers and flow key.  Station 1 of the packet's way: worker.c.
 *
 * parse_frame() trusts nothing: lengths that the headers give are checked
 * against the frame, padding behind the IP packet is known and not taken for
 * payload, what is not the first fragment has no ports. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <vswitch/inspect.h>
#include <vswitch/packet.h>
#include <vswitch/switch.h>

struct vsw_port;

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
	uint8_t tunnel;			/* enum vsw_encap | 0x80 if IPv6. */
};

enum flow_has {
	FLOW_HAS_IPV4 = 1 << 0,		/* Complete and consistent header. */
	FLOW_HAS_IPV6 = 1 << 1,
	FLOW_HAS_ARP = 1 << 2,		/* Ethernet and IPv4. */
	FLOW_HAS_L4 = 1 << 3		/* Ports, or ICMP's type and code. */
};

_Static_assert(sizeof(struct flow_key) == 96, "the key has holes");

static inline bool
flow_key_equal(const struct flow_key *a, const struct flow_key *b)
{
	return !memcmp(a, b, sizeof *a);
}

enum { HEADER_NONE = 0xffff };

/* Where things stand in the frame: offsets from its first byte. */
struct headers {
	struct flow_key key;
	uint16_t l3, l4, payload;	/* HEADER_NONE: there is none. */
	uint32_t l3_end;		/* Behind the IP packet; what follows
					 * is padding. */
	uint8_t tos;			/* DSCP and ECN. */
	uint8_t ttl;			/* Or hop limit. */
	uint8_t tcp_flags;
};

/* Everything but in_port and the tunnel's fields of the key, which stay zero.
 * Returns PARSE_GOOD, or the enum vsw_drop that says what is wrong; then the
 * headers are not to be used. */
enum { PARSE_GOOD = -1 };
int parse_frame(const void *frame, size_t size, struct headers *ret_headers);

/* Offload state against the frame: true if it fits. */
bool parse_offload(const struct headers *, const struct vsw_offload *,
		   size_t size);

#endif /* datapath/parse.h */
