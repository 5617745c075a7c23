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
	       && offsetof(struct outer, retired) == 0, "retired come first");

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
static void build(const struct endpoint *, struct outer *);
static void free_endpoint(void *vsw, struct retired *);
static void free_provider(void *vsw, struct retired *);
static void free_outer(void *vsw, struct retired *);
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
endpoints_prepare(struct vsw_domain *domain, const struct vsw_addr *pa)
{
	struct walk walk = walk_start(domain, pa);
	struct endpoint *endpoint;

	while ((endpoint = walk_next(&walk, pa))) {
		endpoint->fresh = memory_alloc(&domain->vsw->allocator, 0,
					       sizeof(struct outer));
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
		struct outer *old = atomic_load_explicit(
			&endpoint->outer, memory_order_relaxed);

		build(endpoint, endpoint->fresh);
		atomic_store_explicit(&endpoint->outer, endpoint->fresh,
				      memory_order_release);
		endpoint->fresh = NULL;
		domain_leave(domain, &old->retired, free_outer);
	}
}

void
endpoints_forget(struct vsw_domain *domain, const struct vsw_addr *pa)
{
	struct walk walk = walk_start(domain, pa);
	struct endpoint *endpoint;

	while ((endpoint = walk_next(&walk, pa))) {
		memory_free(&domain->vsw->allocator, endpoint->fresh,
			    sizeof *endpoint->fresh);
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
	struct outer *outer = memory_alloc(allocator, 0, sizeof *outer);
	struct endpoint_key key = key_of(pa, encap, vni);

	if (!provider)
		provider = fresh = memory_alloc(allocator, 0, sizeof *fresh);
	if (!endpoint || !outer || !provider
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
	build(endpoint, outer);
	atomic_init(&endpoint->outer, outer);
	table_add(&domain->endpoints, hash_of(domain, &key), endpoint);
	return endpoint;
fail:
	memory_free(allocator, endpoint, sizeof *endpoint);
	memory_free(allocator, outer, sizeof *outer);
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

static void
build(const struct endpoint *endpoint, struct outer *outer)
{
	struct vsw_port *uplink = endpoint->domain->uplink;
	const struct vsw_addr *pa = &endpoint->provider->pa;

	outer_build(uplink, pa, endpoint->encap, endpoint->vni,
		    uplink ? next_hop_get(uplink, pa) : NULL, outer);
}

static void
free_endpoint(void *vsw_, struct retired *retired)
{
	struct vsw *vsw = vsw_;
	struct endpoint *endpoint = (struct endpoint *) retired;

	memory_free(&vsw->allocator, atomic_load_explicit(
			    &endpoint->outer, memory_order_relaxed),
		    sizeof(struct outer));
	memory_free(&vsw->allocator, endpoint, sizeof *endpoint);
}

static void
free_provider(void *vsw_, struct retired *retired)
{
	struct vsw *vsw = vsw_;

	memory_free(&vsw->allocator, retired, sizeof(struct provider));
}

static void
free_outer(void *vsw_, struct retired *retired)
{
	struct vsw *vsw = vsw_;

	memory_free(&vsw->allocator, retired, sizeof(struct outer));
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
