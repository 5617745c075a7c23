/* SPDX-License-Identifier: Apache-2.0 */

/* What the distributed router says in its own name: echo replies for its
 * gateway addresses, and why a packet did not go on.
 *
 *     what became of it             ICMP                ICMPv6
 *     ---------------------------   -----------------   --------------------
 *     TTL used up                   11/0 time exceeded  3/0 time exceeded
 *     no route                      3/0 net unreachable 1/0 no route
 *     no mapping                    3/1 host unreach.   1/3 address unreach.
 *     too big (DF, IPv6, or may     3/4 fragmentation   2/0 packet too big
 *     not be cut)                   needed
 *
 * The source is the gateway's address of the sender's subnet.  In a subnet that
 * has none, what is too big to be switched is told in the name of whom it was
 * for, address and MAC, as Linux's tunnels and OVN do: there is nobody else
 * whom the sender knows.
 *
 * Nothing is said about what RFC 1812, section 4.3.2.7, and RFC 4443, section
 * 2.4, name: errors, redirects, fragments that are not the first, broadcast and
 * multicast (but a multicast packet of IPv6 that is too big), and sources that
 * are no single host's. */

#include "agent/answer/frame.h"

#include <string.h>

enum {
	PROTO_ICMP = 1, PROTO_ICMPV6 = 58,
	PROTO_HOPS = 0, PROTO_ROUTING = 43, PROTO_FRAGMENT = 44,
	PROTO_DESTINATION = 60,
	ECHO_REPLY = 0, ECHO = 8, ECHO6 = 128, ECHO6_REPLY = 129,
	REDIRECT6 = 137,
	ICMP_SIZE = 8,
	TTL = 64,
	TOS_CONTROL = 0xc0,		/* RFC 1812, section 4.3.2.5. */
	/* Of the packet that is quoted: all that RFC 1812, section 4.3.2.3, and
	 * RFC 4443, section 2.4, let a router quote in 576 and 1280 bytes. */
	QUOTE4_MAX = 576 - 28, QUOTE6_MAX = 1280 - 48
};

static const struct {
	uint8_t type, code;
} errors[ICMP_N_ERRORS][2] = {
	[ICMP_TIME_EXCEEDED] = { { 11, 0 }, { 3, 0 } },
	[ICMP_NO_ROUTE] = { { 3, 0 }, { 1, 0 } },
	[ICMP_UNREACHABLE] = { { 3, 1 }, { 1, 3 } },
	[ICMP_TOO_BIG] = { { 3, 4 }, { 2, 0 } },
	[ICMP_TOO_BIG_HERE] = { { 3, 4 }, { 2, 0 } }
};

static bool may_tell_ipv4(const struct asker *, const struct frame *);
static bool is_broadcast(const struct asker *, const struct vsw_addr *);
static bool has_prefix(const struct model_prefix *, const struct vsw_addr *,
		       bool *ret_is_last);
static bool may_tell_ipv6(const struct frame *, bool is_too_big);
static bool is_told_in_error(const struct frame *);
static const struct vsw_addr *own_gateway(const struct asker *,
					  const struct vsw_addr *near);
static size_t start(const struct frame *, const struct vsw_addr *src,
		    const uint8_t src_mac[6], uint8_t tos, size_t size,
		    uint8_t *answer);
static void finish(uint8_t *icmp, size_t size, const struct vsw_addr *src,
		   const struct vsw_addr *dst);

size_t
icmp_answer(const struct asker *asker, const struct frame *frame,
	    uint8_t ret_answer[FRAME_MAX])
{
	const uint8_t *echo = frame->bytes + frame->l4;
	size_t size = frame->end - frame->l4, l4;
	bool is_v6 = frame->src.n == 16;
	uint32_t sum = 0;

	if (frame->proto != (is_v6 ? PROTO_ICMPV6 : PROTO_ICMP)
	    || frame->is_fragment || frame->is_cut || size < ICMP_SIZE
	    || size > FRAME_MAX - 100
	    || echo[0] != (is_v6 ? ECHO6 : ECHO) || echo[1] != 0
	    || !asker_gateway(asker, &frame->dst))
		return 0;
	if (is_v6)
		sum = frame_sum_ipv6(&frame->src, &frame->dst, PROTO_ICMPV6,
				     size);
	if (frame_fold(frame_sum(echo, size, sum)))
		return 0;

	l4 = start(frame, &frame->dst, asker->model->router_mac, 0, size,
		   ret_answer);
	memcpy(ret_answer + l4, echo, size);
	ret_answer[l4] = is_v6 ? ECHO6_REPLY : ECHO_REPLY;
	finish(ret_answer + l4, size, &frame->dst, &frame->src);
	return l4 + size;
}

bool
icmp_may_tell(const struct asker *asker, const struct frame *frame,
	      enum icmp_error error)
{
	bool is_too_big = error == ICMP_TOO_BIG || error == ICMP_TOO_BIG_HERE;

	if (!frame->reads_ip || frame->eth_src[0] & 1)
		return false;
	return frame->src.n == 4 ? may_tell_ipv4(asker, frame)
				 : may_tell_ipv6(frame, is_too_big);
}

size_t
icmp_tell(const struct asker *asker, const struct frame *frame,
	  enum icmp_error error, uint32_t mtu, uint8_t ret_answer[FRAME_MAX])
{
	const struct vsw_addr *src = own_gateway(asker, &frame->src);
	const uint8_t *src_mac = asker->model->router_mac;
	bool is_v6 = frame->src.n == 16;
	size_t quote = frame->end - frame->l3, l4;
	uint8_t *icmp;

	if (!src && error == ICMP_TOO_BIG_HERE && !(frame->eth_dst[0] & 1)) {
		src = &frame->dst;
		src_mac = frame->eth_dst;
	}
	if (!src)
		return 0;
	if (quote > (is_v6 ? QUOTE6_MAX : QUOTE4_MAX))
		quote = is_v6 ? QUOTE6_MAX : QUOTE4_MAX;
	l4 = start(frame, src, src_mac, TOS_CONTROL, ICMP_SIZE + quote,
		   ret_answer);
	icmp = ret_answer + l4;
	memset(icmp, 0, ICMP_SIZE);
	icmp[0] = errors[error][is_v6].type;
	icmp[1] = errors[error][is_v6].code;
	if (mtu > UINT16_MAX)
		mtu = UINT16_MAX;
	/* RFC 1191, section 4; RFC 4443, section 3.2. */
	icmp[6] = (uint8_t) (mtu >> 8);
	icmp[7] = (uint8_t) mtu;
	memcpy(icmp + ICMP_SIZE, frame->bytes + frame->l3, quote);
	finish(icmp, ICMP_SIZE + quote, src, &frame->src);
	return l4 + ICMP_SIZE + quote;
}

static bool
may_tell_ipv4(const struct asker *asker, const struct frame *frame)
{
	const uint8_t *ip = frame->bytes + frame->l3;
	uint8_t from = frame->src.bytes[0], to = frame->dst.bytes[0];

	/* Zero, loopback, multicast and class E; broadcast. */
	if (frame->eth_dst[0] & 1 || from == 0 || from == 127 || from >= 224
	    || is_broadcast(asker, &frame->src))
		return false;
	if (to >= 224 || is_broadcast(asker, &frame->dst))
		return false;
	/* Not the first fragment. */
	if (ip[6] & 0x1f || ip[7])
		return false;
	return !is_told_in_error(frame);
}

/* Of the sender's subnet, or of another one of the same router. */
static bool
is_broadcast(const struct asker *asker, const struct vsw_addr *addr)
{
	const struct model_subnet *own = asker->port->subnet;
	const struct list *subnets = &asker->model->subnets;

	for (const struct list *i = subnets->next; i != subnets; i = i->next) {
		const struct model_subnet *subnet =
			LIST_ENTRY(i, const struct model_subnet, link);
		bool is_last;

		if (subnet != own
		    && (!own->router || subnet->router != own->router))
			continue;
		for (const struct list *p = subnet->prefixes.next;
		     p != &subnet->prefixes; p = p->next)
			if (has_prefix(LIST_ENTRY(p, const struct model_prefix,
						  link), addr, &is_last)
			    && is_last)
				return true;
	}
	return false;
}

/* 'ret_is_last': and all bits behind the prefix are ones, of an IPv4 prefix
 * that has a broadcast address (RFC 3021). */
static bool
has_prefix(const struct model_prefix *prefix, const struct vsw_addr *addr,
	   bool *ret_is_last)
{
	const struct vsw_addr *network = &prefix->gateway;
	bool is_last = addr->n == 4 && prefix->bits < 31;

	if (network->n != addr->n)
		return false;
	for (unsigned i = 0; i < addr->n * 8u; i++) {
		uint8_t bit = (uint8_t) (0x80 >> i % 8);

		if (i >= prefix->bits)
			is_last &= (addr->bytes[i / 8] & bit) != 0;
		else if ((network->bytes[i / 8] ^ addr->bytes[i / 8]) & bit)
			return false;
	}
	*ret_is_last = is_last;
	return true;
}

static bool
may_tell_ipv6(const struct frame *frame, bool is_too_big)
{
	static const uint8_t unspecified[16];

	if (!memcmp(frame->src.bytes, unspecified, 16)
	    || frame->src.bytes[0] == 0xff)
		return false;
	if (!is_too_big
	    && (frame->eth_dst[0] & 1 || frame->dst.bytes[0] == 0xff))
		return false;
	return !is_told_in_error(frame);
}

/* Is it an error, or a redirect?  What cannot be seen is taken for one. */
static bool
is_told_in_error(const struct frame *frame)
{
	size_t at = frame->l4;
	uint8_t proto = frame->proto, type;

	while (frame->src.n == 16
	       && (proto == PROTO_HOPS || proto == PROTO_ROUTING
		   || proto == PROTO_FRAGMENT || proto == PROTO_DESTINATION)) {
		const uint8_t *header = frame->bytes + at;

		if (frame->end < at + 8)
			return true;
		/* A later one begins with anybody's bytes. */
		if (proto == PROTO_FRAGMENT
		    && (header[2] || header[3] & 0xf8))
			return header[0] == PROTO_ICMPV6;
		at += proto == PROTO_FRAGMENT ? 8 : (header[1] + 1u) * 8;
		proto = header[0];
	}
	if (proto != (frame->src.n == 16 ? PROTO_ICMPV6 : PROTO_ICMP))
		return false;
	if (at >= frame->end)
		return true;
	type = frame->bytes[at];
	if (frame->src.n == 16)
		return type < 128 || type == REDIRECT6;
	return type >= 3 && type <= 12 && type != ECHO && type != 9
	       && type != 10;
}

/* The address under which the router speaks to the asker's subnet: of the
 * prefix that 'near' is in, or of any other of its family. */
static const struct vsw_addr *
own_gateway(const struct asker *asker, const struct vsw_addr *near)
{
	const struct list *prefixes = &asker->port->subnet->prefixes;
	const struct vsw_addr *any = NULL;
	bool is_last;

	for (const struct list *link = prefixes->next; link != prefixes;
	     link = link->next) {
		const struct model_prefix *prefix =
			LIST_ENTRY(link, const struct model_prefix, link);

		if (prefix->gateway.n != near->n)
			continue;
		if (has_prefix(prefix, near, &is_last))
			return &prefix->gateway;
		if (!any)
			any = &prefix->gateway;
	}
	return any;
}

/* Ethernet and IP in front of 'size' bytes, back to where the frame came
 * from.  Returns where those bytes go. */
static size_t
start(const struct frame *frame, const struct vsw_addr *src,
      const uint8_t src_mac[6], uint8_t tos, size_t size, uint8_t *answer)
{
	uint8_t *ip = answer + frame->l3;
	uint16_t total = (uint16_t) (size + 20), sum;

	memcpy(answer, frame->bytes, frame->l3);
	memcpy(answer, frame->eth_src, 6);
	memcpy(answer + 6, src_mac, 6);
	memset(ip, 0, 40);
	if (src->n == 16) {
		ip[0] = (uint8_t) (0x60 | tos >> 4);
		ip[1] = (uint8_t) (tos << 4);
		ip[4] = (uint8_t) (size >> 8);
		ip[5] = (uint8_t) size;
		ip[6] = PROTO_ICMPV6;
		ip[7] = TTL;
		memcpy(ip + 8, src->bytes, 16);
		memcpy(ip + 24, frame->src.bytes, 16);
		return frame->l3 + 40;
	}
	ip[0] = 0x45;
	ip[1] = tos;
	ip[2] = (uint8_t) (total >> 8);
	ip[3] = (uint8_t) total;
	ip[8] = TTL;
	ip[9] = PROTO_ICMP;
	memcpy(ip + 12, src->bytes, 4);
	memcpy(ip + 16, frame->src.bytes, 4);
	sum = frame_fold(frame_sum(ip, 20, 0));
	ip[10] = (uint8_t) (sum >> 8);
	ip[11] = (uint8_t) sum;
	return frame->l3 + 20;
}

static void
finish(uint8_t *icmp, size_t size, const struct vsw_addr *src,
       const struct vsw_addr *dst)
{
	uint32_t sum = 0;
	uint16_t folded;

	icmp[2] = icmp[3] = 0;
	if (src->n == 16)
		sum = frame_sum_ipv6(src, dst, PROTO_ICMPV6, size);
	folded = frame_fold(frame_sum(icmp, size, sum));
	icmp[2] = (uint8_t) (folded >> 8);
	icmp[3] = (uint8_t) folded;
}
