/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_APPLY_UPLINK_H
#define POLICY_APPLY_UPLINK_H 1

/* A switch's uplinks, which come and go without a row that says so.
 * [control] */

#include "agent/model/model.h"

/* Those that a domain is known to have, or that have the uplinks' program. */
struct uplink_set {
	struct vsw_port *of[VSW_MAX_UPLINKS];
	size_t n;
};

/* The domain sends by those of the switch that are up.  0 or a negative errno,
 * as it was; 'known' follows. */
int uplink_set_domain(const struct model_switch *, struct vsw_domain *,
		      struct uplink_set *known);
/* All that are open, up or not, get the program: what still comes in is taken.
 * 'known' are those that have it. */
int uplink_set_program(const struct model_switch *, struct vsw_program *,
		       struct uplink_set *known);
void uplink_set_remove(struct uplink_set *, const struct vsw_port *);

#endif /* policy/apply_uplink.h */
