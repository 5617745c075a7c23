/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/bench/engine/figure.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

bool figure_is_short;
char **figure_names;

static bool has_part(const char *name, const char *part);
static double median(const double values[], unsigned n);
static int compare(const void *, const void *);
static void print(double value, const char *unit, const struct bar *,
		  double slowness, const char *format, va_list);
static void print_bar(const char *what, double value, double limit,
		      const struct bar *);
static void print_number(double);

void
samples_add(struct samples *samples, double value)
{
	if (samples->n < RUNS)
		samples->values[samples->n++] = value;
}

double
samples_median(const struct samples *samples)
{
	return median(samples->values, samples->n);
}

double
samples_ratio(const struct samples *samples, const struct samples *by)
{
	double ratios[RUNS];
	unsigned n = samples->n < by->n ? samples->n : by->n;

	for (unsigned i = 0; i < n; i++)
		ratios[i] = samples->values[i] / by->values[i];
	return median(ratios, n);
}

unsigned
figure_runs(void)
{
	return figure_is_short ? 1 : RUNS;
}

bool
figure_is_wanted(const char *format, ...)
{
	char name[64];
	va_list args;

	va_start(args, format);
	vsnprintf(name, sizeof name, format, args);
	va_end(args);
	for (char **part = figure_names; part && *part; part++)
		if (has_part(name, *part))
			return true;
	return !figure_names || !*figure_names;
}

void
figure_print(double value, const char *unit, const struct bar *bar,
	     const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(value, unit, bar, 1, format, args);
	va_end(args);
}

void
figure_print_scaled(double value, const char *unit, const struct bar *bar,
		    double slowness, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(value, unit, bar, slowness, format, args);
	va_end(args);
}

uint64_t
figure_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t) t.tv_sec * 1000000000 + (uint64_t) t.tv_nsec;
}

uint64_t
figure_cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t) t.tv_sec * 1000000000 + (uint64_t) t.tv_nsec;
}

/* The longest stretch there is says it best: since this was first asked. */
double
figure_ticks_per_ns(void)
{
	static uint64_t first_ticks, first_ns;
	uint64_t ns = figure_clock();

	if (!first_ns) {
		first_ns = ns;
		first_ticks = figure_ticks();
	}
	while (ns - first_ns < 20000000)
		ns = figure_clock();
	return (double) (figure_ticks() - first_ticks)
	       / (double) (ns - first_ns);
}

void
must(int error, const char *what)
{
	if (!error)
		return;
	fprintf(stderr, "%s: %s\n", what, strerror(-error));
	exit(EXIT_FAILURE);
}

/* Between its ends and underscores. */
static bool
has_part(const char *name, const char *part)
{
	size_t n = strlen(part);

	for (const char *at = name; (at = strstr(at, part)); at++)
		if ((at == name || strchr("_ ", at[-1]))
		    && (!at[n] || strchr("_ ", at[n])))
			return true;
	return false;
}

static double
median(const double values[], unsigned n)
{
	double sorted[RUNS];

	if (!n)
		return 0;
	memcpy(sorted, values, n * sizeof *values);
	qsort(sorted, n, sizeof *sorted, compare);
	return (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
}

static int
compare(const void *a_, const void *b_)
{
	const double *a = a_, *b = b_;

	return (*a > *b) - (*a < *b);
}

static void
print(double value, const char *unit, const struct bar *bar, double slowness,
      const char *format, va_list args)
{
	vprintf(format, args);
	putchar(' ');
	print_number(value);
	printf(" %s", unit);
	if (bar && !figure_is_short) {
		/* A slower machine has longer times and lower rates. */
		double factor = bar->is_least ? 1 / slowness : slowness;
		double limit = bar->must * factor;

		printf("  #");
		if (bar->must)
			print_bar("must", value, limit, bar);
		if (bar->aim)
			print_bar("aim", value, bar->aim * factor, bar);
		if (bar->must)
			printf(": %s", (bar->is_least ? value >= limit
						      : value <= limit)
					       ? "PASS" : "SHORT");
	}
	putchar('\n');
	fflush(stdout);
}

static void
print_bar(const char *what, double value, double limit,
	  const struct bar *bar)
{
	printf(" %.2f of %s ",
	       bar->is_least ? limit / value : value / limit, what);
	print_number(limit);
}

static void
print_number(double number)
{
	double size = number < 0 ? -number : number;

	printf("%.*f", size >= 1000 ? 0 : size >= 10 ? 1 : 2, number);
}
