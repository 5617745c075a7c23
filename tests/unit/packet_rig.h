/* SPDX-License-Identifier: Apache-2.0 */

#ifndef UNIT_PACKET_RIG_H
#define UNIT_PACKET_RIG_H 1

/* A pool of packets for a test, on memory that counts. */

#include <check.h>
#include <string.h>
#include "libvswitch/datapath/packet.h"
#include "tests/unit/rig.h"
#include "tests/walk/frame.h"

struct packet_rig {
	struct rig_memory memory;
	struct packet_pool *pool;
};

static inline void
packet_rig_up(struct packet_rig *rig)
{
	struct vsw_allocator allocator = rig_allocator(&rig->memory);

	rig->memory = (struct rig_memory) { 0 };
	ck_assert_int_eq(packet_pool_new(&allocator, &rig->pool), 0);
}

/* Every packet and all memory must have come back. */
static inline void
packet_rig_down(struct packet_rig *rig)
{
	ck_assert_uint_eq(packet_pool_n_used(rig->pool), 0);
	packet_pool_free(rig->pool);
	ck_assert_uint_eq(rig->memory.n_live, 0);
	ck_assert_uint_eq(rig->memory.n_bytes, 0);
}

/* The caller's, who frees it. */
static inline struct vsw_packet *
packet_rig_packet(struct packet_rig *rig, const struct frame *frame)
{
	struct vsw_packet *p = packet_new(rig->pool, frame->size);

	ck_assert_ptr_nonnull(p);
	memcpy(p->data, frame->bytes, frame->size);
	p->offload = frame->offload;
	p->tunnel = frame->tunnel;
	return p;
}

#endif /* unit/packet_rig.h */
