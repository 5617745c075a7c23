/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DEVICE_COALESCE_H
#define DEVICE_COALESCE_H 1

/* Takes the frames that came through tunnels, in order, makes packets of them
 * and hands these to the switch in batches.
 *
 * Consecutive TCP segments, or UDP datagrams, of one inner flow become one
 * packet with a segment size, as if their sender's host had not cut it: cutting
 * the packet gives the same frames back, byte for byte.  So only frames are
 * joined that differ in nothing but what cutting makes different, whose
 * checksums are right and there, and that are all of one size but the last.
 *
 * A frame may come with a checksum that is not there yet: a kernel whose
 * tunnel ends in this machine sends it with the pseudo header's sum in the
 * field, and whole segments of 64 KiB too, and nothing tells a socket.  They
 * are known by that sum.
 *
 * [worker] */

#include <stddef.h>
#include <stdint.h>
#include <vswitch/packet.h>

#include "libvswitch/device/device.h"
#include "libvswitch/device/inner.h"

enum {
	/* Datagrams in one packet: what kernels before 6.9 would send. */
	COALESCE_MAX_DATAGRAMS = 64
};

struct coalesce {
	struct vsw_worker *worker;
	struct vsw_port *port;
	uint64_t now;
	struct vsw_packet *packets[DEVICE_BATCH];
	size_t n;
	uint32_t n_no_memory;		/* Frames lost for it. */

	/* The last of 'packets' may grow.  Its headers are those of the first
	 * segment until it is closed. */
	bool open;
	uint32_t size;			/* So far. */
	struct inner inner;		/* Of the first segment. */
	uint16_t segment_size;
	uint16_t n_segments;
	uint8_t last_flags;		/* PSH and FIN of the last segment. */
};

/* Where a frame comes from. */
struct arrival {
	const struct vsw_tunnel *tunnel;
	/* If the kernel passed a whole inner packet on uncut and said in what
	 * size its segments are; 0: it did not. */
	uint16_t segment_size;
	/* The largest inner IP packet that comes in one outer one: a TCP
	 * packet that is larger and has no checksum yet has not been cut. */
	uint32_t inner_mtu;
	/* More frames came in the same message, and are next. */
	bool more;
};

void coalesce_init(struct coalesce *, struct vsw_worker *, struct vsw_port *,
		   uint64_t now);
/* Copies 'frame', at most VSW_PACKET_MAX bytes. */
void coalesce_add(struct coalesce *, const uint8_t *frame, size_t size,
		  const struct arrival *);
/* Hands over what is left. */
void coalesce_flush(struct coalesce *);

#endif /* device/coalesce.h */
