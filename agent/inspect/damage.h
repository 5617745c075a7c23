/* SPDX-License-Identifier: Apache-2.0 */

#ifndef INSPECT_DAMAGE_H
#define INSPECT_DAMAGE_H 1

/* Commands that reach around databases and model, so that it can be seen that
 * the self-audit finds and mends what should never happen.  For tests: there
 * are none unless the agent was started with --allow-damage.  [control] */

struct commands;
struct control;

void damage_add(struct control *, struct commands *);

#endif /* inspect/damage.h */
