/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H 1

/* Memory of the agent's programs.  Running out of it ends the program with
 * one line: nothing sensible is left to do, and what was acknowledged is on
 * disk.  Sizes that a peer controls are limited before they come here. */

#include <stddef.h>

void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *format, ...)
	__attribute__((malloc, returns_nonnull, format(printf, 1, 2)));
void *xmemdup(const void *, size_t size)
	__attribute__((malloc, returns_nonnull));

/* Gives what is free back to the system, as far as that is known how: for the
 * end of something that took very much.  Takes milliseconds. */
void memory_trim(void);

#endif /* base/memory.h */
