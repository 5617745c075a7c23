/* SPDX-License-Identifier: Apache-2.0 */

/* Random stateful policy and random conversations between three VMs.  What the
 * switch does with each packet, decided, cached or stale, and what
 * vsw_explain() says it would do, must be what the naive model in talk.c says.
 *
 *     tracked		N_ROUNDS rounds
 *     tracked ROUND	that one alone */

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/oracle/bytes.h"
#include "tests/oracle/draw.h"
#include "tests/oracle/talk.h"
#include "tests/walk/frame.h"

enum { N_ROUNDS_TRACKED = 200, N_STEPS = 2000 };

static struct world world, copy;
static struct vsw *vsw;
static struct vsw_worker *worker;
static struct vsw_port *ports[N_VMS];
static struct vsw_group *acls[N_VMS][N_ACLS][2];	/* In their programs. */
static unsigned n_sent[N_VMS], last_sent;
static uint64_t seed, now;
static struct talked talked;
static unsigned long n_checked, n_wild, n_exchanged[2], drops[VSW_N_DROPS];

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

static void note_program(unsigned port);

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
			vsw_group_unref(acls[port][i / 2][d]);
			acls[port][i / 2][d] = group;
		}
	}
	must(vsw_program_seal(program, problem, sizeof problem), problem);
	must(vsw_port_set_program(ports[port], program), "set program");
	vsw_program_unref(program);
	vsw_group_unref(delivery);
	note_program(port);
}

static void
note_program(unsigned port)
{
	struct acl_program *p = &world.programs[port];

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

/* One list of one port or of all becomes another: where the program stands, if
 * it says the same of what tracks. */
static void
exchange_lists(void)
{
	unsigned first = draw(&seed, 2) ? 0 : draw(&seed, N_VMS);
	unsigned n = first ? 1 : draw(&seed, N_VMS) + 1;
	unsigned acl = draw(&seed, N_ACLS);
	struct vsw_group *from[2 * N_VMS], *to[2 * N_VMS];
	struct vsw_program *old[N_VMS];

	for (unsigned i = 0; i < 2 * n; i++) {
		unsigned port = first + i / 2;
		unsigned *which = &world.programs[port].groups[acl][i % 2];

		*which = draw(&seed, N_GROUPS_OF);
		from[i] = acls[port][acl][i % 2];
		to[i] = build_group(&world.groups[*which]);
		acls[port][acl][i % 2] = to[i];
		old[i / 2] = vsw_port_get_program(ports[port]);
	}
	must(vsw_port_exchange_groups(&ports[first], n, from, to, 2 * n),
	     "exchange");
	for (unsigned i = 0; i < n; i++) {
		n_exchanged[vsw_port_get_program(ports[first + i])
			    == old[i]]++;
		note_program(first + i);
	}
	for (unsigned i = 0; i < 2 * n; i++)
		vsw_group_unref(from[i]);
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
		snprintf(l4, sizeof l4, "tcp %u>%u %s seq %s", m->sport,
			 m->dport, flags[m->event],
			 m->is_wild ? "0x40000000" : "0");
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
	int expected, got = -1;

	make(m, &frame);
	/* Few are there of all that there may be. */
	memcpy(&copy, &world, offsetof(struct world, all)
			      + world.n * sizeof world.all[0]);
	expected = (int) talk_say(&copy, m);
	must(vsw_explain(ports[m->from], frame.bytes, frame.size, NULL,
			 keep_end, &got), "explain");
	if (got != expected)
		differ(round, step, "explain", m, expected, got);
	expected = (int) talk_say(&world, m);
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
		m->is_wild = draw(&seed, 2) && talk_may_be_wild(&world, m);
		n_wild += m->is_wild;
		check(round, step, m);
		if (draw(&seed, 40) == 0)
			draw_program(draw(&seed, N_VMS));
		else if (draw(&seed, 40) == 0)
			set_program(draw(&seed, N_VMS));
		else if (draw(&seed, 20) == 0)
			exchange_lists();
	}
	talked.n_opened += world.talked.n_opened;
	talked.n_by_connection += world.talked.n_by_connection;
	talked.n_ended += world.talked.n_ended;
	talked.n_related += world.talked.n_related;
	vsw_worker_free(worker);
	for (unsigned i = 0; i < N_VMS; i++)
		vsw_port_remove(ports[i]);
	for (unsigned i = 0; i < N_VMS * N_ACLS * 2; i++)
		vsw_group_unref(acls[i / 4][i / 2 % 2][i % 2]);
	memset(acls, 0, sizeof acls);
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
	printf("exchanged in place %lu, anew %lu, wild resets %lu, "
	       "opened %lu, ended by policy %lu, layers passed %lu, "
	       "errors about them %lu, RULE %lu, CONNECTION_STATE %lu, "
	       "CONNECTION_ENDED %lu\n",
	       n_exchanged[true], n_exchanged[false], n_wild,
	       talked.n_opened, talked.n_ended, talked.n_by_connection,
	       talked.n_related, drops[VSW_DROP_RULE],
	       drops[VSW_DROP_CONNECTION_STATE],
	       drops[VSW_DROP_CONNECTION_ENDED]);
	n_missing += n_exchanged[true] < 5000;
	n_missing += n_exchanged[false] < 5000;
	n_missing += n_wild < 5000;
	n_missing += talked.n_opened < 10000;
	n_missing += talked.n_ended < 1000;
	n_missing += talked.n_by_connection < 50000;
	n_missing += talked.n_related < 200;
	n_missing += drops[VSW_DROP_RULE] < 10000;
	n_missing += drops[VSW_DROP_CONNECTION_STATE] < 1000;
	n_missing += drops[VSW_DROP_CONNECTION_ENDED] < 500;
	printf("%lu passed, %d failed\n", n_checked, n_missing);
	return n_missing != 0;
}
