/* SPDX-License-Identifier: Apache-2.0 */

#ifndef INSPECT_WISHES_H
#define INSPECT_WISHES_H 1

/* What the arguments of a command that shows something ask for, beside what it
 * is to show: --format=json, --limit=N, --drop[=NAME].  [control] */

#include <stdbool.h>
#include <stddef.h>

enum { WISHES_WORDS_MAX = 64, WISHES_LIMIT = 10000 };

struct wishes {
	bool is_json;
	bool only_drops;
	int drop;			/* enum vsw_drop; -1: any. */
	size_t limit;			/* Of what is shown. */
	/* All that is no option. */
	const char *words[WISHES_WORDS_MAX];
	size_t n_words;
};

/* NULL, or one line that says what does not read; free() it. */
char *wishes_read(struct wishes *, size_t n_args, const char *const args[]);

#endif /* inspect/wishes.h */
