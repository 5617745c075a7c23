/* SPDX-License-Identifier: Apache-2.0 */

/* Station 2 of the packet's way: see worker.c.
 *
 * Buckets of one cache line hold eight tags and places; what does not fit goes
 * to the next bucket, and each bucket counts what has passed it, so that a
 * search ends at the first bucket that nothing passed and removal leaves no
 * gravestones.  At most half of the room is ever in use.
 *
 * Flows stand in chunks that are never moved.  Two orders of age run through
 * them, of all flows and of each port's; a flow is put at the new end when it
 * is used and has not been put there for a second, so that hits write to one
 * flow alone.  Memory for copies is bounded like flows are.  A heap of ports by
 * what they hold, flows and copies alike, says who gives way. */

#include "libvswitch/datapath/flow.h"

#include <errno.h>
#include <string.h>

#include "libvswitch/base/hash.h"
#include "libvswitch/base/memory.h"
#include "libvswitch/base/probe.h"
#include "libvswitch/base/switch.h"
#include "libvswitch/datapath/batch.h"
#include "libvswitch/datapath/decide.h"
#include "libvswitch/datapath/worker.h"
#include "libvswitch/policy/mapping.h"
#include "libvswitch/policy/port.h"

enum {
	BUCKET_FLOWS = 8,
	CHUNK_FLOWS = 64,		/* More than a batch: the first chunk
					 * always has one to give. */
	NO_FLOW = UINT32_MAX,
	MORE_PER_FLOW = 4,		/* Rewrites, on the average. */
	PLACE_NS = 1000000000		/* How fine ages are. */
};

_Static_assert((int) CHUNK_FLOWS > (int) BATCH_MAX,
	       "a batch could use up all flows");

struct bucket {
	_Alignas(64) uint16_t tags[BUCKET_FLOWS];	/* 0: free. */
	uint32_t flows[BUCKET_FLOWS];
	uint32_t n_passed;		/* Flows that wanted a place here or
					 * before, and are behind. */
};

struct age_list {
	uint32_t oldest, newest;
};

struct port_flows {
	struct age_list ages;
	uint32_t n;
	uint32_t n_more;		/* Rewrites in its flows' 'more'. */
	uint32_t heap_at;
};

struct chunk {
	struct flow flows[CHUNK_FLOWS];
};

struct flow_table {
	struct vsw *vsw;
	struct hash_secret secret;	/* Of the switch's seed. */
	uint64_t idle_ns;
	uint32_t max_flows, n_flows;
	uint64_t max_more, n_more;	/* Rewrites in flows' 'more'. */
	uint32_t mask;			/* Number of buckets - 1. */
	uint32_t batch;
	struct bucket *buckets;
	struct chunk **chunks;
	uint32_t n_chunks, max_chunks;
	uint32_t n_fresh;		/* Flows ever taken from chunks. */
	uint32_t free;			/* Put away; linked by 'older'. */
	struct age_list ages;
	struct port_flows *ports;	/* options.max_ports. */
	uint32_t *heap;			/* Ports; who holds most first. */
};

static uint32_t count_buckets(uint32_t max_flows);
static inline void touch(struct flow_table *, struct flow *, uint64_t now);
static void put_in_order(struct flow_table *, struct flow *, uint64_t now);
static uint16_t tag_of(uint32_t hash);
static struct flow *flow_at(const struct flow_table *, uint32_t place);
static uint32_t hash_key(const struct flow_table *, const struct flow_key *);
static struct flow *candidate(const struct flow_table *, uint32_t hash);
static unsigned find_tag(const uint16_t tags[4], uint16_t tag);
static bool set_rewrites(struct flow_table *, struct flow *,
			 const struct decision *);
static void drop_more(struct flow_table *, struct flow *);
static uint32_t take(struct flow_table *);
static bool grow(struct flow_table *);
static bool make_way(struct flow_table *);
static uint32_t oldest_of(const struct flow_table *, uint32_t in_port);
static void insert(struct flow_table *, uint32_t place);
static void put_away(struct flow_table *, uint32_t place);
static void unindex(struct flow_table *, uint32_t place);
static void link_newest(struct flow_table *, uint32_t place);
static void unlink_ages(struct flow_table *, uint32_t place);
static void heap_up(struct flow_table *, uint32_t at);
static void heap_down(struct flow_table *, uint32_t at);
static void heap_swap(struct flow_table *, uint32_t a, uint32_t b);
static uint32_t heap_n(const struct flow_table *, uint32_t at);

/* Three passes, so that the lines that a packet needs are on their way while
 * others are looked at: hash, then tags, then keys. */
void
batch_lookup(struct vsw_worker *worker, struct batch *batch)
{
	struct flow_table *t = worker->flows;
	struct port_counts *counts = &batch->port->counts[worker->index];
	const struct generations *generations = &worker->vsw->generations;
	unsigned n_hit = 0, n_missed = 0, n_stale = 0;
	uint32_t missed = batch->live;

	flow_batch(t);
	for (uint32_t left = batch->live; left; left &= left - 1) {
		unsigned i = (unsigned) __builtin_ctz(left);

		batch->hashes[i] = hash_key(t, &batch->headers[i].key);
		__builtin_prefetch(&t->buckets[batch->hashes[i] & t->mask]);
	}
	for (uint32_t left = batch->live; left; left &= left - 1) {
		unsigned i = (unsigned) __builtin_ctz(left);
		struct flow *flow = candidate(t, batch->hashes[i]);

		batch->flows[i] = flow;
		if (!flow)
			continue;
		__builtin_prefetch(flow, 0);
		__builtin_prefetch((char *) flow + 64, 1);
		__builtin_prefetch((char *) flow + 128, 1);
		__builtin_prefetch((char *) flow + 192, 1);
	}
	for (uint32_t left = batch->live; left; left &= left - 1) {
		unsigned i = (unsigned) __builtin_ctz(left);
		const struct flow_key *key = &batch->headers[i].key;
		struct flow *flow = batch->flows[i];

		if (!flow || !flow_key_equal(&flow->key, key))
			flow = flow_find(t, key, batch->hashes[i]);
		batch->flows[i] = NULL;
		if (!flow) {
			n_missed++;
			PROBE2(flow_miss, worker, &batch->headers[i]);
		} else if (!dependencies_hold(&flow->deps, generations)) {
			n_stale++;
			PROBE2(flow_stale, worker, flow);
		} else {
			n_hit++;
			touch(t, flow, batch->now);
			batch->flows[i] = flow;
			missed &= ~(UINT32_C(1) << i);
			PROBE2(flow_hit, worker, flow);
		}
	}
	batch->missed = missed;
	count_add(&counts->flows_hit, n_hit);
	count_add(&counts->flows_missed, n_missed);
	count_add(&counts->flows_stale, n_stale);
}

int
flow_table_new(struct vsw *vsw, uint32_t max_flows,
	       struct flow_table **ret_table)
{
	const struct vsw_allocator *allocator = &vsw->allocator;
	uint32_t n_ports = vsw->options.max_ports;
	struct flow_table *t = memory_alloc(allocator, 0, sizeof *t);

	if (!t)
		return -ENOMEM;
	if (max_flows < CHUNK_FLOWS)
		max_flows = CHUNK_FLOWS;
	t->vsw = vsw;
	t->secret = hash_secret_of(vsw->seed);
	t->idle_ns = vsw->options.flow_idle_s * UINT64_C(1000000000);
	t->max_flows = max_flows;
	/* A batch of the longest floods is to fit in any case. */
	t->max_more = (uint64_t) max_flows * MORE_PER_FLOW;
	if (t->max_more < BATCH_MAX * MAPPING_LOCATIONS_MAX)
		t->max_more = BATCH_MAX * MAPPING_LOCATIONS_MAX;
	t->max_chunks = (max_flows + CHUNK_FLOWS - 1) / CHUNK_FLOWS;
	t->mask = count_buckets(max_flows) - 1;
	t->batch = 1;
	t->free = NO_FLOW;
	t->ages = (struct age_list) { NO_FLOW, NO_FLOW };

	t->buckets = memory_alloc(allocator, _Alignof(struct bucket),
				  ((size_t) t->mask + 1) * sizeof *t->buckets);
	t->chunks = memory_alloc(allocator, 0,
				 t->max_chunks * sizeof *t->chunks);
	t->ports = memory_alloc(allocator, 0, n_ports * sizeof *t->ports);
	t->heap = memory_alloc(allocator, 0, n_ports * sizeof *t->heap);
	if (!t->buckets || !t->chunks || !t->ports || !t->heap || !grow(t)) {
		flow_table_free(t);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < n_ports; i++) {
		t->ports[i].ages = t->ages;
		t->ports[i].heap_at = t->heap[i] = i;
	}
	*ret_table = t;
	return 0;
}

void
flow_table_free(struct flow_table *t)
{
	if (!t)
		return;

	const struct vsw_allocator *allocator = &t->vsw->allocator;
	uint32_t n_ports = t->vsw->options.max_ports;

	for (uint32_t place = 0; place < t->n_fresh; place++)
		drop_more(t, flow_at(t, place));
	for (uint32_t i = 0; i < t->n_chunks; i++)
		memory_free(allocator, t->chunks[i], sizeof *t->chunks[i]);
	memory_free(allocator, t->buckets,
		    ((size_t) t->mask + 1) * sizeof *t->buckets);
	memory_free(allocator, t->chunks, t->max_chunks * sizeof *t->chunks);
	memory_free(allocator, t->ports, n_ports * sizeof *t->ports);
	memory_free(allocator, t->heap, n_ports * sizeof *t->heap);
	memory_free(allocator, t, sizeof *t);
}

uint32_t
flow_hash(const struct flow_key *key, uint64_t seed)
{
	return hash_short(hash_bytes(key, sizeof *key, seed));
}

struct flow *
flow_find(struct flow_table *t, const struct flow_key *key, uint32_t hash)
{
	uint16_t tag = tag_of(hash);

	for (uint32_t n = 0; n <= t->mask; n++) {
		const struct bucket *bucket = &t->buckets[(hash + n) & t->mask];

		for (unsigned i = 0; i < BUCKET_FLOWS; i++) {
			struct flow *flow;

			if (bucket->tags[i] != tag)
				continue;
			flow = flow_at(t, bucket->flows[i]);
			if (flow->hash == hash
			    && flow_key_equal(&flow->key, key))
				return flow;
		}
		if (!bucket->n_passed)
			break;
	}
	return NULL;
}

/* Numbers of batches wrap around after billions; a flow that looks as if this
 * batch had touched it stays a little longer, and that is all. */
void
flow_batch(struct flow_table *t)
{
	t->batch++;
}

void
flow_touch(struct flow_table *t, struct flow *flow, uint64_t now)
{
	touch(t, flow, now);
}

struct flow *
flow_put(struct flow_table *t, const struct flow_key *key, uint32_t hash,
	 const struct decision *decision, uint64_t now)
{
	struct flow *flow = flow_find(t, key, hash);
	uint32_t place;

	if (flow) {
		/* Not to give way to its own copies. */
		flow->batch = t->batch;
		if (!set_rewrites(t, flow, decision))
			return NULL;
		flow_touch(t, flow, now);
		return flow;
	}

	place = take(t);
	if (place == NO_FLOW)
		return NULL;
	flow = flow_at(t, place);
	*flow = (struct flow) {
		.key = *key, .hash = hash, .used_ns = now, .placed_ns = now,
		.batch = t->batch
	};
	if (!set_rewrites(t, flow, decision)) {
		flow->older = t->free;
		t->free = place;
		return NULL;
	}
	insert(t, place);
	return flow;
}

void
flow_give_way(struct flow_table *t, uint32_t in_port)
{
	uint32_t place = oldest_of(t, in_port);

	if (place != NO_FLOW)
		put_away(t, place);
}

uint64_t
flow_expire(struct flow_table *t, uint64_t now, size_t n)
{
	while (t->ages.oldest != NO_FLOW) {
		const struct flow *flow = flow_at(t, t->ages.oldest);

		if (now - flow->used_ns < t->idle_ns || !n--)
			return flow->used_ns + t->idle_ns;
		put_away(t, t->ages.oldest);
	}
	return UINT64_MAX;
}

size_t
flow_count(const struct flow_table *t)
{
	return t->n_flows;
}

size_t
flow_count_port(const struct flow_table *t, uint32_t in_port)
{
	return t->ports[in_port].n;
}

struct flow *
flow_first(const struct flow_table *t)
{
	return t->ages.oldest == NO_FLOW ? NULL : flow_at(t, t->ages.oldest);
}

struct flow *
flow_next(const struct flow_table *t, const struct flow *flow)
{
	return flow->newer == NO_FLOW ? NULL : flow_at(t, flow->newer);
}

static uint32_t
count_buckets(uint32_t max_flows)
{
	uint32_t n = 1;

	while (n < (uint64_t) max_flows * 2 / BUCKET_FLOWS)
		n *= 2;
	return n;
}

/* Most flows were put in order a moment ago. */
static inline void
touch(struct flow_table *t, struct flow *flow, uint64_t now)
{
	flow->used_ns = now;
	flow->batch = t->batch;
	if (now - flow->placed_ns >= PLACE_NS)
		put_in_order(t, flow, now);
}

static void
put_in_order(struct flow_table *t, struct flow *flow, uint64_t now)
{
	uint32_t place = flow->newer == NO_FLOW
			 ? t->ages.newest
			 : flow_at(t, flow->newer)->older;

	unlink_ages(t, place);
	flow->placed_ns = now;
	link_newest(t, place);
}

/* Of the half of the hash that does not choose the bucket (but for the very
 * largest tables), and never 0. */
static uint16_t
tag_of(uint32_t hash)
{
	uint16_t tag = (uint16_t) (hash >> 16);

	return tag ? tag : 1;
}

static struct flow *
flow_at(const struct flow_table *t, uint32_t place)
{
	return &t->chunks[place / CHUNK_FLOWS]->flows[place % CHUNK_FLOWS];
}

/* As flow_hash(). */
static uint32_t
hash_key(const struct flow_table *t, const struct flow_key *key)
{
	return hash_short(hash_with(key, sizeof *key, &t->secret));
}

/* The flow that flow_find() will most likely find; NULL: no idea. */
static struct flow *
candidate(const struct flow_table *t, uint32_t hash)
{
	const struct bucket *bucket = &t->buckets[hash & t->mask];
	unsigned i = find_tag(bucket->tags, tag_of(hash));

	if (i == BUCKET_FLOWS)
		i = 4 + find_tag(bucket->tags + 4, tag_of(hash));
	return i < BUCKET_FLOWS ? flow_at(t, bucket->flows[i]) : NULL;
}

/* The first of four tags that is this one; BUCKET_FLOWS: none.  All at once: a
 * lane of zeros is the lowest one that borrows. */
static unsigned
find_tag(const uint16_t tags[4], uint16_t tag)
{
	const uint64_t ones = UINT64_C(0x0001000100010001);
	uint64_t lanes;
	unsigned i;

	memcpy(&lanes, tags, sizeof lanes);
	lanes ^= tag * ones;
	lanes = (lanes - ones) & ~lanes & ones << 15;
	if (!lanes)
		return BUCKET_FLOWS;
	i = (unsigned) __builtin_ctzll(lanes) / 16;
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? i : 3 - i;
}

/* All or nothing: a flow keeps what it had when there is no memory. */
static bool
set_rewrites(struct flow_table *t, struct flow *flow,
	     const struct decision *decision)
{
	struct port_flows *port = &t->ports[flow->key.in_port];
	uint32_t n_more = decision->n - 1;
	struct rewrite *more = NULL;

	if (n_more) {
		size_t size = n_more * sizeof *more;

		while (t->n_more + n_more > t->max_more)
			if (!make_way(t))
				return false;
		more = memory_alloc(&t->vsw->allocator, 0, size);
		if (!more)
			return false;
		memcpy(more, decision->rewrites + 1, size);
	}
	drop_more(t, flow);
	t->n_more += n_more;
	port->n_more += n_more;
	heap_up(t, port->heap_at);
	flow->deps = decision->deps;
	flow->rewrite = decision->rewrites[0];
	flow->more = more;
	flow->n_rewrites = decision->n;
	return true;
}

static void
drop_more(struct flow_table *t, struct flow *flow)
{
	struct port_flows *port = &t->ports[flow->key.in_port];
	uint32_t n_more = flow->n_rewrites - 1;

	if (!flow->more)
		return;
	memory_free(&t->vsw->allocator, flow->more,
		    n_more * sizeof *flow->more);
	flow->more = NULL;
	t->n_more -= n_more;
	port->n_more -= n_more;
	heap_down(t, port->heap_at);
}

/* A place for a new flow; NO_FLOW: the batch uses all there are. */
static uint32_t
take(struct flow_table *t)
{
	bool is_full = t->n_flows >= t->max_flows;
	uint32_t place;

	if (!is_full && t->free == NO_FLOW
	    && t->n_fresh == t->n_chunks * CHUNK_FLOWS)
		is_full = !grow(t);
	if (is_full && !make_way(t))
		return NO_FLOW;
	if (t->free == NO_FLOW)
		return t->n_fresh++;
	place = t->free;
	t->free = flow_at(t, place)->older;
	return place;
}

static bool
grow(struct flow_table *t)
{
	struct chunk *chunk;

	if (t->n_chunks == t->max_chunks)
		return false;
	chunk = memory_alloc(&t->vsw->allocator, 64, sizeof *chunk);
	if (!chunk)
		return false;
	t->chunks[t->n_chunks++] = chunk;
	return true;
}

/* The oldest flow of the port that holds most, unless this batch uses it.  All
 * flows of a batch are of one port, so that at most BATCH_MAX are passed over;
 * if that port has no other, the oldest of all. */
static bool
make_way(struct flow_table *t)
{
	uint32_t place = oldest_of(t, t->heap[0]);

	if (place == NO_FLOW)
		place = t->ages.oldest;
	while (place != NO_FLOW && flow_at(t, place)->batch == t->batch)
		place = flow_at(t, place)->newer;
	if (place == NO_FLOW)
		return false;
	put_away(t, place);
	return true;
}

static uint32_t
oldest_of(const struct flow_table *t, uint32_t in_port)
{
	uint32_t place = t->ports[in_port].ages.oldest;

	while (place != NO_FLOW && flow_at(t, place)->batch == t->batch)
		place = flow_at(t, place)->port_newer;
	return place;
}

static void
insert(struct flow_table *t, uint32_t place)
{
	const struct flow *flow = flow_at(t, place);
	uint32_t b = flow->hash & t->mask;
	struct port_flows *port = &t->ports[flow->key.in_port];
	unsigned i = 0;

	while (t->buckets[b].tags[i]) {
		if (++i < BUCKET_FLOWS)
			continue;
		t->buckets[b].n_passed++;
		b = (b + 1) & t->mask;
		i = 0;
	}
	t->buckets[b].tags[i] = tag_of(flow->hash);
	t->buckets[b].flows[i] = place;

	link_newest(t, place);
	t->n_flows++;
	port->n++;
	heap_up(t, port->heap_at);
}

static void
put_away(struct flow_table *t, uint32_t place)
{
	struct flow *flow = flow_at(t, place);
	struct port_flows *port = &t->ports[flow->key.in_port];

	unindex(t, place);
	unlink_ages(t, place);
	drop_more(t, flow);
	flow->older = t->free;
	t->free = place;
	t->n_flows--;
	port->n--;
	heap_down(t, port->heap_at);
}

static void
unindex(struct flow_table *t, uint32_t place)
{
	for (uint32_t b = flow_at(t, place)->hash & t->mask;;
	     b = (b + 1) & t->mask) {
		struct bucket *bucket = &t->buckets[b];

		for (unsigned i = 0; i < BUCKET_FLOWS; i++)
			if (bucket->tags[i] && bucket->flows[i] == place) {
				bucket->tags[i] = 0;
				return;
			}
		bucket->n_passed--;
	}
}

static void
link_newest(struct flow_table *t, uint32_t place)
{
	struct flow *flow = flow_at(t, place);
	struct age_list *of_port = &t->ports[flow->key.in_port].ages;

	flow->older = t->ages.newest;
	flow->newer = NO_FLOW;
	if (flow->older == NO_FLOW)
		t->ages.oldest = place;
	else
		flow_at(t, flow->older)->newer = place;
	t->ages.newest = place;

	flow->port_older = of_port->newest;
	flow->port_newer = NO_FLOW;
	if (flow->port_older == NO_FLOW)
		of_port->oldest = place;
	else
		flow_at(t, flow->port_older)->port_newer = place;
	of_port->newest = place;
}

static void
unlink_ages(struct flow_table *t, uint32_t place)
{
	struct flow *flow = flow_at(t, place);
	struct age_list *of_port = &t->ports[flow->key.in_port].ages;

	if (flow->older == NO_FLOW)
		t->ages.oldest = flow->newer;
	else
		flow_at(t, flow->older)->newer = flow->newer;
	if (flow->newer == NO_FLOW)
		t->ages.newest = flow->older;
	else
		flow_at(t, flow->newer)->older = flow->older;

	if (flow->port_older == NO_FLOW)
		of_port->oldest = flow->port_newer;
	else
		flow_at(t, flow->port_older)->port_newer = flow->port_newer;
	if (flow->port_newer == NO_FLOW)
		of_port->newest = flow->port_older;
	else
		flow_at(t, flow->port_newer)->port_older = flow->port_older;
}

static void
heap_up(struct flow_table *t, uint32_t at)
{
	while (at > 0 && heap_n(t, at) > heap_n(t, (at - 1) / 2)) {
		heap_swap(t, at, (at - 1) / 2);
		at = (at - 1) / 2;
	}
}

static void
heap_down(struct flow_table *t, uint32_t at)
{
	for (;;) {
		uint32_t most = at;

		for (uint32_t child = 2 * at + 1; child <= 2 * at + 2; child++)
			if (child < t->vsw->options.max_ports
			    && heap_n(t, child) > heap_n(t, most))
				most = child;
		if (most == at)
			return;
		heap_swap(t, at, most);
		at = most;
	}
}

static void
heap_swap(struct flow_table *t, uint32_t a, uint32_t b)
{
	uint32_t port = t->heap[a];

	t->heap[a] = t->heap[b];
	t->heap[b] = port;
	t->ports[t->heap[a]].heap_at = a;
	t->ports[t->heap[b]].heap_at = b;
}

static uint32_t
heap_n(const struct flow_table *t, uint32_t at)
{
	const struct port_flows *port = &t->ports[t->heap[at]];

	return port->n + port->n_more;
}
