/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/datapath/decided.h"

#include <errno.h>
#include <string.h>
#include "libvswitch/base/hash.h"
#include "libvswitch/base/memory.h"
#include "libvswitch/base/switch.h"
#include "libvswitch/datapath/decide.h"
#include "libvswitch/policy/counter.h"

enum { HEADS_MIN = 64 };

/* Packets on their way to counters, which several threads write to. */
struct tally {
	uint64_t n_packets;
	uint32_t n;
	struct vsw_counter *of[];	/* Holds. */
};

/* What is to be found, or else to be kept. */
struct wanted {
	const struct decision *decision;
	uint32_t in_port, hash;
	struct flow_key_rest rest;
};

static void free_more(const struct decided_store *, struct decided *);
static uint32_t hash_of(const struct decided_store *, const struct wanted *,
			bool is_wide);
static bool find(struct decided_store *, const struct wanted *,
		 uint32_t *ret_number);
static bool is_of(const struct decided *, const struct wanted *);
static bool counts_alike(const struct tally *, const struct decision *);
static bool depends_alike(const struct dependencies *,
			  const struct dependencies *);
static bool has_room(struct decided_store *);
static uint32_t take(struct decided_store *);
static void give_back(struct decided_store *, uint32_t number);
static struct rewrite *copy_more(const struct decided_store *,
				 const struct decision *);
static size_t more_size(uint32_t n_rewrites, uint32_t n_addresses);
static bool take_tally(struct decided_store *, const struct decision *,
		       uint32_t number);
static void settle(struct tally *);
static void free_tally(struct decided_store *, uint32_t number);
static struct tally **tally_at(const struct decided_store *,
			       uint32_t number);
static bool is_usual(const struct decision *);
static void unlink_from_hash(struct decided_store *, uint32_t number);

int
decided_init(struct decided_store *store, struct vsw *vsw, uint32_t max,
	     uint64_t max_more)
{
	uint32_t n_heads = HEADS_MIN;

	while (n_heads < max)
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
	store->tallies = memory_alloc(&vsw->allocator, 0,
				      store->max_chunks
				      * sizeof *store->tallies);
	if (!store->heads || !store->chunks || !store->tallies
	    || !has_room(store)) {
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
	for (uint32_t i = 0; i < store->n_fresh; i++) {
		free_more(store, decided_at(store, i));
		free_tally(store, i);
	}
	for (uint32_t i = 0; i < store->n_chunks; i++) {
		memory_free(allocator, store->chunks[i],
			    DECIDED_CHUNK * sizeof *store->chunks[i]);
		memory_free(allocator, store->tallies[i],
			    DECIDED_CHUNK * sizeof *store->tallies[i]);
	}
	memory_free(allocator, store->tallies,
		    store->max_chunks * sizeof *store->tallies);
	memory_free(allocator, store->chunks,
		    store->max_chunks * sizeof *store->chunks);
	memory_free(allocator, store->heads,
		    ((size_t) store->mask + 1) * sizeof *store->heads);
	*store = (struct decided_store) { .vsw = NULL };
}

int
decided_hold(struct decided_store *store, const struct decision *decision,
	     const struct flow_key *key, uint32_t *ret_number)
{
	struct wanted wanted = {
		.decision = decision, .in_port = key->in_port
	};
	uint32_t n_more = decided_n_more(decision->n, decision->n_addresses);
	struct rewrite *more = NULL;
	uint8_t own[FLOW_KEY_SHORT];
	struct decided *decided;

	flow_key_split(key, own, &wanted.rest);
	wanted.hash = hash_of(store, &wanted, flow_key_is_wide(key));
	if (find(store, &wanted, ret_number)) {
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
	*ret_number = take(store);
	if (decision->n_counters
	    && !take_tally(store, decision, *ret_number)) {
		memory_free(&store->vsw->allocator, more,
			    more_size(decision->n, decision->n_addresses));
		give_back(store, *ret_number);
		return -ENOMEM;
	}
	store->n_more += n_more;
	decided = decided_at(store, *ret_number);
	*decided = (struct decided) {
		.rewrite = decision->rewrites[0], .n_rewrites = decision->n,
		.is_usual = is_usual(decision),
		.n_addresses = (uint16_t) decision->n_addresses,
		.n_flows = 1, .deps = decision->deps, .more = more,
		.in_port = wanted.in_port, .hash = wanted.hash,
		.rest = wanted.rest,
		.next = store->heads[wanted.hash & store->mask]
	};
	store->heads[wanted.hash & store->mask] = *ret_number;
	return 0;
}

uint32_t
decided_release(struct decided_store *store, uint32_t number)
{
	struct decided *decided = decided_at(store, number);
	uint32_t n_more = decided_n_more(decided->n_rewrites,
					 decided->n_addresses);

	if (--decided->n_flows)
		return 0;
	unlink_from_hash(store, number);
	free_more(store, decided);
	free_tally(store, number);
	give_back(store, number);
	store->n_more -= n_more;
	return n_more;
}

void
decided_add(struct decided_store *store, uint32_t number, uint64_t n_packets)
{
	struct tally *tally = *tally_at(store, number);

	if (tally)
		tally->n_packets += n_packets;
}

void
decided_count(struct decided_store *store)
{
	for (uint32_t i = 0; i < store->n_fresh; i++) {
		struct tally *tally = *tally_at(store, i);

		if (tally)
			settle(tally);
	}
}

static void
free_more(const struct decided_store *store, struct decided *decided)
{
	memory_free(&store->vsw->allocator, decided->more,
		    more_size(decided->n_rewrites, decided->n_addresses));
	decided->more = NULL;
}

/* Of its first rewrite and of when it holds: copies mostly differ in these,
 * too. */
static uint32_t
hash_of(const struct decided_store *store, const struct wanted *wanted,
	bool is_wide)
{
	const struct decision *decision = wanted->decision;
	uint64_t seed = store->vsw->seed;
	uint64_t rest = is_wide ? hash_bytes(&wanted->rest,
					     sizeof wanted->rest, seed) : 0;
	const struct dependencies *deps = &decision->deps;
	uint64_t counters = decision->n_counters
			    ? hash_bytes(decision->counters,
					 decision->n_counters
					 * sizeof *decision->counters, seed)
			    : 0;

	return hash_short(rest ^ counters ^ hash_bytes(decision->rewrites,
				     sizeof *decision->rewrites, seed)
			  ^ hash_bytes(deps->of, sizeof deps->of,
				       seed ^ deps->sum)
			  ^ (uint64_t) decision->n << 32 ^ wanted->in_port);
}

static bool
find(struct decided_store *store, const struct wanted *wanted,
     uint32_t *ret_number)
{
	for (uint32_t number = store->heads[wanted->hash & store->mask];
	     number != NO_DECIDED; number = decided_at(store, number)->next)
		if (is_of(decided_at(store, number), wanted)
		    && counts_alike(*tally_at(store, number),
				    wanted->decision)) {
			*ret_number = number;
			return true;
		}
	return false;
}

static bool
is_of(const struct decided *decided, const struct wanted *wanted)
{
	const struct decision *decision = wanted->decision;

	return decided->hash == wanted->hash
	       && decided->in_port == wanted->in_port
	       && !memcmp(&decided->rest, &wanted->rest, sizeof decided->rest)
	       && decided->n_rewrites == decision->n
	       && depends_alike(&decided->deps, &decision->deps)
	       && !memcmp(&decided->rewrite, decision->rewrites,
			  sizeof decided->rewrite)
	       && (decision->n == 1
		   || !memcmp(decided->more, decision->rewrites + 1,
			      (decision->n - 1) * sizeof *decided->more))
	       && decided->n_addresses == decision->n_addresses
	       && (!decision->n_addresses
		   || !memcmp(decided_addresses(decided), decision->addresses,
			      decision->n_addresses
			      * sizeof *decision->addresses));
}

static bool
counts_alike(const struct tally *tally, const struct decision *decision)
{
	uint32_t n = tally ? tally->n : 0;

	return n == decision->n_counters
	       && (!n || !memcmp(tally->of, decision->counters,
				 n * sizeof *tally->of));
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
	const struct vsw_allocator *allocator = &store->vsw->allocator;
	struct decided *chunk;
	struct tally **tallies;

	if (store->free != NO_DECIDED
	    || store->n_fresh < store->n_chunks * DECIDED_CHUNK)
		return true;
	if (store->n_chunks == store->max_chunks)
		return false;
	chunk = memory_alloc(allocator, _Alignof(struct decided),
			     DECIDED_CHUNK * sizeof *chunk);
	tallies = memory_alloc(allocator, 0, DECIDED_CHUNK * sizeof *tallies);
	if (!chunk || !tallies) {
		memory_free(allocator, chunk, DECIDED_CHUNK * sizeof *chunk);
		memory_free(allocator, tallies,
			    DECIDED_CHUNK * sizeof *tallies);
		return false;
	}
	store->tallies[store->n_chunks] = tallies;
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

static void
give_back(struct decided_store *store, uint32_t number)
{
	decided_at(store, number)->next = store->free;
	store->free = number;
}

static struct rewrite *
copy_more(const struct decided_store *store, const struct decision *decision)
{
	uint32_t n = decision->n - 1;
	struct rewrite *more =
		memory_alloc(&store->vsw->allocator, 0,
			     more_size(decision->n, decision->n_addresses));

	if (!more)
		return NULL;
	memcpy(more, decision->rewrites + 1, n * sizeof *more);
	if (decision->n_addresses)
		memcpy(more + n, decision->addresses,
		       decision->n_addresses * sizeof *decision->addresses);
	return more;
}

static size_t
more_size(uint32_t n_rewrites, uint32_t n_addresses)
{
	return (n_rewrites - 1) * sizeof(struct rewrite)
	       + n_addresses * sizeof(struct new_address);
}

/* Rules hold them as long as they can be found, and this is right behind
 * that. */
static bool
take_tally(struct decided_store *store, const struct decision *decision,
	   uint32_t number)
{
	uint32_t n = decision->n_counters;
	struct tally *tally = memory_alloc(&store->vsw->allocator, 0,
					   sizeof *tally
					   + n * sizeof *tally->of);

	if (!tally)
		return false;
	tally->n = n;
	for (uint32_t i = 0; i < n; i++)
		tally->of[i] = counter_ref(decision->counters[i]);
	*tally_at(store, number) = tally;
	return true;
}

static void
settle(struct tally *tally)
{
	for (uint32_t i = 0; i < tally->n && tally->n_packets; i++)
		counter_add(tally->of[i], tally->n_packets);
	tally->n_packets = 0;
}

static void
free_tally(struct decided_store *store, uint32_t number)
{
	struct tally **at = tally_at(store, number), *tally = *at;

	if (!tally)
		return;
	*at = NULL;
	settle(tally);
	for (uint32_t i = 0; i < tally->n; i++)
		vsw_counter_unref(tally->of[i]);
	memory_free(&store->vsw->allocator, tally,
		    sizeof *tally + tally->n * sizeof *tally->of);
}

static struct tally **
tally_at(const struct decided_store *store, uint32_t number)
{
	return &store->tallies[number / DECIDED_CHUNK][number % DECIDED_CHUNK];
}

static bool
is_usual(const struct decision *decision)
{
	const struct rewrite *rewrite = decision->rewrites;

	return decision->n == 1 && rewrite->drop == VSW_N_DROPS
	       && !(rewrite->ops & (REWRITE_PUNT | REWRITE_FLOOD))
	       && rewrite->port;
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
