/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_ENDPOINT_H
#define POLICY_ENDPOINT_H 1

/* The far ends of a domain's tunnels: one endpoint for each (provider address,
 * encapsulation, VNI) that some location names, however many do; it has the
 * outer headers, for each of the domain's uplinks.  And one provider for each
 * provider address, which is what a
 * domain takes tunnel packets from.
 *
 * What is taken out of the tables waits in the domain's list until
 * domain_settle() has told the flows, and is retired then: so a flow that
 * points to it is stale before it goes. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vswitch/policy.h>
#include "libvswitch/base/reclaim.h"
#include "libvswitch/policy/outer.h"

struct dependencies;
struct vsw_domain;

struct provider {
	struct retired retired;
	struct vsw_addr pa;
	struct endpoint *endpoints;	/* List. [control] */
};

struct endpoint {
	struct retired retired;
	struct vsw_domain *domain;
	struct provider *provider;
	struct endpoint *next, **back;	/* Of the provider's. [control] */
	uint32_t n_refs;		/* [control] */
	uint32_t vni;
	uint8_t encap;
	_Atomic(struct outers *) outers;	/* Replaced whole; not NULL. */
	struct outers *fresh;		/* Prepared to be the next. */
};

/* [control] Takes a reference; makes the endpoint if it is the first.  0 or
 * -ENOMEM. */
int endpoint_get(struct vsw_domain *, const struct vsw_addr *pa,
		 uint8_t encap, uint32_t vni, struct endpoint **ret_endpoint);
/* [control] domain_settle() is to follow. */
void endpoint_unref(struct endpoint *);

/* [control] Makes the outer headers of all endpoints at 'pa' (NULL: of all)
 * anew, in two steps: prepare only allocates, for as many uplinks as the domain
 * will have then, 0 or -ENOMEM; renew cannot fail, and is followed by
 * domain_settle().  forget undoes prepare. */
int endpoints_prepare(struct vsw_domain *, const struct vsw_addr *pa,
		      size_t n_uplinks);
void endpoints_renew(struct vsw_domain *, const struct vsw_addr *pa);
void endpoints_forget(struct vsw_domain *, const struct vsw_addr *pa);

/* [any] Under a read mark.  Is this the address, of 'n' bytes, of a provider
 * of the domain?  What that depends on is noted in 'deps' (or NULL). */
bool endpoint_is_known(const struct vsw_domain *, const uint8_t *pa,
		       unsigned n, struct dependencies *deps);

/* [any] Under a read mark.  The headers for a flow of this hash. */
static inline const struct outer *
endpoint_outer(const struct endpoint *endpoint, uint32_t hash)
{
	return outer_pick(atomic_load_explicit(&endpoint->outers,
					       memory_order_acquire), hash);
}

#endif /* policy/endpoint.h */
