/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/bench/floor.h"

#include <stdlib.h>
#include <string.h>

#include "libvswitch/base/hash.h"

enum { BATCH = 32, SLOTS = 8, OUTER = 50, NOT_FOUND = UINT32_MAX };

struct bucket {
	_Alignas(64) uint16_t tags[SLOTS];
	uint32_t entries[SLOTS];
};

struct entry {
	_Alignas(64) uint64_t key[6];
	uint64_t n_packets, n_bytes;
};

struct floor {
	struct hash_secret secret;
	struct bucket *buckets;
	struct entry *entries;
	uint32_t mask, n, max;
	uint8_t template[OUTER];
};

static void *allocate(size_t size);
static void make_key(uint8_t *frame, uint64_t key[6]);
static uint32_t candidate(const struct floor *, uint32_t hash);
static bool is_of(const struct entry *, const uint64_t key[6]);
static uint32_t find_or_add(struct floor *, const uint64_t key[6],
			    uint32_t hash);

struct floor *
floor_new(uint32_t n_flows)
{
	struct floor *f = allocate(sizeof *f);

	f->secret = hash_secret_of(42);
	f->max = n_flows + 1;
	f->mask = 63;
	/* A quarter full, so that no bucket ever is. */
	while (f->mask < n_flows / 2)
		f->mask = f->mask * 2 + 1;
	f->buckets = allocate((f->mask + (size_t) 1) * sizeof *f->buckets);
	f->entries = allocate(f->max * sizeof *f->entries);
	return f;
}

void
floor_free(struct floor *f)
{
	free(f->buckets);
	free(f->entries);
	free(f);
}

void
floor_carry(struct floor *f, bool decap, struct vsw_packet *const packets[],
	    unsigned n)
{
	uint64_t keys[BATCH][6];
	uint32_t hashes[BATCH];
	uint32_t found[BATCH];

	for (unsigned i = 0; i < n; i++) {
		if (decap)
			vsw_packet_pull(packets[i], OUTER);
		make_key(vsw_packet_data(packets[i]), keys[i]);
		hashes[i] = hash_short(hash_with(keys[i], sizeof keys[i],
						 &f->secret));
		__builtin_prefetch(&f->buckets[hashes[i] & f->mask]);
	}
	for (unsigned i = 0; i < n; i++) {
		found[i] = candidate(f, hashes[i]);
		if (found[i] != NOT_FOUND)
			__builtin_prefetch(&f->entries[found[i]], 1);
	}
	for (unsigned i = 0; i < n; i++) {
		struct entry *entry;

		if (found[i] == NOT_FOUND
		    || !is_of(&f->entries[found[i]], keys[i]))
			found[i] = find_or_add(f, keys[i], hashes[i]);
		entry = &f->entries[found[i]];
		entry->n_packets++;
		entry->n_bytes += vsw_packet_size(packets[i]);
		if (!decap)
			memcpy(vsw_packet_push(packets[i], OUTER),
			       f->template, OUTER);
		vsw_packet_free(packets[i]);
	}
}

static void *
allocate(size_t size)
{
	void *memory = aligned_alloc(64, (size + 63) / 64 * 64);

	if (!memory)
		abort();
	memset(memory, 0, size);
	return memory;
}

/* MACs, addresses, protocol and ports of UDP over IPv4. */
static void
make_key(uint8_t *frame, uint64_t key[6])
{
	key[2] = key[5] = 0;
	memcpy(key, frame, 16);
	memcpy(key + 2, frame + 23, 1);
	memcpy(key + 3, frame + 26, 12);
	memcpy((uint8_t *) key + 36, "\0\0\0", 4);
}

/* By its tag: whether it is the one is seen when its line has come. */
static uint32_t
candidate(const struct floor *f, uint32_t hash)
{
	const struct bucket *bucket = &f->buckets[hash & f->mask];
	uint16_t tag = (uint16_t) (hash >> 16 | 1);

	for (unsigned i = 0; i < SLOTS; i++)
		if (bucket->tags[i] == tag)
			return bucket->entries[i];
	return NOT_FOUND;
}

static bool
is_of(const struct entry *entry, const uint64_t key[6])
{
	return !memcmp(entry->key, key, 24)
	       && !memcmp(entry->key + 3, key + 3, 24);
}

static uint32_t
find_or_add(struct floor *f, const uint64_t key[6], uint32_t hash)
{
	struct bucket *bucket = &f->buckets[hash & f->mask];
	unsigned i = 0;

	for (; bucket->tags[i]; i++) {
		if (is_of(&f->entries[bucket->entries[i]], key))
			return bucket->entries[i];
		if (i + 1 == SLOTS)
			abort();
	}
	if (f->n == f->max)
		abort();
	bucket->tags[i] = (uint16_t) (hash >> 16 | 1);
	bucket->entries[i] = f->n;
	memcpy(f->entries[f->n].key, key, sizeof f->entries[f->n].key);
	return f->n++;
}
