/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_HASH_SET_H
#define OVSDB_HASH_SET_H 1

/* A hash table of things, by any hash of theirs.  Equal hashes may be many,
 * but each insertion passes over all of them.  Does not know what the hash is
 * made of and does not own the things.
 *
 * Things stand in the order of their places, which are their hashes mixed with
 * a number that is the set's own and stays the same when the set grows: so a
 * range of places can be walked through at any time, whatever has become of
 * the set since the last one; and things that come in the order of another set
 * do not all crowd into one corner.
 *
 * Made for millions: 13 bytes each, and no insertion that moves more than a
 * part of some 16,000.  The uppermost bits of the place lead to the part; in
 * the part a thing stands where its place says, or behind that as soon as
 * there was room.  A part grows by a sixth, and splits in two when it is
 * large.  What is emptied is given back.
 *
 * [control]: one thread for each set. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hash_part;

struct hash_set {			/* Zero-initialised. */
	union {
		struct hash_part *part;		/* n_bits == 0; or NULL. */
		struct hash_part **parts;	/* 1 << n_bits; some of them
						 * are the same. */
	};
	size_t n;
	uint32_t mix;		/* Odd, or 0 before the first thing. */
	uint8_t n_bits;
	uint8_t slot_bits;	/* No part has more slots than this counts. */
	bool is_loose;
};

static inline uint32_t
hash_set_place(const struct hash_set *set, uint32_t hash)
{
	uint32_t place = hash * set->mix;

	return place ? place : 1;
}

/* Of 1 << n_bits; another one when the set has grown. */
static inline size_t
hash_set_part(const struct hash_set *set, uint32_t hash)
{
	return (uint64_t) hash_set_place(set, hash) << set->n_bits >> 32;
}

/* Bytes of memory, roughly. */
static inline size_t
hash_set_size(const struct hash_set *set)
{
	return set->n * 14;
}

void hash_set_done(struct hash_set *);
/* Makes an empty set ready for about 'n' things: it need not grow while they
 * come.  hash_set_place() is known then, and those of one hash_set_part() are
 * best inserted one after the other. */
void hash_set_reserve(struct hash_set *, size_t n);
/* Very many things will come, nobody knows how many, and nobody waits: parts
 * have more room than they need, and grow rarely.  Until hash_set_tighten(),
 * which gives it back. */
void hash_set_loosen(struct hash_set *);
void hash_set_tighten(struct hash_set *);
void hash_set_insert(struct hash_set *, uint32_t hash, void *);
/* The thing must be there. */
void hash_set_remove(struct hash_set *, uint32_t hash, const void *);
/* Puts 'new' where 'old' stands; both have this hash. */
void hash_set_replace(struct hash_set *, uint32_t hash, const void *old,
		      void *new);

/* Asks for the memory that finding this hash, or inserting it, will look at
 * first, and does not wait for it: worth it where some microseconds' work is
 * done before.  Accepts any hash. */
void hash_set_prefetch(const struct hash_set *, uint32_t hash);

/* Things of this hash: start with '*cursor' 0; NULL after the last.  Nothing
 * may be inserted or removed meanwhile. */
void *hash_set_match(const struct hash_set *, uint32_t hash, size_t *cursor);
/* All things, likewise. */
void *hash_set_next(const struct hash_set *, size_t *cursor);
/* Those whose places are from 'first' to 'last', in their order, likewise. */
void *hash_set_range(const struct hash_set *, uint32_t first, uint32_t last,
		     size_t *cursor);
/* The cursor of hash_set_next() that continues behind the thing. */
size_t hash_set_cursor_after(const struct hash_set *, uint32_t hash,
			     const void *);

#endif /* ovsdb/value/hash_set.h */
