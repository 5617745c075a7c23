/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/policy/domain.h"

#include <errno.h>
#include "libvswitch/base/memory.h"
#include "libvswitch/base/switch.h"
#include "libvswitch/policy/endpoint.h"
#include "libvswitch/policy/entry.h"
#include "libvswitch/policy/port.h"

static bool is_same(const struct vsw_domain *, struct vsw_port *const ports[],
		    size_t n);
static bool is_among(const struct vsw_port *, struct vsw_port *const ports[],
		     size_t n);
static void settle(struct vsw_domain *);

int
vsw_domain_new(struct vsw *vsw, const char *name,
	       struct vsw_domain **ret_domain)
{
	struct vsw_domain *domain;
	int error = -ENOMEM;

	if (!name)
		return -EINVAL;
	domain = memory_alloc(&vsw->allocator, 0, sizeof *domain);
	if (!domain)
		return -ENOMEM;
	domain->name = memory_strdup(&vsw->allocator, name);
	if (!domain->name)
		goto free_domain;
	error = generation_new(&vsw->generations, &domain->generation);
	if (error)
		goto free_name;
	error = generation_new(&vsw->generations, &domain->edits);
	if (error)
		goto free_generation;
	domain->vsw = vsw;
	domain->salt = switch_salt(vsw);
	domain->n_refs = 1;
	domain->next = vsw->domains;
	domain->back = &vsw->domains;
	if (domain->next)
		domain->next->back = &domain->next;
	vsw->domains = domain;
	vsw->n_domains++;
	*ret_domain = domain;
	return 0;
free_generation:
	generation_free(&vsw->generations, domain->generation);
free_name:
	memory_free_string(&vsw->allocator, domain->name);
free_domain:
	memory_free(&vsw->allocator, domain, sizeof *domain);
	return error;
}

int
vsw_domain_set_uplink(struct vsw_domain *domain, struct vsw_port *port)
{
	return vsw_domain_set_uplinks(domain, &port, port ? 1 : 0);
}

int
vsw_domain_set_uplinks(struct vsw_domain *domain,
		       struct vsw_port *const ports[], size_t n)
{
	struct vsw_port *old[VSW_MAX_UPLINKS];
	size_t n_old = domain->n_uplinks;
	int error;

	if (n > VSW_MAX_UPLINKS)
		return -E2BIG;
	for (size_t i = 0; i < n; i++)
		if (!ports[i] || ports[i]->vsw != domain->vsw
		    || is_among(ports[i], ports, i))
			return -EINVAL;
	if (n == n_old && is_same(domain, ports, n))
		return 0;
	error = endpoints_prepare(domain, NULL, n);
	if (error)
		return error;
	for (size_t i = 0; i < n_old; i++)
		old[i] = domain->uplinks[i];
	for (size_t i = 0; i < n; i++)
		domain->uplinks[i] = port_ref(ports[i]);
	domain->n_uplinks = n;
	endpoints_renew(domain, NULL);
	domain_touch(domain);
	domain_settle(domain);
	while (n_old)
		port_unref(old[--n_old]);
	return 0;
}

void
vsw_domain_begin(struct vsw_domain *domain)
{
	domain->n_open++;
	domain_ref(domain);
}

void
vsw_domain_commit(struct vsw_domain *domain)
{
	if (!--domain->n_open)
		settle(domain);
	vsw_domain_unref(domain);
}

void
vsw_domain_unref(struct vsw_domain *domain)
{
	struct vsw *vsw;

	if (!domain || --domain->n_refs)
		return;
	/* Mappings hold their domain and endpoints are held by mappings: none
	 * is left, and nobody looks into the tables. */
	vsw = domain->vsw;
	*domain->back = domain->next;
	if (domain->next)
		domain->next->back = domain->back;
	vsw->n_domains--;
	settle(domain);
	while (domain->n_uplinks)
		port_unref(domain->uplinks[--domain->n_uplinks]);
	table_done(&domain->endpoints);
	table_done(&domain->providers);
	generation_free(&vsw->generations, domain->generation);
	generation_free(&vsw->generations, domain->edits);
	memory_free_string(&vsw->allocator, domain->name);
	memory_free(&vsw->allocator, domain, sizeof *domain);
}

struct vsw_domain *
domain_ref(struct vsw_domain *domain)
{
	domain->n_refs++;
	return domain;
}

void
domain_leave(struct vsw_domain *domain, struct retired *retired,
	     void (*free)(void *ctx, struct retired *))
{
	retired->free = free;
	retired->next = domain->leaving;
	domain->leaving = retired;
}

void
domain_touch_hash(struct vsw_domain *domain, uint64_t hash)
{
	struct generations *g = &domain->vsw->generations;

	generation_touch(g, generation_stripe(g, hash));
	domain->is_edited = true;
}

void
domain_depend(const struct vsw_domain *domain, uint64_t hash,
	      struct dependencies *deps)
{
	const struct generations *g = &domain->vsw->generations;

	dependencies_add(deps, g, domain->generation);
	dependencies_add_edits(deps, g, domain->edits);
	dependencies_add(deps, g, generation_stripe(g, hash));
}

void
domain_touch(struct vsw_domain *domain)
{
	generation_touch(&domain->vsw->generations, domain->generation);
}

void
domain_settle(struct vsw_domain *domain)
{
	if (!domain->n_open)
		settle(domain);
}

int
domains_prepare(const struct vsw_port *uplink, const struct vsw_addr *pa)
{
	for (struct vsw_domain *d = uplink->vsw->domains; d; d = d->next) {
		if (!is_among(uplink, d->uplinks, d->n_uplinks)
		    || !endpoints_prepare(d, pa, d->n_uplinks))
			continue;
		for (struct vsw_domain *done = uplink->vsw->domains;
		     done != d; done = done->next)
			if (is_among(uplink, done->uplinks, done->n_uplinks))
				endpoints_forget(done, pa);
		return -ENOMEM;
	}
	return 0;
}

void
domains_renew(const struct vsw_port *uplink, const struct vsw_addr *pa)
{
	for (struct vsw_domain *d = uplink->vsw->domains; d; d = d->next) {
		if (!is_among(uplink, d->uplinks, d->n_uplinks))
			continue;
		endpoints_renew(d, pa);
		domain_touch(d);
		domain_settle(d);
	}
}

static bool
is_same(const struct vsw_domain *domain, struct vsw_port *const ports[],
	size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (domain->uplinks[i] != ports[i])
			return false;
	return true;
}

static bool
is_among(const struct vsw_port *port, struct vsw_port *const ports[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ports[i] == port)
			return true;
	return false;
}

static void
settle(struct vsw_domain *domain)
{
	struct vsw *vsw = domain->vsw;
	struct retired *leaving = domain->leaving;
	uint32_t entries = domain->entries;

	if (domain->is_edited)
		generation_touch(&vsw->generations, domain->edits);
	domain->is_edited = false;
	generations_tell(&vsw->generations);
	domain->leaving = NULL;
	domain->entries = ENTRY_NONE;
	if (leaving)
		reclaim_retire_all(&vsw->reclaim, leaving, vsw);
	if (entries)
		entry_retire(vsw->entries, entries,
			     reclaim_next(&vsw->reclaim));
	reclaim_run(&vsw->reclaim);
	entry_pool_run(vsw->entries);
}
