/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/net/listener.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "agent/base/list.h"
#include "agent/base/log.h"
#include "agent/base/memory.h"
#include "agent/net/acceptor.h"
#include "agent/net/dialer.h"
#include "agent/net/handshake.h"
#include "agent/net/method.h"
#include "agent/net/session.h"
#include "agent/net/turn.h"

static const struct listener_options defaults = {
	.probe_ms = 5000,
	.min_backoff_ms = 1000,
	.max_backoff_ms = 8000,
	.message_size = 128u << 20,
	.message_depth = 1000,
	.output_size = 512u << 20,
	.n_sessions = 10000,
	.handshake_ms = 10000,
};

enum { MAX_DEPTH = 2000, RESERVED_FILES = 32 };

/* A session's place in the listener. */
struct seat {
	struct list link;
	struct listener *listener;
	char *name;			/* The peer's. */
	struct handshake *handshake;	/* First this, if at all, */
	struct session *session;	/* then that. */
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
	char *last_error;
	int64_t connected_ms, disconnected_ms;
	void (*changed)(void *ctx);
	void *changed_ctx;
};

static struct log_limit accept_limit, refuse_limit, dial_limit, tls_limit,
	end_limit;

static void complete(struct listener_options *, const struct method *);
static void accepted(void *listener, int fd, const char *name);
static bool is_reserved(int fd);
static void accept_failed(void *listener, int error);
static void connected(void *listener, struct bufferevent *);
static void dial_failed(void *listener, const char *why, int64_t wait_ms);
static struct seat *seat_new(struct listener *, const char *name);
static void seat_shake(struct seat *, int fd, const char *host);
static void shaken(void *seat, struct bufferevent *);
static void refused(void *seat, enum tls_refusal, const char *why);
static void seat_open(struct seat *, struct bufferevent *);
static void tell(struct listener *);
static void set_error(struct listener *, const char *text);
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

static const struct handshake_ops handshake_ops = {
	.done = shaken,
	.failed = refused,
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
	if (method_is_tls(&method) && (!options || !options->tls)) {
		*ret_problem = xasprintf("%s: no TLS here", name);
		method_done(&method);
		return NULL;
	}
	listener = xcalloc(1, sizeof *listener);
	listener->base = base;
	listener->server = server;
	listener->name = xstrdup(name);
	listener->method = method;
	list_init(&listener->seats);
	if (options)
		listener->options = *options;
	if (listener->options.role)
		listener->options.role = xstrdup(listener->options.role);
	complete(&listener->options, &method);
	if (method_is_tls(&method))
		tls_prepare(listener->options.tls);

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
	free((char *) listener->options.role);
	free(listener->last_error);
	free(listener->name);
	free(listener);
}

void
listener_reconnect(struct listener *listener)
{
	while (!list_is_empty(&listener->seats)) {
		seat_free(LIST_ENTRY(listener->seats.next, struct seat,
				     link));
		if (listener->dialer)
			dialer_again(listener->dialer);
	}
}

void
listener_set_times(struct listener *listener,
		   const struct listener_options *options)
{
	struct list *link;

	listener->options.probe_ms = options->probe_ms;
	listener->options.min_backoff_ms = options->min_backoff_ms;
	listener->options.max_backoff_ms = options->max_backoff_ms;
	complete(&listener->options, &listener->method);
	if (listener->dialer)
		dialer_set_backoff(listener->dialer,
				   listener->options.min_backoff_ms,
				   listener->options.max_backoff_ms);
	for (link = listener->seats.next; link != &listener->seats;
	     link = link->next) {
		struct seat *seat = LIST_ENTRY(link, struct seat, link);

		if (seat->session)
			session_set_probe(seat->session,
					  listener->options.probe_ms);
	}
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

void
listener_counters_add(struct listener_counters *sum,
		      const struct listener_counters *more)
{
	sum->n_sessions += more->n_sessions;
	sum->n_handshakes += more->n_handshakes;
	sum->n_accepted += more->n_accepted;
	sum->n_dialled += more->n_dialled;
	sum->n_accept_errors += more->n_accept_errors;
	sum->n_dial_errors += more->n_dial_errors;
	sum->n_refused += more->n_refused;
	sum->n_malformed += more->n_malformed;
	sum->n_too_long += more->n_too_long;
	sum->n_too_deep += more->n_too_deep;
	sum->n_backlogged += more->n_backlogged;
	sum->n_silent += more->n_silent;
	sum->n_lagging += more->n_lagging;
	for (size_t i = 0; i < N_TLS_REFUSALS; i++)
		sum->n_tls_refusals[i] += more->n_tls_refusals[i];
}

void
listener_status(const struct listener *listener,
		struct listener_status *ret_status)
{
	const struct listener_counters *counters = &listener->counters;
	const struct list *first = listener->seats.next;

	ret_status->last_error = listener->last_error;
	ret_status->connected_ms = listener->connected_ms;
	ret_status->disconnected_ms = listener->disconnected_ms;
	ret_status->n_connections = counters->n_sessions;
	ret_status->locks = (struct client_locks) { .names = { "" } };
	if (counters->n_sessions == 1) {
		const struct session *session
			= LIST_ENTRY(first, struct seat, link)->session;

		ret_status->state = session && session_is_idle(session)
				    ? "IDLE" : "ACTIVE";
		if (session)
			session_list_locks(session, &ret_status->locks);
	} else if (counters->n_sessions) {
		ret_status->state = "ACTIVE";
	} else if (listener->acceptor) {
		ret_status->state = "LISTENING";
	} else {
		ret_status->state = counters->n_handshakes
				    || dialer_is_dialling(listener->dialer)
				    ? "CONNECTING" : "BACKOFF";
	}
}

void
listener_set_watch(struct listener *listener, void (*changed)(void *),
		   void *ctx)
{
	listener->changed = changed;
	listener->changed_ctx = ctx;
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
	if (options->max_backoff_ms < options->min_backoff_ms)
		options->max_backoff_ms = options->min_backoff_ms;
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
	if (!options->handshake_ms)
		options->handshake_ms = defaults.handshake_ms;
}

static void
accepted(void *listener_, int fd, const char *name)
{
	struct listener *listener = listener_;
	uint32_t n = listener->counters.n_sessions
		     + listener->counters.n_handshakes;

	if (n >= listener->options.n_sessions || is_reserved(fd)) {
		listener->counters.n_refused++;
		log_limited(&refuse_limit, LOG_LEVEL_WARN, listener->name,
			    "%s: there are %u sessions already%s; closed",
			    name, n, n < listener->options.n_sessions
			    ? ", and few descriptors left" : "");
		close(fd);
		return;
	}
	listener->counters.n_accepted++;
	if (method_is_tls(&listener->method))
		seat_shake(seat_new(listener, name), fd, NULL);
	else
		seat_open(seat_new(listener, name),
			  bufferevent_socket_new(listener->base, fd,
						 BEV_OPT_CLOSE_ON_FREE));
}

/* The last descriptors are for files, and for the operator who wants to know
 * what is going on. */
static bool
is_reserved(int fd)
{
	struct rlimit files;
	rlim_t n;

	if (getrlimit(RLIMIT_NOFILE, &files))
		return false;
	n = files.rlim_cur / 4;
	return (rlim_t) fd + (n < RESERVED_FILES ? n : RESERVED_FILES)
	       >= files.rlim_cur;
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
	struct seat *seat = seat_new(listener, listener->name);
	int fd;

	if (method_is_tls(&listener->method)) {
		fd = bufferevent_getfd(bev);
		bufferevent_setfd(bev, -1);
		bufferevent_free(bev);
		seat_shake(seat, fd, listener->method.where);
		tell(listener);
	} else {
		seat_open(seat, bev);
	}
}

/* Says no more once the backoff does not grow any more. */
static void
dial_failed(void *listener_, const char *why, int64_t wait_ms)
{
	struct listener *listener = listener_;
	bool is_last = wait_ms > listener->options.max_backoff_ms / 2;

	listener->counters.n_dial_errors++;
	if (!listener->is_quiet)
		log_line(LOG_LEVEL_INFO, listener->name,
			 "cannot connect: %s; trying on%s", why,
			 is_last ? ", silently" : "");
	listener->is_quiet = is_last;
	set_error(listener, why);
	tell(listener);
}

static struct seat *
seat_new(struct listener *listener, const char *name)
{
	struct seat *seat = xcalloc(1, sizeof *seat);

	seat->listener = listener;
	seat->name = xstrdup(name);
	list_append(&listener->seats, &seat->link);
	return seat;
}

static void
seat_shake(struct seat *seat, int fd, const char *host)
{
	struct listener *listener = seat->listener;

	listener->counters.n_handshakes++;
	seat->handshake = handshake_new(listener->base, listener->options.tls,
					fd, host,
					listener->options.handshake_ms,
					&handshake_ops, seat);
}

static void
shaken(void *seat_, struct bufferevent *bev)
{
	struct seat *seat = seat_;

	handshake_free(seat->handshake);
	seat->handshake = NULL;
	seat->listener->counters.n_handshakes--;
	seat_open(seat, bev);
}

static void
refused(void *seat_, enum tls_refusal refusal, const char *why)
{
	struct seat *seat = seat_;
	struct listener *listener = seat->listener;

	listener->counters.n_tls_refusals[refusal]++;
	if (listener->dialer) {
		dialer_fail(listener->dialer, why);
	} else {
		log_limited(&tls_limit, LOG_LEVEL_WARN, listener->name,
			    "%s: %s; closed", seat->name, why);
		set_error(listener, why);
		tell(listener);
	}
	seat_free(seat);
}

static void
seat_open(struct seat *seat, struct bufferevent *bev)
{
	struct listener *listener = seat->listener;
	const struct channel_limits limits = {
		.message_size = listener->options.message_size,
		.message_depth = listener->options.message_depth,
		.output_size = listener->options.output_size,
	};

	if (listener->dialer) {
		listener->counters.n_dialled++;
		listener->is_quiet = false;
		log_limited(&dial_limit, LOG_LEVEL_INFO, listener->name,
			    "connected");
	}
	seat->session = session_new(bev, listener->server, seat->name,
				    &limits, listener->options.probe_ms,
				    ended, seat);
	if (listener->options.is_read_only)
		session_set_read_only(seat->session);
	if (listener->options.role)
		session_set_role(seat->session, listener->options.role);
	listener->counters.n_sessions++;
	listener->connected_ms = turn_now_ms();
	tell(listener);
}

static void
tell(struct listener *listener)
{
	if (listener->changed)
		listener->changed(listener->changed_ctx);
}

static void
set_error(struct listener *listener, const char *text)
{
	free(listener->last_error);
	listener->last_error = xstrdup(text);
}

static void
seat_free(struct seat *seat)
{
	if (seat->session)
		seat->listener->counters.n_sessions--;
	if (seat->handshake)
		seat->listener->counters.n_handshakes--;
	list_remove(&seat->link);
	session_free(seat->session);
	handshake_free(seat->handshake);
	free(seat->name);
	free(seat);
}

static void
ended(void *seat_, struct session *session, enum channel_end why)
{
	struct seat *seat = seat_;
	struct listener *listener = seat->listener;
	const char *failure = session_failure(session);

	count(&listener->counters, why);
	if (why != CHANNEL_FAILED || !failure)
		failure = channel_end_text(why);
	log_limited(&end_limit, why == CHANNEL_CLOSED ? LOG_LEVEL_DEBUG
						      : LOG_LEVEL_WARN,
		    listener->name, "%s: %s; closed", session_name(session),
		    failure);
	set_error(listener, failure);
	listener->disconnected_ms = turn_now_ms();
	seat_free(seat);
	if (listener->dialer)
		dialer_again(listener->dialer);
	tell(listener);
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
	case CHANNEL_LAGGING:
		counters->n_lagging++;
		break;
	case CHANNEL_CLOSED:
	case CHANNEL_FAILED:
	case CHANNEL_UNSPEAKABLE:
	case CHANNEL_DISMISSED:
	case CHANNEL_OUTRUN:		/* The server counts them. */
	case N_CHANNEL_ENDS:
		break;
	}
}
