/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/provider/reach.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/list.h"
#include "agent/base/log.h"
#include "agent/base/memory.h"
#include "agent/provider/kernel.h"

enum {
	N_BUCKETS = 1024,
	RETRY_MS = 1000,		/* Of what is not known. */
	RETRIES_MAX = 512,		/* Each time. */
	SETTLE_MS = 100			/* Routes change in crowds. */
};

/* A neighbour that some address is behind. */
struct hop {
	struct list link;		/* In its bucket. */
	struct vsw_addr addr;
	int index;
	bool is_known;
	uint8_t mac[6];
	struct list remotes;		/* struct remote, by_hop. */
};

/* A provider address of another host. */
struct remote {
	struct list link;		/* In its bucket. */
	struct list by_hop;
	struct vsw_addr addr;
	struct hop *hop;		/* NULL: no route. */
	bool is_wanted;			/* In this update. */
	bool is_known;			/* To the port, as its hop is. */
};

struct reach {
	struct kernel *kernel;
	struct kernel_watch watch;
	struct vsw_port *port;
	struct vsw_addr local;
	int index;
	uint64_t places_version;
	struct event *retry, *settle;
	struct list hops[N_BUCKETS], remotes[N_BUCKETS];
	size_t n_remotes, n_known;
	size_t retry_at;		/* Bucket to go on with. */
};

static void on_routes(void *reach_);
static void on_neighbour(void *reach_, int index, const struct vsw_addr *,
			 const uint8_t mac[6], bool is_stale);
static void on_settled(evutil_socket_t fd, short what, void *reach_);
static void on_retry(evutil_socket_t fd, short what, void *reach_);
static void want(void *reach_, const struct vsw_addr *, enum vsw_encap);
static void forget_unwanted(struct reach *);
static void route(struct reach *, struct remote *);
static struct hop *get_hop(struct reach *, int index, const struct vsw_addr *);
static struct hop *find_hop(struct reach *, int index,
			    const struct vsw_addr *);
static void leave_hop(struct reach *, struct remote *);
static void set_next_hop(struct reach *, struct remote *);
static size_t bucket_of(const struct vsw_addr *);
static bool equal(const struct vsw_addr *, const struct vsw_addr *);

int
reach_new(struct event_base *base, const char *netns, struct vsw_port *port,
	  const struct vsw_addr *local, int index, struct reach **ret_reach)
{
	struct reach *reach = xcalloc(1, sizeof *reach);
	int error = -ENOMEM;

	reach->port = port;
	reach->local = *local;
	reach->index = index;
	reach->places_version = UINT64_MAX;
	reach->watch = (struct kernel_watch) {
		.ctx = reach, .routes = on_routes, .neighbour = on_neighbour
	};
	for (size_t i = 0; i < N_BUCKETS; i++) {
		list_init(&reach->hops[i]);
		list_init(&reach->remotes[i]);
	}
	reach->retry = evtimer_new(base, on_retry, reach);
	reach->settle = evtimer_new(base, on_settled, reach);
	if (reach->retry && reach->settle)
		error = kernel_watch(base, netns, &reach->watch,
				     &reach->kernel);
	if (error) {
		reach_free(reach);
		return error;
	}
	*ret_reach = reach;
	return 0;
}

void
reach_free(struct reach *reach)
{
	if (!reach)
		return;
	for (size_t i = 0; i < N_BUCKETS; i++) {
		struct list *link, *next;

		for (link = reach->remotes[i].next;
		     link != &reach->remotes[i]; link = next) {
			next = link->next;
			LIST_ENTRY(link, struct remote, link)->is_wanted
				= false;
		}
	}
	forget_unwanted(reach);
	kernel_unwatch(reach->kernel, &reach->watch);
	if (reach->retry)
		event_free(reach->retry);
	if (reach->settle)
		event_free(reach->settle);
	free(reach);
}

void
reach_follow(struct reach *reach, const struct model *model)
{
	if (reach->places_version == model->places_version)
		return;
	reach->places_version = model->places_version;
	for (size_t i = 0; i < N_BUCKETS; i++)
		for (struct list *link = reach->remotes[i].next;
		     link != &reach->remotes[i]; link = link->next)
			LIST_ENTRY(link, struct remote, link)->is_wanted
				= false;
	model_each_remote(model, want, reach);
	forget_unwanted(reach);
}

void
reach_move(struct reach *reach, int index)
{
	if (reach->index == index)
		return;
	reach->index = index;
	on_settled(-1, 0, reach);
}

void
reach_count(const struct reach *reach, size_t *ret_n, size_t *ret_n_unknown)
{
	*ret_n = reach->n_remotes;
	*ret_n_unknown = reach->n_remotes - reach->n_known;
}

static void
on_routes(void *reach_)
{
	struct reach *reach = reach_;
	struct timeval after = { .tv_usec = SETTLE_MS * 1000 };

	if (!evtimer_pending(reach->settle, NULL))
		evtimer_add(reach->settle, &after);
}

static void
on_neighbour(void *reach_, int index, const struct vsw_addr *addr,
	     const uint8_t mac[6], bool is_stale)
{
	struct reach *reach = reach_;
	struct hop *hop = find_hop(reach, index, addr);
	struct timeval after = { .tv_sec = RETRY_MS / 1000 };

	if (!hop)
		return;
	if (mac && is_stale)
		kernel_use_neighbour(reach->kernel, index, addr);
	if (!mac && !evtimer_pending(reach->retry, NULL))
		evtimer_add(reach->retry, &after);
	if (hop->is_known == (mac != NULL)
	    && (!mac || !memcmp(hop->mac, mac, 6)))
		return;
	hop->is_known = mac != NULL;
	if (mac)
		memcpy(hop->mac, mac, 6);
	for (struct list *link = hop->remotes.next; link != &hop->remotes;
	     link = link->next)
		set_next_hop(reach, LIST_ENTRY(link, struct remote, by_hop));
}

static void
on_settled(evutil_socket_t fd, short what, void *reach_)
{
	struct reach *reach = reach_;

	(void) fd;
	(void) what;
	for (size_t i = 0; i < N_BUCKETS; i++)
		for (struct list *link = reach->remotes[i].next;
		     link != &reach->remotes[i]; link = link->next)
			route(reach, LIST_ENTRY(link, struct remote, link));
}

/* Of many that are not known, some each time: nobody who is away shall cost
 * those who are there. */
static void
on_retry(evutil_socket_t fd, short what, void *reach_)
{
	struct reach *reach = reach_;
	struct timeval after = { .tv_sec = RETRY_MS / 1000 };
	size_t n_tried = 0;

	(void) fd;
	(void) what;
	for (size_t i = 0; i < N_BUCKETS && n_tried < RETRIES_MAX; i++) {
		struct list *hops = &reach->hops[reach->retry_at];

		reach->retry_at = (reach->retry_at + 1) % N_BUCKETS;
		for (struct list *link = hops->next; link != hops;
		     link = link->next) {
			struct hop *hop = LIST_ENTRY(link, struct hop, link);

			if (hop->is_known)
				continue;
			kernel_use_neighbour(reach->kernel, hop->index,
					     &hop->addr);
			n_tried++;
		}
	}
	if (n_tried)
		evtimer_add(reach->retry, &after);
}

static void
want(void *reach_, const struct vsw_addr *addr, enum vsw_encap encap)
{
	struct reach *reach = reach_;
	struct list *bucket = &reach->remotes[bucket_of(addr)];
	struct remote *remote;

	(void) encap;
	if (addr->n != reach->local.n)
		return;
	for (struct list *link = bucket->next; link != bucket;
	     link = link->next) {
		remote = LIST_ENTRY(link, struct remote, link);
		if (equal(&remote->addr, addr)) {
			remote->is_wanted = true;
			return;
		}
	}
	remote = xcalloc(1, sizeof *remote);
	remote->addr = *addr;
	remote->is_wanted = true;
	list_init(&remote->by_hop);
	list_append(bucket, &remote->link);
	reach->n_remotes++;
	route(reach, remote);
}

static void
forget_unwanted(struct reach *reach)
{
	for (size_t i = 0; i < N_BUCKETS; i++) {
		struct list *link, *next;

		for (link = reach->remotes[i].next;
		     link != &reach->remotes[i]; link = next) {
			struct remote *remote =
				LIST_ENTRY(link, struct remote, link);

			next = link->next;
			if (remote->is_wanted)
				continue;
			leave_hop(reach, remote);
			set_next_hop(reach, remote);
			list_remove(&remote->link);
			free(remote);
			reach->n_remotes--;
		}
	}
}

static void
route(struct reach *reach, struct remote *remote)
{
	struct hop *hop = NULL;
	struct vsw_addr next;
	int index;

	if (!kernel_route(reach->kernel, &reach->local, &remote->addr,
			  reach->index, &next, &index))
		hop = get_hop(reach, index, &next);
	if (hop != remote->hop) {
		/* First the new one: an old one that is nobody's goes. */
		leave_hop(reach, remote);
		remote->hop = hop;
		if (hop)
			list_append(&hop->remotes, &remote->by_hop);
	}
	set_next_hop(reach, remote);
}

static struct hop *
get_hop(struct reach *reach, int index, const struct vsw_addr *addr)
{
	struct hop *hop = find_hop(reach, index, addr);

	if (hop)
		return hop;
	hop = xcalloc(1, sizeof *hop);
	hop->addr = *addr;
	hop->index = index;
	list_init(&hop->remotes);
	list_append(&reach->hops[bucket_of(addr)], &hop->link);
	kernel_ask_neighbour(reach->kernel, &reach->watch, index, addr);
	if (!hop->is_known)
		kernel_use_neighbour(reach->kernel, index, addr);
	return hop;
}

static struct hop *
find_hop(struct reach *reach, int index, const struct vsw_addr *addr)
{
	struct list *bucket = &reach->hops[bucket_of(addr)];

	for (struct list *link = bucket->next; link != bucket;
	     link = link->next) {
		struct hop *hop = LIST_ENTRY(link, struct hop, link);

		if (hop->index == index && equal(&hop->addr, addr))
			return hop;
	}
	return NULL;
}

static void
leave_hop(struct reach *reach, struct remote *remote)
{
	struct hop *hop = remote->hop;

	(void) reach;
	if (!hop)
		return;
	list_remove(&remote->by_hop);
	list_init(&remote->by_hop);
	remote->hop = NULL;
	if (!list_is_empty(&hop->remotes))
		return;
	list_remove(&hop->link);
	free(hop);
}

static void
set_next_hop(struct reach *reach, struct remote *remote)
{
	const struct hop *hop = remote->hop;
	bool is_known = hop && hop->is_known;
	int error;

	if (!is_known && !remote->is_known)
		return;
	error = vsw_port_set_next_hop(reach->port, &remote->addr,
				      is_known ? hop->mac : NULL);
	if (error) {
		log_line(LOG_LEVEL_ERROR, vsw_port_name(reach->port),
			 "a next hop is not set: %s; it is tried again when "
			 "its neighbour speaks", strerror(-error));
		is_known = false;
	}
	if (is_known != remote->is_known)
		reach->n_known += is_known ? 1 : (size_t) -1;
	remote->is_known = is_known;
}

static size_t
bucket_of(const struct vsw_addr *addr)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < addr->n; i++)
		hash = (hash ^ addr->bytes[i]) * 16777619u;
	return (hash ^ hash >> 16) % N_BUCKETS;
}

static bool
equal(const struct vsw_addr *a, const struct vsw_addr *b)
{
	return a->n == b->n && !memcmp(a->bytes, b->bytes, a->n);
}
