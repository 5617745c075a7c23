/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/provider/probe.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "agent/base/list.h"
#include "agent/base/memory.h"
#include "agent/device/thread.h"
#include "agent/provider/bfd_frame.h"
#include "agent/provider/ping.h"

enum {
	WAYS_MAX = 128,
	TRIES = 5, TRY_MS = 200,
	PING_AT = 2,			/* The try that pings, too. */
	ANSWERS_PER_S = 32
};

enum { LITTLE, LARGE, N_SIZES };

/* Where questions and answers go to, inside of the tunnel: never a session's
 * MAC address (vtep(5)), and no VM's. */
static const struct bfd_ends ends = {
	.dst_mac = { 0x02, 0x68, 0x6e, 0x76, 0x70, 0x72 },
	.src_ip = { 169, 254, 1, 1 }, .dst_ip = { 169, 254, 1, 2 }
};

struct asked {
	struct probe_way way;
	uint32_t discr;			/* + 1: of the large one. */
	struct ping *ping;
};

struct probe_round {
	struct list link;		/* In probe.rounds. */
	struct probe *probe;
	struct event *timer;
	probe_fn *done;
	void *ctx;
	size_t size, n, n_more;
	unsigned n_tries;
	struct asked asked[WAYS_MAX];
};

struct probe {
	struct bfd_options options;
	struct list rounds;
	uint32_t last_discr;
	/* Answers in the second that began then. */
	uint64_t answering_since;
	unsigned n_answers;
};

/* Is an address one that a locator names? */
struct search {
	const struct vsw_addr *addr;
	bool is_found;
};

static void add_remote(void *round_, const struct vsw_addr *,
		       enum vsw_encap);
static void add_way(struct probe_round *, const struct vsw_addr *remote,
		    enum vsw_encap, const struct model_pa *);
static void on_timer(evutil_socket_t, short what, void *round_);
static bool is_over(const struct probe_round *);
static void finish(struct probe_round *);
static void free_round(struct probe_round *);
static void try_way(struct probe_round *, struct asked *);
static struct vsw_worker *find_uplink(const struct probe *,
				      const struct vsw_addr *local,
				      const struct model_pa **ret_pa);
static void hear(struct probe *, const struct vsw_tunnel *, uint32_t discr);
static void answer(struct probe *, const struct vsw_tunnel *,
		   const struct bfd_packet *);
static void compare(void *search_, const struct vsw_addr *, enum vsw_encap);
static bool is_same(const struct vsw_addr *, const struct vsw_addr *);

struct probe *
probe_new(const struct bfd_options *options)
{
	struct probe *probe = xcalloc(1, sizeof *probe);

	probe->options = *options;
	list_init(&probe->rounds);
	/* Nobody is to guess them. */
	if (getrandom(&probe->last_discr, sizeof probe->last_discr, 0) < 0)
		probe->last_discr = (uint32_t) thread_now();
	return probe;
}

void
probe_free(struct probe *probe)
{
	free(probe);
}

struct probe_round *
probe_ask(struct probe *probe, size_t size, probe_fn *done, void *ctx)
{
	struct probe_round *round = xcalloc(1, sizeof *round);

	round->probe = probe;
	round->done = done;
	round->ctx = ctx;
	round->size = size > BFD_FRAME_SIZE ? size : BFD_FRAME_SIZE;
	round->timer = evtimer_new(probe->options.base, on_timer, round);
	if (!round->timer)
		abort();
	list_append(&probe->rounds, &round->link);
	model_each_remote(probe->options.model, add_remote, round);
	event_active(round->timer, EV_TIMEOUT, 0);
	return round;
}

void
probe_cancel(struct probe_round *round)
{
	if (round)
		free_round(round);
}

bool
probe_receive(struct probe *probe, const struct vsw_tunnel *tunnel,
	      const struct frame *frame, const struct bfd_packet *packet)
{
	if (memcmp(frame->eth_dst, ends.dst_mac, sizeof ends.dst_mac))
		return false;
	if (packet->final)
		hear(probe, tunnel, packet->your_discr);
	else if (packet->poll)
		answer(probe, tunnel, packet);
	return true;
}

/* From each address of ours that is up and of the same family. */
static void
add_remote(void *round_, const struct vsw_addr *remote, enum vsw_encap encap)
{
	struct probe_round *round = round_;
	const struct list *switches = &round->probe->options.model->switches;

	for (const struct list *s = switches->next; s != switches;
	     s = s->next) {
		const struct list *addresses =
			&LIST_ENTRY(s, const struct model_switch, link)
			->provider_addresses;

		for (const struct list *p = addresses->next; p != addresses;
		     p = p->next) {
			const struct model_pa *pa =
				LIST_ENTRY(p, const struct model_pa, link);

			if (pa->port && pa->is_up && pa->addr.n == remote->n)
				add_way(round, remote, encap, pa);
		}
	}
}

/* Each once. */
static void
add_way(struct probe_round *round, const struct vsw_addr *remote,
	enum vsw_encap encap, const struct model_pa *pa)
{
	struct probe *probe = round->probe;
	struct asked *asked = &round->asked[round->n];

	for (size_t i = 0; i < round->n; i++) {
		const struct probe_way *way = &round->asked[i].way;

		if (way->encap == encap && is_same(&way->remote, remote)
		    && is_same(&way->local, &pa->addr))
			return;
	}
	if (round->n == WAYS_MAX) {
		round->n_more++;
		return;
	}
	/* Even, in odd steps of two: each number once, and 0 is none. */
	do
		probe->last_discr = (probe->last_discr & ~1u) + 0x9e3779b2;
	while (!probe->last_discr);
	*asked = (struct asked) { .discr = probe->last_discr };
	asked->way.remote = *remote;
	asked->way.local = pa->addr;
	asked->way.encap = (uint8_t) encap;
	round->n++;
}

static void
on_timer(evutil_socket_t fd, short what, void *round_)
{
	static const struct timeval after = { .tv_usec = TRY_MS * 1000 };
	struct probe_round *round = round_;

	(void) fd;
	(void) what;
	if (is_over(round) || round->n_tries == TRIES) {
		finish(round);
		return;
	}
	for (size_t i = 0; i < round->n; i++)
		try_way(round, &round->asked[i]);
	round->n_tries++;
	evtimer_add(round->timer, &after);
}

static bool
is_over(const struct probe_round *round)
{
	for (size_t i = 0; i < round->n; i++)
		if (!round->asked[i].way.is_answered
		    || !round->asked[i].way.is_large_answered)
			return false;
	return true;
}

static void
finish(struct probe_round *round)
{
	struct probe_way *ways = xcalloc(WAYS_MAX, sizeof *ways);

	for (size_t i = 0; i < round->n; i++) {
		struct asked *asked = &round->asked[i];

		if (asked->ping)
			ping_hear(asked->ping, &asked->way.is_pinged,
				  &asked->way.is_refused, &asked->way.error);
		ways[i] = asked->way;
	}
	round->done(round->ctx, ways, round->n, round->n_more);
	free(ways);
	free_round(round);
}

static void
free_round(struct probe_round *round)
{
	for (size_t i = 0; i < round->n; i++)
		ping_free(round->asked[i].ping);
	list_remove(&round->link);
	event_free(round->timer);
	free(round);
}

static void
try_way(struct probe_round *round, struct asked *asked)
{
	struct probe_way *way = &asked->way;
	const bool is_answered[N_SIZES] = {
		way->is_answered, way->is_large_answered
	};
	struct vsw_tunnel tunnel = {
		.dst = way->remote, .encap = way->encap
	};
	const struct model_pa *pa;
	struct vsw_worker *worker = find_uplink(round->probe, &way->local,
						&pa);

	if (!worker)
		return;
	/* Before the packets that it may have to hear of. */
	if (round->n_tries == PING_AT && !way->is_answered)
		asked->ping = ping_new(pa, &way->remote);
	for (int size = LITTLE; size < N_SIZES; size++) {
		const struct bfd_packet packet = {
			.state = BFD_ADMIN_DOWN, .diag = BFD_DIAG_ADMIN,
			.mult = 1, .poll = true,
			.my_discr = asked->discr + (uint32_t) size,
			.min_tx_us = 1000000, .min_rx_us = 1000000
		};

		if (!is_answered[size])
			bfd_frame_send(worker, pa->port, &tunnel, &ends,
				       &packet, size == LITTLE
				       ? (size_t) BFD_FRAME_SIZE
				       : round->size);
	}
}

/* NULL: it has gone. */
static struct vsw_worker *
find_uplink(const struct probe *probe, const struct vsw_addr *local,
	    const struct model_pa **ret_pa)
{
	const struct bfd_options *options = &probe->options;
	const struct list *switches = &options->model->switches;

	for (const struct list *s = switches->next; s != switches;
	     s = s->next) {
		const struct model_switch *sw =
			LIST_ENTRY(s, const struct model_switch, link);

		for (const struct list *p = sw->provider_addresses.next;
		     p != &sw->provider_addresses; p = p->next) {
			const struct model_pa *pa =
				LIST_ENTRY(p, const struct model_pa, link);

			if (!pa->port || !is_same(&pa->addr, local))
				continue;
			*ret_pa = pa;
			return options->worker(options->worker_ctx, sw);
		}
	}
	return NULL;
}

/* The timer need not run down if this was the last one. */
static void
hear(struct probe *probe, const struct vsw_tunnel *tunnel, uint32_t discr)
{
	for (struct list *link = probe->rounds.next; link != &probe->rounds;
	     link = link->next) {
		struct probe_round *round =
			LIST_ENTRY(link, struct probe_round, link);

		for (size_t i = 0; i < round->n; i++) {
			struct asked *asked = &round->asked[i];

			if (asked->discr != (discr & ~1u)
			    || !is_same(&asked->way.remote, &tunnel->src))
				continue;
			if (discr & 1)
				asked->way.is_large_answered = true;
			else
				asked->way.is_answered = true;
			if (is_over(round))
				event_active(round->timer, EV_TIMEOUT, 0);
			return;
		}
	}
}

static void
answer(struct probe *probe, const struct vsw_tunnel *tunnel,
       const struct bfd_packet *question)
{
	struct search search = { .addr = &tunnel->src };
	struct vsw_tunnel back = {
		.dst = tunnel->src, .encap = tunnel->encap
	};
	struct bfd_packet packet = {
		.state = BFD_ADMIN_DOWN, .diag = BFD_DIAG_ADMIN, .mult = 1,
		.final = true, .my_discr = question->my_discr,
		.your_discr = question->my_discr,
		.min_tx_us = 1000000, .min_rx_us = 1000000
	};
	uint64_t now = thread_now();
	const struct model_pa *pa;
	struct vsw_worker *worker;

	if (now - probe->answering_since >= 1000000000) {
		probe->answering_since = now;
		probe->n_answers = 0;
	}
	if (++probe->n_answers > ANSWERS_PER_S)
		return;
	model_each_remote(probe->options.model, compare, &search);
	if (!search.is_found)
		return;
	worker = find_uplink(probe, &tunnel->dst, &pa);
	if (worker)
		bfd_frame_send(worker, pa->port, &back, &ends, &packet,
			       BFD_FRAME_SIZE);
}

static void
compare(void *search_, const struct vsw_addr *addr, enum vsw_encap encap)
{
	struct search *search = search_;

	(void) encap;
	search->is_found |= is_same(search->addr, addr);
}

static bool
is_same(const struct vsw_addr *a, const struct vsw_addr *b)
{
	return a->n == b->n && !memcmp(a->bytes, b->bytes, a->n);
}
