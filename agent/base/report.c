/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/base/report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

static void start_item(struct report *, const char *key);

void
report_start(struct report *report, bool is_json)
{
	*report = (struct report) { .is_json = is_json };
	report->file = open_memstream(&report->bytes, &report->size);
	if (!report->file)
		abort();
	if (is_json)
		putc('{', report->file);
}

char *
report_end(struct report *report)
{
	if (report->is_json)
		fputs("}\n", report->file);
	if (fclose(report->file))
		abort();
	return report->bytes;
}

void
report_line(struct report *report, const char *format, ...)
{
	va_list args;

	if (report->is_json)
		return;
	va_start(args, format);
	vfprintf(report->file, format, args);
	va_end(args);
	putc('\n', report->file);
}

void
report_open(struct report *report, const char *key)
{
	if (!report->is_json)
		return;
	start_item(report, key);
	putc('{', report->file);
	report->has_items = false;
}

void
report_close(struct report *report)
{
	if (!report->is_json)
		return;
	putc('}', report->file);
	report->has_items = true;
}

void
report_open_list(struct report *report, const char *key)
{
	if (!report->is_json)
		return;
	start_item(report, key);
	putc('[', report->file);
	report->has_items = false;
}

void
report_close_list(struct report *report)
{
	if (!report->is_json)
		return;
	putc(']', report->file);
	report->has_items = true;
}

void
report_string(struct report *report, const char *key, const char *value)
{
	if (!report->is_json || !value)
		return;
	start_item(report, key);
	report_quote(report->file, value);
}

void
report_number(struct report *report, const char *key, uint64_t value)
{
	if (!report->is_json)
		return;
	start_item(report, key);
	fprintf(report->file, "%" PRIu64, value);
}

void
report_bool(struct report *report, const char *key, bool value)
{
	if (!report->is_json)
		return;
	start_item(report, key);
	fputs(value ? "true" : "false", report->file);
}

void
report_quote(FILE *file, const char *text)
{
	putc('"', file);
	for (; *text; text++) {
		unsigned char c = (unsigned char) *text;

		if (c == '"' || c == '\\')
			fprintf(file, "\\%c", c);
		else if (c < 0x20)
			fprintf(file, "\\u%04x", c);
		else
			putc(c, file);
	}
	putc('"', file);
}

static void
start_item(struct report *report, const char *key)
{
	if (report->has_items)
		putc(',', report->file);
	report->has_items = true;
	if (!key)
		return;
	report_quote(report->file, key);
	putc(':', report->file);
}
