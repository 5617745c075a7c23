/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CONNECTION_ROOM_H
#define CONNECTION_ROOM_H 1

/* Room for connections: the entries, who may have how many, and who gives way
 * when there is none left.  Nothing here knows how connections are found.
 * Used by connection/connection.c alone.
 *
 * Entries stand in chunks that are never moved, and never freed before the
 * whole is.  Each port lists its own by hold (track.h), in the order in which
 * they came to it, under a lock of its own. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "libvswitch/base/budget.h"
#include "libvswitch/base/lock.h"
#include "libvswitch/connection/connection.h"
#include "libvswitch/connection/tally.h"
#include "libvswitch/connection/track.h"

enum { ROOM_CHUNK = 512, ROOM_NONE = UINT32_MAX };

/* There are never more serials of programs than an entry has room for. */
#define ROOM_PROGRAM_MASK ((UINT64_C(1) << 48) - 1)

/* On the first line what is looked for, on the second what is kept. */
struct entry {
	_Alignas(64) struct connection_key key;
	_Atomic uint32_t hash;		/* 0: free. */
	uint32_t next;			/* In its bucket; of those free. */
	uint32_t layers;
	/* enum track_state; enum vsw_direction; struct sequence; bits by
	 * direction: somebody listens; of the opener, as the rest below. */
	uint16_t state : 6, direction : 1, known : 2, listens : 2,
		 vlan_high : 5;
	uint16_t log_tag;		/* Its end is told with; 0: it is
					 * not. */

	uint64_t used_ns, opened_ns;
	uint64_t listed_ns;		/* Since when in its port's list. */
	uint64_t program : 48, serial : 16;	/* The second counts up, for
						 * ever. */
	uint32_t older, newer;		/* In that list. */
	uint8_t eth_src[6], eth_dst[6];	/* Of the opener. */
	uint32_t vni : 24, vlan_low : 8;
	uint32_t next_tcp[2];		/* struct sequence. */
};

_Static_assert(sizeof(struct entry) == 128, "an entry straddles cache lines");
_Static_assert((int) TRACK_N_STATES <= 1 << 6, "a state is six bits");

/* By direction, where entry.listens says so. */
struct room_listeners {
	uint32_t flows[2];
	uint8_t workers[2];
};

struct room_chunk {
	struct entry entries[ROOM_CHUNK];
	struct room_listeners listeners[ROOM_CHUNK];
	_Atomic(struct tally *) tallies;	/* ROOM_CHUNK; NULL: none yet.
						 * tally.h */
};
static inline struct connection_opener
room_opener(const struct entry *e)
{
	struct connection_opener opener = {
		.vni = e->vni,
		.vlan = (uint16_t) (e->vlan_high << 8 | e->vlan_low)
	};

	memcpy(opener.eth_src, e->eth_src, sizeof e->eth_src);
	memcpy(opener.eth_dst, e->eth_dst, sizeof e->eth_dst);
	return opener;
}

static inline void
room_set_opener(struct entry *e, const struct connection_opener *opener)
{
	memcpy(e->eth_src, opener->eth_src, sizeof e->eth_src);
	memcpy(e->eth_dst, opener->eth_dst, sizeof e->eth_dst);
	e->vni = opener->vni & 0xffffff;
	e->vlan_low = (uint8_t) opener->vlan;
	e->vlan_high = opener->vlan >> 8 & 0x1f;
}

struct room_list {
	uint32_t oldest, newest;
};

/* enum vsw_class, but for FLOWS: what is listed. */
struct room_class {
	uint32_t n, max;
	uint64_t n_created;
};

/* Of a port, where it is not the room's; 0: it is. */
struct room_limits {
	uint32_t max, max_half_open, max_per_s;
};

struct room_port {
	_Alignas(64) struct lock lock;
	struct room_limits limits;	/* Under the lock. */
	uint32_t n_held[TRACK_N_HOLDS];
	_Atomic uint32_t n;		/* Of all holds. */
	struct room_list lists[TRACK_N_HOLDS];
	struct room_class classes[VSW_N_CLASSES];
	struct budget openings;
	_Atomic uint64_t n_opened, n_refused;
};

/* Places that are free. */
struct room_pool {
	_Alignas(64) struct lock lock;
	uint32_t free;			/* Linked by 'next'. */
	uint32_t n_fresh, n_chunks;	/* Places and chunks ever taken. */
	_Atomic uint32_t n_taken;
};

struct room {
	const struct vsw_allocator *allocator;
	uint32_t max, max_port, max_port_half_open, max_port_per_s;
	uint32_t n_ports, max_chunks;
	_Atomic(struct room_chunk *) *chunks;
	struct room_port *ports;	/* By number. */
	_Atomic uint32_t hog, n_searches;
	struct room_pool pool;
};

/* Who is to give way, as far as it was known under its port's lock. */
struct victim {
	uint32_t place, hash;
};

/* [control] 0 or -ENOMEM, and then there is nothing to be done with it. */
int room_init(struct room *, const struct vsw *);
void room_done(struct room *);

/* Counts one more of 'hold' at the port: CONNECTION_OPENED; then the victim, if
 * it has a place, is to give way, and somebody is to be listed or dismissed.
 * Or says which drop. */
int room_admit(struct room *, uint32_t port, enum track_hold, uint64_t now,
	       struct victim *);
void room_dismiss(struct room *, uint32_t port, enum track_hold);
/* Refused at the port for another reason. */
void room_refuse(struct room *, uint32_t port);
/* A free place, whose 'hash' is 0.  -ENOSPC: there are as many as may be;
 * -ENOMEM. */
int room_take(struct room *, uint32_t *ret_place);
void room_put(struct room *, uint32_t place);
/* Makes the port that holds most give its oldest that is not settled.  If it
 * has none, who wants room ('own') gives his: nobody pays for a third.  False:
 * he has none, either. */
bool room_search(struct room *, uint32_t own, struct victim *);
/* The oldest of a hold; false: none. */
bool room_oldest(struct room *, uint32_t port, enum track_hold,
		 struct victim *);

/* Of places whose entry the caller has locked.  'unlist' clears the hash and
 * counts one less. */
void room_list(struct room *, uint32_t port, enum track_hold, uint32_t place,
	       uint64_t now);
void room_move(struct room *, uint32_t port, enum track_hold from,
	       enum track_hold to, uint32_t place, uint64_t now);
void room_unlist(struct room *, uint32_t port, enum track_hold,
		 uint32_t place);

/* [any] Of the connections' classes. */
void room_count_classes(struct room *, uint32_t port,
			struct vsw_port_classes *classes);
/* [control] What is open stays. */
void room_limit(struct room *, uint32_t port, const struct room_limits *);
/* Counts and limits of a port that holds nothing begin anew. */
void room_forget(struct room *, uint32_t port);

static inline struct entry *
room_entry(const struct room *room, uint32_t place)
{
	return &atomic_load_explicit(&room->chunks[place / ROOM_CHUNK],
				     memory_order_acquire)
		->entries[place % ROOM_CHUNK];
}

static inline struct room_listeners *
room_listeners(const struct room *room, uint32_t place)
{
	return &atomic_load_explicit(&room->chunks[place / ROOM_CHUNK],
				     memory_order_acquire)
		->listeners[place % ROOM_CHUNK];
}

/* Has there ever been an entry? */
static inline bool
room_is_place(const struct room *room, uint32_t place)
{
	return place / ROOM_CHUNK < room->max_chunks
	       && atomic_load_explicit(&room->chunks[place / ROOM_CHUNK],
				       memory_order_acquire);
}

#endif /* connection/room.h */
