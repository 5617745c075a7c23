/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/policy/entry.h"

#include <errno.h>
#include <string.h>
#include "libvswitch/base/memory.h"
#include "libvswitch/base/switch.h"

enum { TAGS = 10, WORD_TAGS = 4, WORDS = 3, PASSED_SHIFT = 32, AHEAD = 16 };

/* Tags stand four to a word; the last word has two, and in its upper half the
 * number of entries that have passed.  A tag of 0: free. */
struct bucket {
	_Alignas(64) _Atomic uint64_t words[WORDS];
	_Atomic uint32_t numbers[TAGS];
};

_Static_assert(sizeof(struct bucket) == 64, "a bucket is a cache line");

struct buckets {
	struct retired retired;
	uint32_t n;			/* Power of 2. */
	_Alignas(64) struct bucket buckets[];
};

static inline const struct bucket *home(const struct entry_table *,
					uint64_t hash);
static inline uint32_t find_in(const struct bucket *, unsigned w, uint64_t word,
			       const struct entry_pool *, uint64_t tag,
			       const struct entry_key *);
static uint32_t fetch(const struct entry_table *, const struct entry_pool *,
		      size_t *at);
static size_t buckets_size(size_t n);
static struct buckets *buckets_of(const struct entry_table *);
static void free_buckets(void *vsw, struct retired *);
static void put(struct buckets *, uint64_t hash, uint32_t number);
static unsigned find_free(const struct bucket *);
static void set_tag(struct bucket *, unsigned i, uint64_t tag);
static void pass(struct bucket *, uint64_t difference);
static struct bucket *place_of(struct buckets *, uint64_t hash,
			       uint32_t number, unsigned *ret_i);

/* By the other end of the hash than the one that chooses the bucket. */
static inline uint64_t
tag_of(uint64_t hash)
{
	uint64_t tag = hash >> 48;

	return tag ? tag : 1;
}

static inline uint64_t
load_word(const struct bucket *bucket, unsigned w)
{
	return atomic_load_explicit(&bucket->words[w], memory_order_acquire);
}

/* The top bit of each lane that is 0; perhaps of some that are 1 above it. */
static inline uint64_t
zero_lanes(uint64_t x)
{
	const uint64_t ones = UINT64_C(0x0001000100010001);

	return (x - ones) & ~x & ones << 15;
}

void
entry_table_done(struct entry_table *table, struct vsw *vsw)
{
	struct buckets *buckets = buckets_of(table);

	if (buckets)
		free_buckets(vsw, &buckets->retired);
	*table = (struct entry_table) { .n = 0 };
}

int
entry_table_reserve(struct entry_table *table, struct vsw *vsw)
{
	struct buckets *old = buckets_of(table), *fresh;
	size_t n_entries = atomic_load_explicit(&table->n,
						memory_order_relaxed);
	size_t n = old ? old->n * 2 : 1, at = 0;
	uint32_t ahead[AHEAD], number;

	if (old && (n_entries + 1) * 4 <= (size_t) old->n * TAGS * 3)
		return 0;
	fresh = memory_alloc(&vsw->allocator, _Alignof(struct buckets),
			     buckets_size(n));
	if (!fresh)
		return -ENOMEM;
	fresh->n = (uint32_t) n;
	/* Entries lie anywhere: they are fetched some way ahead. */
	for (unsigned i = 0; i < AHEAD; i++)
		ahead[i] = fetch(table, vsw->entries, &at);
	for (unsigned i = 0; (number = ahead[i % AHEAD]); i++) {
		const struct entry *entry = entry_at(vsw->entries, number);
		struct entry_key key = { .kind = entry->place.key_kind };

		ahead[i % AHEAD] = fetch(table, vsw->entries, &at);
		memcpy(key.bytes, entry->key, sizeof key.bytes);
		put(fresh, entry_hash(&key, &vsw->secret), number);
	}
	atomic_store_explicit(&table->buckets, fresh, memory_order_release);
	if (old)
		reclaim_retire(&vsw->reclaim, &old->retired, free_buckets,
			       vsw);
	return 0;
}

void
entry_table_add(struct entry_table *table, uint64_t hash, uint32_t number)
{
	put(buckets_of(table), hash, number);
	atomic_fetch_add_explicit(&table->n, 1, memory_order_relaxed);
}

void
entry_table_replace(struct entry_table *table, uint64_t hash, uint32_t old,
		    uint32_t number)
{
	unsigned i;
	struct bucket *bucket = place_of(buckets_of(table), hash, old, &i);

	atomic_store_explicit(&bucket->numbers[i], number,
			      memory_order_release);
}

/* First the tag, then those that were passed: who is behind is found at any
 * moment. */
void
entry_table_remove(struct entry_table *table, uint64_t hash, uint32_t number)
{
	struct buckets *buckets = buckets_of(table);
	uint32_t mask = buckets->n - 1;
	unsigned i;
	struct bucket *end = place_of(buckets, hash, number, &i);

	set_tag(end, i, 0);
	for (uint32_t b = (uint32_t) hash & mask; &buckets->buckets[b] != end;
	     b = (b + 1) & mask)
		pass(&buckets->buckets[b], -(UINT64_C(1) << PASSED_SHIFT));
	atomic_fetch_sub_explicit(&table->n, 1, memory_order_relaxed);
}

uint32_t
entry_table_next(const struct entry_table *table, size_t *at, size_t end)
{
	struct buckets *buckets = buckets_of(table);

	while (buckets && *at < end && *at < (size_t) buckets->n * TAGS) {
		struct bucket *bucket = &buckets->buckets[*at / TAGS];
		unsigned i = (unsigned) (*at % TAGS);

		(*at)++;
		if (load_word(bucket, i / WORD_TAGS) >> i % WORD_TAGS * 16
		    & 0xffff)
			return atomic_load_explicit(&bucket->numbers[i],
						    memory_order_relaxed);
	}
	return ENTRY_NONE;
}

size_t
entry_table_n_places(const struct entry_table *table)
{
	const struct buckets *buckets = buckets_of(table);

	return buckets ? (size_t) buckets->n * TAGS : 0;
}

uint32_t
entry_table_find(const struct entry_table *table,
		 const struct entry_pool *pool, uint64_t hash,
		 const struct entry_key *key)
{
	const struct buckets *buckets = atomic_load_explicit(
		&table->buckets, memory_order_acquire);

	for (uint32_t b = 0; buckets && b < buckets->n; b++) {
		const struct bucket *bucket = &buckets->buckets[
			((uint32_t) hash + b) & (buckets->n - 1)];
		uint64_t last = load_word(bucket, WORDS - 1);
		uint32_t number;

		for (unsigned w = 0; w < WORDS - 1; w++) {
			number = find_in(bucket, w, load_word(bucket, w),
					 pool, tag_of(hash), key);
			if (number)
				return number;
		}
		number = find_in(bucket, WORDS - 1, (uint32_t) last, pool,
				 tag_of(hash), key);
		if (number || !(last >> PASSED_SHIFT))
			return number;
	}
	return ENTRY_NONE;
}

void
entry_table_fetch(const struct entry_table *table, uint64_t hash)
{
	__builtin_prefetch(home(table, hash));
}

uint32_t
entry_table_guess(const struct entry_table *table, uint64_t hash)
{
	const struct bucket *bucket = home(table, hash);

	for (unsigned w = 0; bucket && w < WORDS; w++) {
		uint64_t lanes = zero_lanes(load_word(bucket, w)
					    ^ tag_of(hash)
					      * UINT64_C(0x0001000100010001));
		unsigned i = w * WORD_TAGS;

		if (!lanes)
			continue;
		i += (unsigned) __builtin_ctzll(lanes) / 16;
		return i >= TAGS ? ENTRY_NONE
		       : atomic_load_explicit(&bucket->numbers[i],
					      memory_order_acquire);
	}
	return ENTRY_NONE;
}

/* Where the search begins; NULL: there is nothing. */
static inline const struct bucket *
home(const struct entry_table *table, uint64_t hash)
{
	const struct buckets *buckets = atomic_load_explicit(
		&table->buckets, memory_order_acquire);

	return buckets ? &buckets->buckets[(uint32_t) hash & (buckets->n - 1)]
		       : NULL;
}

/* The next one, whose entry will soon be looked at. */
static uint32_t
fetch(const struct entry_table *table, const struct entry_pool *pool,
      size_t *at)
{
	uint32_t number = entry_table_next(table, at, SIZE_MAX);

	if (number)
		__builtin_prefetch(entry_at(pool, number));
	return number;
}

/* Among those whose tags are in a word of the bucket. */
static inline uint32_t
find_in(const struct bucket *bucket, unsigned w, uint64_t word,
	const struct entry_pool *pool, uint64_t tag,
	const struct entry_key *key)
{
	uint64_t lanes = zero_lanes(word
				    ^ tag * UINT64_C(0x0001000100010001));

	for (; lanes; lanes &= lanes - 1) {
		unsigned lane = (unsigned) __builtin_ctzll(lanes) / 16;
		const struct entry *entry;
		uint32_t number;

		/* What is free must not be followed. */
		if ((word >> lane * 16 & 0xffff) != tag)
			continue;
		number = atomic_load_explicit(
			&bucket->numbers[w * WORD_TAGS + lane],
			memory_order_acquire);
		entry = entry_at(pool, number);
		if (entry->place.key_kind == key->kind
		    && !memcmp(entry->key, key->bytes, sizeof entry->key))
			return number;
	}
	return ENTRY_NONE;
}

static size_t
buckets_size(size_t n)
{
	return sizeof(struct buckets) + n * sizeof(struct bucket);
}

static struct buckets *
buckets_of(const struct entry_table *table)
{
	return atomic_load_explicit(&table->buckets, memory_order_relaxed);
}

static void
free_buckets(void *vsw_, struct retired *retired)
{
	struct buckets *buckets = (struct buckets *) retired;
	struct vsw *vsw = vsw_;

	_Static_assert(offsetof(struct buckets, retired) == 0, "cast above");
	memory_free(&vsw->allocator, buckets, buckets_size(buckets->n));
}

static void
put(struct buckets *buckets, uint64_t hash, uint32_t number)
{
	uint32_t mask = buckets->n - 1, b = (uint32_t) hash & mask;
	struct bucket *bucket;
	unsigned i;

	while ((i = find_free(&buckets->buckets[b])) == TAGS) {
		pass(&buckets->buckets[b], UINT64_C(1) << PASSED_SHIFT);
		b = (b + 1) & mask;
	}
	bucket = &buckets->buckets[b];
	/* Who still has the tag that was here before may follow it. */
	atomic_store_explicit(&bucket->numbers[i], number,
			      memory_order_release);
	set_tag(bucket, i, tag_of(hash));
}

/* TAGS: none. */
static unsigned
find_free(const struct bucket *bucket)
{
	for (unsigned w = 0; w < WORDS; w++) {
		uint64_t lanes = zero_lanes(load_word(bucket, w));
		unsigned i = w * WORD_TAGS;

		if (!lanes)
			continue;
		/* The lowest one is right always. */
		i += (unsigned) __builtin_ctzll(lanes) / 16;
		if (i < TAGS)
			return i;
	}
	return TAGS;
}

static void
set_tag(struct bucket *bucket, unsigned i, uint64_t tag)
{
	unsigned shift = i % WORD_TAGS * 16;
	uint64_t word = load_word(bucket, i / WORD_TAGS);

	word &= ~(UINT64_C(0xffff) << shift);
	atomic_store_explicit(&bucket->words[i / WORD_TAGS],
			      word | tag << shift, memory_order_release);
}

static void
pass(struct bucket *bucket, uint64_t difference)
{
	atomic_store_explicit(&bucket->words[WORDS - 1],
			      load_word(bucket, WORDS - 1) + difference,
			      memory_order_release);
}

static struct bucket *
place_of(struct buckets *buckets, uint64_t hash, uint32_t number,
	 unsigned *ret_i)
{
	uint32_t mask = buckets->n - 1;

	for (uint32_t b = (uint32_t) hash & mask;; b = (b + 1) & mask) {
		struct bucket *bucket = &buckets->buckets[b];

		for (unsigned i = 0; i < TAGS; i++) {
			unsigned shift = i % WORD_TAGS * 16;

			if (atomic_load_explicit(&bucket->numbers[i],
						 memory_order_relaxed)
			    != number
			    || !(load_word(bucket, i / WORD_TAGS) >> shift
				 & 0xffff))
				continue;
			*ret_i = i;
			return bucket;
		}
	}
}
