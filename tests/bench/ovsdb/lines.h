/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BENCH_OVSDB_LINES_H
#define BENCH_OVSDB_LINES_H 1

/* What is printed: for each thing that was measured the median of its runs,
 * ours, the stock server's and the first over the second, one a line,
 *
 *     name value unit
 *
 * and behind a # how many runs there were and what it must be. */

#include "tests/bench/ovsdb/peer.h"

enum { MAX_RUNS = 5 };

enum bound { NO_BOUND, RATIO_AT_LEAST, RATIO_AT_MOST, OURS_AT_LEAST,
	     OURS_AT_MOST };

struct line {
	const char *name, *unit;
	enum bound bound;
	double limit;
	bool is_plain;		/* A ratio would say nothing. */
	/* What the reader must know about the stock server's run. */
	const char *note;
	double values[N_PEERS][MAX_RUNS];
	unsigned n[N_PEERS];
};

/* One more run's figure.  Past MAX_RUNS, nothing. */
void line_add(struct line *, const struct peer *, double value);
/* Prints what was added, and forgets it; nothing if nothing was. */
void line_print(struct line *);

#endif /* bench/ovsdb/lines.h */
