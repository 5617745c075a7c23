/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BENCH_OVSDB_FIGURES_H
#define BENCH_OVSDB_FIGURES_H 1

/* What is measured.  A figure's function runs once on one peer and adds to
 * its lines; who calls it says how often, and prints. */

#include "tests/bench/ovsdb/lines.h"
#include "tests/bench/ovsdb/rows.h"

struct settings {
	const char *schema;
	uint32_t n_rows;
	bool is_long;
	double seconds;		/* That closed loops run. */
};
extern struct settings settings;

struct figure {
	const char *name;
	/* Needs a running server with all rows in it, and leaves it so. */
	bool needs_rows;
	unsigned n_runs;	/* At most; 0: MAX_RUNS. */
	void (*run)(struct peer *, struct line *);
	struct line *lines;	/* Ends with one without a name. */
};

/* write.c: loading, updates. */
extern const struct figure write_load_1, write_load_100, write_load_10000,
	write_load_1000, write_resident, write_update, write_update_durable,
	write_update_by_mac;
/* A new server with so many rows in it. */
void write_load(struct peer *, uint32_t n_rows, uint32_t n_each,
		double *ret_seconds);

/* watch.c: monitors. */
extern const struct figure watch_monitor, watch_monitor_cond_since,
	watch_monitor_100, watch_update_seen;

/* The id of no transaction. */
#define WATCH_NOTHING "00000000-0000-0000-0000-000000000000"

/* Many clients with one request at the same time. */
struct watch_crowd {
	unsigned n_most;	/* Clients, unless that is too dear, */
	unsigned n;		/* and as many as there were. */
	bool is_resumed;	/* Their transaction was known. */
	uint64_t n_bytes, n_rows;	/* That each of them got. */
	double seconds;		/* Until all had it, */
	double growth;		/* and how much memory it took; MiB. */
};
/* Monitors all rows since a transaction, first by one client, then by the
 * crowd. */
void watch_download(struct peer *, const char *since, struct watch_crowd *);

/* life.c: starting, compaction, coming again. */
extern const struct figure life_start, life_compaction, life_start_compacted,
	life_reconnect;

#endif /* bench/ovsdb/figures.h */
