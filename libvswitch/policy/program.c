/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/policy/program.h"

#include <errno.h>
#include <string.h>
#include "libvswitch/base/memory.h"
#include "libvswitch/base/switch.h"
#include "libvswitch/policy/group.h"

enum { LAYERS_NOTED = 32 };		/* Bits of 'tracked'. */

static char *keep_name(struct vsw_layer *, const char *name);
static int make_room(const struct vsw_allocator *, struct layer_groups *);
static void add_layer(struct vsw_program *, struct vsw_layer *);
static void find_tracked(struct vsw_program *);
static void check_tags(struct vsw_program *);
static void find_mapped(struct vsw_program *);
static void free_program(void *ctx, struct retired *);
static void free_layer(const struct vsw_allocator *, struct vsw_layer *);

int
vsw_program_new(struct vsw *vsw, struct vsw_program **ret_program)
{
	struct vsw_program *program = memory_alloc(&vsw->allocator, 0,
						   sizeof *program);

	if (!program)
		return -ENOMEM;
	program->vsw = vsw;
	program->n_refs = 1;
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
	if (program->draft.is_sealed)
		switch_log(program->vsw, VSW_LOG_ERROR,
			   "program is sealed: layer \"%s\" is not added",
			   name ? name : "");
	if (!draft_is_open(&program->draft))
		return NULL;
	layer = memory_alloc(&program->vsw->allocator, 0, sizeof *layer);
	if (!layer) {
		draft_fail(&program->draft, -ENOMEM,
			   "layer \"%s\": out of memory", name ? name : "");
		return NULL;
	}
	layer->program = program;
	layer->name = keep_name(layer, name ? name : "");
	add_layer(program, layer);
	return draft_is_open(&program->draft) ? layer : NULL;
}

void
vsw_layer_add_group(struct vsw_layer *layer, enum vsw_direction direction,
		    struct vsw_group *group)
{
	struct vsw_program *program;
	struct layer_groups *groups;

	if (!layer || !draft_is_open(&layer->program->draft))
		return;
	program = layer->program;
	if (!group || (direction != VSW_OUT && direction != VSW_IN)
	    || group->vsw != program->vsw) {
		draft_fail(&program->draft, -EINVAL, "layer \"%s\": %s",
			   layer->name, !group ? "no group"
			   : group->vsw != program->vsw
			   ? "group is of another switch" : "no direction");
		return;
	}
	if (!group->draft.is_sealed) {
		draft_fail(&program->draft, -EINVAL,
			   "layer \"%s\": group \"%s\" is not sealed",
			   layer->name, group->name);
		return;
	}
	if (direction == VSW_IN && group->actions & ACTION_OUT_ONLY) {
		draft_fail(&program->draft, -EINVAL,
			   "layer \"%s\": group \"%s\" says where packets go, "
			   "which has no place in direction in",
			   layer->name, group->name);
		return;
	}
	groups = &layer->groups[direction];
	if (make_room(&program->vsw->allocator, groups)) {
		draft_fail(&program->draft, -ENOMEM,
			   "layer \"%s\": out of memory", layer->name);
		return;
	}
	groups->groups[groups->n++] = group_ref(group);
}

int
vsw_program_seal(struct vsw_program *program, char *ret_problem, size_t size)
{
	int error;

	if (!program->draft.is_sealed) {
		find_tracked(program);
	check_tags(program);
		find_mapped(program);
	}
	error = draft_report(&program->draft, ret_problem, size);
	if (!error && !program->draft.is_sealed) {
		program->draft.is_sealed = true;
		program->serial = ++program->vsw->n_sealed;
	}
	return error;
}

void
vsw_program_unref(struct vsw_program *program)
{
	if (program && !--program->n_refs)
		reclaim_retire(&program->vsw->reclaim, &program->retired,
			       free_program, NULL);
}

struct vsw_program *
program_ref(struct vsw_program *program)
{
	program->n_refs++;
	return program;
}

static char *
keep_name(struct vsw_layer *layer, const char *name)
{
	size_t size = strlen(name) + 1;

	if (size > sizeof layer->short_name)
		return memory_strdup(&layer->program->vsw->allocator, name);
	memcpy(layer->short_name, name, size);
	return layer->short_name;
}

static int
make_room(const struct vsw_allocator *allocator, struct layer_groups *groups)
{
	struct vsw_group **grown = NULL;
	size_t n_room = 0;
	int error;

	if (groups->n < groups->room)
		return 0;
	if (!groups->room) {
		groups->groups = groups->few;
		groups->room = LAYER_FEW;
		return 0;
	}
	if (groups->groups != groups->few)
		return memory_grow(allocator, (void **) &groups->groups,
				   &groups->room, groups->n + 1,
				   sizeof(struct vsw_group *));
	error = memory_grow(allocator, (void **) &grown, &n_room,
			    groups->n + 1, sizeof(struct vsw_group *));
	if (error)
		return error;
	memcpy(grown, groups->few, sizeof groups->few);
	groups->groups = grown;
	groups->room = n_room;
	return 0;
}

static void
add_layer(struct vsw_program *program, struct vsw_layer *layer)
{
	const struct vsw_allocator *allocator = &program->vsw->allocator;

	if (!layer->name
	    || memory_grow(allocator, (void **) &program->layers,
			   &program->layers_room, program->n_layers + 1,
			   sizeof(struct vsw_layer *))) {
		draft_fail(&program->draft, -ENOMEM,
			   "layer \"%s\": out of memory",
			   layer->name ? layer->name : "");
		free_layer(allocator, layer);
		return;
	}
	program->layers[program->n_layers++] = layer;
}

static void
find_tracked(struct vsw_program *program)
{
	static const uint32_t tunnels =
		UINT32_C(1) << VSW_FIELD_TUNNEL_SRC4
		| UINT32_C(1) << VSW_FIELD_TUNNEL_DST4
		| UINT32_C(1) << VSW_FIELD_TUNNEL_SRC6
		| UINT32_C(1) << VSW_FIELD_TUNNEL_DST6;

	for (size_t i = 0; i < program->n_layers; i++) {
		const struct vsw_layer *layer = program->layers[i];
		uint32_t actions = 0, fields = 0;

		for (unsigned direction = 0; direction < 2; direction++)
			for (size_t g = 0; g < layer->groups[direction].n;
			     g++) {
				const struct vsw_group *group =
					layer->groups[direction].groups[g];

				actions |= group->actions;
				fields |= group->fields;
			}
		if (!(actions & ACTION_TRACK))
			continue;
		if (i >= LAYERS_NOTED)
			draft_fail(&program->draft, -EINVAL,
				   "layer \"%s\": only the first %d layers "
				   "may track", layer->name, LAYERS_NOTED);
		else if (fields & tunnels)
			draft_fail(&program->draft, -EINVAL,
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
check_tags(struct vsw_program *program)
{
	for (size_t i = 0; i < program->n_layers; i++) {
		const struct layer_groups *groups =
			&program->layers[i]->groups[VSW_IN];
		uint32_t actions = 0;

		for (size_t g = 0; g < groups->n; g++)
			actions |= groups->groups[g]->actions;
		program->retags |= (actions & ACTION_VLAN) != 0;
		if (actions & ACTION_VLAN && i < LAYERS_NOTED
		    && program->tracked >> i)
			draft_fail(&program->draft, -EINVAL,
				   "layer \"%s\" changes tags on the way in, "
				   "behind one that tracks",
				   program->layers[i]->name);
	}
}

static void
find_mapped(struct vsw_program *program)
{
	for (size_t i = 0; i < program->n_layers && i < LAYERS_NOTED; i++) {
		const struct layer_groups *groups =
			&program->layers[i]->groups[VSW_OUT];
		uint32_t actions = 0;

		for (size_t g = 0; g < groups->n; g++)
			actions |= groups->groups[g]->actions;
		if (actions & ACTION_ROUTE)
			program->routed |= UINT32_C(1) << i;
		if (actions & (ACTION_ENCAP | ACTION_DECAP))
			program->mapped |= UINT32_C(1) << i;
	}
}

static void
free_program(void *ctx, struct retired *retired)
{
	struct vsw_program *program = (struct vsw_program *) retired;
	const struct vsw_allocator *allocator = &program->vsw->allocator;

	(void) ctx;
	_Static_assert(offsetof(struct vsw_program, retired) == 0, "cast");
	program->vsw->n_programs--;
	for (size_t i = 0; i < program->n_layers; i++)
		free_layer(allocator, program->layers[i]);
	memory_free(allocator, program->layers,
		    program->layers_room * sizeof(struct vsw_layer *));
	memory_free(allocator, program, sizeof *program);
}

static void
free_layer(const struct vsw_allocator *allocator, struct vsw_layer *layer)
{
	for (unsigned direction = 0; direction < 2; direction++) {
		struct layer_groups *groups = &layer->groups[direction];

		for (size_t i = 0; i < groups->n; i++)
			vsw_group_unref(groups->groups[i]);
		if (groups->groups != groups->few)
			memory_free(allocator, groups->groups,
				    groups->room * sizeof(struct vsw_group *));
	}
	if (layer->name != layer->short_name)
		memory_free_string(allocator, layer->name);
	memory_free(allocator, layer, sizeof *layer);
}
