/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/datapath/tunnel.h"

#include "libvswitch/base/checksum.h"
#include "libvswitch/base/cursor.h"
#include "libvswitch/base/wire.h"
#include "libvswitch/datapath/nvgre.h"
#include "libvswitch/datapath/packet.h"
#include "libvswitch/datapath/vxlan.h"
#include "libvswitch/policy/outer.h"
#include "libvswitch/policy/port.h"

/* The last two bits of TOS, RFC 3168, section 5. */
enum { ECN_NONE = 0, ECN_ECT1 = 1, ECN_ECT0 = 2, ECN_CE = 3, ECN_MASK = 3 };

/* Enough to see which shape it could have, and to read what is in each. */
enum { TAKEN_MIN = 80 };

static inline bool take(const struct shapes *, struct vsw_packet *,
			bool is_ipv6, bool is_nvgre)
	__attribute__((always_inline));
static inline void note(struct vsw_tunnel *, const uint8_t *ip, bool is_ipv6,
			uint32_t vni);
static inline void to_key(const struct vsw_tunnel *, struct flow_key *);
static void to_odd_key(const struct vsw_tunnel *, struct flow_key *);
static void addr_to_key(const struct vsw_addr *, size_t size,
			uint8_t *ret_bytes);
static bool is_local(const struct uplink *, const struct headers *);
static inline void put_template(uint8_t *to, const struct outer *);
static inline void stamp_ip(uint8_t *ip, const struct outer *, uint8_t tos,
			    uint32_t size);
static void sum_udp(struct vsw_packet *, const struct outer *, uint32_t size);
static inline bool udp_is_good(const struct vsw_packet *,
			       const uint8_t *addrs, size_t n,
			       const uint8_t *udp);
static bool udp_sums_up(const uint8_t *addrs, size_t n, const uint8_t *udp);
static int hand_offload_in(struct vsw_offload *, const struct headers *outer,
			   size_t stripped);
static int pass_congestion_on(uint8_t outer, uint8_t *frame,
			      struct headers *);
static void mark_congestion(uint8_t *frame, struct headers *, uint8_t ecn);

bool
tunnel_take(const struct uplink *uplink, struct vsw_packet *packet)
{
	const struct shapes *shapes = &uplink->shapes;
	const uint8_t *l3 = packet->data + shapes->l3;

	if (packet->size < TAKEN_MIN)
		return false;
	if (l3[0] >> 4 != 6)
		return l3[9] != IP_PROTO_GRE
		       ? take(shapes, packet, false, false)
		       : take(shapes, packet, false, true);
	return l3[6] != IP_PROTO_GRE ? take(shapes, packet, true, false)
				     : take(shapes, packet, true, true);
}

bool
tunnel_is_ours(const struct uplink *uplink, const struct headers *outer)
{
	static const uint8_t no_mac[6];
	const struct vsw_underlay *underlay = &uplink->underlay;
	const struct flow_key *key = &outer->key;
	uint16_t vid = key->vlan & 0x0fff;

	if (!is_local(uplink, outer) || vid != underlay->vlan
	    || (memcmp(key->eth_dst, underlay->mac, 6)
		&& memcmp(underlay->mac, no_mac, 6)))
		return false;
	if (key->ip_proto == IP_PROTO_GRE)
		return true;
	/* Of a later fragment nobody can say whether it is VXLAN. */
	return key->ip_proto == IP_PROTO_UDP && key->has & FLOW_HAS_L4
	       && key->l4_dst == underlay->vxlan_port;
}

int
tunnel_strip(struct vsw_packet *packet, const struct headers *outer)
{
	struct cursor c = cursor_over(packet->data, outer->l3_end);
	bool is_ipv4 = outer->key.has & FLOW_HAS_IPV4;
	struct vsw_tunnel *tunnel = &packet->tunnel;
	const uint8_t *header;
	int drop;

	if (outer->key.fragment != VSW_FRAGMENT_NONE)
		return VSW_DROP_BAD_TUNNEL;
	if (is_ipv4
	    && !checksum_ipv4_is_good(packet->data + outer->l3,
				      (size_t) (outer->l4 - outer->l3)))
		return VSW_DROP_BAD_TUNNEL;

	*tunnel = (struct vsw_tunnel) { .tos = outer->tos };
	tunnel->src.n = tunnel->dst.n = is_ipv4 ? 4 : 16;
	memcpy(tunnel->src.bytes, flow_key_ip_src(&outer->key), tunnel->src.n);
	memcpy(tunnel->dst.bytes, flow_key_ip_dst(&outer->key), tunnel->dst.n);

	cursor_skip(&c, outer->l4);
	if (outer->key.ip_proto == IP_PROTO_UDP) {
		const uint8_t *l3 = packet->data + outer->l3;

		if (!udp_is_good(packet, l3 + (is_ipv4 ? 12 : 8),
				 is_ipv4 ? 4 : 16, packet->data + outer->l4))
			return VSW_DROP_BAD_TUNNEL;
		c.size = (size_t) outer->l4
			 + get_be16(packet->data + outer->l4 + 4);
		cursor_skip(&c, UDP_HEADER_SIZE);
		header = cursor_take(&c, VXLAN_HEADER_SIZE);
		drop = header ? vxlan_read(header, tunnel) : VSW_DROP_SHORT;
	} else {
		header = cursor_take(&c, NVGRE_HEADER_SIZE);
		drop = header ? nvgre_read(header, tunnel) : VSW_DROP_SHORT;
	}
	if (drop != PARSE_GOOD)
		return drop;
	drop = hand_offload_in(&packet->offload, outer, c.at);
	if (drop != PARSE_GOOD)
		return drop;
	if (c.size < packet->size)
		packet->size = (uint32_t) c.size;
	packet_pull(packet, c.at);
	return PARSE_GOOD;
}

int
tunnel_accept(const struct vsw_tunnel *tunnel, uint8_t *frame,
	      struct headers *inner)
{
	if (tunnel->encap != VSW_ENCAP_VXLAN
	    && tunnel->encap != VSW_ENCAP_NVGRE)
		return VSW_DROP_BAD_TUNNEL;
	if (tunnel->vni >> 24)
		return VSW_DROP_UNKNOWN_VNI;
	to_key(tunnel, &inner->key);
	if (tunnel->tos & ECN_ECT1
	    && inner->key.has & (FLOW_HAS_IPV4 | FLOW_HAS_IPV6))
		return pass_congestion_on(tunnel->tos & ECN_MASK, frame,
					  inner);
	return PARSE_GOOD;
}

void
tunnel_describe(const struct outer *outer, const struct headers *inner,
		uint32_t hash, struct vsw_tunnel *ret_tunnel)
{
	*ret_tunnel = outer->tunnel;
	tunnel_stamp(inner, hash, ret_tunnel);
}

int
tunnel_push(struct vsw_packet *packet, const struct outer *outer,
	    const struct vsw_tunnel *tunnel)
{
	uint32_t ip_size = packet->size + outer->size - outer->l3;
	uint32_t l4_size = packet->size + outer->size - outer->l4;

	uint8_t *data = packet_push(packet, outer->size);

	if (!data)
		return VSW_DROP_NO_ROOM;
	put_template(data, outer);
	stamp_ip(data + outer->l3, outer, tunnel->tos, ip_size);
	packet->offload = (struct vsw_offload) { 0 };
	if (outer->is_nvgre) {
		nvgre_stamp(data + outer->l4, tunnel);
		return PARSE_GOOD;
	}
	vxlan_stamp(data + outer->l4, (uint16_t) l4_size, tunnel);
	if (outer->is_ipv6)
		sum_udp(packet, outer, l4_size);
	return PARSE_GOOD;
}

/* One for each shape: constants are known to the compiler.  VNI 0, which is
 * rare, goes the long way. */
static inline bool
take(const struct shapes *shapes, struct vsw_packet *packet, bool is_ipv6,
     bool is_nvgre)
{
	const size_t l3 = shapes->l3;
	const size_t l4 = l3 + (is_ipv6 ? IPV6_HEADER_SIZE : IPV4_HEADER_SIZE);
	const size_t size = l4 + (is_nvgre ? NVGRE_HEADER_SIZE
				  : UDP_HEADER_SIZE + VXLAN_HEADER_SIZE);
	const size_t n_wide = is_ipv6 ? SHAPE_MAX : SHAPE_MAX - SHAPE_BLOCK;
	const uint8_t *ip = packet->data + l3, *udp = packet->data + l4;
	uint32_t vni = get_be32(packet->data + size - 4) >> 8;
	uint32_t l4_size;

	if (packet->size < n_wide
	    || !shape_fits(&shapes->of[is_ipv6][is_nvgre], packet->data,
			   n_wide)
	    || (!is_ipv6 && !checksum_ipv4_is_good(ip, IPV4_HEADER_SIZE)))
		return false;
	/* What is less than the IPv4 header wraps to be too much. */
	l4_size = get_be16(ip + (is_ipv6 ? 4 : 2))
		  - (is_ipv6 ? 0u : IPV4_HEADER_SIZE);
	if (l4_size > packet->size - l4 || l4_size < size - l4 || !vni
	    || packet->offload.segment_kind != VSW_SEGMENT_NONE
	    || packet->offload.checksum >= VSW_CHECKSUM_PARTIAL)
		return false;
	if (!is_nvgre && (get_be16(udp + 4) != l4_size
			  || !udp_is_good(packet, ip + (is_ipv6 ? 8 : 12),
					  is_ipv6 ? 16 : 4, udp)))
		return false;
	note(&packet->tunnel, ip, is_ipv6, vni);
	packet->tunnel.encap = is_nvgre ? VSW_ENCAP_NVGRE : VSW_ENCAP_VXLAN;
	packet->tunnel.flow_id = is_nvgre ? packet->data[size - 1] : 0;
	packet->offload.checksum = VSW_CHECKSUM_UNKNOWN;
	packet->data += size;
	packet->size = l4_size - (uint32_t) (size - l4);
	return true;
}

static inline void
note(struct vsw_tunnel *tunnel, const uint8_t *ip, bool is_ipv6, uint32_t vni)
{
	tunnel->hash = 0;
	tunnel->vni = vni;
	if (is_ipv6) {
		tunnel->tos = (uint8_t) (get_be16(ip) >> 4);
		tunnel->src.n = tunnel->dst.n = 16;
		memcpy(tunnel->src.bytes, ip + 8, 16);
		memcpy(tunnel->dst.bytes, ip + 24, 16);
	} else {
		tunnel->tos = ip[1];
		tunnel->src.n = tunnel->dst.n = 4;
		memcpy(tunnel->src.bytes, ip + 12, 4);
		memcpy(tunnel->dst.bytes, ip + 16, 4);
	}
}

static inline void
to_key(const struct vsw_tunnel *tunnel, struct flow_key *key)
{
	key->vni = tunnel->vni & 0xffffff;
	key->tunnel = tunnel->encap & 0xf;
	if (tunnel->src.n == 4 && tunnel->dst.n == 4) {
		memcpy(key->tunnel_src, tunnel->src.bytes, 4);
		memcpy(key->tunnel_dst, tunnel->dst.bytes, 4);
	} else if (tunnel->src.n == 16 && tunnel->dst.n == 16) {
		key->has |= FLOW_TUNNEL_IPV6;
		memcpy(key->tunnel6_src, tunnel->src.bytes, 16);
		memcpy(key->tunnel6_dst, tunnel->dst.bytes, 16);
	} else {
		to_odd_key(tunnel, key);
	}
}

/* A device may have said anything, and left anything behind the address. */
static void
to_odd_key(const struct vsw_tunnel *tunnel, struct flow_key *key)
{
	bool is_ipv6 = tunnel->src.n == 16 || tunnel->dst.n == 16;

	if (is_ipv6)
		key->has |= FLOW_TUNNEL_IPV6;
	addr_to_key(&tunnel->src, is_ipv6 ? 16 : 4,
		    is_ipv6 ? key->tunnel6_src : key->tunnel_src);
	addr_to_key(&tunnel->dst, is_ipv6 ? 16 : 4,
		    is_ipv6 ? key->tunnel6_dst : key->tunnel_dst);
}

static void
addr_to_key(const struct vsw_addr *addr, size_t size, uint8_t *ret_bytes)
{
	memset(ret_bytes, 0, size);
	if (addr->n == 4 || addr->n == size)
		memcpy(ret_bytes, addr->bytes, addr->n);
}

static bool
is_local(const struct uplink *uplink, const struct headers *outer)
{
	const struct vsw_underlay *underlay = &uplink->underlay;

	if (outer->key.has & FLOW_HAS_IPV4)
		return underlay->local_v4.n == 4
		       && !memcmp(underlay->local_v4.bytes,
				  outer->key.ip_dst, 4);
	return outer->key.has & FLOW_HAS_IPV6 && underlay->local_v6.n == 16
	       && !memcmp(underlay->local_v6.bytes, outer->key.ip6_dst, 16);
}

/* The sizes that most packets need are known to the compiler, who makes a few
 * moves of each. */
static inline void
put_template(uint8_t *to, const struct outer *outer)
{
	switch (outer->size) {
	case ETH_HEADER_SIZE + IPV4_HEADER_SIZE + NVGRE_HEADER_SIZE:
		memcpy(to, outer->bytes, 42);
		break;
	case ETH_HEADER_SIZE + IPV4_HEADER_SIZE + UDP_HEADER_SIZE
		+ VXLAN_HEADER_SIZE:
		memcpy(to, outer->bytes, 50);
		break;
	case ETH_HEADER_SIZE + IPV6_HEADER_SIZE + UDP_HEADER_SIZE
		+ VXLAN_HEADER_SIZE:
		memcpy(to, outer->bytes, 64);
		memcpy(to + 64, outer->bytes + 64, 6);
		break;
	default:
		memcpy(to, outer->bytes, outer->size);
	}
}

static inline void
stamp_ip(uint8_t *ip, const struct outer *outer, uint8_t tos, uint32_t size)
{
	if (outer->is_ipv6) {
		ip[0] |= tos >> 4;
		ip[1] |= (uint8_t) (tos << 4);
		put_be16(ip + 4, (uint16_t) (size - IPV6_HEADER_SIZE));
		return;
	}
	ip[1] = tos;
	put_be16(ip + 2, (uint16_t) size);
	put_be16(ip + 10, checksum_finish(outer->ipv4_sum + tos + size));
}

/* Over IPv6 there is to be a sum: RFC 8200, section 8.1.  Of these headers it
 * is known: to read what has just been written would take its time. */
static void
sum_udp(struct vsw_packet *packet, const struct outer *outer, uint32_t size)
{
	const uint8_t *ip = packet->data + outer->l3;
	uint8_t *udp = packet->data + outer->l4;
	uint32_t sum;

	if (outer->can_sum) {
		sum = checksum_pseudo(ip + 8, ip + 24, 16, IP_PROTO_UDP, size);
		put_be16(udp + UDP_CHECKSUM_OFFSET, checksum_fold(sum));
		packet->offload.checksum = VSW_CHECKSUM_PARTIAL;
		packet->offload.checksum_start = outer->l4;
		packet->offload.checksum_offset = UDP_CHECKSUM_OFFSET;
		return;
	}
	/* The size stands in the pseudo header, too. */
	sum = outer->udp_sum + get_be16(udp) + 2 * size
	      + checksum_sum(packet->data + outer->size,
			     packet->size - outer->size);
	sum = checksum_finish(sum);
	/* Zero would say that there is none. */
	put_be16(udp + UDP_CHECKSUM_OFFSET, (uint16_t) (sum ? sum : 0xffff));
}

/* A checksum of zero is none, over IPv6 too (RFC 6935, section 5).  'addrs':
 * both, of 'n' bytes each. */
static inline bool
udp_is_good(const struct vsw_packet *packet, const uint8_t *addrs, size_t n,
	    const uint8_t *udp)
{
	return !get_be16(udp + UDP_CHECKSUM_OFFSET)
	       || packet->offload.checksum != VSW_CHECKSUM_UNKNOWN
	       || udp_sums_up(addrs, n, udp);
}

static bool
udp_sums_up(const uint8_t *addrs, size_t n, const uint8_t *udp)
{
	uint16_t size = get_be16(udp + 4);

	return !checksum_finish(checksum_pseudo(addrs, addrs + n, n,
						IP_PROTO_UDP, size)
				+ checksum_sum(udp, size));
}

/* A partial sum or a segment size of the inner packet moves with its bytes; a
 * partial sum of the outer UDP header was made on this machine, and goes with
 * it.  What was verified was the outer packet. */
static int
hand_offload_in(struct vsw_offload *offload, const struct headers *outer,
		size_t stripped)
{
	bool is_inner = offload->checksum == VSW_CHECKSUM_PARTIAL
			&& offload->checksum_start >= stripped;

	if (is_inner) {
		offload->checksum_start -= (uint16_t) stripped;
		return PARSE_GOOD;
	}
	if (offload->segment_kind != VSW_SEGMENT_NONE
	    || (offload->checksum == VSW_CHECKSUM_PARTIAL
		&& offload->checksum_start != outer->l4))
		return VSW_DROP_BAD_OFFLOAD;
	offload->checksum = VSW_CHECKSUM_UNKNOWN;
	return PARSE_GOOD;
}

/* 'outer' is CE or ECT(1); the others change nothing. */
static int
pass_congestion_on(uint8_t outer, uint8_t *frame, struct headers *h)
{
	uint8_t inner = h->tos & ECN_MASK;

	if (outer == ECN_CE && inner == ECN_NONE)
		return VSW_DROP_BAD_TUNNEL;
	if ((outer == ECN_CE && inner != ECN_CE)
	    || (outer == ECN_ECT1 && inner == ECN_ECT0))
		mark_congestion(frame, h, outer);
	return PARSE_GOOD;
}

static void
mark_congestion(uint8_t *frame, struct headers *h, uint8_t ecn)
{
	uint8_t *l3 = frame + h->l3;

	if (h->key.has & FLOW_HAS_IPV4) {
		uint16_t old = get_be16(l3);

		l3[1] = (uint8_t) ((l3[1] & ~ECN_MASK) | ecn);
		put_be16(l3 + 10, checksum_update(get_be16(l3 + 10), old,
						  get_be16(l3)));
	} else {
		l3[1] = (uint8_t) ((l3[1] & ~(ECN_MASK << 4)) | ecn << 4);
	}
	h->tos = (uint8_t) ((h->tos & ~ECN_MASK) | ecn);
}
