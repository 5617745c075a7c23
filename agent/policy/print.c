/* SPDX-License-Identifier: Apache-2.0 */

/* Everything that compile makes of the model, as text. */

#include <stdlib.h>
#include <string.h>
#include "agent/base/memory.h"
#include "agent/model/state.h"
#include "agent/policy/compile.h"

static void print_switch(const struct model *, const struct model_switch *,
			 FILE *);
static void print_port(const struct model_port *, FILE *);
static void print_program(const struct program_draft *,
			  const struct domain *, const struct model_subnet *,
			  FILE *);
static void print_groups(const struct model *, const struct model_switch *,
			 FILE *);
static void print_own(const struct model *, const struct model_switch *,
		      struct model_subnet *, FILE *);
static void print_group(struct draft_group *, FILE *);
static void print_mapping(const struct model *, const struct model_subnet *,
			  const struct model_switch *, FILE *);
static struct mapping_key *collect_keys(const struct subnet_table *,
					size_t *ret_n);
static int compare_keys(const void *, const void *);
static void print_locations(const struct draft_location *, size_t n, FILE *);
static void print_address(const struct vsw_addr *, FILE *);
static int compare_switches(const void *, const void *);
static int compare_ports(const void *, const void *);
static void print_faults(const struct model *, FILE *);
static int compare_text(const void *, const void *);

void
compile_print(const struct model *model, FILE *to)
{
	const struct model_switch **switches = NULL;
	size_t n = 0;

	for (const struct list *link = model->switches.next;
	     link != &model->switches; link = link->next) {
		switches = xrealloc(switches, (n + 1) * sizeof *switches);
		switches[n++] =
			LIST_ENTRY(link, const struct model_switch, link);
	}
	if (n)
		qsort(switches, n, sizeof *switches, compare_switches);
	for (size_t i = 0; i < n; i++)
		print_switch(model, switches[i], to);
	free(switches);
	print_faults(model, to);
}

static void
print_switch(const struct model *model, const struct model_switch *sw,
	     FILE *to)
{
	const struct model_port **ports = NULL;
	struct model_subnet **subnets;
	struct program_draft uplink;
	size_t n = 0, n_subnets;

	fprintf(to, "switch %s\n", sw->name);
	for (const struct list *link = sw->ports.next; link != &sw->ports;
	     link = link->next) {
		ports = xrealloc(ports, (n + 1) * sizeof *ports);
		ports[n++] = LIST_ENTRY(link, const struct model_port, link);
	}
	if (n)
		qsort(ports, n, sizeof *ports, compare_ports);
	for (size_t i = 0; i < n; i++)
		print_port(ports[i], to);
	free(ports);
	fputs("  uplink\n", to);
	compile_uplink(&uplink);
	print_program(&uplink, NULL, NULL, to);
	print_groups(model, sw, to);
	n_subnets = compile_in_force(sw, &subnets);
	for (size_t i = 0; i < n_subnets; i++)
		print_mapping(model, subnets[i], sw, to);
	free(subnets);
}

static void
print_port(const struct model_port *port, FILE *to)
{
	struct program_draft program;
	struct domain domain;

	if (port->subnet)
		fprintf(to, "  port %s: bound to %s %u\n", port->name,
			port->subnet->database, port->subnet->vni);
	else
		fprintf(to, "  port %s: unbound\n", port->name);
	if (port->fault.reason)
		fprintf(to, "    %s: %s%s%s\n",
			model_reason_name(port->fault.reason),
			model_reason_text(port->fault.reason),
			port->fault.detail ? ": " : "",
			port->fault.detail ? port->fault.detail : "");
	if (!port->subnet)
		return;
	domain = compile_domain(port->subnet);
	compile_port(port, &program);
	print_program(&program, &domain, port->subnet, to);
	for (size_t i = 0; i < program.n; i++)
		switch (program.entries[i].kind) {
		case GROUP_GUARD_MACS:
			print_group(layer_guard_macs(port), to);
			break;
		case GROUP_GUARD_SOURCES:
			print_group(layer_guard_sources(port), to);
			break;
		case GROUP_ACL:
			print_group(layer_acl(program.entries[i].acl,
					      program.entries[i].direction),
				    to);
			break;
		default:
			break;
		}
}

static void
print_program(const struct program_draft *program,
	      const struct domain *domain, const struct model_subnet *subnet,
	      FILE *to)
{
	static const char *const names[] = {
		[GROUP_INTERCEPT] = "intercept",
		[GROUP_GATEWAYS] = "gateways of ",
		[GROUP_ROUTE] = "routes of ",
		[GROUP_ROUTED] = "subnets of ",
		[GROUP_OWN] = "subnet ",
		[GROUP_OWN_ROUTE] = "routes of ",
		[GROUP_DELIVERY] = "delivery",
		[GROUP_NEIGHBOURS] = "neighbours",
		[GROUP_NO_RULE_PASS] = "no rule: pass",
		[GROUP_NO_RULE_DROP] = "no rule: drop",
		[GROUP_MSS] = "mss",
		[GROUP_TAGS_OUT] = "no tags",
		[GROUP_TAGS_IN] = "no tags in",
		[GROUP_BLOCKED] = "blocked",
		[GROUP_LEARN] = "sources in ",
		[GROUP_GUARD_MACS] = "macs",
		[GROUP_GUARD_SOURCES] = "addresses",
		[GROUP_ACL] = "rules "
	};
	const char *layer = "";

	for (size_t i = 0; i < program->n; i++) {
		const struct program_entry *entry = &program->entries[i];
		const char *of = "";
		char number[16];

		snprintf(number, sizeof number, "%08x",
			 entry->acl ? entry->acl->number : 0);
		if (entry->acl)
			of = number;
		else if (entry->kind == GROUP_OWN
			 || entry->kind == GROUP_LEARN
			 || entry->kind == GROUP_OWN_ROUTE)
			of = subnet->name;
		else if (entry->kind == GROUP_GATEWAYS
			 || entry->kind == GROUP_ROUTE
			 || entry->kind == GROUP_ROUTED)
			of = domain->router->name;
		if (strcmp(layer, entry->layer))
			fprintf(to, "    layer %s\n", entry->layer);
		layer = entry->layer;
		fprintf(to, "      %s group %s%s\n",
			entry->direction == VSW_OUT ? "out" : "in",
			names[entry->kind], of);
	}
}

static void
print_groups(const struct model *model, const struct model_switch *sw,
	     FILE *to)
{
	struct model_subnet **subnets;
	size_t n = compile_in_force(sw, &subnets);
	struct domain *seen = xcalloc(n, sizeof *seen);
	size_t n_seen = 0;

	print_group(compile_group(model, sw, GROUP_INTERCEPT, NULL, NULL), to);
	for (size_t i = 0; i < n; i++) {
		struct domain domain = compile_domain(subnets[i]);
		size_t j = 0;

		while (j < n_seen && !domain_equal(&seen[j], &domain))
			j++;
		if (j < n_seen || !domain.router)
			continue;
		seen[n_seen++] = domain;
		for (enum group_kind kind = GROUP_GATEWAYS;
		     kind <= GROUP_ROUTED; kind++)
			print_group(compile_group(model, sw, kind, &domain,
						  NULL), to);
	}
	free(seen);
	for (size_t i = 0; i < n; i++)
		if (compile_has_port(subnets[i], sw))
			print_own(model, sw, subnets[i], to);
	print_group(compile_group(model, sw, GROUP_DELIVERY, NULL, NULL), to);
	free(subnets);
}

static void
print_own(const struct model *model, const struct model_switch *sw,
	  struct model_subnet *subnet, FILE *to)
{
	struct domain domain = compile_domain(subnet);

	if (model_learns(subnet))
		print_group(compile_group(model, sw, GROUP_LEARN, NULL,
					  subnet), to);
	print_group(compile_group(model, sw, GROUP_OWN, NULL, subnet), to);
	if (domain.router && !list_is_empty(&subnet->static_routes))
		print_group(compile_group(model, sw, GROUP_OWN_ROUTE, &domain,
					  subnet), to);
}

static void
print_group(struct draft_group *group, FILE *to)
{
	char *text, *line, *rest;
	size_t size;
	FILE *memory = open_memstream(&text, &size);

	if (!memory)
		abort();
	draft_group_print(group, memory);
	if (fclose(memory))
		abort();
	fprintf(to, "  group %s\n", group->name);
	for (line = strtok_r(text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		fprintf(to, "    %s\n", line);
	free(text);
	draft_group_free(group);
}

static void
print_mapping(const struct model *model, const struct model_subnet *subnet,
	      const struct model_switch *sw, FILE *to)
{
	struct draft_location *locations =
		xcalloc(MAX_LOCATIONS, sizeof *locations);
	struct mapping_key *keys;
	size_t n_keys, n;
	const struct model_domain *domain;
	bool unknown;

	fprintf(to, "  mapping %u\n", subnet->vni);
	keys = collect_keys(subnet->table, &n_keys);
	for (size_t i = 0; i < n_keys; i++) {
		char text[MODEL_ADDR_TEXT_SIZE];

		if (i && !compare_keys(&keys[i], &keys[i - 1]))
			continue;
		if (keys[i].ca.n)
			model_addr_to_text(&keys[i].ca, text);
		else
			model_mac_to_text(keys[i].mac, text);
		fprintf(to, "    %s:", text);
		n = locate_key(subnet, sw, &keys[i], locations);
		print_locations(locations, n, to);
	}
	free(keys);
	n = locate_flood(subnet, sw, locations, &unknown);
	fprintf(to, "    flood%s:", unknown ? " and unknown" : "");
	print_locations(locations, n, to);
	domain = model_find_domain(model, subnet);
	n = locate_unknown(domain, subnet, sw, locations);
	if (domain) {
		fprintf(to, "    unknown%s:", domain->asks ? " is asked for"
							   : "");
		print_locations(locations, n, to);
	}
	free(locations);
}

static struct mapping_key *
collect_keys(const struct subnet_table *table, size_t *ret_n)
{
	const struct mapping_hash *hashes[] = {
		&table->by_mac, &table->by_ca
	};
	struct mapping_key *keys;
	size_t n = table->by_mac.n + table->by_ca.n;

	for (const struct list *link = table->mcasts.next;
	     link != &table->mcasts; link = link->next)
		n++;
	keys = xcalloc(n, sizeof *keys);
	n = 0;
	for (int by_ca = 0; by_ca < 2; by_ca++)
		for (size_t i = 0; i < hashes[by_ca]->n_buckets; i++) {
			struct mapping_row *row = hashes[by_ca]->buckets[i];

			for (; row; row = by_ca ? row->next_ca
						: row->next_mac)
				keys[n++] = by_ca
					? mapping_key_ca(&row->mapping.ca)
					: mapping_key_mac(row->mapping.mac);
		}
	for (const struct list *link = table->mcasts.next;
	     link != &table->mcasts; link = link->next) {
		const struct mcast_row *mcast =
			LIST_ENTRY(link, const struct mcast_row, link);

		if (memcmp(mcast->mac, "\xff\xff\xff\xff\xff\xff", 6))
			keys[n++] = mapping_key_mac(mcast->mac);
	}
	if (n)
		qsort(keys, n, sizeof *keys, compare_keys);
	*ret_n = n;
	return keys;
}

static int
compare_keys(const void *pa, const void *pb)
{
	const struct mapping_key *a = pa, *b = pb;
	int order = a->ca.n - b->ca.n;

	if (!order)
		order = memcmp(a->ca.bytes, b->ca.bytes, 16);
	return order ? order : memcmp(a->mac, b->mac, 6);
}

static void
print_locations(const struct draft_location *locations, size_t n, FILE *to)
{
	if (!n)
		fputs(" nowhere", to);
	for (size_t i = 0; i < n && i < MAX_LOCATIONS; i++) {
		const struct draft_location *l = &locations[i];
		char mac[MODEL_MAC_TEXT_SIZE], pa[MODEL_ADDR_TEXT_SIZE];

		model_mac_to_text(l->mac, mac);
		model_addr_to_text(&l->pa, pa);
		fputs(i ? ", " : " ", to);
		if (strcmp(mac, "00:00:00:00:00:00"))
			fprintf(to, "%s ", mac);
		if (l->port)
			fprintf(to, "at port %s", l->port->name);
		else
			fprintf(to, "at %s %s %u", pa,
				l->encap == VSW_ENCAP_VXLAN ? "vxlan"
							    : "nvgre",
				l->vni);
		print_address(&l->v4, to);
		print_address(&l->v6, to);
	}
	fputs("\n", to);
}

static void
print_address(const struct vsw_addr *addr, FILE *to)
{
	char text[MODEL_ADDR_TEXT_SIZE];

	if (!addr->n)
		return;
	model_addr_to_text(addr, text);
	fprintf(to, " for %s", text);
}

static int
compare_switches(const void *pa, const void *pb)
{
	return strcmp((*(struct model_switch *const *) pa)->name,
		      (*(struct model_switch *const *) pb)->name);
}

static int
compare_ports(const void *pa, const void *pb)
{
	return strcmp((*(struct model_port *const *) pa)->name,
		      (*(struct model_port *const *) pb)->name);
}

static void
print_faults(const struct model *model, FILE *to)
{
	const struct model_state *state = model->state;
	char **lines = NULL;
	size_t n = 0;

	for (int reason = 0; reason < MODEL_N_REASONS; reason++)
		for (const struct list *link = state->faults[reason].next;
		     link != &state->faults[reason]; link = link->next) {
			const struct row_fault *fault =
				LIST_ENTRY(link, const struct row_fault, link);
			char row[UUID_TEXT_SIZE];

			uuid_to_text(&fault->row, row);
			lines = xrealloc(lines, (n + 1) * sizeof *lines);
			lines[n++] = xasprintf("%s %s: %s: %s",
					       model_reason_name(reason),
					       fault->table, row,
					       fault->detail);
		}
	if (n)
		qsort(lines, n, sizeof *lines, compare_text);
	for (size_t i = 0; i < n; i++) {
		fprintf(to, "fault %s\n", lines[i]);
		free(lines[i]);
	}
	free(lines);
	for (const struct list *link = model->subnets.next;
	     link != &model->subnets; link = link->next) {
		const struct model_subnet *subnet =
			LIST_ENTRY(link, const struct model_subnet, link);

		if (subnet->fault.reason)
			fprintf(to, "subnet %s of %s: %s%s%s\n",
				subnet->name, subnet->database,
				model_reason_name(subnet->fault.reason),
				subnet->fault.detail ? ": " : "",
				subnet->fault.detail ? subnet->fault.detail
						     : "");
	}
}

static int
compare_text(const void *pa, const void *pb)
{
	return strcmp(*(char *const *) pa, *(char *const *) pb);
}
