/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_SEGMENT_H
#define DATAPATH_SEGMENT_H 1

/* What a device cannot: cutting a packet that has a segment size into packets
 * of that size, and filling partial checksums in.  [worker] */

#include <stdbool.h>
#include <stdint.h>
#include <vswitch/packet.h>
#include "libvswitch/datapath/parse.h"

/* More are not cut from one packet: one guest's tiny segment size is not to
 * keep everybody waiting. */
enum { SEGMENTS_MAX = 1024 };

struct segments {
	struct vsw_packet *packet;	/* To be cut; segments own it. */
	struct headers headers;
	uint32_t at;			/* Offset of what is to be sent next. */
	uint32_t n;			/* How many there are in all, */
	uint32_t index;			/* and were made. */
};

/* Does the packet's offload state ask for more than these abilities (enum
 * vsw_port_ability) can do? */
static inline bool
segment_needed(const struct vsw_offload *offload, uint32_t abilities)
{
	static const uint8_t needs[] = {
		[VSW_SEGMENT_NONE] = 0,
		[VSW_SEGMENT_TCP4] = VSW_PORT_CHECKSUM | VSW_PORT_TSO4,
		[VSW_SEGMENT_TCP6] = VSW_PORT_CHECKSUM | VSW_PORT_TSO6,
		[VSW_SEGMENT_UDP] = VSW_PORT_CHECKSUM | VSW_PORT_USO
	};
	uint32_t need;

	if (offload->segment_kind == VSW_SEGMENT_NONE
	    && offload->checksum != VSW_CHECKSUM_PARTIAL)
		return false;
	/* Nobody's kind: segments_start() will say so. */
	if (offload->segment_kind > VSW_SEGMENT_UDP)
		return true;
	need = needs[offload->segment_kind];
	if (offload->checksum == VSW_CHECKSUM_PARTIAL)
		need |= VSW_PORT_CHECKSUM;
	return need & ~abilities;
}


/* Takes the packet.  Returns 0, or -EINVAL if the offload state does not fit
 * its headers and -E2BIG if it would be more than SEGMENTS_MAX; the packet is
 * freed then. */
int segments_start(struct segments *, struct vsw_packet *);
/* The next packet, complete and without offload; NULL at the end.  What was
 * not made when memory ran out is n - index; the end must be reached, or
 * segments_stop() called. */
struct vsw_packet *segments_next(struct segments *);
void segments_stop(struct segments *);

#endif /* datapath/segment.h */
