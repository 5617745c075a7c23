/* SPDX-License-Identifier: Apache-2.0 */

/* Tests agent/provider/bfd_session.c: two sessions on one clock that is moved
 * by hand, with a wire between them that can be cut in either direction; and
 * packets against RFC 5880, section 4.1. */

#include "agent/provider/bfd_session.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { A, B, N };
enum { MS = 1000000 };

static struct bfd_session ends[N];
static bool is_cut[N];			/* What this end sends is lost. */
static uint64_t now;
static unsigned n_sent[N];
static uint64_t gap_min[N], gap_max[N], sent_at[N];

static void
deliver(unsigned from, bool final)
{
	uint8_t bytes[BFD_PACKET_SIZE];
	struct bfd_packet packet;
	bool answer;

	bfd_session_fill(&ends[from], final, &packet);
	bfd_packet_write(&packet, bytes);
	if (is_cut[from])
		return;
	ck_assert(bfd_packet_read(bytes, sizeof bytes, &packet));
	ck_assert(bfd_session_receive(&ends[!from], &packet, now, &answer));
	if (answer) {
		ck_assert(!final);
		deliver(!from, true);
	}
}

static void
run_until(uint64_t end)
{
	for (;;) {
		uint64_t a = bfd_session_next(&ends[A]);
		uint64_t b = bfd_session_next(&ends[B]);
		unsigned which = a <= b ? A : B;
		uint64_t at = which == A ? a : b;

		if (at > end)
			break;
		now = at > now ? at : now;
		if (!bfd_session_tick(&ends[which], now))
			continue;
		if (n_sent[which]++) {
			uint64_t gap = now - sent_at[which];

			gap_min[which] = gap < gap_min[which]
					 ? gap : gap_min[which];
			gap_max[which] = gap > gap_max[which]
					 ? gap : gap_max[which];
		}
		sent_at[which] = now;
		deliver(which, false);
	}
	now = end;
}

static void
measure(void)
{
	for (unsigned i = 0; i < N; i++) {
		n_sent[i] = 0;
		gap_min[i] = UINT64_MAX;
		gap_max[i] = 0;
	}
}

static void
setup(void)
{
	struct bfd_config a = { 100000, 300000, 3, false };
	struct bfd_config b = { 200000, 50000, 3, false };

	now = UINT64_C(1000) * MS;
	memset(is_cut, 0, sizeof is_cut);
	bfd_session_start(&ends[A], 7, &a, now);
	bfd_session_start(&ends[B], 9, &b, now);
	measure();
}

START_TEST(comes_up_and_keeps_pace)
{
	setup();
	run_until(now + UINT64_C(4000) * MS);
	ck_assert_int_eq(ends[A].state, BFD_UP);
	ck_assert_int_eq(ends[B].state, BFD_UP);
	ck_assert(bfd_session_forwards(&ends[A]));
	ck_assert_uint_eq(ends[A].remote_discr, 9);
	ck_assert_uint_eq(ends[A].n_flaps, 1);
	ck_assert(!ends[A].is_polling && !ends[B].is_polling);
	measure();
	run_until(now + UINT64_C(20000) * MS);
	/* A: max(100, 50), B: max(200, 300), each less up to a quarter. */
	ck_assert_uint_ge(gap_min[A], 75 * MS);
	ck_assert_uint_le(gap_max[A], 100 * MS);
	ck_assert_uint_ge(gap_min[B], 225 * MS);
	ck_assert_uint_le(gap_max[B], 300 * MS);
	ck_assert_uint_gt(n_sent[A], 199);
	ck_assert_uint_lt(n_sent[A], 267);
	ck_assert_uint_eq(ends[A].n_flaps, 1);
}
END_TEST

START_TEST(sees_cuts)
{
	uint64_t cut_at;

	setup();
	run_until(now + UINT64_C(4000) * MS);
	/* One direction alone: B hears nothing, and A of it from B. */
	is_cut[A] = true;
	cut_at = now;
	while (ends[B].state == BFD_UP) {
		run_until(now + 5 * MS);
		ck_assert_uint_lt(now - cut_at, UINT64_C(306) * MS);
	}
	ck_assert_uint_ge(now - cut_at, UINT64_C(200) * MS);
	ck_assert_int_eq(ends[B].diag, BFD_DIAG_EXPIRED);
	run_until(now + UINT64_C(1100) * MS);
	ck_assert_int_ne(ends[A].state, BFD_UP);
	ck_assert_int_eq(ends[A].diag, BFD_DIAG_SIGNALED);
	ck_assert_int_eq(ends[A].remote_diag, BFD_DIAG_EXPIRED);
	is_cut[A] = false;
	run_until(now + UINT64_C(4000) * MS);
	ck_assert_int_eq(ends[A].state, BFD_UP);
	ck_assert_int_eq(ends[B].state, BFD_UP);
	ck_assert_uint_eq(ends[A].n_flaps, 3);
	/* Both: each sees it, and forgets the other. */
	is_cut[A] = is_cut[B] = true;
	run_until(now + UINT64_C(2000) * MS);
	ck_assert_int_eq(ends[A].state, BFD_DOWN);
	ck_assert_int_eq(ends[A].diag, BFD_DIAG_EXPIRED);
	ck_assert_uint_eq(ends[A].remote_discr, 0);
	measure();
	run_until(now + UINT64_C(10000) * MS);
	ck_assert_uint_ge(gap_min[A], 750 * MS);
}
END_TEST

START_TEST(changes_pace_with_a_poll)
{
	struct bfd_config slow = { 2000000, 2500000, 3, false };
	struct bfd_config fast = { 20000, 20000, 3, false };

	setup();
	run_until(now + UINT64_C(4000) * MS);
	bfd_session_configure(&ends[A], &slow, now);
	ck_assert(ends[A].is_polling);
	/* Not slower before B has heard of it. */
	ck_assert_uint_eq(ends[A].tx_us, 100000);
	run_until(now + UINT64_C(10000) * MS);
	ck_assert(!ends[A].is_polling);
	ck_assert_uint_eq(ends[A].tx_us, 2000000);
	measure();
	run_until(now + UINT64_C(30000) * MS);
	ck_assert_uint_ge(gap_min[B], 1875 * MS);
	bfd_session_configure(&ends[A], &fast, now);
	/* What is slower is expected until then. */
	ck_assert_uint_eq(ends[A].rx_us, 2500000);
	run_until(now + UINT64_C(10000) * MS);
	ck_assert_uint_eq(ends[A].rx_us, 20000);
	ck_assert_uint_eq(ends[A].n_flaps, 1);
	ck_assert_uint_eq(ends[B].n_flaps, 1);
}
END_TEST

START_TEST(says_what_is_beyond)
{
	struct bfd_config beyond = { 100000, 300000, 3, true };

	setup();
	run_until(now + UINT64_C(4000) * MS);
	bfd_session_configure(&ends[A], &beyond, now);
	run_until(now + UINT64_C(1000) * MS);
	ck_assert_int_eq(ends[B].state, BFD_UP);
	ck_assert(!bfd_session_forwards(&ends[B]));
	ck_assert(!bfd_session_forwards(&ends[A]));
	beyond.cpath_down = false;
	bfd_session_configure(&ends[A], &beyond, now);
	run_until(now + UINT64_C(1000) * MS);
	ck_assert(bfd_session_forwards(&ends[B]));
	ck_assert(bfd_session_forwards(&ends[A]));
}
END_TEST

START_TEST(obeys_its_peer)
{
	struct bfd_packet p;
	bool answer;

	setup();
	run_until(now + UINT64_C(4000) * MS);
	/* Wants none. */
	bfd_session_fill(&ends[B], false, &p);
	p.min_rx_us = 0;
	ck_assert(bfd_session_receive(&ends[A], &p, now, &answer));
	ck_assert(!bfd_session_tick(&ends[A], ends[A].send_at));
	/* Demand: silence while all is well. */
	p.min_rx_us = 50000;
	p.demand = true;
	ck_assert(bfd_session_receive(&ends[A], &p, now, &answer));
	ck_assert(!bfd_session_tick(&ends[A], ends[A].send_at));
	p.demand = false;
	p.poll = true;
	ck_assert(bfd_session_receive(&ends[A], &p, now, &answer));
	ck_assert(answer);
	ck_assert(bfd_session_tick(&ends[A], ends[A].send_at));
	/* Somebody else's. */
	p.your_discr = 8;
	ck_assert(!bfd_session_receive(&ends[A], &p, now, &answer));
	ck_assert(!answer);
	p.your_discr = 7;
	p.state = BFD_ADMIN_DOWN;
	ck_assert(bfd_session_receive(&ends[A], &p, now, &answer));
	ck_assert_int_eq(ends[A].state, BFD_DOWN);
	ck_assert_int_eq(ends[A].diag, BFD_DIAG_SIGNALED);
	ck_assert(bfd_session_receive(&ends[A], &p, now, &answer));
	ck_assert_int_eq(ends[A].state, BFD_DOWN);
}
END_TEST

START_TEST(reads_what_is_sound)
{
	static const uint8_t good[] = {
		0x23, 0xf0, 3, 24, 0, 0, 0, 5, 0, 0, 0, 6, 0, 1, 0x86, 0xa0,
		0, 0, 0, 50, 0, 0, 0, 0, 0xff
	};
	static const struct { size_t at; uint8_t value; } bad[] = {
		{ 0, 0x43 },		/* Version 2. */
		{ 1, 0xf4 },		/* Authentication. */
		{ 1, 0xf1 },		/* Multipoint. */
		{ 2, 0 },		/* Detect multiplier. */
		{ 3, 23 }, { 3, 25 },	/* Length. */
		{ 7, 0 }, { 11, 0 }	/* Discriminators. */
	};
	uint8_t bytes[sizeof good];
	struct bfd_packet p;

	ck_assert(bfd_packet_read(good, 24, &p));
	ck_assert_uint_eq(p.diag, BFD_DIAG_SIGNALED);
	ck_assert_uint_eq(p.state, BFD_UP);
	ck_assert(p.poll && p.final);
	ck_assert_uint_eq(p.my_discr, 5);
	ck_assert_uint_eq(p.your_discr, 6);
	ck_assert_uint_eq(p.min_tx_us, 100000);
	ck_assert_uint_eq(p.min_rx_us, 50);
	ck_assert(!bfd_packet_read(good, 23, &p));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		memcpy(bytes, good, sizeof good);
		bytes[bad[i].at] = bad[i].value;
		ck_assert_msg(!bfd_packet_read(bytes, 24, &p), "%zu", i);
	}
	/* Without the other's discriminator: only what is down. */
	memcpy(bytes, good, sizeof good);
	bytes[11] = 0;
	bytes[1] = 0x40;
	ck_assert(bfd_packet_read(bytes, 24, &p));
	bytes[1] = 0x80;
	ck_assert(!bfd_packet_read(bytes, 24, &p));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("bfd_session");
	TCase *tcase = tcase_create("bfd_session");
	SRunner *runner;
	int n_failed;

	tcase_add_test(tcase, comes_up_and_keeps_pace);
	tcase_add_test(tcase, sees_cuts);
	tcase_add_test(tcase, changes_pace_with_a_poll);
	tcase_add_test(tcase, says_what_is_beyond);
	tcase_add_test(tcase, obeys_its_peer);
	tcase_add_test(tcase, reads_what_is_sound);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
