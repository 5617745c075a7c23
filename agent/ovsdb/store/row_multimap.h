/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_ROW_MULTIMAP_H
#define OVSDB_ROW_MULTIMAP_H 1

/* Rows by a hash of what they hold, where very many may hold the same: each
 * hash has one bucket, and a bucket of any size takes and loses a row in
 * constant time.  Does not know what the hash is made of, does not tell
 * values of equal hash apart, and does not own the rows.
 *
 * A row that is alone with its hash costs no memory but its slot; up to
 * ROW_BUCKET_FEW stand in an array, more in a map by their address.
 * [control] */

#include <stddef.h>
#include <stdint.h>

struct row;
struct row_map;

enum { ROW_BUCKET_FEW = 16 };

struct row_bucket {
	uint32_t hash;
	uint32_t is_many : 1;
	uint32_t n : 31;	/* 0: free. */
	union {
		struct row *one;	/* n == 1, not many. */
		struct row **few;	/* Otherwise not many. */
		struct row_map *many;	/* By the row's address. */
	};
};

struct row_multimap {		/* Zero-initialised. */
	struct row_bucket *buckets;	/* A power of two. */
	size_t n_buckets;
	size_t n_hashes;	/* Different ones. */
	size_t n;		/* Rows. */
	size_t size;		/* Bytes of it all. */
};

struct row_entry {
	struct row *row;
	uint32_t hash;
};

void row_multimap_done(struct row_multimap *);
/* Inserts many, faster than one by one; changes their order. */
void row_multimap_fill(struct row_multimap *, struct row_entry *, size_t n);
/* The row must not be there under this hash. */
void row_multimap_insert(struct row_multimap *, uint32_t hash, struct row *);
/* The row must be there. */
void row_multimap_remove(struct row_multimap *, uint32_t hash,
			 const struct row *);
/* Puts 'new' where 'old' stands; both have this hash. */
void row_multimap_replace(struct row_multimap *, uint32_t hash,
			  const struct row *old, struct row *new);

/* How many rows have this hash. */
size_t row_multimap_count(const struct row_multimap *, uint32_t hash);
/* Copies them to 'rows', which has room for row_multimap_count(). */
void row_multimap_copy(const struct row_multimap *, uint32_t hash,
		       struct row **rows);

#endif /* ovsdb/store/row_multimap.h */
