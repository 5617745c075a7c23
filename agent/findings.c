/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/findings.h"

#include <stdlib.h>
#include "agent/base/memory.h"

static const char *const names[] = { "well", "look", "wrong" };
static const char *const marks[] = { "ok   ", "look ", "WRONG" };

void
findings_add(struct findings *findings, enum verdict verdict,
	     const char *check, const char *format, va_list args)
{
	size_t n = findings->by[verdict].n++;
	struct finding **of = &findings->by[verdict].of;

	if (!(n & (n + 1)))
		*of = xrealloc(*of, (2 * n + 1) * sizeof **of);
	(*of)[n].check = check;
	if (vasprintf(&(*of)[n].text, format, args) < 0)
		abort();
}

void
findings_tell(struct findings *findings, enum verdict verdict,
	      const char *check, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	findings_add(findings, verdict, check, format, args);
	va_end(args);
}

void
findings_report(const struct findings *findings, struct report *report)
{
	report_open_list(report, "checks");
	for (int verdict = WRONG; verdict >= WELL; verdict--)
		for (size_t i = 0; i < findings->by[verdict].n; i++) {
			const struct finding *f = &findings->by[verdict].of[i];

			report_line(report, "%s %s: %s", marks[verdict],
				    f->check, f->text);
			report_open(report, NULL);
			report_string(report, "check", f->check);
			report_string(report, "state", names[verdict]);
			report_string(report, "detail", f->text);
			report_close(report);
		}
	report_close_list(report);
	report_line(report, "%zu well, %zu worth a look, %zu wrong",
		    findings->by[WELL].n, findings->by[LOOK].n,
		    findings->by[WRONG].n);
	for (int verdict = WELL; verdict < N_VERDICTS; verdict++)
		report_number(report, names[verdict],
			      findings->by[verdict].n);
}

void
findings_done(struct findings *findings)
{
	for (int verdict = WELL; verdict < N_VERDICTS; verdict++) {
		for (size_t i = 0; i < findings->by[verdict].n; i++)
			free(findings->by[verdict].of[i].text);
		free(findings->by[verdict].of);
	}
}
