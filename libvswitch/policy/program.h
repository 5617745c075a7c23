/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_PROGRAM_H
#define POLICY_PROGRAM_H 1

/* Programs.  Immutable once sealed; ports swap them whole, and the last
 * reference retires them.
 *
 * One that its port alone holds may have a layer replaced where it stands
 * (switch/exchange.c), which nobody can tell from another program: first the
 * layer, then the serial.  Who reads the serial first, and then layers, knows
 * that they are those of that serial or later ones. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vswitch/policy.h>
#include "libvswitch/base/reclaim.h"
#include "libvswitch/policy/draft.h"
#include "libvswitch/policy/layer.h"

struct exchange;

/* A program of few layers is one block of memory. */
enum { PROGRAM_FEW = 8 };

typedef _Atomic(struct vsw_layer *) program_layer;

struct vsw_program {
	struct vsw *vsw;
	/* Sealed: */
	_Atomic uint64_t serial;	/* No other program of the switch's ever
					 * has it. */
	uint32_t n_refs;
	uint32_t tracked;		/* Bit i: rules of layer i track, */
	uint32_t routed, mapped;	/* in direction out route; ask a
					 * mapping where to.  Of the first
					 * 32. */
	bool retags;			/* Rules change tags in direction in. */

	size_t n_layers;
	program_layer *layers;		/* In the order added; holds each. */
	program_layer few[PROGRAM_FEW];
	size_t layers_room;		/* Of its own; 0: 'few' has them. */
	struct draft *draft;		/* NULL: sealed. */
	struct retired retired;
};

static inline bool
program_is_sealed(const struct vsw_program *program)
{
	return !program->draft;
}

/* [any] */
static inline struct vsw_layer *
program_get_layer(const struct vsw_program *program, size_t i)
{
	return atomic_load_explicit(&program->layers[i],
				    memory_order_acquire);
}

/* [control] A sealed program with the layers that take the place of those of
 * 'base'.  0, -EINVAL: it may not be so, or -ENOMEM. */
int program_derive(const struct vsw_program *base, const struct exchange *,
		   struct vsw_program **ret_program);
/* [control] Layer 'to' takes the place of the i-th, which is alike; references
 * are the caller's matter. */
void program_replace_layer(struct vsw_program *, size_t i,
			   struct vsw_layer *to);
/* Does a program that has the second in the place of the first say the same of
 * its layers? */
bool program_layers_alike(const struct vsw_layer *, const struct vsw_layer *);
/* [control] Takes a reference. */
struct vsw_program *program_ref(struct vsw_program *);
/* [control] Drops one; the last puts it into a list, to be retired as a whole.
 */
void program_let_go(struct vsw_program *, struct retired **list);

#endif /* policy/program.h */
