/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_ADDRESS_H
#define DATAPATH_ADDRESS_H 1

/* Copies that are addressed to whom they are for: vsw_rule_address_copies().
 * What address a copy gets is decided with all else (compose_end() keeps it
 * beside the rewrites), and set when it is known that the copy goes on. */

#include <stdint.h>

struct composition;
struct headers;
struct vsw_packet;

/* IPv4's or IPv6's, as the packet is; the rest is zero. */
struct new_address {
	uint8_t bytes[16];
};

/* Addresses the composition's copy, to its place 'i'. */
void address_copy(struct composition *, uint32_t i);
/* The packet's destination becomes 'to', and all checksums over it follow, also
 * one that is partial.  The headers are the packet's. */
void address_set(struct vsw_packet *, const struct headers *,
		 const struct new_address *to);

#endif /* datapath/address.h */
