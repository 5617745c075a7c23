/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H 1

/* What main.c and the host call of agent/policy besides the model. */

#include <stdbool.h>
#include <stdint.h>
#include "agent/policy/model.h"

/* Reasons with which packets are punted to the host. */
enum punt_reason {
	PUNT_ARP = 1,			/* An ARP packet from a bound port. */
	PUNT_ND,			/* ICMPv6 neighbour discovery. */
	PUNT_GATEWAY,			/* To a gateway's address. */
	PUNT_TTL			/* Used up at the router. */
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

/* Writes status, cur_cfg, Ucast_Macs_Local and statistics that differ from
 * what the rows say, in one transaction for each database.  'with_statistics'
 * once in some seconds. */
void status_write(struct model *, bool with_statistics);

#endif /* policy/policy.h */
