/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/bench/engine/floor.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "libvswitch/base/hash.h"

enum { BATCH = 32, SLOTS = 8, OUTER = 50, HUGE_PAGE = 2 << 20,
       N_TEMPLATES = 16, NOT_FOUND = UINT32_MAX };

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
	struct {
		_Alignas(64) uint8_t bytes[OUTER];
	} templates[N_TEMPLATES];
};

static void *map(size_t size);
static void unmap(void *, size_t size);
static size_t whole_pages(size_t size);
static void make_key(uint8_t *frame, uint64_t key[6]);
static uint32_t candidate(const struct floor *, uint32_t hash);
static unsigned find_tag(const uint16_t tags[4], uint16_t tag);
static bool is_of(const struct entry *, const uint64_t key[6]);
static uint32_t find_or_add(struct floor *, const uint64_t key[6],
			    uint32_t hash);

struct floor *
floor_new(uint32_t n_flows)
{
	struct floor *f = map(sizeof *f);

	f->secret = hash_secret_of(42);
	f->max = n_flows + 1;
	f->mask = 63;
	/* A quarter full, so that few buckets ever are. */
	while (f->mask < n_flows / 2)
		f->mask = f->mask * 2 + 1;
	f->buckets = map((f->mask + (size_t) 1) * sizeof *f->buckets);
	f->entries = map(f->max * sizeof *f->entries);
	return f;
}

void
floor_free(struct floor *f)
{
	unmap(f->buckets, (f->mask + (size_t) 1) * sizeof *f->buckets);
	unmap(f->entries, f->max * sizeof *f->entries);
	unmap(f, sizeof *f);
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
			       f->templates[entry->key[4] % N_TEMPLATES]
				       .bytes, OUTER);
		vsw_packet_free(packets[i]);
	}
}

/* Zeroed, on 2 MB pages where the kernel grants them, and touched. */
static void *
map(size_t size)
{
	size_t whole = whole_pages(size);
	uint8_t *memory = mmap(NULL, whole + HUGE_PAGE,
			       PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t skipped;

	if (memory == MAP_FAILED)
		abort();
	skipped = -(uintptr_t) memory % HUGE_PAGE;
	if (skipped)
		munmap(memory, skipped);
	memory += skipped;
	munmap(memory + whole, HUGE_PAGE - skipped);
	madvise(memory, whole, MADV_HUGEPAGE);
	memset(memory, 0, whole);
	return memory;
}

static void
unmap(void *memory, size_t size)
{
	munmap(memory, whole_pages(size));
}

static size_t
whole_pages(size_t size)
{
	return (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
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
	unsigned i = find_tag(bucket->tags, tag);

	if (i == SLOTS)
		i = 4 + find_tag(bucket->tags + 4, tag);
	return i < SLOTS ? bucket->entries[i] : NOT_FOUND;
}

/* Four at once: the lowest lane of zeros is the lowest that borrows. */
static unsigned
find_tag(const uint16_t tags[4], uint16_t tag)
{
	const uint64_t ones = UINT64_C(0x0001000100010001);
	uint64_t lanes = 0;

	for (unsigned i = 0; i < 4; i++)
		lanes |= (uint64_t) tags[i] << (16 * i);
	lanes ^= tag * ones;
	lanes = (lanes - ones) & ~lanes & ones << 15;
	return lanes ? (unsigned) __builtin_ctzll(lanes) / 16 : SLOTS;
}

static bool
is_of(const struct entry *entry, const uint64_t key[6])
{
	return !memcmp(entry->key, key, 24)
	       && !memcmp(entry->key + 3, key + 3, 24);
}

/* What does not fit in its bucket is in the next, which is so rare that the
 * fast way does not know of it. */
static uint32_t
find_or_add(struct floor *f, const uint64_t key[6], uint32_t hash)
{
	uint16_t tag = (uint16_t) (hash >> 16 | 1);
	struct bucket *bucket;
	unsigned i = 0;

	for (;; hash++) {
		bucket = &f->buckets[hash & f->mask];
		for (i = 0; i < SLOTS && bucket->tags[i]; i++)
			if (bucket->tags[i] == tag
			    && is_of(&f->entries[bucket->entries[i]], key))
				return bucket->entries[i];
		if (i < SLOTS)
			break;
	}
	if (f->n == f->max)
		abort();
	bucket->tags[i] = tag;
	bucket->entries[i] = f->n;
	memcpy(f->entries[f->n].key, key, sizeof f->entries[f->n].key);
	return f->n++;
}
