/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb_pattern.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "agent/base/memory.h"

enum { MAX_WIDTH = 100 };

struct escape {
	bool is_left, is_zero;
	int width;
	char what;
	const char *argument;		/* Between braces; NULL: none. */
	int argument_size;
};

static struct timespec started;

static const char *read_escape(const char *, struct escape *);
static void write_escape(FILE *, const struct escape *,
			 const struct pattern_line *);
static char *number(const struct escape *, uint32_t value);
static char *date(const struct escape *, const struct timespec *);
static long long age_ms(void);

void
pattern_start(void)
{
	clock_gettime(CLOCK_MONOTONIC, &started);
}

char *
pattern_write(const char *pattern, const struct pattern_line *line)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	while (*pattern) {
		struct escape escape;

		if (*pattern != '%') {
			putc(*pattern++, stream);
			continue;
		}
		pattern = read_escape(pattern + 1, &escape);
		write_escape(stream, &escape, line);
	}
	fclose(stream);
	return text;
}

static const char *
read_escape(const char *p, struct escape *escape)
{
	*escape = (struct escape) { 0 };
	if (*p == '-') {
		escape->is_left = true;
		p++;
	}
	if (*p == '0') {
		escape->is_zero = true;
		p++;
	}
	for (; *p >= '0' && *p <= '9'; p++)
		if (escape->width < MAX_WIDTH)
			escape->width = escape->width * 10 + (*p - '0');
	if (!*p)
		return p;
	escape->what = *p++;
	if (*p == '{' && strchr("cdDmtT", escape->what)) {
		const char *end = strchr(p, '}');

		if (!end)
			return p;
		escape->argument = p + 1;
		escape->argument_size = (int) (end - p - 1);
		p = end + 1;
	}
	return p;
}

static void
write_escape(FILE *stream, const struct escape *escape,
	     const struct pattern_line *line)
{
	static const char *const levels[] = {
		"OFF", "EMER", "ERR", "WARN", "INFO", "DBG",
	};
	static const unsigned severities[] = { 7, 1, 3, 4, 6, 7 };
	char host[256] = "-";
	char *made = NULL;
	const char *text = "";

	switch (escape->what) {
	case 'A':
		text = line->program;
		break;
	case 'B':
		text = made = number(escape, (unsigned) line->facility << 3
					     | severities[line->level]);
		break;
	case 'c':
		text = line->module;
		break;
	case 'd':
	case 'D':
		text = made = date(escape, &line->when);
		break;
	case 'E':
		gethostname(host, sizeof host - 1);
		text = host;
		break;
	case 'm':
		text = line->message;
		break;
	case 'n':
		text = "\n";
		break;
	case 'N':
		text = made = number(escape, line->number);
		break;
	case 'p':
		text = levels[line->level];
		break;
	case 'P':
		text = made = xasprintf("%ld", (long) getpid());
		break;
	case 'r':
		text = made = xasprintf("%lld", age_ms());
		break;
	default:
		/* There are no names of threads. */
		if (strchr("tT", escape->what))
			break;
		text = made = xasprintf("%c", escape->what);
		break;
	}
	fprintf(stream, "%*s", escape->is_left ? -escape->width
					       : escape->width, text);
	free(made);
}

static char *
number(const struct escape *escape, uint32_t value)
{
	int width = escape->is_left ? 1 : escape->width;

	return xasprintf(escape->is_zero ? "%0*u" : "%*u", width, value);
}

/* A # is the next digit of the fraction: ### are milliseconds. */
static char *
date(const struct escape *escape, const struct timespec *when)
{
	char *format = xasprintf("%.*s", escape->argument ?
				 escape->argument_size : 17,
				 escape->argument ? escape->argument
						  : "%Y-%m-%d %H:%M:%S");
	char text[256] = "", digits[16];
	size_t n_digits = 0;
	struct tm tm;

	if (escape->what == 'd')
		localtime_r(&when->tv_sec, &tm);
	else
		gmtime_r(&when->tv_sec, &tm);
	if (!strftime(text, sizeof text, format, &tm))
		*text = '\0';
	snprintf(digits, sizeof digits, "%09ld", when->tv_nsec);
	for (char *p = text; *p; p++)
		if (*p == '#')
			*p = n_digits < 9 ? digits[n_digits++] : '0';
	free(format);
	return xstrdup(text);
}

static long long
age_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - started.tv_sec) * 1000LL
	       + (now.tv_nsec - started.tv_nsec) / 1000000;
}
