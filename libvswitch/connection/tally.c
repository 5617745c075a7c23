/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/connection/tally.h"

#include <string.h>
#include "libvswitch/base/memory.h"
#include "libvswitch/connection/room.h"

static struct tally *make(struct room *, struct room_chunk *);
static struct room_chunk *chunk_of(const struct room *, uint32_t place);

void
tally_add(struct room *room, uint32_t place,
	  const struct connection_packet *packet)
{
	struct room_chunk *chunk = chunk_of(room, place);
	struct tally *tallies = atomic_load_explicit(&chunk->tallies,
						     memory_order_acquire);
	unsigned side = packet->direction
			!= room_entry(room, place)->direction;

	if (!tallies)
		tallies = make(room, chunk);
	if (!tallies)
		return;
	tallies[place % ROOM_CHUNK].n_packets[side]++;
	tallies[place % ROOM_CHUNK].n_bytes[side] += packet->size;
}

bool
tally_take(const struct room *room, uint32_t place, struct tally *ret_tally)
{
	struct tally *tallies = atomic_load_explicit(
		&chunk_of(room, place)->tallies, memory_order_acquire);

	memset(ret_tally, 0, sizeof *ret_tally);
	if (!tallies)
		return false;
	*ret_tally = tallies[place % ROOM_CHUNK];
	memset(&tallies[place % ROOM_CHUNK], 0, sizeof *tallies);
	return ret_tally->n_packets[0] || ret_tally->n_packets[1];
}

/* Entries of a chunk are of many shards: two may come at once. */
static struct tally *
make(struct room *room, struct room_chunk *chunk)
{
	size_t size = ROOM_CHUNK * sizeof(struct tally);
	struct tally *fresh = memory_alloc(room->allocator, 0, size);
	struct tally *there = NULL;

	if (!fresh)
		return atomic_load(&chunk->tallies);
	if (atomic_compare_exchange_strong(&chunk->tallies, &there, fresh))
		return fresh;
	memory_free(room->allocator, fresh, size);
	return there;
}

static struct room_chunk *
chunk_of(const struct room *room, uint32_t place)
{
	return atomic_load_explicit(&room->chunks[place / ROOM_CHUNK],
				    memory_order_acquire);
}
