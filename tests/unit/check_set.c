/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/policy/set.c, against a naive list as its twin. */

#include "libvswitch/policy/set.h"

#include <errno.h>
#include "tests/unit/policy_rig.h"

static struct rig_memory memory;

/* Few values, so that ranges meet, touch and swallow each other. */
static struct vsw_addr
random_addr(uint64_t *state, unsigned n)
{
	struct vsw_addr addr = rig_addr(n, rig_random(state) & 0xff);

	if (rig_random(state) % 8 == 0)
		memset(addr.bytes, 0xff, n);
	return addr;
}

static bool
in_prefix(const struct vsw_addr *a, const struct vsw_addr *prefix,
	  unsigned bits)
{
	if (a->n != prefix->n)
		return false;
	for (unsigned i = 0; i < bits; i++)
		if ((a->bytes[i / 8] ^ prefix->bytes[i / 8])
		    >> (7 - i % 8) & 1)
			return false;
	return true;
}

START_TEST(twin_of_addresses)
{
	struct vsw *vsw = rig_switch(&memory);
	uint64_t state = 1;
	unsigned n_in = 0, n_out = 0;

	for (int round = 0; round < 300; round++) {
		struct vsw_addr prefixes[20];
		unsigned bits[20], n = rig_random(&state) % 20;
		struct vsw_set *set;

		ck_assert_int_eq(vsw_set_new(vsw, "s", VSW_SET_ADDRESSES,
					     &set), 0);
		for (unsigned i = 0; i < n; i++) {
			unsigned size = rig_random(&state) % 2 ? 4 : 16;

			prefixes[i] = random_addr(&state, size);
			bits[i] = size * 8 - rig_random(&state) % 10;
			if (rig_random(&state) % 60 == 0)
				bits[i] = 0;
			vsw_set_add_prefix(set, &prefixes[i], bits[i]);
		}
		ck_assert_int_eq(vsw_set_seal(set, NULL, 0), 0);
		for (int j = 0; j < 200; j++) {
			unsigned size = rig_random(&state) % 2 ? 4 : 16;
			struct vsw_addr addr = random_addr(&state, size);
			bool expected = false, found;

			for (unsigned i = 0; i < n; i++)
				expected |= in_prefix(&addr, &prefixes[i],
						      bits[i]);
			found = set_has(set, size == 4 ? SET_V4 : SET_V6,
					point_of(addr.bytes, size));
			ck_assert_int_eq(found, expected);
			*(expected ? &n_in : &n_out) += 1;
		}
		vsw_set_unref(set);
	}
	ck_assert_uint_gt(n_in, 1000);
	ck_assert_uint_gt(n_out, 1000);
	vsw_free(vsw);
	ck_assert_uint_eq(memory.n_live, 0);
}
END_TEST

START_TEST(twin_of_ports)
{
	struct vsw *vsw = rig_switch(&memory);
	uint64_t state = 2;

	for (int round = 0; round < 50; round++) {
		static bool naive[65536];
		struct vsw_set *set;

		memset(naive, 0, sizeof naive);
		ck_assert_int_eq(vsw_set_new(vsw, "p", VSW_SET_PORTS, &set),
				 0);
		for (unsigned i = rig_random(&state) % 30; i > 0; i--) {
			unsigned a = rig_random(&state) % 65536;
			unsigned b = a + rig_random(&state) % 3000;

			b = b > 65535 ? 65535 : b;
			vsw_set_add_ports(set, (uint16_t) a, (uint16_t) b);
			memset(naive + a, 1, b - a + 1);
		}
		ck_assert_int_eq(vsw_set_seal(set, NULL, 0), 0);
		for (unsigned p = 0; p < 65536; p++)
			if (set_has(set, SET_PORTS, (struct point) { 0, p })
			    != naive[p])
				ck_abort_msg("port %u of round %d", p, round);
		vsw_set_unref(set);
	}
	vsw_free(vsw);
	ck_assert_uint_eq(memory.n_live, 0);
}
END_TEST

static void
expect_problem(struct vsw_set *set, const char *line)
{
	char problem[200] = "";

	ck_assert_int_eq(vsw_set_seal(set, problem, sizeof problem), -EINVAL);
	ck_assert_str_eq(problem, line);
	vsw_set_unref(set);
}

START_TEST(problems)
{
	struct vsw *vsw = rig_switch(&memory);
	struct vsw_addr good = rig_addr(4, 1), bad = { .n = 5 };
	struct vsw_set *set;

	ck_assert_int_eq(vsw_set_new(vsw, "web", VSW_SET_PORTS, &set), 0);
	vsw_set_add_ports(set, 90, 80);
	vsw_set_add_prefix(set, &good, 32);	/* The first one counts. */
	expect_problem(set, "set \"web\": port range 90-80 is empty");
	ck_assert_int_eq(vsw_set_new(vsw, "web", VSW_SET_PORTS, &set), 0);
	vsw_set_add_prefix(set, &good, 32);
	expect_problem(set, "set \"web\": an address in a set of ports");
	ck_assert_int_eq(vsw_set_new(vsw, "a", VSW_SET_ADDRESSES, &set), 0);
	vsw_set_add_prefix(set, &good, 33);
	expect_problem(set, "set \"a\": prefix of 33 bits is longer than the "
		       "address");
	ck_assert_int_eq(vsw_set_new(vsw, "a", VSW_SET_ADDRESSES, &set), 0);
	vsw_set_add_prefix(set, &bad, 3);
	expect_problem(set, "set \"a\": not an address");
	ck_assert_int_eq(vsw_set_new(vsw, "a", VSW_SET_ADDRESSES, &set), 0);
	vsw_set_add_ports(set, 1, 2);
	expect_problem(set, "set \"a\": ports in a set of addresses");
	vsw_set_unref(NULL);
	vsw_set_add_ports(NULL, 1, 2);
	vsw_free(vsw);
	ck_assert_uint_eq(memory.n_live, 0);
}
END_TEST

static int
make(struct vsw *vsw)
{
	struct vsw_addr addr = rig_addr(16, 9);
	struct vsw_set *set;
	int error = vsw_set_new(vsw, "s", VSW_SET_ADDRESSES, &set);

	if (error)
		return error;
	for (unsigned i = 0; i < 20; i++)
		vsw_set_add_prefix(set, &addr, i);
	error = vsw_set_seal(set, NULL, 0);
	vsw_set_unref(set);
	return error;
}

START_TEST(memory_runs_out)
{
	struct vsw *vsw = rig_switch(&memory);

	RIG_RUN_OUT(&memory, make(vsw));
	vsw_free(vsw);
	ck_assert_uint_eq(memory.n_live, 0);
}
END_TEST

RIG_MAIN("set", twin_of_addresses, twin_of_ports, problems, memory_runs_out)
