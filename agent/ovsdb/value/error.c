/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/value/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"

static struct ovsdb_error *error_new(const char *name, json_t *syntax,
				     const char *format, va_list);
static json_t *text_to_json(const char *text, size_t size);

struct ovsdb_error *
ovsdb_error(const char *name, const char *details, ...)
{
	struct ovsdb_error *error;
	va_list args;

	va_start(args, details);
	error = error_new(name, NULL, details, args);
	va_end(args);
	return error;
}

struct ovsdb_error *
ovsdb_syntax_error(json_t *syntax, const char *details, ...)
{
	struct ovsdb_error *error;
	va_list args;

	va_start(args, details);
	error = error_new(OVSDB_SYNTAX_ERROR, syntax, details, args);
	va_end(args);
	return error;
}

struct ovsdb_error *
ovsdb_error_verbatim(const char *name, json_t *syntax, const char *details,
		     ...)
{
	struct ovsdb_error *error;
	va_list args;

	va_start(args, details);
	error = error_new(name, syntax, details, args);
	va_end(args);
	error->is_verbatim = true;
	return error;
}

struct ovsdb_error *
ovsdb_error_prefix(struct ovsdb_error *error, const char *prefix, ...)
{
	char *before, *details;
	va_list args;

	if (!error || error->is_verbatim)
		return error;
	va_start(args, prefix);
	if (vasprintf(&before, prefix, args) < 0)
		before = xstrdup("");
	va_end(args);
	details = xasprintf("%s: %s", before, error->details);
	free(before);
	free(error->details);
	error->details = details;
	return error;
}

json_t *
ovsdb_error_to_json(const struct ovsdb_error *error)
{
	json_t *json = json_object();

	json_object_set_new(json, "error", json_string(error->name));
	json_object_set_new(json, "details",
			    text_to_json(error->details,
					 strlen(error->details)));
	if (error->syntax) {
		char *text = json_dumps(error->syntax,
					JSON_COMPACT | JSON_SORT_KEYS
					| JSON_ENCODE_ANY);
		size_t size = text ? strlen(text) : 0;

		if (size > OVSDB_ERROR_MAX_SYNTAX)
			size = OVSDB_ERROR_MAX_SYNTAX;
		json_object_set_new(json, "syntax",
				    text_to_json(text ? text : "", size));
		free(text);
	}
	return json;
}

void
ovsdb_error_free(struct ovsdb_error *error)
{
	if (!error)
		return;
	free(error->details);
	json_decref(error->syntax);
	free(error);
}

static struct ovsdb_error *
error_new(const char *name, json_t *syntax, const char *format, va_list args)
{
	struct ovsdb_error *error = xcalloc(1, sizeof *error);

	error->name = name;
	if (vasprintf(&error->details, format, args) < 0)
		error->details = xstrdup(format);
	error->syntax = json_incref(syntax);
	return error;
}

/* Cut where no UTF-8 sequence is open: jansson refuses half of one. */
static json_t *
text_to_json(const char *text, size_t size)
{
	json_t *json = json_stringn(text, size);
	size_t less;

	for (less = 1; !json && less < 4 && less < size; less++)
		json = json_stringn(text, size - less);
	return json ? json : json_string("(not UTF-8)");
}
