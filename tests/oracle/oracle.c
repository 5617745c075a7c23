/* SPDX-License-Identifier: Apache-2.0 */

/* Random policy and random packets.  What the switch does with a packet, when
 * it is decided and when it is cached, between edits of the policy, must be
 * what the naive model in model.c says; and vsw_explain() must say the same.
 *
 * Every frame that comes out is read by somebody else, too, who knows nothing
 * of policy: lengths and checksums must be right.
 *
 *     oracle			N_ROUNDS rounds
 *     oracle ROUND		that round alone, to look at what failed
 *     oracle seconds N [ROUND]	as many as fit, from ROUND (1) on
 *     oracle packets N [ROUND]	until so many packets were sent */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "tests/oracle/draw.h"
#include "tests/oracle/pieces.h"
#include "tests/walk/frame.h"

enum {
	N_ROUNDS = 300, N_EDITS = 40, N_PACKETS = 24, MAX_BATCH = 4,
	N_DATAGRAMS = 6,
	MAX_CAPTURED = MAX_RESULTS * MAX_PIECES,
	TOO_LONG_NS = 1100000000	/* For fragments to wait. */
};

struct captured {
	unsigned port;
	size_t size;
	uint8_t frame[128];
	struct vsw_tunnel tunnel;
	uint32_t reason, vni;
};

struct oracle {
	struct model model;
	struct vsw *vsw;
	struct vsw_worker *worker;
	struct vsw_port *ports[N_PORTS];
	unsigned numbers[N_PORTS];	/* The ports' ctx. */
	struct vsw_domain *domains[N_DOMAINS];
	struct vsw_mapping *mappings[N_MAPPINGS];
	struct vsw_program *programs[N_PROGRAMS];
	uint64_t now, seed, round;
	uint32_t next_id;		/* Of fragmented datagrams. */
	unsigned n_captured;
	struct captured captured[MAX_CAPTURED];
	int end;			/* What explain said last. */
	const struct vsw_port *end_port;
};

/* What was seen, over all rounds: a test that saw nothing has failed. */
struct seen {
	unsigned long n_packets, n_checks, n_sent, n_remote, n_punts, n_copies, n_hits;
	unsigned long n_followed, n_waited;	/* Fragments. */
	unsigned long drops[VSW_N_DROPS];
};

static struct oracle *
of_port(const unsigned *number)
{
	return (struct oracle *) ((char *) (uintptr_t) (number - *number)
				  - offsetof(struct oracle, numbers));
}

static void
die(const struct oracle *o, const char *what)
{
	fprintf(stderr, "oracle %" PRIu64 ": %s\n", o->round, what);
	exit(1);
}

static void
must(const struct oracle *o, int error, const char *what)
{
	if (error)
		die(o, what);
}

static void
capture(void *ctx, struct vsw_worker *worker,
	struct vsw_packet *const packets[], size_t n)
{
	unsigned *number = ctx;
	struct oracle *o = of_port(number);
	char problem[160];

	(void) worker;
	for (size_t i = 0; i < n; i++) {
		struct captured *c = &o->captured[o->n_captured++];

		if (o->n_captured > MAX_CAPTURED)
			die(o, "too many packets came out");
		*c = (struct captured) { .port = *number };
		c->size = vsw_packet_size(packets[i]);
		memcpy(c->frame, vsw_packet_data(packets[i]),
		       c->size < 128 ? c->size : 128);
		c->tunnel = *vsw_packet_tunnel(packets[i]);
		if (!frame_is_sound(vsw_packet_data(packets[i]), c->size,
				    vsw_packet_offload(packets[i]), problem,
				    sizeof problem))
			die(o, problem);
		if (*number == PORT_PUNT)
			c->reason = vsw_packet_punt(packets[i], &c->vni);
		vsw_packet_free(packets[i]);
	}
}

static struct vsw_location
location_of(const struct oracle *o, const struct m_location *l)
{
	struct vsw_location location = { .size = sizeof location };

	model_mac(l->mac, location.mac);
	if (l->port >= 0) {
		location.port = o->ports[l->port];
	} else {
		location.pa = model_pa(l->pa);
		location.vni = l->vni;
		location.encap = l->encap;
	}
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
		? model_addr(4, i - N_MACS)
		: model_addr(16, i - N_MACS - N_ADDRS);
	uint8_t mac[6];

	draw_entry(entry, true, &o->seed);
	/* A group or broadcast of its own is rare. */
	if ((i == 6 || i == 7) && draw(&o->seed, 3))
		entry->n = 0;
	for (unsigned j = 0; j < entry->n; j++)
		locations[j] = location_of(o, &entry->locations[j]);
	if (i == N_ENTRIES - 1) {
		mine->unknown_unicast = draw(&o->seed, 2);
		must(o, vsw_mapping_set_flood(mapping, locations, entry->n,
					      mine->unknown_unicast),
		     "flood");
	} else if (i < N_MACS) {
		model_mac(i, mac);
		if (entry->n)
			must(o, vsw_mapping_set_mac(mapping, mac, locations,
						    entry->n), "MAC");
		else
			vsw_mapping_remove_mac(mapping, mac);
	} else if (entry->n) {
		must(o, vsw_mapping_set_addr(mapping, &addr, locations,
					     entry->n), "address");
	} else {
		vsw_mapping_remove_addr(mapping, &addr);
	}
}

static void
apply_program(struct oracle *o, unsigned port, int which)
{
	o->model.program_of[port] = which;
	must(o, vsw_port_set_program(o->ports[port], which < 0 ? NULL
				     : o->programs[which]), "program");
}

static void
apply_uplink(struct oracle *o, unsigned domain, bool has_uplink)
{
	o->model.has_uplink[domain] = has_uplink;
	must(o, vsw_domain_set_uplink(o->domains[domain], has_uplink
				      ? o->ports[PORT_WIRE] : NULL),
	     "uplink");
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
	model_mac((unsigned) (rule->eth_src < 0 ? 0 : rule->eth_src), mac);
	if (rule->eth_src >= 0)
		vsw_rule_set_eth_src(r, mac);
	model_mac((unsigned) (rule->eth_dst < 0 ? 0 : rule->eth_dst), mac);
	if (rule->eth_dst >= 0)
		vsw_rule_set_eth_dst(r, mac);
	if (rule->route) {
		struct vsw_addr hop = model_addr(4, (unsigned) rule->next_hop);

		model_mac(rule->router_mac, mac);
		vsw_rule_route(r, o->mappings[rule->route_mapping],
			       rule->next_hop < 0 ? NULL : &hop, mac,
			       rule->ttl_reason);
	}
}

static void
build_programs(struct oracle *o)
{
	struct vsw_set *sets[N_SETS];
	struct vsw_group *groups[N_GROUPS];
	char problem[200] = "";

	for (unsigned i = 0; i < N_SETS; i++) {
		const struct m_set *set = &o->model.sets[i];

		must(o, vsw_set_new(o->vsw, "set", i < 2 ? VSW_SET_ADDRESSES
				    : VSW_SET_PORTS, &sets[i]), "set");
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

		must(o, vsw_group_new(o->vsw, "group", &groups[i]), "group");
		for (unsigned j = 0; j < group->n_rules; j++)
			build_rule(o, groups[i], &group->rules[j], sets);
		must(o, vsw_group_seal(groups[i], problem, sizeof problem),
		     problem);
	}
	for (unsigned i = 0; i < N_PROGRAMS; i++) {
		const struct m_program *program = &o->model.programs[i];

		must(o, vsw_program_new(o->vsw, &o->programs[i]), "program");
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
		must(o, vsw_program_seal(o->programs[i], problem,
					 sizeof problem), problem);
	}
	for (unsigned i = 0; i < N_GROUPS; i++)
		vsw_group_unref(groups[i]);
	for (unsigned i = 0; i < N_SETS; i++)
		vsw_set_unref(sets[i]);
}

static void
build(struct oracle *o)
{
	struct vsw_options options;
	char name[16];

	vsw_options_init(&options);
	options.max_flows = 64;		/* So that some give way. */
	options.max_punts_per_s = VSW_UNLIMITED;
	options.max_new_flows_per_s = VSW_UNLIMITED;
	must(o, vsw_new(&options, &o->vsw), "switch");
	must(o, vsw_worker_new(o->vsw, &o->worker), "worker");
	for (unsigned i = 0; i < N_PORTS; i++) {
		struct vsw_port_ops ops = {
			.size = sizeof ops, .transmit = capture,
			.abilities = i == PORT_WIRE ? VSW_PORT_TUNNEL
				     : i == PORT_PUNT ? VSW_PORT_PUNT : 0
		};

		o->numbers[i] = i;
		snprintf(name, sizeof name, "port%u", i);
		must(o, vsw_port_add(o->vsw, name, &ops, &o->numbers[i],
				     &o->ports[i]), "port");
	}
	for (unsigned i = 0; i < N_DOMAINS; i++) {
		must(o, vsw_domain_new(o->vsw, "domain", &o->domains[i]),
		     "domain");
		apply_uplink(o, i, draw(&o->seed, 4));
	}
	for (unsigned i = 0; i < N_MAPPINGS; i++) {
		must(o, vsw_mapping_new(o->domains[model_domain(i)],
					"mapping", i + 1, &o->mappings[i]),
		     "mapping");
		for (unsigned j = 0; j < N_ENTRIES; j++)
			apply_entry(o, i, j);
	}
	draw_policy(&o->model, &o->seed);
	build_programs(o);
	for (unsigned i = 0; i < N_PORTS; i++)
		apply_program(o, i, (int) draw(&o->seed, N_PROGRAMS));
}

static void
take_down(struct oracle *o)
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

static void
edit(struct oracle *o)
{
	switch (draw(&o->seed, 8)) {
	case 0:
		apply_program(o, draw(&o->seed, N_PORTS),
			      (int) draw(&o->seed, N_PROGRAMS + 1) - 1);
		break;
	case 1:
		apply_uplink(o, draw(&o->seed, N_DOMAINS),
			     draw(&o->seed, 4));
		break;
	default:
		apply_entry(o, draw(&o->seed, N_MAPPINGS),
			    draw(&o->seed, N_ENTRIES));
	}
}

static void
count(const struct oracle *o, uint64_t counts[N_PORTS][VSW_N_DROPS],
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

static bool
is_captured(const struct captured *c, const struct m_result *r)
{
	struct vsw_addr pa = model_pa(r->pa);
	uint8_t frame[128];
	size_t size = model_frame(&r->packet, frame);

	if (c->port != r->port || c->size != size
	    || memcmp(c->frame, frame, size))
		return false;
	if (r->is_punt)
		return c->reason == r->reason && c->vni == r->vni;
	if (!r->is_remote)
		return r->port == PORT_PUNT
		       || c->tunnel.encap == VSW_ENCAP_NONE;
	return c->tunnel.encap == r->encap && c->tunnel.vni == r->vni
	       && !memcmp(&c->tunnel.dst, &pa, sizeof pa);
}

/* Is what came out, in any order, and what was counted, what the model
 * says?  What has to wait is not seen yet. */
static bool
agrees(const struct oracle *o, const struct m_result *results, unsigned n,
       uint64_t before[N_PORTS][VSW_N_DROPS],
       uint64_t after[N_PORTS][VSW_N_DROPS])
{
	uint64_t expected[N_PORTS][VSW_N_DROPS];
	bool taken[MAX_CAPTURED] = { false };
	unsigned n_sent = 0;

	memcpy(expected, before, sizeof expected);
	for (unsigned i = 0; i < n; i++) {
		const struct m_result *result = &results[i];
		unsigned j = 0;

		if (result->drop != VSW_N_DROPS) {
			if (result->drop != VSW_DROP_FRAGMENT_LOST)
				expected[result->port][result->drop]++;
			continue;
		}
		while (j < o->n_captured
		       && (taken[j]
			   || !is_captured(&o->captured[j], result)))
			j++;
		if (j == o->n_captured)
			return false;
		taken[j] = true;
		n_sent++;
	}
	return n_sent == o->n_captured
	       && !memcmp(expected, after, sizeof expected);
}

static void
send(struct oracle *o, const struct m_packet *p, unsigned n_batch)
{
	struct vsw_packet *packets[MAX_BATCH];
	uint8_t frame[128];

	for (unsigned i = 0; i < n_batch; i++) {
		struct m_packet one = *p;
		size_t size;

		one.id += i;
		size = model_frame(&one, frame);
		packets[i] = vsw_packet_new(o->worker, size);
		memcpy(vsw_packet_data(packets[i]), frame, size);
		if (p->tunnel)
			*vsw_packet_tunnel(packets[i]) = (struct vsw_tunnel) {
				.src = model_pa(p->tunnel_src),
				.dst = model_pa(p->tunnel_dst),
				.vni = p->vni, .encap = p->encap
			};
	}
	o->n_captured = 0;
	o->now += 1000000;
	vsw_worker_receive(o->worker, o->ports[p->in_port], packets, n_batch,
			   o->now);
}

static void
keep_end(void *ctx, const struct vsw_step *step)
{
	struct oracle *o = ctx;

	o->end = step->kind == VSW_STEP_SENT ? VSW_N_DROPS
		 : step->kind == VSW_STEP_DROPPED ? step->drop : -1;
	o->end_port = step->port;
}

static void
check_explain(struct oracle *o, const struct m_packet *p,
	      const struct m_result *last)
{
	struct vsw_tunnel tunnel = {
		.src = model_pa(p->tunnel_src), .dst = model_pa(p->tunnel_dst),
		.vni = p->vni, .encap = p->encap
	};
	struct vsw_explain_options options = { .size = sizeof options,
					       .tunnel = &tunnel };
	uint8_t frame[128];
	size_t size = model_frame(p, frame);

	must(o, vsw_explain(o->ports[p->in_port], frame, size,
			    p->tunnel ? &options : NULL, keep_end, o),
	     "explain");
	if (o->end != (int) last->drop
	    || (last->drop == VSW_N_DROPS
		&& o->end_port != o->ports[last->port]))
		die(o, "explain does not end as the packet did");
}

static void
note(struct seen *seen, const struct m_result *results, unsigned n,
     unsigned n_packets)
{
	seen->n_copies += n > n_packets;
	for (unsigned i = 0; i < n; i++) {
		seen->n_sent += results[i].drop == VSW_N_DROPS;
		seen->n_remote += results[i].is_remote;
		seen->n_punts += results[i].is_punt;
		if (results[i].drop != VSW_N_DROPS)
			seen->drops[results[i].drop]++;
	}
}

static void
say_difference(const struct oracle *o, const struct m_result *results,
	       unsigned n, uint64_t before[N_PORTS][VSW_N_DROPS],
	       uint64_t after[N_PORTS][VSW_N_DROPS])
{
	fprintf(stderr, "model: %u results, first drop %s port %u\n", n,
		results[0].drop == VSW_N_DROPS ? "none"
		: vsw_drop_name(results[0].drop), results[0].port);
	fprintf(stderr, "switch: %u packets, first to port %u\n",
		o->n_captured, o->captured[0].port);
	for (unsigned i = 0; i < N_PORTS; i++)
		for (unsigned d = 0; d < VSW_N_DROPS; d++)
			if (after[i][d] != before[i][d])
				fprintf(stderr, "switch: drop %s at %u\n",
					vsw_drop_name((enum vsw_drop) d), i);
	die(o, "the switch and the model do not agree");
}

/* What the model says of 'n_batch' packets that differ in their number alone.
 * Each has 'n' results. */
static unsigned
decide_batch(const struct oracle *o, const struct m_packet *p,
	     unsigned choices, unsigned n_batch,
	     struct m_result results[MAX_CAPTURED], unsigned *ret_n_choices)
{
	unsigned n = 0;

	for (unsigned i = 0; i < n_batch; i++) {
		struct m_packet one = *p;

		one.id += i;
		n += model_decide(&o->model, &one, choices, results + n,
				  ret_n_choices);
	}
	return n;
}

/* 'n' packets wait at a port for a first fragment that does not come. */
static void
check_lost(struct oracle *o, unsigned port, unsigned n)
{
	uint64_t before[N_PORTS][VSW_N_DROPS], after[N_PORTS][VSW_N_DROPS];
	uint64_t hits;

	count(o, before, &hits);
	o->now += TOO_LONG_NS;
	vsw_worker_idle(o->worker, o->now);
	count(o, after, &hits);
	before[port][VSW_DROP_FRAGMENT_LOST] += n;
	if (memcmp(before, after, sizeof before))
		die(o, "what waits is not lost in time");
}

/* Returns the choice that the switch made; once made, it is to stay. */
static unsigned
check(struct oracle *o, struct m_packet *p, unsigned choice, struct seen *seen)
{
	uint64_t before[N_PORTS][VSW_N_DROPS], after[N_PORTS][VSW_N_DROPS];
	uint64_t hits_before, hits_after;
	struct m_result results[MAX_CAPTURED];
	unsigned first = choice == UINT32_MAX ? 0 : choice;
	unsigned n_batch = draw(&o->seed, 4) ? 1 : 1 + draw(&o->seed,
							    MAX_BATCH);
	unsigned n_choices = 1, n, most = first + 1;

	p->id = o->next_id;
	o->next_id += MAX_BATCH;
	count(o, before, &hits_before);
	send(o, p, n_batch);
	count(o, after, &hits_after);
	seen->n_packets += n_batch;
	seen->n_hits += hits_after - hits_before;
	for (unsigned c = first; c < most; c++) {
		n = decide_batch(o, p, c, n_batch, results, &n_choices);
		if (choice == UINT32_MAX && n_choices > most)
			most = n_choices;
		if (!agrees(o, results, n, before, after))
			continue;
		check_explain(o, p, &results[n - 1]);
		if (results[0].drop == VSW_DROP_FRAGMENT_LOST)
			check_lost(o, p->in_port, n_batch);
		note(seen, results, n, n_batch);
		seen->n_checks++;
		return c;
	}
	say_difference(o, results, n, before, after);
	return 0;
}

/* The first packet may make another choice than those behind it, since rules
 * can tell first fragments from later ones. */
static void
check_piece(struct oracle *o, struct account *a, const struct m_packet *p,
	    struct seen *seen)
{
	uint64_t before[N_PORTS][VSW_N_DROPS], after[N_PORTS][VSW_N_DROPS];
	struct m_packet decided[MAX_PIECES];
	struct m_result results[MAX_CAPTURED];
	unsigned n_dropped, n_decided, most = 1, n_choices = 1, n = 0;
	uint64_t hits;

	n_decided = pieces_expect(&o->model, a, p, decided, &n_dropped);
	count(o, before, &hits);
	send(o, p, 1);
	count(o, after, &hits);
	seen->n_packets++;
	before[p->in_port][VSW_DROP_FRAGMENT_OVERLAP] += n_dropped;
	for (unsigned c = 0; c < most * most; c++) {
		unsigned last_most = most;

		n = 0;
		for (unsigned i = 0; i < n_decided; i++) {
			n += model_decide(&o->model, &decided[i],
					  i ? c / most : c % most,
					  results + n, &n_choices);
			if (n_choices > last_most)
				last_most = n_choices;
		}
		/* More than was thought: all anew. */
		if (last_most > most) {
			most = last_most;
			c = UINT32_MAX;
			continue;
		}
		if (!agrees(o, results, n, before, after))
			continue;
		note(seen, results, n, 1);
		seen->n_checks++;
		for (unsigned i = 0; i < n_decided; i++)
			seen->n_followed += decided[i].has_first;
		seen->n_waited += n_decided > 1;
		seen->drops[VSW_DROP_FRAGMENT_OVERLAP] += n_dropped;
		return;
	}
	say_difference(o, results, n, before, after);
}

static void
check_datagram(struct oracle *o, struct seen *seen)
{
	struct account account = { .n_waiting = 0 };
	struct m_packet pieces[MAX_PIECES];
	unsigned n = pieces_draw(pieces, o->next_id++, &o->seed);

	for (unsigned i = 0; i < n; i++) {
		check_piece(o, &account, &pieces[i], seen);
		if (draw(&o->seed, 4) == 0)
			edit(o);
	}
	seen->drops[VSW_DROP_FRAGMENT_LOST] += account.n_waiting;
	if (account.n_waiting)
		check_lost(o, pieces[0].in_port, account.n_waiting);
}

static void
play(uint64_t seed, struct seen *seen)
{
	static struct oracle oracle;
	struct oracle *o = &oracle;

	*o = (struct oracle) { .round = seed,
			       .seed = seed * UINT64_C(0x9e3779b97f4a7c15) };
	build(o);
	for (unsigned i = 0; i < N_EDITS; i++) {
		struct m_packet packets[N_PACKETS];
		unsigned choices[N_PACKETS];

		/* Decided, then cached, unless it has given way. */
		for (unsigned j = 0; j < N_PACKETS; j++) {
			draw_packet(&packets[j], &o->seed);
			choices[j] = check(o, &packets[j], UINT32_MAX, seen);
			check(o, &packets[j], choices[j], seen);
		}
		for (unsigned j = 0; j < N_PACKETS; j++)
			check(o, &packets[j], choices[j], seen);
		edit(o);
		/* Cached, and stale. */
		for (unsigned j = 0; j < N_PACKETS; j++)
			check(o, &packets[j], UINT32_MAX, seen);
		for (unsigned j = 0; j < N_DATAGRAMS; j++)
			check_datagram(o, seen);
	}
	take_down(o);
}

/* Prints what was seen; returns how much was not. */
static int
report(const struct seen *seen)
{
	/* The drops that policy can lead to, and those alone. */
	static const enum vsw_drop wanted[] = {
		VSW_DROP_NO_PROGRAM, VSW_DROP_RULE, VSW_DROP_NO_OUTPUT,
		VSW_DROP_NO_MAPPING, VSW_DROP_NO_FLOOD, VSW_DROP_NOT_LOCAL,
		VSW_DROP_UNKNOWN_VNI, VSW_DROP_UNKNOWN_PA,
		VSW_DROP_NO_UPLINK, VSW_DROP_SAME_PORT, VSW_DROP_TTL,
		VSW_DROP_FRAGMENT_LOST, VSW_DROP_FRAGMENT_OVERLAP
	};
	int n_missing = 0;

	for (unsigned i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
		printf("%s: %lu\n", vsw_drop_name(wanted[i]),
		       seen->drops[wanted[i]]);
		n_missing += seen->drops[wanted[i]] < 20;
	}
	printf("packets %lu, of which sent %lu, in tunnels %lu, punts %lu, "
	       "copied %lu, by cached flows %lu\n", seen->n_packets,
	       seen->n_sent, seen->n_remote, seen->n_punts, seen->n_copies,
	       seen->n_hits);
	printf("fragments that followed %lu, that had waited %lu\n",
	       seen->n_followed, seen->n_waited);
	n_missing += seen->n_followed < 1000;
	n_missing += seen->n_waited < 1000;
	n_missing += seen->n_remote < 1000;
	n_missing += seen->n_punts < 1000;
	n_missing += seen->n_copies < 1000;
	n_missing += seen->n_hits < seen->n_checks / 4;
	printf("%lu passed, %d failed\n", seen->n_checks, n_missing);
	return n_missing;
}

/* The long form. */
static void
play_long(const char *what, unsigned long n, unsigned long round,
	  struct seen *seen)
{
	bool by_time = !strcmp(what, "seconds");
	time_t end = time(NULL) + (time_t) n;

	while (by_time ? time(NULL) < end : seen->n_packets < n)
		play(round++, seen);
	printf("up to round %lu\n", round - 1);
}

int
main(int argc, char *argv[])
{
	struct seen seen = { 0 };

	if (argc == 2) {
		play(strtoull(argv[1], NULL, 0), &seen);
		printf("%lu passed, 0 failed\n", seen.n_checks);
		return 0;
	}
	if (argc > 2)
		play_long(argv[1], strtoul(argv[2], NULL, 0),
			  argc > 3 ? strtoul(argv[3], NULL, 0) : 1, &seen);
	else
		for (unsigned i = 1; i <= N_ROUNDS; i++)
			play(i, &seen);
	return report(&seen) != 0;
}
