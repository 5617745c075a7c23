/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/connection/room.h"

#include <errno.h>
#include <string.h>
#include "libvswitch/base/memory.h"
#include "libvswitch/base/switch.h"
#include "libvswitch/base/wire.h"

enum {
	SEARCH_EVERY = 64,		/* Searches between two looks at all
					 * ports. */
	BURST_MIN = 64			/* Openings at once, at any rate. */
};

#define S UINT64_C(1000000000)

static struct room_limits limits_of(const struct room *,
				    const struct room_port *);
static bool may_open(uint32_t rate, struct room_port *, uint64_t now);
static bool has_waited(const struct room *, const struct room_port *,
		       uint64_t now, struct victim *);
static void choose(const struct room *, const struct room_port *,
		   struct victim *);
static void choose_place(const struct room *, uint32_t place,
			 struct victim *);
static void count(struct room_port *, enum track_hold, uint32_t change);
static enum vsw_class class_of(const struct room *, uint32_t place);
static void class_more(struct room_port *, enum vsw_class, bool is_new);
static int grow(struct room *, uint32_t n_chunks);
static struct room_port *find_hog(struct room *);
static void add(const struct room *, struct room_port *, enum track_hold,
		uint32_t place, uint64_t now);
static void take_out(const struct room *, struct room_port *, enum track_hold,
		     uint32_t place);

int
room_init(struct room *room, const struct vsw *vsw)
{
	const struct vsw_options *options = &vsw->options;

	room->allocator = &vsw->allocator;
	room->max = options->max_connections;
	room->max_port = options->max_port_connections;
	room->max_port_half_open = options->max_port_half_open;
	room->max_port_per_s = options->max_port_connections_per_s;
	room->n_ports = options->max_ports;
	room->max_chunks = (room->max + ROOM_CHUNK - 1) / ROOM_CHUNK;
	room->pool.free = ROOM_NONE;
	room->chunks = memory_alloc(room->allocator, 0,
				    room->max_chunks * sizeof *room->chunks);
	room->ports = memory_alloc(room->allocator,
				   _Alignof(struct room_port),
				   room->n_ports * sizeof *room->ports);
	if (!room->chunks || !room->ports) {
		room_done(room);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < room->n_ports; i++)
		for (unsigned hold = 0; hold < TRACK_N_HOLDS; hold++)
			room->ports[i].lists[hold] = (struct room_list) {
				ROOM_NONE, ROOM_NONE
			};
	return 0;
}

void
room_done(struct room *room)
{
	for (uint32_t i = 0; i < room->pool.n_chunks; i++) {
		struct room_chunk *chunk = atomic_load(&room->chunks[i]);

		memory_free(room->allocator, atomic_load(&chunk->tallies),
			    ROOM_CHUNK * sizeof(struct tally));
		memory_free(room->allocator, chunk, sizeof *chunk);
	}
	memory_free(room->allocator, room->chunks,
		    room->max_chunks * sizeof *room->chunks);
	memory_free(room->allocator, room->ports,
		    room->n_ports * sizeof *room->ports);
	room->chunks = NULL;
	room->ports = NULL;
}

int
room_admit(struct room *room, uint32_t number, enum track_hold hold,
	   uint64_t now, struct victim *victim)
{
	struct room_port *port = &room->ports[number];
	struct room_limits limits;
	int drop = CONNECTION_OPENED;

	victim->place = ROOM_NONE;
	lock_take(&port->lock);
	limits = limits_of(room, port);
	if (!may_open(limits.max_per_s, port, now)) {
		drop = VSW_DROP_CONNECTION_RATE;
	} else if (atomic_load_explicit(&port->n, memory_order_relaxed)
		   >= limits.max) {
		choose(room, port, victim);
		if (victim->place == ROOM_NONE)
			drop = VSW_DROP_CONNECTION_LIMIT;
	} else if (hold == TRACK_HALF_OPEN
		   && port->n_held[hold] >= limits.max_half_open
		   && !has_waited(room, port, now, victim)) {
		drop = VSW_DROP_CONNECTION_HALF_OPEN;
	}
	if (drop == CONNECTION_OPENED)
		count(port, hold, 1);
	lock_give(&port->lock);
	if (drop != CONNECTION_OPENED)
		room_refuse(room, number);
	return drop;
}

void
room_dismiss(struct room *room, uint32_t number, enum track_hold hold)
{
	struct room_port *port = &room->ports[number];

	lock_take(&port->lock);
	count(port, hold, UINT32_MAX);
	lock_give(&port->lock);
}

void
room_refuse(struct room *room, uint32_t number)
{
	atomic_fetch_add_explicit(&room->ports[number].n_refused, 1,
				  memory_order_relaxed);
}

int
room_take(struct room *room, uint32_t *ret_place)
{
	struct room_pool *pool = &room->pool;
	int error = 0;

	while (!error) {
		uint32_t place = ROOM_NONE, n_chunks, n;

		lock_take(&pool->lock);
		n_chunks = pool->n_chunks;
		n = atomic_load_explicit(&pool->n_taken,
					 memory_order_relaxed);
		if (n >= room->max) {
			error = -ENOSPC;
		} else if (pool->free != ROOM_NONE) {
			place = pool->free;
			pool->free = room_entry(room, place)->next;
		} else if (pool->n_fresh < n_chunks * ROOM_CHUNK) {
			place = pool->n_fresh++;
		}
		if (place != ROOM_NONE)
			atomic_store_explicit(&pool->n_taken, n + 1,
					      memory_order_relaxed);
		lock_give(&pool->lock);
		if (place != ROOM_NONE) {
			*ret_place = place;
			return 0;
		}
		if (!error)
			error = grow(room, n_chunks);
	}
	return error;
}

void
room_put(struct room *room, uint32_t place)
{
	struct room_pool *pool = &room->pool;

	lock_take(&pool->lock);
	room_entry(room, place)->next = pool->free;
	pool->free = place;
	atomic_store_explicit(&pool->n_taken,
		atomic_load_explicit(&pool->n_taken, memory_order_relaxed)
		- 1, memory_order_relaxed);
	lock_give(&pool->lock);
}

bool
room_search(struct room *room, uint32_t own, struct victim *victim)
{
	struct room_port *port = find_hog(room);

	victim->place = ROOM_NONE;
	lock_take(&port->lock);
	choose(room, port, victim);
	lock_give(&port->lock);
	if (victim->place == ROOM_NONE && port != &room->ports[own]) {
		port = &room->ports[own];
		lock_take(&port->lock);
		choose(room, port, victim);
		lock_give(&port->lock);
	}
	return victim->place != ROOM_NONE;
}

bool
room_oldest(struct room *room, uint32_t number, enum track_hold hold,
	    struct victim *victim)
{
	struct room_port *port = &room->ports[number];

	victim->place = ROOM_NONE;
	lock_take(&port->lock);
	choose_place(room, port->lists[hold].oldest, victim);
	lock_give(&port->lock);
	return victim->place != ROOM_NONE;
}

void
room_list(struct room *room, uint32_t number, enum track_hold hold,
	  uint32_t place, uint64_t now)
{
	struct room_port *port = &room->ports[number];

	lock_take(&port->lock);
	add(room, port, hold, place, now);
	class_more(port, VSW_CLASS_CONNECTIONS, true);
	class_more(port, class_of(room, place), true);
	if (hold == TRACK_HALF_OPEN)
		class_more(port, VSW_CLASS_HALF_OPEN, true);
	lock_give(&port->lock);
	atomic_fetch_add_explicit(&port->n_opened, 1, memory_order_relaxed);
}

void
room_move(struct room *room, uint32_t number, enum track_hold from,
	  enum track_hold to, uint32_t place, uint64_t now)
{
	struct room_port *port = &room->ports[number];

	lock_take(&port->lock);
	take_out(room, port, from, place);
	add(room, port, to, place, now);
	port->n_held[from]--;
	port->n_held[to]++;
	if (from == TRACK_HALF_OPEN)
		port->classes[VSW_CLASS_HALF_OPEN].n--;
	else if (to == TRACK_HALF_OPEN)
		class_more(port, VSW_CLASS_HALF_OPEN, false);
	lock_give(&port->lock);
}

void
room_unlist(struct room *room, uint32_t number, enum track_hold hold,
	    uint32_t place)
{
	struct room_port *port = &room->ports[number];

	lock_take(&port->lock);
	take_out(room, port, hold, place);
	port->classes[VSW_CLASS_CONNECTIONS].n--;
	port->classes[class_of(room, place)].n--;
	if (hold == TRACK_HALF_OPEN)
		port->classes[VSW_CLASS_HALF_OPEN].n--;
	atomic_store_explicit(&room_entry(room, place)->hash, 0,
			      memory_order_relaxed);
	count(port, hold, UINT32_MAX);
	lock_give(&port->lock);
}

void
room_count_classes(struct room *room, uint32_t number,
		   struct vsw_port_classes *classes)
{
	struct room_port *port = &room->ports[number];

	lock_take(&port->lock);
	for (unsigned i = VSW_CLASS_CONNECTIONS; i < VSW_N_CLASSES; i++) {
		classes->of[i].n = port->classes[i].n;
		classes->of[i].max = port->classes[i].max;
		classes->of[i].created = port->classes[i].n_created;
	}
	lock_give(&port->lock);
}

void
room_limit(struct room *room, uint32_t number,
	   const struct room_limits *limits)
{
	struct room_port *port = &room->ports[number];

	lock_take(&port->lock);
	port->limits = *limits;
	lock_give(&port->lock);
}

void
room_forget(struct room *room, uint32_t number)
{
	struct room_port *port = &room->ports[number];

	lock_take(&port->lock);
	port->limits = (struct room_limits) { 0 };
	port->openings = (struct budget) { 0 };
	memset(port->classes, 0, sizeof port->classes);
	lock_give(&port->lock);
	atomic_store(&port->n_opened, 0);
	atomic_store(&port->n_refused, 0);
}

/* With its lock. */
static struct room_limits
limits_of(const struct room *room, const struct room_port *port)
{
	struct room_limits limits = port->limits;

	if (!limits.max)
		limits.max = room->max_port;
	if (!limits.max_half_open)
		limits.max_half_open = room->max_port_half_open;
	if (!limits.max_per_s)
		limits.max_per_s = room->max_port_per_s;
	return limits;
}

/* A tenth of a second's openings at once.  Clocks of workers may differ a
 * little, and the budget's is not to run backwards. */
static bool
may_open(uint32_t rate, struct room_port *port, uint64_t now)
{
	if (rate == VSW_UNLIMITED)
		return true;
	if (now < port->openings.filled_ns)
		now = port->openings.filled_ns;
	return budget_take(&port->openings, rate,
			   rate / 10 > BURST_MIN ? rate / 10 : BURST_MIN, now);
}

/* Who has waited for a second will hardly be answered; who has not may be. */
static bool
has_waited(const struct room *room, const struct room_port *port, uint64_t now,
	   struct victim *victim)
{
	uint32_t place = port->lists[TRACK_HALF_OPEN].oldest;
	uint64_t since;

	if (place == ROOM_NONE)
		return false;
	since = room_entry(room, place)->listed_ns;
	if (now < since || now - since < S)
		return false;
	choose_place(room, place, victim);
	return true;
}

/* Under the port's lock: of what is not settled, what has been so longest. */
static void
choose(const struct room *room, const struct room_port *port,
       struct victim *victim)
{
	uint32_t half_open = port->lists[TRACK_HALF_OPEN].oldest;
	uint32_t closing = port->lists[TRACK_CLOSING].oldest;

	if (closing == ROOM_NONE
	    || (half_open != ROOM_NONE
		&& room_entry(room, half_open)->listed_ns
		   < room_entry(room, closing)->listed_ns))
		choose_place(room, half_open, victim);
	else
		choose_place(room, closing, victim);
}

static void
choose_place(const struct room *room, uint32_t place, struct victim *victim)
{
	victim->place = place;
	if (place != ROOM_NONE)
		victim->hash = atomic_load_explicit(
			&room_entry(room, place)->hash,
			memory_order_relaxed);
}

/* Under the port's lock; others read 'n' without. */
static void
count(struct room_port *port, enum track_hold hold, uint32_t change)
{
	port->n_held[hold] += change;
	atomic_store_explicit(&port->n,
		atomic_load_explicit(&port->n, memory_order_relaxed)
		+ change, memory_order_relaxed);
}

static enum vsw_class
class_of(const struct room *room, uint32_t place)
{
	switch (room_entry(room, place)->key.proto) {
	case IP_PROTO_TCP:
		return VSW_CLASS_TCP;
	case IP_PROTO_UDP:
		return VSW_CLASS_UDP;
	case IP_PROTO_ICMP:
		return VSW_CLASS_ICMP;
	default:
		return VSW_CLASS_OTHER;
	}
}

/* Under the port's lock. */
static void
class_more(struct room_port *port, enum vsw_class class, bool is_new)
{
	struct room_class *c = &port->classes[class];

	if (++c->n > c->max)
		c->max = c->n;
	c->n_created += is_new;
}

/* Unless another worker has done so already. */
static int
grow(struct room *room, uint32_t n_chunks)
{
	struct room_pool *pool = &room->pool;
	struct room_chunk *chunk = memory_alloc(room->allocator, 64,
						sizeof *chunk);

	if (!chunk)
		return -ENOMEM;
	lock_take(&pool->lock);
	if (pool->n_chunks == n_chunks && n_chunks < room->max_chunks) {
		atomic_store_explicit(&room->chunks[n_chunks], chunk,
				      memory_order_release);
		pool->n_chunks++;
		chunk = NULL;
	}
	lock_give(&pool->lock);
	memory_free(room->allocator, chunk, sizeof *chunk);
	return 0;
}

/* Looks at all ports now and then only: there may be thousands. */
static struct room_port *
find_hog(struct room *room)
{
	uint32_t hog = atomic_load_explicit(&room->hog, memory_order_relaxed);
	uint32_t most = atomic_load_explicit(&room->ports[hog].n,
					     memory_order_relaxed);

	if (room->n_ports > SEARCH_EVERY
	    && atomic_fetch_add_explicit(&room->n_searches, 1,
					 memory_order_relaxed)
	       % SEARCH_EVERY)
		return &room->ports[hog];
	for (uint32_t i = 0; i < room->n_ports; i++) {
		uint32_t n = atomic_load_explicit(&room->ports[i].n,
						  memory_order_relaxed);

		if (n > most) {
			most = n;
			hog = i;
		}
	}
	atomic_store_explicit(&room->hog, hog, memory_order_relaxed);
	return &room->ports[hog];
}

/* Both under the port's lock. */
static void
add(const struct room *room, struct room_port *port, enum track_hold hold,
    uint32_t place, uint64_t now)
{
	struct room_list *list = &port->lists[hold];
	struct entry *e = room_entry(room, place);

	e->listed_ns = now;
	e->older = list->newest;
	e->newer = ROOM_NONE;
	if (e->older == ROOM_NONE)
		list->oldest = place;
	else
		room_entry(room, e->older)->newer = place;
	list->newest = place;
}

static void
take_out(const struct room *room, struct room_port *port, enum track_hold hold,
	 uint32_t place)
{
	struct room_list *list = &port->lists[hold];
	const struct entry *e = room_entry(room, place);

	if (e->older == ROOM_NONE)
		list->oldest = e->newer;
	else
		room_entry(room, e->older)->newer = e->newer;
	if (e->newer == ROOM_NONE)
		list->newest = e->older;
	else
		room_entry(room, e->newer)->older = e->older;
}
