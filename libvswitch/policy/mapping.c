/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/policy/mapping.h"

#include <errno.h>
#include <string.h>
#include "libvswitch/base/hash.h"
#include "libvswitch/base/memory.h"
#include "libvswitch/base/switch.h"
#include "libvswitch/policy/address.h"
#include "libvswitch/policy/port.h"

static struct entry_key key_of(const uint8_t *, unsigned kind);
static const struct place *find(const struct vsw_mapping *,
				const struct entry_key *,
				struct dependencies *, uint32_t *ret_n);
static uint32_t find_entry(const struct vsw_mapping *,
			   const struct entry_key *, uint64_t hash);
static void fetch(const struct vsw_mapping *, const struct entry_key *,
		  struct mapping_fetch *);
static bool fetch_entry(struct mapping_fetch *);
static bool fetch_place(struct mapping_fetch *, const struct place *);
static int set(struct vsw_mapping *, const struct entry_key *,
	       const struct vsw_location *, size_t n);
static void remove_key(struct vsw_mapping *, const struct entry_key *);
static void remove_entry(struct vsw_mapping *, uint32_t number);
static void tell(struct vsw_mapping *, uint64_t hash);
static size_t get(const struct vsw_mapping *, const struct entry_key *,
		  struct vsw_location *, size_t max);
static int check(const struct vsw_mapping *, const struct vsw_location *,
		 size_t n);
static const struct vsw_location *nth(const struct vsw_location *, size_t i);
static int hold_places(struct vsw_mapping *, const struct vsw_location *,
		       struct place *, size_t n);
static int hold_place(struct vsw_mapping *, const struct vsw_location *,
		      struct place *);
static void let_go(struct place *, size_t n);
static int new_entry(struct vsw_mapping *, const struct entry_key *,
		     const struct vsw_location *, size_t n,
		     uint32_t *ret_number);
static void drop_unknown(struct vsw_mapping *, struct unknown *);
static void free_unknown(void *vsw, struct retired *);
static struct places *new_places(const struct vsw_mapping *,
				 const struct vsw_location *, size_t n);
static void free_places(void *vsw, struct retired *);
static bool is_inhabited(const struct vsw_location *, size_t n);
static void settle_in(struct place *, const struct vsw_location *, size_t n);
static void show(const struct vsw_mapping *, const struct place *,
		 struct vsw_location *);
static void show_inhabitant(const struct inhabitant *,
			    struct vsw_location *);

int
vsw_mapping_new(struct vsw_domain *domain, const char *name, uint32_t vni,
		struct vsw_mapping **ret_mapping)
{
	const struct vsw_allocator *allocator = &domain->vsw->allocator;
	struct vsw_mapping *mapping;

	if (!name || vni >> 24)
		return -EINVAL;
	mapping = memory_alloc(allocator, 0, sizeof *mapping);
	if (!mapping)
		return -ENOMEM;
	mapping->name = memory_strdup(allocator, name);
	if (!mapping->name) {
		memory_free(allocator, mapping, sizeof *mapping);
		return -ENOMEM;
	}
	mapping->domain = domain_ref(domain);
	mapping->salt = switch_salt(domain->vsw);
	mapping->n_refs = 1;
	mapping->vni = vni;
	*ret_mapping = mapping;
	return 0;
}

void
vsw_mapping_unref(struct vsw_mapping *mapping)
{
	const struct vsw_allocator *allocator;
	struct vsw_domain *domain;
	struct unknown *unknown;
	struct places *flood;
	uint32_t number;
	size_t at = 0;

	if (!mapping || --mapping->n_refs)
		return;
	/* Only rules let workers look into a mapping, and they hold it: nobody
	 * looks.  Its endpoints and providers may be seen through others of
	 * the domain, and leave in the usual way. */
	domain = mapping->domain;
	allocator = &domain->vsw->allocator;
	while ((number = entry_table_next(&mapping->entries, &at,
					   SIZE_MAX)))
		remove_entry(mapping, number);
	entry_table_done(&mapping->entries, domain->vsw);
	flood = atomic_load_explicit(&mapping->flood, memory_order_relaxed);
	if (flood) {
		let_go(flood->places, flood->n);
		domain_leave(domain, &flood->retired, free_places);
	}
	unknown = atomic_load_explicit(&mapping->unknown,
				       memory_order_relaxed);
	drop_unknown(mapping, unknown);
	domain_settle(domain);
	vsw_domain_unref(domain);
	memory_free_string(allocator, mapping->name);
	memory_free(allocator, mapping, sizeof *mapping);
}

int
vsw_mapping_set_mac(struct vsw_mapping *mapping, const uint8_t mac[6],
		    const struct vsw_location *locations, size_t n_locations)
{
	struct entry_key key = key_of(mac, ENTRY_MAC);

	return set(mapping, &key, locations, n_locations);
}

int
vsw_mapping_set_addr(struct vsw_mapping *mapping, const struct vsw_addr *ca,
		     const struct vsw_location *locations, size_t n_locations)
{
	struct entry_key key;

	if (!address_is_good(ca))
		return -EINVAL;
	key = key_of(ca->bytes, ca->n);
	return set(mapping, &key, locations, n_locations);
}

void
vsw_mapping_remove_mac(struct vsw_mapping *mapping, const uint8_t mac[6])
{
	struct entry_key key = key_of(mac, ENTRY_MAC);

	remove_key(mapping, &key);
}

void
vsw_mapping_remove_addr(struct vsw_mapping *mapping,
			const struct vsw_addr *ca)
{
	struct entry_key key;

	if (!address_is_good(ca))
		return;
	key = key_of(ca->bytes, ca->n);
	remove_key(mapping, &key);
}

int
vsw_mapping_set_flood(struct vsw_mapping *mapping,
		      const struct vsw_location *locations,
		      size_t n_locations, bool unknown_unicast)
{
	struct vsw_domain *domain = mapping->domain;
	struct places *flood = NULL, *old;
	int error = check(mapping, locations, n_locations);

	if (error)
		return error;
	if (n_locations) {
		flood = new_places(mapping, locations, n_locations);
		if (!flood)
			return -ENOMEM;
		flood->unknown_unicast = unknown_unicast;
		error = hold_places(mapping, locations, flood->places,
				    n_locations);
		if (error) {
			free_places(domain->vsw, &flood->retired);
			return error;
		}
	}
	old = atomic_load_explicit(&mapping->flood, memory_order_relaxed);
	atomic_store_explicit(&mapping->flood, flood, memory_order_release);
	if (old) {
		let_go(old->places, old->n);
		domain_leave(domain, &old->retired, free_places);
	}
	domain_touch(domain);
	domain_settle(domain);
	return 0;
}

int
vsw_mapping_set_unknown(struct vsw_mapping *mapping,
			const struct vsw_unknown *wanted)
{
	const struct vsw_allocator *allocator =
		&mapping->domain->vsw->allocator;
	struct unknown *unknown = NULL, *old;
	int error;

	if (wanted && wanted->size < sizeof *wanted)
		return -EINVAL;
	if (wanted && wanted->location) {
		error = check(mapping, wanted->location, 1);
		if (error)
			return error;
	}
	if (wanted && (wanted->location || wanted->punt_reason)) {
		unknown = memory_alloc(allocator, 0, sizeof *unknown);
		if (!unknown)
			return -ENOMEM;
		unknown->punt_reason = wanted->punt_reason;
		unknown->has_place = wanted->location;
		error = hold_places(mapping, wanted->location, &unknown->place,
				    unknown->has_place);
		if (error) {
			memory_free(allocator, unknown, sizeof *unknown);
			return error;
		}
	}
	old = atomic_load_explicit(&mapping->unknown, memory_order_relaxed);
	atomic_store_explicit(&mapping->unknown, unknown,
			      memory_order_release);
	drop_unknown(mapping, old);
	domain_touch(mapping->domain);
	domain_settle(mapping->domain);
	return 0;
}

size_t
vsw_mapping_get_mac(const struct vsw_mapping *mapping, const uint8_t mac[6],
		    struct vsw_location ret_locations[], size_t max)
{
	struct entry_key key = key_of(mac, ENTRY_MAC);

	return get(mapping, &key, ret_locations, max);
}

size_t
vsw_mapping_get_addr(const struct vsw_mapping *mapping,
		     const struct vsw_addr *ca,
		     struct vsw_location ret_locations[], size_t max)
{
	struct entry_key key;

	if (!address_is_good(ca))
		return 0;
	key = key_of(ca->bytes, ca->n);
	return get(mapping, &key, ret_locations, max);
}

size_t
vsw_mapping_n_entries(const struct vsw_mapping *mapping)
{
	return atomic_load_explicit(&mapping->entries.n,
				    memory_order_relaxed);
}

bool
vsw_mapping_entries_from(const struct vsw_mapping *mapping, size_t *at,
			 size_t n, vsw_entry_fn *see, void *ctx)
{
	size_t end = *at + n;

	while (*at < end) {
		uint32_t number = entry_table_next(&mapping->entries, at, end);
		const struct entry *entry;
		struct vsw_addr addr = { .n = 0 };

		if (number == ENTRY_NONE)
			break;
		entry = entry_at(mapping->domain->vsw->entries, number);
		addr.n = entry->place.key_kind;
		memcpy(addr.bytes, entry->key, addr.n);
		if (addr.n == ENTRY_MAC)
			see(ctx, NULL, addr.bytes);
		else
			see(ctx, &addr, NULL);
	}
	return *at < entry_table_n_places(&mapping->entries);
}

struct vsw_mapping *
mapping_ref(struct vsw_mapping *mapping)
{
	mapping->n_refs++;
	return mapping;
}

const struct place *
mapping_find_mac(const struct vsw_mapping *mapping, const uint8_t mac[6],
		 struct dependencies *deps, uint32_t *ret_n)
{
	struct entry_key key = key_of(mac, ENTRY_MAC);

	return find(mapping, &key, deps, ret_n);
}

const struct place *
mapping_find_addr(const struct vsw_mapping *mapping, const uint8_t *addr,
		  unsigned n, struct dependencies *deps, uint32_t *ret_n)
{
	struct entry_key key = key_of(addr, n);

	return find(mapping, &key, deps, ret_n);
}

void
mapping_fetch_mac(const struct vsw_mapping *mapping, const uint8_t mac[6],
		  struct mapping_fetch *f)
{
	struct entry_key key = key_of(mac, ENTRY_MAC);

	fetch(mapping, &key, f);
}

void
mapping_fetch_addr(const struct vsw_mapping *mapping, const uint8_t *addr,
		   unsigned n, struct mapping_fetch *f)
{
	struct entry_key key = key_of(addr, n);

	fetch(mapping, &key, f);
}

bool
mapping_fetch_more(struct mapping_fetch *f)
{
	const struct outers *outers;

	if (!f->entry)
		return fetch_entry(f);
	if (!f->endpoint)
		return fetch_place(f, &f->entry->place);
	/* Mostly there is one uplink. */
	outers = atomic_load_explicit(&f->endpoint->outers,
				      memory_order_acquire);
	__builtin_prefetch(outers);
	__builtin_prefetch(outers->of[0].bytes);
	__builtin_prefetch(outers->of[0].bytes + 64);
	return false;
}

static struct entry_key
key_of(const uint8_t *bytes, unsigned kind)
{
	struct entry_key key = { .kind = (uint8_t) kind };

	memcpy(key.bytes, bytes, kind);
	return key;
}

static const struct place *
find(const struct vsw_mapping *mapping, const struct entry_key *key,
     struct dependencies *deps, uint32_t *ret_n)
{
	const struct vsw *vsw = mapping->domain->vsw;
	uint64_t hash = entry_hash(key, &vsw->secret);
	const struct place *place;
	uint32_t number;

	if (deps)
		domain_depend(mapping->domain, hash ^ mapping->salt, deps);
	number = find_entry(mapping, key, hash);
	if (!number)
		return NULL;
	place = &entry_at(vsw->entries, number)->place;
	*ret_n = place->kind == PLACE_MANY ? place->many->n : 1;
	return place->kind == PLACE_MANY ? place->many->places : place;
}

static uint32_t
find_entry(const struct vsw_mapping *mapping, const struct entry_key *key,
	   uint64_t hash)
{
	return entry_table_find(&mapping->entries,
				mapping->domain->vsw->entries, hash, key);
}

static void
fetch(const struct vsw_mapping *mapping, const struct entry_key *key,
      struct mapping_fetch *f)
{
	const struct vsw *vsw = mapping->domain->vsw;
	uint64_t hash = entry_hash(key, &vsw->secret);
	const struct generations *g = &vsw->generations;

	*f = (struct mapping_fetch) { .mapping = mapping, .hash = hash };
	__builtin_prefetch(&g->of[generation_stripe(g,
						    hash ^ mapping->salt)]);
	entry_table_fetch(&mapping->entries, hash);
}

static bool
fetch_entry(struct mapping_fetch *f)
{
	uint32_t number = entry_table_guess(&f->mapping->entries, f->hash);

	if (!number)
		return false;
	f->entry = entry_at(f->mapping->domain->vsw->entries, number);
	__builtin_prefetch(f->entry);
	return true;
}

static bool
fetch_place(struct mapping_fetch *f, const struct place *place)
{
	if (place->kind == PLACE_MANY)
		__builtin_prefetch(place->many);
	if (place->kind != PLACE_REMOTE)
		return false;
	f->endpoint = place->endpoint;
	__builtin_prefetch(&f->endpoint->outers);
	return true;
}

static int
set(struct vsw_mapping *mapping, const struct entry_key *key,
    const struct vsw_location *locations, size_t n)
{
	struct vsw *vsw = mapping->domain->vsw;
	uint64_t hash = entry_hash(key, &vsw->secret);
	uint32_t old = find_entry(mapping, key, hash), number;
	int error;

	error = n ? check(mapping, locations, n) : -EINVAL;
	if (error)
		return error;
	if (!old) {
		error = entry_table_reserve(&mapping->entries, vsw);
		if (error)
			return error;
	}
	error = new_entry(mapping, key, locations, n, &number);
	if (error)
		return error;
	if (old) {
		entry_table_replace(&mapping->entries, hash, old, number);
		remove_entry(mapping, old);
	} else {
		entry_table_add(&mapping->entries, hash, number);
	}
	tell(mapping, hash);
	return 0;
}

static void
remove_key(struct vsw_mapping *mapping, const struct entry_key *key)
{
	uint64_t hash = entry_hash(key, &mapping->domain->vsw->secret);
	uint32_t number = find_entry(mapping, key, hash);

	if (!number)
		return;
	entry_table_remove(&mapping->entries, hash, number);
	remove_entry(mapping, number);
	tell(mapping, hash);
}

/* It is out of the table already. */
static void
remove_entry(struct vsw_mapping *mapping, uint32_t number)
{
	struct vsw_domain *domain = mapping->domain;
	struct place *place = &entry_at(domain->vsw->entries, number)->place;

	if (place->kind == PLACE_MANY)
		let_go(place->many->places, place->many->n);
	else
		let_go(place, 1);
	entry_leave(domain->vsw->entries, number, &domain->entries);
}

/* Those flows that have looked this address up. */
static void
tell(struct vsw_mapping *mapping, uint64_t hash)
{
	domain_touch_hash(mapping->domain, hash ^ mapping->salt);
	domain_settle(mapping->domain);
}

static size_t
get(const struct vsw_mapping *mapping, const struct entry_key *key,
    struct vsw_location *locations, size_t max)
{
	struct reclaim *reclaim = &mapping->domain->vsw->reclaim;
	size_t mark = reclaim_visit(reclaim);
	uint32_t n = 0;
	const struct place *places = find(mapping, key, NULL, &n);
	const struct inhabitant *inhabitants =
		n ? places_inhabitants(places, n) : NULL;

	for (size_t i = 0; i < n && i < max; i++) {
		show(mapping, &places[i], &locations[i]);
		if (inhabitants)
			show_inhabitant(&inhabitants[i], &locations[i]);
	}
	reclaim_leave(reclaim, mark);
	return n;
}

static int
check(const struct vsw_mapping *mapping, const struct vsw_location *locations,
      size_t n)
{
	if (n > MAPPING_LOCATIONS_MAX)
		return -E2BIG;
	for (size_t i = 0; i < n; i++) {
		const struct vsw_location *location = nth(locations, i);

		/* What is behind came later. */
		if (location->size < offsetof(struct vsw_location, v4))
			return -EINVAL;
		if (location->size >= sizeof *location
		    && ((location->v4.n && location->v4.n != 4)
			|| (location->v6.n && location->v6.n != 16)))
			return -EINVAL;
		if (location->port) {
			if (location->port->vsw != mapping->domain->vsw)
				return -EINVAL;
			continue;
		}
		if (!address_is_good(&location->pa) || location->vni >> 24
		    || (location->encap != VSW_ENCAP_VXLAN
			&& location->encap != VSW_ENCAP_NVGRE))
			return -EINVAL;
	}
	return 0;
}

/* The embedder's locations may be longer than those known here. */
static const struct vsw_location *
nth(const struct vsw_location *locations, size_t i)
{
	return (const struct vsw_location *) ((const char *) locations
					      + i * locations->size);
}

/* All of them or none. */
static int
hold_places(struct vsw_mapping *mapping, const struct vsw_location *locations,
	    struct place *places, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int error = hold_place(mapping, nth(locations, i), &places[i]);

		if (error) {
			let_go(places, i);
			domain_settle(mapping->domain);
			return error;
		}
	}
	return 0;
}

static int
hold_place(struct vsw_mapping *mapping, const struct vsw_location *location,
	   struct place *place)
{
	memcpy(place->mac, location->mac, sizeof place->mac);
	if (location->port) {
		place->kind = PLACE_LOCAL;
		place->port = port_ref(location->port);
		return 0;
	}
	place->kind = PLACE_REMOTE;
	return endpoint_get(mapping->domain, &location->pa, location->encap,
			    location->vni, &place->endpoint);
}

static void
let_go(struct place *places, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (places[i].kind == PLACE_LOCAL)
			port_unref(places[i].port);
		else
			endpoint_unref(places[i].endpoint);
	}
}

static int
new_entry(struct vsw_mapping *mapping, const struct entry_key *key,
	  const struct vsw_location *locations, size_t n,
	  uint32_t *ret_number)
{
	struct vsw *vsw = mapping->domain->vsw;
	uint32_t number = entry_take(vsw->entries);
	struct place *places;
	struct entry *entry;
	bool is_many;
	int error = -ENOMEM;

	if (!number)
		return -ENOMEM;
	entry = entry_at(vsw->entries, number);
	memcpy(entry->key, key->bytes, sizeof entry->key);
	entry->place.key_kind = key->kind;
	places = &entry->place;
	is_many = n > 1 || is_inhabited(locations, n);
	if (is_many) {
		entry->place.many = new_places(mapping, locations, n);
		if (!entry->place.many)
			goto fail;
		entry->place.kind = PLACE_MANY;
		places = entry->place.many->places;
	}
	error = hold_places(mapping, locations, places, n);
	if (error)
		goto fail;
	*ret_number = number;
	return 0;
fail:
	if (is_many && entry->place.many)
		free_places(vsw, &entry->place.many->retired);
	entry_give_back(vsw->entries, number);
	return error;
}

/* NULL: there is none. */
static void
drop_unknown(struct vsw_mapping *mapping, struct unknown *unknown)
{
	if (!unknown)
		return;
	let_go(&unknown->place, unknown->has_place);
	domain_leave(mapping->domain, &unknown->retired, free_unknown);
}

static void
free_unknown(void *vsw_, struct retired *retired)
{
	struct vsw *vsw = vsw_;

	memory_free(&vsw->allocator, retired, sizeof(struct unknown));
}

static struct places *
new_places(const struct vsw_mapping *mapping,
	   const struct vsw_location *locations, size_t n)
{
	bool has_inhabitants = is_inhabited(locations, n);
	struct places *places = memory_alloc(
		&mapping->domain->vsw->allocator, 0,
		places_size(n, has_inhabitants));

	if (!places)
		return NULL;
	places->n = (uint32_t) n;
	if (has_inhabitants)
		settle_in(places->places, locations, n);
	return places;
}

static void
free_places(void *vsw_, struct retired *retired)
{
	struct places *places = (struct places *) retired;
	struct vsw *vsw = vsw_;

	memory_free(&vsw->allocator, places,
		    places_size(places->n,
				places_inhabitants(places->places,
						   places->n)));
}

static bool
is_inhabited(const struct vsw_location *locations, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct vsw_location *location = nth(locations, i);

		if (location->size >= sizeof *location
		    && (location->v4.n || location->v6.n))
			return true;
	}
	return false;
}

static void
settle_in(struct place *places, const struct vsw_location *locations,
	  size_t n)
{
	struct inhabitant *inhabitants = (struct inhabitant *) (places + n);

	places->key_kind = PLACES_INHABITED;
	for (size_t i = 0; i < n; i++) {
		const struct vsw_location *location = nth(locations, i);

		if (location->size < sizeof *location)
			continue;
		inhabitants[i].has_v4 = location->v4.n;
		inhabitants[i].has_v6 = location->v6.n;
		memcpy(inhabitants[i].v4, location->v4.bytes, location->v4.n);
		memcpy(inhabitants[i].v6, location->v6.bytes, location->v6.n);
	}
}

static void
show(const struct vsw_mapping *mapping, const struct place *place,
     struct vsw_location *location)
{
	*location = (struct vsw_location) {
		.size = sizeof *location, .vni = mapping->vni
	};
	memcpy(location->mac, place->mac, sizeof location->mac);
	if (place->kind == PLACE_LOCAL) {
		location->port = place->port;
		return;
	}
	location->pa = place->endpoint->provider->pa;
	location->encap = place->endpoint->encap;
	location->vni = place->endpoint->vni;
}

static void
show_inhabitant(const struct inhabitant *inhabitant,
		struct vsw_location *location)
{
	location->v4.n = inhabitant->has_v4 ? 4 : 0;
	location->v6.n = inhabitant->has_v6 ? 16 : 0;
	memcpy(location->v4.bytes, inhabitant->v4, location->v4.n);
	memcpy(location->v6.bytes, inhabitant->v6, location->v6.n);
}
