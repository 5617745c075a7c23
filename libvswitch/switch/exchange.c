/* SPDX-License-Identifier: Apache-2.0 */

/* A change of policy that many ports have in common.
 *
 * Most programs are their port's alone, and one layer of them becomes another:
 * these stay where they are, with another layer and another serial.  One store
 * replaces the layer, so that a packet sees all of the old or all of the new;
 * where that is not enough, a new program is made. */

#include "libvswitch/policy/exchange.h"

#include <errno.h>
#include "libvswitch/base/memory.h"
#include "libvswitch/base/switch.h"
#include "libvswitch/policy/port.h"
#include "libvswitch/policy/program.h"

/* What becomes of one port's program. */
struct step {
	struct swap *swap;		/* NULL: the port gets another one. */
	size_t layer;
};

struct plan {
	struct vsw_port *const *ports;
	size_t n;
	struct exchange exchange;
	struct vsw_program **programs;	/* That they have. */
	struct step *steps;
	/* Of those that get another one: */
	struct vsw_port **derived;
	struct vsw_program **others;
	size_t n_derived, derived_room, others_room;
};

static int find_programs(struct plan *);
static int make(struct plan *);
static int make_step(struct plan *, size_t i);
static int derive(struct plan *, size_t i);
static void put(struct plan *);
static void done(struct plan *);

int
vsw_port_exchange_groups(struct vsw_port *const ports[], size_t n_ports,
			 struct vsw_group *const from[],
			 struct vsw_group *const to[], size_t n)
{
	struct plan plan = { .ports = ports, .n = n_ports };
	int error;

	if (!n_ports)
		return 0;
	plan.exchange.vsw = ports[0]->vsw;
	error = find_programs(&plan);
	if (!error)
		error = exchange_init(&plan.exchange, ports[0]->vsw,
				      plan.programs, n_ports, from, to, n);
	if (!error)
		error = make(&plan);
	if (!error)
		error = vsw_port_set_programs(plan.derived, plan.others,
					      plan.n_derived);
	if (!error)
		put(&plan);
	done(&plan);
	return error;
}

static int
find_programs(struct plan *plan)
{
	struct vsw *vsw = plan->ports[0]->vsw;

	plan->programs = memory_alloc_raw(&vsw->allocator, 0, plan->n
					  * sizeof *plan->programs);
	plan->steps = memory_alloc_raw(&vsw->allocator, 0,
				       plan->n * sizeof *plan->steps);
	if (!plan->programs || !plan->steps)
		return -ENOMEM;
	for (size_t i = 0; i < plan->n; i++) {
		if (plan->ports[i]->vsw != vsw)
			return -EINVAL;
		plan->programs[i] = atomic_load_explicit(
			&plan->ports[i]->program, memory_order_relaxed);
	}
	return 0;
}

static int
make(struct plan *plan)
{
	int error = 0;

	for (size_t i = 0; i < plan->n && !error; i++) {
		/* A thousand programs are not in the processor's cache. */
		if (i + 8 < plan->n) {
			const char *next = (void *) plan->programs[i + 8];

			__builtin_prefetch(next);
			__builtin_prefetch(next + 64);
		}
		error = make_step(plan, i);
	}
	return error;
}

static int
make_step(struct plan *plan, size_t i)
{
	struct vsw_program *program = plan->programs[i];
	struct step *step = &plan->steps[i];
	size_t n_swaps = 0;

	*step = (struct step) { .swap = NULL };
	for (size_t l = 0; program && l < program->n_layers; l++) {
		struct swap *swap = exchange_find(
			&plan->exchange, program_get_layer(program, l));

		if (!swap)
			continue;
		n_swaps++;
		step->swap = swap;
		step->layer = l;
	}
	if (!n_swaps)
		return -ENOENT;
	if (n_swaps == 1 && step->swap->is_alike && program->n_refs == 1)
		return 0;
	step->swap = NULL;
	return derive(plan, i);
}

static int
derive(struct plan *plan, size_t i)
{
	const struct vsw_allocator *allocator =
		&plan->exchange.vsw->allocator;
	int error = memory_grow(allocator, (void **) &plan->derived,
				&plan->derived_room, plan->n_derived + 1,
				sizeof *plan->derived);

	if (!error)
		error = memory_grow(allocator, (void **) &plan->others,
				    &plan->others_room, plan->n_derived + 1,
				    sizeof *plan->others);
	if (!error)
		error = program_derive(plan->programs[i], &plan->exchange,
				       &plan->others[plan->n_derived]);
	if (!error)
		plan->derived[plan->n_derived++] = plan->ports[i];
	return error;
}

/* Ports may have been named twice. */
static void
put(struct plan *plan)
{
	struct vsw *vsw = plan->exchange.vsw;

	for (size_t i = 0; i < plan->n; i++) {
		struct step *step = &plan->steps[i];

		if (!step->swap
		    || program_get_layer(plan->programs[i], step->layer)
		       != step->swap->from)
			continue;
		program_replace_layer(plan->programs[i], step->layer,
				      step->swap->to);
		step->swap->n++;
		generation_touch(&vsw->generations,
				 plan->ports[i]->generation);
	}
	generations_tell(&vsw->generations);
	exchange_settle(&plan->exchange);
	reclaim_run(&vsw->reclaim);
}

static void
done(struct plan *plan)
{
	const struct vsw_allocator *allocator =
		&plan->exchange.vsw->allocator;

	for (size_t i = 0; i < plan->n_derived; i++)
		vsw_program_unref(plan->others[i]);
	memory_free(allocator, plan->derived,
		    plan->derived_room * sizeof *plan->derived);
	memory_free(allocator, plan->others,
		    plan->others_room * sizeof *plan->others);
	memory_free(allocator, plan->programs,
		    plan->n * sizeof *plan->programs);
	memory_free(allocator, plan->steps, plan->n * sizeof *plan->steps);
	exchange_done(&plan->exchange);
}
