/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/policy/mapping.h"

#include <errno.h>
#include <string.h>
#include "libvswitch/base/hash.h"
#include "libvswitch/base/memory.h"
#include "libvswitch/base/switch.h"
#include "libvswitch/policy/address.h"
#include "libvswitch/policy/port.h"

enum key_kind { KEY_V4 = 4, KEY_MAC = 6, KEY_V6 = 16 };	/* Its bytes. */

struct key {
	uint8_t bytes[16];
	uint8_t kind;
};

struct entry {
	struct retired retired;
	uint8_t key[16];
	struct place place;
};

_Static_assert(sizeof(void *) > 8 || sizeof(struct entry) <= 64,
	       "a million of them are kept");

static struct key key_of(const uint8_t *, unsigned kind);
static uint32_t hash_of(const struct vsw_mapping *, const struct key *);
static struct entry *find(const struct vsw_mapping *, const struct key *);
static bool equal(const void *item, const void *key);
static const struct place *places_of(const struct entry *, uint32_t *ret_n);
static int set(struct vsw_mapping *, const struct key *,
	       const struct vsw_location *, size_t n);
static void remove_key(struct vsw_mapping *, const struct key *);
static void remove_entry(struct vsw_mapping *, struct entry *);
static size_t get(const struct vsw_mapping *, const struct key *,
		  struct vsw_location *, size_t max);
static int check(const struct vsw_mapping *, const struct vsw_location *,
		 size_t n);
static const struct vsw_location *nth(const struct vsw_location *, size_t i);
static int hold_places(struct vsw_mapping *, const struct vsw_location *,
		       struct place *, size_t n);
static int hold_place(struct vsw_mapping *, const struct vsw_location *,
		      struct place *);
static void let_go(struct place *, size_t n);
static int new_entry(struct vsw_mapping *, const struct vsw_location *,
		     size_t n, struct entry **ret_entry);
static struct places *new_places(const struct vsw_mapping *, size_t n);
static void free_entry(void *vsw, struct retired *);
static void free_places(void *vsw, struct retired *);
static size_t places_size(size_t n);
static void show(const struct vsw_mapping *, const struct place *,
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
	struct places *flood;
	struct entry *entry;
	size_t at = 0;

	if (!mapping || --mapping->n_refs)
		return;
	/* Only rules let workers look into a mapping, and they hold it: nobody
	 * looks.  Its endpoints and providers may be seen through others of
	 * the domain, and leave in the usual way. */
	domain = mapping->domain;
	allocator = &domain->vsw->allocator;
	while ((entry = table_next(&mapping->entries, &at))) {
		remove_entry(mapping, entry);
	}
	table_done(&mapping->entries);
	flood = atomic_load_explicit(&mapping->flood, memory_order_relaxed);
	if (flood) {
		let_go(flood->places, flood->n);
		domain_leave(domain, &flood->retired, free_places);
	}
	domain_settle(domain);
	vsw_domain_unref(domain);
	memory_free_string(allocator, mapping->name);
	memory_free(allocator, mapping, sizeof *mapping);
}

int
vsw_mapping_set_mac(struct vsw_mapping *mapping, const uint8_t mac[6],
		    const struct vsw_location *locations, size_t n_locations)
{
	struct key key = key_of(mac, KEY_MAC);

	return set(mapping, &key, locations, n_locations);
}

int
vsw_mapping_set_addr(struct vsw_mapping *mapping, const struct vsw_addr *ca,
		     const struct vsw_location *locations, size_t n_locations)
{
	struct key key;

	if (!address_is_good(ca))
		return -EINVAL;
	key = key_of(ca->bytes, ca->n);
	return set(mapping, &key, locations, n_locations);
}

void
vsw_mapping_remove_mac(struct vsw_mapping *mapping, const uint8_t mac[6])
{
	struct key key = key_of(mac, KEY_MAC);

	remove_key(mapping, &key);
}

void
vsw_mapping_remove_addr(struct vsw_mapping *mapping,
			const struct vsw_addr *ca)
{
	struct key key;

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
		flood = new_places(mapping, n_locations);
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
	domain_settle(domain);
	return 0;
}

size_t
vsw_mapping_get_mac(const struct vsw_mapping *mapping, const uint8_t mac[6],
		    struct vsw_location ret_locations[], size_t max)
{
	struct key key = key_of(mac, KEY_MAC);

	return get(mapping, &key, ret_locations, max);
}

size_t
vsw_mapping_get_addr(const struct vsw_mapping *mapping,
		     const struct vsw_addr *ca,
		     struct vsw_location ret_locations[], size_t max)
{
	struct key key;

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

struct vsw_mapping *
mapping_ref(struct vsw_mapping *mapping)
{
	mapping->n_refs++;
	return mapping;
}

const struct place *
mapping_find_mac(const struct vsw_mapping *mapping, const uint8_t mac[6],
		 uint32_t *ret_n)
{
	struct key key = key_of(mac, KEY_MAC);
	const struct entry *entry = find(mapping, &key);

	return entry ? places_of(entry, ret_n) : NULL;
}

const struct place *
mapping_find_addr(const struct vsw_mapping *mapping, const uint8_t *addr,
		  unsigned n, uint32_t *ret_n)
{
	struct key key = key_of(addr, n);
	const struct entry *entry = find(mapping, &key);

	return entry ? places_of(entry, ret_n) : NULL;
}

static struct key
key_of(const uint8_t *bytes, unsigned kind)
{
	struct key key = { .kind = (uint8_t) kind };

	memcpy(key.bytes, bytes, kind);
	return key;
}

static uint32_t
hash_of(const struct vsw_mapping *mapping, const struct key *key)
{
	return hash_short(hash_bytes(key, sizeof *key,
				     mapping->domain->vsw->seed));
}

static struct entry *
find(const struct vsw_mapping *mapping, const struct key *key)
{
	return table_find(&mapping->entries, hash_of(mapping, key), equal,
			  key);
}

static bool
equal(const void *item, const void *key_)
{
	const struct entry *entry = item;
	const struct key *key = key_;

	return entry->place.key_kind == key->kind
	       && !memcmp(entry->key, key->bytes, sizeof entry->key);
}

static const struct place *
places_of(const struct entry *entry, uint32_t *ret_n)
{
	if (entry->place.kind == PLACE_MANY) {
		*ret_n = entry->place.many->n;
		return entry->place.many->places;
	}
	*ret_n = 1;
	return &entry->place;
}

static int
set(struct vsw_mapping *mapping, const struct key *key,
    const struct vsw_location *locations, size_t n)
{
	struct vsw *vsw = mapping->domain->vsw;
	struct entry *old = find(mapping, key), *entry;
	int error;

	error = n ? check(mapping, locations, n) : -EINVAL;
	if (error)
		return error;
	if (!old) {
		error = table_reserve(&mapping->entries, &vsw->allocator,
				      &vsw->reclaim, 1);
		if (error)
			return error;
	}
	error = new_entry(mapping, locations, n, &entry);
	if (error)
		return error;
	memcpy(entry->key, key->bytes, sizeof entry->key);
	entry->place.key_kind = key->kind;
	if (old) {
		table_replace(&mapping->entries, hash_of(mapping, key), old,
			      entry);
		remove_entry(mapping, old);
	} else {
		table_add(&mapping->entries, hash_of(mapping, key), entry);
	}
	domain_settle(mapping->domain);
	return 0;
}

static void
remove_key(struct vsw_mapping *mapping, const struct key *key)
{
	struct entry *entry = find(mapping, key);

	if (!entry)
		return;
	table_remove(&mapping->entries, hash_of(mapping, key), entry);
	remove_entry(mapping, entry);
	domain_settle(mapping->domain);
}

/* It is out of the table already. */
static void
remove_entry(struct vsw_mapping *mapping, struct entry *entry)
{
	if (entry->place.kind == PLACE_MANY)
		let_go(entry->place.many->places, entry->place.many->n);
	else
		let_go(&entry->place, 1);
	domain_leave(mapping->domain, &entry->retired, free_entry);
}

static size_t
get(const struct vsw_mapping *mapping, const struct key *key,
    struct vsw_location *locations, size_t max)
{
	struct reclaim *reclaim = &mapping->domain->vsw->reclaim;
	size_t mark = reclaim_visit(reclaim);
	const struct entry *entry = find(mapping, key);
	uint32_t n = 0;

	if (entry) {
		const struct place *places = places_of(entry, &n);

		for (size_t i = 0; i < n && i < max; i++)
			show(mapping, &places[i], &locations[i]);
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

		if (location->size < sizeof *location)
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
new_entry(struct vsw_mapping *mapping, const struct vsw_location *locations,
	  size_t n, struct entry **ret_entry)
{
	const struct vsw_allocator *allocator =
		&mapping->domain->vsw->allocator;
	struct entry *entry = memory_alloc(allocator, 0, sizeof *entry);
	struct place *places;
	int error = -ENOMEM;

	if (!entry)
		return -ENOMEM;
	places = &entry->place;
	if (n > 1) {
		entry->place.kind = PLACE_MANY;
		entry->place.many = new_places(mapping, n);
		if (!entry->place.many)
			goto fail;
		places = entry->place.many->places;
	}
	error = hold_places(mapping, locations, places, n);
	if (error)
		goto fail;
	*ret_entry = entry;
	return 0;
fail:
	if (n > 1)
		memory_free(allocator, entry->place.many, places_size(n));
	memory_free(allocator, entry, sizeof *entry);
	return error;
}

static struct places *
new_places(const struct vsw_mapping *mapping, size_t n)
{
	struct places *places = memory_alloc(&mapping->domain->vsw->allocator,
					     0, places_size(n));

	if (places)
		places->n = (uint32_t) n;
	return places;
}

static void
free_entry(void *vsw_, struct retired *retired)
{
	struct entry *entry = (struct entry *) retired;
	struct vsw *vsw = vsw_;

	if (entry->place.kind == PLACE_MANY)
		free_places(vsw, &entry->place.many->retired);
	memory_free(&vsw->allocator, entry, sizeof *entry);
}

static void
free_places(void *vsw_, struct retired *retired)
{
	struct places *places = (struct places *) retired;
	struct vsw *vsw = vsw_;

	memory_free(&vsw->allocator, places, places_size(places->n));
}

static size_t
places_size(size_t n)
{
	return sizeof(struct places) + n * sizeof(struct place);
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
