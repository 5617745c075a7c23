/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/base/chore.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "agent/base/log.h"

static const char *const names[] = {
	[CHORE_REQUEST] = "request",
	[CHORE_COMMIT] = "commit",
	[CHORE_RECORD] = "record",
	[CHORE_TELL] = "tell",
	[CHORE_SERVER] = "server",
	[CHORE_COMPACT] = "compact",
	[CHORE_SEND] = "send",
	[CHORE_MODEL] = "model",
	[CHORE_DEVICES] = "devices",
	[CHORE_POLICY] = "policy",
	[CHORE_STATUS] = "status",
	[CHORE_STATISTICS] = "statistics",
	[CHORE_AUDIT] = "audit",
	[CHORE_PUNTS] = "punts",
	[CHORE_EVENTS] = "events",
	[CHORE_COMMAND] = "command"
};

static_assert(sizeof names / sizeof *names == N_CHORES,
	      "each chore has a name");

/* The main thread's. */
static struct {
	enum chore under_way[CHORE_MAX_DEPTH];
	size_t depth;
	uint64_t since_ns;		/* The innermost one's share. */
	struct chore_turn turn;		/* took_ns 0: nothing yet. */
	struct chore_turn kept[CHORE_N_KEPT];
	size_t n_kept;			/* Ever. */
	struct chore_total totals[N_CHORES];
} chores;

static void settle(uint64_t now_ns);
static void log_turn(const struct chore_turn *);
static uint64_t now_ns(void);

void
chore_begin(enum chore chore)
{
	uint64_t now = now_ns();

	assert(chores.depth < CHORE_MAX_DEPTH);
	settle(now);
	chores.under_way[chores.depth++] = chore;
	if (!chores.turn.began_ns)
		chores.turn.began_ns = now;
	if (!chores.turn.each_ns[chore]) {
		chores.turn.after_ns[chore] = now - chores.turn.began_ns;
		/* Done, however short. */
		chores.turn.each_ns[chore] = 1;
	}
}

void
chore_end(void)
{
	assert(chores.depth);
	settle(now_ns());
	chores.depth--;
}

void
chore_next(enum chore chore)
{
	chore_end();
	chore_begin(chore);
}

void
chore_turn(void)
{
	struct chore_turn *turn = &chores.turn;

	if (!turn->began_ns)
		return;
	for (int i = 0; i < N_CHORES; i++) {
		struct chore_total *total = &chores.totals[i];

		if (!turn->each_ns[i])
			continue;
		total->n++;
		total->ns += turn->each_ns[i];
		if (total->longest_ns < turn->each_ns[i])
			total->longest_ns = turn->each_ns[i];
	}
	if (turn->took_ns >= CHORE_KEEP_NS)
		chores.kept[chores.n_kept++ % CHORE_N_KEPT] = *turn;
	if (turn->took_ns >= CHORE_LOG_NS)
		log_turn(turn);
	memset(turn, 0, sizeof *turn);
}

const char *
chore_name(enum chore chore)
{
	return names[chore];
}

const struct chore_turn *
chore_kept(size_t i)
{
	if (i >= chores.n_kept || i >= CHORE_N_KEPT)
		return NULL;
	return &chores.kept[(chores.n_kept - 1 - i) % CHORE_N_KEPT];
}

const struct chore_total *
chore_total(enum chore chore)
{
	return &chores.totals[chore];
}

void
chore_print(FILE *file, const struct chore_turn *turn)
{
	uint64_t printed = 0;		/* Bits: chores. */
	const char *separator = ": ";

	fprintf(file, "%.3f ms", (double) turn->took_ns / 1e6);
	for (;;) {
		int next = -1;

		for (int i = 0; i < N_CHORES; i++)
			if (turn->each_ns[i] && !(printed >> i & 1)
			    && (next < 0 || turn->after_ns[i]
					    < turn->after_ns[next]))
				next = i;
		if (next < 0)
			return;
		printed |= (uint64_t) 1 << next;
		fprintf(file, "%s%s %.3f", separator, names[next],
			(double) turn->each_ns[next] / 1e6);
		separator = ", ";
	}
}

/* What has passed is the innermost one's. */
static void
settle(uint64_t now)
{
	uint64_t passed_ns = now - chores.since_ns;

	chores.since_ns = now;
	if (!chores.depth)
		return;
	chores.turn.each_ns[chores.under_way[chores.depth - 1]] += passed_ns;
	chores.turn.took_ns += passed_ns;
}

static void
log_turn(const struct chore_turn *turn)
{
	static struct log_limit limit;
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		return;
	chore_print(file, turn);
	fclose(file);
	log_limited(&limit, LOG_LEVEL_WARN, "agent", "everybody waited %s",
		    text);
	free(text);
}

static uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t) now.tv_sec * UINT64_C(1000000000)
	       + (uint64_t) now.tv_nsec;
}
