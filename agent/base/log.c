/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

enum { LIMIT_LINES = 20, LIMIT_WINDOW_MS = 10000 };

static const char *const level_names[] = { "error", "warn", "info", "debug" };

static struct {
	const char *program;
	enum log_level level;
	bool use_syslog;
	bool is_journal;
	log_sink *sink;
	pthread_mutex_t mutex;
} log_state = {
	.program = "hnv", .level = LOG_LEVEL_INFO,
	.mutex = PTHREAD_MUTEX_INITIALIZER
};

static void write_line(enum log_level, const char *subject,
		       const char *format, va_list);
static bool writes_to_journal(void);
static int64_t monotonic_ms(void);

void
log_init(const char *program, enum log_level level, bool use_syslog)
{
	log_state.program = program;
	log_state.level = level;
	log_state.use_syslog = use_syslog;
	log_state.is_journal = writes_to_journal();
	if (use_syslog)
		openlog(program, LOG_PID, LOG_DAEMON);
}

void
log_set_sink(log_sink *sink)
{
	log_state.sink = sink;
}

void
log_set_level(enum log_level level)
{
	log_state.level = level;
}

bool
log_level_from_name(const char *name, enum log_level *ret_level)
{
	for (int i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_DEBUG; i++)
		if (!strcmp(name, level_names[i])) {
			*ret_level = (enum log_level) i;
			return true;
		}
	return false;
}

void
log_line(enum log_level level, const char *subject, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(level, subject, format, args);
	va_end(args);
}

void
log_limited(struct log_limit *limit, enum log_level level,
	    const char *subject, const char *format, ...)
{
	int64_t now = monotonic_ms();
	uint32_t n_lost = 0;
	bool let;
	va_list args;

	pthread_mutex_lock(&log_state.mutex);
	if (now - limit->window_ms >= LIMIT_WINDOW_MS || !limit->window_ms) {
		n_lost = limit->n_lost;
		*limit = (struct log_limit) { .window_ms = now };
	}
	let = limit->n_lines < LIMIT_LINES;
	if (let)
		limit->n_lines++;
	else
		limit->n_lost++;
	pthread_mutex_unlock(&log_state.mutex);

	if (n_lost)
		log_line(level, subject, "%u more lines like this were left "
			 "out", n_lost);
	if (!let)
		return;
	va_start(args, format);
	write_line(level, subject, format, args);
	va_end(args);
}

static void
write_line(enum log_level level, const char *subject, const char *format,
	   va_list args)
{
	static const int priorities[] = { LOG_ERR, LOG_WARNING, LOG_INFO,
					  LOG_DEBUG };
	char message[1024], stamp[32];
	struct timespec now;
	struct tm tm;

	if (level > log_state.level)
		return;
	vsnprintf(message, sizeof message, format, args);
	if (log_state.sink) {
		log_state.sink(level, subject, message);
		return;
	}
	if (log_state.use_syslog) {
		syslog(priorities[level], "%s: %s", subject, message);
		return;
	}
	if (log_state.is_journal) {
		fprintf(stderr, "<%d>%s: %s\n", priorities[level], subject,
			message);
		return;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &tm);
	/* One call, so that lines of several threads do not mix. */
	fprintf(stderr, "%s.%03ldZ %s %s %s: %s\n", stamp,
		now.tv_nsec / 1000000, log_state.program, level_names[level],
		subject, message);
}

/* systemd.exec(5): the stream's device and inode, so that whoever has another
 * stderr by now knows that the variable is an ancestor's. */
static bool
writes_to_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat status;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2
	       && !fstat(STDERR_FILENO, &status)
	       && status.st_dev == device && status.st_ino == inode;
}

static int64_t
monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000 + 1;
}
