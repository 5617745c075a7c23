/* SPDX-License-Identifier: Apache-2.0 */

/* Cache hits of established connections, in turns with the floor on the same
 * packets. */

#include <stdio.h>
#include <stdlib.h>
#include "tests/bench/engine/figure.h"
#include "tests/bench/engine/traffic.h"

/* What is carried, and which name it has. */
struct kind {
	const char *name;
	uint8_t encap;
	bool outer_v6, inner_v6;
	enum way way;
};

/* Of how many flows, and what it must cost where the floor is as here.  For
 * 100,000 nothing is set: twice the floor, as everywhere. */
struct scale {
	const char *name;
	uint32_t n_flows;
	double floor_encap, floor_decap;
	struct bar encap, decap;
};

static const struct bar to_floor = AT_MOST(2, 1.4),
			to_plain = AT_MOST(1.3, 1.1);

static const struct scale scales[] = {
	{ "1", 1, 18, 16, AT_MOST(32, 24), AT_MOST(32, 22) },
	{ "10k", 10000, 18, 16, AT_MOST(38, 28), AT_MOST(38, 26) },
	{ "100k", 100000, 23, 20, AT_MOST(46, 32), AT_MOST(40, 28) },
	{ "1m", 1000000, 39, 34, AT_MOST(65, 45), AT_MOST(65, 40) },
};

static const struct kind encap_kind = {
	"encap_hit", VSW_ENCAP_VXLAN, .way = WAY_ENCAP
}, decap_kind = {
	"decap_hit", VSW_ENCAP_VXLAN, .way = WAY_DECAP
};

/* Each beside one of the two above. */
static const struct kind others[] = {
	{ "encap_routed_hit", VSW_ENCAP_VXLAN, .way = WAY_ROUTED },
	{ "encap_nvgre_hit", VSW_ENCAP_NVGRE, .way = WAY_ENCAP },
	{ "decap_nvgre_hit", VSW_ENCAP_NVGRE, .way = WAY_DECAP },
	{ "encap_outer6_hit", VSW_ENCAP_VXLAN, true, .way = WAY_ENCAP },
	{ "decap_outer6_hit", VSW_ENCAP_VXLAN, true, .way = WAY_DECAP },
	{ "encap_inner6_hit", VSW_ENCAP_VXLAN, .inner_v6 = true,
	  .way = WAY_ENCAP },
	{ "decap_inner6_hit", VSW_ENCAP_VXLAN, .inner_v6 = true,
	  .way = WAY_DECAP },
};

enum { N_SCALES = sizeof scales / sizeof *scales,
       N_OTHERS = sizeof others / sizeof *others,
       ROUND_PACKETS = 400000, SHORT_PACKETS = 2000 };

static void compare_to_floor(const struct kind *, const struct scale *);
static void compare_to_other(const struct kind *, const struct scale *);
static void start(struct traffic *, const struct kind *, uint32_t n_flows);
static uint64_t packets(uint32_t n_flows);

void
hit_figures(void)
{
	for (unsigned i = 0; i < N_SCALES; i++) {
		compare_to_floor(&encap_kind, &scales[i]);
		compare_to_floor(&decap_kind, &scales[i]);
	}
	for (unsigned i = 0; i < N_OTHERS; i++)
		for (unsigned scale = 1; scale < N_SCALES; scale += 2)
			compare_to_other(&others[i], &scales[scale]);
}

void
hit_only(uint64_t n_batches)
{
	struct traffic encap, decap;

	figure_is_short = true;
	start(&encap, &encap_kind, 1);
	start(&decap, &decap_kind, 1);
	traffic_warm(&encap, NULL);
	traffic_warm(&decap, NULL);
	traffic_carry(&encap, NULL, n_batches * 32);
	traffic_carry(&decap, NULL, n_batches * 32);
	scene_free(encap.scene);
	scene_free(decap.scene);
}

/* In the same rounds, so that what else the machine does comes over both. */
static void
compare_to_floor(const struct kind *kind, const struct scale *scale)
{
	bool is_decap = kind->way == WAY_DECAP;
	double reference = is_decap ? scale->floor_decap
				    : scale->floor_encap;
	struct samples engine = { .n = 0 }, bottom = { .n = 0 };
	uint32_t n_flows = figure_is_short && scale->n_flows > 1000
			   ? 1000 : scale->n_flows;
	struct traffic traffic;
	struct floor *floor;

	if (!figure_is_wanted("%s_%s", kind->name, scale->name))
		return;
	start(&traffic, kind, n_flows);
	floor = floor_new(n_flows);
	traffic_warm(&traffic, NULL);
	traffic_warm(&traffic, floor);
	for (unsigned i = 0; i < figure_runs(); i++) {
		samples_add(&engine,
			    traffic_carry(&traffic, NULL, packets(n_flows)));
		samples_add(&bottom,
			    traffic_carry(&traffic, floor, packets(n_flows)));
	}
	figure_print(samples_median(&bottom), "ns", NULL, "floor_%s_%s",
		     is_decap ? "decap" : "encap", scale->name);
	figure_print_scaled(samples_median(&engine), "ns",
			    is_decap ? &scale->decap : &scale->encap,
			    samples_median(&bottom) / reference, "%s_%s",
			    kind->name, scale->name);
	figure_print(samples_ratio(&engine, &bottom), "ratio",
		     &to_floor, "%s_%s_to_floor", kind->name,
		     scale->name);
	floor_free(floor);
	scene_free(traffic.scene);
}

static void
compare_to_other(const struct kind *kind, const struct scale *scale)
{
	const struct kind *plain_kind = kind->way == WAY_DECAP
					? &decap_kind : &encap_kind;
	struct samples special = { .n = 0 }, plain = { .n = 0 };
	uint32_t n_flows = figure_is_short ? 1000 : scale->n_flows;
	struct traffic of_kind, of_plain;

	if (!figure_is_wanted("%s_%s", kind->name, scale->name))
		return;
	start(&of_kind, kind, n_flows);
	start(&of_plain, plain_kind, n_flows);
	traffic_warm(&of_kind, NULL);
	traffic_warm(&of_plain, NULL);
	for (unsigned i = 0; i < figure_runs(); i++) {
		samples_add(&special,
			    traffic_carry(&of_kind, NULL, packets(n_flows)));
		samples_add(&plain,
			    traffic_carry(&of_plain, NULL, packets(n_flows)));
	}
	figure_print(samples_median(&special), "ns", NULL, "%s_%s",
		     kind->name, scale->name);
	figure_print(samples_ratio(&special, &plain), "ratio",
		     &to_plain, "%s_%s_to_plain",
		     kind->name, scale->name);
	scene_free(of_kind.scene);
	scene_free(of_plain.scene);
}

static void
start(struct traffic *t, const struct kind *kind, uint32_t n_flows)
{
	struct scene_options options;

	scene_options_init(&options);
	options.max_flows = n_flows;
	options.encap = kind->encap;
	options.outer_v6 = kind->outer_v6;
	options.inner_v6 = kind->inner_v6;
	/* Established ones; answers to the other subnet are not played. */
	if (kind->way != WAY_ROUTED)
		options.max_connections = n_flows + 64;
	traffic_init(t, scene_new(&options), kind->way, n_flows);
}

static uint64_t
packets(uint32_t n_flows)
{
	if (figure_is_short)
		return SHORT_PACKETS;
	return n_flows > ROUND_PACKETS ? n_flows : ROUND_PACKETS;
}
