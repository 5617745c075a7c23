/* SPDX-License-Identifier: Apache-2.0 */

/* Station 1 of the packet's way: see worker.c. */

#include "libvswitch/datapath/parse.h"

#include "libvswitch/base/cursor.h"
#include "libvswitch/base/wire.h"
#include "libvswitch/datapath/batch.h"
#include "libvswitch/datapath/packet.h"
#include "libvswitch/datapath/tunnel.h"
#include "libvswitch/datapath/worker.h"
#include "libvswitch/policy/port.h"

enum {
	ETH_TYPE_MIN = 0x0600,		/* Below it is a length: 802.3. */
	VLAN_VID = 0x0fff,
	VLAN_PRESENT = 0x1000,
	ARP_HARDWARE_ETHERNET = 1,
	ICMP_HEADER_SIZE = 8,
	SCTP_HEADER_SIZE = 12,
	/* More extension headers than any honest packet has. */
	MAX_EXTENSIONS = 8
};

/* The cursor of what most packets have is to stay in registers: its way is one
 * function, and whoever is called gets a copy. */
#define ONE_FUNCTION static inline __attribute__((always_inline))

ONE_FUNCTION int parse_one(struct vsw_port *, const struct uplink *,
			   struct vsw_packet *, struct headers *);
static int strip(struct vsw_packet *, struct headers *);
ONE_FUNCTION bool is_usual(const uint8_t *frame, size_t size,
			   struct headers *);
ONE_FUNCTION bool is_usual_ipv4(const uint8_t *frame, struct headers *);
ONE_FUNCTION bool is_usual_ipv6(const uint8_t *frame, size_t size,
				struct headers *);
ONE_FUNCTION bool is_usual_l4(const uint8_t *frame, struct headers *);
static inline void start(struct headers *, size_t size);
ONE_FUNCTION bool has_offload(const struct vsw_offload *);
static bool sum_fits(const struct headers *, const struct vsw_offload *);
static uint16_t checksum_offset_of(uint8_t proto);
static int parse_arp(struct cursor, struct headers *);
ONE_FUNCTION int parse_ipv4(struct cursor *, struct headers *);
ONE_FUNCTION int parse_ipv6(struct cursor *, struct headers *);
static void miss_first(struct headers *);
static bool is_extension(uint8_t proto);
static int parse_extensions(struct cursor *, struct headers *,
			    uint8_t *proto);
static int parse_extension(struct cursor *, struct headers *, uint8_t *proto);
ONE_FUNCTION int parse_l4(struct cursor *, struct headers *);
ONE_FUNCTION int parse_tcp(struct cursor *, struct headers *);
ONE_FUNCTION int parse_udp(struct cursor *, struct headers *);
static int parse_sctp(struct cursor, struct headers *);
static int parse_icmp(struct cursor, struct headers *);

void
batch_parse(struct vsw_worker *worker, struct batch *batch)
{
	struct vsw_port *port = batch->port;
	struct port_counts *counts = &port->counts[worker->index];
	const struct uplink *uplink = atomic_load_explicit(
		&port->uplink, memory_order_acquire);
	uint64_t n_packets = 0, n_bytes = 0;
	uint8_t fragments = VSW_FRAGMENT_NONE;

	for (unsigned i = 0; i < batch->n; i++) {
		struct vsw_packet *packet = batch->packets[i];

		if (!packet->is_resumed) {
			n_packets++;
			n_bytes += packet->size;
		}
		packet->in_port = port;

		int drop = parse_one(port, uplink, packet,
				     &batch->headers[i]);

		/* From here on the key knows. */
		packet->is_resumed = false;
		if (drop != PARSE_GOOD)
			batch_drop(batch, i, (enum vsw_drop) drop);
		fragments |= batch->headers[i].key.fragment;
	}
	batch->has_fragments = fragments;
	count_add(&counts->packets_received, n_packets);
	count_add(&counts->bytes_received, n_bytes);
}

int
parse_packet(struct vsw_port *port, struct vsw_packet *packet,
	     struct headers *ret_headers)
{
	const struct uplink *uplink = atomic_load_explicit(
		&port->uplink, memory_order_acquire);

	return parse_one(port, uplink, packet, ret_headers);
}

bool
parse_usual(const void *frame, size_t size, struct headers *ret_headers)
{
	return is_usual(frame, size, ret_headers);
}

int
parse_frame(const void *frame, size_t size, struct headers *ret_headers)
{
	struct cursor c = cursor_over(frame, size);
	struct headers *h = ret_headers;
	const uint8_t *eth;

	start(h, size);
	eth = cursor_take(&c, ETH_HEADER_SIZE);
	if (!eth)
		return VSW_DROP_SHORT;
	memcpy(h->key.eth_dst, eth, sizeof h->key.eth_dst);
	memcpy(h->key.eth_src, eth + 6, sizeof h->key.eth_src);
	h->key.eth_type = get_be16(eth + 12);
	if (h->key.eth_type == ETH_TYPE_VLAN) {
		h->key.vlan = (cursor_be16(&c) & VLAN_VID) | VLAN_PRESENT;
		h->key.eth_type = cursor_be16(&c);
		if (c.is_short)
			return VSW_DROP_SHORT;
	}
	if (h->key.eth_type < ETH_TYPE_MIN)
		h->key.eth_type = 0;

	switch (h->key.eth_type) {
	case ETH_TYPE_ARP:
		return parse_arp(c, h);
	case ETH_TYPE_IPV4:
		return parse_ipv4(&c, h);
	case ETH_TYPE_IPV6:
		return parse_ipv6(&c, h);
	default:
		return PARSE_GOOD;
	}
}

bool
parse_offload(const struct headers *h, const struct vsw_offload *offload,
	      size_t size)
{
	bool is_tcp = h->key.ip_proto == IP_PROTO_TCP;

	if (offload->segment_kind > VSW_SEGMENT_UDP
	    || offload->checksum > VSW_CHECKSUM_PARTIAL || h->l3_end > size)
		return false;
	if (offload->checksum == VSW_CHECKSUM_PARTIAL && !sum_fits(h, offload))
		return false;
	if (offload->segment_kind == VSW_SEGMENT_NONE)
		return true;

	/* What is to be cut must be what it says it is, and sum up there. */
	if (!(h->key.has & FLOW_HAS_L4) || !offload->segment_size
	    || h->key.fragment != VSW_FRAGMENT_NONE)
		return false;
	if (offload->checksum == VSW_CHECKSUM_PARTIAL
	    && (offload->checksum_start != h->l4
		|| offload->checksum_offset
		   != checksum_offset_of(h->key.ip_proto)))
		return false;
	switch (offload->segment_kind) {
	case VSW_SEGMENT_TCP4:
		return is_tcp && h->key.has & FLOW_HAS_IPV4;
	case VSW_SEGMENT_TCP6:
		return is_tcp && h->key.has & FLOW_HAS_IPV6;
	default:
		return h->key.ip_proto == IP_PROTO_UDP;
	}
}

ONE_FUNCTION int
parse_one(struct vsw_port *port, const struct uplink *uplink,
	  struct vsw_packet *packet, struct headers *h)
{
	bool is_tunnel = port->ops.abilities & VSW_PORT_TUNNEL;
	int drop;

	if (uplink && tunnel_take(uplink, packet))
		is_tunnel = true;
	if (!is_usual(packet->data, packet->size, h)) {
		drop = parse_frame(packet->data, packet->size, h);
		if (drop != PARSE_GOOD)
			return drop;
	}
	if (!is_tunnel) {
		packet->tunnel.encap = VSW_ENCAP_NONE;
		if (uplink && tunnel_is_ours(uplink, h)) {
			drop = strip(packet, h);
			if (drop != PARSE_GOOD)
				return drop;
			is_tunnel = true;
		}
	}
	if (has_offload(&packet->offload)
	    && !parse_offload(h, &packet->offload, packet->size))
		return VSW_DROP_BAD_OFFLOAD;
	if (is_tunnel) {
		drop = tunnel_accept(&packet->tunnel, packet->data, h);
		if (drop != PARSE_GOOD)
			return drop;
	}
	h->key.in_port = (uint16_t) port->number;
	if (packet->is_resumed)
		h->key.has |= FLOW_RESUMED;
	return PARSE_GOOD;
}

/* A tunnel's packet that tunnel_take() left, and what is in it. */
static int
strip(struct vsw_packet *packet, struct headers *h)
{
	int drop = tunnel_strip(packet, h);

	if (drop != PARSE_GOOD)
		return drop;
	return parse_frame(packet->data, packet->size, h);
}

ONE_FUNCTION bool
is_usual(const uint8_t *frame, size_t size, struct headers *h)
{
	struct flow_key *key = &h->key;
	bool is_ip;

	if (size < ETH_HEADER_SIZE + IPV4_HEADER_SIZE + UDP_HEADER_SIZE)
		return false;
	memset(key, 0, FLOW_KEY_SHORT);
	memcpy(key, frame, sizeof key->eth_dst + sizeof key->eth_src);
	key->eth_type = get_be16(frame + 12);
	h->l3 = ETH_HEADER_SIZE;
	if (key->eth_type == ETH_TYPE_IPV4)
		is_ip = is_usual_ipv4(frame, h);
	else
		is_ip = key->eth_type == ETH_TYPE_IPV6
			&& is_usual_ipv6(frame, size, h);
	return is_ip && h->l3_end <= size && is_usual_l4(frame, h);
}

ONE_FUNCTION bool
is_usual_ipv4(const uint8_t *frame, struct headers *h)
{
	const uint8_t *ip = frame + ETH_HEADER_SIZE;

	h->tos = ip[1];
	h->ttl = ip[8];
	h->l4 = ETH_HEADER_SIZE + IPV4_HEADER_SIZE;
	h->l3_end = ETH_HEADER_SIZE + (uint32_t) get_be16(ip + 2);
	h->key.ip_proto = ip[9];
	h->key.has = FLOW_HAS_IPV4 | FLOW_HAS_L4;
	memcpy(h->key.ip_src, ip + 12, 4);
	memcpy(h->key.ip_dst, ip + 16, 4);
	return ip[0] == 0x45
	       && !(get_be16(ip + 6)
		    & (IPV4_MORE_FRAGMENTS | IPV4_FRAGMENT_OFFSET));
}

ONE_FUNCTION bool
is_usual_ipv6(const uint8_t *frame, size_t size, struct headers *h)
{
	const uint8_t *ip = frame + ETH_HEADER_SIZE;

	if (size < ETH_HEADER_SIZE + IPV6_HEADER_SIZE || ip[0] >> 4 != 6)
		return false;
	h->tos = (uint8_t) (get_be16(ip) >> 4);
	h->ttl = ip[7];
	h->l4 = ETH_HEADER_SIZE + IPV6_HEADER_SIZE;
	h->l3_end = h->l4 + (uint32_t) get_be16(ip + 4);
	h->key.ip_proto = ip[6];
	h->key.has = FLOW_HAS_IPV6 | FLOW_HAS_L4;
	memcpy(h->key.ip6_src, ip + 8, FLOW_KEY_PAIR);
	return true;
}

ONE_FUNCTION bool
is_usual_l4(const uint8_t *frame, struct headers *h)
{
	const uint8_t *l4 = frame + h->l4;
	uint32_t least = h->l4 + (uint32_t) UDP_HEADER_SIZE, size;

	if (h->key.ip_proto == IP_PROTO_TCP)
		least = h->l4 + (uint32_t) TCP_HEADER_SIZE;
	else if (h->key.ip_proto != IP_PROTO_UDP)
		return false;
	if (h->l3_end < least)
		return false;
	h->key.l4_src = get_be16(l4);
	h->key.l4_dst = get_be16(l4 + 2);
	h->tcp_flags = 0;
	h->payload = (uint16_t) least;
	if (h->key.ip_proto == IP_PROTO_UDP) {
		size = get_be16(l4 + 4);
		return size >= UDP_HEADER_SIZE && size <= h->l3_end - h->l4;
	}
	h->tcp_flags = l4[13];
	size = (uint32_t) (l4[12] >> 4) * 4;
	h->payload = (uint16_t) (h->l4 + size);
	return size >= TCP_HEADER_SIZE && h->payload <= h->l3_end;
}

/* Everything is zero or said not to be there.  By hand, in pieces that are one
 * store each: compilers make a string instruction of the whole, which takes
 * longer than all the rest of parsing. */
static inline void
start(struct headers *h, size_t size)
{
	struct flow_key *key = &h->key;

	memset(key, 0, FLOW_KEY_SHORT);
	h->l3 = h->l4 = h->payload = HEADER_NONE;
	h->l3_end = (uint32_t) size;
	h->tos = h->ttl = h->tcp_flags = 0;
}

/* Mostly there is nothing to be done, and nothing to look at. */
ONE_FUNCTION bool
has_offload(const struct vsw_offload *offload)
{
	return offload->segment_kind != VSW_SEGMENT_NONE
	       || offload->checksum >= VSW_CHECKSUM_PARTIAL;
}

/* A sum that is filled in later writes two bytes that its sender chose.  They
 * must not be bytes that rules have looked at: either it is the packet's own
 * layer 4 checksum, or it lies behind all headers (a tunnel of the VM's). */
static bool
sum_fits(const struct headers *h, const struct vsw_offload *offload)
{
	uint32_t start = offload->checksum_start;
	uint32_t field = start + offload->checksum_offset;

	if (field + 2 > h->l3_end || h->key.has & FLOW_HAS_ARP
	    || h->key.fragment != VSW_FRAGMENT_NONE)
		return false;
	if (!(h->key.has & (FLOW_HAS_IPV4 | FLOW_HAS_IPV6)))
		return start >= (h->key.vlan
				 ? ETH_HEADER_SIZE + VLAN_HEADER_SIZE
				 : ETH_HEADER_SIZE);
	if (!(h->key.has & FLOW_HAS_L4))
		return start >= h->l4;
	if (start == h->l4)
		return offload->checksum_offset
		       == checksum_offset_of(h->key.ip_proto);
	return start >= h->payload;
}

static uint16_t
checksum_offset_of(uint8_t proto)
{
	switch (proto) {
	case IP_PROTO_TCP:
		return TCP_CHECKSUM_OFFSET;
	case IP_PROTO_UDP:
		return UDP_CHECKSUM_OFFSET;
	case IP_PROTO_ICMP:
	case IP_PROTO_ICMPV6:
		return ICMP_CHECKSUM_OFFSET;
	default:
		return UINT16_MAX;
	}
}

/* ARP for anything but IPv4 over Ethernet is a frame like any other: RFC 826
 * says what the fields mean. */
static int
parse_arp(struct cursor c, struct headers *h)
{
	h->l3 = (uint16_t) c.at;

	uint16_t hardware = cursor_be16(&c);
	uint16_t protocol = cursor_be16(&c);
	uint8_t hardware_size = cursor_u8(&c);
	uint8_t protocol_size = cursor_u8(&c);
	uint16_t operation = cursor_be16(&c);

	if (c.is_short)
		return VSW_DROP_SHORT;
	if (hardware != ARP_HARDWARE_ETHERNET || protocol != ETH_TYPE_IPV4
	    || hardware_size != 6 || protocol_size != 4 || operation > 0xff)
		return PARSE_GOOD;

	cursor_skip(&c, 6);
	cursor_copy(&c, h->key.ip_src, 4);
	cursor_skip(&c, 6);
	cursor_copy(&c, h->key.ip_dst, 4);
	if (c.is_short)
		return VSW_DROP_SHORT;
	h->key.ip_proto = (uint8_t) operation;
	h->key.has = FLOW_HAS_ARP;
	h->l3_end = (uint32_t) c.at;
	return PARSE_GOOD;
}

/* RFC 791, section 3.1. */
ONE_FUNCTION int
parse_ipv4(struct cursor *c, struct headers *h)
{
	const uint8_t *ip = cursor_take(c, IPV4_HEADER_SIZE);

	if (!ip)
		return VSW_DROP_SHORT;

	size_t header_size = (size_t) (ip[0] & 0x0f) * 4;
	uint16_t total_size = get_be16(ip + 2);
	uint16_t fragment = get_be16(ip + 6);

	h->l3 = (uint16_t) (c->at - IPV4_HEADER_SIZE);
	h->tos = ip[1];
	h->ttl = ip[8];
	h->key.ip_proto = ip[9];
	memcpy(h->key.ip_src, ip + 12, 4);
	memcpy(h->key.ip_dst, ip + 16, 4);
	if (ip[0] >> 4 != 4 || header_size < IPV4_HEADER_SIZE
	    || total_size < header_size || total_size > c->size - h->l3)
		return VSW_DROP_BAD_HEADER;

	/* From here on padding does not exist. */
	c->size = h->l3_end = (uint32_t) h->l3 + total_size;
	cursor_skip(c, header_size - IPV4_HEADER_SIZE);
	h->key.has = FLOW_HAS_IPV4;
	if (fragment & IPV4_FRAGMENT_OFFSET) {
		h->key.fragment = VSW_FRAGMENT_LATER;
		/* An offset of 8 bytes can only be there to lay new ports and
		 * flags over those that were looked at: RFC 1858, section
		 * 3.2.2. */
		if ((fragment & IPV4_FRAGMENT_OFFSET) == 1
		    && h->key.ip_proto == IP_PROTO_TCP)
			return VSW_DROP_BAD_HEADER;
		miss_first(h);
		return PARSE_GOOD;
	}
	if (fragment & IPV4_MORE_FRAGMENTS)
		h->key.fragment = VSW_FRAGMENT_FIRST;
	return parse_l4(c, h);
}

/* RFC 8200, section 3.  A jumbogram (payload length 0, RFC 2675) is longer
 * than any frame here; its hop-by-hop header is not inside of the length. */
ONE_FUNCTION int
parse_ipv6(struct cursor *c, struct headers *h)
{
	const uint8_t *ip = cursor_take(c, IPV6_HEADER_SIZE);

	if (!ip)
		return VSW_DROP_SHORT;

	uint16_t payload_size = get_be16(ip + 4);
	uint8_t proto = ip[6];

	h->l3 = (uint16_t) (c->at - IPV6_HEADER_SIZE);
	h->tos = (uint8_t) (get_be16(ip) >> 4);
	h->ttl = ip[7];
	memcpy(h->key.ip6_src, ip + 8, FLOW_KEY_PAIR);
	if (ip[0] >> 4 != 6 || payload_size > cursor_left(c))
		return VSW_DROP_BAD_HEADER;

	c->size = h->l3_end = (uint32_t) c->at + payload_size;

	if (is_extension(proto)) {
		struct cursor copy = *c;
		uint8_t next = proto;
		int drop = parse_extensions(&copy, h, &next);

		if (drop != PARSE_GOOD)
			return drop;
		*c = copy;
		proto = next;
	}
	h->key.ip_proto = proto;
	h->key.has = FLOW_HAS_IPV6;
	if (h->key.fragment == VSW_FRAGMENT_LATER) {
		miss_first(h);
		return PARSE_GOOD;
	}
	return parse_l4(c, h);
}

/* What a later fragment cannot know: where there are ports, or whether there
 * are, because extension headers that only the first one has come before. */
static void
miss_first(struct headers *h)
{
	bool is_ipv6 = h->key.has & FLOW_HAS_IPV6;

	switch (h->key.ip_proto) {
	case IP_PROTO_TCP:
	case IP_PROTO_UDP:
	case IP_PROTO_SCTP:
		h->key.has |= FLOW_NO_FIRST;
		break;
	case IP_PROTO_ICMP:
		h->key.has |= is_ipv6 ? 0 : FLOW_NO_FIRST;
		break;
	case IP_PROTO_ICMPV6:
		h->key.has |= is_ipv6 ? FLOW_NO_FIRST : 0;
		break;
	default:
		if (!is_ipv6 || !is_extension(h->key.ip_proto))
			break;
		h->key.ip_proto = IP_PROTO_FRAGMENT;
		h->key.has |= FLOW_NO_FIRST;
	}
}

static bool
is_extension(uint8_t proto)
{
	switch (proto) {
	case IP_PROTO_HOP_BY_HOP:
	case IP_PROTO_ROUTING:
	case IP_PROTO_FRAGMENT:
	case IP_PROTO_AH:
	case IP_PROTO_DESTINATION:
		return true;
	default:
		return false;
	}
}

static int
parse_extensions(struct cursor *c, struct headers *h, uint8_t *proto)
{
	for (unsigned n = 0; is_extension(*proto); n++) {
		/* Hop-by-hop is only ever the first: RFC 8200, section 4.1. */
		if (n == MAX_EXTENSIONS
		    || (*proto == IP_PROTO_HOP_BY_HOP && n > 0)
		    || (*proto == IP_PROTO_FRAGMENT
			&& h->key.fragment != VSW_FRAGMENT_NONE))
			return VSW_DROP_BAD_HEADER;

		int drop = parse_extension(c, h, proto);

		if (drop != PARSE_GOOD
		    || h->key.fragment == VSW_FRAGMENT_LATER)
			return drop;
	}
	return PARSE_GOOD;
}

/* One extension header; 'proto' says which, and then what follows it. */
static int
parse_extension(struct cursor *c, struct headers *h, uint8_t *proto)
{
	uint8_t kind = *proto;
	uint8_t next = cursor_u8(c);
	uint8_t size = cursor_u8(c);

	if (kind == IP_PROTO_FRAGMENT) {
		uint16_t fragment = cursor_be16(c);

		cursor_skip(c, 4);
		/* Neither offset nor more: an atomic fragment, RFC 6946, is
		 * a whole packet. */
		if (fragment >> 3)
			h->key.fragment = VSW_FRAGMENT_LATER;
		else if (fragment & 1)
			h->key.fragment = VSW_FRAGMENT_FIRST;
	} else if (kind == IP_PROTO_AH) {
		/* In words of 4 bytes, minus 2: RFC 4302, section 2.2. */
		cursor_skip(c, ((size_t) size + 2) * 4 - 2);
	} else {
		cursor_skip(c, ((size_t) size + 1) * 8 - 2);
	}
	if (c->is_short)
		return VSW_DROP_SHORT;
	*proto = next;
	return PARSE_GOOD;
}

/* A first fragment must hold its whole layer 4 header (RFC 7112; RFC 1858,
 * section 3.1): what is too short for it is SHORT, fragment or not. */
ONE_FUNCTION int
parse_l4(struct cursor *c, struct headers *h)
{
	h->l4 = (uint16_t) c->at;
	switch (h->key.ip_proto) {
	case IP_PROTO_TCP:
		return parse_tcp(c, h);
	case IP_PROTO_UDP:
		return parse_udp(c, h);
	case IP_PROTO_SCTP:
		return parse_sctp(*c, h);
	case IP_PROTO_ICMP:
		if (h->key.has & FLOW_HAS_IPV4)
			return parse_icmp(*c, h);
		break;
	case IP_PROTO_ICMPV6:
		if (h->key.has & FLOW_HAS_IPV6)
			return parse_icmp(*c, h);
		break;
	}
	return PARSE_GOOD;
}

ONE_FUNCTION int
parse_tcp(struct cursor *c, struct headers *h)
{
	const uint8_t *tcp = cursor_take(c, TCP_HEADER_SIZE);

	if (!tcp)
		return VSW_DROP_SHORT;

	size_t header_size = (size_t) (tcp[12] >> 4) * 4;

	h->key.l4_src = get_be16(tcp);
	h->key.l4_dst = get_be16(tcp + 2);
	h->tcp_flags = tcp[13];
	if (header_size < TCP_HEADER_SIZE)
		return VSW_DROP_BAD_HEADER;
	cursor_skip(c, header_size - TCP_HEADER_SIZE);
	if (c->is_short)
		return VSW_DROP_SHORT;
	h->payload = (uint16_t) c->at;
	h->key.has |= FLOW_HAS_L4;
	return PARSE_GOOD;
}

ONE_FUNCTION int
parse_udp(struct cursor *c, struct headers *h)
{
	const uint8_t *udp = cursor_take(c, UDP_HEADER_SIZE);

	if (!udp)
		return VSW_DROP_SHORT;

	uint16_t size = get_be16(udp + 4);

	h->key.l4_src = get_be16(udp);
	h->key.l4_dst = get_be16(udp + 2);
	if (size < UDP_HEADER_SIZE
	    || (h->key.fragment == VSW_FRAGMENT_NONE
		&& size > h->l3_end - h->l4))
		return VSW_DROP_BAD_HEADER;
	h->payload = (uint16_t) c->at;
	h->key.has |= FLOW_HAS_L4;
	return PARSE_GOOD;
}

static int
parse_sctp(struct cursor c, struct headers *h)
{
	h->key.l4_src = cursor_be16(&c);
	h->key.l4_dst = cursor_be16(&c);
	cursor_skip(&c, SCTP_HEADER_SIZE - 4);
	if (c.is_short)
		return VSW_DROP_SHORT;
	h->payload = (uint16_t) c.at;
	h->key.has |= FLOW_HAS_L4;
	return PARSE_GOOD;
}

/* ICMP and ICMPv6 alike: type and code stand where ports would. */
static int
parse_icmp(struct cursor c, struct headers *h)
{
	h->key.l4_src = cursor_u8(&c);
	h->key.l4_dst = cursor_u8(&c);
	cursor_skip(&c, 2);
	h->icmp_id = cursor_be16(&c);
	cursor_skip(&c, ICMP_HEADER_SIZE - 6);
	if (c.is_short)
		return VSW_DROP_SHORT;
	h->payload = (uint16_t) c.at;
	h->key.has |= FLOW_HAS_L4;
	return PARSE_GOOD;
}
