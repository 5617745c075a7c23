/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_PARSE_H
#define DATAPATH_PARSE_H 1

/* Bytes to headers and flow key.  Station 1 of the packet's way: worker.c.
 *
 * parse_frame() trusts nothing: lengths that the headers give are checked
 * against the frame, padding behind the IP packet is known and not taken for
 * payload, what is not the first fragment has no ports. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <vswitch/inspect.h>
#include <vswitch/packet.h>
#include <vswitch/switch.h>
#include "libvswitch/policy/key.h"

struct vsw_packet;
struct vsw_port;

enum { HEADER_NONE = 0xffff };

/* Where things stand in the frame: offsets from its first byte. */
struct headers {
	_Alignas(64) struct flow_key key;
	uint16_t l3, l4, payload;	/* HEADER_NONE: there is none. */
	uint32_t l3_end;		/* Behind the IP packet; what follows
					 * is padding. */
	uint8_t tos;			/* DSCP and ECN. */
	uint8_t ttl;			/* Or hop limit. */
	uint8_t tcp_flags;
	uint16_t icmp_id;		/* Of later fragments, too. */
};

_Static_assert(sizeof(struct headers) == 128, "headers straddle lines");

/* All of a packet that came in on 'port', key included; packet->offload, and
 * ->tunnel on a port with VSW_PORT_TUNNEL, are its own.  A tunnel's packet
 * loses its outer headers here, so that all that follows sees inner headers
 * alone.  Returns as parse_frame(). */
int parse_packet(struct vsw_port *, struct vsw_packet *,
		 struct headers *ret_headers);

/* Most frames: untagged, IP without options or extensions, whole, TCP or UDP.
 * All that parse_frame() would check is checked, at places that are known, and
 * it comes to the same.  false: it is another frame, or a bad one, and
 * parse_frame() is to say which; nothing in the headers means anything. */
bool parse_usual(const void *frame, size_t size, struct headers *ret_headers);

/* Everything but in_port and the tunnel's fields of the key, which stay zero.
 * Returns PARSE_GOOD, or the enum vsw_drop that says what is wrong; then the
 * headers are not to be used. */
enum { PARSE_GOOD = -1 };
int parse_frame(const void *frame, size_t size, struct headers *ret_headers);

/* Offload state against the frame: true if it fits. */
bool parse_offload(const struct headers *, const struct vsw_offload *,
		   size_t size);

#endif /* datapath/parse.h */
