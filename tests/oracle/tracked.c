/* SPDX-License-Identifier: Apache-2.0 */

/* Random stateful policy and random conversations between three VMs.  What the
 * switch does with each packet, decided, cached or stale, and what
 * vsw_explain() says it would do, must be what the naive model here says: an
 * array of connections, searched from one end, and rules asked one by one.
 * Written from the text of <vswitch/policy.h>.
 *
 *     tracked		N_ROUNDS rounds
 *     tracked ROUND	that one alone */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/oracle/bytes.h"
#include "tests/oracle/draw.h"
#include "tests/walk/frame.h"

enum {
	N_VMS = 3, N_ROUNDS_TRACKED = 200, N_STEPS = 2000, N_GROUPS_OF = 12,
	N_RULES_OF = 4, N_ACLS = 2, MAX_CONNECTIONS_OF = 4000, ANY = 255,
	TCP = 6, UDP = 17, ICMP = 1, GRE = 47
};

enum verb { PASS, TRACK, DROP };

struct acl_rule {
	uint8_t src, dst, proto, sport, dport;	/* ANY. */
	enum verb verb;
};

struct acl_group {
	unsigned n;
	struct acl_rule rules[N_RULES_OF];	/* First match counts. */
};

/* Layer 0 is an ACL, 1 delivers by MAC, 2 is another ACL. */
struct acl_program {
	unsigned groups[N_ACLS][2];	/* By direction. */
	unsigned serial;
	bool tracks[N_ACLS];
};

enum event { PLAIN, SYN, SYN_ACK, FIN, RST, INVALID, ANSWER };

struct message {
	unsigned from, to;		/* Ports. */
	uint8_t src, dst, proto, sport, dport;	/* ICMP: identifier. */
	enum event event;
	bool is_v6, is_error;		/* About one from 'dst' to 'esrc'. */
	uint8_t far;			/* Of which the error speaks. */
	uint8_t vlan;
};

struct conversation {
	bool is_there;
	unsigned port;
	bool is_out;			/* The opener. */
	uint8_t local, remote, proto, lport, rport, vlan;
	bool is_v6;
	struct message opener;
	unsigned serial, layers;
	/* TCP. */
	bool asked, joined, reset, fin[2], alive[2];
	bool refused;			/* Policy has ended it. */
};

struct world {
	struct acl_group groups[N_GROUPS_OF];
	struct acl_program programs[N_VMS];
	unsigned serial, n;
	struct conversation all[MAX_CONNECTIONS_OF];
};

struct walked {
	struct conversation *c;
	unsigned wanted;
	bool follows, refused;
	struct conversation *asked, before;	/* By another program. */
};

static struct world world, copy;
static struct vsw *vsw;
static struct vsw_worker *worker;
static struct vsw_port *ports[N_VMS];
static unsigned n_sent[N_VMS], last_sent;
static uint64_t seed, now;
static unsigned long n_checked, n_opened, n_by_connection, n_ended, n_related,
		     drops[VSW_N_DROPS];

static void
must(int error, const char *what)
{
	if (!error)
		return;
	fprintf(stderr, "%s: %s\n", what, strerror(-error));
	exit(1);
}

static void
take(void *ctx, struct vsw_worker *w, struct vsw_packet *const packets[],
     size_t n)
{
	(void) w;
	last_sent = (unsigned) (uintptr_t) ctx;
	n_sent[last_sent] += (unsigned) n;
	for (size_t i = 0; i < n; i++)
		vsw_packet_free(packets[i]);
}

/* The model. */
static enum verb
ask_group(const struct acl_group *g, const struct message *m)
{
	for (unsigned i = 0; i < g->n; i++) {
		const struct acl_rule *r = &g->rules[i];
		bool has_ports = m->proto == TCP || m->proto == UDP;

		if ((r->src == ANY || r->src == m->src)
		    && (r->dst == ANY || r->dst == m->dst)
		    && (r->proto == ANY || r->proto == m->proto)
		    && (r->sport == ANY || (has_ports && r->sport == m->sport))
		    && (r->dport == ANY
			|| (has_ports && r->dport == m->dport)))
			return r->verb;
	}
	return PASS;
}

static bool
is_of(const struct conversation *c, unsigned port, bool is_out,
      const struct message *m)
{
	uint8_t src = m->src, dst = m->dst, proto = m->proto;

	/* An error is about what went the other way. */
	if (m->is_error) {
		src = m->dst;
		dst = m->far;
		proto = UDP;
		is_out = !is_out;
	}
	if (!c->is_there || c->port != port || c->is_v6 != m->is_v6
	    || c->vlan != m->vlan || c->proto != proto
	    || c->local != (is_out ? src : dst)
	    || c->remote != (is_out ? dst : src))
		return false;
	if (proto == ICMP)
		return c->lport == m->sport;
	if (proto != TCP && proto != UDP)
		return true;
	return c->lport == (is_out ? m->sport : m->dport)
	       && c->rport == (is_out ? m->dport : m->sport);
}

static bool
begins_anew(const struct conversation *c, const struct message *m)
{
	return c->proto == TCP && m->proto == TCP && m->event == SYN
	       && (c->reset || c->joined || c->refused
		   || (c->fin[0] && c->fin[1]));
}

static void
hear(struct conversation *c, bool is_opener, enum event e)
{
	unsigned side = is_opener ? 0 : 1;

	if (c->proto != TCP || (c->fin[0] && c->fin[1] && !c->reset))
		return;
	if (c->reset) {
		if (e == RST)
			c->alive[0] = c->alive[1] = false;
		if (e == PLAIN)
			c->alive[side] = true;
		if (c->alive[0] && c->alive[1])
			c->reset = c->asked = c->joined = c->fin[0]
				= c->fin[1] = false;
	} else if (e == RST) {
		c->reset = true;
		c->alive[0] = c->alive[1] = false;
	} else if (e == FIN && !(c->asked && !is_opener)) {
		c->fin[side] = true;
		c->asked = c->joined = false;
	} else if (!is_opener && (e == SYN || e == SYN_ACK) && c->asked) {
		c->asked = false;
	} else if (!is_opener && (e == PLAIN || e == SYN_ACK)) {
		c->joined = false;
	}
}

/* Layers in their order, for the opener of one that another program approved:
 * false, it is over. */
static bool
approve(struct world *w, struct conversation *c, const struct acl_program *p,
	const struct message *m)
{
	unsigned wanted = 0;

	for (unsigned i = 0; i < N_ACLS; i++) {
		unsigned acl = c->is_out ? i : N_ACLS - 1 - i;
		enum verb verb = ask_group(&w->groups[p->groups[acl][
				!c->is_out]], m);

		if (verb == DROP) {
			c->is_there = c->proto != ICMP;
			c->refused = true;
			c->serial = p->serial;
			return false;
		}
		if (verb == TRACK)
			wanted |= 1u << acl;
	}
	c->is_there = wanted != 0;
	c->layers = wanted;
	c->serial = p->serial;
	if (c->refused) {
		c->refused = c->asked = c->reset = c->fin[0] = c->fin[1]
			= false;
		c->joined = c->proto == TCP;
	}
	return c->is_there;
}

static bool
walk(struct world *w, unsigned port, bool is_out, const struct message *m,
     struct walked *walked)
{
	const struct acl_program *p = &w->programs[port];
	bool nd = m->proto == ICMP && m->event == INVALID, is_other;
	const struct conversation *refused;

	*walked = (struct walked) {
		.follows = (p->tracks[0] || p->tracks[1]) && !nd
	};
	for (unsigned i = 0; walked->follows && i < w->n; i++)
		if (is_of(&w->all[i], port, is_out, m)
		    && (!begins_anew(&w->all[i], m) || w->all[i].refused))
			walked->c = &w->all[i];
	refused = walked->c;
	is_other = walked->c && begins_anew(walked->c, m);
	if (walked->c && walked->c->serial != p->serial) {
		struct conversation *c = walked->c;
		const struct message *opener =
			!m->is_error && c->is_out == is_out ? m : &c->opener;

		walked->asked = c;
		walked->before = *c;
		if (!approve(w, c, p, opener)) {
			walked->c = NULL;
			walked->refused = c->is_there;
			n_ended++;
		}
	} else if (walked->c && walked->c->refused) {
		walked->c = NULL;
		walked->refused = true;
	}
	/* The opener's own packets are for the rules alone to judge. */
	if (refused && !m->is_error && refused->is_out == is_out)
		walked->refused = false;
	/* A SYN after all; the old one has been asked about. */
	if (is_other) {
		walked->c = NULL;
		walked->refused = false;
	}
	for (unsigned i = 0; i < N_ACLS; i++) {
		unsigned acl = is_out ? i : N_ACLS - 1 - i;
		enum verb verb;

		if (walked->c && walked->c->layers >> acl & 1) {
			n_by_connection++;
			continue;
		}
		verb = ask_group(&w->groups[p->groups[acl][!is_out]], m);
		if (verb == DROP)
			return false;
		if (verb == TRACK)
			walked->wanted |= 1u << acl;
	}
	return true;
}

static enum vsw_drop
follow(struct world *w, unsigned port, bool is_out, const struct message *m,
       const struct walked *walked)
{
	struct conversation *c = walked->c;

	if (!walked->follows)
		return VSW_N_DROPS;
	if (c) {
		n_related += m->is_error;
		if (m->is_error)
			return VSW_N_DROPS;
		if (m->event == INVALID)
			return VSW_DROP_CONNECTION_STATE;
		hear(c, c->is_out == is_out, m->event);
		return VSW_N_DROPS;
	}
	if (!walked->wanted || m->is_error
	    || (m->proto == ICMP && m->event == ANSWER))
		return VSW_N_DROPS;
	if (walked->refused)
		return VSW_DROP_CONNECTION_ENDED;
	if (m->event == RST || m->event == INVALID)
		return VSW_DROP_CONNECTION_STATE;
	for (unsigned i = 0; i < w->n; i++)
		if (is_of(&w->all[i], port, is_out, m))
			w->all[i].is_there = false;
	if (w->n == MAX_CONNECTIONS_OF)
		abort();
	w->all[w->n++] = (struct conversation) {
		.is_there = true, .port = port, .is_out = is_out,
		.local = is_out ? m->src : m->dst,
		.remote = is_out ? m->dst : m->src, .proto = m->proto,
		.lport = is_out || m->proto == ICMP ? m->sport : m->dport,
		.rport = is_out ? m->dport : m->sport, .vlan = m->vlan,
		.is_v6 = m->is_v6, .opener = *m,
		.serial = w->programs[port].serial,
		.layers = walked->wanted, .asked = m->event == SYN,
		.joined = m->event == PLAIN || m->event == SYN_ACK,
		.fin = { m->event == FIN }
	};
	n_opened++;
	return VSW_N_DROPS;
}

static enum vsw_drop
say(struct world *w, const struct message *m)
{
	struct walked out, in;
	enum vsw_drop drop;
	bool passes;

	if (!walk(w, m->from, true, m, &out))
		return VSW_DROP_RULE;
	if (m->to == m->from)
		return VSW_DROP_SAME_PORT;
	passes = walk(w, m->to, false, m, &in);
	/* What the sender's connection does not take changes none of the
	 * receiver's. */
	if (out.c && !m->is_error && m->event == INVALID && in.asked)
		*in.asked = in.before;
	if (!passes)
		return VSW_DROP_RULE;
	drop = follow(w, m->from, true, m, &out);
	return drop == VSW_N_DROPS ? follow(w, m->to, false, m, &in) : drop;
}

/* The switch. */
static void
build_rule(struct vsw_group *group, uint32_t priority,
	   const struct acl_rule *r)
{
	struct vsw_rule *rule = vsw_group_add_rule(group, priority, NULL);
	uint8_t port[2] = { 0 };

	/* Either family: one byte tells. */
	if (r->src != ANY || r->dst != ANY) {
		struct vsw_set *set;

		for (unsigned is_dst = 0; is_dst < 2; is_dst++) {
			unsigned i = is_dst ? r->dst : r->src;
			struct vsw_addr a4 = bytes_addr(4, i),
					a6 = bytes_addr(16, i);

			if (i == ANY)
				continue;
			must(vsw_set_new(vsw, "a", VSW_SET_ADDRESSES, &set),
			     "set");
			vsw_set_add_prefix(set, &a4, 32);
			vsw_set_add_prefix(set, &a6, 128);
			vsw_rule_match_set(rule, is_dst ? VSW_FIELD_IPV4_DST
					   : VSW_FIELD_IPV4_SRC, set);
			vsw_set_unref(set);
		}
	}
	if (r->proto == ICMP)
		vsw_rule_match_range(rule, VSW_FIELD_IP_PROTO, 1, 1);
	else if (r->proto != ANY)
		vsw_rule_match(rule, VSW_FIELD_IP_PROTO, &r->proto, NULL);
	port[1] = r->sport;
	if (r->sport != ANY)
		vsw_rule_match(rule, VSW_FIELD_L4_SRC, port, NULL);
	port[1] = r->dport;
	if (r->dport != ANY)
		vsw_rule_match(rule, VSW_FIELD_L4_DST, port, NULL);
	if (r->verb == TRACK)
		vsw_rule_track(rule);
	else if (r->verb == DROP)
		vsw_rule_drop(rule);
}

static struct vsw_group *
build_group(const struct acl_group *g)
{
	struct vsw_group *group;

	must(vsw_group_new(vsw, "acl", &group), "group");
	for (uint32_t i = 0; i < g->n; i++)
		build_rule(group, i, &g->rules[i]);
	must(vsw_group_seal(group, NULL, 0), "seal");
	return group;
}

static struct vsw_group *
build_delivery(void)
{
	struct vsw_group *group;
	uint8_t mac[6];

	must(vsw_group_new(vsw, "deliver", &group), "group");
	for (uint32_t i = 0; i < N_VMS; i++) {
		struct vsw_rule *rule = vsw_group_add_rule(group, i, NULL);

		bytes_mac(i + 1, mac);
		vsw_rule_match(rule, VSW_FIELD_ETH_DST, mac, NULL);
		vsw_rule_output(rule, ports[i]);
	}
	must(vsw_group_seal(group, NULL, 0), "seal");
	return group;
}

static void
set_program(unsigned port)
{
	struct acl_program *p = &world.programs[port];
	struct vsw_group *delivery = build_delivery();
	struct vsw_program *program;
	char problem[200] = "";

	must(vsw_program_new(vsw, &program), "program");
	for (unsigned i = 0; i < 3; i++) {
		struct vsw_layer *layer = vsw_program_add_layer(program, "l");

		if (i == 1)
			vsw_layer_add_group(layer, VSW_OUT, delivery);
		for (unsigned d = 0; i != 1 && d < 2; d++) {
			const struct acl_group *mine =
				&world.groups[p->groups[i / 2][d]];
			struct vsw_group *group = build_group(mine);

			vsw_layer_add_group(layer, (enum vsw_direction) d,
					    group);
			vsw_group_unref(group);
		}
	}
	must(vsw_program_seal(program, problem, sizeof problem), problem);
	must(vsw_port_set_program(ports[port], program), "set program");
	vsw_program_unref(program);
	vsw_group_unref(delivery);
	p->serial = ++world.serial;
	for (unsigned acl = 0; acl < N_ACLS; acl++) {
		p->tracks[acl] = false;
		for (unsigned d = 0; d < 2; d++) {
			const struct acl_group *g =
				&world.groups[p->groups[acl][d]];

			for (unsigned i = 0; i < g->n; i++)
				p->tracks[acl] |= g->rules[i].verb == TRACK;
		}
	}
}

static void
draw_groups(void)
{
	for (unsigned i = 0; i < N_GROUPS_OF; i++) {
		struct acl_group *g = &world.groups[i];

		g->n = draw(&seed, N_RULES_OF + 1);
		for (unsigned j = 0; j < g->n; j++) {
			static const uint8_t protos[] = { TCP, UDP, ICMP,
							  GRE };
			bool of_ports = draw(&seed, 3) == 0;

			g->rules[j] = (struct acl_rule) {
				.src = draw(&seed, 3) ? ANY : draw(&seed, 4),
				.dst = draw(&seed, 3) ? ANY : draw(&seed, 4),
				.proto = draw(&seed, 2) ? ANY
					 : protos[draw(&seed, 4)],
				.sport = of_ports ? draw(&seed, 3) : ANY,
				.dport = ANY,
				.verb = draw(&seed, 5) < 3 ? TRACK
					: draw(&seed, 3) ? DROP : PASS
			};
			/* By ports alone of what has them: ICMP's are its
			 * type and code. */
			if (of_ports)
				g->rules[j].proto = draw(&seed, 2) ? TCP : UDP;
			if (of_ports && draw(&seed, 2)) {
				g->rules[j].dport = g->rules[j].sport;
				g->rules[j].sport = ANY;
			}
		}
		/* Mostly what is not allowed is not. */
		if (g->n && draw(&seed, 2))
			g->rules[g->n - 1] = (struct acl_rule) {
				ANY, ANY, ANY, ANY, ANY, DROP
			};
	}
}

static void
draw_program(unsigned port)
{
	for (unsigned acl = 0; acl < N_ACLS; acl++)
		for (unsigned d = 0; d < 2; d++)
			world.programs[port].groups[acl][d] =
				draw(&seed, N_GROUPS_OF);
	set_program(port);
}

static void
draw_message(struct message *m)
{
	static const uint8_t protos[] = { TCP, TCP, TCP, UDP, ICMP, GRE };
	static const enum event events[] = {
		PLAIN, PLAIN, PLAIN, PLAIN, SYN, SYN_ACK, SYN, FIN, RST,
		INVALID
	};

	*m = (struct message) {
		.from = draw(&seed, N_VMS), .to = draw(&seed, N_VMS),
		.proto = protos[draw(&seed, 6)], .sport = draw(&seed, 2),
		.dport = draw(&seed, 2), .is_v6 = draw(&seed, 4) == 0,
		.vlan = draw(&seed, 5) == 0, .far = draw(&seed, 3)
	};
	/* Mostly its own address to whom it goes. */
	m->src = (uint8_t) (draw(&seed, 8) ? m->from : draw(&seed, 4));
	m->dst = (uint8_t) (draw(&seed, 8) ? m->to : draw(&seed, 4));
	if (m->proto == TCP)
		m->event = events[draw(&seed, 10)];
	if (m->proto == ICMP) {
		m->is_v6 = false;
		m->event = draw(&seed, 2) ? PLAIN : ANSWER;
		m->is_error = draw(&seed, 3) == 0;
	}
}

static void
make(const struct message *m, struct frame *frame)
{
	static const char *const flags[] = {
		[PLAIN] = "flags A", [SYN] = "flags S", [SYN_ACK] = "flags SA",
		[FIN] = "flags FA", [RST] = "flags R", [INVALID] = "flags FS"
	};
	const char *net = m->is_v6 ? "2001:db8::" : "10.0.0.";
	char l4[200];

	if (m->is_error)
		snprintf(l4, sizeof l4, "icmp 3/3 hex 4500001c000040004011ffff"
			 "0a0000%02x0a0000%02x00%02x00%02x0008ffff", m->dst,
			 m->far, m->sport, m->dport);
	else if (m->proto == ICMP)
		snprintf(l4, sizeof l4, "icmp %d/0 %u",
			 m->event == PLAIN ? 8 : 0, m->sport);
	else if (m->proto == TCP)
		snprintf(l4, sizeof l4, "tcp %u>%u %s", m->sport, m->dport,
			 flags[m->event]);
	else if (m->proto == UDP)
		snprintf(l4, sizeof l4, "udp %u>%u", m->sport, m->dport);
	else
		snprintf(l4, sizeof l4, "proto %u payload 8", m->proto);
	frame_must_make(frame, "eth %u>%u %s ip %s%x>%s%x %s", m->from + 1,
			m->to + 1, m->vlan ? "vlan 1" : "", net, m->src, net,
			m->dst, l4);
}

static void
keep_end(void *ctx, const struct vsw_step *step)
{
	*(int *) ctx = step->kind == VSW_STEP_SENT ? VSW_N_DROPS
		       : step->kind == VSW_STEP_DROPPED ? (int) step->drop : -1;
}

static void
differ(unsigned long round, unsigned step, const char *what,
       const struct message *m, int expected, int got)
{
	fprintf(stderr, "tracked %lu, step %u: %s: from %u to %u, src %u dst "
		"%u proto %u ports %u %u event %d v6 %d error %d: the model "
		"says %s, the switch %s\n", round, step, what, m->from, m->to,
		m->src, m->dst, m->proto, m->sport, m->dport, m->event,
		m->is_v6, m->is_error,
		expected == VSW_N_DROPS ? "sent"
		: vsw_drop_name((enum vsw_drop) expected),
		got == VSW_N_DROPS ? "sent"
		: vsw_drop_name((enum vsw_drop) got));
	exit(1);
}

/* What became of one packet. */
static int
send(const struct message *m, const struct frame *frame)
{
	struct vsw_port_counters before = { .size = sizeof before }, after;
	struct vsw_packet *packet = vsw_packet_new(worker, frame->size);
	unsigned sent = n_sent[m->to];

	after = before;
	vsw_port_get_counters(ports[m->from], &before);
	memcpy(vsw_packet_data(packet), frame->bytes, frame->size);
	now += 1000000;
	vsw_worker_receive(worker, ports[m->from], &packet, 1, now);
	vsw_port_get_counters(ports[m->from], &after);
	if (n_sent[m->to] == sent + 1)
		return VSW_N_DROPS;
	for (int d = 0; d < VSW_N_DROPS; d++)
		if (after.drops[d] != before.drops[d])
			return d;
	return -1;
}

/* Are there as many connections as there should be? */
static void
check_count(unsigned long round, unsigned step, unsigned port,
	    const struct message *m)
{
	struct vsw_port_counters counters = { .size = sizeof counters };
	unsigned n = 0;

	for (unsigned i = 0; i < world.n; i++)
		n += world.all[i].is_there && world.all[i].port == port;
	vsw_port_get_counters(ports[port], &counters);
	if (counters.connections == n)
		return;
	fprintf(stderr, "port %u: %u connections, and not %u\n", port,
		(unsigned) counters.connections, n);
	differ(round, step, "count", m, 0, 0);
}

static void
check(unsigned long round, unsigned step, const struct message *m)
{
	static struct frame frame;
	unsigned long a = n_opened, b = n_by_connection, c = n_ended,
		      d = n_related;
	int expected, got = -1;

	make(m, &frame);
	copy = world;
	expected = (int) say(&copy, m);
	must(vsw_explain(ports[m->from], frame.bytes, frame.size, NULL,
			 keep_end, &got), "explain");
	if (got != expected)
		differ(round, step, "explain", m, expected, got);
	n_opened = a;
	n_by_connection = b;
	n_ended = c;
	n_related = d;
	expected = (int) say(&world, m);
	got = send(m, &frame);
	if (got != expected)
		differ(round, step, "packet", m, expected, got);
	if (expected != VSW_N_DROPS)
		drops[expected]++;
	check_count(round, step, m->from, m);
	check_count(round, step, m->to, m);
	n_checked++;
}

static void
build(unsigned long round)
{
	struct vsw_options options;
	char name[16];

	vsw_options_init(&options);
	options.hash_seed = round + 1;
	options.max_workers = 1;
	options.max_flows = 64;		/* So that some give way. */
	options.max_new_flows_per_s = VSW_UNLIMITED;
	options.max_connections = 8192;
	options.max_port_connections = 8192;
	options.max_port_half_open = 8192;
	options.max_port_connections_per_s = VSW_UNLIMITED;
	options.tcp_half_open_s = options.tcp_established_s
		= options.tcp_closing_s = options.tcp_reset_s
		= options.udp_single_s = options.udp_s = options.icmp_s
		= options.other_s = 1000000;
	must(vsw_new(&options, &vsw), "switch");
	must(vsw_worker_new(vsw, &worker), "worker");
	for (unsigned i = 0; i < N_VMS; i++) {
		struct vsw_port_ops ops = { .size = sizeof ops,
					    .transmit = take };

		snprintf(name, sizeof name, "vm%u", i);
		must(vsw_port_add(vsw, name, &ops, (void *) (uintptr_t) i,
				  &ports[i]), "port");
	}
}

static void
play(unsigned long round)
{
	struct message recent[8];

	memset(&world, 0, sizeof world);
	seed = round * UINT64_C(0x9e3779b97f4a7c15);
	now = 1000000000;
	build(round);
	draw_groups();
	for (unsigned i = 0; i < N_VMS; i++)
		draw_program(i);
	for (unsigned i = 0; i < 8; i++)
		draw_message(&recent[i]);
	for (unsigned step = 0; step < N_STEPS; step++) {
		struct message *m = &recent[draw(&seed, 8)];

		/* Again, answered, or another one. */
		if (draw(&seed, 4) == 0) {
			draw_message(m);
		} else if (draw(&seed, 2)) {
			struct message answer = *m;

			answer.from = m->to;
			answer.to = m->from;
			answer.src = m->dst;
			answer.dst = m->src;
			if (m->proto != ICMP) {
				answer.sport = m->dport;
				answer.dport = m->sport;
			} else if (!m->is_error) {
				answer.event = m->event == PLAIN ? ANSWER
								 : PLAIN;
			}
			*m = answer;
		}
		if (m->proto == TCP && draw(&seed, 3) == 0)
			m->event = (enum event) draw(&seed, INVALID + 1);
		check(round, step, m);
		if (draw(&seed, 40) == 0)
			draw_program(draw(&seed, N_VMS));
		else if (draw(&seed, 40) == 0)
			set_program(draw(&seed, N_VMS));
	}
	vsw_worker_free(worker);
	for (unsigned i = 0; i < N_VMS; i++)
		vsw_port_remove(ports[i]);
	vsw_free(vsw);
}

int
main(int argc, char *argv[])
{
	int n_missing = 0;

	if (argc > 1) {
		play(strtoul(argv[1], NULL, 0));
		printf("%lu passed, 0 failed\n", n_checked);
		return 0;
	}
	for (unsigned long i = 1; i <= N_ROUNDS_TRACKED; i++)
		play(i);
	printf("opened %lu, ended by policy %lu, layers passed %lu, errors "
	       "about them %lu, RULE %lu, CONNECTION_STATE %lu, "
	       "CONNECTION_ENDED %lu\n", n_opened, n_ended, n_by_connection,
	       n_related, drops[VSW_DROP_RULE],
	       drops[VSW_DROP_CONNECTION_STATE],
	       drops[VSW_DROP_CONNECTION_ENDED]);
	n_missing += n_opened < 10000;
	n_missing += n_ended < 1000;
	n_missing += n_by_connection < 50000;
	n_missing += n_related < 200;
	n_missing += drops[VSW_DROP_RULE] < 10000;
	n_missing += drops[VSW_DROP_CONNECTION_STATE] < 1000;
	n_missing += drops[VSW_DROP_CONNECTION_ENDED] < 500;
	printf("%lu passed, %d failed\n", n_checked, n_missing);
	return n_missing != 0;
}
