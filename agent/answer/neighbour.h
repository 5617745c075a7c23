/* SPDX-License-Identifier: Apache-2.0 */

#ifndef ANSWER_NEIGHBOUR_H
#define ANSWER_NEIGHBOUR_H 1

/* What ARP and neighbour discovery are answered, as one table for both: what a
 * VM says, and what is known of the address that it speaks of.  arp.c and nd.c
 * read questions and write answers; what there is to say is decided here. */

#include <stdbool.h>
#include <stdint.h>
#include "agent/answer/frame.h"

/* RFC 826, RFC 5227; RFC 4861, RFC 4862. */
#define NEIGHBOUR_EVENTS(X)                                                 \
	X(REQUEST)	/* ARP request; multicast solicitation. */          \
	X(REFRESH)	/* The same to one MAC: is it still there? */       \
	X(PROBE)	/* From no address: may it be used? */              \
	X(ANNOUNCEMENT)	/* Gratuitous: request or reply of an address by    \
			 * itself; unsolicited advertisement. */            \
	X(REPLY)	/* ARP reply, solicited advertisement. */

/* Of the address, in the sender's subnet: nothing else is looked at, so that
 * what is known in another routing domain is as good as unknown. */
#define NEIGHBOUR_STATES(X)                                                 \
	X(OWN)		/* The sender's; of load_balanced rows, one is. */  \
	X(LOCAL)	/* Of another VM here, */                           \
	X(REMOTE)	/* or elsewhere. */                                 \
	X(STATIC)	/* learning_disabled. */                            \
	X(BALANCED)	/* load_balanced. */                                \
	X(GATEWAY)	/* A gateway's of the subnet, whatever rows say. */ \
	X(BEYOND)	/* At the domain's default location (beyond.h). */  \
	X(UNKNOWN)

#define NEIGHBOUR_EVENT(NAME) NEIGHBOUR_##NAME,
#define NEIGHBOUR_STATE(NAME) NEIGHBOUR_IS_##NAME,
enum neighbour_event { NEIGHBOUR_EVENTS(NEIGHBOUR_EVENT) N_NEIGHBOUR_EVENTS };
enum neighbour_state { NEIGHBOUR_STATES(NEIGHBOUR_STATE) N_NEIGHBOUR_STATES };
#undef NEIGHBOUR_EVENT
#undef NEIGHBOUR_STATE

/* What is known of 'addr', asked by 'mac'; 'ret_mac' is under which MAC, if
 * there is one. */
enum neighbour_state neighbour_find(const struct asker *,
				    const uint8_t mac[6],
				    const struct vsw_addr *addr,
				    uint8_t ret_mac[6]);
/* Is there to be an answer?  If not: silence, or, in a subnet whose VMs may
 * know more (model_is_bridged()), it is left to them. */
bool neighbour_answers(enum neighbour_event, enum neighbour_state);

#endif /* answer/neighbour.h */
