/* SPDX-License-Identifier: Apache-2.0 */

/* First packets of flows: layers, groups, rules, mappings, a new connection, a
 * new flow. */

#include <stdio.h>
#include "tests/bench/engine/figure.h"
#include "tests/bench/engine/traffic.h"

enum { ROUND_FLOWS = 100000, SHORT_FLOWS = 1000 };

struct first {
	struct traffic traffic;
	struct samples ns;
};

static void start(struct first *, uint32_t n_groups, uint32_t n_prefixes,
		  uint32_t max_flows);
static void run(struct first *);

/* Half of the flows are routed into another subnet. */
void
first_figures(void)
{
	static const struct bar time = AT_MOST(1500, 500),
				flat = AT_MOST(1.5, 1.05);
	bool is_plain = figure_is_wanted("first_packet"),
	     is_full = figure_is_wanted("first_packet_full"),
	     is_grouped = figure_is_wanted("first_packet_groups");
	struct samples slowness = { .n = 0 };
	struct first plain, full, grouped;

	if (!is_plain && !is_full && !is_grouped)
		return;
	start(&plain, 1, 0, RUNS * ROUND_FLOWS);
	start(&full, 1, 0, SHORT_FLOWS);
	if (is_grouped)
		start(&grouped, 10, figure_is_short ? 5 : 100,
		      RUNS * ROUND_FLOWS);
	traffic_carry(&full.traffic, NULL, SHORT_FLOWS);
	for (unsigned i = 0; i < figure_runs(); i++) {
		samples_add(&slowness, traffic_slowness());
		run(&plain);
		run(&full);
		if (is_grouped)
			run(&grouped);
	}
	figure_print_scaled(samples_median(&plain.ns), "ns", &time,
			    samples_median(&slowness), "first_packet");
	figure_print_scaled(samples_median(&full.ns), "ns", &time,
			    samples_median(&slowness), "first_packet_full");
	if (is_grouped) {
		figure_print(samples_median(&grouped.ns), "ns", NULL,
			     "first_packet_groups");
		figure_print(samples_ratio(&grouped.ns, &plain.ns), "ratio",
			     &flat, "first_packet_groups_to_one");
		figure_print(grouped.traffic.scene->seal_ms / 20, "ms", NULL,
			     "group_seal_1000_rules_100_prefixes");
		scene_free(grouped.traffic.scene);
	}
	figure_print(plain.traffic.scene->seal_ms / 2, "ms", NULL,
		     "group_seal_1000_rules");
	scene_free(plain.traffic.scene);
	scene_free(full.traffic.scene);
}

static void
start(struct first *first, uint32_t n_groups, uint32_t n_prefixes,
      uint32_t max_flows)
{
	struct scene_options options;

	scene_options_init(&options);
	options.max_flows = options.max_connections = max_flows;
	options.n_groups = n_groups;
	options.n_prefixes = n_prefixes;
	options.n_hosts = 1000;
	/* With a MAC and an address in either of two subnets: a million. */
	options.n_remotes = figure_is_short ? 1000 : 250000;
	*first = (struct first) { .ns.n = 0 };
	traffic_init(&first->traffic, scene_new(&options), WAY_MIXED,
		     UINT32_MAX);
	first->traffic.is_in_order = true;
}

/* None that has been seen: 'next' goes on. */
static void
run(struct first *first)
{
	samples_add(&first->ns,
		    traffic_carry(&first->traffic, NULL,
				  figure_is_short ? SHORT_FLOWS
						  : ROUND_FLOWS));
}
