/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/policy/layer.h"

#include <errno.h>
#include <string.h>
#include "libvswitch/base/memory.h"
#include "libvswitch/base/switch.h"
#include "libvswitch/policy/group.h"

enum { N_ON_STACK = 16 };		/* Groups of one direction. */

/* A layer that may be there already. */
struct wanted {
	const char *name;
	struct vsw_group *const *groups[2];
	size_t n[2];
};

static int make_room(const struct vsw_allocator *, struct layer_groups *);
static struct wanted wanted_of(const struct vsw_layer *);
static uint32_t hash_of(const struct vsw *, const struct wanted *);
static bool equal(const void *layer, const void *wanted);
static struct vsw_layer *find(struct vsw *, const struct wanted *,
			      uint32_t hash);
static struct vsw_layer *copy(struct vsw *, const struct wanted *);
static struct vsw_group **exchange(struct vsw *, const struct layer_groups *,
				   struct vsw_group *room[N_ON_STACK]);
static void sum_up(struct layer_groups *);
static void note_places(struct vsw_layer *);
static void forget_places(struct vsw_layer *);

struct vsw_layer *
layer_new(struct vsw *vsw, const char *name)
{
	struct vsw_layer *layer = memory_alloc(&vsw->allocator, 0,
					       sizeof *layer);
	size_t size = strlen(name) + 1;

	if (!layer)
		return NULL;
	layer->n_refs = 1;
	layer->name = layer->short_name;
	if (size <= sizeof layer->short_name)
		memcpy(layer->short_name, name, size);
	else
		layer->name = memory_strdup(&vsw->allocator, name);
	if (layer->name)
		return layer;
	memory_free(&vsw->allocator, layer, sizeof *layer);
	return NULL;
}

int
layer_add_group(struct vsw *vsw, struct vsw_layer *layer,
		enum vsw_direction direction, struct vsw_group *group)
{
	struct layer_groups *groups = &layer->groups[direction];
	int error = make_room(&vsw->allocator, groups);

	if (!error)
		groups->groups[groups->n++] = group_ref(group);
	return error;
}

/* Without memory for the table it is one more that says the same. */
struct vsw_layer *
layer_settle(struct vsw *vsw, struct vsw_layer *layer)
{
	struct wanted wanted = wanted_of(layer);
	uint32_t hash = hash_of(vsw, &wanted);
	struct vsw_layer *settled = find(vsw, &wanted, hash);

	if (settled) {
		layer_unref(vsw, layer);
		return settled;
	}
	layer->program = NULL;
	sum_up(&layer->groups[VSW_OUT]);
	sum_up(&layer->groups[VSW_IN]);
	if (table_reserve(&vsw->layers, &vsw->allocator, &vsw->reclaim, 1))
		return layer;
	layer->hash = hash;
	layer->is_listed = true;
	table_add(&vsw->layers, hash, layer);
	note_places(layer);
	return layer;
}

struct vsw_layer *
layer_exchange(struct vsw *vsw, struct vsw_layer *layer)
{
	struct vsw_group *room[2][N_ON_STACK], **groups[2];
	struct wanted wanted = wanted_of(layer);
	struct vsw_layer *other = NULL;

	for (unsigned d = 0; d < 2; d++) {
		groups[d] = exchange(vsw, &layer->groups[d], room[d]);
		wanted.groups[d] = groups[d];
	}
	if (groups[0] && groups[1]) {
		other = find(vsw, &wanted, hash_of(vsw, &wanted));
		if (!other)
			other = copy(vsw, &wanted);
	}
	for (unsigned d = 0; d < 2; d++)
		if (groups[d] != room[d])
			memory_free(&vsw->allocator, groups[d], wanted.n[d]
				    * sizeof(struct vsw_group *));
	return other;
}

bool
layer_is_succeeded(const struct vsw_layer *layer)
{
	for (unsigned d = 0; d < 2; d++)
		for (size_t i = 0; i < layer->groups[d].n; i++)
			if (layer->groups[d].groups[i]->successor)
				return true;
	return false;
}

struct vsw_layer *
layer_ref(struct vsw_layer *layer)
{
	layer->n_refs++;
	return layer;
}

void
layer_unref(struct vsw *vsw, struct vsw_layer *layer)
{
	const struct vsw_allocator *allocator = &vsw->allocator;

	if (!layer || --layer->n_refs)
		return;
	if (layer->is_listed) {
		table_remove(&vsw->layers, layer->hash, layer);
		forget_places(layer);
	}
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

static struct wanted
wanted_of(const struct vsw_layer *layer)
{
	struct wanted wanted = { .name = layer->name };

	for (unsigned d = 0; d < 2; d++) {
		wanted.groups[d] = layer->groups[d].groups;
		wanted.n[d] = layer->groups[d].n;
	}
	return wanted;
}

static uint32_t
hash_of(const struct vsw *vsw, const struct wanted *wanted)
{
	uint64_t hash = hash_with(wanted->name, strlen(wanted->name),
				  &vsw->secret);

	for (unsigned d = 0; d < 2; d++)
		if (wanted->n[d])
			hash = hash_bytes(wanted->groups[d], wanted->n[d]
					  * sizeof *wanted->groups[d], hash);
	return hash_short(hash);
}

static bool
equal(const void *layer_, const void *wanted_)
{
	const struct vsw_layer *layer = layer_;
	const struct wanted *wanted = wanted_;

	for (unsigned d = 0; d < 2; d++)
		if (layer->groups[d].n != wanted->n[d]
		    || (wanted->n[d]
			&& memcmp(layer->groups[d].groups, wanted->groups[d],
				  wanted->n[d] * sizeof(struct vsw_group *))))
			return false;
	return !strcmp(layer->name, wanted->name);
}

static struct vsw_layer *
find(struct vsw *vsw, const struct wanted *wanted, uint32_t hash)
{
	struct vsw_layer *layer = table_find(&vsw->layers, hash, equal,
					     wanted);

	return layer ? layer_ref(layer) : NULL;
}

static struct vsw_layer *
copy(struct vsw *vsw, const struct wanted *wanted)
{
	struct vsw_layer *layer = layer_new(vsw, wanted->name);
	int error = layer ? 0 : -ENOMEM;

	for (unsigned d = 0; d < 2; d++)
		for (size_t i = 0; i < wanted->n[d] && !error; i++)
			error = layer_add_group(vsw, layer, d,
						wanted->groups[d][i]);
	if (!error)
		return layer_settle(vsw, layer);
	layer_unref(vsw, layer);
	return NULL;
}

/* In 'room', or in memory of their own; NULL: there is none. */
static struct vsw_group **
exchange(struct vsw *vsw, const struct layer_groups *groups,
	 struct vsw_group *room[N_ON_STACK])
{
	struct vsw_group **result = room;

	if (groups->n > N_ON_STACK)
		result = memory_alloc_raw(&vsw->allocator, 0,
					  groups->n * sizeof *result);
	for (size_t i = 0; i < groups->n && result; i++) {
		struct vsw_group *group = groups->groups[i];

		result[i] = group->successor ? group->successor : group;
	}
	return result;
}

static void
sum_up(struct layer_groups *groups)
{
	for (size_t i = 0; i < groups->n; i++) {
		groups->actions |= groups->groups[i]->actions;
		groups->fields |= groups->groups[i]->fields;
	}
}

static void
note_places(struct vsw_layer *layer)
{
	for (unsigned d = 0; d < 2; d++)
		for (size_t i = 0; i < layer->groups[d].n; i++) {
			struct vsw_group *group = layer->groups[d].groups[i];

			if (!group->n_places++)
				group->layer = layer;
		}
}

/* Where the last of several stands is not known then. */
static void
forget_places(struct vsw_layer *layer)
{
	for (unsigned d = 0; d < 2; d++)
		for (size_t i = 0; i < layer->groups[d].n; i++) {
			struct vsw_group *group = layer->groups[d].groups[i];

			group->n_places--;
			if (group->layer == layer)
				group->layer = NULL;
		}
}
