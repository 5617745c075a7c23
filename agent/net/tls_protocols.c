/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/net/tls_protocols.h"

#include <stdlib.h>
#include <string.h>
#include <openssl/ssl.h>
#include "agent/base/memory.h"

static bool read_range(char *word, struct tls_protocols *);
static bool read_version(const char *word, int *ret_version);

bool
tls_protocols_parse(const char *text, struct tls_protocols *ret_protocols,
		    char **ret_problem)
{
	char *copy = xstrdup(text), *rest = copy, *word;
	struct tls_protocols all = { TLS1_3_VERSION + 1, 0 };
	bool is_good = true;

	while (is_good && (word = strsep(&rest, ", \t"))) {
		struct tls_protocols range;

		if (!*word)
			continue;
		is_good = read_range(word, &range);
		if (!is_good)
			break;
		if (range.min < TLS1_2_VERSION)
			range.min = TLS1_2_VERSION;
		if (range.max < range.min)
			continue;
		if (range.min < all.min)
			all.min = range.min;
		if (range.max > all.max)
			all.max = range.max;
	}
	free(copy);
	if (is_good && all.max) {
		*ret_protocols = all;
		return true;
	}
	*ret_problem = xasprintf("%s: expected TLSv1.2 or TLSv1.3 or both",
				 text);
	return false;
}

static bool
read_range(char *word, struct tls_protocols *range)
{
	size_t size = strlen(word);
	char *dash = strchr(word, '-');

	if (word[size - 1] == '+') {
		word[size - 1] = '\0';
		range->max = TLS1_3_VERSION;
		return read_version(word, &range->min);
	}
	if (dash) {
		*dash = '\0';
		return read_version(word, &range->min)
		       && read_version(dash + 1, &range->max)
		       && range->min <= range->max;
	}
	if (!read_version(word, &range->min))
		return false;
	range->max = range->min;
	return true;
}

static bool
read_version(const char *word, int *ret_version)
{
	static const struct {
		const char *name;
		int version;
	} versions[] = {
		{ "SSLv3", SSL3_VERSION },
		{ "TLSv1", TLS1_VERSION },
		{ "TLSv1.0", TLS1_VERSION },
		{ "TLSv1.1", TLS1_1_VERSION },
		{ "TLSv1.2", TLS1_2_VERSION },
		{ "TLSv1.3", TLS1_3_VERSION },
	};

	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
		if (!strcasecmp(word, versions[i].name)) {
			*ret_version = versions[i].version;
			return true;
		}
	return false;
}
