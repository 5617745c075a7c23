/* SPDX-License-Identifier: Apache-2.0 */

#ifndef AGENT_FINDINGS_H
#define AGENT_FINDINGS_H 1

/* What the doctor has found, kept until all of it is known: the worst is told
 * first, because whoever reads it is in a hurry.  Starts as all zero.
 * [control] */

#include <stdarg.h>
#include <stddef.h>
#include "agent/base/report.h"

enum verdict { WELL, LOOK, WRONG, N_VERDICTS };

struct finding {
	const char *check;		/* Static. */
	char *text;
};

struct findings {
	struct {
		struct finding *of;
		size_t n;
	} by[N_VERDICTS];
};

void findings_add(struct findings *, enum verdict, const char *check,
		  const char *format, va_list);
void findings_tell(struct findings *, enum verdict, const char *check,
		   const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void findings_report(const struct findings *, struct report *);
void findings_done(struct findings *);

#endif /* agent/findings.h */
