/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/policy/build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/memory.h"
#include "agent/model/map.h"
#include "agent/policy/policy.h"

enum { PROBLEM_SIZE = 256 };

static bool is_same(const struct built_group *, const struct draft_group *,
		    struct vsw_mapping *const mappings[]);
static struct hit **get_hits(struct hits *, const struct draft_group *);
static uint64_t hash_matches(const struct draft_rule *);
static void put_hits(struct hit **, const struct draft_group *);
static int seal_group(struct vsw *, const struct draft_group *,
		      struct vsw_mapping *const mappings[],
		      struct hit *const hits[],
		      struct vsw_group **ret_group, char **ret_problem);
static struct vsw_mapping **find_mappings(const struct draft_group *,
					  const struct mapping_finder *);
static size_t count_mappings(const struct draft_group *);
static int add_rule(struct vsw *, struct vsw_group *,
		    const struct draft_rule *,
		    struct vsw_mapping *const mappings[], struct hit *);
static int add_set(struct vsw *, struct vsw_rule *,
		   const struct draft_match *);
static void add_action(struct vsw_rule *, const struct draft_rule *,
		       struct vsw_mapping *const mappings[]);
static void add_hops(struct vsw_rule *, const struct draft_rule *,
		     struct vsw_mapping *const mappings[]);

int
build_group(struct vsw *vsw, struct hits *hits, struct built_group *built,
	    struct draft_group *draft, const struct mapping_finder *finder,
	    char **ret_problem)
{
	struct vsw_mapping **mappings = find_mappings(draft, finder);
	struct hit **of;
	struct vsw_group *group;
	int err;

	built->is_new = false;
	if (is_same(built, draft, mappings)) {
		free(mappings);
		draft_group_free(draft);
		return 0;
	}
	of = get_hits(hits, draft);
	err = seal_group(vsw, draft, mappings, of, &group, ret_problem);
	if (err) {
		put_hits(of, draft);
		free(mappings);
		draft_group_free(draft);
		return err;
	}
	built_group_done(built);
	built->draft = draft;
	built->mappings = mappings;
	built->hits = of;
	built->group = group;
	built->is_new = true;
	return 0;
}

void
built_group_done(struct built_group *built)
{
	if (built->draft)
		put_hits(built->hits, built->draft);
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

/* One for each rule, or one for each next hop of those that have several, and
 * in their order. */
static struct vsw_mapping **
find_mappings(const struct draft_group *draft,
	      const struct mapping_finder *finder)
{
	struct vsw_mapping **mappings =
		xcalloc(count_mappings(draft), sizeof *mappings), **at;

	at = mappings;
	for (size_t i = 0; i < draft->n; i++) {
		const struct draft_rule *rule = &draft->rules[i];

		for (size_t j = 0; j < rule->n_hops; j++)
			*at++ = finder->find(finder->ctx,
					     rule->hops[j].subnet, false);
		if (rule->n_hops)
			continue;
		if (rule->subnet)
			*at = finder->find(finder->ctx, rule->subnet,
					   rule->action == DRAFT_LEARN);
		at++;
	}
	return mappings;
}

static size_t
count_mappings(const struct draft_group *draft)
{
	size_t n = 0;

	for (size_t i = 0; i < draft->n; i++)
		n += draft->rules[i].n_hops ? draft->rules[i].n_hops : 1;
	return n;
}

/* The built group holds its mappings, so that no other can have come to stand
 * at an address that is compared here. */
static bool
is_same(const struct built_group *built, const struct draft_group *draft,
	struct vsw_mapping *const mappings[])
{
	if (!built->draft || !draft_group_equal(built->draft, draft))
		return false;
	for (size_t i = 0, n = count_mappings(draft); i < n; i++)
		if (built->mappings[i] != mappings[i])
			return false;
	return true;
}

static struct hit **
get_hits(struct hits *hits, const struct draft_group *draft)
{
	struct hit **of = xcalloc(draft->n, sizeof(struct hit *));

	for (size_t i = 0; i < draft->n; i++)
		of[i] = draft->scope
			? hits_get(hits, draft->scope, draft->rules[i].name, 0)
			: hits_get(hits, draft->name, draft->rules[i].name,
				   hash_matches(&draft->rules[i]));
	return of;
}

/* Rules that are no controller's count by what they match, too: there are
 * some of one name for each family. */
static uint64_t
hash_matches(const struct draft_rule *rule)
{
	uint64_t hash = 1;

	for (size_t i = 0; i < rule->n_matches; i++) {
		const struct draft_match *match = &rule->matches[i];
		const uint16_t numbers[] = {
			(uint16_t) match->field, match->first, match->last
		};

		hash = map_hash(numbers, sizeof numbers, hash);
		hash = map_hash(match->value, match->size, hash);
		hash = map_hash(match->mask, match->size, hash);
	}
	return hash;
}

static void
put_hits(struct hit **of, const struct draft_group *draft)
{
	for (size_t i = 0; i < draft->n; i++)
		hits_put(of[i]);
	free(of);
}

static int
seal_group(struct vsw *vsw, const struct draft_group *draft,
	   struct vsw_mapping *const mappings[], struct hit *const hits[],
	   struct vsw_group **ret_group, char **ret_problem)
{
	char problem[PROBLEM_SIZE] = "";
	struct vsw_group *group;
	int err = vsw_group_new(vsw, draft->name, &group);

	if (err) {
		*ret_problem = xasprintf("group \"%s\": %s", draft->name,
					 strerror(-err));
		return err;
	}
	for (size_t i = 0; i < draft->n && !err; i++) {
		const struct draft_rule *rule = &draft->rules[i];

		err = add_rule(vsw, group, rule, mappings, hits[i]);
		mappings += rule->n_hops ? rule->n_hops : 1;
	}
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
	 const struct draft_rule *draft, struct vsw_mapping *const mappings[],
	 struct hit *hit)
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
	add_action(rule, draft, mappings);
	vsw_rule_count(rule, hit_counter(hit));
	if (hit && draft->is_logged)
		vsw_rule_log(rule, hits_tag(hit, draft->name,
					    draft->action != DRAFT_DROP));
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
	   struct vsw_mapping *const mappings[])
{
	static const uint8_t broadcast[6] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff
	};
	struct vsw_mapping *mapping = mappings[0];

	if (draft->too_big_reason)
		vsw_rule_too_big(rule, draft->may_fragment,
				 draft->too_big_reason);
	if (draft->clamps_mss)
		vsw_rule_clamp_mss(rule, 0);
	if (draft->takes_tag)
		vsw_rule_set_vlan(rule, 0);
	switch (draft->action) {
	case DRAFT_PASS:
		break;
	case DRAFT_TRACK:
		vsw_rule_track(rule);
		break;
	case DRAFT_DROP:
		vsw_rule_drop_as(rule, draft->drop_as ? draft->drop_as
						      : VSW_DROP_RULE);
		break;
	case DRAFT_PUNT:
		vsw_rule_punt(rule, draft->reason);
		break;
	case DRAFT_ENCAP:
		if (draft->copies)
			vsw_rule_address_copies(rule,
						draft->copies == COPIES_IP);
		if (draft->to_all)
			vsw_rule_set_eth_dst(rule, broadcast);
		vsw_rule_encap(rule, mapping);
		break;
	case DRAFT_DECAP:
		vsw_rule_decap(rule, mapping);
		break;
	case DRAFT_LEARN:
		vsw_rule_learn(rule, mapping, draft->vni);
		break;
	case DRAFT_ROUTE:
		vsw_rule_unreachable(rule, PUNT_UNREACHABLE);
		if (draft->n_hops)
			add_hops(rule, draft, mappings);
		else
			vsw_rule_route(rule, mapping, &draft->next_hop,
				       draft->router_mac, draft->reason);
		break;
	}
}

static void
add_hops(struct vsw_rule *rule, const struct draft_rule *draft,
	 struct vsw_mapping *const mappings[])
{
	struct vsw_next_hop hops[VSW_MAX_NEXT_HOPS];

	for (size_t i = 0; i < draft->n_hops; i++)
		hops[i] = (struct vsw_next_hop) {
			.size = sizeof hops[i], .mapping = mappings[i],
			.addr = draft->hops[i].addr
		};
	vsw_rule_route_any(rule, hops, draft->n_hops, draft->router_mac,
			   draft->reason);
}
