/* SPDX-License-Identifier: Apache-2.0 */

/* Mappings: what a look-up costs, how fast one writer edits, and what workers
 * that forward meanwhile lose by it. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include "libvswitch/base/switch.h"
#include "libvswitch/policy/mapping.h"
#include "tests/bench/engine/figure.h"
#include "tests/bench/engine/traffic.h"

#define LOOKUPS "mapping_lookup_10k mapping_lookup_1m mapping_get_10k " \
		"mapping_get_1m"
#define EDITS "mapping_edits_per_s mapping_edit_reader_loss"

enum { SMALL = 10000, LARGE = 1000000, N_LOOKUPS = 1000000,
       N_FLOWS = 10000, N_PACKETS = 2000000,
       N_COMMIT = 1000, BATCH = 32 };

/* A mapping of a domain of its own, beside what is forwarded. */
struct bulk {
	struct vsw_domain *domain;
	struct vsw_mapping *mapping;
	uint32_t n;			/* Addresses in it. */
};

/* A thread that forwards, and what it costs it. */
struct reader {
	struct traffic traffic;
	double ns;
	_Atomic bool is_done;
};

static void lookups(struct scene *);
static double look_up(struct scene *, const struct bulk *);
static unsigned look_up_batch(const struct bulk *, uint64_t first);
static double get(const struct bulk *);
static struct vsw_addr any_addr(const struct bulk *, uint64_t i);
static void edits(struct scene *);
static double edit_while_read(struct reader *, struct scene *,
			      const struct bulk *, double *ret_per_s);
static void *forward(void *reader);
static void start(struct scene *, struct bulk *, uint32_t n);
static void done(struct bulk *);
static void set(const struct scene *, struct vsw_mapping *, uint32_t i,
		uint32_t host);
static uint64_t mix(uint64_t);

void
mapping_figures(void)
{
	struct scene_options options;
	struct scene *s;

	if (!figure_is_wanted(LOOKUPS)
	    && !figure_is_wanted(EDITS))
		return;
	scene_options_init(&options);
	options.n_hosts = 1000;
	options.max_flows = N_FLOWS;
	s = scene_new(&options);
	if (figure_is_wanted(LOOKUPS))
		lookups(s);
	if (figure_is_wanted(EDITS))
		edits(s);
	scene_free(s);
}

/* As packets feel it, and one alone, which nobody can hurry. */
static void
lookups(struct scene *s)
{
	static const struct bar flat = AT_MOST(1.5, 0);
	struct samples of_small = { .n = 0 }, of_large = { .n = 0 },
		       get_small = { .n = 0 }, get_large = { .n = 0 };
	struct bulk small, large;

	start(s, &small, figure_is_short ? 100 : SMALL);
	start(s, &large, figure_is_short ? 1000 : LARGE);
	for (unsigned i = 0; i < figure_runs(); i++) {
		samples_add(&of_small, look_up(s, &small));
		samples_add(&of_large, look_up(s, &large));
		samples_add(&get_small, get(&small));
		samples_add(&get_large, get(&large));
	}
	figure_print(samples_median(&of_small), "ns", NULL,
		     "mapping_lookup_10k");
	figure_print(samples_median(&of_large), "ns", NULL,
		     "mapping_lookup_1m");
	figure_print(samples_ratio(&of_large, &of_small), "ratio", &flat,
		     "mapping_lookup_1m_to_10k");
	figure_print(samples_median(&get_small), "ns", NULL,
		     "mapping_get_10k");
	figure_print(samples_median(&get_large), "ns", NULL,
		     "mapping_get_1m");
	figure_print(samples_ratio(&get_large, &get_small), "ratio", NULL,
		     "mapping_get_1m_to_10k");
	done(&small);
	done(&large);
}

/* As the first packets of a batch do, of addresses at random: what all of them
 * will ask for is fetched (datapath/foresee.c), then each asks, notes what the
 * answer depends on, and looks where the outer headers are. */
static double
look_up(struct scene *s, const struct bulk *bulk)
{
	uint64_t n_found = 0, n = figure_is_short ? 1024 : N_LOOKUPS;
	uint64_t start, ticks;

	reclaim_enter(&s->vsw->reclaim, 0);
	start = figure_ticks();
	for (uint64_t i = 0; i < n; i += BATCH)
		n_found += look_up_batch(bulk, i);
	ticks = figure_ticks() - start;
	reclaim_leave(&s->vsw->reclaim, 0);
	must(n_found == n ? 0 : -1, "look-up");
	return (double) ticks / figure_ticks_per_ns() / (double) n;
}

static unsigned
look_up_batch(const struct bulk *bulk, uint64_t first)
{
	const struct generations *g = &bulk->domain->vsw->generations;
	struct mapping_fetch fetches[BATCH];
	struct vsw_addr addrs[BATCH];
	unsigned n_found = 0;

	for (unsigned i = 0; i < BATCH; i++) {
		addrs[i] = any_addr(bulk, first + i);
		mapping_fetch_addr(bulk->mapping, addrs[i].bytes, addrs[i].n,
				   &fetches[i]);
	}
	for (bool is_more = true; is_more;) {
		is_more = false;
		for (unsigned i = 0; i < BATCH; i++)
			is_more |= mapping_fetch_more(&fetches[i]);
	}
	for (unsigned i = 0; i < BATCH; i++) {
		const struct place *place;
		struct dependencies deps;
		uint32_t n_places;

		dependencies_start(&deps, g);
		place = mapping_find_addr(bulk->mapping, addrs[i].bytes,
					  addrs[i].n, &deps, &n_places);
		n_found += place && place->kind == PLACE_REMOTE
			   && endpoint_outer(place->endpoint, i)->size;
	}
	return n_found;
}

/* Each begins when the one before it has ended. */
static double
get(const struct bulk *bulk)
{
	uint64_t n = figure_is_short ? 1000 : N_LOOKUPS / 4, start;
	struct vsw_location location = { .vni = 0 };

	start = figure_ticks();
	for (uint64_t i = 0; i < n; i++) {
		struct vsw_addr addr = any_addr(bulk, i + location.vni);

		must(vsw_mapping_get_addr(bulk->mapping, &addr, &location, 1)
		     == 1 ? 0 : -1, "look-up");
	}
	return (double) (figure_ticks() - start) / figure_ticks_per_ns()
	       / (double) n;
}

static struct vsw_addr
any_addr(const struct bulk *bulk, uint64_t i)
{
	uint32_t which = (uint32_t) ((mix(i) >> 32) * bulk->n >> 32);

	return scene_addr(SCENE_OWN, which, false);
}

/* In two places: a mapping of another domain than the one whose flows are
 * forwarded, and one of the same. */
static void
edits(struct scene *s)
{
	static const struct bar rate = AT_LEAST(1e6, 0),
				loss = AT_MOST(5, 0);
	struct samples none = { .n = 0 }, slowness = { .n = 0 },
		       times[2] = { { .n = 0 } }, rates[2] = { { .n = 0 } };
	uint32_t n = figure_is_short ? 1000 : LARGE;
	struct bulk apart;
	struct bulk same = { .mapping = s->own, .n = n };
	struct reader reader = { .ns = 0 };

	start(s, &apart, n);
	for (uint32_t i = 0; i < n; i++)
		set(s, s->own, i, i);
	traffic_init(&reader.traffic, s, WAY_ENCAP, N_FLOWS);
	traffic_warm(&reader.traffic, NULL);
	for (unsigned i = 0; i < figure_runs(); i++) {
		double per_s;

		samples_add(&slowness, traffic_slowness());
		samples_add(&none,
			    edit_while_read(&reader, s, NULL, &per_s));
		for (int where = 0; where < 2; where++) {
			samples_add(&times[where], edit_while_read(
					&reader, s, where ? &same : &apart,
					&per_s));
			samples_add(&rates[where], per_s);
		}
	}
	for (int where = 0; where < 2; where++) {
		const char *suffix = where ? "_same_domain" : "";

		figure_print_scaled(samples_median(&rates[where]), "1/s",
				    &rate, samples_median(&slowness),
				    "mapping_edits_per_s%s", suffix);
		figure_print(100 - 100 * samples_ratio(&none, &times[where]),
			     "%", &loss, "mapping_edit_reader_loss%s",
			     suffix);
	}
	done(&apart);
}

/* Nanoseconds a packet of who forwards, while 'bulk' is edited, a thousand
 * addresses to a transaction; NULL: while nothing is. */
static double
edit_while_read(struct reader *reader, struct scene *s,
		const struct bulk *bulk, double *ret_per_s)
{
	uint64_t n = 0, begin = figure_cpu();
	pthread_t thread;

	atomic_store(&reader->is_done, false);
	must(-pthread_create(&thread, NULL, forward, reader), "thread");
	while (bulk && !atomic_load_explicit(&reader->is_done,
					      memory_order_relaxed)) {
		uint64_t which = mix(begin + n);

		if (n % N_COMMIT == 0)
			vsw_domain_begin(bulk->mapping->domain);
		set(s, bulk->mapping,
		    (uint32_t) ((which >> 32) * bulk->n >> 32),
		    (uint32_t) which);
		if (++n % N_COMMIT == 0)
			vsw_domain_commit(bulk->mapping->domain);
	}
	if (n % N_COMMIT)
		vsw_domain_commit(bulk->mapping->domain);
	*ret_per_s = (double) n * 1e9 / (double) (figure_cpu() - begin);
	pthread_join(thread, NULL);
	return reader->ns;
}

static void *
forward(void *reader_)
{
	struct reader *reader = reader_;

	reader->ns = traffic_carry(&reader->traffic, NULL,
				   figure_is_short ? N_FLOWS : N_PACKETS);
	atomic_store(&reader->is_done, true);
	return NULL;
}

static void
start(struct scene *s, struct bulk *bulk, uint32_t n)
{
	bulk->n = n;
	must(vsw_domain_new(s->vsw, "apart", &bulk->domain), "domain");
	must(vsw_domain_set_uplink(bulk->domain, s->wire), "uplink");
	must(vsw_mapping_new(bulk->domain, "apart", 6001, &bulk->mapping),
	     "mapping");
	for (uint32_t i = 0; i < n; i++)
		set(s, bulk->mapping, i, i);
}

static void
done(struct bulk *bulk)
{
	vsw_mapping_unref(bulk->mapping);
	vsw_domain_unref(bulk->domain);
}

static void
set(const struct scene *s, struct vsw_mapping *mapping, uint32_t i,
    uint32_t host)
{
	struct vsw_addr addr = scene_addr(SCENE_OWN, i, false);
	struct vsw_location location = scene_location(s, SCENE_OWN, host);

	must(vsw_mapping_set_addr(mapping, &addr, &location, 1), "address");
}

static uint64_t
mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	return x ^ x >> 29;
}
