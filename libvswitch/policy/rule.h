/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_RULE_H
#define POLICY_RULE_H 1

/* Rules as they are drafted: what vsw_rule_*() add to, and what a group's seal
 * reads and throws away (policy/rules.h has what stays).  [control] */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vswitch/policy.h>
#include "libvswitch/policy/field.h"

struct vsw_counter;

enum match_kind { MATCH_MASK, MATCH_RANGE, MATCH_SET };

struct match {
	uint8_t field;			/* enum vsw_field. */
	uint8_t kind;
	union {
		struct {		/* MATCH_MASK; value within mask. */
			struct point value, mask;
		};
		struct range range;	/* MATCH_RANGE. */
		struct vsw_set *set;	/* MATCH_SET. */
	};
};

enum rule_action {
	ACTION_DROP = 1 << 0,
	ACTION_OUTPUT = 1 << 1,
	ACTION_PUNT = 1 << 2,
	ACTION_ENCAP = 1 << 3,
	ACTION_DECAP = 1 << 4,
	ACTION_ROUTE = 1 << 5,
	ACTION_ETH_SRC = 1 << 6,
	ACTION_ETH_DST = 1 << 7,
	ACTION_TTL = 1 << 8,
	ACTION_TRACK = 1 << 9,
	ACTION_LEARN = 1 << 10,
	ACTION_VLAN = 1 << 11,
	ACTION_TOO_BIG = 1 << 12,
	ACTION_MSS = 1 << 13,
	ACTION_LOG = 1 << 14,		/* Beside any, or none. */
	ACTION_DROP_AS = 1 << 15,	/* Beside ACTION_DROP: has a name. */
	ACTION_ADDRESS = 1 << 16,
	ACTION_BESIDE = ACTION_LOG | ACTION_DROP_AS,
	/* These say where the packet goes: one of them in a rule. */
	ACTION_ENDS = ACTION_DROP | ACTION_OUTPUT | ACTION_PUNT | ACTION_ENCAP
		      | ACTION_DECAP,
	/* These have no place in direction VSW_IN, where the output is known
	 * already. */
	ACTION_OUT_ONLY = ACTION_OUTPUT | ACTION_ENCAP | ACTION_DECAP
			  | ACTION_ROUTE | ACTION_LEARN | ACTION_ADDRESS
};

/* Of a route: one of several. */
struct next_hop {
	struct vsw_mapping *mapping;	/* Holds. */
	struct vsw_addr addr;		/* n == 0: the packet's own. */
	uint64_t salt;			/* For the flows' order of them. */
};

struct next_hops {
	uint32_t n;
	struct next_hop of[];
};

struct vsw_rule {
	struct vsw_group *group;
	uint32_t priority;
	uint32_t number;		/* 1, 2, ...: in the order added. */
	char *name;			/* NULL: none. */
	bool is_terminating;
	uint8_t eth_src[6], eth_dst[6], router_mac[6];
	uint32_t actions;		/* enum rule_action, or'ed. */
	uint32_t punt_reason, ttl_reason, too_big_reason;
	uint32_t unreachable_reason;	/* 0: no punt. */
	uint16_t mss;			/* ACTION_MSS; 0: what fits. */
	bool may_fragment;		/* ACTION_TOO_BIG. */
	bool addresses_ip;		/* ACTION_ADDRESS. */
	struct vsw_port *port;		/* ACTION_OUTPUT; holds. */
	struct vsw_mapping *mapping;	/* ACTION_ENCAP, _DECAP; holds. */
	struct vsw_mapping *route;	/* ACTION_ROUTE; holds. */
	struct vsw_mapping *learn;	/* ACTION_LEARN; holds. */
	uint64_t learn_tag;
	uint16_t vlan;			/* ACTION_VLAN: VID | 0x1000, or 0. */
	struct vsw_addr next_hop;
	struct vsw_counter *counter;	/* NULL: none; holds. */
	uint16_t log_tag;		/* ACTION_LOG. */
	uint16_t drop;			/* ACTION_DROP_AS: enum vsw_drop. */
	struct next_hops *next_hops;	/* ACTION_ROUTE: several; 'route' is
					 * NULL then. */
	struct match *matches;
	size_t n_matches, matches_room;
};

/* NULL: out of memory. */
struct vsw_rule *rule_new(struct vsw_group *, uint32_t priority,
			  uint32_t number, const char *name);
void rule_free(struct vsw_rule *);

#endif /* policy/rule.h */
