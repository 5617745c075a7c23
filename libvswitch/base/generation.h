/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BASE_GENERATION_H
#define BASE_GENERATION_H 1

/* Generations count changes of policy, so that a worker can tell whether a
 * cached flow still says what the policy says.
 *
 * Each port and each domain has a generation; each address that is looked up
 * in a domain has one that it shares with few others, chosen by its hash (a
 * stripe), also if it is not there.  A flow remembers which (at most
 * GENERATION_DEPS) it was decided from, and their sum.  Generations only grow,
 * so the sum is the same if and only if none has moved.  'all' moves behind
 * them, once for many edits perhaps: a flow that has seen the current 'all'
 * needs no other look.  Stripes are many, and where a domain is edited all the
 * time they are in another core's cache: so each domain has one more, which
 * moves if any of its stripes has, and stands for them.
 *
 * A writer first publishes the new policy, then touches its generation, then
 * moves 'all' (release); what was replaced is retired behind that.  A reader
 * looks at 'all' (acquire) before it trusts a flow.  A flow decided while
 * policy changes takes the generations *before* it reads policy, and so is
 * stale rather than wrong. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct vsw_allocator;

enum {
	GENERATION_DEPS = 6,		/* Two ports, their domain, and what
					 * is looked up in it. */
	GENERATION_NONE = 0		/* Never moves. */
};

#define GENERATION_MIXED UINT32_MAX

struct generations {
	_Atomic uint64_t all;
	_Atomic uint32_t *of;		/* By number; [0] never moves.  Behind
					 * 'size' of them, the stripes. */
	uint64_t *used;			/* Bitmap. [control] */
	uint32_t size;
	uint32_t stripe_mask;		/* Number of stripes - 1. */
};

/* What a decision was made from. */
struct dependencies {
	uint64_t all;			/* At the time of deciding. */
	uint32_t sum;			/* Of 'of', at that time. */
	uint32_t quick_sum;		/* Without stripes, with 'edits'. */
	uint32_t edits;			/* That stands for the stripes; NONE,
					 * MIXED: nothing does. */
	uint8_t n;			/* > GENERATION_DEPS: too many to tell
					 * apart, any change counts. */
	uint32_t of[GENERATION_DEPS];
};

/* [control] 0 or -ENOMEM, -ENOSPC.  'n_stripes' is a power of 2. */
int generations_init(struct generations *, const struct vsw_allocator *,
		     uint32_t size, uint32_t n_stripes);
void generations_done(struct generations *, const struct vsw_allocator *);
int generation_new(struct generations *, uint32_t *ret_number);
void generation_free(struct generations *, uint32_t number);
/* [control] After the change is published: notes it until it is told. */
void generation_touch(struct generations *, uint32_t number);
/* [control] Has flows see all that was touched. */
void generations_tell(struct generations *);
/* [control] Both. */
void generation_move(struct generations *, uint32_t number);

/* [any] The number of an address' stripe. */
static inline uint32_t
generation_stripe(const struct generations *g, uint64_t hash)
{
	return g->size + ((uint32_t) (hash >> 20) & g->stripe_mask);
}

/* [worker] Before any policy is read. */
static inline void
dependencies_start(struct dependencies *d, const struct generations *g)
{
	*d = (struct dependencies) {
		.all = atomic_load_explicit(&g->all, memory_order_acquire)
	};
}

/* [worker] Before the policy under 'number' is read. */
static inline void
dependencies_add(struct dependencies *d, const struct generations *g,
		 uint32_t number)
{
	for (uint8_t i = 0; i < d->n && i < GENERATION_DEPS; i++)
		if (d->of[i] == number)
			return;
	if (d->n < GENERATION_DEPS) {
		uint32_t now = atomic_load_explicit(&g->of[number],
						    memory_order_acquire);

		d->of[d->n++] = number;
		d->sum += now;
		if (number < g->size)
			d->quick_sum += now;
	} else {
		d->n = GENERATION_DEPS + 1;
	}
}

/* [worker] Before anything is looked up in the domain whose stripes 'edits'
 * stands for. */
static inline void
dependencies_add_edits(struct dependencies *d, const struct generations *g,
		       uint32_t edits)
{
	if (d->edits == edits)
		return;
	if (d->edits != GENERATION_NONE) {
		d->edits = GENERATION_MIXED;
		return;
	}
	d->edits = edits;
	d->quick_sum += atomic_load_explicit(&g->of[edits],
					     memory_order_acquire);
}

bool dependencies_look(struct dependencies *, const struct generations *,
		       uint64_t all);

/* [worker] Have any of them moved?  Brings 'all' up to date if not. */
static inline bool
dependencies_hold(struct dependencies *d, const struct generations *g)
{
	uint64_t all = atomic_load_explicit(&g->all, memory_order_acquire);

	return __builtin_expect(d->all == all, 1)
	       || dependencies_look(d, g, all);
}

/* [worker] Right behind the last thing that was read: has none of them moved
 * since it was added?  Then all that was read was true at one moment.  Unlike
 * dependencies_hold(), this sees what was touched and not told yet. */
bool dependencies_stand(const struct dependencies *,
			const struct generations *);

#endif /* base/generation.h */
