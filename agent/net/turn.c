/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/net/turn.h"

#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include "agent/base/chore.h"
#include "agent/base/memory.h"

enum {
	LOOK_US = 200,		/* For the next request, before sleeping. */
	SOON_US = 300,		/* A sleep that was hardly worth it. */
	CROWDED_US = 20,	/* A look that took so long was not alone. */
	VAIN_MAX = 4		/* Looks in a row that found nothing. */
};

struct turn {
	struct server *server;
	struct event *timer, *disk;
};

static uint64_t n_heard;	/* How often any peer has sent something. */

static bool look(struct event_base *, unsigned *n_vain);
static bool is_over(struct event_base *);
static void take(evutil_socket_t, short, void *turn);
static void schedule(void *turn);

struct turn *
turn_new(struct event_base *base, struct server *server)
{
	struct turn *turn = xmalloc(sizeof *turn);

	turn->server = server;
	turn->timer = event_new(base, -1, 0, take, turn);
	turn->disk = event_new(base, server_event_fd(server),
			       EV_READ | EV_PERSIST, take, turn);
	event_add(turn->disk, NULL);
	server_set_wake(server, schedule, turn);
	return turn;
}

void
turn_free(struct turn *turn)
{
	if (!turn)
		return;
	server_set_wake(turn->server, NULL, NULL);
	event_free(turn->disk);
	event_free(turn->timer);
	free(turn);
}

void
turn_soon(struct turn *turn)
{
	schedule(turn);
}

void
turn_loop(struct event_base *base)
{
	unsigned n_vain = VAIN_MAX;
	int error = 0;

	while (!error && !is_over(base)) {
		uint64_t heard = n_heard;
		int64_t began_us;

		if (n_vain < VAIN_MAX && look(base, &n_vain))
			continue;
		if (is_over(base))
			break;
		began_us = turn_now_us();
		error = event_base_loop(base, EVLOOP_ONCE);
		chore_turn();
		if (heard != n_heard && turn_now_us() - began_us < SOON_US)
			n_vain = 0;
	}
}

void
turn_loop_free(struct event_base *base)
{
	if (!base)
		return;
	event_base_loop(base, EVLOOP_NONBLOCK);
	event_base_free(base);
}

void
turn_heard(void)
{
	n_heard++;
}

int64_t
turn_now_ms(void)
{
	return turn_now_us() / 1000;
}

int64_t
turn_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

/* Has any peer sent something meanwhile?  Who else wants to run on this
 * processor comes first; if somebody does, sleeping is better. */
static bool
look(struct event_base *base, unsigned *n_vain)
{
	uint64_t heard = n_heard;
	int64_t began_us = turn_now_us(), last_us = began_us, us = began_us;

	while (us - began_us < LOOK_US && *n_vain < VAIN_MAX
	       && !is_over(base)) {
		sched_yield();
		event_base_loop(base, EVLOOP_NONBLOCK);
		chore_turn();
		if (heard != n_heard) {
			*n_vain = 0;
			return true;
		}
		us = turn_now_us();
		if (us - last_us > CROWDED_US)
			*n_vain = VAIN_MAX;
		last_us = us;
	}
	if (*n_vain < VAIN_MAX)
		++*n_vain;
	return false;
}

static bool
is_over(struct event_base *base)
{
	return event_base_got_exit(base)
	       || event_base_got_break(base);
}

static void
take(evutil_socket_t fd, short what, void *turn_)
{
	struct turn *turn = turn_;

	(void) fd;
	(void) what;
	chore_begin(CHORE_SERVER);
	server_run(turn->server, turn_now_ms());
	schedule(turn);
	chore_end();
}

/* By a timer also when it is due at once: connections get their turn in
 * between. */
static void
schedule(void *turn_)
{
	struct turn *turn = turn_;
	int64_t deadline_ms = server_deadline(turn->server);
	int64_t now_ms = turn_now_ms(), left_ms;
	struct timeval left;

	if (deadline_ms == INT64_MAX) {
		event_del(turn->timer);
		return;
	}
	left_ms = deadline_ms > now_ms ? deadline_ms - now_ms : 0;
	left.tv_sec = (time_t) (left_ms / 1000);
	left.tv_usec = (suseconds_t) (left_ms % 1000 * 1000);
	event_add(turn->timer, &left);
}
