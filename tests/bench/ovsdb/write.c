/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/bench/ovsdb/figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_WRITERS = 8, N_FEW = 1000 };

/* Closed loops: what each client does next is decided by its reply. */
struct loop {
	struct peer *peer;
	bool by_mac, is_durable;
	uint64_t n;
};

static void load(struct peer *, struct line *, uint32_t n_each);
static double update(struct loop *, unsigned n_clients);
static void send_update(struct loop *, struct client *, struct text *);

static void
run_load_1(struct peer *peer, struct line *lines)
{
	load(peer, lines, 1);
}

static void
load(struct peer *peer, struct line *line, uint32_t n_each)
{
	double seconds;

	write_load(peer, settings.n_rows, n_each, &seconds);
	line_add(line, peer, (settings.n_rows - N_LOCATORS) / seconds);
}

const struct figure write_load_1 = {
	.name = "load_1", .run = run_load_1,
	.lines = (struct line[]) {
		{ .name = "load_1_pipelined", .unit = "rows/s",
		  .bound = RATIO_AT_LEAST, .limit = 3 },
		{ .name = NULL },
	},
};

static void
run_load_100(struct peer *peer, struct line *lines)
{
	load(peer, lines, 100);
}

const struct figure write_load_100 = {
	.name = "load_100", .run = run_load_100,
	.lines = (struct line[]) {
		{ .name = "load_100", .unit = "rows/s" },
		{ .name = NULL },
	},
};

static void
run_load_1000(struct peer *peer, struct line *lines)
{
	load(peer, lines, 1000);
}

const struct figure write_load_1000 = {
	.name = "load_1000", .run = run_load_1000,
	.lines = (struct line[]) {
		{ .name = "load_1000", .unit = "rows/s",
		  .bound = RATIO_AT_LEAST, .limit = 5 },
		{ .name = NULL },
	},
};

static void
run_load_10000(struct peer *peer, struct line *lines)
{
	load(peer, lines, 10000);
}

const struct figure write_load_10000 = {
	.name = "load_10000", .run = run_load_10000,
	.lines = (struct line[]) {
		{ .name = "load_10000", .unit = "rows/s",
		  .bound = RATIO_AT_LEAST, .limit = 10 },
		{ .name = NULL },
	},
};

void
write_load(struct peer *peer, uint32_t n_rows, uint32_t n_each,
	   double *ret_seconds)
{
	struct client client;
	double start;

	if (!peer->rows)
		peer->rows = calloc(1, sizeof *peer->rows);
	rows_free(peer->rows);
	peer_start_empty(peer, settings.schema);
	peer_connect(peer, &client);
	rows_begin(peer->rows, &client, n_rows);
	peer->rss_empty = peer_rss(peer);
	start = now();
	rows_load(peer->rows, &client, n_rows - N_LOCATORS, n_each,
		  n_each >= 1000 ? 4 : n_each >= 100 ? 32 : 512);
	*ret_seconds = now() - start;
	peer->rss_loaded = peer_rss(peer);
	rows_select(peer->rows, &client, n_rows - 1);
	client_close(&client);
	peer->is_loaded = true;
}

static void
run_resident(struct peer *peer, struct line *lines)
{
	line_add(&lines[0], peer, peer->rss_loaded);
	line_add(&lines[1], peer, (peer->rss_loaded - peer->rss_empty)
		 * 1048576 / settings.n_rows);
	line_add(&lines[2], peer, peer_file_size(peer));
}

const struct figure write_resident = {
	.name = "resident", .needs_rows = true, .n_runs = 1,
	.run = run_resident,
	.lines = (struct line[]) {
		{ .name = "resident", .unit = "MiB",
		  .bound = RATIO_AT_MOST, .limit = 1. / 3 },
		{ .name = "resident_per_row", .unit = "bytes" },
		{ .name = "file", .unit = "MiB" },
		{ .name = NULL },
	},
};

static void
run_update(struct peer *peer, struct line *lines)
{
	struct loop loop = { .peer = peer };

	line_add(lines, peer, update(&loop, 1));
}

const struct figure write_update = {
	.name = "update", .needs_rows = true, .run = run_update,
	.lines = (struct line[]) {
		{ .name = "update", .unit = "updates/s",
		  .bound = RATIO_AT_LEAST, .limit = 2 },
		{ .name = NULL },
	},
};

static void
run_update_durable(struct peer *peer, struct line *lines)
{
	struct loop loop = { .peer = peer, .is_durable = true };
	int64_t before = peer_counter(peer, "syncs"), after;

	line_add(&lines[0], peer, update(&loop, N_WRITERS));
	after = peer_counter(peer, "syncs");
	if (before >= 0 && after > before)
		line_add(&lines[1], peer, (double) loop.n / (after - before));
	loop.n = 0;
	line_add(&lines[2], peer, update(&loop, 1));
}

const struct figure write_update_durable = {
	.name = "update_durable", .needs_rows = true,
	.run = run_update_durable,
	.lines = (struct line[]) {
		{ .name = "update_durable_8_clients", .unit = "updates/s",
		  .bound = RATIO_AT_LEAST, .limit = 2 },
		{ .name = "updates_per_sync", .unit = "updates" },
		{ .name = "update_durable_1_client", .unit = "updates/s" },
		{ .name = NULL },
	},
};

/* Nothing of it may grow with the rows: ours is compared with itself. */
static void
run_update_by_mac(struct peer *peer, struct line *lines)
{
	struct loop loop = { .peer = peer, .by_mac = true };
	double many = update(&loop, 1), few;
	struct peer small;
	char prefix[160];

	line_add(&lines[0], peer, many);
	if (peer->which != OURS)
		return;
	snprintf(prefix, sizeof prefix, "%s.few", peer->file);
	peer_init(&small, OURS, peer->program, prefix);
	write_load(&small, N_FEW, 1000, &few);
	loop = (struct loop) { .peer = &small, .by_mac = true };
	few = update(&loop, 1);
	line_add(&lines[1], peer, few);
	line_add(&lines[2], peer, many / few);
	peer_stop(&small);
	rows_free(small.rows);
	free(small.rows);
}

const struct figure write_update_by_mac = {
	.name = "update_by_mac", .needs_rows = true, .run = run_update_by_mac,
	.lines = (struct line[]) {
		{ .name = "update_by_mac", .unit = "updates/s",
		  .bound = RATIO_AT_LEAST, .limit = 1000,
		  .note = "cost grows with the rows" },
		{ .name = "update_by_mac_in_1000_rows", .unit = "updates/s" },
		{ .name = "update_by_mac_flatness", .unit = "of_1",
		  .bound = OURS_AT_LEAST, .limit = 0.5 },
		{ .name = NULL },
	},
};

/* Updates per second of so many clients, each with one under way. */
static double
update(struct loop *loop, unsigned n_clients)
{
	unsigned ready[N_WRITERS], n_waiting = n_clients;
	struct text text = { .n = 0 };
	struct crowd crowd;
	double start, end;

	crowd_open(&crowd, n_clients, loop->peer->socket);
	/* An index that is built when it is first missed is built here. */
	send_update(loop, &crowd.clients[0], &text);
	client_wait(&crowd.clients[0]);
	start = now();
	end = start + settings.seconds;
	for (unsigned i = 1; i < n_clients; i++)
		send_update(loop, &crowd.clients[i], &text);
	while (n_waiting) {
		unsigned n = crowd_wait(&crowd, ready, N_WRITERS);

		for (unsigned i = 0; i < n; i++) {
			struct client *client = &crowd.clients[ready[i]];
			const char *reply;
			size_t size;

			client_read(client);
			reply = client_next(client, &size);
			if (!reply)
				continue;
			rows_check_update(reply, size);
			loop->n++;
			if (now() < end)
				send_update(loop, client, &text);
			else
				n_waiting--;
		}
	}
	end = now();
	crowd_close(&crowd);
	free(text.at);
	return (loop->n - 1) / (end - start);
}

static void
send_update(struct loop *loop, struct client *client, struct text *text)
{
	static uint32_t random_row = 1;

	random_row = random_row * 1664525 + 1013904223;
	text->n = 0;
	rows_update(loop->peer->rows, text,
		    ((uint64_t) random_row * loop->peer->rows->n) >> 32,
		    loop->by_mac, loop->is_durable);
	client_send(client, text->at, text->n);
}
