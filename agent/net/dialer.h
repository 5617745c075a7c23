/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NET_DIALER_H
#define NET_DIALER_H 1

/* The active half of a listener: one connection, tried for ever.
 *
 *     waiting	    until the backoff is over
 *     dialling	    for at most ten seconds
 *     connected    until dialer_again()
 *
 * The backoff doubles from one failure to the next, and starts anew after a
 * connection that lasted longer than it.  A quarter of it is left to chance,
 * so that a thousand hosts do not come back to their controller as one.
 * [control] */

#include <stdbool.h>
#include <stdint.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include "agent/net/method.h"

struct dialer;

struct dialer_ops {
	/* Takes over 'bev'. */
	void (*connected)(void *ctx, struct bufferevent *bev);
	/* Tries again in 'wait_ms'. */
	void (*failed)(void *ctx, const char *why, int64_t wait_ms);
};

/* The method must outlive the dialer.  Starts to dial at once; tells nothing
 * before the event loop runs. */
struct dialer *dialer_new(struct event_base *, const struct method *,
			  int64_t min_backoff_ms, int64_t max_backoff_ms,
			  const struct dialer_ops *, void *ctx);
void dialer_free(struct dialer *);

/* The connection has ended. */
void dialer_again(struct dialer *);
/* The connection was of no use; failed() is told. */
void dialer_fail(struct dialer *, const char *why);

void dialer_set_backoff(struct dialer *, int64_t min_backoff_ms,
			int64_t max_backoff_ms);
/* Is it under way, rather than waiting? */
bool dialer_is_dialling(const struct dialer *);

#endif /* net/dialer.h */
