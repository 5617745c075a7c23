/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NET_TURN_H
#define NET_TURN_H 1

/* A server's turn in the event loop: its waiting transactions are tried again
 * in the turn after a commit, whoever made it, and when their time has come;
 * answers that waited for the disk are sent when it has done its work.  One
 * per server.  [control] */

#include <stdint.h>
#include <event2/event.h>
#include "agent/ovsdb/server/server.h"

struct turn;

struct turn *turn_new(struct event_base *, struct server *);
void turn_free(struct turn *);

/* For whoever gave the server work behind its back: a journal, say. */
void turn_soon(struct turn *);

/* Runs the event loop until it is told to end, or has nothing to wait for.
 *
 * Who asks again as soon as it has its answer would pay for putting this
 * thread to sleep and waking it up, which costs more than most transactions.
 * So while requests follow one another closely the loop looks for the next one
 * for up to 200 microseconds before it sleeps; if that is in vain a few times
 * in a row, or somebody else wants the processor, it sleeps at once again. */
void turn_loop(struct event_base *);
/* Frees an event loop in which nobody has events any more.  libevent has yet to
 * do for them what it put off to the next turn: connections that were given up
 * while they were made would stay for ever.  Accepts NULL. */
void turn_loop_free(struct event_base *);
/* For the loop: a peer has sent something. */
void turn_heard(void);

/* The clock that client_receive() and server_run() are given. */
int64_t turn_now_ms(void);
int64_t turn_now_us(void);

#endif /* net/turn.h */
