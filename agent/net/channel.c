/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/net/channel.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include "agent/base/memory.h"
#include "agent/net/jsonrpc.h"
#include "agent/net/tls.h"
#include "agent/net/turn.h"

enum {
	PAUSE_SIZE = 1 << 20,	/* Output that pauses input. */
	IO_SIZE = 1 << 18,	/* Bytes per turn of the loop. */
	COPY_SIZE = 4096,	/* What is copied, not referred to. */
	LEAVE_S = 5		/* For output to a peer that sends no more. */
};

struct channel {
	struct bufferevent *bev;
	struct evbuffer *output;	/* The buffer event's. */
	struct evbuffer *held;		/* Behind a message sent alone. */
	json_t *alone;			/* Not in 'output' yet. */
	bool is_holding;		/* Until 'output' is empty. */
	bool is_full;			/* Too much waits for the peer. */
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

static void flush(struct channel *);
static void readable(struct bufferevent *, void *channel);
static void writable(struct bufferevent *, void *channel);
static void happened(struct bufferevent *, short what, void *channel);
static void tell_end(evutil_socket_t, short, void *channel);
static void note_output(struct evbuffer *, const struct evbuffer_cb_info *,
			void *channel);
static void process(struct channel *);
static void resume(struct channel *);
static bool is_busy(const struct channel *);
static enum channel_end end_of(enum jsonrpc_status);
static size_t backlog(const struct channel *);
static struct evbuffer *open_output(struct channel *);
static void close_output(struct channel *);
static void put(struct channel *, struct evbuffer *, json_t *message);
static void put_text(struct evbuffer *, struct text *);
static void free_dump(const void *dump, size_t size, void *ctx);
static void let_go(const void *bytes, size_t size, void *text);

struct channel *
channel_new(struct bufferevent *bev, const struct channel_limits *limits,
	    const struct channel_ops *ops, void *ctx)
{
	struct channel *channel = xcalloc(1, sizeof *channel);

	channel->bev = bev;
	channel->output = bufferevent_get_output(bev);
	channel->held = evbuffer_new();
	channel->output_size = limits->output_size;
	channel->end_event = event_new(bufferevent_get_base(bev), -1, 0,
				       tell_end, channel);
	channel->alive_ms = turn_now_ms();
	channel->ops = ops;
	channel->ctx = ctx;
	jsonrpc_reader_init(&channel->reader, limits->message_size,
			    limits->message_depth);

	evbuffer_add_cb(channel->output, note_output, channel);
	bufferevent_setcb(bev, readable, writable, happened, channel);
	bufferevent_set_max_single_read(bev, IO_SIZE);
	bufferevent_set_max_single_write(bev, IO_SIZE);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
	return channel;
}

void
channel_free(struct channel *channel)
{
	if (!channel)
		return;
	flush(channel);
	evbuffer_remove_cb(channel->output, note_output, channel);
	bufferevent_free(channel->bev);
	evbuffer_free(channel->held);
	json_decref(channel->alone);
	free(channel->failure);
	jsonrpc_reader_done(&channel->reader);
	event_free(channel->end_event);
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
	if (channel->has_ended || channel->is_holding) {
		json_decref(message);
		return;
	}
	channel->is_holding = true;
	if (evbuffer_get_length(channel->output)) {
		channel->alone = message;
	} else {
		put(channel, channel->output, message);
		json_decref(message);
	}
}

void
channel_send_text(struct channel *channel, struct text *const *pieces,
		  size_t n)
{
	struct evbuffer *output = open_output(channel);

	if (!output)
		return;
	for (size_t i = 0; i < n; i++)
		put_text(output, pieces[i]);
	close_output(channel);
}

bool
channel_is_full(const struct channel *channel)
{
	return channel->is_full;
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
		bufferevent_disable(channel->bev, EV_READ);
	} else if (!channel->is_full) {
		resume(channel);
		bufferevent_trigger(channel->bev, EV_READ,
				    BEV_TRIG_IGNORE_WATERMARKS
				    | BEV_TRIG_DEFER_CALLBACKS);
	}
}

void
channel_end(struct channel *channel, enum channel_end end)
{
	if (channel->has_ended)
		return;
	channel->has_ended = true;
	channel->end = end;
	bufferevent_disable(channel->bev, EV_READ | EV_WRITE);
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
		[CHANNEL_OUTRUN] = "changes that the peer was not told of in "
				   "time are forgotten",
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

static void
readable(struct bufferevent *bev, void *channel_)
{
	struct channel *channel = channel_;

	(void) bev;
	channel->alive_ms = turn_now_ms();
	process(channel);
}

/* All output has gone. */
static void
writable(struct bufferevent *bev, void *channel_)
{
	struct channel *channel = channel_;

	(void) bev;
	if (channel->has_ended)
		return;
	if (channel->alone) {
		put(channel, channel->output, channel->alone);
		json_decref(channel->alone);
		channel->alone = NULL;
		return;
	}
	if (channel->is_holding) {
		channel->is_holding = false;
		evbuffer_add_buffer(channel->output, channel->held);
	}
	if (channel->is_full && backlog(channel) <= PAUSE_SIZE) {
		channel->is_full = false;
		resume(channel);
		if (channel->ops->drained)
			channel->ops->drained(channel->ctx);
		process(channel);
	}
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

	if (what & BEV_EVENT_EOF && is_busy(channel) && !tls_is_below(bev)) {
		channel->is_leaving = true;
		bufferevent_set_timeouts(bev, NULL, &patience);
	} else if (what & BEV_EVENT_EOF) {
		channel_end(channel, CHANNEL_CLOSED);
	} else if (what & (BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT)) {
		if (!channel->failure)
			channel->failure = tls_failure(bev);
		if (!channel->failure && what & BEV_EVENT_ERROR)
			channel->failure
				= xstrdup(evutil_socket_error_to_string(
						  EVUTIL_SOCKET_ERROR()));
		channel_end(channel, channel->is_leaving
				     ? CHANNEL_CLOSED : CHANNEL_FAILED);
	}
}

static void
tell_end(evutil_socket_t fd, short what, void *channel_)
{
	struct channel *channel = channel_;

	(void) fd;
	(void) what;
	channel->ops->ended(channel->ctx, channel->end);
}

/* Output that is taken while more is waiting shows that the peer lives.  What
 * goes at once shows nothing: the kernel's buffers take it. */
static void
note_output(struct evbuffer *output, const struct evbuffer_cb_info *info,
	    void *channel_)
{
	struct channel *channel = channel_;

	if (info->n_deleted && evbuffer_get_length(output))
		channel->alive_ms = turn_now_ms();
}

static void
process(struct channel *channel)
{
	struct evbuffer *input = bufferevent_get_input(channel->bev);
	struct evbuffer_iovec piece;

	while (!channel->has_ended && !channel->is_full && !channel->is_paused
	       && evbuffer_peek(input, -1, NULL, &piece, 1) > 0) {
		enum jsonrpc_status status;
		json_t *message;
		size_t used;

		status = jsonrpc_read(&channel->reader, piece.iov_base,
				      piece.iov_len, &used, &message);
		if (status != JSONRPC_MORE && status != JSONRPC_MESSAGE) {
			channel_end(channel, end_of(status));
			return;
		}
		evbuffer_drain(input, used);
		if (status == JSONRPC_MESSAGE) {
			channel->ops->receive(channel->ctx, message);
			json_decref(message);
		}
	}
}

static void
resume(struct channel *channel)
{
	if (!channel->is_leaving && !channel->is_full && !channel->is_paused)
		bufferevent_enable(channel->bev, EV_READ);
}

/* Is there anything that the peer should get? */
static bool
is_busy(const struct channel *channel)
{
	return backlog(channel) || channel->is_expecting;
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
	return evbuffer_get_length(channel->output)
	       + evbuffer_get_length(channel->held);
}

/* Where the next message goes; NULL if nowhere. */
static struct evbuffer *
open_output(struct channel *channel)
{
	if (!channel->has_ended && backlog(channel) > channel->output_size)
		channel_end(channel, CHANNEL_BACKLOGGED);
	if (channel->has_ended)
		return NULL;
	return channel->is_holding ? channel->held : channel->output;
}

/* A peer that does not take its answers asks nothing more. */
static void
close_output(struct channel *channel)
{
	if (channel->is_full || backlog(channel) <= PAUSE_SIZE)
		return;
	channel->is_full = true;
	bufferevent_disable(channel->bev, EV_READ);
}

/* Somebody may be waiting for the message: if it cannot be put into words,
 * nothing that follows would make sense to the peer. */
static void
put(struct channel *channel, struct evbuffer *buffer, json_t *message)
{
	char *text = json_dumps(message, JSON_COMPACT);
	size_t size = text ? strlen(text) : 0;

	if (!text)
		channel_end(channel, CHANNEL_UNSPEAKABLE);
	else if (size <= COPY_SIZE) {
		evbuffer_add(buffer, text, size);
		free(text);
	} else {
		evbuffer_add_reference(buffer, text, size, free_dump, NULL);
	}
}

static void
put_text(struct evbuffer *buffer, struct text *text)
{
	if (text->size <= COPY_SIZE
	    || evbuffer_add_reference(buffer, text->bytes, text->size, let_go,
				      text))
		evbuffer_add(buffer, text->bytes, text->size);
	else
		text_ref(text);
}

static void
free_dump(const void *dump, size_t size, void *ctx)
{
	(void) size;
	(void) ctx;
	free((void *) (uintptr_t) dump);
}

static void
let_go(const void *bytes, size_t size, void *text)
{
	(void) bytes;
	(void) size;
	text_unref(text);
}
