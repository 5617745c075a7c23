/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/policy/locate.h"

#include <stdlib.h>
#include <string.h>
#include "agent/model/state.h"
#include "agent/policy/group.h"

static void add_local(const struct model_subnet *, const struct model_switch *,
		      const uint8_t *group, struct locations *);
static void add_remote(const struct model_subnet *,
		       const struct model_switch *, const uint8_t *group,
		       struct locations *);
static bool is_somebody(const struct model_subnet *,
			const struct mapping_row *);
static void set_address(struct draft_location *, const struct mapping_row *);
static void merge(struct locations *);
static bool is_same_vm(const struct draft_location *,
		       const struct draft_location *);
static void keep_lower(struct vsw_addr *, const struct vsw_addr *);

void
locate_copies(const struct model_subnet *subnet, const struct model_switch *sw,
	      const uint8_t group[6], struct locations *all)
{
	add_local(subnet, sw, group, all);
	add_remote(subnet, sw, group, all);
	merge(all);
}

static void
add_local(const struct model_subnet *subnet, const struct model_switch *sw,
	  const uint8_t *group, struct locations *all)
{
	const struct subnet_table *table = subnet->table;

	for (size_t i = 0; i < table->n_ports; i++) {
		struct model_port *port = table->ports[i];
		struct mapping_key key = mapping_key_mac(port->claimed_mac);
		struct draft_location location = { .port = port };

		if (port->subnet != subnet || port->sw != sw
		    || (group && !port->is_router
			&& !group_is_wanted(port, group)))
			continue;
		memcpy(location.mac, port->claimed_mac, 6);
		locations_add(all, &location);
		for (struct mapping_row *row = subnet_table_find(table, &key);
		     row; row = subnet_table_next(row, &key)) {
			if (row->mapping.port != port)
				continue;
			set_address(&location, row);
			locations_add(all, &location);
		}
	}
}

/* VMs behind load balancers are who their addresses stand for, and have rows of
 * their own. */
static void
add_remote(const struct model_subnet *subnet, const struct model_switch *sw,
	   const uint8_t *group, struct locations *all)
{
	const struct mapping_hash *hash = &subnet->table->by_mac;

	(void) group;
	for (size_t i = 0; i < hash->n_buckets; i++) {
		struct mapping_row *row = hash->buckets[i];

		for (; row; row = row->next_mac) {
			struct draft_location location;

			if (!is_somebody(subnet, row)
			    || !locate_row(subnet, sw, row, &location)
			    || location.port)
				continue;
			set_address(&location, row);
			locations_add(all, &location);
		}
	}
}

static bool
is_somebody(const struct model_subnet *subnet, const struct mapping_row *row)
{
	struct mapping_key key = mapping_key_mac(row->mapping.mac);
	const struct mapping_row *best =
		subnet_table_best(subnet->table, &key);

	if (row->mapping.kind == MAPPING_LEARNING_DISABLED
	    || row->mapping.mac[0] & 1)
		return false;
	return row->mapping.place == best->mapping.place
	       || (row->mapping.kind == MAPPING_LOAD_BALANCED
		   && best->mapping.kind == MAPPING_LOAD_BALANCED);
}

/* Of a row that has one; that another row has taken is his. */
static void
set_address(struct draft_location *location, const struct mapping_row *row)
{
	const struct vsw_addr *ca = &row->mapping.ca;

	memset(&location->v4, 0, sizeof location->v4);
	memset(&location->v6, 0, sizeof location->v6);
	if (row->lost_ca && !row->is_copy)
		return;
	if (ca->n == 4)
		location->v4 = *ca;
	else if (ca->n == 16)
		location->v6 = *ca;
}

/* One copy for each VM, however many addresses it has: to the lowest. */
static void
merge(struct locations *all)
{
	size_t n = 0;

	if (all->n)
		qsort(all->of, all->n, sizeof *all->of, locations_compare);
	for (size_t i = 0; i < all->n; i++) {
		if (!n || !is_same_vm(&all->of[i], &all->of[n - 1])) {
			all->of[n++] = all->of[i];
			continue;
		}
		keep_lower(&all->of[n - 1].v4, &all->of[i].v4);
		keep_lower(&all->of[n - 1].v6, &all->of[i].v6);
	}
	all->n = n;
}

/* A host that is reached in two encapsulations is one. */
static bool
is_same_vm(const struct draft_location *a, const struct draft_location *b)
{
	return a->port == b->port && !memcmp(a->mac, b->mac, 6)
	       && !memcmp(&a->pa, &b->pa, sizeof a->pa);
}

static void
keep_lower(struct vsw_addr *kept, const struct vsw_addr *other)
{
	if (other->n && (!kept->n || memcmp(other, kept, sizeof *kept) < 0))
		*kept = *other;
}
