/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DEVICE_INNER_H
#define DEVICE_INNER_H 1

/* The little that a socket device has to know of the frames in its tunnels, to
 * cut and to join them: where TCP or UDP is. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	INNER_TCP = 6,
	INNER_UDP = 17,
	INNER_ETH_SIZE = 14
};

/* Offsets into a frame. */
struct inner {
	uint8_t version;		/* Of IP: 4 or 6. */
	uint8_t protocol;		/* INNER_TCP or INNER_UDP. */
	uint16_t l3, l4;
	uint16_t payload;		/* Of TCP or UDP. */
	uint32_t end;			/* Of the IP packet; not past the frame,
					 * which may be padded. */
};

/* Finds TCP or UDP in IPv4 or IPv6, untagged or with one 802.1Q tag.  False:
 * it is something else, a fragment, has IPv6 extension headers, or lengths
 * that contradict each other. */
bool inner_parse(const uint8_t *frame, size_t size, struct inner *);

/* The pseudo header's sum for 'l4_size' bytes of TCP or UDP, as
 * <libvswitch/device/sum.h> keeps sums. */
uint64_t inner_pseudo_sum(const uint8_t *frame, const struct inner *,
			  size_t l4_size);

/* Offset of the checksum field from the layer 4 header. */
static inline uint16_t
inner_checksum_offset(const struct inner *inner)
{
	return inner->protocol == INNER_TCP ? 16 : 6;
}

#endif /* device/inner.h */
