/* SPDX-License-Identifier: Apache-2.0 */

/* Where the time of a packet goes: each station of the packet's way (see
 * worker.c) has a wrapper here, put around it by the linker, that asks the
 * time-stamp counter before and after.
 *
 *     by_station               all works
 *     by_station WORK...       works of which a WORK is a part of the name
 *     by_station count WORK    one work, without clocks, for callgrind, which
 *                              is to leave out what traffic_warm() carries:
 *                              the script "stations" says how; prints how many
 *                              packets, of how many flows, it is about
 *
 * Two clocks a batch for each station cost a packet about half a nanosecond. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "libvswitch/datapath/batch.h"
#include "tests/bench/engine/figure.h"
#include "tests/bench/engine/traffic.h"

#define STATIONS(X) \
	X(parse) X(join) X(lookup) X(classify) X(execute) X(transmit)

enum station {
#define STATION_ENUM(NAME) STATION_##NAME,
	STATIONS(STATION_ENUM)
#undef STATION_ENUM
	N_STATIONS
};

static const char *const station_names[] = {
#define STATION_NAME(NAME) #NAME,
	STATIONS(STATION_NAME)
#undef STATION_NAME
};

struct work {
	const char *name;
	enum way way;
	uint32_t n_flows;		/* 0: each packet starts one. */
	bool outer_v6, inner_v6;
};

static const struct work works[] = {
	{ "encap_hit_1", .way = WAY_ENCAP, .n_flows = 1 },
	{ "encap_hit_10k", .way = WAY_ENCAP, .n_flows = 10000 },
	{ "encap_hit_1m", .way = WAY_ENCAP, .n_flows = 1000000 },
	{ "decap_hit_1", .way = WAY_DECAP, .n_flows = 1 },
	{ "decap_hit_10k", .way = WAY_DECAP, .n_flows = 10000 },
	{ "decap_hit_1m", .way = WAY_DECAP, .n_flows = 1000000 },
	{ "encap_routed_hit_10k", .way = WAY_ROUTED, .n_flows = 10000 },
	{ "encap_inner6_hit_1m", .way = WAY_ENCAP, .n_flows = 1000000,
	  .inner_v6 = true },
	{ "decap_inner6_hit_1m", .way = WAY_DECAP, .n_flows = 1000000,
	  .inner_v6 = true },
	{ "decap_outer6_hit_1m", .way = WAY_DECAP, .n_flows = 1000000,
	  .outer_v6 = true },
	{ "first_packet", .way = WAY_MIXED, .n_flows = 0 },
};

enum { N_WORKS = sizeof works / sizeof *works, ROUND_PACKETS = 400000,
       SHORT_PACKETS = 2000, COUNTED_PACKETS = 32000,
       /* So many are warm within a minute. */
       COUNTED_FLOWS = 200000 };

static uint64_t ticks[N_STATIONS];
static bool is_counted;			/* Not timed. */

static void start(struct traffic *, const struct work *);
static void show(const struct work *);
static void count(const struct work *);
static const struct work *find(const char *name);

/* The linker's names for what is wrapped. */
#define WRAPPER(NAME) \
	void __real_batch_##NAME(struct vsw_worker *, struct batch *); \
	void __wrap_batch_##NAME(struct vsw_worker *, struct batch *); \
	void \
	__wrap_batch_##NAME(struct vsw_worker *worker, struct batch *batch) \
	{ \
		uint64_t begin = is_counted ? 0 : figure_ticks(); \
\
		__real_batch_##NAME(worker, batch); \
		ticks[STATION_##NAME] += is_counted ? 0 \
					 : figure_ticks() - begin; \
	}
STATIONS(WRAPPER)

int
main(int argc, char *argv[])
{
	const char *is_short = getenv("HNV_BENCH_SHORT");

	figure_is_short = is_short && *is_short && strcmp(is_short, "0");
	if (argc == 3 && !strcmp(argv[1], "count")) {
		count(find(argv[2]));
		return EXIT_SUCCESS;
	}
	figure_names = argv + 1;
	for (unsigned i = 0; i < N_WORKS; i++)
		if (figure_is_wanted("%s", works[i].name))
			show(&works[i]);
	return EXIT_SUCCESS;
}

static void
start(struct traffic *t, const struct work *work)
{
	struct scene_options options;

	scene_options_init(&options);
	options.outer_v6 = work->outer_v6;
	options.inner_v6 = work->inner_v6;
	options.max_flows = work->n_flows ? work->n_flows
					  : RUNS * ROUND_PACKETS;
	/* Answers to the other subnet are not played. */
	if (work->way != WAY_ROUTED)
		options.max_connections = options.max_flows + 64;
	if (!work->n_flows) {
		options.n_hosts = 1000;
		options.n_remotes = figure_is_short || is_counted ? 1000
								  : 250000;
	}
	traffic_init(t, scene_new(&options), work->way,
		     work->n_flows ? work->n_flows : UINT32_MAX);
	if (work->n_flows)
		traffic_warm(t, NULL);
	else
		t->is_in_order = true;
}

/* Medians of the stations' shares, and of the whole. */
static void
show(const struct work *work)
{
	struct samples samples[N_STATIONS] = { { .n = 0 } },
		       whole = { .n = 0 };
	uint64_t n = figure_is_short ? SHORT_PACKETS : ROUND_PACKETS;
	double per_ns = figure_ticks_per_ns(), sum = 0;
	struct traffic traffic;

	start(&traffic, work);
	for (unsigned i = 0; i < figure_runs(); i++) {
		uint64_t wall = figure_clock(), cpu = figure_cpu();
		double share;

		memset(ticks, 0, sizeof ticks);
		samples_add(&whole, traffic_carry(&traffic, NULL, n));
		/* As traffic_carry() does. */
		cpu = figure_cpu() - cpu;
		share = (double) cpu / (double) (figure_clock() - wall);
		for (unsigned j = 0; j < N_STATIONS; j++)
			samples_add(&samples[j], (double) ticks[j]
						 / (double) n * share);
	}
	for (unsigned j = 0; j < N_STATIONS; j++) {
		double cycles = samples_median(&samples[j]);

		sum += cycles;
		printf("%s_%s %.2f ns  # %.1f TSC cycles\n", work->name,
		       station_names[j], cycles / per_ns, cycles);
	}
	printf("%s_rest %.2f ns\n", work->name,
	       samples_median(&whole) - sum / per_ns);
	printf("%s_whole %.2f ns  # %.1f TSC cycles\n", work->name,
	       samples_median(&whole), samples_median(&whole) * per_ns);
	fflush(stdout);
	scene_free(traffic.scene);
}

static void
count(const struct work *work)
{
	struct work smaller = *work;
	struct traffic traffic;

	is_counted = true;
	if (smaller.n_flows > COUNTED_FLOWS)
		smaller.n_flows = COUNTED_FLOWS;
	start(&traffic, &smaller);
	printf("%d %u\n", COUNTED_PACKETS, smaller.n_flows);
	traffic_carry(&traffic, NULL, COUNTED_PACKETS);
	scene_free(traffic.scene);
}

static const struct work *
find(const char *name)
{
	for (unsigned i = 0; i < N_WORKS; i++)
		if (!strcmp(works[i].name, name))
			return &works[i];
	fprintf(stderr, "no work \"%s\"\n", name);
	exit(EXIT_FAILURE);
}
