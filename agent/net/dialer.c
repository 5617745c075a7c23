/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/net/dialer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <event2/dns.h>
#include <event2/util.h>
#include "agent/base/memory.h"
#include "agent/net/turn.h"
#include "agent/net/unix.h"

enum { DIAL_MS = 10000 };

struct dialer {
	struct event_base *base;
	const struct method *method;
	struct evdns_base *dns;		/* NULL: the host is an address. */
	struct bufferevent *bev;	/* While dialling TCP. */
	struct event *timer;
	int64_t min_backoff_ms, max_backoff_ms, backoff_ms;
	int64_t connected_ms;
	const struct dialer_ops *ops;
	void *ctx;
};

static void timed(evutil_socket_t, short, void *dialer);
static void dial_unix(struct dialer *);
static void dial_tcp(struct dialer *);
static void happened(struct bufferevent *, short what, void *dialer);
static void succeed(struct dialer *, struct bufferevent *);
static int64_t next_wait(struct dialer *);
static void set_timer(struct dialer *, int64_t wait_ms);
static bool is_address(const char *host);

struct dialer *
dialer_new(struct event_base *base, const struct method *method,
	   int64_t min_backoff_ms, int64_t max_backoff_ms,
	   const struct dialer_ops *ops, void *ctx)
{
	struct dialer *dialer = xcalloc(1, sizeof *dialer);

	dialer->base = base;
	dialer->method = method;
	dialer->min_backoff_ms = min_backoff_ms;
	dialer->max_backoff_ms = max_backoff_ms;
	dialer->ops = ops;
	dialer->ctx = ctx;
	dialer->timer = event_new(base, -1, 0, timed, dialer);
	if (!method_is_unix(method) && !is_address(method->where))
		dialer->dns = evdns_base_new(base,
				EVDNS_BASE_INITIALIZE_NAMESERVERS
				| EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	set_timer(dialer, 0);
	return dialer;
}

void
dialer_free(struct dialer *dialer)
{
	if (!dialer)
		return;
	if (dialer->bev)
		bufferevent_free(dialer->bev);
	if (dialer->dns)
		evdns_base_free(dialer->dns, 0);
	event_free(dialer->timer);
	free(dialer);
}

void
dialer_again(struct dialer *dialer)
{
	if (turn_now_ms() - dialer->connected_ms > dialer->backoff_ms)
		dialer->backoff_ms = 0;
	set_timer(dialer, next_wait(dialer));
}

void
dialer_fail(struct dialer *dialer, const char *why)
{
	int64_t wait_ms = next_wait(dialer);

	if (dialer->bev)
		bufferevent_free(dialer->bev);
	dialer->bev = NULL;
	set_timer(dialer, wait_ms);
	dialer->ops->failed(dialer->ctx, why, wait_ms);
}

void
dialer_set_backoff(struct dialer *dialer, int64_t min_backoff_ms,
		   int64_t max_backoff_ms)
{
	dialer->min_backoff_ms = min_backoff_ms;
	dialer->max_backoff_ms = max_backoff_ms;
}

bool
dialer_is_dialling(const struct dialer *dialer)
{
	return dialer->bev != NULL;
}

static void
timed(evutil_socket_t fd, short what, void *dialer_)
{
	struct dialer *dialer = dialer_;

	(void) fd;
	(void) what;
	if (dialer->bev)
		dialer_fail(dialer, "no answer");
	else if (method_is_unix(dialer->method))
		dial_unix(dialer);
	else
		dial_tcp(dialer);
}

static void
dial_unix(struct dialer *dialer)
{
	int fd, error = unix_connect(dialer->method->where, &fd);

	if (error)
		dialer_fail(dialer, strerror(-error));
	else
		succeed(dialer, bufferevent_socket_new(dialer->base, fd,
						BEV_OPT_CLOSE_ON_FREE));
}

static void
dial_tcp(struct dialer *dialer)
{
	struct bufferevent *bev
		= bufferevent_socket_new(dialer->base, -1,
					 BEV_OPT_CLOSE_ON_FREE
					 | BEV_OPT_DEFER_CALLBACKS);

	dialer->bev = bev;
	bufferevent_setcb(bev, NULL, NULL, happened, dialer);
	set_timer(dialer, DIAL_MS);
	if (bufferevent_socket_connect_hostname(bev, dialer->dns, AF_UNSPEC,
						dialer->method->where,
						dialer->method->port))
		dialer_fail(dialer, evutil_socket_error_to_string(
				     EVUTIL_SOCKET_ERROR()));
}

static void
happened(struct bufferevent *bev, short what, void *dialer_)
{
	struct dialer *dialer = dialer_;
	int dns_error = bufferevent_socket_get_dns_error(bev);
	const int on = 1;

	if (!(what & BEV_EVENT_CONNECTED)) {
		dialer_fail(dialer, dns_error ? evutil_gai_strerror(dns_error)
			     : evutil_socket_error_to_string(
				       EVUTIL_SOCKET_ERROR()));
		return;
	}
	/* Where it fails, replies are late, not lost. */
	setsockopt(bufferevent_getfd(bev), IPPROTO_TCP, TCP_NODELAY, &on,
		   sizeof on);
	dialer->bev = NULL;
	event_del(dialer->timer);
	succeed(dialer, bev);
}

static void
succeed(struct dialer *dialer, struct bufferevent *bev)
{
	dialer->connected_ms = turn_now_ms();
	dialer->ops->connected(dialer->ctx, bev);
}

static int64_t
next_wait(struct dialer *dialer)
{
	int64_t backoff_ms = 2 * dialer->backoff_ms;
	uint32_t random;

	if (backoff_ms < dialer->min_backoff_ms)
		backoff_ms = dialer->min_backoff_ms;
	if (backoff_ms > dialer->max_backoff_ms)
		backoff_ms = dialer->max_backoff_ms;
	dialer->backoff_ms = backoff_ms;
	evutil_secure_rng_get_bytes(&random, sizeof random);
	return backoff_ms - random % (backoff_ms / 4 + 1);
}

static void
set_timer(struct dialer *dialer, int64_t wait_ms)
{
	const struct timeval wait = {
		.tv_sec = (time_t) (wait_ms / 1000),
		.tv_usec = (suseconds_t) (wait_ms % 1000 * 1000),
	};

	event_add(dialer->timer, &wait);
}

static bool
is_address(const char *host)
{
	struct in6_addr address;

	/* With a colon it may also have a scope, as in fe80::1%eth0. */
	return strchr(host, ':') || inet_pton(AF_INET, host, &address) == 1;
}
