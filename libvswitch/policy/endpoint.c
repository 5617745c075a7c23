/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/policy/endpoint.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include "libvswitch/base/memory.h"
#include "libvswitch/base/switch.h"
#include "libvswitch/policy/address.h"
#include "libvswitch/policy/domain.h"
#include "libvswitch/policy/next_hop.h"

struct endpoint_key {
	struct vsw_addr pa;
	uint8_t encap;
	uint8_t vni[3];
};

/* Walks the endpoints at an address, or all. */
struct walk {
	struct vsw_domain *domain;
	size_t at;
	struct endpoint *next;		/* Of a provider's. */
};

_Static_assert(offsetof(struct provider, retired) == 0
	       && offsetof(struct endpoint, retired) == 0
	       && offsetof(struct outers, retired) == 0, "retired come first");

static struct endpoint *make(struct vsw_domain *, const struct vsw_addr *pa,
			     uint8_t encap, uint32_t vni);
static struct endpoint_key key_of(const struct vsw_addr *pa, uint8_t encap,
				  uint32_t vni);
static struct provider *find_provider(const struct vsw_domain *,
				      const struct vsw_addr *);
static uint32_t hash_of(const struct vsw_domain *,
			const struct endpoint_key *);
static uint64_t source_hash(const struct vsw_domain *,
			    const struct vsw_addr *pa);
static bool equal_endpoint(const void *item, const void *key);
static bool equal_provider(const void *item, const void *key);
static struct outers *new_outers(struct vsw_domain *, size_t n_uplinks);
static void free_outers(const struct vsw *, struct outers *);
static void build(const struct endpoint *, struct outers *);
static void add_outer(const struct endpoint *, struct vsw_port *uplink,
		      struct outers *);
static void free_endpoint(void *vsw, struct retired *);
static void free_provider(void *vsw, struct retired *);
static void free_retired_outers(void *vsw, struct retired *);
static struct walk walk_start(struct vsw_domain *, const struct vsw_addr *);
static struct endpoint *walk_next(struct walk *, const struct vsw_addr *);

int
endpoint_get(struct vsw_domain *domain, const struct vsw_addr *pa,
	     uint8_t encap, uint32_t vni, struct endpoint **ret_endpoint)
{
	struct endpoint_key key = key_of(pa, encap, vni);
	struct endpoint *endpoint;

	endpoint = table_find(&domain->endpoints,
			      hash_of(domain, &key),
			      equal_endpoint, &key);
	if (!endpoint)
		endpoint = make(domain, pa, encap, vni);
	if (!endpoint)
		return -ENOMEM;
	endpoint->n_refs++;
	*ret_endpoint = endpoint;
	return 0;
}

void
endpoint_unref(struct endpoint *endpoint)
{
	struct vsw_domain *domain = endpoint->domain;
	struct provider *provider = endpoint->provider;
	struct endpoint_key key;

	if (--endpoint->n_refs)
		return;
	key = key_of(&provider->pa, endpoint->encap, endpoint->vni);
	table_remove(&domain->endpoints, hash_of(domain, &key), endpoint);
	*endpoint->back = endpoint->next;
	if (endpoint->next)
		endpoint->next->back = endpoint->back;
	domain_leave(domain, &endpoint->retired, free_endpoint);
	if (provider->endpoints)
		return;
	table_remove(&domain->providers,
		     address_hash(&provider->pa, domain->vsw->seed), provider);
	domain_touch_hash(domain, source_hash(domain, &provider->pa));
	domain_leave(domain, &provider->retired, free_provider);
}

int
endpoints_prepare(struct vsw_domain *domain, const struct vsw_addr *pa,
		  size_t n_uplinks)
{
	struct walk walk = walk_start(domain, pa);
	struct endpoint *endpoint;

	while ((endpoint = walk_next(&walk, pa))) {
		endpoint->fresh = new_outers(domain, n_uplinks);
		if (!endpoint->fresh) {
			endpoints_forget(domain, pa);
			return -ENOMEM;
		}
	}
	return 0;
}

void
endpoints_renew(struct vsw_domain *domain, const struct vsw_addr *pa)
{
	struct walk walk = walk_start(domain, pa);
	struct endpoint *endpoint;

	while ((endpoint = walk_next(&walk, pa))) {
		struct outers *old = atomic_load_explicit(
			&endpoint->outers, memory_order_relaxed);

		build(endpoint, endpoint->fresh);
		atomic_store_explicit(&endpoint->outers, endpoint->fresh,
				      memory_order_release);
		endpoint->fresh = NULL;
		domain_leave(domain, &old->retired, free_retired_outers);
	}
}

void
endpoints_forget(struct vsw_domain *domain, const struct vsw_addr *pa)
{
	struct walk walk = walk_start(domain, pa);
	struct endpoint *endpoint;

	while ((endpoint = walk_next(&walk, pa))) {
		free_outers(domain->vsw, endpoint->fresh);
		endpoint->fresh = NULL;
	}
}

bool
endpoint_is_known(const struct vsw_domain *domain, const uint8_t *pa,
		  unsigned n, struct dependencies *deps)
{
	struct vsw_addr addr = { .n = (uint8_t) n };

	memcpy(addr.bytes, pa, n);
	if (deps)
		domain_depend(domain, source_hash(domain, &addr), deps);
	return find_provider(domain, &addr);
}

static struct endpoint *
make(struct vsw_domain *domain, const struct vsw_addr *pa, uint8_t encap,
     uint32_t vni)
{
	struct vsw *vsw = domain->vsw;
	const struct vsw_allocator *allocator = &vsw->allocator;
	struct provider *provider = find_provider(domain, pa), *fresh = NULL;
	struct endpoint *endpoint = memory_alloc(allocator, 0,
						 sizeof *endpoint);
	struct outers *outers = new_outers(domain, domain->n_uplinks);
	struct endpoint_key key = key_of(pa, encap, vni);

	if (!provider)
		provider = fresh = memory_alloc(allocator, 0, sizeof *fresh);
	if (!endpoint || !outers || !provider
	    || table_reserve(&domain->endpoints, allocator, &vsw->reclaim, 1)
	    || table_reserve(&domain->providers, allocator, &vsw->reclaim, 1))
		goto fail;
	endpoint->domain = domain;
	endpoint->provider = provider;
	endpoint->encap = encap;
	endpoint->vni = vni;
	if (fresh) {
		fresh->pa = *pa;
		table_add(&domain->providers, address_hash(pa, vsw->seed),
			  fresh);
		domain_touch_hash(domain, source_hash(domain, pa));
	}
	endpoint->next = provider->endpoints;
	endpoint->back = &provider->endpoints;
	if (endpoint->next)
		endpoint->next->back = &endpoint->next;
	provider->endpoints = endpoint;
	build(endpoint, outers);
	atomic_init(&endpoint->outers, outers);
	table_add(&domain->endpoints, hash_of(domain, &key), endpoint);
	return endpoint;
fail:
	memory_free(allocator, endpoint, sizeof *endpoint);
	free_outers(vsw, outers);
	memory_free(allocator, fresh, sizeof *fresh);
	return NULL;
}

static struct endpoint_key
key_of(const struct vsw_addr *pa, uint8_t encap, uint32_t vni)
{
	_Static_assert(sizeof(struct endpoint_key) == 21, "hashed whole");
	return (struct endpoint_key) {
		.pa = *pa, .encap = encap,
		.vni = { (uint8_t) (vni >> 16), (uint8_t) (vni >> 8),
			 (uint8_t) vni }
	};
}

static struct provider *
find_provider(const struct vsw_domain *domain, const struct vsw_addr *pa)
{
	return table_find(&domain->providers,
			  address_hash(pa, domain->vsw->seed),
			  equal_provider, pa);
}

static uint32_t
hash_of(const struct vsw_domain *domain, const struct endpoint_key *key)
{
	return hash_short(hash_with(key, sizeof *key, &domain->vsw->secret));
}

/* Of tunnels' sources: whether they are known. */
static uint64_t
source_hash(const struct vsw_domain *domain, const struct vsw_addr *pa)
{
	return domain->salt
	       ^ hash_with(pa, sizeof *pa, &domain->vsw->secret);
}

static bool
equal_endpoint(const void *item, const void *key)
{
	const struct endpoint *endpoint = item;
	struct endpoint_key own = key_of(&endpoint->provider->pa,
					 endpoint->encap, endpoint->vni);

	return !memcmp(&own, key, sizeof own);
}

static bool
equal_provider(const void *item, const void *key)
{
	const struct provider *provider = item;

	return address_equal(&provider->pa, key);
}

static struct outers *
new_outers(struct vsw_domain *domain, size_t n_uplinks)
{
	size_t size = n_uplinks ? n_uplinks : 1;
	struct outers *outers = memory_alloc(&domain->vsw->allocator, 0,
					     sizeof *outers + size
					     * sizeof outers->of[0]);

	if (outers)
		outers->size = (uint32_t) size;
	return outers;
}

static void
free_outers(const struct vsw *vsw, struct outers *outers)
{
	if (outers)
		memory_free(&vsw->allocator, outers, sizeof *outers
			    + outers->size * sizeof outers->of[0]);
}

static void
build(const struct endpoint *endpoint, struct outers *outers)
{
	const struct vsw_domain *domain = endpoint->domain;

	outers->n = 0;
	for (size_t i = 0; i < domain->n_uplinks; i++)
		add_outer(endpoint, domain->uplinks[i], outers);
	if (!outers->n)
		add_outer(endpoint, NULL, outers);
}

/* What can be used takes the place of what cannot.  Of those that cannot one
 * is kept, if there is nothing else: one that only lacks its next hop says
 * more than one that has no such address. */
static void
add_outer(const struct endpoint *endpoint, struct vsw_port *uplink,
	  struct outers *outers)
{
	const struct vsw_addr *pa = &endpoint->provider->pa;
	struct outer outer;

	outer_build(uplink, pa, endpoint->encap, endpoint->vni,
		    uplink ? next_hop_get(uplink, pa) : NULL, &outer);
	if (!outers->n) {
		outers->of[outers->n++] = outer;
	} else if (outers->of[0].drop != VSW_N_DROPS) {
		if (outer.drop != VSW_DROP_NO_UPLINK)
			outers->of[0] = outer;
	} else if (outer.drop == VSW_N_DROPS) {
		outers->of[outers->n++] = outer;
	}
}

static void
free_endpoint(void *vsw_, struct retired *retired)
{
	struct vsw *vsw = vsw_;
	struct endpoint *endpoint = (struct endpoint *) retired;

	free_outers(vsw, atomic_load_explicit(&endpoint->outers,
					      memory_order_relaxed));
	memory_free(&vsw->allocator, endpoint, sizeof *endpoint);
}

static void
free_provider(void *vsw_, struct retired *retired)
{
	struct vsw *vsw = vsw_;

	memory_free(&vsw->allocator, retired, sizeof(struct provider));
}

static void
free_retired_outers(void *vsw, struct retired *retired)
{
	free_outers(vsw, (struct outers *) retired);
}

static struct walk
walk_start(struct vsw_domain *domain, const struct vsw_addr *pa)
{
	struct walk walk = { .domain = domain };
	struct provider *provider = pa ? find_provider(domain, pa) : NULL;

	if (provider)
		walk.next = provider->endpoints;
	return walk;
}

static struct endpoint *
walk_next(struct walk *walk, const struct vsw_addr *pa)
{
	struct endpoint *endpoint = walk->next;

	if (!pa)
		return table_next(&walk->domain->endpoints, &walk->at);
	if (endpoint)
		walk->next = endpoint->next;
	return endpoint;
}
