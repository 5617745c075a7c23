/* SPDX-License-Identifier: Apache-2.0 */

#ifndef ORACLE_PIECES_H
#define ORACLE_PIECES_H 1

/* Datagrams in pieces: which packets may go on, and when, as <vswitch/policy.h>
 * says, told by somebody who has all the room in the world. */

#include "tests/oracle/model.h"

enum { MAX_PIECES = 8 };

/* What has come of one datagram. */
struct account {
	bool has_first, is_spoilt;
	bool seen[64];			/* Units. */
	unsigned end;			/* 0: not seen. */
	unsigned n_waiting;
	struct m_packet waiting[MAX_PIECES];
};

/* Draws the pieces of a datagram, their order, and damages some of them. */
unsigned pieces_draw(struct m_packet pieces[MAX_PIECES], uint32_t id,
		     uint64_t *seed);
/* Which packets are to be decided now that this one comes?  What is dropped
 * for its own sake is counted in '*ret_n_dropped'. */
unsigned pieces_expect(const struct model *, struct account *,
		       const struct m_packet *,
		       struct m_packet decided[MAX_PIECES],
		       unsigned *ret_n_dropped);

#endif /* oracle/pieces.h */
