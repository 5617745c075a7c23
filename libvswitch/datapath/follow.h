/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_FOLLOW_H
#define DATAPATH_FOLLOW_H 1

/* Connections on the packet's way.  A packet that misses walks the layers of
 * two ports, and may belong to a connection at each: follow_start() finds it,
 * follow_passes() says which layers need not be asked, follow_rule() hears what
 * those say that were, and follow_end(), when it is known where the packet
 * goes, opens what is to be opened and tells the flow what to remember.  A
 * packet that hits asks follow_look() if its flow says so; no other does. */

#include <stdbool.h>
#include <stdint.h>
#include <vswitch/policy.h>
#include "libvswitch/connection/connection.h"
#include "libvswitch/connection/track.h"
#include "libvswitch/datapath/belong.h"

struct batch;
struct composition;
struct flow;
struct rewrite;
struct vsw_port;
struct vsw_program;
struct rule;
struct vsw_worker;

/* One port's layers and the packet's connection there. */
struct follow {
	bool is_following;		/* The packet may belong to one. */
	bool is_found;			/* It does. */
	bool is_refused;		/* It does, to one that is ended. */
	bool has_passed;		/* A layer, for that reason alone. */
	uint32_t wanted;		/* Layers that it is to open one in. */
	uint16_t log_tag;		/* Of a rule in one of them; 0: none. */
	const struct vsw_program *program;
	uint64_t serial;		/* Of it: its layers are no older. */
	const struct vsw_port *port;
	struct connection_packet packet;
	struct connection_view view;
};

/* What flows remember: two references (place + 1, or of ICMP, whose flows have
 * many, what they have in common; or 0), and of them: */
enum follow_flags {
	/* Look if one of these TCP flags is there, or ACK is not. */
	FOLLOW_TCP = TRACK_TCP_FLAG_FIN | TRACK_TCP_FLAG_SYN
		     | TRACK_TCP_FLAG_RST | TRACK_TCP_FLAG_ACK,
	FOLLOW_ALWAYS = 0x80,		/* Look at each packet. */
	FOLLOW_WATCH = FOLLOW_TCP | FOLLOW_ALWAYS,
	/* The reference is a hash: there is no such connection; when there
	 * is, the flow is to be decided anew. */
	FOLLOW_ABSENT_OUT = 0x20, FOLLOW_ABSENT_IN = 0x40,
	FOLLOW_NOTHING = 0x08		/* Each packet is to be decided. */
};

struct followed {
	uint32_t connections[2];	/* Where it comes from, goes to. */
	uint16_t serials[2];		/* struct connection_reference. */
	uint8_t flags;			/* 0: no look is ever needed. */
};

enum follow_verdict { FOLLOW_HOLDS, FOLLOW_STALE, FOLLOW_INVALID };

/* Before the first of many packets begins: has what follow_start() will look at
 * on its way.  Returns what follow_foresee_more() needs when that has come. */
uint32_t follow_foresee(const struct vsw_program *, const struct vsw_port *,
			const struct headers *, const uint8_t *frame);
void follow_foresee_more(const struct vsw_program *, uint32_t hash);
/* Layers of the program that track are to be asked; '->opener' says how the
 * packet came to the first one of all. */
void follow_start(struct composition *, enum vsw_direction, struct vsw_port *,
		  const struct vsw_program *);
/* May the packet pass layer 'i' without its groups being asked? */
bool follow_passes(struct follow *, size_t i);
/* Layer 'i' was asked, and this is what it said. */
void follow_rule(struct follow *, size_t i, const struct rule *);
/* All is decided.  VSW_N_DROPS, or why the packet is dropped after all, which
 * is not to be cached. */
enum vsw_drop follow_end(struct composition *, struct followed *);

/* Must the flow's connections hear of a packet with these TCP flags? */
static inline bool
follow_must_look(uint8_t flags, uint8_t tcp_flags)
{
	return ((tcp_flags ^ TRACK_TCP_FLAG_ACK) | FOLLOW_ALWAYS)
	       & FOLLOW_WATCH & flags;
}

/* Besides, they hear each time that the clock's seconds pass a multiple of 2^4:
 * within CONNECTION_REFRESH_SHIFT. */
enum { FOLLOW_REFRESH_SHIFT = 4 };

/* Tells them of packet 'i'.  Brings the flow's flags up to date, and has it
 * listen (base/ear.h) to what it is not to look at. */
enum follow_verdict follow_look(struct vsw_worker *, struct batch *,
				unsigned i, struct flow *,
				const struct rewrite *);

#endif /* datapath/follow.h */
