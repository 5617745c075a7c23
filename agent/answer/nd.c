/* SPDX-License-Identifier: Apache-2.0 */

/* Answers neighbour solicitations (RFC 4861, section 7.2) from the CA-PA
 * database, by the table of neighbour.c: a solicitation from the unspecified
 * address is RFC 4862's probe, and is answered to all nodes if the address is
 * somebody else's.  Router solicitations, which are not about an address, stay
 * unanswered. */

#include "agent/answer/neighbour.h"

#include <string.h>

enum {
	PROTO_ICMPV6 = 58,
	SOLICITATION = 135, ADVERTISEMENT = 136,
	SOLICITATION_SIZE = 24, ADVERTISEMENT_SIZE = 32,
	OPTION_TARGET = 2,
	FLAG_ROUTER = 0x80, FLAG_SOLICITED = 0x40, FLAG_OVERRIDE = 0x20
};

static bool is_valid(const struct frame *);
static enum neighbour_event event_of(const struct frame *);

size_t
nd_answer(const struct asker *asker, const struct frame *frame,
	  uint8_t ret_answer[FRAME_MAX])
{
	static const uint8_t all_nodes[16] = { 0xff, 2, [15] = 1 };
	static const uint8_t all_nodes_mac[6] = { 0x33, 0x33, 0, 0, 0, 1 };
	struct vsw_addr target = { .n = 16 }, to;
	enum neighbour_event event;
	bool is_probe;
	uint8_t mac[6], *ip, *nd;
	uint16_t sum;

	if (!is_valid(frame))
		return 0;
	memcpy(target.bytes, frame->bytes + frame->l4 + 8, 16);
	event = event_of(frame);
	if (!neighbour_answers(event, neighbour_find(asker, frame->eth_src,
						     &target, mac)))
		return 0;
	is_probe = event == NEIGHBOUR_PROBE;
	to = frame->src;
	if (is_probe)
		memcpy(to.bytes, all_nodes, 16);

	memset(ret_answer, 0, frame->l3 + 40 + ADVERTISEMENT_SIZE);
	memcpy(ret_answer, frame->bytes, frame->l3);
	memcpy(ret_answer, is_probe ? all_nodes_mac : frame->eth_src, 6);
	memcpy(ret_answer + 6, mac, 6);
	ip = ret_answer + frame->l3;
	ip[0] = 0x60;
	ip[5] = ADVERTISEMENT_SIZE;
	ip[6] = PROTO_ICMPV6;
	ip[7] = 255;
	memcpy(ip + 8, target.bytes, 16);
	memcpy(ip + 24, to.bytes, 16);
	nd = ip + 40;
	nd[0] = ADVERTISEMENT;
	nd[4] = FLAG_OVERRIDE;
	if (!is_probe)
		nd[4] |= FLAG_SOLICITED;
	if (model_find_gateway(asker->port->subnet, &target))
		nd[4] |= FLAG_ROUTER;
	memcpy(nd + 8, target.bytes, 16);
	nd[24] = OPTION_TARGET;
	nd[25] = 1;
	memcpy(nd + 26, mac, 6);
	sum = frame_fold(frame_sum(nd, ADVERTISEMENT_SIZE,
				   frame_sum_ipv6(&target, &to, PROTO_ICMPV6,
						  ADVERTISEMENT_SIZE)));
	nd[2] = (uint8_t) (sum >> 8);
	nd[3] = (uint8_t) sum;
	return frame->l3 + 40 + ADVERTISEMENT_SIZE;
}

/* RFC 4861, sections 7.1.1 and 7.1.2. */
static bool
is_valid(const struct frame *frame)
{
	const uint8_t *nd = frame->bytes + frame->l4;
	size_t size = frame->end - frame->l4;

	return frame->src.n == 16 && frame->proto == PROTO_ICMPV6
	       && frame->ttl == 255 && size >= SOLICITATION_SIZE
	       && (nd[0] == SOLICITATION || nd[0] == ADVERTISEMENT)
	       && nd[1] == 0
	       && nd[8] != 0xff
	       && !frame_fold(frame_sum(nd, size,
					frame_sum_ipv6(&frame->src,
						       &frame->dst,
						       PROTO_ICMPV6, size)));
}

static enum neighbour_event
event_of(const struct frame *frame)
{
	static const uint8_t unspecified[16];
	const uint8_t *nd = frame->bytes + frame->l4;

	if (nd[0] == ADVERTISEMENT)
		return nd[4] & FLAG_SOLICITED ? NEIGHBOUR_REPLY
					      : NEIGHBOUR_ANNOUNCEMENT;
	if (!memcmp(frame->src.bytes, unspecified, 16))
		return NEIGHBOUR_PROBE;
	return frame->dst.bytes[0] == 0xff ? NEIGHBOUR_REQUEST
					   : NEIGHBOUR_REFRESH;
}
