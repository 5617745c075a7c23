/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BASE_POISON_H
#define BASE_POISON_H 1

/* Memory that is there and must not be touched: the address sanitizer is told
 * so in builds that have it, nothing is done in others. */

#ifdef HAS_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, size) ((void) (p), (void) (size))
#define ASAN_UNPOISON_MEMORY_REGION(p, size) ((void) (p), (void) (size))
#endif

#endif /* base/poison.h */
