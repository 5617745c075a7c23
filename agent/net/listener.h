/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NET_LISTENER_H
#define NET_LISTENER_H 1

/* One remote of an OVSDB server: where its clients come from.
 *
 *     punix:PATH		listens on a Unix socket, mode 0660
 *     ptcp:PORT[:IP]		listens on TCP; port 0 takes a free one
 *     pssl:PORT[:IP]		the same with TLS
 *     unix:PATH		dials out, for ever
 *     tcp:HOST:PORT		dials out, for ever
 *     ssl:HOST:PORT		the same with TLS
 *
 * IPv6 addresses stand in brackets.  Whoever connects, or is connected to,
 * becomes a session (session.h).  A program runs its server like this:
 *
 *     server = server_new();
 *     server_add_database(server, database);
 *     turn = turn_new(base, server);
 *     listener = listener_new(base, server, "punix:/run/x.sock", NULL,
 *                             &problem);
 *     event_base_dispatch(base);
 *     listener_free(listener);
 *     turn_free(turn);
 *     server_free(server);
 *
 * It logs connections that fail, limited, with the method as the subject, and
 * "listening on port N" once for ptcp and pssl.  [control] */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <event2/event.h>
#include "agent/net/tls.h"
#include "agent/ovsdb/server/server.h"

struct listener;

/* Zero, and NULL for the whole of it, stand for the default. */
struct listener_options {
	int64_t probe_ms;	/* Silence after which the peer is asked
				 * whether it lives; as long again closes.
				 * Default: 5000 on TCP, never on Unix
				 * sockets.  -1: never. */
	int64_t min_backoff_ms;	/* Between dials: 1000, doubled up to */
	int64_t max_backoff_ms;	/* 8000. */
	size_t message_size;	/* Longest message of a peer: 128 MiB. */
	unsigned message_depth;	/* Deepest nesting of one: 1000. */
	size_t output_size;	/* Bytes waiting for one peer: 512 MiB.  Past
				 * it the session is closed. */
	uint32_t n_sessions;	/* At one time: 10000.  Further ones are
				 * accepted and closed; so are all when the
				 * process has but 32 descriptors left. */
	int64_t handshake_ms;	/* Longest of TLS: 10000. */
	bool is_read_only;	/* Clients may not write, */
	const char *role;	/* or as this role may.  Copied. */
	struct tls *tls;	/* For pssl and ssl, which need it.  Must
				 * outlive the listener. */
};

/* Returns NULL, and why in '*ret_problem' (free() it), if the method makes no
 * sense or its address cannot be listened on.  A peer that cannot be reached
 * is no failure.  A stale socket file is replaced; one that somebody listens
 * on is not. */
struct listener *listener_new(struct event_base *, struct server *,
			      const char *method,
			      const struct listener_options *,
			      char **ret_problem);

/* Closes its sessions; removes its socket file. */
void listener_free(struct listener *);

/* Ends its sessions; dials anew. */
void listener_reconnect(struct listener *);

/* Of the options, those in time: 'probe_ms' and the backoffs.  Sessions live
 * on. */
void listener_set_times(struct listener *, const struct listener_options *);

const char *listener_method(const struct listener *);
uint16_t listener_port(const struct listener *);	/* 0: none. */

struct listener_counters {
	uint32_t n_sessions;		/* Now. */
	uint64_t n_accepted, n_dialled;	/* Connections that came about. */
	uint64_t n_accept_errors;	/* Out of descriptors, say. */
	uint64_t n_dial_errors;
	uint64_t n_refused;		/* Past 'n_sessions', or descriptors. */
	uint64_t n_malformed;		/* Closed: not JSON-RPC, */
	uint64_t n_too_long;		/* past 'message_size', */
	uint64_t n_too_deep;		/* past 'message_depth', */
	uint64_t n_backlogged;		/* past 'output_size', */
	uint64_t n_silent;		/* no answer to a probe, */
	uint64_t n_lagging;		/* too long for what was asked. */
	uint32_t n_handshakes;		/* Of TLS, now under way. */
	uint64_t n_tls_refusals[N_TLS_REFUSALS];
};
void listener_counters(const struct listener *, struct listener_counters *);
void listener_counters_add(struct listener_counters *,
			   const struct listener_counters *more);

/* How it is doing, in the words of Manager.status (ovs-vswitchd.conf.db(5)). */
struct listener_status {
	const char *state;
	const char *last_error;		/* NULL: none. */
	int64_t connected_ms;		/* In turn_now_ms()'s time; */
	int64_t disconnected_ms;	/* 0: never. */
	uint32_t n_connections;
	struct client_locks locks;	/* Of the one, if it is one. */
};
void listener_status(const struct listener *, struct listener_status *);
/* 'changed' is called, from the midst of whatever happens, when connections
 * come and go or do not come about. */
void listener_set_watch(struct listener *, void (*changed)(void *ctx),
			void *ctx);

#endif /* net/listener.h */
