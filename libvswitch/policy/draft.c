/* SPDX-License-Identifier: Apache-2.0 */

#include "libvswitch/policy/draft.h"

#include <stdarg.h>
#include <stdio.h>

void
draft_fail(struct draft *draft, int error, const char *format, ...)
{
	va_list args;

	if (draft->error)
		return;
	draft->error = error;
	va_start(args, format);
	vsnprintf(draft->problem, sizeof draft->problem, format, args);
	va_end(args);
}

int
draft_report(const struct draft *draft, char *ret_problem, size_t size)
{
	if (draft->error && ret_problem && size)
		snprintf(ret_problem, size, "%s", draft->problem);
	return draft->error;
}
