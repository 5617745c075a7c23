/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_LEARN_H
#define POLICY_LEARN_H 1

/* Which MACs are behind the ports of hardware_vtep's subnets, as their packets
 * tell.
 *
 * A program has a rule that learns (layer_vnet.c), behind guards and the port's
 * list, so that nobody is heard as who he must not be.  It looks sources up in
 * a mapping that holds what is known by now (placement.sources); what is news
 * comes here as an event.  The table and its ageing are model/macs.h's.  What
 * it leads to is what a row leads to: status/status_macs.c writes one of
 * Ucast_Macs_Local, and the model reads it, and asks the table whose it is.
 *
 * Rows that an agent before this one wrote stay for as long as an address may
 * be silent, so that a restart withdraws nobody who is there.
 *
 * All [control]. */

#include "agent/policy/applied.h"

/* Before anything is heard in the switch. */
void learn_open(struct model *, struct model_switch *);
/* A mapping for what is heard in the subnet; a negative errno: none. */
int learn_begin(struct instance *, const struct model_subnet *,
		struct vsw_mapping **ret_sources);
/* A packet came out of the port, which is in the subnet of this VNI. */
void learn_heard(struct model *, struct model_port *, uint32_t vni,
		 const uint8_t mac[6], uint64_t now);
/* False: there is nothing left that could age. */
bool learn_age(struct model *, uint64_t now);
/* Before the placement's mappings go. */
void learn_leave(struct placement *);

#endif /* policy/learn.h */
