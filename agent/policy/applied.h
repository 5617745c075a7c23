/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_APPLIED_H
#define POLICY_APPLIED_H 1

/* What is in force in a switch, as apply.c has put it there; for it and for
 * those who look.  [control] */

#include "agent/policy/apply_port.h"
#include "agent/policy/apply_uplink.h"
#include "agent/policy/edit.h"

/* A domain in a switch. */
struct instance {
	struct list link;		/* In applied_switch.instances. */
	struct model_switch *sw;
	struct domain domain;
	struct vsw_domain *vsw_domain;
	struct uplink_set uplinks;	/* As that knows them. */
	struct list placements;
	struct built_group groups[N_GROUP_KINDS];
	bool is_wanted;			/* In this turn. */
};

/* A subnet in an instance. */
struct placement {
	struct list by_instance;
	struct list by_subnet;		/* In subnet_table.placements. */
	struct instance *instance;
	struct edited edited;
	uint32_t vni;			/* Of the mapping. */
	struct built_group own;
	struct built_group routes;	/* Its own, if it has any. */
	struct vsw_mapping *sources;	/* Who was heard: learn.h.  NULL: */
	struct built_group learn;	/* nobody listens. */
	bool is_filled;			/* Wholly. */
	bool is_wanted, is_new;		/* In this turn. */
};

struct applied_switch {
	struct list instances;
	struct built_group groups[N_GROUP_KINDS];	/* Of the switch. */
	struct list acls;		/* struct applied_acl. */
	struct vsw_program *program;	/* Of uplinks; NULL: none yet. */
	struct uplink_set programmed;	/* That have it. */
};

/* The subnet in this switch, or NULL. */
struct placement *applied_find(const struct model_subnet *,
			       const struct model_switch *);
/* Its mapping there, or that of its sources; NULL: there is none. */
struct vsw_mapping *applied_mapping(const struct model_subnet *,
				    const struct model_switch *,
				    bool of_sources);
/* What is theirs, too; no program may lead there any more. */
void applied_free_instance(struct instance *);
void applied_free_placement(struct placement *);
const struct built_group *applied_group_of(const struct applied_switch *,
					   const struct model_port *,
					   const struct placement *,
					   enum group_kind);

/* A group of a program that is in force. */
struct applied_group {
	struct program_entry entry;
	const struct built_group *built;	/* NULL: there is none. */
};

/* Those of the port's program, in its order; NULL: the uplink's.  Returns how
 * many. */
size_t applied_groups(const struct model_switch *, const struct model_port *,
		      struct applied_group ret_groups[PROGRAM_MAX_ENTRIES]);

#endif /* policy/applied.h */
