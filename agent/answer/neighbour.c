/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/answer/neighbour.h"

#include <string.h>

#include "agent/answer/beyond.h"

/* Nobody is known to have an address beyond: whoever probes it may use it.
 *
 * A probe that is answered is a conflict to who probes: so its own address
 * must be met with silence, and anybody else's must not.  Whoever asks for its
 * own address otherwise looks for others that have it, and there are none.
 * What VMs announce and reply changes nothing: only controllers do. */
#define SAID(BEYOND)                                                          \
	     { [NEIGHBOUR_IS_LOCAL] = true, [NEIGHBOUR_IS_REMOTE] = true,     \
	       [NEIGHBOUR_IS_STATIC] = true, [NEIGHBOUR_IS_BALANCED] = true,  \
	       [NEIGHBOUR_IS_GATEWAY] = true,                                 \
	       [NEIGHBOUR_IS_OWN] = false, [NEIGHBOUR_IS_UNKNOWN] = false,    \
	       [NEIGHBOUR_IS_BEYOND] = BEYOND }
static const bool answers[N_NEIGHBOUR_EVENTS][N_NEIGHBOUR_STATES] = {
	[NEIGHBOUR_REQUEST] = SAID(true),
	[NEIGHBOUR_REFRESH] = SAID(true),
	[NEIGHBOUR_PROBE] = SAID(false),
	[NEIGHBOUR_ANNOUNCEMENT] = { false },
	[NEIGHBOUR_REPLY] = { false }
};

enum neighbour_state
neighbour_find(const struct asker *asker, const uint8_t mac[6],
	       const struct vsw_addr *addr, uint8_t ret_mac[6])
{
	const struct model_subnet *subnet = asker->port->subnet;
	const struct model_mapping *mapping;

	if (model_find_gateway(subnet, addr)) {
		memcpy(ret_mac, asker->model->router_mac, 6);
		return NEIGHBOUR_IS_GATEWAY;
	}
	mapping = model_find_ca(subnet, addr);
	if (!mapping)
		return beyond_find(asker, addr, ret_mac) ? NEIGHBOUR_IS_BEYOND
							 : NEIGHBOUR_IS_UNKNOWN;
	memcpy(ret_mac, mapping->mac, 6);
	if (model_has_ca(subnet, addr, mac))
		return NEIGHBOUR_IS_OWN;
	if (mapping->kind == MAPPING_LOAD_BALANCED)
		return NEIGHBOUR_IS_BALANCED;
	if (mapping->kind == MAPPING_LEARNING_DISABLED)
		return NEIGHBOUR_IS_STATIC;
	return mapping->is_local ? NEIGHBOUR_IS_LOCAL : NEIGHBOUR_IS_REMOTE;
}

bool
neighbour_answers(enum neighbour_event event, enum neighbour_state state)
{
	return answers[event][state];
}
