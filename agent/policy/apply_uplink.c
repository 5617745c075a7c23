/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/policy/apply_uplink.h"

#include <string.h>

int
uplink_set_domain(const struct model_switch *sw, struct vsw_domain *domain,
		  struct uplink_set *known)
{
	size_t size = sw->n_up * sizeof sw->uplinks[0];
	int err;

	if (known->n == sw->n_up && !memcmp(known->of, sw->uplinks, size))
		return 0;
	err = vsw_domain_set_uplinks(domain, sw->uplinks, sw->n_up);
	if (err)
		return err;
	memcpy(known->of, sw->uplinks, size);
	known->n = sw->n_up;
	return 0;
}

int
uplink_set_program(const struct model_switch *sw, struct vsw_program *program,
		   struct uplink_set *known)
{
	for (size_t i = 0; i < sw->n_uplinks; i++) {
		struct vsw_port *port = sw->uplinks[i];
		size_t at = 0;
		int err;

		while (at < known->n && known->of[at] != port)
			at++;
		if (at < known->n)
			continue;
		err = vsw_port_set_program(port, program);
		if (err)
			return err;
		known->of[known->n++] = port;
	}
	return 0;
}

void
uplink_set_remove(struct uplink_set *known, const struct vsw_port *port)
{
	for (size_t i = 0; i < known->n; i++)
		if (known->of[i] == port) {
			known->of[i] = known->of[--known->n];
			return;
		}
}
