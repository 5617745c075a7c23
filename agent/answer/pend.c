/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/answer/pend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/list.h"
#include "agent/base/memory.h"
#include "agent/device/thread.h"
#include "agent/model/request.h"
#include "agent/policy/policy.h"
#include "agent/status/write.h"

enum {
	HELD_MAX = 1024,		/* In all, */
	HELD_OF_ONE = 4,		/* and of one address. */
	ETH_ARP = 0x0806, ARP_SIZE = 28, ARP_SHA = 8, ARP_SPA = 14,
	ARP_TPA = 24,
	PROTO_ICMPV6 = 58, SOLICITATION = 135, SOLICITATION_SIZE = 24
};

/* What has been asked for. */
struct wait {
	struct list link;		/* In pend.waits. */
	struct model_request *request;
	struct list held;		/* struct held, oldest first. */
	size_t n_held;
};

struct held {
	struct list link;
	struct model_port *port;
	uint32_t reason, vni;
	size_t size;
	uint8_t bytes[];
};

/* An address that is missed; 'addr.n' == 0: 'mac'. */
struct missed {
	const struct model_subnet *subnet;
	struct vsw_addr addr;
	uint8_t mac[6];
};

struct pend {
	struct model *model;
	pend_go_fn *go;
	void *ctx;
	struct event *timer;
	struct event *tell;		/* Once for a burst of requests. */
	struct list waits;
	size_t n_held;
};

static bool find_missed(const struct asker *, const struct frame *,
			uint32_t reason, uint32_t vni, struct missed *);
static bool find_arp(const struct frame *, struct vsw_addr *ret_target);
static bool find_nd(const struct frame *, struct vsw_addr *ret_target);
static bool find_routed(const struct asker *, const struct frame *,
			struct missed *);
static struct wait *get_wait(struct pend *, struct model_request *);
static void put(struct pend *, struct wait *, const struct asker *,
		const struct frame *, uint32_t reason, uint32_t vni);
static void end(struct pend *, struct wait *, enum request_end);
static void tell(evutil_socket_t, short what, void *pend_);
static void look(evutil_socket_t, short what, void *pend_);
static void set_timer(struct pend *);
static int64_t now_ms(void);

int
pend_new(struct event_base *base, struct model *model, pend_go_fn *go,
	 void *ctx, struct pend **ret_pend)
{
	struct pend *pend = xcalloc(1, sizeof *pend);

	pend->model = model;
	pend->go = go;
	pend->ctx = ctx;
	list_init(&pend->waits);
	pend->timer = event_new(base, -1, 0, look, pend);
	pend->tell = event_new(base, -1, 0, tell, pend);
	if (!pend->timer || !pend->tell) {
		pend_free(pend);
		return -ENOMEM;
	}
	*ret_pend = pend;
	return 0;
}

void
pend_free(struct pend *pend)
{
	if (!pend)
		return;
	pend_forget(pend, NULL);
	if (pend->timer)
		event_free(pend->timer);
	if (pend->tell)
		event_free(pend->tell);
	free(pend);
}

bool
pend_hold(struct pend *pend, const struct asker *asker,
	  const struct frame *frame, uint32_t reason, uint32_t vni)
{
	struct model_request *request;
	struct missed missed;
	struct wait *wait;

	if (!find_missed(asker, frame, reason, vni, &missed))
		return false;
	request = request_get(pend->model, missed.subnet,
			      missed.addr.n ? &missed.addr : NULL, missed.mac,
			      (struct model_port *) asker->port, now_ms());
	if (!request)
		return false;
	wait = get_wait(pend, request);
	if (wait->n_held == HELD_OF_ONE || pend->n_held == HELD_MAX)
		return false;
	put(pend, wait, asker, frame, reason, vni);
	return true;
}

void
pend_settle(struct pend *pend)
{
	struct list *link, *next;

	for (link = pend->waits.next; link != &pend->waits; link = next) {
		struct wait *wait = LIST_ENTRY(link, struct wait, link);
		bool is_answered;

		next = link->next;
		if (request_is_over(pend->model, wait->request, &is_answered))
			end(pend, wait, is_answered ? REQUEST_ANSWERED
						    : REQUEST_GIVEN_UP);
	}
}

void
pend_forget(struct pend *pend, const struct model_port *port)
{
	struct list *w, *next_w;

	for (w = pend->waits.next; w != &pend->waits; w = next_w) {
		struct wait *wait = LIST_ENTRY(w, struct wait, link);
		struct list *h, *next_h;

		next_w = w->next;
		for (h = wait->held.next; h != &wait->held; h = next_h) {
			struct held *held = LIST_ENTRY(h, struct held, link);

			next_h = h->next;
			if (port && held->port != port)
				continue;
			list_remove(h);
			free(held);
			wait->n_held--;
			pend->n_held--;
		}
		if (!wait->n_held)
			end(pend, wait, REQUEST_GIVEN_UP);
	}
}

/* False: there is nothing that a mapping would help. */
static bool
find_missed(const struct asker *asker, const struct frame *frame,
	    uint32_t reason, uint32_t vni, struct missed *missed)
{
	const struct model *model = asker->model;
	const struct model_subnet *own = asker->port->subnet;

	memset(missed, 0, sizeof *missed);
	missed->subnet = own;
	/* Controllers are not asked for what cannot be there. */
	if (reason == PUNT_ARP || reason == PUNT_ND)
		return (reason == PUNT_ARP ? find_arp(frame, &missed->addr)
					   : find_nd(frame, &missed->addr))
		       && model_is_on_link(own, &missed->addr)
		       && !model_find_gateway(own, &missed->addr)
		       && !model_find_ca(own, &missed->addr);
	if (reason != PUNT_MISSING)
		return false;
	missed->subnet = model_find_subnet(model, vni, own->router);
	if (!missed->subnet)
		return false;
	if (!memcmp(frame->eth_dst, model->router_mac, 6))
		return find_routed(asker, frame, missed);
	memcpy(missed->mac, frame->eth_dst, 6);
	return !model_find_mac(missed->subnet, missed->mac);
}

/* Probes and announcements ask for nobody. */
static bool
find_arp(const struct frame *frame, struct vsw_addr *ret_target)
{
	static const uint8_t request[8] = { 0, 1, 0x08, 0, 6, 4, 0, 1 };
	static const uint8_t nobody[4];
	const uint8_t *arp = frame->bytes + frame->l3;

	if (frame->eth_type != ETH_ARP || frame->size - frame->l3 < ARP_SIZE
	    || memcmp(arp, request, sizeof request)
	    || memcmp(arp + ARP_SHA, frame->eth_src, 6)
	    || !memcmp(arp + ARP_SPA, nobody, 4)
	    || !memcmp(arp + ARP_SPA, arp + ARP_TPA, 4))
		return false;
	ret_target->n = 4;
	memcpy(ret_target->bytes, arp + ARP_TPA, 4);
	return true;
}

static bool
find_nd(const struct frame *frame, struct vsw_addr *ret_target)
{
	static const uint8_t nobody[16];
	const uint8_t *nd = frame->bytes + frame->l4;

	if (frame->src.n != 16 || frame->proto != PROTO_ICMPV6
	    || frame->end < frame->l4 + SOLICITATION_SIZE
	    || *nd != SOLICITATION || frame->ttl != 255
	    || !memcmp(frame->src.bytes, nobody, 16))
		return false;
	ret_target->n = 16;
	memcpy(ret_target->bytes, nd + 8, 16);
	return true;
}

/* The router looked it up, or one of the next hops, in 'missed->subnet'. */
static bool
find_routed(const struct asker *asker, const struct frame *frame,
	    struct missed *missed)
{
	const struct model_subnet *own = asker->port->subnet;
	const struct model_route *route;
	struct model_subnet *subnet;

	if (!frame->dst.n
	    || !model_find_route(own, &frame->dst, &route, &subnet))
		return false;
	missed->addr = frame->dst;
	if (!route || route->is_on_link)
		return !model_find_ca(missed->subnet, &missed->addr);
	for (size_t i = 0; i < route->n_next_hops; i++) {
		missed->addr = route->next_hops[i];
		if (model_find_hop(own->router, &missed->addr)
		    == missed->subnet
		    && !model_find_ca(missed->subnet, &missed->addr))
			return true;
	}
	return false;
}

/* One request may be waited for in several switches, each with a pend of its
 * own; it ends with the first of them. */
static struct wait *
get_wait(struct pend *pend, struct model_request *request)
{
	struct wait *wait;

	for (struct list *link = pend->waits.next; link != &pend->waits;
	     link = link->next) {
		wait = LIST_ENTRY(link, struct wait, link);
		if (wait->request == request)
			return wait;
	}
	wait = xcalloc(1, sizeof *wait);
	wait->request = request;
	list_init(&wait->held);
	list_append(&pend->waits, &wait->link);
	request_ref(request);
	event_active(pend->tell, EV_TIMEOUT, 0);
	set_timer(pend);
	return wait;
}

static void
put(struct pend *pend, struct wait *wait, const struct asker *asker,
    const struct frame *frame, uint32_t reason, uint32_t vni)
{
	struct held *held = xmalloc(sizeof *held + frame->size);

	held->port = (struct model_port *) asker->port;
	held->reason = reason;
	held->vni = vni;
	held->size = frame->size;
	memcpy(held->bytes, frame->bytes, frame->size);
	list_append(&wait->held, &held->link);
	wait->n_held++;
	pend->n_held++;
}

/* Out of all lists first: what goes on may come back, and wait anew. */
static void
end(struct pend *pend, struct wait *wait, enum request_end how)
{
	list_remove(&wait->link);
	pend->n_held -= wait->n_held;
	request_end(pend->model, wait->request, how);
	while (!list_is_empty(&wait->held)) {
		struct held *held = LIST_ENTRY(wait->held.next, struct held,
					       link);

		list_remove(&held->link);
		pend->go(pend->ctx, held->port, held->reason, held->vni,
			 held->bytes, held->size, how == REQUEST_ANSWERED);
		free(held);
	}
	free(wait);
	event_active(pend->tell, EV_TIMEOUT, 0);
}

static void
tell(evutil_socket_t fd, short what, void *pend_)
{
	struct pend *pend = pend_;

	(void) fd;
	(void) what;
	request_write(pend->model);
}

static void
look(evutil_socket_t fd, short what, void *pend_)
{
	struct pend *pend = pend_;
	struct list *link, *next;
	int64_t now = now_ms();

	(void) fd;
	(void) what;
	for (link = pend->waits.next; link != &pend->waits; link = next) {
		struct wait *wait = LIST_ENTRY(link, struct wait, link);

		next = link->next;
		if (wait->request->deadline_ms <= now)
			end(pend, wait, REQUEST_TIMED_OUT);
	}
	set_timer(pend);
}

static void
set_timer(struct pend *pend)
{
	int64_t first = INT64_MAX, left;
	struct timeval wait;

	for (struct list *link = pend->waits.next; link != &pend->waits;
	     link = link->next) {
		const struct wait *each =
			LIST_ENTRY(link, const struct wait, link);

		if (each->request->deadline_ms < first)
			first = each->request->deadline_ms;
	}
	if (first == INT64_MAX)
		return;
	left = first - now_ms();
	left = left < 1 ? 1 : left;
	wait.tv_sec = left / 1000;
	wait.tv_usec = left % 1000 * 1000;
	event_add(pend->timer, &wait);
}

static int64_t
now_ms(void)
{
	return (int64_t) (thread_now() / 1000000);
}
