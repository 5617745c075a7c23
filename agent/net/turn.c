/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/net/turn.h"

#include <stdlib.h>
#include <time.h>
#include "agent/base/memory.h"

struct turn {
	struct server *server;
	struct event *timer, *disk;
};

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

int64_t
turn_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
take(evutil_socket_t fd, short what, void *turn_)
{
	struct turn *turn = turn_;

	(void) fd;
	(void) what;
	server_run(turn->server, turn_now_ms());
	schedule(turn);
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
