/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/host/events.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/base/chore.h"
#include "agent/base/memory.h"
#include "agent/device/thread.h"
#include "agent/host/flow_log.h"
#include "agent/model/model.h"
#include "agent/policy/bridge.h"
#include "agent/policy/learn.h"

enum {
	PART_MAX = 1024, AGE_S = 1,
	/* Of connections that go on: places in one look, how many looks one
	 * turn has, and connections that it tells; and milliseconds between
	 * two turns. */
	GOING_PART = 4096, GOING_PARTS = 64, GOING_MAX = 500, GOING_MS = 100
};

struct events {
	struct model *model;
	struct flow_log *flow_log;
	void (*turn)(void *ctx);
	void *ctx;
	struct event *told, *age, *going;
	size_t n_switches, at;		/* Where telling of what goes on is. */
	uint64_t going_ns;		/* When it last began. */
	int fd;
};

static void wake(void *events_);
static void on_told(evutil_socket_t, short what, void *events_);
static void follow(const struct events *);
static void on_event(void *events_, const struct vsw_event *);
static void on_age(evutil_socket_t, short what, void *events_);
static void on_going(evutil_socket_t, short what, void *events_);
static struct model_switch *switch_at(struct events *, size_t index);

int
events_new(struct event_base *base, struct model *model,
	   struct flow_log *flow_log, void (*turn)(void *), void *ctx,
	   struct events **ret_events)
{
	static const struct timeval each = { .tv_sec = 1 };
	struct events *events = xcalloc(1, sizeof *events);
	int error;

	events->model = model;
	events->flow_log = flow_log;
	events->turn = turn;
	events->ctx = ctx;
	events->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (events->fd < 0) {
		error = -errno;
		events_free(events);
		return error;
	}
	events->told = event_new(base, events->fd, EV_READ | EV_PERSIST,
				 on_told, events);
	events->age = event_new(base, -1, 0, on_age, events);
	events->going = event_new(base, -1, 0, on_going, events);
	if (!events->told || !events->age || !events->going
	    || event_add(events->told, NULL) || event_add(events->age, &each)
	    || event_add(events->going, &each)) {
		events_free(events);
		return -ENOMEM;
	}
	*ret_events = events;
	return 0;
}

void
events_free(struct events *events)
{
	if (!events)
		return;
	if (events->told)
		event_free(events->told);
	if (events->age)
		event_free(events->age);
	if (events->going)
		event_free(events->going);
	if (events->fd >= 0)
		close(events->fd);
	free(events);
}

void
events_set_wake(struct events *events, struct vsw_options *options)
{
	options->wake = wake;
	options->wake_ctx = events;
}

/* [worker] */
static void
wake(void *events_)
{
	struct events *events = events_;
	uint64_t one = 1;

	/* Full is no matter: then the main thread is awake already. */
	if (write(events->fd, &one, sizeof one) < 0)
		return;
}

/* A part of each switch's at a time, so that the loop turns. */
static void
on_told(evutil_socket_t fd, short what, void *events_)
{
	struct events *events = events_;
	struct list *switches = &events->model->switches;
	uint64_t n;

	(void) what;
	if (read(fd, &n, sizeof n) < 0)
		return;
	chore_begin(CHORE_EVENTS);
	for (struct list *link = switches->next; link != switches;
	     link = link->next) {
		struct model_switch *sw =
			LIST_ENTRY(link, struct model_switch, link);

		if (sw->vsw && vsw_events(sw->vsw, PART_MAX, on_event, events)
			       == PART_MAX)
			wake(events);
	}
	flow_log_flush(events->flow_log);
	follow(events);
	chore_end();
}

static void
follow(const struct events *events)
{
	if (model_is_dirty(events->model))
		events->turn(events->ctx);
}

static void
on_event(void *events_, const struct vsw_event *event)
{
	static const struct timeval after = { .tv_sec = AGE_S };
	struct events *events = events_;
	struct model_port *port;

	if (event->kind != VSW_EVENT_LEARNED) {
		flow_log_event(events->flow_log, event);
		return;
	}
	port = model_find_port(events->model, event->port);
	if (!port)
		return;
	if (port->bridged)
		bridge_heard(port->sw->bridge, port->bridged,
			     (uint16_t) event->tag, event->eth_src,
			     event->time_ns);
	else
		learn_heard(events->model, port, (uint32_t) event->tag,
			    event->eth_src, event->time_ns);
	if (!evtimer_pending(events->age, NULL))
		evtimer_add(events->age, &after);
}

static void
on_age(evutil_socket_t fd, short what, void *events_)
{
	static const struct timeval after = { .tv_sec = AGE_S };
	struct events *events = events_;
	struct list *switches = &events->model->switches;
	size_t n_macs = 0;

	(void) fd;
	(void) what;
	for (struct list *link = switches->next; link != switches;
	     link = link->next) {
		struct bridge *bridge =
			LIST_ENTRY(link, struct model_switch, link)->bridge;

		if (!bridge)
			continue;
		macs_age(&bridge->macs, thread_now());
		n_macs += bridge->macs.map.n;
	}
	if (learn_age(events->model, thread_now()) || n_macs)
		evtimer_add(events->age, &after);
	follow(events);
}

/* Connections that go on, once in an interval, so many at a time and no more:
 * what has passed meanwhile is told later, and nothing is lost. */
static void
on_going(evutil_socket_t fd, short what, void *events_)
{
	struct events *events = events_;
	static const struct timeval later = { .tv_sec = 1 };
	static const struct timeval soon = { .tv_usec = GOING_MS * 1000 };
	uint64_t now = thread_now();
	uint64_t interval = flow_log_interval(events->flow_log)
			    * UINT64_C(1000000000);
	struct model_switch *sw;
	size_t n_told = 0, n_parts = 0, n;

	(void) fd;
	(void) what;
	if (!events->n_switches && !events->at) {
		if (!interval || now - events->going_ns < interval) {
			evtimer_add(events->going, &later);
			return;
		}
		events->going_ns = now;
	}
	while (n_told < GOING_MAX && n_parts++ < GOING_PARTS
	       && (sw = switch_at(events, events->n_switches))) {
		bool has_more = sw->vsw
			&& vsw_events_continue(sw->vsw, now, &events->at,
					       GOING_PART, &n, on_event,
					       events);

		n_told += sw->vsw ? n : 0;
		if (has_more)
			continue;
		events->n_switches++;
		events->at = 0;
	}
	if (switch_at(events, events->n_switches)) {
		evtimer_add(events->going, &soon);
	} else {
		events->n_switches = events->at = 0;
		evtimer_add(events->going, &later);
	}
	if (n_told)
		flow_log_flush(events->flow_log);
}

/* NULL: there are not so many. */
static struct model_switch *
switch_at(struct events *events, size_t index)
{
	struct list *switches = &events->model->switches;
	struct list *link = switches->next;

	while (index-- && link != switches)
		link = link->next;
	return link == switches ? NULL
				: LIST_ENTRY(link, struct model_switch, link);
}
