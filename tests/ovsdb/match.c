/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/ovsdb/match.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool objects(struct match *, json_t *expected, json_t *actual);
static bool has_only_known(json_t *expected, json_t *actual);
static bool member(struct match *, const char *key, json_t *expected,
		   json_t *actual, json_t *taken);
static bool arrays(struct match *, json_t *expected, json_t *actual);
static bool is_unordered(json_t *array);
static bool bags(struct match *, json_t *expected, json_t *actual);
static bool strings(struct match *, const char *expected,
		    const char *actual);
static bool read_place(const char **text, unsigned *ret_number);
static bool is_uuid(const char *text);
static json_t *fill_string(struct match *, const char *text);

bool
match_equal(struct match *match, json_t *expected, json_t *actual)
{
	struct match before = *match;
	bool is_equal;

	if (!expected || !actual)
		return expected == actual;
	if (json_is_object(expected) && json_is_object(actual))
		is_equal = objects(match, expected, actual);
	else if (json_is_array(expected) && json_is_array(actual))
		is_equal = arrays(match, expected, actual);
	else if (json_is_string(expected) && json_is_string(actual))
		is_equal = strings(match, json_string_value(expected),
				   json_string_value(actual));
	else
		is_equal = json_equal(expected, actual);
	if (!is_equal)
		*match = before;
	return is_equal;
}

json_t *
match_fill(struct match *match, json_t *json)
{
	json_t *copy, *value;
	const char *key;
	size_t i;

	if (json_is_string(json))
		return fill_string(match, json_string_value(json));
	if (json_is_array(json)) {
		copy = json_array();
		json_array_foreach(json, i, value)
			json_array_append_new(copy,
					      match_fill(match, value));
		return copy;
	}
	if (json_is_object(json)) {
		copy = json_object();
		json_object_foreach(json, key, value) {
			json_t *name = fill_string(match, key);

			json_object_set_new(copy, json_string_value(name),
					    match_fill(match, value));
			json_decref(name);
		}
		return copy;
	}
	return json_incref(json);
}

static bool
objects(struct match *match, json_t *expected, json_t *actual)
{
	json_t *taken = json_object(), *value;
	const char *key;
	bool is_equal = has_only_known(expected, actual);

	json_object_foreach(expected, key, value)
		if (is_equal && !strcmp(key, "rows")
		    && json_is_array(value)
		    && json_is_array(json_object_get(actual, key)))
			is_equal = bags(match, value,
					json_object_get(actual, key));
		else
			is_equal = is_equal && member(match, key, value,
						      actual, taken);
	json_decref(taken);
	return is_equal;
}

static bool
has_only_known(json_t *expected, json_t *actual)
{
	size_t n = json_object_size(actual);

	if (json_is_string(json_object_get(expected, "error"))) {
		static const char *const human[] = { "details", "syntax" };

		for (size_t i = 0; i < 2; i++)
			n -= json_object_get(actual, human[i])
			     && !json_object_get(expected, human[i]);
	}
	return n == json_object_size(expected);
}

/* A member whose name is a UUID that is not known yet may be any. */
static bool
member(struct match *match, const char *key, json_t *expected,
       json_t *actual, json_t *taken)
{
	json_t *value;
	const char *name;

	json_object_foreach(actual, name, value) {
		struct match before = *match;

		if (json_object_get(taken, name))
			continue;
		if (strings(match, key, name)
		    && match_equal(match, expected, value)) {
			json_object_set_new(taken, name, json_true());
			return true;
		}
		*match = before;
	}
	return false;
}

static bool
arrays(struct match *match, json_t *expected, json_t *actual)
{
	size_t n = json_array_size(expected);

	if (n != json_array_size(actual))
		return false;
	if (is_unordered(expected) && is_unordered(actual))
		return !strcmp(json_string_value(json_array_get(expected, 0)),
			       json_string_value(json_array_get(actual, 0)))
		       && bags(match, json_array_get(expected, 1),
			       json_array_get(actual, 1));
	for (size_t i = 0; i < n; i++)
		if (!match_equal(match, json_array_get(expected, i),
				 json_array_get(actual, i)))
			return false;
	return true;
}

static bool
is_unordered(json_t *array)
{
	const char *tag = json_string_value(json_array_get(array, 0));

	return json_array_size(array) == 2 && tag
	       && (!strcmp(tag, "set") || !strcmp(tag, "map"))
	       && json_is_array(json_array_get(array, 1));
}

static bool
bags(struct match *match, json_t *expected, json_t *actual)
{
	size_t n = json_array_size(expected), n_found = 0;
	bool *taken = calloc(n + 1, sizeof *taken);

	if (json_array_size(actual) != n) {
		free(taken);
		return false;
	}
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			if (!taken[j]
			    && match_equal(match, json_array_get(expected, i),
					   json_array_get(actual, j))) {
				taken[j] = true;
				n_found++;
				break;
			}
	free(taken);
	return n_found == n;
}

static bool
strings(struct match *match, const char *expected, const char *actual)
{
	struct match before = *match;
	unsigned number;

	while (*expected) {
		if (!strncmp(expected, "<#>", 3) && isdigit(*actual)) {
			expected += 3;
			while (isdigit(*actual))
				actual++;
		} else if (read_place(&expected, &number)) {
			char *uuid = match->uuids[number];

			if (!is_uuid(actual)
			    || (*uuid && strncmp(uuid, actual,
						 MATCH_UUID_SIZE)))
				break;
			memcpy(uuid, actual, MATCH_UUID_SIZE);
			actual += MATCH_UUID_SIZE;
		} else if (*expected++ != *actual++) {
			*match = before;
			return false;
		}
	}
	if (!*expected && !*actual)
		return true;
	*match = before;
	return false;
}

/* Steps over "<N>", if there is one. */
static bool
read_place(const char **text, unsigned *ret_number)
{
	unsigned number;
	int n = 0;

	if (sscanf(*text, "<%3u>%n", &number, &n) != 1 || !n
	    || number >= MATCH_MAX_UUIDS)
		return false;
	*text += n;
	*ret_number = number;
	return true;
}

static bool
is_uuid(const char *text)
{
	for (int i = 0; i < MATCH_UUID_SIZE; i++) {
		bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (is_dash ? text[i] != '-'
			    : !isxdigit((unsigned char) text[i]))
			return false;
	}
	return true;
}

static json_t *
fill_string(struct match *match, const char *text)
{
	char *filled = calloc(1, strlen(text) * MATCH_UUID_SIZE + 1);
	char *end = filled;
	json_t *string;

	while (*text) {
		unsigned number;

		if (!read_place(&text, &number)) {
			*end++ = *text++;
			continue;
		}
		if (!*match->uuids[number])
			snprintf(match->uuids[number],
				 sizeof match->uuids[number],
				 "%08x-0000-4000-8000-%012x", rand(),
				 number);
		end = stpcpy(end, match->uuids[number]);
	}
	string = json_string(filled);
	free(filled);
	return string;
}
