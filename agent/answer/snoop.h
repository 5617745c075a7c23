/* SPDX-License-Identifier: Apache-2.0 */

#ifndef ANSWER_SNOOP_H
#define ANSWER_SNOOP_H 1

/* Who wants which multicast group: IGMP (RFC 1112, 2236, 3376) and MLD (RFC
 * 2710, 3810), as RFC 4541 has switches listen.  Reports and queries of ports
 * whose switch has options:mcast_snooping come here as punts, and go on as they
 * were.  What a port wants is forgotten after 260 s without a report, its own
 * or, of the versions in which one speaks for all, anybody's that it hears, or
 * at once when a VM leaves; a port behind which a querier was heard gets all
 * groups for 255 s.  Where no querier speaks, the agent asks itself, every
 * 125 s.  A port has at most 256 groups; what is beyond is flooded with all
 * that nobody wants.
 *
 * Groups of link scope, and those that share a MAC with them, are never
 * restricted.  Filters of sources are not looked at.  One for each punt port.
 * [control] */

#include <stdbool.h>
#include <stdint.h>
#include <event2/event.h>
#include <vswitch.h>

struct frame;
struct model;
struct model_port;
struct snoop;

enum { SNOOP_PORT_GROUPS = 256 };

/* 0 or a negative errno.  free accepts NULL. */
int snoop_new(struct event_base *, struct model *, struct vsw *,
	      struct vsw_worker *, struct snoop **ret_snoop);
void snoop_free(struct snoop *);
/* A packet of a port, punted as PUNT_GROUP. */
void snoop_heard(struct snoop *, struct model_port *, const struct frame *,
		 uint64_t now);
/* What is due: expires and asks. */
void snoop_tick(struct snoop *, uint64_t now);
/* Before the port is closed. */
void snoop_forget(struct snoop *, const struct model_port *);

#endif /* answer/snoop.h */
