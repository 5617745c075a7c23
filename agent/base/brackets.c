/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/base/brackets.h"

#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { BLOCK_SIZE = 64 };

static enum brackets_status scan_bytes(struct brackets *, const char *bytes,
				       size_t size, size_t *ret_end);

#ifdef __SSE2__
/* Bit i: byte i of a block is of this kind. */
struct masks {
	uint64_t quotes, backslashes, opening, closing;
};

static struct masks look(const char *block);
static enum brackets_status scan_block(struct brackets *,
				       const struct masks *, size_t *ret_end);
#endif

enum brackets_status
brackets_scan(struct brackets *brackets, const char *bytes, size_t size,
	      size_t *ret_end)
{
	enum brackets_status status;
	size_t i = 0, n;

#ifdef __SSE2__
	for (; size - i >= BLOCK_SIZE; i += BLOCK_SIZE) {
		struct masks masks = look(bytes + i);

		/* What a backslash does to what follows is rare. */
		if (masks.backslashes || brackets->is_escaped)
			status = scan_bytes(brackets, bytes + i, BLOCK_SIZE,
					    &n);
		else
			status = scan_block(brackets, &masks, &n);
		if (status != BRACKETS_OPEN) {
			*ret_end = i + n;
			return status;
		}
	}
#endif
	status = scan_bytes(brackets, bytes + i, size - i, &n);
	*ret_end = i + n;
	return status;
}

static enum brackets_status
scan_bytes(struct brackets *brackets, const char *bytes, size_t size,
	   size_t *ret_end)
{
	size_t i = 0;

	while (i < size) {
		char c = bytes[i++];

		if (brackets->is_escaped) {
			brackets->is_escaped = false;
		} else if (brackets->is_string) {
			brackets->is_escaped = c == '\\';
			brackets->is_string = c != '"';
		} else if (c == '"') {
			brackets->is_string = true;
		} else if (c == '{' || c == '[') {
			if (++brackets->depth <= brackets->max_depth)
				continue;
			*ret_end = i;
			return BRACKETS_TOO_DEEP;
		} else if ((c == '}' || c == ']') && !--brackets->depth) {
			*ret_end = i;
			return BRACKETS_CLOSED;
		}
	}
	*ret_end = size;
	return BRACKETS_OPEN;
}

#ifdef __SSE2__
/* Brackets and braces differ in one bit. */
static struct masks
look(const char *block)
{
	const __m128i lower = _mm_set1_epi8(0x20);
	struct masks masks = { 0 };
	int i;

	for (i = 0; i < BLOCK_SIZE / 16; i++) {
		__m128i b = _mm_loadu_si128((const __m128i *)
					    (const void *) (block + 16 * i));
		__m128i l = _mm_or_si128(b, lower);
		__m128i quotes = _mm_cmpeq_epi8(b, _mm_set1_epi8('"'));
		__m128i slashes = _mm_cmpeq_epi8(b, _mm_set1_epi8('\\'));
		__m128i opening = _mm_cmpeq_epi8(l, _mm_set1_epi8('{'));
		__m128i closing = _mm_cmpeq_epi8(l, _mm_set1_epi8('}'));

		masks.quotes |= (uint64_t) (uint16_t)
			_mm_movemask_epi8(quotes) << 16 * i;
		masks.backslashes |= (uint64_t) (uint16_t)
			_mm_movemask_epi8(slashes) << 16 * i;
		masks.opening |= (uint64_t) (uint16_t)
			_mm_movemask_epi8(opening) << 16 * i;
		masks.closing |= (uint64_t) (uint16_t)
			_mm_movemask_epi8(closing) << 16 * i;
	}
	return masks;
}

/* One without backslashes. */
static enum brackets_status
scan_block(struct brackets *brackets, const struct masks *masks,
	   size_t *ret_end)
{
	uint64_t strings = masks->quotes, found;
	int shift;

	/* Bit i becomes whether the marks up to i are odd in number. */
	for (shift = 1; shift < BLOCK_SIZE; shift *= 2)
		strings ^= strings << shift;
	if (brackets->is_string)
		strings = ~strings;
	brackets->is_string = strings >> (BLOCK_SIZE - 1);

	for (found = (masks->opening | masks->closing) & ~strings; found;
	     found &= found - 1) {
		*ret_end = (size_t) __builtin_ctzll(found) + 1;
		if (masks->closing & found & -found) {
			if (--brackets->depth)
				continue;
			/* It said so of the end of the block. */
			brackets->is_string = false;
			return BRACKETS_CLOSED;
		} else if (++brackets->depth > brackets->max_depth) {
			return BRACKETS_TOO_DEEP;
		}
	}
	*ret_end = BLOCK_SIZE;
	return BRACKETS_OPEN;
}
#endif
