/* SPDX-License-Identifier: Apache-2.0 */

/* What a packet costs inside of the engine: ports whose transmit frees, time
 * of the whole walk, one thread.
 *
 *     engine                 all figures
 *     engine hit N           N batches of cache hits with VXLAN on and off,
 *                            for hit.sh */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <vswitch.h>

#include "tests/walk/frame.h"

enum { BATCH = 32, N_FLOWS = 10000 };

static struct vsw *vsw;
static struct vsw_worker *worker;
static struct vsw_port *vm, *wire;
static uint64_t n_sent;

static void build(void);
static void swallow(void *ctx, struct vsw_worker *,
		    struct vsw_packet *const packets[], size_t n);
static struct vsw_program *program(struct vsw_group *out,
				   struct vsw_group *in);
static struct vsw_group *group(const char *name);
static double run(struct vsw_port *, const char *text, size_t port_at,
		  uint32_t n_flows, uint64_t n_packets);
static double measure(struct vsw_port *, const char *text, size_t port_at,
		      uint32_t n_flows);
static void must(int error, const char *what);
static uint64_t clock_ns(void);

static const char out_frame[] =
	"eth 1>2 ip 10.1.1.11>10.1.1.12 udp 1000>2000 payload 18";
static const char in_frame[] =
	"eth a:fe>a:1 ip 192.168.2.20>192.168.1.10 udp 50000>4789 nosum"
	" vxlan 5001 eth 2>1 ip 10.1.1.12>10.1.1.11 udp 2000>1000 payload 18";

enum { OUT_PORT_AT = 14 + 20, IN_PORT_AT = 50 + 14 + 20 };

int
main(int argc, char *argv[])
{
	build();
	if (argc == 3 && !strcmp(argv[1], "hit")) {
		uint64_t n = strtoul(argv[2], NULL, 10) * BATCH;

		run(vm, out_frame, OUT_PORT_AT, 1, n);
		run(wire, in_frame, IN_PORT_AT, 1, n);
		return n_sent == 2 * n ? EXIT_SUCCESS : EXIT_FAILURE;
	}

	double encap = measure(vm, out_frame, OUT_PORT_AT, 1);
	double decap = measure(wire, in_frame, IN_PORT_AT, 1);

	printf("engine_hit_encap %.1f ns\n", encap);
	printf("engine_hit_decap %.1f ns\n", decap);
	printf("engine_hit_encap_10k %.1f ns\n",
	       measure(vm, out_frame, OUT_PORT_AT, N_FLOWS));
	printf("engine_hit_decap_10k %.1f ns\n",
	       measure(wire, in_frame, IN_PORT_AT, N_FLOWS));

	/* Everything a first time: flows of another source address. */
	static const char fresh[] =
		"eth 1>2 ip 10.1.1.13>10.1.1.12 udp 1000>2000 payload 18";
	double first = run(vm, fresh, OUT_PORT_AT, N_FLOWS, N_FLOWS);

	printf("engine_first_packet %.1f ns\n", first);
	printf("engine_first_to_hit %.2f ratio\n", first / encap);

	vsw_port_remove(vm);
	vsw_port_remove(wire);
	return EXIT_SUCCESS;
}

static void
build(void)
{
	struct vsw_options options;
	struct vsw_port_ops ops = { .size = sizeof ops, .transmit = swallow };
	struct vsw_underlay underlay = {
		.size = sizeof underlay,
		.local_v4 = { 4, { 192, 168, 1, 10 } },
		.mac = { 2, 0, 0, 0, 10, 1 }
	};
	static const uint8_t mac1[6] = { 2, 0, 0, 0, 0, 1 },
			     mac2[6] = { 2, 0, 0, 0, 0, 2 },
			     next[6] = { 2, 0, 0, 0, 10, 0xfe };
	struct vsw_addr any = { 0 };
	struct vsw_location local = { .size = sizeof local, .vni = 5001 };
	struct vsw_location remote = {
		.size = sizeof remote, .pa = { 4, { 192, 168, 2, 20 } },
		.vni = 5001, .encap = VSW_ENCAP_VXLAN
	};
	struct vsw_domain *domain;
	struct vsw_mapping *mapping;
	struct vsw_group *deliver = NULL, *decap, *accept;
	char problem[160];

	vsw_options_init(&options);
	must(vsw_new(&options, &vsw), "switch");
	must(vsw_port_add(vsw, "vm", &ops, NULL, &vm), "port");
	must(vsw_port_add(vsw, "wire", &ops, NULL, &wire), "port");
	must(vsw_port_set_underlay(wire, &underlay), "underlay");
	must(vsw_port_set_next_hop(wire, &any, next), "next hop");
	must(vsw_domain_new(vsw, "d", &domain), "domain");
	must(vsw_domain_set_uplink(domain, wire), "uplink");
	must(vsw_mapping_new(domain, "m", 5001, &mapping), "mapping");
	local.port = vm;
	must(vsw_mapping_set_mac(mapping, mac1, &local, 1), "mac");
	must(vsw_mapping_set_mac(mapping, mac2, &remote, 1), "mac");

	deliver = group("deliver");
	vsw_rule_encap(vsw_group_add_rule(deliver, 1, NULL), mapping);
	must(vsw_group_seal(deliver, problem, sizeof problem), problem);
	decap = group("decap");
	vsw_rule_decap(vsw_group_add_rule(decap, 1, NULL), mapping);
	must(vsw_group_seal(decap, problem, sizeof problem), problem);
	accept = group("accept");
	vsw_group_add_rule(accept, 1, NULL);
	must(vsw_group_seal(accept, problem, sizeof problem), problem);
	must(vsw_port_set_program(vm, program(deliver, accept)), "program");
	must(vsw_port_set_program(wire, program(decap, accept)), "program");
	must(vsw_worker_new(vsw, &worker), "worker");
}

static void
swallow(void *ctx, struct vsw_worker *w, struct vsw_packet *const packets[],
	size_t n)
{
	(void) ctx;
	(void) w;
	n_sent += n;
	for (size_t i = 0; i < n; i++)
		vsw_packet_free(packets[i]);
}

static struct vsw_program *
program(struct vsw_group *out, struct vsw_group *in)
{
	struct vsw_program *p;
	struct vsw_layer *layer;
	char problem[160];

	must(vsw_program_new(vsw, &p), "program");
	layer = vsw_program_add_layer(p, "vnet");
	vsw_layer_add_group(layer, VSW_OUT, out);
	vsw_layer_add_group(layer, VSW_IN, in);
	must(vsw_program_seal(p, problem, sizeof problem), problem);
	return p;
}

static struct vsw_group *
group(const char *name)
{
	struct vsw_group *g;

	must(vsw_group_new(vsw, name, &g), "group");
	return g;
}

/* Nanoseconds a packet, filling the buffer included: that is what a device
 * does at least. */
static double
run(struct vsw_port *port, const char *text, size_t port_at, uint32_t n_flows,
    uint64_t n_packets)
{
	static struct frame frame;
	uint64_t sent = n_sent, start;
	uint32_t flow = 0;

	frame_must_make(&frame, "%s", text);
	/* No checksum: the ports change. */
	memset(frame.bytes + port_at + 6, 0, 2);
	start = clock_ns();
	for (uint64_t n = 0; n < n_packets; n += BATCH) {
		struct vsw_packet *packets[BATCH];

		for (unsigned i = 0; i < BATCH; i++) {
			uint8_t *data;

			packets[i] = vsw_packet_new(worker, frame.size);
			data = vsw_packet_data(packets[i]);
			memcpy(data, frame.bytes, frame.size);
			data[port_at] = (uint8_t) (flow >> 8);
			data[port_at + 1] = (uint8_t) flow;
			if (++flow == n_flows)
				flow = 0;
		}
		vsw_worker_receive(worker, port, packets, BATCH, start);
	}

	uint64_t end = clock_ns();

	if (n_sent - sent < n_packets) {
		fprintf(stderr, "only %llu of %llu packets were sent\n",
			(unsigned long long) (n_sent - sent),
			(unsigned long long) n_packets);
		exit(EXIT_FAILURE);
	}
	return (double) (end - start) / (double) (n_sent - sent);
}

/* The best of five, warm. */
static double
measure(struct vsw_port *port, const char *text, size_t port_at,
	uint32_t n_flows)
{
	double best = 0;

	run(port, text, port_at, n_flows, N_FLOWS + BATCH);
	for (unsigned i = 0; i < 5; i++) {
		double ns = run(port, text, port_at, n_flows, 400000);

		if (!i || ns < best)
			best = ns;
	}
	return best;
}

static void
must(int error, const char *what)
{
	if (!error)
		return;
	fprintf(stderr, "%s: %s\n", what, strerror(-error));
	exit(EXIT_FAILURE);
}

static uint64_t
clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t) t.tv_sec * 1000000000 + (uint64_t) t.tv_nsec;
}
