/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CONNECTION_TRACK_H
#define CONNECTION_TRACK_H 1

/* What a connection's packets make of its state.  Pure: no table, no time, no
 * bytes; connection/connection.c keeps the states and their ages.
 *
 * TCP is followed by flags, so that it can be joined in the middle and one
 * direction may take another way; numbers are asked only whether an RST or a
 * FIN is to be believed (sequence.h).  It is not this library's to say which of
 * two hosts is right: a reset that its receiver does not believe (RFC 5961) is
 * not believed here either, once both have gone on talking. */

#include <stdbool.h>
#include <stdint.h>

/* For each: what has been seen (of the opener, who sent first, and of the
 * other); how it ends. */
enum track_state {
	TRACK_NONE,
	/* Half-open: one side has been heard, or has not confirmed. */
	TRACK_TCP_ASKED,		/* SYN of the opener. */
	TRACK_TCP_ANSWERED,		/* And of the other. */
	TRACK_TCP_JOINED,		/* Opener, in the middle of it. */
	TRACK_UDP_SINGLE,		/* Opener. */
	TRACK_ICMP_ASKED,		/* A request of the opener's. */
	TRACK_OTHER_SINGLE,		/* Opener. */
	/* Settled: both have been heard. */
	TRACK_TCP_OPEN,
	TRACK_UDP_BOTH,
	TRACK_OTHER_BOTH,
	/* Closing: nothing new is to come. */
	TRACK_TCP_FIN_OPENER,		/* FIN of the opener; the other may go
					 * on. */
	TRACK_TCP_FIN_OTHER,
	TRACK_TCP_TIME_WAIT,		/* FIN of both. */
	TRACK_TCP_RESET,		/* RST of either. */
	TRACK_TCP_RESET_NOT_OPENER,	/* After which the opener went on. */
	TRACK_TCP_RESET_NOT_OTHER,	/* After which the other went on. */
	TRACK_ICMP_ANSWERED,
	/* Established, but for an end that is doubted. */
	TRACK_TCP_DOUBTED_OPENER,	/* FIN, said to be the opener's. */
	TRACK_TCP_DOUBTED_OTHER,
	TRACK_TCP_DOUBTED,		/* RST. */
	/* Ended by policy, and remembered, so that it is not taken for a new
	 * one when the other goes on. */
	TRACK_TCP_REFUSED, TRACK_REFUSED,
	TRACK_N_STATES
};

/* How a state is held: by how much may be there of it, and what gives way. */
enum track_hold {
	TRACK_HALF_OPEN, TRACK_SETTLED, TRACK_CLOSING, TRACK_N_HOLDS
};

/* How long a state lasts without packets. */
enum track_age {
	TRACK_AGE_TCP_HALF_OPEN, TRACK_AGE_TCP_OPEN, TRACK_AGE_TCP_CLOSING,
	TRACK_AGE_TCP_RESET, TRACK_AGE_UDP_SINGLE, TRACK_AGE_UDP_BOTH,
	TRACK_AGE_ICMP, TRACK_AGE_OTHER, TRACK_N_AGES
};

/* What a packet is to its connection. */
enum track_event {
	TRACK_PLAIN,			/* Of TCP: an ACK. */
	TRACK_SYN, TRACK_SYN_ACK, TRACK_FIN, TRACK_RST,
	TRACK_INVALID,			/* TCP flags that nobody sends. */
	TRACK_ANSWER,			/* ICMP: opens nothing. */
	/* What sequence_judge() makes of them. */
	TRACK_FIN_DOUBTED, TRACK_RST_DOUBTED,
	TRACK_FIN_ANSWERED,		/* By who did not send it. */
	TRACK_GOES_ON			/* As none could that had ended. */
};

enum track_side { TRACK_OPENER, TRACK_OTHER };

enum {
	TRACK_TCP_FLAG_FIN = 0x01, TRACK_TCP_FLAG_SYN = 0x02,
	TRACK_TCP_FLAG_RST = 0x04, TRACK_TCP_FLAG_ACK = 0x10
};

/* RFC 9293, section 3.1: FIN, SYN and RST exclude each other, and all but SYN
 * and RST come with ACK. */
enum track_event track_tcp_event(uint8_t flags);

/* The state that the first packet, of IP protocol 'proto' (ICMP of either
 * family: 1), opens.  TRACK_NONE: it opens none. */
enum track_state track_start(uint8_t proto, enum track_event);
/* The state behind this packet. */
enum track_state track_next(enum track_state, enum track_side,
			    enum track_event);
/* Does the packet begin another connection under the same numbers?  Then it
 * is for the rules to say, as of any other. */
bool track_begins_anew(enum track_state, enum track_event);
/* Policy does not want it any more.  TRACK_NONE: it is to be forgotten, since
 * no packet of its other side could begin another. */
enum track_state track_refuse(enum track_state);
bool track_is_refused(enum track_state);
/* And wants it again: of a refused one, behind a packet of its opener's. */
enum track_state track_allow(enum track_state, uint8_t proto);
/* Is it TCP that is established, for all that is known? */
bool track_is_open(enum track_state);
/* Must each packet be seen, or only SYN, FIN, RST and what is invalid? */
bool track_is_watched(enum track_state);
enum track_hold track_hold(enum track_state);
enum track_age track_age(enum track_state);
/* "established", for people; NULL if there is no such state. */
const char *track_name(enum track_state);

#endif /* connection/track.h */
