/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_GROUP_H
#define POLICY_GROUP_H 1

/* Multicast groups that somebody behind a port wants, by the MAC they share
 * (RFC 1112, section 6.4; RFC 2464, section 7).  While a port of a subnet, or
 * of a VLAN of a learning switch, wants one, its packets go to those ports
 * alone, and to where routers, uplinks and other hosts are; without, they are
 * flooded.  Who wants what is heard by agent/answer/snoop.c.  [control] */

#include <stdbool.h>
#include <stdint.h>
#include "agent/model/model.h"

/* True if it was otherwise before; policy_apply() puts it in force. */
bool group_set(struct model *, struct model_port *, const uint8_t mac[6],
	       bool is_wanted);
bool group_is_wanted(const struct model_port *, const uint8_t mac[6]);
/* A router was heard behind the port, or no longer is. */
void group_set_router(struct model *, struct model_port *, bool is_router);

#endif /* policy/group.h */
