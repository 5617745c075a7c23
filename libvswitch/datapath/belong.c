/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/datapath/belong.h"

#include <string.h>
#include "libvswitch/base/cursor.h"
#include "libvswitch/base/wire.h"
#include "libvswitch/policy/port.h"

enum {
	ICMP_HEADER_SIZE = 8,
	ICMP_ID_AT = 4,
	MAX_EXTENSIONS = 4,
	/* RFC 792, RFC 950; RFC 4443. */
	ICMP_ECHO_REPLY = 0, ICMP_UNREACHABLE = 3, ICMP_ECHO = 8,
	ICMP_TIME_EXCEEDED = 11, ICMP_PARAMETER_PROBLEM = 12,
	ICMP_TIMESTAMP = 13, ICMP_TIMESTAMP_REPLY = 14, ICMP_MASK = 17,
	ICMP_MASK_REPLY = 18,
	ICMPV6_UNREACHABLE = 1, ICMPV6_PARAMETER_PROBLEM = 4,
	ICMPV6_ECHO = 128, ICMPV6_ECHO_REPLY = 129
};

/* What the sender of a packet says of both ends. */
struct ends {
	const uint8_t *src, *dst;
	uint16_t src_port, dst_port;
	uint8_t proto, family;
	enum track_event event;
};

static bool ends_of(const struct headers *, struct ends *);
static bool ends_of_icmp(uint8_t type, uint16_t id, struct ends *);
static bool is_error(const struct headers *);
static bool ends_within(const struct headers *, const uint8_t *frame,
			struct ends *);
static bool inner_ipv4(struct cursor *, struct ends *);
static bool inner_ipv6(struct cursor *, struct ends *);
static bool inner_l4(struct cursor *, struct ends *);
static bool has_ports(uint8_t proto);
static void get_numbers(const struct headers *, const uint8_t *frame,
			struct sequence_numbers *);
static void set_key(const struct ends *, enum vsw_direction,
		    struct connection_key *);

bool
belong_find(const struct headers *h, const uint8_t *frame,
	    enum vsw_direction direction, const struct vsw_port *port,
	    uint32_t vni, uint16_t vlan, struct connection_packet *ret_packet)
{
	bool is_related;
	struct ends ends;

	if (!(h->key.has & (FLOW_HAS_IPV4 | FLOW_HAS_IPV6))
	    || h->key.has & FLOW_NO_FIRST)
		return false;
	is_related = is_error(h);
	if (is_related ? !ends_within(h, frame, &ends)
		       : !ends_of(h, &ends))
		return false;
	memset(ret_packet, 0, sizeof *ret_packet);
	/* What the error is about went the other way. */
	if (is_related)
		direction = direction == VSW_OUT ? VSW_IN : VSW_OUT;
	ret_packet->key.port = port->number;
	ret_packet->key.vni = vni;
	ret_packet->key.vlan = vlan;
	ret_packet->direction = (uint8_t) direction;
	ret_packet->event = (uint8_t) ends.event;
	ret_packet->is_related = is_related;
	ret_packet->size = h->l3_end;
	set_key(&ends, direction, &ret_packet->key);
	if (ends.proto == IP_PROTO_TCP && !is_related
	    && h->key.fragment != VSW_FRAGMENT_LATER)
		get_numbers(h, frame, &ret_packet->numbers);
	return true;
}

void
belong_opener(const struct connection_key *c,
	      const struct connection_view *view, struct flow_key *ret_key)
{
	bool is_out = view->direction == VSW_OUT, is_ipv4 = c->family == 4;
	const uint8_t *src = is_out ? c->local : c->remote;
	const uint8_t *dst = is_out ? c->remote : c->local;
	struct flow_key key = {
		.vni = view->opener.vni & 0xffffff,
		.vlan = view->opener.vlan,
		.eth_type = is_ipv4 ? ETH_TYPE_IPV4 : ETH_TYPE_IPV6,
		.l4_src = is_out ? c->local_port : c->remote_port,
		.l4_dst = is_out ? c->remote_port : c->local_port,
		.ip_proto = c->proto,
		.has = is_ipv4 ? FLOW_HAS_IPV4 : FLOW_HAS_IPV6
	};

	if (c->proto == IP_PROTO_ICMP) {
		key.l4_src = c->remote_port;
		key.l4_dst = 0;
		if (!is_ipv4)
			key.ip_proto = IP_PROTO_ICMPV6;
	}
	if (has_ports(c->proto) || c->proto == IP_PROTO_ICMP)
		key.has |= FLOW_HAS_L4;
	memcpy(is_ipv4 ? key.ip_src : key.ip6_src, src, is_ipv4 ? 4 : 16);
	memcpy(is_ipv4 ? key.ip_dst : key.ip6_dst, dst, is_ipv4 ? 4 : 16);
	memcpy(key.eth_src, view->opener.eth_src, sizeof key.eth_src);
	memcpy(key.eth_dst, view->opener.eth_dst, sizeof key.eth_dst);
	*ret_key = key;
}

static bool
ends_of(const struct headers *h, struct ends *ends)
{
	const struct flow_key *key = &h->key;
	bool is_ipv4 = key->has & FLOW_HAS_IPV4;

	*ends = (struct ends) {
		.src = flow_key_ip_src(key), .dst = flow_key_ip_dst(key),
		.proto = key->ip_proto, .family = is_ipv4 ? 4 : 6,
		.event = TRACK_PLAIN
	};
	if (key->ip_proto == (is_ipv4 ? IP_PROTO_ICMP : IP_PROTO_ICMPV6))
		return key->has & FLOW_HAS_L4
		       && ends_of_icmp((uint8_t) key->l4_src, h->icmp_id,
				       ends);
	if (!has_ports(key->ip_proto))
		return true;
	ends->src_port = key->l4_src;
	ends->dst_port = key->l4_dst;
	if (key->ip_proto == IP_PROTO_TCP
	    && key->fragment != VSW_FRAGMENT_LATER)
		ends->event = track_tcp_event(h->tcp_flags);
	return key->has & FLOW_HAS_L4;
}

/* Both have the request's type, so that an answer finds its request. */
static bool
ends_of_icmp(uint8_t type, uint16_t id, struct ends *ends)
{
	static const struct {
		uint8_t family, request, answer;
	} kinds[] = {
		{ 4, ICMP_ECHO, ICMP_ECHO_REPLY },
		{ 4, ICMP_TIMESTAMP, ICMP_TIMESTAMP_REPLY },
		{ 4, ICMP_MASK, ICMP_MASK_REPLY },
		{ 6, ICMPV6_ECHO, ICMPV6_ECHO_REPLY }
	};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (kinds[i].family != ends->family
		    || (type != kinds[i].request && type != kinds[i].answer))
			continue;
		ends->event = type == kinds[i].request ? TRACK_PLAIN
						       : TRACK_ANSWER;
		ends->src_port = id;
		ends->dst_port = kinds[i].request;
		ends->proto = IP_PROTO_ICMP;
		return true;
	}
	return false;
}

static bool
is_error(const struct headers *h)
{
	uint16_t type = h->key.l4_src;

	if (!(h->key.has & FLOW_HAS_L4)
	    || h->key.fragment == VSW_FRAGMENT_LATER)
		return false;
	if (h->key.has & FLOW_HAS_IPV4)
		return h->key.ip_proto == IP_PROTO_ICMP
		       && (type == ICMP_UNREACHABLE
			   || type == ICMP_TIME_EXCEEDED
			   || type == ICMP_PARAMETER_PROBLEM);
	return h->key.ip_proto == IP_PROTO_ICMPV6
	       && type >= ICMPV6_UNREACHABLE
	       && type <= ICMPV6_PARAMETER_PROBLEM;
}

/* The beginning of a packet, as whoever complains saw it: RFC 792; RFC 4443,
 * section 3.  It must be told to whom that packet came from. */
static bool
ends_within(const struct headers *h, const uint8_t *frame, struct ends *ends)
{
	struct cursor c = cursor_over(frame, h->l3_end);
	bool is_ipv4 = h->key.has & FLOW_HAS_IPV4;

	*ends = (struct ends) {
		.family = is_ipv4 ? 4 : 6, .event = TRACK_PLAIN
	};
	cursor_skip(&c, (size_t) h->l4 + ICMP_HEADER_SIZE);
	return (is_ipv4 ? inner_ipv4(&c, ends) : inner_ipv6(&c, ends))
	       && !memcmp(ends->src, flow_key_ip_dst(&h->key),
			  is_ipv4 ? 4 : 16);
}

static bool
inner_ipv4(struct cursor *c, struct ends *ends)
{
	const uint8_t *ip = cursor_take(c, IPV4_HEADER_SIZE);
	size_t size;

	if (!ip)
		return false;
	size = (size_t) (ip[0] & 0x0f) * 4;
	if (ip[0] >> 4 != 4 || size < IPV4_HEADER_SIZE
	    || get_be16(ip + 6) & IPV4_FRAGMENT_OFFSET)
		return false;
	cursor_skip(c, size - IPV4_HEADER_SIZE);
	ends->proto = ip[9];
	ends->src = ip + 12;
	ends->dst = ip + 16;
	return inner_l4(c, ends);
}

static bool
inner_ipv6(struct cursor *c, struct ends *ends)
{
	const uint8_t *ip = cursor_take(c, IPV6_HEADER_SIZE);
	unsigned n = 0;

	if (!ip || ip[0] >> 4 != 6)
		return false;
	ends->proto = ip[6];
	ends->src = ip + 8;
	ends->dst = ip + 24;
	while (ends->proto == IP_PROTO_HOP_BY_HOP
	       || ends->proto == IP_PROTO_ROUTING
	       || ends->proto == IP_PROTO_DESTINATION
	       || ends->proto == IP_PROTO_FRAGMENT) {
		bool is_fragment = ends->proto == IP_PROTO_FRAGMENT;
		uint8_t next = cursor_u8(c), size = cursor_u8(c);
		uint16_t offset = cursor_be16(c);

		if (++n > MAX_EXTENSIONS || (is_fragment && offset >> 3))
			return false;
		cursor_skip(c, is_fragment ? 4 : (size_t) size * 8 + 4);
		ends->proto = next;
	}
	return !c->is_short && inner_l4(c, ends);
}

static bool
inner_l4(struct cursor *c, struct ends *ends)
{
	uint8_t icmp = ends->family == 4 ? IP_PROTO_ICMP : IP_PROTO_ICMPV6;

	if (ends->proto == icmp) {
		uint8_t type = cursor_u8(c);

		cursor_skip(c, ICMP_ID_AT - 1);

		uint16_t id = cursor_be16(c);

		return !c->is_short && ends_of_icmp(type, id, ends);
	}
	if (!has_ports(ends->proto))
		return true;
	ends->src_port = cursor_be16(c);
	ends->dst_port = cursor_be16(c);
	return !c->is_short;
}

static bool
has_ports(uint8_t proto)
{
	return proto == IP_PROTO_TCP || proto == IP_PROTO_UDP
	       || proto == IP_PROTO_SCTP;
}

/* RFC 9293, section 3.1.  Of a first fragment, and of what is to be cut, as if
 * it were one segment. */
static void
get_numbers(const struct headers *h, const uint8_t *frame,
	    struct sequence_numbers *ret_numbers)
{
	const uint8_t *tcp = frame + h->l4;
	uint32_t size = h->l3_end - h->payload;

	if (h->tcp_flags & (TRACK_TCP_FLAG_SYN | TRACK_TCP_FLAG_FIN))
		size++;
	ret_numbers->first = get_be32(tcp + 4);
	ret_numbers->behind = ret_numbers->first + size;
	ret_numbers->ack = get_be32(tcp + 8);
	ret_numbers->is_there = true;
}

static void
set_key(const struct ends *ends, enum vsw_direction direction,
	struct connection_key *key)
{
	bool is_out = direction == VSW_OUT;
	size_t size = ends->family == 4 ? 4 : 16;

	memcpy(key->local, is_out ? ends->src : ends->dst, size);
	memcpy(key->remote, is_out ? ends->dst : ends->src, size);
	key->local_port = is_out ? ends->src_port : ends->dst_port;
	key->remote_port = is_out ? ends->dst_port : ends->src_port;
	if (ends->proto == IP_PROTO_ICMP) {
		key->local_port = ends->src_port;
		key->remote_port = ends->dst_port;
	}
	key->proto = ends->proto;
	key->family = ends->family;
}
