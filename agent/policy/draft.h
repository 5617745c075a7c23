/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_DRAFT_H
#define POLICY_DRAFT_H 1

/* Groups of rules before any switch knows them: plain data that can be
 * compared, printed, and built (build.h).
 *
 * A draft points into the model and lasts no longer than the subnets that its
 * rules name. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "agent/model/model.h"

enum { DRAFT_MAX_MATCHES = 8 };

/* Prefixes, or ranges of ports; never both. */
struct draft_set {
	struct draft_prefix {
		struct vsw_addr addr;
		unsigned bits;
	} *prefixes;
	size_t n_prefixes;
	struct draft_range {
		uint16_t first, last;
	} *ranges;
	size_t n_ranges;
};

struct draft_match {
	enum vsw_field field;
	struct draft_set *set;		/* NULL: see below. */
	bool is_range;			/* 'first' to 'last' of a port. */
	uint16_t first, last;
	uint8_t size;
	uint8_t value[16], mask[16];
};

enum draft_action {
	DRAFT_PASS,
	DRAFT_TRACK,			/* Pass, and replies as well. */
	DRAFT_DROP,
	DRAFT_PUNT,			/* With 'reason'. */
	DRAFT_ENCAP,			/* By the mapping of 'subnet'. */
	DRAFT_DECAP,
	DRAFT_ROUTE,			/* Into 'subnet', by 'next_hop'. */
	DRAFT_LEARN			/* And pass: whose source it is, in
					 * 'subnet'. */
};

/* vsw_rule_address_copies(), of DRAFT_ENCAP. */
enum draft_copies { COPIES_AS_IT_IS, COPIES_MAC, COPIES_IP };

/* One of several next hops. */
struct draft_hop {
	struct model_subnet *subnet;
	uint32_t vni;			/* Its, as it was. */
	struct vsw_addr addr;
};

struct draft_rule {
	uint32_t priority;
	char *name;
	struct draft_match matches[DRAFT_MAX_MATCHES];
	size_t n_matches;
	bool is_terminating;
	bool is_logged;
	enum draft_action action;
	uint32_t reason;		/* enum punt_reason; of a route: of
					 * the punt when the TTL is used up. */
	struct model_subnet *subnet;
	uint32_t vni;			/* Its, as it was: for comparing. */
	struct vsw_addr next_hop;	/* n == 0: the packet's own. */
	struct draft_hop *hops;		/* Of a route, instead of these three:
					 * if there are several. */
	size_t n_hops;
	uint8_t router_mac[6];
	/* vsw_rule_too_big(): with this reason, if it is not 0. */
	uint32_t too_big_reason;
	bool may_fragment;
	bool clamps_mss;
	enum draft_copies copies;
	bool to_all;			/* The destination MAC becomes
					 * broadcast first. */
	bool takes_tag;			/* vsw_rule_set_vlan() of 0. */
	uint8_t drop_as;		/* Of a drop: enum vsw_drop; 0: RULE. */
};

struct draft_group {
	char *name;
	const char *scope;		/* Static: which rules of one name
					 * count together; NULL: 'name'. */
	struct draft_rule *rules;
	size_t n, size;
};

struct draft_group *draft_group_new(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
void draft_group_free(struct draft_group *);
/* Good until the next rule is added. */
struct draft_rule *draft_group_add_rule(struct draft_group *,
					uint32_t priority,
					enum draft_action,
					const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void draft_rule_match(struct draft_rule *, enum vsw_field, const void *value,
		      size_t size);
/* Whatever the field is, if the packet has it; 'size' is its. */
void draft_rule_match_any(struct draft_rule *, enum vsw_field, size_t size);
void draft_rule_match_u16(struct draft_rule *, enum vsw_field, uint16_t);
void draft_rule_match_u32(struct draft_rule *, enum vsw_field, uint32_t);
/* The destination address of either family, or its first 'bits'. */
void draft_rule_match_dst(struct draft_rule *, const struct vsw_addr *,
			  unsigned bits);
void draft_rule_match_range(struct draft_rule *, enum vsw_field,
			    uint16_t first, uint16_t last);
/* Broadcast and multicast. */
void draft_rule_match_multicast(struct draft_rule *);
/* A single address of either family, or its first 'bits'; source or
 * destination as the IPv4 or IPv6 'field' says. */
void draft_rule_match_prefix(struct draft_rule *, enum vsw_field,
			     const struct vsw_addr *, unsigned bits);
/* A set that is to be filled with the two below. */
struct draft_set *draft_rule_match_set(struct draft_rule *, enum vsw_field);
void draft_set_add_prefix(struct draft_set *, const struct vsw_addr *,
			  unsigned bits);
void draft_set_add_range(struct draft_set *, uint16_t first, uint16_t last);
void draft_rule_set_subnet(struct draft_rule *, struct model_subnet *);
/* What becomes of what is too big to go to the rule's subnet, as that says, and
 * what TCP agrees on. */
void draft_rule_set_sizes(struct draft_rule *, uint32_t too_big_reason);
/* One or several. */
void draft_rule_set_hops(struct draft_rule *, const struct draft_hop *,
			 size_t n);

/* Says the same; which mappings serve the subnets is not looked at. */
bool draft_group_equal(const struct draft_group *, const struct draft_group *);
/* As explain would say it, a line for each rule. */
void draft_group_print(const struct draft_group *, FILE *);
/* Of an enum punt_reason: "no route". */
const char *draft_punt_name(uint32_t reason);

#endif /* policy/draft.h */
