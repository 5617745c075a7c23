/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_RULE_H
#define POLICY_RULE_H 1

/* Life of rules, for group.c.  [control] */

#include <stdint.h>

struct vsw_group;
struct vsw_rule;

/* NULL: out of memory. */
struct vsw_rule *rule_new(struct vsw_group *, uint32_t priority,
			  uint32_t number, const char *name);
void rule_free(struct vsw_rule *);

#endif /* policy/rule.h */
