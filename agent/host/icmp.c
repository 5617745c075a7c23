/* SPDX-License-Identifier: Apache-2.0 */

/* What the distributed router says in its own name: echo replies for its
 * gateway addresses, and time exceeded.  Both versions of ICMP; fragments stay
 * unanswered, and no error answers an error (RFC 1122, section 3.2.2). */

#include "agent/host/frame.h"

#include <string.h>

enum {
	PROTO_ICMP = 1, PROTO_ICMPV6 = 58,
	ECHO_REPLY = 0, ECHO = 8, TIME_EXCEEDED = 11,
	ECHO6 = 128, ECHO6_REPLY = 129, TIME_EXCEEDED6 = 3,
	ICMP_SIZE = 8,
	/* Of the packet that is quoted: all that RFC 1812 and RFC 4443 let a
	 * router quote in 576 and 1280 bytes. */
	QUOTE4_MAX = 576 - 28, QUOTE6_MAX = 1280 - 48
};

static bool answers_errors(const struct frame *);
static const struct vsw_addr *own_gateway(const struct asker *, uint8_t n);
static size_t start(const struct asker *, const struct frame *,
		    const struct vsw_addr *src, size_t size, uint8_t *answer);
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
	    || frame->is_fragment || size < ICMP_SIZE
	    || size > FRAME_MAX - 100
	    || echo[0] != (is_v6 ? ECHO6 : ECHO) || echo[1] != 0
	    || !asker_gateway(asker, &frame->dst))
		return 0;
	if (is_v6)
		sum = frame_sum_ipv6(&frame->src, &frame->dst, PROTO_ICMPV6,
				     size);
	if (frame_fold(frame_sum(echo, size, sum)))
		return 0;

	l4 = start(asker, frame, &frame->dst, size, ret_answer);
	memcpy(ret_answer + l4, echo, size);
	ret_answer[l4] = is_v6 ? ECHO6_REPLY : ECHO_REPLY;
	finish(ret_answer + l4, size, &frame->dst, &frame->src);
	return l4 + size;
}

size_t
icmp_time_exceeded(const struct asker *asker, const struct frame *frame,
		   uint8_t ret_answer[FRAME_MAX])
{
	const struct vsw_addr *src = own_gateway(asker, frame->src.n);
	bool is_v6 = frame->src.n == 16;
	size_t quote = frame->end - frame->l3, l4;

	if (!src || !frame->proto || !answers_errors(frame))
		return 0;
	if (quote > (is_v6 ? QUOTE6_MAX : QUOTE4_MAX))
		quote = is_v6 ? QUOTE6_MAX : QUOTE4_MAX;
	l4 = start(asker, frame, src, ICMP_SIZE + quote, ret_answer);
	memset(ret_answer + l4, 0, ICMP_SIZE);
	ret_answer[l4] = is_v6 ? TIME_EXCEEDED6 : TIME_EXCEEDED;
	memcpy(ret_answer + l4 + ICMP_SIZE, frame->bytes + frame->l3, quote);
	finish(ret_answer + l4, ICMP_SIZE + quote, src, &frame->src);
	return l4 + ICMP_SIZE + quote;
}

static bool
answers_errors(const struct frame *frame)
{
	const uint8_t *l4 = frame->bytes + frame->l4;

	if (frame->eth_dst[0] & 1)
		return false;
	/* Not the first fragment: RFC 1812, section 4.3.2.7. */
	if (frame->src.n == 4
	    && ((frame->bytes[frame->l3 + 6] & 0x1f)
		|| frame->bytes[frame->l3 + 7]))
		return false;
	if (frame->end == frame->l4)
		return true;
	if (frame->proto == PROTO_ICMP)
		return l4[0] == ECHO || l4[0] == ECHO_REPLY;
	if (frame->proto == PROTO_ICMPV6)
		return l4[0] >= 128;
	return true;
}

/* The address under which the router speaks to the asker's subnet. */
static const struct vsw_addr *
own_gateway(const struct asker *asker, uint8_t n)
{
	const struct list *prefixes = &asker->port->subnet->prefixes;

	for (const struct list *link = prefixes->next; link != prefixes;
	     link = link->next) {
		const struct model_prefix *prefix =
			LIST_ENTRY(link, const struct model_prefix, link);

		if (prefix->gateway.n == n)
			return &prefix->gateway;
	}
	return NULL;
}

/* Ethernet and IP in front of 'size' bytes, back to where the frame came
 * from.  Returns where those bytes go. */
static size_t
start(const struct asker *asker, const struct frame *frame,
      const struct vsw_addr *src, size_t size, uint8_t *answer)
{
	uint8_t *ip = answer + frame->l3;
	uint16_t total = (uint16_t) (size + 20), sum;

	memcpy(answer, frame->bytes, frame->l3);
	memcpy(answer, frame->eth_src, 6);
	memcpy(answer + 6, asker->model->router_mac, 6);
	memset(ip, 0, 40);
	if (src->n == 16) {
		ip[0] = 0x60;
		ip[4] = (uint8_t) (size >> 8);
		ip[5] = (uint8_t) size;
		ip[6] = PROTO_ICMPV6;
		ip[7] = 64;
		memcpy(ip + 8, src->bytes, 16);
		memcpy(ip + 24, frame->src.bytes, 16);
		return frame->l3 + 40;
	}
	ip[0] = 0x45;
	ip[2] = (uint8_t) (total >> 8);
	ip[3] = (uint8_t) total;
	ip[8] = 64;
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
