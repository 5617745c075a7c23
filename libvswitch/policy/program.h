/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_PROGRAM_H
#define POLICY_PROGRAM_H 1

/* Programs.  Immutable once sealed; ports swap them whole, and the last
 * reference retires them. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vswitch/policy.h>
#include "libvswitch/base/reclaim.h"
#include "libvswitch/policy/draft.h"
#include "libvswitch/policy/layer.h"

/* A program of few layers is one block of memory: a thousand are derived, and
 * freed, when a rule changes that all of them have. */
enum { PROGRAM_FEW = 8 };

struct vsw_program {
	struct retired retired;
	struct vsw *vsw;
	uint32_t n_refs;
	struct draft *draft;		/* NULL: sealed. */
	/* Sealed: */
	uint64_t serial;		/* No other program of the switch's ever
					 * has it. */
	uint32_t tracked;		/* Bit i: rules of layer i track, */
	uint32_t routed, mapped;	/* in direction out route; ask a
					 * mapping where to.  Of the first
					 * 32. */
	bool retags;			/* Rules change tags in direction in. */

	struct vsw_layer **layers;	/* In the order added; holds each. */
	size_t n_layers, layers_room;	/* Of its own; 0: 'few' has them. */
	struct vsw_layer *few[PROGRAM_FEW];
};

static inline bool
program_is_sealed(const struct vsw_program *program)
{
	return !program->draft;
}

/* [control] Takes a reference. */
struct vsw_program *program_ref(struct vsw_program *);
/* [control] Drops one; the last puts it into a list, to be retired as a whole.
 */
void program_let_go(struct vsw_program *, struct retired **list);

#endif /* policy/program.h */
