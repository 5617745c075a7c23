/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BASE_LOG_H
#define BASE_LOG_H 1

/* One line for one event: subject, what, why, what now.  To stderr, or to
 * syslog.  Where systemd's journal reads stderr, which has a time and names of
 * its own, a line is its priority and what is to be said (sd-daemon(3)).  Lines
 * that a peer can cause go through log_limited(). [any] */

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO,
		 LOG_LEVEL_DEBUG };

struct log_limit {		/* Zero-initialised, static. */
	int64_t window_ms;
	uint32_t n_lines, n_lost;
};

/* 'program' as in the lines; 'use_syslog' instead of stderr. */
void log_init(const char *program, enum log_level, bool use_syslog);
void log_set_level(enum log_level);
/* Lines that pass the level go there instead; NULL undoes it.  It may be
 * called by several threads at once. */
typedef void log_sink(enum log_level, const char *subject,
		      const char *message);
void log_set_sink(log_sink *);
bool log_level_from_name(const char *, enum log_level *ret_level);
void log_line(enum log_level, const char *subject, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* At most 20 lines in 10 seconds; then says how many were left out. */
void log_limited(struct log_limit *, enum log_level, const char *subject,
		 const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif /* base/log.h */
