/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/doctor_path.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "agent/base/memory.h"
#include "agent/provider/kernel.h"

enum { REMOTES_MAX = 64, LOCALS_MAX = 64, VXLAN_PORT = 4789 };

/* Remote provider addresses, each once. */
struct remotes_seen {
	struct vsw_addr of[REMOTES_MAX];
	size_t n, n_more;
};

struct answer {
	int error, mtu;
	struct vsw_addr next_hop;
	bool is_silent;
};

/* What is asked from one local address, in its namespace. */
struct question {
	const struct model_pa *pa;
	const struct remotes_seen *remotes;
	struct answer *answers;		/* One for each. */
};

static void add_remote(void *remotes_, const struct vsw_addr *,
		       enum vsw_encap);
static size_t collect(const struct model *,
		      const struct model_pa *ret_locals[], size_t max);
static bool is_asked(const struct model_pa *, const struct vsw_addr *);
static int ask_all(void *question);
static int ask(const struct model_pa *, const struct vsw_addr *,
	       int *ret_mtu);
static void ask_neighbours(struct question *);
static void hear_neighbour(void *is_silent, int index,
			   const struct vsw_addr *, const uint8_t mac[6],
			   bool is_stale);
static bool has_way(const struct question *, size_t n, size_t remote,
		    size_t but);

size_t
doctor_each_path(const struct model *model,
		 void (*each)(void *ctx, const struct doctor_path *),
		 void *ctx)
{
	const struct model_pa *locals[LOCALS_MAX];
	struct question questions[LOCALS_MAX];
	struct remotes_seen remotes = { .n = 0 };
	size_t n;

	model_each_remote(model, add_remote, &remotes);
	n = collect(model, locals, LOCALS_MAX);
	for (size_t i = 0; i < n; i++) {
		const char *netns = model_option(&locals[i]->options, "netns",
						 NULL);
		struct question *q = &questions[i];
		int error;

		*q = (struct question) { locals[i], &remotes, NULL };
		q->answers = xcalloc(REMOTES_MAX, sizeof *q->answers);
		error = kernel_visit(netns, ask_all, q);
		for (size_t r = 0; r < remotes.n && error; r++)
			q->answers[r].error = -error;
		if (!error)
			ask_neighbours(q);
	}
	for (size_t r = 0; r < remotes.n; r++) {
		bool is_told = false;

		for (size_t i = 0; i < n; i++) {
			struct doctor_path path = {
				.remote = &remotes.of[r], .local = locals[i],
				.error = questions[i].answers[r].error,
				.mtu = (unsigned) questions[i].answers[r].mtu,
				.has_other = has_way(questions, n, r, i),
				.next_hop = questions[i].answers[r].next_hop,
				.is_silent = questions[i].answers[r].is_silent
			};

			if (locals[i]->addr.n != path.remote->n)
				continue;
			is_told = true;
			if (is_asked(locals[i], path.remote))
				each(ctx, &path);
		}
		if (!is_told)
			each(ctx, &(struct doctor_path) {
				.remote = &remotes.of[r], .error = ENETUNREACH
			});
	}
	for (size_t i = 0; i < n; i++)
		free(questions[i].answers);
	return remotes.n_more;
}

static void
add_remote(void *remotes_, const struct vsw_addr *pa, enum vsw_encap encap)
{
	struct remotes_seen *remotes = remotes_;

	(void) encap;
	for (size_t i = 0; i < remotes->n; i++)
		if (remotes->of[i].n == pa->n
		    && !memcmp(remotes->of[i].bytes, pa->bytes, pa->n))
			return;
	if (remotes->n == REMOTES_MAX)
		remotes->n_more++;
	else
		remotes->of[remotes->n++] = *pa;
}

/* Those that are up: what others lack is told of them. */
static size_t
collect(const struct model *model, const struct model_pa *ret_locals[],
	size_t max)
{
	size_t n = 0;

	for (const struct list *s = model->switches.next;
	     s != &model->switches; s = s->next) {
		const struct list *addresses =
			&LIST_ENTRY(s, const struct model_switch, link)
			->provider_addresses;

		for (const struct list *p = addresses->next;
		     p != addresses && n < max; p = p->next) {
			const struct model_pa *pa =
				LIST_ENTRY(p, const struct model_pa, link);

			if (pa->is_up)
				ret_locals[n++] = pa;
		}
	}
	return n;
}

static bool
is_asked(const struct model_pa *pa, const struct vsw_addr *remote)
{
	return pa->addr.n == remote->n
	       && !model_option(&pa->options, "next_hop_mac", NULL);
}

static int
ask_all(void *question)
{
	struct question *q = question;

	for (size_t i = 0; i < q->remotes->n; i++)
		if (is_asked(q->pa, &q->remotes->of[i]))
			q->answers[i].error = ask(q->pa, &q->remotes->of[i],
						  &q->answers[i].mtu);
	return 0;
}

/* By a socket that is connected and never sends.  0 or an errno. */
static int
ask(const struct model_pa *pa, const struct vsw_addr *remote, int *ret_mtu)
{
	const char *interface = strcmp(pa->device, "socket") ? NULL
		: model_option(&pa->options, "interface", NULL);
	bool is_v4 = remote->n == 4;
	int fd = socket(is_v4 ? AF_INET : AF_INET6,
			SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_in in[2] = {
		{ .sin_family = AF_INET },
		{ .sin_family = AF_INET, .sin_port = htons(VXLAN_PORT) }
	};
	struct sockaddr_in6 in6[2] = {
		{ .sin6_family = AF_INET6 },
		{ .sin6_family = AF_INET6, .sin6_port = htons(VXLAN_PORT) }
	};
	socklen_t size = is_v4 ? sizeof *in : sizeof *in6;
	socklen_t mtu_size = sizeof *ret_mtu;
	int error = 0;

	if (fd < 0)
		return errno;
	memcpy(&in[0].sin_addr, pa->addr.bytes, 4);
	memcpy(&in[1].sin_addr, remote->bytes, 4);
	memcpy(&in6[0].sin6_addr, pa->addr.bytes, 16);
	memcpy(&in6[1].sin6_addr, remote->bytes, 16);
	if ((interface && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE,
				     interface,
				     (socklen_t) strlen(interface) + 1))
	    || bind(fd, is_v4 ? (void *) &in[0] : (void *) &in6[0], size)
	    || connect(fd, is_v4 ? (void *) &in[1] : (void *) &in6[1], size)
	    || getsockopt(fd, is_v4 ? IPPROTO_IP : IPPROTO_IPV6,
			  is_v4 ? IP_MTU : IPV6_MTU, ret_mtu, &mtu_size))
		error = errno;
	close(fd);
	return error;
}

/* Who is next on each way that there is, and is he known?  The address is up,
 * so that its namespace is watched already. */
static void
ask_neighbours(struct question *q)
{
	const struct model_options *options = &q->pa->options;
	const char *name = model_option(options, "interface", NULL);
	struct kernel_watch watch = { .neighbour = hear_neighbour };
	const struct kernel_link *link = NULL;
	struct kernel *kernel;
	int only = 0;

	if (kernel_watch(NULL, model_option(options, "netns", NULL), &watch,
			 &kernel))
		return;
	if (strcmp(q->pa->device, "socket"))
		link = kernel_link_with(kernel, &q->pa->addr);
	else if (name)
		link = kernel_link_named(kernel, name);
	if (link)
		only = link->index;
	for (size_t i = 0; i < q->remotes->n; i++) {
		static const uint8_t none[6];
		struct answer *answer = &q->answers[i];
		int index;

		if (answer->error || !is_asked(q->pa, &q->remotes->of[i])
		    || kernel_route(kernel, &q->pa->addr, &q->remotes->of[i],
				    only, &answer->next_hop, &index))
			continue;
		/* Who has no MAC asks for none. */
		link = kernel_link_at(kernel, index);
		if (!link || !memcmp(link->mac, none, sizeof none))
			continue;
		watch.ctx = &answer->is_silent;
		kernel_ask_neighbour(kernel, &watch, index,
				     &answer->next_hop);
	}
	kernel_unwatch(kernel, &watch);
}

static void
hear_neighbour(void *is_silent, int index, const struct vsw_addr *addr,
	       const uint8_t mac[6], bool is_stale)
{
	(void) index;
	(void) addr;
	(void) is_stale;
	*(bool *) is_silent = !mac;
}

static bool
has_way(const struct question *questions, size_t n, size_t remote, size_t but)
{
	const struct vsw_addr *addr = &questions[but].remotes->of[remote];

	for (size_t i = 0; i < n; i++)
		if (i != but && questions[i].pa->addr.n == addr->n
		    && !questions[i].answers[remote].error)
			return true;
	return false;
}
