/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/policy/rule.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "libvswitch/base/hash.h"
#include "libvswitch/base/memory.h"
#include "libvswitch/base/switch.h"
#include "libvswitch/policy/counter.h"
#include "libvswitch/policy/group.h"
#include "libvswitch/policy/mapping.h"
#include "libvswitch/policy/port.h"
#include "libvswitch/policy/set.h"

enum { VLAN_PRESENT = 0x1000 };

static bool accepts(const struct vsw_rule *);
static void fail(struct vsw_rule *, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void add_match(struct vsw_rule *, const struct match *);
static bool fits(struct vsw_rule *, enum vsw_field, const struct vsw_set *);
static bool add_action(struct vsw_rule *, enum rule_action,
		       const char *what);
static struct vsw_mapping *hold(struct vsw_rule *, struct vsw_mapping *,
				enum rule_action, const char *what);
static bool check(struct vsw_rule *, struct vsw_mapping *, const char *what);
static bool add_next_hop(struct vsw_rule *, struct next_hop *,
			 const struct vsw_next_hop *);
static uint64_t salt_of(const struct next_hop *);
static void free_next_hops(const struct vsw_allocator *, struct next_hops *);
static size_t next_hops_size(size_t n);

struct vsw_rule *
rule_new(struct vsw_group *group, uint32_t priority, uint32_t number,
	 const char *name)
{
	const struct vsw_allocator *allocator = &group->vsw->allocator;
	struct vsw_rule *rule = memory_alloc(allocator, 0, sizeof *rule);

	if (!rule)
		return NULL;
	rule->group = group;
	rule->priority = priority;
	rule->number = number;
	if (name) {
		rule->name = memory_strdup(allocator, name);
		if (!rule->name) {
			memory_free(allocator, rule, sizeof *rule);
			return NULL;
		}
	}
	return rule;
}

void
rule_free(struct vsw_rule *rule)
{
	const struct vsw_allocator *allocator = &rule->group->vsw->allocator;

	for (size_t i = 0; i < rule->n_matches; i++)
		if (rule->matches[i].kind == MATCH_SET)
			vsw_set_unref(rule->matches[i].set);
	memory_free(allocator, rule->matches,
		    rule->matches_room * sizeof *rule->matches);
	port_unref(rule->port);
	vsw_mapping_unref(rule->mapping);
	vsw_mapping_unref(rule->route);
	vsw_mapping_unref(rule->learn);
	vsw_counter_unref(rule->counter);
	free_next_hops(allocator, rule->next_hops);
	memory_free_string(allocator, rule->name);
	memory_free(allocator, rule, sizeof *rule);
}

void
vsw_rule_match(struct vsw_rule *rule, enum vsw_field field, const void *value,
	       const void *mask)
{
	struct match match = { .field = (uint8_t) field, .kind = MATCH_MASK };
	unsigned size = field_size(field);

	if (!accepts(rule))
		return;
	if (!size || !value) {
		fail(rule, -EINVAL, "match on field %d without %s",
		     (int) field, size ? "a value" : "such a field");
		return;
	}
	if (field == VSW_FIELD_VNI
	    && *(const uint8_t *) value & (mask ? *(const uint8_t *) mask
						: 0xff)) {
		fail(rule, -EINVAL, "match on a VNI of more than 24 bits, "
		     "which is in network byte order");
		return;
	}
	match.mask = mask ? point_of(mask, size) : point_ones(size * 8);
	match.value = point_and(point_of(value, size), match.mask);
	add_match(rule, &match);
}

void
vsw_rule_match_set(struct vsw_rule *rule, enum vsw_field field,
		   struct vsw_set *set)
{
	char problem[DRAFT_PROBLEM_SIZE / 2];
	int error;

	if (!accepts(rule))
		return;
	if (!set) {
		fail(rule, -EINVAL, "no set");
		return;
	}
	if (!fits(rule, field, set))
		return;
	error = vsw_set_seal(set, problem, sizeof problem);
	if (error) {
		fail(rule, error, "%s", problem);
		return;
	}
	add_match(rule, &(struct match) {
		.field = (uint8_t) field, .kind = MATCH_SET, .set = set
	});
}

void
vsw_rule_match_range(struct vsw_rule *rule, enum vsw_field field,
		     uint16_t first, uint16_t last)
{
	if (!accepts(rule))
		return;
	if (!field_size(field) || field_size(field) > 2) {
		fail(rule, -EINVAL, "a range on field %s",
		     field_size(field) ? field_name(field) : "that is none");
		return;
	}
	if (first > last) {
		fail(rule, -EINVAL, "%s range %u-%u is empty",
		     field == VSW_FIELD_L4_SRC || field == VSW_FIELD_L4_DST
		     ? "port" : field_name(field), first, last);
		return;
	}
	add_match(rule, &(struct match) {
		.field = (uint8_t) field, .kind = MATCH_RANGE,
		.range = { { 0, first }, { 0, last } }
	});
}

void
vsw_rule_terminate(struct vsw_rule *rule)
{
	if (accepts(rule))
		rule->is_terminating = true;
}

void
vsw_rule_drop(struct vsw_rule *rule)
{
	(void) add_action(rule, ACTION_DROP, "drop");
}

void
vsw_rule_drop_as(struct vsw_rule *rule, int drop)
{
	if (!add_action(rule, ACTION_DROP, "drop"))
		return;
	if (drop < 0 || drop >= VSW_N_DROPS) {
		fail(rule, -EINVAL, "drop as %d, which is no drop", drop);
		return;
	}
	if (drop == VSW_DROP_RULE)
		return;
	rule->actions |= ACTION_DROP_AS;
	rule->drop = (uint16_t) drop;
}

void
vsw_rule_track(struct vsw_rule *rule)
{
	add_action(rule, ACTION_TRACK, "track");
}

void
vsw_rule_output(struct vsw_rule *rule, struct vsw_port *port)
{
	if (!add_action(rule, ACTION_OUTPUT, "output"))
		return;
	if (!port)
		fail(rule, -EINVAL, "output to no port");
	else if (port->vsw != rule->group->vsw)
		fail(rule, -EINVAL, "port \"%s\" is in another switch",
		     port->name);
	else
		rule->port = port_ref(port);
}

void
vsw_rule_punt(struct vsw_rule *rule, uint32_t reason)
{
	if (add_action(rule, ACTION_PUNT, "punt"))
		rule->punt_reason = reason;
}

void
vsw_rule_encap(struct vsw_rule *rule, struct vsw_mapping *mapping)
{
	struct vsw_mapping *held = hold(rule, mapping, ACTION_ENCAP, "encap");

	if (held)
		rule->mapping = held;
}

void
vsw_rule_decap(struct vsw_rule *rule, struct vsw_mapping *mapping)
{
	struct vsw_mapping *held = hold(rule, mapping, ACTION_DECAP, "decap");

	if (held)
		rule->mapping = held;
}

void
vsw_rule_set_eth_src(struct vsw_rule *rule, const uint8_t mac[6])
{
	if (add_action(rule, ACTION_ETH_SRC, "set_eth_src"))
		memcpy(rule->eth_src, mac, sizeof rule->eth_src);
}

void
vsw_rule_set_eth_dst(struct vsw_rule *rule, const uint8_t mac[6])
{
	if (add_action(rule, ACTION_ETH_DST, "set_eth_dst"))
		memcpy(rule->eth_dst, mac, sizeof rule->eth_dst);
}

void
vsw_rule_set_vlan(struct vsw_rule *rule, uint16_t vlan)
{
	if (!add_action(rule, ACTION_VLAN, "set_vlan"))
		return;
	if (vlan > VLAN_MAX)
		fail(rule, -EINVAL, "%u is no VLAN", vlan);
	else
		rule->vlan = vlan ? vlan | VLAN_PRESENT : 0;
}

void
vsw_rule_decrement_ttl(struct vsw_rule *rule)
{
	(void) add_action(rule, ACTION_TTL, "decrement_ttl");
}

void
vsw_rule_too_big(struct vsw_rule *rule, bool may_fragment, uint32_t reason)
{
	if (!add_action(rule, ACTION_TOO_BIG, "too_big"))
		return;
	rule->may_fragment = may_fragment;
	rule->too_big_reason = reason;
}

void
vsw_rule_clamp_mss(struct vsw_rule *rule, uint16_t mss)
{
	if (add_action(rule, ACTION_MSS, "clamp_mss"))
		rule->mss = mss;
}

void
vsw_rule_address_copies(struct vsw_rule *rule, bool ip)
{
	if (add_action(rule, ACTION_ADDRESS, "address_copies"))
		rule->addresses_ip = ip;
}

void
vsw_rule_unreachable(struct vsw_rule *rule, uint32_t reason)
{
	if (accepts(rule))
		rule->unreachable_reason = reason;
}

void
vsw_rule_route(struct vsw_rule *rule, struct vsw_mapping *mapping,
	       const struct vsw_addr *next_hop, const uint8_t router_mac[6],
	       uint32_t ttl_reason)
{
	struct vsw_mapping *held = hold(rule, mapping, ACTION_ROUTE, "route");

	if (!held)
		return;
	rule->route = held;
	if (next_hop && next_hop->n && next_hop->n != 4 && next_hop->n != 16) {
		fail(rule, -EINVAL, "next hop is not an address");
		return;
	}
	if (next_hop)
		rule->next_hop = *next_hop;
	memcpy(rule->router_mac, router_mac, sizeof rule->router_mac);
	rule->ttl_reason = ttl_reason;
}

void
vsw_rule_learn(struct vsw_rule *rule, struct vsw_mapping *mapping,
	       uint64_t tag)
{
	struct vsw_mapping *held = hold(rule, mapping, ACTION_LEARN, "learn");

	if (!held)
		return;
	rule->learn = held;
	rule->learn_tag = tag;
}

void
vsw_rule_log(struct vsw_rule *rule, uint16_t tag)
{
	if (!accepts(rule))
		return;
	rule->actions &= ~(uint32_t) ACTION_LOG;
	if (tag)
		rule->actions |= ACTION_LOG;
	rule->log_tag = tag;
}

void
vsw_rule_count(struct vsw_rule *rule, struct vsw_counter *counter)
{
	if (!accepts(rule))
		return;
	vsw_counter_unref(rule->counter);
	rule->counter = counter ? counter_ref(counter) : NULL;
}

void
vsw_rule_route_any(struct vsw_rule *rule, const struct vsw_next_hop hops[],
		   size_t n_hops, const uint8_t router_mac[6],
		   uint32_t ttl_reason)
{
	struct next_hops *all;

	if (!add_action(rule, ACTION_ROUTE, "route"))
		return;
	if (!n_hops || n_hops > VSW_MAX_NEXT_HOPS) {
		fail(rule, n_hops ? -E2BIG : -EINVAL,
		     "route by %zu next hops, of 1 to %u", n_hops,
		     VSW_MAX_NEXT_HOPS);
		return;
	}
	all = memory_alloc(&rule->group->vsw->allocator, 0,
			   next_hops_size(n_hops));
	if (!all) {
		fail(rule, -ENOMEM, "out of memory");
		return;
	}
	all->n = (uint32_t) n_hops;
	rule->next_hops = all;
	memcpy(rule->router_mac, router_mac, sizeof rule->router_mac);
	rule->ttl_reason = ttl_reason;
	/* The embedder's may be longer than those known here. */
	for (size_t i = 0; i < n_hops; i++)
		if (!add_next_hop(rule, &all->of[i],
				  (const struct vsw_next_hop *)
				  ((const char *) hops + i * hops->size)))
			return;
}

static bool
accepts(const struct vsw_rule *rule)
{
	if (!rule)
		return false;
	if (rule->group->draft.is_sealed)
		switch_log(rule->group->vsw, VSW_LOG_ERROR,
			   "group \"%s\" is sealed: rule %u stays as it is",
			   rule->group->name, rule->number);
	return draft_is_open(&rule->group->draft);
}

static void
fail(struct vsw_rule *rule, int error, const char *format, ...)
{
	char what[DRAFT_PROBLEM_SIZE / 2];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	if (rule->name)
		draft_fail(&rule->group->draft, error,
			   "group \"%.40s\", rule %u \"%.40s\": %s",
			   rule->group->name, rule->number, rule->name, what);
	else
		draft_fail(&rule->group->draft, error,
			   "group \"%.40s\", rule %u: %s", rule->group->name,
			   rule->number, what);
}

static void
add_match(struct vsw_rule *rule, const struct match *match)
{
	if (memory_grow(&rule->group->vsw->allocator,
			(void **) &rule->matches, &rule->matches_room,
			rule->n_matches + 1, sizeof *match)) {
		fail(rule, -ENOMEM, "out of memory");
		return;
	}
	rule->matches[rule->n_matches++] = *match;
	if (match->kind == MATCH_SET)
		set_ref(match->set);
}

static bool
fits(struct vsw_rule *rule, enum vsw_field field, const struct vsw_set *set)
{
	bool is_address = field >= VSW_FIELD_IPV4_SRC
			  && field <= VSW_FIELD_IPV6_DST;
	bool is_port = field == VSW_FIELD_L4_SRC || field == VSW_FIELD_L4_DST;

	if (set->vsw != rule->group->vsw) {
		fail(rule, -EINVAL, "set \"%.40s\" is of another switch",
		     set->name);
		return false;
	}
	if (set->kind == VSW_SET_ADDRESSES ? is_address : is_port)
		return true;
	fail(rule, -EINVAL, "set \"%.40s\" of %s does not fit field %s",
	     set->name,
	     set->kind == VSW_SET_ADDRESSES ? "addresses" : "ports",
	     field_size(field) ? field_name(field) : "that is none");
	return false;
}

static bool
add_action(struct vsw_rule *rule, enum rule_action action, const char *what)
{
	unsigned all;

	if (!accepts(rule))
		return false;
	if (rule->actions & action) {
		fail(rule, -EINVAL, "%s twice", what);
		return false;
	}
	all = (rule->actions & ~(unsigned) ACTION_BESIDE) | (unsigned) action;
	if (all & ACTION_DROP && all != ACTION_DROP) {
		fail(rule, -EINVAL, "%s, but drop stands alone", what);
		return false;
	}
	if (all & ACTION_TRACK && all != ACTION_TRACK) {
		fail(rule, -EINVAL, "%s, but track stands alone", what);
		return false;
	}
	if (action & ACTION_ENDS && rule->actions & ACTION_ENDS) {
		fail(rule, -EINVAL, "%s, but the rule says already where to",
		     what);
		return false;
	}
	rule->actions |= (uint32_t) action;
	return true;
}

static struct vsw_mapping *
hold(struct vsw_rule *rule, struct vsw_mapping *mapping,
     enum rule_action action, const char *what)
{
	if (!add_action(rule, action, what) || !check(rule, mapping, what))
		return NULL;
	return mapping_ref(mapping);
}

static bool
check(struct vsw_rule *rule, struct vsw_mapping *mapping, const char *what)
{
	if (!mapping)
		fail(rule, -EINVAL, "%s by no mapping", what);
	else if (mapping->domain->vsw != rule->group->vsw)
		fail(rule, -EINVAL, "mapping \"%.40s\" is of another switch",
		     mapping->name);
	else
		return true;
	return false;
}

static bool
add_next_hop(struct vsw_rule *rule, struct next_hop *hop,
	     const struct vsw_next_hop *from)
{
	if (from->size < sizeof *from || (from->addr.n && from->addr.n != 4
					  && from->addr.n != 16)) {
		fail(rule, -EINVAL, "next hop is not an address");
		return false;
	}
	if (!check(rule, from->mapping, "route"))
		return false;
	hop->mapping = mapping_ref(from->mapping);
	hop->addr.n = from->addr.n;
	memcpy(hop->addr.bytes, from->addr.bytes, from->addr.n);
	hop->salt = salt_of(hop);
	return true;
}

/* The same in any group, so that a flow keeps its order when one is made
 * anew. */
static uint64_t
salt_of(const struct next_hop *hop)
{
	uint8_t bytes[sizeof hop->addr.bytes + sizeof hop->mapping->vni];

	memcpy(bytes, hop->addr.bytes, sizeof hop->addr.bytes);
	memcpy(bytes + sizeof hop->addr.bytes, &hop->mapping->vni,
	       sizeof hop->mapping->vni);
	return hash_bytes(bytes, sizeof bytes, hop->addr.n);
}

static void
free_next_hops(const struct vsw_allocator *allocator, struct next_hops *hops)
{
	if (!hops)
		return;
	for (uint32_t i = 0; i < hops->n; i++)
		vsw_mapping_unref(hops->of[i].mapping);
	memory_free(allocator, hops, next_hops_size(hops->n));
}

static size_t
next_hops_size(size_t n)
{
	return sizeof(struct next_hops) + n * sizeof(struct next_hop);
}
