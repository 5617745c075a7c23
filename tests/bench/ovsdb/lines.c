/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/bench/ovsdb/lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double median(const struct line *, unsigned which);
static void print_value(const char *prefix, const char *name, double value,
			const char *unit);
static void print_mark(const struct line *, double value);
static int compare(const void *, const void *);

void
line_add(struct line *line, const struct peer *peer, double value)
{
	unsigned *n = &line->n[peer->which];

	if (*n < MAX_RUNS)
		line->values[peer->which][(*n)++] = value;
}

void
line_print(struct line *line)
{
	double value[N_PEERS];

	for (unsigned which = 0; which < N_PEERS; which++) {
		if (!line->n[which])
			continue;
		value[which] = median(line, which);
		print_value(which == STOCK ? "stock_" : "", line->name,
			    value[which], line->unit);
		printf("  # %u run%s", line->n[which],
		       line->n[which] == 1 ? "" : "s");
		if (which == STOCK && line->note)
			printf("; %s", line->note);
		if (which == OURS && (line->bound == OURS_AT_MOST
				      || line->bound == OURS_AT_LEAST))
			print_mark(line, value[which]);
		putchar('\n');
	}
	if (line->n[OURS] && line->n[STOCK] && value[STOCK] > 0
	    && !line->is_plain) {
		char name[64];

		snprintf(name, sizeof name, "%s_ratio", line->name);
		print_value("", name, value[OURS] / value[STOCK],
			    "ours/stock");
		if (line->bound == RATIO_AT_LEAST
		    || line->bound == RATIO_AT_MOST) {
			printf("  #");
			print_mark(line, value[OURS] / value[STOCK]);
		}
		putchar('\n');
	}
	fflush(stdout);
	memset(line->n, 0, sizeof line->n);
}

static double
median(const struct line *line, unsigned which)
{
	double sorted[MAX_RUNS];
	unsigned n = line->n[which];

	memcpy(sorted, line->values[which], sizeof sorted);
	qsort(sorted, n, sizeof *sorted, compare);
	return (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
}

static int
compare(const void *a_, const void *b_)
{
	const double *a = a_, *b = b_;

	return *a < *b ? -1 : *a > *b;
}

static void
print_value(const char *prefix, const char *name, double value,
	    const char *unit)
{
	int precision = value >= 1000 ? 0 : value >= 10 ? 1
			: value >= 0.1 ? 3 : 5;

	printf("%s%s %.*f %s", prefix, name, precision, value, unit);
}

static void
print_mark(const struct line *line, double value)
{
	bool is_least = line->bound == RATIO_AT_LEAST
			|| line->bound == OURS_AT_LEAST;

	printf(" must be %s %.*f: %s", is_least ? ">=" : "<=",
	       line->limit < 1 ? 3 : 0, line->limit,
	       is_least ? value >= line->limit ? "PASS" : "SHORT"
	       : value <= line->limit ? "PASS" : "SHORT");
}
