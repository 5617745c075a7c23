/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/oracle/model.h"

#include <string.h>

struct state {
	const struct model *model;
	struct m_packet packet;
	struct m_packet original;
	unsigned choices, n_choices;
	bool ttl;			/* Goes down. */
	uint32_t ttl_reason;
	/* Where to. */
	int output;			/* Port; -1: none. */
	struct m_location places[MAX_LOCATIONS];
	unsigned n_places;
	bool is_copying;
	bool *waits;			/* For its first fragment. */
	/* The end, if it has come already. */
	bool is_over;
	struct m_result end;
};

void
model_mac(unsigned mac, uint8_t bytes[6])
{
	memcpy(bytes, "\2\0\0\0\0\0", 6);
	if (mac == 6)
		bytes[0] = 1;
	if (mac == 7)
		memset(bytes, 0xff, 6);
	else
		bytes[5] = (uint8_t) mac;
}

struct vsw_addr
model_addr(unsigned n, unsigned i)
{
	struct vsw_addr addr = { .n = (uint8_t) n };

	memcpy(addr.bytes, n == 4 ? "\12\0\0" : "\x20\1\xd\xb8",
	       n == 4 ? 3 : 4);
	addr.bytes[n - 1] = (uint8_t) i;
	return addr;
}

struct vsw_addr
model_pa(unsigned pa)
{
	struct vsw_addr addr = model_addr(pa < 4 ? 4 : 16, pa + 100);

	addr.bytes[0] ^= 0x40;
	return addr;
}

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

static void
put(uint8_t *to, uint32_t value, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		to[i] = (uint8_t) (value >> 8 * (n - 1 - i));
}

static unsigned
get_tunnel_field(const struct m_packet *p, enum vsw_field field,
		 uint8_t value[16])
{
	bool is_src = field == VSW_FIELD_TUNNEL_SRC4
		      || field == VSW_FIELD_TUNNEL_SRC6;
	bool is_v4 = field == VSW_FIELD_TUNNEL_SRC4
		     || field == VSW_FIELD_TUNNEL_DST4;
	struct vsw_addr addr = model_pa(is_src ? p->tunnel_src
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
	struct vsw_addr addr = model_addr(n, is_src ? p->src : p->dst);

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
		put(value, p->type == M_IPV4 ? 0x0800 : p->type == M_IPV6
		    ? 0x86dd : p->type == M_ARP ? 0x0806 : 0x88b5, 2);
		return 2;
	case VSW_FIELD_VLAN:
		put(value, p->vlan ? p->vlan | 0x1000 : 0, 2);
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
		put(value, p->l4_src, 2);
		return has_l4(p) ? 2 : 0;
	case VSW_FIELD_L4_DST:
		put(value, p->l4_dst, 2);
		return has_l4(p) ? 2 : 0;
	case VSW_FIELD_FRAGMENT:
		value[0] = p->fragment;
		return 1;
	case VSW_FIELD_VNI:
		put(value, p->vni, 4);
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
	end_with(s, why, s->original.in_port);
}

static void
punt(struct state *s, uint32_t reason)
{
	if (s->original.in_port == PORT_PUNT) {
		drop(s, VSW_DROP_SAME_PORT);
		return;
	}
	s->is_over = true;
	s->end = (struct m_result) {
		.drop = VSW_N_DROPS, .port = PORT_PUNT, .is_punt = true,
		.reason = reason, .vni = s->packet.vni,
		.packet = s->original
	};
}

static unsigned
choose(struct state *s, unsigned n)
{
	unsigned choice = s->choices % 12 % n;

	if (n > 1 && lacks_first(&s->original))
		*s->waits = true;
	if (n > 1) {
		s->choices /= 12;
		s->n_choices *= 12;
	}
	return choice;
}

/* Whoever the mapping does not know: its location, or NULL, and it is over. */
static const struct m_location *
find_unknown(struct state *s, unsigned which)
{
	const struct m_mapping *mapping = &s->model->mappings[which];

	if (s->original.tunnel) {
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
	if (rule->n_hops > 1 && lacks_first(&s->original))
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
	model_mac(location->mac, s->packet.eth_dst);
	model_mac(rule->router_mac, s->packet.eth_src);
	s->packet.vni = hop->mapping + 1;
	s->ttl = true;
	s->ttl_reason = rule->ttl_reason;
}

static bool
is_from(const struct state *s, const struct m_location *location)
{
	if (location->port >= 0)
		return (unsigned) location->port == s->original.in_port;
	return s->original.tunnel && location->pa == s->original.tunnel_src;
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
		model_mac(i, mac);
		if (!memcmp(mac, s->packet.eth_dst, 6)
		    && mapping->macs[i].n)
			entry = &mapping->macs[i];
	}
	s->is_copying = is_multicast || !entry;
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
		model_mac((unsigned) rule->eth_src, s->packet.eth_src);
	if (rule->eth_dst >= 0)
		model_mac((unsigned) rule->eth_dst, s->packet.eth_dst);
	if (rule->vlan >= 0)
		s->packet.vlan = (uint16_t) rule->vlan;
	s->ttl |= rule->ttl;
	if (rule->punt) {
		punt(s, rule->reason);
	} else if (rule->output >= 0) {
		s->output = rule->output;
	} else if (rule->encap >= 0) {
		look_up(s, (unsigned) rule->encap, false);
	} else if (rule->decap >= 0) {
		if (s->original.tunnel
		    && domain_knows(s->model,
				    model_domain((unsigned) rule->decap),
				    s->original.tunnel_src))
			look_up(s, (unsigned) rule->decap, true);
		else
			drop(s, VSW_DROP_UNKNOWN_PA);
	}
}

/* What a copy to 'port' ends as, behind that port's layers. */
static struct m_result
finish(const struct state *all, unsigned port,
       const struct m_location *location)
{
	struct state copy = *all, *s = &copy;
	int which = s->model->program_of[port];
	const struct m_program *program;

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
	s->end = (struct m_result) {
		.drop = VSW_N_DROPS, .port = port, .packet = s->packet
	};
	if (location && location->port < 0) {
		s->end.is_remote = true;
		s->end.pa = location->pa;
		s->end.encap = location->encap;
		s->end.vni = location->vni;
	}
	return s->end;
}

/* Of one place. */
static struct m_result
go(const struct state *all, const struct m_location *location,
   unsigned domain)
{
	struct state copy = *all;

	if (location->port >= 0)
		return finish(&copy, (unsigned) location->port, location);
	if (!copy.model->has_uplink[domain]) {
		drop(&copy, VSW_DROP_NO_UPLINK);
		return copy.end;
	}
	return finish(&copy, PORT_WIRE, location);
}

static unsigned
go_all(struct state *s, unsigned domain, struct m_result *results)
{
	unsigned n = 0;

	if (!s->is_copying) {
		const struct m_location *location;

		if (!s->n_places) {
			drop(s, VSW_DROP_NOT_LOCAL);
			results[0] = s->end;
			return 1;
		}
		location = &s->places[choose(s, s->n_places)];
		if (is_from(s, location)) {
			drop(s, VSW_DROP_SAME_PORT);
			results[0] = s->end;
		} else {
			results[0] = go(s, location, domain);
		}
		return 1;
	}
	for (unsigned i = 0; i < s->n_places; i++)
		if (!is_from(s, &s->places[i]))
			results[n++] = go(s, &s->places[i], domain);
	if (!n) {
		drop(s, VSW_DROP_NO_FLOOD);
		results[n++] = s->end;
	}
	return n;
}

unsigned
model_decide(const struct model *model, const struct m_packet *packet,
	     unsigned choices, struct m_result results[MAX_RESULTS],
	     unsigned *ret_n_choices)
{
	struct state state = { .model = model, .packet = *packet,
			       .original = *packet, .choices = choices,
			       .n_choices = 1, .output = -1 };
	bool waits = false;
	int which = model->program_of[packet->in_port];
	unsigned domain = 0, n = 1;

	state.waits = &waits;
	if (which < 0)
		drop(&state, VSW_DROP_NO_PROGRAM);
	for (unsigned i = 0; !state.is_over
	     && i < model->programs[which].n_layers; i++) {
		const struct m_rule *rule = find_in_layer(
			model, &model->programs[which].layers[i], VSW_OUT,
			&state.packet, &waits);

		if (!rule)
			continue;
		act(&state, rule);
		if (rule->encap >= 0)
			domain = model_domain((unsigned) rule->encap);
	}
	if (!state.is_over && state.output == -1)
		drop(&state, packet->tunnel ? VSW_DROP_UNKNOWN_VNI
					    : VSW_DROP_NO_OUTPUT);
	if (!state.is_over && state.output >= 0
	    && (unsigned) state.output == packet->in_port)
		drop(&state, VSW_DROP_SAME_PORT);
	if (state.is_over)
		results[0] = state.end;
	else if (state.output >= 0)
		results[0] = finish(&state, (unsigned) state.output, NULL);
	else
		n = go_all(&state, domain, results);
	*ret_n_choices = state.n_choices;
	if (!waits)
		return n;
	/* All of it, whichever copy it was that asked. */
	drop(&state, VSW_DROP_FRAGMENT_LOST);
	results[0] = state.end;
	*ret_n_choices = 1;
	return 1;
}

static uint16_t
checksum(const uint8_t *p, unsigned n)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < n; i += 2)
		sum += (uint32_t) (p[i] << 8 | p[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~sum;
}

unsigned
model_first_units(const struct m_packet *p)
{
	return (p->proto == 6 ? 3u : 2u) + p->has_options;
}

static void sum_l4(const struct m_packet *, uint8_t *f, unsigned n);

static size_t
frame_l4(const struct m_packet *p, uint8_t *f)
{
	unsigned n;

	if (p->fragment == VSW_FRAGMENT_LATER) {
		memset(f, 0x5a, p->units * 8u);
		return p->units * 8u;
	}
	if (p->fragment && p->has_options) {
		struct m_packet rest = *p;

		/* Six bytes of padding: RFC 8200, section 4.2. */
		memcpy(f, "\0\0\1\4\0\0\0\0", 8);
		f[0] = p->proto;
		rest.has_options = false;
		return 8 + frame_l4(&rest, f + 8);
	}
	if (p->proto != 6 && p->proto != 17) {
		memset(f, 0x33, 16);
		return 16;
	}
	put(f, p->l4_src, 2);
	put(f + 2, p->l4_dst, 2);
	if (p->proto == 17)
		put(f + 4, 16, 2);
	else
		f[12] = 0x50;		/* TCP. */
	n = p->proto == 17 ? 16 : 24;
	/* Of a fragment it is another's sum, too. */
	put(f + (p->proto == 17 ? 6 : 16), 0xbeef, 2);
	if (!p->fragment)
		sum_l4(p, f, n);
	return n;
}

/* RFC 768, RFC 9293, section 3.1: over a pseudo header, too. */
static void
sum_l4(const struct m_packet *p, uint8_t *f, unsigned n)
{
	struct vsw_addr src = model_addr(p->type == M_IPV6 ? 16 : 4, p->src);
	struct vsw_addr dst = model_addr(src.n, p->dst);
	uint8_t *field = f + (p->proto == 17 ? 6 : 16), all[128];
	uint16_t sum;

	memcpy(all, src.bytes, src.n);
	memcpy(all + src.n, dst.bytes, src.n);
	put(all + 2 * src.n, n, 2);
	put(all + 2 * src.n + 2, p->proto, 2);
	put(field, 0, 2);
	memcpy(all + 2 * src.n + 4, f, n);
	sum = checksum(all, 2u * src.n + 4 + n);
	put(field, sum ? sum : 0xffff, 2);
}

size_t
model_frame(const struct m_packet *p, uint8_t frame[128])
{
	struct vsw_addr src = model_addr(p->type == M_IPV6 ? 16 : 4, p->src);
	struct vsw_addr dst = model_addr(src.n, p->dst);
	uint8_t *f = frame, type[16];
	size_t n, extra;

	memset(frame, 0, 128);
	memcpy(f, p->eth_dst, 6);
	memcpy(f + 6, p->eth_src, 6);
	f += 12;
	if (p->vlan) {
		put(f, 0x8100, 2);
		put(f + 2, p->vlan, 2);
		f += 4;
	}
	get_field(p, VSW_FIELD_ETH_TYPE, type);
	memcpy(f, type, 2);
	f += 2;
	switch (p->type) {
	case M_RAW:
		return (size_t) (f - frame) + 46;
	case M_ARP:
		memcpy(f, "\0\1\x08\0\6\4\0", 7);
		f[7] = p->proto;
		memcpy(f + 14, src.bytes, 4);
		memcpy(f + 24, dst.bytes, 4);
		return (size_t) (f - frame) + 46;
	case M_IPV4:
		n = frame_l4(p, f + 20);
		f[0] = 0x45;
		put(f + 2, (uint32_t) (20 + n), 2);
		put(f + 4, p->id, 2);
		put(f + 6, (uint32_t) (p->fragment && !p->is_last ? 0x2000 : 0)
		    + (p->fragment == VSW_FRAGMENT_LATER ? p->at : 0), 2);
		f[8] = p->ttl;
		f[9] = p->proto;
		memcpy(f + 12, src.bytes, 4);
		memcpy(f + 16, dst.bytes, 4);
		put(f + 10, checksum(f, 20), 2);
		return (size_t) (f - frame) + 20 + n;
	case M_IPV6:
		extra = p->fragment ? 8 : 0;
		n = extra + frame_l4(p, f + 40 + extra);
		f[0] = 0x60;
		put(f + 4, (uint32_t) n, 2);
		f[6] = p->fragment ? 44 : p->proto;
		if (p->fragment) {
			f[40] = p->has_options ? 60 : p->proto;
			put(f + 42, (p->fragment == VSW_FRAGMENT_LATER
				     ? p->at * 8u : 0u) + !p->is_last, 2);
			put(f + 44, p->id, 4);
		}
		f[7] = p->ttl;
		memcpy(f + 8, src.bytes, 16);
		memcpy(f + 24, dst.bytes, 16);
		return (size_t) (f - frame) + 40 + n;
	}
	return 0;
}
