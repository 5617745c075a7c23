/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/inspect/wishes.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <vswitch.h>
#include "agent/base/memory.h"

static const char *value_of(const char *arg, const char *option);
static char *read_limit(struct wishes *, const char *);
static char *read_drop(struct wishes *, const char *);

char *
wishes_read(struct wishes *wishes, size_t n_args, const char *const args[])
{
	char *problem = NULL;

	*wishes = (struct wishes) { .drop = -1, .limit = WISHES_LIMIT };
	for (size_t i = 0; i < n_args && !problem; i++) {
		const char *value;

		if ((value = value_of(args[i], "--format="))) {
			wishes->is_json = !strcmp(value, "json");
			if (!wishes->is_json && strcmp(value, "text"))
				problem = xasprintf("\"%s\" is no format: "
						    "text, json", value);
		} else if ((value = value_of(args[i], "--limit="))) {
			problem = read_limit(wishes, value);
		} else if (!strcmp(args[i], "--drop")) {
			wishes->only_drops = true;
		} else if ((value = value_of(args[i], "--drop="))) {
			problem = read_drop(wishes, value);
		} else if (!strncmp(args[i], "--", 2)) {
			problem = xasprintf("there is no option %s", args[i]);
		} else if (wishes->n_words == WISHES_WORDS_MAX) {
			problem = xstrdup("too many words");
		} else {
			wishes->words[wishes->n_words++] = args[i];
		}
	}
	return problem;
}

static const char *
value_of(const char *arg, const char *option)
{
	size_t n = strlen(option);

	return strncmp(arg, option, n) ? NULL : arg + n;
}

static char *
read_limit(struct wishes *wishes, const char *text)
{
	char *end;
	unsigned long limit = strtoul(text, &end, 10);

	if (!isdigit((unsigned char) *text) || *end || limit > 1000000)
		return xasprintf("\"%s\" is no limit: a number to 1000000",
				 text);
	wishes->limit = limit;
	return NULL;
}

static char *
read_drop(struct wishes *wishes, const char *name)
{
	wishes->only_drops = true;
	for (int drop = 0; drop < VSW_N_DROPS; drop++)
		if (!strcasecmp(name, vsw_drop_name((enum vsw_drop) drop))) {
			wishes->drop = drop;
			return NULL;
		}
	return xasprintf("\"%s\" is no reason to drop", name);
}
