/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_FRAGMENT_H
#define DATAPATH_FRAGMENT_H 1

/* Later fragments go where the first one's ports say.  The station itself is
 * batch_join() in batch.h.
 *
 * A datagram that comes in pieces is followed, by addresses and
 * identification, from its first fragment on (or from a later one that has to
 * wait for it) until all of it has been seen, or nothing of it for
 * FRAGMENT_IDLE_NS.  Its later fragments get the first one's ports and protocol
 * into their key.  One whose first has not been seen keeps FLOW_NO_FIRST, is
 * looked up and decided as it is, and waits only if a rule that may be meant
 * asks for what the first one alone can tell: that is, if its flow is a drop
 * as FRAGMENT_LOST, which batch_execute() brings here.
 *
 * What has been seen of a datagram is kept as ranges.  A piece that covers
 * bytes that were there is dropped, and one that does so in part takes all of
 * its datagram with it (RFC 5722, section 3; RFC 1858 is met by parse.c).  Of
 * IPv4, where identifications come around within seconds, a first fragment
 * begins a new datagram.
 *
 * All is a worker's own: devices give one worker all fragments of a datagram,
 * because only the first one has ports to spread by.  Memory is asked for with
 * the first fragment that comes, and then bounded; who holds most gives way.
 * [worker] */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct batch;
struct fragments;
struct vsw_packet;
struct vsw_worker;

enum {
	FRAGMENT_DATAGRAMS = 2048,	/* Followed at a time. */
	FRAGMENT_RANGES = 12,		/* Of each, apart from each other. */
	FRAGMENT_WAITING = 1024,	/* Packets that wait, in all, */
	FRAGMENT_PORT_WAITING = 256,	/* of one port, */
	FRAGMENT_DATAGRAM_WAITING = 128,	/* of one datagram; */
	FRAGMENT_IDLE_NS = 1000000000	/* and how long. */
};

/* The batch's packet 'i' waits for its first fragment.  Takes the packet,
 * which may be dropped at once: FRAGMENT_LIMIT, _OVERLAP or NO_MEMORY. */
void fragment_wait(struct vsw_worker *, struct batch *, unsigned i,
		   struct vsw_packet *);
/* Fills the batch, which is done with, anew with packets of its port whose
 * first fragment it brought, headers and all; false: there are none. */
bool fragment_refill(struct vsw_worker *, struct batch *);
/* Gives up at most 'n' datagrams that nothing was heard of; what waited is
 * dropped as FRAGMENT_LOST.  Returns when the next one will be due;
 * UINT64_MAX: none left.  Under the read mark. */
uint64_t fragment_expire(struct vsw_worker *, uint64_t now, size_t n);
/* What waits is freed with it.  Accepts NULL. */
void fragment_free(struct vsw_worker *, struct fragments *);

size_t fragment_n_datagrams(const struct fragments *);
size_t fragment_n_waiting(const struct fragments *);

#endif /* datapath/fragment.h */
