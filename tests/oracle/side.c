/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/oracle/side.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/oracle/bytes.h"
#include "tests/oracle/draw.h"
#include "tests/walk/frame.h"

static struct oracle *
of_port(const unsigned *number)
{
	return (struct oracle *) ((char *) (uintptr_t) (number - *number)
				  - offsetof(struct oracle, numbers));
}

void
side_die(const struct oracle *o, const char *what)
{
	fprintf(stderr, "oracle %" PRIu64 ": %s\n", o->round, what);
	exit(1);
}

void
side_must(const struct oracle *o, int error, const char *what)
{
	if (error)
		side_die(o, what);
}

/* Nothing may be left undone that the port cannot do. */
static bool
is_allowed(uint32_t abilities, const struct vsw_offload *offload)
{
	static const uint32_t cuts[] = {
		[VSW_SEGMENT_TCP4] = VSW_PORT_TSO4,
		[VSW_SEGMENT_TCP6] = VSW_PORT_TSO6,
		[VSW_SEGMENT_UDP] = VSW_PORT_USO
	};

	if (offload->checksum == VSW_CHECKSUM_PARTIAL
	    && !(abilities & VSW_PORT_CHECKSUM))
		return false;
	return !offload->segment_kind
	       || abilities & cuts[offload->segment_kind];
}

/* Outer headers are read and taken off; lengths and checksums are read of the
 * whole. */
static void
keep(const struct oracle *o, struct captured *c, struct vsw_packet *packet)
{
	const uint8_t *bytes = vsw_packet_data(packet);
	size_t size = vsw_packet_size(packet), outer = 0;
	char problem[160];

	c->tunnel = *vsw_packet_tunnel(packet);
	c->offload = *vsw_packet_offload(packet);
	if (!is_allowed(o->abilities[c->port], &c->offload))
		side_die(o, "something is left to a port that cannot do it");
	if (!frame_is_sound(bytes, size, &c->offload, problem,
			    sizeof problem))
		side_die(o, problem);
	if (c->port == PORT_WIRE && o->wire_is_bytes) {
		outer = wire_unwrap(bytes, size, &c->tunnel);
		if (!outer)
			side_die(o, "outer headers are not as they must be");
	}
	c->size = size - outer;
	if (c->size > sizeof c->frame)
		side_die(o, "a frame is too long");
	memcpy(c->frame, bytes + outer, c->size);
	c->reason = c->vni = c->mtu = 0;
	if (c->port == PORT_PUNT) {
		c->reason = vsw_packet_punt(packet, &c->vni);
		c->mtu = vsw_packet_punt_mtu(packet);
	}
}

static void
capture(void *ctx, struct vsw_worker *worker,
	struct vsw_packet *const packets[], size_t n)
{
	unsigned *number = ctx;
	struct oracle *o = of_port(number);

	(void) worker;
	for (size_t i = 0; i < n; i++) {
		struct captured *c = &o->captured[o->n_captured++];

		if (o->n_captured > MAX_CAPTURED)
			side_die(o, "too many packets came out");
		c->port = *number;
		keep(o, c, packets[i]);
		vsw_packet_free(packets[i]);
	}
}

static struct vsw_location
location_of(const struct oracle *o, const struct m_location *l)
{
	struct vsw_location location = { .size = sizeof location };

	bytes_mac(l->mac, location.mac);
	if (l->port >= 0) {
		location.port = o->ports[l->port];
	} else {
		location.pa = bytes_pa(l->pa);
		location.vni = l->vni;
		location.encap = l->encap;
	}
	if (l->v4 >= 0)
		location.v4 = bytes_addr(4, (unsigned) l->v4);
	if (l->v6 >= 0)
		location.v6 = bytes_addr(16, (unsigned) l->v6);
	return location;
}

/* Puts the model's entry 'i' of a mapping in place: MACs, IPv4, IPv6, and last
 * the flood. */
enum { N_ENTRIES = N_MACS + 2 * N_ADDRS + 1 };

static void
apply_entry(struct oracle *o, unsigned m, unsigned i)
{
	struct m_mapping *mine = &o->model.mappings[m];
	struct vsw_mapping *mapping = o->mappings[m];
	struct vsw_location locations[MAX_LOCATIONS];
	struct m_entry *entry = i < N_MACS ? &mine->macs[i]
		: i < N_MACS + N_ADDRS ? &mine->v4[i - N_MACS]
		: i < N_ENTRIES - 1 ? &mine->v6[i - N_MACS - N_ADDRS]
		: &mine->flood;
	struct vsw_addr addr = i < N_MACS + N_ADDRS
		? bytes_addr(4, i - N_MACS)
		: bytes_addr(16, i - N_MACS - N_ADDRS);
	uint8_t mac[6];

	draw_entry(entry, true, &o->seed);
	/* A group or broadcast of its own is rare. */
	if ((i == 6 || i == 7) && draw(&o->seed, 3))
		entry->n = 0;
	for (unsigned j = 0; j < entry->n; j++)
		locations[j] = location_of(o, &entry->locations[j]);
	if (i == N_ENTRIES - 1) {
		mine->unknown_unicast = draw(&o->seed, 2);
		side_must(o, vsw_mapping_set_flood(mapping, locations, entry->n,
					      mine->unknown_unicast),
		     "flood");
	} else if (i < N_MACS) {
		bytes_mac(i, mac);
		if (entry->n)
			side_must(o, vsw_mapping_set_mac(mapping, mac,
							 locations, entry->n),
				  "MAC");
		else
			vsw_mapping_remove_mac(mapping, mac);
	} else if (entry->n) {
		side_must(o, vsw_mapping_set_addr(mapping, &addr, locations,
					     entry->n), "address");
	} else {
		vsw_mapping_remove_addr(mapping, &addr);
	}
}

static void
apply_unknown(struct oracle *o, unsigned m)
{
	struct m_mapping *mine = &o->model.mappings[m];
	struct vsw_unknown unknown = { .size = sizeof unknown };
	struct vsw_location location;

	mine->punt_reason = draw(&o->seed, 4) ? 0 : 300 + m;
	unknown.punt_reason = mine->punt_reason;
	do
		draw_entry(&mine->unknown, true, &o->seed);
	while (mine->unknown.n > 1);
	if (draw(&o->seed, 2))
		mine->unknown.n = 0;
	if (mine->unknown.n) {
		location = location_of(o, &mine->unknown.locations[0]);
		unknown.location = &location;
	}
	side_must(o, vsw_mapping_set_unknown(
			  o->mappings[m],
			  mine->punt_reason || mine->unknown.n
			  || draw(&o->seed, 2) ? &unknown : NULL),
		  "unknown");
}

static void
apply_program(struct oracle *o, unsigned port, int which)
{
	o->model.program_of[port] = which;
	side_must(o, vsw_port_set_program(o->ports[port], which < 0 ? NULL
				     : o->programs[which]), "program");
}

static void
apply_uplink(struct oracle *o, unsigned domain, bool has_uplink)
{
	o->model.has_uplink[domain] = has_uplink;
	side_must(o, vsw_domain_set_uplink(o->domains[domain], has_uplink
				      ? o->ports[PORT_WIRE] : NULL),
	     "uplink");
}

static void
build_route(struct oracle *o, struct vsw_rule *r, const struct m_rule *rule)
{
	struct vsw_next_hop hops[MAX_HOPS];
	uint8_t mac[6];

	bytes_mac(rule->router_mac, mac);
	for (unsigned i = 0; i < rule->n_hops; i++) {
		const struct m_hop *hop = &rule->hops[i];

		hops[i] = (struct vsw_next_hop) {
			.size = sizeof hops[i],
			.mapping = o->mappings[hop->mapping]
		};
		if (hop->addr >= 0)
			hops[i].addr = bytes_addr(4, (unsigned) hop->addr);
	}
	if (rule->is_any)
		vsw_rule_route_any(r, hops, rule->n_hops, mac,
				   rule->ttl_reason);
	else
		vsw_rule_route(r, hops[0].mapping, &hops[0].addr, mac,
			       rule->ttl_reason);
}

static void
build_rule(struct oracle *o, struct vsw_group *group,
	   const struct m_rule *rule, struct vsw_set *const sets[])
{
	struct vsw_rule *r = vsw_group_add_rule(group, rule->priority, NULL);
	uint8_t mac[6];

	for (unsigned i = 0; i < rule->n_matches; i++) {
		const struct m_match *m = &rule->matches[i];

		if (m->kind == M_SET)
			vsw_rule_match_set(r, m->field, sets[m->set]);
		else if (m->kind == M_RANGE)
			vsw_rule_match_range(r, m->field, m->first, m->last);
		else
			vsw_rule_match(r, m->field, m->value, m->mask);
	}
	if (rule->terminating)
		vsw_rule_terminate(r);
	if (rule->drop)
		vsw_rule_drop(r);
	if (rule->output >= 0)
		vsw_rule_output(r, o->ports[rule->output]);
	if (rule->encap >= 0)
		vsw_rule_encap(r, o->mappings[rule->encap]);
	if (rule->decap >= 0)
		vsw_rule_decap(r, o->mappings[rule->decap]);
	if (rule->punt)
		vsw_rule_punt(r, rule->reason);
	if (rule->ttl)
		vsw_rule_decrement_ttl(r);
	if (rule->address)
		vsw_rule_address_copies(r, rule->address_ip);
	if (rule->vlan >= 0)
		vsw_rule_set_vlan(r, (uint16_t) rule->vlan);
	bytes_mac((unsigned) (rule->eth_src < 0 ? 0 : rule->eth_src), mac);
	if (rule->eth_src >= 0)
		vsw_rule_set_eth_src(r, mac);
	bytes_mac((unsigned) (rule->eth_dst < 0 ? 0 : rule->eth_dst), mac);
	if (rule->eth_dst >= 0)
		vsw_rule_set_eth_dst(r, mac);
	if (rule->route)
		build_route(o, r, rule);
	if (rule->too_big)
		vsw_rule_too_big(r, rule->may_fragment, rule->too_big_reason);
	if (rule->clamp)
		vsw_rule_clamp_mss(r, rule->mss);
}

static void
build_programs(struct oracle *o)
{
	struct vsw_set *sets[N_SETS];
	struct vsw_group *groups[N_GROUPS];
	char problem[200] = "";

	for (unsigned i = 0; i < N_SETS; i++) {
		const struct m_set *set = &o->model.sets[i];

		side_must(o, vsw_set_new(o->vsw, "set", i < 2
					 ? VSW_SET_ADDRESSES : VSW_SET_PORTS,
					 &sets[i]), "set");
		for (unsigned j = 0; j < set->n; j++) {
			if (i >= 2)
				vsw_set_add_ports(sets[i], set->first[j],
						  set->last[j]);
			else
				vsw_set_add_prefix(sets[i], &set->prefixes[j],
						   set->bits[j]);
		}
	}
	for (unsigned i = 0; i < N_GROUPS; i++) {
		const struct m_group *group = &o->model.groups[i];

		side_must(o, vsw_group_new(o->vsw, "group", &groups[i]),
			  "group");
		for (unsigned j = 0; j < group->n_rules; j++)
			build_rule(o, groups[i], &group->rules[j], sets);
		side_must(o, vsw_group_seal(groups[i], problem, sizeof problem),
		     problem);
	}
	for (unsigned i = 0; i < N_PROGRAMS; i++) {
		const struct m_program *program = &o->model.programs[i];

		side_must(o, vsw_program_new(o->vsw, &o->programs[i]),
			  "program");
		for (unsigned j = 0; j < program->n_layers; j++) {
			const struct m_layer *l = &program->layers[j];
			struct vsw_layer *layer = vsw_program_add_layer(
				o->programs[i], "layer");

			for (unsigned d = 0; d < 2; d++)
				for (unsigned k = 0; k < l->n[d]; k++)
					vsw_layer_add_group(
						layer, (enum vsw_direction) d,
						groups[l->groups[d][k]]);
		}
		side_must(o, vsw_program_seal(o->programs[i], problem,
					 sizeof problem), problem);
	}
	for (unsigned i = 0; i < N_GROUPS; i++)
		vsw_group_unref(groups[i]);
	for (unsigned i = 0; i < N_SETS; i++)
		vsw_set_unref(sets[i]);
}

/* What is said of the wire is of outer packets; 0 is any, but that of an
 * underlay always has one. */
static void
apply_mtu(struct oracle *o, unsigned port)
{
	struct vsw_underlay underlay = {
		.size = sizeof underlay, .local_v4 = bytes_pa(WIRE_PA4),
		.local_v6 = bytes_pa(WIRE_PA6)
	};
	uint8_t next_hop[6];
	unsigned mtu = 0;

	if (draw(&o->seed, 3) == 0)
		mtu = (port == PORT_WIRE ? 100 : 20) + draw(&o->seed, 60);
	else if (draw(&o->seed, 3) == 0)
		mtu = 600 + draw(&o->seed, 1000);
	if (port == PORT_PUNT)
		mtu = 0;
	if (port == PORT_WIRE && o->wire_is_bytes) {
		if (!mtu)
			mtu = 9000;
		wire_macs(underlay.mac, next_hop);
		underlay.mtu = mtu;
		side_must(o, vsw_port_set_underlay(o->ports[port], &underlay),
			  "underlay");
	} else {
		side_must(o, vsw_port_set_mtu(o->ports[port], mtu), "MTU");
	}
	o->model.mtu[port] = mtu;
}

static void
build_ports(struct oracle *o)
{
	static const struct vsw_addr any;
	uint8_t own[6], next_hop[6];
	char name[16];

	wire_macs(own, next_hop);
	o->wire_is_bytes = draw(&o->seed, 2);
	for (unsigned i = 0; i < N_PORTS; i++) {
		struct vsw_port_ops ops = {
			.size = sizeof ops, .transmit = capture,
			.abilities = draw(&o->seed, 2) ? draw(&o->seed, 16)
						       : 0
		};

		if (i == PORT_WIRE && !o->wire_is_bytes)
			ops.abilities |= VSW_PORT_TUNNEL;
		if (i == PORT_PUNT)
			ops.abilities |= VSW_PORT_PUNT;
		o->abilities[i] = ops.abilities;
		o->numbers[i] = i;
		snprintf(name, sizeof name, "port%u", i);
		side_must(o, vsw_port_add(o->vsw, name, &ops, &o->numbers[i],
				     &o->ports[i]), "port");
		apply_mtu(o, i);
	}
	if (!o->wire_is_bytes)
		return;
	side_must(o, vsw_port_set_next_hop(o->ports[PORT_WIRE], &any, next_hop),
	     "next hop");
}

void
side_build(struct oracle *o)
{
	struct vsw_options options;

	vsw_options_init(&options);
	options.hash_seed = o->round + 1;
	options.max_workers = 1;
	options.max_flows = 64;		/* So that some give way. */
	options.max_punts_per_s = VSW_UNLIMITED;
	options.max_new_flows_per_s = VSW_UNLIMITED;
	side_must(o, vsw_new(&options, &o->vsw), "switch");
	side_must(o, vsw_worker_new(o->vsw, &o->worker), "worker");
	build_ports(o);
	for (unsigned i = 0; i < N_DOMAINS; i++) {
		side_must(o, vsw_domain_new(o->vsw, "domain", &o->domains[i]),
		     "domain");
		apply_uplink(o, i, draw(&o->seed, 4));
	}
	for (unsigned i = 0; i < N_MAPPINGS; i++) {
		side_must(o, vsw_mapping_new(o->domains[model_domain(i)],
					"mapping", i + 1, &o->mappings[i]),
		     "mapping");
		for (unsigned j = 0; j < N_ENTRIES; j++)
			apply_entry(o, i, j);
		apply_unknown(o, i);
	}
	draw_policy(&o->model, &o->seed);
	build_programs(o);
	for (unsigned i = 0; i < N_PORTS; i++)
		apply_program(o, i, (int) draw(&o->seed, N_PROGRAMS));
}

void
side_take_down(struct oracle *o)
{
	vsw_worker_free(o->worker);
	for (unsigned i = 0; i < N_PROGRAMS; i++)
		vsw_program_unref(o->programs[i]);
	for (unsigned i = 0; i < N_MAPPINGS; i++)
		vsw_mapping_unref(o->mappings[i]);
	for (unsigned i = 0; i < N_DOMAINS; i++)
		vsw_domain_unref(o->domains[i]);
	for (unsigned i = 0; i < N_PORTS; i++)
		vsw_port_remove(o->ports[i]);
	vsw_free(o->vsw);
}

void
side_edit(struct oracle *o)
{
	switch (draw(&o->seed, 10)) {
	case 0:
		apply_program(o, draw(&o->seed, N_PORTS),
			      (int) draw(&o->seed, N_PROGRAMS + 1) - 1);
		break;
	case 1:
		apply_uplink(o, draw(&o->seed, N_DOMAINS),
			     draw(&o->seed, 4));
		break;
	case 2:
		apply_unknown(o, draw(&o->seed, N_MAPPINGS));
		break;
	case 3:
		apply_mtu(o, draw(&o->seed, N_PORTS));
		break;
	default:
		apply_entry(o, draw(&o->seed, N_MAPPINGS),
			    draw(&o->seed, N_ENTRIES));
	}
}

void
side_count(const struct oracle *o, uint64_t counts[N_PORTS][VSW_N_DROPS],
      uint64_t *ret_hits)
{
	*ret_hits = 0;
	for (unsigned i = 0; i < N_PORTS; i++) {
		struct vsw_port_counters c = { .size = sizeof c };

		vsw_port_get_counters(o->ports[i], &c);
		memcpy(counts[i], c.drops, VSW_N_DROPS * sizeof(uint64_t));
		*ret_hits += c.flows_hit;
	}
}

/* As it comes in. */
size_t
side_frame(const struct oracle *o, const struct m_packet *p,
	 uint8_t ret_frame[128 + WIRE_ROOM])
{
	uint8_t inner[128];
	size_t size = bytes_frame(p, inner);

	if (p->tunnel && o->wire_is_bytes)
		return wire_wrap(p, inner, size, ret_frame);
	memcpy(ret_frame, inner, size);
	return size;
}

/* Outer headers as bytes are taken off only if they are for this host. */
void
side_localise(const struct oracle *o, struct m_packet *p)
{
	if (p->tunnel && o->wire_is_bytes)
		p->tunnel_dst = p->tunnel_src < 4 ? WIRE_PA4 : WIRE_PA6;
}

void
side_send(struct oracle *o, const struct m_packet *p, unsigned n_batch)
{
	struct vsw_packet *packets[MAX_BATCH];
	uint8_t frame[128 + WIRE_ROOM];

	for (unsigned i = 0; i < n_batch; i++) {
		struct m_packet one = *p;
		size_t size;

		one.id += i;
		size = side_frame(o, &one, frame);
		packets[i] = vsw_packet_new(o->worker, size);
		memcpy(vsw_packet_data(packets[i]), frame, size);
		if (p->tunnel && !o->wire_is_bytes)
			*vsw_packet_tunnel(packets[i]) = (struct vsw_tunnel) {
				.src = bytes_pa(p->tunnel_src),
				.dst = bytes_pa(p->tunnel_dst),
				.vni = p->vni, .encap = p->encap
			};
	}
	o->n_captured = 0;
	o->now += 1000000;
	vsw_worker_receive(o->worker, o->ports[p->in_port], packets, n_batch,
			   o->now);
}

void
side_send_large(struct oracle *o, const struct m_packet *p, size_t n,
	   uint16_t segment)
{
	static uint8_t frame[FRAME_ROOM];
	size_t size = large_make(p, n, frame);
	struct vsw_packet *packet = vsw_packet_new(o->worker, size);

	memcpy(vsw_packet_data(packet), frame, size);
	*vsw_packet_offload(packet) = large_offload(p, segment);
	o->n_captured = 0;
	o->now += 1000000;
	vsw_worker_receive(o->worker, o->ports[p->in_port], &packet, 1,
			   o->now);
}
