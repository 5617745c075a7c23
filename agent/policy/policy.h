/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H 1

/* What main.c and the host call of agent/policy besides the model. */

#include <stdbool.h>
#include <stdint.h>
#include "agent/model/model.h"

/* Reasons with which packets are punted to the host. */
enum punt_reason {
	PUNT_ARP = 1,			/* An ARP packet from a bound port. */
	PUNT_ND,			/* ICMPv6 neighbour discovery. */
	PUNT_GATEWAY,			/* To a gateway's address. */
	PUNT_TTL,			/* Used up at the router. */
	PUNT_MISSING,			/* To what no mapping knows. */
	PUNT_TOO_BIG,			/* Routed, and larger than its way
					 * takes; */
	PUNT_TOO_BIG_HERE,		/* or in its own subnet. */
	PUNT_NO_ROUTE,			/* The router knows no way. */
	PUNT_BFD,			/* Of another host, in VNI 0. */
	PUNT_UNREACHABLE,		/* Routed, and nobody knows to whom. */
	PUNT_GROUP			/* IGMP and MLD: heard, and goes on. */
};

/* Brings programs and mappings to what the model says: sends the switches the
 * difference only.  Faults go into the model. */
void policy_apply(struct model *);
/* Before a vsw is freed: drops everything of ours in it. */
void policy_leave_switch(struct model *, struct model_switch *);
/* Before an uplink is closed, and after the switch's list has it no more:
 * domains let go of it. */
void policy_leave_uplink(struct model *, struct model_switch *,
			 struct vsw_port *uplink);
/* Before a port is closed. */
void policy_leave_port(struct model *, struct model_port *);

#endif /* policy/policy.h */
