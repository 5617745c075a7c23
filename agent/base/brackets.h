/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BASE_BRACKETS_H
#define BASE_BRACKETS_H 1

/* Finds where a JSON array or object ends, by its brackets and quotation
 * marks alone, many bytes at a time.  Whether brackets match in kind, and
 * whether it is JSON at all, is for a parser to say: a text that is not JSON
 * is not, wherever it is thought to end.  [any] */

#include <stdbool.h>
#include <stddef.h>

enum brackets_status {
	BRACKETS_OPEN,		/* All bytes used, some bracket is open. */
	BRACKETS_CLOSED,	/* The first bracket has been closed. */
	BRACKETS_TOO_DEEP
};

/* Between one piece of the text and the next.  Begins as all zero, but for
 * 'max_depth', and is so again behind the last bracket. */
struct brackets {
	unsigned depth, max_depth;
	bool is_string, is_escaped;
};

/* The text begins with a bracket.  '*ret_end' is how many bytes were looked
 * at: up to behind the last bracket, if that was among them. */
enum brackets_status brackets_scan(struct brackets *, const char *bytes,
				   size_t size, size_t *ret_end);

#endif /* base/brackets.h */
