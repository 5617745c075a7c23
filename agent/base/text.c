/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/base/text.h"

#include <stdlib.h>
#include <string.h>
#include "agent/base/memory.h"

struct text *
text_copy(const char *bytes, size_t size)
{
	struct text *text = xmalloc(sizeof *text + size);
	char *copy = (char *) (text + 1);

	memcpy(copy, bytes, size);
	*text = (struct text) { 1, size, copy };
	return text;
}

struct text *
text_take(char *bytes, size_t size)
{
	struct text *text = xmalloc(sizeof *text);

	*text = (struct text) { 1, size, bytes };
	return text;
}

struct text *
text_ref(struct text *text)
{
	text->n_refs++;
	return text;
}

void
text_unref(struct text *text)
{
	if (!text || --text->n_refs)
		return;
	if (text->bytes != (char *) (text + 1))
		free((char *) text->bytes);
	free(text);
}
