/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/policy/domain.h"

#include <errno.h>
#include "libvswitch/base/memory.h"
#include "libvswitch/base/switch.h"
#include "libvswitch/policy/endpoint.h"
#include "libvswitch/policy/port.h"

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
	domain->vsw = vsw;
	domain->n_refs = 1;
	domain->next = vsw->domains;
	domain->back = &vsw->domains;
	if (domain->next)
		domain->next->back = &domain->next;
	vsw->domains = domain;
	vsw->n_domains++;
	*ret_domain = domain;
	return 0;
free_name:
	memory_free_string(&vsw->allocator, domain->name);
free_domain:
	memory_free(&vsw->allocator, domain, sizeof *domain);
	return error;
}

int
vsw_domain_set_uplink(struct vsw_domain *domain, struct vsw_port *port)
{
	struct vsw_port *old = domain->uplink;
	int error;

	if (port && port->vsw != domain->vsw)
		return -EINVAL;
	if (port == old)
		return 0;
	error = endpoints_prepare(domain, NULL);
	if (error)
		return error;
	domain->uplink = port ? port_ref(port) : NULL;
	endpoints_renew(domain, NULL);
	domain_settle(domain);
	port_unref(old);
	return 0;
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
	domain_settle(domain);
	port_unref(domain->uplink);
	table_done(&domain->endpoints);
	table_done(&domain->providers);
	generation_free(&vsw->generations, domain->generation);
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
domain_settle(struct vsw_domain *domain)
{
	struct retired *retired = domain->leaving;

	generation_move(&domain->vsw->generations, domain->generation);
	domain->leaving = NULL;
	while (retired) {
		struct retired *next = retired->next;

		reclaim_retire(&domain->vsw->reclaim, retired, retired->free,
			       domain->vsw);
		retired = next;
	}
	reclaim_run(&domain->vsw->reclaim);
}

int
domains_prepare(struct vsw_port *uplink, const struct vsw_addr *pa)
{
	for (struct vsw_domain *d = uplink->vsw->domains; d; d = d->next) {
		if (d->uplink != uplink || !endpoints_prepare(d, pa))
			continue;
		for (struct vsw_domain *done = uplink->vsw->domains;
		     done != d; done = done->next)
			if (done->uplink == uplink)
				endpoints_forget(done, pa);
		return -ENOMEM;
	}
	return 0;
}

void
domains_renew(struct vsw_port *uplink, const struct vsw_addr *pa)
{
	for (struct vsw_domain *d = uplink->vsw->domains; d; d = d->next) {
		if (d->uplink != uplink)
			continue;
		endpoints_renew(d, pa);
		domain_settle(d);
	}
}
