/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/net/handshake.h"

#include <stdlib.h>
#include <unistd.h>
#include <event2/bufferevent_ssl.h>
#include "agent/base/memory.h"

struct handshake {
	struct tls *tls;
	struct bufferevent *bev;	/* NULL: it never began. */
	char *problem;			/* Why not. */
	struct event *timer;
	const struct handshake_ops *ops;
	void *ctx;
};

static void happened(struct bufferevent *, short what, void *handshake);
static void timed(evutil_socket_t, short, void *handshake);
static void fail(struct handshake *, enum tls_refusal, char *why);

struct handshake *
handshake_new(struct event_base *base, struct tls *tls, int fd,
	      const char *host, int64_t limit_ms,
	      const struct handshake_ops *ops, void *ctx)
{
	struct timeval wait = {
		.tv_sec = (time_t) (limit_ms / 1000),
		.tv_usec = (suseconds_t) (limit_ms % 1000 * 1000),
	};
	struct handshake *handshake = xcalloc(1, sizeof *handshake);
	struct ssl_st *ssl = tls_connection(tls, host, &handshake->problem);

	handshake->tls = tls;
	handshake->ops = ops;
	handshake->ctx = ctx;
	handshake->timer = event_new(base, -1, 0, timed, handshake);
	if (ssl) {
		handshake->bev = bufferevent_openssl_socket_new(
			base, fd, ssl,
			host ? BUFFEREVENT_SSL_CONNECTING
			     : BUFFEREVENT_SSL_ACCEPTING,
			BEV_OPT_CLOSE_ON_FREE);
		bufferevent_setcb(handshake->bev, NULL, NULL, happened,
				  handshake);
		/* JSON ends by itself: a stream cut short shows. */
		bufferevent_openssl_set_allow_dirty_shutdown(handshake->bev,
							     1);
	} else {
		close(fd);
		wait = (struct timeval) { 0, 0 };
	}
	event_add(handshake->timer, &wait);
	return handshake;
}

void
handshake_free(struct handshake *handshake)
{
	if (!handshake)
		return;
	if (handshake->bev)
		bufferevent_free(handshake->bev);
	event_free(handshake->timer);
	free(handshake->problem);
	free(handshake);
}

static void
happened(struct bufferevent *bev, short what, void *handshake_)
{
	struct handshake *handshake = handshake_;
	enum tls_refusal refusal;
	char *text;

	if (!(what & BEV_EVENT_CONNECTED)) {
		refusal = tls_refusal(bev, &text);
		fail(handshake, refusal, text);
	} else if (!tls_is_trusted(handshake->tls,
				   bufferevent_openssl_get_ssl(bev), &text)) {
		fail(handshake, TLS_BOOTSTRAPPED, text);
	} else {
		handshake->bev = NULL;
		event_del(handshake->timer);
		handshake->ops->done(handshake->ctx, bev);
	}
}

static void
timed(evutil_socket_t fd, short what, void *handshake_)
{
	struct handshake *handshake = handshake_;

	(void) fd;
	(void) what;
	if (handshake->bev)
		fail(handshake, TLS_SLOW,
		     xstrdup("no TLS handshake within its time"));
	else
		fail(handshake, TLS_NOT_CONFIGURED,
		     xstrdup(handshake->problem));
}

/* The handshake is gone when this returns. */
static void
fail(struct handshake *handshake, enum tls_refusal refusal, char *why)
{
	handshake->ops->failed(handshake->ctx, refusal, why);
	free(why);
}
