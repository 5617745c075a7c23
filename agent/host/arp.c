/* SPDX-License-Identifier: Apache-2.0 */

/* Answers ARP (RFC 826) from the CA-PA database.
 *
 *     what the VM sends               target is               answer
 *     ------------------------------  ----------------------  ------------
 *     request, also unicast           a gateway of its subnet  router's MAC
 *     request, also unicast           known in its subnet      its MAC
 *     probe (sender 0.0.0.0)          known, somebody else's   its MAC: the
 *                                                              VM sees the
 *                                                              conflict
 *     request or probe                its own                  silence
 *     request or probe                not known                silence
 *     announcement (sender = target)  any                      silence
 *     reply                           any                      silence
 *
 * Nothing that a VM says changes what is known: only the controller does. */

#include "agent/host/frame.h"

#include <string.h>

enum {
	ARP_SIZE = 28,
	ARP_SHA = 8, ARP_SPA = 14, ARP_THA = 18, ARP_TPA = 24
};

/* Ethernet and IPv4, hardware size 6, protocol size 4, request. */
static const uint8_t request_start[8] = { 0, 1, 0x08, 0, 6, 4, 0, 1 };

size_t
arp_answer(const struct asker *asker, const struct frame *frame,
	   uint8_t ret_answer[FRAME_MAX])
{
	const uint8_t *arp = frame->bytes + frame->l3;
	struct vsw_addr target = { .n = 4 };
	uint8_t *answer, mac[6];
	bool is_own;

	if (frame->eth_type != 0x0806 || frame->size - frame->l3 < ARP_SIZE
	    || memcmp(arp, request_start, sizeof request_start)
	    || memcmp(arp + ARP_SHA, frame->eth_src, 6)
	    || !memcmp(arp + ARP_SPA, arp + ARP_TPA, 4))
		return 0;
	memcpy(target.bytes, arp + ARP_TPA, 4);
	if (!asker_resolve(asker, arp + ARP_SHA, &target, mac, &is_own)
	    || is_own)
		return 0;

	/* The frame's own header, tag included, turned round. */
	memcpy(ret_answer, frame->bytes, frame->l3);
	memcpy(ret_answer, frame->eth_src, 6);
	memcpy(ret_answer + 6, mac, 6);
	answer = ret_answer + frame->l3;
	memcpy(answer, request_start, sizeof request_start);
	answer[7] = 2;
	memcpy(answer + ARP_SHA, mac, 6);
	memcpy(answer + ARP_SPA, arp + ARP_TPA, 4);
	memcpy(answer + ARP_THA, arp + ARP_SHA, 10);
	return frame->l3 + ARP_SIZE;
}
