/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/value/members.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"

static bool is_of_type(const json_t *, unsigned types);
static const char *find_unasked(const struct members *);
static bool is_letter(char);

void
members_begin(struct members *members, json_t *object)
{
	memset(members, 0, sizeof *members);
	members->object = object;
	if (!json_is_object(object))
		members->error = ovsdb_syntax_error(object,
						    "Object expected.");
}

json_t *
members_get(struct members *members, const char *name, unsigned types)
{
	json_t *value;

	if (members->error)
		return NULL;
	assert(members->n_asked < MEMBERS_MAX);
	members->asked[members->n_asked++] = name;
	value = json_object_get(members->object, name);
	if (!value) {
		if (!(types & MEMBER_OPTIONAL))
			members_fail(members,
				     "Required '%s' member is missing.", name);
		return NULL;
	}
	members->n_found++;
	if (!is_of_type(value, types)) {
		members_fail(members, "Type mismatch for member '%s'.", name);
		return NULL;
	}
	return value;
}

void
members_fail(struct members *members, const char *details, ...)
{
	va_list args;
	char *text;

	if (members->error)
		return;
	va_start(args, details);
	if (vasprintf(&text, details, args) < 0)
		text = xstrdup(details);
	va_end(args);
	members->error = ovsdb_syntax_error(members->object, "%s", text);
	free(text);
}

struct ovsdb_error *
members_end(struct members *members, const char *what, ...)
{
	struct ovsdb_error *error;
	va_list args;
	char *text;

	if (!members->error
	    && members->n_found < json_object_size(members->object))
		members_fail(members, "Member '%.64s' is present but not"
			     " allowed here.", find_unasked(members));
	error = members->error;
	members->error = NULL;
	if (!error)
		return NULL;

	va_start(args, what);
	if (vasprintf(&text, what, args) < 0)
		text = xstrdup(what);
	va_end(args);
	error = ovsdb_error_prefix(error, "Parsing %s failed", text);
	free(text);
	return error;
}

bool
members_is_id(const char *text)
{
	if (!is_letter(*text))
		return false;
	while (is_letter(*text) || (*text >= '0' && *text <= '9'))
		text++;
	return !*text;
}

static bool
is_of_type(const json_t *value, unsigned types)
{
	if (types & MEMBER_ANY)
		return true;
	switch (json_typeof(value)) {
	case JSON_STRING:
		return types & MEMBER_STRING
		       || (types & MEMBER_ID
			   && members_is_id(json_string_value(value)));
	case JSON_INTEGER:
		return types & (MEMBER_INTEGER | MEMBER_NUMBER);
	case JSON_REAL:
		return types & MEMBER_NUMBER;
	case JSON_TRUE:
	case JSON_FALSE:
		return types & MEMBER_BOOLEAN;
	case JSON_ARRAY:
		return types & MEMBER_ARRAY;
	case JSON_OBJECT:
		return types & MEMBER_OBJECT;
	case JSON_NULL:
		break;
	}
	return false;
}

static const char *
find_unasked(const struct members *members)
{
	const char *name;
	json_t *value;

	json_object_foreach(members->object, name, value) {
		size_t i = 0;

		while (i < members->n_asked && strcmp(members->asked[i], name))
			i++;
		if (i == members->n_asked)
			return name;
	}
	return "";
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
