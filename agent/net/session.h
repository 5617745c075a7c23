/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NET_SESSION_H
#define NET_SESSION_H 1

/* A client of the OVSDB server at the other end of a connection: a channel
 * whose messages go to the server, and a probe.
 *
 * A peer that was silent for 'probe_ms' is sent an "echo", in a write of its
 * own, because there are controllers that take it with one recv(); after as
 * much silence again the session ends.  [control] */

#include <stdbool.h>
#include <stdint.h>
#include "agent/net/channel.h"
#include "agent/ovsdb/server/server.h"

struct session;

/* Takes over 'bev'.  'ended' is called once, from the event loop, unless the
 * session is freed before; it may free the session.  'probe_ms' -1: never. */
struct session *session_new(struct bufferevent *bev, struct server *,
			    const char *name, const struct channel_limits *,
			    int64_t probe_ms,
			    void (*ended)(void *ctx, struct session *,
					  enum channel_end),
			    void *ctx);
void session_free(struct session *);

/* -1: never. */
void session_set_probe(struct session *, int64_t probe_ms);
/* From now on its client may not write. */
void session_set_read_only(struct session *);
/* It may write what the role allows to whom its certificate names. */
void session_set_role(struct session *, const char *role);
/* Has the peer been probed, and not answered yet? */
bool session_is_idle(const struct session *);
void session_list_locks(const struct session *,
			struct client_locks *ret_locks);
/* What the network said, if that ended it; may be NULL. */
const char *session_failure(const struct session *);

const char *session_name(const struct session *);

#endif /* net/session.h */
