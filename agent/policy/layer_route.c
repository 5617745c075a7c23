/* SPDX-License-Identifier: Apache-2.0 */

/* Destination routing: packets to the router's MAC go on in the subnet that
 * the longest prefix names.  Of the same length, the subnet's own static route
 * wins over the router's, and that over a subnet's prefix: the operator's word,
 * and the nearer one. */

#include "agent/policy/compile.h"

#include <stdlib.h>
#include <string.h>
#include "agent/model/state.h"
#include "agent/policy/policy.h"

/* Lower is asked first. */
enum route_rank { RANK_OWN, RANK_ROUTER, RANK_CONNECTED, N_RANKS };
/* Longer prefixes are asked first. */
#define ROUTE_PRIORITY(bits, rank) (N_RANKS * (128 - (bits)) + (rank))

enum { LAST_PRIORITY = N_RANKS * 129, ETH_IPV4 = 0x0800, ETH_IPV6 = 0x86dd };

static void add_prefixes(struct draft_group *, const struct model *,
			 struct model_subnet *);
static void add_static_routes(struct draft_group *, const struct model *,
			      const struct model_router *,
			      struct model_subnet *own,
			      const struct list *routes);
static void add_static_route(struct draft_group *, const struct model *,
			     const struct model_router *,
			     struct model_subnet *own,
			     const struct model_route *);
static size_t find_hops(const struct model_router *, struct model_subnet *own,
			const struct model_route *,
			struct draft_hop ret_hops[VSW_MAX_NEXT_HOPS]);
static void set_route(struct draft_rule *, const struct model *);
static struct draft_rule *add_rule(struct draft_group *, const struct model *,
				   const struct vsw_addr *network,
				   unsigned bits, enum route_rank,
				   enum draft_action, const char *what);

struct draft_group *
layer_route(const struct model *model, const struct domain *domain,
	    struct model_subnet *subnet)
{
	const struct model_router *router = domain->router;
	struct draft_group *group = draft_group_new(
		"routes of %s", subnet ? subnet->name : router->name);
	struct model_subnet **subnets;
	size_t n = domain_subnets(domain, &subnets);
	struct draft_rule *rule;

	if (router->is_enabled) {
		for (size_t i = 0; i < n; i++)
			add_prefixes(group, model, subnets[i]);
		add_static_routes(group, model, router, NULL,
				  &router->static_routes);
		if (subnet)
			add_static_routes(group, model, router, subnet,
					  &subnet->static_routes);
	}
	rule = draft_group_add_rule(group, LAST_PRIORITY,
				    router->is_enabled ? DRAFT_PUNT
						       : DRAFT_DROP, "%s",
				    router->is_enabled ? "no route"
						       : "router is off");
	rule->reason = router->is_enabled ? PUNT_NO_ROUTE : 0;
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
		struct draft_rule *rule =
			add_rule(group, model, &prefix->network, prefix->bits,
				 RANK_CONNECTED, DRAFT_ROUTE, "");

		draft_rule_set_subnet(rule, subnet);
		set_route(rule, model);
	}
}

static void
add_static_routes(struct draft_group *group, const struct model *model,
		  const struct model_router *router, struct model_subnet *own,
		  const struct list *routes)
{
	for (const struct list *link = routes->next; link != routes;
	     link = link->next) {
		const struct model_route *route =
			LIST_ENTRY(link, const struct model_route, link);

		if (route->network.n)
			add_static_route(group, model, router, own, route);
	}
}

static void
add_static_route(struct draft_group *group, const struct model *model,
		 const struct model_router *router, struct model_subnet *own,
		 const struct model_route *route)
{
	enum route_rank rank = own ? RANK_OWN : RANK_ROUTER;
	struct draft_hop hops[VSW_MAX_NEXT_HOPS];
	size_t n = find_hops(router, own, route, hops);
	struct draft_rule *rule;

	if (!n) {
		add_rule(group, model, &route->network, route->bits, rank,
			 DRAFT_DROP, route->is_null ? ": null"
						    : ": no next hop");
		return;
	}
	rule = add_rule(group, model, &route->network, route->bits, rank,
			DRAFT_ROUTE, "");
	draft_rule_set_hops(rule, hops, n);
	set_route(rule, model);
}

/* Those that are in a subnet. */
static size_t
find_hops(const struct model_router *router, struct model_subnet *own,
	  const struct model_route *route,
	  struct draft_hop hops[VSW_MAX_NEXT_HOPS])
{
	size_t n = 0;

	memset(hops, 0, VSW_MAX_NEXT_HOPS * sizeof *hops);
	if (route->is_on_link) {
		hops[0].subnet = route_link(router, own, route);
		return hops[0].subnet != NULL;
	}
	for (size_t i = 0; i < route->n_next_hops; i++) {
		hops[n].subnet = model_find_hop(router, &route->next_hops[i]);
		hops[n].addr = route->next_hops[i];
		n += hops[n].subnet != NULL;
	}
	return n;
}

static void
set_route(struct draft_rule *rule, const struct model *model)
{
	memcpy(rule->router_mac, model->router_mac, 6);
	rule->reason = PUNT_TTL;
}

static struct draft_rule *
add_rule(struct draft_group *group, const struct model *model,
	 const struct vsw_addr *network, unsigned bits, enum route_rank rank,
	 enum draft_action action, const char *what)
{
	char text[MODEL_ADDR_TEXT_SIZE];
	struct draft_rule *rule;

	model_addr_to_text(network, text);
	rule = draft_group_add_rule(group, ROUTE_PRIORITY(bits, rank), action,
				    "to %s/%u%s", text, bits, what);
	draft_rule_match(rule, VSW_FIELD_ETH_DST, model->router_mac, 6);
	/* Zero bits say nothing of the family by themselves. */
	if (!bits)
		draft_rule_match_u16(rule, VSW_FIELD_ETH_TYPE,
				     network->n == 4 ? ETH_IPV4 : ETH_IPV6);
	draft_rule_match_dst(rule, network, bits);
	rule->is_terminating = true;
	return rule;
}
