/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/policy/program.h"

#include <errno.h>
#include <string.h>
#include "libvswitch/base/memory.h"
#include "libvswitch/base/switch.h"
#include "libvswitch/policy/exchange.h"
#include "libvswitch/policy/group.h"

enum { LAYERS_NOTED = 32 };		/* Bits of 'tracked'. */

/* Bits of fields that replies do not have. */
static const uint32_t tunnels = UINT32_C(1) << VSW_FIELD_TUNNEL_SRC4
				| UINT32_C(1) << VSW_FIELD_TUNNEL_DST4
				| UINT32_C(1) << VSW_FIELD_TUNNEL_SRC6
				| UINT32_C(1) << VSW_FIELD_TUNNEL_DST6;

static bool is_open(const struct vsw_program *);
static int add_layer(struct vsw_program *, struct vsw_layer *);
static int know_layers(struct vsw_program *);
static void find_tracked(struct vsw_program *, struct draft *);
static void check_tags(struct vsw_program *, struct draft *);
static void find_mapped(struct vsw_program *);
static void free_program(void *ctx, struct retired *);

int
vsw_program_new(struct vsw *vsw, struct vsw_program **ret_program)
{
	struct vsw_program *program = memory_alloc(&vsw->allocator, 0,
						   sizeof *program);

	if (!program)
		return -ENOMEM;
	program->draft = memory_alloc(&vsw->allocator, 0,
				      sizeof *program->draft);
	if (!program->draft) {
		memory_free(&vsw->allocator, program, sizeof *program);
		return -ENOMEM;
	}
	program->vsw = vsw;
	program->n_refs = 1;
	program->layers = program->few;
	vsw->n_programs++;
	*ret_program = program;
	return 0;
}

struct vsw_layer *
vsw_program_add_layer(struct vsw_program *program, const char *name)
{
	struct vsw_layer *layer;

	if (!program)
		return NULL;
	if (!name)
		name = "";
	if (program_is_sealed(program))
		switch_log(program->vsw, VSW_LOG_ERROR,
			   "program is sealed: layer \"%s\" is not added",
			   name);
	if (!is_open(program))
		return NULL;
	layer = layer_new(program->vsw, name);
	if (layer && !add_layer(program, layer)) {
		layer->program = program;
		return layer;
	}
	layer_unref(program->vsw, layer);
	draft_fail(program->draft, -ENOMEM, "layer \"%s\": out of memory",
		   name);
	return NULL;
}

void
vsw_layer_add_group(struct vsw_layer *layer, enum vsw_direction direction,
		    struct vsw_group *group)
{
	struct vsw_program *program = layer ? layer->program : NULL;

	if (!program || !is_open(program))
		return;
	if (!group || (direction != VSW_OUT && direction != VSW_IN)
	    || group->vsw != program->vsw)
		draft_fail(program->draft, -EINVAL, "layer \"%s\": %s",
			   layer->name, !group ? "no group"
			   : group->vsw != program->vsw
			   ? "group is of another switch" : "no direction");
	else if (!group->draft.is_sealed)
		draft_fail(program->draft, -EINVAL,
			   "layer \"%s\": group \"%s\" is not sealed",
			   layer->name, group->name);
	else if (direction == VSW_IN && group->actions & ACTION_OUT_ONLY)
		draft_fail(program->draft, -EINVAL,
			   "layer \"%s\": group \"%s\" says where packets go, "
			   "which has no place in direction in",
			   layer->name, group->name);
	else if (layer_add_group(program->vsw, layer, direction, group))
		draft_fail(program->draft, -ENOMEM,
			   "layer \"%s\": out of memory", layer->name);
}

int
vsw_program_seal(struct vsw_program *program, char *ret_problem, size_t size)
{
	int error;

	if (program_is_sealed(program))
		return 0;
	if (is_open(program)) {
		for (size_t i = 0; i < program->n_layers; i++)
			program->layers[i] = layer_settle(program->vsw,
							  program->layers[i]);
		(void) know_layers(program);
	}
	error = draft_report(program->draft, ret_problem, size);
	if (error)
		return error;
	memory_free(&program->vsw->allocator, program->draft,
		    sizeof *program->draft);
	program->draft = NULL;
	atomic_init(&program->serial, ++program->vsw->n_sealed);
	return 0;
}

void
vsw_program_unref(struct vsw_program *program)
{
	if (program && !--program->n_refs)
		reclaim_retire(&program->vsw->reclaim, &program->retired,
			       free_program, NULL);
}

void
program_let_go(struct vsw_program *program, struct retired **list)
{
	if (!program || --program->n_refs)
		return;
	program->retired.free = free_program;
	program->retired.next = *list;
	*list = &program->retired;
}

int
program_derive(const struct vsw_program *base, const struct exchange *exchange,
	       struct vsw_program **ret_program)
{
	struct vsw *vsw = base->vsw;
	struct vsw_program *program = memory_alloc(&vsw->allocator, 0,
						   sizeof *program);
	int error = 0;

	if (!program)
		return -ENOMEM;
	program->vsw = vsw;
	program->n_refs = 1;
	program->layers = program->few;
	vsw->n_programs++;
	for (size_t i = 0; i < base->n_layers && !error; i++) {
		struct vsw_layer *layer = program_get_layer(base, i);
		const struct swap *swap = exchange_find(exchange, layer);

		layer = layer_ref(swap ? swap->to : layer);
		error = add_layer(program, layer);
		if (error)
			layer_unref(vsw, layer);
	}
	if (!error)
		error = know_layers(program);
	if (error) {
		vsw_program_unref(program);
		return error;
	}
	atomic_init(&program->serial, ++vsw->n_sealed);
	*ret_program = program;
	return 0;
}

void
program_replace_layer(struct vsw_program *program, size_t i,
		      struct vsw_layer *to)
{
	atomic_store_explicit(&program->layers[i], to, memory_order_release);
	atomic_store_explicit(&program->serial, ++program->vsw->n_sealed,
			      memory_order_release);
}

bool
program_layers_alike(const struct vsw_layer *a, const struct vsw_layer *b)
{
	static const uint32_t known = ACTION_TRACK | ACTION_ROUTE
				      | ACTION_ENCAP | ACTION_DECAP
				      | ACTION_VLAN;

	for (unsigned d = 0; d < 2; d++)
		if ((a->groups[d].actions ^ b->groups[d].actions) & known
		    || (a->groups[d].fields ^ b->groups[d].fields) & tunnels)
			return false;
	return true;
}

struct vsw_program *
program_ref(struct vsw_program *program)
{
	program->n_refs++;
	return program;
}

static bool
is_open(const struct vsw_program *program)
{
	return !program_is_sealed(program) && draft_is_open(program->draft);
}

/* Takes the layer over, if there is memory. */
static int
add_layer(struct vsw_program *program, struct vsw_layer *layer)
{
	const struct vsw_allocator *allocator = &program->vsw->allocator;
	program_layer *grown = NULL;
	size_t room = 0;
	int error = 0;

	if (program->layers_room) {
		error = memory_grow(allocator, (void **) &program->layers,
				    &program->layers_room,
				    program->n_layers + 1, sizeof *grown);
	} else if (program->n_layers == PROGRAM_FEW) {
		error = memory_grow(allocator, (void **) &grown, &room,
				    PROGRAM_FEW + 1, sizeof *grown);
		if (!error) {
			memcpy(grown, program->few, sizeof program->few);
			program->layers = grown;
			program->layers_room = room;
		}
	}
	if (!error)
		program->layers[program->n_layers++] = layer;
	return error;
}

/* Of a draft it says what is wrong. */
static int
know_layers(struct vsw_program *program)
{
	struct draft unheard = { .error = 0 };
	struct draft *draft = program->draft ? program->draft : &unheard;

	find_tracked(program, draft);
	check_tags(program, draft);
	find_mapped(program);
	return draft->error;
}

static void
find_tracked(struct vsw_program *program, struct draft *draft)
{
	for (size_t i = 0; i < program->n_layers; i++) {
		const struct vsw_layer *layer =
			program_get_layer(program, i);
		const struct layer_groups *groups = layer->groups;

		if (!((groups[0].actions | groups[1].actions) & ACTION_TRACK))
			continue;
		if (i >= LAYERS_NOTED)
			draft_fail(draft, -EINVAL,
				   "layer \"%s\": only the first %d layers "
				   "may track", layer->name, LAYERS_NOTED);
		else if ((groups[0].fields | groups[1].fields) & tunnels)
			draft_fail(draft, -EINVAL,
				   "layer \"%s\" tracks, and looks at tunnels' "
				   "addresses, which replies do not have",
				   layer->name);
		else
			program->tracked |= UINT32_C(1) << i;
	}
}

/* Of a connection's two directions one shows which tag the port's own packets
 * have before any layer is asked, the other one behind the last that changes
 * it: those that track must come later. */
static void
check_tags(struct vsw_program *program, struct draft *draft)
{
	for (size_t i = 0; i < program->n_layers; i++) {
		const struct vsw_layer *layer =
			program_get_layer(program, i);

		if (!(layer->groups[VSW_IN].actions & ACTION_VLAN))
			continue;
		program->retags = true;
		if (i < LAYERS_NOTED && program->tracked >> i)
			draft_fail(draft, -EINVAL,
				   "layer \"%s\" changes tags on the way in, "
				   "behind one that tracks", layer->name);
	}
}

static void
find_mapped(struct vsw_program *program)
{
	for (size_t i = 0; i < program->n_layers && i < LAYERS_NOTED; i++) {
		uint32_t actions = program_get_layer(program, i)
						   ->groups[VSW_OUT].actions;

		if (actions & ACTION_ROUTE)
			program->routed |= UINT32_C(1) << i;
		if (actions & (ACTION_ENCAP | ACTION_DECAP))
			program->mapped |= UINT32_C(1) << i;
	}
}

static void
free_program(void *ctx, struct retired *retired)
{
	struct vsw_program *program = (struct vsw_program *)
		((char *) retired - offsetof(struct vsw_program, retired));
	const struct vsw_allocator *allocator = &program->vsw->allocator;

	(void) ctx;
	program->vsw->n_programs--;
	for (size_t i = 0; i < program->n_layers; i++)
		layer_unref(program->vsw, program->layers[i]);
	if (program->layers_room)
		memory_free(allocator, program->layers, program->layers_room
			    * sizeof *program->layers);
	if (program->draft)
		memory_free(allocator, program->draft, sizeof *program->draft);
	memory_free(allocator, program, sizeof *program);
}
