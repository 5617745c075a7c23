/* SPDX-License-Identifier: Apache-2.0 */

/* One port sends a new flow with each packet, as fast as its worker takes them;
 * another one goes on as before, and starts flows.  The worker takes a batch of
 * each in turn, through an ACL of many rules.  What the other port loses is
 * held against a neighbour that sends as many packets of flows that are known:
 * that share of the worker's time is the neighbour's in any case.  Both take
 * turns, and the engine's clock moves for the hostile one alone: what it may
 * start in a second it starts in one, as if it had never paused. */

#include <stdio.h>
#include <string.h>
#include <vswitch.h>
#include "tests/bench/engine/figure.h"

enum { BATCH = 32, N_FLOWS = 1000, N_RULES = 1000, NEW_EACH = 64,
       SLICES = 50, ROUNDS = 1000 };

enum neighbour { POLITE, HOSTILE };

struct attack {
	struct vsw *vsw;
	struct vsw_worker *worker;
	struct vsw_port *victim, *neighbour, *sink;
	uint64_t random;
	uint32_t n_new;
	double now;			/* Nanoseconds. */
};

/* Nanoseconds: of turns, both ports' batches, and of what new flows of the
 * victim's wait for and take. */
struct turns {
	double both, fresh;
	unsigned n_both, n_fresh;
};

static void start(struct attack *, uint32_t max_new_flows_per_s);
static void done(struct attack *);
static struct vsw_port *add_port(struct attack *, const char *name);
static void set_program(struct attack *, struct vsw_port *);
static void run(struct attack *, enum neighbour, struct turns *);
static void send(struct attack *, struct vsw_port *, uint64_t first,
		 unsigned n);
static void swallow(void *ctx, struct vsw_worker *,
		    struct vsw_packet *const packets[], size_t n);

void
attack_figures(void)
{
	static const struct bar loss = AT_MOST(10, 0), latency = AT_MOST(2, 0);
	static const char *const names[] = { "attack", "attack_unlimited" };

	if (!figure_is_wanted("attack_victim_loss attack_new_flow_latency"))
		return;
	for (int i = 0; i < 2; i++) {
		struct samples polite[2] = { { .n = 0 } };
		struct samples hostile[2] = { { .n = 0 } };
		struct attack attack;

		start(&attack, i ? VSW_UNLIMITED : 0);
		/* What it may do at once. */
		for (unsigned n = 0; n < 10; n++)
			run(&attack, HOSTILE, &(struct turns) { 0 });
		for (unsigned n = 0; n < figure_runs(); n++) {
			struct turns with = { 0 }, without = { 0 };

			for (unsigned k = 0; k < SLICES; k++) {
				run(&attack, POLITE, &without);
				run(&attack, HOSTILE, &with);
			}
			samples_add(&polite[0], without.both / without.n_both);
			samples_add(&polite[1],
				    without.fresh / without.n_fresh);
			samples_add(&hostile[0], with.both / with.n_both);
			samples_add(&hostile[1], with.fresh / with.n_fresh);
		}
		figure_print(100 - 100 * samples_ratio(&polite[0],
						       &hostile[0]),
			     "%", i ? NULL : &loss, "%s_victim_loss",
			     names[i]);
		figure_print(samples_ratio(&hostile[1], &polite[1]), "ratio",
			     i ? NULL : &latency, "%s_new_flow_latency",
			     names[i]);
		done(&attack);
	}
}

static void
start(struct attack *a, uint32_t max_new_flows_per_s)
{
	struct vsw_options options;

	*a = (struct attack) { .random = 1, .now = 1e9 };
	vsw_options_init(&options);
	options.max_new_flows_per_s = max_new_flows_per_s;
	must(vsw_new(&options, &a->vsw), "switch");
	must(vsw_worker_new(a->vsw, &a->worker), "worker");
	a->sink = add_port(a, "sink");
	a->victim = add_port(a, "victim");
	a->neighbour = add_port(a, "neighbour");
	set_program(a, a->sink);
	set_program(a, a->victim);
	set_program(a, a->neighbour);
}

static void
done(struct attack *a)
{
	vsw_worker_free(a->worker);
	vsw_port_remove(a->victim);
	vsw_port_remove(a->neighbour);
	vsw_port_remove(a->sink);
	vsw_free(a->vsw);
}

static struct vsw_port *
add_port(struct attack *a, const char *name)
{
	struct vsw_port_ops ops = { .size = sizeof ops, .transmit = swallow };
	struct vsw_port *port;

	must(vsw_port_add(a->vsw, name, &ops, NULL, &port), "port");
	return port;
}

static void
set_program(struct attack *a, struct vsw_port *port)
{
	struct vsw_program *program;
	struct vsw_group *group;
	static const uint8_t net[4] = { 10 }, mask[4] = { 255 };

	must(vsw_group_new(a->vsw, "acl", &group), "group");
	for (uint32_t i = 0; port != a->sink && i < N_RULES; i++) {
		struct vsw_rule *rule = vsw_group_add_rule(group, i, NULL);

		vsw_rule_match(rule, VSW_FIELD_IPV4_SRC, net, mask);
		vsw_rule_match_range(rule, VSW_FIELD_L4_SRC,
				     (uint16_t) (i * 65536 / N_RULES),
				     (uint16_t) ((i + 1) * 65536 / N_RULES
						 - 1));
		vsw_rule_output(rule, a->sink);
	}
	must(vsw_group_seal(group, NULL, 0), "group");
	must(vsw_program_new(a->vsw, &program), "program");
	vsw_layer_add_group(vsw_program_add_layer(program, "acl"),
			    port == a->sink ? VSW_IN : VSW_OUT, group);
	must(vsw_program_seal(program, NULL, 0), "program");
	must(vsw_port_set_program(port, program), "program");
	vsw_program_unref(program);
	vsw_group_unref(group);
}

static void
run(struct attack *a, enum neighbour neighbour, struct turns *turns)
{
	unsigned n = figure_is_short ? NEW_EACH : ROUNDS;

	for (unsigned i = 0; i < n; i++) {
		bool is_fresh = i % NEW_EACH == NEW_EACH - 1;
		uint64_t begin = figure_ticks(), first = i * BATCH % N_FLOWS;
		double ns;

		if (neighbour == HOSTILE)
			first = a->random += UINT64_C(0x9e3779b97f4a7c15);
		send(a, a->neighbour, first, BATCH);
		if (is_fresh)
			send(a, a->victim, 1000000 + a->n_new++, 1);
		else
			send(a, a->victim, i * BATCH % N_FLOWS, BATCH);
		ns = (double) (figure_ticks() - begin)
		     / figure_ticks_per_ns();
		*(is_fresh ? &turns->fresh : &turns->both) += ns;
		++*(is_fresh ? &turns->n_fresh : &turns->n_both);
		if (neighbour == HOSTILE)
			a->now += ns;
	}
}

/* UDP, in which flow numbers are MACs, addresses and ports. */
static void
send(struct attack *a, struct vsw_port *port, uint64_t first, unsigned n)
{
	static const uint8_t ip[] = { 8, 0, 0x45, 0, 0, 46, 0, 0, 0, 0, 64,
				      17, 0, 0 };
	struct vsw_packet *packets[BATCH];

	for (unsigned i = 0; i < n; i++) {
		uint64_t flow = first + i;
		uint8_t *p;

		packets[i] = vsw_packet_new(a->worker, 60);
		must(packets[i] ? 0 : -1, "packet");
		p = vsw_packet_data(packets[i]);
		memset(p, 0, 60);
		p[5] = 2;
		p[11] = 1;
		memcpy(p + 12, ip, sizeof ip);
		memcpy(p + 26, &flow, 8);
		p[26] = p[30] = 10;
		memcpy(p + 34, &flow, 4);
		p[39] = 26;
	}
	vsw_worker_receive(a->worker, port, packets, n, (uint64_t) a->now);
}

static void
swallow(void *ctx, struct vsw_worker *worker,
	struct vsw_packet *const packets[], size_t n)
{
	(void) ctx;
	(void) worker;
	for (size_t i = 0; i < n; i++)
		vsw_packet_free(packets[i]);
}
