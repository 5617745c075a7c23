/* SPDX-License-Identifier: Apache-2.0 */

#ifndef ANSWER_FRAME_H
#define ANSWER_FRAME_H 1

/* Frames that were punted to the host, and the answers to them.
 *
 * A responder is given a frame and writes its answer into a buffer of
 * FRAME_MAX bytes: it returns the answer's size, or 0 for silence.  It trusts
 * no byte of the frame: frame_read() says what is there, all of it checked
 * against the frame's size. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "agent/model/model.h"

enum { FRAME_MAX = 9216 };

struct frame {
	const uint8_t *bytes;
	size_t size;
	uint8_t eth_dst[6], eth_src[6];
	uint16_t eth_type;
	size_t l3;			/* Behind Ethernet and one VLAN tag. */
	/* Of IPv4 and IPv6; 'proto' 0 if neither, or if it does not read. */
	struct vsw_addr src, dst;
	uint8_t proto, ttl;
	bool reads_ip;			/* The addresses, at least. */
	bool is_fragment;
	bool is_cut;			/* Only its beginning is here. */
	size_t l4, end;			/* 'end' is behind the IP payload, or
					 * where it was cut. */
};

/* False: shorter than its headers say. */
bool frame_read(const void *bytes, size_t size, struct frame *ret_frame);
/* Of the first 'size' bytes of a frame that had 'whole' bytes. */
bool frame_read_cut(const void *bytes, size_t size, size_t whole,
		    struct frame *ret_frame);

/* Ones' complement sum, RFC 1071: of 'size' bytes, added to 'sum'; fold gives
 * the checksum in host byte order. */
uint32_t frame_sum(const void *bytes, size_t size, uint32_t sum);
uint16_t frame_fold(uint32_t sum);
/* Of an IPv6 pseudo header, RFC 8200, section 8.1. */
uint32_t frame_sum_ipv6(const struct vsw_addr *src,
			const struct vsw_addr *dst, uint8_t proto,
			size_t size);

/* Who answers, and for whom: the port's subnet is never NULL. */
struct asker {
	const struct model *model;
	struct model_port *port;
	bool asks_first;		/* What is missing is not answered by
					 * default: controllers may know. */
};

/* Is 'addr' a gateway's that the asker may talk to: of its own subnet, or of
 * another one of the same enabled router? */
bool asker_gateway(const struct asker *, const struct vsw_addr *addr);

/* The responders, one file each. */
size_t arp_answer(const struct asker *, const struct frame *,
		  uint8_t ret_answer[FRAME_MAX]);	/* RFC 826, 5227 */
size_t nd_answer(const struct asker *, const struct frame *,
		 uint8_t ret_answer[FRAME_MAX]);	/* RFC 4861, 4862 */
size_t icmp_answer(const struct asker *, const struct frame *,
		   uint8_t ret_answer[FRAME_MAX]);	/* RFC 792, 4443 */

enum icmp_error {
	ICMP_TIME_EXCEEDED,
	ICMP_NO_ROUTE,
	ICMP_UNREACHABLE,		/* No mapping. */
	ICMP_TOO_BIG,			/* Routed, */
	ICMP_TOO_BIG_HERE,		/* and not. */
	ICMP_N_ERRORS
};
/* May the sender of the frame be told?  See icmp.c. */
bool icmp_may_tell(const struct asker *, const struct frame *,
		   enum icmp_error);
/* Tells: if so.  'mtu': of what is too big, else 0.  0: in nobody's name. */
size_t icmp_tell(const struct asker *, const struct frame *, enum icmp_error,
		 uint32_t mtu, uint8_t ret_answer[FRAME_MAX]);

#endif /* answer/frame.h */
