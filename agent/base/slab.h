/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BASE_SLAB_H
#define BASE_SLAB_H 1

/* Very many objects of one size: side by side in slabs of 64 KiB, without the
 * 8 to 24 bytes that malloc() spends on each; and a slab goes back to the
 * system as soon as it is empty.
 *
 * Objects of one pool may be read by other threads; pools are [control]. */

#include <stddef.h>
#include <stdint.h>

#include "agent/base/list.h"

struct slab_pool {
	size_t size;		/* Of an object, in bytes. */
	void *owner;		/* Whoever made the pool. */
	struct list open;	/* Slabs with room. */
	size_t n_slabs;
};

/* 'size' is a multiple of 4, 12 at least; a multiple of 8 makes objects that
 * may hold pointers.  Beyond 16 KiB an object has a slab of its own. */
void slab_pool_init(struct slab_pool *, size_t size, void *owner);
/* There are no objects any more. */
void slab_pool_done(struct slab_pool *);

/* Not initialised.  Running out of memory ends the program. */
void *slab_alloc(struct slab_pool *);
/* Accepts NULL. */
void slab_free(void *object);
/* The owner of the pool that the object is from.  [any] */
void *slab_owner(const void *object);

#endif /* base/slab.h */
