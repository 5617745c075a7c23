/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/base/memory.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *have(void *);

void *
xmalloc(size_t size)
{
	return have(malloc(size ? size : 1));
}

void *
xcalloc(size_t n, size_t size)
{
	return have(calloc(n ? n : 1, size ? size : 1));
}

void *
xrealloc(void *old, size_t size)
{
	return have(realloc(old, size ? size : 1));
}

char *
xstrdup(const char *text)
{
	return have(strdup(text));
}

char *
xasprintf(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	return have(text);
}

void *
xmemdup(const void *bytes, size_t size)
{
	return memcpy(xmalloc(size), bytes, size);
}

void
memory_trim(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

static void *
have(void *memory)
{
	if (!memory) {
		fputs("out of memory\n", stderr);
		abort();
	}
	return memory;
}
