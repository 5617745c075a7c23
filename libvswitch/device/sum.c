/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/device/sum.h"

/* The compiler's vectors: it makes of them what the machine has. */
typedef uint64_t vector __attribute__((vector_size(32)));

/* Halves of words into words cannot overflow below 16 GiB, and need no carry.
 * Takes whole pairs of vectors off 'bytes'. */
static inline __attribute__((always_inline)) uint64_t
add_vectors(const uint8_t **bytes, size_t *size)
{
	const uint8_t *p = *bytes, *end = p + *size / 64 * 64;
	const uint64_t low = 0xffffffff;
	vector a = { 0 }, b = { 0 }, x, y;
	uint64_t sum = 0;

	for (; p < end; p += 64) {
		memcpy(&x, p, sizeof x);
		memcpy(&y, p + 32, sizeof y);
		a += (x & low) + (x >> 32);
		b += (y & low) + (y >> 32);
	}
	a += b;
	for (int i = 0; i < 4; i++)
		sum += (a[i] & low) + (a[i] >> 32);
	*size -= (size_t) (p - *bytes);
	*bytes = p;
	return sum;
}

static uint64_t
add_base(const uint8_t **bytes, size_t *size)
{
	return add_vectors(bytes, size);
}

#ifdef __x86_64__
/* Six times as fast as with what every x86 has. */
__attribute__((target("avx2"))) static uint64_t
add_avx2(const uint8_t **bytes, size_t *size)
{
	return add_vectors(bytes, size);
}

static int
has_avx2(void)
{
	return __builtin_cpu_supports("avx2");
}
#else
#define add_avx2 add_base
#define has_avx2() 0
#endif

uint64_t
sum_add(uint64_t sum, const void *bytes_, size_t size)
{
	const uint8_t *bytes = bytes_;
	uint32_t word;

	if (size >= 64)
		sum += has_avx2() ? add_avx2(&bytes, &size)
				  : add_base(&bytes, &size);
	for (; size >= sizeof word; size -= sizeof word) {
		memcpy(&word, bytes, sizeof word);
		sum += word;
		bytes += sizeof word;
	}
	if (size) {
		word = 0;
		memcpy(&word, bytes, size);
		sum += word;
	}
	return sum;
}
