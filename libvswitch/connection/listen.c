/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/connection/listen.h"

#include "libvswitch/base/ear.h"
#include "libvswitch/connection/room.h"

static void tell(const struct room_listeners *, const struct ear *ears,
		 unsigned direction);

void
listen_add(const struct room *room, const struct ear *ears, uint32_t place,
	   uint8_t direction, const struct connection_listener *listener)
{
	struct entry *e = room_entry(room, place);
	struct room_listeners *l = room_listeners(room, place);
	unsigned bit = 1u << direction;

	if (e->listens & bit) {
		if (l->flows[direction] == listener->flow
		    && l->workers[direction] == listener->worker)
			return;
		tell(l, ears, direction);
	}
	l->flows[direction] = listener->flow;
	l->workers[direction] = listener->worker;
	e->listens = (e->listens | bit) & 3;
}

void
listen_tell(const struct room *room, const struct ear *ears, uint32_t place)
{
	struct entry *e = room_entry(room, place);

	for (unsigned direction = 0; direction < 2; direction++)
		if (e->listens >> direction & 1)
			tell(room_listeners(room, place), ears, direction);
	e->listens = 0;
}

static void
tell(const struct room_listeners *l, const struct ear *ears,
     unsigned direction)
{
	ear_tell(&ears[l->workers[direction]], l->flows[direction]);
}
