/* SPDX-License-Identifier: Apache-2.0 */

/* Destination routing: packets to the router's MAC go on in the subnet that
 * the longest prefix names.  A static route wins over a subnet of the same
 * length, as the operator's word. */

#include "agent/policy/compile.h"

#include <stdlib.h>
#include <string.h>
#include "agent/policy/policy.h"

/* Longer prefixes are asked first. */
#define ROUTE_PRIORITY(bits, is_connected) \
	(2 * (128 - (bits)) + ((is_connected) ? 1 : 0))

enum { LAST_PRIORITY = 2 * 129, ETH_IPV4 = 0x0800, ETH_IPV6 = 0x86dd };

static void add_prefixes(struct draft_group *, const struct model *,
			 struct model_subnet *);
static void add_static_routes(struct draft_group *, const struct model *,
			      const struct domain *,
			      struct model_subnet *const subnets[], size_t n);
static struct model_subnet *find_subnet(struct model_subnet *const subnets[],
					size_t n, const struct vsw_addr *);
static bool has_address(const struct model_prefix *, const struct vsw_addr *);
static struct draft_rule *add_route(struct draft_group *,
				    const struct model *,
				    struct model_subnet *,
				    const struct vsw_addr *network,
				    unsigned bits, bool is_connected);

struct draft_group *
layer_route(const struct model *model, const struct domain *domain)
{
	struct draft_group *group =
		draft_group_new("routes of %s", domain->router->name);
	struct model_subnet **subnets;
	size_t n = domain_subnets(domain, &subnets);
	struct draft_rule *rule;

	if (domain->router->is_enabled) {
		for (size_t i = 0; i < n; i++)
			add_prefixes(group, model, subnets[i]);
		add_static_routes(group, model, domain, subnets, n);
	}
	rule = draft_group_add_rule(group, LAST_PRIORITY, DRAFT_DROP, "%s",
				    domain->router->is_enabled
					    ? "no route" : "router is off");
	draft_rule_match(rule, VSW_FIELD_ETH_DST, model->router_mac, 6);
	rule->is_terminating = true;
	free(subnets);
	return group;
}

static void
add_prefixes(struct draft_group *group, const struct model *model,
	     struct model_subnet *subnet)
{
	for (const struct list *link = subnet->prefixes.next;
	     link != &subnet->prefixes; link = link->next) {
		const struct model_prefix *prefix =
			LIST_ENTRY(link, const struct model_prefix, link);

		add_route(group, model, subnet, &prefix->network,
			  prefix->bits, true);
	}
}

static void
add_static_routes(struct draft_group *group, const struct model *model,
		  const struct domain *domain,
		  struct model_subnet *const subnets[], size_t n)
{
	const struct list *routes = &domain->router->static_routes;

	for (const struct list *link = routes->next; link != routes;
	     link = link->next) {
		const struct model_route *route =
			LIST_ENTRY(link, const struct model_route, link);
		struct model_subnet *subnet =
			find_subnet(subnets, n, &route->next_hop);

		if (subnet)
			add_route(group, model, subnet, &route->network,
				  route->bits, false)->next_hop
				= route->next_hop;
	}
}

/* By the longest prefix, as for any other packet to that address. */
static struct model_subnet *
find_subnet(struct model_subnet *const subnets[], size_t n,
	    const struct vsw_addr *addr)
{
	struct model_subnet *best = NULL;
	unsigned best_bits = 0;

	for (size_t i = 0; i < n; i++)
		for (const struct list *link = subnets[i]->prefixes.next;
		     link != &subnets[i]->prefixes; link = link->next) {
			const struct model_prefix *prefix =
				LIST_ENTRY(link, const struct model_prefix,
					   link);

			if (has_address(prefix, addr)
			    && (!best || prefix->bits > best_bits)) {
				best = subnets[i];
				best_bits = prefix->bits;
			}
		}
	return best;
}

static bool
has_address(const struct model_prefix *prefix, const struct vsw_addr *addr)
{
	if (prefix->network.n != addr->n)
		return false;
	for (unsigned i = 0; i < prefix->bits; i++)
		if ((prefix->network.bytes[i / 8] ^ addr->bytes[i / 8])
		    & (0x80 >> i % 8))
			return false;
	return true;
}

static struct draft_rule *
add_route(struct draft_group *group, const struct model *model,
	  struct model_subnet *subnet, const struct vsw_addr *network,
	  unsigned bits, bool is_connected)
{
	char text[MODEL_ADDR_TEXT_SIZE];
	struct draft_rule *rule;

	model_addr_to_text(network, text);
	rule = draft_group_add_rule(group, ROUTE_PRIORITY(bits, is_connected),
				    DRAFT_ROUTE, "to %s/%u", text, bits);
	draft_rule_match(rule, VSW_FIELD_ETH_DST, model->router_mac, 6);
	/* Zero bits say nothing of the family by themselves. */
	if (!bits)
		draft_rule_match_u16(rule, VSW_FIELD_ETH_TYPE,
				     network->n == 4 ? ETH_IPV4 : ETH_IPV6);
	draft_rule_match_dst(rule, network, bits);
	draft_rule_set_subnet(rule, subnet);
	memcpy(rule->router_mac, model->router_mac, 6);
	rule->reason = PUNT_TTL;
	rule->is_terminating = true;
	return rule;
}
