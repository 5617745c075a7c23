/* SPDX-License-Identifier: Apache-2.0 */

/* From the model to the switches: the difference only, in an order in which
 * no packet sees half of it.  What is new is made and filled before a program
 * leads to it, and what is gone is taken away after no program does. */

#include "agent/policy/policy.h"

#include <stdlib.h>
#include <string.h>
#include "agent/base/log.h"
#include "agent/base/memory.h"
#include "agent/model/state.h"
#include "agent/policy/applied.h"
#include "agent/policy/apply_lists.h"
#include "agent/policy/apply_port.h"
#include "agent/policy/apply_uplink.h"
#include "agent/policy/bridge.h"
#include "agent/policy/edit.h"
#include "agent/policy/learn.h"

/* One call of policy_apply(). */
struct turn {
	struct model *model;
	struct model_switch *sw;
	struct applied_switch *applied;
	struct edit edit;
	int err;
};

static void sync_uplinks(struct turn *);
static void sync_ports(struct turn *);
static void touch_port(struct model_state *, struct model_port *);
static void apply_switch(struct turn *);
static void apply_structure(struct turn *);
static void apply_ports(struct turn *);
static void place_subnets(struct turn *);
static struct instance *get_instance(struct turn *, const struct domain *);
static void get_placement(struct turn *, struct instance *,
			  struct model_subnet *);
static void fill(struct turn *, struct placement *);
static void edit_subnets(struct turn *, void (*edit)(struct edit *,
						     struct edited *));
static void set_unknown(struct turn *);
static void build_groups(struct turn *);
static void build_of_subnet(struct turn *, struct placement *);
static void build_of_switch(struct turn *, enum group_kind);
static void build_one(struct turn *, struct built_group *, enum group_kind,
		      const struct domain *, struct model_subnet *);
static struct vsw_mapping *find_mapping(void *turn,
					const struct model_subnet *,
					bool of_sources);
static void set_programs(struct turn *);
static void exchange_lists(struct turn *);
static void set_dirty_programs(struct turn *);
static void follow_port(struct turn *, struct model_port *);
static void set_port_program(struct turn *, struct model_port *);
static bool collect_groups(struct turn *, struct model_port *,
			   const struct program_draft *,
			   const struct built_group *ret_groups[]);
static bool has_guards(const struct program_draft *);
static void build_uplink_program(struct turn *);
static void drop_unwanted(struct turn *);
static void finish(struct turn *);
static void fail(struct turn *, int err, const char *subject, char *problem);

void
policy_apply(struct model *model)
{
	struct model_state *state = model->state;
	struct turn turn = { .model = model };
	struct list *link;

	for (link = model->switches.next; link != &model->switches;
	     link = link->next) {
		turn.sw = LIST_ENTRY(link, struct model_switch, link);
		if (turn.sw->vsw) {
			sync_uplinks(&turn);
			if (model->must_look)
				sync_ports(&turn);
		}
	}
	if (state->is_in_force && !state->structure_changed
	    && !state->programs_changed && list_is_empty(&state->changed))
		return;
	edit_init(&turn.edit);
	for (link = model->switches.next; link != &model->switches;
	     link = link->next) {
		turn.sw = LIST_ENTRY(link, struct model_switch, link);
		if (turn.sw->vsw && !turn.sw->is_removed)
			apply_switch(&turn);
	}
	finish(&turn);
	edit_done(&turn.edit);
}

void
policy_leave_switch(struct model *model, struct model_switch *sw)
{
	struct applied_switch *applied = sw->applied;

	for (struct list *link = sw->ports.next; link != &sw->ports;
	     link = link->next)
		policy_leave_port(model,
				  LIST_ENTRY(link, struct model_port, link));
	bridge_leave_switch(sw);
	if (!applied)
		return;
	for (size_t i = 0; i < applied->programmed.n; i++)
		(void) !vsw_port_set_program(applied->programmed.of[i], NULL);
	vsw_program_unref(applied->program);
	for (int kind = 0; kind < N_GROUP_KINDS; kind++)
		built_group_done(&applied->groups[kind]);
	apply_acls_done(&applied->acls);
	while (!list_is_empty(&applied->instances))
		applied_free_instance(LIST_ENTRY(applied->instances.next,
						 struct instance, link));
	free(applied);
	sw->applied = NULL;
	hits_free(sw->hits);
	sw->hits = NULL;
	model->state->structure_changed = true;
}

void
policy_leave_uplink(struct model *model, struct model_switch *sw,
		    struct vsw_port *uplink)
{
	struct applied_switch *applied = sw->applied;

	if (!applied)
		return;
	(void) !vsw_port_set_program(uplink, NULL);
	uplink_set_remove(&applied->programmed, uplink);
	/* What fails leaves the port to domains that find it gone. */
	for (struct list *link = applied->instances.next;
	     link != &applied->instances; link = link->next) {
		struct instance *instance =
			LIST_ENTRY(link, struct instance, link);

		if (uplink_set_domain(sw, instance->vsw_domain,
				      &instance->uplinks))
			model->state->structure_changed = true;
	}
}

void
policy_leave_port(struct model *model, struct model_port *port)
{
	struct placement *placement;
	struct edit edit;

	bridge_leave_port(port);
	if (port->program && port->applied)
		(void) !vsw_port_set_program(port->applied, NULL);
	apply_port_forget(port);
	learned_forget_port(port);
	if (!port->applied)
		return;
	port->applied = NULL;
	touch_port(model->state, port);
	placement = port->subnet && port->sw->applied
		? applied_find(port->subnet, port->sw) : NULL;
	if (!placement)
		return;
	edit_init(&edit);
	edit_begin(&edit, &placement->edited);
	edit_set(&edit, &placement->edited);
	edit_remove(&edit, &placement->edited);
	edit_commit(&edit, &placement->edited);
	edit_done(&edit);
}

/* Wires come and go without a row that says so: this is not to cost more than
 * it must.  What fails is tried again with all else. */
static void
sync_uplinks(struct turn *turn)
{
	struct applied_switch *applied = turn->sw->applied;
	struct model_state *state = turn->model->state;
	int err = 0;

	if (!applied)
		return;
	for (struct list *link = applied->instances.next;
	     link != &applied->instances && !err; link = link->next) {
		struct instance *instance =
			LIST_ENTRY(link, struct instance, link);

		err = uplink_set_domain(turn->sw, instance->vsw_domain,
					&instance->uplinks);
	}
	if (!err && applied->program)
		err = uplink_set_program(turn->sw, applied->program,
					 &applied->programmed);
	if (err)
		state->structure_changed = true;
}

/* The host opens and closes devices between two calls. */
static void
sync_ports(struct turn *turn)
{
	struct list *ports = &turn->sw->ports;

	for (struct list *link = ports->next; link != ports;
	     link = link->next) {
		struct model_port *port =
			LIST_ENTRY(link, struct model_port, link);
		struct vsw_port *vsw_port =
			port->is_removed ? NULL : port->port;

		if (port->applied == vsw_port)
			continue;
		apply_port_forget(port);
		port->applied = vsw_port;
		touch_port(turn->model->state, port);
	}
	if (!turn->sw->applied)
		turn->model->state->structure_changed = true;
}

static void
touch_port(struct model_state *state, struct model_port *port)
{
	struct model_subnet *subnet = port->claimed;

	port->is_dirty = true;
	state->structure_changed = true;
	for (size_t i = 0; subnet && i < subnet->table->n_locals; i++) {
		const struct model_mapping *m =
			&subnet->table->locals[i]->mapping;
		struct mapping_key key = mapping_key_mac(m->mac);

		if (m->port != port)
			continue;
		subnet_table_touch(subnet->table, &key);
		key = mapping_key_ca(&m->ca);
		if (key.ca.n)
			subnet_table_touch(subnet->table, &key);
	}
	if (subnet) {
		subnet->table->flood_changed = true;
		state_subnet_changed(state, subnet);
	}
}

static void
apply_switch(struct turn *turn)
{
	if (!turn->sw->applied) {
		turn->sw->applied = xcalloc(1, sizeof *turn->sw->applied);
		list_init(&turn->sw->applied->instances);
		list_init(&turn->sw->applied->acls);
		turn->sw->hits = hits_new(turn->sw->vsw);
		learn_open(turn->model, turn->sw);
		turn->model->state->structure_changed = true;
	}
	turn->applied = turn->sw->applied;
	if (turn->model->state->structure_changed
	    || !turn->model->state->is_in_force) {
		apply_structure(turn);
		return;
	}
	if (turn->model->state->programs_changed) {
		apply_ports(turn);
		return;
	}
	edit_subnets(turn, edit_begin);
	edit_subnets(turn, edit_set);
	edit_subnets(turn, edit_remove);
	edit_subnets(turn, edit_commit);
}

static void
apply_structure(struct turn *turn)
{
	place_subnets(turn);
	edit_subnets(turn, edit_begin);
	edit_subnets(turn, edit_set);
	edit_subnets(turn, edit_commit);
	set_unknown(turn);
	build_groups(turn);
	set_programs(turn);
	edit_subnets(turn, edit_begin);
	edit_subnets(turn, edit_remove);
	edit_subnets(turn, edit_commit);
	drop_unwanted(turn);
	apply_acls_settle(&turn->applied->acls);
}

/* The same of ports whose subnets are in force already, and stay so. */
static void
apply_ports(struct turn *turn)
{
	edit_subnets(turn, edit_begin);
	edit_subnets(turn, edit_set);
	edit_subnets(turn, edit_commit);
	exchange_lists(turn);
	set_dirty_programs(turn);
	edit_subnets(turn, edit_begin);
	edit_subnets(turn, edit_remove);
	edit_subnets(turn, edit_commit);
	apply_acls_settle(&turn->applied->acls);
}

/* Marks what is to be here, and makes what is not yet. */
static void
place_subnets(struct turn *turn)
{
	struct list *instances = &turn->applied->instances;
	struct model_subnet **subnets;
	size_t n = compile_in_force(turn->sw, &subnets);

	for (struct list *i = instances->next; i != instances; i = i->next) {
		struct instance *instance =
			LIST_ENTRY(i, struct instance, link);

		instance->is_wanted = false;
		for (struct list *p = instance->placements.next;
		     p != &instance->placements; p = p->next)
			LIST_ENTRY(p, struct placement, by_instance)
				->is_wanted = false;
	}
	for (size_t i = 0; i < n; i++) {
		struct domain domain = compile_domain(subnets[i]);
		struct instance *instance = get_instance(turn, &domain);

		if (instance)
			get_placement(turn, instance, subnets[i]);
	}
	free(subnets);
}

static struct instance *
get_instance(struct turn *turn, const struct domain *domain)
{
	struct list *instances = &turn->applied->instances;
	const char *name = domain->router ? domain->router->name
					  : domain->lone->name;
	struct instance *instance;
	int err;

	for (struct list *link = instances->next; link != instances;
	     link = link->next) {
		instance = LIST_ENTRY(link, struct instance, link);
		if (domain_equal(&instance->domain, domain)) {
			instance->is_wanted = true;
			return instance;
		}
	}
	instance = xcalloc(1, sizeof *instance);
	err = vsw_domain_new(turn->sw->vsw, name, &instance->vsw_domain);
	if (err) {
		fail(turn, err, name, NULL);
		free(instance);
		return NULL;
	}
	instance->sw = turn->sw;
	instance->domain = *domain;
	instance->is_wanted = true;
	list_init(&instance->placements);
	list_append(instances, &instance->link);
	err = uplink_set_domain(turn->sw, instance->vsw_domain,
				&instance->uplinks);
	if (err)
		fail(turn, err, "uplink", NULL);
	return instance;
}

static void
get_placement(struct turn *turn, struct instance *instance,
	      struct model_subnet *subnet)
{
	struct placement *placement;
	struct list *link;
	int err;

	for (link = subnet->table->placements.next;
	     link != &subnet->table->placements; link = link->next) {
		placement = LIST_ENTRY(link, struct placement, by_subnet);
		if (placement->instance == instance
		    && placement->vni == subnet->vni) {
			placement->is_wanted = true;
			if (!placement->is_filled)
				fill(turn, placement);
			return;
		}
	}
	placement = xcalloc(1, sizeof *placement);
	err = vsw_mapping_new(instance->vsw_domain, subnet->name, subnet->vni,
			      &placement->edited.mapping);
	if (!err && model_learns(subnet))
		err = learn_begin(instance, subnet, &placement->sources);
	if (err) {
		vsw_mapping_unref(placement->edited.mapping);
		fail(turn, err, subnet->name, NULL);
		free(placement);
		return;
	}
	placement->instance = instance;
	placement->vni = subnet->vni;
	placement->edited.sw = turn->sw;
	placement->edited.subnet = subnet;
	placement->edited.domain = instance->vsw_domain;
	placement->is_wanted = true;
	list_append(&instance->placements, &placement->by_instance);
	list_append(&subnet->table->placements, &placement->by_subnet);
	fill(turn, placement);
}

static void
fill(struct turn *turn, struct placement *placement)
{
	int err = turn->edit.err;

	turn->edit.err = 0;
	edit_begin(&turn->edit, &placement->edited);
	edit_fill(&turn->edit, &placement->edited);
	edit_commit(&turn->edit, &placement->edited);
	placement->is_new = placement->is_filled = !turn->edit.err;
	if (err)
		turn->edit.err = err;
}

static void
edit_subnets(struct turn *turn, void (*edit)(struct edit *, struct edited *))
{
	struct list *changed = &turn->model->state->changed;

	for (struct list *link = changed->next; link != changed;
	     link = link->next) {
		struct list *placements =
			&LIST_ENTRY(link, struct subnet_table, changed)
			->placements;

		for (struct list *p = placements->next; p != placements;
		     p = p->next) {
			struct placement *placement =
				LIST_ENTRY(p, struct placement, by_subnet);

			if (placement->instance->sw == turn->sw
			    && placement->is_wanted && !placement->is_new)
				edit(&turn->edit, &placement->edited);
		}
	}
}

static void
set_unknown(struct turn *turn)
{
	struct list *instances = &turn->applied->instances;

	for (struct list *i = instances->next; i != instances; i = i->next) {
		struct list *placements =
			&LIST_ENTRY(i, struct instance, link)->placements;

		for (struct list *p = placements->next; p != placements;
		     p = p->next) {
			struct placement *placement =
				LIST_ENTRY(p, struct placement, by_instance);

			if (!placement->is_wanted)
				continue;
			edit_unknown(&turn->edit, &placement->edited,
				     model_find_domain(
					     turn->model,
					     placement->edited.subnet));
		}
	}
}

static void
build_groups(struct turn *turn)
{
	struct list *instances = &turn->applied->instances;

	build_of_switch(turn, GROUP_INTERCEPT);
	for (enum group_kind kind = GROUP_NEIGHBOURS; kind <= GROUP_BLOCKED;
	     kind++)
		build_of_switch(turn, kind);
	for (struct list *i = instances->next; i != instances; i = i->next) {
		struct instance *instance =
			LIST_ENTRY(i, struct instance, link);

		if (!instance->is_wanted)
			continue;
		if (instance->domain.router)
			for (enum group_kind kind = GROUP_GATEWAYS;
			     kind <= GROUP_ROUTED; kind++)
				build_one(turn, &instance->groups[kind], kind,
					  &instance->domain, NULL);
		for (struct list *p = instance->placements.next;
		     p != &instance->placements; p = p->next) {
			struct placement *placement =
				LIST_ENTRY(p, struct placement, by_instance);

			if (placement->is_wanted
			    && compile_has_port(placement->edited.subnet,
						turn->sw))
				build_of_subnet(turn, placement);
		}
	}
	build_of_switch(turn, GROUP_DELIVERY);
}

static void
build_of_subnet(struct turn *turn, struct placement *placement)
{
	struct model_subnet *subnet = placement->edited.subnet;

	build_one(turn, &placement->own, GROUP_OWN, NULL, subnet);
	if (placement->sources)
		build_one(turn, &placement->learn, GROUP_LEARN, NULL, subnet);
	if (subnet->router && !list_is_empty(&subnet->static_routes))
		build_one(turn, &placement->routes, GROUP_OWN_ROUTE,
			  &placement->instance->domain, subnet);
}

static void
build_of_switch(struct turn *turn, enum group_kind kind)
{
	build_one(turn, &turn->applied->groups[kind], kind, NULL, NULL);
}

static void
build_one(struct turn *turn, struct built_group *built, enum group_kind kind,
	  const struct domain *domain, struct model_subnet *subnet)
{
	struct draft_group *draft =
		compile_group(turn->model, turn->sw, kind, domain, subnet);
	struct mapping_finder finder = { find_mapping, turn };
	char *problem = NULL;
	int err = build_group(turn->sw->vsw, turn->sw->hits, built, draft,
			      &finder, &problem);

	if (err)
		fail(turn, err, turn->sw->name, problem);
}

static struct vsw_mapping *
find_mapping(void *ctx, const struct model_subnet *subnet, bool of_sources)
{
	const struct turn *turn = ctx;

	return applied_mapping(subnet, turn->sw, of_sources);
}

/* The wire first: what comes in for a new subnet finds its way before anybody
 * can have been asked to send. */
static void
set_programs(struct turn *turn)
{
	struct list *ports = &turn->sw->ports;

	build_uplink_program(turn);
	for (struct list *link = ports->next; link != ports;
	     link = link->next) {
		struct model_port *port =
			LIST_ENTRY(link, struct model_port, link);

		if (port->applied)
			follow_port(turn, port);
	}
}

static void
exchange_lists(struct turn *turn)
{
	const struct model_port *port = NULL;
	char *problem = NULL;
	int err = apply_lists_follow(turn->sw, &turn->applied->acls, &port,
				     &problem);

	if (err)
		fail(turn, err, port ? port->name : turn->sw->name, problem);
}

static void
set_dirty_programs(struct turn *turn)
{
	struct list *ports = &turn->sw->ports;

	for (struct list *link = ports->next; link != ports;
	     link = link->next) {
		struct model_port *port =
			LIST_ENTRY(link, struct model_port, link);

		if (port->is_dirty && port->applied)
			follow_port(turn, port);
	}
}

static void
follow_port(struct turn *turn, struct model_port *port)
{
	if (port->subnet) {
		set_port_program(turn, port);
		return;
	}
	if (port->program)
		(void) !vsw_port_set_program(port->applied, NULL);
	apply_port_forget(port);
	port->is_dirty = false;
}

static void
set_port_program(struct turn *turn, struct model_port *port)
{
	const struct built_group *groups[PROGRAM_MAX_ENTRIES];
	struct program_draft draft;
	struct vsw_program *program;
	char *problem = NULL;
	int err;

	compile_port(port, &draft);
	if (!collect_groups(turn, port, &draft, groups)) {
		port->is_dirty = true;
		return;
	}
	port->is_dirty |= port->lists_changed;
	for (size_t i = 0; i < draft.n; i++)
		port->is_dirty |= draft.entries[i].kind != GROUP_ACL
				  && groups[i]->is_new;
	if (!port->is_dirty)
		return;
	err = build_program(turn->sw->vsw, &draft, groups, &program,
			    &problem);
	if (!err) {
		err = vsw_port_set_program(port->applied, program);
		vsw_program_unref(program);
	}
	if (err) {
		model_fault_set(&port->fault, MODEL_ENGINE, "%s",
				problem ? problem : strerror(-err));
		fail(turn, err, port->name, problem);
		return;
	}
	port->program = program;
	port->is_dirty = false;
	apply_lists_done(port, true);
	if (port->fault.reason == MODEL_ENGINE)
		model_fault_set(&port->fault, MODEL_OK, NULL);
}

/* False if one could not be built: that has been told. */
static bool
collect_groups(struct turn *turn, struct model_port *port,
	       const struct program_draft *draft,
	       const struct built_group *ret_groups[])
{
	const struct placement *placement =
		applied_find(port->subnet, port->sw);
	char *problem = NULL;
	int err;

	if (!placement)
		return false;
	err = has_guards(draft) ? apply_port_build(port, &problem) : 0;
	for (size_t i = 0; i < draft->n && !err; i++) {
		const struct program_entry *entry = &draft->entries[i];

		ret_groups[i] = entry->kind == GROUP_ACL
			? apply_acl_get(&turn->applied->acls, turn->sw,
					entry->acl, entry->direction, &err,
					&problem)
			: applied_group_of(turn->applied, port, placement,
					   entry->kind);
		if (!err && !ret_groups[i]->group)
			return false;
	}
	if (err)
		fail(turn, err, port->name, problem);
	return !err;
}

static bool
has_guards(const struct program_draft *draft)
{
	for (size_t i = 0; i < draft->n; i++)
		if (draft->entries[i].kind == GROUP_GUARD_MACS)
			return true;
	return false;
}

static void
build_uplink_program(struct turn *turn)
{
	struct applied_switch *applied = turn->applied;
	const struct built_group *groups[] = {
		&applied->groups[GROUP_DELIVERY]
	};
	struct program_draft draft;
	struct vsw_program *program;
	char *problem = NULL;
	int err;

	if (!groups[0]->group)
		return;
	if (groups[0]->is_new || !applied->program) {
		compile_uplink(&draft);
		err = build_program(turn->sw->vsw, &draft, groups, &program,
				    &problem);
		if (err) {
			fail(turn, err, "uplink", problem);
			return;
		}
		vsw_program_unref(applied->program);
		applied->program = program;
		applied->programmed.n = 0;
	}
	err = uplink_set_program(turn->sw, applied->program,
				 &applied->programmed);
	if (err)
		fail(turn, err, "uplink", NULL);
}

static void
drop_unwanted(struct turn *turn)
{
	struct list *instances = &turn->applied->instances, *i, *next;

	for (i = instances->next; i != instances; i = next) {
		struct instance *instance =
			LIST_ENTRY(i, struct instance, link);
		struct list *p, *next_p;

		next = i->next;
		if (!instance->is_wanted) {
			applied_free_instance(instance);
			continue;
		}
		for (p = instance->placements.next;
		     p != &instance->placements; p = next_p) {
			struct placement *placement =
				LIST_ENTRY(p, struct placement, by_instance);

			next_p = p->next;
			placement->is_new = false;
			if (!placement->is_wanted)
				applied_free_placement(placement);
		}
	}
}

/* What went wrong is tried again, with all that it belongs to. */
static void
finish(struct turn *turn)
{
	struct model_state *state = turn->model->state;

	if (turn->edit.err)
		fail(turn, turn->edit.err, "mapping", NULL);
	state->n_cut = turn->edit.n_cut;
	turn->model->must_look |= state->structure_changed
				  || state->programs_changed
				  || !state->is_in_force || turn->err;
	state->is_in_force = !turn->err;
	if (turn->err)
		return;
	model_fault_set(&state->engine_fault, MODEL_OK, NULL);
	while (!list_is_empty(&state->changed)) {
		struct subnet_table *table =
			LIST_ENTRY(state->changed.next, struct subnet_table,
				   changed);

		list_remove(&table->changed);
		free(table->keys);
		table->keys = NULL;
		table->n_keys = table->size_keys = table->n_judged = 0;
		table->flood_changed = false;
	}
	state->structure_changed = state->programs_changed = false;
	state_bury(state);
}

static void
fail(struct turn *turn, int err, const char *subject, char *problem)
{
	if (!turn->err) {
		turn->err = err;
		model_fault_set(&turn->model->state->engine_fault,
				MODEL_ENGINE, "%s: %s", subject,
				problem ? problem : strerror(-err));
	}
	free(problem);
}
