/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/bench/engine/scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/bench/engine/figure.h"

enum {
	SLICE_REMOTES = 250,		/* VMs in a /24, or a /120. */
	RULE_SLICES = 2,
	UDP = 17, ICMPV6 = 58
};

const uint8_t scene_vm_mac[6] = { 2, 0, 0, 0, 0, 1 };
const uint8_t scene_router_mac[6] = { 2, 0, 0, 0, 0, 0xfe };

static void add_ports(struct scene *);
static void add_mappings(struct scene *);
static void fill(struct vsw_mapping *, const struct scene *,
		 enum scene_subnet);
static void set_programs(struct scene *);
static struct vsw_addr vm_addr(bool is_v6);
static struct vsw_group *guard(const struct scene *, enum vsw_direction);
static struct vsw_group *intercept(const struct scene *);
static struct vsw_group *routes(const struct scene *);
static struct vsw_group *subnets(const struct scene *, bool is_decap);
static void add_acl_groups(struct scene *, struct vsw_layer *);
static void match_slices(struct vsw *, const struct scene_options *,
			 struct vsw_rule *, enum vsw_direction,
			 uint32_t which, uint32_t i);
static void match_addr(struct vsw_rule *, bool is_v6, bool is_dst,
		       const struct vsw_addr *, unsigned bits);
static void swallow(void *ctx, struct vsw_worker *,
		    struct vsw_packet *const packets[], size_t n);
static struct vsw_group *new_group(struct vsw *, const char *name);
static struct vsw_group *sealed(struct vsw_group *);
static void add_group(struct vsw_layer *, enum vsw_direction,
		      struct vsw_group *);
static void use(struct vsw_port *, struct vsw_program *);

void
scene_options_init(struct scene_options *options)
{
	*options = (struct scene_options) {
		.max_flows = 65536, .n_workers = 1, .n_hosts = 16,
		.n_remotes = 16, .n_groups = 1, .n_rules = 1000,
		.encap = VSW_ENCAP_VXLAN, .proto = UDP
	};
}

struct scene *
scene_new(const struct scene_options *options)
{
	struct scene *s = aligned_alloc(_Alignof(struct scene), sizeof *s);
	struct vsw_options of_switch;

	if (!s)
		abort();
	memset(s, 0, sizeof *s);
	s->options = *options;
	vsw_options_init(&of_switch);
	if (options->allocator)
		of_switch.allocator = *options->allocator;
	of_switch.max_flows = options->max_flows;
	of_switch.max_new_flows_per_s = VSW_UNLIMITED;
	of_switch.max_connections = options->max_connections;
	of_switch.max_port_connections = options->max_connections;
	of_switch.max_port_half_open = options->max_connections;
	of_switch.max_port_connections_per_s = VSW_UNLIMITED;
	must(vsw_new(&of_switch, &s->vsw), "switch");
	add_ports(s);
	add_mappings(s);
	set_programs(s);
	must(vsw_worker_new(s->vsw, &s->worker), "worker");
	return s;
}

void
scene_free(struct scene *s)
{
	vsw_port_remove(s->vm);
	vsw_port_remove(s->wire);
	vsw_worker_free(s->worker);
	vsw_mapping_unref(s->own);
	vsw_mapping_unref(s->other);
	vsw_domain_unref(s->domain);
	vsw_free(s->vsw);
	free(s);
}

void
scene_mac(enum scene_subnet subnet, uint32_t i, uint8_t ret_mac[6])
{
	const uint8_t mac[6] = {
		2, (uint8_t) (1 + subnet), (uint8_t) (i >> 24),
		(uint8_t) (i >> 16), (uint8_t) (i >> 8), (uint8_t) i
	};

	memcpy(ret_mac, mac, sizeof mac);
}

struct vsw_addr
scene_addr(enum scene_subnet subnet, uint32_t i, bool is_v6)
{
	uint32_t slice = i / SLICE_REMOTES;
	uint8_t bytes[4] = {
		10, (uint8_t) ((subnet == SCENE_OWN ? 128 : 192)
			       + (slice >> 8)),
		(uint8_t) slice, (uint8_t) (1 + i % SLICE_REMOTES)
	};
	struct vsw_addr addr = { .n = 4 };

	if (is_v6) {
		addr.n = 16;
		addr.bytes[0] = 0xfd;
		memcpy(addr.bytes + 12, bytes, sizeof bytes);
	} else {
		memcpy(addr.bytes, bytes, sizeof bytes);
	}
	return addr;
}

struct vsw_location
scene_location(const struct scene *s, enum scene_subnet subnet, uint32_t i)
{
	uint32_t host = i % s->options.n_hosts;
	struct vsw_location location = {
		.size = sizeof location, .encap = s->options.encap,
		.vni = subnet == SCENE_OWN ? SCENE_VNI : SCENE_OTHER_VNI,
		.pa = { 4, { 192, 168, (uint8_t) (2 + host / 200),
			     (uint8_t) (1 + host % 200) } }
	};

	if (s->options.outer_v6)
		location.pa = (struct vsw_addr) {
			16, { 0xfd, 2, [14] = (uint8_t) (host >> 8),
			      [15] = (uint8_t) host }
		};
	scene_mac(subnet, i, location.mac);
	return location;
}

struct vsw_group *
scene_acl(struct vsw *vsw, const struct scene_options *options,
	  enum vsw_direction direction, uint32_t which)
{
	struct vsw_group *group = new_group(vsw, "acl");

	for (uint32_t i = 0; i < options->n_rules; i++) {
		struct vsw_rule *rule = vsw_group_add_rule(group, i, NULL);

		match_slices(vsw, options, rule, direction, which, i);
		vsw_rule_match(rule, VSW_FIELD_IP_PROTO, &options->proto,
			       NULL);
		vsw_rule_match_range(rule,
				     direction == VSW_OUT ? VSW_FIELD_L4_DST
							  : VSW_FIELD_L4_SRC,
				     1, (uint16_t) (40000 + i));
		if (i % 4 == 0) {
			struct vsw_addr vm = vm_addr(options->inner_v6);

			match_addr(rule, options->inner_v6,
				   direction == VSW_IN, &vm,
				   vm.n * 8 - which % 8);
		}
		if (options->max_connections)
			vsw_rule_track(rule);
	}
	vsw_rule_drop(vsw_group_add_rule(group, UINT32_MAX, "the rest"));
	return sealed(group);
}

static void
add_ports(struct scene *s)
{
	struct vsw_port_ops ops = { .size = sizeof ops, .transmit = swallow };
	struct vsw_underlay underlay = {
		.size = sizeof underlay,
		.local_v4 = { 4, { 192, 168, 1, 10 } },
		.local_v6 = { 16, { 0xfd, 3, [15] = 10 } },
		.mac = { 2, 0, 0, 0, 10, 1 }
	};
	static const uint8_t next[6] = { 2, 0, 0, 0, 10, 0xfe };
	struct vsw_addr any = { 0 };

	must(vsw_port_add(s->vsw, "vm", &ops, s, &s->vm), "port");
	must(vsw_port_add(s->vsw, "wire", &ops, s, &s->wire), "port");
	must(vsw_port_set_underlay(s->wire, &underlay), "underlay");
	must(vsw_port_set_next_hop(s->wire, &any, next), "next hop");
}

static void
add_mappings(struct scene *s)
{
	struct vsw_location local = { .size = sizeof local, .port = s->vm };
	struct vsw_addr addr = vm_addr(s->options.inner_v6);

	memcpy(local.mac, scene_vm_mac, sizeof local.mac);
	must(vsw_domain_new(s->vsw, "tenant", &s->domain), "domain");
	must(vsw_domain_set_uplink(s->domain, s->wire), "uplink");
	must(vsw_mapping_new(s->domain, "own", SCENE_VNI, &s->own),
	     "mapping");
	must(vsw_mapping_new(s->domain, "other", SCENE_OTHER_VNI, &s->other),
	     "mapping");
	must(vsw_mapping_set_mac(s->own, scene_vm_mac, &local, 1), "mac");
	must(vsw_mapping_set_addr(s->own, &addr, &local, 1), "address");
	fill(s->own, s, SCENE_OWN);
	fill(s->other, s, SCENE_OTHER);
}

static void
fill(struct vsw_mapping *mapping, const struct scene *s,
     enum scene_subnet subnet)
{
	for (uint32_t i = 0; i < s->options.n_remotes; i++) {
		struct vsw_location location = scene_location(s, subnet, i);
		struct vsw_addr addr = scene_addr(subnet, i,
						  s->options.inner_v6);

		must(vsw_mapping_set_mac(mapping, location.mac, &location, 1),
		     "mac");
		must(vsw_mapping_set_addr(mapping, &addr, &location, 1),
		     "address");
	}
}

static void
set_programs(struct scene *s)
{
	struct vsw_program *vm, *wire;
	struct vsw_layer *layer;

	must(vsw_program_new(s->vsw, &vm), "program");
	layer = vsw_program_add_layer(vm, "guard");
	add_group(layer, VSW_OUT, guard(s, VSW_OUT));
	add_group(layer, VSW_IN, guard(s, VSW_IN));
	layer = vsw_program_add_layer(vm, "intercept");
	add_group(layer, VSW_OUT, intercept(s));
	add_acl_groups(s, vsw_program_add_layer(vm, "acl"));
	layer = vsw_program_add_layer(vm, "route");
	add_group(layer, VSW_OUT, routes(s));
	layer = vsw_program_add_layer(vm, "vnet");
	add_group(layer, VSW_OUT, subnets(s, false));
	use(s->vm, vm);

	must(vsw_program_new(s->vsw, &wire), "program");
	layer = vsw_program_add_layer(wire, "delivery");
	add_group(layer, VSW_OUT, subnets(s, true));
	use(s->wire, wire);
}

static struct vsw_addr
vm_addr(bool is_v6)
{
	return is_v6 ? (struct vsw_addr) { 16, { 0xfd, [12] = 10, 128, 255,
						 11 } }
		     : (struct vsw_addr) { 4, { 10, 128, 255, 11 } };
}

static struct vsw_group *
guard(const struct scene *s, enum vsw_direction direction)
{
	struct vsw_group *group = new_group(s->vsw, "guard");
	struct vsw_addr addr = vm_addr(s->options.inner_v6);
	struct vsw_rule *rule = vsw_group_add_rule(group, 1, "its own");

	vsw_rule_match(rule, direction == VSW_OUT ? VSW_FIELD_ETH_SRC
						  : VSW_FIELD_ETH_DST,
		       scene_vm_mac, NULL);
	match_addr(rule, s->options.inner_v6, direction == VSW_IN, &addr,
		   addr.n * 8u);
	vsw_rule_drop(vsw_group_add_rule(group, 2, "not its own"));
	return sealed(group);
}

static struct vsw_group *
intercept(const struct scene *s)
{
	static const uint8_t arp[2] = { 8, 6 }, icmpv6 = ICMPV6;
	struct vsw_group *group = new_group(s->vsw, "intercept");
	struct vsw_rule *rule = vsw_group_add_rule(group, 1, "arp");

	vsw_rule_match(rule, VSW_FIELD_ETH_TYPE, arp, NULL);
	vsw_rule_punt(rule, 1);
	vsw_rule_terminate(rule);
	rule = vsw_group_add_rule(group, 2, "nd");
	vsw_rule_match(rule, VSW_FIELD_IP_PROTO, &icmpv6, NULL);
	vsw_rule_match_range(rule, VSW_FIELD_L4_SRC, 133, 137);
	vsw_rule_punt(rule, 2);
	vsw_rule_terminate(rule);
	return sealed(group);
}

/* A prefix of each subnet, the own one first. */
static struct vsw_group *
routes(const struct scene *s)
{
	bool is_v6 = s->options.inner_v6;
	struct vsw_group *group = new_group(s->vsw, "routes");
	struct vsw_rule *rule;

	for (int subnet = SCENE_OWN; subnet <= SCENE_OTHER; subnet++) {
		struct vsw_addr addr = scene_addr(subnet, 0, is_v6);

		rule = vsw_group_add_rule(group, 1, "subnet");
		vsw_rule_match(rule, VSW_FIELD_ETH_DST, scene_router_mac,
			       NULL);
		match_addr(rule, is_v6, true, &addr, addr.n * 8u - 22);
		vsw_rule_route(rule, subnet == SCENE_OWN ? s->own : s->other,
			       &(struct vsw_addr) { 0 }, scene_router_mac, 3);
		vsw_rule_terminate(rule);
	}
	rule = vsw_group_add_rule(group, 2, "no route");
	vsw_rule_match(rule, VSW_FIELD_ETH_DST, scene_router_mac, NULL);
	vsw_rule_drop(rule);
	return sealed(group);
}

/* Of the uplink's program: out of tunnels; else into them, where no VNI yet is
 * the own subnet's. */
static struct vsw_group *
subnets(const struct scene *s, bool is_decap)
{
	struct vsw_group *group = new_group(s->vsw, "subnets");

	for (int subnet = SCENE_OWN; subnet <= SCENE_OTHER; subnet++) {
		struct vsw_mapping *mapping = subnet == SCENE_OWN
					      ? s->own : s->other;
		uint32_t vni = SCENE_VNI + (uint32_t) subnet;
		const uint8_t be[4] = { 0, 0, (uint8_t) (vni >> 8),
					(uint8_t) vni }, none[4] = { 0 };
		struct vsw_rule *rule = vsw_group_add_rule(group, 1, NULL);

		vsw_rule_match(rule, VSW_FIELD_VNI, be, NULL);
		if (is_decap)
			vsw_rule_decap(rule, mapping);
		else
			vsw_rule_encap(rule, mapping);
		if (is_decap || subnet != SCENE_OWN)
			continue;
		rule = vsw_group_add_rule(group, 1, NULL);
		vsw_rule_match(rule, VSW_FIELD_VNI, none, NULL);
		vsw_rule_encap(rule, mapping);
	}
	return sealed(group);
}

static void
add_acl_groups(struct scene *s, struct vsw_layer *layer)
{
	uint64_t start = figure_clock();

	for (uint32_t i = 0; i < s->options.n_groups; i++) {
		add_group(layer, VSW_OUT,
			  scene_acl(s->vsw, &s->options, VSW_OUT, i));
		add_group(layer, VSW_IN,
			  scene_acl(s->vsw, &s->options, VSW_IN, i));
	}
	s->seal_ms = (double) (figure_clock() - start) / 1e6;
}

/* Rules take turns between the subnets, and of each take the next slices; a
 * set has them among many other prefixes. */
static void
match_slices(struct vsw *vsw, const struct scene_options *options,
	     struct vsw_rule *rule, enum vsw_direction direction,
	     uint32_t which, uint32_t i)
{
	bool is_v6 = options->inner_v6, is_dst = direction == VSW_OUT;
	enum scene_subnet subnet = i % 2 ? SCENE_OTHER : SCENE_OWN;
	struct vsw_addr addr = scene_addr(
		subnet, i / 2 * RULE_SLICES * SLICE_REMOTES, is_v6);
	unsigned bits = addr.n * 8u - 9;
	uint64_t random = which * UINT64_C(1000003) + i + 1;
	struct vsw_set *set;

	if (!options->n_prefixes) {
		match_addr(rule, is_v6, is_dst, &addr, bits);
		return;
	}
	must(vsw_set_new(vsw, "some", VSW_SET_ADDRESSES, &set), "set");
	vsw_set_add_prefix(set, &addr, bits);
	for (uint32_t n = 1; n < options->n_prefixes; n++) {
		random = random * UINT64_C(6364136223846793005) + 1442695;
		for (unsigned at = addr.n - 4u + 1; at < addr.n; at++)
			addr.bytes[at] = (uint8_t) (random >> (8 * at + 8));
		/* Not where the others' slices are. */
		addr.bytes[addr.n - 3] &= 127;
		vsw_set_add_prefix(set, &addr,
				   addr.n * 8u - (unsigned) (random >> 61));
	}
	vsw_rule_match_set(rule, is_v6 ? is_dst ? VSW_FIELD_IPV6_DST
						: VSW_FIELD_IPV6_SRC
				       : is_dst ? VSW_FIELD_IPV4_DST
						: VSW_FIELD_IPV4_SRC, set);
	vsw_set_unref(set);
}

static void
match_addr(struct vsw_rule *rule, bool is_v6, bool is_dst,
	   const struct vsw_addr *addr, unsigned bits)
{
	uint8_t mask[16] = { 0 };

	for (unsigned i = 0; i < bits; i++)
		mask[i / 8] |= (uint8_t) (128 >> i % 8);
	if (is_v6)
		vsw_rule_match(rule, is_dst ? VSW_FIELD_IPV6_DST
					    : VSW_FIELD_IPV6_SRC,
			       addr->bytes, mask);
	else
		vsw_rule_match(rule, is_dst ? VSW_FIELD_IPV4_DST
					    : VSW_FIELD_IPV4_SRC,
			       addr->bytes, mask);
}

static void
swallow(void *ctx, struct vsw_worker *worker,
	struct vsw_packet *const packets[], size_t n)
{
	struct scene *s = ctx;

	s->sent[vsw_worker_index(worker)].n += n;
	for (size_t i = 0; i < n; i++)
		vsw_packet_free(packets[i]);
}

static struct vsw_group *
new_group(struct vsw *vsw, const char *name)
{
	struct vsw_group *group;

	must(vsw_group_new(vsw, name, &group), "group");
	return group;
}

static struct vsw_group *
sealed(struct vsw_group *group)
{
	char problem[160];

	must(vsw_group_seal(group, problem, sizeof problem), problem);
	return group;
}

static void
add_group(struct vsw_layer *layer, enum vsw_direction direction,
	  struct vsw_group *group)
{
	vsw_layer_add_group(layer, direction, group);
	vsw_group_unref(group);
}

static void
use(struct vsw_port *port, struct vsw_program *program)
{
	char problem[160];

	must(vsw_program_seal(program, problem, sizeof problem), problem);
	must(vsw_port_set_program(port, program), "program");
	vsw_program_unref(program);
}
