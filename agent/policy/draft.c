/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/policy/draft.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "agent/base/memory.h"
#include "agent/policy/policy.h"

static const struct field_text {
	const char *name;
	enum { AS_MAC, AS_HEX, AS_NUMBER, AS_ADDRESS } as;
} field_texts[] = {
	[VSW_FIELD_ETH_SRC] = { "eth_src", AS_MAC },
	[VSW_FIELD_ETH_DST] = { "eth_dst", AS_MAC },
	[VSW_FIELD_ETH_TYPE] = { "eth_type", AS_HEX },
	[VSW_FIELD_VLAN] = { "vlan", AS_HEX },
	[VSW_FIELD_IP_PROTO] = { "ip_proto", AS_NUMBER },
	[VSW_FIELD_IPV4_SRC] = { "ipv4_src", AS_ADDRESS },
	[VSW_FIELD_IPV4_DST] = { "ipv4_dst", AS_ADDRESS },
	[VSW_FIELD_IPV6_SRC] = { "ipv6_src", AS_ADDRESS },
	[VSW_FIELD_IPV6_DST] = { "ipv6_dst", AS_ADDRESS },
	[VSW_FIELD_L4_SRC] = { "l4_src", AS_NUMBER },
	[VSW_FIELD_L4_DST] = { "l4_dst", AS_NUMBER },
	[VSW_FIELD_FRAGMENT] = { "fragment", AS_NUMBER },
	[VSW_FIELD_VNI] = { "vni", AS_NUMBER },
	[VSW_FIELD_TUNNEL_SRC4] = { "tunnel_src", AS_ADDRESS },
	[VSW_FIELD_TUNNEL_DST4] = { "tunnel_dst", AS_ADDRESS },
	[VSW_FIELD_TUNNEL_SRC6] = { "tunnel_src", AS_ADDRESS },
	[VSW_FIELD_TUNNEL_DST6] = { "tunnel_dst", AS_ADDRESS }
};
static_assert(sizeof field_texts / sizeof *field_texts == VSW_N_FIELDS,
	      "each field has a name");

static char *format_text(const char *format, va_list)
	__attribute__((format(printf, 1, 0)));
static struct draft_match *add_match(struct draft_rule *, enum vsw_field,
				     size_t size);
static void done_rule(struct draft_rule *);
static bool sets_equal(const struct draft_set *, const struct draft_set *);
static bool hops_equal(const struct draft_rule *, const struct draft_rule *);
static bool rules_equal(const struct draft_rule *, const struct draft_rule *);
static void print_match(const struct draft_match *, FILE *);
static void print_set(const struct draft_match *, FILE *);
static unsigned count_bits(const struct draft_match *);
static void print_action(const struct draft_rule *, FILE *);
static void print_route(const struct draft_rule *, FILE *);

struct draft_group *
draft_group_new(const char *format, ...)
{
	struct draft_group *group = xcalloc(1, sizeof *group);
	va_list args;

	va_start(args, format);
	group->name = format_text(format, args);
	va_end(args);
	return group;
}

void
draft_group_free(struct draft_group *group)
{
	if (!group)
		return;
	for (size_t i = 0; i < group->n; i++)
		done_rule(&group->rules[i]);
	free(group->rules);
	free(group->name);
	free(group);
}

struct draft_rule *
draft_group_add_rule(struct draft_group *group, uint32_t priority,
		     enum draft_action action, const char *format, ...)
{
	struct draft_rule *rule;
	va_list args;

	if (group->n == group->size) {
		group->size = group->size ? group->size * 2 : 8;
		group->rules = xrealloc(group->rules, group->size
					* sizeof *group->rules);
	}
	rule = &group->rules[group->n++];
	memset(rule, 0, sizeof *rule);
	rule->priority = priority;
	rule->action = action;
	va_start(args, format);
	rule->name = format_text(format, args);
	va_end(args);
	return rule;
}

void
draft_rule_match(struct draft_rule *rule, enum vsw_field field,
		 const void *value, size_t size)
{
	struct draft_match *match = add_match(rule, field, size);

	memcpy(match->value, value, size);
	memset(match->mask, 0xff, size);
}

void
draft_rule_match_any(struct draft_rule *rule, enum vsw_field field,
		     size_t size)
{
	add_match(rule, field, size);
}

void
draft_rule_match_u16(struct draft_rule *rule, enum vsw_field field,
		     uint16_t value)
{
	uint16_t be = htons(value);

	draft_rule_match(rule, field, &be, sizeof be);
}

void
draft_rule_match_u32(struct draft_rule *rule, enum vsw_field field,
		     uint32_t value)
{
	uint32_t be = htonl(value);

	draft_rule_match(rule, field, &be, sizeof be);
}

void
draft_rule_match_dst(struct draft_rule *rule, const struct vsw_addr *addr,
		     unsigned bits)
{
	draft_rule_match_prefix(rule, VSW_FIELD_IPV4_DST, addr, bits);
}

void
draft_rule_match_prefix(struct draft_rule *rule, enum vsw_field field,
			const struct vsw_addr *addr, unsigned bits)
{
	bool is_src = field == VSW_FIELD_IPV4_SRC
		      || field == VSW_FIELD_IPV6_SRC;
	struct draft_match *match =
		add_match(rule, addr->n == 4
					? is_src ? VSW_FIELD_IPV4_SRC
						 : VSW_FIELD_IPV4_DST
					: is_src ? VSW_FIELD_IPV6_SRC
						 : VSW_FIELD_IPV6_DST,
			  addr->n);

	memcpy(match->value, addr->bytes, addr->n);
	for (unsigned i = 0; i < bits; i++)
		match->mask[i / 8] |= (uint8_t) (0x80 >> i % 8);
}

struct draft_set *
draft_rule_match_set(struct draft_rule *rule, enum vsw_field field)
{
	struct draft_match *match = add_match(rule, field, 0);

	match->set = xcalloc(1, sizeof *match->set);
	return match->set;
}

void
draft_set_add_prefix(struct draft_set *set, const struct vsw_addr *addr,
		     unsigned bits)
{
	struct draft_prefix *prefix;

	if (!(set->n_prefixes & (set->n_prefixes + 1)))
		set->prefixes = xrealloc(set->prefixes,
					 (2 * set->n_prefixes + 1)
					 * sizeof *set->prefixes);
	prefix = &set->prefixes[set->n_prefixes++];
	memset(prefix, 0, sizeof *prefix);
	prefix->addr.n = addr->n;
	memcpy(prefix->addr.bytes, addr->bytes, addr->n);
	prefix->bits = bits;
}

void
draft_set_add_range(struct draft_set *set, uint16_t first, uint16_t last)
{
	if (!(set->n_ranges & (set->n_ranges + 1)))
		set->ranges = xrealloc(set->ranges, (2 * set->n_ranges + 1)
				       * sizeof *set->ranges);
	set->ranges[set->n_ranges].first = first;
	set->ranges[set->n_ranges++].last = last;
}

void
draft_rule_match_range(struct draft_rule *rule, enum vsw_field field,
		       uint16_t first, uint16_t last)
{
	struct draft_match *match = add_match(rule, field, 2);

	match->is_range = true;
	match->first = first;
	match->last = last;
}

void
draft_rule_match_multicast(struct draft_rule *rule)
{
	struct draft_match *match = add_match(rule, VSW_FIELD_ETH_DST, 6);

	match->value[0] = match->mask[0] = 1;
}

void
draft_rule_set_subnet(struct draft_rule *rule, struct model_subnet *subnet)
{
	rule->subnet = subnet;
	rule->vni = subnet->vni;
}

void
draft_rule_set_sizes(struct draft_rule *rule, uint32_t too_big_reason)
{
	rule->too_big_reason = too_big_reason;
	rule->may_fragment = !rule->subnet->keeps_whole;
	rule->clamps_mss = rule->subnet->clamps_mss;
}

void
draft_rule_set_hops(struct draft_rule *rule, const struct draft_hop *hops,
		    size_t n)
{
	if (n == 1) {
		draft_rule_set_subnet(rule, hops[0].subnet);
		rule->next_hop = hops[0].addr;
		return;
	}
	rule->hops = xmemdup(hops, n * sizeof *hops);
	rule->n_hops = n;
	for (size_t i = 0; i < n; i++)
		rule->hops[i].vni = hops[i].subnet->vni;
}

bool
draft_group_equal(const struct draft_group *a, const struct draft_group *b)
{
	if (a->n != b->n || strcmp(a->name, b->name))
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!rules_equal(&a->rules[i], &b->rules[i]))
			return false;
	return true;
}

void
draft_group_print(const struct draft_group *group, FILE *to)
{
	for (size_t i = 0; i < group->n; i++) {
		const struct draft_rule *rule = &group->rules[i];

		fprintf(to, "%u \"%s\": ", rule->priority, rule->name);
		for (size_t j = 0; j < rule->n_matches; j++) {
			fputs(j ? ", " : "", to);
			print_match(&rule->matches[j], to);
		}
		fputs(rule->n_matches ? " -> " : "any -> ", to);
		print_action(rule, to);
		fputs(rule->is_logged ? ", log" : "", to);
		fputs(rule->is_terminating ? ", end\n" : "\n", to);
	}
}

const char *
draft_punt_name(uint32_t reason)
{
	switch (reason) {
	case PUNT_ARP:
		return "arp";
	case PUNT_ND:
		return "nd";
	case PUNT_GATEWAY:
		return "gateway";
	case PUNT_TTL:
		return "ttl";
	case PUNT_MISSING:
		return "missing";
	case PUNT_NO_ROUTE:
		return "no route";
	case PUNT_UNREACHABLE:
		return "unreachable";
	case PUNT_TOO_BIG:
	case PUNT_TOO_BIG_HERE:
		return "too big";
	case PUNT_BFD:
		return "bfd";
	case PUNT_GROUP:
		return "group";
	}
	return "?";
}

static char *
format_text(const char *format, va_list args)
{
	char *text;

	if (vasprintf(&text, format, args) < 0)
		abort();
	return text;
}

static struct draft_match *
add_match(struct draft_rule *rule, enum vsw_field field, size_t size)
{
	struct draft_match *match;

	assert(rule->n_matches < DRAFT_MAX_MATCHES);
	match = &rule->matches[rule->n_matches++];
	match->field = field;
	match->size = (uint8_t) size;
	return match;
}

static void
done_rule(struct draft_rule *rule)
{
	for (size_t i = 0; i < rule->n_matches; i++) {
		struct draft_set *set = rule->matches[i].set;

		if (!set)
			continue;
		free(set->prefixes);
		free(set->ranges);
		free(set);
	}
	free(rule->hops);
	free(rule->name);
}

static bool
sets_equal(const struct draft_set *a, const struct draft_set *b)
{
	if (!a || !b)
		return a == b;
	return a->n_prefixes == b->n_prefixes && a->n_ranges == b->n_ranges
	       && (!a->n_prefixes
		   || !memcmp(a->prefixes, b->prefixes,
			      a->n_prefixes * sizeof *a->prefixes))
	       && (!a->n_ranges
		   || !memcmp(a->ranges, b->ranges,
			      a->n_ranges * sizeof *a->ranges));
}

static bool
hops_equal(const struct draft_rule *a, const struct draft_rule *b)
{
	if (a->n_hops != b->n_hops)
		return false;
	for (size_t i = 0; i < a->n_hops; i++)
		if (a->hops[i].vni != b->hops[i].vni
		    || memcmp(&a->hops[i].addr, &b->hops[i].addr,
			      sizeof a->hops[i].addr))
			return false;
	return true;
}

static bool
rules_equal(const struct draft_rule *a, const struct draft_rule *b)
{
	if (a->priority != b->priority || strcmp(a->name, b->name)
	    || a->n_matches != b->n_matches
	    || a->is_terminating != b->is_terminating
	    || a->is_logged != b->is_logged
	    || a->action != b->action || a->reason != b->reason
	    || a->vni != b->vni || a->next_hop.n != b->next_hop.n
	    || a->too_big_reason != b->too_big_reason
	    || a->may_fragment != b->may_fragment
	    || a->clamps_mss != b->clamps_mss
	    || a->copies != b->copies || a->to_all != b->to_all
	    || a->takes_tag != b->takes_tag || a->drop_as != b->drop_as
	    || memcmp(a->next_hop.bytes, b->next_hop.bytes, 16)
	    || memcmp(a->router_mac, b->router_mac, 6) || !hops_equal(a, b))
		return false;
	for (size_t i = 0; i < a->n_matches; i++) {
		const struct draft_match *x = &a->matches[i];
		const struct draft_match *y = &b->matches[i];

		if (x->field != y->field || !sets_equal(x->set, y->set)
		    || x->is_range != y->is_range
		    || x->first != y->first || x->last != y->last
		    || x->size != y->size || memcmp(x->value, y->value, 16)
		    || memcmp(x->mask, y->mask, 16))
			return false;
	}
	return true;
}

static void
print_match(const struct draft_match *match, FILE *to)
{
	const struct field_text *text = &field_texts[match->field];
	char mac[MODEL_MAC_TEXT_SIZE], address[MODEL_ADDR_TEXT_SIZE];
	struct vsw_addr addr;
	unsigned long number = 0;

	if (match->set) {
		print_set(match, to);
		return;
	}
	fprintf(to, "%s ", text->name);
	if (match->is_range) {
		fprintf(to, "%u-%u", match->first, match->last);
		return;
	}
	for (unsigned i = 0; i < match->size; i++)
		number = number << 8 | match->value[i];
	switch (text->as) {
	case AS_MAC:
		model_mac_to_text(match->value, mac);
		fputs(match->mask[0] == 1 ? "multicast" : mac, to);
		break;
	case AS_HEX:
		fprintf(to, "0x%04lx", number);
		break;
	case AS_NUMBER:
		fprintf(to, "%lu", number);
		break;
	case AS_ADDRESS:
		memset(&addr, 0, sizeof addr);
		addr.n = match->size;
		memcpy(addr.bytes, match->value, match->size);
		model_addr_to_text(&addr, address);
		fprintf(to, "%s/%u", address, count_bits(match));
		break;
	}
}

/* Either family's field stands for both. */
static void
print_set(const struct draft_match *match, FILE *to)
{
	const struct draft_set *set = match->set;

	fprintf(to, "%s {", match->field == VSW_FIELD_IPV4_SRC ? "ip_src"
			    : match->field == VSW_FIELD_IPV4_DST ? "ip_dst"
			    : field_texts[match->field].name);
	for (size_t i = 0; i < set->n_prefixes; i++) {
		char text[MODEL_ADDR_TEXT_SIZE];

		model_addr_to_text(&set->prefixes[i].addr, text);
		fprintf(to, "%s%s/%u", i ? " " : "", text,
			set->prefixes[i].bits);
	}
	for (size_t i = 0; i < set->n_ranges; i++)
		fprintf(to, "%s%u-%u", i ? " " : "", set->ranges[i].first,
			set->ranges[i].last);
	fputs("}", to);
}

static unsigned
count_bits(const struct draft_match *match)
{
	unsigned n = 0;

	while (n < match->size * 8u
	       && match->mask[n / 8] & (0x80 >> n % 8))
		n++;
	return n;
}

static void
print_action(const struct draft_rule *rule, FILE *to)
{
	char text[MODEL_ADDR_TEXT_SIZE];

	switch (rule->action) {
	case DRAFT_PASS:
		fputs("pass", to);
		break;
	case DRAFT_TRACK:
		fputs("track", to);
		break;
	case DRAFT_DROP:
		fprintf(to, "drop%s%s", rule->drop_as ? " as " : "",
			rule->drop_as ? vsw_drop_name(rule->drop_as) : "");
		break;
	case DRAFT_PUNT:
		fprintf(to, "punt %s", draft_punt_name(rule->reason));
		break;
	case DRAFT_ENCAP:
		fprintf(to, "encap by %u%s%s", rule->vni,
			rule->copies == COPIES_IP ? ", copies to each address"
			: rule->copies ? ", copies to each MAC" : "",
			rule->to_all ? ", as broadcast" : "");
		break;
	case DRAFT_DECAP:
		fprintf(to, "decap by %u", rule->vni);
		break;
	case DRAFT_LEARN:
		fprintf(to, "learn in %u", rule->vni);
		break;
	case DRAFT_ROUTE:
		print_route(rule, to);
		model_mac_to_text(rule->router_mac, text);
		fprintf(to, " as %s", text);
		break;
	}
	if (rule->too_big_reason && !rule->may_fragment)
		fputs(", never cut", to);
	if (rule->clamps_mss)
		fputs(", clamp mss", to);
	if (rule->takes_tag)
		fputs(", take tag off", to);
}

static void
print_route(const struct draft_rule *rule, FILE *to)
{
	const struct draft_hop one = {
		.vni = rule->vni, .addr = rule->next_hop
	};
	const struct draft_hop *hops = rule->n_hops ? rule->hops : &one;
	char text[MODEL_ADDR_TEXT_SIZE];

	for (size_t i = 0; !i || i < rule->n_hops; i++) {
		model_addr_to_text(&hops[i].addr, text);
		fprintf(to, "%s into %u%s%s", i ? " or" : "route",
			hops[i].vni, *text ? " via " : "", text);
	}
}
