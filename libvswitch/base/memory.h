/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H 1

/* Memory from the embedder's allocator.  [any] */

#include <stddef.h>
#include <vswitch/switch.h>

/* Zeroed; NULL if there is none.  'alignment' 0: that of malloc(). */
void *memory_alloc(const struct vsw_allocator *, size_t alignment,
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
