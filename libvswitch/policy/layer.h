/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_LAYER_H
#define POLICY_LAYER_H 1

/* Layers of programs.  Of sealed programs layers that say the same are one: a
 * thousand ports whose firewall is alike have it once, and what takes a group
 * out of all of them makes one layer.
 *
 * Immutable once settled; read by workers through programs, which hold them
 * until nobody can look. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vswitch/policy.h>

/* A layer with few groups and a short name is one block of memory. */
enum { LAYER_FEW = 4, LAYER_SHORT = 16 };

struct layer_groups {
	struct vsw_group **groups;	/* Holds each. */
	size_t n, room;
	struct vsw_group *few[LAYER_FEW];
	uint32_t actions;		/* Of all of them; */
	uint32_t fields;		/* bit i: some rule looks at it. */
};

struct vsw_layer {
	struct vsw_program *program;	/* Whose draft it is in, or NULL. */
	uint32_t n_refs;
	uint32_t hash;			/* Of what follows, if is_listed: it */
	bool is_listed;			/* is in vsw.layers. */
	struct layer_groups groups[2];	/* By enum vsw_direction. */
	char *name;
	char short_name[LAYER_SHORT];
};

/* [control] Of a program's draft, or NULL; with a reference. */
struct vsw_layer *layer_new(struct vsw *, const char *name);
/* [control] 0 or -ENOMEM; holds the group. */
int layer_add_group(struct vsw *, struct vsw_layer *, enum vsw_direction,
		    struct vsw_group *);
/* [control] Nothing is added any more: returns the one that says the same, in
 * place of this one. */
struct vsw_layer *layer_settle(struct vsw *, struct vsw_layer *);
/* [control] A settled one that has the successors of this one's groups, of
 * those that have one; with a reference.  NULL: out of memory. */
struct vsw_layer *layer_exchange(struct vsw *, struct vsw_layer *);
/* [control] Has any of its groups a successor? */
bool layer_is_succeeded(const struct vsw_layer *);
struct vsw_layer *layer_ref(struct vsw_layer *);
/* [control] Nobody can look any more. */
void layer_unref(struct vsw *, struct vsw_layer *);

#endif /* policy/layer.h */
