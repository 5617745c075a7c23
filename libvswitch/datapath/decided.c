/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/datapath/decided.h"

#include <errno.h>
#include <string.h>
#include "libvswitch/base/hash.h"
#include "libvswitch/base/memory.h"
#include "libvswitch/base/switch.h"
#include "libvswitch/datapath/decide.h"

enum {
	NO_DECIDED = UINT32_MAX,
	HEADS_MIN = 64
};

static void free_more(const struct decided_store *, struct decided *);
static uint32_t hash_of(const struct decided_store *, const struct decision *,
			uint32_t in_port);
static bool find(struct decided_store *, const struct decision *,
		 uint32_t in_port, uint32_t hash, uint32_t *ret_number);
static bool is_of(const struct decided *, const struct decision *,
		  uint32_t in_port, uint32_t hash);
static bool depends_alike(const struct dependencies *,
			  const struct dependencies *);
static bool has_room(struct decided_store *);
static uint32_t take(struct decided_store *);
static struct rewrite *copy_more(const struct decided_store *,
				 const struct decision *);
static bool is_usual(const struct decision *);
static void unlink_from_hash(struct decided_store *, uint32_t number);

int
decided_init(struct decided_store *store, struct vsw *vsw, uint32_t max,
	     uint64_t max_more)
{
	uint32_t n_heads = HEADS_MIN;

	while (n_heads < max / 4)
		n_heads *= 2;
	*store = (struct decided_store) {
		.vsw = vsw, .max_more = max_more, .mask = n_heads - 1,
		.max_chunks = (max + DECIDED_CHUNK - 1) / DECIDED_CHUNK,
		.free = NO_DECIDED
	};
	store->heads = memory_alloc(&vsw->allocator, 0,
				    n_heads * sizeof *store->heads);
	store->chunks = memory_alloc(&vsw->allocator, 0,
				     store->max_chunks
				     * sizeof *store->chunks);
	if (!store->heads || !store->chunks || !has_room(store)) {
		decided_done(store);
		return -ENOMEM;
	}
	memset(store->heads, 0xff, n_heads * sizeof *store->heads);
	return 0;
}

void
decided_done(struct decided_store *store)
{
	const struct vsw_allocator *allocator;

	if (!store->vsw)
		return;
	allocator = &store->vsw->allocator;
	for (uint32_t i = 0; i < store->n_fresh; i++)
		free_more(store, decided_at(store, i));
	for (uint32_t i = 0; i < store->n_chunks; i++)
		memory_free(allocator, store->chunks[i],
			    DECIDED_CHUNK * sizeof *store->chunks[i]);
	memory_free(allocator, store->chunks,
		    store->max_chunks * sizeof *store->chunks);
	memory_free(allocator, store->heads,
		    ((size_t) store->mask + 1) * sizeof *store->heads);
	*store = (struct decided_store) { .vsw = NULL };
}

int
decided_hold(struct decided_store *store, const struct decision *decision,
	     uint32_t in_port, uint32_t *ret_number)
{
	uint32_t n_more = decision->n - 1;
	uint32_t hash = hash_of(store, decision, in_port);
	struct rewrite *more = NULL;
	struct decided *decided;

	if (find(store, decision, in_port, hash, ret_number)) {
		decided = decided_at(store, *ret_number);
		decided->deps = decision->deps;
		decided->n_flows++;
		return 0;
	}
	if (store->n_more + n_more > store->max_more || !has_room(store))
		return -ENOSPC;
	if (n_more) {
		more = copy_more(store, decision);
		if (!more)
			return -ENOMEM;
	}
	store->n_more += n_more;
	*ret_number = take(store);
	decided = decided_at(store, *ret_number);
	*decided = (struct decided) {
		.rewrite = decision->rewrites[0], .n_rewrites = decision->n,
		.is_usual = is_usual(decision),
		.n_flows = 1, .deps = decision->deps, .more = more,
		.in_port = in_port, .hash = hash,
		.next = store->heads[hash & store->mask]
	};
	store->heads[hash & store->mask] = *ret_number;
	return 0;
}

uint32_t
decided_release(struct decided_store *store, uint32_t number)
{
	struct decided *decided = decided_at(store, number);
	uint32_t n_more = decided->n_rewrites - 1;

	if (--decided->n_flows)
		return 0;
	unlink_from_hash(store, number);
	free_more(store, decided);
	decided->next = store->free;
	store->free = number;
	store->n_more -= n_more;
	return n_more;
}

static void
free_more(const struct decided_store *store, struct decided *decided)
{
	memory_free(&store->vsw->allocator, decided->more,
		    (decided->n_rewrites - 1) * sizeof *decided->more);
	decided->more = NULL;
}

/* Of its first rewrite and of when it holds: copies mostly differ in these,
 * too. */
static uint32_t
hash_of(const struct decided_store *store, const struct decision *decision,
	uint32_t in_port)
{
	uint64_t seed = store->vsw->seed;
	const struct dependencies *deps = &decision->deps;

	return hash_short(hash_bytes(decision->rewrites,
				     sizeof *decision->rewrites, seed)
			  ^ hash_bytes(deps->of, sizeof deps->of,
				       seed ^ deps->sum)
			  ^ (uint64_t) decision->n << 32 ^ in_port);
}

static bool
find(struct decided_store *store, const struct decision *decision,
     uint32_t in_port, uint32_t hash, uint32_t *ret_number)
{
	for (uint32_t number = store->heads[hash & store->mask];
	     number != NO_DECIDED; number = decided_at(store, number)->next)
		if (is_of(decided_at(store, number), decision, in_port,
			  hash)) {
			*ret_number = number;
			return true;
		}
	return false;
}

static bool
is_of(const struct decided *decided, const struct decision *decision,
      uint32_t in_port, uint32_t hash)
{
	return decided->hash == hash && decided->in_port == in_port
	       && decided->n_rewrites == decision->n
	       && depends_alike(&decided->deps, &decision->deps)
	       && !memcmp(&decided->rewrite, decision->rewrites,
			  sizeof decided->rewrite)
	       && (decision->n == 1
		   || !memcmp(decided->more, decision->rewrites + 1,
			      (decision->n - 1) * sizeof *decided->more));
}

/* The same sum of the same generations: nothing has moved between the two.
 * What depends on too much to tell is only alike if nothing at all has. */
static bool
depends_alike(const struct dependencies *a, const struct dependencies *b)
{
	return a->sum == b->sum && a->n == b->n
	       && (a->n <= GENERATION_DEPS || a->all == b->all)
	       && !memcmp(a->of, b->of, sizeof a->of);
}

static bool
has_room(struct decided_store *store)
{
	struct decided *chunk;

	if (store->free != NO_DECIDED
	    || store->n_fresh < store->n_chunks * DECIDED_CHUNK)
		return true;
	if (store->n_chunks == store->max_chunks)
		return false;
	chunk = memory_alloc(&store->vsw->allocator, _Alignof(struct decided),
			     DECIDED_CHUNK * sizeof *chunk);
	if (!chunk)
		return false;
	store->chunks[store->n_chunks++] = chunk;
	return true;
}

static uint32_t
take(struct decided_store *store)
{
	uint32_t number = store->free;

	if (number == NO_DECIDED)
		return store->n_fresh++;
	store->free = decided_at(store, number)->next;
	return number;
}

static struct rewrite *
copy_more(const struct decided_store *store, const struct decision *decision)
{
	size_t size = (decision->n - 1) * sizeof(struct rewrite);
	struct rewrite *more = memory_alloc(&store->vsw->allocator, 0, size);

	if (more)
		memcpy(more, decision->rewrites + 1, size);
	return more;
}

static bool
is_usual(const struct decision *decision)
{
	const struct rewrite *rewrite = decision->rewrites;

	return decision->n == 1 && rewrite->drop == VSW_N_DROPS
	       && !(rewrite->ops & REWRITE_PUNT) && rewrite->port;
}

static void
unlink_from_hash(struct decided_store *store, uint32_t number)
{
	const struct decided *decided = decided_at(store, number);
	uint32_t *link = &store->heads[decided->hash & store->mask];

	while (*link != number)
		link = &decided_at(store, *link)->next;
	*link = decided->next;
}
