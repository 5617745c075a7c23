/* SPDX-License-Identifier: Apache-2.0 */

/* What a packet costs inside of the engine: ports whose transmit frees, time
 * of the whole walk, one thread.
 *
 *     engine                 all figures: NAME_hit_FLOWS is the engine's,
 *                            floor_NAME_FLOWS that of floor.h in the same
 *                            rounds, the ratio the median of theirs
 *     engine hit N           N batches of cache hits with VXLAN on and off,
 *                            for hit.sh */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <vswitch.h>

#include "tests/bench/floor.h"
#include "tests/walk/frame.h"

enum { BATCH = 32, N_FLOWS = 10000, N_ROUNDS = 11,
       ROUND_PACKETS = 160000 };

static struct vsw *vsw;
static struct vsw_worker *worker;
static struct vsw_port *vm, *wire;
static uint64_t n_sent;
static struct floor *the_floor;

static void build(void);
static void swallow(void *ctx, struct vsw_worker *,
		    struct vsw_packet *const packets[], size_t n);
static struct vsw_program *program(struct vsw_group *out,
				   struct vsw_group *in);
static struct vsw_group *group(const char *name);
static double run(struct vsw_port *, const char *text, size_t port_at,
		  uint32_t n_flows, uint64_t n_packets);
static void compare(struct vsw_port *, const char *text, size_t port_at,
		    uint32_t n_flows, const char *name, const char *suffix);
static int compare_doubles(const void *, const void *);
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

	compare(vm, out_frame, OUT_PORT_AT, 1, "encap", "1");
	compare(wire, in_frame, IN_PORT_AT, 1, "decap", "1");
	compare(vm, out_frame, OUT_PORT_AT, N_FLOWS, "encap", "10k");
	compare(wire, in_frame, IN_PORT_AT, N_FLOWS, "decap", "10k");

	/* Everything a first time: flows of another source address. */
	static const char fresh[] =
		"eth 1>2 ip 10.1.1.13>10.1.1.12 udp 1000>2000 payload 18";
	double first = run(vm, fresh, OUT_PORT_AT, N_FLOWS, N_FLOWS);

	printf("first_packet %.1f ns\n", first);

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
 * does at least.  Through the floor if there is no port. */
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
		if (port)
			vsw_worker_receive(worker, port, packets, BATCH,
					   start);
		else
			floor_carry(the_floor, port_at == IN_PORT_AT, packets,
				    BATCH);
	}

	uint64_t end = clock_ns();

	if (port && n_sent - sent < n_packets) {
		fprintf(stderr, "only %llu of %llu packets were sent\n",
			(unsigned long long) (n_sent - sent),
			(unsigned long long) n_packets);
		exit(EXIT_FAILURE);
	}
	return (double) (end - start) / (double) n_packets;
}

/* Medians, warm; engine and floor in turn, so that what else the machine does
 * comes over both. */
static void
compare(struct vsw_port *port, const char *text, size_t port_at,
	uint32_t n_flows, const char *name, const char *suffix)
{
	double engines[N_ROUNDS], floors[N_ROUNDS], ratios[N_ROUNDS];

	the_floor = floor_new(n_flows);
	run(port, text, port_at, n_flows, N_FLOWS + BATCH);
	run(NULL, text, port_at, n_flows, N_FLOWS + BATCH);
	for (unsigned i = 0; i < N_ROUNDS; i++) {
		engines[i] = run(port, text, port_at, n_flows, ROUND_PACKETS);
		floors[i] = run(NULL, text, port_at, n_flows, ROUND_PACKETS);
		ratios[i] = engines[i] / floors[i];
	}
	floor_free(the_floor);
	qsort(engines, N_ROUNDS, sizeof *engines, compare_doubles);
	qsort(floors, N_ROUNDS, sizeof *floors, compare_doubles);
	qsort(ratios, N_ROUNDS, sizeof *ratios, compare_doubles);
	printf("floor_%s_%s %.1f ns\n", name, suffix, floors[N_ROUNDS / 2]);
	printf("%s_hit_%s %.1f ns\n", name, suffix, engines[N_ROUNDS / 2]);
	printf("%s_hit_to_floor_%s %.2f ratio\n", name, suffix,
	       ratios[N_ROUNDS / 2]);
}

static int
compare_doubles(const void *a_, const void *b_)
{
	const double *a = a_, *b = b_;

	return (*a > *b) - (*a < *b);
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
