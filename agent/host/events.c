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

enum { PART_MAX = 1024, AGE_S = 1 };

struct events {
	struct model *model;
	struct flow_log *flow_log;
	struct event *told, *age;
	int fd;
};

static void wake(void *events_);
static void on_told(evutil_socket_t, short what, void *events_);
static void on_event(void *events_, const struct vsw_event *);
static void on_age(evutil_socket_t, short what, void *events_);

int
events_new(struct event_base *base, struct model *model,
	   struct flow_log *flow_log, struct events **ret_events)
{
	struct events *events = xcalloc(1, sizeof *events);
	int error;

	events->model = model;
	events->flow_log = flow_log;
	events->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (events->fd < 0) {
		error = -errno;
		events_free(events);
		return error;
	}
	events->told = event_new(base, events->fd, EV_READ | EV_PERSIST,
				 on_told, events);
	events->age = event_new(base, -1, 0, on_age, events);
	if (!events->told || !events->age || event_add(events->told, NULL)) {
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
	chore_end();
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
	if (!port || !port->bridged)
		return;
	bridge_heard(port->sw->bridge, port->bridged, (uint16_t) event->tag,
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
		bridge_age(bridge, thread_now());
		n_macs += bridge->n_macs;
	}
	if (n_macs)
		evtimer_add(events->age, &after);
}
