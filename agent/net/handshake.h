/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NET_HANDSHAKE_H
#define NET_HANDSHAKE_H 1

/* A TCP connection on its way to be one of TLS, for a limited time.
 * [control] */

#include <stdint.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include "agent/net/tls.h"

struct handshake;

struct handshake_ops {
	/* Takes over 'bev'.  In both cases the handshake is over, and freed
	 * by whom it is told. */
	void (*done)(void *ctx, struct bufferevent *bev);
	void (*failed)(void *ctx, enum tls_refusal, const char *why);
};

/* Takes over the connected 'fd'.  'host' is whom we have dialled, or NULL.
 * Tells nothing before the event loop runs. */
struct handshake *handshake_new(struct event_base *, struct tls *, int fd,
				const char *host, int64_t limit_ms,
				const struct handshake_ops *, void *ctx);
void handshake_free(struct handshake *);

#endif /* net/handshake.h */
