/* SPDX-License-Identifier: Apache-2.0 */

/* Which layers a port has, which groups stand in them.  The score; what each
 * group says is in the layer's own file. */

#include "agent/policy/compile.h"

#include <stdlib.h>
#include <string.h>
#include "agent/base/memory.h"
#include "agent/model/state.h"

static struct program_entry *add_entry(struct program_draft *,
				       const char *layer, enum vsw_direction,
				       enum group_kind);
static void add_blocked(struct program_draft *);
static void add_list(struct program_draft *, const struct model_port *);
static void add_guards(struct program_draft *, const struct model_port *);
static void add_tier(struct program_draft *, const struct model_port *,
		     enum acl_tier, bool is_last);
static size_t collect_domains(const struct model_switch *,
			      struct domain **ret_domains);
static int compare_domains(const void *, const void *);
static int compare_subnets(const void *, const void *);
static size_t unique_subnets(struct model_subnet **, size_t n);

struct domain
compile_domain(struct model_subnet *subnet)
{
	struct domain domain = { .router = subnet->router };

	if (!domain.router)
		domain.lone = subnet;
	return domain;
}

bool
domain_equal(const struct domain *a, const struct domain *b)
{
	return a->router == b->router && a->lone == b->lone;
}

size_t
domain_subnets(const struct domain *domain,
	       struct model_subnet ***ret_subnets)
{
	const struct router_row *router =
		(const struct router_row *) domain->router;
	struct model_subnet **subnets = NULL;
	size_t n = 0;

	if (!router) {
		subnets = xmalloc(sizeof *subnets);
		if (domain->lone->vni)
			subnets[n++] = domain->lone;
		*ret_subnets = subnets;
		return n;
	}
	for (const struct list *link = router->claims.next;
	     link != &router->claims; link = link->next) {
		struct model_subnet *subnet =
			LIST_ENTRY(link, struct prefix_claim, by_router)
			->prefix.subnet;

		if (subnet->router != domain->router || !subnet->vni)
			continue;
		if (!(n & (n + 1)))
			subnets = xrealloc(subnets, (2 * n + 1)
					   * sizeof *subnets);
		subnets[n++] = subnet;
	}
	*ret_subnets = subnets;
	return unique_subnets(subnets, n);
}

size_t
compile_in_force(const struct model_switch *sw,
		 struct model_subnet ***ret_subnets)
{
	struct domain *domains;
	struct model_subnet **all = NULL;
	size_t n = 0, n_domains = collect_domains(sw, &domains);

	for (size_t i = 0; i < n_domains; i++) {
		struct model_subnet **some;
		size_t n_some = domain_subnets(&domains[i], &some);

		all = xrealloc(all, (n + n_some) * sizeof *all);
		for (size_t j = 0; j < n_some; j++)
			all[n++] = some[j];
		free(some);
	}
	free(domains);
	*ret_subnets = all;
	return unique_subnets(all, n);
}

bool
compile_has_port(const struct model_subnet *subnet,
		 const struct model_switch *sw)
{
	const struct subnet_table *table = subnet->table;

	for (size_t i = 0; i < table->n_ports; i++)
		if (table->ports[i]->subnet == subnet
		    && table->ports[i]->sw == sw)
			return true;
	return false;
}

void
compile_port(const struct model_port *port, struct program_draft *program)
{
	const struct model_router *router = port->subnet->router;

	memset(program, 0, sizeof *program);
	if (port->is_blocked) {
		add_blocked(program);
		return;
	}
	add_entry(program, "vlan", VSW_OUT, GROUP_TAGS_OUT);
	add_entry(program, "vlan", VSW_IN, GROUP_TAGS_IN);
	add_guards(program, port);
	add_list(program, port);
	if (model_learns(port->subnet))
		add_entry(program, "learn", VSW_OUT, GROUP_LEARN);
	add_entry(program, "intercept", VSW_OUT, GROUP_INTERCEPT);
	add_tier(program, port, ACL_ADMIN, !port->acls[ACL_CONTROLLER]);
	add_tier(program, port, ACL_CONTROLLER, true);
	if (port->subnet->clamps_mss)
		add_entry(program, "mss", VSW_OUT, GROUP_MSS);
	if (router) {
		add_entry(program, "route", VSW_OUT, GROUP_GATEWAYS);
		add_entry(program, "route", VSW_OUT,
			  list_is_empty(&port->subnet->static_routes)
				  ? GROUP_ROUTE : GROUP_OWN_ROUTE);
		add_entry(program, "vnet", VSW_OUT, GROUP_ROUTED);
	}
	add_entry(program, "vnet", VSW_OUT, GROUP_OWN);
}

void
compile_bridged(const struct model_port *port, struct program_draft *program)
{
	memset(program, 0, sizeof *program);
	if (port->is_blocked) {
		add_blocked(program);
		return;
	}
	add_list(program, port);
	add_tier(program, port, ACL_ADMIN, !port->acls[ACL_CONTROLLER]);
	add_tier(program, port, ACL_CONTROLLER, true);
}

void
compile_uplink(struct program_draft *program)
{
	memset(program, 0, sizeof *program);
	add_entry(program, "delivery", VSW_OUT, GROUP_DELIVERY);
}

struct draft_group *
compile_group(const struct model *model, const struct model_switch *sw,
	      enum group_kind kind, const struct domain *domain,
	      struct model_subnet *subnet)
{
	switch (kind) {
	case GROUP_INTERCEPT:
		return layer_intercept(model_snoops(sw));
	case GROUP_GATEWAYS:
		return layer_gateways(model, domain);
	case GROUP_ROUTE:
		return layer_route(model, domain, NULL);
	case GROUP_OWN_ROUTE:
		return layer_route(model, domain, subnet);
	case GROUP_ROUTED:
		return layer_routed(domain);
	case GROUP_OWN:
		return layer_own(subnet);
	case GROUP_LEARN:
		return layer_sources(subnet);
	case GROUP_DELIVERY:
		return layer_delivery(sw);
	case GROUP_NEIGHBOURS:
		return layer_neighbours();
	case GROUP_NO_RULE_PASS:
		return layer_no_rule(true);
	case GROUP_NO_RULE_DROP:
		return layer_no_rule(false);
	case GROUP_MSS:
		return layer_mss();
	case GROUP_TAGS_OUT:
		return layer_tags(VSW_OUT);
	case GROUP_TAGS_IN:
		return layer_tags(VSW_IN);
	case GROUP_BLOCKED:
		return layer_blocked();
	case GROUP_GUARD_MACS:
	case GROUP_GUARD_SOURCES:
	case GROUP_ACL:
	case N_GROUP_KINDS:
		break;
	}
	abort();
}

static struct program_entry *
add_entry(struct program_draft *program, const char *layer,
	  enum vsw_direction direction, enum group_kind kind)
{
	struct program_entry *entry = &program->entries[program->n++];

	entry->layer = layer;
	entry->direction = direction;
	entry->kind = kind;
	return entry;
}

static void
add_blocked(struct program_draft *program)
{
	add_entry(program, "firewall", VSW_OUT, GROUP_BLOCKED);
	add_entry(program, "firewall", VSW_IN, GROUP_BLOCKED);
}

static void
add_list(struct program_draft *program, const struct model_port *port)
{
	for (int direction = VSW_OUT; port->list && direction <= VSW_IN;
	     direction++)
		add_entry(program, "acl", direction, GROUP_ACL)->acl =
			port->list;
}

static void
add_guards(struct program_draft *program, const struct model_port *port)
{
	if (!port->is_guarded)
		return;
	add_entry(program, "guard", VSW_OUT, GROUP_GUARD_MACS);
	add_entry(program, "guard", VSW_OUT, GROUP_GUARD_SOURCES);
}

static void
add_tier(struct program_draft *program, const struct model_port *port,
	 enum acl_tier tier, bool is_last)
{
	const char *layer = tier == ACL_ADMIN ? "firewall_admin" : "firewall";
	bool blocks = is_last && port->firewall_verdict == VERDICT_BLOCK;

	if (!port->acls[tier])
		return;
	for (int direction = VSW_OUT; direction <= VSW_IN; direction++) {
		add_entry(program, layer, direction, GROUP_NEIGHBOURS);
		add_entry(program, layer, direction, GROUP_ACL)->acl =
			port->acls[tier];
		add_entry(program, layer, direction,
			  blocks ? GROUP_NO_RULE_DROP : GROUP_NO_RULE_PASS);
	}
}

static size_t
collect_domains(const struct model_switch *sw, struct domain **ret_domains)
{
	struct domain *domains = NULL;
	size_t n = 0, n_unique = 0;

	for (const struct list *link = sw->ports.next; link != &sw->ports;
	     link = link->next) {
		const struct model_port *port =
			LIST_ENTRY(link, const struct model_port, link);

		if (!port->subnet || port->is_removed)
			continue;
		domains = xrealloc(domains, (n + 1) * sizeof *domains);
		domains[n++] = compile_domain(port->subnet);
	}
	if (n)
		qsort(domains, n, sizeof *domains, compare_domains);
	for (size_t i = 0; i < n; i++)
		if (!i || !domain_equal(&domains[i], &domains[i - 1]))
			domains[n_unique++] = domains[i];
	*ret_domains = domains;
	return n_unique;
}

static int
compare_domains(const void *pa, const void *pb)
{
	const struct domain *a = pa, *b = pb;
	uintptr_t key_a = a->router ? (uintptr_t) a->router
				    : (uintptr_t) a->lone;
	uintptr_t key_b = b->router ? (uintptr_t) b->router
				    : (uintptr_t) b->lone;

	return (key_a > key_b) - (key_a < key_b);
}

static int
compare_subnets(const void *pa, const void *pb)
{
	uint32_t a = (*(struct model_subnet *const *) pa)->vni;
	uint32_t b = (*(struct model_subnet *const *) pb)->vni;

	return (a > b) - (a < b);
}

static size_t
unique_subnets(struct model_subnet **subnets, size_t n)
{
	size_t n_unique = 0;

	if (n)
		qsort(subnets, n, sizeof *subnets, compare_subnets);
	for (size_t i = 0; i < n; i++)
		if (!i || subnets[i] != subnets[i - 1])
			subnets[n_unique++] = subnets[i];
	return n_unique;
}
