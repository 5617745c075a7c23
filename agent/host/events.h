/* SPDX-License-Identifier: Apache-2.0 */

#ifndef HOST_EVENTS_H
#define HOST_EVENTS_H 1

/* What workers tell: an eventfd wakes the main thread, which takes the events
 * of all switches and hands each to whom it is for.  While a switch knows
 * learned addresses, they are aged once a second.  What was learned in subnets
 * the model follows: 'turn' asks for that.  [control] */

#include <event2/event.h>
#include <vswitch.h>

struct events;
struct flow_log;
struct model;

/* 0 or a negative errno.  free accepts NULL; no switch is left by then. */
int events_new(struct event_base *, struct model *, struct flow_log *,
	       void (*turn)(void *ctx), void *ctx,
	       struct events **ret_events);
void events_free(struct events *);
/* Before a switch is made: whom its workers are to wake. */
void events_set_wake(struct events *, struct vsw_options *);

#endif /* host/events.h */
