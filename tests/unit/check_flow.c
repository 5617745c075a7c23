/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/datapath/flow.c, against a naive list as its twin. */

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libvswitch/base/switch.h"
#include "libvswitch/datapath/decide.h"
#include "libvswitch/datapath/flow.h"
#include "tests/unit/rig.h"

enum { MAX_FLOWS = 200, N_PORTS = 7, IDLE_S = 60 };

#define S UINT64_C(1000000000)

static struct rig_memory memory;
static struct vsw vsw;
static struct flow_table *table;
static struct rewrite rewrites[4];
static struct decision decision;

static void
setup(void)
{
	memory = (struct rig_memory) { 0 };
	memset(&vsw, 0, sizeof vsw);
	vsw.allocator = rig_allocator(&memory);
	vsw.options.max_ports = N_PORTS;
	vsw.options.flow_idle_s = IDLE_S;
	vsw.seed = 42;
	decision = (struct decision) { .rewrites = rewrites, .n = 1,
				       .size = 4 };
	ck_assert_int_eq(flow_table_new(&vsw, MAX_FLOWS, &table), 0);
}

static void
teardown(void)
{
	flow_table_free(table);
	ck_assert_uint_eq(memory.n_live, 0);
	ck_assert_uint_eq(memory.n_bytes, 0);
}

/* Of every fourth one the addresses alone tell it from others: IPv6's of the
 * packet, of the tunnel, or of both. */
static struct flow_key
key_of(uint32_t port, uint32_t n)
{
	struct flow_key key = { .in_port = (uint16_t) port,
				.eth_type = 0x0800 };

	if (n % 4 == 0) {
		key.l4_src = (uint16_t) n;
		key.vni = n >> 16 & 0xff;
		return key;
	}
	if (n % 4 != 1) {
		key.has = FLOW_HAS_IPV6;
		memcpy(n & 4 ? key.ip6_src + 12 : key.ip6_dst, &n, sizeof n);
	}
	if (n % 4 != 2) {
		key.has |= FLOW_TUNNEL_IPV6;
		memcpy(n & 4 ? key.tunnel6_src : key.tunnel6_dst + 12, &n,
		       sizeof n);
	}
	return key;
}

static struct flow *
find(uint32_t port, uint32_t n)
{
	struct flow_key key = key_of(port, n);

	return flow_find(table, &key, flow_hash(&key, vsw.seed));
}

static struct flow *
put(uint32_t port, uint32_t n, uint64_t now)
{
	struct flow_key key = key_of(port, n);

	rewrites[0].reason = n;
	return flow_put(table, &key, flow_hash(&key, vsw.seed), &decision,
			now);
}

START_TEST(finds_what_was_put)
{
	struct flow *flow = put(1, 7, 5 * S);

	ck_assert_ptr_nonnull(flow);
	ck_assert_ptr_eq(find(1, 7), flow);
	ck_assert_ptr_null(find(2, 7));
	ck_assert_ptr_null(find(1, 8));
	ck_assert_uint_eq(flow_decided(table, flow)->rewrite.reason, 7);
	ck_assert_uint_eq(flow_decided(table, flow)->n_rewrites, 1);
	ck_assert_uint_eq(flow_idle_ns(flow, 7 * S), 2 * S);
	ck_assert_uint_eq(flow_count(table), 1);
	ck_assert_uint_eq(flow_count_port(table, 1), 1);
}
END_TEST

/* Keys that differ in one bit, decided alike: none is taken for another, and
 * each comes back whole. */
START_TEST(tells_keys_apart_that_are_decided_alike)
{
	static const uint8_t kinds[] = {
		FLOW_HAS_IPV4, FLOW_HAS_IPV6, FLOW_TUNNEL_IPV6,
		FLOW_HAS_IPV6 | FLOW_TUNNEL_IPV6
	};
	struct flow_key first = { .has = kinds[_i] }, got;
	unsigned n = 0;

	for (size_t i = 0; i < sizeof first; i++) {
		struct flow_key key = first;
		struct flow *flow;

		((uint8_t *) &key)[i] ^= (uint8_t) (1u << i % 8);
		/* Ports are few; another kind of key is another test. */
		if (key.in_port || key.has != first.has
		    || flow_key_equal(&key, &first))
			continue;
		ck_assert_ptr_null(flow_find(table, &key, 5));
		flow = flow_put(table, &key, 5, &decision, S);
		ck_assert_ptr_nonnull(flow);
		ck_assert_ptr_eq(flow_find(table, &key, 5), flow);
		flow_get_key(table, flow, &got);
		ck_assert_mem_eq(&got, &key, sizeof key);
		n++;
	}
	ck_assert_uint_eq(n, flow_count(table));
	ck_assert_uint_ge(n, FLOW_KEY_SHORT - 8);
}
END_TEST

START_TEST(hashes_every_byte_and_the_seed)
{
	static const struct flow_key keys[] = {
		{ .has = 0 }, { .has = FLOW_HAS_IPV6 },
		{ .has = FLOW_TUNNEL_IPV6 },
		{ .has = FLOW_HAS_IPV6 | FLOW_TUNNEL_IPV6 }
	};
	struct flow_key key = keys[_i];
	uint32_t zero = flow_hash(&key, 1);
	unsigned n_same = 0;

	ck_assert_uint_ne(zero, flow_hash(&key, 2));
	for (size_t i = 0; i < sizeof key; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			((uint8_t *) &key)[i] ^= (uint8_t) (1u << bit);
			n_same += flow_hash(&key, 1) == zero;
			ck_assert_int_eq(flow_hash(&key, 1) == zero,
					 flow_key_equal(&key, &keys[_i]));
			((uint8_t *) &key)[i] ^= (uint8_t) (1u << bit);
		}
	/* Addresses that are not there do not count. */
	ck_assert_uint_eq(n_same, (!(_i & 1) + !(_i & 2)) * FLOW_KEY_PAIR * 8);
}
END_TEST

START_TEST(puts_anew_into_a_stale_one)
{
	struct flow *flow = put(1, 7, 1 * S);

	flow->n_packets = 9;
	decision.n = 4;
	rewrites[3].vni = 5003;
	decision.deps.all = 77;
	decision.followed = (struct followed) { { 5, 6 }, { 7, 8 },
						FOLLOW_TCP };
	ck_assert_ptr_eq(put(1, 7, 2 * S), flow);
	ck_assert_uint_eq(flow->n_packets, 9);
	ck_assert_uint_eq(flow_decided(table, flow)->n_rewrites, 4);
	ck_assert_uint_eq(flow_decided(table, flow)->more[2].vni, 5003);
	ck_assert_uint_eq(flow_decided(table, flow)->deps.all, 77);
	ck_assert_uint_eq(flow->connections[0], 5);
	ck_assert_uint_eq(flow->connections[1], 6);
	ck_assert_uint_eq(flow->flags, FOLLOW_TCP);
	ck_assert_uint_eq(flow_count(table), 1);

	/* Without memory for copies it keeps what it has. */
	memory.fail_at = memory.n_calls + 1;
	decision.n = 3;
	ck_assert_ptr_null(put(1, 7, 3 * S));
	ck_assert_uint_eq(flow_decided(table, flow)->n_rewrites, 4);
	ck_assert_ptr_null(put(1, 8, 3 * S));
	ck_assert_ptr_null(find(1, 8));
	ck_assert_uint_eq(flow_count(table), 1);
	memory.fail_at = 0;
	decision.n = 1;
	ck_assert_ptr_eq(put(1, 7, 3 * S), flow);
	ck_assert_ptr_null(flow_decided(table, flow)->more);
}
END_TEST

START_TEST(takes_from_the_port_that_holds_most)
{
	for (uint32_t n = 0; n < 150; n++)
		put(3, n, S * n);
	for (uint32_t n = 0; n < 50; n++)
		put(4, n, S * (200 + n));
	ck_assert_uint_eq(flow_count(table), MAX_FLOWS);
	/* A newcomer gets its share, one by one of the largest's oldest. */
	for (uint32_t n = 0; n < 75; n++) {
		flow_batch(table);
		ck_assert_ptr_nonnull(put(5, n, S * (300 + n)));
		ck_assert_ptr_null(find(3, n));
		ck_assert_ptr_nonnull(find(3, n + 1));
	}
	ck_assert_uint_eq(flow_count(table), MAX_FLOWS);
	ck_assert_uint_eq(flow_count_port(table, 3), 75);
	ck_assert_uint_eq(flow_count_port(table, 4), 50);
	/* A flood takes from itself. */
	for (uint32_t n = 75; n < 5000; n++) {
		flow_batch(table);
		ck_assert_ptr_nonnull(put(5, n, S * (300 + n)));
	}
	ck_assert_uint_ge(flow_count_port(table, 3), 74);
	ck_assert_uint_eq(flow_count_port(table, 4), 50);
	ck_assert_uint_eq(flow_count(table), MAX_FLOWS);
}
END_TEST

/* One who floods, from ever new addresses, a thousand copies each time, has as
 * much memory as anybody, and it is taken from him alone. */
START_TEST(copies_are_limited)
{
	static struct rewrite many[1000];
	struct decision flood = { .rewrites = many, .n = 1000, .size = 1000 };
	size_t most = 0;

	for (uint32_t n = 0; n < 50; n++)
		ck_assert_ptr_nonnull(put(2, n, 5 * S));
	for (uint32_t n = 0; n < 300; n++) {
		struct flow_key key = key_of(1, n % 170);
		uint32_t hash = flow_hash(&key, vsw.seed);
		struct flow *flow;

		if (n % 32 == 0)
			flow_batch(table);
		many[999].reason = n;
		flow = flow_put(table, &key, hash, &flood, 5 * S);
		ck_assert_ptr_nonnull(flow);
		ck_assert_uint_eq(flow_decided(table, flow)->n_rewrites, 1000);
		if (memory.n_bytes > most)
			most = memory.n_bytes;
	}
	ck_assert_uint_lt(most, 40000 * sizeof(struct rewrite));
	ck_assert_uint_gt(flow_count_port(table, 1), 30);
	ck_assert_uint_eq(flow_count_port(table, 2), 50);

	/* Once they are gone, nothing of them counts any more. */
	flow_batch(table);
	ck_assert_uint_eq(flow_expire(table, 500 * S, SIZE_MAX), UINT64_MAX);
	ck_assert_uint_eq(flow_count(table), 0);
	for (uint32_t n = 0; n < 32; n++) {
		struct flow_key key = key_of(1, n);

		many[999].reason = n;
		ck_assert_ptr_nonnull(flow_put(table, &key,
					       flow_hash(&key, vsw.seed),
					       &flood, 500 * S));
	}
	ck_assert_uint_eq(flow_count(table), 32);
}
END_TEST

START_TEST(spares_what_was_used)
{
	for (uint32_t n = 0; n < MAX_FLOWS; n++)
		put(3, n, S * n);
	flow_touch(table, find(3, 0), S * 500);
	flow_batch(table);
	put(3, 1000, S * 501);
	ck_assert_ptr_nonnull(find(3, 0));
	ck_assert_ptr_null(find(3, 1));
}
END_TEST

/* Flows of a batch stay where they are while it puts others. */
START_TEST(spares_the_batch)
{
	struct flow *flows[32];

	for (uint32_t n = 0; n < MAX_FLOWS; n++)
		put(3, n, S);
	flow_batch(table);
	for (uint32_t n = 0; n < 32; n++) {
		flows[n] = find(3, n);
		flow_touch(table, flows[n], S + 1);
	}
	for (uint32_t n = 0; n < 32; n++)
		ck_assert_ptr_nonnull(put(3, 1000 + n, S + 1));
	for (uint32_t n = 0; n < 32; n++) {
		ck_assert_ptr_eq(find(3, n), flows[n]);
		ck_assert_ptr_nonnull(find(3, 1000 + n));
		ck_assert_ptr_null(find(3, 32 + n));
	}
	/* Only when it uses them all is there none to give. */
	for (uint32_t n = 0; n < 10 * MAX_FLOWS; n++)
		put(3, 2000 + n, S + 2);
	ck_assert_ptr_null(put(3, 9999, S + 2));
	ck_assert_uint_eq(flow_count(table), MAX_FLOWS);
	flow_batch(table);
	ck_assert_ptr_nonnull(put(3, 9999, S + 2));
}
END_TEST

START_TEST(forgets_what_is_idle)
{
	ck_assert_uint_eq(flow_expire(table, 100 * S, 10), UINT64_MAX);
	put(1, 1, 10 * S);
	put(1, 2, 20 * S);
	put(2, 3, 30 * S);
	ck_assert_uint_eq(flow_expire(table, 69 * S, 10), 70 * S);
	ck_assert_uint_eq(flow_count(table), 3);
	ck_assert_uint_eq(flow_expire(table, 70 * S, 10), 80 * S);
	ck_assert_ptr_null(find(1, 1));
	flow_touch(table, find(1, 2), 75 * S);
	ck_assert_uint_eq(flow_expire(table, 89 * S, 10), 90 * S);
	/* No more than it may at a time. */
	ck_assert_uint_eq(flow_expire(table, 500 * S, 1), 135 * S);
	ck_assert_uint_eq(flow_count(table), 1);
	ck_assert_uint_eq(flow_expire(table, 500 * S, 1), UINT64_MAX);
	ck_assert_uint_eq(flow_count(table), 0);
	ck_assert_ptr_null(flow_first(table));
}
END_TEST

/* There is memory for some decisions and no more. */
START_TEST(lives_on_what_it_has)
{
	put(1, 0, S);
	memory.fail_at = memory.n_calls + 1;
	for (uint32_t n = 4; n < 4000; n += 4) {
		flow_batch(table);
		ck_assert_ptr_nonnull(put(1, n, S + n));
		ck_assert_ptr_nonnull(find(1, n));
	}
	ck_assert_uint_gt(memory.n_failed, 0);
	ck_assert_uint_ge(flow_count(table), 32);
}
END_TEST

START_TEST(is_made_whole_or_not_at_all)
{
	unsigned n = 0;

	for (;; n++) {
		struct flow_table *t = NULL;
		unsigned long n_live = memory.n_live;

		memory.fail_at = memory.n_calls + 1 + n;
		if (!flow_table_new(&vsw, 1000, &t)) {
			memory.fail_at = 0;
			flow_table_free(t);
			break;
		}
		ck_assert_ptr_null(t);
		ck_assert_uint_eq(memory.n_live, n_live);
	}
	ck_assert_uint_eq(n, 12);
}
END_TEST

/* The twin: an array in order of age, searched from one end. */
struct twin_flow {
	uint32_t port, n;
	uint64_t used;
	uint32_t batch;
};

struct twin {
	struct twin_flow flows[MAX_FLOWS];
	size_t n;
	uint32_t batch;
};

static struct twin_flow *
twin_find(struct twin *t, uint32_t port, uint32_t n)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->flows[i].port == port && t->flows[i].n == n)
			return &t->flows[i];
	return NULL;
}

static void
twin_remove(struct twin *t, struct twin_flow *f)
{
	memmove(f, f + 1, (size_t) (t->flows + t->n - f - 1) * sizeof *f);
	t->n--;
}

static void
twin_touch(struct twin *t, struct twin_flow *f, uint64_t now)
{
	struct twin_flow copy;
	/* An eighth of the idle time, as a power of two. */
	bool is_placed = f->used / S / 4 == now / S / 4;

	f->used = now;
	f->batch = t->batch;
	if (is_placed)
		return;
	copy = *f;
	twin_remove(t, f);
	t->flows[t->n++] = copy;
}

/* Whether 'port' is among those that hold most. */
static bool
twin_holds_most(const struct twin *t, uint32_t port)
{
	size_t counts[N_PORTS] = { 0 };

	for (size_t i = 0; i < t->n; i++)
		counts[t->flows[i].port]++;
	for (uint32_t p = 0; p < N_PORTS; p++)
		if (counts[p] > counts[port])
			return false;
	return true;
}

/* Several ports may hold most; which of them gave way is seen in the table,
 * and must have been one of them, with its oldest that the batch spares. */
static void
twin_make_way(struct twin *t)
{
	struct twin_flow *gone = NULL;

	for (size_t i = 0; i < t->n; i++)
		if (!find(t->flows[i].port, t->flows[i].n)) {
			ck_assert_ptr_null(gone);
			gone = &t->flows[i];
		}
	ck_assert_ptr_nonnull(gone);
	ck_assert_uint_ne(gone->batch, t->batch);
	ck_assert(twin_holds_most(t, gone->port));
	for (const struct twin_flow *f = t->flows; f < gone; f++)
		ck_assert(f->port != gone->port || f->batch == t->batch);
	twin_remove(t, gone);
}

static void
twin_compare(const struct twin *t, uint64_t now)
{
	const struct flow *flow = flow_first(table);

	ck_assert_uint_eq(flow_count(table), t->n);
	for (size_t i = 0; i < t->n; i++) {
		struct flow_key key = key_of(t->flows[i].port, t->flows[i].n);
		struct flow_key kept;

		ck_assert_ptr_nonnull(flow);
		flow_get_key(table, flow, &kept);
		ck_assert(flow_key_equal(&kept, &key));
		ck_assert_uint_eq(flow_idle_ns(flow, now),
				  (now / S - t->flows[i].used / S) * S);
		flow = flow_next(table, flow);
	}
	ck_assert_ptr_null(flow);
}

START_TEST(does_as_its_twin)
{
	static struct twin twin;
	uint64_t random = (uint64_t) _i + 1, now = 1000 * S;
	unsigned n_found = 0, n_evicted = 0, n_expired = 0;

	twin = (struct twin) { 0 };
	for (unsigned step = 0; step < 30000; step++) {
		uint32_t port = rig_random(&random) % N_PORTS;
		uint32_t n = rig_random(&random) % (step % 2000 < 1000 ? 40
						    : 400);
		struct twin_flow *f = twin_find(&twin, port, n);
		struct flow *flow = find(port, n);

		now += rig_random(&random) % (S / 10);
		ck_assert_int_eq(!flow, !f);
		if (step % 8 == 0) {
			flow_batch(table);
			twin.batch++;
		}
		if (flow && rig_random(&random) % 2) {
			n_found++;
			flow_touch(table, flow, now);
			twin_touch(&twin, f, now);
		} else if (rig_random(&random) % 500 == 0) {
			now += 50 * S;
			flow_expire(table, now, 30);
			for (unsigned i = 0; i < 30 && twin.n
			     && now / S - twin.flows[0].used / S >= IDLE_S;
			     i++) {
				twin_remove(&twin, &twin.flows[0]);
				n_expired++;
			}
		} else {
			ck_assert_ptr_nonnull(put(port, n, now));
			if (f) {
				twin_touch(&twin, f, now);
			} else {
				if (twin.n == MAX_FLOWS) {
					twin_make_way(&twin);
					n_evicted++;
				}
				twin.flows[twin.n++] = (struct twin_flow) {
					port, n, now, twin.batch };
			}
		}
		if (step % 100 == 0)
			twin_compare(&twin, now);
	}
	twin_compare(&twin, now);
	ck_assert_uint_gt(n_found, 1000);
	ck_assert_uint_gt(n_evicted, 1000);
	ck_assert_uint_gt(n_expired, 100);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("flow");
	TCase *all = tcase_create("all");

	tcase_set_timeout(all, 60);
	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_test(all, finds_what_was_put);
	tcase_add_loop_test(all, tells_keys_apart_that_are_decided_alike, 0,
			    4);
	tcase_add_loop_test(all, hashes_every_byte_and_the_seed, 0, 4);
	tcase_add_test(all, puts_anew_into_a_stale_one);
	tcase_add_test(all, takes_from_the_port_that_holds_most);
	tcase_add_test(all, copies_are_limited);
	tcase_add_test(all, spares_what_was_used);
	tcase_add_test(all, spares_the_batch);
	tcase_add_test(all, forgets_what_is_idle);
	tcase_add_test(all, lives_on_what_it_has);
	tcase_add_test(all, is_made_whole_or_not_at_all);
	tcase_add_loop_test(all, does_as_its_twin, 0, 4);
	suite_add_tcase(suite, all);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
