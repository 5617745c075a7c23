/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/datapath/event.h"

#include "libvswitch/base/budget.h"
#include "libvswitch/base/memory.h"
#include "libvswitch/base/switch.h"
#include "libvswitch/datapath/parse.h"
#include "libvswitch/datapath/worker.h"
#include "libvswitch/policy/port.h"

enum { BURST_PART = 8 };		/* Of what it may tell in a second. */

static bool put(struct vsw_worker *, const struct event_note *,
		const struct flow_key *, uint64_t now);
static bool has_room(struct event_queue *, struct vsw_port *,
		     unsigned worker);
static bool may_tell(struct vsw_port *, unsigned worker, uint64_t now);

void
event_note(struct event_notes *notes, const struct event_note *note)
{
	if (notes->n == 0)
		for (unsigned i = 0; i < VSW_N_EVENT_KINDS; i++)
			notes->n_lost[i] = 0;
	if (notes->n >= EVENT_NOTES_MAX) {
		notes->n = EVENT_NOTES_MAX + 1;
		if (notes->n_lost[note->kind] < UINT8_MAX)
			notes->n_lost[note->kind]++;
		return;
	}
	notes->notes[notes->n++] = *note;
}

bool
event_tell(struct vsw_worker *worker, const struct event_notes *notes,
	   const struct headers *headers, bool is_new, uint64_t now)
{
	struct event_queue *queue = &worker->events;
	bool has_told = false, is_whole = true;

	for (unsigned i = 0; i < notes->n && i < EVENT_NOTES_MAX; i++) {
		const struct event_note *note = &notes->notes[i];

		if (!is_new && note->kind != VSW_EVENT_LEARNED)
			continue;
		if (put(worker, note, &headers->key, now)) {
			count_add(&queue->n_told[note->kind], 1);
			has_told = true;
		} else {
			count_add(&queue->n_lost[note->kind], 1);
			is_whole &= note->kind != VSW_EVENT_LEARNED;
		}
	}
	for (unsigned i = 0; notes->n > EVENT_NOTES_MAX
			     && i < VSW_N_EVENT_KINDS; i++)
		if (is_new || i == VSW_EVENT_LEARNED)
			count_add(&queue->n_lost[i], notes->n_lost[i]);
	if (has_told)
		switch_wake(worker->vsw);
	return is_whole;
}

bool
event_take(struct event_queue *queue, struct event *ret_event)
{
	uint32_t taken = atomic_load_explicit(&queue->taken,
					      memory_order_relaxed);

	if (atomic_load_explicit(&queue->written, memory_order_acquire)
	    == taken)
		return false;
	*ret_event = queue->slots[taken % EVENT_SLOTS];
	atomic_store_explicit(&queue->taken, taken + 1,
			      memory_order_release);
	return true;
}

void
event_queue_done(struct event_queue *queue, struct vsw *vsw)
{
	struct vsw_event_counters *gone = &vsw->events_gone;
	struct event event;

	while (event_take(queue, &event))
		gone->lost[event.kind]++;
	for (unsigned i = 0; i < VSW_N_EVENT_KINDS; i++) {
		gone->told[i] += atomic_load(&queue->n_told[i]);
		gone->lost[i] += atomic_load(&queue->n_lost[i]);
	}
	if (queue->slots)
		memory_free(&vsw->allocator, queue->slots,
			    EVENT_SLOTS * sizeof *queue->slots);
	queue->slots = NULL;
}

static bool
put(struct vsw_worker *worker, const struct event_note *note,
    const struct flow_key *key, uint64_t now)
{
	struct event_queue *queue = &worker->events;
	uint32_t written = atomic_load_explicit(&queue->written,
						memory_order_relaxed);

	if (!queue->slots)
		queue->slots = memory_alloc(&worker->vsw->allocator, 0,
					    EVENT_SLOTS
					    * sizeof *queue->slots);
	if (!queue->slots || !has_room(queue, note->port, worker->index)
	    || !may_tell(note->port, worker->index, now))
		return false;
	queue->slots[written % EVENT_SLOTS] = (struct event) {
		.tag = note->tag, .time_ns = now,
		.port_serial = note->port->serial,
		.port = note->port->number, .kind = note->kind,
		.direction = note->direction, .key = *key
	};
	note->port->counts[worker->index].n_events++;
	note->port->counts[worker->index].last_event = written + 1;
	atomic_store_explicit(&queue->written, written + 1,
			      memory_order_release);
	return true;
}

/* A port that has used up its slots gets them back, all of them, when control
 * has taken its last one: it may have less for a moment, and never more. */
static bool
has_room(struct event_queue *queue, struct vsw_port *port, unsigned worker)
{
	struct port_counts *counts = &port->counts[worker];
	uint32_t taken = atomic_load_explicit(&queue->taken,
					      memory_order_acquire);
	uint32_t written = atomic_load_explicit(&queue->written,
						memory_order_relaxed);

	if (written - counts->last_event >= written - taken)
		counts->n_events = 0;
	return counts->n_events < EVENT_PORT_SLOTS
	       && written - taken < EVENT_SLOTS;
}

static bool
may_tell(struct vsw_port *port, unsigned worker, uint64_t now)
{
	uint32_t rate = port->vsw->options.max_events_per_s;
	uint32_t burst = rate / BURST_PART;

	return rate == VSW_UNLIMITED
	       || budget_take(&port->counts[worker].event_budget, rate,
			      burst ? burst : 1, now);
}
