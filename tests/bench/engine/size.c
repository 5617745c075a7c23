/* SPDX-License-Identifier: Apache-2.0 */

/* What things weigh: what the switch has from its allocator with many of them,
 * less what it has with few. */

#include <stdio.h>
#include <stdlib.h>
#include "tests/bench/engine/figure.h"
#include "tests/bench/engine/traffic.h"

enum { FEW = 64, MANY_FLOWS = 1000000, MANY_REMOTES = 250000,
       N_RULES = 1000, N_PREFIXES = 100 };

struct weight {
	struct vsw_allocator allocator;
	size_t now, most;
};

static double of_flows(void);
static double of_mappings(void);
static double of_group(uint32_t n_prefixes, double *ret_most);
static size_t weigh_flows(uint32_t n);
static size_t weigh_mappings(uint32_t n_remotes, size_t *ret_n);
static void weight_init(struct weight *);
static void *allocate(void *weight, size_t alignment, size_t size);
static void release(void *weight, void *memory, size_t size);

void
size_figures(void)
{
	static const struct bar flow = AT_MOST(192, 0),
				mapping = AT_MOST(64, 0),
				rule = AT_MOST(128, 0);
	double most;

	if (figure_is_wanted("bytes_per_flow"))
		figure_print(of_flows(), "bytes", &flow, "bytes_per_flow");
	if (figure_is_wanted("bytes_per_mapping"))
		figure_print(of_mappings(), "bytes", &mapping,
			     "bytes_per_mapping");
	if (figure_is_wanted("bytes_per_rule"))
		figure_print(of_group(0, &most), "bytes", &rule,
			     "bytes_per_rule");
	if (figure_is_wanted("bytes_per_prefix")) {
		double bytes = of_group(N_PREFIXES, &most);

		figure_print(bytes / N_PREFIXES, "bytes", NULL,
			     "bytes_per_prefix");
		figure_print(most / N_PREFIXES, "bytes", NULL,
			     "bytes_per_prefix_while_sealing");
	}
}

/* The table's own room is granted when the worker is made. */
static double
of_flows(void)
{
	uint32_t n = figure_is_short ? 1000 : MANY_FLOWS;

	return (double) (weigh_flows(n) - weigh_flows(FEW)) / (n - FEW);
}

static double
of_mappings(void)
{
	size_t n_few, n_many;
	size_t many = weigh_mappings(figure_is_short ? 1000 : MANY_REMOTES,
				     &n_many);
	size_t few = weigh_mappings(FEW, &n_few);

	return (double) (many - few) / (double) (n_many - n_few);
}

/* Of each rule of a group that is like the scene's. */
static double
of_group(uint32_t n_prefixes, double *ret_most)
{
	struct scene_options options;
	struct weight weight;
	struct vsw_group *group;
	struct scene *s;
	size_t before;
	double bytes;

	weight_init(&weight);
	scene_options_init(&options);
	options.allocator = &weight.allocator;
	s = scene_new(&options);
	options.n_prefixes = n_prefixes;
	before = weight.most = weight.now;
	group = scene_acl(s->vsw, &options, VSW_OUT, 1);
	bytes = (double) (weight.now - before) / N_RULES;
	*ret_most = (double) (weight.most - before) / N_RULES;
	vsw_group_unref(group);
	scene_free(s);
	return bytes;
}

static size_t
weigh_flows(uint32_t n)
{
	struct scene_options options;
	struct traffic traffic;
	struct weight weight;
	size_t bytes;

	weight_init(&weight);
	scene_options_init(&options);
	options.allocator = &weight.allocator;
	options.max_flows = n;
	traffic_init(&traffic, scene_new(&options), WAY_ENCAP, n);
	traffic_warm(&traffic, NULL);
	bytes = weight.now;
	scene_free(traffic.scene);
	must(weight.now ? -1 : 0, "memory is left");
	return bytes;
}

static size_t
weigh_mappings(uint32_t n_remotes, size_t *ret_n)
{
	struct scene_options options;
	struct weight weight;
	struct scene *s;
	size_t bytes;

	weight_init(&weight);
	scene_options_init(&options);
	options.allocator = &weight.allocator;
	options.n_remotes = n_remotes;
	s = scene_new(&options);
	*ret_n = vsw_mapping_n_entries(s->own)
		 + vsw_mapping_n_entries(s->other);
	bytes = weight.now;
	scene_free(s);
	return bytes;
}

static void
weight_init(struct weight *weight)
{
	*weight = (struct weight) {
		.allocator = { allocate, release, weight }
	};
}

static void *
allocate(void *weight_, size_t alignment, size_t size)
{
	struct weight *weight = weight_;
	void *memory;

	if (posix_memalign(&memory, alignment < sizeof(void *)
			   ? sizeof(void *) : alignment, size))
		return NULL;
	weight->now += size;
	if (weight->now > weight->most)
		weight->most = weight->now;
	return memory;
}

static void
release(void *weight_, void *memory, size_t size)
{
	struct weight *weight = weight_;

	weight->now -= size;
	free(memory);
}
