/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/oracle/draw.h"

#include <string.h>
#include "tests/oracle/bytes.h"

static const unsigned sizes[VSW_N_FIELDS] = {
	6, 6, 2, 2, 1, 4, 4, 16, 16, 2, 2, 1, 4, 4, 4, 16, 16
};

static int draw_who(uint64_t *seed);
static void draw_set(struct m_set *, bool of_ports, uint64_t *seed);
static void draw_rule(struct m_rule *, bool is_in, uint64_t *seed);
static void draw_action(struct m_rule *, bool is_in, uint64_t *seed);
static void draw_hop(struct m_hop *, uint64_t *seed);
static void draw_hops(struct m_group *, uint64_t *seed);
static void keep_one(struct m_program *, unsigned group);
static void draw_match(struct m_match *, uint64_t *seed);
static void draw_value(struct m_match *, uint64_t *seed);

unsigned
draw(uint64_t *seed, unsigned below)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (unsigned) (*seed >> 32) % below;
}

void
draw_policy(struct model *model, uint64_t *seed)
{
	for (unsigned i = 0; i < N_SETS; i++)
		draw_set(&model->sets[i], i >= 2, seed);
	for (unsigned i = 0; i < N_GROUPS; i++) {
		struct m_group *group = &model->groups[i];

		group->n_rules = 1 + draw(seed, draw(seed, 3) ? 5 : MAX_RULES);
		for (unsigned j = 0; j < group->n_rules; j++)
			draw_rule(&group->rules[j], i >= N_OUT_GROUPS, seed);
	}
	draw_hops(&model->groups[0], seed);
	for (unsigned i = 0; i < N_PROGRAMS; i++) {
		struct m_program *program = &model->programs[i];

		program->n_layers = draw(seed, 20) ? 1 + draw(seed, MAX_LAYERS)
						   : 0;
		for (unsigned j = 0; j < program->n_layers; j++) {
			struct m_layer *layer = &program->layers[j];

			layer->n[VSW_OUT] = 1 + draw(seed, 3);
			layer->n[VSW_IN] = draw(seed, 3);
			for (unsigned k = 0; k < 3; k++) {
				layer->groups[VSW_OUT][k] =
					draw(seed, N_OUT_GROUPS);
				layer->groups[VSW_IN][k] = N_OUT_GROUPS
					+ draw(seed, N_IN_GROUPS);
			}
		}
		keep_one(program, 0);
	}
}

void
draw_entry(struct m_entry *entry, bool may_be_none, uint64_t *seed)
{
	entry->n = draw(seed, 3) ? 1 : 1 + draw(seed, MAX_LOCATIONS);
	if (may_be_none && draw(seed, 5) == 0)
		entry->n = 0;
	for (unsigned i = 0; i < entry->n; i++)
		entry->locations[i] = (struct m_location) {
			.port = draw(seed, 2) ? (int) (1 + draw(seed, 4)) : -1,
			.pa = draw(seed, N_PAS - 1), .mac = draw(seed, 6),
			.v4 = draw_who(seed), .v6 = draw_who(seed),
			.vni = 1 + draw(seed, 3),
			.encap = draw(seed, 2) ? VSW_ENCAP_VXLAN
					       : VSW_ENCAP_NVGRE
		};
}

void
draw_packet(struct m_packet *p, uint64_t *seed)
{
	*p = (struct m_packet) { .in_port = draw(seed, 5),
				 .was_dst = -1,
				 .type = (enum m_type) draw(seed, 4) };
	if (draw(seed, 40) == 0)
		p->in_port = PORT_PUNT;
	if (p->type < M_IPV4 && draw(seed, 2))
		p->type = M_IPV4;
	bytes_mac(draw(seed, 6), p->eth_src);
	bytes_mac(draw(seed, N_MACS), p->eth_dst);
	if (draw(seed, 5) == 0)
		p->vlan = (uint16_t) (1 + draw(seed, 3));
	p->src = draw(seed, N_ADDRS);
	p->dst = draw(seed, N_ADDRS);
	if (p->type == M_ARP)
		p->proto = (uint8_t) (1 + draw(seed, 2));
	if (p->type == M_IPV4 || p->type == M_IPV6) {
		p->proto = draw(seed, 12) ? draw(seed, 2) ? 6 : 17 : 47;
		p->ttl = (uint8_t) (1 + draw(seed, 3));
		p->l4_src = (uint16_t) (1000 + draw(seed, 4));
		p->l4_dst = (uint16_t) (1000 + draw(seed, 4));
		if (p->proto == 6 && draw(seed, 3) == 0)
			p->mss = (uint16_t) (1 + draw(seed, draw(seed, 3)
						      ? 90 : 2000));
	}
	if (p->type >= M_IPV4 && draw(seed, 6) == 0) {
		p->fragment = (uint8_t) (1 + draw(seed, 2));
		p->has_options = p->type == M_IPV6 && draw(seed, 3) == 0;
		p->at = (uint16_t) (4 + draw(seed, 100));
		p->units = 2;
	}
	if (p->in_port == PORT_WIRE) {
		p->tunnel = true;
		p->tunnel_src = draw(seed, N_PAS);
		p->tunnel_dst = p->tunnel_src < 4 ? draw(seed, 4)
						  : 4 + draw(seed, 2);
		p->encap = draw(seed, 2) ? VSW_ENCAP_VXLAN : VSW_ENCAP_NVGRE;
		p->vni = 1 + draw(seed, 4);
	}
}

/* For whom copies are. */
static int
draw_who(uint64_t *seed)
{
	return draw(seed, 3) ? (int) draw(seed, N_ADDRS) : -1;
}

static void
draw_set(struct m_set *set, bool of_ports, uint64_t *seed)
{
	set->n = draw(seed, 5);
	for (unsigned i = 0; i < set->n; i++) {
		unsigned size = draw(seed, 2) ? 4 : 16;

		set->prefixes[i] = bytes_addr(of_ports ? 0 + 4 : size,
					      draw(seed, N_ADDRS));
		set->bits[i] = size * 8 - draw(seed, 3);
		if (of_ports)
			set->prefixes[i].n = 0;
		set->first[i] = (uint16_t) (1000 + draw(seed, 4));
		set->last[i] = (uint16_t) (set->first[i] + draw(seed, 2));
	}
}

static void
draw_rule(struct m_rule *rule, bool is_in, uint64_t *seed)
{
	*rule = (struct m_rule) {
		.priority = draw(seed, 6), .terminating = draw(seed, 4) == 0,
		.n_matches = draw(seed, MAX_MATCHES + 1),
		.output = -1, .encap = -1, .decap = -1, .eth_src = -1,
		.eth_dst = -1, .vlan = -1
	};
	for (unsigned i = 0; i < rule->n_matches; i++)
		draw_match(&rule->matches[i], seed);
	draw_action(rule, is_in, seed);
}

static void
draw_action(struct m_rule *rule, bool is_in, uint64_t *seed)
{
	unsigned choice = draw(seed, is_in ? 12 : 24);

	if (choice == 0) {
		rule->drop = true;
		return;
	}
	if (draw(seed, 6) == 0)
		rule->eth_src = (int) draw(seed, 6);
	if (draw(seed, 8) == 0)
		rule->eth_dst = (int) draw(seed, N_MACS);
	rule->ttl = draw(seed, 8) == 0;
	if (draw(seed, 5) == 0)
		rule->vlan = (int) draw(seed, 4);
	rule->too_big = draw(seed, 5) == 0;
	rule->may_fragment = draw(seed, 2);
	rule->too_big_reason = draw(seed, 2) ? 500 + draw(seed, 3) : 0;
	rule->clamp = draw(seed, 5) == 0;
	rule->mss = draw(seed, 2) ? (uint16_t) draw(seed, 60) : 0;
	if (choice == 1) {
		rule->punt = true;
		rule->reason = draw(seed, 100);
	}
	if (is_in)
		return;
	rule->address = draw(seed, 3) == 0;
	rule->address_ip = draw(seed, 2);
	if (choice >= 2 && choice <= 4)
		rule->output = (int) (1 + draw(seed, 5));
	if (choice >= 5 && choice <= 11)
		rule->encap = (int) draw(seed, N_MAPPINGS);
	if (choice >= 12 && choice <= 17)
		rule->decap = (int) draw(seed, N_MAPPINGS);
	if (draw(seed, 5) == 0) {
		rule->route = true;
		rule->router_mac = draw(seed, 6);
		rule->ttl_reason = draw(seed, 2) ? 200 : 0;
		rule->is_any = draw(seed, 2);
		rule->n_hops = 1;
		draw_hop(&rule->hops[0], seed);
	}
}

static void
draw_hop(struct m_hop *hop, uint64_t *seed)
{
	hop->mapping = draw(seed, N_MAPPINGS);
	hop->addr = draw(seed, 2) ? (int) draw(seed, N_ADDRS) : -1;
}

/* Of one group, which stands in one layer of a program at most: all choices
 * are tried, and would be too many. */
static void
draw_hops(struct m_group *group, uint64_t *seed)
{
	for (unsigned i = 0; i < group->n_rules; i++) {
		struct m_rule *rule = &group->rules[i];

		if (!rule->route && (rule->drop || draw(seed, 2)))
			continue;
		rule->route = rule->is_any = true;
		rule->n_hops = 1 + draw(seed, MAX_HOPS);
		for (unsigned j = 0; j < rule->n_hops; j++)
			draw_hop(&rule->hops[j], seed);
	}
}

static void
keep_one(struct m_program *program, unsigned group)
{
	unsigned n_seen = 0;

	for (unsigned i = 0; i < program->n_layers; i++) {
		struct m_layer *layer = &program->layers[i];
		bool is_here = false;

		for (unsigned k = 0; k < layer->n[VSW_OUT]; k++) {
			unsigned *each = &layer->groups[VSW_OUT][k];

			if (*each != group)
				continue;
			is_here = true;
			if (n_seen)
				*each = group + 1;
		}
		n_seen += is_here;
	}
}

static void
draw_match(struct m_match *match, uint64_t *seed)
{
	*match = (struct m_match) {
		.field = (enum vsw_field) draw(seed, VSW_N_FIELDS)
	};
	memset(match->mask, 0xff, sizeof match->mask);
	switch (draw(seed, 6)) {
	case 0:
		match->kind = M_SET;
		match->set = draw(seed, N_SETS);
		if (match->set < 2)
			match->field = VSW_FIELD_IPV4_SRC + draw(seed, 4);
		else
			match->field = VSW_FIELD_L4_SRC + draw(seed, 2);
		return;
	case 1:
		match->kind = M_RANGE;
		match->field = draw(seed, 3) ? VSW_FIELD_L4_DST
					     : VSW_FIELD_IP_PROTO;
		match->first = match->field == VSW_FIELD_L4_DST ? 1001 : 1;
		match->last = (uint16_t) (match->first + draw(seed, 9));
		return;
	default:
		draw_value(match, seed);
	}
}

static void
draw_value(struct m_match *match, uint64_t *seed)
{
	unsigned size = sizes[match->field];
	struct m_packet p;
	struct vsw_addr addr;

	draw_packet(&p, seed);
	switch (match->field) {
	case VSW_FIELD_ETH_SRC:
		memcpy(match->value, p.eth_src, 6);
		break;
	case VSW_FIELD_ETH_DST:
		memcpy(match->value, p.eth_dst, 6);
		if (draw(seed, 2) == 0) {
			/* Multicast, by a mask with a hole. */
			memset(match->mask, 0, 6);
			match->mask[0] = 1;
		}
		break;
	case VSW_FIELD_ETH_TYPE:
		memcpy(match->value, draw(seed, 2) ? "\x08\0" : "\x86\xdd", 2);
		match->mask[1] = draw(seed, 2) ? 0xff : 0x06;
		break;
	case VSW_FIELD_VLAN:
		if (draw(seed, 2))
			memcpy(match->value, "\x10\1", 2);
		break;
	case VSW_FIELD_IP_PROTO:
		match->value[0] = (uint8_t) (draw(seed, 2) ? 6 : 17);
		break;
	case VSW_FIELD_FRAGMENT:
		match->value[0] = (uint8_t) draw(seed, 3);
		break;
	case VSW_FIELD_L4_SRC:
	case VSW_FIELD_L4_DST:
		match->value[0] = 3;
		match->value[1] = (uint8_t) (0xe8 + draw(seed, 4));
		break;
	case VSW_FIELD_VNI:
		match->value[3] = (uint8_t) draw(seed, 5);
		break;
	default:
		addr = bytes_addr(size, draw(seed, N_ADDRS));
		if (match->field >= VSW_FIELD_TUNNEL_SRC4)
			addr = bytes_pa(size == 4 ? draw(seed, 4)
						  : 4 + draw(seed, 2));
		memcpy(match->value, addr.bytes, size);
		match->mask[size - 1] = (uint8_t) (0xff << draw(seed, 3));
		if (draw(seed, 6) == 0)
			memset(match->mask, 0, size);
	}
}
