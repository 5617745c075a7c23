/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_EVENT_H
#define DATAPATH_EVENT_H 1

/* What workers tell the control thread: events, on their way from rules to
 * vsw_events().
 *
 * A rule that is met while a flow is decided notes an event in the decision
 * (event_note()); when the decision stands, the worker puts the notes into its
 * own queue (event_tell()), and wakes the control thread if nobody has since
 * that last looked.  A cache hit never comes here.
 *
 * A queue has one writer, its worker, and one reader, control.  The worker
 * fills a slot, then moves 'written' (release; partner: the acquire in
 * event_take()); control copies the slot, then moves 'taken' (release; partner:
 * the acquire in event_tell()).  It is bounded in three ways, and what does not
 * fit is counted by its kind: slots, slots that one port may have in it, and
 * events that a port may tell in a second.  Memory for slots is asked for with
 * the first event. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <vswitch/inspect.h>
#include "libvswitch/policy/key.h"

struct decision;
struct headers;
struct vsw;
struct vsw_port;
struct vsw_worker;

enum {
	EVENT_NOTES_MAX = 4,		/* Of one decision. */
	EVENT_SLOTS = 1024,		/* Of one worker; a power of 2. */
	EVENT_PORT_SLOTS = 128		/* That one port may have of these. */
};

struct event_note {
	struct vsw_port *port;		/* Whose layers noted it. */
	uint64_t tag;
	uint8_t kind;			/* enum vsw_event_kind. */
	uint8_t direction;		/* enum vsw_direction. */
};

/* Starts as none. */
struct event_notes {
	uint8_t n;			/* > EVENT_NOTES_MAX: the rest is
					 * lost. */
	struct event_note notes[EVENT_NOTES_MAX];
	uint8_t n_lost[VSW_N_EVENT_KINDS];
};

struct event {
	uint64_t tag, time_ns;
	uint64_t port_serial;		/* Ports come and go. */
	uint32_t port;			/* Its number. */
	uint8_t kind, direction;
	struct flow_key key;		/* Of the packet, as it came. */
};

struct event_queue {
	struct event *slots;		/* NULL: no event yet.  Seen by control
					 * if 'written' has moved. */
	_Atomic uint32_t written;	/* Ever, by the worker, */
	_Atomic uint32_t taken;		/* and by control. */
	_Atomic uint64_t n_told[VSW_N_EVENT_KINDS];
	_Atomic uint64_t n_lost[VSW_N_EVENT_KINDS];
};

/* [worker] */
static inline void
event_forget(struct event_notes *notes)
{
	notes->n = 0;
}

void event_note(struct event_notes *, const struct event_note *);
/* [worker] The decision stands.  Of a flow that is not new ('is_new') only
 * what is learned is told.  false: something learned found no room; the flow
 * is not to keep the decision, so that its next packet tells of it. */
bool event_tell(struct vsw_worker *, const struct event_notes *,
		const struct headers *, bool is_new, uint64_t now);

/* [control] The oldest one, taken off; false: there is none. */
bool event_take(struct event_queue *, struct event *ret_event);
/* [control] No worker any more.  What nobody took is lost. */
void event_queue_done(struct event_queue *, struct vsw *);

#endif /* datapath/event.h */
