/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/connection/listen.h"

#include "tests/unit/connection_rig.h"

/* Since the last look. */
static bool
was_told(unsigned worker, unsigned flow)
{
	return atomic_exchange(&flags[worker][flow * EAR_STRIDE], 0)
	       == EAR_BIT;
}

static enum connection_verdict
see_and_listen(struct connection_packet p, unsigned worker, uint32_t flow)
{
	struct connection_listener listener = { (uint8_t) worker, flow };
	struct connection_view view;

	ck_assert(connection_find(table, &p, S, &view));
	return connection_see(table, &view.at, &p, &listener, S);
}

/* An established one, to which flow 3 of worker 0 listens on its way out, and
 * flow 1 of worker 1 on its way in. */
static void
establish_for(uint32_t n)
{
	establish(1, n, S);
	ck_assert_int_eq(see_and_listen(packet(1, n, TCP, VSW_OUT,
					       TRACK_PLAIN), 0, 3),
			 CONNECTION_SETTLED);
	ck_assert_int_eq(see_and_listen(packet(1, n, TCP, VSW_IN,
					       TRACK_PLAIN), 1, 1),
			 CONNECTION_SETTLED);
	ck_assert(!was_told(0, 3) && !was_told(1, 1));
}

START_TEST(who_is_not_looked_at_listens)
{
	struct connection_packet udp;

	make(MAX, RATE);
	listen();
	/* A reset is for both, once. */
	establish_for(1);
	see_tcp(1, 1, VSW_OUT, TRACK_RST, S);
	ck_assert(was_told(0, 3) && was_told(1, 1));
	see_tcp(1, 1, VSW_OUT, TRACK_RST, S);
	ck_assert(!was_told(0, 3) && !was_told(1, 1));
	/* What is watched need not listen; once both have gone on, it is not
	 * watched. */
	ck_assert_int_eq(see_and_listen(packet(1, 1, TCP, VSW_OUT,
					       TRACK_PLAIN), 0, 3),
			 CONNECTION_WATCHED);
	see_tcp(1, 1, VSW_OUT, TRACK_RST, S);
	ck_assert(!was_told(0, 3));

	/* Packets have no say after a FIN; whoever begins another has. */
	establish_for(2);
	see_tcp(1, 2, VSW_OUT, TRACK_FIN, S);
	see_tcp(1, 2, VSW_IN, TRACK_FIN, S);
	ck_assert(!was_told(0, 3) && !was_told(1, 1));
	ck_assert_int_eq(open_tcp(1, 2, S), CONNECTION_OPENED);
	ck_assert(was_told(0, 3) && was_told(1, 1));
	connection_end(table, &(struct connection_packet) { .hash = 1 });

	/* Policy's end, and the port's. */
	establish_for(3);
	udp = packet(1, 3, TCP, VSW_OUT, TRACK_PLAIN);
	connection_refuse(table, &udp, 9, S);
	ck_assert(was_told(0, 3) && was_told(1, 1));
	establish_for(4);
	connections_end_port(table, 1);
	ck_assert(was_told(0, 3) && was_told(1, 1));

	/* Of what is not TCP all packets are alike. */
	udp = packet(1, 5, UDP, VSW_OUT, TRACK_PLAIN);
	ck_assert_int_eq(open_one(&udp, S, NULL), CONNECTION_OPENED);
	udp.direction = VSW_IN;
	ck_assert_int_eq(see_and_listen(udp, 1, 1), CONNECTION_SETTLED);
	connection_end(table, &udp);
	ck_assert(!was_told(1, 1));
	unmake();
}
END_TEST

START_TEST(two_flows_of_one_side_listen_in_turn)
{
	struct connection_packet p;

	make(MAX, RATE);
	listen();
	establish_for(1);
	p = packet(1, 1, TCP, VSW_OUT, TRACK_PLAIN);
	see_and_listen(p, 0, 3);
	ck_assert(!was_told(0, 3));
	see_and_listen(p, 1, 3);
	ck_assert(was_told(0, 3) && !was_told(1, 1));
	see_and_listen(p, 1, 2);
	ck_assert(was_told(1, 3) && !was_told(1, 1));
	/* A worker that has gone is told nothing. */
	ear_close(&ears[1]);
	see_tcp(1, 1, VSW_OUT, TRACK_RST, S);
	ck_assert(!was_told(1, 2) && !was_told(1, 1) && !was_told(0, 3));
	unmake();
}
END_TEST

/* What is closing gives way, and a flow may still be using it; what has been
 * idle for so long is in no flow's way. */
START_TEST(what_gives_way_is_told)
{
	struct connection_packet p;

	make(MAX, UINT32_MAX);
	listen();
	establish_for(0);
	see_tcp(1, 0, VSW_OUT, TRACK_FIN, S);
	for (uint32_t i = 1; i < MAX_PORT; i++) {
		p = packet(1, i, UDP, VSW_OUT, TRACK_PLAIN);
		open_one(&p, S, NULL);
		p.direction = VSW_IN;
		see(&p, S);
	}
	ck_assert(!was_told(0, 3) && !was_told(1, 1));
	p = packet(1, MAX_PORT, UDP, VSW_OUT, TRACK_PLAIN);
	ck_assert_int_eq(open_one(&p, S, NULL), CONNECTION_OPENED);
	ck_assert(was_told(0, 3) && was_told(1, 1));
	connections_end_port(table, 1);

	establish_for(0);
	for (unsigned i = 1; connections_n(table); i++)
		connections_expire(table, (10000 + i) * S);
	ck_assert(!was_told(0, 3) && !was_told(1, 1));
	unmake();
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
		who_is_not_looked_at_listens,
		two_flows_of_one_side_listen_in_turn, what_gives_way_is_told
	};
	Suite *suite = suite_create("listen");
	TCase *all = tcase_create("all");
	SRunner *runner;
	int n_failed;

	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
		tcase_add_test(all, tests[i]);
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed != 0;
}
