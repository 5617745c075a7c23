/* SPDX-License-Identifier: Apache-2.0 */

/* Routes: which next hop a flow takes, and what becomes of it where none is
 * known. */

#include "libvswitch/datapath/compose.h"

#include <string.h>
#include "libvswitch/base/hash.h"
#include "libvswitch/datapath/describe.h"
#include "libvswitch/datapath/narrate.h"
#include "libvswitch/policy/group.h"
#include "libvswitch/policy/mapping.h"

/* Where a route leads. */
struct way {
	const struct vsw_mapping *mapping;
	const struct place *place;
};

static bool find_way(struct composition *, const struct rule_route *,
		     struct way *ret_way);
static uint32_t next_in_order(const struct rule_route *, uint32_t hash,
			      uint64_t *tried);
static const struct place *find_hop(struct composition *,
				    const struct vsw_mapping *,
				    const struct vsw_addr *);
static bool fall_back(struct composition *, const struct rule_route *,
		      const struct vsw_mapping *, struct way *ret_way);

static const uint8_t no_mac[6];

void
compose_route(struct composition *c, const struct rule_route *route)
{
	struct way way;

	if (!(c->key.has & (FLOW_HAS_IPV4 | FLOW_HAS_IPV6))) {
		narrate(c->narrator, "not IP: cannot be routed");
		compose_drop(c, VSW_DROP_NO_MAPPING, NULL);
		return;
	}
	if (!find_way(c, route, &way))
		return;
	narrate(c->narrator, "routed into \"%s\", VNI %u", way.mapping->name,
		way.mapping->vni);
	compose_set_mac(c, REWRITE_ETH_DST, way.place->mac);
	compose_set_mac(c, REWRITE_ETH_SRC, route->router_mac);
	c->key.vni = way.mapping->vni;
	c->rewrite.ops |= REWRITE_TTL;
	/* A rule's punt, too: not of what the host has seen. */
	if (!(c->key.has & FLOW_RESUMED))
		c->rewrite.ttl_reason = route->ttl_reason;
}

const struct place *
compose_unknown(struct composition *c, const struct vsw_mapping *mapping)
{
	const struct unknown *unknown = mapping_unknown(mapping);

	if (!unknown || c->key.tunnel)
		return NULL;
	if (unknown->punt_reason && !(c->key.has & FLOW_RESUMED)) {
		c->key.vni = mapping->vni;
		compose_punt(c, unknown->punt_reason);
		return NULL;
	}
	if (!unknown->has_place)
		return NULL;
	narrate(c->narrator, "goes where the unknown of mapping \"%s\" does",
		mapping->name);
	return &unknown->place;
}

/* False: it is over. */
static bool
find_way(struct composition *c, const struct rule_route *route,
	 struct way *ret_way)
{
	const struct vsw_mapping *first = NULL;
	uint64_t tried = 0;

	_Static_assert(VSW_MAX_NEXT_HOPS <= 64, "hops are bits");
	if (route->n_hops > 1 && c->key.has & FLOW_NO_FIRST) {
		compose_wait(c);
		return false;
	}
	for (uint32_t left = route->n_hops; left; left--) {
		const struct next_hop *hop =
			&route->hops[next_in_order(route, c->hash, &tried)];

		ret_way->mapping = hop->mapping;
		ret_way->place = find_hop(c, hop->mapping, &hop->addr);
		if (c->is_over)
			return false;
		if (ret_way->place)
			return true;
		if (!first)
			first = hop->mapping;
	}
	return fall_back(c, route, first, ret_way);
}

/* Highest weight first, where each hop draws a weight for each flow: what is
 * left when one is taken away keeps its order. */
static uint32_t
next_in_order(const struct rule_route *route, uint32_t hash, uint64_t *tried)
{
	uint64_t highest = 0;
	uint32_t best = UINT32_MAX;

	for (uint32_t i = 0; i < route->n_hops; i++) {
		uint64_t weight;

		if (*tried >> i & 1)
			continue;
		weight = hash_derive(route->hops[i].salt, (uint64_t) hash + 1);
		if (best == UINT32_MAX || weight > highest) {
			highest = weight;
			best = i;
		}
	}
	*tried |= UINT64_C(1) << best;
	return best;
}

/* NULL, having said why: not known.  May be over then. */
static const struct place *
find_hop(struct composition *c, const struct vsw_mapping *mapping,
	 const struct vsw_addr *hop)
{
	const uint8_t *addr = hop->n ? hop->bytes : flow_key_ip_dst(&c->key);
	unsigned size = hop->n ? hop->n
			: flow_key_is_ipv6(&c->key) ? 16 : 4;
	const struct place *place;
	char text[DESCRIBE_ADDR_SIZE];
	uint32_t n;

	narrate_addr(c->narrator, mapping->name, addr, size);
	place = mapping_find_addr(mapping, addr, size, &c->decision->deps,
				  &n);
	if (place)
		place += compose_pick(c, n);
	if (c->is_over)
		return NULL;
	if (place && memcmp(place->mac, no_mac, sizeof no_mac))
		return place;
	if (c->narrator) {
		describe_addr(addr, size, text);
		narrate(c->narrator, "%s %s mapping \"%s\"", text,
			place ? "has no MAC in" : "is not in", mapping->name);
	}
	return NULL;
}

static bool
fall_back(struct composition *c, const struct rule_route *route,
	  const struct vsw_mapping *mapping, struct way *ret_way)
{
	const struct place *place = compose_unknown(c, mapping);

	if (c->is_over)
		return false;
	if (!place || !memcmp(place->mac, no_mac, sizeof no_mac)) {
		c->key.vni = mapping->vni;
		if (route->unreachable_reason)
			compose_punt(c, route->unreachable_reason);
		else
			compose_drop(c, VSW_DROP_NO_MAPPING, NULL);
		return false;
	}
	ret_way->mapping = mapping;
	ret_way->place = place;
	return true;
}
