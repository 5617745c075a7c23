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

/* Asks the controllers, in hnv.Mapping_Request, for a mapping of 'addr' or, if
 * that is NULL, of 'mac', on behalf of 'port'; or finds that they are asked
 * already.  NULL: its routing domain does not ask, or the port asks more than
 * it may.  Times are of a clock that goes forward. */
struct model_request *request_get(struct model *, const struct model_subnet *,
				  const struct vsw_addr *addr,
				  const uint8_t mac[6], struct model_port *port,
				  int64_t now_ms);
/* For as long as packets wait for it; given back by request_end(). */
void request_ref(struct model_request *);
/* Need it not be asked any more?  'ret_answered': because it is known. */
bool request_is_over(const struct model *, const struct model_request *,
		     bool *ret_answered);
enum request_end { REQUEST_ANSWERED, REQUEST_TIMED_OUT, REQUEST_GIVEN_UP };
/* Gives it back; it goes with the last, who says how. */
void request_end(struct model *, struct model_request *, enum request_end);
/* Before the port is freed. */
void request_forget_port(struct model *, const struct model_port *);
/* Tells of what has changed, in one transaction. */
void request_write(struct model *);

/* When a controller last changed anything: seconds since 1970; 0: never.  Set
 * at the start, for what is on disk. */
void policy_set_time(struct model *, int64_t time_s);
int64_t policy_get_time(const struct model *);
/* An entry of hnv.Host.options, to be freed; NULL: there is none. */
char *policy_host_option(const struct model *, const char *key);

/* Writes status, cur_cfg, Ucast_Macs_Local and statistics that differ from
 * what the rows say, in one transaction for each database.  'with_statistics'
 * once in some seconds. */
void status_write(struct model *, bool with_statistics);

#endif /* policy/policy.h */
