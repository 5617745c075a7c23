/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/datapath/packet.h"

#include <errno.h>
#include <string.h>

#include "libvswitch/base/memory.h"
#include "libvswitch/base/poison.h"
#include "libvswitch/datapath/worker.h"

/* What stands in front of a new packet: the promised headroom, up to the next
 * cache line, so that headers begin on one. */
enum { HEADROOM = (VSW_PACKET_HEADROOM + 63) / 64 * 64 };

/* A packet of the usual MTU, of a jumbo frame, of everything. */
static const struct {
	uint32_t capacity;
	uint32_t max_free;
} classes[] = {
	{ 2048, 1024 },
	{ 10240, 128 },
	{ (HEADROOM + VSW_PACKET_MAX + 63) / 64 * 64, 64 },
};

enum { N_CLASSES = sizeof classes / sizeof classes[0] };

struct packet_pool {
	struct vsw_allocator allocator;
	size_t n_used;
	struct {
		struct vsw_packet *first;
		uint32_t n;
	} free[N_CLASSES];
};

static struct vsw_packet *take(struct packet_pool *, unsigned class);
static void end_at(struct vsw_packet *, size_t size);
static unsigned class_of(size_t capacity);
static size_t bytes_of(const struct vsw_packet *);

int
packet_pool_new(const struct vsw_allocator *allocator,
		struct packet_pool **ret_pool)
{
	struct packet_pool *pool = memory_alloc(allocator, 0, sizeof *pool);

	if (!pool)
		return -ENOMEM;
	pool->allocator = *allocator;
	*ret_pool = pool;
	return 0;
}

void
packet_pool_free(struct packet_pool *pool)
{
	if (!pool)
		return;
	for (unsigned i = 0; i < N_CLASSES; i++) {
		struct vsw_packet *next;

		for (struct vsw_packet *p = pool->free[i].first; p; p = next) {
			ASAN_UNPOISON_MEMORY_REGION(p->buffer, p->capacity);
			next = p->next;
			memory_free(&pool->allocator, p, bytes_of(p));
		}
	}

	struct vsw_allocator allocator = pool->allocator;

	memory_free(&allocator, pool, sizeof *pool);
}

size_t
packet_pool_n_used(const struct packet_pool *pool)
{
	return pool->n_used;
}

struct vsw_packet *
packet_new(struct packet_pool *pool, size_t size)
{
	struct vsw_packet *packet;

	if (size > VSW_PACKET_MAX)
		return NULL;
	packet = take(pool, class_of(HEADROOM + size));
	if (!packet)
		return NULL;
	packet->data = packet->buffer + HEADROOM;
	end_at(packet, size);
	packet->offload = (struct vsw_offload) { 0 };
	packet->tunnel = (struct vsw_tunnel) { 0 };
	packet->in_port = NULL;
	packet->punt_reason = packet->punt_vni = 0;
	packet->is_resumed = false;
	packet->next = NULL;
	pool->n_used++;
	return packet;
}

struct vsw_packet *
packet_clone(const struct vsw_packet *packet)
{
	struct vsw_packet *clone = packet_new(packet->pool, packet->size);

	if (!clone)
		return NULL;
	memcpy(clone->data, packet->data, packet->size);
	clone->offload = packet->offload;
	clone->tunnel = packet->tunnel;
	clone->in_port = packet->in_port;
	clone->punt_reason = packet->punt_reason;
	clone->punt_vni = packet->punt_vni;
	clone->punt_mtu = packet->punt_mtu;
	return clone;
}

struct vsw_packet *
vsw_packet_new(struct vsw_worker *worker, size_t size)
{
	return packet_new(worker->pool, size);
}

void
vsw_packet_free(struct vsw_packet *packet)
{
	if (!packet)
		return;

	struct packet_pool *pool = packet->pool;
	unsigned class = packet->class;

	pool->n_used--;
	ASAN_UNPOISON_MEMORY_REGION(packet->buffer, packet->capacity);
	if (pool->free[class].n >= classes[class].max_free) {
		memory_free(&pool->allocator, packet, bytes_of(packet));
		return;
	}
	packet->next = pool->free[class].first;
	pool->free[class].first = packet;
	pool->free[class].n++;
	ASAN_POISON_MEMORY_REGION(packet->buffer, packet->capacity);
}

uint8_t *
vsw_packet_data(struct vsw_packet *packet)
{
	return packet->data;
}

size_t
vsw_packet_size(const struct vsw_packet *packet)
{
	return packet->size;
}

void
vsw_packet_trim(struct vsw_packet *packet, size_t size)
{
	if (size < packet->size)
		end_at(packet, size);
}

uint8_t *
vsw_packet_push(struct vsw_packet *packet, size_t n)
{
	return packet_push(packet, n);
}

void
vsw_packet_pull(struct vsw_packet *packet, size_t n)
{
	packet_pull(packet, n);
}

struct vsw_port *
vsw_packet_in_port(const struct vsw_packet *packet)
{
	return packet->in_port;
}

struct vsw_offload *
vsw_packet_offload(struct vsw_packet *packet)
{
	return &packet->offload;
}

struct vsw_tunnel *
vsw_packet_tunnel(struct vsw_packet *packet)
{
	return &packet->tunnel;
}

uint32_t
vsw_packet_punt(const struct vsw_packet *packet, uint32_t *ret_vni)
{
	if (ret_vni)
		*ret_vni = packet->punt_vni;
	return packet->punt_reason;
}

uint32_t
vsw_packet_punt_mtu(const struct vsw_packet *packet)
{
	return packet->punt_reason ? packet->punt_mtu : 0;
}

static struct vsw_packet *
take(struct packet_pool *pool, unsigned class)
{
	struct vsw_packet *packet = pool->free[class].first;

	if (packet) {
		ASAN_UNPOISON_MEMORY_REGION(packet->buffer, packet->capacity);
		pool->free[class].first = packet->next;
		pool->free[class].n--;
		return packet;
	}
	packet = memory_alloc(&pool->allocator, _Alignof(struct vsw_packet),
			      sizeof *packet + classes[class].capacity);
	if (!packet)
		return NULL;
	packet->pool = pool;
	packet->class = (uint8_t) class;
	packet->capacity = classes[class].capacity;
	return packet;
}

/* Nothing is ever put behind a packet; who reads there is mistaken, though the
 * buffer be larger. */
static void
end_at(struct vsw_packet *packet, size_t size)
{
	uint8_t *end = packet->data + size;

	packet->size = (uint32_t) size;
	ASAN_POISON_MEMORY_REGION(end, packet->buffer + packet->capacity
				  - end);
}

static unsigned
class_of(size_t capacity)
{
	unsigned class = 0;

	while (capacity > classes[class].capacity)
		class++;
	return class;
}

static size_t
bytes_of(const struct vsw_packet *packet)
{
	return sizeof *packet + packet->capacity;
}
