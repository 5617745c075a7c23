/* SPDX-License-Identifier: Apache-2.0 */

/* Station 2 of the packet's way: see worker.c.  How the table is built is told
 * in flow_table.h. */

#include "libvswitch/datapath/flow.h"

#include <errno.h>
#include <string.h>

#include "libvswitch/base/hash.h"
#include "libvswitch/base/memory.h"
#include "libvswitch/base/probe.h"
#include "libvswitch/base/switch.h"
#include "libvswitch/datapath/batch.h"
#include "libvswitch/datapath/decide.h"
#include "libvswitch/datapath/flow_table.h"
#include "libvswitch/datapath/worker.h"
#include "libvswitch/policy/mapping.h"
#include "libvswitch/policy/port.h"

enum {
	MORE_PER_FLOW = 4,		/* Copies' rewrites, on the average. */
	IDLE_MAX_S = 32767,		/* Half of what 'used_s' counts to. */
	ORDER_PARTS = 8			/* Of the idle time: how fine the
					 * orders of age are. */
};

#define NS_PER_S UINT64_C(1000000000)

_Static_assert((int) FLOWS_MIN > (int) BATCH_MAX
	       && (int) DECIDED_CHUNK > (int) BATCH_MAX,
	       "a batch could use up all flows");

static inline void hash_keys(const struct flow_table *, struct batch *);
static inline void find_candidates(const struct flow_table *, struct batch *);
static inline struct flow *candidate(const struct flow_table *, uint32_t hash);
static inline unsigned find_tag(const uint16_t tags[4], uint16_t tag);
static inline uint16_t tag_of(uint32_t hash);
static inline bool is_of(const struct flow_table *, const struct flow *,
			 const struct flow_key *);
static inline enum follow_verdict judge(struct vsw_worker *, struct batch *,
					unsigned i, struct flow *,
					uint16_t now_s);
static inline uint8_t load_flags(const struct flow *);
static inline bool must_look(const struct flow *, uint8_t flags,
			     const struct headers *, uint16_t now_s);
static inline void touch(struct flow_table *, struct flow *, uint16_t now_s);
static void touch_in_new_second(struct flow_table *, struct flow *,
				uint16_t now_s);
static uint32_t count_buckets(uint32_t max_flows);
static bool set_decided(struct flow_table *, struct flow *,
			const struct flow_key *, const struct decision *);
static void drop_decided(struct flow_table *, uint32_t in_port,
			 uint32_t number);
static void count_rules(struct flow_table *, struct flow *);
static struct flow *take(struct flow_table *);
static void give_back(struct flow_table *, struct flow *);
static void clear(struct flow *);
static bool make_way(struct flow_table *);
static void insert(struct flow_table *, struct flow *, uint32_t hash);
static void count_one_more(struct port_flows *);
static void put_away(struct flow_table *, struct flow *);
static void unindex(struct flow_table *, const struct flow *);

/* Three passes, so that the lines that a packet needs are on their way while
 * others are looked at: hash, then tags, then keys. */
void
batch_lookup(struct vsw_worker *worker, struct batch *batch)
{
	struct flow_table *t = worker->flows;
	struct port_counts *counts = &batch->port->counts[worker->index];
	uint16_t now_s = (uint16_t) (batch->now / NS_PER_S);
	unsigned n_missed, n_stale = 0;
	uint32_t missed = 0;

	flow_batch(t);
	hash_keys(t, batch);
	find_candidates(t, batch);
	for (uint32_t left = batch->live; left; left &= left - 1) {
		unsigned i = (unsigned) __builtin_ctz(left);
		const struct flow_key *key = &batch->headers[i].key;
		struct flow *flow = batch->flows[i];
		enum follow_verdict verdict = FOLLOW_STALE;

		if (!flow || !is_of(t, flow, key))
			flow = flow_find(t, key, batch->hashes[i]);
		if (flow)
			verdict = judge(worker, batch, i, flow, now_s);
		if (verdict == FOLLOW_HOLDS) {
			batch->flows[i] = flow;
			batch->decided[i] = decided_at(&t->decided,
						       flow->decided);
			PROBE2(flow_hit, worker, flow);
			continue;
		}
		if (verdict == FOLLOW_INVALID) {
			batch_drop(batch, i, VSW_DROP_CONNECTION_STATE);
			continue;
		}
		batch->flows[i] = flow;
		missed |= UINT32_C(1) << i;
		if (flow) {
			n_stale++;
			PROBE2(flow_stale, worker, flow);
		} else {
			PROBE2(flow_miss, worker, &batch->headers[i]);
		}
	}
	batch->missed = missed;
	n_missed = (unsigned) __builtin_popcount(missed);
	count_add(&counts->flows_hit,
		  (unsigned) __builtin_popcount(batch->live) - n_missed);
	count_add(&counts->flows_missed, n_missed - n_stale);
	count_add(&counts->flows_stale, n_stale);
}

int
flow_table_new(struct vsw *vsw, uint32_t max_flows,
	       struct flow_table **ret_table)
{
	const struct vsw_allocator *allocator = &vsw->allocator;
	uint32_t n_ports = vsw->options.max_ports;
	struct flow_table *t = memory_alloc(allocator, 0, sizeof *t);
	uint64_t max_more;

	if (!t)
		return -ENOMEM;
	if (max_flows < FLOWS_MIN)
		max_flows = FLOWS_MIN;
	t->vsw = vsw;
	t->secret = hash_secret_of(vsw->seed);
	t->idle_s = vsw->options.flow_idle_s < IDLE_MAX_S
		    ? vsw->options.flow_idle_s : IDLE_MAX_S;
	while ((uint32_t) ORDER_PARTS << (t->order_shift + 1) <= t->idle_s)
		t->order_shift++;
	t->max_flows = max_flows;
	/* A batch of the longest floods is to fit in any case. */
	max_more = (uint64_t) max_flows * MORE_PER_FLOW;
	if (max_more < BATCH_MAX * MAPPING_LOCATIONS_MAX)
		max_more = BATCH_MAX * MAPPING_LOCATIONS_MAX;
	t->mask = count_buckets(max_flows) - 1;
	t->batch = 1;
	t->free = NO_FLOW;
	t->ages = (struct age_list) { NO_FLOW, NO_FLOW };

	t->buckets = memory_alloc(allocator, _Alignof(struct bucket),
				  ((size_t) t->mask + 1) * sizeof *t->buckets);
	t->flows = memory_alloc_raw(allocator, _Alignof(struct flow),
				    max_flows * sizeof *t->flows);
	t->ports = memory_alloc(allocator, 0, n_ports * sizeof *t->ports);
	/* One more: a stale flow's is put in place before the old one goes. */
	if (!t->buckets || !t->flows || !t->ports
	    || ranking_init(&t->holders, allocator, n_ports)
	    || decided_init(&t->decided, vsw, max_flows + 1, max_more)) {
		flow_table_free(t);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < n_ports; i++)
		t->ports[i].ages = t->ages;
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

	decided_done(&t->decided);
	memory_free(allocator, t->buckets,
		    ((size_t) t->mask + 1) * sizeof *t->buckets);
	memory_free(allocator, t->flows, t->max_flows * sizeof *t->flows);
	memory_free(allocator, t->ports, n_ports * sizeof *t->ports);
	ranking_done(&t->holders, allocator);
	memory_free(allocator, t, sizeof *t);
}

_Atomic uint8_t *
flow_table_ear(const struct flow_table *t)
{
	return &t->flows[0].flags;
}

uint32_t
flow_hash(const struct flow_key *key, uint64_t seed)
{
	struct hash_secret secret = hash_secret_of(seed);

	return flow_key_hash(key, &secret);
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
			flow = flow_table_at(t, bucket->flows[i]);
			if (is_of(t, flow, key))
				return flow;
		}
		if (!bucket->n_passed)
			break;
	}
	return NULL;
}

/* Numbers of batches wrap around soon; a flow that looks as if this batch had
 * touched it stays a little longer, and that is all. */
void
flow_batch(struct flow_table *t)
{
	t->batch++;
}

void
flow_touch(struct flow_table *t, struct flow *flow, uint64_t now)
{
	touch(t, flow, (uint16_t) (now / NS_PER_S));
}

struct flow *
flow_put(struct flow_table *t, const struct flow_key *key, uint32_t hash,
	 const struct decision *decision, uint64_t now)
{
	struct flow *flow = flow_find(t, key, hash);
	struct flow_key_rest rest;

	if (flow) {
		uint32_t old = flow->decided;

		count_rules(t, flow);
		/* Not to give way to its own copies. */
		flow->batch = t->batch;
		if (!set_decided(t, flow, key, decision))
			return NULL;
		drop_decided(t, key->in_port, old);
		flow_touch(t, flow, now);
		return flow;
	}

	flow = take(t);
	if (!flow)
		return NULL;
	clear(flow);
	flow->used_s = (uint16_t) (now / NS_PER_S);
	flow->batch = t->batch;
	flow_key_split(key, flow->key, &rest);
	if (!set_decided(t, flow, key, decision)) {
		give_back(t, flow);
		return NULL;
	}
	insert(t, flow, hash);
	return flow;
}

void
flow_give_way(struct flow_table *t, uint32_t in_port)
{
	struct flow *flow = flow_ages_oldest_of(t, in_port);

	if (flow)
		put_away(t, flow);
}

uint64_t
flow_expire(struct flow_table *t, uint64_t now, size_t n)
{
	while (t->ages.oldest != NO_FLOW) {
		struct flow *flow = flow_table_at(t, t->ages.oldest);
		uint64_t now_s = now / NS_PER_S;
		uint16_t idle_s = (uint16_t) (now_s - flow->used_s);

		if (idle_s < t->idle_s || !n--)
			return (now_s - idle_s + t->idle_s) * NS_PER_S;
		put_away(t, flow);
	}
	return UINT64_MAX;
}

enum follow_verdict
flow_look(struct vsw_worker *worker, struct batch *batch, unsigned i,
	  struct flow *flow)
{
	const struct flow_table *t = worker->flows;
	uint16_t now_s = (uint16_t) (batch->now / NS_PER_S);

	if (!must_look(flow, load_flags(flow), &batch->headers[i], now_s))
		return FOLLOW_HOLDS;
	return follow_look(worker, batch, i, flow,
			   &flow_decided(t, flow)->rewrite);
}

struct decided *
flow_decided(const struct flow_table *t, const struct flow *flow)
{
	return decided_at(&t->decided, flow->decided);
}

void
flow_get_key(const struct flow_table *t, const struct flow *flow,
	     struct flow_key *ret_key)
{
	flow_key_join(flow->key, &flow_decided(t, flow)->rest, ret_key);
}

uint64_t
flow_idle_ns(const struct flow *flow, uint64_t now)
{
	uint16_t idle_s = (uint16_t) (now / NS_PER_S - flow->used_s);

	return idle_s * NS_PER_S;
}

size_t
flow_count(const struct flow_table *t)
{
	return t->n_flows;
}

size_t
flow_count_port(const struct flow_table *t, uint32_t in_port)
{
	return flow_port_n(&t->ports[in_port]);
}

void
flow_count_class(const struct flow_table *t, uint32_t in_port,
		 struct vsw_class_counters *counters)
{
	const struct port_flows *port = &t->ports[in_port];

	counters->n += flow_port_n(port);
	counters->max += atomic_load_explicit(&port->n_max,
					      memory_order_relaxed);
	counters->created += atomic_load_explicit(&port->n_created,
						  memory_order_relaxed);
}

void
flow_forget_class(struct flow_table *t, uint32_t in_port)
{
	atomic_store(&t->ports[in_port].n_max, 0);
	atomic_store(&t->ports[in_port].n_created, 0);
}

bool
flow_count_rules(struct flow_table *t, size_t *at, size_t n)
{
	for (; n && *at < t->n_fresh; n--, ++*at) {
		struct flow *flow = flow_at_place(t, *at);

		if (flow)
			count_rules(t, flow);
	}
	if (*at < t->n_fresh)
		return true;
	/* Decisions keep what their flows have passed until then. */
	decided_count(&t->decided);
	return false;
}

size_t
flow_n_places(const struct flow_table *t)
{
	return t->n_fresh;
}

uint32_t
flow_place(const struct flow_table *t, const struct flow *flow)
{
	return flow_table_place(t, flow);
}

struct flow *
flow_at_place(const struct flow_table *t, size_t place)
{
	struct flow *flow = flow_table_at(t, (uint32_t) place);

	return flow->decided == NO_DECIDED ? NULL : flow;
}

struct flow *
flow_first(const struct flow_table *t)
{
	return t->ages.oldest == NO_FLOW ? NULL
					 : flow_table_at(t, t->ages.oldest);
}

struct flow *
flow_next(const struct flow_table *t, const struct flow *flow)
{
	return flow->newer == NO_FLOW ? NULL : flow_table_at(t, flow->newer);
}

static inline void
hash_keys(const struct flow_table *t, struct batch *batch)
{
	/* A copy, which stores to the batch cannot be taken to change. */
	const struct hash_secret secret = t->secret;

	for (uint32_t left = batch->live; left; left &= left - 1) {
		unsigned i = (unsigned) __builtin_ctz(left);
		uint32_t hash = flow_key_hash(&batch->headers[i].key, &secret);

		batch->hashes[i] = hash;
		__builtin_prefetch(&t->buckets[hash & t->mask]);
	}
}

static inline void
find_candidates(const struct flow_table *t, struct batch *batch)
{
	for (uint32_t left = batch->live; left; left &= left - 1) {
		unsigned i = (unsigned) __builtin_ctz(left);
		struct flow *flow = candidate(t, batch->hashes[i]);

		batch->flows[i] = flow;
		__builtin_prefetch(flow, 1);
	}
}

/* The flow that flow_find() will most likely find; NULL: no idea. */
static inline struct flow *
candidate(const struct flow_table *t, uint32_t hash)
{
	const struct bucket *bucket = &t->buckets[hash & t->mask];
	unsigned i = find_tag(bucket->tags, tag_of(hash));

	if (i == BUCKET_FLOWS)
		i = 4 + find_tag(bucket->tags + 4, tag_of(hash));
	return i < BUCKET_FLOWS ? flow_table_at(t, bucket->flows[i]) : NULL;
}

/* The first of four tags that is this one; BUCKET_FLOWS: none.  All at once: a
 * lane of zeros is the lowest one that borrows. */
static inline unsigned
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

/* Of the half of the hash that does not choose the bucket (but for the very
 * largest tables), and never 0. */
static inline uint16_t
tag_of(uint32_t hash)
{
	return (uint16_t) (hash >> 16 | 1);
}

static inline bool
is_of(const struct flow_table *t, const struct flow *flow,
      const struct flow_key *key)
{
	if (!flow_key_is_wide(key))
		return flow_key_short_equal(flow->key, key);
	return flow_key_is_of(key, flow->key,
			      &decided_at(&t->decided, flow->decided)->rest);
}

/* Does it still say what the policy says, and is its connection's?  Then it is
 * used. */
static inline enum follow_verdict
judge(struct vsw_worker *worker, struct batch *batch, unsigned i,
      struct flow *flow, uint16_t now_s)
{
	struct flow_table *t = worker->flows;
	struct decided *decided = decided_at(&t->decided, flow->decided);
	enum follow_verdict verdict = FOLLOW_HOLDS;
	/* First of all: no compiler moves this load past others. */
	uint8_t flags = load_flags(flow);

	if (!dependencies_hold(&decided->deps, &worker->vsw->generations))
		return FOLLOW_STALE;
	if (__builtin_expect(must_look(flow, flags, &batch->headers[i],
				       now_s), 0))
		verdict = follow_look(worker, batch, i, flow,
				      &decided->rewrite);
	/* What is stale is to be found so again, by classify. */
	if (verdict == FOLLOW_HOLDS)
		touch(t, flow, now_s);
	return verdict;
}

/* Others may set a bit: base/ear.h. */
static inline uint8_t
load_flags(const struct flow *flow)
{
	return atomic_load_explicit(&flow->flags, memory_order_relaxed);
}

/* Connections hear of what may change them, and every 16 seconds that they are
 * used. */
static inline bool
must_look(const struct flow *flow, uint8_t flags, const struct headers *h,
	  uint16_t now_s)
{
	return follow_must_look(flags, h->tcp_flags)
	       || (flags
		   && (flow->used_s ^ now_s) >> FOLLOW_REFRESH_SHIFT);
}

/* Most flows were used in this second before. */
static inline void
touch(struct flow_table *t, struct flow *flow, uint16_t now_s)
{
	flow->batch = t->batch;
	if (flow->used_s != now_s)
		touch_in_new_second(t, flow, now_s);
}

static void
touch_in_new_second(struct flow_table *t, struct flow *flow, uint16_t now_s)
{
	bool is_in_order = flow->used_s >> t->order_shift
			   == now_s >> t->order_shift;

	flow->used_s = now_s;
	if (is_in_order)
		return;
	flow_ages_unlink(t, flow);
	flow_ages_link(t, flow);
}

static uint32_t
count_buckets(uint32_t max_flows)
{
	uint32_t n = 1;

	while (n < (uint64_t) max_flows * 2 / BUCKET_FLOWS)
		n *= 2;
	return n;
}

/* All or nothing: a flow keeps what it had when there is no memory. */
static bool
set_decided(struct flow_table *t, struct flow *flow,
	    const struct flow_key *key, const struct decision *decision)
{
	const struct decided *decided;
	uint32_t in_port = key->in_port;
	int error;

	while ((error = decided_hold(&t->decided, decision, key,
				     &flow->decided)))
		if (error != -ENOSPC || !make_way(t))
			return false;
	decided = flow_decided(t, flow);
	flow->connections[0] = decision->followed.connections[0];
	flow->connections[1] = decision->followed.connections[1];
	flow->serials[0] = decision->followed.serials[0];
	flow->serials[1] = decision->followed.serials[1];
	atomic_store_explicit(&flow->flags, decision->followed.flags,
			      memory_order_relaxed);
	if (decided->n_flows == 1 && decided->more) {
		t->ports[in_port].n_more += decided_n_more(
			decided->n_rewrites, decided->n_addresses);
		flow_ages_weigh(t, in_port);
	}
	return true;
}

static void
drop_decided(struct flow_table *t, uint32_t in_port, uint32_t number)
{
	uint32_t n_more = decided_release(&t->decided, number);

	if (!n_more)
		return;
	t->ports[in_port].n_more -= n_more;
	flow_ages_weigh(t, in_port);
}

static void
count_rules(struct flow_table *t, struct flow *flow)
{
	uint32_t n_packets = flow->n_packets - flow->n_counted;

	if (!n_packets)
		return;
	flow->n_counted = flow->n_packets;
	decided_add(&t->decided, flow->decided, n_packets);
}

/* A place for a new flow; NULL: the batch uses all there are. */
static struct flow *
take(struct flow_table *t)
{
	struct flow *flow;

	if (t->n_flows >= t->max_flows && !make_way(t))
		return NULL;
	if (t->free == NO_FLOW)
		return flow_table_at(t, t->n_fresh++);
	flow = flow_table_at(t, t->free);
	t->free = flow->older;
	return flow;
}

static void
give_back(struct flow_table *t, struct flow *flow)
{
	flow->decided = NO_DECIDED;
	flow->older = t->free;
	t->free = flow_table_place(t, flow);
}

/* All but its flags, which others may be telling something. */
static void
clear(struct flow *flow)
{
	memset(flow, 0, offsetof(struct flow, flags));
	memset(&flow->connections, 0,
	       sizeof *flow - offsetof(struct flow, connections));
}

static bool
make_way(struct flow_table *t)
{
	struct flow *flow = flow_ages_first_to_go(t);

	if (!flow)
		return false;
	put_away(t, flow);
	return true;
}

static void
insert(struct flow_table *t, struct flow *flow, uint32_t hash)
{
	uint32_t in_port = flow_key_in_port(flow);
	uint32_t b = hash & t->mask;
	unsigned i = 0;

	while (t->buckets[b].tags[i]) {
		if (++i < BUCKET_FLOWS)
			continue;
		t->buckets[b].n_passed++;
		b = (b + 1) & t->mask;
		i = 0;
	}
	t->buckets[b].tags[i] = tag_of(hash);
	t->buckets[b].flows[i] = flow_table_place(t, flow);

	flow_ages_link(t, flow);
	t->n_flows++;
	count_one_more(&t->ports[in_port]);
	flow_ages_weigh(t, in_port);
}

/* One writer: this worker. */
static void
count_one_more(struct port_flows *port)
{
	uint32_t n = flow_port_n(port) + 1;

	atomic_store_explicit(&port->n, n, memory_order_relaxed);
	if (n > atomic_load_explicit(&port->n_max, memory_order_relaxed))
		atomic_store_explicit(&port->n_max, n, memory_order_relaxed);
	count_add(&port->n_created, 1);
}

static void
put_away(struct flow_table *t, struct flow *flow)
{
	uint32_t in_port = flow_key_in_port(flow);
	struct port_flows *port = &t->ports[in_port];

	count_rules(t, flow);
	unindex(t, flow);
	flow_ages_unlink(t, flow);
	drop_decided(t, in_port, flow->decided);
	give_back(t, flow);
	t->n_flows--;
	atomic_store_explicit(&port->n, flow_port_n(port) - 1,
			      memory_order_relaxed);
	flow_ages_weigh(t, in_port);
}

static void
unindex(struct flow_table *t, const struct flow *flow)
{
	uint32_t place = flow_table_place(t, flow);
	struct flow_key key;

	flow_get_key(t, flow, &key);
	for (uint32_t b = flow_key_hash(&key, &t->secret) & t->mask;;
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
