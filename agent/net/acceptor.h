/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NET_ACCEPTOR_H
#define NET_ACCEPTOR_H 1

/* The passive half of a listener: a listening socket.  [control] */

#include <stdint.h>
#include <event2/event.h>
#include "agent/net/method.h"

struct acceptor;

struct acceptor_ops {
	/* Takes over 'fd', non-blocking.  'name' is the peer's. */
	void (*accepted)(void *ctx, int fd, const char *name);
	/* Accepting fails; it rests for a moment. */
	void (*failed)(void *ctx, int error);
};

/* Returns NULL, and why in '*ret_problem', if it cannot listen.  The method
 * must outlive the acceptor. */
struct acceptor *acceptor_new(struct event_base *, const struct method *,
			      const struct acceptor_ops *, void *ctx,
			      char **ret_problem);
/* Removes the file of a Unix socket. */
void acceptor_free(struct acceptor *);

uint16_t acceptor_port(const struct acceptor *);	/* 0: Unix. */

#endif /* net/acceptor.h */
