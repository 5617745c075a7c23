/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/net/acceptor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <event2/listener.h>
#include "agent/base/memory.h"
#include "agent/net/unix.h"

/* Without descriptors, say, a connection stays acceptable and would keep the
 * loop turning: it rests instead. */
enum { BACKLOG = 512, REST_MS = 100 };

struct acceptor {
	const struct method *method;
	struct evconnlistener *listener;
	struct event *rest;
	uint16_t port;
	uint64_t n_accepted;
	const struct acceptor_ops *ops;
	void *ctx;
};

static int listen_tcp(const struct method *, int *ret_fd,
		      char **ret_problem);
static int bind_tcp(const struct addrinfo *, int *ret_fd);
static uint16_t bound_port(int fd);
static void accepted(struct evconnlistener *, evutil_socket_t,
		     struct sockaddr *, int size, void *acceptor);
static void failed(struct evconnlistener *, void *acceptor);
static void wake_up(evutil_socket_t, short, void *acceptor);
static char *name_of(struct acceptor *, const struct sockaddr *, int size);

struct acceptor *
acceptor_new(struct event_base *base, const struct method *method,
	     const struct acceptor_ops *ops, void *ctx, char **ret_problem)
{
	char *problem = NULL;
	struct acceptor *acceptor;
	int error, fd;

	if (method_is_unix(method))
		error = unix_listen(method->where, &fd);
	else
		error = listen_tcp(method, &fd, &problem);
	if (error) {
		*ret_problem = problem ? problem : xstrdup(strerror(-error));
		return NULL;
	}
	acceptor = xcalloc(1, sizeof *acceptor);
	acceptor->method = method;
	acceptor->ops = ops;
	acceptor->ctx = ctx;
	if (!method_is_unix(method))
		acceptor->port = bound_port(fd);
	acceptor->rest = event_new(base, -1, 0, wake_up, acceptor);
	acceptor->listener
		= evconnlistener_new(base, accepted, acceptor,
				     LEV_OPT_CLOSE_ON_FREE
				     | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	evconnlistener_set_error_cb(acceptor->listener, failed);
	return acceptor;
}

void
acceptor_free(struct acceptor *acceptor)
{
	if (!acceptor)
		return;
	if (method_is_unix(acceptor->method))
		unlink(acceptor->method->where);
	evconnlistener_free(acceptor->listener);
	event_free(acceptor->rest);
	free(acceptor);
}

uint16_t
acceptor_port(const struct acceptor *acceptor)
{
	return acceptor->port;
}

static int
listen_tcp(const struct method *method, int *ret_fd, char **ret_problem)
{
	const struct addrinfo hints = {
		.ai_family = *method->where ? AF_UNSPEC : AF_INET,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV,
	};
	struct addrinfo *found;
	char port[8];
	int error;

	snprintf(port, sizeof port, "%u", method->port);
	error = getaddrinfo(*method->where ? method->where : NULL, port,
			    &hints, &found);
	if (error) {
		*ret_problem = xasprintf("\"%s\" is no IP address of here",
					 method->where);
		return -EINVAL;
	}
	error = bind_tcp(found, ret_fd);
	freeaddrinfo(found);
	return error;
}

static int
bind_tcp(const struct addrinfo *address, int *ret_fd)
{
	const int on = 1;
	int error = 0;
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK
					    | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on)
	    || bind(fd, address->ai_addr, address->ai_addrlen)
	    || listen(fd, BACKLOG))
		error = -errno;
	if (error)
		close(fd);
	else
		*ret_fd = fd;
	return error;
}

static uint16_t
bound_port(int fd)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} bound;
	socklen_t size = sizeof bound;

	if (getsockname(fd, &bound.sa, &size))
		return 0;
	return ntohs(bound.sa.sa_family == AF_INET6 ? bound.in6.sin6_port
						    : bound.in.sin_port);
}

static void
accepted(struct evconnlistener *listener, evutil_socket_t fd,
	 struct sockaddr *peer, int size, void *acceptor_)
{
	struct acceptor *acceptor = acceptor_;
	char *name = name_of(acceptor, peer, size);
	const int on = 1;

	(void) listener;
	/* Where it fails, replies are late, not lost. */
	if (!method_is_unix(acceptor->method))
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	acceptor->ops->accepted(acceptor->ctx, fd, name);
	free(name);
}

static void
failed(struct evconnlistener *listener, void *acceptor_)
{
	const struct timeval wait = { .tv_usec = REST_MS * 1000 };
	struct acceptor *acceptor = acceptor_;
	int error = errno;

	evconnlistener_disable(listener);
	event_add(acceptor->rest, &wait);
	acceptor->ops->failed(acceptor->ctx, error);
}

static void
wake_up(evutil_socket_t fd, short what, void *acceptor_)
{
	struct acceptor *acceptor = acceptor_;

	(void) fd;
	(void) what;
	evconnlistener_enable(acceptor->listener);
}

static char *
name_of(struct acceptor *acceptor, const struct sockaddr *peer, int size)
{
	char host[NI_MAXHOST], port[NI_MAXSERV];

	acceptor->n_accepted++;
	if (method_is_unix(acceptor->method)
	    || getnameinfo(peer, (socklen_t) size, host, sizeof host, port,
			   sizeof port, NI_NUMERICHOST | NI_NUMERICSERV))
		return xasprintf("unix#%llu", (unsigned long long)
					      acceptor->n_accepted);
	return xasprintf(strchr(host, ':') ? "%s:[%s]:%s" : "%s:%s:%s",
			 method_is_tls(acceptor->method) ? "ssl" : "tcp",
			 host, port);
}
