/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BASE_HASH_H
#define BASE_HASH_H 1

/* One keyed hash for flows and mappings.
 *
 * Whoever sends packets chooses flow keys, and must not be able to choose ones
 * that collide.  Each step multiplies two words of input, each masked with a
 * value that only the switch knows, to 128 bits and folds the halves together:
 * two inputs collide for about one secret in 2^61, whatever the inputs are, so
 * that without the secret (vsw.seed, never shown) there is nothing to choose
 * by.  No factor is masked with a published constant: such a factor could be
 * made zero, and the hash would forget the other one.
 *
 * Not for signatures, and not the same on machines of other byte order. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t
hash_fold(uint64_t a, uint64_t b)
{
	__extension__ typedef unsigned __int128 u128;
	u128 product = (u128) a * b;

	return (uint64_t) product ^ (uint64_t) (product >> 64);
}

/* A value in the same secret's name that tells nothing of 'secret'. */
static inline uint64_t
hash_derive(uint64_t secret, uint64_t which)
{
	uint64_t x = secret + which * UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static inline uint64_t
hash_word(const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof word);
	return word;
}

/* What is made of a seed, for those who hash for every packet. */
struct hash_secret {
	uint64_t k0, k1, h0, h1;
};

static inline struct hash_secret
hash_secret_of(uint64_t seed)
{
	return (struct hash_secret) {
		.k0 = hash_derive(seed, 1), .k1 = hash_derive(seed, 2),
		.h0 = hash_derive(seed, 3), .h1 = hash_derive(seed, 4)
	};
}

/* Of 'n' bytes.  Two lanes, so that one product does not wait for the other:
 * the 44 bytes of a short flow key are three products in two rounds.  The last
 * piece takes in bytes of the one before if it is short of its own. */
static inline uint64_t
hash_with(const void *bytes, size_t n, const struct hash_secret *secret)
{
	const uint8_t *p = bytes;
	uint64_t k0 = secret->k0, k1 = secret->k1;
	uint64_t h0 = secret->h0, h1 = secret->h1;
	size_t left = n;

	for (; left >= 32; left -= 32, p += 32) {
		h0 = hash_fold(hash_word(p) ^ k0, hash_word(p + 8) ^ h0);
		h1 = hash_fold(hash_word(p + 16) ^ k1,
			       hash_word(p + 24) ^ h1);
	}
	if (left >= 16) {
		h0 = hash_fold(hash_word(p) ^ k0, hash_word(p + 8) ^ h0);
		left -= 16;
		p += 16;
	}
	if (left) {
		uint8_t rest[16] = { 0 };

		if (n >= sizeof rest)
			memcpy(rest, p + left - sizeof rest, sizeof rest);
		else
			memcpy(rest, p, left);
		h1 = hash_fold(hash_word(rest) ^ k1,
			       hash_word(rest + 8) ^ h1);
	}
	return hash_fold(h0 ^ k1 ^ n, h1 ^ k0);
}

static inline uint64_t
hash_bytes(const void *bytes, size_t n, uint64_t seed)
{
	struct hash_secret secret = hash_secret_of(seed);

	return hash_with(bytes, n, &secret);
}

/* Both halves count in what has room for one. */
static inline uint32_t
hash_short(uint64_t hash)
{
	return (uint32_t) (hash ^ hash >> 32);
}

#endif /* base/hash.h */
