/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CONNECTION_CONNECTION_H
#define CONNECTION_CONNECTION_H 1

/* The connections of a switch: one table that all workers share, because the
 * two directions may come to two of them.
 *
 * A connection belongs to the port whose layers opened it, and is found there
 * by who is behind the port and who is beyond it, so that both directions have
 * one key and nobody who merely swaps addresses belongs to it.  It knows its
 * state (track.h), the program that approved it, which of that program's layers
 * it passes, and how its opener came in, so that another program can be asked
 * about the opener when it is the other who sends next.
 *
 * Callers hold places (numbers), never pointers, with a serial, and show the
 * key with them: a place that has another connection by now is told by that.
 * So a connection's room can be used again at once, and whoever remembers one
 * that is gone is told so.  Of settled TCP not each packet is seen; the flows
 * that remember one listen (listen.h), and look when it is not settled any
 * more, or gives way to another.  What is kept is bounded, for each port and in
 * all; when there is no room, half-open and closing connections give way, never
 * settled ones.
 *
 * Room for translation (NAT): a second key of the same connection, in an array
 * beside the entries with the same places, chained in the same buckets.
 *
 * [worker] unless said otherwise; each call takes and gives back its locks. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vswitch/inspect.h>
#include "libvswitch/connection/sequence.h"
#include "libvswitch/connection/track.h"

struct connections;
struct ended;
struct ended_ring;
struct vsw;

/* No holes; what is not used is zero.  Numbers in host byte order. */
struct connection_key {
	uint8_t local[16], remote[16];	/* Behind the port, and beyond it. */
	uint32_t port;			/* vsw_port.number. */
	uint32_t vni;			/* On ports that carry tunnels. */
	uint16_t local_port, remote_port;	/* ICMP: identifier, and type
						 * of the request. */
	uint16_t vlan;			/* VID | 0x1000, or 0, as the port's
					 * own packets have it. */
	uint8_t proto;			/* ICMPv6 is ICMP here. */
	uint8_t family;			/* 4 or 6. */
};

_Static_assert(sizeof(struct connection_key) == 48, "the key has holes");

/* A packet, as its connection sees it. */
struct connection_packet {
	struct connection_key key;
	uint32_t hash;			/* connection_hash(). */
	uint8_t direction;		/* enum vsw_direction, at the port. */
	uint8_t event;			/* enum track_event. */
	uint32_t size;			/* Bytes, without padding. */
	bool is_related;		/* An ICMP error about a packet of the
					 * key's, which went the other way. */
	struct sequence_numbers numbers;	/* Of TCP. */
};

/* How the first packet looked when it came to the port's layers; together with
 * the key it can be made again. */
struct connection_opener {
	uint8_t eth_src[6], eth_dst[6];
	uint32_t vni;
	uint16_t vlan;			/* Not always the key's: on its way to
					 * the port it may have another tag. */
};

/* Where a connection is, and which of all that have been there. */
struct connection_reference {
	uint32_t place;
	uint16_t serial;
};

/* A flow that remembers one. */
struct connection_listener {
	uint8_t worker;
	uint32_t flow;			/* Its place in the worker's cache. */
};

/* A connection at one moment. */
struct connection_view {
	struct connection_reference at;
	uint8_t state;			/* enum track_state. */
	uint8_t direction;		/* Of the opener. */
	uint16_t log_tag;		/* Its end is told with; 0: it is
					 * not. */
	uint32_t layers;		/* Bit i: passes its layer i. */
	uint64_t program;		/* Serial of the one that approved. */
	struct connection_opener opener;
};

enum connection_verdict {
	CONNECTION_GONE,		/* There is none, or not any more, or
					 * it is refused, or the packet begins
					 * another. */
	CONNECTION_INVALID,		/* VSW_DROP_CONNECTION_STATE. */
	CONNECTION_WATCHED,		/* Good; each packet is to be seen, also
					 * of one that is to be told of. */
	CONNECTION_SETTLED		/* Good; see track_is_watched(). */
};

/* Where settled connections are used is noted this often (2^34 ns: 17 s), and
 * they stay that much longer. */
enum { CONNECTION_REFRESH_SHIFT = 34 };

enum { CONNECTION_OPENED = -1 };

/* [control] By the switch's options.  0 or -ENOMEM. */
int connections_new(struct vsw *, struct connections **ret_connections);
void connections_free(struct connections *);

uint32_t connection_hash(const struct connections *,
			 const struct connection_key *);
/* False: there is none, or the packet begins another.  One that is refused is
 * found in any case. */
bool connection_find(struct connections *, const struct connection_packet *,
		     uint64_t now, struct connection_view *ret_view);
/* Has what connection_find() looks at first on its way; and when that has come,
 * what it looks at then. */
void connection_fetch(const struct connections *, uint32_t hash);
void connection_fetch_more(const struct connections *, uint32_t hash);
/* Is there one with this hash, and not refused?  A yes may be about another
 * one. */
bool connection_may_be_there(struct connections *, uint32_t hash);
/* The packet passes: its connection takes note, if it is still the one that is
 * referred to.  If it is TCP and settled then, the listener (NULL: nobody) is
 * told when that is over. */
enum connection_verdict connection_see(struct connections *,
				       const struct connection_reference *,
				       const struct connection_packet *,
				       const struct connection_listener *,
				       uint64_t now);
/* The packet opens one, or joins one that another worker has opened meanwhile.
 * Returns CONNECTION_OPENED or the enum vsw_drop that says why not.  'view'
 * tells opener, layers and program, and gets the place and state. */
int connection_open(struct connections *, const struct connection_packet *,
		    uint64_t now, struct connection_view *view);
/* Another program has been asked: it lets the connection pass these layers,
 * also one that was refused. */
void connection_approve(struct connections *,
			const struct connection_packet *,
			uint64_t program, uint32_t layers, uint16_t log_tag,
			uint64_t now);
/* Or it does not track it any more: it is forgotten. */
void connection_end(struct connections *, const struct connection_packet *);
/* Or it does not let it pass.  Its other side is not to open it anew, where
 * that is let begin something: what begins nothing (TCP) is refused until there
 * has been none of it for as long as an established one may be idle; what
 * always begins something (all else), for as long as a first packet may wait
 * for an answer, whatever comes meanwhile.  The program may be told so again,
 * of each such packet. */
void connection_refuse(struct connections *, const struct connection_packet *,
		       uint64_t program, uint64_t now);

/* [any] Those that are over and are to be told of: ended.h. */
struct ended_ring *connections_ended(struct connections *);

/* Ends what is idle, a bounded number; returns when to come again (UINT64_MAX:
 * there is none). */
uint64_t connections_expire(struct connections *, uint64_t now);
/* [control] Ends all of a port's; its limits and counts begin anew. */
void connections_end_port(struct connections *, uint32_t port);
/* [control] What the port may open from now on; 0: what all may. */
void connections_limit_port(struct connections *, uint32_t port, uint32_t max,
			    uint32_t max_half_open, uint32_t max_per_s);
/* [any] */
void connections_count(const struct connections *, uint32_t port,
		       struct vsw_port_counters *counters);
void connections_count_classes(struct connections *, uint32_t port,
			       struct vsw_port_classes *classes);
size_t connections_n(const struct connections *);
/* [any] The latest time that it was told. */
uint64_t connections_now(const struct connections *);

/* [any] Copies up to 'max' connections out, beginning at '*at' (0 at first), of
 * 'port' (UINT32_MAX: of all); returns how many, 0 at the end.  What opens and
 * ends meanwhile may be among them or not. */
struct connection_copy {
	struct connection_key key;
	uint8_t state, direction;
	uint32_t layers;
	uint64_t idle_ns, age_ns;
};
size_t connections_copy(struct connections *, uint32_t port, uint64_t now,
			uint64_t *at, uint64_t end,
			struct connection_copy *ret_copies, size_t max);
/* [any] The same of those that are to be told of, and have had packets since
 * they were last told of; they count anew. */
size_t connections_continue(struct connections *, uint64_t now, uint64_t *at,
			    uint64_t end, struct ended *ret_going,
			    size_t max);
/* '*at' is place << 8, of so many; and ends there, or at 'end'. */
size_t connections_n_places(const struct connections *);

#endif /* connection/connection.h */
