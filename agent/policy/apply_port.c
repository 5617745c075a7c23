/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/policy/apply_port.h"

#include <stdlib.h>
#include "agent/base/memory.h"
#include "agent/policy/apply_lists.h"

static bool is_used(const struct acl *);
static void free_acl(struct applied_acl *);
static struct vsw_mapping *find_none(void *ctx, const struct model_subnet *,
				     bool of_sources);

static const struct mapping_finder no_mappings = { find_none, NULL };

int
apply_port_build(struct model_port *port, char **ret_problem)
{
	struct applied_port *applied = port->applied_port;
	int err;

	if (applied && applied->is_built
	    && applied->guarded == port->guarded) {
		applied->guards[0].is_new = applied->guards[1].is_new = false;
		return 0;
	}
	if (!applied)
		applied = port->applied_port = xcalloc(1, sizeof *applied);
	applied->is_built = false;
	applied->guarded = port->guarded;
	err = build_group(port->sw->vsw, port->sw->hits,
			  &applied->guards[0],
			  layer_guard_macs(port), &no_mappings, ret_problem);
	if (!err)
		err = build_group(port->sw->vsw, port->sw->hits,
				  &applied->guards[1],
				  layer_guard_sources(port), &no_mappings,
				  ret_problem);
	applied->is_built = !err;
	return err;
}

void
apply_port_forget(struct model_port *port)
{
	port->program = NULL;
	port->is_dirty = true;
	apply_lists_done(port, false);
	if (!port->applied_port)
		return;
	built_group_done(&port->applied_port->guards[0]);
	built_group_done(&port->applied_port->guards[1]);
	free(port->applied_port);
	port->applied_port = NULL;
}

const struct built_group *
apply_acl_get(struct list *acls, const struct model_switch *sw,
	      struct acl *acl, enum vsw_direction direction, int *ret_err,
	      char **ret_problem)
{
	struct applied_acl *applied = apply_acl_find(acl, sw);
	struct built_group *built;

	if (!applied) {
		applied = xcalloc(1, sizeof *applied);
		applied->acl = acl_ref(acl);
		applied->sw = sw;
		list_append(&acl->built, &applied->by_acl);
		list_append(acls, &applied->by_switch);
	}
	built = &applied->groups[direction];
	if (built->group)
		return built;
	*ret_err = build_group(sw->vsw, sw->hits, built,
			       layer_acl(acl, direction), &no_mappings,
			       ret_problem);
	return *ret_err ? NULL : built;
}

struct applied_acl *
apply_acl_find(const struct acl *acl, const struct model_switch *sw)
{
	for (const struct list *link = acl->built.next; link != &acl->built;
	     link = link->next) {
		struct applied_acl *applied =
			LIST_ENTRY(link, struct applied_acl, by_acl);

		if (applied->sw == sw)
			return applied;
	}
	return NULL;
}

void
apply_acls_settle(struct list *acls)
{
	struct list *link, *next;

	for (link = acls->next; link != acls; link = next) {
		struct applied_acl *applied =
			LIST_ENTRY(link, struct applied_acl, by_switch);

		next = link->next;
		if (!is_used(applied->acl))
			free_acl(applied);
	}
}

void
apply_acls_done(struct list *acls)
{
	while (!list_is_empty(acls))
		free_acl(LIST_ENTRY(acls->next, struct applied_acl,
				    by_switch));
}

/* By more than the switches that have built it. */
static bool
is_used(const struct acl *acl)
{
	size_t n_built = 0;

	for (const struct list *link = acl->built.next; link != &acl->built;
	     link = link->next)
		n_built++;
	return acl->n_refs > n_built;
}

static void
free_acl(struct applied_acl *applied)
{
	built_group_done(&applied->groups[0]);
	built_group_done(&applied->groups[1]);
	list_remove(&applied->by_acl);
	list_remove(&applied->by_switch);
	acl_unref(applied->acl);
	free(applied);
}

static struct vsw_mapping *
find_none(void *ctx, const struct model_subnet *subnet, bool of_sources)
{
	(void) ctx;
	(void) subnet;
	(void) of_sources;
	return NULL;
}
