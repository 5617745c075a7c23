/* SPDX-License-Identifier: Apache-2.0 */

/* The packet's way, from one port to another.  Start reading here.
 *
 *     batch_parse()      bytes -> headers and flow key        parse.c
 *                        outer headers off                    tunnel.c
 *     batch_join()       of fragments: the first one's ports  fragment.c
 *     batch_lookup()     key -> cached flow, if there is one  flow.c
 *     batch_classify()   no flow -> layers, groups, rules     classify.c
 *                        -> one rewrite, cached as a flow     compose.c
 *                        -> connections, found and opened     follow.c
 *     batch_execute()    the flow's rewrite -> new bytes      execute.c
 *                        outer headers on                     tunnel.c
 *     batch_transmit()   bytes -> ports; drops -> counters    transmit.c
 *
 * A worker belongs to one thread, so nothing in it is locked.  Policy is read
 * under the worker's read mark (base/reclaim.h), taken and given back here and
 * nowhere else. */

#include "libvswitch/datapath/worker.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "libvswitch/base/ear.h"
#include "libvswitch/base/memory.h"
#include "libvswitch/base/probe.h"
#include "libvswitch/base/switch.h"
#include "libvswitch/connection/connection.h"
#include "libvswitch/datapath/batch.h"
#include "libvswitch/datapath/describe.h"
#include "libvswitch/datapath/flow.h"
#include "libvswitch/datapath/fragment.h"
#include "libvswitch/datapath/segment.h"
#include "libvswitch/datapath/transmit.h"
#include "libvswitch/datapath/trunk.h"
#include "libvswitch/policy/port.h"

enum { EXPIRE_MAX = 256 };		/* Flows that one idle call ages out. */

static void receive_trunk(struct vsw_worker *, struct vsw_port *,
			  struct vsw_packet *const packets[], size_t n,
			  uint64_t now);
static void enter(struct vsw_worker *);
static void leave(struct vsw_worker *, uint64_t now);
static bool has_train(const struct vsw_port *,
		      struct vsw_packet *const packets[], unsigned n);
static void carry_trains(struct vsw_worker *, struct vsw_port *,
			 struct vsw_packet *const packets[], unsigned n,
			 uint64_t now);
static bool is_train(const struct vsw_packet *);
static void carry(struct vsw_worker *, struct vsw_port *,
		  struct vsw_packet *const packets[], unsigned n,
		  uint64_t now);
static void carry_on(struct vsw_worker *, struct batch *);
static void wait_for_turn(struct vsw_worker *, struct vsw_port *,
			  struct vsw_packet *const packets[], size_t n);
static void carry_waiting(struct vsw_worker *, uint64_t now);
static bool is_shown(struct vsw_worker *, struct flow *,
		     const struct vsw_port *);
static void show_flow(struct vsw_worker *, struct flow *, uint64_t now,
		      vsw_flow_fn *show, void *ctx);

int
vsw_worker_new(struct vsw *vsw, struct vsw_worker **ret_worker)
{
	struct vsw_worker *worker;
	unsigned index = 0;
	int error;

	while (index < vsw->options.max_workers && vsw->workers[index])
		index++;
	if (index == vsw->options.max_workers)
		return -ENOSPC;

	worker = memory_alloc(&vsw->allocator, 0, sizeof *worker);
	if (!worker)
		return -ENOMEM;
	worker->vsw = vsw;
	worker->index = index;
	worker->last_waiting = &worker->waiting;
	error = packet_pool_new(&vsw->allocator, &worker->pool);
	if (error)
		goto no_pool;
	error = flow_table_new(vsw, vsw->options.max_flows, &worker->flows);
	if (error)
		goto no_flows;
	vsw->workers[index] = worker;
	ear_open(&vsw->ears[index], flow_table_ear(worker->flows));
	*ret_worker = worker;
	return 0;

no_flows:
	packet_pool_free(worker->pool);
no_pool:
	memory_free(&vsw->allocator, worker, sizeof *worker);
	return error;
}

void
vsw_worker_free(struct vsw_worker *worker)
{
	struct vsw *vsw;

	if (!worker)
		return;
	vsw = worker->vsw;
	vsw->workers[worker->index] = NULL;
	ear_close(&vsw->ears[worker->index]);
	reclaim_wait(&vsw->reclaim);
	decision_done(vsw, &worker->decision);
	event_queue_done(&worker->events, vsw);
	fragment_free(worker, worker->fragments);
	flow_table_free(worker->flows);
	packet_pool_free(worker->pool);
	memory_free(&vsw->allocator, worker, sizeof *worker);
}

unsigned
vsw_worker_index(const struct vsw_worker *worker)
{
	return worker->index;
}

void
vsw_worker_receive(struct vsw_worker *worker, struct vsw_port *port,
		   struct vsw_packet *const packets[], size_t n, uint64_t now)
{
	if (atomic_load_explicit(&port->trunk, memory_order_relaxed)) {
		receive_trunk(worker, port, packets, n, now);
		return;
	}
	if (worker->is_carrying) {
		wait_for_turn(worker, port, packets, n);
		return;
	}
	while (n > 0) {
		unsigned part = n < BATCH_MAX ? (unsigned) n : BATCH_MAX;

		enter(worker);
		if (has_train(port, packets, part))
			carry_trains(worker, port, packets, part, now);
		else
			carry(worker, port, packets, part, now);
		leave(worker, now);
		packets += part;
		n -= part;
	}
}

void
vsw_worker_resume(struct vsw_worker *worker, struct vsw_port *port,
		  struct vsw_packet *const packets[], size_t n, uint64_t now)
{
	for (size_t i = 0; i < n; i++)
		packets[i]->is_resumed = true;
	vsw_worker_receive(worker, port, packets, n, now);
}

void
vsw_worker_send(struct vsw_worker *worker, struct vsw_port *port,
		struct vsw_packet *const packets[], size_t n, uint64_t now)
{
	bool is_outside = !worker->is_carrying;
	struct batch batch;

	batch.port = port;
	batch.now = now;
	batch.dropped = 0;
	batch.n_out = 0;
	if (is_outside)
		enter(worker);
	for (size_t i = 0; i < n; i++)
		transmit_add(worker, &batch, packets[i], port);
	batch_transmit(worker, &batch);
	if (is_outside)
		leave(worker, now);
}

uint64_t
vsw_worker_idle(struct vsw_worker *worker, uint64_t now)
{
	struct connections *connections = atomic_load_explicit(
		&worker->vsw->connections, memory_order_acquire);
	uint64_t due = flow_expire(worker->flows, now, EXPIRE_MAX), next;

	if (connections) {
		next = connections_expire(connections, now);
		due = next < due ? next : due;
	}
	if (!worker->fragments)
		return due;
	enter(worker);
	next = fragment_expire(worker, now, EXPIRE_MAX);
	leave(worker, now);
	return next < due ? next : due;
}

size_t
vsw_worker_flows(struct vsw_worker *worker, struct vsw_port *port,
		 uint64_t now, size_t max, vsw_flow_fn *show, void *ctx)
{
	bool is_outside = !worker->is_carrying;
	size_t n = 0;

	if (is_outside)
		enter(worker);
	for (struct flow *flow = flow_first(worker->flows); flow;
	     flow = flow_next(worker->flows, flow)) {
		if (is_shown(worker, flow, port) && n++ < max)
			show_flow(worker, flow, now, show, ctx);
	}
	if (is_outside)
		leave(worker, now);
	return n;
}

bool
vsw_worker_flows_from(struct vsw_worker *worker, struct vsw_port *port,
		      uint64_t now, size_t *at, size_t n, vsw_flow_fn *show,
		      void *ctx)
{
	bool is_outside = !worker->is_carrying;
	size_t n_places = flow_n_places(worker->flows);

	if (is_outside)
		enter(worker);
	for (; n && *at < n_places; n--, ++*at) {
		struct flow *flow = flow_at_place(worker->flows, *at);

		if (flow && is_shown(worker, flow, port))
			show_flow(worker, flow, now, show, ctx);
	}
	if (is_outside)
		leave(worker, now);
	return *at < n_places;
}

bool
vsw_worker_count(struct vsw_worker *worker, size_t *at, size_t n)
{
	return flow_count_rules(worker->flows, at, n);
}

/* Each packet waits for a turn of the port that it is for: what is of one port,
 * and one behind the other, is a batch. */
static void
receive_trunk(struct vsw_worker *worker, struct vsw_port *trunk,
	      struct vsw_packet *const packets[], size_t n, uint64_t now)
{
	bool is_outside = !worker->is_carrying;

	if (is_outside)
		enter(worker);
	while (n > 0) {
		unsigned part = n < BATCH_MAX ? (unsigned) n : BATCH_MAX;
		struct vsw_packet *sorted[BATCH_MAX];
		unsigned n_sorted = trunk_sort(worker, trunk, packets, part,
					       sorted);

		for (unsigned i = 0; i < n_sorted; i++)
			wait_for_turn(worker, sorted[i]->in_port, &sorted[i],
				      1);
		packets += part;
		n -= part;
	}
	if (is_outside)
		leave(worker, now);
}

/* Whoever is called meanwhile, and calls back, finds the worker carrying and
 * leaves the mark alone. */
static void
enter(struct vsw_worker *worker)
{
	worker->is_carrying = true;
	reclaim_enter(&worker->vsw->reclaim, worker->index);
}

static void
leave(struct vsw_worker *worker, uint64_t now)
{
	carry_waiting(worker, now);
	reclaim_leave(&worker->vsw->reclaim, worker->index);
	worker->is_carrying = false;
}

/* Of an uplink's UDP each datagram may be a tunnel's, with headers of its own
 * behind it: what was joined, or never cut, is cut before anything else. */
static bool
has_train(const struct vsw_port *port, struct vsw_packet *const packets[],
	  unsigned n)
{
	if (!atomic_load_explicit(&port->uplink, memory_order_relaxed))
		return false;
	for (unsigned i = 0; i < n; i++)
		if (is_train(packets[i]))
			return true;
	return false;
}

static void
carry_trains(struct vsw_worker *worker, struct vsw_port *port,
	     struct vsw_packet *const packets[], unsigned n, uint64_t now)
{
	_Atomic uint64_t *drops = port->counts[worker->index].drops;
	struct vsw_packet *ready[BATCH_MAX];
	unsigned n_ready = 0;

	for (unsigned i = 0; i < n; i++) {
		struct vsw_packet *one = packets[i];
		struct segments segments = { .packet = NULL };

		if (is_train(one)) {
			if (segments_start(&segments, one)) {
				count_add(&drops[VSW_DROP_BAD_OFFLOAD], 1);
				continue;
			}
			one = segments_next(&segments);
		}
		for (; one; one = segments_next(&segments)) {
			ready[n_ready++] = one;
			if (n_ready == BATCH_MAX) {
				carry(worker, port, ready, n_ready, now);
				n_ready = 0;
			}
		}
		if (segments.index < segments.n)
			count_add(&drops[VSW_DROP_NO_MEMORY],
				  segments.n - segments.index);
	}
	if (n_ready)
		carry(worker, port, ready, n_ready, now);
}

static bool
is_train(const struct vsw_packet *packet)
{
	return packet->offload.segment_kind == VSW_SEGMENT_UDP
	       && packet->tunnel.encap == VSW_ENCAP_NONE;
}

static void
carry(struct vsw_worker *worker, struct vsw_port *port,
      struct vsw_packet *const packets[], unsigned n, uint64_t now)
{
	struct batch batch;

	batch.port = port;
	batch.now = now;
	batch.n = n;
	batch.n_out = 0;
	batch.dropped = 0;
	batch.live = UINT32_MAX >> (BATCH_MAX - n);
	for (unsigned i = 0; i < n; i++)
		batch.packets[i] = packets[i];
	PROBE2(receive, port->name, n);

	batch_parse(worker, &batch);
	if (batch.has_fragments)
		batch_join(worker, &batch);
	carry_on(worker, &batch);
	while (batch.has_fragments && fragment_refill(worker, &batch))
		carry_on(worker, &batch);
}

static void
carry_on(struct vsw_worker *worker, struct batch *batch)
{
	batch_lookup(worker, batch);
	batch_classify(worker, batch);
	batch_execute(worker, batch);
	batch_transmit(worker, batch);
}

static void
wait_for_turn(struct vsw_worker *worker, struct vsw_port *port,
	      struct vsw_packet *const packets[], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		packets[i]->in_port = port;
		packets[i]->next = NULL;
		*worker->last_waiting = packets[i];
		worker->last_waiting = &packets[i]->next;
	}
}

static void
carry_waiting(struct vsw_worker *worker, uint64_t now)
{
	while (worker->waiting) {
		struct vsw_port *port = worker->waiting->in_port;
		struct vsw_packet *packets[BATCH_MAX];
		unsigned n = 0;

		while (n < BATCH_MAX && worker->waiting
		       && worker->waiting->in_port == port) {
			packets[n++] = worker->waiting;
			worker->waiting = worker->waiting->next;
		}
		if (!worker->waiting)
			worker->last_waiting = &worker->waiting;
		carry(worker, port, packets, n, now);
	}
}

/* Stale flows are left out: what they point to may be gone. */
static bool
is_shown(struct vsw_worker *worker, struct flow *flow,
	 const struct vsw_port *port)
{
	struct decided *decided = flow_decided(worker->flows, flow);

	return (!port || decided->in_port == port->number)
	       && dependencies_hold(&decided->deps,
				    &worker->vsw->generations);
}

static void
show_flow(struct vsw_worker *worker, struct flow *flow, uint64_t now,
	  vsw_flow_fn *show, void *ctx)
{
	const struct decided *decided = flow_decided(worker->flows, flow);
	struct flow_key flow_key;
	char key[DESCRIBE_KEY_SIZE];
	char rewrite[DESCRIBE_REWRITE_SIZE + 32];
	size_t length;

	flow_get_key(worker->flows, flow, &flow_key);
	describe_key(&flow_key, key);
	describe_rewrite(&decided->rewrite, rewrite);
	length = strlen(rewrite);
	if (decided->n_rewrites > 1)
		snprintf(rewrite + length, sizeof rewrite - length,
			 ", and %u copies", decided->n_rewrites - 1);

	struct vsw_flow_info info = {
		.size = sizeof info,
		.in_port = atomic_load_explicit(
			&worker->vsw->ports[flow_key.in_port],
			memory_order_acquire),
		.key = key, .rewrite = rewrite,
		.n_packets = flow_n_packets(flow),
		.n_bytes = flow_n_bytes(flow),
		.idle_ns = flow_idle_ns(flow, now),
		.drop = decided->rewrite.drop == VSW_N_DROPS
			? -1 : decided->rewrite.drop
	};

	show(ctx, &info);
}
