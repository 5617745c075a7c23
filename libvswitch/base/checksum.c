/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/base/checksum.h"

#include <string.h>

#include "libvswitch/base/wire.h"

static inline uint64_t add(uint64_t, uint64_t);
static inline uint64_t word_at(const uint8_t *);
static uint16_t to_big_endian(uint16_t);

/* The sum does not depend on byte order but for one swap at the end (RFC 1071,
 * section 2(B)), so whole native words are added, and compilers make vectors
 * of it. */
uint32_t
checksum_sum(const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	uint64_t sum = 0;

	for (; n >= 32; n -= 32, p += 32) {
		sum = add(sum, word_at(p));
		sum = add(sum, word_at(p + 8));
		sum = add(sum, word_at(p + 16));
		sum = add(sum, word_at(p + 24));
	}
	for (; n >= 8; n -= 8, p += 8)
		sum = add(sum, word_at(p));
	if (n) {
		uint64_t word = 0;

		memcpy(&word, p, n);
		sum = add(sum, word);
	}
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	return to_big_endian(checksum_fold((uint32_t) sum));
}

uint32_t
checksum_pseudo(const uint8_t *src, const uint8_t *dst, size_t n,
		uint8_t proto, uint32_t size)
{
	return checksum_sum(src, n) + checksum_sum(dst, n) + proto
	       + (size >> 16) + (size & 0xffff);
}

/* With the carry at the other end: ones' complement. */
static inline uint64_t
add(uint64_t sum, uint64_t word)
{
	sum += word;
	return sum + (sum < word);
}

static inline uint64_t
word_at(const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof word);
	return word;
}

static uint16_t
to_big_endian(uint16_t native)
{
	uint8_t bytes[2];

	memcpy(bytes, &native, sizeof bytes);
	return get_be16(bytes);
}
