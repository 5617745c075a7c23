/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/base/sort.h"

#include <stdint.h>

static void sink(char *items, size_t at, size_t n, size_t size,
		 sort_compare_fn *);
static void swap(char *a, char *b, size_t size);

void
sort_items(void *items, size_t n, size_t item_size, sort_compare_fn *compare)
{
	char *p = items;

	for (size_t i = n / 2; i-- > 0;)
		sink(p, i, n, item_size, compare);
	for (size_t i = n; i-- > 1;) {
		swap(p, p + i * item_size, item_size);
		sink(p, 0, i, item_size, compare);
	}
}

static void
sink(char *items, size_t at, size_t n, size_t size, sort_compare_fn *compare)
{
	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= n)
			return;
		if (child + 1 < n && compare(items + child * size,
					     items + (child + 1) * size) < 0)
			child++;
		if (compare(items + at * size, items + child * size) >= 0)
			return;
		swap(items + at * size, items + child * size, size);
		at = child;
	}
}

static void
swap(char *a, char *b, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		char c = a[i];

		a[i] = b[i];
		b[i] = c;
	}
}
