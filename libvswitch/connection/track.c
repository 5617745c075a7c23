/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/connection/track.h"

#include <stddef.h>
#include "libvswitch/base/wire.h"

/* Of each state. */
static const struct {
	const char *name;
	uint8_t hold;			/* enum track_hold. */
	uint8_t age;			/* enum track_age. */
	bool is_watched;
} states[] = {
	[TRACK_NONE] = { "none", TRACK_CLOSING, TRACK_AGE_TCP_RESET, true },
	[TRACK_TCP_ASKED] =
		{ "asked", TRACK_HALF_OPEN, TRACK_AGE_TCP_HALF_OPEN, true },
	[TRACK_TCP_ANSWERED] =
		{ "answered", TRACK_HALF_OPEN, TRACK_AGE_TCP_HALF_OPEN, true },
	[TRACK_TCP_JOINED] =
		{ "joined", TRACK_HALF_OPEN, TRACK_AGE_TCP_HALF_OPEN, true },
	[TRACK_UDP_SINGLE] =
		{ "single", TRACK_HALF_OPEN, TRACK_AGE_UDP_SINGLE, true },
	[TRACK_ICMP_ASKED] =
		{ "asked", TRACK_HALF_OPEN, TRACK_AGE_ICMP, true },
	[TRACK_OTHER_SINGLE] =
		{ "single", TRACK_HALF_OPEN, TRACK_AGE_UDP_SINGLE, true },
	[TRACK_TCP_OPEN] =
		{ "established", TRACK_SETTLED, TRACK_AGE_TCP_OPEN, false },
	[TRACK_UDP_BOTH] =
		{ "established", TRACK_SETTLED, TRACK_AGE_UDP_BOTH, false },
	[TRACK_OTHER_BOTH] =
		{ "established", TRACK_SETTLED, TRACK_AGE_OTHER, false },
	[TRACK_TCP_FIN_OPENER] =
		{ "half-closed", TRACK_CLOSING, TRACK_AGE_TCP_CLOSING, false },
	[TRACK_TCP_FIN_OTHER] =
		{ "half-closed", TRACK_CLOSING, TRACK_AGE_TCP_CLOSING, false },
	[TRACK_TCP_TIME_WAIT] =
		{ "time-wait", TRACK_CLOSING, TRACK_AGE_TCP_CLOSING, false },
	[TRACK_TCP_RESET] =
		{ "reset", TRACK_CLOSING, TRACK_AGE_TCP_RESET, true },
	[TRACK_TCP_RESET_NOT_OPENER] =
		{ "reset", TRACK_CLOSING, TRACK_AGE_TCP_RESET, true },
	[TRACK_TCP_RESET_NOT_OTHER] =
		{ "reset", TRACK_CLOSING, TRACK_AGE_TCP_RESET, true },
	[TRACK_ICMP_ANSWERED] =
		{ "answered", TRACK_CLOSING, TRACK_AGE_ICMP, true },
	[TRACK_TCP_DOUBTED_OPENER] =
		{ "doubted", TRACK_CLOSING, TRACK_AGE_TCP_OPEN, true },
	[TRACK_TCP_DOUBTED_OTHER] =
		{ "doubted", TRACK_CLOSING, TRACK_AGE_TCP_OPEN, true },
	[TRACK_TCP_DOUBTED] =
		{ "doubted", TRACK_CLOSING, TRACK_AGE_TCP_OPEN, true },
	[TRACK_TCP_REFUSED] =
		{ "refused", TRACK_CLOSING, TRACK_AGE_TCP_OPEN, true },
	[TRACK_REFUSED] =
		{ "refused", TRACK_CLOSING, TRACK_AGE_UDP_SINGLE, true }
};

_Static_assert(sizeof states / sizeof states[0] == TRACK_N_STATES,
	       "each state has its rules");

static enum track_state next_of_tcp(enum track_state, enum track_side,
				    enum track_event);
static enum track_state after_fin(enum track_state, enum track_side);
static enum track_state after_doubted_fin(enum track_state, enum track_side);
static enum track_state after_plain(enum track_state, enum track_side);
static enum track_state after_syn(enum track_state, enum track_side,
				  enum track_event);

enum track_event
track_tcp_event(uint8_t flags)
{
	switch (flags & (TRACK_TCP_FLAG_FIN | TRACK_TCP_FLAG_SYN
			 | TRACK_TCP_FLAG_RST | TRACK_TCP_FLAG_ACK)) {
	case TRACK_TCP_FLAG_ACK:
		return TRACK_PLAIN;
	case TRACK_TCP_FLAG_SYN:
		return TRACK_SYN;
	case TRACK_TCP_FLAG_SYN | TRACK_TCP_FLAG_ACK:
		return TRACK_SYN_ACK;
	case TRACK_TCP_FLAG_FIN | TRACK_TCP_FLAG_ACK:
		return TRACK_FIN;
	case TRACK_TCP_FLAG_RST:
	case TRACK_TCP_FLAG_RST | TRACK_TCP_FLAG_ACK:
		return TRACK_RST;
	default:
		return TRACK_INVALID;
	}
}

enum track_state
track_start(uint8_t proto, enum track_event event)
{
	switch (proto) {
	case IP_PROTO_TCP:
		if (event == TRACK_RST || event == TRACK_INVALID)
			return TRACK_NONE;
		if (event == TRACK_SYN)
			return TRACK_TCP_ASKED;
		return event == TRACK_FIN ? TRACK_TCP_FIN_OPENER
					  : TRACK_TCP_JOINED;
	case IP_PROTO_UDP:
		return TRACK_UDP_SINGLE;
	case IP_PROTO_ICMP:
		return event == TRACK_PLAIN ? TRACK_ICMP_ASKED : TRACK_NONE;
	default:
		return TRACK_OTHER_SINGLE;
	}
}

enum track_state
track_next(enum track_state state, enum track_side side,
	   enum track_event event)
{
	switch (state) {
	case TRACK_UDP_SINGLE:
		return side == TRACK_OTHER ? TRACK_UDP_BOTH : state;
	case TRACK_ICMP_ASKED:
		return side == TRACK_OTHER ? TRACK_ICMP_ANSWERED : state;
	case TRACK_OTHER_SINGLE:
		return side == TRACK_OTHER ? TRACK_OTHER_BOTH : state;
	case TRACK_NONE:
	case TRACK_UDP_BOTH:
	case TRACK_OTHER_BOTH:
	case TRACK_ICMP_ANSWERED:
	case TRACK_TCP_REFUSED:
	case TRACK_REFUSED:
	case TRACK_N_STATES:
		return state;
	default:
		return next_of_tcp(state, side, event);
	}
}

bool
track_begins_anew(enum track_state state, enum track_event event)
{
	if (event != TRACK_SYN)
		return false;
	switch (state) {
	case TRACK_TCP_JOINED:
	case TRACK_TCP_TIME_WAIT:
	case TRACK_TCP_RESET:
	case TRACK_TCP_RESET_NOT_OPENER:
	case TRACK_TCP_RESET_NOT_OTHER:
	case TRACK_TCP_REFUSED:
		return true;
	default:
		return false;
	}
}

enum track_state
track_refuse(enum track_state state)
{
	switch (state) {
	case TRACK_NONE:
	case TRACK_ICMP_ASKED:
	case TRACK_ICMP_ANSWERED:
	case TRACK_N_STATES:
		return TRACK_NONE;
	case TRACK_UDP_SINGLE:
	case TRACK_UDP_BOTH:
	case TRACK_OTHER_SINGLE:
	case TRACK_OTHER_BOTH:
	case TRACK_REFUSED:
		return TRACK_REFUSED;
	default:
		return TRACK_TCP_REFUSED;
	}
}

bool
track_is_refused(enum track_state state)
{
	return state == TRACK_TCP_REFUSED || state == TRACK_REFUSED;
}

enum track_state
track_allow(enum track_state state, uint8_t proto)
{
	return track_is_refused(state) ? track_start(proto, TRACK_PLAIN)
				       : state;
}

bool
track_is_open(enum track_state state)
{
	return state == TRACK_TCP_OPEN || state == TRACK_TCP_DOUBTED;
}

bool
track_is_watched(enum track_state state)
{
	return states[state].is_watched;
}

enum track_hold
track_hold(enum track_state state)
{
	return states[state].hold;
}

enum track_age
track_age(enum track_state state)
{
	return states[state].age;
}

const char *
track_name(enum track_state state)
{
	return (unsigned) state < TRACK_N_STATES ? states[state].name : NULL;
}

static enum track_state
next_of_tcp(enum track_state state, enum track_side side,
	    enum track_event event)
{
	switch (event) {
	case TRACK_RST:
		/* What is closed in good order stays so: RFC 1337. */
		return state == TRACK_TCP_TIME_WAIT ? state
						    : TRACK_TCP_RESET;
	case TRACK_RST_DOUBTED:
		return state == TRACK_TCP_OPEN ? TRACK_TCP_DOUBTED : state;
	case TRACK_FIN:
		return after_fin(state, side);
	case TRACK_FIN_DOUBTED:
		return after_doubted_fin(state, side);
	case TRACK_FIN_ANSWERED:
		return state == TRACK_TCP_DOUBTED_OPENER
		       ? TRACK_TCP_FIN_OPENER
		       : state == TRACK_TCP_DOUBTED_OTHER
		       ? TRACK_TCP_FIN_OTHER : state;
	case TRACK_GOES_ON:
		return TRACK_TCP_OPEN;
	case TRACK_SYN:
	case TRACK_SYN_ACK:
		return after_syn(state, side, event);
	case TRACK_PLAIN:
		return after_plain(state, side);
	default:
		return state;
	}
}

static enum track_state
after_fin(enum track_state state, enum track_side side)
{
	switch (state) {
	case TRACK_TCP_ASKED:
		/* Nobody closes what he has not answered. */
		return side == TRACK_OTHER ? state : TRACK_TCP_FIN_OPENER;
	case TRACK_TCP_ANSWERED:
	case TRACK_TCP_JOINED:
	case TRACK_TCP_OPEN:
	case TRACK_TCP_DOUBTED_OPENER:
	case TRACK_TCP_DOUBTED_OTHER:
	case TRACK_TCP_DOUBTED:
		return side == TRACK_OTHER ? TRACK_TCP_FIN_OTHER
					   : TRACK_TCP_FIN_OPENER;
	case TRACK_TCP_FIN_OPENER:
		return side == TRACK_OTHER ? TRACK_TCP_TIME_WAIT : state;
	case TRACK_TCP_FIN_OTHER:
		return side == TRACK_OPENER ? TRACK_TCP_TIME_WAIT : state;
	default:
		return state;
	}
}

static enum track_state
after_doubted_fin(enum track_state state, enum track_side side)
{
	if (!track_is_open(state))
		return state;
	return side == TRACK_OTHER ? TRACK_TCP_DOUBTED_OTHER
				   : TRACK_TCP_DOUBTED_OPENER;
}

static enum track_state
after_plain(enum track_state state, enum track_side side)
{
	switch (state) {
	case TRACK_TCP_DOUBTED:
		return TRACK_TCP_OPEN;
	case TRACK_TCP_ANSWERED:
		return side == TRACK_OPENER ? TRACK_TCP_OPEN : state;
	case TRACK_TCP_JOINED:
		return side == TRACK_OTHER ? TRACK_TCP_OPEN : state;
	case TRACK_TCP_RESET:
		return side == TRACK_OTHER ? TRACK_TCP_RESET_NOT_OTHER
					   : TRACK_TCP_RESET_NOT_OPENER;
	case TRACK_TCP_RESET_NOT_OPENER:
		return side == TRACK_OTHER ? TRACK_TCP_OPEN : state;
	case TRACK_TCP_RESET_NOT_OTHER:
		return side == TRACK_OPENER ? TRACK_TCP_OPEN : state;
	default:
		return state;
	}
}

static enum track_state
after_syn(enum track_state state, enum track_side side, enum track_event event)
{
	switch (state) {
	case TRACK_TCP_ASKED:
		/* Also without ACK: both may open at once, RFC 9293, figure
		 * 7. */
		return side == TRACK_OTHER ? TRACK_TCP_ANSWERED : state;
	case TRACK_TCP_ANSWERED:
		return side == TRACK_OPENER && event == TRACK_SYN_ACK
		       ? TRACK_TCP_OPEN : state;
	case TRACK_TCP_JOINED:
		return side == TRACK_OTHER && event == TRACK_SYN_ACK
		       ? TRACK_TCP_OPEN : state;
	default:
		return state;
	}
}
