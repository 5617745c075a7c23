/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_BUILD_H
#define POLICY_BUILD_H 1

/* From drafts to sealed groups and programs of a switch.  What has not changed
 * is not built again.  [control] */

#include <stdbool.h>
#include "agent/policy/compile.h"
#include "agent/policy/hits.h"

struct built_group {
	struct draft_group *draft;	/* NULL: never built. */
	struct vsw_mapping **mappings;	/* Of each rule; may hold NULL. */
	struct vsw_group *group;
	struct hit **hits;		/* Of each rule; may hold NULL. */
	bool is_new;			/* The last build_group() made it. */
};

/* Which mapping serves a subnet, or has its sources; NULL: none. */
struct mapping_finder {
	struct vsw_mapping *(*find)(void *, const struct model_subnet *,
				    bool of_sources);
	void *ctx;
};

/* Takes 'draft' over.  If it differs from what is built, or leads to other
 * mappings, builds it anew: 'is_new' says which.  A negative errno leaves what
 * was; then '*ret_problem' is one line, to be freed. */
int build_group(struct vsw *, struct hits *, struct built_group *,
		struct draft_group *draft, const struct mapping_finder *,
		char **ret_problem);
void built_group_done(struct built_group *);

/* 'groups[i]' stands for entry i. */
int build_program(struct vsw *, const struct program_draft *,
		  const struct built_group *const groups[],
		  struct vsw_program **ret_program, char **ret_problem);

#endif /* policy/build.h */
