/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/policy/mapping.c, endpoint.c and domain.c: a naive array as
 * its twin under random edits, while another thread reads. */

#include "libvswitch/policy/mapping.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>
#include "libvswitch/base/switch.h"
#include "tests/unit/policy_rig.h"

enum { N_KEYS = 96, N_EDITS = 60000 };

static struct rig_memory memory;
static struct vsw *vsw;
static struct vsw_domain *domain;
static struct vsw_mapping *mapping;
static struct vsw_port *ports[4];

static void
setup(void)
{
	char name[16];

	vsw = rig_switch(&memory);
	for (int i = 0; i < 4; i++) {
		snprintf(name, sizeof name, "p%d", i);
		ports[i] = rig_port(vsw, name, i ? 0 : VSW_PORT_TUNNEL);
	}
	ck_assert_int_eq(vsw_domain_new(vsw, "d", &domain), 0);
	ck_assert_int_eq(vsw_domain_set_uplink(domain, ports[0]), 0);
	ck_assert_int_eq(vsw_mapping_new(domain, "m", 5001, &mapping), 0);
}

static void
teardown(void)
{
	vsw_mapping_unref(mapping);
	vsw_domain_unref(domain);
	for (int i = 0; i < 4; i++)
		vsw_port_remove(ports[i]);
	vsw_free(vsw);
	ck_assert_uint_eq(memory.n_live, 0);
}

/* Key 'k' is a MAC, an IPv4 or an IPv6 address. */
static int
set_key(unsigned k, const struct vsw_location *locations, size_t n)
{
	uint8_t mac[6] = { 2, 0, 0, 0, 0, (uint8_t) k };
	struct vsw_addr addr = rig_addr(k % 3 == 1 ? 4 : 16, k);

	return k % 3 ? vsw_mapping_set_addr(mapping, &addr, locations, n)
		     : vsw_mapping_set_mac(mapping, mac, locations, n);
}

static void
remove_key(unsigned k)
{
	uint8_t mac[6] = { 2, 0, 0, 0, 0, (uint8_t) k };
	struct vsw_addr addr = rig_addr(k % 3 == 1 ? 4 : 16, k);

	if (k % 3)
		vsw_mapping_remove_addr(mapping, &addr);
	else
		vsw_mapping_remove_mac(mapping, mac);
}

static size_t
get_key(unsigned k, struct vsw_location *locations, size_t max)
{
	uint8_t mac[6] = { 2, 0, 0, 0, 0, (uint8_t) k };
	struct vsw_addr addr = rig_addr(k % 3 == 1 ? 4 : 16, k);

	return k % 3 ? vsw_mapping_get_addr(mapping, &addr, locations, max)
		     : vsw_mapping_get_mac(mapping, mac, locations, max);
}

/* Each location of key 'k' says so in its MAC's fifth byte. */
static struct vsw_location
random_location(uint64_t *state, unsigned k)
{
	struct vsw_location location;

	if (rig_random(state) % 3 == 0)
		location = rig_local(ports[1 + rig_random(state) % 3], 0);
	else
		location = rig_remote(rig_random(state) % 20,
				      rig_random(state) % 4 + 1,
				      rig_random(state) % 2
				      ? VSW_ENCAP_VXLAN : VSW_ENCAP_NVGRE);
	if (location.port)
		location.vni = 5001;
	location.mac[4] = (uint8_t) k;
	if (rig_random(state) % 4 == 0)
		location.v4 = rig_addr(4, k);
	if (rig_random(state) % 4 == 0)
		location.v6 = rig_addr(16, k);
	return location;
}

static struct {
	struct vsw_location locations[3];
	size_t n;
} naive[N_KEYS];

static _Atomic bool is_done;
static _Atomic unsigned long n_seen;

/* A reader that finds an entry finds all of it. */
static void *
read_on(void *unused)
{
	uint64_t state = 77;

	(void) unused;
	while (!atomic_load(&is_done)) {
		struct vsw_location got[3];
		unsigned k = rig_random(&state) % N_KEYS;
		size_t n = get_key(k, got, 3);

		for (size_t i = 0; i < n; i++)
			if (got[i].mac[4] != k
			    || (!got[i].port && got[i].pa.n != 4))
				return (void *) (uintptr_t)
				       "half an entry was seen";
		if (n)
			atomic_fetch_add(&n_seen, 1);
	}
	return NULL;
}

static void
compare(unsigned k)
{
	struct vsw_location got[3];
	size_t n = get_key(k, got, 3);

	ck_assert_uint_eq(n, naive[k].n);
	for (size_t i = 0; i < n; i++) {
		const struct vsw_location *want = &naive[k].locations[i];

		ck_assert_ptr_eq(got[i].port, want->port);
		ck_assert_mem_eq(&got[i].pa, &want->pa, sizeof want->pa);
		ck_assert_uint_eq(got[i].vni, want->vni);
		ck_assert_uint_eq(got[i].encap, want->encap);
		ck_assert_mem_eq(got[i].mac, want->mac, 6);
		ck_assert_mem_eq(&got[i].v4, &want->v4, sizeof want->v4);
		ck_assert_mem_eq(&got[i].v6, &want->v6, sizeof want->v6);
	}
}

START_TEST(twin)
{
	uint64_t state = 5;
	pthread_t reader;
	void *said;
	size_t n_there = 0;

	setup();
	ck_assert_int_eq(pthread_create(&reader, NULL, read_on, NULL), 0);
	for (unsigned i = 0; i < N_EDITS || !atomic_load(&n_seen); i++) {
		unsigned k = rig_random(&state) % N_KEYS;

		if (rig_random(&state) % 3 == 0) {
			remove_key(k);
			n_there -= naive[k].n != 0;
			naive[k].n = 0;
		} else {
			struct vsw_location locations[3];
			size_t n = 1 + rig_random(&state) % 3;

			memset(locations, 0, sizeof locations);
			for (size_t j = 0; j < n; j++)
				locations[j] = random_location(&state, k);
			ck_assert_int_eq(set_key(k, locations, n), 0);
			n_there += naive[k].n == 0;
			memcpy(naive[k].locations, locations,
			       sizeof locations);
			naive[k].n = n;
		}
		compare(rig_random(&state) % N_KEYS);
		compare(k);
		ck_assert_uint_eq(vsw_mapping_n_entries(mapping), n_there);
	}
	atomic_store(&is_done, true);
	pthread_join(reader, &said);
	ck_assert_msg(!said, "%s", (const char *) said);
	/* Only provider addresses that somebody names are known. */
	for (uint32_t pa = 0; pa < 20; pa++) {
		struct vsw_addr addr = rig_addr(4, pa);
		bool expected = false;

		for (unsigned k = 0; k < N_KEYS; k++)
			for (size_t j = 0; j < naive[k].n; j++)
				expected |= !naive[k].locations[j].port
					    && naive[k].locations[j].pa
					       .bytes[3] == pa;
		ck_assert_int_eq(endpoint_is_known(domain, addr.bytes, 4, NULL),
				 expected);
	}
	teardown();
}
END_TEST

/* Fetching goes as far as there is something, and ends. */
START_TEST(fetching_ends)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 3 };
	struct vsw_location locations[2];
	struct mapping_fetch f;
	size_t mark;

	setup();
	mark = reclaim_visit(&vsw->reclaim);
	mapping_fetch_mac(mapping, mac, &f);
	ck_assert(!mapping_fetch_more(&f));
	locations[0] = rig_local(ports[1], 3);
	ck_assert_int_eq(set_key(3, locations, 1), 0);
	mapping_fetch_mac(mapping, mac, &f);
	ck_assert(mapping_fetch_more(&f));
	ck_assert_mem_eq(f.entry->key, mac, sizeof mac);
	ck_assert(!mapping_fetch_more(&f));
	locations[0] = locations[1] = rig_remote(9, 5001, VSW_ENCAP_VXLAN);
	ck_assert_int_eq(set_key(3, locations, 1), 0);
	mapping_fetch_mac(mapping, mac, &f);
	ck_assert(mapping_fetch_more(&f));
	ck_assert(mapping_fetch_more(&f));
	ck_assert_ptr_eq(f.endpoint, f.entry->place.endpoint);
	ck_assert(!mapping_fetch_more(&f));
	ck_assert_int_eq(set_key(4, locations, 2), 0);
	mapping_fetch_addr(mapping, rig_addr(4, 4).bytes, 4, &f);
	ck_assert(mapping_fetch_more(&f));
	ck_assert(!mapping_fetch_more(&f));
	reclaim_leave(&vsw->reclaim, mark);
	teardown();
}
END_TEST

START_TEST(bad_locations)
{
	struct vsw_location good = rig_remote(1, 5001, VSW_ENCAP_VXLAN), bad;
	static struct vsw_location many[MAPPING_LOCATIONS_MAX + 1];
	struct vsw_addr none = { .n = 0 };
	struct vsw_mapping *other;

	setup();
	ck_assert_int_eq(set_key(0, &good, 0), -EINVAL);
	bad = good, bad.encap = VSW_ENCAP_NONE;
	ck_assert_int_eq(set_key(0, &bad, 1), -EINVAL);
	bad = good, bad.vni = 1 << 24;
	ck_assert_int_eq(set_key(0, &bad, 1), -EINVAL);
	bad = good, bad.pa.n = 0;
	ck_assert_int_eq(set_key(0, &bad, 1), -EINVAL);
	bad = good, bad.size = 8;
	ck_assert_int_eq(set_key(0, &bad, 1), -EINVAL);
	bad = good, bad.v4.n = 16;
	ck_assert_int_eq(set_key(0, &bad, 1), -EINVAL);
	bad = good, bad.v6.n = 4;
	ck_assert_int_eq(set_key(0, &bad, 1), -EINVAL);
	/* Who was built before these were there need not say them. */
	bad.size = offsetof(struct vsw_location, v4);
	ck_assert_int_eq(set_key(0, &bad, 1), 0);
	for (size_t i = 0; i < MAPPING_LOCATIONS_MAX + 1; i++)
		many[i] = good;
	ck_assert_int_eq(set_key(0, many, MAPPING_LOCATIONS_MAX + 1), -E2BIG);
	ck_assert_int_eq(vsw_mapping_set_flood(
				 mapping, many, MAPPING_LOCATIONS_MAX + 1,
				 false), -E2BIG);
	ck_assert_int_eq(set_key(0, many, MAPPING_LOCATIONS_MAX), 0);
	ck_assert_int_eq(vsw_mapping_set_addr(mapping, &none, &good, 1),
			 -EINVAL);
	ck_assert_int_eq(vsw_mapping_new(domain, "x", 1 << 24, &other),
			 -EINVAL);
	teardown();
}
END_TEST

/* What a flow that has looked up a MAC, known or not, or a tunnel's source,
 * was decided from. */
static struct dependencies
looked_up(uint8_t last, uint32_t pa)
{
	struct vsw_addr addr = rig_addr(4, pa);
	uint8_t mac[6] = { 2, 0, 0, 0, 0, last };
	struct dependencies deps;
	uint32_t n;

	dependencies_start(&deps, &vsw->generations);
	mapping_find_mac(mapping, mac, &deps, &n);
	if (pa)
		(void) endpoint_is_known(domain, addr.bytes, 4, &deps);
	return deps;
}

static bool
hold(struct dependencies *deps)
{
	return dependencies_hold(deps, &vsw->generations);
}

START_TEST(edits_tell_who_looked_it_up)
{
	struct vsw_location one = rig_remote(1, 5001, VSW_ENCAP_VXLAN);
	struct vsw_location two = rig_remote(2, 5001, VSW_ENCAP_VXLAN);
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 7 },
			     unknown[6] = { 2, 0, 0, 0, 0, 8 };
	struct dependencies of_7, of_9, of_1, of_2;
	struct vsw_domain *other;
	struct vsw_mapping *elsewhere;

	setup();
	of_7 = looked_up(7, 0);
	of_9 = looked_up(9, 0);
	of_1 = looked_up(9, 1);
	ck_assert_int_eq(vsw_mapping_set_mac(mapping, mac, &one, 1), 0);
	ck_assert(!hold(&of_7) && hold(&of_9) && !hold(&of_1));
	of_7 = looked_up(7, 0);
	of_1 = looked_up(9, 1);
	of_2 = looked_up(9, 2);
	/* Replaced: and one provider goes for another. */
	ck_assert_int_eq(vsw_mapping_set_mac(mapping, mac, &two, 1), 0);
	ck_assert(!hold(&of_7) && hold(&of_9) && !hold(&of_1) && !hold(&of_2));
	of_7 = looked_up(7, 0);
	vsw_mapping_remove_mac(mapping, unknown);
	ck_assert(hold(&of_7) && hold(&of_9));
	vsw_mapping_remove_mac(mapping, mac);
	ck_assert(!hold(&of_7) && hold(&of_9));
	/* The same MAC elsewhere. */
	of_7 = looked_up(7, 0);
	ck_assert_int_eq(vsw_domain_new(vsw, "other", &other), 0);
	ck_assert_int_eq(vsw_mapping_new(other, "m2", 1, &elsewhere), 0);
	ck_assert_int_eq(vsw_mapping_set_mac(elsewhere, mac, &one, 1), 0);
	ck_assert_int_eq(vsw_mapping_set_flood(elsewhere, &one, 1, true), 0);
	ck_assert(hold(&of_7) && hold(&of_9));
	vsw_mapping_unref(elsewhere);
	vsw_domain_unref(other);
	/* Floods are everybody's. */
	ck_assert_int_eq(vsw_mapping_set_flood(mapping, &one, 1, true), 0);
	ck_assert(!hold(&of_7) && !hold(&of_9));
	teardown();
}
END_TEST

/* Between begin and commit look-ups see each edit, cached flows none; what was
 * replaced stays until then. */
START_TEST(edits_are_told_at_commit)
{
	struct vsw_location one = rig_remote(1, 5001, VSW_ENCAP_VXLAN);
	struct vsw_location two = rig_remote(2, 5001, VSW_ENCAP_VXLAN);
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 7 };
	struct vsw_location found = { .size = sizeof found };
	struct dependencies before, between, after;
	const struct place *place;
	uint32_t n;

	setup();
	ck_assert_int_eq(vsw_mapping_set_mac(mapping, mac, &one, 1), 0);
	before = looked_up(7, 0);
	place = mapping_find_mac(mapping, mac, NULL, &n);
	vsw_domain_begin(domain);
	vsw_domain_begin(domain);
	ck_assert_int_eq(vsw_mapping_set_mac(mapping, mac, &two, 1), 0);
	ck_assert_uint_eq(vsw_mapping_get_mac(mapping, mac, &found, 1), 1);
	ck_assert_mem_eq(&found.pa, &two.pa, sizeof found.pa);
	between = looked_up(7, 0);
	ck_assert(hold(&before) && hold(&between));
	vsw_domain_commit(domain);
	ck_assert(hold(&before));
	/* It is there still, as a flow may have it. */
	ck_assert_int_eq(place->kind, PLACE_REMOTE);
	ck_assert_uint_eq(place->endpoint->vni, 5001);
	vsw_mapping_remove_mac(mapping, mac);
	after = looked_up(7, 0);
	vsw_domain_commit(domain);
	ck_assert(!hold(&before) && !hold(&between) && hold(&after));
	teardown();
}
END_TEST

static int
fill(void)
{
	struct vsw_location locations[3] = {
		rig_remote(100, 7, VSW_ENCAP_NVGRE), rig_local(ports[1], 1),
		rig_remote(101, 7, VSW_ENCAP_VXLAN)
	};
	int error;

	locations[2].v4 = rig_addr(4, 1);
	error = set_key(1, locations, 3);
	if (!error) {
		error = vsw_mapping_set_flood(mapping, locations, 3, true);
		if (error)
			remove_key(1);
	}
	return error;
}

START_TEST(memory_runs_out)
{
	struct vsw_location one = rig_remote(9, 7, VSW_ENCAP_VXLAN);
	struct vsw_addr pa = rig_addr(4, 100);

	setup();
	/* The tables have their first slots. */
	ck_assert_int_eq(set_key(2, &one, 1), 0);
	RIG_RUN_OUT(&memory, fill());
	ck_assert(endpoint_is_known(domain, pa.bytes, 4, NULL));
	ck_assert_uint_eq(vsw_mapping_n_entries(mapping), 2);
	teardown();
}
END_TEST

/* 100,000 entries cost what they are said to. */
START_TEST(size_of_entries)
{
	struct vsw_location one = rig_remote(1, 5001, VSW_ENCAP_VXLAN);
	size_t before;

	setup();
	before = memory.n_bytes;
	for (uint32_t i = 0; i < 100000; i++) {
		struct vsw_addr ca = rig_addr(4, i);

		ck_assert_int_eq(vsw_mapping_set_addr(mapping, &ca, &one, 1),
				 0);
	}
	ck_assert_uint_lt((memory.n_bytes - before) / 100000, 64);
	teardown();
}
END_TEST

RIG_MAIN("mapping", twin, fetching_ends, bad_locations,
	 edits_tell_who_looked_it_up,
	 edits_are_told_at_commit, memory_runs_out, size_of_entries)
