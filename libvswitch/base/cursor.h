/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H 1

/* A cursor walks over bytes that came from outside.
 *
 * Reading past the end is not an error to handle at each step: it makes the
 * cursor 'short', every later read on a short cursor gives zeros, and the
 * reader asks once, at the end.  Nothing here reads out of bounds. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cursor {
	const uint8_t *start;
	size_t size;
	size_t at;		/* Offset of the next byte; <= 'size'. */
	bool is_short;		/* A read went past the end. */
};

static inline struct cursor
cursor_over(const void *bytes, size_t size)
{
	return (struct cursor) { .start = (const uint8_t *) bytes,
				 .size = size };
}

/* Steps over 'n' bytes and returns them, or returns NULL if short. */
static inline const uint8_t *
cursor_take(struct cursor *c, size_t n)
{
	if (c->is_short || n > c->size - c->at) {
		c->is_short = true;
		return NULL;
	}
	c->at += n;
	return c->start + c->at - n;
}

static inline void
cursor_skip(struct cursor *c, size_t n)
{
	(void) cursor_take(c, n);
}

static inline void
cursor_copy(struct cursor *c, void *to, size_t n)
{
	const uint8_t *from = cursor_take(c, n);

	if (from)
		memcpy(to, from, n);
	else
		memset(to, 0, n);
}

static inline uint8_t
cursor_u8(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 1);

	return p ? p[0] : 0;
}

static inline uint16_t
cursor_be16(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 2);

	return p ? (uint16_t) (p[0] << 8 | p[1]) : 0;
}

static inline uint32_t
cursor_be32(struct cursor *c)
{
	uint32_t high = cursor_be16(c);

	return high << 16 | cursor_be16(c);
}

static inline size_t
cursor_left(const struct cursor *c)
{
	return c->is_short ? 0 : c->size - c->at;
}

#endif /* base/cursor.h */
