/* SPDX-License-Identifier: Apache-2.0 */

#ifndef AGENT_OVSDB_PATTERN_H
#define AGENT_OVSDB_PATTERN_H 1

/* The patterns of log lines, as ovs-appctl(8) describes them under
 * "vlog/set PATTERN:destination:pattern": text in which %-escapes, each with
 * an optional minus sign, zero and width, stand for parts of a line.
 *
 *     %A program   %B priority for syslog   %c module   %E host name
 *     %d{F} %D{F} date by strftime(3), local and UTC, # digits of a second
 *     %m message   %n new line   %N number of the line   %p level   %P pid
 *     %r ms since the start   %t %T thread, which we leave out   %% percent
 *
 * An escape that is not known is copied.  [any] */

#include <stdint.h>
#include <time.h>

struct pattern_line {
	const char *program, *module, *message;
	unsigned level;			/* 0: off ... 5: dbg. */
	int facility;
	uint32_t number;
	struct timespec when;
};

void pattern_start(void);		/* The start that %r counts from. */
char *pattern_write(const char *pattern, const struct pattern_line *);

#endif /* agent/ovsdb_pattern.h */
