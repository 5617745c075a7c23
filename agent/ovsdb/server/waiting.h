/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_WAITING_H
#define OVSDB_WAITING_H 1

/* Transactions, and those among them whose "wait" is not satisfied yet (RFC
 * 7047, sections 4.1.3, 4.1.4 and 5.2.6).
 *
 * A waiting transaction has changed nothing.  It is executed again, from the
 * start, after each commit to its database and when its time has come, and
 * ends with its reply, by "cancel", or with its client.
 *
 * A transaction also waits for a lookup that is built for a search of it, which
 * takes others some turns of the loop, and would take one alone long.  What its
 * client asks for meanwhile waits behind it, so that all happens in the order
 * of the requests.  [control] */

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>

struct client;
struct envelope;
struct served;

/* The methods: answer the request 'id', at once or later. */
void waiting_transact(struct client *, json_t *id, struct served *,
		      json_t *params, int64_t now_ms);
/* The same for a request that is text still.  False: it has to be read as
 * JSON, if it is that; nothing has happened. */
bool waiting_transact_text(struct client *, const struct envelope *,
			   struct served *, int64_t now_ms);
void waiting_cancel(struct client *, json_t *params);

/* Tries those that have reason to hope, once each. */
void waiting_run(struct served *, int64_t now_ms);

/* End all that wait on a database, with an answer, or of a client that goes,
 * without. */
void waiting_cancel_all(struct served *);
void waiting_drop(struct client *);

#endif /* ovsdb/server/waiting.h */
