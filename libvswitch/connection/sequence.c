/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/connection/sequence.h"

/* What may be under way at once, and may come late. */
enum { FLIGHT = 1 << 24 };

static void learn(struct sequence *, enum track_side, uint32_t next);
static bool is_good(const struct sequence *, enum track_side, uint32_t first);
static bool is_within(uint32_t number, uint32_t end);
static enum track_event judge_doubted(struct sequence *, enum track_side of,
				      enum track_side, enum track_event,
				      const struct sequence_numbers *,
				      bool *ret_is_answer);

enum track_event
sequence_judge(struct sequence *s, enum track_state state,
	       enum track_side side, enum track_event event,
	       const struct sequence_numbers *n, bool *ret_is_answer)
{
	enum track_side other = side == TRACK_OPENER ? TRACK_OTHER
						     : TRACK_OPENER;
	bool acks = event == TRACK_PLAIN || event == TRACK_SYN_ACK
		    || event == TRACK_FIN;

	*ret_is_answer = false;
	if (!n->is_there)
		return event;
	if (state == TRACK_TCP_DOUBTED_OPENER && event != TRACK_RST)
		return judge_doubted(s, TRACK_OPENER, side, event, n,
				     ret_is_answer);
	if (state == TRACK_TCP_DOUBTED_OTHER && event != TRACK_RST)
		return judge_doubted(s, TRACK_OTHER, side, event, n,
				     ret_is_answer);
	/* Before it is established, the two tell each other where they begin;
	 * then a SYN says nothing (RFC 5961, section 4). */
	if (track_hold(state) != TRACK_HALF_OPEN
	    && (event == TRACK_SYN || event == TRACK_SYN_ACK))
		return event;
	if (event == TRACK_FIN && track_is_open(state)
	    && !is_good(s, side, n->first)) {
		learn(s, side, n->behind);
		event = TRACK_FIN_DOUBTED;
	} else if (event == TRACK_RST && track_hold(state) != TRACK_HALF_OPEN
		   && !is_good(s, side, n->first)) {
		event = TRACK_RST_DOUBTED;
	} else if (event == TRACK_SYN || event == TRACK_SYN_ACK) {
		learn(s, side, n->behind);
	} else if (acks && !(s->known >> side & 1)) {
		learn(s, side, n->first);
	}
	if (acks)
		learn(s, other, n->ack);
	return event;
}

static void
learn(struct sequence *s, enum track_side side, uint32_t next)
{
	s->next[side] = next;
	s->known |= (uint8_t) (1 << side);
}

/* Of whom nothing is known, all is. */
static bool
is_good(const struct sequence *s, enum track_side side, uint32_t first)
{
	return !(s->known >> side & 1)
	       || first - s->next[side] + SEQUENCE_NEAR
		  <= 2 * (uint32_t) SEQUENCE_NEAR;
}

/* Before 'end', or there, and still under way. */
static bool
is_within(uint32_t number, uint32_t end)
{
	return end - number <= FLIGHT;
}

/* 'of' has sent a FIN, or somebody in his name.  He himself sends nothing that
 * is behind it; the other will acknowledge it, and until then older ones are on
 * their way. */
static enum track_event
judge_doubted(struct sequence *s, enum track_side of, enum track_side side,
	      enum track_event event, const struct sequence_numbers *n,
	      bool *ret_is_answer)
{
	enum track_side other = of == TRACK_OPENER ? TRACK_OTHER
						   : TRACK_OPENER;

	if (event == TRACK_SYN || event == TRACK_SYN_ACK)
		return event;
	if (side == of) {
		learn(s, other, n->ack);
		if (event == TRACK_FIN) {
			learn(s, of, n->behind);
			return TRACK_FIN_DOUBTED;
		}
		if (event != TRACK_PLAIN || is_within(n->first, s->next[of]))
			return event;
		learn(s, of, n->first);
		return TRACK_GOES_ON;
	}
	*ret_is_answer = n->ack == s->next[of];
	if (event == TRACK_FIN && !is_good(s, side, n->first)) {
		/* Unless it answers, one doubt is enough. */
		return *ret_is_answer ? TRACK_FIN : TRACK_PLAIN;
	}
	if (event != TRACK_PLAIN || is_within(n->ack, s->next[of]))
		return event;
	learn(s, of, n->ack);
	return TRACK_GOES_ON;
}
