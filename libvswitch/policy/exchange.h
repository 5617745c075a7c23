/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_EXCHANGE_H
#define POLICY_EXCHANGE_H 1

/* Layers that take the place of others, since groups take that of groups in
 * them.  [control]
 *
 * Programs share layers, so that these are few where programs are many.  Which
 * they are is known from the groups, if each stands in one place; without a
 * look at the many layers that are somebody's own. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vswitch/policy.h>
#include "libvswitch/base/reclaim.h"

struct vsw_layer;

struct swap {
	struct vsw_layer *from;		/* Lives until this is retired. */
	struct vsw_layer *to;		/* Holds it. */
	bool is_alike;			/* program_layers_alike(). */
	uint32_t n;			/* Programs in which it was done. */
	struct layer_gone *gone;	/* For what they let go of. */
};

struct exchange {
	struct vsw *vsw;
	struct swap *swaps;		/* By 'from'. */
	size_t n, room;
};

/* Layers of these programs, NULL apart, that have any of 'from', and what they
 * become.  0, -EINVAL: a group may not stand there; -ENOMEM. */
int exchange_init(struct exchange *, struct vsw *,
		  struct vsw_program *const programs[], size_t n_programs,
		  struct vsw_group *const from[],
		  struct vsw_group *const to[], size_t n);
/* NULL: the layer stays. */
struct swap *exchange_find(const struct exchange *, const struct vsw_layer *);
/* Layers get a reference for each place that they have come into, counted in
 * '->n'; those that they replace lose it when nobody can look. */
void exchange_settle(struct exchange *);
void exchange_done(struct exchange *);

#endif /* policy/exchange.h */
