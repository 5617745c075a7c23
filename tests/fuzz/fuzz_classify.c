/* SPDX-License-Identifier: Apache-2.0 */

/* Bytes as policy and packets: sets, groups of any size with any matches and
 * any actions, programs of them, and then frames with offload state.  What the
 * index finds is what asking rule by rule finds; each packet has an end, or
 * waits; and nothing is left when the switch is gone. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vswitch.h>

#include "libvswitch/base/cursor.h"
#include "libvswitch/datapath/fragment.h"
#include "libvswitch/datapath/parse.h"
#include "libvswitch/datapath/worker.h"
#include "libvswitch/policy/group.h"
#include "tests/unit/rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum {
	N_PORTS = 5, WIRE = 2, TUNNEL = 3, PUNT = 4, N_GROUPS = 4,
	MAX_RULES = 48, MAX_FRAMES = 16
};

struct scene {
	struct cursor c;
	struct vsw *vsw;
	struct vsw_worker *worker;
	struct vsw_port *ports[N_PORTS];
	struct vsw_domain *domain;
	struct vsw_mapping *mapping;
	struct vsw_set *addresses, *numbers;
	struct vsw_group *groups[N_GROUPS];
	uint64_t now;
	unsigned long n_sent;
};

static void must(int, const char *what);
static void build(struct scene *, struct rig_memory *);
static void map(struct scene *);
static void draft_sets(struct scene *);
static void draft_group(struct scene *, unsigned i);
static void draft_match(struct scene *, struct vsw_rule *);
static void draft_actions(struct scene *, struct vsw_rule *, bool is_in);
static void draft_program(struct scene *);
static void give(struct scene *);
static void check_groups(struct scene *, const struct headers *);
static unsigned long count_ends(const struct scene *);
static void take_down(struct scene *, struct rig_memory *);
static void transmit(void *scene, struct vsw_worker *,
		     struct vsw_packet *const packets[], size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct rig_memory memory = { 0 };
	struct scene scene = { .c = cursor_over(bytes, size), .now = 1 };

	build(&scene, &memory);
	map(&scene);
	draft_sets(&scene);
	for (unsigned i = 0; i < N_GROUPS; i++)
		draft_group(&scene, i);
	draft_program(&scene);
	for (unsigned i = 0; i < MAX_FRAMES && cursor_left(&scene.c); i++)
		give(&scene);
	take_down(&scene, &memory);
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

static void
build(struct scene *s, struct rig_memory *memory)
{
	static const char *const names[] = {
		"a", "b", "wire", "tunnel", "punt"
	};
	static const uint8_t next_hop[6] = { 2, [5] = 0xfe };
	struct vsw_underlay underlay = {
		.size = sizeof underlay,
		.local_v4 = { 4, { 192, 168, 1, 10 } },
		.mac = { 2, 0, 0, 0, 10, 1 }
	};
	struct vsw_port_ops ops = { .size = sizeof ops,
				    .transmit = transmit };
	struct vsw_addr any = { .n = 0 };
	struct vsw_options options;

	vsw_options_init(&options);
	options.allocator = rig_allocator(memory);
	options.hash_seed = 1;
	options.max_ports = 8;
	options.max_workers = 1;
	options.max_flows = 64;
	must(!vsw_new(&options, &s->vsw), "switch");
	must(!vsw_worker_new(s->vsw, &s->worker), "worker");
	for (unsigned i = 0; i < N_PORTS; i++) {
		ops.abilities = i == TUNNEL ? VSW_PORT_TUNNEL
				: i == PUNT ? VSW_PORT_PUNT : 0;
		must(!vsw_port_add(s->vsw, names[i], &ops, s, &s->ports[i]),
		     "port");
	}
	must(!vsw_port_set_underlay(s->ports[WIRE], &underlay), "underlay");
	must(!vsw_port_set_next_hop(s->ports[WIRE], &any, next_hop), "hop");
	must(!vsw_domain_new(s->vsw, "d", &s->domain), "domain");
	must(!vsw_domain_set_uplink(s->domain, s->ports[
		cursor_u8(&s->c) & 1 ? WIRE : TUNNEL]), "uplink");
	must(!vsw_mapping_new(s->domain, "m", 5001, &s->mapping), "mapping");
}

/* MACs and addresses 0 to 3: at "a", at "b", remote, at one of three. */
static void
map(struct scene *s)
{
	struct vsw_location places[3] = {
		{ .size = sizeof *places, .port = s->ports[0],
		  .mac = { 2, [5] = 1 } },
		{ .size = sizeof *places, .port = s->ports[1],
		  .mac = { 2, [5] = 2 } },
		{ .size = sizeof *places, .vni = 5001, .mac = { 2, [5] = 3 },
		  .pa = { 4, { 192, 168, 2, 20 } } }
	};
	uint8_t how = cursor_u8(&s->c);

	places[2].encap = how & 1 ? VSW_ENCAP_VXLAN : VSW_ENCAP_NVGRE;
	for (unsigned i = 0; i < 4; i++) {
		const struct vsw_location *first = i < 3 ? &places[i] : places;
		uint8_t mac[6] = { 2, [5] = (uint8_t) i };
		struct vsw_addr v4 = { 4, { 10, 0, 0, (uint8_t) i } };
		struct vsw_addr v6 = { 16, { 0xfd, [15] = (uint8_t) i } };
		size_t n = i < 3 ? 1 : 3;

		must(!vsw_mapping_set_mac(s->mapping, mac, first, n), "MAC");
		must(!vsw_mapping_set_addr(s->mapping, &v4, first, n), "v4");
		must(!vsw_mapping_set_addr(s->mapping, &v6, first, n), "v6");
	}
	must(!vsw_mapping_set_flood(s->mapping, places, how >> 1 & 3,
				    how & 8), "flood");
}

static void
draft_sets(struct scene *s)
{
	unsigned n = cursor_u8(&s->c) % 8;

	must(!vsw_set_new(s->vsw, "addresses", VSW_SET_ADDRESSES,
			  &s->addresses), "set");
	must(!vsw_set_new(s->vsw, "numbers", VSW_SET_PORTS, &s->numbers),
	     "set");
	for (unsigned i = 0; i < n; i++) {
		uint8_t how = cursor_u8(&s->c);
		struct vsw_addr addr = { .n = how & 1 ? 4 : 16 };
		uint16_t first = cursor_be16(&s->c);

		addr.bytes[0] = how & 1 ? 10 : 0xfd;
		addr.bytes[addr.n - 1] = (uint8_t) first;
		vsw_set_add_prefix(s->addresses, &addr,
				   addr.n * 8u - (how >> 1) % 16);
		vsw_set_add_ports(s->numbers, first,
				  first | (uint16_t) (how >> 2));
	}
	must(!vsw_set_seal(s->addresses, NULL, 0), "addresses");
	must(!vsw_set_seal(s->numbers, NULL, 0), "numbers");
}

/* The last group is for direction IN. */
static void
draft_group(struct scene *s, unsigned i)
{
	unsigned n = cursor_u8(&s->c) % MAX_RULES;
	char problem[200];

	must(!vsw_group_new(s->vsw, "g", &s->groups[i]), "group");
	for (unsigned j = 0; j < n && cursor_left(&s->c); j++) {
		uint8_t how = cursor_u8(&s->c);
		struct vsw_rule *rule = vsw_group_add_rule(s->groups[i],
							   how & 7, NULL);

		for (unsigned k = how >> 3 & 3; k; k--)
			draft_match(s, rule);
		if (how & 0x20)
			vsw_rule_terminate(rule);
		draft_actions(s, rule, i == N_GROUPS - 1);
	}
	must(!vsw_group_seal(s->groups[i], problem, sizeof problem), problem);
}

static void
draft_match(struct scene *s, struct vsw_rule *rule)
{
	uint8_t how = cursor_u8(&s->c), value[16] = { 0 }, mask[16];
	enum vsw_field field = (enum vsw_field) ((how & 31) % VSW_N_FIELDS);
	unsigned size = field_size(field);
	bool is_l4 = field == VSW_FIELD_L4_SRC || field == VSW_FIELD_L4_DST;

	if (how & 0x80 && is_l4) {
		vsw_rule_match_set(rule, field, s->numbers);
	} else if (how & 0x80 && field >= VSW_FIELD_IPV4_SRC
		   && field <= VSW_FIELD_IPV6_DST) {
		vsw_rule_match_set(rule, field, s->addresses);
	} else if (how & 0x40 && size <= 2) {
		uint16_t first = cursor_be16(&s->c);
		uint16_t more = cursor_be16(&s->c);

		vsw_rule_match_range(rule, field, first, first | more);
	} else {
		/* Mostly of what the mapping knows. */
		if (field != VSW_FIELD_VNI)
			value[0] = size == 4 ? 10 : size == 6 ? 2
				   : size == 16 ? 0xfd : 0;
		cursor_copy(&s->c, value + size - 1, 1);
		memset(mask, 0xff, sizeof mask);
		if (how & 0x20)
			cursor_copy(&s->c, mask, size);
		vsw_rule_match(rule, field, value, mask);
	}
}

static void
draft_actions(struct scene *s, struct vsw_rule *rule, bool is_in)
{
	uint8_t what = cursor_u8(&s->c), how = cursor_u8(&s->c);
	uint8_t mac[6] = { 2, [5] = how & 3 };
	struct vsw_addr hop = { 4, { 10, 0, 0, how & 3 } };

	if (what & 0x80)
		vsw_rule_set_eth_src(rule, mac);
	if (what & 0x40)
		vsw_rule_set_eth_dst(rule, mac);
	if (what & 0x20)
		vsw_rule_decrement_ttl(rule);
	if (what & 0x10 && !is_in)
		vsw_rule_route(rule, s->mapping, how & 0x80 ? &hop : NULL,
			       mac, how & 0x40);
	switch (what & 7) {
	case 0:
		/* It stands alone. */
		if (!(what & 0xf0))
			vsw_rule_drop(rule);
		break;
	case 1:
		vsw_rule_punt(rule, how);
		break;
	case 2:
		if (!is_in)
			vsw_rule_output(rule, s->ports[how % N_PORTS]);
		break;
	case 3:
	case 4:
		if (!is_in)
			vsw_rule_encap(rule, s->mapping);
		break;
	case 5:
		if (!is_in)
			vsw_rule_decap(rule, s->mapping);
		break;
	}
}

static void
draft_program(struct scene *s)
{
	uint8_t how = cursor_u8(&s->c);
	struct vsw_program *program;
	char problem[200];

	must(!vsw_program_new(s->vsw, &program), "program");
	for (unsigned i = 0; i < 1 + (how & 3u) % 3; i++) {
		struct vsw_layer *layer = vsw_program_add_layer(program, "l");

		vsw_layer_add_group(layer, VSW_OUT,
				    s->groups[i % (N_GROUPS - 1)]);
		if (how >> i & 4)
			vsw_layer_add_group(layer, VSW_OUT,
					    s->groups[(i + 1)
						      % (N_GROUPS - 1)]);
		if (how >> i & 0x20)
			vsw_layer_add_group(layer, VSW_IN,
					    s->groups[N_GROUPS - 1]);
	}
	must(!vsw_program_seal(program, problem, sizeof problem), problem);
	for (unsigned i = 0; i < N_PORTS; i++)
		must(!vsw_port_set_program(s->ports[i], program), "program");
	vsw_program_unref(program);
}

/* Port, offload state, size, bytes. */
static void
give(struct scene *s)
{
	struct vsw_port *port = s->ports[cursor_u8(&s->c) % N_PORTS];
	struct vsw_offload offload = {
		.segment_kind = cursor_u8(&s->c) % 5,
		.checksum = cursor_u8(&s->c) % 4,
		.segment_size = cursor_u8(&s->c) * 8,
		.checksum_start = cursor_u8(&s->c),
		.checksum_offset = cursor_u8(&s->c) & 31
	};
	size_t size = cursor_be16(&s->c), left = cursor_left(&s->c);
	struct vsw_packet *packet;
	unsigned long before, waited;
	struct headers headers;

	if (size > left)
		size = left;
	packet = vsw_packet_new(s->worker, size);
	must(packet != NULL, "packet");
	cursor_copy(&s->c, vsw_packet_data(packet), size);
	*vsw_packet_offload(packet) = offload;
	if (port == s->ports[TUNNEL])
		*vsw_packet_tunnel(packet) = (struct vsw_tunnel) {
			.src = { 4, { 192, 168, 2, 20 } },
			.dst = { 4, { 192, 168, 1, 10 } },
			.vni = 5001, .encap = VSW_ENCAP_VXLAN
		};
	if (parse_frame(vsw_packet_data(packet), size, &headers)
	    == PARSE_GOOD)
		check_groups(s, &headers);
	before = count_ends(s);
	waited = fragment_n_waiting(s->worker->fragments);
	vsw_worker_receive(s->worker, port, &packet, 1, s->now += 1000000);
	must(count_ends(s) > before
	     || fragment_n_waiting(s->worker->fragments) > waited,
	     "a packet without an end");
}

static void
check_groups(struct scene *s, const struct headers *headers)
{
	for (unsigned i = 0; i < N_GROUPS; i++) {
		const struct vsw_group *group = s->groups[i];
		const struct rule *found = NULL;

		for (uint32_t j = 0; j < rules_n(group->rules) && !found;
		     j++)
			if (rule_matches(rules_get(group->rules, j),
					 &headers->key))
				found = rules_get(group->rules, j);
		must(group_find(group, &headers->key) == found,
		     "the index finds another rule");
	}
}

static unsigned long
count_ends(const struct scene *s)
{
	unsigned long n = s->n_sent;

	for (unsigned i = 0; i < N_PORTS; i++) {
		struct vsw_port_counters counters = {
			.size = sizeof counters
		};

		vsw_port_get_counters(s->ports[i], &counters);
		for (unsigned j = 0; j < VSW_N_DROPS; j++)
			n += counters.drops[j];
	}
	return n;
}

static void
take_down(struct scene *s, struct rig_memory *memory)
{
	vsw_worker_free(s->worker);
	for (unsigned i = 0; i < N_GROUPS; i++)
		vsw_group_unref(s->groups[i]);
	vsw_set_unref(s->addresses);
	vsw_set_unref(s->numbers);
	vsw_mapping_unref(s->mapping);
	vsw_domain_unref(s->domain);
	for (unsigned i = 0; i < N_PORTS; i++)
		vsw_port_remove(s->ports[i]);
	vsw_free(s->vsw);
	must(!memory->n_live && !memory->n_bytes, "memory is left");
}

static void
transmit(void *scene, struct vsw_worker *worker,
	 struct vsw_packet *const packets[], size_t n)
{
	struct scene *s = scene;

	(void) worker;
	for (size_t i = 0; i < n; i++) {
		must(vsw_packet_size(packets[i]) >= 14, "sent a stump");
		s->n_sent++;
		vsw_packet_free(packets[i]);
	}
}
