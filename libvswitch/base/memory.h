/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H 1

/* Memory from the embedder's allocator, or from the library's own if it gave
 * none.  [any]
 *
 * What is looked at in no order should be on 2 MB pages, or each look costs
 * the walk to its 4 KB page besides the line itself.  The library's own
 * allocator gives pieces of MEMORY_BIG and above whole such pages, as far as
 * the kernel has them; they come as they are written to.  An embedder's is
 * asked for that alignment, and what it gives is taken as it is. */

#include <stddef.h>
#include <vswitch/switch.h>

enum {
	MEMORY_BIG = 1024 * 1024,
	MEMORY_HUGE_PAGE = 2 * 1024 * 1024
};

/* malloc() and free(), but of what is big. */
extern const struct vsw_allocator memory_own;

/* Zeroed; NULL if there is none.  'alignment' 0: that of malloc(). */
void *memory_alloc(const struct vsw_allocator *, size_t alignment,
		   size_t size);
/* The same, but with anything in it: for what is not all needed at once. */
void *memory_alloc_raw(const struct vsw_allocator *, size_t alignment,
		       size_t size);
/* Accepts NULL. */
void memory_free(const struct vsw_allocator *, void *, size_t size);
/* Copies, with the NUL; freed with strlen() + 1. */
char *memory_strdup(const struct vsw_allocator *, const char *);
void memory_free_string(const struct vsw_allocator *, char *);
/* Makes room for 'n_wanted' items in '*array', which has room for '*n_room';
 * at least doubles it.  0, or -ENOMEM and nothing is changed. */
int memory_grow(const struct vsw_allocator *, void **array, size_t *n_room,
		size_t n_wanted, size_t item_size);

#endif /* base/memory.h */
