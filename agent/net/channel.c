/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/net/channel.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include "agent/base/chore.h"
#include "agent/base/list.h"
#include "agent/base/memory.h"
#include "agent/net/jsonrpc.h"
#include "agent/net/output.h"
#include "agent/net/tls.h"
#include "agent/net/turn.h"

enum {
	LAG_SIZE = 1 << 16,	/* Output that says that the peer lags, */
	PAUSE_SIZE = 1 << 20,	/* and that pauses input. */
	IO_SIZE = 1 << 18,	/* Bytes per turn of the loop. */
	SOURCE_SIZE = 1 << 18,	/* Output for which a source is not asked, */
	SOURCE_LOW = 1 << 17,	/* until it has gone down to that. */
	SOURCE_TURN = 1 << 16,	/* What one turn of the loop asks for, */
	TURN_SIZE = 1 << 21,	/* what all channels together ask for, */
	TURN_US = 3000,		/* and how long that may take. */
	LEAVE_S = 5		/* For output to a peer that sends no more. */
};

/* What has to go before anything that comes after it: a message that travels
 * alone, until 'output' is empty again, or one that is still being made. */
struct stage {
	struct list link;		/* In channel.stages. */
	json_t *alone;			/* Not in 'output' yet. */
	struct source *source;		/* Not at its end yet. */
	struct evbuffer *behind;
};

struct channel {
	struct bufferevent *bev;
	struct evbuffer *output;	/* The buffer event's. */
	struct list stages;
	unsigned n_sources;		/* Of them; no input meanwhile. */
	struct event *read_event;	/* NULL: TLS reads by itself. */
	struct event *pump_event, *write_event;
	struct list unsent_link;
	uint64_t pump_turn;		/* When the first one was asked for. */
	bool is_lagging;		/* Much waits for the peer, */
	bool is_full;			/* or too much. */
	bool is_paused;			/* By the owner. */
	bool is_expecting;		/* More is to be sent. */
	bool is_leaving;		/* The peer will send no more. */
	bool has_ended;
	struct jsonrpc_reader reader;
	size_t output_size;
	enum channel_end end;
	char *failure;
	struct event *end_event;
	int64_t alive_ms;
	const struct channel_ops *ops;
	void *ctx;
};

/* What all channels have in common: how much they have asked of their sources
 * in this turn of the loop, and how long that took.  Another turn has begun
 * when an event comes that was asked for in this one. */
static struct {
	uint64_t turn;
	size_t size;
	int64_t spent_us;
} pumping;

/* Channels with output that no socket has been asked to take yet.  The event of
 * one of them sees to all: after a commit there may be hundreds. */
static struct list unsent = { &unsent, &unsent };

static void flush(struct channel *);
static void readable(struct bufferevent *, void *channel);
static void read_now(evutil_socket_t, short, void *channel);
static void writable(struct bufferevent *, void *channel);
static void happened(struct bufferevent *, short what, void *channel);
static bool has_left(struct bufferevent *, int error);
static void tell_end(evutil_socket_t, short, void *channel);
static void pump_again(evutil_socket_t, short, void *channel);
static void write_all(evutil_socket_t, short, void *channel);
static void write_now(struct channel *);
static void note_output(struct evbuffer *, const struct evbuffer_cb_info *,
			void *channel);
static void process(struct channel *);
static size_t read_messages(struct channel *, const char *bytes, size_t size);
static void receive(struct channel *, const char *text, size_t size);
static struct stage *stage_new(struct channel *);
static void stage_free(struct channel *, struct stage *);
static void advance(struct channel *);
static void pump(struct channel *, struct stage *);
static void rest(struct channel *);
static void resume(struct channel *);
static void listen_to(struct channel *, bool);
static bool may_read(const struct channel *);
static bool is_busy(const struct channel *);
static enum channel_end end_of(enum jsonrpc_status);
static size_t backlog(const struct channel *);
static struct evbuffer *open_output(struct channel *);
static void close_output(struct channel *);
static void put(struct channel *, struct evbuffer *, json_t *message);

struct channel *
channel_new(struct bufferevent *bev, const struct channel_limits *limits,
	    const struct channel_ops *ops, void *ctx)
{
	struct channel *channel = xcalloc(1, sizeof *channel);

	channel->bev = bev;
	channel->output = bufferevent_get_output(bev);
	list_init(&channel->stages);
	list_init(&channel->unsent_link);
	channel->output_size = limits->output_size;
	channel->end_event = event_new(bufferevent_get_base(bev), -1, 0,
				       tell_end, channel);
	channel->pump_event = event_new(bufferevent_get_base(bev), -1, 0,
					pump_again, channel);
	channel->write_event = event_new(bufferevent_get_base(bev), -1, 0,
					 write_all, channel);
	if (!tls_is_below(bev))
		channel->read_event = event_new(bufferevent_get_base(bev),
						bufferevent_getfd(bev),
						EV_READ | EV_PERSIST,
						read_now, channel);
	channel->alive_ms = turn_now_ms();
	channel->ops = ops;
	channel->ctx = ctx;
	jsonrpc_reader_init(&channel->reader, limits->message_size,
			    limits->message_depth);

	evbuffer_add_cb(channel->output, note_output, channel);
	bufferevent_setcb(bev, readable, writable, happened, channel);
	bufferevent_set_max_single_read(bev, IO_SIZE);
	bufferevent_set_max_single_write(bev, IO_SIZE);
	bufferevent_disable(bev, EV_READ);
	bufferevent_enable(bev, EV_WRITE);
	listen_to(channel, true);
	rest(channel);
	return channel;
}

void
channel_free(struct channel *channel)
{
	if (!channel)
		return;
	flush(channel);
	evbuffer_remove_cb(channel->output, note_output, channel);
	if (channel->read_event)
		event_free(channel->read_event);
	bufferevent_free(channel->bev);
	while (!list_is_empty(&channel->stages))
		stage_free(channel, LIST_ENTRY(channel->stages.next,
					       struct stage, link));
	free(channel->failure);
	jsonrpc_reader_done(&channel->reader);
	event_free(channel->end_event);
	event_free(channel->pump_event);
	event_free(channel->write_event);
	list_remove(&channel->unsent_link);
	if (!list_is_empty(&unsent))
		event_active(LIST_ENTRY(unsent.next, struct channel,
					unsent_link)->write_event, 0, 0);
	free(channel);
}

void
channel_send(struct channel *channel, json_t *message)
{
	struct evbuffer *output = open_output(channel);

	if (output) {
		put(channel, output, message);
		close_output(channel);
	}
	json_decref(message);
}

void
channel_send_alone(struct channel *channel, json_t *message)
{
	if (channel->has_ended || !list_is_empty(&channel->stages)) {
		json_decref(message);
		return;
	}
	stage_new(channel)->alone = message;
	advance(channel);
}

void
channel_send_text(struct channel *channel, struct text *const *pieces,
		  size_t n)
{
	struct evbuffer *output = open_output(channel);

	if (!output)
		return;
	output_put_texts(output, pieces, n);
	close_output(channel);
}

bool
channel_is_lagging(const struct channel *channel)
{
	return channel->is_lagging;
}

void
channel_send_source(struct channel *channel, struct source *source)
{
	struct evbuffer *output = open_output(channel);

	if (!output) {
		source->free(source);
		return;
	}
	stage_new(channel)->source = source;
	channel->n_sources++;
	if (output == channel->output)
		advance(channel);
	if (channel->n_sources)
		listen_to(channel, false);
}

void
channel_expect(struct channel *channel, bool is_expecting)
{
	channel->is_expecting = is_expecting;
	if (channel->is_leaving && !is_busy(channel))
		channel_end(channel, CHANNEL_CLOSED);
}

void
channel_pause(struct channel *channel, bool is_paused)
{
	if (channel->is_paused == is_paused)
		return;
	channel->is_paused = is_paused;
	if (channel->has_ended)
		return;
	if (is_paused) {
		listen_to(channel, false);
		return;
	}
	if (!may_read(channel))
		return;
	resume(channel);
	if (channel->read_event)
		event_active(channel->read_event, EV_READ, 0);
	else
		bufferevent_trigger(channel->bev, EV_READ,
				    BEV_TRIG_IGNORE_WATERMARKS
				    | BEV_TRIG_DEFER_CALLBACKS);
}

void
channel_end(struct channel *channel, enum channel_end end)
{
	if (channel->has_ended)
		return;
	channel->has_ended = true;
	channel->end = end;
	listen_to(channel, false);
	bufferevent_disable(channel->bev, EV_WRITE);
	event_active(channel->end_event, 0, 0);
}

int64_t
channel_alive_ms(const struct channel *channel)
{
	/* Whom we do not hear is not silent. */
	return channel->is_paused ? turn_now_ms() : channel->alive_ms;
}

char *
channel_peer(const struct channel *channel)
{
	return tls_peer_name(channel->bev);
}

const char *
channel_failure(const struct channel *channel)
{
	return channel->failure;
}

const char *
channel_end_text(enum channel_end end)
{
	static const char *const texts[] = {
		[CHANNEL_CLOSED] = "closed by the peer",
		[CHANNEL_FAILED] = "connection failed",
		[CHANNEL_MALFORMED] = "message is not JSON",
		[CHANNEL_TOO_LONG] = "message is too long",
		[CHANNEL_TOO_DEEP] = "message is nested too deep",
		[CHANNEL_BACKLOGGED] = "too much output waits for the peer",
		[CHANNEL_SILENT] = "no answer to an inactivity probe",
		[CHANNEL_REFUSED] = "message is not JSON-RPC",
		[CHANNEL_UNSPEAKABLE] = "answer cannot be written as JSON",
		[CHANNEL_DISMISSED] = "other databases are served now",
		[CHANNEL_OUTRUN] = "changes yet to be told are forgotten",
		[CHANNEL_LAGGING] = "takes too long for what it asked for",
	};

	static_assert(sizeof texts / sizeof *texts == N_CHANNEL_ENDS,
		      "each end has its text");
	return texts[end];
}

/* As much as goes without waiting: what has been done has been answered, even
 * if the server stops or the peer talks nonsense next. */
static void
flush(struct channel *channel)
{
	evutil_socket_t fd = bufferevent_getfd(channel->bev);

	if (tls_is_below(channel->bev)) {
		tls_finish(channel->bev);
		return;
	}
	evbuffer_unfreeze(channel->output, 1);
	while (evbuffer_get_length(channel->output)
	       && evbuffer_write(channel->output, fd) > 0)
		continue;
}

/* By TLS. */
static void
readable(struct bufferevent *bev, void *channel_)
{
	struct channel *channel = channel_;

	(void) bev;
	channel->alive_ms = turn_now_ms();
	turn_heard();
	process(channel);
}

/* A socket is read into bytes that all channels share: a buffer event asks the
 * system how much there is, and takes a page of it.  Input waits in the buffer
 * only if it came while the peer was to take its answers first. */
static void
read_now(evutil_socket_t fd, short what, void *channel_)
{
	static char bytes[IO_SIZE];
	struct channel *channel = channel_;
	struct evbuffer *input = bufferevent_get_input(channel->bev);
	size_t used;
	ssize_t n;

	(void) what;
	process(channel);
	if (channel->has_ended || !may_read(channel) || channel->is_leaving)
		return;
	n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		listen_to(channel, false);
		happened(channel->bev, n ? BEV_EVENT_ERROR : BEV_EVENT_EOF,
			 channel);
		return;
	}
	channel->alive_ms = turn_now_ms();
	turn_heard();
	used = read_messages(channel, bytes, (size_t) n);
	if (used < (size_t) n) {
		evbuffer_unfreeze(input, 0);
		evbuffer_add(input, bytes + used, (size_t) n - used);
		evbuffer_freeze(input, 0);
	}
}

/* All output has gone, or, while a source is under way, most of it. */
static void
writable(struct bufferevent *bev, void *channel_)
{
	struct channel *channel = channel_;
	bool could_read = may_read(channel);

	(void) bev;
	if (channel->has_ended)
		return;
	advance(channel);
	if (channel->is_full && backlog(channel) <= PAUSE_SIZE)
		channel->is_full = false;
	if (channel->is_lagging && backlog(channel) <= LAG_SIZE) {
		channel->is_lagging = false;
		if (channel->ops->drained)
			channel->ops->drained(channel->ctx);
	}
	if (!could_read && may_read(channel)) {
		resume(channel);
		process(channel);
	}
	rest(channel);
	if (channel->is_leaving && !is_busy(channel))
		channel_end(channel, CHANNEL_CLOSED);
}

/* A peer that has closed its half still gets its answers, if it takes them
 * soon; TLS knows no halves. */
static void
happened(struct bufferevent *bev, short what, void *channel_)
{
	const struct timeval patience = { .tv_sec = LEAVE_S };
	struct channel *channel = channel_;
	int error = what & BEV_EVENT_ERROR ? EVUTIL_SOCKET_ERROR() : 0;

	if (what & BEV_EVENT_EOF && is_busy(channel) && !tls_is_below(bev)) {
		channel->is_leaving = true;
		bufferevent_set_timeouts(bev, NULL, &patience);
	} else if (what & BEV_EVENT_EOF) {
		channel_end(channel, CHANNEL_CLOSED);
	} else if (what & (BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT)) {
		if (!channel->failure)
			channel->failure = tls_failure(bev);
		if (!channel->failure && error)
			channel->failure = xstrdup(
				evutil_socket_error_to_string(error));
		channel_end(channel, channel->is_leaving || has_left(bev, error)
				     ? CHANNEL_CLOSED : CHANNEL_FAILED);
	}
}

/* Who goes while there is something to be told has closed, too: TCP may have
 * lost it by a reset, local sockets say no other way that it was not read. */
static bool
has_left(struct bufferevent *bev, int error)
{
	struct sockaddr own = { .sa_family = AF_UNSPEC };
	socklen_t size = sizeof own;

	return error == EPIPE
	       || (error == ECONNRESET
		   && !getsockname(bufferevent_getfd(bev), &own, &size)
		   && own.sa_family == AF_UNIX);
}

static void
tell_end(evutil_socket_t fd, short what, void *channel_)
{
	struct channel *channel = channel_;

	(void) fd;
	(void) what;
	channel->ops->ended(channel->ctx, channel->end);
}

static void
pump_again(evutil_socket_t fd, short what, void *channel_)
{
	struct channel *channel = channel_;

	(void) fd;
	(void) what;
	if (channel->pump_turn == pumping.turn) {
		pumping.turn++;
		pumping.size = 0;
		pumping.spent_us = 0;
	}
	writable(channel->bev, channel);
}

static void
write_all(evutil_socket_t fd, short what, void *channel)
{
	(void) fd;
	(void) what;
	(void) channel;
	chore_begin(CHORE_SEND);
	while (!list_is_empty(&unsent)) {
		struct channel *next = LIST_ENTRY(unsent.next, struct channel,
						  unsent_link);

		list_remove(&next->unsent_link);
		write_now(next);
	}
	chore_end();
}

/* A socket nearly always takes what there is: to ask whether it is ready would
 * cost more than to try.  Only what it leaves waits until it is. */
static void
write_now(struct channel *channel)
{
	if (channel->has_ended
	    || bufferevent_get_enabled(channel->bev) & EV_WRITE)
		return;
	output_write(channel->output, bufferevent_getfd(channel->bev),
		     IO_SIZE);
	if (evbuffer_get_length(channel->output) > LAG_SIZE)
		channel->is_lagging = true;
	if (evbuffer_get_length(channel->output))
		bufferevent_enable(channel->bev, EV_WRITE);
	else if (channel->is_full || channel->is_lagging
		 || channel->is_leaving || !list_is_empty(&channel->stages))
		writable(channel->bev, channel);
}

/* Output that is taken while more is waiting shows that the peer lives.  What
 * goes at once shows nothing: the kernel's buffers take it, but not for long
 * while a source is under way. */
static void
note_output(struct evbuffer *output, const struct evbuffer_cb_info *info,
	    void *channel_)
{
	struct channel *channel = channel_;

	if (info->n_added && list_is_empty(&channel->unsent_link)
	    && !(bufferevent_get_enabled(channel->bev) & EV_WRITE)) {
		if (list_is_empty(&unsent))
			event_active(channel->write_event, 0, 0);
		list_append(&unsent, &channel->unsent_link);
	}
	if (info->n_deleted
	    && (evbuffer_get_length(output) || channel->n_sources))
		channel->alive_ms = turn_now_ms();
}

static void
process(struct channel *channel)
{
	struct evbuffer *input = bufferevent_get_input(channel->bev);
	struct evbuffer_iovec piece;

	while (!channel->has_ended && may_read(channel)
	       && evbuffer_peek(input, -1, NULL, &piece, 1) > 0)
		evbuffer_drain(input, read_messages(channel, piece.iov_base,
						    piece.iov_len));
}

/* Returns how many bytes are done with: all, unless the channel has ended or
 * the peer is to take its answers first. */
static size_t
read_messages(struct channel *channel, const char *bytes, size_t size)
{
	size_t i = 0;

	while (i < size && !channel->has_ended && may_read(channel)) {
		enum jsonrpc_status status;
		size_t used, text_size;
		const char *text;

		status = jsonrpc_read_text(&channel->reader, bytes + i,
					   size - i, &used, &text,
					   &text_size);
		if (status != JSONRPC_MORE && status != JSONRPC_MESSAGE) {
			channel_end(channel, end_of(status));
			break;
		}
		if (status == JSONRPC_MESSAGE) {
			receive(channel, text, text_size);
			jsonrpc_forget(&channel->reader);
		}
		i += used;
	}
	return i;
}

static void
receive(struct channel *channel, const char *text, size_t size)
{
	json_t *message;

	if (channel->ops->receive_text) {
		channel->ops->receive_text(channel->ctx, text, size);
		return;
	}
	message = json_loadb(text, size, 0, NULL);
	if (!message) {
		channel_end(channel, CHANNEL_MALFORMED);
		return;
	}
	channel->ops->receive(channel->ctx, message);
	json_decref(message);
}

static struct stage *
stage_new(struct channel *channel)
{
	struct stage *stage = xcalloc(1, sizeof *stage);

	stage->behind = evbuffer_new();
	list_append(&channel->stages, &stage->link);
	bufferevent_enable(channel->bev, EV_WRITE);
	return stage;
}

static void
stage_free(struct channel *channel, struct stage *stage)
{
	if (stage->source) {
		stage->source->free(stage->source);
		channel->n_sources--;
	}
	list_remove(&stage->link);
	json_decref(stage->alone);
	evbuffer_free(stage->behind);
	free(stage);
}

/* As far as it goes for now. */
static void
advance(struct channel *channel)
{
	size_t low = 0;

	while (!list_is_empty(&channel->stages)) {
		struct stage *stage = LIST_ENTRY(channel->stages.next,
						 struct stage, link);

		if (stage->source)
			pump(channel, stage);
		else if (evbuffer_get_length(channel->output))
			break;
		if (stage->source) {
			low = SOURCE_LOW;
			break;
		}
		if (stage->alone) {
			put(channel, channel->output, stage->alone);
			json_decref(stage->alone);
			stage->alone = NULL;
			break;
		}
		evbuffer_add_buffer(channel->output, stage->behind);
		stage_free(channel, stage);
	}
	bufferevent_setwatermark(channel->bev, EV_WRITE, low, 0);
}

/* Others get their turns in between. */
static void
pump(struct channel *channel, struct stage *stage)
{
	const struct timeval at_once = { 0 };
	int64_t began_us = turn_now_us(), spent_us = 0;
	size_t size = 1, asked = 0;

	while (size && asked < SOURCE_TURN && pumping.size < TURN_SIZE
	       && pumping.spent_us + spent_us < TURN_US) {
		struct text *text;

		if (evbuffer_get_length(channel->output) >= SOURCE_SIZE)
			break;
		text = stage->source->next(stage->source);
		if (!text) {
			stage->source->free(stage->source);
			stage->source = NULL;
			channel->n_sources--;
			break;
		}
		size = text->size;
		asked += size;
		output_put_text(channel->output, text);
		text_unref(text);
		spent_us = turn_now_us() - began_us;
	}
	pumping.spent_us += spent_us;
	pumping.size += asked;
	if (stage->source
	    && evbuffer_get_length(channel->output) <= SOURCE_LOW) {
		channel->pump_turn = pumping.turn;
		event_add(channel->pump_event, &at_once);
	}
}

/* Nothing waits until it can be written: write_now() tries what comes. */
static void
rest(struct channel *channel)
{
	if (list_is_empty(&channel->stages)
	    && !evbuffer_get_length(channel->output)
	    && !tls_is_below(channel->bev))
		bufferevent_disable(channel->bev, EV_WRITE);
}

static void
resume(struct channel *channel)
{
	if (!channel->is_leaving && may_read(channel))
		listen_to(channel, true);
}

static void
listen_to(struct channel *channel, bool is_on)
{
	if (!channel->read_event && is_on)
		bufferevent_enable(channel->bev, EV_READ);
	else if (!channel->read_event)
		bufferevent_disable(channel->bev, EV_READ);
	else if (is_on)
		event_add(channel->read_event, NULL);
	else
		event_del(channel->read_event);
}

static bool
may_read(const struct channel *channel)
{
	return !channel->is_full && !channel->is_paused
	       && !channel->n_sources;
}

/* Is there anything that the peer should get? */
static bool
is_busy(const struct channel *channel)
{
	return backlog(channel) || channel->n_sources
	       || channel->is_expecting;
}

static enum channel_end
end_of(enum jsonrpc_status status)
{
	return status == JSONRPC_TOO_LONG ? CHANNEL_TOO_LONG
	       : status == JSONRPC_TOO_DEEP ? CHANNEL_TOO_DEEP
	       : CHANNEL_MALFORMED;
}

static size_t
backlog(const struct channel *channel)
{
	size_t size = evbuffer_get_length(channel->output);
	const struct list *link;

	for (link = channel->stages.next; link != &channel->stages;
	     link = link->next)
		size += evbuffer_get_length(
			LIST_ENTRY(link, struct stage, link)->behind);
	return size;
}

/* Where the next message goes; NULL if nowhere. */
static struct evbuffer *
open_output(struct channel *channel)
{
	if (!channel->has_ended && backlog(channel) > channel->output_size)
		channel_end(channel, CHANNEL_BACKLOGGED);
	if (channel->has_ended)
		return NULL;
	if (list_is_empty(&channel->stages))
		return channel->output;
	return LIST_ENTRY(channel->stages.prev, struct stage, link)->behind;
}

/* A peer that does not take its answers asks nothing more.  It lags as soon as
 * its socket takes no more: what has not been tried yet says nothing. */
static void
close_output(struct channel *channel)
{
	size_t size = backlog(channel);

	if (size > (bufferevent_get_enabled(channel->bev) & EV_WRITE
		    ? LAG_SIZE : PAUSE_SIZE))
		channel->is_lagging = true;
	if (channel->is_full || size <= PAUSE_SIZE)
		return;
	channel->is_full = true;
	listen_to(channel, false);
}

/* Somebody may be waiting for the message: if it cannot be put into words,
 * nothing that follows would make sense to the peer. */
static void
put(struct channel *channel, struct evbuffer *buffer, json_t *message)
{
	if (!output_put_json(buffer, message))
		channel_end(channel, CHANNEL_UNSPEAKABLE);
}
