/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DEVICE_CUT_H
#define DEVICE_CUT_H 1

/* Cuts a packet that has a segment size, without copying its payload: each
 * segment is a header, made in the caller's memory, and a range of the packet.
 * TCP over IPv4 and IPv6, and UDP. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vswitch/packet.h>

#include "libvswitch/device/inner.h"

enum {
	/* Ethernet with a tag, IPv4 with options, TCP with options. */
	CUT_MAX_HEADER = 18 + 60 + 60,
	/* More segments than this is a guest that asks for trouble: its one
	 * packet would become a flood. */
	CUT_MAX_SEGMENTS = 1024
};

struct cut {
	const uint8_t *frame;
	struct inner inner;
	size_t segment_size;
	size_t header_size;		/* Of each segment. */
	size_t n_segments;
	bool ecn;
	size_t next;			/* The segment to come, from 0. */
	uint64_t ip_sum;		/* IPv4 header's, without length, ID and
					 * checksum. */
	uint64_t l4_sum;		/* Pseudo header's and layer 4 header's
					 * without length, sequence number,
					 * flags and checksum. */
};

/* Begins.  False: offload and frame do not go together, or there would be too
 * many segments. */
bool cut_begin(struct cut *, const uint8_t *frame, size_t size,
		   const struct vsw_offload *);

/* Makes the next segment's header, 'header_size' bytes, and finds its payload.
 * Returns the payload's size, never 0; 0 when there are no more. */
size_t cut_next(struct cut *, uint8_t *header,
		    const uint8_t **ret_payload);

#endif /* device/cut.h */
