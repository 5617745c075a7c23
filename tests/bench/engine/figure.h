/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BENCH_ENGINE_FIGURE_H
#define BENCH_ENGINE_FIGURE_H 1

/* What is measured, and how it is said: medians of five runs, one a line,
 *
 *     name value unit  # X.XX of must N, X.XX of aim N: PASS
 *
 * where "of" is how much of the bar there is, for a rate as for a time: up to
 * 1.00 is good.  Times and rates are held against bars that are written for a
 * machine on which the floor (floor.h) is 18 ns with 10,000 flows; on another
 * machine the bars move with it, and the line says where to. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Small tables, few packets, no bars: that everything works, not how fast.
 * HNV_BENCH_SHORT=1. */
extern bool figure_is_short;
/* Parts of names of figures that are asked for, of whole words; ends with NULL.
 * None: all. */
extern char **figure_names;

struct bar {
	double must, aim;		/* 0: none. */
	bool is_least;			/* At least; else at most. */
};
#define AT_MOST(MUST, AIM) { .must = (MUST), .aim = (AIM) }
#define AT_LEAST(MUST, AIM) { .must = (MUST), .aim = (AIM), .is_least = true }

enum { RUNS = 5 };

/* Of one thing, in the order of the runs. */
struct samples {
	double values[RUNS];
	unsigned n;
};

void samples_add(struct samples *, double value);
double samples_median(const struct samples *);
/* Of the quotients of what was measured in the same run. */
double samples_ratio(const struct samples *, const struct samples *by);

/* How many runs there are to be. */
unsigned figure_runs(void);
/* Is it asked for?  See figure_names. */
bool figure_is_wanted(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* 'bar' may be NULL. */
void figure_print(double value, const char *unit, const struct bar *bar,
		  const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* The same with the bar moved by 'slowness', of this machine. */
void figure_print_scaled(double value, const char *unit, const struct bar *,
			 double slowness, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* Nanoseconds that this thread ran: what others do meanwhile is none of it. */
uint64_t figure_cpu(void);
/* Nanoseconds; and what is cheap enough to be asked twice a batch, in units of
 * which there are figure_ticks_per_ns(). */
uint64_t figure_clock(void);
double figure_ticks_per_ns(void);

static inline uint64_t
figure_ticks(void)
{
#ifdef __x86_64__
	return __builtin_ia32_rdtsc();
#else
	return figure_clock();
#endif
}

/* Ends the program if there is an error. */
void must(int error, const char *what);

/* The kinds, a file for each. */
void hit_figures(void);
void first_figures(void);
void mapping_figures(void);
void group_figures(void);
void attack_figures(void);
void connection_figures(void);
void worker_figures(void);
void size_figures(void);

/* For hit.sh: so many batches of hits each way. */
void hit_only(uint64_t n_batches);

/* For generator.c: a file with frames. */
void frames_write(const char *name);

#endif /* bench/engine/figure.h */
