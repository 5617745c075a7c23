/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BASE_CHORE_H
#define BASE_CHORE_H 1

/* What the main thread spends its time on.  Everybody waits while it does
 * anything: a transaction for the audit, a packet that is punted for a
 * transaction.  So each chore says when it begins and ends, and turns of the
 * loop that took long can be looked at afterwards, chore by chore.
 *
 * A chore costs two looks at the clock, some 50 ns: it is not for what is done
 * for each row.  [control] */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum chore {
	CHORE_REQUEST,		/* A message: read, and executed. */
	CHORE_COMMIT,		/* Constraints, rows that are published. */
	CHORE_RECORD,		/* Its words in the file. */
	CHORE_TELL,		/* Monitors, and whoever observes else. */
	CHORE_SERVER,		/* What waited for the disk or the clock, */
	CHORE_COMPACT,		/* and a part of a compaction. */
	CHORE_SEND,		/* To peers. */
	CHORE_MODEL, CHORE_DEVICES, CHORE_POLICY, CHORE_STATUS,
	CHORE_STATISTICS, CHORE_AUDIT,
	CHORE_PUNTS,		/* Answers to packets, */
	CHORE_EVENTS,		/* what workers tell, */
	CHORE_COMMAND,		/* and what operators ask. */
	N_CHORES
};

enum {
	CHORE_MAX_DEPTH = 16,	/* Of chores within others. */
	CHORE_N_KEPT = 256	/* Turns that took long. */
};

/* Time within another chore is that one's alone. */
void chore_begin(enum chore);
void chore_end(void);
/* Ends one, and begins another in its place. */
void chore_next(enum chore);

/* The loop has turned: what took a millisecond or more is kept, the last
 * CHORE_N_KEPT of them; what took 'CHORE_LOG_NS' or more is logged, within
 * limits, and what is below costs nothing more. */
#define CHORE_KEEP_NS UINT64_C(1000000)
#define CHORE_LOG_NS UINT64_C(100000000)
void chore_turn(void);

struct chore_turn {
	uint64_t began_ns;		/* CLOCK_MONOTONIC */
	uint64_t took_ns;		/* All chores' together. */
	uint64_t after_ns[N_CHORES];	/* When each first began, then. */
	uint64_t each_ns[N_CHORES];	/* 0: was not done. */
};

struct chore_total {
	uint64_t n, ns, longest_ns;	/* Turns that did it; at once. */
};

const char *chore_name(enum chore);
/* The i-th last one that was kept, 0 the last; NULL: there are less. */
const struct chore_turn *chore_kept(size_t i);
const struct chore_total *chore_total(enum chore);
/* "12.3 ms: model 4.5, policy 7.8": in the order in which they began. */
void chore_print(FILE *, const struct chore_turn *);

#endif /* base/chore.h */
