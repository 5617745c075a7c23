/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/oracle/model.h"

#include <stdlib.h>
#include <string.h>
#include "tests/oracle/bytes.h"

struct state {
	const struct model *model;
	const struct m_packet *original;
	struct m_packet packet;
	/* Of the layer that is asked: which of all that are allowed, as digits
	 * whose bases are how many there were; and how many in all. */
	unsigned choices, n_choices;
	bool ttl;			/* Goes down. */
	uint32_t ttl_reason;
	bool may_fragment, clamps;
	uint32_t too_big_reason;
	uint16_t mss;
	/* Where to. */
	int output;			/* Port; -1: none, -2: places. */
	unsigned domain;		/* Of the last mapping. */
	struct m_location places[MAX_LOCATIONS];
	unsigned n_places;
	bool is_copying, is_multicast;
	bool address, address_ip;	/* Of copies. */
	bool *waits;			/* For its first fragment. */
	/* The end, if it has come already. */
	bool is_over;
	struct m_result end;
};

/* What a packet may have become so far. */
struct states {
	unsigned n;
	struct state all[MAX_OUTCOMES];
};

unsigned
model_domain(unsigned mapping)
{
	return mapping == 2;
}

static bool
has_l4(const struct m_packet *p)
{
	return (p->type == M_IPV4 || p->type == M_IPV6)
	       && (p->proto == 6 || p->proto == 17)
	       && (p->fragment != VSW_FRAGMENT_LATER || p->has_first);
}

/* A later fragment, and only the first one can tell more. */
static bool
lacks_first(const struct m_packet *p)
{
	return p->fragment == VSW_FRAGMENT_LATER && !p->has_first
	       && (p->proto == 6 || p->proto == 17 || p->has_options);
}

static bool
is_unknown(const struct m_packet *p, enum vsw_field field)
{
	if (!lacks_first(p))
		return false;
	if (field == VSW_FIELD_IP_PROTO)
		return p->type == M_IPV6 && p->has_options;
	return field == VSW_FIELD_L4_SRC || field == VSW_FIELD_L4_DST;
}

static unsigned
get_tunnel_field(const struct m_packet *p, enum vsw_field field,
		 uint8_t value[16])
{
	bool is_src = field == VSW_FIELD_TUNNEL_SRC4
		      || field == VSW_FIELD_TUNNEL_SRC6;
	bool is_v4 = field == VSW_FIELD_TUNNEL_SRC4
		     || field == VSW_FIELD_TUNNEL_DST4;
	struct vsw_addr addr = bytes_pa(is_src ? p->tunnel_src
					       : p->tunnel_dst);

	memcpy(value, addr.bytes, addr.n);
	return p->tunnel && addr.n == (is_v4 ? 4 : 16) ? addr.n : 0;
}

static unsigned
get_ip_field(const struct m_packet *p, enum vsw_field field,
	     uint8_t value[16])
{
	bool is_src = field == VSW_FIELD_IPV4_SRC
		      || field == VSW_FIELD_IPV6_SRC;
	bool is_v4 = field == VSW_FIELD_IPV4_SRC
		     || field == VSW_FIELD_IPV4_DST;
	uint8_t n = is_v4 ? 4 : 16;
	struct vsw_addr addr = bytes_addr(n, is_src ? p->src : p->dst);

	memcpy(value, addr.bytes, n);
	if (is_v4)
		return p->type == M_IPV4 || p->type == M_ARP ? n : 0;
	return p->type == M_IPV6 ? n : 0;
}

/* The field's bytes; 0: the packet does not have it. */
static unsigned
get_field(const struct m_packet *p, enum vsw_field field, uint8_t value[16])
{
	switch (field) {
	case VSW_FIELD_ETH_SRC:
		memcpy(value, p->eth_src, 6);
		return 6;
	case VSW_FIELD_ETH_DST:
		memcpy(value, p->eth_dst, 6);
		return 6;
	case VSW_FIELD_ETH_TYPE:
		bytes_put(value, bytes_eth_type(p->type), 2);
		return 2;
	case VSW_FIELD_VLAN:
		bytes_put(value, p->vlan ? p->vlan | 0x1000 : 0, 2);
		return 2;
	case VSW_FIELD_IP_PROTO:
		value[0] = p->proto;
		return p->type != M_RAW;
	case VSW_FIELD_IPV4_SRC:
	case VSW_FIELD_IPV4_DST:
	case VSW_FIELD_IPV6_SRC:
	case VSW_FIELD_IPV6_DST:
		return get_ip_field(p, field, value);
	case VSW_FIELD_L4_SRC:
		bytes_put(value, p->l4_src, 2);
		return has_l4(p) ? 2 : 0;
	case VSW_FIELD_L4_DST:
		bytes_put(value, p->l4_dst, 2);
		return has_l4(p) ? 2 : 0;
	case VSW_FIELD_FRAGMENT:
		value[0] = p->fragment;
		return 1;
	case VSW_FIELD_VNI:
		bytes_put(value, p->vni, 4);
		return 4;
	case VSW_FIELD_TUNNEL_SRC4:
	case VSW_FIELD_TUNNEL_SRC6:
	case VSW_FIELD_TUNNEL_DST4:
	case VSW_FIELD_TUNNEL_DST6:
		return get_tunnel_field(p, field, value);
	case VSW_N_FIELDS:
		break;
	}
	return 0;
}

static bool
in_set(const struct m_set *set, const uint8_t *value, unsigned n)
{
	for (unsigned i = 0; i < set->n; i++) {
		unsigned port = (unsigned) (value[0] << 8 | value[1]);
		bool same = set->prefixes[i].n == n;

		if (n == 2) {
			if (port >= set->first[i] && port <= set->last[i])
				return true;
			continue;
		}
		for (unsigned b = 0; same && b < set->bits[i]; b++)
			same = !((set->prefixes[i].bytes[b / 8]
				  ^ value[b / 8]) & 0x80 >> b % 8);
		if (same)
			return true;
	}
	return false;
}

static bool
holds(const struct model *model, const struct m_match *match,
      const struct m_packet *p)
{
	enum vsw_field field = match->field;
	uint8_t value[16];
	unsigned n, number;

	if (is_unknown(p, field))
		return true;
	/* Either name of an address set's field means the packet's family. */
	if (match->kind == M_SET && match->set < 2) {
		bool is_src = field == VSW_FIELD_IPV4_SRC
			      || field == VSW_FIELD_IPV6_SRC;

		if (p->type == M_IPV6)
			field = is_src ? VSW_FIELD_IPV6_SRC
				       : VSW_FIELD_IPV6_DST;
		else
			field = is_src ? VSW_FIELD_IPV4_SRC
				       : VSW_FIELD_IPV4_DST;
	}
	n = get_field(p, field, value);
	if (!n)
		return false;
	if (match->kind == M_SET)
		return in_set(&model->sets[match->set], value, n);
	if (match->kind == M_RANGE) {
		number = n == 1 ? value[0]
				: (unsigned) (value[0] << 8 | value[1]);
		return number >= match->first && number <= match->last;
	}
	for (unsigned i = 0; i < n; i++)
		if ((value[i] ^ match->value[i]) & match->mask[i])
			return false;
	return true;
}

static const struct m_rule *
find_rule(const struct model *model, const struct m_group *group,
	  const struct m_packet *p, bool *asks)
{
	const struct m_rule *best = NULL;

	for (unsigned i = 0; i < group->n_rules; i++) {
		const struct m_rule *rule = &group->rules[i];
		bool all = true;

		for (unsigned j = 0; j < rule->n_matches; j++)
			all = all && holds(model, &rule->matches[j], p);
		if (all && (!best || rule->priority < best->priority))
			best = rule;
	}
	for (unsigned j = 0; best && j < best->n_matches; j++)
		if (is_unknown(p, best->matches[j].field))
			*asks = true;
	return best;
}

static const struct m_rule *
find_in_layer(const struct model *model, const struct m_layer *layer,
	      enum vsw_direction direction, const struct m_packet *p,
	      bool *asks)
{
	const struct m_rule *last = NULL;

	for (unsigned i = 0; i < layer->n[direction]; i++) {
		const struct m_rule *rule = find_rule(
			model, &model->groups[layer->groups[direction][i]],
			p, asks);

		if (!rule)
			continue;
		last = rule;
		if (rule->terminating)
			break;
	}
	return last;
}

static void
end_with(struct state *s, enum vsw_drop drop, unsigned port)
{
	s->is_over = true;
	s->end = (struct m_result) { .drop = drop, .port = port };
}

static void
drop(struct state *s, enum vsw_drop why)
{
	end_with(s, why, s->original->in_port);
}

static struct m_result
drop_at(const struct state *s, enum vsw_drop why)
{
	return (struct m_result) { .drop = why, .port = s->original->in_port };
}

static void
punt(struct state *s, uint32_t reason)
{
	if (s->original->in_port == PORT_PUNT) {
		drop(s, VSW_DROP_SAME_PORT);
		return;
	}
	s->is_over = true;
	s->end = (struct m_result) {
		.drop = VSW_N_DROPS, .port = PORT_PUNT, .is_punt = true,
		.reason = reason, .vni = s->packet.vni,
		.packet = *s->original
	};
}

static unsigned
choose(struct state *s, unsigned n)
{
	unsigned choice = s->choices % n;

	if (n > 1 && lacks_first(s->original))
		*s->waits = true;
	s->choices /= n;
	s->n_choices *= n;
	return choice;
}

/* Whoever the mapping does not know: its location, or NULL, and it is over. */
static const struct m_location *
find_unknown(struct state *s, unsigned which)
{
	const struct m_mapping *mapping = &s->model->mappings[which];

	if (s->original->tunnel) {
		drop(s, VSW_DROP_NO_MAPPING);
	} else if (mapping->punt_reason) {
		s->packet.vni = which + 1;
		punt(s, mapping->punt_reason);
	} else if (!mapping->unknown.n) {
		drop(s, VSW_DROP_NO_MAPPING);
	} else {
		return &mapping->unknown.locations[0];
	}
	return NULL;
}

static const struct m_entry *
find_hop(const struct state *s, const struct m_hop *hop)
{
	const struct m_mapping *mapping = &s->model->mappings[hop->mapping];

	if (hop->addr >= 0)
		return &mapping->v4[hop->addr];
	return s->packet.type == M_IPV4 ? &mapping->v4[s->packet.dst]
					: &mapping->v6[s->packet.dst];
}

static void
route(struct state *s, const struct m_rule *rule)
{
	const struct m_hop *known[MAX_HOPS], *hop;
	const struct m_location *location;
	unsigned n_known = 0;

	if (s->packet.type != M_IPV4 && s->packet.type != M_IPV6) {
		drop(s, VSW_DROP_NO_MAPPING);
		return;
	}
	if (rule->n_hops > 1 && lacks_first(s->original))
		*s->waits = true;
	for (unsigned i = 0; i < rule->n_hops; i++)
		if (find_hop(s, &rule->hops[i])->n)
			known[n_known++] = &rule->hops[i];
	if (n_known) {
		const struct m_entry *entry;

		hop = known[choose(s, n_known)];
		entry = find_hop(s, hop);
		location = &entry->locations[choose(s, entry->n)];
	} else {
		hop = &rule->hops[choose(s, rule->n_hops)];
		location = find_unknown(s, hop->mapping);
		if (!location)
			return;
	}
	bytes_mac(location->mac, s->packet.eth_dst);
	bytes_mac(rule->router_mac, s->packet.eth_src);
	s->packet.vni = hop->mapping + 1;
	s->ttl = true;
	s->ttl_reason = rule->ttl_reason;
}

static bool
is_from(const struct state *s, const struct m_location *location)
{
	if (location->port >= 0)
		return (unsigned) location->port == s->original->in_port;
	return s->original->tunnel && location->pa == s->original->tunnel_src;
}

/* Looks the destination MAC up; 'is_decap': only local places count. */
static void
look_up(struct state *s, unsigned which, bool is_decap)
{
	const struct m_mapping *mapping = &s->model->mappings[which];
	const struct m_entry *entry = NULL;
	bool is_multicast = s->packet.eth_dst[0] & 1;
	uint8_t mac[6];

	for (unsigned i = 0; i < N_MACS; i++) {
		bytes_mac(i, mac);
		if (!memcmp(mac, s->packet.eth_dst, 6)
		    && mapping->macs[i].n)
			entry = &mapping->macs[i];
	}
	s->is_copying = is_multicast || !entry;
	s->is_multicast = is_multicast;
	if (!entry) {
		if (!is_multicast && (!mapping->flood.n
				      || !mapping->unknown_unicast)) {
			const struct m_location *location =
				find_unknown(s, which);

			if (!location)
				return;
			s->is_copying = false;
			s->places[0] = *location;
			s->n_places = 1;
			s->output = -2;
			return;
		}
		if (!mapping->flood.n) {
			drop(s, VSW_DROP_NO_FLOOD);
			return;
		}
		entry = &mapping->flood;
	}
	s->n_places = 0;
	s->output = -2;
	for (unsigned i = 0; i < entry->n; i++)
		if (!is_decap || entry->locations[i].port >= 0)
			s->places[s->n_places++] = entry->locations[i];
}

static bool
knows(const struct m_entry *entry, unsigned pa)
{
	for (unsigned i = 0; i < entry->n; i++)
		if (entry->locations[i].port < 0
		    && entry->locations[i].pa == pa)
			return true;
	return false;
}

static bool
domain_knows(const struct model *model, unsigned domain, unsigned pa)
{
	for (unsigned m = 0; m < N_MAPPINGS; m++) {
		const struct m_mapping *mapping = &model->mappings[m];

		if (model_domain(m) != domain)
			continue;
		if (knows(&mapping->flood, pa)
		    || knows(&mapping->unknown, pa))
			return true;
		for (unsigned i = 0; i < N_MACS; i++)
			if (knows(&mapping->macs[i], pa))
				return true;
		for (unsigned i = 0; i < N_ADDRS; i++)
			if (knows(&mapping->v4[i], pa)
			    || knows(&mapping->v6[i], pa))
				return true;
	}
	return false;
}

static void
act(struct state *s, const struct m_rule *rule)
{
	if (rule->drop) {
		drop(s, VSW_DROP_RULE);
		return;
	}
	if (rule->route) {
		route(s, rule);
		if (s->is_over)
			return;
	}
	if (rule->eth_src >= 0)
		bytes_mac((unsigned) rule->eth_src, s->packet.eth_src);
	if (rule->eth_dst >= 0)
		bytes_mac((unsigned) rule->eth_dst, s->packet.eth_dst);
	if (rule->vlan >= 0)
		s->packet.vlan = (uint16_t) rule->vlan;
	s->ttl |= rule->ttl;
	if (rule->too_big) {
		s->may_fragment = rule->may_fragment;
		s->too_big_reason = rule->too_big_reason;
	}
	if (rule->clamp) {
		s->clamps = true;
		s->mss = rule->mss;
	}
	if (rule->address) {
		s->address = true;
		s->address_ip = rule->address_ip;
	}
	if (rule->punt) {
		punt(s, rule->reason);
	} else if (rule->output >= 0) {
		s->output = rule->output;
	} else if (rule->encap >= 0) {
		s->domain = model_domain((unsigned) rule->encap);
		look_up(s, (unsigned) rule->encap, false);
	} else if (rule->decap >= 0) {
		if (s->original->tunnel
		    && domain_knows(s->model,
				    model_domain((unsigned) rule->decap),
				    s->original->tunnel_src))
			look_up(s, (unsigned) rule->decap, true);
		else
			drop(s, VSW_DROP_UNKNOWN_PA);
	}
}

/* What an outer packet has room for; 0: for anything. */
static unsigned
inner_mtu(const struct model *model, unsigned pa, uint8_t encap, uint16_t vlan)
{
	unsigned outer = (bytes_pa(pa).n == 4 ? 20 : 40)
			 + (encap == VSW_ENCAP_VXLAN ? 16 : 8)
			 + 14 + (vlan ? 4 : 0);

	return model->mtu[PORT_WIRE] ? model->mtu[PORT_WIRE] - outer : 0;
}

/* To what the way there takes, and the way back. */
static void
clamp(struct state *s, unsigned there)
{
	const struct m_packet *o = s->original;
	unsigned back = o->tunnel ? inner_mtu(s->model, o->tunnel_src,
					      o->encap, o->vlan)
				  : s->model->mtu[o->in_port];
	unsigned mtu = !there || (back && back < there) ? back : there;
	unsigned headers = s->packet.type == M_IPV6 ? 60 : 40;
	unsigned mss = mtu > headers ? mtu - headers : 0;

	if (!mtu)
		mss = 65535;
	if (s->mss && s->mss < mss)
		mss = s->mss;
	if (!mss || mss >= s->packet.mss)
		return;
	s->packet.was_mss = s->packet.mss;
	s->packet.mss = (uint16_t) mss;
}

static void
too_big(struct state *s, unsigned mtu)
{
	if (!s->too_big_reason || s->packet.type < M_IPV4) {
		drop(s, VSW_DROP_TOO_BIG);
		return;
	}
	punt(s, s->too_big_reason);
	s->end.is_told = s->end.is_punt;
	s->end.mtu = s->end.is_punt ? mtu : 0;
}

/* What a copy to 'port' ends as, behind that port's layers. */
static struct m_result
finish(const struct state *all, unsigned port,
       const struct m_location *location)
{
	struct state copy = *all, *s = &copy;
	int which = s->model->program_of[port];
	const struct m_program *program;
	unsigned mtu;
	bool is_cut;

	if (which < 0) {
		end_with(s, VSW_DROP_NO_PROGRAM, port);
		return s->end;
	}
	program = &s->model->programs[which];
	for (unsigned i = program->n_layers; i > 0 && !s->is_over; i--) {
		const struct m_rule *rule = find_in_layer(
			s->model, &program->layers[i - 1], VSW_IN,
			&s->packet, s->waits);

		if (rule)
			act(s, rule);
	}
	if (s->is_over)
		return s->end;
	if (s->ttl && (s->packet.type == M_IPV4 || s->packet.type == M_IPV6)) {
		if (s->packet.ttl <= 1) {
			if (s->ttl_reason)
				punt(s, s->ttl_reason);
			else
				drop(s, VSW_DROP_TTL);
			s->end.is_told = s->end.is_punt;
			return s->end;
		}
		s->packet.ttl--;
	}
	mtu = location && location->port < 0
	      ? inner_mtu(s->model, location->pa, location->encap,
			  s->packet.vlan) : s->model->mtu[port];
	if (s->clamps)
		clamp(s, mtu);
	is_cut = mtu && bytes_size(&s->packet) > mtu;
	if (is_cut && !(s->may_fragment && s->packet.type == M_IPV4
			&& mtu >= 28)) {
		too_big(s, mtu);
		return s->end;
	}
	s->packet.is_trimmed = mtu && mtu < 46;
	s->end = (struct m_result) {
		.drop = VSW_N_DROPS, .port = port, .packet = s->packet,
		.is_cut = is_cut, .mtu = is_cut ? mtu : 0
	};
	if (location && location->port < 0) {
		s->end.is_remote = true;
		s->end.pa = location->pa;
		s->end.encap = location->encap;
		s->end.vni = location->vni;
	}
	return s->end;
}

static void
address(struct state *s, const struct m_location *location)
{
	int addr = s->packet.type == M_IPV4 ? location->v4
		   : s->packet.type == M_IPV6 ? location->v6 : -1;

	if (!s->address || !s->is_copying || !s->is_multicast)
		return;
	bytes_mac(location->mac, s->packet.eth_dst);
	if (!s->address_ip || addr < 0)
		return;
	s->packet.was_dst = (int) s->packet.dst;
	s->packet.dst = (unsigned) addr;
}

/* Of one place. */
static struct m_result
go(const struct state *s, const struct m_location *location)
{
	struct state copy = *s;

	address(&copy, location);
	if (location->port >= 0)
		return finish(&copy, (unsigned) location->port, location);
	if (!copy.model->has_uplink[copy.domain])
		return drop_at(&copy, VSW_DROP_NO_UPLINK);
	return finish(&copy, PORT_WIRE, location);
}

static struct m_outcome *
add_outcome(struct m_outcomes *all)
{
	struct m_outcome *outcome = &all->all[all->n++];

	if (all->n > MAX_OUTCOMES)
		abort();
	outcome->n = 0;
	return outcome;
}

/* To all places, or to any one of them. */
static void
go_all(struct state *s, struct m_outcomes *ret)
{
	struct m_outcome *outcome = NULL;

	if (!s->is_copying && s->n_places > 1 && lacks_first(s->original))
		*s->waits = true;
	for (unsigned i = 0; i < s->n_places; i++) {
		const struct m_location *place = &s->places[i];
		bool is_back = is_from(s, place);

		if (!outcome || !s->is_copying)
			outcome = add_outcome(ret);
		if (!is_back)
			outcome->results[outcome->n++] = go(s, place);
		else if (!s->is_copying)
			outcome->results[outcome->n++] = drop_at(
				s, VSW_DROP_SAME_PORT);
	}
	if (!outcome)
		outcome = add_outcome(ret);
	if (!outcome->n)
		outcome->results[outcome->n++] = drop_at(
			s, s->is_copying ? VSW_DROP_NO_FLOOD
					 : VSW_DROP_NOT_LOCAL);
}

static bool
is_same_place(const struct m_location *a, const struct m_location *b)
{
	return a->port == b->port && a->pa == b->pa && a->mac == b->mac
	       && a->v4 == b->v4 && a->v6 == b->v6
	       && a->vni == b->vni && a->encap == b->encap;
}

/* In all that can change on the way. */
static bool
is_same(const struct state *a, const struct state *b)
{
	bool same = a->n_places == b->n_places;

	for (unsigned i = 0; same && i < a->n_places; i++)
		same = is_same_place(&a->places[i], &b->places[i]);
	return same && a->is_over == b->is_over && a->ttl == b->ttl
	       && a->ttl_reason == b->ttl_reason && a->output == b->output
	       && a->may_fragment == b->may_fragment && a->clamps == b->clamps
	       && a->too_big_reason == b->too_big_reason && a->mss == b->mss
	       && a->domain == b->domain && a->is_copying == b->is_copying
	       && a->is_multicast == b->is_multicast
	       && a->address == b->address && a->address_ip == b->address_ip
	       && !memcmp(a->packet.eth_src, b->packet.eth_src, 6)
	       && !memcmp(a->packet.eth_dst, b->packet.eth_dst, 6)
	       && a->packet.vlan == b->packet.vlan
	       && a->packet.vni == b->packet.vni
	       && a->end.drop == b->end.drop && a->end.port == b->end.port
	       && a->end.is_punt == b->end.is_punt
	       && a->end.reason == b->end.reason && a->end.vni == b->end.vni;
}

static void
add_state(struct states *states, const struct state *s)
{
	for (unsigned i = 0; i < states->n; i++)
		if (is_same(&states->all[i], s))
			return;
	if (states->n == MAX_OUTCOMES)
		abort();
	states->all[states->n++] = *s;
}

/* Adds all that the layer may make of it. */
static void
ask_layer(const struct state *s, const struct m_layer *layer,
	  struct states *states)
{
	const struct m_rule *rule = NULL;
	unsigned n_choices = 1;

	if (!s->is_over)
		rule = find_in_layer(s->model, layer, VSW_OUT, &s->packet,
				     s->waits);
	for (unsigned c = 0; c < n_choices; c++) {
		struct state one = *s;

		one.choices = c;
		one.n_choices = 1;
		if (rule)
			act(&one, rule);
		if (one.n_choices > n_choices)
			n_choices = one.n_choices;
		add_state(states, &one);
	}
}

static void
end_at(struct state *s, struct m_outcomes *ret)
{
	const struct m_packet *p = s->original;
	struct m_outcome *outcome;

	if (!s->is_over && s->output == -1)
		drop(s, p->tunnel ? VSW_DROP_UNKNOWN_VNI : VSW_DROP_NO_OUTPUT);
	if (!s->is_over && s->output >= 0
	    && (unsigned) s->output == p->in_port)
		drop(s, VSW_DROP_SAME_PORT);
	if (!s->is_over && s->output < 0) {
		go_all(s, ret);
		return;
	}
	outcome = add_outcome(ret);
	outcome->n = 1;
	outcome->results[0] = s->is_over ? s->end
			      : finish(s, (unsigned) s->output, NULL);
}

void
model_decide(const struct model *model, const struct m_packet *packet,
	     struct m_outcomes *ret)
{
	static struct states before, after;
	bool waits = false;
	int which = model->program_of[packet->in_port];
	unsigned n = which < 0 ? 0 : model->programs[which].n_layers;

	ret->n = 0;
	after.n = 1;
	after.all[0] = (struct state) {
		.model = model, .original = packet, .packet = *packet,
		.output = -1, .waits = &waits
	};
	if (which < 0)
		drop(&after.all[0], VSW_DROP_NO_PROGRAM);
	for (unsigned i = 0; i < n; i++) {
		before.n = after.n;
		memcpy(before.all, after.all, after.n * sizeof after.all[0]);
		after.n = 0;
		for (unsigned j = 0; j < before.n; j++)
			ask_layer(&before.all[j],
				  &model->programs[which].layers[i], &after);
	}
	for (unsigned j = 0; j < after.n; j++)
		end_at(&after.all[j], ret);
	if (!waits)
		return;
	/* All of it, whichever copy it was that asked. */
	ret->n = ret->all[0].n = 1;
	ret->all[0].results[0] = drop_at(&after.all[0],
					 VSW_DROP_FRAGMENT_LOST);
}
