/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/policy/show.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/memory.h"
#include "agent/model/state.h"
#include "agent/policy/applied.h"
#include "agent/policy/bridge.h"

static void show_group(const struct model *, const struct model_switch *,
		       const struct model_port *,
		       const struct applied_group *, struct report *);
static char *rule_text(const struct draft_group *, size_t i);
static char *row_of(const struct model *, const struct model_switch *,
		    const struct model_port *, const struct program_entry *,
		    const char *rule);
static char *row_of_acl(const struct model_port *, const struct acl *,
			const char *rule);
static char *row_of_default(const struct model_state *,
			    const struct model_port *);
static char *row_of_subnet(const struct model_switch *, const char *rule);
static char *row_of_mapping(const struct model *, const char *mapping,
			    const char *address);
static bool key_of(const char *address, struct mapping_key *ret_key);
static char *name_row(const char *database, const char *table,
		      const struct uuid *);
static const struct subnet_table *next_subnet(const struct model *,
					      struct show_mappings *);
static void show_mapping(const struct model *, const struct mapping_row *,
			 struct show_mappings *, struct report *);

void
show_rules(const struct model *model, const struct model_switch *sw,
	   const struct model_port *port, struct report *report)
{
	struct applied_group groups[PROGRAM_MAX_ENTRIES];
	size_t n = applied_groups(sw, port, groups);
	const char *layer = "";

	if (!n && port && port->bridged && port->bridged->program)
		report_line(report, "MACs and VLANs decide, see hnv-ctl ctl "
			    "macs; no firewall rule speaks of this port");
	else if (!n)
		report_line(report, "no program is in force%s%s",
			    port && port->fault.reason ? ": " : "",
			    !port || !port->fault.reason ? ""
			    : port->fault.detail ? port->fault.detail
			    : model_reason_text(port->fault.reason));
	report_open_list(report, "layers");
	for (size_t i = 0; i < n; i++) {
		bool is_new = strcmp(layer, groups[i].entry.layer);

		if (is_new && i) {
			report_close_list(report);
			report_close(report);
		}
		layer = groups[i].entry.layer;
		if (is_new) {
			report_line(report, "layer %s", layer);
			report_open(report, NULL);
			report_string(report, "layer", layer);
			report_open_list(report, "groups");
		}
		show_group(model, sw, port, &groups[i], report);
	}
	if (n) {
		report_close_list(report);
		report_close(report);
	}
	report_close_list(report);
}

char *
show_row(const struct model *model, const struct model_switch *sw,
	 const struct model_port *port, const struct vsw_step *step)
{
	struct applied_group groups[PROGRAM_MAX_ENTRIES];
	size_t n;

	if (step->kind == VSW_STEP_PORT && port)
		return name_row("hnv", "Port", &port->row);
	if (step->kind == VSW_STEP_ACTION && step->mapping)
		return row_of_mapping(model, step->mapping, step->address);
	if (step->kind != VSW_STEP_LAYER || !step->group)
		return NULL;
	n = applied_groups(sw, port, groups);
	for (size_t i = 0; i < n; i++) {
		const struct built_group *built = groups[i].built;

		if (built && built->draft
		    && !strcmp(built->draft->name, step->group)
		    && !strcmp(groups[i].entry.layer, step->layer))
			return row_of(model, sw, port, &groups[i].entry,
				      step->rule ? step->rule : "");
	}
	return NULL;
}

bool
show_logged(const struct model_switch *sw, uint64_t tag,
	    const char **ret_rule, bool *ret_allows)
{
	return sw->hits && tag <= UINT16_MAX
	       && hits_find_tag(sw->hits, (uint16_t) tag, ret_rule,
				ret_allows);
}

bool
show_mappings(const struct model *model, struct show_mappings *walk, size_t n,
	      struct report *report)
{
	while (n) {
		const struct subnet_table *table = next_subnet(model, walk);

		if (!table)
			return false;
		for (; n && walk->bucket < table->by_mac.n_buckets;
		     walk->bucket++) {
			const struct mapping_row *row =
				table->by_mac.buckets[walk->bucket];

			n--;
			for (; row; row = row->next_mac)
				show_mapping(model, row, walk, report);
		}
		if (walk->bucket < table->by_mac.n_buckets)
			return true;
		walk->n_subnets++;
		walk->bucket = 0;
	}
	return true;
}

bool
show_knows_subnet(const struct model *model, const char *subnet)
{
	struct show_mappings walk = { .subnet = subnet };

	return next_subnet(model, &walk) != NULL;
}

static void
show_group(const struct model *model, const struct model_switch *sw,
	   const struct model_port *port, const struct applied_group *group,
	   struct report *report)
{
	const struct draft_group *draft =
		group->built ? group->built->draft : NULL;
	const char *direction = group->entry.direction == VSW_OUT ? "out"
								  : "in";

	if (!draft)
		return;
	report_line(report, "  group %s, %s", draft->name, direction);
	report_open(report, NULL);
	report_string(report, "group", draft->name);
	report_string(report, "direction", direction);
	report_open_list(report, "rules");
	for (size_t i = 0; i < draft->n; i++)
		if (group->built->hits[i])
			*hit_n_shown(group->built->hits[i]) = 0;
	for (size_t i = 0; i < draft->n; i++)
		if (group->built->hits[i])
			++*hit_n_shown(group->built->hits[i]);
	for (size_t i = 0; i < draft->n; i++) {
		const struct draft_rule *rule = &draft->rules[i];
		struct hit *hit = group->built->hits[i];
		uint64_t hits = hit_n_packets(hit);
		bool is_shared = hit && *hit_n_shown(hit) > 1;
		char *text = rule_text(draft, i);
		char *row = row_of(model, sw, port, &group->entry, rule->name);

		report_line(report, "    %" PRIu64 " hits%s: %s%s%s", hits,
			    is_shared ? " of all of this name" : "", text,
			    row ? "  # " : "", row ? row : "");
		report_open(report, NULL);
		report_number(report, "number", i + 1);
		report_number(report, "priority", rule->priority);
		report_string(report, "name", rule->name);
		report_string(report, "text", text);
		report_string(report, "row", row);
		report_number(report, "hits", hits);
		report_bool(report, "hits_are_shared", is_shared);
		report_close(report);
		free(text);
		free(row);
	}
	report_close_list(report);
	report_close(report);
}

/* As draft_group_print() has it. */
static char *
rule_text(const struct draft_group *draft, size_t i)
{
	struct draft_group one = {
		.name = draft->name, .rules = &draft->rules[i], .n = 1
	};
	char *text, *end;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		abort();
	draft_group_print(&one, to);
	if (fclose(to))
		abort();
	end = strchr(text, '\n');
	if (end)
		*end = '\0';
	memmove(text, text + strspn(text, " "),
		strlen(text + strspn(text, " ")) + 1);
	return text;
}

static char *
row_of(const struct model *model, const struct model_switch *sw,
       const struct model_port *port, const struct program_entry *entry,
       const char *rule)
{
	const struct model_router *router =
		port && port->subnet ? port->subnet->router : NULL;

	switch (entry->kind) {
	case GROUP_INTERCEPT:
	case GROUP_NEIGHBOURS:
	case GROUP_TAGS_OUT:
	case GROUP_TAGS_IN:
		return name_row("hnv", "Switch", &sw->row);
	case GROUP_GUARD_MACS:
	case GROUP_GUARD_SOURCES:
		return port ? name_row("hnv", "Port", &port->row) : NULL;
	case GROUP_ACL:
		return row_of_acl(port, entry->acl, rule);
	case GROUP_NO_RULE_PASS:
	case GROUP_NO_RULE_DROP:
	case GROUP_BLOCKED:
		return row_of_default(model->state, port);
	case GROUP_GATEWAYS:
	case GROUP_ROUTE:
	case GROUP_ROUTED:
		return router ? name_row(router->database, "Logical_Router",
					 &router->row) : NULL;
	case GROUP_OWN:
	case GROUP_LEARN:
	case GROUP_OWN_ROUTE:
		return name_row(port->subnet->database, "Logical_Switch",
				&port->subnet->row);
	case GROUP_DELIVERY:
		return row_of_subnet(sw, rule);
	default:
		return NULL;
	}
}

static char *
row_of_acl(const struct model_port *port, const struct acl *acl,
	   const char *rule)
{
	static const char bad[] = " (does not read)";
	size_t size = strlen(rule);
	const struct uuid *row = NULL;
	char *id, *text;

	if (port->has_list && acl == port->list) {
		char *list = name_row("hardware_vtep", "ACL",
				      &port->list_row);

		text = xasprintf("%s sequence=%s", list, rule);
		free(list);
		return text;
	}
	id = xstrdup(rule);
	if (size > strlen(bad) && !strcmp(id + size - strlen(bad), bad))
		id[size - strlen(bad)] = '\0';
	for (int tier = 0; tier < ACL_N_TIERS && !row; tier++)
		if (acl == port->acls[tier])
			row = firewall_find_row(port, (enum acl_tier) tier,
						id);
	text = row ? name_row("ms_firewall", "FW_Rules", row) : NULL;
	free(id);
	return text;
}

static char *
row_of_default(const struct model_state *state, const struct model_port *port)
{
	const struct table *table = state_table(state, DB_HNV, "Host");
	const struct row *host = table ? table_first(table) : NULL;
	char *row, *text;

	if (port->firewall_default != VERDICT_UNSAID)
		row = name_row("hnv", "Port", &port->row);
	else if (state->firewall_default != VERDICT_UNSAID && host)
		row = name_row("hnv", "Host", row_uuid(host));
	else
		return xasprintf("ms_firewall FW_Rules: none for vnic_id=%s",
				 port->iface_id);
	text = xasprintf("%s firewall_default", row);
	free(row);
	return text;
}

/* Of the rule "to NAME". */
static char *
row_of_subnet(const struct model_switch *sw, const char *rule)
{
	struct model_subnet **subnets;
	size_t n = compile_in_force(sw, &subnets);
	char *text = NULL;

	for (size_t i = 0; i < n && !text; i++)
		if (strlen(rule) > 3 && !strcmp(rule + 3, subnets[i]->name))
			text = name_row(subnets[i]->database,
					"Logical_Switch", &subnets[i]->row);
	free(subnets);
	return text;
}

static char *
row_of_mapping(const struct model *model, const char *mapping,
	       const char *address)
{
	struct mapping_key key;

	if (!key_of(address, &key))
		return NULL;
	for (const struct list *link = model->subnets.next;
	     link != &model->subnets; link = link->next) {
		const struct model_subnet *subnet =
			LIST_ENTRY(link, const struct model_subnet, link);
		const struct mapping_row *row;

		if (strcmp(subnet->name, mapping))
			continue;
		row = subnet_table_best(subnet->table, &key);
		if (row)
			return name_row(subnet->database,
					row->kind == ROW_UCAST_LOCAL
						? "Ucast_Macs_Local"
						: "Ucast_Macs_Remote",
					&row->by_row.key);
		return xasprintf("%s Ucast_Macs_Remote: none in VSID %s is "
				 "of %s", subnet->database, subnet->name,
				 address);
	}
	return NULL;
}

static bool
key_of(const char *address, struct mapping_key *ret_key)
{
	struct vsw_addr ca;
	uint8_t mac[6];

	if (model_mac_from_text(address, mac))
		*ret_key = mapping_key_mac(mac);
	else if (model_addr_from_text(address, &ca))
		*ret_key = mapping_key_ca(&ca);
	else
		return false;
	return true;
}

static char *
name_row(const char *database, const char *table, const struct uuid *uuid)
{
	char text[UUID_TEXT_SIZE];

	uuid_to_text(uuid, text);
	return xasprintf("%s %s %s", database, table, text);
}

/* The one where the walk is, or NULL. */
static const struct subnet_table *
next_subnet(const struct model *model, struct show_mappings *walk)
{
	const struct list *link = model->subnets.next;
	char vni[16];

	for (size_t i = 0; i < walk->n_subnets && link != &model->subnets; i++)
		link = link->next;
	for (; link != &model->subnets; link = link->next) {
		const struct model_subnet *subnet =
			LIST_ENTRY(link, const struct model_subnet, link);

		snprintf(vni, sizeof vni, "%u", subnet->vni);
		if (!walk->subnet || !strcmp(walk->subnet, subnet->name)
		    || !strcmp(walk->subnet, vni))
			return subnet->table;
		walk->n_subnets++;
		walk->bucket = 0;
	}
	return NULL;
}

static void
show_mapping(const struct model *model, const struct mapping_row *row,
	     struct show_mappings *walk, struct report *report)
{
	static const char *const types[] = {
		"load_balanced", "default", "learning_disabled"
	};
	const struct model_mapping *m = &row->mapping;
	const struct model_subnet *subnet = row->subnet;
	char mac[MODEL_MAC_TEXT_SIZE], ca[MODEL_ADDR_TEXT_SIZE] = "";
	char pa[MODEL_ADDR_TEXT_SIZE] = "";
	const char *state = row->lost_mac || row->lost_ca
			    ? row->is_copy ? "duplicate" : "conflict" : NULL;
	char *name;

	(void) model;
	if (walk->n_shown == walk->max) {
		walk->n_more++;
		return;
	}
	walk->n_shown++;
	model_mac_to_text(m->mac, mac);
	if (m->ca.n)
		model_addr_to_text(&m->ca, ca);
	if (m->place->pa.n)
		model_addr_to_text(&m->place->pa, pa);
	name = name_row(subnet->database,
			row->kind == ROW_UCAST_LOCAL ? "Ucast_Macs_Local"
						     : "Ucast_Macs_Remote",
			&row->by_row.key);
	report_line(report, "%s %s%s%s at %s %s%s%s%s%s  # %s",
		    subnet->name, mac, *ca ? " " : "", ca, pa,
		    m->place->encap == VSW_ENCAP_NVGRE ? "nvgre" : "vxlan",
		    m->is_local ? m->port ? ", port " : ", no port" : "",
		    m->is_local && m->port ? m->port->name : "",
		    state ? ", " : "", state ? state : "", name);
	report_open(report, NULL);
	report_string(report, "subnet", subnet->name);
	report_number(report, "vsid", subnet->vni);
	report_string(report, "mac", mac);
	report_string(report, "ca", *ca ? ca : NULL);
	report_string(report, "pa", *pa ? pa : NULL);
	report_string(report, "encap",
		      m->place->encap == VSW_ENCAP_NVGRE ? "nvgre" : "vxlan");
	report_string(report, "type", row->rank < 3 ? types[row->rank] : NULL);
	report_string(report, "port",
		      m->is_local && m->port ? m->port->name : NULL);
	report_string(report, "state", state ? state : "in_force");
	report_string(report, "row", name);
	report_close(report);
	free(name);
}
