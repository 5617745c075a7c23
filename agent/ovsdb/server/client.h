/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_CLIENT_H
#define OVSDB_CLIENT_H 1

/* What server.c, waiting.c, hold.c, lock.c and monitor.c share: the server, its
 * databases and its clients from inside.  For these files alone; client.c says
 * things to clients.  [control] */

#include <jansson.h>
#include "agent/base/list.h"
#include "agent/ovsdb/server/lock.h"
#include "agent/ovsdb/server/monitor.h"
#include "agent/ovsdb/server/server.h"

struct server {
	struct list databases;		/* struct served. */
	struct list clients;
	struct list held;		/* struct held (hold.c). */
	uint64_t hold_pass;
	size_t n_late;			/* Requests that wait. */
	int event_fd;			/* The journals write to it. */
	bool is_watched;		/* By somebody. */
	int64_t now_ms;			/* When it was last told. */
	struct database *catalog;	/* _Server. */
	struct uuid id;
	bool may_convert;
	bool has_no_conditions;		/* monitor_cond and its kin. */
	struct lock_table locks;
	struct server_limits limits;
	struct server_counters counters;
	void (*wake)(void *ctx);
	void *wake_ctx;
};

/* A database that the server serves. */
struct served {
	struct list link;		/* In server.databases. */
	struct server *server;
	struct database *database;
	json_t *schema;			/* As get_schema answers. */
	struct observer observer;
	struct monitor_hub monitors;
	struct list waits;		/* struct waiting, oldest first. */
	size_t n_searches;		/* Of them, those for a lookup. */
	size_t n_held;			/* Of server.held. */
	uint64_t held_pass;		/* server.hold_pass: one stays. */
	int64_t deadline_ms;		/* No wait's time comes earlier. */
	bool is_changed;		/* Since the waits were tried. */
	bool is_reserved;		/* Not the clients' to write. */
};

struct client {
	struct list link;		/* In server.clients. */
	struct server *server;
	char *name;
	bool is_read_only;
	char *role, *identity;		/* operation/role.h; or NULL. */
	const struct client_ops *ops;
	void *ctx;
	struct list monitors;		/* struct monitor. */
	struct list waits;		/* struct waiting. */
	struct list locks;		/* struct lock_claim. */
	struct list late;		/* struct late (hold.c). */
	struct list streams;		/* struct stream (snapshot.c). */
	size_t n_held;			/* Of server.held. */
	size_t held_size;		/* Bytes of text among them. */
	uint64_t held_pass;		/* server.hold_pass: one stays. */
	enum client_hold hold;		/* As it has been told. */
	uint32_t n_monitors, n_waits, n_locks;
	uint32_t n_searches;	/* Of the waits, those for a lookup. */
	uint32_t n_behind;	/* Of the monitors. */
	bool is_lost;		/* It cannot be told what it missed. */
	bool is_aware;		/* Of databases that come and go. */
};

/* A request whose turn it is. */
void client_take(struct client *, json_t *message, int64_t now_ms);

/* The answer to the request 'id', of which 'result' is taken over. */
json_t *client_result(json_t *id, json_t *result);

/* Take over 'result', 'error' and 'params', not 'id'. */
void client_reply(struct client *, json_t *id, json_t *result);
void client_reply_error(struct client *, json_t *id, struct ovsdb_error *);
void client_reply_refusal(struct client *, json_t *id, const char *text);
void client_notify(struct client *, const char *method, json_t *params);

/* The same for those who write their JSON themselves: one message, or one
 * reply whose result is the pieces, one after the other.  The references stay
 * the caller's. */
void client_send_text(struct client *, struct text *const *pieces, size_t n);
void client_reply_text(struct client *, json_t *id,
		       struct text *const *pieces, size_t n);
/* One message, which is made as it is taken.  Takes over the source. */
void client_send_source(struct client *, struct source *);

#endif /* ovsdb/server/client.h */
