/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/policy/exchange.h"

#include <errno.h>
#include "libvswitch/base/memory.h"
#include "libvswitch/base/sort.h"
#include "libvswitch/base/switch.h"
#include "libvswitch/policy/group.h"
#include "libvswitch/policy/program.h"

/* Of a layer that programs have had no more since. */
struct layer_gone {
	struct retired retired;
	struct vsw *vsw;
	struct vsw_layer *layer;
	uint32_t n;			/* Of their references. */
};

static int mark(struct vsw *, struct vsw_group *const from[],
		struct vsw_group *const to[], size_t n);
static void unmark(struct vsw_group *const from[], size_t n);
static bool are_known(struct vsw_group *const from[], size_t n);
static int take_known(struct exchange *, struct vsw_group *const from[],
		      size_t n);
static int take_all(struct exchange *, struct vsw_program *const programs[],
		    size_t n);
static int add(struct exchange *, struct vsw_layer *);
static void unite(struct exchange *);
static int compare(const void *, const void *);
static int find_other(struct exchange *, struct swap *);
static void free_gone(void *ctx, struct retired *);

int
exchange_init(struct exchange *exchange, struct vsw *vsw,
	      struct vsw_program *const programs[], size_t n_programs,
	      struct vsw_group *const from[], struct vsw_group *const to[],
	      size_t n)
{
	int error = mark(vsw, from, to, n);

	*exchange = (struct exchange) { .vsw = vsw };
	if (!error)
		error = are_known(from, n)
				? take_known(exchange, from, n)
				: take_all(exchange, programs, n_programs);
	unite(exchange);
	for (size_t i = 0; i < exchange->n && !error; i++)
		error = find_other(exchange, &exchange->swaps[i]);
	unmark(from, n);
	if (error)
		exchange_done(exchange);
	return error;
}

struct swap *
exchange_find(const struct exchange *exchange, const struct vsw_layer *layer)
{
	size_t first = 0, n = exchange->n;

	while (n) {
		struct swap *middle = &exchange->swaps[first + n / 2];

		if (middle->from == layer)
			return middle;
		if ((uintptr_t) middle->from < (uintptr_t) layer) {
			first += n / 2 + 1;
			n -= n / 2 + 1;
		} else {
			n /= 2;
		}
	}
	return NULL;
}

void
exchange_settle(struct exchange *exchange)
{
	struct retired *list = NULL;

	for (size_t i = 0; i < exchange->n; i++) {
		struct swap *swap = &exchange->swaps[i];

		if (!swap->n)
			continue;
		swap->to->n_refs += swap->n;
		swap->gone->vsw = exchange->vsw;
		swap->gone->layer = swap->from;
		swap->gone->n = swap->n;
		swap->gone->retired.free = free_gone;
		swap->gone->retired.next = list;
		list = &swap->gone->retired;
		swap->gone = NULL;
	}
	if (list)
		reclaim_retire_all(&exchange->vsw->reclaim, list, NULL);
}

void
exchange_done(struct exchange *exchange)
{
	const struct vsw_allocator *allocator = &exchange->vsw->allocator;

	for (size_t i = 0; i < exchange->n; i++) {
		layer_unref(exchange->vsw, exchange->swaps[i].to);
		memory_free(allocator, exchange->swaps[i].gone,
			    sizeof *exchange->swaps[i].gone);
	}
	memory_free(allocator, exchange->swaps,
		    exchange->room * sizeof *exchange->swaps);
	*exchange = (struct exchange) { .vsw = exchange->vsw };
}

static int
mark(struct vsw *vsw, struct vsw_group *const from[],
     struct vsw_group *const to[], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!from[i] || from[i]->vsw != vsw || !to[i]
		    || to[i]->vsw != vsw || !to[i]->draft.is_sealed
		    || (from[i]->successor && from[i]->successor != to[i])) {
			unmark(from, i);
			return -EINVAL;
		}
		from[i]->successor = to[i];
	}
	return 0;
}

static void
unmark(struct vsw_group *const from[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (from[i])
			from[i]->successor = NULL;
}

static bool
are_known(struct vsw_group *const from[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (from[i]->n_places != 1 || !from[i]->layer)
			return false;
	return true;
}

static int
take_known(struct exchange *exchange, struct vsw_group *const from[], size_t n)
{
	int error = 0;

	for (size_t i = 0; i < n && !error; i++)
		error = add(exchange, from[i]->layer);
	return error;
}

static int
take_all(struct exchange *exchange, struct vsw_program *const programs[],
	 size_t n)
{
	int error = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; programs[i] && j < programs[i]->n_layers
				   && !error; j++) {
			struct vsw_layer *layer =
				program_get_layer(programs[i], j);

			if (layer_is_succeeded(layer))
				error = add(exchange, layer);
		}
	return error;
}

static int
add(struct exchange *exchange, struct vsw_layer *layer)
{
	int error;

	/* Neighbours are alike. */
	if (exchange->n && exchange->swaps[exchange->n - 1].from == layer)
		return 0;
	error = memory_grow(&exchange->vsw->allocator,
			    (void **) &exchange->swaps, &exchange->room,
			    exchange->n + 1, sizeof *exchange->swaps);
	if (!error)
		exchange->swaps[exchange->n++] = (struct swap) {
			.from = layer
		};
	return error;
}

static void
unite(struct exchange *exchange)
{
	size_t n = 0;

	sort_items(exchange->swaps, exchange->n, sizeof *exchange->swaps,
		   compare);
	for (size_t i = 0; i < exchange->n; i++)
		if (!n || exchange->swaps[n - 1].from
			  != exchange->swaps[i].from)
			exchange->swaps[n++] = exchange->swaps[i];
	exchange->n = n;
}

static int
compare(const void *pa, const void *pb)
{
	const struct swap *a = pa, *b = pb;

	return ((uintptr_t) a->from > (uintptr_t) b->from)
	       - ((uintptr_t) a->from < (uintptr_t) b->from);
}

static int
find_other(struct exchange *exchange, struct swap *swap)
{
	swap->gone = memory_alloc(&exchange->vsw->allocator, 0,
				  sizeof *swap->gone);
	if (!swap->gone)
		return -ENOMEM;
	swap->to = layer_exchange(exchange->vsw, swap->from);
	if (!swap->to)
		return -ENOMEM;
	if (swap->to->groups[VSW_IN].actions & ACTION_OUT_ONLY)
		return -EINVAL;
	swap->is_alike = program_layers_alike(swap->from, swap->to);
	return 0;
}

static void
free_gone(void *ctx, struct retired *retired)
{
	struct layer_gone *gone = (struct layer_gone *) retired;
	struct vsw *vsw = gone->vsw;

	_Static_assert(offsetof(struct layer_gone, retired) == 0, "cast");
	(void) ctx;
	gone->layer->n_refs -= gone->n - 1;
	layer_unref(vsw, gone->layer);
	memory_free(&vsw->allocator, gone, sizeof *gone);
}
