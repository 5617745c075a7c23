/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/connection/track.c. */

#include <check.h>
#include <string.h>
#include "libvswitch/connection/track.h"
#include "tests/unit/policy_rig.h"

#define F TRACK_TCP_FLAG_FIN
#define S TRACK_TCP_FLAG_SYN
#define R TRACK_TCP_FLAG_RST
#define A TRACK_TCP_FLAG_ACK

enum { TCP = 6, UDP = 17, ICMP = 1, ESP = 50 };

/* What RFC 9293 lets a host send, and nothing else.  PSH, URG, ECE and CWR say
 * nothing about the state. */
START_TEST(flags_say_what_a_segment_is)
{
	static const uint8_t noise[] = { 0, 0x08, 0x20, 0x40, 0x80, 0xe8 };

	for (size_t i = 0; i < sizeof noise; i++) {
		uint8_t n = noise[i];

		ck_assert_int_eq(track_tcp_event(A | n), TRACK_PLAIN);
		ck_assert_int_eq(track_tcp_event(S | n), TRACK_SYN);
		ck_assert_int_eq(track_tcp_event(S | A | n), TRACK_SYN_ACK);
		ck_assert_int_eq(track_tcp_event(F | A | n), TRACK_FIN);
		ck_assert_int_eq(track_tcp_event(R | n), TRACK_RST);
		ck_assert_int_eq(track_tcp_event(R | A | n), TRACK_RST);
		ck_assert_int_eq(track_tcp_event(n), TRACK_INVALID);
		ck_assert_int_eq(track_tcp_event(F | n), TRACK_INVALID);
		ck_assert_int_eq(track_tcp_event(S | F | n), TRACK_INVALID);
		ck_assert_int_eq(track_tcp_event(S | R | n), TRACK_INVALID);
		ck_assert_int_eq(track_tcp_event(F | R | n), TRACK_INVALID);
		ck_assert_int_eq(track_tcp_event(S | F | A | n),
				 TRACK_INVALID);
		ck_assert_int_eq(track_tcp_event(S | R | A | n),
				 TRACK_INVALID);
		ck_assert_int_eq(track_tcp_event(F | R | A | n),
				 TRACK_INVALID);
		ck_assert_int_eq(track_tcp_event(F | S | R | A | n),
				 TRACK_INVALID);
	}
}
END_TEST

START_TEST(starts)
{
	ck_assert_int_eq(track_start(TCP, TRACK_SYN), TRACK_TCP_ASKED);
	ck_assert_int_eq(track_start(TCP, TRACK_SYN_ACK), TRACK_TCP_JOINED);
	ck_assert_int_eq(track_start(TCP, TRACK_PLAIN), TRACK_TCP_JOINED);
	ck_assert_int_eq(track_start(TCP, TRACK_FIN), TRACK_TCP_FIN_OPENER);
	ck_assert_int_eq(track_start(TCP, TRACK_RST), TRACK_NONE);
	ck_assert_int_eq(track_start(TCP, TRACK_INVALID), TRACK_NONE);
	ck_assert_int_eq(track_start(UDP, TRACK_PLAIN), TRACK_UDP_SINGLE);
	ck_assert_int_eq(track_start(ICMP, TRACK_PLAIN), TRACK_ICMP_ASKED);
	ck_assert_int_eq(track_start(ICMP, TRACK_ANSWER), TRACK_NONE);
	ck_assert_int_eq(track_start(ESP, TRACK_PLAIN), TRACK_OTHER_SINGLE);
}
END_TEST

/* Conversations as they are seen: > of the opener, < of the other. */
static const struct {
	const char *words, *end;
} conversations[] = {
	{ ">S", "asked" },
	{ ">S >S", "asked" },
	{ ">S <SA", "answered" },
	{ ">S <SA <SA >S", "answered" },
	{ ">S <SA >A", "established" },
	{ ">S <SA >A >A <A", "established" },
	/* Data with the SYN-ACK's ACK missing: the opener's says it. */
	{ ">S <SA <A", "answered" },
	{ ">S <SA <A >A", "established" },
	/* Both open at once. */
	{ ">S <S", "answered" },
	{ ">S <S >SA", "established" },
	{ ">S <S >SA <SA", "established" },
	{ ">S <S >A", "established" },
	/* Somebody who remembers an old connection answers with an ACK, and is
	 * reset (RFC 9293, figure 9). */
	{ ">S <A", "asked" },
	{ ">S <A >R", "reset" },
	{ ">S <RA", "reset" },
	{ ">S <SA >RA", "reset" },
	{ ">S <FA", "asked" },
	/* What we see of it goes one way only. */
	{ ">S >A", "asked" },
	{ ">S >A >FA", "half-closed" },
	/* Joined in the middle. */
	{ ">A", "joined" },
	{ ">A >A", "joined" },
	{ ">A <A", "established" },
	{ ">SA", "joined" },
	{ ">SA <A", "established" },
	{ ">A <SA", "established" },
	{ ">A >SA", "joined" },
	{ ">A >FA", "half-closed" },
	{ ">A <FA", "half-closed" },
	{ ">A <R", "reset" },
	{ ">FA", "half-closed" },
	{ ">FA <FA", "time-wait" },
	/* The end. */
	{ ">S <SA >A >FA", "half-closed" },
	{ ">S <SA >A >FA >FA <A <A", "half-closed" },
	{ ">S <SA >A >FA <FA", "time-wait" },
	{ ">S <SA >A <FA", "half-closed" },
	{ ">S <SA >A <FA <FA >A >A", "half-closed" },
	{ ">S <SA >A <FA >FA <A", "time-wait" },
	{ ">S <SA >A <FA >FA <A >FA", "time-wait" },
	{ ">S <SA >FA", "half-closed" },
	{ ">S <SA >FA <FA >A", "time-wait" },
	{ ">S <SA <FA >FA", "time-wait" },
	{ ">S <SA >A <FA >FA >R", "time-wait" },
	{ ">S <SA >A <FA >FA >S <SA", "time-wait" },
	{ ">S <SA >A >FA <R", "reset" },
	{ ">S <SA >A <FA <R", "reset" },
	/* In the middle of it a SYN is no beginning (RFC 5961, section 4). */
	{ ">S <SA >A >S", "established" },
	{ ">S <SA >A <S", "established" },
	{ ">S <SA >A <SA >SA", "established" },
	{ ">S <SA >A >FA >S", "half-closed" },
	/* A reset that is believed, by one side at least... */
	{ ">S <SA >A <R", "reset" },
	{ ">S <SA >A >R <A <A", "reset" },
	{ ">S <SA >A <R >A >A", "reset" },
	{ ">S <SA >A <R >FA >SA", "reset" },
	{ ">S <SA >A <R >A <R", "reset" },
	{ ">S <SA >A >R <A >R", "reset" },
	{ ">S <SA >A >R >A >R <A", "reset" },
	/* ...and one that both take no notice of. */
	{ ">S <SA >A <R >A <A", "established" },
	{ ">S <SA >A >R <A >A", "established" },
	{ ">S <SA >A <R <A >A", "established" },
	{ ">S <SA >A <R >A <A <R", "reset" },
	/* What is invalid says nothing. */
	{ ">S <! >! <SA >! >A <!", "established" }
};

static enum track_event
event_of(const char *word)
{
	if (*word == '!')
		return TRACK_INVALID;
	return track_tcp_event((uint8_t) ((strchr(word, 'S') ? S : 0)
					  | (strchr(word, 'F') ? F : 0)
					  | (strchr(word, 'R') ? R : 0)
					  | (strchr(word, 'A') ? A : 0)));
}

START_TEST(tcp_conversations)
{
	for (size_t i = 0; i < sizeof conversations / sizeof *conversations;
	     i++) {
		enum track_state state = TRACK_NONE;
		char text[80], *save = NULL;

		strcpy(text, conversations[i].words);
		for (char *word = strtok_r(text, " ", &save); word;
		     word = strtok_r(NULL, " ", &save)) {
			enum track_side side = *word == '>' ? TRACK_OPENER
							    : TRACK_OTHER;
			enum track_event event = event_of(word + 1);

			state = state == TRACK_NONE
				? track_start(TCP, event)
				: track_next(state, side, event);
		}
		ck_assert_msg(!strcmp(track_name(state),
				      conversations[i].end),
			      "%s ends %s and not %s",
			      conversations[i].words, track_name(state),
			      conversations[i].end);
	}
}
END_TEST

START_TEST(other_conversations)
{
	static const struct {
		uint8_t proto;
		enum track_state first, both;
	} kinds[] = {
		{ UDP, TRACK_UDP_SINGLE, TRACK_UDP_BOTH },
		{ ESP, TRACK_OTHER_SINGLE, TRACK_OTHER_BOTH },
		{ ICMP, TRACK_ICMP_ASKED, TRACK_ICMP_ANSWERED }
	};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		enum track_state s = track_start(kinds[i].proto, TRACK_PLAIN);

		ck_assert_int_eq(s, kinds[i].first);
		s = track_next(s, TRACK_OPENER, TRACK_PLAIN);
		ck_assert_int_eq(s, kinds[i].first);
		s = track_next(s, TRACK_OTHER, TRACK_ANSWER);
		ck_assert_int_eq(s, kinds[i].both);
		s = track_next(s, TRACK_OPENER, TRACK_PLAIN);
		s = track_next(s, TRACK_OTHER, TRACK_PLAIN);
		ck_assert_int_eq(s, kinds[i].both);
	}
	ck_assert_int_eq(track_next(TRACK_NONE, TRACK_OTHER, TRACK_SYN),
			 TRACK_NONE);
}
END_TEST

/* Whatever comes: a state it is, nothing falls out of the machine, only
 * what may be joined by both sides settles, and what passes unseen does not
 * change by what is not looked at. */
START_TEST(every_step_is_a_state)
{
	unsigned n = 0;

	for (unsigned s = TRACK_NONE + 1; s < TRACK_N_STATES; s++)
		for (unsigned side = 0; side < 2; side++)
			for (unsigned e = 0; e <= TRACK_GOES_ON; e++) {
				enum track_state next = track_next(s, side,
								   e);

				ck_assert_int_gt(next, TRACK_NONE);
				ck_assert_int_lt(next, TRACK_N_STATES);
				if (!track_is_watched(s) && e == TRACK_PLAIN)
					ck_assert_int_eq(next, s);
				if (e == TRACK_INVALID)
					ck_assert(next == s
						  || track_age(s)
						     > TRACK_AGE_TCP_RESET);
				n++;
			}
	ck_assert_uint_eq(n, (TRACK_N_STATES - 1) * 2
			     * (TRACK_GOES_ON + 1));
}
END_TEST

START_TEST(begins_anew_where_nothing_is_left)
{
	for (unsigned s = TRACK_NONE; s < TRACK_N_STATES; s++) {
		bool is_over = s == TRACK_TCP_TIME_WAIT
			       || s == TRACK_TCP_REFUSED
			       || (s >= TRACK_TCP_RESET
				   && s <= TRACK_TCP_RESET_NOT_OTHER);

		ck_assert_int_eq(track_begins_anew(s, TRACK_SYN),
				 is_over || s == TRACK_TCP_JOINED);
		ck_assert(!track_begins_anew(s, TRACK_PLAIN));
		ck_assert(!track_begins_anew(s, TRACK_SYN_ACK));
		ck_assert(!track_begins_anew(s, TRACK_RST));
	}
}
END_TEST

START_TEST(rules_of_states)
{
	for (unsigned s = TRACK_NONE + 1; s < TRACK_N_STATES; s++) {
		ck_assert_ptr_nonnull(track_name(s));
		ck_assert_uint_lt(track_age(s), TRACK_N_AGES);
		ck_assert_uint_lt(track_hold(s), TRACK_N_HOLDS);
		/* What gives way while packets pass must hear of it. */
		if (track_hold(s) == TRACK_SETTLED)
			ck_assert(!track_is_watched(s));
		if (track_hold(s) == TRACK_HALF_OPEN)
			ck_assert(track_is_watched(s));
		ck_assert_int_eq(track_hold(s) == TRACK_SETTLED,
				 !strcmp(track_name(s), "established"));
	}
	ck_assert_ptr_null(track_name(TRACK_N_STATES));
}
END_TEST

START_TEST(what_policy_ends_can_come_back)
{
	static const uint8_t protos[] = { TCP, UDP, ESP };

	for (unsigned s = TRACK_NONE + 1; s < TRACK_N_STATES; s++) {
		enum track_state refused = track_refuse(s);

		ck_assert_int_eq(refused == TRACK_NONE,
				 track_age(s) == TRACK_AGE_ICMP);
		if (refused != TRACK_NONE)
			ck_assert(track_is_refused(refused));
		ck_assert_int_eq(track_is_refused(s), refused == s);
		if (!track_is_refused(s))
			ck_assert_int_eq(track_allow(s, TCP), s);
	}
	for (size_t i = 0; i < sizeof protos; i++) {
		enum track_state s = track_start(protos[i], TRACK_PLAIN);

		ck_assert_int_eq(track_allow(track_refuse(s), protos[i]), s);
	}
}
END_TEST

RIG_MAIN("track", flags_say_what_a_segment_is, starts, tcp_conversations,
	 other_conversations, every_step_is_a_state,
	 begins_anew_where_nothing_is_left, what_policy_ends_can_come_back,
	 rules_of_states)
