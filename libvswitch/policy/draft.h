/* SPDX-License-Identifier: Apache-2.0 */

#ifndef POLICY_DRAFT_H
#define POLICY_DRAFT_H 1

/* What sets, groups and programs are until they are sealed: adding cannot
 * fail, the first problem is remembered, and sealing reports it.  [control] */

#include <stdbool.h>
#include <stddef.h>

enum { DRAFT_PROBLEM_SIZE = 240 };

struct draft {
	int error;			/* Negative errno, of the first. */
	bool is_sealed;
	char problem[DRAFT_PROBLEM_SIZE];
};

/* Still to be added to? */
static inline bool
draft_is_open(const struct draft *draft)
{
	return !draft->is_sealed && !draft->error;
}

/* Remembers, unless there was a problem before. */
void draft_fail(struct draft *, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Returns the first problem's error and copies its line; 0: none.
 * 'ret_problem' may be NULL. */
int draft_report(const struct draft *, char *ret_problem, size_t size);

#endif /* policy/draft.h */
