/* SPDX-License-Identifier: Apache-2.0 */

#ifndef BASE_REPORT_H
#define BASE_REPORT_H 1

/* An answer for people or for programs: the same calls make either lines of
 * text or one line of JSON.  What is for people alone is report_line(), which
 * JSON leaves out; everything else is for JSON alone, which is one object at
 * first.  [control] */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct report {
	bool is_json;
	bool has_items;			/* A comma comes before the next. */
	char *bytes;
	size_t size;
	FILE *file;
};

void report_start(struct report *, bool is_json);
/* Ends it: the text, to be freed. */
char *report_end(struct report *);

void report_line(struct report *, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* 'key' NULL: in a list. */
void report_open(struct report *, const char *key);
void report_close(struct report *);
void report_open_list(struct report *, const char *key);
void report_close_list(struct report *);
/* NULL: left out. */
void report_string(struct report *, const char *key, const char *value);
void report_number(struct report *, const char *key, uint64_t);
void report_bool(struct report *, const char *key, bool);

/* As it stands in JSON, with its quotes. */
void report_quote(FILE *, const char *text);

#endif /* base/report.h */
