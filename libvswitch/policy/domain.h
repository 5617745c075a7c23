/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_DOMAIN_H
#define POLICY_DOMAIN_H 1

/* Routing domains.  [control], but for 'generation', 'providers' and what
 * hangs on them, which workers read. */

#include <stdbool.h>
#include <stdint.h>
#include <vswitch/policy.h>
#include "libvswitch/base/reclaim.h"
#include "libvswitch/base/table.h"

struct dependencies;

struct vsw_domain {
	struct vsw *vsw;
	uint32_t n_refs;
	uint32_t generation;
	struct vsw_port *uplinks[VSW_MAX_UPLINKS];	/* Holds. */
	size_t n_uplinks;
	struct table endpoints;		/* struct endpoint. */
	struct table providers;		/* struct provider. */
	struct retired *leaving;	/* To be retired. */
	uint32_t entries;		/* The same of mappings. */
	uint32_t edits;			/* Generation; stands for stripes. */
	bool is_edited;			/* Since flows were told. */
	uint32_t n_open;		/* vsw_domain_begin()s. */
	uint64_t salt;			/* Of its providers' stripes. */
	struct vsw_domain *next, **back;	/* In the switch's list. */
	char *name;
};

struct vsw_domain *domain_ref(struct vsw_domain *);
/* Has 'retired' (unlinked, 'free' set) wait for domain_settle(). */
void domain_leave(struct vsw_domain *, struct retired *,
		  void (*free)(void *ctx, struct retired *));
/* After an edit is published of what has this hash: has those flows hear of it
 * that depend on the hash, when the domain settles. */
void domain_touch_hash(struct vsw_domain *, uint64_t hash);
/* Before what has this hash is looked up. */
void domain_depend(const struct vsw_domain *, uint64_t hash,
		   struct dependencies *);
/* After a change is published that all the domain's flows may depend on, and
 * not only those that have looked up one address. */
void domain_touch(struct vsw_domain *);
/* After an edit is published and its generations are touched: tells flows, and
 * retires what has left; between vsw_domain_begin() and vsw_domain_commit()
 * that waits for the latter.  Free functions get the switch as 'ctx'. */
void domain_settle(struct vsw_domain *);

/* For what is set up on a port: the outer headers of all domains that have it
 * as one of their uplinks, as endpoints_prepare() and its kin.  renew
 * settles. */
int domains_prepare(const struct vsw_port *uplink,
		    const struct vsw_addr *pa);
void domains_renew(const struct vsw_port *uplink, const struct vsw_addr *pa);

#endif /* policy/domain.h */
