/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/provider/bfd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "agent/base/list.h"
#include "agent/base/log.h"
#include "agent/base/memory.h"
#include "agent/device/thread.h"
#include "agent/provider/bfd_frame.h"
#include "agent/provider/bfd_session.h"
#include "agent/provider/probe.h"

enum { N_BUCKETS = 1024 };

/* model_path.host. */
struct watched {
	struct list link;		/* In its bucket, by remote. */
	struct bfd *bfd;
	struct model_path *path;
	struct bfd_session session;
	struct event *timer;
	struct vsw_port *uplink;	/* NULL: there is none. */
	struct vsw_worker *worker;
	struct vsw_addr local;		/* The uplink's. */
};

struct bfd {
	struct bfd_options options;
	struct probe *probe;
	struct list buckets[N_BUCKETS];
	uint32_t last_discr;
};

static void follow_path(struct bfd *, struct model_path *);
static void start(struct bfd *, struct model_path *);
static void stop(struct watched *);
static void find_uplink(struct watched *);
static struct bfd_config config_of(const struct model_path *);
static void on_timer(evutil_socket_t fd, short what, void *watched_);
static void wait(struct watched *);
static void send_packet(struct watched *, bool final);
static void tell(struct watched *);
static struct watched *find(struct bfd *, const struct vsw_tunnel *,
			    const struct frame *, const struct bfd_packet *);
static bool is_for(const struct watched *, const struct vsw_tunnel *,
		   const struct frame *);
static size_t bucket_of(const struct vsw_addr *);

struct bfd *
bfd_new(const struct bfd_options *options)
{
	struct bfd *bfd = xcalloc(1, sizeof *bfd);

	bfd->options = *options;
	bfd->probe = probe_new(options);
	for (size_t i = 0; i < N_BUCKETS; i++)
		list_init(&bfd->buckets[i]);
	/* Nobody is to guess them. */
	if (getrandom(&bfd->last_discr, sizeof bfd->last_discr, 0) < 0)
		bfd->last_discr = (uint32_t) thread_now();
	return bfd;
}

void
bfd_free(struct bfd *bfd)
{
	if (!bfd)
		return;
	for (size_t i = 0; i < N_BUCKETS; i++)
		while (!list_is_empty(&bfd->buckets[i]))
			stop(LIST_ENTRY(bfd->buckets[i].next, struct watched,
					link));
	probe_free(bfd->probe);
	free(bfd);
}

struct probe *
bfd_probe(const struct bfd *bfd)
{
	return bfd->probe;
}

void
bfd_follow(struct bfd *bfd)
{
	struct list *paths = &bfd->options.model->paths, *link, *next;

	for (link = paths->next; link != paths; link = next) {
		struct model_path *path =
			LIST_ENTRY(link, struct model_path, link);

		next = link->next;
		follow_path(bfd, path);
	}
}

void
bfd_receive(void *bfd_, const struct vsw_tunnel *tunnel, const void *bytes,
	    size_t size)
{
	struct bfd *bfd = bfd_;
	struct bfd_packet packet;
	struct watched *watched;
	struct frame frame;
	bool answer;

	if (!bfd_frame_read(tunnel, bytes, size, &frame, &packet)
	    || probe_receive(bfd->probe, tunnel, &frame, &packet))
		return;
	watched = find(bfd, tunnel, &frame, &packet);
	if (!watched
	    || !bfd_session_receive(&watched->session, &packet, thread_now(),
				    &answer))
		return;
	if (answer)
		send_packet(watched, true);
	tell(watched);
	wait(watched);
}

static void
follow_path(struct bfd *bfd, struct model_path *path)
{
	struct watched *watched = path->host;
	struct bfd_config config;

	if (watched && (path->is_removed || path->problem))
		stop(watched);
	if (path->is_removed) {
		model_forget_path(bfd->options.model, path);
		return;
	}
	if (path->problem)
		return;
	if (!path->host)
		start(bfd, path);
	watched = path->host;
	find_uplink(watched);
	config = config_of(path);
	if (memcmp(&config, &watched->session.config, sizeof config)) {
		bfd_session_configure(&watched->session, &config,
				      thread_now());
		wait(watched);
	}
	tell(watched);
}

static void
start(struct bfd *bfd, struct model_path *path)
{
	struct watched *watched = xcalloc(1, sizeof *watched);
	struct bfd_config config = config_of(path);

	watched->bfd = bfd;
	watched->path = path;
	watched->timer = evtimer_new(bfd->options.base, on_timer, watched);
	if (!watched->timer)
		abort();
	/* Odd steps meet every number once, and 0 is none. */
	do
		bfd->last_discr += 0x9e3779b1;
	while (!bfd->last_discr);
	bfd_session_start(&watched->session, bfd->last_discr, &config,
			  thread_now());
	list_append(&bfd->buckets[bucket_of(&path->remote)], &watched->link);
	path->host = watched;
	wait(watched);
}

static void
stop(struct watched *watched)
{
	watched->path->host = NULL;
	list_remove(&watched->link);
	event_free(watched->timer);
	free(watched);
}

static void
find_uplink(struct watched *watched)
{
	const struct bfd_options *options = &watched->bfd->options;
	struct model *model = options->model;
	const struct model_path *path = watched->path;

	watched->uplink = NULL;
	for (struct list *s = model->switches.next;
	     s != &model->switches && !watched->uplink; s = s->next) {
		struct model_switch *sw =
			LIST_ENTRY(s, struct model_switch, link);

		for (struct list *p = sw->provider_addresses.next;
		     p != &sw->provider_addresses; p = p->next) {
			const struct model_pa *pa =
				LIST_ENTRY(p, struct model_pa, link);

			if (!pa->port || pa->addr.n != path->remote.n
			    || (path->local.n ? memcmp(&pa->addr, &path->local,
						       sizeof pa->addr)
					      : !pa->is_up))
				continue;
			watched->uplink = pa->port;
			watched->local = pa->addr;
			watched->worker = options->worker(options->worker_ctx,
							  sw);
			break;
		}
	}
}

static struct bfd_config
config_of(const struct model_path *path)
{
	struct bfd_config config;

	memset(&config, 0, sizeof config);
	config.min_tx_us = path->min_tx_us;
	config.min_rx_us = path->min_rx_us;
	config.mult = path->mult;
	config.cpath_down = path->cpath_down;
	return config;
}

static void
on_timer(evutil_socket_t fd, short what, void *watched_)
{
	struct watched *watched = watched_;

	(void) fd;
	(void) what;
	if (bfd_session_tick(&watched->session, thread_now()))
		send_packet(watched, false);
	tell(watched);
	wait(watched);
}

static void
wait(struct watched *watched)
{
	uint64_t now = thread_now(), at = bfd_session_next(&watched->session);
	uint64_t us = at > now ? (at - now) / 1000 + 1 : 0;
	struct timeval after = {
		.tv_sec = (time_t) (us / 1000000),
		.tv_usec = (suseconds_t) (us % 1000000)
	};

	evtimer_add(watched->timer, &after);
}

static void
send_packet(struct watched *watched, bool final)
{
	const struct model_path *path = watched->path;
	const struct vsw_tunnel tunnel = {
		.dst = path->remote, .encap = (uint8_t) path->encap
	};
	struct bfd_packet control;
	struct bfd_ends ends;

	if (!watched->uplink || !watched->worker)
		return;
	memcpy(ends.dst_mac, path->remote_mac, sizeof ends.dst_mac);
	memcpy(ends.src_ip, path->local_ip.bytes, sizeof ends.src_ip);
	memcpy(ends.dst_ip, path->remote_ip.bytes, sizeof ends.dst_ip);
	bfd_session_fill(&watched->session, final, &control);
	bfd_frame_send(watched->worker, watched->uplink, &tunnel, &ends,
		       &control, BFD_FRAME_SIZE);
}

static void
tell(struct watched *watched)
{
	const struct bfd_session *s = &watched->session;
	struct model_path *path = watched->path;
	char text[MODEL_ADDR_TEXT_SIZE];
	bool was_forwarding = path->now.is_forwarding;
	struct model_path_state now;

	memset(&now, 0, sizeof now);
	now.is_forwarding = bfd_session_forwards(s);
	now.state = bfd_state_name(s->state);
	now.diagnostic = bfd_diagnostic_name(s->diag);
	now.remote_state = bfd_state_name(s->remote_state);
	now.remote_diagnostic = bfd_diagnostic_name(s->remote_diag);
	if (!watched->uplink)
		now.problem = "no provider address to watch it from";
	if (path->is_told && !memcmp(&path->now, &now, sizeof now))
		return;
	model_path_set(watched->bfd->options.model, path, &now);
	if (was_forwarding != now.is_forwarding) {
		model_addr_to_text(&path->remote, text);
		log_line(LOG_LEVEL_INFO, "bfd", "%s is %s: %s", text,
			 now.is_forwarding ? "up" : "down", now.diagnostic);
	}
	watched->bfd->options.turn(watched->bfd->options.turn_ctx);
}

/* By what it came from and to; where two watch one way, by the discriminator
 * that the peer has learned, section 6.3. */
static struct watched *
find(struct bfd *bfd, const struct vsw_tunnel *tunnel,
     const struct frame *frame, const struct bfd_packet *packet)
{
	struct list *bucket = &bfd->buckets[bucket_of(&tunnel->src)];

	for (struct list *link = bucket->next; link != bucket;
	     link = link->next) {
		struct watched *watched =
			LIST_ENTRY(link, struct watched, link);

		if (is_for(watched, tunnel, frame)
		    && (!packet->your_discr || packet->your_discr
			== watched->session.local_discr))
			return watched;
	}
	return NULL;
}

static bool
is_for(const struct watched *watched, const struct vsw_tunnel *tunnel,
       const struct frame *frame)
{
	const struct model_path *path = watched->path;

	return path->remote.n == tunnel->src.n
	       && !memcmp(path->remote.bytes, tunnel->src.bytes,
			  tunnel->src.n)
	       && path->encap == (enum vsw_encap) tunnel->encap
	       && (!path->local.n
		   || (path->local.n == tunnel->dst.n
		       && !memcmp(path->local.bytes, tunnel->dst.bytes,
				  tunnel->dst.n)))
	       && !memcmp(frame->eth_dst, path->local_mac, 6);
}

static size_t
bucket_of(const struct vsw_addr *addr)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < addr->n; i++)
		hash = (hash ^ addr->bytes[i]) * 16777619u;
	return (hash ^ hash >> 16) % N_BUCKETS;
}
