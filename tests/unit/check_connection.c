/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/connection/connection.c, with a naive list as its twin and
 * with two threads at once.  Limits: check_room.c. */

#include <pthread.h>
#include <stdatomic.h>
#include "tests/unit/connection_rig.h"

START_TEST(both_directions_have_one_key)
{
	struct connection_packet p;
	struct connection_view view = {
		.program = 9, .layers = 6,
		.opener = { .eth_src = { 1 }, .eth_dst = { 2 }, .vni = 3 }
	}, found;

	make(MAX, RATE);
	p = packet(1, 7, TCP, VSW_OUT, TRACK_SYN);
	ck_assert(!connection_find(table, &p, S, &found));
	ck_assert(!connection_may_be_there(table, p.hash));
	connection_fetch(table, p.hash);
	connection_fetch_more(table, p.hash);
	ck_assert_int_eq(connection_see(table, &view.at, &p, NULL, S),
			 CONNECTION_GONE);
	ck_assert_int_eq(connection_open(table, &p, S, &view),
			 CONNECTION_OPENED);
	p.direction = VSW_IN;
	ck_assert(connection_find(table, &p, S, &found));
	ck_assert_uint_eq(found.at.place, view.at.place);
	ck_assert_uint_eq(found.at.serial, view.at.serial);
	ck_assert_uint_eq(found.state, TRACK_TCP_ASKED);
	ck_assert_uint_eq(found.direction, VSW_OUT);
	ck_assert_uint_eq(found.program, 9);
	ck_assert_uint_eq(found.layers, 6);
	ck_assert_mem_eq(found.opener.eth_src, view.opener.eth_src, 6);
	ck_assert_mem_eq(found.opener.eth_dst, view.opener.eth_dst, 6);
	ck_assert_uint_eq(found.opener.vni, 3);
	ck_assert(connection_may_be_there(table, p.hash));
	connection_fetch_more(table, p.hash);

	/* All of the key counts, and which side is which. */
	for (size_t i = 0; i < sizeof p.key; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			struct connection_packet other = p;

			((uint8_t *) &other.key)[i] ^= (uint8_t) (1u << bit);
			other.hash = connection_hash(table, &other.key);
			ck_assert_uint_ne(other.hash, p.hash);
			ck_assert(!connection_find(table, &other, S, &found));
			/* Nor under the wrong hash. */
			other.hash = p.hash;
			ck_assert(!connection_find(table, &other, S, &found));
			ck_assert_int_eq(connection_see(table, &view.at,
							&other, NULL, S),
					 CONNECTION_GONE);
		}
	unmake();
}
END_TEST

START_TEST(a_connection_is_followed)
{
	struct connection_packet error;

	make(MAX, RATE);
	establish(1, 7, S);
	ck_assert_int_eq(see_tcp(1, 7, VSW_IN, TRACK_INVALID, S),
			 CONNECTION_INVALID);
	ck_assert_int_eq(see_tcp(1, 7, VSW_IN, TRACK_PLAIN, S),
			 CONNECTION_SETTLED);
	error = packet(1, 7, TCP, VSW_IN, TRACK_PLAIN);
	error.is_related = true;
	ck_assert_int_eq(see(&error, S), CONNECTION_WATCHED);
	ck_assert_int_eq(see_tcp(1, 7, VSW_OUT, TRACK_FIN, S),
			 CONNECTION_SETTLED);
	ck_assert_int_eq(see_tcp(1, 7, VSW_IN, TRACK_FIN, S),
			 CONNECTION_SETTLED);
	/* Closed: a SYN is for the rules. */
	ck_assert_int_eq(see_tcp(1, 7, VSW_OUT, TRACK_SYN, S),
			 CONNECTION_GONE);
	ck_assert(is_there(1, 7, S));
	ck_assert_int_eq(open_tcp(1, 7, S), CONNECTION_OPENED);
	ck_assert_uint_eq(counters(1).connections, 1);
	ck_assert_uint_eq(counters(1).connections_opened, 2);
	ck_assert_int_eq(see_tcp(1, 7, VSW_OUT, TRACK_SYN, S),
			 CONNECTION_WATCHED);
	ck_assert_int_eq(see_tcp(1, 7, VSW_IN, TRACK_RST, S),
			 CONNECTION_WATCHED);
	ck_assert_int_eq(see_tcp(1, 7, VSW_IN, TRACK_SYN, S),
			 CONNECTION_GONE);
	unmake();
}
END_TEST

START_TEST(what_begins_nothing_opens_nothing)
{
	struct connection_packet p;

	make(MAX, RATE);
	p = packet(1, 1, TCP, VSW_OUT, TRACK_RST);
	ck_assert_int_eq(open_one(&p, S, NULL), VSW_DROP_CONNECTION_STATE);
	p.event = TRACK_INVALID;
	ck_assert_int_eq(open_one(&p, S, NULL), VSW_DROP_CONNECTION_STATE);
	ck_assert_uint_eq(connections_n(table), 0);
	ck_assert_uint_eq(counters(1).connections_refused, 0);
	unmake();
}
END_TEST

/* How many there are of each class, were at most, and ever. */
START_TEST(classes_are_counted)
{
	struct vsw_port_classes c = { .size = sizeof c };
	struct connection_packet p;

	make(MAX, RATE);
	for (uint32_t i = 0; i < 3; i++)
		ck_assert_int_eq(open_tcp(1, i, S), CONNECTION_OPENED);
	p = packet(1, 9, UDP, VSW_OUT, TRACK_PLAIN);
	ck_assert_int_eq(open_one(&p, S, NULL), CONNECTION_OPENED);
	p = packet(1, 9, 47, VSW_OUT, TRACK_PLAIN);
	ck_assert_int_eq(open_one(&p, S, NULL), CONNECTION_OPENED);
	p = packet(1, 9, ICMP, VSW_OUT, TRACK_PLAIN);
	ck_assert_int_eq(open_one(&p, S, NULL), CONNECTION_OPENED);
	p = packet(2, 9, UDP, VSW_OUT, TRACK_PLAIN);
	ck_assert_int_eq(open_one(&p, S, NULL), CONNECTION_OPENED);
	/* A second one sees the same: nothing is new. */
	ck_assert_int_eq(open_one(&p, S, NULL), CONNECTION_OPENED);
	see_tcp(1, 0, VSW_IN, TRACK_SYN_ACK, S);
	see_tcp(1, 0, VSW_OUT, TRACK_PLAIN, S);
	p = packet(1, 1, TCP, VSW_OUT, TRACK_PLAIN);
	connection_end(table, &p);

	connections_count_classes(table, 1, &c);
	ck_assert_uint_eq(c.of[VSW_CLASS_CONNECTIONS].n, 5);
	ck_assert_uint_eq(c.of[VSW_CLASS_CONNECTIONS].max, 6);
	ck_assert_uint_eq(c.of[VSW_CLASS_CONNECTIONS].created, 6);
	ck_assert_uint_eq(c.of[VSW_CLASS_TCP].n, 2);
	ck_assert_uint_eq(c.of[VSW_CLASS_TCP].max, 3);
	ck_assert_uint_eq(c.of[VSW_CLASS_UDP].n, 1);
	ck_assert_uint_eq(c.of[VSW_CLASS_ICMP].created, 1);
	ck_assert_uint_eq(c.of[VSW_CLASS_OTHER].n, 1);
	/* One was settled, one ended. */
	ck_assert_uint_eq(c.of[VSW_CLASS_HALF_OPEN].n, 4);
	ck_assert_uint_eq(c.of[VSW_CLASS_HALF_OPEN].max, 6);
	ck_assert_uint_eq(c.of[VSW_CLASS_HALF_OPEN].created, 6);
	connections_count_classes(table, 2, &c);
	ck_assert_uint_eq(c.of[VSW_CLASS_CONNECTIONS].created, 1);

	/* Nothing is left of a port, nor are its records. */
	connections_end_port(table, 1);
	connections_count_classes(table, 1, &c);
	for (int i = VSW_CLASS_CONNECTIONS; i < VSW_N_CLASSES; i++) {
		ck_assert_uint_eq(c.of[i].n, 0);
		ck_assert_uint_eq(c.of[i].max, 0);
		ck_assert_uint_eq(c.of[i].created, 0);
	}
	unmake();
}
END_TEST

/* Two workers may see the first packet at once: the later one joins. */
START_TEST(the_second_joins)
{
	struct connection_packet p;
	struct connection_reference first, second;

	make(MAX, RATE);
	p = packet(1, 1, UDP, VSW_OUT, TRACK_PLAIN);
	ck_assert_int_eq(open_one(&p, S, &first), CONNECTION_OPENED);
	p.direction = VSW_IN;
	ck_assert_int_eq(open_one(&p, S, &second), CONNECTION_OPENED);
	ck_assert_uint_eq(first.place, second.place);
	ck_assert_uint_eq(first.serial, second.serial);
	ck_assert_uint_eq(connections_n(table), 1);
	ck_assert_uint_eq(counters(1).connections, 1);
	ck_assert_uint_eq(counters(1).connections_opened, 1);
	ck_assert_int_eq(connection_see(table, &first, &p, NULL, S),
			 CONNECTION_SETTLED);
	unmake();
}
END_TEST

/* Each class's time. */
static const struct {
	uint8_t proto;
	enum track_event events[4];	/* Opener's first. */
	unsigned n;
	uint64_t lasts;
} cases[] = {
	{ TCP, { TRACK_SYN }, 1, 60 * S },
	{ TCP, { TRACK_SYN, TRACK_SYN_ACK }, 2, 60 * S },
	{ TCP, { TRACK_PLAIN }, 1, 60 * S },
	{ TCP, { TRACK_PLAIN, TRACK_PLAIN }, 2,
	  7440 * S + (UINT64_C(1) << 34) },
	{ TCP, { TRACK_PLAIN, TRACK_PLAIN, TRACK_FIN }, 3,
	  120 * S + (UINT64_C(1) << 34) },
	{ TCP, { TRACK_PLAIN, TRACK_PLAIN, TRACK_FIN, TRACK_FIN }, 4,
	  120 * S + (UINT64_C(1) << 34) },
	{ TCP, { TRACK_PLAIN, TRACK_PLAIN, TRACK_RST }, 3, 10 * S },
	{ UDP, { TRACK_PLAIN }, 1, 30 * S },
	{ UDP, { TRACK_PLAIN, TRACK_PLAIN }, 2,
	  300 * S + (UINT64_C(1) << 34) },
	{ ICMP, { TRACK_PLAIN }, 1, 61 * S },
	{ ICMP, { TRACK_PLAIN, TRACK_ANSWER }, 2, 61 * S },
	{ 50, { TRACK_PLAIN }, 1, 30 * S },
	{ 50, { TRACK_PLAIN, TRACK_PLAIN }, 2,
	  600 * S + (UINT64_C(1) << 34) }
};

/* To the nanosecond. */
START_TEST(idle_ones_are_as_good_as_gone)
{
	make(MAX, RATE);
	for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint64_t start = 100000 * S * (i + 1), end;
		struct connection_view view;
		struct connection_packet p;

		p = packet(1, i, cases[i].proto, VSW_OUT,
			   cases[i].events[0]);
		ck_assert_int_eq(open_one(&p, start, NULL),
				 CONNECTION_OPENED);
		for (unsigned n = 1; n < cases[i].n; n++) {
			p.direction = n % 2 ? VSW_IN : VSW_OUT;
			p.event = (uint8_t) cases[i].events[n];
			ck_assert_int_ne(see(&p, start + n), CONNECTION_GONE);
		}
		end = start + cases[i].n - 1 + cases[i].lasts;
		p.event = TRACK_ANSWER;
		ck_assert(connection_find(table, &p, end - 1, &view));
		ck_assert(!connection_find(table, &p, end, &view));
		ck_assert_int_eq(connection_see(table, &view.at, &p, NULL,
						end), CONNECTION_GONE);
		/* A clock that is behind is no reason. */
		ck_assert(connection_find(table, &p, start - S, &view));
		/* Seen again, it lasts as long again. */
		ck_assert_int_ne(connection_see(table, &view.at, &p, NULL,
						end - 1), CONNECTION_GONE);
		ck_assert(connection_find(table, &p, end, &view));
	}
	unmake();
}
END_TEST

START_TEST(the_hand_takes_what_is_idle)
{
	uint64_t now = 1000 * S, next;
	unsigned n_calls = 0;

	make(MAX, UINT32_MAX);
	ck_assert_uint_eq(connections_expire(table, now), UINT64_MAX);
	for (uint32_t n = 0; n < 50; n++)
		establish(1, n, now);
	for (uint32_t n = 50; n < 100; n++)
		ck_assert_int_eq(open_tcp(1, n, now), CONNECTION_OPENED);
	/* Nothing is due, and it wants to come again. */
	for (unsigned i = 0; i < 10; i++) {
		next = connections_expire(table, now);
		ck_assert_uint_ge(next, now);
		ck_assert_uint_le(next, now + 16 * S);
		now += S;
	}
	ck_assert_uint_eq(connections_n(table), 100);
	now += 60 * S;
	do {
		next = connections_expire(table, now);
		now += S;
		ck_assert_uint_lt(n_calls++, 20);
	} while (connections_n(table) > 50);
	ck_assert(is_there(1, 49, now));
	now += 8000 * S;
	while ((next = connections_expire(table, now)) != UINT64_MAX) {
		ck_assert_uint_lt(n_calls++, 100);
		now += S;
	}
	ck_assert_uint_eq(connections_n(table), 0);
	ck_assert_uint_eq(counters(1).connections, 0);
	ck_assert_uint_eq(connections_now(table), now);
	unmake();
}
END_TEST

/* Whoever remembers a place where somebody else is by now is told so, also if
 * it is the same two who talk. */
START_TEST(a_place_is_used_again)
{
	struct connection_reference at, other, again;
	struct connection_packet p, q;

	make(MAX, RATE);
	p = packet(1, 1, UDP, VSW_OUT, TRACK_PLAIN);
	q = packet(2, 2, UDP, VSW_OUT, TRACK_PLAIN);
	ck_assert_int_eq(open_one(&p, S, &at), CONNECTION_OPENED);
	connection_end(table, &p);
	ck_assert_int_eq(connection_see(table, &at, &p, NULL, S),
			 CONNECTION_GONE);
	ck_assert_int_eq(open_one(&q, S, &other), CONNECTION_OPENED);
	ck_assert_uint_eq(at.place, other.place);
	ck_assert_int_eq(connection_see(table, &at, &p, NULL, S),
			 CONNECTION_GONE);
	ck_assert_int_eq(connection_see(table, &other, &q, NULL, S),
			 CONNECTION_WATCHED);
	connection_end(table, &q);
	ck_assert_int_eq(open_one(&p, S, &again), CONNECTION_OPENED);
	ck_assert_uint_eq(at.place, again.place);
	ck_assert_int_eq(connection_see(table, &at, &p, NULL, S),
			 CONNECTION_GONE);
	ck_assert_int_eq(connection_see(table, &again, &p, NULL, S),
			 CONNECTION_WATCHED);
	/* Places that never were. */
	at.place = 599;
	ck_assert_int_eq(connection_see(table, &at, &p, NULL, S),
			 CONNECTION_GONE);
	at.place = 1 << 30;
	ck_assert_int_eq(connection_see(table, &at, &p, NULL, S),
			 CONNECTION_GONE);
	connection_end(table, &q);
	ck_assert_uint_eq(connections_n(table), 1);
	unmake();
}
END_TEST

START_TEST(another_program_approves)
{
	struct connection_packet p;
	struct connection_view view;

	make(MAX, RATE);
	p = packet(1, 1, UDP, VSW_OUT, TRACK_PLAIN);
	connection_approve(table, &p, 8, 2, 0, S);
	ck_assert_int_eq(open_one(&p, S, NULL), CONNECTION_OPENED);
	connection_approve(table, &p, 8, 2, 0, S);
	ck_assert(connection_find(table, &p, S, &view));
	ck_assert_uint_eq(view.program, 8);
	ck_assert_uint_eq(view.layers, 2);
	unmake();
}
END_TEST

/* One that policy has ended is known, but is nobody's. */
START_TEST(another_program_refuses)
{
	struct connection_packet p, answer, syn;
	struct connection_view view = { .program = 9, .layers = 1 };
	struct connection_reference at;

	make(MAX, RATE);
	p = packet(1, 1, TCP, VSW_OUT, TRACK_PLAIN);
	answer = packet(1, 1, TCP, VSW_IN, TRACK_PLAIN);
	syn = packet(1, 1, TCP, VSW_IN, TRACK_SYN);
	connection_refuse(table, &p, 8, S);
	ck_assert_uint_eq(connections_n(table), 0);
	ck_assert_int_eq(open_one(&p, S, &at), CONNECTION_OPENED);
	connection_see(table, &at, &answer, NULL, S);
	ck_assert(connection_may_be_there(table, p.hash));
	connection_refuse(table, &p, 8, 2 * S);
	ck_assert(!connection_may_be_there(table, p.hash));
	ck_assert(connection_find(table, &answer, 2 * S, &view));
	ck_assert_uint_eq(view.state, TRACK_TCP_REFUSED);
	ck_assert_uint_eq(view.program, 8);
	ck_assert_uint_eq(view.layers, 0);
	ck_assert_int_eq(connection_see(table, &at, &answer, NULL, 2 * S),
			 CONNECTION_GONE);
	ck_assert_int_eq(open_one(&answer, 2 * S, NULL),
			 VSW_DROP_CONNECTION_ENDED);
	ck_assert_uint_eq(counters(1).connections_refused, 1);
	ck_assert_uint_eq(counters(1).connections, 1);
	/* As long as there is something of it, and its time more. */
	connection_refuse(table, &answer, 8, 7000 * S);
	ck_assert(connection_find(table, &answer, 14439 * S, &view));
	ck_assert(!connection_find(table, &answer, 14440 * S, &view));
	/* A SYN begins anew, and only that. */
	connection_refuse(table, &answer, 8, 14439 * S);
	ck_assert_int_eq(connection_see(table, &at, &syn, NULL, 14440 * S),
			 CONNECTION_GONE);
	view = (struct connection_view) { .program = 9, .layers = 1 };
	ck_assert_int_eq(connection_open(table, &syn, 14440 * S, &view),
			 CONNECTION_OPENED);
	ck_assert_uint_eq(view.state, TRACK_TCP_ASKED);
	ck_assert_uint_eq(connections_n(table), 1);
	/* A program that lets it pass again. */
	connection_refuse(table, &syn, 10, 14441 * S);
	connection_approve(table, &syn, 11, 2, 0, 14441 * S);
	ck_assert(connection_find(table, &p, 14441 * S, &view));
	ck_assert_uint_eq(view.state, TRACK_TCP_JOINED);
	ck_assert_uint_eq(view.layers, 2);
	unmake();
}
END_TEST

/* Of what has no beginning, for a time, whatever comes. */
START_TEST(what_has_no_beginning_is_refused_for_a_time)
{
	struct connection_packet p, other, icmp;
	struct connection_view view;

	make(MAX, RATE);
	p = packet(1, 2, UDP, VSW_OUT, TRACK_PLAIN);
	other = packet(1, 2, UDP, VSW_IN, TRACK_PLAIN);
	ck_assert_int_eq(open_one(&p, S, NULL), CONNECTION_OPENED);
	connection_refuse(table, &p, 8, 20 * S);
	connection_refuse(table, &p, 8, 40 * S);
	ck_assert_int_eq(open_one(&other, 49 * S, NULL),
			 VSW_DROP_CONNECTION_ENDED);
	ck_assert_int_eq(open_one(&other, 50 * S, NULL), CONNECTION_OPENED);
	/* Who began it may do so again. */
	connection_refuse(table, &other, 8, 51 * S);
	ck_assert_int_eq(open_one(&p, 52 * S, NULL),
			 VSW_DROP_CONNECTION_ENDED);
	ck_assert_int_eq(open_one(&other, 52 * S, NULL), CONNECTION_OPENED);
	ck_assert_uint_eq(connections_n(table), 1);
	/* An answer to a ping opens nothing. */
	icmp = packet(1, 3, ICMP, VSW_OUT, TRACK_PLAIN);
	ck_assert_int_eq(open_one(&icmp, S, NULL), CONNECTION_OPENED);
	connection_refuse(table, &icmp, 8, S);
	ck_assert(!connection_find(table, &icmp, S, &view));
	unmake();
}
END_TEST

START_TEST(copies_each_once)
{
	struct connection_copy copies[4];
	static unsigned seen[N_PORTS][200];
	unsigned n_seen = 0;
	uint64_t at = 0;
	size_t n;

	make(40, UINT32_MAX);	/* Long chains, too. */
	for (uint32_t i = 0; i < 40; i++)
		open_tcp(1 + i % 3, i, S * (1 + i));
	while ((n = connections_copy(table, UINT32_MAX, 50 * S, &at,
				     UINT64_MAX, copies,
				     4)))
		for (size_t i = 0; i < n; i++) {
			seen[copies[i].key.port][copies[i].key.local_port]++;
			ck_assert_uint_eq(copies[i].state, TRACK_TCP_ASKED);
			ck_assert_uint_eq(copies[i].direction, VSW_OUT);
			ck_assert_uint_eq(copies[i].layers, 5);
			ck_assert_uint_eq(copies[i].idle_ns,
				S * (49 - copies[i].key.local_port));
			ck_assert_uint_eq(copies[i].age_ns,
					  copies[i].idle_ns);
		}
	for (uint32_t i = 0; i < 40; i++)
		n_seen += seen[1 + i % 3][i] == 1;
	ck_assert_uint_eq(n_seen, 40);
	at = 0;
	while ((n = connections_copy(table, 2, 50 * S, &at, UINT64_MAX,
				     copies, 3)))
		for (size_t i = 0; i < n; i++)
			ck_assert_uint_eq(copies[i].key.port, 2);
	ck_assert_uint_eq(connections_copy(table, 4, S, &at, UINT64_MAX,
					   copies, 3), 0);
	unmake();
}
END_TEST

/* The twin: an array of what there should be. */
enum { TWIN_N = 64 };

struct twin {
	bool is_there;
	enum track_state state;
	enum vsw_direction direction;
	uint64_t used, listed;
};

static bool
twin_is_alive(const struct twin *t, uint64_t now)
{
	static const uint64_t ages[] = {
		[TRACK_AGE_TCP_HALF_OPEN] = 60, [TRACK_AGE_TCP_OPEN] = 7440,
		[TRACK_AGE_TCP_CLOSING] = 120, [TRACK_AGE_TCP_RESET] = 10
	};
	uint64_t age = ages[track_age(t->state)] * S;

	if (!track_is_watched(t->state))
		age += UINT64_C(1) << 34;
	return t->is_there && now < t->used + age;
}

static enum connection_verdict
twin_see(struct twin *t, bool is_alive, enum vsw_direction direction,
	 enum track_event event, uint64_t now)
{
	if (!is_alive || track_begins_anew(t->state, event))
		return CONNECTION_GONE;
	if (event == TRACK_INVALID)
		return CONNECTION_INVALID;
	t->state = track_next(t->state, t->direction == direction
			      ? TRACK_OPENER : TRACK_OTHER, event);
	t->used = now;
	return track_is_watched(t->state) ? CONNECTION_WATCHED
					  : CONNECTION_SETTLED;
}

START_TEST(does_as_its_twin)
{
	static struct twin twins[N_PORTS][TWIN_N];
	uint64_t random = (uint64_t) _i + 1, now = 1000 * S;
	unsigned n_found = 0, n_opened = 0, n_expired = 0;

	memset(twins, 0, sizeof twins);
	make(1024, UINT32_MAX);
	for (unsigned step = 0; step < 100000; step++) {
		uint32_t port = rig_random(&random) % N_PORTS;
		uint32_t n = rig_random(&random) % TWIN_N;
		struct twin *t = &twins[port][n];
		enum vsw_direction direction = rig_random(&random) % 2;
		enum track_event event = rig_random(&random) % TRACK_ANSWER;
		struct connection_packet p = packet(port, n, TCP, direction,
						    event);
		enum connection_verdict expected;
		bool alive;

		now += rig_random(&random) % (S / 50);
		if (rig_random(&random) % 3000 == 0)
			now += rig_random(&random) % 200 * S;
		alive = twin_is_alive(t, now);
		n_expired += t->is_there && !alive;
		if (rig_random(&random) % 200 == 0)
			connections_expire(table, now);
		if (rig_random(&random) % 50 == 0) {
			connection_end(table, &p);
			t->is_there = false;
			continue;
		}
		expected = twin_see(t, alive, direction, event, now);
		n_found += expected > CONNECTION_INVALID;
		ck_assert_int_eq(see(&p, now), expected);
		if (expected != CONNECTION_GONE)
			continue;
		if (open_one(&p, now, NULL) == CONNECTION_OPENED) {
			*t = (struct twin) {
				.is_there = true, .direction = direction,
				.state = track_start(TCP, event), .used = now
			};
			n_opened++;
		} else {
			ck_assert_int_eq(track_start(TCP, event),
					 TRACK_NONE);
		}
	}
	for (uint32_t port = 0; port < N_PORTS; port++)
		for (uint32_t n = 0; n < TWIN_N; n++)
			ck_assert_int_eq(is_there(port, n, now),
					 twin_is_alive(&twins[port][n], now));
	ck_assert_uint_gt(n_found, 10000);
	ck_assert_uint_gt(n_opened, 1000);
	ck_assert_uint_gt(n_expired, 50);
	unmake();
}
END_TEST

/* Two workers with the same conversations, from both ends, in a table that is
 * always full, while a third looks and ends them by the port. */
enum { RACE_STEPS = 60000, RACE_N = 900 };
static _Atomic uint64_t race_now;

static void *
race(void *direction_)
{
	enum vsw_direction direction = direction_ ? VSW_IN : VSW_OUT;
	uint64_t random = direction + 1;
	struct connection_reference at[64] = { { .place = 0 } };
	unsigned long n_good = 0;

	for (unsigned step = 0; step < RACE_STEPS; step++) {
		uint32_t n = rig_random(&random) % RACE_N;
		enum track_event event = rig_random(&random) % 8
					 ? TRACK_PLAIN
					 : rig_random(&random) % TRACK_INVALID;
		struct connection_packet p = packet(1 + n % 2, n, TCP,
						    direction, event);
		uint64_t now = atomic_fetch_add(&race_now, S / 1000);
		struct connection_listener listener = {
			.worker = direction, .flow = n % N_FLOWS
		};
		struct connection_view view = { .layers = 0 };
		enum connection_verdict verdict = connection_see(
			table, &at[n % 64], &p, &listener, now);

		if (verdict == CONNECTION_GONE
		    && connection_find(table, &p, now, &view))
			verdict = connection_see(table, &view.at, &p,
						 &listener, now);
		if (verdict != CONNECTION_GONE)
			n_good++;
		else if (connection_open(table, &p, now, &view)
			 == CONNECTION_OPENED)
			at[n % 64] = view.at;
		if (step % 100 == 0)
			connections_expire(table, now);
		if (step % 64 == 0)
			connection_end(table, &p);
		if (step % 64 == 32)
			connection_refuse(table, &p, step, now);
		connection_may_be_there(table, p.hash);
		connection_approve(table, &p, step, n, 0, now);
	}
	return (void *) (uintptr_t) n_good;
}

START_TEST(workers_share_it)
{
	struct connection_copy copies[16];
	struct vsw_port_counters c;
	pthread_t threads[2];
	void *n_good[2];
	uint64_t at = 0;
	size_t n, total = 0;

	make(MAX, UINT32_MAX);
	listen();
	race_now = 1000 * S;
	for (uintptr_t i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, race,
						(void *) i), 0);
	for (unsigned i = 0; i < 200 || !total; i++) {
		at = 0;
		while ((n = connections_copy(table, UINT32_MAX, race_now, &at,
					     UINT64_MAX, copies, 16)))
			total += n;
		connections_end_port(table, 1 + i % 2);
	}
	for (unsigned i = 0; i < 2; i++) {
		pthread_join(threads[i], &n_good[i]);
		ck_assert_uint_gt((uintptr_t) n_good[i], 1000);
	}
	ck_assert_uint_gt(total, 0);
	/* The lists, the buckets and the counts are of one mind. */
	at = total = 0;
	while ((n = connections_copy(table, UINT32_MAX, 1000 * S, &at,
				     UINT64_MAX, copies, 16)))
		total += n;
	c = counters(1);
	ck_assert_uint_eq(total, c.connections + counters(2).connections);
	ck_assert_uint_eq(total, connections_n(table));
	connections_end_port(table, 1);
	connections_end_port(table, 2);
	ck_assert_uint_eq(connections_n(table), 0);
	ck_assert_uint_eq(counters(1).connections, 0);
	ck_assert_uint_eq(counters(2).connections, 0);
	unmake();
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
		both_directions_have_one_key, a_connection_is_followed,
		what_begins_nothing_opens_nothing, classes_are_counted,
		the_second_joins,
		idle_ones_are_as_good_as_gone, the_hand_takes_what_is_idle,
		a_place_is_used_again, another_program_approves,
		another_program_refuses,
		what_has_no_beginning_is_refused_for_a_time,
		copies_each_once, workers_share_it
	};
	Suite *suite = suite_create("connection");
	TCase *all = tcase_create("all");
	SRunner *runner;
	int n_failed;

	tcase_set_timeout(all, 120);
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
		tcase_add_test(all, tests[i]);
	tcase_add_loop_test(all, does_as_its_twin, 0, 4);
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed != 0;
}
