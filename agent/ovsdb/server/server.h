/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_SERVER_H
#define OVSDB_SERVER_H 1

/* The methods of RFC 7047, section 4, for any number of clients on any number
 * of databases.  Knows nothing of sockets: a client is somebody to whom JSON
 * can be sent, and agent/net/session.c is one.  [control]
 *
 * Replies and notifications are as RFC 7047 wants them; where it is silent
 * (error values, the details of errors, what becomes of a lock that was
 * stolen), as ovsdb-server(1) does it, so that its clients find what they
 * know.  Beyond RFC 7047 there is what ovsdb-server(7) adds to it: conditional
 * monitors, and the database _Server, which says what databases there are. */

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "agent/base/text.h"
#include "agent/ovsdb/store/database.h"

struct client;
struct server;

/* What a client has not been told yet because it waits for the disk. */
enum client_hold {
	CLIENT_FREE,		/* Nothing, */
	CLIENT_OWED,		/* an answer at least, */
	CLIENT_FULL		/* or so much that it should send no more. */
};

struct client_ops {
	/* Takes over 'message'.  Must not call back into the server. */
	void (*send)(void *ctx, json_t *message);
	/* One message, whose JSON is the pieces one after the other.  Takes no
	 * references of the caller's.  Must not call back into the server.
	 * NULL: send() is given what jansson reads in it. */
	void (*send_text)(void *ctx, struct text *const *pieces, size_t n);
	/* One message, made piece by piece as the client takes it.  Takes over
	 * the source, which must not be asked from within; nor may it be when
	 * the client has been disconnected.  NULL: its pieces are sent at
	 * once, as one text. */
	void (*send_source)(void *ctx, struct source *);
	/* The client takes so long for such a message that others suffer: end
	 * the connection soon.  Must not call back into the server.  May be
	 * NULL: the message remains unfinished. */
	void (*give_up)(void *ctx);
	/* The databases are not what the client believes, and it has not asked
	 * to be told: end the connection soon, so that it looks again.  Must
	 * not call back into the server.  May be NULL. */
	void (*dismiss)(void *ctx);
	/* Says it when it changes.  Must not call back into the server.  May
	 * be NULL. */
	void (*hold)(void *ctx, enum client_hold);
	/* Does so much output wait for the client that its monitors should be
	 * told nothing more?  Once this said so, client_drained() must be
	 * called when the output has gone.  May be NULL: never. */
	bool (*is_backlogged)(void *ctx);
	/* That took so long that what the client missed is not known any more:
	 * end the connection soon, so that it begins anew.  Must not call back
	 * into the server.  May be NULL. */
	void (*lose)(void *ctx);
};

struct server *server_new(void);
void server_free(struct server *);	/* Clients must be gone. */

/* What one client may ask for; what is past it is refused with "resources
 * exhausted" and counted. */
struct server_limits {
	uint32_t n_monitors;	/* Default 1000. */
	uint32_t n_waits;	/* Waiting transactions, default 1000. */
	uint32_t n_locks;	/* Held and waited for, default 1000. */
	uint32_t n_operations;	/* Of one transaction, default 1048576. */
	/* Bytes of a database's history that are kept while any client has
	 * fallen behind, default 256 MiB: for all of them together. */
	uint64_t behind_size;
	int64_t snapshot_ms;	/* For taking a monitor's initial rows,
				 * default 10 minutes. */
	uint64_t kept_size;	/* Of rows that are there only for those who
				 * are at it; default 256 MiB. */
};
void server_limits(const struct server *, struct server_limits *);
void server_set_limits(struct server *, const struct server_limits *);

/* The server does not take over the database.  Fails with "syntax error" if it
 * has one of that name.  Clients that did not send "set_db_change_aware" are
 * dismissed when a database comes or goes. */
struct ovsdb_error *server_add_database(struct server *, struct database *);
/* Clients may give a database another schema ("convert"): for a program that
 * knows nothing of what is in its databases, and holds nothing of theirs over
 * a turn of the event loop but their addresses. */
void server_allow_convert(struct server *);
/* From now on "monitor_cond" and its kin are unknown methods, for tests of
 * clients that can do without them. */
void server_disable_conditions(struct server *);
/* Its waiting transactions end as "canceled"; its monitors fall silent. */
void server_remove_database(struct server *, struct database *);
struct database *server_find_database(const struct server *,
				      const char *name);
/* All but _Server; NULL begins and ends. */
struct database *server_next_database(const struct server *,
				      const struct database *);

struct client *server_connect(struct server *, const char *name,
			      const struct client_ops *, void *ctx);
/* A request, notification or reply of the peer's; takes no reference.  Returns
 * false if it is no JSON-RPC message and the connection should be closed.
 * Members that JSON-RPC does not know, replies, and notifications other than
 * "cancel" are ignored. */
bool client_receive(struct client *, json_t *message, int64_t now_ms);
/* The same for a message that nobody has read yet: transactions are executed
 * without making trees of them. */
enum client_verdict {
	CLIENT_CONTENT,
	CLIENT_MALFORMED,	/* No JSON object. */
	CLIENT_REFUSED		/* No JSON-RPC message. */
};
enum client_verdict client_receive_text(struct client *, const char *text,
					size_t size, int64_t now_ms);
/* Its output has gone, and there is room for what it missed. */
void client_drained(struct client *);
void client_disconnect(struct client *);
/* From now on, operations that write are refused with "not allowed". */
void client_set_read_only(struct client *);
/* From now on it may write what the role allows to a client of that name;
 * NULL: it has no name.  Both are copied.  (operation/role.h) */
void client_set_role(struct client *, const char *role, const char *name);

/* What a client's locks are to it, for people: names with blanks between,
 * "..." for those that are too many. */
enum { LOCKS_HELD, LOCKS_WAITING, LOCKS_LOST, N_LOCKS_LISTS };
struct client_locks {
	char names[N_LOCKS_LISTS][256];
};
void client_list_locks(const struct client *, struct client_locks *ret_locks);

/* Waiting transactions are tried again after commits and when their time has
 * come.  'wake' is called, from the midst of whatever happens, when there is
 * reason to call server_run() soon, or when server_deadline() came nearer. */
void server_set_wake(struct server *, void (*wake)(void *ctx), void *ctx);
void server_run(struct server *, int64_t now_ms);
int64_t server_deadline(const struct server *);	/* INT64_MAX: never. */

/* Readable when server_run() should be called, too: what waited for the disk
 * is there.  For those who never ask for it, server_run() waits itself. */
int server_event_fd(struct server *);

struct server_counters {
	uint64_t n_requests, n_errors, n_transactions, n_updates;
	/* How often it was put into words what happened: once for many.
	 * Updates to clients that had fallen behind; and such clients that it
	 * was too late for. */
	uint64_t n_wordings, n_combined_updates, n_lost_clients;
	/* Initial rows of monitors: how many were sent, and are being sent;
	 * pieces of them made, and sent again to others; and clients that took
	 * too long. */
	uint64_t n_snapshots, n_chunks, n_shared_chunks, n_lagging_clients;
	uint64_t n_refused_monitors, n_refused_waits, n_refused_locks;
	uint64_t n_refused_operations;	/* Transactions with too many. */
	/* Of "monitor_cond_since": told what changed, or everything. */
	uint64_t n_resumed_monitors, n_forgotten_monitors;
	uint64_t n_lost;	/* Durable transactions that may not be on
				 * disk. */
	uint32_t n_streams;
	uint32_t n_clients, n_monitors, n_waits, n_locks;
	uint32_t n_held;	/* Answers that wait for the disk. */
};
void server_counters(const struct server *, struct server_counters *);

#endif /* ovsdb/server/server.h */
