/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/policy/group.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "libvswitch/base/memory.h"
#include "libvswitch/base/sort.h"
#include "libvswitch/base/switch.h"
#include "libvswitch/policy/index.h"
#include "libvswitch/policy/rule.h"

static void drop_drafts(struct vsw_group *);
static int compare(const void *a, const void *b);

int
vsw_group_new(struct vsw *vsw, const char *name, struct vsw_group **ret_group)
{
	struct vsw_group *group;

	if (!name)
		return -EINVAL;
	group = memory_alloc(&vsw->allocator, 0, sizeof *group);
	if (!group)
		return -ENOMEM;
	group->name = memory_strdup(&vsw->allocator, name);
	if (!group->name) {
		memory_free(&vsw->allocator, group, sizeof *group);
		return -ENOMEM;
	}
	group->vsw = vsw;
	group->n_refs = 1;
	vsw->n_groups++;
	*ret_group = group;
	return 0;
}

struct vsw_rule *
vsw_group_add_rule(struct vsw_group *group, uint32_t priority,
		   const char *name)
{
	struct vsw_rule *rule = NULL;

	if (!group)
		return NULL;
	if (group->draft.is_sealed)
		switch_log(group->vsw, VSW_LOG_ERROR,
			   "group \"%s\" is sealed: no rule is added",
			   group->name);
	if (!draft_is_open(&group->draft))
		return NULL;
	if (!memory_grow(&group->vsw->allocator, (void **) &group->drafts,
			 &group->drafts_room, group->n_drafts + 1,
			 sizeof(struct vsw_rule *)))
		rule = rule_new(group, priority,
				(uint32_t) group->n_drafts + 1, name);
	if (!rule) {
		draft_fail(&group->draft, -ENOMEM,
			   "group \"%.40s\", rule %zu: out of memory",
			   group->name, group->n_drafts + 1);
		return NULL;
	}
	group->drafts[group->n_drafts++] = rule;
	return rule;
}

int
vsw_group_seal(struct vsw_group *group, char *ret_problem, size_t size)
{
	const struct vsw_allocator *allocator = &group->vsw->allocator;
	const struct vsw_rule *const *drafts;
	struct rules *rules = NULL;
	int error = draft_report(&group->draft, ret_problem, size);

	if (error || group->draft.is_sealed)
		return error;
	sort_items(group->drafts, group->n_drafts, sizeof(struct vsw_rule *),
		   compare);
	drafts = (const struct vsw_rule *const *) group->drafts;
	error = rules_new(group, drafts, group->n_drafts, &rules);
	if (!error)
		error = index_new(allocator, drafts, group->n_drafts,
				  &group->index);
	if (error) {
		rules_free(allocator, rules);
		if (ret_problem && size)
			snprintf(ret_problem, size, "group \"%.40s\": out of "
				 "memory for %zu rules and their index",
				 group->name, group->n_drafts);
		return error;
	}
	group->rules = rules;
	for (size_t i = 0; i < group->n_drafts; i++) {
		const struct vsw_rule *rule = group->drafts[i];

		group->actions |= rule->actions;
		for (size_t m = 0; m < rule->n_matches; m++)
			group->fields |= UINT32_C(1)
					 << rule->matches[m].field;
		group->has_terminating |= rule->is_terminating;
		group->has_counters |= rule->counter != NULL;
	}
	drop_drafts(group);
	group->draft.is_sealed = true;
	return 0;
}

void
vsw_group_unref(struct vsw_group *group)
{
	const struct vsw_allocator *allocator;

	if (!group || --group->n_refs)
		return;
	/* Programs go only when nobody can look, and they hold their groups:
	 * nobody can look here. */
	allocator = &group->vsw->allocator;
	group->vsw->n_groups--;
	index_free(allocator, group->index);
	rules_free(allocator, group->rules);
	drop_drafts(group);
	memory_free_string(allocator, group->name);
	memory_free(allocator, group, sizeof *group);
}

void
vsw_group_get_shape(const struct vsw_group *group,
		    struct vsw_group_shape *ret_shape)
{
	struct vsw_group_shape shape = { .size = ret_shape->size };

	if (group->draft.is_sealed) {
		shape.n_rules = rules_n(group->rules);
		shape.n_rule_bytes = rules_size(group->rules);
		index_measure(group->index, &shape);
	}
	/* The embedder's struct may be longer or shorter than ours. */
	memcpy(ret_shape, &shape,
	       shape.size < sizeof shape ? shape.size : sizeof shape);
}

struct vsw_group *
group_ref(struct vsw_group *group)
{
	group->n_refs++;
	return group;
}

const struct rule *
group_find(const struct vsw_group *group, const struct flow_key *key)
{
	return index_find(group->index, group->rules, key);
}

static void
drop_drafts(struct vsw_group *group)
{
	const struct vsw_allocator *allocator = &group->vsw->allocator;

	for (size_t i = 0; i < group->n_drafts; i++)
		rule_free(group->drafts[i]);
	memory_free(allocator, group->drafts,
		    group->drafts_room * sizeof(struct vsw_rule *));
	group->drafts = NULL;
	group->n_drafts = group->drafts_room = 0;
}

static int
compare(const void *a, const void *b)
{
	const struct vsw_rule *const *ra = a, *const *rb = b;

	if ((*ra)->priority != (*rb)->priority)
		return (*ra)->priority < (*rb)->priority ? -1 : 1;
	return (*ra)->number < (*rb)->number ? -1 : 1;
}
