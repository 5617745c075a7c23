/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_PACKET_H
#define DATAPATH_PACKET_H 1

/* A packet: a buffer with headroom, and what is known about the bytes.
 *
 * Packets come from a worker's pool, in a few size classes.  What is freed
 * waits there for its next use, up to a bound for each class, so that a cache
 * hit asks the allocator for nothing.  [worker] */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vswitch/packet.h>
#include <vswitch/switch.h>

struct packet_pool;
struct vsw_port;

struct vsw_packet {
	uint8_t *data;			/* In 'buffer'. */
	uint32_t size;
	uint32_t capacity;		/* Of 'buffer', headroom included. */
	struct vsw_port *in_port;
	struct packet_pool *pool;
	struct vsw_packet *next;	/* In the pool, or in a queue. */
	struct vsw_offload offload;
	uint8_t class;			/* The pool's. */
	bool is_resumed;		/* By the host: punts let it pass. */
	uint32_t punt_reason, punt_vni;
	uint32_t punt_mtu;		/* Set by whoever punts it: holds if
					 * there is a reason. */
	/* On the first cache line is all that most packets need. */
	struct vsw_tunnel tunnel;	/* encap NONE: none. */
	_Alignas(64) uint8_t buffer[];
};

/* [control] 0 or -ENOMEM.  free wants all packets back. */
int packet_pool_new(const struct vsw_allocator *,
		    struct packet_pool **ret_pool);
void packet_pool_free(struct packet_pool *);
/* Packets that are out. */
size_t packet_pool_n_used(const struct packet_pool *);

/* As vsw_packet_new(). */
struct vsw_packet *packet_new(struct packet_pool *, size_t size);
/* A copy of bytes and of all that is known about them, with full headroom;
 * NULL: out of memory. */
struct vsw_packet *packet_clone(const struct vsw_packet *);

/* As vsw_packet_push() and vsw_packet_pull(). */
static inline uint8_t *
packet_push(struct vsw_packet *packet, size_t n)
{
	if (n > (size_t) (packet->data - packet->buffer))
		return NULL;
	packet->data -= n;
	packet->size += (uint32_t) n;
	return packet->data;
}

static inline void
packet_pull(struct vsw_packet *packet, size_t n)
{
	if (n > packet->size)
		n = packet->size;
	packet->data += n;
	packet->size -= (uint32_t) n;
}

#endif /* datapath/packet.h */
