/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_COMPILE_H
#define POLICY_COMPILE_H 1

/* From the model to drafts, without side effects: the same model gives the
 * same drafts, byte for byte, in any process.
 *
 * A program is a list of groups in layers.  Most groups are the same for many
 * ports, so a program only says which: by kind, and by what they speak of.
 * [control] */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include "agent/model/model.h"
#include "agent/policy/draft.h"

enum group_kind {
	GROUP_INTERCEPT,	/* Of a switch: ARP and ND to the host. */
	GROUP_GATEWAYS,		/* Of a domain: the router's own addresses. */
	GROUP_ROUTE,		/* Of a domain: destination routing. */
	GROUP_ROUTED,		/* Of a domain: what was routed goes on. */
	GROUP_OWN,		/* Of a subnet: what stays in it. */
	GROUP_OWN_ROUTE,	/* Of a subnet that has routes of its own, all
				 * of its domain's included: instead of
				 * GROUP_ROUTE. */
	GROUP_DELIVERY,		/* Of a switch: from the wire. */
	GROUP_NEIGHBOURS,	/* Of a switch: no firewall's business. */
	GROUP_NO_RULE_PASS,	/* Of a switch: what no rule speaks of. */
	GROUP_NO_RULE_DROP,
	GROUP_MSS,		/* Of a switch: TCP is to fit. */
	GROUP_TAGS_OUT,		/* Of a switch: subnets know no VLANs. */
	GROUP_TAGS_IN,
	GROUP_BLOCKED,		/* Of a switch: for ports without a rule. */
	GROUP_LEARN,		/* Of a subnet: who is behind which port. */
	GROUP_GUARD_MACS,	/* Of a port. */
	GROUP_GUARD_SOURCES,
	GROUP_ACL,		/* Of an access list and a direction. */
	N_GROUP_KINDS
};

/* A routing domain: all subnets of a router, or one that has none. */
struct domain {
	struct model_router *router;
	struct model_subnet *lone;	/* If 'router' is NULL. */
};

struct program_entry {
	const char *layer;
	enum vsw_direction direction;
	enum group_kind kind;
	struct acl *acl;		/* Of GROUP_ACL. */
};

enum { PROGRAM_MAX_ENTRIES = 24 };

struct program_draft {
	struct program_entry entries[PROGRAM_MAX_ENTRIES];
	size_t n;
};

/* compile.c */
struct domain compile_domain(struct model_subnet *);
bool domain_equal(const struct domain *, const struct domain *);
/* The domain's subnets that have a VNI, by VNI.  xmalloc'ed. */
size_t domain_subnets(const struct domain *,
		      struct model_subnet ***ret_subnets);
/* Those of all domains that have a bound port on the switch. */
size_t compile_in_force(const struct model_switch *,
			struct model_subnet ***ret_subnets);
/* Is a port of the switch bound to the subnet?  Only then GROUP_OWN stands in
 * a program. */
bool compile_has_port(const struct model_subnet *,
		      const struct model_switch *);
void compile_port(const struct model_port *, struct program_draft *);
/* Of a port of a learning switch what the firewall says, and no more. */
void compile_bridged(const struct model_port *, struct program_draft *);
void compile_uplink(struct program_draft *);
/* Those of GROUP_OWN and GROUP_LEARN want 'subnet', those of a domain 'domain',
 * GROUP_OWN_ROUTE both; those of a
 * port or a list are not made here. */
struct draft_group *compile_group(const struct model *,
				  const struct model_switch *,
				  enum group_kind, const struct domain *,
				  struct model_subnet *subnet);
/* All of it, and the mappings, for humans and for tests. */
void compile_print(const struct model *, FILE *);

/* layer_intercept.c */
struct draft_group *layer_intercept(bool snoops);
/* What is ARP or neighbour discovery, in two rules that terminate; the reasons
 * are DRAFT_PUNT's. */
void layer_add_neighbours(struct draft_group *, enum draft_action,
			  uint32_t arp_reason, uint32_t nd_reason);
struct draft_group *layer_gateways(const struct model *,
				   const struct domain *);
/* layer_tag.c */
struct draft_group *layer_tags(enum vsw_direction);
/* layer_guard.c */
struct draft_group *layer_guard_macs(const struct model_port *);
struct draft_group *layer_guard_sources(const struct model_port *);
/* layer_firewall.c */
struct draft_group *layer_neighbours(void);
struct draft_group *layer_acl(const struct acl *, enum vsw_direction);
struct draft_group *layer_no_rule(bool passes);
struct draft_group *layer_blocked(void);
/* layer_route.c */
/* 'subnet' NULL: of all that have no routes of their own. */
struct draft_group *layer_route(const struct model *, const struct domain *,
				struct model_subnet *subnet);
/* layer_vnet.c */
struct draft_group *layer_mss(void);
struct draft_group *layer_routed(const struct domain *);
struct draft_group *layer_own(struct model_subnet *);
struct draft_group *layer_sources(struct model_subnet *);
/* A rule for what is in the subnet; it is called by 'name' and the subnet's. */
struct draft_rule *layer_add_own(struct draft_group *, uint32_t priority,
				 struct model_subnet *, const char *name);
/* layer_copies.c: with priorities up to LAYER_COPIES_LAST. */
enum { LAYER_COPIES_LAST = 2 };
void layer_add_copies(struct draft_group *, struct model_subnet *);
/* layer_delivery.c */
struct draft_group *layer_delivery(const struct model_switch *);

/* Where something lives, before any switch knows it. */
struct draft_location {
	struct model_port *port;	/* Local; else remote. */
	bool is_down;			/* As BFD finds: orders them. */
	struct vsw_addr pa;
	enum vsw_encap encap;
	uint32_t vni;
	uint8_t mac[6];
	struct vsw_addr v4, v6;		/* Of a copy of its own; or n == 0. */
};

/* As many as the engine takes under one address. */
enum { MAX_LOCATIONS = 1024 };

/* locate.c.  Each writes up to MAX_LOCATIONS, in the order of port names and
 * provider addresses, and returns how many there are; what is beyond is left
 * out. */
struct mapping_key;
size_t locate_key(const struct model_subnet *, const struct model_switch *,
		  const struct mapping_key *, struct draft_location *);
/* Where what the subnet's mapping does not know goes: 1, or 0: nowhere.  The
 * domain's default is of no use to the host whose own it is. */
size_t locate_unknown(const struct model_domain *, const struct model_subnet *,
		      const struct model_switch *, struct draft_location *);
size_t locate_flood(const struct model_subnet *, const struct model_switch *,
		    struct draft_location *, bool *ret_unknown_unicast);

#endif /* policy/compile.h */
