/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_HASH_H
#define OVSDB_HASH_H 1

/* Hashes of what peers choose, with a seed they cannot know: the same value
 * hashes differently in each process, so nobody can aim at one bucket.
 * [any] */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Random, the same for the life of the process. */
uint64_t hash_seed(void) __attribute__((const));

static inline uint64_t
hash_mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128) a * b;

	return (uint64_t) product ^ (uint64_t) (product >> 64);
}

static inline uint32_t
hash_word(uint64_t word, uint32_t basis)
{
	uint64_t h = hash_mix(word ^ hash_seed(),
			      0x9e3779b97f4a7c15 ^ (uint64_t) basis << 1);

	return h ^ h >> 32;
}

static inline uint32_t
hash_bytes(const void *bytes, size_t size, uint32_t basis)
{
	const unsigned char *p = bytes;
	uint64_t h = hash_seed() ^ size ^ (uint64_t) basis << 32;

	for (; size >= 8; p += 8, size -= 8) {
		uint64_t word;

		memcpy(&word, p, 8);
		h = hash_mix(h ^ word, 0xa0761d6478bd642f);
	}
	if (size) {
		uint64_t word = 0;

		memcpy(&word, p, size);
		h = hash_mix(h ^ word, 0xe7037ed1a0b428db);
	}
	h = hash_mix(h ^ hash_seed(), 0x8ebc6af09c88c6e3);
	return h ^ h >> 32;
}

#endif /* ovsdb/value/hash.h */
