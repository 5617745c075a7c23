/* SPDX-License-Identifier: Apache-2.0 */

/* A group of 1,000 rules that 1,000 ports share is replaced while all of them
 * send: from the first rule's making until each port has seen a packet that
 * obeys. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include "tests/bench/engine/figure.h"
#include "tests/bench/engine/traffic.h"
#include "tests/walk/frame.h"

enum { MAX_PORTS = 1000, N_RULES = 1000 };

/* Ports with programs of their own, each with a layer for the shared group
 * and one that outputs to the sink. */
struct crowd {
	struct vsw *vsw;
	struct vsw_worker *worker;
	struct vsw_port *ports[MAX_PORTS], *sink;
	struct vsw_group *out;
	unsigned n_ports;
	uint64_t n_sent;
	/* What the forwarding thread is to wait for, and when each port did. */
	bool is_dropped;
	uint64_t obeyed_ns;
	_Atomic bool has_started;
};

static void start(struct crowd *, unsigned n_ports);
static void done(struct crowd *);
static void accept_all(struct crowd *);
static struct vsw_group *make_group(struct crowd *, bool is_dropped);
static void use_group(struct crowd *, struct vsw_group *);
static void *forward(void *crowd);
static bool send_one(struct crowd *, unsigned port,
		     const struct frame *);
static void add_port(struct crowd *, const char *name,
		     struct vsw_port **ret_port);
static void take(void *ctx, struct vsw_worker *,
		 struct vsw_packet *const packets[], size_t n);
static void seal(struct vsw_group *);

void
group_figures(void)
{
	static const struct bar bar = AT_MOST(20, 2);
	struct samples whole = { .n = 0 }, sealed = { .n = 0 },
		       slowness = { .n = 0 };
	struct crowd crowd;

	if (!figure_is_wanted("group_replace"))
		return;
	start(&crowd, figure_is_short ? 10 : MAX_PORTS);
	for (unsigned i = 0; i < figure_runs(); i++) {
		struct vsw_group *group;
		uint64_t begin, mid;
		pthread_t thread;

		samples_add(&slowness, traffic_slowness());
		crowd.is_dropped = i % 2 == 0;
		atomic_store(&crowd.has_started, false);
		must(-pthread_create(&thread, NULL, forward, &crowd),
		     "thread");
		while (!atomic_load(&crowd.has_started))
			;
		begin = figure_clock();
		group = make_group(&crowd, crowd.is_dropped);
		mid = figure_clock();
		use_group(&crowd, group);
		pthread_join(thread, NULL);
		samples_add(&sealed, (double) (mid - begin) / 1e6);
		samples_add(&whole, (double) (crowd.obeyed_ns - begin) / 1e6);
	}
	figure_print_scaled(samples_median(&whole), "ms", &bar,
			    samples_median(&slowness), "group_replace");
	figure_print(samples_median(&sealed), "ms", NULL,
		     "group_replace_seal");
	done(&crowd);
}

static void
start(struct crowd *crowd, unsigned n_ports)
{
	struct vsw_options options;

	*crowd = (struct crowd) { .n_ports = n_ports };
	vsw_options_init(&options);
	options.max_ports = MAX_PORTS + 1;
	options.max_new_flows_per_s = VSW_UNLIMITED;
	must(vsw_new(&options, &crowd->vsw), "switch");
	add_port(crowd, "sink", &crowd->sink);
	must(vsw_group_new(crowd->vsw, "out", &crowd->out), "group");
	vsw_rule_output(vsw_group_add_rule(crowd->out, 1, NULL), crowd->sink);
	seal(crowd->out);
	for (unsigned i = 0; i < n_ports; i++) {
		char name[16];

		snprintf(name, sizeof name, "p%u", i);
		add_port(crowd, name, &crowd->ports[i]);
	}
	must(vsw_worker_new(crowd->vsw, &crowd->worker), "worker");
	accept_all(crowd);
	use_group(crowd, make_group(crowd, false));
}

static void
done(struct crowd *crowd)
{
	for (unsigned i = 0; i < crowd->n_ports; i++)
		vsw_port_remove(crowd->ports[i]);
	vsw_group_unref(crowd->out);
	vsw_port_remove(crowd->sink);
	vsw_worker_free(crowd->worker);
	vsw_free(crowd->vsw);
}

/* The sink takes all. */
static void
accept_all(struct crowd *crowd)
{
	struct vsw_program *program;
	char problem[160];

	must(vsw_program_new(crowd->vsw, &program), "program");
	must(vsw_program_seal(program, problem, sizeof problem), problem);
	must(vsw_port_set_program(crowd->sink, program), "program");
	vsw_program_unref(program);
}

/* The first rule is the one that is asked for. */
static struct vsw_group *
make_group(struct crowd *crowd, bool is_dropped)
{
	static const uint8_t udp = 17;
	struct vsw_group *group;

	must(vsw_group_new(crowd->vsw, "shared", &group), "group");
	for (uint16_t i = 0; i < N_RULES; i++) {
		const uint8_t dst[4] = { 10, 1, (uint8_t) (i >> 8),
					 (uint8_t) i };
		struct vsw_rule *rule = vsw_group_add_rule(group, i, NULL);

		vsw_rule_match(rule, VSW_FIELD_IPV4_DST, dst, NULL);
		vsw_rule_match(rule, VSW_FIELD_IP_PROTO, &udp, NULL);
		vsw_rule_match_range(rule, VSW_FIELD_L4_DST, i,
				     (uint16_t) (i + 5000));
		if (is_dropped || i % 2)
			vsw_rule_drop(rule);
	}
	seal(group);
	return group;
}

/* As an agent does it: a new program for each port, sealed and swapped. */
static void
use_group(struct crowd *crowd, struct vsw_group *group)
{
	for (unsigned i = 0; i < crowd->n_ports; i++) {
		struct vsw_program *program;
		char problem[160];

		must(vsw_program_new(crowd->vsw, &program), "program");
		vsw_layer_add_group(vsw_program_add_layer(program, "acl"),
				    VSW_OUT, group);
		vsw_layer_add_group(vsw_program_add_layer(program, "out"),
				    VSW_OUT, crowd->out);
		must(vsw_program_seal(program, problem, sizeof problem),
		     problem);
		must(vsw_port_set_program(crowd->ports[i], program),
		     "program");
		vsw_program_unref(program);
	}
	vsw_group_unref(group);
}

/* A packet from each port in turn, until each has had one that ended as it
 * should. */
static void *
forward(void *crowd_)
{
	struct crowd *crowd = crowd_;
	bool has_obeyed[MAX_PORTS] = { false };
	unsigned n_obeyed = 0;
	static struct frame frame;

	frame_must_make(&frame, "eth 1>2 ip 10.0.0.1>10.1.0.0"
			" udp 4000>4000 payload 18");
	for (uint64_t n = 0; n_obeyed < crowd->n_ports; n++) {
		unsigned port = (unsigned) (n % crowd->n_ports);

		bool is_sent = send_one(crowd, port, &frame);

		if (n < crowd->n_ports)
			must(is_sent == crowd->is_dropped ? 0 : -1,
			     "packet before the change");
		if (n == crowd->n_ports)
			atomic_store(&crowd->has_started, true);
		if (is_sent == crowd->is_dropped || has_obeyed[port])
			continue;
		has_obeyed[port] = true;
		n_obeyed++;
	}
	crowd->obeyed_ns = figure_clock();
	return NULL;
}

/* Was it sent? */
static bool
send_one(struct crowd *crowd, unsigned port, const struct frame *frame)
{
	struct vsw_packet *packet = vsw_packet_new(crowd->worker,
						   frame->size);
	uint64_t n_sent = crowd->n_sent;

	must(packet ? 0 : -1, "packet");
	memcpy(vsw_packet_data(packet), frame->bytes, frame->size);
	vsw_worker_receive(crowd->worker, crowd->ports[port], &packet, 1, 0);
	return crowd->n_sent != n_sent;
}

static void
add_port(struct crowd *crowd, const char *name, struct vsw_port **ret_port)
{
	struct vsw_port_ops ops = { .size = sizeof ops, .transmit = take };

	must(vsw_port_add(crowd->vsw, name, &ops, crowd, ret_port), "port");
}

static void
take(void *ctx, struct vsw_worker *worker,
     struct vsw_packet *const packets[], size_t n)
{
	struct crowd *crowd = ctx;

	(void) worker;
	crowd->n_sent += n;
	for (size_t i = 0; i < n; i++)
		vsw_packet_free(packets[i]);
}

static void
seal(struct vsw_group *group)
{
	char problem[160];

	must(vsw_group_seal(group, problem, sizeof problem), problem);
}
