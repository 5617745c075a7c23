/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/ovsdb/peers.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "agent/net/jsonrpc.h"
#include "agent/ovsdb/server/server.h"

/* For what is expected to come. */
enum { PATIENCE_MS = 10000 };

struct peer {
	struct peer *next;
	struct peers *peers;
	char *name;
	json_t *inbox;
	struct client *client;		/* Inside. */
	bool is_dismissed;
	int fd;				/* Outside; -1: closed. */
	struct jsonrpc_reader reader;
};

struct peers {
	struct peer *first;
	struct server *server;
	struct database *database;
	int64_t now_ms;
	const char *socket_path;	/* NULL: inside. */
};

static struct peer *obtain(struct peers *, const char *name);
static void connect_peer(struct peer *);
static void take_message(void *peer, json_t *message);
static void dismiss(void *peer);
static void close_dismissed(struct peers *);
static void send_text(struct peer *, json_t *message);
static bool pump(struct peer *, int64_t wait_ms);
static void digest(struct peer *, const char *bytes, size_t size);
static bool settle(struct peer *);
static int64_t clock_ms(void);

static const struct client_ops client_ops = {
	.send = take_message,
	.dismiss = dismiss,
};

struct peers *
peers_inside(json_t *schema_json)
{
	struct peers *peers = calloc(1, sizeof *peers);
	struct ovsdb_error *error;
	struct schema *schema;

	error = schema_from_json(schema_json, &schema);
	if (!error) {
		peers->database = database_new(schema, NULL);
		peers->server = server_new();
		server_allow_convert(peers->server);
		error = server_add_database(peers->server, peers->database);
	}
	if (error) {
		fprintf(stderr, "schema: %s: %s\n", error->name,
			error->details);
		exit(EXIT_FAILURE);
	}
	return peers;
}

struct peers *
peers_outside(const char *socket_path)
{
	struct peers *peers = calloc(1, sizeof *peers);

	peers->socket_path = socket_path;
	return peers;
}

void
peers_free(struct peers *peers)
{
	while (peers->first)
		peers_disconnect(peers, peers->first->name);
	if (!peers->socket_path) {
		server_free(peers->server);
		database_free(peers->database);
	}
	free(peers);
}

void
peers_send(struct peers *peers, const char *name, json_t *message)
{
	struct peer *peer = obtain(peers, name);

	if (peers->socket_path) {
		send_text(peer, message);
		return;
	}
	if (!client_receive(peer->client, message, peers->now_ms)) {
		json_array_append_new(peer->inbox, json_object());
		client_disconnect(peer->client);
		peer->client = NULL;
	}
	server_run(peers->server, peers->now_ms);
	close_dismissed(peers);
}

void
peers_disconnect(struct peers *peers, const char *name)
{
	struct peer **link = &peers->first, *peer;

	while (*link && strcmp((*link)->name, name))
		link = &(*link)->next;
	peer = *link;
	if (!peer)
		return;
	*link = peer->next;
	if (peers->socket_path) {
		if (peer->fd >= 0)
			close(peer->fd);
		jsonrpc_reader_done(&peer->reader);
	} else {
		client_disconnect(peer->client);
	}
	json_decref(peer->inbox);
	free(peer->name);
	free(peer);
}

void
peers_advance(struct peers *peers, int64_t ms)
{
	if (!peers->socket_path) {
		peers->now_ms += ms;
		server_run(peers->server, peers->now_ms);
		return;
	}
	for (int64_t end = clock_ms() + ms; clock_ms() < end;)
		for (struct peer *peer = peers->first; peer;
		     peer = peer->next)
			pump(peer, 5);
}

json_t *
peers_take(struct peers *peers, const char *name, size_t n_expected)
{
	struct peer *peer = obtain(peers, name);
	json_t *inbox = peer->inbox;

	if (peers->socket_path) {
		int64_t end = clock_ms() + PATIENCE_MS;

		while (json_array_size(inbox) < n_expected
		       && peer->fd >= 0 && clock_ms() < end)
			pump(peer, 100);
		while (peer->fd >= 0 && !settle(peer) && clock_ms() < end)
			continue;
	}
	peer->inbox = json_array();
	return inbox;
}

json_t *
peers_names(struct peers *peers)
{
	json_t *names = json_array();

	for (struct peer *peer = peers->first; peer; peer = peer->next)
		json_array_append_new(names, json_string(peer->name));
	return names;
}

static struct peer *
obtain(struct peers *peers, const char *name)
{
	struct peer *peer = peers->first;

	while (peer && strcmp(peer->name, name))
		peer = peer->next;
	if (peer && (peers->socket_path || peer->client))
		return peer;
	if (!peer) {
		peer = calloc(1, sizeof *peer);
		peer->name = strdup(name);
		peer->inbox = json_array();
		peer->peers = peers;
		peer->next = peers->first;
		peers->first = peer;
	}
	connect_peer(peer);
	return peer;
}

static void
connect_peer(struct peer *peer)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct peers *peers = peer->peers;

	if (!peers->socket_path) {
		peer->client = server_connect(peers->server, peer->name,
					      &client_ops, peer);
		return;
	}
	jsonrpc_reader_init(&peer->reader, 1 << 24, 1000);
	snprintf(address.sun_path, sizeof address.sun_path, "%s",
		 peers->socket_path);
	peer->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (connect(peer->fd, (struct sockaddr *) &address,
		    sizeof address)) {
		perror(peers->socket_path);
		exit(EXIT_FAILURE);
	}
}

static void
take_message(void *peer_, json_t *message)
{
	struct peer *peer = peer_;

	json_array_append_new(peer->inbox, message);
}

static void
dismiss(void *peer_)
{
	struct peer *peer = peer_;

	peer->is_dismissed = true;
}

static void
close_dismissed(struct peers *peers)
{
	for (struct peer *peer = peers->first; peer; peer = peer->next)
		if (peer->is_dismissed && peer->client) {
			json_array_append_new(peer->inbox, json_object());
			client_disconnect(peer->client);
			peer->client = NULL;
			peer->is_dismissed = false;
		}
}

static void
send_text(struct peer *peer, json_t *message)
{
	char *text = json_dumps(message, JSON_COMPACT);
	size_t size = strlen(text);

	for (size_t i = 0; i < size;) {
		ssize_t n = send(peer->fd, text + i, size - i, MSG_NOSIGNAL);

		if (n < 0)
			break;
		i += (size_t) n;
	}
	free(text);
}

/* Takes in what is there, or comes within the time. */
static bool
pump(struct peer *peer, int64_t wait_ms)
{
	struct pollfd poll_fd = { .fd = peer->fd, .events = POLLIN };
	char bytes[65536];
	ssize_t n;

	if (peer->fd < 0 || poll(&poll_fd, 1, (int) wait_ms) <= 0)
		return false;
	n = recv(peer->fd, bytes, sizeof bytes, 0);
	if (n <= 0) {
		json_array_append_new(peer->inbox, json_object());
		close(peer->fd);
		peer->fd = -1;
		return false;
	}
	digest(peer, bytes, (size_t) n);
	return true;
}

static void
digest(struct peer *peer, const char *bytes, size_t size)
{
	while (size) {
		json_t *message;
		size_t used;
		enum jsonrpc_status status
			= jsonrpc_read(&peer->reader, bytes, size, &used,
				       &message);

		if (status == JSONRPC_MESSAGE) {
			json_array_append_new(peer->inbox, message);
		} else if (status != JSONRPC_MORE) {
			fprintf(stderr, "%s: %s\n", peer->name,
				jsonrpc_status_text(status));
			exit(EXIT_FAILURE);
		}
		bytes += used;
		size -= used;
	}
}

/* Everything that was under way has come when an echo has come back. */
static bool
settle(struct peer *peer)
{
	json_t *echo = json_pack("{s:s, s:[], s:s}", "method", "echo",
				 "params", "id", "settle");

	send_text(peer, echo);
	json_decref(echo);
	for (int64_t end = clock_ms() + PATIENCE_MS;
	     peer->fd >= 0 && clock_ms() < end;) {
		size_t n = json_array_size(peer->inbox);

		for (size_t i = 0; i < n; i++) {
			json_t *message = json_array_get(peer->inbox, i);
			const char *id = json_string_value(
				json_object_get(message, "id"));

			if (id && !strcmp(id, "settle")) {
				json_array_remove(peer->inbox, i);
				return true;
			}
		}
		pump(peer, 100);
	}
	return false;
}

static int64_t
clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
