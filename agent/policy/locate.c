/* SPDX-License-Identifier: Apache-2.0 */

/* Where an address lives, and where broadcast goes, seen from one switch. */

#include "agent/policy/locate.h"

#include <stdlib.h>
#include <string.h>
#include "agent/base/memory.h"
#include "agent/policy/group.h"
#include "agent/model/state.h"

static bool has_way(const struct model_subnet *, const struct mapping_key *);
static bool is_here(const struct model_switch *, const struct vsw_addr *);
static void set_remote(const struct model_subnet *, const struct vsw_addr *pa,
		       enum vsw_encap, uint32_t vni, struct draft_location *);
static void add_group(const struct model_subnet *, const struct model_switch *,
		      const uint8_t mac[6], struct locations *);
static bool is_copied(const struct model_subnet *, const uint8_t *mac);
static bool is_group_wanted(const struct model_subnet *,
			    const struct model_switch *,
			    const uint8_t mac[6]);
static bool learns_here(const struct model_subnet *,
			const struct model_switch *);
static bool is_own_telling(const struct mcast_row *);
static bool add_flood_places(const struct model_subnet *,
			     const struct model_switch *, struct locations *);
static void add_wanting_ports(const struct model_subnet *,
			      const struct model_switch *,
			      const uint8_t mac[6], struct locations *);
static bool add_controlled(const struct model_subnet *,
			   const struct model_switch *, struct locations *,
			   bool *ret_unknown_unicast);
static void add_place(const struct model_subnet *, const struct model_switch *,
		      const struct place *, struct locations *);
static void add_ports(const struct model_subnet *, const struct model_switch *,
		      struct locations *);
static void keep_one_encap(struct locations *);
static size_t finish(struct locations *, struct draft_location *);

size_t
locate_key(const struct model_subnet *subnet, const struct model_switch *sw,
	   const struct mapping_key *key, struct draft_location *locations)
{
	struct locations all = { .of = NULL };
	struct mapping_row *best, *row;
	bool is_choosy;

	if (!key->ca.n && key->mac[0] & 1) {
		add_group(subnet, sw, key->mac, &all);
		return finish(&all, locations);
	}
	best = subnet_table_best(subnet->table, key);
	is_choosy = best && !best->rank && has_way(subnet, key);
	for (row = subnet_table_find(subnet->table, key); row;
	     row = subnet_table_next(row, key)) {
		struct draft_location location;

		if ((row == best || (!best->rank && !row->rank))
		    && !(is_choosy && row->mapping.place->is_down)
		    && locate_row(subnet, sw, row, &location))
			locations_add(&all, &location);
	}
	return finish(&all, locations);
}

size_t
locate_flood(const struct model_subnet *subnet, const struct model_switch *sw,
	     struct draft_location *locations, bool *ret_unknown_unicast)
{
	struct locations all = { .of = NULL };

	*ret_unknown_unicast = false;
	if (subnet->replication == REPLICATE_NONE)
		return 0;
	if (is_copied(subnet, NULL)) {
		locate_copies(subnet, sw, NULL, &all);
		return finish(&all, locations);
	}
	*ret_unknown_unicast = add_flood_places(subnet, sw, &all);
	keep_one_encap(&all);
	add_ports(subnet, sw, &all);
	return finish(&all, locations);
}

size_t
locate_unknown(const struct model_domain *domain,
	       const struct model_subnet *subnet,
	       const struct model_switch *sw, struct draft_location *location)
{
	if (!domain || !domain->pa.n || is_here(sw, &domain->pa))
		return 0;
	memset(location, 0, sizeof *location);
	set_remote(subnet, &domain->pa, domain->encap, 0, location);
	memcpy(location->mac, domain->mac, 6);
	return 1;
}

void
locations_add(struct locations *locations, const struct draft_location *one)
{
	if (locations->n == locations->size) {
		locations->size = locations->size ? locations->size * 2 : 4;
		locations->of = xrealloc(locations->of, locations->size
					 * sizeof *locations->of);
	}
	locations->of[locations->n++] = *one;
}

int
locations_compare(const void *pa, const void *pb)
{
	const struct draft_location *a = pa, *b = pb;
	int order = a->is_down - b->is_down;

	if (!order)
		order = !a->port - !b->port;

	if (!order && a->port)
		order = strcmp(a->port->name, b->port->name);
	if (!order)
		order = a->pa.n - b->pa.n;
	if (!order)
		order = memcmp(a->pa.bytes, b->pa.bytes, 16);
	if (!order)
		order = (int) a->encap - (int) b->encap;
	if (!order)
		order = (a->vni > b->vni) - (a->vni < b->vni);
	if (!order)
		order = memcmp(a->mac, b->mac, 6);
	if (!order)
		order = memcmp(&a->v4, &b->v4, sizeof a->v4);
	return order ? order : memcmp(&a->v6, &b->v6, sizeof a->v6);
}

/* A VM behind another switch of this host is remote as well. */
bool
locate_row(const struct model_subnet *subnet, const struct model_switch *sw,
	   const struct mapping_row *row, struct draft_location *location)
{
	const struct model_mapping *m = &row->mapping;

	memset(location, 0, sizeof *location);
	if (m->is_local && m->port && m->port->sw == sw)
		location->port = m->port;
	else if (m->is_local && (!m->port || is_here(sw, &m->place->pa)))
		return false;
	else
		set_remote(subnet, &m->place->pa, m->place->encap,
			   m->place->vni, location);
	memcpy(location->mac, m->mac, 6);
	return true;
}

/* Is any of those that share the address not down?  If all are, none is better
 * than another. */
static bool
has_way(const struct model_subnet *subnet, const struct mapping_key *key)
{
	for (const struct mapping_row *row =
	     subnet_table_find(subnet->table, key); row;
	     row = subnet_table_next(row, key))
		if (!row->rank && !row->mapping.place->is_down)
			return true;
	return false;
}

static bool
is_here(const struct model_switch *sw, const struct vsw_addr *pa)
{
	const struct list *addresses = &sw->provider_addresses;

	for (const struct list *link = addresses->next; link != addresses;
	     link = link->next) {
		const struct model_pa *each =
			LIST_ENTRY(link, const struct model_pa, link);

		if (!each->is_removed && each->addr.n == pa->n
		    && !memcmp(each->addr.bytes, pa->bytes, pa->n))
			return true;
	}
	return false;
}

static void
set_remote(const struct model_subnet *subnet, const struct vsw_addr *pa,
	   enum vsw_encap encap, uint32_t vni, struct draft_location *location)
{
	location->pa = *pa;
	location->encap = encap;
	location->vni = vni ? vni : subnet->vni;
}

static void
add_group(const struct model_subnet *subnet, const struct model_switch *sw,
	  const uint8_t mac[6], struct locations *all)
{
	const struct list *mcasts = &subnet->table->mcasts;
	bool is_known = false;

	if (subnet->replication == REPLICATE_NONE)
		return;
	if (is_copied(subnet, mac)) {
		if (is_group_wanted(subnet, sw, mac))
			locate_copies(subnet, sw, mac, all);
		return;
	}
	for (const struct list *link = mcasts->next; link != mcasts;
	     link = link->next) {
		const struct mcast_row *mcast =
			LIST_ENTRY(link, const struct mcast_row, link);

		if (memcmp(mcast->mac, mac, 6))
			continue;
		is_known = true;
		for (size_t i = 0; i < mcast->n_places; i++)
			add_place(subnet, sw, mcast->places[i], all);
	}
	if (is_known && !is_group_wanted(subnet, sw, mac)) {
		add_ports(subnet, sw, all);
	} else if (is_group_wanted(subnet, sw, mac)) {
		/* Other hosts know for themselves who wants it there. */
		if (!is_known)
			add_flood_places(subnet, sw, all);
		keep_one_encap(all);
		add_wanting_ports(subnet, sw, mac, all);
	}
}

/* To each VM, that is, unless a controller has said to which hosts: 'mac' is a
 * group's, or NULL of broadcast. */
static bool
is_copied(const struct model_subnet *subnet, const uint8_t *mac)
{
	static const uint8_t broadcast[6] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff
	};
	const struct list *mcasts = &subnet->table->mcasts;

	for (const struct list *link = mcasts->next; link != mcasts;
	     link = link->next)
		if (!memcmp(LIST_ENTRY(link, const struct mcast_row,
				       link)->mac, mac ? mac : broadcast, 6))
			return false;
	return subnet->replication == REPLICATE_VM;
}

static bool
is_group_wanted(const struct model_subnet *subnet,
		const struct model_switch *sw, const uint8_t mac[6])
{
	const struct subnet_table *table = subnet->table;

	for (size_t i = 0; i < table->n_ports; i++)
		if (table->ports[i]->subnet == subnet
		    && table->ports[i]->sw == sw
		    && group_is_wanted(table->ports[i], mac))
			return true;
	return false;
}

static bool
add_flood_places(const struct model_subnet *subnet,
		 const struct model_switch *sw, struct locations *all)
{
	const struct map *places = &subnet->table->places;
	bool unknown_unicast = false;

	/* A controller of hardware_vtep says by unknown-dst where broadcast
	 * goes, and by its absence that it goes nowhere. */
	if (add_controlled(subnet, sw, all, &unknown_unicast)
	    || model_learns(subnet))
		return unknown_unicast || learns_here(subnet, sw);
	for (size_t i = 0; i < places->n_buckets; i++) {
		const struct keyed *k = places->buckets[i];

		for (; k; k = k->next)
			add_place(subnet, sw,
				  KEYED_ENTRY(k, struct subnet_place,
					      by_place)->place, all);
	}
	return unknown_unicast;
}

/* Who has not sent yet is nowhere, and may still be behind a port whose MAC
 * nobody has said. */
static bool
learns_here(const struct model_subnet *subnet, const struct model_switch *sw)
{
	static const uint8_t none[6];
	const struct subnet_table *table = subnet->table;

	for (size_t i = 0; model_learns(subnet) && i < table->n_ports; i++)
		if (table->ports[i]->subnet == subnet
		    && table->ports[i]->sw == sw
		    && !memcmp(table->ports[i]->claimed_mac, none, 6))
			return true;
	return false;
}

/* That others may send to us says nothing of where we send. */
static bool
is_own_telling(const struct mcast_row *mcast)
{
	for (size_t i = 0; i < mcast->n_places; i++)
		if (!mcast->places[i]->is_own)
			return false;
	return mcast->is_local;
}

/* And where somebody asks who wants what. */
static void
add_wanting_ports(const struct model_subnet *subnet,
		  const struct model_switch *sw, const uint8_t mac[6],
		  struct locations *all)
{
	const struct subnet_table *table = subnet->table;

	for (size_t i = 0; i < table->n_ports; i++) {
		struct model_port *port = table->ports[i];
		struct draft_location location;

		if (port->subnet != subnet || port->sw != sw
		    || (!port->is_router && !group_is_wanted(port, mac)))
			continue;
		memset(&location, 0, sizeof location);
		location.port = port;
		memcpy(location.mac, port->claimed_mac, 6);
		locations_add(all, &location);
	}
}

/* What rows for broadcast and unknown MACs say; false if there are none. */
static bool
add_controlled(const struct model_subnet *subnet,
	       const struct model_switch *sw, struct locations *all,
	       bool *ret_unknown_unicast)
{
	static const uint8_t broadcast[6] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff
	};
	const struct list *mcasts = &subnet->table->mcasts;
	bool is_known = false;

	for (const struct list *link = mcasts->next; link != mcasts;
	     link = link->next) {
		const struct mcast_row *mcast =
			LIST_ENTRY(link, const struct mcast_row, link);

		if (memcmp(mcast->mac, broadcast, 6) || is_own_telling(mcast))
			continue;
		is_known = true;
		*ret_unknown_unicast |= mcast->is_unknown;
		for (size_t i = 0; i < mcast->n_places; i++)
			add_place(subnet, sw, mcast->places[i], all);
	}
	/* One service node copies on behalf of all: the first that is up. */
	if (subnet->table->is_service_node && all->n > 1) {
		qsort(all->of, all->n, sizeof *all->of, locations_compare);
		all->n = 1;
	}
	return is_known;
}

static void
add_place(const struct model_subnet *subnet, const struct model_switch *sw,
	  const struct place *place, struct locations *all)
{
	struct draft_location location;

	if (is_here(sw, &place->pa))
		return;
	memset(&location, 0, sizeof location);
	location.is_down = place->is_down;
	set_remote(subnet, &place->pa, place->encap, place->vni, &location);
	locations_add(all, &location);
}

static void
add_ports(const struct model_subnet *subnet, const struct model_switch *sw,
	  struct locations *all)
{
	const struct subnet_table *table = subnet->table;

	for (size_t i = 0; i < table->n_ports; i++) {
		struct draft_location location;

		if (table->ports[i]->subnet != subnet
		    || table->ports[i]->sw != sw)
			continue;
		memset(&location, 0, sizeof location);
		location.port = table->ports[i];
		memcpy(location.mac, table->ports[i]->claimed_mac, 6);
		locations_add(all, &location);
	}
}

/* A host that is reached in two encapsulations gets one copy: by VXLAN. */
static void
keep_one_encap(struct locations *all)
{
	size_t n = 0;

	if (all->n)
		qsort(all->of, all->n, sizeof *all->of, locations_compare);
	for (size_t i = 0; i < all->n; i++)
		if (!n || memcmp(&all->of[i].pa, &all->of[n - 1].pa,
				 sizeof all->of[i].pa)
		    || (all->of[i].encap == all->of[n - 1].encap
			&& all->of[i].vni != all->of[n - 1].vni))
			all->of[n++] = all->of[i];
	all->n = n;
}

static size_t
finish(struct locations *all, struct draft_location *ret_locations)
{
	size_t n = 0;

	if (all->n)
		qsort(all->of, all->n, sizeof *all->of, locations_compare);
	for (size_t i = 0; i < all->n; i++) {
		if (i && !locations_compare(&all->of[i], &all->of[i - 1]))
			continue;
		if (n < MAX_LOCATIONS)
			ret_locations[n] = all->of[i];
		n++;
	}
	free(all->of);
	return n;
}
