/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BASE_PAGES_H
#define BASE_PAGES_H 1

/* Arrays whose memory goes back to the system when they shrink, and which do
 * not need twice their room while they grow.  Small ones are malloc()ed, large
 * ones are mapped by themselves and moved by the kernel.  [any] */

#include <stddef.h>

/* 'memory' of 'old_size' bytes becomes 'new_size' bytes, perhaps elsewhere;
 * what is new in it is undefined.  From 0 bytes: it is made ('memory' NULL);
 * to 0 bytes: it is freed, and NULL comes back.  Running out of memory ends
 * the program. */
void *pages_resize(void *memory, size_t old_size, size_t new_size);

#endif /* base/pages.h */
