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
	uint64_t quotes;
	uint64_t brackets;	/* And a few others, none of them JSON's. */
	bool has_backslash;
};

static struct masks look(const char *block);
static enum brackets_status scan_block(struct brackets *, const char *block,
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
		if (masks.has_backslash || brackets->is_escaped)
			status = scan_bytes(brackets, bytes + i, BLOCK_SIZE,
					    &n);
		else
			status = scan_block(brackets, bytes + i, &masks, &n);
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
/* With three bits set the four brackets are the same; so are Y, y, _ and DEL,
 * which stand in strings alone. */
static struct masks
look(const char *block)
{
	const __m128i bits = _mm_set1_epi8(0x26);
	__m128i slashes = _mm_setzero_si128();
	struct masks masks = { 0 };
	int i;

	for (i = 0; i < BLOCK_SIZE / 16; i++) {
		__m128i b = _mm_loadu_si128((const __m128i *)
					    (const void *) (block + 16 * i));
		__m128i quotes = _mm_cmpeq_epi8(b, _mm_set1_epi8('"'));
		__m128i brackets = _mm_cmpeq_epi8(_mm_or_si128(b, bits),
						  _mm_set1_epi8(0x7f));

		slashes = _mm_or_si128(slashes, _mm_cmpeq_epi8(
					       b, _mm_set1_epi8('\\')));
		masks.quotes |= (uint64_t) (uint16_t)
			_mm_movemask_epi8(quotes) << 16 * i;
		masks.brackets |= (uint64_t) (uint16_t)
			_mm_movemask_epi8(brackets) << 16 * i;
	}
	masks.has_backslash = _mm_movemask_epi8(slashes);
	return masks;
}

/* One without backslashes. */
static enum brackets_status
scan_block(struct brackets *brackets, const char *block,
	   const struct masks *masks, size_t *ret_end)
{
	uint64_t strings = masks->quotes, found;
	unsigned depth = brackets->depth;
	int shift;

	/* Bit i becomes whether the marks up to i are odd in number. */
	for (shift = 1; shift < BLOCK_SIZE; shift *= 2)
		strings ^= strings << shift;
	if (brackets->is_string)
		strings = ~strings;
	brackets->is_string = strings >> (BLOCK_SIZE - 1);

	for (found = masks->brackets & ~strings; found; found &= found - 1) {
		int i = __builtin_ctzll(found);

		*ret_end = (size_t) i + 1;
		if (block[i] == '{' || block[i] == '[') {
			if (++depth > brackets->max_depth)
				return BRACKETS_TOO_DEEP;
		} else if ((block[i] == '}' || block[i] == ']')
			   && !--depth) {
			/* What was said of the end of the block is not so. */
			brackets->depth = 0;
			brackets->is_string = false;
			return BRACKETS_CLOSED;
		}
	}
	brackets->depth = depth;
	*ret_end = BLOCK_SIZE;
	return BRACKETS_OPEN;
}
#endif
