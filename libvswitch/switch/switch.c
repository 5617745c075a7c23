/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/base/switch.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "libvswitch/base/ear.h"
#include "libvswitch/base/memory.h"
#include "libvswitch/connection/connection.h"
#include "libvswitch/policy/entry.h"

enum {
	DOMAINS_MAX = 16384,
	EVENTS_PER_S = 1000,
	NEW_FLOWS_PER_S = 40000,
	PORTS_MAX = 65535,
	STRIPES_MIN = 1024,
	STRIPES_MAX = 1 << 20,		/* 4 MB, if they are used. */
	WORKERS_MAX = 256,
	CONNECTIONS_MAX = 1 << 26
};

#define STRING_OF(x) #x
#define STRING(x) STRING_OF(x)

static int check(const struct vsw_options *);
static void take_options(struct vsw *, const struct vsw_options *);
static void default_to(uint32_t *option, uint32_t value);
static uint32_t count_stripes(uint32_t max_flows);
static int choose_seed(struct vsw *);
static size_t ports_size(const struct vsw *);
static size_t numbers_size(const struct vsw *);
static size_t workers_size(const struct vsw *);
static size_t ears_size(const struct vsw *);
static void complain(const struct vsw *, size_t n, const char *what);

int
vsw_new(const struct vsw_options *options, struct vsw **ret_switch)
{
	struct vsw_allocator allocator = options->allocator;
	struct vsw *vsw;
	int error = check(options);

	if (error)
		return error;
	if (!allocator.alloc)
		allocator = memory_own;
	vsw = memory_alloc(&allocator, 0, sizeof *vsw);
	if (!vsw)
		return -ENOMEM;
	take_options(vsw, options);
	vsw->allocator = allocator;
	error = -EINVAL;
	if (vsw->options.max_connections > CONNECTIONS_MAX)
		goto free_switch;
	error = choose_seed(vsw);
	if (error)
		goto free_switch;
	error = -ENOMEM;
	vsw->ports = memory_alloc(&allocator, 0, ports_size(vsw));
	vsw->port_numbers = memory_alloc(&allocator, 0, numbers_size(vsw));
	vsw->workers = memory_alloc(&allocator, 0, workers_size(vsw));
	vsw->ears = memory_alloc(&allocator, 0, ears_size(vsw));
	if (!vsw->ports || !vsw->port_numbers || !vsw->workers || !vsw->ears)
		goto free_arrays;
	error = reclaim_init(&vsw->reclaim, &allocator, options->max_workers);
	if (error)
		goto free_arrays;
	error = generations_init(&vsw->generations, &allocator,
				 1 + options->max_ports + 2 * DOMAINS_MAX,
				 count_stripes(options->max_flows));
	if (error)
		goto free_reclaim;
	error = entry_pool_new(vsw, &vsw->entries);
	if (error)
		goto free_generations;
	*ret_switch = vsw;
	return 0;
free_generations:
	generations_done(&vsw->generations, &allocator);
free_reclaim:
	reclaim_done(&vsw->reclaim, &allocator);
free_arrays:
	memory_free(&allocator, vsw->ears, ears_size(vsw));
	memory_free(&allocator, vsw->workers, workers_size(vsw));
	memory_free(&allocator, vsw->port_numbers, numbers_size(vsw));
	memory_free(&allocator, vsw->ports, ports_size(vsw));
free_switch:
	memory_free(&allocator, vsw, sizeof *vsw);
	return error;
}

void
vsw_free(struct vsw *vsw)
{
	struct vsw_allocator allocator;
	size_t n_workers = 0;

	if (!vsw)
		return;
	for (uint32_t i = 0; i < vsw->options.max_workers; i++)
		n_workers += vsw->workers[i] != NULL;
	complain(vsw, n_workers, "workers");
	reclaim_run(&vsw->reclaim);
	complain(vsw, atomic_load(&vsw->port_names.n), "ports");
	complain(vsw, vsw->n_programs, "programs");
	complain(vsw, vsw->n_groups, "groups");
	complain(vsw, vsw->n_sets, "sets");
	complain(vsw, vsw->n_domains, "domains");

	allocator = vsw->allocator;
	table_done(&vsw->port_names);
	reclaim_done(&vsw->reclaim, &allocator);
	table_done(&vsw->layers);
	entry_pool_free(vsw->entries);
	generations_done(&vsw->generations, &allocator);
	connections_free(atomic_load(&vsw->connections));
	memory_free(&allocator, vsw->ears, ears_size(vsw));
	memory_free(&allocator, vsw->workers, workers_size(vsw));
	memory_free(&allocator, vsw->port_numbers, numbers_size(vsw));
	memory_free(&allocator, vsw->ports, ports_size(vsw));
	memory_free(&allocator, vsw, sizeof *vsw);
}

const char *
vsw_version(void)
{
	return STRING(VSW_VERSION_MAJOR) "." STRING(VSW_VERSION_MINOR) "."
	       STRING(VSW_VERSION_PATCH);
}

static int
check(const struct vsw_options *options)
{
	if (options->size < offsetof(struct vsw_options, max_new_flows_per_s)
	    || !options->allocator.alloc != !options->allocator.free
	    || !options->max_ports || options->max_ports > PORTS_MAX
	    || !options->max_workers || options->max_workers > WORKERS_MAX
	    || !options->max_flows)
		return -EINVAL;
	return 0;
}

/* The embedder's options may be longer or shorter than ours. */
static void
take_options(struct vsw *vsw, const struct vsw_options *options)
{
	size_t size = options->size < sizeof *options ? options->size
						      : sizeof *options;

	vsw_options_init(&vsw->options);
	memcpy(&vsw->options, options, size);
	if (!vsw->options.max_new_flows_per_s)
		vsw->options.max_new_flows_per_s = NEW_FLOWS_PER_S;
	default_to(&vsw->options.max_connections, 1048576);
	default_to(&vsw->options.max_port_connections, 262144);
	default_to(&vsw->options.max_port_half_open, 16384);
	default_to(&vsw->options.max_port_connections_per_s, 100000);
	default_to(&vsw->options.tcp_half_open_s, 60);
	default_to(&vsw->options.tcp_established_s, 7440);
	default_to(&vsw->options.tcp_closing_s, 120);
	default_to(&vsw->options.tcp_reset_s, 30);
	default_to(&vsw->options.udp_single_s, 30);
	default_to(&vsw->options.udp_s, 300);
	default_to(&vsw->options.icmp_s, 60);
	default_to(&vsw->options.other_s, 600);
	default_to(&vsw->options.max_events_per_s, EVENTS_PER_S);
}

static void
default_to(uint32_t *option, uint32_t value)
{
	if (!*option)
		*option = value;
}

/* So many that an edit of one address takes few flows with it. */
static uint32_t
count_stripes(uint32_t max_flows)
{
	uint32_t n = STRIPES_MIN;

	while (n < STRIPES_MAX && n / 256 < max_flows)
		n *= 2;
	return n;
}

static int
choose_seed(struct vsw *vsw)
{
	vsw->seed = vsw->options.hash_seed;
	while (!vsw->seed)
		if (getrandom(&vsw->seed, sizeof vsw->seed, 0) < 0
		    && errno != EINTR)
			return -errno;
	vsw->secret = hash_secret_of(vsw->seed);
	return 0;
}

static size_t
ports_size(const struct vsw *vsw)
{
	return vsw->options.max_ports * sizeof *vsw->ports;
}

static size_t
numbers_size(const struct vsw *vsw)
{
	return (vsw->options.max_ports + 63) / 64
	       * sizeof *vsw->port_numbers;
}

static size_t
workers_size(const struct vsw *vsw)
{
	return vsw->options.max_workers * sizeof(struct vsw_worker *);
}

static size_t
ears_size(const struct vsw *vsw)
{
	return vsw->options.max_workers * sizeof(struct ear);
}

static void
complain(const struct vsw *vsw, size_t n, const char *what)
{
	if (n)
		switch_log(vsw, VSW_LOG_ERROR,
			   "switch is freed with %zu %s alive: their memory "
			   "is lost", n, what);
}
