/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/policy/next_hop.h"

#include <errno.h>
#include <string.h>
#include "libvswitch/base/memory.h"
#include "libvswitch/base/switch.h"
#include "libvswitch/policy/address.h"
#include "libvswitch/policy/port.h"

static struct next_hop *find(const struct vsw_port *,
			     const struct vsw_addr *);
static bool equal(const void *item, const void *key);

int
next_hop_prepare(struct vsw_port *port, const struct vsw_addr *pa)
{
	struct vsw *vsw = port->vsw;
	struct next_hops *hops = port->next_hops;
	struct next_hop *hop;

	if (!hops) {
		hops = memory_alloc(&vsw->allocator, 0, sizeof *hops);
		if (!hops)
			return -ENOMEM;
		port->next_hops = hops;
	}
	if (find(port, pa))
		return 0;
	if (pa->n && table_reserve(&hops->table, &vsw->allocator,
				   &vsw->reclaim, 1))
		return -ENOMEM;
	hop = hops->spare ? hops->spare
			  : memory_alloc(&vsw->allocator, 0, sizeof *hop);
	if (!hop)
		return -ENOMEM;
	hops->spare = hop;
	return 0;
}

void
next_hop_set(struct vsw_port *port, const struct vsw_addr *pa,
	     const uint8_t mac[6])
{
	struct vsw *vsw = port->vsw;
	struct next_hops *hops = port->next_hops;
	struct next_hop *hop = find(port, pa);

	if (!mac) {
		if (!hop)
			return;
		if (pa->n)
			table_remove(&hops->table,
				     address_hash(pa, vsw->seed), hop);
		else
			hops->any = NULL;
		memory_free(&vsw->allocator, hop, sizeof *hop);
		return;
	}
	if (!hop) {
		hop = hops->spare;
		hops->spare = NULL;
		hop->pa = *pa;
		if (pa->n)
			table_add(&hops->table, address_hash(pa, vsw->seed),
				  hop);
		else
			hops->any = hop;
	}
	memcpy(hop->mac, mac, sizeof hop->mac);
}

const uint8_t *
next_hop_get(const struct vsw_port *port, const struct vsw_addr *pa)
{
	const struct next_hop *hop = find(port, pa);

	if (!hop && port->next_hops)
		hop = port->next_hops->any;
	return hop ? hop->mac : NULL;
}

void
next_hops_free(struct vsw *vsw, struct next_hops *hops)
{
	struct next_hop *hop;
	size_t at = 0;

	if (!hops)
		return;
	while ((hop = table_next(&hops->table, &at)))
		memory_free(&vsw->allocator, hop, sizeof *hop);
	table_done(&hops->table);
	memory_free(&vsw->allocator, hops->any, sizeof *hop);
	memory_free(&vsw->allocator, hops->spare, sizeof *hop);
	memory_free(&vsw->allocator, hops, sizeof *hops);
}

static struct next_hop *
find(const struct vsw_port *port, const struct vsw_addr *pa)
{
	const struct next_hops *hops = port->next_hops;

	if (!hops)
		return NULL;
	if (!pa->n)
		return hops->any;
	return table_find(&hops->table, address_hash(pa, port->vsw->seed),
			  equal, pa);
}

static bool
equal(const void *item, const void *key)
{
	const struct next_hop *hop = item;

	return address_equal(&hop->pa, key);
}
