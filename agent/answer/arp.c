/* SPDX-License-Identifier: Apache-2.0 */

/* Answers ARP (RFC 826) from the CA-PA database, by the table of
 * neighbour.c. */

#include "agent/answer/neighbour.h"

#include <string.h>

enum {
	ARP_SIZE = 28,
	ARP_OP = 7, ARP_SHA = 8, ARP_SPA = 14, ARP_THA = 18, ARP_TPA = 24,
	REQUEST = 1, REPLY = 2
};

/* Ethernet and IPv4, hardware size 6, protocol size 4. */
static const uint8_t start[7] = { 0, 1, 0x08, 0, 6, 4, 0 };

static bool is_valid(const struct frame *);
static enum neighbour_event event_of(const struct frame *);

size_t
arp_answer(const struct asker *asker, const struct frame *frame,
	   uint8_t ret_answer[FRAME_MAX])
{
	const uint8_t *arp = frame->bytes + frame->l3;
	struct vsw_addr target = { .n = 4 };
	uint8_t *answer, mac[6];

	if (!is_valid(frame))
		return 0;
	memcpy(target.bytes, arp + ARP_TPA, 4);
	if (!neighbour_answers(event_of(frame),
			       neighbour_find(asker, arp + ARP_SHA, &target,
					      mac)))
		return 0;

	/* The frame's own header, tag included, turned round. */
	memcpy(ret_answer, frame->bytes, frame->l3);
	memcpy(ret_answer, frame->eth_src, 6);
	memcpy(ret_answer + 6, mac, 6);
	answer = ret_answer + frame->l3;
	memcpy(answer, start, sizeof start);
	answer[ARP_OP] = REPLY;
	memcpy(answer + ARP_SHA, mac, 6);
	memcpy(answer + ARP_SPA, arp + ARP_TPA, 4);
	memcpy(answer + ARP_THA, arp + ARP_SHA, 10);
	return frame->l3 + ARP_SIZE;
}

static bool
is_valid(const struct frame *frame)
{
	const uint8_t *arp = frame->bytes + frame->l3;

	return frame->eth_type == 0x0806
	       && frame->size - frame->l3 >= ARP_SIZE
	       && !memcmp(arp, start, sizeof start)
	       && (arp[ARP_OP] == REQUEST || arp[ARP_OP] == REPLY)
	       && !memcmp(arp + ARP_SHA, frame->eth_src, 6);
}

static enum neighbour_event
event_of(const struct frame *frame)
{
	static const uint8_t nobody[4];
	const uint8_t *arp = frame->bytes + frame->l3;

	if (!memcmp(arp + ARP_SPA, arp + ARP_TPA, 4))
		return NEIGHBOUR_ANNOUNCEMENT;
	if (arp[ARP_OP] == REPLY)
		return NEIGHBOUR_REPLY;
	if (!memcmp(arp + ARP_SPA, nobody, 4))
		return NEIGHBOUR_PROBE;
	return frame->eth_dst[0] & 1 ? NEIGHBOUR_REQUEST : NEIGHBOUR_REFRESH;
}
