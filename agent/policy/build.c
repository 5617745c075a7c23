/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/policy/build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/memory.h"

enum { PROBLEM_SIZE = 256 };

static bool is_same(const struct built_group *, const struct draft_group *,
		    struct vsw_mapping *const mappings[]);
static int seal_group(struct vsw *, const struct draft_group *,
		      struct vsw_mapping *const mappings[],
		      struct vsw_group **ret_group, char **ret_problem);
static int add_rule(struct vsw *, struct vsw_group *,
		    const struct draft_rule *, struct vsw_mapping *);
static int add_set(struct vsw *, struct vsw_rule *,
		   const struct draft_match *);
static void add_action(struct vsw_rule *, const struct draft_rule *,
		       struct vsw_mapping *);

int
build_group(struct vsw *vsw, struct built_group *built,
	    struct draft_group *draft, const struct mapping_finder *finder,
	    char **ret_problem)
{
	struct vsw_mapping **mappings =
		xcalloc(draft->n, sizeof *mappings);
	struct vsw_group *group;
	int err;

	for (size_t i = 0; i < draft->n; i++)
		if (draft->rules[i].subnet)
			mappings[i] = finder->find(finder->ctx,
						   draft->rules[i].subnet);
	built->is_new = false;
	if (is_same(built, draft, mappings)) {
		free(mappings);
		draft_group_free(draft);
		return 0;
	}
	err = seal_group(vsw, draft, mappings, &group, ret_problem);
	if (err) {
		free(mappings);
		draft_group_free(draft);
		return err;
	}
	built_group_done(built);
	built->draft = draft;
	built->mappings = mappings;
	built->group = group;
	built->is_new = true;
	return 0;
}

void
built_group_done(struct built_group *built)
{
	draft_group_free(built->draft);
	free(built->mappings);
	vsw_group_unref(built->group);
	memset(built, 0, sizeof *built);
}

int
build_program(struct vsw *vsw, const struct program_draft *draft,
	      const struct built_group *const groups[],
	      struct vsw_program **ret_program, char **ret_problem)
{
	char problem[PROBLEM_SIZE] = "";
	struct vsw_program *program;
	struct vsw_layer *layer = NULL;
	int err = vsw_program_new(vsw, &program);

	if (err) {
		*ret_problem = xasprintf("%s", strerror(-err));
		return err;
	}
	for (size_t i = 0; i < draft->n; i++) {
		const struct program_entry *entry = &draft->entries[i];

		if (!i || strcmp(entry->layer, draft->entries[i - 1].layer))
			layer = vsw_program_add_layer(program, entry->layer);
		vsw_layer_add_group(layer, entry->direction,
				    groups[i]->group);
	}
	err = vsw_program_seal(program, problem, sizeof problem);
	if (err) {
		*ret_problem = xasprintf("%s", *problem ? problem
							: strerror(-err));
		vsw_program_unref(program);
		return err;
	}
	*ret_program = program;
	return 0;
}

/* The built group holds its mappings, so that no other can have come to stand
 * at an address that is compared here. */
static bool
is_same(const struct built_group *built, const struct draft_group *draft,
	struct vsw_mapping *const mappings[])
{
	if (!built->draft || !draft_group_equal(built->draft, draft))
		return false;
	for (size_t i = 0; i < draft->n; i++)
		if (built->mappings[i] != mappings[i])
			return false;
	return true;
}

static int
seal_group(struct vsw *vsw, const struct draft_group *draft,
	   struct vsw_mapping *const mappings[], struct vsw_group **ret_group,
	   char **ret_problem)
{
	char problem[PROBLEM_SIZE] = "";
	struct vsw_group *group;
	int err = vsw_group_new(vsw, draft->name, &group);

	if (err) {
		*ret_problem = xasprintf("group \"%s\": %s", draft->name,
					 strerror(-err));
		return err;
	}
	for (size_t i = 0; i < draft->n && !err; i++)
		err = add_rule(vsw, group, &draft->rules[i], mappings[i]);
	if (!err)
		err = vsw_group_seal(group, problem, sizeof problem);
	if (err) {
		*ret_problem = xasprintf("group \"%s\": %s", draft->name,
					 *problem ? problem : strerror(-err));
		vsw_group_unref(group);
		return err;
	}
	*ret_group = group;
	return 0;
}

static int
add_rule(struct vsw *vsw, struct vsw_group *group,
	 const struct draft_rule *draft, struct vsw_mapping *mapping)
{
	struct vsw_rule *rule =
		vsw_group_add_rule(group, draft->priority, draft->name);
	int err = 0;

	for (size_t i = 0; i < draft->n_matches && !err; i++) {
		const struct draft_match *match = &draft->matches[i];

		if (match->set)
			err = add_set(vsw, rule, match);
		else if (match->is_range)
			vsw_rule_match_range(rule, match->field, match->first,
					     match->last);
		else
			vsw_rule_match(rule, match->field, match->value,
				       match->mask);
	}
	if (draft->is_terminating)
		vsw_rule_terminate(rule);
	add_action(rule, draft, mapping);
	return err;
}

static int
add_set(struct vsw *vsw, struct vsw_rule *rule,
	const struct draft_match *match)
{
	const struct draft_set *draft = match->set;
	struct vsw_set *set;
	int err = vsw_set_new(vsw, "", draft->n_prefixes ? VSW_SET_ADDRESSES
							 : VSW_SET_PORTS,
			      &set);

	if (err)
		return err;
	for (size_t i = 0; i < draft->n_prefixes; i++)
		vsw_set_add_prefix(set, &draft->prefixes[i].addr,
				   draft->prefixes[i].bits);
	for (size_t i = 0; i < draft->n_ranges; i++)
		vsw_set_add_ports(set, draft->ranges[i].first,
				  draft->ranges[i].last);
	vsw_rule_match_set(rule, match->field, set);
	vsw_set_unref(set);
	return 0;
}

static void
add_action(struct vsw_rule *rule, const struct draft_rule *draft,
	   struct vsw_mapping *mapping)
{
	switch (draft->action) {
	case DRAFT_PASS:
		break;
	case DRAFT_TRACK:
		vsw_rule_track(rule);
		break;
	case DRAFT_DROP:
		vsw_rule_drop(rule);
		break;
	case DRAFT_PUNT:
		vsw_rule_punt(rule, draft->reason);
		break;
	case DRAFT_ENCAP:
		vsw_rule_encap(rule, mapping);
		break;
	case DRAFT_DECAP:
		vsw_rule_decap(rule, mapping);
		break;
	case DRAFT_ROUTE:
		vsw_rule_route(rule, mapping, &draft->next_hop,
			       draft->router_mac, draft->reason);
		break;
	}
}
