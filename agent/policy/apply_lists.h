/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_APPLY_LISTS_H
#define POLICY_APPLY_LISTS_H 1

/* Ports that have other access lists than before, and are alike in all else:
 * what a controller means that changes one rule of a thousand ports.  Nothing
 * is compiled for them; in the programs of all of them the groups of new lists
 * take the place of the old ones', at once.  For apply.c alone.  [control] */

#include "agent/policy/apply_port.h"

/* Ports of the switch whose lists_changed is set and that are not dirty; those
 * whose program must be made anew after all become dirty.  Nonzero: negative
 * errno; then '*ret_port' is one of those that have what they had before. */
int apply_lists_follow(struct model_switch *, struct list *acls,
		       const struct model_port **ret_port, char **ret_problem);
/* The port has the program that its lists stand in now, or none. */
void apply_lists_done(struct model_port *, bool has_program);

#endif /* policy/apply_lists.h */
