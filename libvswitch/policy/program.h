/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_PROGRAM_H
#define POLICY_PROGRAM_H 1

/* Programs and their layers.  Immutable once sealed; ports swap them whole,
 * and the last reference retires them. */

#include <stddef.h>
#include <stdint.h>
#include <vswitch/policy.h>
#include "libvswitch/base/reclaim.h"
#include "libvswitch/policy/draft.h"

/* A layer with few groups and a short name is one block of memory: a thousand
 * programs are built, and freed, when a rule changes that all of them have. */
enum { LAYER_FEW = 4, LAYER_SHORT = 16 };

struct layer_groups {
	struct vsw_group **groups;	/* Holds each. */
	size_t n, room;
	struct vsw_group *few[LAYER_FEW];
};

struct vsw_layer {
	struct vsw_program *program;
	struct layer_groups groups[2];	/* By enum vsw_direction. */
	char *name;
	char short_name[LAYER_SHORT];
};

struct vsw_program {
	struct retired retired;
	struct vsw *vsw;
	uint32_t n_refs;
	struct draft draft;
	/* Sealed: */
	uint64_t serial;		/* No other program of the switch's ever
					 * has it. */
	uint32_t tracked;		/* Bit i: rules of layer i track, */
	uint32_t routed, mapped;	/* in direction out route; ask a
					 * mapping where to.  Of the first
					 * 32. */
	bool retags;			/* Rules change tags in direction in. */

	struct vsw_layer **layers;	/* In the order added. */
	size_t n_layers, layers_room;
};

/* [control] Takes a reference. */
struct vsw_program *program_ref(struct vsw_program *);

#endif /* policy/program.h */
