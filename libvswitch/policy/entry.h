/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_ENTRY_H
#define POLICY_ENTRY_H 1

/* What mappings are made of: entries, of all the switch's mappings in one pool,
 * and each mapping's table of them.
 *
 * An entry is 32 bytes, two to a cache line, and is known by its number.  It is
 * never changed while readers may look: it is replaced, waits until nobody can
 * (base/reclaim.h), and is used again.  Notes beside it (8 bytes) have it wait
 * in a list.
 *
 * A table is buckets of one cache line: ten tags of 16 bits, ten numbers, and
 * how many entries wanted a place here and are behind, so that a search ends
 * at the first bucket that nothing passed.  So a look-up touches two lines
 * that are not near.  At most three quarters of the places are used, between
 * 8 and 17 bytes for each entry: 57 at most, all included.
 *
 * One writer [control], any number of readers under a read mark.  A tag is
 * published (release) behind the number and the entry that it stands for, and
 * readers compare the whole key: a tag that has just got another entry costs
 * them a comparison. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "libvswitch/base/hash.h"
#include "libvswitch/base/reclaim.h"

struct vsw;

enum place_kind { PLACE_LOCAL, PLACE_REMOTE, PLACE_MANY };
enum entry_kind { ENTRY_V4 = 4, ENTRY_MAC = 6, ENTRY_V6 = 16 }; /* Bytes. */

/* A location, as it is kept. */
struct place {
	union {
		struct vsw_port *port;		/* PLACE_LOCAL; holds. */
		struct endpoint *endpoint;	/* PLACE_REMOTE; holds. */
		struct places *many;		/* PLACE_MANY: an entry's. */
	};
	uint8_t mac[6];
	uint8_t kind;
	/* An entry's: enum entry_kind.  Of the first of many: do their
	 * inhabitants stand behind them? */
	uint8_t key_kind;
};

enum { PLACES_INHABITED = 1 };		/* No enum entry_kind. */

/* Who is at a place, for copies that are addressed to him. */
struct inhabitant {
	uint8_t v4[4], v6[16];
	bool has_v4, has_v6;
};

struct places {
	struct retired retired;			/* Of a flood's. */
	bool unknown_unicast;			/* Of a flood's. */
	uint32_t n;
	struct place places[];			/* And inhabitants. */
};

static inline size_t
places_size(size_t n, bool has_inhabitants)
{
	return sizeof(struct places) + n * sizeof(struct place)
	       + has_inhabitants * n * sizeof(struct inhabitant);
}

/* Of the 'n' places of a flood, or that mapping_find_*() has returned; NULL:
 * nobody said who is there. */
static inline const struct inhabitant *
places_inhabitants(const struct place places[], uint32_t n)
{
	return places->key_kind == PLACES_INHABITED
	       ? (const struct inhabitant *) (places + n) : NULL;
}

struct entry {
	uint8_t key[16];			/* Rest is zero. */
	struct place place;
};

_Static_assert(sizeof(void *) > 8 || sizeof(struct entry) <= 32,
	       "a million of them are kept");

struct entry_key {
	uint8_t bytes[16];
	uint8_t kind;				/* enum entry_kind. */
};

enum { ENTRY_NONE = 0 };			/* No entry's number. */

/* The pool's entries stand in chunks that are never moved; the directory of
 * chunks grows, and is replaced whole. */
struct entry_pool;

/* [control] */
int entry_pool_new(struct vsw *, struct entry_pool **ret_pool);
/* Nobody looks any more; frees what waits. */
void entry_pool_free(struct entry_pool *);
/* A number, of an entry that is all zero; ENTRY_NONE: no memory. */
uint32_t entry_take(struct entry_pool *);
/* One that nobody has seen. */
void entry_give_back(struct entry_pool *, uint32_t number);
/* Puts an entry that is out of its table in front of a list of those that are
 * to be retired.  The list begins as ENTRY_NONE. */
void entry_leave(struct entry_pool *, uint32_t number, uint32_t *list);
/* Retires them: their 'many' is freed and they are used again once nobody can
 * look.  'epoch' is the one that ended behind their going. */
void entry_retire(struct entry_pool *, uint32_t list, uint64_t epoch);
/* Takes back what nobody can look at any more. */
void entry_pool_run(struct entry_pool *);
/* [any] Under a read mark. */
struct entry *entry_at(const struct entry_pool *, uint32_t number);

struct buckets;

struct entry_table {
	_Atomic(struct buckets *) buckets;	/* NULL: empty. */
	_Atomic size_t n;			/* [any] may read. */
};

static inline uint64_t
entry_hash(const struct entry_key *key, const struct hash_secret *secret)
{
	return hash_with(key, sizeof *key, secret);
}

/* [control] All zero is empty.  done frees at once: nobody reads any more.
 * reserve makes room for one more: 0, or -ENOMEM and nothing is changed. */
void entry_table_done(struct entry_table *, struct vsw *);
int entry_table_reserve(struct entry_table *, struct vsw *);
void entry_table_add(struct entry_table *, uint64_t hash, uint32_t number);
void entry_table_replace(struct entry_table *, uint64_t hash, uint32_t old,
			 uint32_t number);
void entry_table_remove(struct entry_table *, uint64_t hash, uint32_t number);
/* Walks all; '*at' starts at 0; ENTRY_NONE ends, or that there is none before
 * 'end'. */
uint32_t entry_table_next(const struct entry_table *, size_t *at, size_t end);
size_t entry_table_n_places(const struct entry_table *);

/* [any] Under a read mark; ENTRY_NONE: not there. */
uint32_t entry_table_find(const struct entry_table *,
			  const struct entry_pool *, uint64_t hash,
			  const struct entry_key *);
/* [any] The same for many at a time: fetch has the bucket on its way, and guess
 * says, when that has come, which entry it will most likely be, having looked
 * at none; ENTRY_NONE: no idea. */
void entry_table_fetch(const struct entry_table *, uint64_t hash);
uint32_t entry_table_guess(const struct entry_table *, uint64_t hash);

#endif /* policy/entry.h */
