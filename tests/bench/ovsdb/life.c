/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/bench/ovsdb/figures.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { N_MISSED = 100, PAUSE_US = 1000 };

/* Somebody who asks every millisecond. */
struct probe {
	struct client client;
	bool is_waiting;
	double sent, due, longest;	/* Seconds. */
};
enum { READER, WRITER, N_PROBES };

static void start(struct peer *, struct line *);
static double compact(struct peer *, struct probe *);
static void begin_compaction(struct peer *, struct client *);
static void probe(struct peer *, struct probe *, struct client *control,
		  double end);
static void ask(struct peer *, struct probe *, bool is_writer);
static void hear(struct probe *);
static void miss_something(struct peer *, char since[37]);

static void
run_start(struct peer *peer, struct line *lines)
{
	start(peer, lines);
}

/* From exec to the first answer that needs the rows. */
static void
start(struct peer *peer, struct line *lines)
{
	struct client client;
	double begin;

	peer_stop(peer);
	begin = now();
	peer_start(peer);
	peer_connect(peer, &client);
	rows_select(peer->rows, &client, settings.n_rows - 1);
	line_add(&lines[0], peer, now() - begin);
	line_add(&lines[1], peer, peer_rss(peer));
	line_add(&lines[2], peer, peer_file_size(peer));
	client_close(&client);
}

const struct figure life_start = {
	.name = "start", .needs_rows = true, .run = run_start,
	.lines = (struct line[]) {
		{ .name = "start", .unit = "s",
		  .bound = RATIO_AT_MOST, .limit = 1. / 4 },
		{ .name = "start_resident", .unit = "MiB",
		  .bound = RATIO_AT_MOST, .limit = 1. / 3 },
		{ .name = "start_file", .unit = "MiB" },
		{ .name = NULL },
	},
};

/* How long is the longest answer while nothing else happens, and while the
 * file is compacted? */
static void
run_compaction(struct peer *peer, struct line *lines)
{
	struct probe probes[N_PROBES] = { 0 };

	for (unsigned i = 0; i < N_PROBES; i++)
		client_open(&probes[i].client, peer->socket);
	probe(peer, probes, NULL, now() + settings.seconds);
	line_add(&lines[3], peer, 1e3 * probes[READER].longest);
	line_add(&lines[4], peer, 1e3 * probes[WRITER].longest);
	for (unsigned i = 0; i < N_PROBES; i++)
		probes[i].longest = 0;
	line_add(&lines[2], peer, compact(peer, probes));
	line_add(&lines[0], peer, 1e3 * probes[READER].longest);
	line_add(&lines[1], peer, 1e3 * probes[WRITER].longest);
	for (unsigned i = 0; i < N_PROBES; i++)
		client_close(&probes[i].client);
}

static double
compact(struct peer *peer, struct probe *probes)
{
	struct client control;
	double begin = now();

	begin_compaction(peer, &control);
	probe(peer, probes, &control, 0);
	client_close(&control);
	peer->is_compacted = true;
	return now() - begin;
}

static void
begin_compaction(struct peer *peer, struct client *control)
{
	static const char request[] = "{\"id\":0,\"method\":"
		"\"ovsdb-server/compact\",\"params\":[]}";

	client_open(control, peer->control);
	client_send(control, request, sizeof request - 1);
}

/* Until the command is answered, or there is none and the time has come. */
static void
probe(struct peer *peer, struct probe *probes, struct client *control,
      double end)
{
	struct pollfd polls[N_PROBES + 1];
	bool is_over = false;
	size_t size;

	for (unsigned i = 0; i < N_PROBES; i++)
		polls[i] = (struct pollfd) { probes[i].client.fd, POLLIN, 0 };
	polls[N_PROBES] = (struct pollfd) { control ? control->fd : -1,
					    POLLIN, 0 };
	while (!is_over || probes[READER].is_waiting
	       || probes[WRITER].is_waiting) {
		for (unsigned i = 0; i < N_PROBES && !is_over; i++)
			ask(peer, &probes[i], i == WRITER);
		if (poll(polls, N_PROBES + 1, 1) < 0 && errno != EINTR)
			die("poll: %s", strerror(errno));
		for (unsigned i = 0; i < N_PROBES; i++)
			if (polls[i].revents)
				hear(&probes[i]);
		if (!control) {
			is_over = now() >= end;
		} else if (polls[N_PROBES].revents && !is_over) {
			const char *reply = client_receive(control, &size);

			client_check(reply, size);
			is_over = true;
		}
	}
}

static void
ask(struct peer *peer, struct probe *probe, bool is_writer)
{
	static uint32_t i;
	struct text text = { .n = 0 };

	if (probe->is_waiting || now() < probe->due)
		return;
	i = (i + 7919) % settings.n_rows;
	if (is_writer)
		rows_update(peer->rows, &text, i, false, false);
	else
		text_addf(&text, "{\"id\":1,\"method\":\"transact\","
			  "\"params\":[\"hardware_vtep\",{\"op\":\"select\","
			  "\"table\":\"Ucast_Macs_Remote\",\"where\":[["
			  "\"_uuid\",\"==\",[\"uuid\",\"%.36s\"]]]}]}",
			  peer->rows->uuids[i]);
	probe->sent = now();
	client_send(&probe->client, text.at, text.n);
	probe->is_waiting = true;
	free(text.at);
}

static void
hear(struct probe *probe)
{
	const char *reply;
	size_t size;

	client_read(&probe->client);
	reply = client_next(&probe->client, &size);
	if (!reply)
		return;
	client_check(reply, size);
	probe->is_waiting = false;
	probe->due = now() + PAUSE_US / 1e6;
	if (now() - probe->sent > probe->longest)
		probe->longest = now() - probe->sent;
}

const struct figure life_compaction = {
	.name = "compaction", .needs_rows = true, .run = run_compaction,
	.lines = (struct line[]) {
		{ .name = "compaction_stall_select", .unit = "ms",
		  .bound = OURS_AT_MOST, .limit = 10 },
		{ .name = "compaction_stall_update", .unit = "ms",
		  .bound = OURS_AT_MOST, .limit = 10 },
		{ .name = "compaction_time", .unit = "s" },
		{ .name = "idle_stall_select", .unit = "ms" },
		{ .name = "idle_stall_update", .unit = "ms" },
		{ .name = NULL },
	},
};

static void
run_start_compacted(struct peer *peer, struct line *lines)
{
	if (!peer->is_compacted) {
		struct client control;
		size_t size;

		begin_compaction(peer, &control);
		client_check(client_receive(&control, &size), size);
		client_close(&control);
		peer->is_compacted = true;
	}
	start(peer, lines);
}

const struct figure life_start_compacted = {
	.name = "start_compacted", .needs_rows = true,
	.run = run_start_compacted,
	.lines = (struct line[]) {
		{ .name = "start_compacted", .unit = "s",
		  .bound = RATIO_AT_MOST, .limit = 1. / 4 },
		{ .name = "start_compacted_resident", .unit = "MiB",
		  .bound = RATIO_AT_MOST, .limit = 1. / 3 },
		{ .name = "start_compacted_file", .unit = "MiB" },
		{ .name = NULL },
	},
};

/* Clients that had everything, but for the last N_MISSED rows changed, when
 * the server was killed, come again, all at once. */
static void
run_reconnect(struct peer *peer, struct line *lines)
{
	struct watch_crowd crowd = { .n_most = settings.is_long ? 1000 : 100 };
	struct client client;
	char since[37];

	miss_something(peer, since);
	peer_kill(peer);
	peer_start(peer);
	peer_connect(peer, &client);
	rows_select(peer->rows, &client, settings.n_rows - 1);
	client_close(&client);

	watch_download(peer, since, &crowd);
	if (crowd.is_resumed && crowd.n_rows != N_MISSED)
		die("%llu rows of %d were told", (unsigned long long)
		    crowd.n_rows, N_MISSED);
	line_add(&lines[0], peer, crowd.is_resumed);
	line_add(&lines[1], peer, crowd.n_bytes / 1e3);
	line_add(&lines[2], peer, 1e3 * crowd.seconds / crowd.n);
	line_add(&lines[3], peer, crowd.seconds);
	line_add(&lines[4], peer, crowd.n);
}

/* The id of the last transaction that they have seen. */
static void
miss_something(struct peer *peer, char since[37])
{
	static const char name[] = "\"result\":[false,\"";
	struct text text = { .n = 0 };
	struct client client;
	const char *reply, *at;
	size_t size;

	client_open(&client, peer->socket);
	reply = client_call(&client, &size, "{\"id\":1,\"method\":"
			    "\"monitor_cond_since\",\"params\":["
			    "\"hardware_vtep\",\"id\",{\"Logical_Switch\":[{"
			    "\"columns\":[\"name\"],\"select\":{\"initial\":"
			    "false}}]},\"" WATCH_NOTHING "\"]}");
	at = memmem(reply, size, name, sizeof name - 1);
	if (!at || reply + size - at < 60)
		die("no transaction's id: %.*s", (int) size, reply);
	memcpy(since, at + sizeof name - 1, 36);
	since[36] = 0;
	client_close(&client);

	client_open(&client, peer->socket);
	for (unsigned i = 0; i < N_MISSED; i++) {
		text.n = 0;
		rows_update(peer->rows, &text, i * 131 % settings.n_rows,
			    false, i == N_MISSED - 1);
		client_send(&client, text.at, text.n);
		reply = client_receive(&client, &size);
		rows_check_update(reply, size);
	}
	client_close(&client);
	free(text.at);
}

const struct figure life_reconnect = {
	.name = "reconnect", .needs_rows = true, .n_runs = 1,
	.run = run_reconnect,
	.lines = (struct line[]) {
		{ .name = "reconnect_resumed", .unit = "of_1",
		  .bound = OURS_AT_LEAST, .limit = 1 },
		{ .name = "reconnect_size_each", .unit = "kB" },
		{ .name = "reconnect_time_each", .unit = "ms" },
		{ .name = "reconnect_time", .unit = "s" },
		{ .name = "reconnect_clients", .unit = "clients",
		  .is_plain = true,
		  .note = "each gets everything, so that few will do" },
		{ .name = NULL },
	},
};
