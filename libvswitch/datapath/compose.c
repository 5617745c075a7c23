/* SPDX-License-Identifier: Apache-2.0 */

/* Station 3 of the packet's way, second half: see worker.c. */

#include "libvswitch/datapath/compose.h"

#include <string.h>
#include "libvswitch/base/memory.h"
#include "libvswitch/base/switch.h"
#include "libvswitch/base/wire.h"
#include "libvswitch/datapath/describe.h"
#include "libvswitch/datapath/flow.h"
#include "libvswitch/datapath/learn.h"
#include "libvswitch/datapath/narrate.h"
#include "libvswitch/policy/group.h"
#include "libvswitch/policy/mapping.h"
#include "libvswitch/policy/outer.h"
#include "libvswitch/policy/port.h"

static bool add_address(struct composition *);
static void note_vlan(struct composition *);
static void edit(struct composition *, const struct rule *);
static void encap(struct composition *, const struct vsw_mapping *);
static void decap(struct composition *, const struct vsw_mapping *);
static void flood(struct composition *, const struct vsw_mapping *,
		  bool is_multicast);
static void to_unknown(struct composition *, const struct vsw_mapping *);
static void say_mac(const struct composition *, const struct vsw_mapping *,
		    const char *what);
static struct vsw_port *aim_at_one(struct composition *);
static const struct place *nth_local(const struct composition *,
				     uint32_t *n);
static struct vsw_port *aim_at_place(struct composition *,
				     const struct place *);
static void settle_size(struct composition *);
static void settle_mss(struct composition *, uint32_t size);
static uint32_t size_back(const struct composition *);
static uint32_t port_max_size(const struct composition *,
			      const struct vsw_port *);
static uint32_t frame_size(const struct composition *, uint32_t ip_size);
static uint32_t tag_size(uint16_t vlan);
static bool came_from(const struct composition *, const struct place *);

void
compose_rule(struct composition *c, const struct rule *rule)
{
	if (rule->actions & ACTION_DROP) {
		compose_drop(c, (enum vsw_drop) rule_drop(rule), NULL);
		return;
	}
	if (rule->actions & ACTION_LEARN)
		learn_source(c, rule_learn(rule));
	edit(c, rule);
	if (c->is_over)
		return;
	if (rule->actions & ACTION_PUNT && c->key.has & FLOW_RESUMED) {
		narrate(c->narrator, "not punted again");
	} else if (rule->actions & ACTION_PUNT) {
		compose_punt(c, rule_punt_reason(rule));
	} else if (rule->actions & ACTION_OUTPUT) {
		narrate(c->narrator, "output to port \"%s\"",
			rule_port(rule)->name);
		c->target = TARGET_PORT;
		c->port = rule_port(rule);
	} else if (rule->actions & ACTION_ENCAP) {
		encap(c, rule_mapping(rule));
	} else if (rule->actions & ACTION_DECAP) {
		decap(c, rule_mapping(rule));
	}
}

void
compose_drop(struct composition *c, enum vsw_drop drop,
	     struct vsw_port *counted_at)
{
	c->rewrite = (struct rewrite) {
		.drop = (uint8_t) drop, .port = counted_at
	};
	c->is_over = true;
}

void
compose_wait(struct composition *c)
{
	narrate(c->narrator, "waits: only the first fragment can tell");
	c->asks_first = true;
	compose_drop(c, VSW_DROP_FRAGMENT_LOST, NULL);
}

uint32_t
compose_n_copies(const struct composition *c)
{
	return c->target == TARGET_PLACES ? c->n_places : 1;
}

struct vsw_port *
compose_aim(struct composition *c, uint32_t i)
{
	struct vsw_port *port;

	if (c->target == TARGET_NONE) {
		compose_drop(c, c->key.tunnel ? VSW_DROP_UNKNOWN_VNI
					      : VSW_DROP_NO_OUTPUT, NULL);
		return NULL;
	}
	if (c->target == TARGET_PLACE)
		return aim_at_one(c);
	if (c->target == TARGET_PLACES) {
		if (came_from(c, &c->places[i])
		    || (c->is_local_only
			&& c->places[i].kind != PLACE_LOCAL))
			return NULL;
		c->rewrite.ops |= REWRITE_FLOOD;
		port = aim_at_place(c, &c->places[i]);
		if (port && c->is_multicast && c->addressing)
			address_copy(c, i);
		return port;
	}
	if (c->port == c->in_port) {
		compose_drop(c, VSW_DROP_SAME_PORT, NULL);
		return NULL;
	}
	c->rewrite.port = c->port;
	return c->port;
}

void
compose_end(struct composition *c)
{
	struct decision *d = c->decision;

	if (c->has_failed)
		return;
	if (d->n == (d->size ? d->size : 1)) {
		void *rewrites = d->size ? d->rewrites : NULL;

		if (memory_grow(&c->vsw->allocator, &rewrites, &d->size,
				d->n + 1, sizeof *d->rewrites)) {
			c->has_failed = true;
			return;
		}
		d->rewrites = rewrites;
		if (d->n == 1)
			d->rewrites[0] = d->one;
	}
	if (c->rewrite.drop == VSW_N_DROPS) {
		c->rewrite.vni = c->key.vni;
		note_vlan(c);
		settle_size(c);
	}
	if (c->rewrite.has_address && !add_address(c))
		return;
	d->rewrites[d->n++] = c->rewrite;
}

uint32_t
compose_pick(struct composition *c, uint32_t n)
{
	if (n > 1 && c->key.has & FLOW_NO_FIRST)
		compose_wait(c);
	return (uint32_t) ((uint64_t) c->hash * n >> 32);
}

void
compose_set_mac(struct composition *c, enum rewrite_ops op,
		const uint8_t mac[6])
{
	bool is_src = op == REWRITE_ETH_SRC;

	narrate(c->narrator, "%s MAC becomes "
		"%02x:%02x:%02x:%02x:%02x:%02x",
		is_src ? "source" : "destination", mac[0], mac[1], mac[2],
		mac[3], mac[4], mac[5]);
	c->rewrite.ops |= (uint8_t) op;
	memcpy(is_src ? c->rewrite.eth_src : c->rewrite.eth_dst, mac, 6);
	memcpy(is_src ? c->key.eth_src : c->key.eth_dst, mac, 6);
}

void
compose_punt(struct composition *c, uint32_t reason)
{
	narrate(c->narrator, "punted with reason %u", reason);
	c->rewrite = (struct rewrite) {
		.ops = REWRITE_PUNT, .drop = VSW_N_DROPS, .reason = reason
	};
	c->is_over = true;
}

static bool
add_address(struct composition *c)
{
	struct decision *d = c->decision;
	void *addresses = d->addresses;

	if (memory_grow(&c->vsw->allocator, &addresses, &d->size_addresses,
			d->n_addresses + 1, sizeof *d->addresses)) {
		c->has_failed = true;
		return false;
	}
	d->addresses = addresses;
	d->addresses[d->n_addresses++] = c->address;
	return true;
}

/* What came with the tag that it is to have needs no edit, whatever layers
 * made of it in between; nor does what is punted, as it came. */
static void
note_vlan(struct composition *c)
{
	if (c->rewrite.ops & REWRITE_PUNT
	    || c->key.vlan == c->headers->key.vlan)
		return;
	c->rewrite.ops |= REWRITE_VLAN;
	c->rewrite.vlan = c->key.vlan;
}

/* Headers first, whatever order they were added in: where to is decided by
 * what they have become. */
static void
edit(struct composition *c, const struct rule *rule)
{
	if (rule->actions & ACTION_ROUTE)
		compose_route(c, rule_route(rule));
	if (c->is_over)
		return;
	if (rule->actions & ACTION_ETH_SRC)
		compose_set_mac(c, REWRITE_ETH_SRC,
				rule_mac(rule, ACTION_ETH_SRC));
	if (rule->actions & ACTION_ETH_DST)
		compose_set_mac(c, REWRITE_ETH_DST,
				rule_mac(rule, ACTION_ETH_DST));
	if (rule->actions & ACTION_VLAN) {
		uint16_t vlan = rule_vlan(rule);

		narrate(c->narrator, vlan ? "VLAN becomes %u"
					  : "loses its VLAN tag",
			vlan & 0x0fffu);
		c->key.vlan = vlan;
	}
	if (rule->actions & ACTION_ADDRESS)
		c->addressing = rule_addresses_ip(rule) ? ADDRESSING_IP
							: ADDRESSING_MAC;
	if (rule->actions & ACTION_TTL) {
		narrate(c->narrator, "TTL goes down");
		c->rewrite.ops |= REWRITE_TTL;
	}
	if (rule->actions & ACTION_TOO_BIG) {
		c->rewrite.may_fragment = rule_too_big(rule)->may_fragment;
		/* As of the TTL: not of what the host has seen. */
		if (!(c->key.has & FLOW_RESUMED))
			c->rewrite.reason = rule_too_big(rule)->reason;
	}
	if (rule->actions & ACTION_MSS) {
		c->rewrite.ops |= REWRITE_MSS;
		c->rewrite.mss = rule_mss(rule);
	}
}

static void
encap(struct composition *c, const struct vsw_mapping *mapping)
{
	bool is_multicast = c->key.eth_dst[0] & 1;
	const struct place *places;
	uint32_t n;

	c->is_local_only = false;
	c->is_multicast = is_multicast;
	places = mapping_find_mac(mapping, c->key.eth_dst, &c->decision->deps,
				  &n);
	if (!places) {
		flood(c, mapping, is_multicast);
	} else if (is_multicast) {
		say_mac(c, mapping, "is a multicast group of");
		c->target = TARGET_PLACES;
		c->places = places;
		c->n_places = n;
	} else {
		say_mac(c, mapping, "is in");
		c->target = TARGET_PLACE;
		c->places = places;
		c->n_places = n;
	}
}

static void
decap(struct composition *c, const struct vsw_mapping *mapping)
{
	struct vsw_domain *domain = mapping->domain;

	if (!c->key.tunnel
	    || !endpoint_is_known(domain, flow_key_tunnel_src(&c->key),
				  flow_key_tunnel_is_ipv6(&c->key) ? 16 : 4,
				  &c->decision->deps)) {
		narrate(c->narrator, c->key.tunnel
			? "domain \"%s\" does not know the tunnel's source"
			: "not from a tunnel: not for domain \"%s\"",
			domain->name);
		compose_drop(c, VSW_DROP_UNKNOWN_PA, NULL);
		return;
	}
	encap(c, mapping);
	c->is_local_only = true;
}

static void
flood(struct composition *c, const struct vsw_mapping *mapping,
      bool is_multicast)
{
	const struct places *places = mapping_flood(mapping);

	if (!is_multicast && (!places || !places->unknown_unicast)) {
		say_mac(c, mapping, "is not in");
		to_unknown(c, mapping);
	} else if (!places) {
		say_mac(c, mapping, "is broadcast, which goes nowhere in");
		compose_drop(c, VSW_DROP_NO_FLOOD, NULL);
	} else {
		say_mac(c, mapping, "goes to all of");
		c->target = TARGET_PLACES;
		c->places = places->places;
		c->n_places = places->n;
	}
}

static void
to_unknown(struct composition *c, const struct vsw_mapping *mapping)
{
	const struct place *place = compose_unknown(c, mapping);

	if (c->is_over)
		return;
	if (!place) {
		compose_drop(c, VSW_DROP_NO_MAPPING, NULL);
		return;
	}
	c->target = TARGET_PLACE;
	c->places = place;
	c->n_places = 1;
}

static void
say_mac(const struct composition *c, const struct vsw_mapping *mapping,
	const char *what)
{
	const uint8_t *mac = c->key.eth_dst;

	narrate_mac(c->narrator, mapping->name, mac);
	narrate(c->narrator, "%02x:%02x:%02x:%02x:%02x:%02x %s mapping "
		"\"%s\"", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5],
		what, mapping->name);
}

static struct vsw_port *
aim_at_one(struct composition *c)
{
	const struct place *place;

	if (c->is_local_only) {
		uint32_t n = UINT32_MAX;

		/* Whoever sent it chose this host: the choice that is left is
		 * among its ports. */
		nth_local(c, &n);
		n = compose_pick(c, n);
		place = nth_local(c, &n);
		if (!place) {
			compose_drop(c, VSW_DROP_NOT_LOCAL, NULL);
			return NULL;
		}
	} else {
		place = c->places + compose_pick(c, c->n_places);
	}
	if (c->is_over)
		return NULL;
	if (came_from(c, place)) {
		compose_drop(c, VSW_DROP_SAME_PORT, NULL);
		return NULL;
	}
	return aim_at_place(c, place);
}

/* The local place that has '*n' local ones before it; if there are not so
 * many, NULL, and how many there are in '*n'. */
static const struct place *
nth_local(const struct composition *c, uint32_t *n)
{
	uint32_t n_local = 0;

	for (uint32_t i = 0; i < c->n_places; i++) {
		if (c->places[i].kind != PLACE_LOCAL)
			continue;
		if (n_local == *n)
			return &c->places[i];
		n_local++;
	}
	*n = n_local;
	return NULL;
}

static struct vsw_port *
aim_at_place(struct composition *c, const struct place *place)
{
	const struct outer *outer;

	if (place->kind == PLACE_LOCAL) {
		narrate_target(c->narrator, place->port, "to port \"%s\"",
			       place->port->name);
		c->rewrite.port = place->port;
		return place->port;
	}
	outer = endpoint_outer(place->endpoint, c->hash);
	if (c->narrator) {
		char text[DESCRIBE_ADDR_SIZE];

		describe_addr(outer->tunnel.dst.bytes, outer->tunnel.dst.n,
			      text);
		narrate_target(c->narrator, outer->uplink,
			       "to %s, %s, VNI %u", text,
			       outer->tunnel.encap == VSW_ENCAP_NVGRE
			       ? "NVGRE" : "VXLAN", outer->tunnel.vni);
	}
	if (outer->drop != VSW_N_DROPS) {
		compose_drop(c, outer->drop, NULL);
		return NULL;
	}
	c->rewrite.ops |= REWRITE_ENCAP;
	c->rewrite.outer = outer;
	c->rewrite.port = outer->uplink;
	return outer->uplink;
}

/* How large the frame may be, as it came: on its way it may lose a tag, or get
 * one. */
static void
settle_size(struct composition *c)
{
	struct rewrite *rewrite = &c->rewrite;
	uint32_t size = UINT32_MAX;

	if (rewrite->ops & REWRITE_ENCAP)
		size = rewrite->outer->max_size + tag_size(c->headers->key.vlan)
		       - tag_size(c->key.vlan);
	else if (rewrite->port)
		size = port_max_size(c, rewrite->port);
	if (rewrite->ops & REWRITE_MSS)
		settle_mss(c, size);
	rewrite->max_size = (uint16_t) (size < FIT_ANY ? size : FIT_ANY);
}

/* What TCP is to agree on: what fits on the way there, and on the way back. */
static void
settle_mss(struct composition *c, uint32_t size)
{
	struct rewrite *rewrite = &c->rewrite;
	uint32_t back = size_back(c), mss;
	uint32_t headers = frame_size(c, c->key.has & FLOW_HAS_IPV6
				      ? IPV6_HEADER_SIZE : IPV4_HEADER_SIZE)
			   + TCP_HEADER_SIZE;

	if (back < size)
		size = back;
	mss = size > headers ? size - headers : 0;
	if (rewrite->mss && mss > rewrite->mss)
		mss = rewrite->mss;
	rewrite->ops &= (uint8_t) ~REWRITE_MSS;
	rewrite->mss = 0;
	/* Nothing that can be said, or not more than is said anyway. */
	if (c->key.ip_proto != IP_PROTO_TCP
	    || c->key.fragment == VSW_FRAGMENT_LATER
	    || !mss || mss >= UINT16_MAX)
		return;
	narrate(c->narrator, "segments are %u at most", mss);
	rewrite->ops |= REWRITE_MSS;
	rewrite->mss = (uint16_t) mss;
}

/* Of what goes where the packet came from. */
static uint32_t
size_back(const struct composition *c)
{
	return c->key.tunnel
	       ? outer_max_size(c->in_port, flow_key_tunnel_is_ipv6(&c->key),
				(uint8_t) c->key.tunnel)
	       : port_max_size(c, c->in_port);
}

static uint32_t
port_max_size(const struct composition *c, const struct vsw_port *port)
{
	uint32_t mtu = atomic_load_explicit(&port->mtu, memory_order_relaxed);

	return mtu ? frame_size(c, mtu) : UINT32_MAX;
}

/* Of a frame like the packet's with so large an IP packet. */
static uint32_t
frame_size(const struct composition *c, uint32_t ip_size)
{
	return ETH_HEADER_SIZE + tag_size(c->headers->key.vlan) + ip_size;
}

static uint32_t
tag_size(uint16_t vlan)
{
	return vlan ? VLAN_HEADER_SIZE : 0;
}

static bool
came_from(const struct composition *c, const struct place *place)
{
	const struct vsw_addr *pa;

	if (place->kind == PLACE_LOCAL)
		return place->port == c->in_port;
	pa = &place->endpoint->provider->pa;
	return c->key.tunnel
	       && pa->n == (flow_key_tunnel_is_ipv6(&c->key) ? 16 : 4)
	       && !memcmp(pa->bytes, flow_key_tunnel_src(&c->key), pa->n);
}
