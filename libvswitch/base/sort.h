/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BASE_SORT_H
#define BASE_SORT_H 1

/* Heap sort: in place, without memory of its own (the C library's may ask
 * malloc(), which is not the embedder's), and n log n whatever comes. */

#include <stddef.h>

typedef int sort_compare_fn(const void *a, const void *b);

void sort_items(void *items, size_t n, size_t item_size, sort_compare_fn *);

#endif /* base/sort.h */
