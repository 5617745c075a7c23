/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_FIT_H
#define DATAPATH_FIT_H 1

/* What is too big for where it goes: what becomes of it, and IPv4's fragments
 * (RFC 791, section 3.2).  Execute asks here of packets that are larger than
 * their rewrite's 'max_size', which are few.  [worker] */

#include <stdbool.h>
#include <stdint.h>
#include "libvswitch/datapath/segment.h"

struct rewrite;

enum fit {
	FIT_AS_IT_IS,			/* Its segments are small enough. */
	FIT_WITHOUT_PADDING,		/* What is behind the IP packet must
					 * go. */
	FIT_IN_FRAGMENTS,
	FIT_NOT				/* Told to the sender, or dropped. */
};

enum fit fit_judge(const struct vsw_packet *, const struct headers *,
		   const struct rewrite *);
/* Is the sender of what does not fit to be told?  Only of IP there is a way
 * to. */
bool fit_is_told(const struct headers *, const struct rewrite *);

/* Cuts a packet, and each of its segments if it has a segment size, into
 * frames of 'max_size' at most. */
struct fragments {
	struct segments segments;
	struct vsw_packet *whole;	/* That is being cut; NULL: the next
					 * segment is to come. */
	uint32_t max_size;
	uint32_t l3, l4;		/* Where the IP header stands, and its
					 * payload begins. */
	uint32_t at, end;		/* What is to be sent next; behind all
					 * of it. */
	bool has_failed;		/* Out of memory: some were not made. */
};

/* Takes the packet, which was judged FIT_IN_FRAGMENTS.  As segments_start():
 * 0 or a negative errno, and the packet is freed then. */
int fragments_start(struct fragments *, struct vsw_packet *,
		    uint32_t max_size);
/* The next frame, complete and without offload; NULL at the end, which must be
 * reached. */
struct vsw_packet *fragments_next(struct fragments *);

#endif /* datapath/fit.h */
