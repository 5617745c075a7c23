/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_SERVER_H
#define OVSDB_SERVER_H 1

/* The methods of RFC 7047, section 4, for any number of clients on any number
 * of databases.  Knows nothing of sockets: a client is somebody to whom JSON
 * can be sent, and agent/net/session.c is one.  [control]
 *
 * Limits, each with its counter in struct server_counters: monitors per
 * client, waiting transactions per client, operations per transaction. */

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "agent/ovsdb/database.h"

struct client;
struct server;

struct client_ops {
	/* Takes over 'message'.  Must not call back into the server. */
	void (*send)(void *ctx, json_t *message);
};

struct server *server_new(void);
void server_free(struct server *);	/* Clients must be gone. */

/* The server does not take over the database. */
struct ovsdb_error *server_add_database(struct server *, struct database *);
void server_remove_database(struct server *, struct database *);
struct database *server_find_database(const struct server *,
				      const char *name);

struct client *server_connect(struct server *, const char *name,
			      const struct client_ops *, void *ctx);
/* A request or notification of the peer's; takes no reference.  Returns false
 * if it is no JSON-RPC message and the connection should be closed. */
bool client_receive(struct client *, json_t *message, int64_t now_ms);
void client_disconnect(struct client *);

/* Waiting transactions: call after each turn of the loop that committed
 * something, and when server_deadline() has come (INT64_MAX: never). */
void server_run(struct server *, int64_t now_ms);
int64_t server_deadline(const struct server *);

struct server_counters {
	uint64_t n_requests, n_errors, n_transactions, n_updates;
	uint64_t n_refused_monitors, n_refused_waits, n_refused_operations;
	uint32_t n_clients, n_monitors, n_waits, n_locks;
};
void server_counters(const struct server *, struct server_counters *);

#endif /* ovsdb/server.h */
