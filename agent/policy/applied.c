/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/policy/applied.h"

#include <stdlib.h>
#include "agent/model/state.h"
#include "agent/policy/bridge.h"
#include "agent/policy/learn.h"

static const struct built_group *group_of_acl(const struct program_entry *,
					      const struct model_switch *);

struct placement *
applied_find(const struct model_subnet *subnet,
	     const struct model_switch *sw)
{
	const struct list *placements = &subnet->table->placements;

	for (struct list *link = placements->next; link != placements;
	     link = link->next) {
		struct placement *placement =
			LIST_ENTRY(link, struct placement, by_subnet);

		if (placement->is_wanted && placement->instance->sw == sw)
			return placement;
	}
	return NULL;
}

struct vsw_mapping *
applied_mapping(const struct model_subnet *subnet,
		const struct model_switch *sw, bool of_sources)
{
	const struct placement *placement = applied_find(subnet, sw);

	if (!placement)
		return NULL;
	return of_sources ? placement->sources : placement->edited.mapping;
}

void
applied_free_instance(struct instance *instance)
{
	while (!list_is_empty(&instance->placements))
		applied_free_placement(LIST_ENTRY(instance->placements.next,
						  struct placement,
						  by_instance));
	for (int i = 0; i < N_GROUP_KINDS; i++)
		built_group_done(&instance->groups[i]);
	vsw_domain_unref(instance->vsw_domain);
	list_remove(&instance->link);
	free(instance);
}

void
applied_free_placement(struct placement *placement)
{
	learn_leave(placement);
	built_group_done(&placement->learn);
	vsw_mapping_unref(placement->sources);
	built_group_done(&placement->own);
	built_group_done(&placement->routes);
	vsw_mapping_unref(placement->edited.mapping);
	edited_done(&placement->edited);
	list_remove(&placement->by_instance);
	list_remove(&placement->by_subnet);
	free(placement);
}

const struct built_group *
applied_group_of(const struct applied_switch *applied,
		 const struct model_port *port,
		 const struct placement *placement, enum group_kind kind)
{
	switch (kind) {
	case GROUP_OWN:
		return &placement->own;
	case GROUP_LEARN:
		return &placement->learn;
	case GROUP_OWN_ROUTE:
		return &placement->routes;
	case GROUP_GATEWAYS:
	case GROUP_ROUTE:
	case GROUP_ROUTED:
		return &placement->instance->groups[kind];
	case GROUP_GUARD_MACS:
		return &port->applied_port->guards[0];
	case GROUP_GUARD_SOURCES:
		return &port->applied_port->guards[1];
	default:
		return &applied->groups[kind];
	}
}

size_t
applied_groups(const struct model_switch *sw, const struct model_port *port,
	       struct applied_group ret_groups[PROGRAM_MAX_ENTRIES])
{
	struct program_draft draft;
	const struct placement *placement = NULL;
	bool is_bridged = port && !port->subnet && port->bridged
			  && port->bridged->program;

	if (!sw->applied || (port && !is_bridged
			     && (!port->program || !port->subnet)))
		return 0;
	if (is_bridged)
		compile_bridged(port, &draft);
	else if (port)
		compile_port(port, &draft);
	else
		compile_uplink(&draft);
	if (port && !is_bridged
	    && !(placement = applied_find(port->subnet, sw)))
		return 0;
	for (size_t i = 0; i < draft.n; i++) {
		const struct program_entry *entry = &draft.entries[i];

		ret_groups[i].entry = *entry;
		ret_groups[i].built =
			entry->kind == GROUP_ACL
				? group_of_acl(entry, sw)
				: applied_group_of(sw->applied, port, placement,
						   entry->kind);
	}
	return draft.n;
}

static const struct built_group *
group_of_acl(const struct program_entry *entry, const struct model_switch *sw)
{
	const struct applied_acl *applied = apply_acl_find(entry->acl, sw);

	return applied ? &applied->groups[entry->direction] : NULL;
}
