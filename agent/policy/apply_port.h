/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_APPLY_PORT_H
#define POLICY_APPLY_PORT_H 1

/* The groups of a program that speak of one port, and those of access lists:
 * a list is built once for each switch, however many of its ports have it.
 * [control] */

#include "agent/policy/build.h"

struct applied_port {
	struct built_group guards[2];	/* MACs, addresses. */
	uint64_t guarded;		/* The port's, when they were built. */
	bool is_built;
};

/* A list in a switch. */
struct applied_acl {
	struct list by_acl;		/* In acl.built. */
	struct list by_switch;
	struct acl *acl;
	const struct model_switch *sw;
	struct built_group groups[2];	/* By direction. */
	struct acl *becomes;		/* In its place, now.  apply_lists.c */
};

/* Groups of the port that are to be built anew, or are not yet.  A negative
 * errno leaves what was; then '*ret_problem' is one line, to be freed. */
int apply_port_build(struct model_port *, char **ret_problem);
/* It has no program any more: with the next policy_apply() it gets one, if it
 * is to have one. */
void apply_port_forget(struct model_port *);

/* The group of a list, made at its first use: 'acls' is the switch's list.
 * NULL: it cannot be built; then '*ret_err' and '*ret_problem' say why. */
const struct built_group *apply_acl_get(struct list *acls,
					const struct model_switch *,
					struct acl *, enum vsw_direction,
					int *ret_err, char **ret_problem);
/* NULL: no group of it was made there. */
struct applied_acl *apply_acl_find(const struct acl *,
				   const struct model_switch *);
/* Once all programs of the switch have been set: lists that no port has any
 * more go.  One whose rows are still there counts as had. */
void apply_acls_settle(struct list *acls);
void apply_acls_done(struct list *acls);

#endif /* policy/apply_port.h */
