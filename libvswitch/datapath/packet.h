/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_PACKET_H
#define DATAPATH_PACKET_H 1

/* A packet: a buffer with headroom, and what is known about the bytes.
 * [worker] */

#include <stddef.h>
#include <stdint.h>
#include <vswitch/packet.h>

struct packet_pool;
struct vsw_port;

struct vsw_packet {
	uint8_t *data;			/* In 'buffer'. */
	uint32_t size;
	uint32_t capacity;		/* Of 'buffer', headroom included. */
	struct vsw_offload offload;
	struct vsw_tunnel tunnel;	/* encap NONE: none. */
	struct vsw_port *in_port;
	uint32_t punt_reason, punt_vni;
	struct packet_pool *pool;
	struct vsw_packet *next;	/* In the pool. */
	uint8_t buffer[];
};

#endif /* datapath/packet.h */
