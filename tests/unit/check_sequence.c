/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/connection/sequence.c, with the states of track.c. */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "libvswitch/connection/sequence.h"
#include "tests/unit/policy_rig.h"

enum { TCP = 6 };

/* Conversations as they are seen: > of the opener, < of the other; flags, its
 * number, what it acknowledges, and how much it carries. */
#define OPEN ">S1000 <SA5000/1001 >A1001/5001 "
static const struct {
	const char *words, *end;
} conversations[] = {
	{ OPEN, "established" },
	/* Who is told from is believed, near what he is to say next. */
	{ OPEN ">R1001", "reset" },
	{ OPEN "<R5001", "reset" },
	{ OPEN "<RA5001/1001", "reset" },
	{ OPEN ">R66536", "reset" },
	{ OPEN ">A1001/5001+100 >R1101", "reset" },
	{ OPEN ">FA1001/5001", "half-closed" },
	{ OPEN "<FA5001/1001 >FA1001/5002", "time-wait" },
	{ OPEN ">FA1001/5001+100 <FA5001/1102", "time-wait" },
	/* Who guesses ends nothing, whichever way. */
	{ OPEN ">R66537", "doubted" },
	{ OPEN "<R70537", "doubted" },
	{ OPEN "<R4294906761 <R4294906762", "reset" },
	{ OPEN ">R9000000 >R8000000 >R7000000", "doubted" },
	{ OPEN "<R9000000 <A5001/1001", "established" },
	{ OPEN "<R9000000 >A1001/5001", "established" },
	{ OPEN "<R9000000 >S1 <SA1/1", "doubted" },
	{ OPEN ">FA900000000/5001", "doubted" },
	{ OPEN ">FA900000000/5001 <A5001/1001", "established" },
	{ OPEN ">FA900000000/5001 >A1001/5001+10", "established" },
	{ OPEN ">FA900000000/5001 >S1 <SA1/1", "doubted" },
	/* Near enough to be under way: it is not answered, and so it stays. */
	{ OPEN ">FA500000/5001 <A5001/1001 >A1001/5001+10", "doubted" },
	{ OPEN ">FA500000/5001 <A5001/1001 >A500500/5001+10", "established" },
	{ OPEN ">FA500000/5001 <FA5001/1001", "half-closed" },
	{ OPEN ">FA500000/5001 <R5001", "reset" },
	{ OPEN ">FA500000/5001 <R900001", "doubted" },
	/* And what has gone on unseen, and is ended then, is answered. */
	{ OPEN ">FA900000000/5001 <A70000/900000001", "half-closed" },
	{ OPEN ">FA900000000/5001 >A900000001/5001 <A70000/900000001",
	  "half-closed" },
	{ OPEN ">FA900000000/5001+9 >FA900000000/5001+9 <A70000/900000010",
	  "half-closed" },
	{ OPEN "<FA900000000/1001 >A7/900000001 <R1", "half-closed" },
	{ OPEN ">FA900000000/5001 <FA800000000/900000001", "time-wait" },
	{ OPEN ">R9000000 >FA9000000/5001 <A5001/9000001", "half-closed" },
	/* A reset of what went on unseen is the number that is answered. */
	{ OPEN ">R9000000 <A5001/9000000", "established" },
	{ OPEN ">R9000000 <A5001/9000000 >R9000000", "reset" },
	/* Numbers wrap around. */
	{ ">S4294967295 <SA4294967290/0 >A0/4294967291 <R5", "reset" },
	{ ">S4294967295 <SA4294967290/0 >A0/4294967291 >R4294967290",
	  "reset" },
	{ ">S4294967295 <SA4294967290/0 >A0/4294967291 >FA4294901000/0",
	  "doubted" },
	/* Joined in the middle, from one side or both. */
	{ ">A1000/5000 <A5000/1100 >R1100", "reset" },
	{ ">A1000/5000 <A5000/1100 >R900000", "doubted" },
	{ ">A1000/5000 <A5000/1100 <R900000", "doubted" },
	{ ">A1000/5000 >A70000/5000 <A5000/70100 >R70100", "reset" },
	/* Half-open ones have nothing to lose. */
	{ ">S1000 <RA0/1001", "reset" },
	{ ">S1000 <SA5000/1001 >R9000000", "reset" },
	{ ">A1000/5000 >FA900000/5000", "half-closed" },
	/* What closes, closes. */
	{ OPEN ">FA1001/5001 <R900000", "half-closed" },
	{ OPEN ">FA1001/5001 <R5001", "reset" },
	{ OPEN ">FA1001/5001 <FA900000/1002", "time-wait" }
};

static enum track_state
say(struct sequence *s, enum track_state state, const char *word)
{
	enum track_side side = *word++ == '>' ? TRACK_OPENER : TRACK_OTHER;
	struct sequence_numbers n = { .is_there = true };
	enum track_event event;
	uint8_t flags = 0;
	bool is_answer;
	char *end;

	for (; !strchr("0123456789", *word); word++)
		flags |= *word == 'S' ? TRACK_TCP_FLAG_SYN
			 : *word == 'F' ? TRACK_TCP_FLAG_FIN
			 : *word == 'R' ? TRACK_TCP_FLAG_RST
			 : TRACK_TCP_FLAG_ACK;
	n.first = n.behind = (uint32_t) strtoul(word, &end, 10);
	if (*end == '/')
		n.ack = (uint32_t) strtoul(end + 1, &end, 10);
	if (*end == '+')
		n.behind += (uint32_t) strtoul(end + 1, &end, 10);
	ck_assert_int_eq(*end, '\0');
	if (flags & (TRACK_TCP_FLAG_SYN | TRACK_TCP_FLAG_FIN))
		n.behind++;
	event = track_tcp_event(flags);
	if (state == TRACK_NONE) {
		state = track_start(TCP, event);
		sequence_judge(s, state, side, event, &n, &is_answer);
		return state;
	}
	event = sequence_judge(s, state, side, event, &n, &is_answer);
	if (is_answer)
		state = track_next(state, side, TRACK_FIN_ANSWERED);
	return track_next(state, side, event);
}

START_TEST(conversations_end_as_they_should)
{
	for (size_t i = 0; i < sizeof conversations / sizeof *conversations;
	     i++) {
		enum track_state state = TRACK_NONE;
		struct sequence s = { .known = 0 };
		char text[200], *save = NULL;

		snprintf(text, sizeof text, "%s", conversations[i].words);
		for (char *word = strtok_r(text, " ", &save); word;
		     word = strtok_r(NULL, " ", &save))
			state = say(&s, state, word);
		ck_assert_msg(!strcmp(track_name(state),
				      conversations[i].end),
			      "%s ends %s and not %s",
			      conversations[i].words, track_name(state),
			      conversations[i].end);
	}
}
END_TEST

/* Of who sends any number at all, few are believed: and of an idle connection,
 * none ends it. */
START_TEST(guesses_are_in_vain)
{
	uint64_t random = 1;
	unsigned n_believed = 0;

	for (unsigned i = 0; i < 200000; i++) {
		struct sequence s = { .next = { 1001, 5001 }, .known = 3 };
		enum track_state state = TRACK_TCP_OPEN;
		char word[40];

		snprintf(word, sizeof word, "%c%s%u/%u",
			 i & 1 ? '>' : '<', i & 2 ? "R" : "FA",
			 (unsigned) rig_random(&random),
			 (unsigned) rig_random(&random));
		state = say(&s, state, word);
		n_believed += track_age(state) != TRACK_AGE_TCP_OPEN;
	}
	/* 131,071 numbers of 2^32: of 200,000 about six. */
	ck_assert_uint_lt(n_believed, 30);
}
END_TEST

/* What has no numbers is what it says it is. */
START_TEST(without_numbers)
{
	const struct sequence_numbers none = { .is_there = false };
	struct sequence s = { .next = { 1, 2 }, .known = 3 };
	bool is_answer = true;

	ck_assert_int_eq(sequence_judge(&s, TRACK_TCP_OPEN, TRACK_OPENER,
					TRACK_RST, &none, &is_answer),
			 TRACK_RST);
	ck_assert(!is_answer);
	ck_assert_uint_eq(s.next[0], 1);
}
END_TEST

RIG_MAIN("sequence", conversations_end_as_they_should, guesses_are_in_vain,
	 without_numbers)
