/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/answer/punt.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/answer/beyond.h"
#include "agent/answer/frame.h"
#include "agent/answer/limit.h"
#include "agent/answer/pend.h"
#include "agent/answer/snoop.h"
#include "agent/base/chore.h"
#include "agent/base/list.h"
#include "agent/base/memory.h"
#include "agent/device/thread.h"
#include "agent/policy/policy.h"

enum {
	WAITING_MAX = 1024,
	SHARE = 4,			/* Of what is free, for one port. */
	ERRORS_MIN = 1000		/* ICMP, a second, to all ports. */
};

struct waiting {
	struct list link;
	struct source *from;
	uint32_t reason, vni, mtu;
	struct vsw_tunnel tunnel;
	size_t size, whole;		/* Bytes here, and of the packet. */
	uint8_t bytes[];
};

/* A port that something waits from, or that errors were sent to. */
struct source {
	struct list link;
	const struct vsw_port *port;
	size_t n_waiting;
	_Atomic uint64_t n_crowded;	/* And not yet counted at the port. */
	struct limit errors;
};

struct punt {
	struct model *model;
	struct vsw_port *port;
	struct vsw_worker *worker;
	punt_bfd_fn *bfd;		/* NULL: none. */
	void *bfd_ctx;
	struct event *event;
	struct pend *pend;
	struct snoop *snoop;
	int wake_fd;
	struct punts counted;
	struct limit errors;

	pthread_mutex_t mutex;		/* Guards what follows. */
	struct list queue;		/* struct waiting, oldest first. */
	size_t n_waiting;
	struct list sources;		/* Those that ask a lot come first. */
	uint64_t n_crowded;
};

static void transmit(void *punt_, struct vsw_worker *,
		     struct vsw_packet *const packets[], size_t n);
static bool put(struct punt *, struct vsw_packet *);
static bool queue(struct punt *, struct waiting *, const struct vsw_port *);
static struct source *find_source(struct punt *, const struct vsw_port *);
static void answer_all(evutil_socket_t, short what, void *punt_);
static void answer(struct punt *, const struct waiting *);
static void count(struct punt *, struct model_port *, enum punted);
static bool give_default(struct punt *, struct asker *, const struct frame *,
			 uint32_t reason);
static void hear_group(struct punt *, const struct waiting *);
static bool give(struct punt *, const void *bytes, size_t size,
		 struct vsw_port *,
		 void (*way)(struct vsw_worker *, struct vsw_port *,
			     struct vsw_packet *const packets[], size_t n,
			     uint64_t now));
static void go_on(void *punt, struct model_port *, uint32_t reason,
		  uint32_t vni, const void *bytes, size_t size, bool is_known);
static bool is_left_to_vms(const struct asker *, uint32_t reason);
static bool is_forged(const struct asker *, const struct frame *);
static size_t respond(struct punt *, const struct asker *,
		      const struct frame *, const struct waiting *,
		      uint8_t *ret_answer);
static size_t tell(struct punt *, const struct asker *, const struct frame *,
		   const struct waiting *, enum icmp_error,
		   uint8_t *ret_answer);
static bool may_tell_more(struct punt *, const struct asker *,
			  struct source *);
static void forget(struct punt *, const struct vsw_port *from);

int
punt_new(struct event_base *base, struct model *model, struct vsw *vsw,
	 struct vsw_worker *worker, struct punt **ret_punt)
{
	static const struct vsw_port_ops ops = {
		.size = sizeof ops,
		.abilities = VSW_PORT_PUNT,
		.transmit = transmit
	};
	struct punt *punt = xcalloc(1, sizeof *punt);
	int error;

	punt->model = model;
	punt->worker = worker;
	pthread_mutex_init(&punt->mutex, NULL);
	list_init(&punt->queue);
	list_init(&punt->sources);
	punt->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (punt->wake_fd < 0) {
		error = -errno;
		goto err;
	}
	punt->event = event_new(base, punt->wake_fd, EV_READ | EV_PERSIST,
				answer_all, punt);
	if (!punt->event || event_add(punt->event, NULL)) {
		error = -ENOMEM;
		goto err;
	}
	error = pend_new(base, model, go_on, punt, &punt->pend);
	if (error)
		goto err;
	error = snoop_new(base, model, vsw, worker, &punt->snoop);
	if (error)
		goto err;
	error = vsw_port_add(vsw, "host", &ops, punt, &punt->port);
	if (error)
		goto err;
	*ret_punt = punt;
	return 0;

err:
	punt_free(punt);
	return error;
}

void
punt_free(struct punt *punt)
{
	if (!punt)
		return;
	vsw_port_remove(punt->port);
	pend_free(punt->pend);
	snoop_free(punt->snoop);
	forget(punt, NULL);
	if (punt->event)
		event_free(punt->event);
	if (punt->wake_fd >= 0)
		close(punt->wake_fd);
	pthread_mutex_destroy(&punt->mutex);
	free(punt);
}

struct vsw_port *
punt_port(const struct punt *punt)
{
	return punt->port;
}

void
punt_forget(struct punt *punt, const struct vsw_port *port)
{
	const struct model_port *of = model_find_port(punt->model, port);

	if (of) {
		pend_forget(punt->pend, of);
		snoop_forget(punt->snoop, of);
	}
	forget(punt, port);
}

void
punt_settle(struct punt *punt)
{
	pend_settle(punt->pend);
}

const struct punts *
punt_counted(const struct punt *punt)
{
	return &punt->counted;
}

void
punt_set_bfd(struct punt *punt, punt_bfd_fn *bfd, void *ctx)
{
	punt->bfd = bfd;
	punt->bfd_ctx = ctx;
}

/* [worker] */
static void
transmit(void *punt_, struct vsw_worker *worker,
	 struct vsw_packet *const packets[], size_t n)
{
	struct punt *punt = punt_;
	uint64_t one = 1;
	size_t n_lost = 0;

	for (size_t i = 0; i < n; i++) {
		if (!put(punt, packets[i]))
			n_lost++;
		vsw_packet_free(packets[i]);
	}
	if (n_lost)
		vsw_port_count_drops(punt->port, worker,
				     VSW_DROP_DEVICE_FULL, n_lost);
	/* Full is no matter: then the main thread is awake already. */
	if (n_lost < n && write(punt->wake_fd, &one, sizeof one) < 0)
		return;
}

static bool
put(struct punt *punt, struct vsw_packet *packet)
{
	size_t whole = vsw_packet_size(packet);
	size_t size = whole < FRAME_MAX ? whole : FRAME_MAX;
	struct waiting *waiting = malloc(sizeof *waiting + size);
	bool fits;

	if (!waiting)
		return false;
	waiting->reason = vsw_packet_punt(packet, &waiting->vni);
	waiting->mtu = vsw_packet_punt_mtu(packet);
	waiting->tunnel = *vsw_packet_tunnel(packet);
	waiting->size = size;
	waiting->whole = whole;
	memcpy(waiting->bytes, vsw_packet_data(packet), size);

	pthread_mutex_lock(&punt->mutex);
	fits = queue(punt, waiting, vsw_packet_in_port(packet));
	pthread_mutex_unlock(&punt->mutex);
	if (!fits)
		free(waiting);
	return fits;
}

/* With the mutex.  A share of what is free, and not of all there is, leaves
 * room for a port that comes last, however many there are (A. K. Choudhury,
 * E. L. Hahne: Dynamic queue length thresholds, 1998). */
static bool
queue(struct punt *punt, struct waiting *waiting, const struct vsw_port *from)
{
	size_t n_free = WAITING_MAX - punt->n_waiting;
	struct source *source = find_source(punt, from);

	if (!source || !n_free || source->n_waiting > n_free / SHARE) {
		punt->n_crowded++;
		if (source)
			atomic_fetch_add(&source->n_crowded, 1);
		return false;
	}
	waiting->from = source;
	list_append(&punt->queue, &waiting->link);
	source->n_waiting++;
	punt->n_waiting++;
	return true;
}

static struct source *
find_source(struct punt *punt, const struct vsw_port *port)
{
	struct list *sources = &punt->sources;
	struct source *source;

	for (struct list *link = sources->next; link != sources;
	     link = link->next) {
		source = LIST_ENTRY(link, struct source, link);
		if (source->port != port)
			continue;
		list_remove(link);
		list_append(sources->next, link);
		return source;
	}
	source = calloc(1, sizeof *source);
	if (!source)
		return NULL;
	source->port = port;
	list_append(sources->next, &source->link);
	return source;
}

/* [control] Takes the queue as it is, so that the mutex is not held while the
 * answers are made. */
static void
answer_all(evutil_socket_t fd, short what, void *punt_)
{
	struct punt *punt = punt_;
	struct list queue;
	uint64_t n;

	(void) what;
	if (read(fd, &n, sizeof n) < 0)
		return;
	chore_begin(CHORE_PUNTS);
	list_init(&queue);
	pthread_mutex_lock(&punt->mutex);
	while (!list_is_empty(&punt->queue)) {
		struct list *link = punt->queue.next;

		list_remove(link);
		list_append(&queue, link);
		LIST_ENTRY(link, struct waiting, link)->from->n_waiting = 0;
	}
	punt->n_waiting = 0;
	punt->counted.of[PUNTED_CROWDED] = punt->n_crowded;
	pthread_mutex_unlock(&punt->mutex);

	while (!list_is_empty(&queue)) {
		struct waiting *waiting = LIST_ENTRY(queue.next,
						     struct waiting, link);

		list_remove(&waiting->link);
		if (waiting->reason == PUNT_BFD && punt->bfd) {
			count(punt, NULL, PUNTED_BFD);
			punt->bfd(punt->bfd_ctx, &waiting->tunnel,
				  waiting->bytes, waiting->size);
		} else {
			answer(punt, waiting);
		}
		free(waiting);
	}
	chore_end();
}

static void
answer(struct punt *punt, const struct waiting *waiting)
{
	struct asker asker = { .model = punt->model };
	uint8_t bytes[FRAME_MAX];
	struct frame frame;
	bool reads = false;
	size_t size = 0;

	asker.port = model_find_port(punt->model, waiting->from->port);
	if (asker.port)
		asker.port->punts.of[PUNTED_CROWDED] +=
			atomic_exchange(&waiting->from->n_crowded, 0);
	if (asker.port && waiting->reason == PUNT_GROUP) {
		hear_group(punt, waiting);
		return;
	}
	if (asker.port && asker.port->subnet)
		reads = frame_read_cut(waiting->bytes, waiting->size,
				       waiting->whole, &frame);
	if (reads) {
		asker.asks_first = beyond_is_asked_for(&asker);
		size = respond(punt, &asker, &frame, waiting, bytes);
	}
	if (size && give(punt, bytes, size, asker.port->port, vsw_worker_send))
		count(punt, asker.port, PUNTED_ANSWERED);
	else if (!size && reads && !is_forged(&asker, &frame)
		 && waiting->size == waiting->whole
		 && pend_hold(punt->pend, &asker, &frame, waiting->reason,
			      waiting->vni))
		count(punt, asker.port, PUNTED_HELD);
	else if (!size && reads
		 && give_default(punt, &asker, &frame, waiting->reason))
		count(punt, asker.port, PUNTED_ANSWERED);
	else if (!size && asker.port && is_left_to_vms(&asker, waiting->reason)
		 && !(reads && is_forged(&asker, &frame))
		 && waiting->size == waiting->whole
		 && give(punt, waiting->bytes, waiting->size,
			 asker.port->port, vsw_worker_resume))
		count(punt, asker.port, PUNTED_RESUMED);
	else
		count(punt, asker.port, PUNTED_SILENT);
}

/* 'port' NULL: of none. */
static void
count(struct punt *punt, struct model_port *port, enum punted what)
{
	punt->counted.of[what]++;
	if (port)
		port->punts.of[what]++;
}

/* Where controllers might have known, and nobody did: the default counts. */
static bool
give_default(struct punt *punt, struct asker *asker,
	     const struct frame *frame, uint32_t reason)
{
	uint8_t answer[FRAME_MAX];
	size_t size = 0;

	if (!asker->asks_first)
		return false;
	asker->asks_first = false;
	if (reason == PUNT_ARP)
		size = arp_answer(asker, frame, answer);
	else if (reason == PUNT_ND)
		size = nd_answer(asker, frame, answer);
	return size && give(punt, answer, size, asker->port->port,
			    vsw_worker_send);
}

/* The agent listens, and the packet goes on. */
static void
hear_group(struct punt *punt, const struct waiting *waiting)
{
	struct model_port *port = model_find_port(punt->model,
						  waiting->from->port);
	struct frame frame;

	if (frame_read(waiting->bytes, waiting->size, &frame))
		snoop_heard(punt->snoop, port, &frame, thread_now());
	count(punt, port, PUNTED_GROUPS);
	if (give(punt, waiting->bytes, waiting->size, port->port,
		 vsw_worker_resume))
		count(punt, port, PUNTED_RESUMED);
	else
		count(punt, port, PUNTED_SILENT);
}

static bool
give(struct punt *punt, const void *bytes, size_t size, struct vsw_port *port,
     void (*way)(struct vsw_worker *, struct vsw_port *,
		 struct vsw_packet *const packets[], size_t n, uint64_t now))
{
	struct vsw_packet *packet = vsw_packet_new(punt->worker, size);

	if (!packet)
		return false;
	memcpy(vsw_packet_data(packet), bytes, size);
	way(punt->worker, port, &packet, 1, thread_now());
	return true;
}

/* What waited for a mapping.  Of ARP and ND the answer is what was missing;
 * other packets walk on from where they were stopped, and if it did not come,
 * to where the unknown goes. */
static void
go_on(void *punt_, struct model_port *port, uint32_t reason, uint32_t vni,
      const void *bytes, size_t size, bool is_known)
{
	struct punt *punt = punt_;
	struct asker asker = { .model = punt->model, .port = port };
	const struct waiting question = { .reason = reason };
	uint8_t answer[FRAME_MAX];
	struct frame frame;

	(void) vni;
	if (!port->port || !port->subnet || !frame_read(bytes, size, &frame))
		return;
	if (reason == PUNT_MISSING) {
		if (give(punt, bytes, size, port->port, vsw_worker_resume))
			count(punt, port, PUNTED_RESUMED);
		return;
	}
	size = is_known ? respond(punt, &asker, &frame, &question, answer) : 0;
	asker.asks_first = true;
	if ((size && give(punt, answer, size, port->port, vsw_worker_send))
	    || (!size && give_default(punt, &asker, &frame, reason)))
		count(punt, port, PUNTED_ANSWERED);
	else
		count(punt, port, PUNTED_SILENT);
}

static bool
is_left_to_vms(const struct asker *asker, uint32_t reason)
{
	return asker->port->subnet
	       && (reason == PUNT_MISSING
		   || ((reason == PUNT_ARP || reason == PUNT_ND)
		       && model_is_bridged(asker->port->subnet)));
}

/* What guards, which see headers, do not: whose MAC ARP speaks of, and whose
 * address an advertisement (RFC 4861, section 4.4). */
static bool
is_forged(const struct asker *asker, const struct frame *frame)
{
	enum { ETH_ARP = 0x0806, PROTO_ICMPV6 = 58, ADVERTISEMENT = 136,
	       ARP_SIZE = 28, ARP_SHA = 8, TARGET = 8 };
	const uint8_t *arp = frame->bytes + frame->l3;
	const uint8_t *nd = frame->bytes + frame->l4;
	static const struct vsw_addr nobody = { .n = 4 };
	struct vsw_addr claimed = { .n = 16 };

	/* Nobody's own address is 0.0.0.0: is the guard on? */
	if (frame->eth_type == ETH_ARP)
		return frame->size - frame->l3 < ARP_SIZE
		       || (memcmp(arp + ARP_SHA, frame->eth_src, 6)
			   && !model_may_claim(asker->port, GUARD_ARP,
					       &nobody));
	if (frame->proto != PROTO_ICMPV6 || frame->is_fragment
	    || frame->end < frame->l4 + TARGET + 16 || *nd != ADVERTISEMENT)
		return false;
	memcpy(claimed.bytes, nd + TARGET, 16);
	return !model_may_claim(asker->port, GUARD_ND, &claimed);
}

static size_t
respond(struct punt *punt, const struct asker *asker,
	const struct frame *frame, const struct waiting *waiting,
	uint8_t *ret_answer)
{
	/* Of what is told of, by its reason. */
	static const struct {
		enum punted as;
		enum icmp_error error;
	} errors[] = {
		[PUNT_TTL] = { PUNTED_TTL, ICMP_TIME_EXCEEDED },
		[PUNT_TOO_BIG] = { PUNTED_TOO_BIG, ICMP_TOO_BIG },
		[PUNT_TOO_BIG_HERE] = { PUNTED_TOO_BIG, ICMP_TOO_BIG_HERE },
		[PUNT_NO_ROUTE] = { PUNTED_NO_ROUTE, ICMP_NO_ROUTE },
		[PUNT_UNREACHABLE] = { PUNTED_UNREACHABLE, ICMP_UNREACHABLE }
	};

	switch ((enum punt_reason) waiting->reason) {
	case PUNT_ARP:
		count(punt, asker->port, PUNTED_ARP);
		return arp_answer(asker, frame, ret_answer);
	case PUNT_ND:
		count(punt, asker->port, PUNTED_ND);
		return nd_answer(asker, frame, ret_answer);
	case PUNT_GATEWAY:
		count(punt, asker->port, PUNTED_GATEWAY);
		return icmp_answer(asker, frame, ret_answer);
	case PUNT_TTL:
	case PUNT_TOO_BIG:
	case PUNT_TOO_BIG_HERE:
	case PUNT_NO_ROUTE:
	case PUNT_UNREACHABLE:
		count(punt, asker->port, errors[waiting->reason].as);
		return tell(punt, asker, frame, waiting,
			    errors[waiting->reason].error, ret_answer);
	case PUNT_MISSING:
		count(punt, asker->port, PUNTED_MISSING);
		return 0;
	case PUNT_GROUP:
	case PUNT_BFD:
		break;
	}
	return 0;
}

static size_t
tell(struct punt *punt, const struct asker *asker, const struct frame *frame,
     const struct waiting *waiting, enum icmp_error error,
     uint8_t *ret_answer)
{
	size_t size;

	if (!icmp_may_tell(asker, frame, error)) {
		count(punt, asker->port, PUNTED_ERRORS_FORBIDDEN);
		return 0;
	}
	if (!may_tell_more(punt, asker, waiting->from)) {
		count(punt, asker->port, PUNTED_ERRORS_LIMITED);
		return 0;
	}
	size = icmp_tell(asker, frame, error, waiting->mtu, ret_answer);
	if (size)
		count(punt, asker->port, PUNTED_ERRORS);
	return size;
}

static bool
may_tell_more(struct punt *punt, const struct asker *asker,
	      struct source *source)
{
	uint32_t each = asker->port->sw->settings.icmp_errors_per_s;
	uint32_t all = each > ERRORS_MIN / 10 ? each * 10 : ERRORS_MIN;
	uint64_t now = thread_now();

	return limit_take(&source->errors, each, now)
	       && limit_take(&punt->errors, all, now);
}

/* 'from' NULL: everything. */
static void
forget(struct punt *punt, const struct vsw_port *from)
{
	struct list *link, *next;

	pthread_mutex_lock(&punt->mutex);
	for (link = punt->queue.next; link != &punt->queue; link = next) {
		struct waiting *waiting = LIST_ENTRY(link, struct waiting,
						     link);

		next = link->next;
		if (!from || waiting->from->port == from) {
			list_remove(link);
			free(waiting);
			punt->n_waiting--;
		}
	}
	for (link = punt->sources.next; link != &punt->sources; link = next) {
		struct source *source = LIST_ENTRY(link, struct source, link);

		next = link->next;
		if (!from || source->port == from) {
			list_remove(link);
			free(source);
		}
	}
	pthread_mutex_unlock(&punt->mutex);
}
