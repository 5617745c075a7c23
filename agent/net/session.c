/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/net/session.h"

#include <stdbool.h>
#include <stdlib.h>
#include <event2/event.h>
#include "agent/base/chore.h"
#include "agent/base/memory.h"
#include "agent/net/turn.h"

struct session {
	char *name;
	struct channel *channel;
	struct client *client;
	struct event *probe;
	int64_t probe_ms;		/* Not positive: never. */
	int64_t probed_ms;		/* 0: not since the peer was alive. */
	void (*ended)(void *ctx, struct session *, enum channel_end);
	void *ctx;
};

static void receive(void *session, const char *text, size_t size);
static void drained(void *session);
static void end(void *session, enum channel_end);
static void send_message(void *session, json_t *message);
static void send_text(void *session, struct text *const *pieces, size_t n);
static void send_source(void *session, struct source *);
static void give_up(void *session);
static void dismiss(void *session);
static void hold(void *session, enum client_hold);
static bool is_backlogged(void *session);
static void lose(void *session);
static void look(evutil_socket_t, short, void *session);
static void look_in(struct session *, int64_t wait_ms);

static const struct channel_ops channel_ops = {
	.receive_text = receive,
	.drained = drained,
	.ended = end,
};

static const struct client_ops client_ops = {
	.send = send_message,
	.send_text = send_text,
	.send_source = send_source,
	.give_up = give_up,
	.dismiss = dismiss,
	.hold = hold,
	.is_backlogged = is_backlogged,
	.lose = lose,
};

struct session *
session_new(struct bufferevent *bev, struct server *server, const char *name,
	    const struct channel_limits *limits, int64_t probe_ms,
	    void (*ended)(void *, struct session *, enum channel_end),
	    void *ctx)
{
	struct event_base *base = bufferevent_get_base(bev);
	struct session *session = xcalloc(1, sizeof *session);

	session->name = xstrdup(name);
	session->ended = ended;
	session->ctx = ctx;
	session->channel = channel_new(bev, limits, &channel_ops, session);
	session->client = server_connect(server, name, &client_ops, session);
	session->probe = event_new(base, -1, 0, look, session);
	session_set_probe(session, probe_ms);
	return session;
}

void
session_free(struct session *session)
{
	if (!session)
		return;
	client_disconnect(session->client);
	channel_free(session->channel);
	event_free(session->probe);
	free(session->name);
	free(session);
}

void
session_set_probe(struct session *session, int64_t probe_ms)
{
	session->probe_ms = probe_ms;
	session->probed_ms = 0;
	if (probe_ms > 0)
		look_in(session, probe_ms);
	else
		event_del(session->probe);
}

void
session_set_read_only(struct session *session)
{
	client_set_read_only(session->client);
}

void
session_set_role(struct session *session, const char *role)
{
	char *name = channel_peer(session->channel);

	client_set_role(session->client, role, name);
	free(name);
}

bool
session_is_idle(const struct session *session)
{
	return session->probed_ms
	       && channel_alive_ms(session->channel) < session->probed_ms;
}

void
session_list_locks(const struct session *session,
		   struct client_locks *ret_locks)
{
	client_list_locks(session->client, ret_locks);
}

const char *
session_failure(const struct session *session)
{
	return channel_failure(session->channel);
}

const char *
session_name(const struct session *session)
{
	return session->name;
}

static void
receive(void *session_, const char *text, size_t size)
{
	struct session *session = session_;
	enum client_verdict verdict;

	chore_begin(CHORE_REQUEST);
	verdict = client_receive_text(session->client, text, size,
				      turn_now_ms());
	chore_end();
	switch (verdict) {
	case CLIENT_CONTENT:
		break;
	case CLIENT_MALFORMED:
		channel_end(session->channel, CHANNEL_MALFORMED);
		break;
	case CLIENT_REFUSED:
		channel_end(session->channel, CHANNEL_REFUSED);
		break;
	}
}

static void
drained(void *session_)
{
	struct session *session = session_;

	client_drained(session->client);
}

static void
end(void *session_, enum channel_end why)
{
	struct session *session = session_;

	session->ended(session->ctx, session, why);
}

static void
send_message(void *session_, json_t *message)
{
	struct session *session = session_;

	channel_send(session->channel, message);
}

static void
send_text(void *session_, struct text *const *pieces, size_t n)
{
	struct session *session = session_;

	channel_send_text(session->channel, pieces, n);
}

static void
send_source(void *session_, struct source *source)
{
	struct session *session = session_;

	channel_send_source(session->channel, source);
}

static void
give_up(void *session_)
{
	struct session *session = session_;

	channel_end(session->channel, CHANNEL_LAGGING);
}

static void
dismiss(void *session_)
{
	struct session *session = session_;

	channel_end(session->channel, CHANNEL_DISMISSED);
}

static void
hold(void *session_, enum client_hold hold)
{
	struct session *session = session_;

	channel_expect(session->channel, hold != CLIENT_FREE);
	channel_pause(session->channel, hold == CLIENT_FULL);
}

static bool
is_backlogged(void *session_)
{
	const struct session *session = session_;

	return channel_is_lagging(session->channel);
}

static void
lose(void *session_)
{
	struct session *session = session_;

	channel_end(session->channel, CHANNEL_OUTRUN);
}

/* Has the peer been silent for too long? */
static void
look(evutil_socket_t fd, short what, void *session_)
{
	struct session *session = session_;
	int64_t alive_ms = channel_alive_ms(session->channel);
	int64_t now_ms = turn_now_ms();

	(void) fd;
	(void) what;
	if (alive_ms >= session->probed_ms)
		session->probed_ms = 0;
	if (session->probed_ms) {
		channel_end(session->channel, CHANNEL_SILENT);
	} else if (now_ms - alive_ms >= session->probe_ms) {
		session->probed_ms = now_ms;
		channel_send_alone(session->channel,
				   json_pack("{s:s, s:s, s:[]}", "method",
					     "echo", "id", "echo",
					     "params"));
		look_in(session, session->probe_ms);
	} else {
		look_in(session, alive_ms + session->probe_ms - now_ms);
	}
}

static void
look_in(struct session *session, int64_t wait_ms)
{
	const struct timeval wait = {
		.tv_sec = (time_t) (wait_ms / 1000),
		.tv_usec = (suseconds_t) (wait_ms % 1000 * 1000),
	};

	event_add(session->probe, &wait);
}
