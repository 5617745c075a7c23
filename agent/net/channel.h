/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NET_CHANNEL_H
#define NET_CHANNEL_H 1

/* A connection as a pair of message queues.
 *
 * Input is read while output flows: as long as more than 1 MiB waits for the
 * peer, nothing is taken from it.  With more than 64 KiB that its socket does
 * not take it lags.  Output past 'output_size' ends the channel.
 *
 * A channel ends once, for the reason that comes first; from then on nothing
 * is received and what is sent goes nowhere.  The owner hears of it from the
 * event loop, never from inside a function of the channel's, and frees it
 * then.  [control] */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <event2/bufferevent.h>
#include <jansson.h>
#include "agent/base/text.h"

struct channel;

enum channel_end {
	CHANNEL_CLOSED,		/* By the peer, */
	CHANNEL_FAILED,		/* by the network, */
	CHANNEL_MALFORMED,	/* or because the stream is no JSON, */
	CHANNEL_TOO_LONG,	/* or a message of it past a limit, */
	CHANNEL_TOO_DEEP,
	CHANNEL_BACKLOGGED,	/* or the peer does not read, */
	CHANNEL_SILENT,		/* does not answer, */
	CHANNEL_REFUSED,	/* or sends what makes no sense, */
	CHANNEL_UNSPEAKABLE,	/* or because we would, */
	CHANNEL_DISMISSED,	/* or so that it looks again at what we have, */
	CHANNEL_OUTRUN,		/* or because we forgot what it missed, */
	CHANNEL_LAGGING,	/* or others suffer from its taking so long. */
	N_CHANNEL_ENDS
};

struct channel_ops {
	/* 'message' is borrowed. */
	void (*receive)(void *ctx, json_t *message);
	/* If this is there it is called instead, with what stands between a
	 * brace and the one that closes it; if that is no JSON, to end the
	 * channel as malformed is the owner's business. */
	void (*receive_text)(void *ctx, const char *text, size_t size);
	/* The peer, which lagged, has taken its output.  May be NULL. */
	void (*drained)(void *ctx);
	/* May free the channel. */
	void (*ended)(void *ctx, enum channel_end);
};

struct channel_limits {
	size_t message_size, output_size;
	unsigned message_depth;
};

/* Takes over the connected 'bev', of a socket or of TLS on one. */
struct channel *channel_new(struct bufferevent *bev,
			    const struct channel_limits *,
			    const struct channel_ops *, void *ctx);
/* Not from inside receive().  What the peer takes without waiting is sent. */
void channel_free(struct channel *);

/* Take over 'message'.  The second one sees to it that the message travels in
 * a write of its own. */
void channel_send(struct channel *, json_t *message);
void channel_send_alone(struct channel *, json_t *message);
/* One message, whose JSON is the pieces one after the other.  The caller keeps
 * its references; a large piece is not copied, but held until it has gone. */
void channel_send_text(struct channel *, struct text *const *pieces,
		       size_t n);

/* One message, made as fast as the peer takes it: of 'source', which is taken
 * over, no more than about 256 KiB are waiting at any time, and other channels
 * get their turns in between.  What is sent afterwards waits behind it, and
 * nothing is taken from the peer meanwhile; what is to be sent alone is not
 * sent at all, because a peer that takes its message shows that it lives. */
void channel_send_source(struct channel *, struct source *);

/* More is to be sent, some time: a peer that has said all that it has to say
 * is not left before. */
void channel_expect(struct channel *, bool);
/* Takes nothing from the peer until the pause is over.  What it has sent
 * already is received from the event loop then. */
void channel_pause(struct channel *, bool);

/* Does the peer take its output so slowly that it should be sent less? */
bool channel_is_lagging(const struct channel *);

/* Ends the channel, if it has not ended yet. */
void channel_end(struct channel *, enum channel_end);

/* When the peer last gave a sign of life: sent something, or took something
 * that had been waiting for it.  In turn_now_ms()'s time. */
int64_t channel_alive_ms(const struct channel *);

/* The CN of the peer's certificate, to be freed; NULL: it has shown none. */
char *channel_peer(const struct channel *);

/* What the network has said, after CHANNEL_FAILED; may be NULL. */
const char *channel_failure(const struct channel *);

const char *channel_end_text(enum channel_end);

#endif /* net/channel.h */
