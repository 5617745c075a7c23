/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/value/uuid.h"

#include <stdlib.h>
#include <sys/random.h>
#include <openssl/rand.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Between 16 bytes and their digits. */
static bool pack(const char digits[32], struct uuid *ret_uuid);
static void unpack(const struct uuid *, char ret_digits[32]);
#ifdef __SSE2__
static bool pack_half(const char digits[16], __m128i *ret_words);
static __m128i digits_of(__m128i worth);
#else
static int hex_digit(char);
#endif
static void refill(struct uuid *pool, size_t n);

void
uuid_generate(struct uuid *ret_uuid)
{
	static struct uuid pool[256];
	static size_t n_left;

	if (!n_left) {
		n_left = sizeof pool / sizeof *pool;
		refill(pool, n_left);
	}
	*ret_uuid = pool[--n_left];
	ret_uuid->bytes[6] = (ret_uuid->bytes[6] & 0x0f) | 0x40;
	ret_uuid->bytes[8] = (ret_uuid->bytes[8] & 0x3f) | 0x80;
}

bool
uuid_from_text(const char *text, struct uuid *ret_uuid)
{
	return strlen(text) == UUID_TEXT_SIZE - 1
	       && uuid_from_bytes(text, ret_uuid);
}

bool
uuid_from_bytes(const char *bytes, struct uuid *ret_uuid)
{
	char digits[2 * sizeof ret_uuid->bytes];

	if (bytes[8] != '-' || bytes[13] != '-' || bytes[18] != '-'
	    || bytes[23] != '-')
		return false;
	memcpy(digits, bytes, 8);
	memcpy(digits + 8, bytes + 9, 4);
	memcpy(digits + 12, bytes + 14, 4);
	memcpy(digits + 16, bytes + 19, 4);
	memcpy(digits + 20, bytes + 24, 12);
	return pack(digits, ret_uuid);
}

void
uuid_to_text(const struct uuid *uuid, char ret_text[UUID_TEXT_SIZE])
{
	char digits[2 * sizeof uuid->bytes];

	unpack(uuid, digits);
	memcpy(ret_text, digits, 8);
	memcpy(ret_text + 9, digits + 8, 4);
	memcpy(ret_text + 14, digits + 12, 4);
	memcpy(ret_text + 19, digits + 16, 4);
	memcpy(ret_text + 24, digits + 20, 12);
	ret_text[8] = ret_text[13] = ret_text[18] = ret_text[23] = '-';
	ret_text[UUID_TEXT_SIZE - 1] = '\0';
}

#ifdef __SSE2__
static bool
pack(const char digits[32], struct uuid *ret_uuid)
{
	__m128i first, second;

	if (!pack_half(digits, &first) || !pack_half(digits + 16, &second))
		return false;
	_mm_storeu_si128((__m128i *) (void *) ret_uuid->bytes,
			 _mm_packus_epi16(first, second));
	return true;
}

/* Eight bytes of 16 digits, each in a word of its own. */
static bool
pack_half(const char digits[16], __m128i *ret_words)
{
	const __m128i c = _mm_loadu_si128((const __m128i *)
					  (const void *) digits);
	__m128i figure = _mm_sub_epi8(c, _mm_set1_epi8('0'));
	__m128i letter = _mm_sub_epi8(_mm_or_si128(c, _mm_set1_epi8(0x20)),
				      _mm_set1_epi8('a'));
	/* Unsigned: at most 9, and at most 5. */
	__m128i is_figure = _mm_cmpeq_epi8(
		_mm_min_epu8(figure, _mm_set1_epi8(9)), figure);
	__m128i is_letter = _mm_cmpeq_epi8(
		_mm_min_epu8(letter, _mm_set1_epi8(5)), letter);
	__m128i worth;

	if (_mm_movemask_epi8(_mm_or_si128(is_figure, is_letter)) != 0xffff)
		return false;
	letter = _mm_add_epi8(letter, _mm_set1_epi8(10));
	worth = _mm_or_si128(_mm_and_si128(is_figure, figure),
			     _mm_andnot_si128(is_figure, letter));
	*ret_words = _mm_or_si128(
		_mm_and_si128(_mm_slli_epi16(worth, 4), _mm_set1_epi16(0xf0)),
		_mm_srli_epi16(worth, 8));
	return true;
}

static void
unpack(const struct uuid *uuid, char ret_digits[32])
{
	const __m128i low = _mm_set1_epi8(0x0f);
	const __m128i b = _mm_loadu_si128((const __m128i *)
					  (const void *) uuid->bytes);
	__m128i high_half = _mm_and_si128(_mm_srli_epi16(b, 4), low);
	__m128i low_half = _mm_and_si128(b, low);

	_mm_storeu_si128((__m128i *) (void *) ret_digits,
			 digits_of(_mm_unpacklo_epi8(high_half, low_half)));
	_mm_storeu_si128((__m128i *) (void *) (ret_digits + 16),
			 digits_of(_mm_unpackhi_epi8(high_half, low_half)));
}

/* Of 0 to 15. */
static __m128i
digits_of(__m128i worth)
{
	__m128i is_letter = _mm_cmpgt_epi8(worth, _mm_set1_epi8(9));

	return _mm_add_epi8(
		_mm_add_epi8(worth, _mm_set1_epi8('0')),
		_mm_and_si128(is_letter, _mm_set1_epi8('a' - '0' - 10)));
}
#else
static bool
pack(const char digits[32], struct uuid *ret_uuid)
{
	struct uuid uuid;
	int all = 0;
	size_t i;

	for (i = 0; i < sizeof uuid.bytes; i++) {
		int high = hex_digit(digits[2 * i]);
		int low = hex_digit(digits[2 * i + 1]);

		all |= high | low;
		uuid.bytes[i] = (unsigned) high << 4 | (unsigned) low;
	}
	if (all < 0)
		return false;
	*ret_uuid = uuid;
	return true;
}

static int
hex_digit(char c)
{
	/* One more than the digit is worth; 0: none. */
	static const signed char values[256] = {
		['0'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
		['A'] = 11, 12, 13, 14, 15, 16,
		['a'] = 11, 12, 13, 14, 15, 16,
	};

	return values[(unsigned char) c] - 1;
}

static void
unpack(const struct uuid *uuid, char ret_digits[32])
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < sizeof uuid->bytes; i++) {
		ret_digits[2 * i] = digits[uuid->bytes[i] >> 4];
		ret_digits[2 * i + 1] = digits[uuid->bytes[i] & 15];
	}
}
#endif

static void
refill(struct uuid *pool, size_t n)
{
	size_t size = n * sizeof *pool;
	size_t done = 0;

	/* The library asks the kernel now and then. */
	if (RAND_bytes((unsigned char *) pool, (int) size) == 1)
		return;
	while (done < size) {
		ssize_t got = getrandom((char *) pool + done, size - done, 0);

		/* Rows whose names could collide are worse than no agent. */
		if (got < 0)
			abort();
		done += got;
	}
}
