/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/bench/ovsdb/client.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 256 << 10, PATIENCE_MS = 300 * 1000, MAX_EVENTS = 128 };

static size_t end_of_string(struct scan *, const char *, size_t i, size_t n);
static void wait_for(const struct client *, short events);
static unsigned poll_crowd(struct crowd *, unsigned ready[], unsigned max,
			   int wait_ms);

double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

void
die(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fputs("ovsdb: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

void
text_add(struct text *text, const char *bytes, size_t n)
{
	text_reserve(text, n);
	memcpy(text->at + text->n, bytes, n);
	text->n += n;
}

void
text_addf(struct text *text, const char *format, ...)
{
	va_list args;
	char *piece;
	int n;

	va_start(args, format);
	n = vasprintf(&piece, format, args);
	va_end(args);
	if (n < 0)
		die("no memory");
	text_add(text, piece, n);
	free(piece);
}

void
text_reserve(struct text *text, size_t n)
{
	if (text->n + n <= text->size)
		return;
	text->size = 2 * text->size + n;
	text->at = realloc(text->at, text->size);
	if (!text->at)
		die("no memory");
}

size_t
scan_message(struct scan *scan, const char *bytes, size_t n)
{
	size_t i = 0;

	while (i < n) {
		if (scan->in_string) {
			i = end_of_string(scan, bytes, i, n);
			continue;
		}
		switch (bytes[i++]) {
		case '"':
			scan->in_string = true;
			break;
		case '{':
			scan->n_braces++;
			scan->depth++;
			break;
		case '[':
			scan->depth++;
			break;
		case '}':
		case ']':
			if (!--scan->depth)
				return i;
			break;
		}
	}
	return n;
}

static size_t
end_of_string(struct scan *scan, const char *bytes, size_t i, size_t n)
{
	while (i < n) {
		char c = bytes[i++];

		if (scan->is_escaped) {
			scan->is_escaped = false;
		} else if (c == '\\') {
			scan->is_escaped = true;
		} else if (c == '"') {
			scan->in_string = false;
			break;
		}
	}
	return i;
}

void
client_open(struct client *client, const char *path)
{
	if (!client_try(client, path))
		die("%s: %s", path, strerror(errno));
}

bool
client_try(struct client *client, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	memset(client, 0, sizeof *client);
	if (strlen(path) >= sizeof address.sun_path)
		die("%s is too long for a socket", path);
	strcpy(address.sun_path, path);
	/* A full backlog makes a connect wait, which is not an error. */
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->fd < 0)
		die("no socket: %s", strerror(errno));
	if (!connect(client->fd, (struct sockaddr *) &address, sizeof address))
		return true;
	close(client->fd);
	client->fd = -1;
	return false;
}

void
client_close(struct client *client)
{
	close(client->fd);
	free(client->in.at);
	memset(client, 0, sizeof *client);
	client->fd = -1;
}

void
client_send(struct client *client, const char *bytes, size_t n)
{
	while (n) {
		ssize_t sent = send(client->fd, bytes, n,
				    MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent >= 0) {
			bytes += sent;
			n -= sent;
		} else if (errno == EAGAIN) {
			wait_for(client, POLLIN | POLLOUT);
			client_read(client);
		} else if (errno != EINTR) {
			die("sending: %s", strerror(errno));
		}
	}
}

static void
wait_for(const struct client *client, short events)
{
	struct pollfd poller = { .fd = client->fd, .events = events };

	while (poll(&poller, 1, PATIENCE_MS) <= 0)
		if (errno != EINTR)
			die("the server has not answered for five minutes");
}

bool
client_read(struct client *client)
{
	struct text *in = &client->in;
	ssize_t n;

	if (client->taken == in->n)
		client->taken = client->scanned = in->n = 0;
	text_reserve(in, CHUNK);
	do
		n = recv(client->fd, in->at + in->n, in->size - in->n,
			 MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n <= 0)
		die("the server has closed the connection: %s",
		    n ? strerror(errno) : "end of file");
	in->n += n;
	return true;
}

const char *
client_next(struct client *client, size_t *ret_size)
{
	const struct text *in = &client->in;
	const char *message;

	while (client->taken < in->n && in->at[client->taken] == '\n')
		client->scanned = ++client->taken;
	message = in->at + client->taken;
	client->scanned += scan_message(&client->scan,
					in->at + client->scanned,
					in->n - client->scanned);
	if (client->scan.depth || client->scanned == client->taken)
		return NULL;
	*ret_size = client->scanned - client->taken;
	client->taken = client->scanned;
	return message;
}

const char *
client_receive(struct client *client, size_t *ret_size)
{
	const char *message;

	while (!(message = client_next(client, ret_size)))
		if (!client_read(client))
			client_wait(client);
	return message;
}

const char *
client_call(struct client *client, size_t *ret_size, const char *format, ...)
{
	const char *reply;
	va_list args;
	char *text;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0)
		die("no memory");
	client_send(client, text, n);
	free(text);
	reply = client_receive(client, ret_size);
	client_check(reply, *ret_size);
	return reply;
}

void
client_drain(struct client *client, struct drained *drained)
{
	static char chunk[CHUNK];
	struct scan scan = { .depth = 0 };
	size_t n_start = 0;

	if (client->taken < client->in.n)
		die("a message was read before it was asked for");
	memset(drained, 0, sizeof *drained);
	do {
		ssize_t n;
		size_t more;

		client_wait(client);
		n = recv(client->fd, chunk, sizeof chunk, MSG_DONTWAIT);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			die("the server has closed the connection after %llu "
			    "bytes of a message",
			    (unsigned long long) drained->n_bytes);
		drained->last = now();
		if (!drained->n_bytes)
			drained->first = drained->last;
		if (scan_message(&scan, chunk, n) < (size_t) n)
			die("something came that was not asked for");
		more = sizeof drained->start - 1 - n_start;
		more = more < (size_t) n ? more : (size_t) n;
		memcpy(drained->start + n_start, chunk, more);
		n_start += more;
		drained->n_bytes += n;
	} while (!drained->n_bytes || scan.depth);
	drained->n_braces = scan.n_braces;
}

void
client_check(const char *message, size_t size)
{
	static const char name[] = "\"error\":", none[] = "null";
	const char *end = message + size, *at = message;

	while ((at = memmem(at, end - at, name, sizeof name - 1))) {
		at += sizeof name - 1;
		if ((size_t) (end - at) < sizeof none - 1
		    || memcmp(at, none, sizeof none - 1))
			die("the server says: %.*s%.*s",
			    (int) (size < 300 ? size : 300), message,
			    (int) (end - at < 300 ? end - at : 300), at);
	}
}

void
client_wait(const struct client *client)
{
	wait_for(client, POLLIN);
}

void
crowd_open(struct crowd *crowd, unsigned n, const char *path)
{
	crowd->n = n;
	crowd->clients = calloc(n, sizeof *crowd->clients);
	crowd->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!crowd->clients || crowd->epoll < 0)
		die("no memory");
	for (unsigned i = 0; i < n; i++) {
		struct epoll_event event = { .events = EPOLLIN };

		event.data.u32 = i;
		client_open(&crowd->clients[i], path);
		if (epoll_ctl(crowd->epoll, EPOLL_CTL_ADD,
			      crowd->clients[i].fd, &event))
			die("epoll: %s", strerror(errno));
	}
}

void
crowd_close(struct crowd *crowd)
{
	for (unsigned i = 0; i < crowd->n; i++)
		client_close(&crowd->clients[i]);
	free(crowd->clients);
	close(crowd->epoll);
}

unsigned
crowd_wait(struct crowd *crowd, unsigned ready[], unsigned max)
{
	unsigned n = poll_crowd(crowd, ready, max, PATIENCE_MS);

	if (!n)
		die("the server has not answered for five minutes");
	return n;
}

unsigned
crowd_look(struct crowd *crowd, unsigned ready[], unsigned max)
{
	return poll_crowd(crowd, ready, max, 0);
}

static unsigned
poll_crowd(struct crowd *crowd, unsigned ready[], unsigned max, int wait_ms)
{
	struct epoll_event events[MAX_EVENTS];
	int n;

	max = max < MAX_EVENTS ? max : MAX_EVENTS;
	do
		n = epoll_wait(crowd->epoll, events, max, wait_ms);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		die("waiting: %s", strerror(errno));
	for (int i = 0; i < n; i++)
		ready[i] = events[i].data.u32;
	return n;
}
