/* SPDX-License-Identifier: Apache-2.0 */

/* What the table of connections is asked from outside of packets. */

#include "libvswitch/connection/connection.h"

#include "libvswitch/connection/table.h"

static void copy_of(const struct entry *, uint64_t now,
		    struct connection_copy *);

void
connections_count(const struct connections *t, uint32_t port,
		  struct vsw_port_counters *counters)
{
	const struct room_port *p = &t->room.ports[port];

	counters->connections = table_load(&p->n);
	counters->connections_opened = atomic_load_explicit(
		&p->n_opened, memory_order_relaxed);
	counters->connections_refused = atomic_load_explicit(
		&p->n_refused, memory_order_relaxed);
}

void
connections_count_classes(struct connections *t, uint32_t port,
			  struct vsw_port_classes *classes)
{
	room_count_classes(&t->room, port, classes);
}

/* '*at' counts buckets, and in its lowest byte what has been seen of one. */
size_t
connections_copy(struct connections *t, uint32_t port, uint64_t now,
		 uint64_t *at, uint64_t end,
		 struct connection_copy *ret_copies, size_t max)
{
	size_t n = 0;

	while (n < max && *at < end && *at >> 8 <= t->mask) {
		uint32_t bucket = (uint32_t) (*at >> 8);
		struct lock *lock = connections_lock(t, bucket);
		uint32_t place, i = 0;

		lock_take(lock);
		place = table_load(&t->buckets[bucket]);
		for (; place != ROOM_NONE && n < max; i++) {
			const struct entry *e = room_entry(&t->room, place);

			place = e->next;
			if (i >= (*at & 0xff) && connections_is_alive(t, e, now)
			    && (port == UINT32_MAX || e->key.port == port))
				copy_of(e, now, &ret_copies[n++]);
		}
		lock_give(lock);
		*at = place == ROOM_NONE || i > 0xff
		      ? ((uint64_t) bucket + 1) << 8
		      : (uint64_t) bucket << 8 | i;
	}
	return n;
}

size_t
connections_continue(struct connections *t, uint64_t now, uint64_t *at,
		     uint64_t end, struct ended *ret_going, size_t max)
{
	size_t n = 0;

	while (n < max && *at < end && *at >> 8 <= t->mask) {
		uint32_t bucket = (uint32_t) (*at >> 8), place;
		struct lock *lock = connections_lock(t, bucket);

		if (table_load(&t->buckets[bucket]) == ROOM_NONE) {
			*at = ((uint64_t) bucket + 1) << 8;
			continue;
		}
		lock_take(lock);
		/* Who was told of already has nothing to tell now. */
		for (place = table_load(&t->buckets[bucket]);
		     place != ROOM_NONE && n < max;
		     place = room_entry(&t->room, place)->next) {
			const struct entry *e = room_entry(&t->room, place);
			struct ended *going = &ret_going[n];

			if (!e->log_tag || !connections_is_alive(t, e, now)
			    || !tally_take(&t->room, place, &going->tally))
				continue;
			going->key = e->key;
			going->opener = room_opener(e);
			going->time_ns = now;
			going->tag = e->log_tag;
			going->direction = e->direction;
			n++;
		}
		lock_give(lock);
		if (place == ROOM_NONE)
			*at = ((uint64_t) bucket + 1) << 8;
	}
	return n;
}

size_t
connections_n_places(const struct connections *t)
{
	return (size_t) t->mask + 1;
}

static void
copy_of(const struct entry *e, uint64_t now, struct connection_copy *copy)
{
	*copy = (struct connection_copy) {
		.key = e->key, .state = e->state, .direction = e->direction,
		.layers = e->layers,
		.idle_ns = now > e->used_ns ? now - e->used_ns : 0,
		.age_ns = now > e->opened_ns ? now - e->opened_ns : 0
	};
}
