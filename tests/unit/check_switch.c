/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/switch: switch.c, port.c, counters.c and explain.c, and
 * policy/program.c.  What packets become is the oracle's. */

#include "libvswitch/base/switch.h"

#include <errno.h>
#include <stdlib.h>
#include "libvswitch/datapath/decide.h"
#include "libvswitch/policy/port.h"
#include "tests/unit/policy_rig.h"

static struct rig_memory memory;
static char logged[400];

static void
keep(void *ctx, enum vsw_log_level level, const char *message)
{
	(void) ctx;
	ck_assert_int_eq(level, VSW_LOG_ERROR);
	snprintf(logged, sizeof logged, "%s", message);
}

/* Memory that is lost on purpose, so that it can be freed in the end. */
static struct {
	void *all[100];
	unsigned n;
} kept;

static void *
get_kept(void *ctx, size_t alignment, size_t size)
{
	(void) ctx;
	ck_assert_uint_lt(kept.n, 100);
	ck_assert_int_eq(posix_memalign(&kept.all[kept.n], alignment < 8 ? 8
					: alignment, size), 0);
	return kept.all[kept.n++];
}

static void
put_kept(void *ctx, void *p, size_t size)
{
	(void) ctx;
	(void) p;
	(void) size;
}

static int
make_switch(void)
{
	struct vsw_options options;
	struct vsw *vsw;
	int error;

	vsw_options_init(&options);
	options.allocator = rig_allocator(&memory);
	error = vsw_new(&options, &vsw);
	if (!error)
		vsw_free(vsw);
	return error;
}

START_TEST(options_are_checked)
{
	struct vsw_options options;
	struct vsw *a, *b;

	RIG_RUN_OUT(&memory, make_switch());
	ck_assert_uint_eq(memory.n_live, 0);
	vsw_options_init(&options);
	ck_assert_int_eq(vsw_new(&options, &a), 0);
	ck_assert_int_eq(vsw_new(&options, &b), 0);
	ck_assert(a->seed && b->seed && a->seed != b->seed);
	vsw_free(a);
	vsw_free(b);
	vsw_free(NULL);
	options.max_ports = 65536;
	ck_assert_int_eq(vsw_new(&options, &a), -EINVAL);
	vsw_options_init(&options);
	options.max_workers = 257;
	ck_assert_int_eq(vsw_new(&options, &a), -EINVAL);
	vsw_options_init(&options);
	options.size = 4;
	ck_assert_int_eq(vsw_new(&options, &a), -EINVAL);
	ck_assert_str_eq(vsw_version(), "0.1.0");
}
END_TEST

START_TEST(what_is_left_is_told)
{
	struct vsw_options options;
	struct vsw_group *group;
	struct vsw *vsw;

	vsw_options_init(&options);
	options.allocator.alloc = get_kept;
	options.allocator.free = put_kept;
	options.logger = (struct vsw_logger) { .log = keep };
	ck_assert_int_eq(vsw_new(&options, &vsw), 0);
	ck_assert_int_eq(vsw_group_new(vsw, "g", &group), 0);
	ck_assert_int_eq(vsw_group_seal(group, NULL, 0), 0);
	vsw_group_add_rule(group, 1, NULL);
	ck_assert_str_eq(logged, "group \"g\" is sealed: no rule is added");
	vsw_free(vsw);
	ck_assert_str_eq(logged, "switch is freed with 1 groups alive: their "
			 "memory is lost");
	while (kept.n)
		free(kept.all[--kept.n]);
}
END_TEST

static int
add_and_remove(struct vsw *vsw)
{
	struct vsw_port_ops ops = { .size = sizeof ops,
				    .transmit = rig_ignore };
	struct vsw_port *port;
	int error = vsw_port_add(vsw, "again", &ops, NULL, &port);

	if (!error)
		vsw_port_remove(port);
	return error;
}

START_TEST(ports_come_and_go)
{
	struct vsw *vsw = rig_switch(&memory);
	struct vsw_port_ops ops = { .size = sizeof ops,
				    .transmit = rig_ignore };
	struct vsw_port *ports[64], *port;
	char name[65];

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 64; i++) {
			snprintf(name, sizeof name, "p%d", i);
			ports[i] = rig_port(vsw, name, 0);
			ck_assert_ptr_eq(vsw_port_find(vsw, name), ports[i]);
			ck_assert_str_eq(vsw_port_name(ports[i]), name);
			ck_assert_ptr_eq(vsw_port_switch(ports[i]), vsw);
		}
		ck_assert_int_eq(vsw_port_add(vsw, "more", &ops, NULL, &port),
				 -ENOSPC);
		for (int i = 0; i < 64; i++)
			vsw_port_remove(ports[i]);
		ck_assert_ptr_null(vsw_port_find(vsw, "p1"));
	}
	port = rig_port(vsw, "punt", VSW_PORT_PUNT);
	ops.abilities = VSW_PORT_PUNT;
	ck_assert_int_eq(vsw_port_add(vsw, "p", &ops, NULL, &ports[0]),
			 -EEXIST);
	ops.abilities = 0;
	ck_assert_int_eq(vsw_port_add(vsw, "punt", &ops, NULL, &ports[0]),
			 -EEXIST);
	vsw_port_remove(port);
	vsw_port_remove(rig_port(vsw, "punt", VSW_PORT_PUNT));
	memset(name, 'x', 64);
	name[64] = '\0';
	ck_assert_int_eq(vsw_port_add(vsw, name, &ops, NULL, &port), -EINVAL);
	name[63] = '\0';
	ck_assert_int_eq(vsw_port_add(vsw, name, &ops, NULL, &port), 0);
	vsw_port_remove(port);
	ck_assert_int_eq(vsw_port_add(vsw, "", &ops, NULL, &port), -EINVAL);
	RIG_RUN_OUT(&memory, add_and_remove(vsw));
	vsw_port_remove(NULL);
	vsw_free(vsw);
	ck_assert_uint_eq(memory.n_live, 0);
}
END_TEST

/* One layer, one group, one rule. */
static struct vsw_program *
program_with(struct vsw *vsw, void (*add)(struct vsw_rule *, void *),
	     void *ctx)
{
	struct vsw_program *program;
	struct vsw_group *group;

	ck_assert_int_eq(vsw_group_new(vsw, "g", &group), 0);
	add(vsw_group_add_rule(group, 10, "only"), ctx);
	ck_assert_int_eq(vsw_group_seal(group, NULL, 0), 0);
	ck_assert_int_eq(vsw_program_new(vsw, &program), 0);
	vsw_layer_add_group(vsw_program_add_layer(program, "l"), VSW_OUT,
			    group);
	vsw_group_unref(group);
	ck_assert_int_eq(vsw_program_seal(program, NULL, 0), 0);
	return program;
}

static void
output(struct vsw_rule *rule, void *port)
{
	vsw_rule_output(rule, port);
}

static struct {
	unsigned n;
	char lines[20][300];
} heard;

static void
hear(void *ctx, const struct vsw_step *step)
{
	(void) ctx;
	vsw_step_format(step, heard.lines[heard.n++ % 20], 300);
}

static const char *
explain(struct vsw_port *port)
{
	static const uint8_t frame[64] = {
		2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5
	};

	heard.n = 0;
	ck_assert_int_eq(vsw_explain(port, frame, sizeof frame, NULL, hear,
				     NULL), 0);
	return heard.lines[(heard.n - 1) % 20];
}

/* A rule outlives the port that it names. */
/* What a worker kept from being freed when its port went is free to be taken
 * when the next port comes, whatever happened in between. */
START_TEST(numbers_come_back)
{
	struct vsw *vsw = rig_switch(&memory);
	struct vsw_port *ports[64];
	struct vsw_domain *domain;
	struct vsw_mapping *mapping;
	struct vsw_location place;
	uint8_t mac[6] = { 2 };
	char name[16];

	for (int i = 0; i < 64; i++) {
		snprintf(name, sizeof name, "p%d", i);
		ports[i] = rig_port(vsw, name, 0);
	}
	ck_assert_int_eq(vsw_domain_new(vsw, "d", &domain), 0);
	ck_assert_int_eq(vsw_mapping_new(domain, "m", 1, &mapping), 0);
	place = rig_local(ports[63], 1);
	ck_assert_int_eq(vsw_mapping_set_mac(mapping, mac, &place, 1), 0);
	vsw_port_remove(ports[63]);
	reclaim_enter(&vsw->reclaim, 0);
	vsw_mapping_remove_mac(mapping, mac);
	reclaim_leave(&vsw->reclaim, 0);
	ports[63] = rig_port(vsw, "again", 0);
	for (int i = 0; i < 64; i++)
		vsw_port_remove(ports[i]);
	vsw_mapping_unref(mapping);
	vsw_domain_unref(domain);
	vsw_free(vsw);
	ck_assert_uint_eq(memory.n_live, 0);
}
END_TEST

START_TEST(removed_port_is_gone)
{
	struct vsw *vsw = rig_switch(&memory);
	struct vsw_port *from = rig_port(vsw, "from", 0);
	struct vsw_port *to = rig_port(vsw, "to", 0), *other;
	struct vsw_program *program = program_with(vsw, output, to);

	ck_assert_str_eq(explain(from), "dropped: NO_PROGRAM: port has no "
			 "program");
	ck_assert_int_eq(vsw_port_set_program(from, program), 0);
	ck_assert_str_eq(explain(from), "dropped: NO_PROGRAM: port has no "
			 "program");
	ck_assert_int_eq(vsw_port_set_program(to, program), 0);
	ck_assert_str_eq(explain(from), "sent: port to");
	ck_assert_str_eq(explain(to), "dropped: SAME_PORT: would go out where "
			 "it came in");
	vsw_port_remove(to);
	ck_assert_ptr_null(vsw_port_find(vsw, "to"));
	ck_assert_str_eq(explain(from), "dropped: PORT_GONE: output port was "
			 "removed");
	other = rig_port(vsw, "to", 0);
	ck_assert_uint_ne(other->number, to->number);
	vsw_port_remove(other);
	vsw_program_unref(program);
	vsw_port_remove(from);
	vsw_free(vsw);
	ck_assert_uint_eq(memory.n_live, 0);
}
END_TEST

static unsigned n_steps;

/* Of a frame of "from", whose layer "l" has group "g", whose rule "only" sends
 * it to "from" again. */
static void
look_at_step(void *port, const struct vsw_step *step)
{
	char line[16];

	ck_assert_uint_eq(step->size, sizeof *step);
	ck_assert_ptr_nonnull(step->text);
	switch (n_steps++) {
	case 0:
		ck_assert_uint_eq(step->kind, VSW_STEP_PACKET);
		ck_assert_ptr_null(step->port);
		ck_assert_ptr_null(step->layer);
		break;
	case 1:
		ck_assert_uint_eq(step->kind, VSW_STEP_PORT);
		ck_assert_ptr_eq(step->port, port);
		ck_assert_uint_eq(step->direction, VSW_OUT);
		break;
	case 2:
		ck_assert_uint_eq(step->kind, VSW_STEP_LAYER);
		ck_assert_ptr_eq(step->port, port);
		ck_assert_str_eq(step->layer, "l");
		ck_assert_str_eq(step->group, "g");
		ck_assert_str_eq(step->rule, "only");
		ck_assert_uint_eq(step->rule_number, 1);
		ck_assert_uint_eq(step->priority, 10);
		ck_assert_str_eq(step->matched, "everything");
		ck_assert_uint_eq(step->n_groups, 1);
		ck_assert_uint_eq(step->n_rules, 1);
		ck_assert_uint_eq(step->n_dimensions, 0);
		/* Cut where there is no room. */
		ck_assert_uint_gt(vsw_step_format(step, line, sizeof line),
				  sizeof line);
		ck_assert_str_eq(line, " layer \"l\": gro");
		break;
	case 3:
		ck_assert_uint_eq(step->kind, VSW_STEP_ACTION);
		ck_assert_str_eq(step->rule, "only");
		ck_assert_ptr_null(step->matched);
		ck_assert_uint_eq(step->n_rules, 0);
		ck_assert_int_eq(step->drop, -1);
		break;
	default:
		ck_assert_uint_eq(step->kind, VSW_STEP_DROPPED);
		ck_assert_int_eq(step->drop, VSW_DROP_SAME_PORT);
		ck_assert_ptr_null(step->layer);
	}
}

static void
check_steps(struct vsw_port *from)
{
	static const uint8_t frame[64] = {
		2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5
	};

	n_steps = 0;
	ck_assert_int_eq(vsw_explain(from, frame, sizeof frame, NULL,
				     look_at_step, from), 0);
	ck_assert_uint_eq(n_steps, 5);
}

static char matched[400];
static struct vsw_step layer_step;

static void
keep_layer(void *ctx, const struct vsw_step *step)
{
	(void) ctx;
	if (step->kind != VSW_STEP_LAYER)
		return;
	layer_step = *step;
	snprintf(matched, sizeof matched, "%s",
		 step->matched ? step->matched : "nothing");
}

/* 19 rules that do not match the frame below, so that there is an index, and
 * one that does by all kinds of matches. */
static void
draft_rules(struct vsw *vsw, struct vsw_group *group)
{
	struct vsw_addr ten = rig_addr(4, 0x0a000000);
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 2 };
	static const uint8_t odd[4] = { 10, 0, 0, 1 };
	static const uint8_t odd_mask[4] = { 0xff, 0, 0, 0xff };
	static const uint8_t ipv4[2] = { 8, 0 }, udp = 17;
	struct vsw_rule *rule;
	struct vsw_set *set;

	ck_assert_int_eq(vsw_set_new(vsw, "tens", VSW_SET_ADDRESSES, &set), 0);
	vsw_set_add_prefix(set, &ten, 8);
	for (uint16_t i = 0; i < 19; i++) {
		rule = vsw_group_add_rule(group, 1, NULL);
		vsw_rule_match_range(rule, VSW_FIELD_L4_DST, i, i);
	}
	rule = vsw_group_add_rule(group, 2, NULL);
	vsw_rule_match(rule, VSW_FIELD_ETH_DST, mac, NULL);
	vsw_rule_match(rule, VSW_FIELD_ETH_TYPE, ipv4, NULL);
	vsw_rule_match(rule, VSW_FIELD_IP_PROTO, &udp, NULL);
	vsw_rule_match(rule, VSW_FIELD_IPV4_DST, ten.bytes,
		       "\xff\xff\xff\0");
	vsw_rule_match(rule, VSW_FIELD_IPV4_SRC, odd, odd_mask);
	vsw_rule_match_set(rule, VSW_FIELD_IPV4_SRC, set);
	vsw_rule_match_range(rule, VSW_FIELD_L4_DST, 80, 90);
	vsw_rule_drop(rule);
	vsw_set_unref(set);
}

START_TEST(explain_says_what_matched)
{
	struct vsw *vsw = rig_switch(&memory);
	struct vsw_port *from = rig_port(vsw, "from", 0);
	static const uint8_t frame[64] = {
		2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 50, 0,
		1, 0, 0, 64, 17, 0x66, 0xb8, 10, 0, 0, 1, 10, 0, 0, 2,
		0, 7, 0, 80, 0, 30, 0, 0
	};
	struct vsw_group *group, *empty;
	struct vsw_program *program;
	struct vsw_layer *layer;
	char problem[160];

	ck_assert_int_eq(vsw_group_new(vsw, "e", &empty), 0);
	ck_assert_int_eq(vsw_group_seal(empty, NULL, 0), 0);
	ck_assert_int_eq(vsw_group_new(vsw, "g", &group), 0);
	draft_rules(vsw, group);
	ck_assert_int_eq(vsw_group_seal(group, problem, sizeof problem), 0);
	ck_assert_int_eq(vsw_program_new(vsw, &program), 0);
	layer = vsw_program_add_layer(program, "l");
	/* It stands behind more than a layer has room for in itself. */
	for (unsigned i = 0; i < 9; i++)
		vsw_layer_add_group(layer, VSW_OUT, empty);
	vsw_layer_add_group(layer, VSW_OUT, group);
	vsw_group_unref(empty);
	ck_assert_int_eq(vsw_program_seal(program, problem, sizeof problem),
			 0);
	ck_assert_int_eq(vsw_port_set_program(from, program), 0);
	ck_assert_int_eq(vsw_explain(from, frame, sizeof frame, NULL,
				     keep_layer, NULL), 0);
	ck_assert_uint_eq(layer_step.rule_number, 20);
	ck_assert_str_eq(matched,
			 "eth_dst=02:00:00:00:00:02, eth_type=0x0800, "
			 "ip_proto=17, ipv4_dst=10.0.0.0/24, "
			 "ipv4_src=10.0.0.1/255.0.0.255, ipv4_src in "
			 "\"tens\", l4_dst=80-90");
	/* Its fields said it all. */
	ck_assert_uint_eq(layer_step.n_rules, 0);
	ck_assert_uint_gt(layer_step.n_dimensions, 4);
	vsw_program_unref(program);
	vsw_group_unref(group);
	vsw_port_remove(from);
	vsw_free(vsw);
	ck_assert_uint_eq(memory.n_live, 0);
}
END_TEST

START_TEST(explain_tells_each_step)
{
	struct vsw *vsw = rig_switch(&memory);
	struct vsw_port *from = rig_port(vsw, "from", 0);
	struct vsw_program *program = program_with(vsw, output, from);
	struct vsw_port_counters counters = { .size = sizeof counters };
	struct vsw_tunnel tunnel = { .vni = 1 };
	struct vsw_explain_options with_tunnel = {
		.size = sizeof with_tunnel, .tunnel = &tunnel
	};

	ck_assert_int_eq(vsw_port_set_program(from, program), 0);
	explain(from);
	ck_assert_uint_eq(heard.n, 5);
	check_steps(from);
	ck_assert_str_eq(heard.lines[1], "out of port \"from\"");
	ck_assert_str_eq(heard.lines[2], " layer \"l\": group \"g\", rule 1 "
			 "\"only\", priority 10");
	ck_assert_str_eq(heard.lines[3], "  output to port \"from\"");
	ck_assert_int_eq(vsw_explain(from, "short", 5, NULL, hear, NULL), 0);
	ck_assert_str_eq(heard.lines[5], "dropped: SHORT: frame ends before "
			 "its headers do");
	ck_assert_int_eq(vsw_explain(from, "", 0, &with_tunnel, hear, NULL),
			 -EINVAL);
	vsw_port_get_counters(from, &counters);
	for (unsigned i = 0; i < VSW_N_DROPS; i++)
		ck_assert_uint_eq(counters.drops[i], 0);
	vsw_program_unref(program);
	vsw_port_remove(from);
	vsw_free(vsw);
	ck_assert_uint_eq(memory.n_live, 0);
}
END_TEST

START_TEST(counters_are_sums)
{
	struct vsw *vsw = rig_switch(&memory);
	struct vsw_port *port = rig_port(vsw, "p", 0);
	struct vsw_port_counters counters = { .size = sizeof counters };
	struct vsw_worker *workers[2];

	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(vsw_worker_new(vsw, &workers[i]), 0);
		vsw_port_count_drops(port, workers[i], VSW_DROP_DEVICE_FULL,
				     3);
		vsw_port_count_drops(port, workers[i], VSW_N_DROPS, 1);
		count_add(&port->counts[i].packets_sent, 5);
	}
	vsw_port_get_counters(port, &counters);
	ck_assert_uint_eq(counters.drops[VSW_DROP_DEVICE_FULL], 6);
	ck_assert_uint_eq(counters.packets_sent, 10);
	/* A caller built with an older header has a shorter struct. */
	counters.size = offsetof(struct vsw_port_counters, bytes_sent);
	counters.packets_sent = counters.bytes_sent = 77;
	vsw_port_get_counters(port, &counters);
	ck_assert_uint_eq(counters.packets_sent, 10);
	ck_assert_uint_eq(counters.bytes_sent, 77);
	for (int i = 0; i < 2; i++)
		vsw_worker_free(workers[i]);
	for (unsigned i = 0; i < VSW_N_DROPS; i++)
		ck_assert(vsw_drop_name(i) && *vsw_drop_text(i));
	ck_assert_ptr_null(vsw_drop_name(VSW_N_DROPS));
	vsw_port_remove(port);
	vsw_free(vsw);
	ck_assert_uint_eq(memory.n_live, 0);
}
END_TEST

START_TEST(programs)
{
	struct vsw *vsw = rig_switch(&memory);
	struct vsw_port *port = rig_port(vsw, "p", 0);
	struct vsw_program *program;
	struct vsw_layer *layer;
	struct vsw_group *group;
	char problem[200];

	ck_assert_int_eq(vsw_group_new(vsw, "g", &group), 0);
	ck_assert_int_eq(vsw_program_new(vsw, &program), 0);
	ck_assert_int_eq(vsw_port_set_program(port, program), -EINVAL);
	layer = vsw_program_add_layer(program, "acl");
	vsw_layer_add_group(layer, VSW_OUT, group);
	vsw_layer_add_group(NULL, VSW_OUT, group);
	ck_assert_int_eq(vsw_program_seal(program, problem, sizeof problem),
			 -EINVAL);
	ck_assert_str_eq(problem, "layer \"acl\": group \"g\" is not sealed");
	vsw_program_unref(program);
	vsw_rule_output(vsw_group_add_rule(group, 1, NULL), port);
	ck_assert_int_eq(vsw_group_seal(group, NULL, 0), 0);
	ck_assert_int_eq(vsw_program_new(vsw, &program), 0);
	layer = vsw_program_add_layer(program, "acl");
	vsw_layer_add_group(layer, VSW_IN, group);
	ck_assert_int_eq(vsw_program_seal(program, problem, sizeof problem),
			 -EINVAL);
	ck_assert_str_eq(problem, "layer \"acl\": group \"g\" says where "
			 "packets go, which has no place in direction in");
	vsw_program_unref(program);
	vsw_group_unref(group);
	vsw_port_remove(port);
	vsw_free(vsw);
	ck_assert_uint_eq(memory.n_live, 0);
}
END_TEST

static int
make_program(struct vsw *vsw)
{
	struct vsw_program *program;
	struct vsw_layer *layer;
	struct vsw_group *group;
	int error = vsw_group_new(vsw, "g", &group);

	if (error)
		return error;
	error = vsw_group_seal(group, NULL, 0);
	if (!error)
		error = vsw_program_new(vsw, &program);
	if (!error) {
		for (int i = 0; i < 6; i++)
			vsw_layer_add_group(vsw_program_add_layer(
						    program, "layer"),
					    VSW_IN, group);
		layer = vsw_program_add_layer(program,
					      "of a name that is long");
		for (int i = 0; i < 9; i++)
			vsw_layer_add_group(layer, VSW_OUT, group);
		error = vsw_program_seal(program, NULL, 0);
		vsw_program_unref(program);
	}
	vsw_group_unref(group);
	return error;
}

static void
encap(struct vsw_rule *rule, void *mapping)
{
	vsw_rule_encap(rule, mapping);
}

static void
pass(struct vsw_rule *rule, void *ctx)
{
	(void) rule;
	(void) ctx;
}

/* Copies want memory; without, the packet is dropped by that name, and what
 * says so is not to be cached. */
START_TEST(memory_runs_out)
{
	struct vsw *vsw = rig_switch(&memory);
	struct vsw_port *ports[10];
	struct vsw_location locations[10];
	struct vsw_domain *domain;
	struct vsw_mapping *mapping;
	struct vsw_program *flooding, *passing;
	struct decision decision = { .n = 0 };
	struct headers headers;
	char name[16];

	RIG_RUN_OUT(&memory, make_program(vsw));
	ck_assert_int_eq(vsw_domain_new(vsw, "d", &domain), 0);
	ck_assert_int_eq(vsw_mapping_new(domain, "m", 1, &mapping), 0);
	flooding = program_with(vsw, encap, mapping);
	passing = program_with(vsw, pass, NULL);
	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof name, "p%d", i);
		ports[i] = rig_port(vsw, name, 0);
		locations[i] = rig_local(ports[i], 0);
		ck_assert_int_eq(vsw_port_set_program(
					 ports[i], i ? passing : flooding), 0);
	}
	ck_assert_int_eq(vsw_mapping_set_flood(mapping, locations, 10, false),
			 0);
	memset(&headers, 0, sizeof headers);
	memset(headers.key.eth_dst, 0xff, 6);
	for (unsigned long fail_at = 2; fail_at > 0; fail_at--) {
		memory.n_calls = 0;
		memory.fail_at = fail_at;
		ck_assert(!decide(vsw, ports[0], &headers, NULL, 1, 0, NULL,
				  &decision));
		ck_assert_uint_eq(decision.n, 1);
		ck_assert_int_eq(decision.rewrites[0].drop,
				 VSW_DROP_NO_MEMORY);
		memory.fail_at = 0;
		decision_done(vsw, &decision);
	}
	ck_assert(decide(vsw, ports[0], &headers, NULL, 1, 0, NULL, &decision));
	ck_assert_uint_eq(decision.n, 9);
	/* Each program and the domain: too many to tell apart. */
	ck_assert_uint_gt(decision.deps.n, GENERATION_DEPS);
	decision_done(vsw, &decision);
	vsw_program_unref(flooding);
	vsw_program_unref(passing);
	for (int i = 0; i < 10; i++)
		vsw_port_remove(ports[i]);
	vsw_mapping_unref(mapping);
	vsw_domain_unref(domain);
	vsw_free(vsw);
	ck_assert_uint_eq(memory.n_live, 0);
}
END_TEST

RIG_MAIN("switch", options_are_checked, what_is_left_is_told,
	 ports_come_and_go, numbers_come_back, removed_port_is_gone,
	 explain_tells_each_step, explain_says_what_matched,
	 counters_are_sums, programs, memory_runs_out)
