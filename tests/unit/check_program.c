/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/policy/layer.c, program.c and exchange.c, and ports that get
 * another program together. */

#include "libvswitch/policy/program.h"

#include <errno.h>
#include <stdlib.h>
#include "libvswitch/base/switch.h"
#include "libvswitch/policy/group.h"
#include "libvswitch/policy/port.h"
#include "tests/unit/policy_rig.h"

enum { N_GROUPS = 24, N_LAYERS = PROGRAM_FEW + 3 };

static struct rig_memory memory;
static struct vsw *vsw;
static struct vsw_group *groups[N_GROUPS];

static struct vsw_group *
draft_group(unsigned i)
{
	char name[16];
	struct vsw_group *group;

	snprintf(name, sizeof name, "g%u", i);
	ck_assert_int_eq(vsw_group_new(vsw, name, &group), 0);
	vsw_rule_drop(vsw_group_add_rule(group, i, "r"));
	return group;
}

static void
set_up(void)
{
	vsw = rig_switch(&memory);
	for (unsigned i = 0; i < N_GROUPS; i++) {
		groups[i] = draft_group(i);
		ck_assert_int_eq(vsw_group_seal(groups[i], NULL, 0), 0);
	}
}

static void
tear_down(void)
{
	for (unsigned i = 0; i < N_GROUPS; i++)
		vsw_group_unref(groups[i]);
	vsw_free(vsw);
	ck_assert_uint_eq(memory.n_live, 0);
}

/* Layers "a first,second|third b ...": groups out, groups in. */
static int
make(const char *text, struct vsw_program **ret_program)
{
	enum vsw_direction direction = VSW_OUT;
	struct vsw_layer *layer = NULL;
	struct vsw_program *program;
	int error = vsw_program_new(vsw, &program);

	for (; !error && *text; text++) {
		char name[2] = { *text };

		if (*text == '|')
			direction = VSW_IN;
		else if (*text == ' ')
			direction = VSW_OUT;
		else if (*text >= 'a')
			layer = vsw_program_add_layer(program, name);
		else
			vsw_layer_add_group(layer, direction,
					    groups[*text - '0']);
	}
	if (error)
		return error;
	error = vsw_program_seal(program, NULL, 0);
	if (error)
		vsw_program_unref(program);
	else
		*ret_program = program;
	return error;
}

static struct vsw_program *
made(const char *text)
{
	struct vsw_program *program = NULL;

	ck_assert_int_eq(make(text, &program), 0);
	ck_assert(program_is_sealed(program));
	return program;
}

/* As make() reads it. */
static void
assert_says(const struct vsw_program *program, const char *expected)
{
	char text[256], *end = text;

	for (size_t i = 0; i < program->n_layers; i++) {
		const struct vsw_layer *layer = program->layers[i];

		end += sprintf(end, "%s%s", i ? " " : "", layer->name);
		for (unsigned d = 0; d < 2; d++) {
			if (d && layer->groups[d].n)
				*end++ = '|';
			for (size_t g = 0; g < layer->groups[d].n; g++)
				*end++ = (char) ('0' + atoi(
					layer->groups[d].groups[g]->name + 1));
		}
	}
	*end = '\0';
	ck_assert_str_eq(text, expected);
}

/* Of what says the same there is one, until the last has gone. */
START_TEST(layers_are_shared)
{
	struct vsw_program *one, *two, *other;

	set_up();
	one = made("a01|2 b3");
	two = made("b3 a01|2 a0|12 c3");
	ck_assert_ptr_eq(one->layers[0], two->layers[1]);
	ck_assert_ptr_eq(one->layers[1], two->layers[0]);
	ck_assert_ptr_ne(two->layers[1], two->layers[2]);
	ck_assert_ptr_ne(two->layers[0], two->layers[3]);
	ck_assert_uint_eq(atomic_load(&vsw->layers.n), 4);
	ck_assert_uint_eq(one->layers[0]->n_refs, 2);
	vsw_program_unref(one);
	assert_says(two, "b3 a01|2 a0|12 c3");
	other = made("a01|2");
	ck_assert_ptr_eq(other->layers[0], two->layers[1]);
	vsw_program_unref(two);
	ck_assert_uint_eq(atomic_load(&vsw->layers.n), 1);
	vsw_program_unref(other);
	ck_assert_uint_eq(atomic_load(&vsw->layers.n), 0);
	tear_down();
}
END_TEST

/* A port whose program, of this text, is its alone. */
static struct vsw_port *
port_with(const char *name, const char *text)
{
	struct vsw_port *port = rig_port(vsw, name, 0);
	struct vsw_program *program = made(text);

	ck_assert_int_eq(vsw_port_set_program(port, program), 0);
	vsw_program_unref(program);
	return port;
}

static void
assert_has(const struct vsw_port *port, const char *expected)
{
	assert_says(vsw_port_get_program(port), expected);
}

static uint32_t
generation_of(const struct vsw_port *port)
{
	return atomic_load(&vsw->generations.of[port->generation]);
}

static void
assert_layers(size_t n)
{
	reclaim_run(&vsw->reclaim);
	ck_assert_uint_eq(atomic_load(&vsw->layers.n), n);
}

/* One layer of programs that nobody else holds: they stay where they are, with
 * other serials; flows are told once. */
START_TEST(in_place)
{
	struct vsw_port *p, *q, *other;
	struct vsw_program *of_p, *of_q;
	uint64_t serial, told;
	uint32_t seen[3];

	set_up();
	p = port_with("p", "a0 b12|3 c4");
	q = port_with("q", "b12|3 a5");
	other = port_with("other", "b12|3 a6");
	of_p = vsw_port_get_program(p);
	of_q = vsw_port_get_program(q);
	serial = of_q->serial;
	told = atomic_load(&vsw->generations.all);
	seen[0] = generation_of(p);
	seen[1] = generation_of(q);
	seen[2] = generation_of(other);
	ck_assert_int_eq(vsw_port_exchange_groups(
		(struct vsw_port *[]) { p, q, p }, 3,
		(struct vsw_group *[]) { groups[2], groups[3] },
		(struct vsw_group *[]) { groups[7], groups[2] }, 2), 0);
	assert_has(p, "a0 b17|2 c4");
	assert_has(q, "b17|2 a5");
	assert_has(other, "b12|3 a6");
	ck_assert_ptr_eq(vsw_port_get_program(p), of_p);
	ck_assert_ptr_eq(vsw_port_get_program(q), of_q);
	ck_assert_ptr_eq(of_p->layers[1], of_q->layers[0]);
	ck_assert_uint_eq(of_p->layers[1]->n_refs, 2);
	ck_assert_uint_gt(of_p->serial, serial);
	ck_assert_uint_gt(of_q->serial, serial);
	ck_assert_uint_ne(of_p->serial, of_q->serial);
	ck_assert_uint_eq(atomic_load(&vsw->generations.all), told + 1);
	ck_assert_uint_ne(generation_of(p), seen[0]);
	ck_assert_uint_ne(generation_of(q), seen[1]);
	ck_assert_uint_eq(generation_of(other), seen[2]);
	/* The layer that only 'other' has is its own again. */
	assert_layers(6);
	ck_assert_uint_eq(vsw_port_get_program(other)->layers[0]->n_refs, 1);
	/* Back: it is found, and not made. */
	ck_assert_int_eq(vsw_port_exchange_groups(
		(struct vsw_port *[]) { q, p }, 2,
		(struct vsw_group *[]) { groups[7], groups[2] },
		(struct vsw_group *[]) { groups[2], groups[3] }, 2), 0);
	ck_assert_ptr_eq(of_p->layers[1],
			 vsw_port_get_program(other)->layers[0]);
	assert_layers(5);
	vsw_port_remove(p);
	vsw_port_remove(q);
	vsw_port_remove(other);
	tear_down();
}
END_TEST

/* In both directions and in each place; the rest is the same layers. */
START_TEST(made_anew)
{
	static const char *const text = "a0 b12|2 c23|1 d4";
	struct vsw_port *many, *shared[2], *held;
	struct vsw_program *base, *old;

	set_up();
	many = port_with("many", text);
	base = made("d2 a0");
	shared[0] = rig_port(vsw, "s", 0);
	shared[1] = rig_port(vsw, "t", 0);
	for (unsigned i = 0; i < 2; i++)
		ck_assert_int_eq(vsw_port_set_program(shared[i], base), 0);
	vsw_program_unref(base);
	held = port_with("held", text);
	old = program_ref(vsw_port_get_program(held));
	ck_assert_int_eq(vsw_port_exchange_groups(
		(struct vsw_port *[]) { many, shared[0], held }, 3,
		(struct vsw_group *[]) { groups[2], groups[1] },
		(struct vsw_group *[]) { groups[5], groups[2] }, 2), 0);
	assert_has(many, "a0 b25|5 c53|2 d4");
	assert_has(held, "a0 b25|5 c53|2 d4");
	assert_has(shared[0], "d5 a0");
	assert_has(shared[1], "d2 a0");
	assert_says(old, text);
	ck_assert_ptr_eq(vsw_port_get_program(held)->layers[0],
			 old->layers[0]);
	ck_assert_ptr_eq(vsw_port_get_program(held)->layers[1],
			 vsw_port_get_program(many)->layers[1]);
	ck_assert_uint_gt(vsw_port_get_program(held)->serial, old->serial);
	ck_assert_uint_eq(vsw_port_get_program(held)->n_refs, 1);
	vsw_program_unref(old);
	/* Each has its own by now. */
	ck_assert_int_eq(vsw_port_exchange_groups(
		(struct vsw_port *[]) { shared[1], shared[0] }, 2,
		(struct vsw_group *[]) { groups[2], groups[5] },
		(struct vsw_group *[]) { groups[8], groups[9] }, 2), 0);
	assert_has(shared[0], "d9 a0");
	assert_has(shared[1], "d8 a0");
	for (unsigned i = 0; i < 2; i++)
		vsw_port_remove(shared[i]);
	vsw_port_remove(many);
	vsw_port_remove(held);
	assert_layers(0);
	tear_down();
}
END_TEST

/* More than there is room for within a program and a layer. */
START_TEST(many)
{
	char text[8 * N_LAYERS + 64] = "a", expected[sizeof text] = "a";
	struct vsw_port *port;

	set_up();
	for (unsigned i = 0; i < N_GROUPS; i++) {
		sprintf(text + strlen(text), "%c", (char) ('0' + i));
		sprintf(expected + strlen(expected), "%c",
			(char) ('0' + (i == 7 ? 8 : i)));
	}
	for (unsigned i = 0; i < N_LAYERS; i++) {
		strcat(text, " b7");
		strcat(expected, " b8");
	}
	port = port_with("p", text);
	ck_assert_int_eq(vsw_port_exchange_groups(
		&port, 1, &groups[7], &groups[8], 1), 0);
	assert_has(port, expected);
	vsw_port_remove(port);
	tear_down();
}
END_TEST

static struct vsw_group *
tracking_group(struct vsw *of, const char *name, bool by_tunnel)
{
	uint8_t addr[4] = { 10 };
	struct vsw_group *group;
	struct vsw_rule *rule;

	ck_assert_int_eq(vsw_group_new(of, name, &group), 0);
	rule = vsw_group_add_rule(group, 1, "r");
	if (by_tunnel)
		vsw_rule_match(rule, VSW_FIELD_TUNNEL_SRC4, addr, NULL);
	vsw_rule_track(rule);
	ck_assert_int_eq(vsw_group_seal(group, NULL, 0), 0);
	return group;
}

/* What a program says of its layers is to be true: it is another one then. */
START_TEST(unlike)
{
	struct vsw_program *old;
	struct vsw_group *tracks;
	struct vsw_port *port;

	set_up();
	port = port_with("p", "a0 b1");
	tracks = tracking_group(vsw, "tracks", false);
	old = vsw_port_get_program(port);
	ck_assert_int_eq(vsw_port_exchange_groups(&port, 1, &groups[1],
						  &tracks, 1), 0);
	ck_assert_ptr_ne(vsw_port_get_program(port), old);
	ck_assert_uint_eq(vsw_port_get_program(port)->tracked, 2);
	ck_assert_ptr_nonnull(atomic_load(&vsw->connections));
	ck_assert_int_eq(vsw_port_exchange_groups(&port, 1, &tracks,
						  &groups[1], 1), 0);
	ck_assert_uint_eq(vsw_port_get_program(port)->tracked, 0);
	vsw_group_unref(tracks);
	vsw_port_remove(port);
	tear_down();
}
END_TEST

/* What sealing would refuse, and what is not there: nothing changes then. */
START_TEST(refused)
{
	struct vsw_group *unsealed, *sends, *tracks, *none = NULL, *foreign;
	struct rig_memory others = { .n_live = 0 };
	struct vsw *other = rig_switch(&others);
	struct vsw_port *port, *bare, *stranger;

	set_up();
	port = port_with("p", "a0|1");
	bare = rig_port(vsw, "bare", 0);
	stranger = rig_port(other, "stranger", 0);
	unsealed = draft_group(1);
	ck_assert_int_eq(vsw_group_new(vsw, "sends", &sends), 0);
	vsw_rule_output(vsw_group_add_rule(sends, 1, "r"), bare);
	ck_assert_int_eq(vsw_group_seal(sends, NULL, 0), 0);
	tracks = tracking_group(vsw, "tracks", true);
	foreign = tracking_group(other, "foreign", false);

#define EXCHANGE(a, b) \
	vsw_port_exchange_groups(&port, 1, &(a), &(b), 1)
	ck_assert_int_eq(EXCHANGE(groups[0], unsealed), -EINVAL);
	ck_assert_int_eq(EXCHANGE(groups[0], none), -EINVAL);
	ck_assert_int_eq(EXCHANGE(none, groups[0]), -EINVAL);
	ck_assert_int_eq(EXCHANGE(groups[0], foreign), -EINVAL);
	ck_assert_int_eq(EXCHANGE(groups[2], groups[3]), -ENOENT);
	ck_assert_int_eq(EXCHANGE(groups[1], sends), -EINVAL);
	ck_assert_int_eq(EXCHANGE(groups[0], tracks), -EINVAL);
#undef EXCHANGE
	ck_assert_int_eq(vsw_port_exchange_groups(
		&port, 1, (struct vsw_group *[]) { groups[0], groups[0] },
		(struct vsw_group *[]) { groups[2], groups[3] }, 2), -EINVAL);
	ck_assert_int_eq(vsw_port_exchange_groups(
		(struct vsw_port *[]) { port, bare }, 2, &groups[0],
		&groups[2], 1), -ENOENT);
	ck_assert_int_eq(vsw_port_exchange_groups(
		(struct vsw_port *[]) { port, stranger }, 2, &groups[0],
		&groups[2], 1), -EINVAL);
	ck_assert_int_eq(vsw_port_exchange_groups(&port, 1, NULL, NULL, 0),
			 -ENOENT);
	ck_assert_int_eq(vsw_port_exchange_groups(NULL, 0, NULL, NULL, 0), 0);
	assert_has(port, "a0|1");
	for (unsigned i = 0; i < N_GROUPS; i++)
		ck_assert_ptr_null(groups[i]->successor);
	ck_assert_int_eq(vsw_port_exchange_groups(&port, 1, &groups[0],
						  &sends, 1), 0);

	vsw_port_remove(port);
	vsw_group_unref(unsealed);
	vsw_group_unref(sends);
	vsw_group_unref(tracks);
	vsw_port_remove(bare);
	vsw_group_unref(foreign);
	vsw_port_remove(stranger);
	vsw_free(other);
	tear_down();
}
END_TEST

static int
make_and_free(void)
{
	struct vsw_program *program;
	int error = make("a0123456|01 b1 c1 d1 e1 f1 g1 h1 i1 j1", &program);

	if (!error)
		vsw_program_unref(program);
	return error;
}

/* There and back, once there is memory; what fails has changed nothing. */
static int
exchange_groups(struct vsw_port *const ports[2], const char *text)
{
	int error = vsw_port_exchange_groups(ports, 2, &groups[1], &groups[9],
					     1);

	if (error) {
		assert_has(ports[0], text);
		assert_has(ports[1], "a1 b3");
		return error;
	}
	assert_has(ports[1], "a9 b3");
	memory.fail_at = 0;
	return vsw_port_exchange_groups(ports, 2, &groups[9], &groups[1], 1);
}

START_TEST(out_of_memory)
{
	static const char *const text =
		"a0123456|01 b1 c1 d1 e1 f1 g1 h1 i1 j1 k1 l1";
	struct vsw_port *ports[2];

	set_up();
	/* So that the table of layers is there. */
	ports[0] = port_with("p", text);
	ports[1] = port_with("q", "a1 b3");
	RIG_RUN_OUT(&memory, make_and_free());
	RIG_RUN_OUT(&memory, exchange_groups(ports, text));
	vsw_port_remove(ports[0]);
	vsw_port_remove(ports[1]);
	tear_down();
}
END_TEST

/* Without memory for the table layers are not shared, and that is all. */
START_TEST(not_listed)
{
	struct vsw_program *one, *two;

	set_up();
	memory.n_calls = 0;
	/* Program, draft, layer; then the table. */
	memory.fail_at = 4;
	memory.fails_once = true;
	one = made("a0");
	ck_assert_uint_eq(memory.n_failed, 1);
	memory.fail_at = 0;
	two = made("a0");
	ck_assert_ptr_ne(one->layers[0], two->layers[0]);
	vsw_program_unref(one);
	assert_says(two, "a0");
	vsw_program_unref(two);
	tear_down();
}
END_TEST

/* All of them or none; flows are told once. */
START_TEST(together)
{
	struct vsw_program *old, *new, *draft;
	struct vsw_port *ports[3];
	uint64_t told;
	uint32_t seen[3];

	set_up();
	old = made("a0");
	new = made("a1");
	ck_assert_int_eq(vsw_program_new(vsw, &draft), 0);
	for (unsigned i = 0; i < 3; i++) {
		char name[2] = { (char) ('p' + i) };

		ports[i] = rig_port(vsw, name, 0);
		ck_assert_int_eq(vsw_port_set_program(ports[i], old), 0);
		seen[i] = atomic_load(
			&vsw->generations.of[ports[i]->generation]);
	}
	told = atomic_load(&vsw->generations.all);
	ck_assert_int_eq(vsw_port_set_programs(
		ports, (struct vsw_program *[]) { new, new, draft }, 3),
		-EINVAL);
	ck_assert_ptr_eq(vsw_port_get_program(ports[0]), old);
	ck_assert_uint_eq(atomic_load(&vsw->generations.all), told);

	ck_assert_int_eq(vsw_port_set_programs(
		ports, (struct vsw_program *[]) { new, NULL, new }, 3), 0);
	ck_assert_ptr_eq(vsw_port_get_program(ports[0]), new);
	ck_assert_ptr_null(vsw_port_get_program(ports[1]));
	ck_assert_ptr_eq(vsw_port_get_program(ports[2]), new);
	ck_assert_uint_eq(atomic_load(&vsw->generations.all), told + 1);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_uint_ne(seen[i], atomic_load(
			&vsw->generations.of[ports[i]->generation]));
	ck_assert_uint_eq(old->n_refs, 1);
	ck_assert_uint_eq(new->n_refs, 3);
	ck_assert_int_eq(vsw_port_set_programs(NULL, NULL, 0), 0);

	/* The last reference to it is a port's. */
	vsw_program_unref(new);
	ck_assert_uint_eq(vsw->n_programs, 3);
	ck_assert_int_eq(vsw_port_set_programs(
		ports, (struct vsw_program *[]) { old, old, old }, 3), 0);
	ck_assert_uint_eq(vsw->n_programs, 2);
	for (unsigned i = 0; i < 3; i++)
		vsw_port_remove(ports[i]);
	vsw_program_unref(old);
	vsw_program_unref(draft);
	tear_down();
}
END_TEST

RIG_MAIN("program", layers_are_shared, in_place, made_anew, many, unlike,
	 refused, out_of_memory, not_listed, together)
