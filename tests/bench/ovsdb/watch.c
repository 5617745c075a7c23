/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/bench/ovsdb/figures.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { N_MONITORS = 100, N_UPDATES = 300, PATIENCE_S = 60,
       LEAST_MEMORY = 1500 };	/* MiB. */

static void download(struct peer *, struct line *, const char *since);
static unsigned crowd_size(const struct peer *, const struct watch_crowd *);
static double available(void);
static void swallow_all(struct crowd *, uint64_t n_bytes);
static bool swallow(struct client *, uint64_t *n_left);
static void watch(struct crowd *);
static void see(struct crowd *, double start, double *seconds);
static int compare(const void *, const void *);

static void
run_monitor(struct peer *peer, struct line *lines)
{
	download(peer, lines, NULL);
}

static void
download(struct peer *peer, struct line *lines, const char *since)
{
	struct text text = { .n = 0 };
	struct drained drained;
	struct client client;
	double start;

	client_open(&client, peer->socket);
	rows_monitor(&text, since);
	peer_forget_peak(peer);
	start = now();
	client_send(&client, text.at, text.n);
	client_drain(&client, &drained);
	line_add(&lines[0], peer, drained.last - start);
	line_add(&lines[1], peer, drained.first - start);
	line_add(&lines[2], peer, peer_growth(peer));
	line_add(&lines[3], peer, drained.n_bytes / 1e6);
	if (rows_drained(&drained) != settings.n_rows)
		die("%llu rows came, not %u: %s",
		    (unsigned long long) rows_drained(&drained),
		    settings.n_rows, drained.start);
	client_close(&client);
	free(text.at);
}

const struct figure watch_monitor = {
	.name = "monitor", .needs_rows = true, .run = run_monitor,
	.lines = (struct line[]) {
		{ .name = "monitor_last_byte", .unit = "s",
		  .bound = RATIO_AT_MOST, .limit = 1. / 6 },
		{ .name = "monitor_first_byte", .unit = "s" },
		{ .name = "monitor_memory", .unit = "MiB",
		  .bound = RATIO_AT_MOST, .limit = 1. / 6 },
		{ .name = "monitor_size", .unit = "MB" },
		{ .name = NULL },
	},
};

static void
run_monitor_cond_since(struct peer *peer, struct line *lines)
{
	download(peer, lines, WATCH_NOTHING);
}

const struct figure watch_monitor_cond_since = {
	.name = "monitor_cond_since", .needs_rows = true,
	.run = run_monitor_cond_since,
	.lines = (struct line[]) {
		{ .name = "monitor_cond_since_last_byte", .unit = "s",
		  .bound = RATIO_AT_MOST, .limit = 1. / 6 },
		{ .name = "monitor_cond_since_first_byte", .unit = "s" },
		{ .name = "monitor_cond_since_memory", .unit = "MiB",
		  .bound = RATIO_AT_MOST, .limit = 1. / 6 },
		{ .name = "monitor_cond_since_size", .unit = "MB" },
		{ .name = NULL },
	},
};

/* All at once; seconds for each. */
static void
run_monitor_100(struct peer *peer, struct line *lines)
{
	struct watch_crowd crowd = { .n_most = N_MONITORS };

	watch_download(peer, WATCH_NOTHING, &crowd);
	line_add(&lines[0], peer, crowd.seconds / crowd.n);
	line_add(&lines[1], peer, crowd.growth);
	line_add(&lines[2], peer, crowd.n);
}

void
watch_download(struct peer *peer, const char *since, struct watch_crowd *result)
{
	struct text text = { .n = 0 };
	struct drained drained;
	struct crowd crowd;
	struct client client;
	double start;

	rows_monitor(&text, since);
	client_open(&client, peer->socket);
	client_send(&client, text.at, text.n);
	client_drain(&client, &drained);
	client_close(&client);
	result->is_resumed = strstr(drained.start, "\"result\":[true,");
	result->n_bytes = drained.n_bytes;
	result->n_rows = rows_drained(&drained);
	result->n = crowd_size(peer, result);

	peer_forget_peak(peer);
	start = now();
	crowd_open(&crowd, result->n, peer->socket);
	for (unsigned i = 0; i < crowd.n; i++)
		client_send(&crowd.clients[i], text.at, text.n);
	swallow_all(&crowd, drained.n_bytes);
	result->seconds = now() - start;
	result->growth = peer_growth(peer);
	/* Those were the messages' ends, or this is not what comes next. */
	for (unsigned i = 0; i < crowd.n; i++)
		rows_select(peer->rows, &crowd.clients[i], i);
	crowd_close(&crowd);
	free(text.at);
}

/* Who gets everything from the stock server has it written whole before the
 * first byte is sent, in ten times its size of memory, and waits for as long as
 * if he were alone. */
static unsigned
crowd_size(const struct peer *peer, const struct watch_crowd *crowd)
{
	if (crowd->n_bytes < 1 << 20
	    || (peer->which == OURS && crowd->n_most <= N_MONITORS))
		return crowd->n_most;
	if (settings.n_rows < 500000)
		return 5;
	return available() > settings.n_rows * 12e-3 ? 3 : 1;
}

/* MiB of memory that nobody needs. */
static double
available(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	double kib = 0;
	char line[128];

	while (file && fgets(line, sizeof line, file))
		if (!strncmp(line, "MemAvailable:", 13))
			kib = atof(line + 13);
	if (file)
		fclose(file);
	return kib / 1024;
}

/* Each gets a message of so many bytes, which nobody looks at. */
static void
swallow_all(struct crowd *crowd, uint64_t n_bytes)
{
	uint64_t *left = calloc(crowd->n, sizeof *left);
	unsigned n_waiting = crowd->n, ready[N_MONITORS];
	double next = 0;

	if (!left)
		die("no memory");
	for (unsigned i = 0; i < crowd->n; i++)
		left[i] = n_bytes;
	while (n_waiting) {
		unsigned n = crowd_wait(crowd, ready, N_MONITORS);

		/* Others want to live on this machine, too. */
		if (now() > next) {
			next = now() + 0.05;
			if (available() < LEAST_MEMORY)
				die("%u monitors take all memory", crowd->n);
		}
		for (unsigned i = 0; i < n; i++)
			if (swallow(&crowd->clients[ready[i]],
				    &left[ready[i]]))
				n_waiting--;
	}
	free(left);
}

/* Reads what there is; is that the last of it? */
static bool
swallow(struct client *client, uint64_t *n_left)
{
	static char chunk[1 << 20];
	ssize_t n;

	if (!*n_left)
		die("something came that was not asked for");
	n = recv(client->fd, chunk, *n_left < sizeof chunk ? *n_left
		 : sizeof chunk, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0)
		die("the server has left a client alone with %llu bytes to "
		    "come", (unsigned long long) *n_left);
	*n_left -= n;
	return !*n_left;
}

const struct figure watch_monitor_100 = {
	.name = "monitor_100", .needs_rows = true,
	.run = run_monitor_100,
	.lines = (struct line[]) {
		{ .name = "monitor_100_each", .unit = "s",
		  .bound = RATIO_AT_MOST, .limit = 1. / 20,
		  .note = "of so many as monitor_100_clients says" },
		{ .name = "monitor_100_memory", .unit = "MiB" },
		{ .name = "monitor_100_clients", .unit = "clients",
		  .is_plain = true },
		{ .name = NULL },
	},
};

/* From the transaction's first byte sent to the update's last byte read, at
 * each of the monitors, with a processor for them and another for the
 * server. */
static void
run_update_seen(struct peer *peer, struct line *lines)
{
	static double seconds[N_UPDATES * N_MONITORS];
	struct text text = { .n = 0 };
	struct client writer;
	struct crowd crowd;
	const char *reply;
	size_t size;

	crowd_open(&crowd, N_MONITORS, peer->socket);
	watch(&crowd);
	client_open(&writer, peer->socket);
	peer_part(peer, true);
	for (unsigned i = 0; i < N_UPDATES; i++) {
		double start;

		text.n = 0;
		rows_update(peer->rows, &text, i * 7919 % settings.n_rows,
			    false, false);
		start = now();
		client_send(&writer, text.at, text.n);
		see(&crowd, start, &seconds[i * N_MONITORS]);
		reply = client_receive(&writer, &size);
		rows_check_update(reply, size);
	}
	peer_part(peer, false);
	qsort(seconds, N_UPDATES * N_MONITORS, sizeof *seconds, compare);
	line_add(&lines[0], peer,
		 1e3 * seconds[N_UPDATES * N_MONITORS / 100 * 99]);
	line_add(&lines[1], peer,
		 1e3 * seconds[N_UPDATES * N_MONITORS / 2]);
	client_close(&writer);
	crowd_close(&crowd);
	free(text.at);
}

/* All rows, but nothing of what is there already. */
static void
watch(struct crowd *crowd)
{
	for (unsigned i = 0; i < crowd->n; i++) {
		size_t size;

		client_call(&crowd->clients[i], &size,
			    "{\"id\":1,\"method\":\"monitor_cond\",\"params\":["
			    "\"hardware_vtep\",\"all\",{\"Ucast_Macs_Remote\":"
			    "[{\"columns\":[\"MAC\",\"ipaddr\",\"locator\","
			    "\"logical_switch\"],\"select\":{\"initial\":"
			    "false}}]}]}");
	}
}

/* Waits until each client has got one update, and does not sleep meanwhile:
 * what the machine takes to wake it up is not the server's. */
static void
see(struct crowd *crowd, double start, double *seconds)
{
	unsigned ready[N_MONITORS], n_seen = 0;

	while (n_seen < crowd->n) {
		unsigned n = crowd_look(crowd, ready, N_MONITORS);

		if (!n) {
			if (now() - start > PATIENCE_S)
				die("an update was not seen");
			sched_yield();
		}
		for (unsigned i = 0; i < n; i++) {
			struct client *client = &crowd->clients[ready[i]];
			const char *update;
			size_t size;

			client_read(client);
			update = client_next(client, &size);
			if (!update)
				continue;
			seconds[n_seen++] = now() - start;
			if (!memmem(update, size, "\"modify\"", 8))
				die("no update: %.*s", (int) size, update);
		}
	}
}

static int
compare(const void *a_, const void *b_)
{
	const double *a = a_, *b = b_;

	return *a < *b ? -1 : *a > *b;
}

const struct figure watch_update_seen = {
	.name = "update_seen", .needs_rows = true, .run = run_update_seen,
	.lines = (struct line[]) {
		{ .name = "update_seen_p99", .unit = "ms",
		  .bound = RATIO_AT_MOST, .limit = 1. / 2 },
		{ .name = "update_seen_p50", .unit = "ms" },
		{ .name = NULL },
	},
};
