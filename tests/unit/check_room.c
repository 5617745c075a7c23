/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/connection/room.c, by way of connection.c. */

#include "tests/unit/connection_rig.h"

START_TEST(a_port_opens_so_many_a_second)
{
	uint64_t now = 1000 * S;
	unsigned n = 0;

	make(MAX, RATE);
	/* A tenth of a second's worth at once; half-open ones give way in
	 * between, so as not to be what stops it. */
	for (unsigned i = 0; i < RATE; i++) {
		struct connection_packet p = packet(1, i, TCP, VSW_OUT,
						    TRACK_FIN);
		int drop = open_one(&p, now, NULL);

		n += drop == CONNECTION_OPENED;
		if (drop != CONNECTION_OPENED)
			ck_assert_int_eq(drop, VSW_DROP_CONNECTION_RATE);
	}
	ck_assert_uint_eq(n, RATE / 10);
	ck_assert_uint_eq(counters(1).connections_refused, RATE - RATE / 10);
	/* Another port's is another's. */
	ck_assert_int_eq(open_tcp(2, 1, now), CONNECTION_OPENED);
	/* One each 200 us; not for a clock that runs backwards. */
	ck_assert_int_eq(open_tcp(1, 90001, now - S),
			 VSW_DROP_CONNECTION_RATE);
	now += 200000;
	ck_assert_int_eq(open_tcp(1, 90001, now), CONNECTION_OPENED);
	ck_assert_int_eq(open_tcp(1, 90002, now), VSW_DROP_CONNECTION_RATE);
	unmake();
}
END_TEST

START_TEST(half_open_ones_are_limited)
{
	uint64_t now = 1000 * S;

	make(MAX, UINT32_MAX);
	for (uint32_t n = 0; n < MAX_HALF_OPEN; n++)
		ck_assert_int_eq(open_tcp(1, n, now), CONNECTION_OPENED);
	ck_assert_int_eq(open_tcp(1, 1000, now + S - 1),
			 VSW_DROP_CONNECTION_HALF_OPEN);
	ck_assert_uint_eq(counters(1).connections_refused, 1);
	ck_assert_int_eq(open_tcp(2, 1000, now), CONNECTION_OPENED);
	/* Who is answered makes room. */
	see_tcp(1, 5, VSW_IN, TRACK_SYN_ACK, now);
	see_tcp(1, 5, VSW_OUT, TRACK_PLAIN, now);
	ck_assert_int_eq(open_tcp(1, 1000, now), CONNECTION_OPENED);
	ck_assert_int_eq(open_tcp(1, 1001, now),
			 VSW_DROP_CONNECTION_HALF_OPEN);
	/* Who is not, after a second, too: the oldest. */
	ck_assert_int_eq(open_tcp(1, 1001, now + S), CONNECTION_OPENED);
	ck_assert(!is_there(1, 0, now + S));
	ck_assert(is_there(1, 1, now + S));
	ck_assert_uint_eq(counters(1).connections, MAX_HALF_OPEN + 1);
	unmake();
}
END_TEST

START_TEST(a_port_has_so_many)
{
	uint64_t now = 1000 * S;
	uint32_t n;

	make(MAX, UINT32_MAX);
	for (n = 0; n < MAX_PORT; n++)
		establish(1, n, now);
	ck_assert_int_eq(open_tcp(1, n, now), VSW_DROP_CONNECTION_LIMIT);
	ck_assert_uint_eq(counters(1).connections_refused, 1);
	ck_assert_int_eq(open_tcp(2, n, now), CONNECTION_OPENED);
	/* One that closes is the next to go, and no other. */
	see_tcp(1, 17, VSW_IN, TRACK_FIN, now);
	ck_assert_int_eq(open_tcp(1, n, now), CONNECTION_OPENED);
	ck_assert(!is_there(1, 17, now));
	ck_assert_uint_eq(counters(1).connections, MAX_PORT);
	/* And of several, the one that has done so longest. */
	see_tcp(1, 18, VSW_IN, TRACK_FIN, now + 1);
	ck_assert_int_eq(open_tcp(1, n + 1, now + 2), CONNECTION_OPENED);
	ck_assert(!is_there(1, n, now + 2));
	ck_assert(is_there(1, 18, now + 2));
	ck_assert_int_eq(open_tcp(1, n + 2, now + 3), CONNECTION_OPENED);
	ck_assert(!is_there(1, 18, now + 3));
	for (n = 0; n < 17; n++)
		ck_assert(is_there(1, n, now + 3));
	unmake();
}
END_TEST

/* A port may have other limits than all; who gets its number next has not. */
START_TEST(a_port_has_limits_of_its_own)
{
	uint64_t now = 1000 * S;
	uint32_t n;

	make(MAX, UINT32_MAX);
	connections_limit_port(table, 1, 5, 2, 0);
	for (n = 0; n < 2; n++)
		ck_assert_int_eq(open_tcp(1, n, now), CONNECTION_OPENED);
	ck_assert_int_eq(open_tcp(1, n, now), VSW_DROP_CONNECTION_HALF_OPEN);
	for (n = 0; n < 3; n++)
		ck_assert_int_eq(open_tcp(2, n, now), CONNECTION_OPENED);
	for (n = 0; n < 2; n++) {
		see_tcp(1, n, VSW_IN, TRACK_SYN_ACK, now);
		see_tcp(1, n, VSW_OUT, TRACK_PLAIN, now);
	}
	for (; n < 5; n++)
		establish(1, n, now);
	ck_assert_int_eq(open_tcp(1, n, now), VSW_DROP_CONNECTION_LIMIT);
	/* Raised; and of openings. */
	connections_limit_port(table, 1, 0, 0, 1000);
	for (; n < 5 + 100; n++)
		ck_assert_int_eq(open_tcp(1, n, now), CONNECTION_OPENED);
	for (; n < 2000
	       && open_tcp(1, n, now) != VSW_DROP_CONNECTION_RATE; n++)
		;
	ck_assert_uint_lt(n, 2000);
	connections_limit_port(table, 3, 1, 1, 1);
	connections_end_port(table, 3);
	for (n = 0; n < 5; n++)
		ck_assert_int_eq(open_tcp(3, n, now), CONNECTION_OPENED);
	unmake();
}
END_TEST

/* Who holds most pays for what is missing, with what is not established. */
START_TEST(the_full_table_is_shared)
{
	uint64_t now = 1000 * S;

	make(MAX, UINT32_MAX);
	for (uint32_t n = 0; n < 300; n++)
		establish(1, n, now);
	for (uint32_t n = 300; n < 390; n++)
		open_tcp(1, n, now + n);
	for (uint32_t n = 0; n < 150; n++)
		establish(2, n, now);
	for (uint32_t n = 150; n < 210; n++)
		open_tcp(2, n, now);
	ck_assert_uint_eq(connections_n(table), MAX);
	for (uint32_t n = 0; n < 90; n++) {
		ck_assert_int_eq(open_tcp(3, n, now + S),
				 CONNECTION_OPENED);
		ck_assert(!is_there(1, 300 + n, now + S));
	}
	ck_assert_uint_eq(connections_n(table), MAX);
	ck_assert_uint_eq(counters(1).connections, 300);
	ck_assert_uint_eq(counters(2).connections, 210);
	ck_assert_uint_eq(counters(3).connections, 90);
	/* It has only established ones left: everybody gives his own. */
	ck_assert_int_eq(open_tcp(2, 1000, now + S), CONNECTION_OPENED);
	ck_assert_uint_eq(counters(2).connections, 210);
	ck_assert(!is_there(2, 150, now + S));
	ck_assert_int_eq(open_tcp(3, 1000, now + S), CONNECTION_OPENED);
	ck_assert_uint_eq(counters(3).connections, 90);
	ck_assert(!is_there(3, 0, now + S));
	/* Who has none gets none. */
	ck_assert_int_eq(open_tcp(4, 1000, now + S),
			 VSW_DROP_CONNECTION_LIMIT);
	ck_assert_uint_eq(counters(4).connections, 0);
	ck_assert_uint_eq(counters(4).connections_refused, 1);
	for (uint32_t n = 0; n < 300; n++)
		ck_assert(is_there(1, n, now + S));
	for (uint32_t n = 0; n < 150; n++)
		ck_assert(is_there(2, n, now + S));
	unmake();
}
END_TEST

START_TEST(a_port_goes)
{
	make(MAX, RATE);
	for (uint32_t n = 0; n < 60; n++) {
		establish(1, n, S);
		establish(2, n, S);
		open_tcp(1, 1000 + n, S);
	}
	see_tcp(1, 5, VSW_IN, TRACK_FIN, S);
	connections_end_port(table, 1);
	ck_assert_uint_eq(counters(1).connections, 0);
	ck_assert_uint_eq(counters(1).connections_opened, 0);
	ck_assert_uint_eq(counters(2).connections, 60);
	ck_assert_uint_eq(connections_n(table), 60);
	for (uint32_t n = 0; n < 60; n++) {
		ck_assert(!is_there(1, n, S));
		ck_assert(is_there(2, n, S));
	}
	connections_end_port(table, 1);
	unmake();
}
END_TEST

START_TEST(memory_may_run_out)
{
	struct connections *other = NULL;
	uint32_t n_opened = 0;

	make(2000, UINT32_MAX);
	RIG_RUN_OUT(&memory, connections_new(&vsw, &other));
	connections_free(other);
	/* Without memory for more it lives on what it has. */
	ck_assert_int_eq(open_tcp(0, 1, S), CONNECTION_OPENED);
	memory.fail_at = memory.n_calls + 1;
	for (uint32_t n = 0; n < 1800; n++) {
		uint32_t port = 1 + n % (N_PORTS - 1);
		struct connection_packet p = packet(port, n, TCP, VSW_OUT,
						    TRACK_FIN);

		n_opened += open_one(&p, S + n, NULL) == CONNECTION_OPENED;
	}
	ck_assert_uint_gt(memory.n_failed, 0);
	ck_assert_uint_eq(n_opened, 1800);
	ck_assert_uint_ge(connections_n(table), 500);
	for (uint32_t n = 1800 - 100; n < 1800; n++)
		ck_assert(is_there(1 + n % (N_PORTS - 1), n, S + 1800));
	memory.fail_at = 0;
	unmake();

	/* And if there is nothing to give way. */
	make(MAX, UINT32_MAX);
	memory.fail_at = memory.n_calls + 1;
	ck_assert_int_eq(open_tcp(1, 1, S), VSW_DROP_NO_MEMORY);
	ck_assert_uint_eq(counters(1).connections, 0);
	memory.fail_at = 0;
	ck_assert_int_eq(open_tcp(1, 1, S), CONNECTION_OPENED);
	unmake();
}
END_TEST

/* All of it, at the price that the options promise. */
START_TEST(memory_of_one)
{
	make(1 << 16, UINT32_MAX);
	for (uint32_t n = 0; n < 1 << 16; n++) {
		struct connection_packet p = packet(n % N_PORTS, n, TCP,
						    VSW_OUT, TRACK_FIN);

		if (n / N_PORTS < MAX_PORT)
			open_one(&p, S, NULL);
	}
	ck_assert_uint_eq(connections_n(table), N_PORTS * MAX_PORT);
	ck_assert_uint_le(memory.n_bytes, ((1 << 16) + 4096) * 8
					  + (N_PORTS * MAX_PORT + 512) * 136);
	unmake();
}
END_TEST

RIG_MAIN("room", a_port_opens_so_many_a_second, half_open_ones_are_limited,
	 a_port_has_so_many, a_port_has_limits_of_its_own,
	 the_full_table_is_shared, a_port_goes,
	 memory_may_run_out, memory_of_one)
