/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/net/listener.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "agent/base/list.h"
#include "agent/base/log.h"
#include "agent/base/memory.h"
#include "agent/net/acceptor.h"
#include "agent/net/dialer.h"
#include "agent/net/method.h"
#include "agent/net/session.h"

static const struct listener_options defaults = {
	.probe_ms = 5000,
	.min_backoff_ms = 1000,
	.max_backoff_ms = 8000,
	.message_size = 128u << 20,
	.message_depth = 1000,
	.output_size = 512u << 20,
	.n_sessions = 10000,
};

enum { MAX_DEPTH = 2000 };

/* A session's place in the listener. */
struct seat {
	struct list link;
	struct listener *listener;
	struct session *session;
};

struct listener {
	struct event_base *base;
	struct server *server;
	char *name;			/* The method, as written. */
	struct method method;
	struct listener_options options;
	struct acceptor *acceptor;	/* One of these two. */
	struct dialer *dialer;
	struct list seats;
	bool is_quiet;			/* About dials that fail. */
	struct listener_counters counters;
};

static struct log_limit accept_limit, refuse_limit, dial_limit, end_limit;

static void complete(struct listener_options *, const struct method *);
static void accepted(void *listener, int fd, const char *name);
static void accept_failed(void *listener, int error);
static void connected(void *listener, struct bufferevent *);
static void dial_failed(void *listener, const char *why, int64_t wait_ms);
static void seat_new(struct listener *, struct bufferevent *,
		     const char *name);
static void seat_free(struct seat *);
static void ended(void *seat, struct session *, enum channel_end);
static void count(struct listener_counters *, enum channel_end);

static const struct acceptor_ops acceptor_ops = {
	.accepted = accepted,
	.failed = accept_failed,
};

static const struct dialer_ops dialer_ops = {
	.connected = connected,
	.failed = dial_failed,
};

struct listener *
listener_new(struct event_base *base, struct server *server,
	     const char *name, const struct listener_options *options,
	     char **ret_problem)
{
	struct listener *listener;
	struct method method;
	char *problem;

	if (!method_parse(name, &method, ret_problem))
		return NULL;
	listener = xcalloc(1, sizeof *listener);
	listener->base = base;
	listener->server = server;
	listener->name = xstrdup(name);
	listener->method = method;
	list_init(&listener->seats);
	if (options)
		listener->options = *options;
	complete(&listener->options, &method);

	if (!method_is_passive(&method)) {
		listener->dialer
			= dialer_new(base, &listener->method,
				     listener->options.min_backoff_ms,
				     listener->options.max_backoff_ms,
				     &dialer_ops, listener);
		return listener;
	}
	listener->acceptor = acceptor_new(base, &listener->method,
					  &acceptor_ops, listener, &problem);
	if (!listener->acceptor) {
		*ret_problem = xasprintf("%s: %s", name, problem);
		free(problem);
		listener_free(listener);
		return NULL;
	}
	if (!method_is_unix(&method))
		log_line(LOG_LEVEL_INFO, name, "listening on port %u",
			 acceptor_port(listener->acceptor));
	return listener;
}

void
listener_free(struct listener *listener)
{
	if (!listener)
		return;
	acceptor_free(listener->acceptor);
	dialer_free(listener->dialer);
	while (!list_is_empty(&listener->seats))
		seat_free(LIST_ENTRY(listener->seats.next, struct seat,
				     link));
	method_done(&listener->method);
	free(listener->name);
	free(listener);
}

const char *
listener_method(const struct listener *listener)
{
	return listener->name;
}

uint16_t
listener_port(const struct listener *listener)
{
	return listener->acceptor ? acceptor_port(listener->acceptor) : 0;
}

void
listener_counters(const struct listener *listener,
		  struct listener_counters *ret_counters)
{
	*ret_counters = listener->counters;
}

static void
complete(struct listener_options *options, const struct method *method)
{
	if (!options->probe_ms)
		options->probe_ms = method_is_unix(method)
				    ? -1 : defaults.probe_ms;
	if (!options->min_backoff_ms)
		options->min_backoff_ms = defaults.min_backoff_ms;
	if (!options->max_backoff_ms)
		options->max_backoff_ms = defaults.max_backoff_ms;
	if (!options->message_size)
		options->message_size = defaults.message_size;
	if (!options->message_depth)
		options->message_depth = defaults.message_depth;
	if (options->message_depth > MAX_DEPTH)
		options->message_depth = MAX_DEPTH;
	if (!options->output_size)
		options->output_size = defaults.output_size;
	if (!options->n_sessions)
		options->n_sessions = defaults.n_sessions;
}

static void
accepted(void *listener_, int fd, const char *name)
{
	struct listener *listener = listener_;

	if (listener->counters.n_sessions >= listener->options.n_sessions) {
		listener->counters.n_refused++;
		log_limited(&refuse_limit, LOG_LEVEL_WARN, listener->name,
			    "%s: there are %u sessions already; closed",
			    name, listener->counters.n_sessions);
		close(fd);
		return;
	}
	listener->counters.n_accepted++;
	seat_new(listener,
		 bufferevent_socket_new(listener->base, fd,
					BEV_OPT_CLOSE_ON_FREE), name);
}

static void
accept_failed(void *listener_, int error)
{
	struct listener *listener = listener_;

	listener->counters.n_accept_errors++;
	log_limited(&accept_limit, LOG_LEVEL_WARN, listener->name,
		    "cannot accept connections: %s; trying on",
		    strerror(error));
}

static void
connected(void *listener_, struct bufferevent *bev)
{
	struct listener *listener = listener_;

	listener->counters.n_dialled++;
	listener->is_quiet = false;
	log_limited(&dial_limit, LOG_LEVEL_INFO, listener->name, "connected");
	seat_new(listener, bev, listener->name);
}

/* Says no more once the backoff does not grow any more. */
static void
dial_failed(void *listener_, const char *why, int64_t wait_ms)
{
	struct listener *listener = listener_;
	bool is_last = wait_ms > listener->options.max_backoff_ms / 2;

	listener->counters.n_dial_errors++;
	if (!listener->is_quiet)
		log_line(LOG_LEVEL_WARN, listener->name,
			 "cannot connect: %s; trying on%s", why,
			 is_last ? ", silently" : "");
	listener->is_quiet = is_last;
}

static void
seat_new(struct listener *listener, struct bufferevent *bev,
	 const char *name)
{
	const struct channel_limits limits = {
		.message_size = listener->options.message_size,
		.message_depth = listener->options.message_depth,
		.output_size = listener->options.output_size,
	};
	struct seat *seat = xmalloc(sizeof *seat);

	seat->listener = listener;
	seat->session = session_new(bev, listener->server, name, &limits,
				    listener->options.probe_ms, ended, seat);
	list_append(&listener->seats, &seat->link);
	listener->counters.n_sessions++;
}

static void
seat_free(struct seat *seat)
{
	seat->listener->counters.n_sessions--;
	list_remove(&seat->link);
	session_free(seat->session);
	free(seat);
}

static void
ended(void *seat_, struct session *session, enum channel_end why)
{
	struct seat *seat = seat_;
	struct listener *listener = seat->listener;

	count(&listener->counters, why);
	log_limited(&end_limit, why == CHANNEL_CLOSED ? LOG_LEVEL_DEBUG
						      : LOG_LEVEL_WARN,
		    listener->name, "%s: %s; closed", session_name(session),
		    channel_end_text(why));
	seat_free(seat);
	if (listener->dialer)
		dialer_again(listener->dialer);
}

static void
count(struct listener_counters *counters, enum channel_end why)
{
	switch (why) {
	case CHANNEL_MALFORMED:
	case CHANNEL_REFUSED:
		counters->n_malformed++;
		break;
	case CHANNEL_TOO_LONG:
		counters->n_too_long++;
		break;
	case CHANNEL_TOO_DEEP:
		counters->n_too_deep++;
		break;
	case CHANNEL_BACKLOGGED:
		counters->n_backlogged++;
		break;
	case CHANNEL_SILENT:
		counters->n_silent++;
		break;
	case CHANNEL_CLOSED:
	case CHANNEL_FAILED:
	case CHANNEL_UNSPEAKABLE:
	case CHANNEL_DISMISSED:
	case N_CHANNEL_ENDS:
		break;
	}
}
