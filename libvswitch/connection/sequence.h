/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CONNECTION_SEQUENCE_H
#define CONNECTION_SEQUENCE_H 1

/* Is an RST or a FIN of an established connection its sender's, or somebody's
 * who guesses?  RFC 5961, section 3, says what its receiver thinks of one: that
 * it must bear the number that he expects.  What that is he tells with each
 * acknowledgement, and only of what is seen can it be known: of settled
 * connections one packet in 16 seconds.  So there are three answers.  A number
 * near the one last told is good.  Any other is doubted, until the receiver
 * acknowledges the FIN, which nobody but he can do, or the connection goes on.
 * What is doubted ends nothing by itself.
 *
 * Numbers are modulo 2^32.  Pure: no table, no time. */

#include <stdbool.h>
#include <stdint.h>
#include "libvswitch/connection/track.h"

/* What a TCP segment says. */
struct sequence_numbers {
	uint32_t first, behind;		/* Its own; SYN and FIN count. */
	uint32_t ack;			/* Unless it is a SYN or an RST. */
	bool is_there;			/* It was to be seen. */
};

/* What is known of both sides; all zero: nothing. */
struct sequence {
	uint32_t next[2];		/* Is expected of the side, says the
					 * other; or of a FIN that is doubted:
					 * what stands behind it. */
	uint8_t known;			/* Bit: enum track_side. */
};

/* How far from what is expected a number may be: as a window that is not
 * scaled. */
enum { SEQUENCE_NEAR = 65535 };

/* Learns from the segment of 'side' and says what it is to a connection of that
 * state: 'event', or what has become of it.  '*ret_is_answer': besides, and
 * before, it acknowledges the other's FIN (TRACK_FIN_ANSWERED). */
enum track_event sequence_judge(struct sequence *, enum track_state,
				enum track_side, enum track_event event,
				const struct sequence_numbers *,
				bool *ret_is_answer);

#endif /* connection/sequence.h */
