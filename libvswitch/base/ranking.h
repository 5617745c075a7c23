/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BASE_RANKING_H
#define BASE_RANKING_H 1

/* Who holds most of something that is bounded, so that whoever is asked to
 * give way is the one that took most.  A heap of numbers from 0 to 'size' - 1,
 * by what each holds.  No lock. */

#include <stdint.h>

struct vsw_allocator;

struct ranking {
	uint32_t size;
	uint32_t *heap;			/* Who; the most first. */
	uint32_t *places;		/* Where each is in 'heap'. */
	uint32_t *n;			/* What each holds. */
};

/* All hold nothing.  0 or -ENOMEM. */
int ranking_init(struct ranking *, const struct vsw_allocator *,
		 uint32_t size);
/* Of all zero, too. */
void ranking_done(struct ranking *, const struct vsw_allocator *);
/* In steps of the heap's depth. */
void ranking_add(struct ranking *, uint32_t who, int32_t n);
static inline uint32_t
ranking_of(const struct ranking *r, uint32_t who)
{
	return r->n[who];
}
/* Nobody holds more. */
static inline uint32_t
ranking_first(const struct ranking *r)
{
	return r->heap[0];
}

#endif /* base/ranking.h */
