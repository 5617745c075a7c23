/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_RULES_H
#define POLICY_RULES_H 1

/* The rules of a sealed group, in one block of memory.
 *
 * A block begins with where each rule is, in the order they are asked; then
 * come the rules, then names, each once.  A rule is a head, then its counter,
 * what its actions need (in the order of their bits, routes last), and its
 * matches, each as long as its field is.  So a rule that lets an IPv4 prefix
 * pass is 40 bytes.
 *
 * Immutable.  A block holds the ports, mappings, counters and sets that it
 * names. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vswitch/policy.h>
#include "libvswitch/policy/rule.h"

struct flow_key;
struct rules;
struct vsw_allocator;

struct rule {
	struct vsw_group *group;
	uint32_t priority;
	uint32_t number;		/* 1, 2, ...: in the order added. */
	uint32_t name_at : 30;		/* In the block; 0: none. */
	uint32_t is_terminating : 1, has_counter : 1;
	uint32_t actions : 18;		/* enum rule_action, or'ed. */
	uint32_t matches_at : 14;	/* From the head on. */
};

/* What ACTION_ROUTE needs. */
struct rule_route {
	uint32_t n_hops;		/* At least one. */
	uint32_t ttl_reason, unreachable_reason;
	uint8_t router_mac[6];
	struct next_hop hops[];
};

/* What ACTION_TOO_BIG needs. */
struct rule_too_big {
	uint32_t reason;		/* 0: no punt. */
	bool may_fragment;
};

/* What ACTION_LEARN needs. */
struct rule_learn {
	struct vsw_mapping *mapping;
	uint64_t tag;
};

/* [control] Copies 'n' rules, in the order they are asked; 'group' becomes
 * theirs.  0, -ENOMEM, or -E2BIG: more than 1 GB. */
int rules_new(struct vsw_group *group, const struct vsw_rule *const *,
	      size_t n, struct rules **ret_rules);
/* Accepts NULL. */
void rules_free(const struct vsw_allocator *, struct rules *);

/* [any] */
uint32_t rules_n(const struct rules *);
size_t rules_size(const struct rules *);	/* In bytes. */
const struct rule *rules_get(const struct rules *, uint32_t i);
/* The first of 'n' rules from 'first' on that matches; 'first' + 'n': none. */
uint32_t rules_find(const struct rules *, uint32_t first, uint32_t n,
		    const struct flow_key *);
/* NULL: none. */
const char *rule_name(const struct rule *);
struct vsw_counter *rule_counter(const struct rule *);

/* Of a rule that has the action. */
struct vsw_port *rule_port(const struct rule *);
uint32_t rule_punt_reason(const struct rule *);
uint16_t rule_vlan(const struct rule *);	/* VID | 0x1000, or 0. */
uint16_t rule_log_tag(const struct rule *);	/* 0: none. */
uint16_t rule_drop(const struct rule *);	/* enum vsw_drop. */
uint16_t rule_mss(const struct rule *);		/* 0: what fits. */
bool rule_addresses_ip(const struct rule *);	/* ACTION_ADDRESS. */
const struct rule_too_big *rule_too_big(const struct rule *);
/* ACTION_ENCAP, ACTION_DECAP. */
struct vsw_mapping *rule_mapping(const struct rule *);
const struct rule_route *rule_route(const struct rule *);
const struct rule_learn *rule_learn(const struct rule *);
/* ACTION_ETH_SRC, ACTION_ETH_DST. */
const uint8_t *rule_mac(const struct rule *, enum rule_action);

/* Do all matches hold?  What the index must agree with.  A match on what is
 * unknown of a later fragment holds: so the rule that is found is the one,
 * whatever the first fragment says, unless it asks for that itself. */
bool rule_matches(const struct rule *, const struct flow_key *);
/* The same of its matches on 'fields', which are bits. */
bool rule_matches_in(const struct rule *, const struct flow_key *,
		     uint32_t fields);
bool rule_asks_unknown(const struct rule *, const struct flow_key *);

/* The matches, one after the other: '*at' NULL begins.  False: no more. */
bool rule_next_match(const struct rule *, const uint8_t **at,
		     struct match *ret_match);

#endif /* policy/rules.h */
