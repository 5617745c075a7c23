/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BASE_RECLAIM_H
#define BASE_RECLAIM_H 1

/* When what workers may be reading can be freed.
 *
 * A worker marks itself inside while it carries a batch: reclaim_enter() puts
 * the current epoch into its mark, reclaim_leave() puts 0 there.  Control
 * unlinks an object, then retires it under the current epoch and moves the
 * epoch on.  An object can go once no mark holds its epoch or an older one:
 * whoever is inside now came in after it was unlinked.
 *
 * enter's store and fence pair with the fence in reclaim_retire(): either the
 * worker sees the object unlinked, or control sees the mark.  A worker that
 * sleeps is outside and holds nothing up. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vsw_allocator;

struct reclaim_mark {
	_Alignas(64) _Atomic uint64_t epoch;	/* 0: outside. */
};

/* Embedded in what is to be retired, so that retiring cannot fail. */
struct retired {
	struct retired *next;
	uint64_t epoch;
	void (*free)(void *ctx, struct retired *);
	void *ctx;
};

struct reclaim {
	struct reclaim_mark *marks;
	size_t n_marks;			/* The visitors' come last. */
	size_t first_visitor;
	_Atomic uint64_t epoch;
	struct retired *first, **last;	/* Oldest first. */
	size_t n_retired;
	bool is_running;		/* Freeing may retire more. */
};

/* Marks for readers that are no workers: so many at once. */
enum { RECLAIM_VISITORS = 8 };

/* [control] 0 or -ENOMEM.  'n_marks' without the visitors'.  done wants
 * all workers outside for ever, and frees what is left. */
int reclaim_init(struct reclaim *, const struct vsw_allocator *,
		 size_t n_marks);
void reclaim_done(struct reclaim *, const struct vsw_allocator *);

/* [control] The object is unlinked already.  Frees what can go by now. */
void reclaim_retire(struct reclaim *, struct retired *,
		    void (*free)(void *ctx, struct retired *), void *ctx);
/* [control] The same for what is linked by 'next' and has 'free' set. */
void reclaim_retire_all(struct reclaim *, struct retired *list, void *ctx);
/* [control] For what waits elsewhere.  next begins another epoch and returns
 * the one that ended, in which things were unlinked; they can go when the
 * oldest one that anybody is in is a later one. */
uint64_t reclaim_next(struct reclaim *);
uint64_t reclaim_oldest(const struct reclaim *);
/* [control] Frees what can go.  Called by each edit. */
void reclaim_run(struct reclaim *);
/* [control] Waits (spinning, then yielding) until everybody has been outside
 * once since the call. */
void reclaim_wait(struct reclaim *);

/* [worker] */
static inline void
reclaim_enter(struct reclaim *r, size_t mark)
{
	uint64_t epoch = atomic_load_explicit(&r->epoch,
					      memory_order_relaxed);

	/* Release: who finds this mark, and not the 0 before it, knows of all
	 * that was done under the last one, too. */
	atomic_store_explicit(&r->marks[mark].epoch, epoch,
			      memory_order_release);
	atomic_thread_fence(memory_order_seq_cst);
}

/* [worker] */
static inline void
reclaim_leave(struct reclaim *r, size_t mark)
{
	atomic_store_explicit(&r->marks[mark].epoch, 0, memory_order_release);
}

/* [any] For a moment's look by a thread that has no mark of its own: takes a
 * free one (waits if RECLAIM_VISITORS threads are looking) and returns it, to
 * be given to reclaim_leave(). */
size_t reclaim_visit(struct reclaim *);

#endif /* base/reclaim.h */
