/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/policy/layer.c and program.c, and ports that get another
 * program together. */

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

/* In both directions and in each place; the rest is the same layers. */
START_TEST(derived)
{
	struct vsw_program *base, *next, *again;

	set_up();
	base = made("a0 b12|2 c23|1 d4");
	ck_assert_int_eq(vsw_program_derive(
		base, (struct vsw_group *[]) { groups[2], groups[1] },
		(struct vsw_group *[]) { groups[5], groups[2] }, 2, &next), 0);
	assert_says(next, "a0 b25|5 c53|2 d4");
	assert_says(base, "a0 b12|2 c23|1 d4");
	ck_assert_ptr_eq(next->layers[0], base->layers[0]);
	ck_assert_ptr_eq(next->layers[3], base->layers[3]);
	ck_assert_uint_gt(next->serial, base->serial);
	/* A thousand ports that do the same have the same. */
	ck_assert_int_eq(vsw_program_derive(
		base, (struct vsw_group *[]) { groups[2], groups[1] },
		(struct vsw_group *[]) { groups[5], groups[2] }, 2, &again),
		0);
	ck_assert_ptr_eq(again->layers[1], next->layers[1]);
	ck_assert_ptr_ne(again, next);
	vsw_program_unref(base);
	vsw_program_unref(again);
	assert_says(next, "a0 b25|5 c53|2 d4");
	vsw_program_unref(next);
	tear_down();
}
END_TEST

/* More than there is room for within a program and a layer. */
START_TEST(many)
{
	char text[8 * N_LAYERS + 64] = "a", expected[sizeof text] = "a";
	struct vsw_program *base, *next;

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
	base = made(text);
	ck_assert_int_eq(vsw_program_derive(base, &groups[7], &groups[8], 1,
					    &next), 0);
	assert_says(next, expected);
	assert_says(base, text);
	vsw_program_unref(base);
	vsw_program_unref(next);
	tear_down();
}
END_TEST

/* What sealing would refuse, and what is not there. */
START_TEST(refused)
{
	struct vsw_program *base, *draft, *next = NULL;
	struct vsw_group *unsealed, *sends, *tracks, *none = NULL;
	struct rig_memory others = { .n_live = 0 };
	struct vsw *other = rig_switch(&others);
	struct vsw_group *foreign;
	struct vsw_port *port;
	uint8_t addr[4] = { 10 };
	struct vsw_rule *rule;

	set_up();
	base = made("a0|1");
	port = rig_port(vsw, "p", 0);
	unsealed = draft_group(1);
	ck_assert_int_eq(vsw_group_new(vsw, "sends", &sends), 0);
	vsw_rule_output(vsw_group_add_rule(sends, 1, "r"), port);
	ck_assert_int_eq(vsw_group_seal(sends, NULL, 0), 0);
	ck_assert_int_eq(vsw_group_new(vsw, "tracks", &tracks), 0);
	rule = vsw_group_add_rule(tracks, 1, "r");
	vsw_rule_match(rule, VSW_FIELD_TUNNEL_SRC4, addr, NULL);
	vsw_rule_track(rule);
	ck_assert_int_eq(vsw_group_seal(tracks, NULL, 0), 0);
	ck_assert_int_eq(vsw_group_new(other, "foreign", &foreign), 0);
	ck_assert_int_eq(vsw_group_seal(foreign, NULL, 0), 0);
	ck_assert_int_eq(vsw_program_new(vsw, &draft), 0);

	ck_assert_int_eq(vsw_program_derive(draft, NULL, NULL, 0, &next),
			 -EINVAL);
	ck_assert_int_eq(vsw_program_derive(base, &groups[0], &unsealed, 1,
					    &next), -EINVAL);
	ck_assert_int_eq(vsw_program_derive(base, &groups[0], &none, 1,
					    &next), -EINVAL);
	ck_assert_int_eq(vsw_program_derive(base, &groups[0], &foreign, 1,
					    &next), -EINVAL);
	ck_assert_int_eq(vsw_program_derive(base, &groups[2], &groups[3], 1,
					    &next), -ENOENT);
	ck_assert_int_eq(vsw_program_derive(base, &groups[1], &sends, 1,
					    &next), -EINVAL);
	ck_assert_int_eq(vsw_program_derive(base, &groups[0], &tracks, 1,
					    &next), -EINVAL);
	ck_assert_ptr_null(next);
	ck_assert_int_eq(vsw_program_derive(base, &groups[0], &sends, 1,
					    &next), 0);
	vsw_program_unref(next);

	vsw_program_unref(draft);
	vsw_program_unref(base);
	vsw_group_unref(unsealed);
	vsw_group_unref(sends);
	vsw_group_unref(tracks);
	vsw_port_remove(port);
	vsw_group_unref(foreign);
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

static int
derive_and_free(const struct vsw_program *base)
{
	struct vsw_program *program;
	int error = vsw_program_derive(base, &groups[1], &groups[2], 1,
				       &program);

	if (!error)
		vsw_program_unref(program);
	return error;
}

START_TEST(out_of_memory)
{
	struct vsw_program *base;

	set_up();
	/* So that the table of layers is there. */
	base = made("a0123456|01 b1 c1 d1 e1 f1 g1 h1 i1 j1 k1 l1");
	RIG_RUN_OUT(&memory, make_and_free());
	RIG_RUN_OUT(&memory, derive_and_free(base));
	vsw_program_unref(base);
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

RIG_MAIN("program", layers_are_shared, derived, many, refused, out_of_memory,
	 not_listed, together)
