/* SPDX-License-Identifier: Apache-2.0 */

/* Two workers of one switch, on two cores, with flows of their own: what they
 * carry together, beside what one carries alone. */

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
#include "tests/bench/engine/figure.h"
#include "tests/bench/engine/traffic.h"

enum { N_FLOWS = 10000, N_PACKETS = 2000000 };

struct half {
	struct traffic traffic;
	pthread_barrier_t *together;	/* NULL: alone. */
	double ns;
};

static void *carry(void *half);
static double carry_both(struct half halves[2]);

void
worker_figures(void)
{
	static const struct bar bar = AT_LEAST(1.9, 0);
	struct samples one = { .n = 0 }, both = { .n = 0 };
	struct scene_options options;
	struct vsw_worker *second;
	struct half halves[2] = { { .ns = 0 } };
	struct scene *s;

	if (!figure_is_wanted("two_workers"))
		return;
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		printf("not run: two_workers: one processor alone\n");
		return;
	}
	scene_options_init(&options);
	options.max_flows = N_FLOWS;
	s = scene_new(&options);
	must(vsw_worker_new(s->vsw, &second), "worker");
	for (int i = 0; i < 2; i++) {
		traffic_init(&halves[i].traffic, s, WAY_ENCAP, N_FLOWS);
		halves[i].traffic.first = i ? N_FLOWS : 0;
	}
	halves[1].traffic.worker = second;
	for (int i = 0; i < 2; i++)
		traffic_warm(&halves[i].traffic, NULL);
	for (unsigned i = 0; i < figure_runs(); i++) {
		carry(&halves[0]);
		samples_add(&one, 1e9 / halves[0].ns);
		samples_add(&both, carry_both(halves));
	}
	figure_print(samples_median(&one), "1/s", NULL, "one_worker");
	figure_print(samples_median(&both), "1/s", NULL, "two_workers");
	figure_print(samples_ratio(&both, &one), "ratio", &bar,
		     "two_workers_to_one");
	vsw_worker_free(second);
	scene_free(s);
}

static void *
carry(void *half_)
{
	struct half *half = half_;

	if (half->together)
		pthread_barrier_wait(half->together);
	half->ns = traffic_carry(&half->traffic, NULL,
				 figure_is_short ? N_FLOWS : N_PACKETS);
	return NULL;
}

/* Packets a second. */
static double
carry_both(struct half halves[2])
{
	pthread_barrier_t together;
	pthread_t thread;

	pthread_barrier_init(&together, NULL, 2);
	halves[0].together = halves[1].together = &together;
	must(-pthread_create(&thread, NULL, carry, &halves[1]), "thread");
	carry(&halves[0]);
	pthread_join(thread, NULL);
	halves[0].together = halves[1].together = NULL;
	pthread_barrier_destroy(&together);
	return 1e9 / halves[0].ns + 1e9 / halves[1].ns;
}
