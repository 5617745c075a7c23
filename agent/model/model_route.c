/* SPDX-License-Identifier: Apache-2.0 */

/* static_routes, of Logical_Router and of Logical_Switch: prefix to next hops.
 *
 * Nothing that a route names is left to a shorter one because its next hop
 * does not read or is nowhere: that drops, since an operator who wrote
 * "through the firewall" did not mean "past it". */

#include "agent/model/state.h"

#include <stdlib.h>
#include <strings.h>
#include "agent/base/memory.h"

enum { MAX_ROUTES = 4096 };	/* Of one row. */

static bool are_same(const struct list *, const struct datum *);
static struct model_route *new_route(struct model_state *,
				     const struct routes *, const char *prefix,
				     const char *value);
static enum model_reason read_prefix(const struct list *others,
				     struct model_route *);
static enum model_reason read_value(struct model_route *);
static enum model_reason read_hop(struct model_route *, const char *text);
static bool is_nowhere(const char *text);
static bool is_any(const struct vsw_addr *);
static void judge_router(struct model_state *, struct router_row *);
static void judge(struct model_state *, const struct routes *);
static char *find_problem(const struct routes *, const struct model_route *);
static void set_fault(struct model_state *, const struct routes *,
		      struct model_route *, enum model_reason,
		      const char *problem);
static const struct model_route *longest(const struct list *,
					 const struct vsw_addr *);
static struct model_subnet *find_connected(const struct model_router *,
					   const struct vsw_addr *,
					   unsigned *ret_bits);

bool
routes_read(struct model_state *state, const struct routes *routes,
	    const struct row *row)
{
	struct datum room;
	const struct datum *wanted = row_get(row, "static_routes", &room);

	if (are_same(routes->of, wanted))
		return false;
	routes_clear(state, routes->of);
	for (uint32_t i = 0; i < wanted->n; i++) {
		struct model_route *route;

		route = new_route(state, routes,
				  datum_key(wanted, i)->string->text,
				  datum_value(wanted, i)->string->text);
		list_append(routes->of, &route->link);
		state->n_routes++;
		if (i >= MAX_ROUTES)
			route->network.n = 0;
		if (i == MAX_ROUTES)
			set_fault(state, routes, route, MODEL_LIMIT,
				  "of one row 4096 are taken");
	}
	return true;
}

void
routes_clear(struct model_state *state, struct list *routes)
{
	while (!list_is_empty(routes)) {
		struct model_route *route =
			LIST_ENTRY(routes->next, struct model_route, link);

		list_remove(&route->link);
		row_fault_free(state, route->fault);
		free(route->next_hops);
		free(route->prefix);
		free(route->value);
		free(route);
		state->n_routes--;
	}
}

void
routes_judge(struct model_state *state)
{
	struct list *changed = &state->changed;
	struct list *routers = &state->model->routers;
	struct list *subnets = &state->model->subnets, *link;

	if (!state->n_routes)
		return;
	for (link = changed->next; link != changed; link = link->next) {
		struct model_router *router =
			LIST_ENTRY(link, struct subnet_table, changed)
			->subnet->router;

		if (router)
			judge_router(state, (struct router_row *) router);
	}
	if (!state->structure_changed)
		return;
	for (link = routers->next; link != routers; link = link->next)
		judge_router(state, (struct router_row *)
			     LIST_ENTRY(link, struct model_router, link));
	for (link = subnets->next; link != subnets; link = link->next) {
		struct model_subnet *subnet =
			LIST_ENTRY(link, struct model_subnet, link);

		if (!subnet->router)
			judge(state, &(struct routes) {
				.of = &subnet->static_routes,
				.table = "Logical_Switch",
				.owner = &subnet->row, .subnet = subnet });
	}
}

void
prefix_mask(struct vsw_addr *addr, unsigned bits)
{
	for (unsigned i = bits; i < addr->n * 8u; i++)
		addr->bytes[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
}

bool
prefix_has(const struct vsw_addr *network, unsigned bits,
	   const struct vsw_addr *addr)
{
	struct vsw_addr masked = *addr;

	if (network->n != addr->n)
		return false;
	prefix_mask(&masked, bits);
	return !memcmp(masked.bytes, network->bytes, addr->n);
}

bool
model_is_on_link(const struct model_subnet *subnet,
		 const struct vsw_addr *addr)
{
	const struct list *prefixes = &subnet->prefixes;

	for (const struct list *link = prefixes->next; link != prefixes;
	     link = link->next) {
		const struct model_prefix *prefix =
			LIST_ENTRY(link, const struct model_prefix, link);

		if (prefix_has(&prefix->network, prefix->bits, addr))
			return true;
	}
	return list_is_empty(prefixes);
}

struct model_subnet *
route_link(const struct model_router *router, struct model_subnet *own,
	   const struct model_route *route)
{
	unsigned bits;

	return own && own->vni ? own
			: find_connected(router, &route->network, &bits);
}

struct model_subnet *
model_find_hop(const struct model_router *router, const struct vsw_addr *addr)
{
	unsigned bits;
	struct model_subnet *subnet = find_connected(router, addr, &bits);

	return subnet && model_find_gateway(subnet, addr) ? NULL : subnet;
}

bool
model_find_route(const struct model_subnet *subnet,
		 const struct vsw_addr *addr,
		 const struct model_route **ret_route,
		 struct model_subnet **ret_subnet)
{
	const struct model_router *router = subnet->router;
	const struct model_route *own, *route;
	unsigned bits;

	*ret_route = NULL;
	*ret_subnet = NULL;
	if (!router || !router->is_enabled)
		return false;
	own = longest(&subnet->static_routes, addr);
	route = longest(&router->static_routes, addr);
	*ret_subnet = find_connected(router, addr, &bits);
	if (own && (!route || own->bits >= route->bits))
		route = own;
	if (route && (!*ret_subnet || route->bits >= bits)) {
		*ret_route = route;
		*ret_subnet = NULL;
	}
	return route || *ret_subnet;
}

static bool
are_same(const struct list *routes, const struct datum *wanted)
{
	const struct list *link = routes->next;

	for (uint32_t i = 0; i < wanted->n; i++, link = link->next) {
		const struct model_route *route =
			LIST_ENTRY(link, const struct model_route, link);

		if (link == routes
		    || strcmp(route->prefix,
			      datum_key(wanted, i)->string->text)
		    || strcmp(route->value,
			      datum_value(wanted, i)->string->text))
			return false;
	}
	return link == routes;
}

static struct model_route *
new_route(struct model_state *state, const struct routes *routes,
	  const char *prefix, const char *value)
{
	struct model_route *route = xcalloc(1, sizeof *route);
	enum model_reason reason;

	route->prefix = xstrdup(prefix);
	route->value = xstrdup(value);
	reason = read_prefix(routes->of, route);
	if (!reason)
		reason = read_value(route);
	if (reason) {
		route->n_next_hops = 0;
		route->is_null = route->is_on_link = false;
		set_fault(state, routes, route, reason, NULL);
		route->is_bad = true;
	}
	return route;
}

/* The same one, written in two ways: the first in the map counts. */
static enum model_reason
read_prefix(const struct list *others, struct model_route *route)
{
	if (!model_prefix_from_text(route->prefix, &route->network,
				    &route->bits)) {
		route->network.n = 0;
		return MODEL_BAD_PREFIX;
	}
	prefix_mask(&route->network, route->bits);
	for (const struct list *link = others->next; link != others;
	     link = link->next) {
		const struct model_route *other =
			LIST_ENTRY(link, const struct model_route, link);

		if (other->bits != route->bits
		    || other->network.n != route->network.n
		    || memcmp(&other->network, &route->network,
			      sizeof other->network))
			continue;
		route->network.n = 0;
		return strcmp(other->value, route->value)
			? MODEL_CONFLICT : MODEL_DUPLICATE;
	}
	return MODEL_OK;
}

static enum model_reason
read_value(struct model_route *route)
{
	enum model_reason reason = MODEL_OK;
	char *text = xstrdup(route->value), *rest, *word;
	size_t n = 0;

	for (word = strtok_r(text, ", \t", &rest); word && !reason;
	     word = strtok_r(NULL, ", \t", &rest), n++)
		reason = read_hop(route, word);
	free(text);
	/* Nowhere, and on link, are no next hops that others stand beside. */
	if (!reason && (!n || (n > 1 && (route->is_null
					 || route->is_on_link))))
		return MODEL_BAD_ADDRESS;
	return reason;
}

static enum model_reason
read_hop(struct model_route *route, const char *text)
{
	struct vsw_addr hop;

	if (is_nowhere(text)) {
		route->is_null = true;
		return MODEL_OK;
	}
	if (!model_addr_from_text(text, &hop) || hop.n != route->network.n)
		return MODEL_BAD_ADDRESS;
	if (is_any(&hop)) {
		route->is_on_link = true;
		return MODEL_OK;
	}
	for (size_t i = 0; i < route->n_next_hops; i++)
		if (!memcmp(&route->next_hops[i], &hop, sizeof hop))
			return MODEL_OK;
	if (route->n_next_hops == VSW_MAX_NEXT_HOPS)
		return MODEL_LIMIT;
	route->next_hops = xrealloc(route->next_hops,
				    (route->n_next_hops + 1)
				    * sizeof *route->next_hops);
	route->next_hops[route->n_next_hops++] = hop;
	return MODEL_OK;
}

static bool
is_nowhere(const char *text)
{
	static const char *const words[] = {
		"null", "null0", "none", "blackhole", "drop", "discard"
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (!strcasecmp(text, words[i]))
			return true;
	return false;
}

static bool
is_any(const struct vsw_addr *addr)
{
	for (unsigned i = 0; i < addr->n; i++)
		if (addr->bytes[i])
			return false;
	return true;
}

/* Its own routes, and those of its subnets. */
static void
judge_router(struct model_state *state, struct router_row *router)
{
	if (router->routes_seen == state->n_updates)
		return;
	router->routes_seen = state->n_updates;
	judge(state, &(struct routes) {
		.of = &router->router.static_routes, .table = "Logical_Router",
		.owner = &router->by_row.key, .router = &router->router });
	for (struct list *link = router->claims.next;
	     link != &router->claims; link = link->next) {
		struct model_subnet *subnet =
			LIST_ENTRY(link, struct prefix_claim, by_router)
			->prefix.subnet;

		if (subnet->router == &router->router)
			judge(state, &(struct routes) {
				.of = &subnet->static_routes,
				.table = "Logical_Switch",
				.owner = &subnet->row, .subnet = subnet });
	}
}

static void
judge(struct model_state *state, const struct routes *routes)
{
	for (struct list *link = routes->of->next; link != routes->of;
	     link = link->next) {
		struct model_route *route =
			LIST_ENTRY(link, struct model_route, link);
		char *problem;

		if (route->is_bad || !route->network.n)
			continue;
		problem = find_problem(routes, route);
		set_fault(state, routes, route,
			  problem ? MODEL_NO_NEXT_HOP : MODEL_OK, problem);
		free(problem);
	}
}

/* NULL: none.  One that is known besides does not count as its excuse. */
static char *
find_problem(const struct routes *routes, const struct model_route *route)
{
	const struct model_router *router =
		routes->subnet ? routes->subnet->router : routes->router;
	char text[MODEL_ADDR_TEXT_SIZE];

	if (route->is_null)
		return NULL;
	if (!router)
		return xasprintf("the subnet is in no router");
	if (route->is_on_link)
		return route_link(router, routes->subnet, route) ? NULL
			: xasprintf("on link, but in no subnet");
	for (size_t i = 0; i < route->n_next_hops; i++) {
		const struct vsw_addr *hop = &route->next_hops[i];
		const struct model_subnet *subnet =
			model_find_hop(router, hop);

		if (subnet && model_find_ca(subnet, hop))
			continue;
		model_addr_to_text(hop, text);
		return subnet ? xasprintf("no row says where %s is", text)
			      : xasprintf("%s is no VM's address in a subnet "
					  "of the router", text);
	}
	return NULL;
}

static void
set_fault(struct model_state *state, const struct routes *routes,
	  struct model_route *route, enum model_reason reason,
	  const char *problem)
{
	char *detail = xasprintf("static_routes %s=%s%s%s", route->prefix,
				 route->value, problem ? ": " : "",
				 problem ? problem : "");
	bool is_same = route->fault ? route->fault->reason == reason
				      && !strcmp(route->fault->detail, detail)
				    : !reason;

	if (!is_same) {
		row_fault_free(state, route->fault);
		route->fault = !reason ? NULL
			: row_fault_new(state, reason, routes->table,
					routes->owner, "%s", detail);
	}
	free(detail);
}

static const struct model_route *
longest(const struct list *routes, const struct vsw_addr *addr)
{
	const struct model_route *best = NULL;

	for (const struct list *link = routes->next; link != routes;
	     link = link->next) {
		const struct model_route *route =
			LIST_ENTRY(link, const struct model_route, link);

		if (route->network.n
		    && prefix_has(&route->network, route->bits, addr)
		    && (!best || route->bits > best->bits))
			best = route;
	}
	return best;
}

static struct model_subnet *
find_connected(const struct model_router *model_router,
	       const struct vsw_addr *addr, unsigned *ret_bits)
{
	const struct router_row *router =
		(const struct router_row *) model_router;
	struct model_subnet *best = NULL;

	for (const struct list *link = router->claims.next;
	     link != &router->claims; link = link->next) {
		const struct model_prefix *prefix =
			&LIST_ENTRY(link, struct prefix_claim, by_router)
			->prefix;

		if (prefix->subnet->router != model_router
		    || !prefix->subnet->vni
		    || !prefix_has(&prefix->network, prefix->bits, addr)
		    || (best && prefix->bits <= *ret_bits))
			continue;
		best = prefix->subnet;
		*ret_bits = prefix->bits;
	}
	return best;
}
