/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OVSDB_HOLD_H
#define OVSDB_HOLD_H 1

/* Replies that wait for the disk.
 *
 * What a durable transaction did is in force when it has been executed, and
 * monitors are told; its reply is held until its record is known to be on
 * disk.  Behind it wait the replies of later transactions that wrote to the
 * same database, whoever's and durable or not, so that nobody hears of a
 * transaction before an older one is answered; and everything else for the
 * same client: answers in the order of its requests, and requests other than
 * transactions are not even looked at before.  Nor is any behind a transaction
 * that waits for a lookup (waiting.h).  A client with much held is
 * asked to wait (client_ops.hold).  [control] */

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>

struct client;
struct served;
struct server;
struct text;

/* The answer to a transaction.  'wrote': it has changed the database, and if
 * 'durable' is not 0, as a record of that number (journal.h).  Takes over
 * 'message'. */
void hold_transaction(struct client *, struct served *, bool wrote,
		      uint64_t durable, struct text *message);
/* Any other answer.  Takes over 'message'. */
void hold_answer(struct client *, json_t *message);
/* A request is not to be looked at yet: keeps it, and returns true. */
bool hold_request(struct client *, const char *method, json_t *message);

/* Sends what may be sent by now, and looks at requests that have waited. */
void hold_run(struct server *, int64_t now_ms);
/* The same, after all that is on its way to the disk is there. */
void hold_flush(struct served *);

/* The database, or the client, goes. */
void hold_end(struct served *);
void hold_drop(struct client *);

#endif /* ovsdb/server/hold.h */
