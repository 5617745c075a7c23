/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/answer/beyond.h"

#include <string.h>

#include "agent/policy/compile.h"

bool
beyond_find(const struct asker *asker, const struct vsw_addr *addr,
	    uint8_t ret_mac[6])
{
	static const uint8_t none[6];
	const struct model_port *port = asker->port;
	const struct model_domain *domain =
		model_find_domain(asker->model, port->subnet);
	struct draft_location location;

	if (asker->asks_first || !domain || !memcmp(domain->mac, none, 6)
	    || model_is_bridged(port->subnet)
	    || !model_is_on_link(port->subnet, addr)
	    || !locate_unknown(domain, port->subnet, port->sw, &location))
		return false;
	memcpy(ret_mac, domain->mac, 6);
	return true;
}

bool
beyond_is_asked_for(const struct asker *asker)
{
	const struct model_domain *domain =
		model_find_domain(asker->model, asker->port->subnet);

	return domain && domain->asks;
}
