/* SPDX-License-Identifier: Apache-2.0 */

#ifndef ORACLE_WIRE_H
#define ORACLE_WIRE_H 1

/* What is on a wire that carries outer headers as bytes, and packets that are
 * larger than one frame: made, and read, in the plainest way. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vswitch.h>
#include "tests/oracle/model.h"

enum {
	WIRE_PA4 = 3, WIRE_PA6 = 5,	/* Of this host. */
	WIRE_ROOM = 80,			/* For outer headers. */
	LARGE_MAX = 3000,		/* Payload. */
	FRAME_ROOM = WIRE_ROOM + 128 + LARGE_MAX
};

void wire_macs(uint8_t ret_own[6], uint8_t ret_next_hop[6]);
/* Puts the frame of 'size' bytes into the packet's tunnel; returns how many
 * bytes that are. */
size_t wire_wrap(const struct m_packet *, const uint8_t *frame, size_t size,
		 uint8_t *ret_bytes);
/* How many bytes the outer headers have, and what they say; 0: they are not as
 * they must be. */
size_t wire_unwrap(const uint8_t *bytes, size_t size,
		   struct vsw_tunnel *ret_tunnel);

/* Makes the packet's frame one with 'n' bytes of payload and a checksum that is
 * partial; returns its size. */
size_t large_make(const struct m_packet *, size_t n, uint8_t *ret_frame);
/* Offload state for it; 'segment' 0: it is not to be cut. */
struct vsw_offload large_offload(const struct m_packet *, uint16_t segment);
/* Is this frame the next piece, number 'i', from byte '*at' on, of what
 * large_make() gives for the packet as it leaves?  Moves '*at'. */
bool large_follows(const struct m_packet *, size_t n, uint16_t segment,
		   const uint8_t *frame, size_t size,
		   const struct vsw_offload *, unsigned i, size_t *at);

#endif /* oracle/wire.h */
