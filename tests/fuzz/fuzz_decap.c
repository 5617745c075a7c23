/* SPDX-License-Identifier: Apache-2.0 */

/* Any bytes as a frame on an uplink, through the public interface: nothing
 * that came in a tunnel may come out but for a VNI and from a provider address
 * that are known, and each packet has exactly one end. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vswitch.h>

#include "tests/unit/rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static unsigned n_sent;

static void must(int, const char *what);
static void build(struct vsw *, struct vsw_port **ret_wire,
		  struct vsw_port **ret_vm);
static void transmit(void *ctx, struct vsw_worker *,
		     struct vsw_packet *const packets[], size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct rig_memory memory;
	static struct vsw *vsw;
	static struct vsw_worker *worker;
	static struct vsw_port *wire, *vm;
	static uint64_t now;
	struct vsw_port_counters before = { .size = sizeof before };
	struct vsw_port_counters after = before;
	struct vsw_packet *packet;
	uint64_t n_dropped = 0;

	if (!vsw) {
		struct vsw_options options;

		vsw_options_init(&options);
		options.allocator = rig_allocator(&memory);
		options.hash_seed = 1;
		options.max_flows = 256;
		must(!vsw_new(&options, &vsw), "switch");
		build(vsw, &wire, &vm);
		must(!vsw_worker_new(vsw, &worker), "worker");
	}
	packet = vsw_packet_new(worker, size);
	if (!packet)
		return 0;
	memcpy(vsw_packet_data(packet), bytes, size);
	vsw_port_get_counters(wire, &before);
	n_sent = 0;
	vsw_worker_receive(worker, wire, &packet, 1, now += 1000000);
	vsw_port_get_counters(wire, &after);
	for (unsigned i = 0; i < VSW_N_DROPS; i++)
		n_dropped += after.drops[i] - before.drops[i];
	must(n_sent + n_dropped == 1, "not exactly one end");
	return 0;
}

static void
must(int holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

/* Everything that comes out of the tunnel goes to "vm"; what is no tunnel is
 * dropped by rule. */
static void
build(struct vsw *vsw, struct vsw_port **ret_wire, struct vsw_port **ret_vm)
{
	struct vsw_port_ops ops = { .size = sizeof ops,
				    .transmit = transmit };
	struct vsw_underlay underlay = {
		.size = sizeof underlay,
		.local_v4 = { 4, { 192, 168, 1, 10 } },
		.local_v6 = { 16, { 0xfd, 1, [15] = 0x10 } },
		.mac = { 2, 0, 0, 0, 10, 1 }
	};
	struct vsw_location remote[] = {
		{ .size = sizeof *remote, .pa = { 4, { 192, 168, 2, 20 } },
		  .vni = 5001, .encap = VSW_ENCAP_VXLAN },
		{ .size = sizeof *remote,
		  .pa = { 16, { 0xfd, 1, [15] = 0x20 } },
		  .vni = 5001, .encap = VSW_ENCAP_NVGRE },
		{ .size = sizeof *remote }
	};
	uint8_t vni_bytes[4] = { 0, 0, 5001 >> 8, 5001 & 0xff };
	struct vsw_domain *domain;
	struct vsw_mapping *mapping;
	struct vsw_group *out, *in;
	struct vsw_program *program;
	struct vsw_layer *layer;
	struct vsw_rule *rule;
	char problem[160];

	must(!vsw_port_add(vsw, "wire", &ops, NULL, ret_wire), "port");
	must(!vsw_port_add(vsw, "vm", &ops, &n_sent, ret_vm), "port");
	must(!vsw_port_set_underlay(*ret_wire, &underlay), "underlay");
	remote[2].port = *ret_vm;
	must(!vsw_domain_new(vsw, "d", &domain), "domain");
	must(!vsw_domain_set_uplink(domain, *ret_wire), "uplink");
	must(!vsw_mapping_new(domain, "m", 5001, &mapping), "mapping");
	must(!vsw_mapping_set_flood(mapping, remote, 3, true), "flood");
	must(!vsw_group_new(vsw, "out", &out), "group");
	rule = vsw_group_add_rule(out, 1, NULL);
	vsw_rule_match(rule, VSW_FIELD_VNI, vni_bytes, NULL);
	vsw_rule_decap(rule, mapping);
	vsw_rule_drop(vsw_group_add_rule(out, 2, NULL));
	must(!vsw_group_seal(out, problem, sizeof problem), problem);
	must(!vsw_group_new(vsw, "in", &in), "group");
	vsw_group_add_rule(in, 1, NULL);
	must(!vsw_group_seal(in, problem, sizeof problem), problem);
	must(!vsw_program_new(vsw, &program), "program");
	layer = vsw_program_add_layer(program, "l");
	vsw_layer_add_group(layer, VSW_OUT, out);
	vsw_layer_add_group(layer, VSW_IN, in);
	must(!vsw_program_seal(program, problem, sizeof problem), problem);
	must(!vsw_port_set_program(*ret_wire, program), "program");
	must(!vsw_port_set_program(*ret_vm, program), "program");
}

static void
transmit(void *ctx, struct vsw_worker *worker,
	 struct vsw_packet *const packets[], size_t n)
{
	(void) worker;
	must(ctx != NULL, "sent from wire to wire");
	for (size_t i = 0; i < n; i++) {
		must(vsw_packet_size(packets[i]) >= 14, "sent a stump");
		n_sent++;
		vsw_packet_free(packets[i]);
	}
}
