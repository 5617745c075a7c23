/* SPDX-License-Identifier: Apache-2.0 */

#include <vswitch/inspect.h>

#include <string.h>
#include "libvswitch/base/switch.h"
#include "libvswitch/connection/ended.h"
#include "libvswitch/datapath/belong.h"
#include "libvswitch/datapath/event.h"
#include "libvswitch/datapath/worker.h"
#include "libvswitch/policy/port.h"

enum { COPIES = 32 };

static bool take_ended(struct vsw *, struct ended *);
static size_t show_ended(struct vsw *, const struct ended *,
			 enum vsw_event_kind, vsw_event_fn *show, void *ctx);
static bool show_one(struct vsw *, const struct event *, const struct tally *,
		     vsw_event_fn *show, void *ctx);
static void event_of(const struct vsw *, const struct ended *,
		     enum vsw_event_kind, struct event *ret_event);
static struct vsw_addr addr_of(const uint8_t *bytes, bool is_v4, bool is_v6);
static void add(const struct event_queue *, struct vsw_event_counters *);

/* An event of each worker in turn, so that none keeps the others waiting. */
size_t
vsw_events(struct vsw *vsw, size_t max, vsw_event_fn *show, void *ctx)
{
	uint32_t n_workers = vsw->options.max_workers;
	uint32_t n_empty = 0;
	struct ended ended;
	struct event event;
	size_t n = 0;

	/* Before looking: see switch_wake(). */
	atomic_exchange_explicit(&vsw->is_woken, false, memory_order_acq_rel);
	while (n < max && n_empty < n_workers) {
		struct vsw_worker *worker =
			vsw->workers[vsw->next_event % n_workers];

		vsw->next_event = (vsw->next_event + 1) % n_workers;
		if (!worker || !event_take(&worker->events, &event)) {
			n_empty++;
			continue;
		}
		n_empty = 0;
		n += show_one(vsw, &event, NULL, show, ctx);
	}
	while (n < max && take_ended(vsw, &ended))
		n += show_ended(vsw, &ended, VSW_EVENT_ENDED, show, ctx);
	return n;
}

bool
vsw_events_continue(struct vsw *vsw, uint64_t now, size_t *at, size_t n,
		    size_t *ret_n, vsw_event_fn *show, void *ctx)
{
	struct connections *connections = atomic_load_explicit(
		&vsw->connections, memory_order_acquire);
	struct ended going[COPIES];
	uint64_t place = (uint64_t) *at << 8, end;
	size_t n_found;

	*ret_n = 0;
	if (!connections)
		return false;
	end = place + ((uint64_t) n << 8);
	do {
		n_found = connections_continue(connections, now, &place, end,
					       going, COPIES);
		for (size_t i = 0; i < n_found; i++)
			*ret_n += show_ended(vsw, &going[i],
					     VSW_EVENT_CONTINUED, show, ctx);
	} while (n_found == COPIES);
	*at = (size_t) (place >> 8);
	return *at < connections_n_places(connections);
}

void
vsw_event_get_counters(const struct vsw *vsw,
		       struct vsw_event_counters *ret_counters)
{
	struct connections *connections = atomic_load_explicit(
		&vsw->connections, memory_order_acquire);
	struct vsw_event_counters sum = vsw->events_gone;

	sum.size = ret_counters->size;
	for (uint32_t i = 0; i < vsw->options.max_workers; i++)
		if (vsw->workers[i])
			add(&vsw->workers[i]->events, &sum);
	if (connections) {
		const struct ended_ring *ended = connections_ended(connections);

		sum.told[VSW_EVENT_ENDED] = atomic_load(&ended->n_told);
		sum.lost[VSW_EVENT_ENDED] = atomic_load(&ended->n_lost);
	}
	/* The embedder's struct may be longer or shorter than ours. */
	memcpy(ret_counters, &sum,
	       sum.size < sizeof sum ? sum.size : sizeof sum);
}

static bool
take_ended(struct vsw *vsw, struct ended *ret_ended)
{
	struct connections *connections = atomic_load_explicit(
		&vsw->connections, memory_order_acquire);

	return connections
	       && ended_take(connections_ended(connections), ret_ended);
}

static size_t
show_ended(struct vsw *vsw, const struct ended *ended,
	   enum vsw_event_kind kind, vsw_event_fn *show, void *ctx)
{
	struct event event;

	event_of(vsw, ended, kind, &event);
	return show_one(vsw, &event, &ended->tally, show, ctx);
}

/* 'tally' NULL: it is about one packet. */
static bool
show_one(struct vsw *vsw, const struct event *event, const struct tally *tally,
	 vsw_event_fn *show, void *ctx)
{
	const struct flow_key *key = &event->key;
	bool is_v6 = flow_key_is_ipv6(key);
	bool is_v4 = key->has & (FLOW_HAS_IPV4 | FLOW_HAS_ARP);
	struct vsw_event info = {
		.size = sizeof info,
		.kind = event->kind, .direction = event->direction,
		.port = atomic_load_explicit(&vsw->ports[event->port],
					     memory_order_acquire),
		.tag = event->tag, .time_ns = event->time_ns,
		.eth_type = key->eth_type, .vlan = key->vlan,
		.vni = key->vni, .ip_proto = key->ip_proto,
		.fragment = key->fragment,
		.src = addr_of(flow_key_ip_src(key), is_v4, is_v6),
		.dst = addr_of(flow_key_ip_dst(key), is_v4, is_v6),
		.l4_src = key->l4_src, .l4_dst = key->l4_dst
	};

	/* Another port may have its number by now. */
	if (!info.port || info.port->serial != event->port_serial)
		return false;
	memcpy(info.eth_src, key->eth_src, sizeof info.eth_src);
	memcpy(info.eth_dst, key->eth_dst, sizeof info.eth_dst);
	if (tally) {
		memcpy(info.packets, tally->n_packets, sizeof info.packets);
		memcpy(info.bytes, tally->n_bytes, sizeof info.bytes);
	}
	show(ctx, &info);
	return true;
}

/* As if its opener's packet came now. */
static void
event_of(const struct vsw *vsw, const struct ended *ended,
	 enum vsw_event_kind kind, struct event *ret_event)
{
	const struct vsw_port *port = atomic_load_explicit(
		&vsw->ports[ended->key.port], memory_order_acquire);

	*ret_event = (struct event) {
		.tag = ended->tag, .time_ns = ended->time_ns,
		.port = ended->key.port, .port_serial = port ? port->serial : 0,
		.kind = (uint8_t) kind, .direction = ended->direction
	};
	belong_opener(&ended->key, &(struct connection_view) {
			      .direction = ended->direction,
			      .opener = ended->opener
		      }, &ret_event->key);
}

static struct vsw_addr
addr_of(const uint8_t *bytes, bool is_v4, bool is_v6)
{
	struct vsw_addr addr = { .n = is_v6 ? 16 : is_v4 ? 4 : 0 };

	memcpy(addr.bytes, bytes, addr.n);
	return addr;
}

static void
add(const struct event_queue *queue, struct vsw_event_counters *sum)
{
	for (unsigned i = 0; i < VSW_N_EVENT_KINDS; i++) {
		sum->told[i] += atomic_load_explicit(&queue->n_told[i],
						     memory_order_relaxed);
		sum->lost[i] += atomic_load_explicit(&queue->n_lost[i],
						     memory_order_relaxed);
	}
}
