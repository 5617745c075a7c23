/* SPDX-License-Identifier: Apache-2.0 */

/* Logical_Router: which subnets are one routing domain, under which prefixes
 * and gateways. */

#include "agent/model/state.h"

#include <stdlib.h>
#include "agent/base/memory.h"

static struct router_row *new_router(struct model_state *,
				     enum model_database, const struct uuid *);
static void clear(struct model_state *, struct router_row *);
static void read_bindings(struct model_state *, struct router_row *,
			  const struct row *);
static struct vsw_addr lowest_usable(const struct vsw_addr *, unsigned bits);
static void complain(struct model_state *, struct router_row *,
		     const char *what, const char *text);
static void elect(struct model_subnet *);

void
router_follow(struct model_state *state, enum model_database db,
	      const struct uuid *uuid)
{
	const struct row *row =
		state_row(state, db, ROW_LOGICAL_ROUTER, uuid);
	struct keyed *keyed = map_find(&state->routers[db], uuid);
	struct router_row *router = keyed
		? KEYED_ENTRY(keyed, struct router_row, by_row) : NULL;
	const char *name;

	if (!row && !router)
		return;
	state->structure_changed = true;
	if (!row) {
		clear(state, router);
		map_remove(&state->routers[db], keyed);
		list_remove(&router->router.link);
		list_append(&state->gone_routers, &router->router.link);
		return;
	}
	if (!router)
		router = new_router(state, db, uuid);
	clear(state, router);
	name = row_string(row, "name", "");
	free(router->router.name);
	router->router.name = xstrdup(name);
	router->router.is_enabled =
		row_boolean(row, "enable_logical_router", true);
	read_bindings(state, router, row);
	(void) routes_read(state, &(struct routes) {
		.of = &router->router.static_routes,
		.table = "Logical_Router", .owner = uuid,
		.router = &router->router
	}, row);
}

void
router_free(struct model_state *state, struct model_router *model_router)
{
	struct router_row *router = (struct router_row *) model_router;

	clear(state, router);
	list_remove(&router->router.link);
	free(router->router.name);
	free(router->router.fault.detail);
	free(router);
}

static struct router_row *
new_router(struct model_state *state, enum model_database db,
	   const struct uuid *uuid)
{
	struct router_row *router = xcalloc(1, sizeof *router);

	router->db = db;
	router->by_row.key = *uuid;
	router->router.row = *uuid;
	router->router.database = database_text(db);
	list_init(&router->claims);
	list_init(&router->router.static_routes);
	map_add(&state->routers[db], &router->by_row);
	list_append(&state->model->routers, &router->router.link);
	return router;
}

static void
clear(struct model_state *state, struct router_row *router)
{
	while (!list_is_empty(&router->claims)) {
		struct prefix_claim *claim =
			LIST_ENTRY(router->claims.next, struct prefix_claim,
				   by_router);
		struct model_subnet *subnet = claim->prefix.subnet;

		list_remove(&claim->by_router);
		list_remove(&claim->by_subnet);
		list_remove(&claim->prefix.link);
		free(claim);
		elect(subnet);
	}
	routes_clear(state, &router->router.static_routes);
	for (size_t i = 0; i < router->n_faults; i++)
		row_fault_free(state, router->faults[i]);
	free(router->faults);
	router->faults = NULL;
	router->n_faults = 0;
	model_fault_set(&router->router.fault, MODEL_OK, NULL);
}

static void
read_bindings(struct model_state *state, struct router_row *router,
	      const struct row *row)
{
	struct datum room;
	const struct datum *bindings =
		row_get(row, "switch_binding", &room);

	for (uint32_t i = 0; i < bindings->n; i++) {
		const char *key = datum_key(bindings, i)->string->text;
		struct model_subnet *subnet =
			subnet_find(state, router->db,
				    &datum_value(bindings, i)->uuid);
		struct prefix_claim *claim;
		struct vsw_addr addr, network;
		unsigned bits;

		if (!subnet)
			continue;
		if (!model_prefix_from_text(key, &addr, &bits) || !bits) {
			complain(state, router, "switch_binding", key);
			continue;
		}
		network = addr;
		prefix_mask(&network, bits);
		claim = xcalloc(1, sizeof *claim);
		claim->router = router;
		claim->prefix.subnet = subnet;
		claim->prefix.network = network;
		claim->prefix.bits = bits;
		claim->prefix.gateway = memcmp(&addr, &network, sizeof addr)
			? addr : lowest_usable(&network, bits);
		list_init(&claim->prefix.link);
		list_append(&router->claims, &claim->by_router);
		list_append(&subnet->table->claims, &claim->by_subnet);
		elect(subnet);
		if (subnet->router != &router->router)
			model_fault_set(&router->router.fault, MODEL_CONFLICT,
					"subnet %s is routed by \"%s\"",
					subnet->name, subnet->router->name);
	}
}

/* A /31 or /32, /127 or /128, has no address to spare for its network. */
static struct vsw_addr
lowest_usable(const struct vsw_addr *network, unsigned bits)
{
	struct vsw_addr gateway = *network;

	if (bits + 1 < network->n * 8u)
		gateway.bytes[network->n - 1] |= 1;
	return gateway;
}

static void
complain(struct model_state *state, struct router_row *router,
	 const char *what, const char *text)
{
	router->faults = xrealloc(router->faults, (router->n_faults + 1)
				  * sizeof *router->faults);
	router->faults[router->n_faults++] =
		row_fault_new(state, MODEL_BAD_PREFIX, "Logical_Router",
			      &router->by_row.key, "%s \"%s\"", what, text);
	model_fault_set(&router->router.fault, MODEL_BAD_PREFIX,
			"%s \"%s\"", what, text);
}

/* A subnet is in one routing domain: of several routers that claim it the one
 * with the lowest row UUID has it. */
static void
elect(struct model_subnet *subnet)
{
	struct list *claims = &subnet->table->claims, *link;
	struct router_row *best = NULL;

	for (link = claims->next; link != claims; link = link->next) {
		struct prefix_claim *claim =
			LIST_ENTRY(link, struct prefix_claim, by_subnet);

		if (!best || uuid_compare(&claim->router->by_row.key,
					  &best->by_row.key) < 0)
			best = claim->router;
	}
	subnet->router = best ? &best->router : NULL;
	for (link = claims->next; link != claims; link = link->next) {
		struct prefix_claim *claim =
			LIST_ENTRY(link, struct prefix_claim, by_subnet);

		list_remove(&claim->prefix.link);
		if (claim->router == best)
			list_append(&subnet->prefixes, &claim->prefix.link);
	}
}
