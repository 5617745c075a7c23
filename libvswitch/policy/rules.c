/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/policy/rules.h"

#include <errno.h>
#include <string.h>
#include "libvswitch/base/hash.h"
#include "libvswitch/base/memory.h"
#include "libvswitch/base/switch.h"
#include "libvswitch/policy/counter.h"
#include "libvswitch/policy/group.h"
#include "libvswitch/policy/key.h"
#include "libvswitch/policy/mapping.h"
#include "libvswitch/policy/port.h"
#include "libvswitch/policy/set.h"

enum {
	ALIGNMENT = 8,
	/* Of a match, one byte says both: field | kind << KIND_SHIFT. */
	KIND_SHIFT = 5,
	FIELD_BITS = FIELD_ROOM - 1,
	KIND_EXACT = MATCH_SET + 1,	/* MATCH_MASK with all bits. */
	NO_MORE = 0xff,
	SIZE_LIMIT = 1 << 30
};

_Static_assert((int) VSW_N_FIELDS <= FIELD_BITS,
	       "a field is five bits, and one of a word's");
_Static_assert(sizeof(struct rule) == 24, "a head is 24 bytes");
_Static_assert(sizeof(struct rule_route)
	       + VSW_MAX_NEXT_HOPS * sizeof(struct next_hop) < 1 << 13,
	       "matches_at");
_Static_assert(ACTION_ADDRESS < 1 << 18, "actions");

struct rules {
	size_t size;			/* Of all. */
	uint32_t n;
	uint32_t at[];			/* Of each rule, from here on. */
};

/* What rules are asked about a packet. */
struct question {
	const struct flow_key *key;
	uint32_t has, unknown;		/* Fields: bits. */
};

/* Names while they are put together: by hash, where each is kept. */
struct names {
	const struct vsw_allocator *allocator;
	uint32_t *known;		/* In the block; 0: none. */
	size_t n_known;			/* Power of 2, or 0: not needed. */
	uint64_t seed;
};

static void drop_route(const struct rule_route *);
static int measure(const struct vsw_rule *const *, size_t n,
		   size_t *ret_names_at, size_t *ret_size);
static size_t size_of(const struct vsw_rule *);
static size_t size_of_action(enum rule_action);
static size_t size_of_match(const struct match *);
static inline size_t room_for(unsigned width, unsigned kind);
static bool is_exact(const struct match *);
static size_t put_rule(struct rule *, struct vsw_group *,
		       const struct vsw_rule *);
static uint8_t *put_actions(uint8_t *, const struct vsw_rule *);
static uint8_t *put_route(uint8_t *, const struct vsw_rule *);
static uint8_t *put_match(uint8_t *, const struct match *);
static uint8_t *put_number(uint8_t *, struct point, unsigned width);
static int names_init(struct names *, struct vsw *,
		      const struct vsw_rule *const *, size_t n);
static uint32_t put_name(struct names *, struct rules *, size_t *names_end,
			 const char *name);
static void shrink(const struct vsw_allocator *, struct rules **,
		   size_t size);
static const void *action(const struct rule *, enum rule_action);
static const uint8_t *get_match(const uint8_t *, struct match *ret_match);
static const uint8_t *get_number(const uint8_t *, unsigned width,
				 struct point *ret_number);
static inline uint64_t get_short(const uint8_t *, unsigned width);
static inline struct question question_of(const struct flow_key *);
static inline bool all_hold(const struct rule *, const struct question *,
			    uint32_t fields) __attribute__((always_inline));
static inline bool holds(const uint8_t *, unsigned field, unsigned kind,
			 unsigned width, const struct question *)
	__attribute__((always_inline));
static inline bool short_holds(const uint8_t *, unsigned width,
			       unsigned kind, uint64_t value);
static bool wide_holds(const uint8_t *, unsigned kind, struct point value);
static bool set_holds(const struct vsw_set *, enum vsw_field,
		      const struct question *);

static inline size_t
align(size_t size)
{
	return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

int
rules_new(struct vsw_group *group, const struct vsw_rule *const *drafts,
	  size_t n, struct rules **ret_rules)
{
	const struct vsw_allocator *allocator = &group->vsw->allocator;
	struct names names = { .allocator = allocator };
	size_t names_at, size, at, end;
	struct rules *rules;
	int error = measure(drafts, n, &names_at, &size);

	if (!error)
		error = names_init(&names, group->vsw, drafts, n);
	if (error)
		return error;
	rules = memory_alloc(allocator, ALIGNMENT, size);
	if (!rules) {
		error = -ENOMEM;
		goto out;
	}
	rules->size = size;
	rules->n = (uint32_t) n;
	at = align(sizeof *rules + n * sizeof rules->at[0]);
	end = names_at;
	for (size_t i = 0; i < n; i++) {
		struct rule *rule = (struct rule *) ((char *) rules + at);

		rules->at[i] = (uint32_t) at;
		at += put_rule(rule, group, drafts[i]);
		if (drafts[i]->name)
			rule->name_at = put_name(&names, rules, &end,
						 drafts[i]->name);
	}
	shrink(allocator, &rules, end);
	*ret_rules = rules;
out:
	memory_free(allocator, names.known,
		    names.n_known * sizeof *names.known);
	return error;
}

void
rules_free(const struct vsw_allocator *allocator, struct rules *rules)
{
	if (!rules)
		return;
	for (uint32_t i = 0; i < rules->n; i++) {
		const struct rule *rule = rules_get(rules, i);
		const uint8_t *at = NULL;
		struct match match;

		if (rule->actions & ACTION_OUTPUT)
			port_unref(rule_port(rule));
		if (rule->actions & (ACTION_ENCAP | ACTION_DECAP))
			vsw_mapping_unref(rule_mapping(rule));
		if (rule->actions & ACTION_ROUTE)
			drop_route(rule_route(rule));
		if (rule->actions & ACTION_LEARN)
			vsw_mapping_unref(rule_learn(rule)->mapping);
		vsw_counter_unref(rule_counter(rule));
		while (rule_next_match(rule, &at, &match))
			if (match.kind == MATCH_SET)
				vsw_set_unref(match.set);
	}
	memory_free(allocator, rules, rules->size);
}

uint32_t
rules_n(const struct rules *rules)
{
	return rules->n;
}

size_t
rules_size(const struct rules *rules)
{
	return rules->size;
}

const struct rule *
rules_get(const struct rules *rules, uint32_t i)
{
	return (const struct rule *) ((const char *) rules + rules->at[i]);
}

const char *
rule_name(const struct rule *rule)
{
	return rule->name_at
	       ? (const char *) rule->group->rules + rule->name_at : NULL;
}

struct vsw_counter *
rule_counter(const struct rule *rule)
{
	return rule->has_counter
	       ? *(struct vsw_counter *const *) (rule + 1) : NULL;
}

struct vsw_port *
rule_port(const struct rule *rule)
{
	return *(struct vsw_port *const *) action(rule, ACTION_OUTPUT);
}

uint32_t
rule_punt_reason(const struct rule *rule)
{
	return *(const uint32_t *) action(rule, ACTION_PUNT);
}

uint16_t
rule_vlan(const struct rule *rule)
{
	return *(const uint16_t *) action(rule, ACTION_VLAN);
}

uint16_t
rule_log_tag(const struct rule *rule)
{
	return rule->actions & ACTION_LOG
	       ? *(const uint16_t *) action(rule, ACTION_LOG) : 0;
}

uint16_t
rule_drop(const struct rule *rule)
{
	return rule->actions & ACTION_DROP_AS
	       ? *(const uint16_t *) action(rule, ACTION_DROP_AS)
	       : VSW_DROP_RULE;
}

uint16_t
rule_mss(const struct rule *rule)
{
	return *(const uint16_t *) action(rule, ACTION_MSS);
}

bool
rule_addresses_ip(const struct rule *rule)
{
	return *(const bool *) action(rule, ACTION_ADDRESS);
}

const struct rule_too_big *
rule_too_big(const struct rule *rule)
{
	return (const struct rule_too_big *) action(rule, ACTION_TOO_BIG);
}

struct vsw_mapping *
rule_mapping(const struct rule *rule)
{
	return *(struct vsw_mapping *const *)
		action(rule, rule->actions & ACTION_ENCAP ? ACTION_ENCAP
							  : ACTION_DECAP);
}

const struct rule_route *
rule_route(const struct rule *rule)
{
	return action(rule, ACTION_ROUTE);
}

const struct rule_learn *
rule_learn(const struct rule *rule)
{
	return action(rule, ACTION_LEARN);
}

const uint8_t *
rule_mac(const struct rule *rule, enum rule_action which)
{
	return action(rule, which);
}

uint32_t
rules_find(const struct rules *rules, uint32_t first, uint32_t n,
	   const struct flow_key *key)
{
	const struct question question = question_of(key);
	uint32_t i = first;

	while (i < first + n
	       && !all_hold(rules_get(rules, i), &question, UINT32_MAX))
		i++;
	return i;
}

bool
rule_matches(const struct rule *rule, const struct flow_key *key)
{
	return rule_matches_in(rule, key, UINT32_MAX);
}

bool
rule_matches_in(const struct rule *rule, const struct flow_key *key,
		uint32_t fields)
{
	const struct question question = question_of(key);

	return all_hold(rule, &question, fields);
}

bool
rule_asks_unknown(const struct rule *rule, const struct flow_key *key)
{
	const uint8_t *at = NULL;
	struct match match;

	while (rule_next_match(rule, &at, &match))
		if (field_is_unknown(key, match.field))
			return true;
	return false;
}

bool
rule_next_match(const struct rule *rule, const uint8_t **at,
		struct match *ret_match)
{
	const uint8_t *p = *at ? *at
			       : (const uint8_t *) rule + rule->matches_at;

	if (*p == NO_MORE)
		return false;
	*at = get_match(p, ret_match);
	return true;
}

static void
drop_route(const struct rule_route *route)
{
	for (uint32_t i = 0; i < route->n_hops; i++)
		vsw_mapping_unref(route->hops[i].mapping);
}

/* As if no name was there twice. */
static int
measure(const struct vsw_rule *const *drafts, size_t n, size_t *ret_names_at,
	size_t *ret_size)
{
	size_t size = align(sizeof(struct rules) + n * sizeof(uint32_t));

	for (size_t i = 0; i < n; i++)
		size += size_of(drafts[i]);
	*ret_names_at = size;
	for (size_t i = 0; i < n; i++)
		if (drafts[i]->name)
			size += strlen(drafts[i]->name) + 1;
	*ret_size = size;
	return size > SIZE_LIMIT ? -E2BIG : 0;
}

static size_t
size_of(const struct vsw_rule *draft)
{
	size_t size = sizeof(struct rule) + 1;

	if (draft->counter)
		size += sizeof draft->counter;
	for (unsigned all = draft->actions; all; all &= all - 1)
		size += size_of_action(all & -all);
	if (draft->actions & ACTION_ROUTE)
		size += sizeof(struct rule_route)
			+ (draft->next_hops ? draft->next_hops->n : 1)
			  * sizeof(struct next_hop);
	for (size_t i = 0; i < draft->n_matches; i++)
		size += size_of_match(&draft->matches[i]);
	return align(size);
}

/* Each is read where it stands.  Without routes, which stand last. */
static size_t
size_of_action(enum rule_action which)
{
	switch ((unsigned) which) {
	case ACTION_OUTPUT:
	case ACTION_ENCAP:
	case ACTION_DECAP:
		return align(sizeof(void *));
	case ACTION_PUNT:
		return align(sizeof(uint32_t));
	case ACTION_TOO_BIG:
		return align(sizeof(struct rule_too_big));
	case ACTION_LOG:
	case ACTION_DROP_AS:
	case ACTION_MSS:
	case ACTION_VLAN:
		return align(sizeof(uint16_t));
	case ACTION_ADDRESS:
		return align(sizeof(bool));
	case ACTION_LEARN:
		return align(sizeof(struct rule_learn));
	case ACTION_ETH_SRC:
	case ACTION_ETH_DST:
		return align(6);
	default:
		return 0;
	}
}

static size_t
size_of_match(const struct match *match)
{
	return room_for(field_size(match->field),
			match->kind == MATCH_MASK && is_exact(match)
			? KIND_EXACT : match->kind);
}

static inline size_t
room_for(unsigned width, unsigned kind)
{
	if (kind == MATCH_SET)
		return 1 + sizeof(struct vsw_set *);
	return 1 + (kind == KIND_EXACT ? width : 2 * width);
}

static bool
is_exact(const struct match *match)
{
	return !point_compare(match->mask,
			      point_ones(field_size(match->field) * 8));
}

/* Returns how much room it took. */
static size_t
put_rule(struct rule *rule, struct vsw_group *group,
	 const struct vsw_rule *draft)
{
	uint8_t *p;

	*rule = (struct rule) {
		.group = group, .priority = draft->priority,
		.number = draft->number, .actions = draft->actions,
		.is_terminating = draft->is_terminating,
		.has_counter = draft->counter != NULL
	};
	p = (uint8_t *) (rule + 1);
	if (draft->counter) {
		*(struct vsw_counter **) p = counter_ref(draft->counter);
		p += sizeof draft->counter;
	}
	p = put_actions(p, draft);
	rule->matches_at = (uint32_t) (p - (uint8_t *) rule) & 0x3fff;
	for (size_t i = 0; i < draft->n_matches; i++)
		p = put_match(p, &draft->matches[i]);
	*p++ = NO_MORE;
	return align((size_t) (p - (uint8_t *) rule));
}

static uint8_t *
put_actions(uint8_t *p, const struct vsw_rule *draft)
{
	for (unsigned all = draft->actions; all; all &= all - 1) {
		enum rule_action which = all & -all;

		if (which == ACTION_OUTPUT)
			*(struct vsw_port **) p = port_ref(draft->port);
		else if (which & (ACTION_ENCAP | ACTION_DECAP))
			*(struct vsw_mapping **) p =
				mapping_ref(draft->mapping);
		else if (which == ACTION_VLAN)
			*(uint16_t *) p = draft->vlan;
		else if (which == ACTION_MSS)
			*(uint16_t *) p = draft->mss;
		else if (which == ACTION_LOG)
			*(uint16_t *) p = draft->log_tag;
		else if (which == ACTION_DROP_AS)
			*(uint16_t *) p = draft->drop;
		else if (which == ACTION_ADDRESS)
			*(bool *) p = draft->addresses_ip;
		else if (which == ACTION_TOO_BIG)
			*(struct rule_too_big *) p = (struct rule_too_big) {
				draft->too_big_reason, draft->may_fragment
			};
		else if (which == ACTION_PUNT)
			*(uint32_t *) p = draft->punt_reason;
		else if (which == ACTION_ETH_SRC)
			memcpy(p, draft->eth_src, 6);
		else if (which == ACTION_ETH_DST)
			memcpy(p, draft->eth_dst, 6);
		else if (which == ACTION_LEARN)
			*(struct rule_learn *) p = (struct rule_learn) {
				mapping_ref(draft->learn), draft->learn_tag
			};
		p += size_of_action(which);
	}
	return draft->actions & ACTION_ROUTE ? put_route(p, draft) : p;
}

static uint8_t *
put_route(uint8_t *p, const struct vsw_rule *draft)
{
	struct rule_route *route = (struct rule_route *) p;
	struct next_hop only = { .mapping = draft->route,
				 .addr = draft->next_hop };
	const struct next_hop *hops = &only;

	route->n_hops = 1;
	if (draft->next_hops) {
		route->n_hops = draft->next_hops->n;
		hops = draft->next_hops->of;
	}
	route->ttl_reason = draft->ttl_reason;
	route->unreachable_reason = draft->unreachable_reason;
	memcpy(route->router_mac, draft->router_mac,
	       sizeof route->router_mac);
	for (uint32_t i = 0; i < route->n_hops; i++) {
		route->hops[i] = hops[i];
		mapping_ref(hops[i].mapping);
	}
	return (uint8_t *) &route->hops[route->n_hops];
}

static uint8_t *
put_match(uint8_t *p, const struct match *match)
{
	unsigned width = field_size(match->field), kind = match->kind;

	if (kind == MATCH_MASK && is_exact(match))
		kind = KIND_EXACT;
	*p++ = (uint8_t) (match->field | kind << KIND_SHIFT);
	if (kind == MATCH_SET) {
		struct vsw_set *set = set_ref(match->set);

		memcpy(p, &set, sizeof set);
		return p + sizeof set;
	}
	if (kind == MATCH_RANGE) {
		p = put_number(p, match->range.first, width);
		return put_number(p, match->range.last, width);
	}
	p = put_number(p, match->value, width);
	return kind == KIND_EXACT ? p : put_number(p, match->mask, width);
}

static uint8_t *
put_number(uint8_t *p, struct point number, unsigned width)
{
	uint16_t two = (uint16_t) number.low;
	uint32_t four = (uint32_t) number.low;

	if (width == 1) {
		*p = (uint8_t) number.low;
	} else if (width == 2) {
		memcpy(p, &two, sizeof two);
	} else if (width == 4) {
		memcpy(p, &four, sizeof four);
	} else if (width == 6) {
		two = (uint16_t) (number.low >> 32);
		memcpy(p, &four, sizeof four);
		memcpy(p + sizeof four, &two, sizeof two);
	} else {
		memcpy(p, &number, sizeof number);
	}
	return p + width;
}

static int
names_init(struct names *names, struct vsw *vsw,
	   const struct vsw_rule *const *drafts, size_t n)
{
	size_t n_names = 0;

	for (size_t i = 0; i < n; i++)
		n_names += drafts[i]->name != NULL;
	if (n_names < 2)
		return 0;
	names->n_known = 4;
	while (names->n_known < 2 * n_names)
		names->n_known *= 2;
	names->seed = vsw->seed;
	names->known = memory_alloc(names->allocator, 0, names->n_known
				    * sizeof *names->known);
	return names->known ? 0 : -ENOMEM;
}

static uint32_t
put_name(struct names *names, struct rules *rules, size_t *end,
	 const char *name)
{
	size_t size = strlen(name) + 1, i = 0;
	uint32_t at = (uint32_t) *end;

	if (names->n_known) {
		i = hash_bytes(name, size, names->seed)
		    & (names->n_known - 1);
		while (names->known[i]) {
			at = names->known[i];
			if (!strcmp((char *) rules + at, name))
				return at;
			i = (i + 1) & (names->n_known - 1);
		}
		names->known[i] = at = (uint32_t) *end;
	}
	memcpy((char *) rules + at, name, size);
	*end += size;
	return at;
}

/* Names that were there twice left room.  If there is no memory for a shorter
 * block, the long one does. */
static void
shrink(const struct vsw_allocator *allocator, struct rules **rules,
       size_t size)
{
	struct rules *shorter;

	if (size == (*rules)->size)
		return;
	shorter = memory_alloc_raw(allocator, ALIGNMENT, size);
	if (!shorter)
		return;
	memcpy(shorter, *rules, size);
	shorter->size = size;
	memory_free(allocator, *rules, (*rules)->size);
	*rules = shorter;
}

static const void *
action(const struct rule *rule, enum rule_action which)
{
	const uint8_t *p = (const uint8_t *) (rule + 1)
			   + rule->has_counter * sizeof(struct vsw_counter *);
	unsigned before = which == ACTION_ROUTE
			  ? rule->actions : rule->actions & (which - 1u);

	for (; before; before &= before - 1)
		p += size_of_action(before & -before);
	return p;
}

static const uint8_t *
get_match(const uint8_t *p, struct match *match)
{
	unsigned kind = *p >> KIND_SHIFT, width;

	match->field = *p++ & FIELD_BITS;
	match->kind = (uint8_t) kind;
	if (kind == MATCH_SET) {
		memcpy(&match->set, p, sizeof match->set);
		return p + sizeof match->set;
	}
	width = field_size(match->field);
	if (kind == MATCH_RANGE) {
		p = get_number(p, width, &match->range.first);
		return get_number(p, width, &match->range.last);
	}
	p = get_number(p, width, &match->value);
	if (kind == MATCH_MASK)
		return get_number(p, width, &match->mask);
	match->kind = MATCH_MASK;
	match->mask = point_ones(field_size(match->field) * 8);
	return p;
}

static const uint8_t *
get_number(const uint8_t *p, unsigned width, struct point *number)
{
	if (width == 16)
		memcpy(number, p, sizeof *number);
	else
		*number = (struct point) { 0, get_short(p, width) };
	return p + width;
}

static inline uint64_t
get_short(const uint8_t *p, unsigned width)
{
	uint16_t two;
	uint32_t four;

	if (width == 4) {
		memcpy(&four, p, sizeof four);
		return four;
	}
	if (width == 2) {
		memcpy(&two, p, sizeof two);
		return two;
	}
	if (width == 1)
		return *p;
	memcpy(&four, p, sizeof four);
	memcpy(&two, p + sizeof four, sizeof two);
	return (uint64_t) two << 32 | four;
}

static inline struct question
question_of(const struct flow_key *key)
{
	return (struct question) {
		key, field_all_of(key), field_unknown_of(key)
	};
}

/* Matches are looked at where they stand: small groups ask all of their rules
 * of each first packet. */
static inline bool
all_hold(const struct rule *rule, const struct question *question,
	 uint32_t fields)
{
	const uint8_t *p = (const uint8_t *) rule + rule->matches_at;

	fields &= ~question->unknown;
	while (*p != NO_MORE) {
		unsigned field = *p & FIELD_BITS, kind = *p >> KIND_SHIFT;
		unsigned width = field_size(field);

		if (fields >> field & 1
		    && !holds(p + 1, field, kind, width, question))
			return false;
		p += room_for(width, kind);
	}
	return true;
}

static inline bool
holds(const uint8_t *p, unsigned field, unsigned kind, unsigned width,
      const struct question *question)
{
	const struct vsw_set *set;

	if (kind == MATCH_SET) {
		memcpy(&set, p, sizeof set);
		return set_holds(set, field, question);
	}
	if (!(question->has >> field & 1))
		return false;
	if (width == 16)
		return wide_holds(p, kind,
				  field_get_wide(question->key, field));
	return short_holds(p, width, kind,
			   field_get_short(question->key, field));
}

static inline bool
short_holds(const uint8_t *p, unsigned width, unsigned kind, uint64_t value)
{
	uint64_t first = get_short(p, width), second;

	if (kind == KIND_EXACT)
		return value == first;
	second = get_short(p + width, width);
	if (kind == MATCH_MASK)
		return (value & second) == first;
	return first <= value && value <= second;
}

static bool
wide_holds(const uint8_t *p, unsigned kind, struct point value)
{
	struct point mask;
	struct range range;

	if (kind == MATCH_RANGE) {
		memcpy(&range, p, sizeof range);
		return point_in(value, &range);
	}
	if (kind == MATCH_MASK) {
		memcpy(&mask, p + sizeof value, sizeof mask);
		value = point_and(value, mask);
	}
	return !memcmp(&value, p, sizeof value);
}

static bool
set_holds(const struct vsw_set *set, enum vsw_field field,
	  const struct question *question)
{
	enum set_list list = SET_PORTS;

	if (set->kind == VSW_SET_ADDRESSES) {
		bool is_src = field == VSW_FIELD_IPV4_SRC
			      || field == VSW_FIELD_IPV6_SRC;
		bool is_v6 = field_family(question->key) == 6;

		/* The packet's family decides which list. */
		list = is_v6 ? SET_V6 : SET_V4;
		if (is_v6)
			field = is_src ? VSW_FIELD_IPV6_SRC
				       : VSW_FIELD_IPV6_DST;
		else
			field = is_src ? VSW_FIELD_IPV4_SRC
				       : VSW_FIELD_IPV4_DST;
	}
	return question->has >> field & 1
	       && set_has(set, list, field_get(question->key, field));
}
