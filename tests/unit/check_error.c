/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/value/error.h"

#include <stdio.h>

#include "tests/unit/ovsdb_tools.h"

START_TEST(an_error_is_an_object)
{
	json_t *syntax = parse("{'a':['b',1]}");
	struct ovsdb_error *error;
	json_t *json;

	error = ovsdb_error(OVSDB_RANGE_ERROR, "%d is too much", 7);
	json = ovsdb_error_to_json(error);
	check_json(json, "{'error':'range error','details':'7 is too much'}",
		   "plain");
	json_decref(json);
	error = ovsdb_error_prefix(error, "column %s", "x");
	ck_assert_str_eq(error->details, "column x: 7 is too much");
	ck_assert_str_eq(error->name, OVSDB_RANGE_ERROR);
	ovsdb_error_free(error);

	error = ovsdb_syntax_error(syntax, "bad");
	json_decref(syntax);
	json = ovsdb_error_to_json(error);
	ck_assert_str_eq(json_string_value(json_object_get(json, "error")),
			 "syntax error");
	ck_assert_str_eq(json_string_value(json_object_get(json, "syntax")),
			 "{\"a\":[\"b\",1]}");
	json_decref(json);
	ovsdb_error_free(error);
	ovsdb_error_free(NULL);
	ck_assert_ptr_null(ovsdb_error_prefix(NULL, "nothing"));
}
END_TEST

/* A peer's own megabyte is not sent back, and no character is cut in two. */
START_TEST(syntax_is_cut)
{
	static char text[5000];
	size_t shift;

	for (shift = 0; shift < 4; shift++) {
		struct ovsdb_error *error;
		json_t *syntax, *json;
		size_t i;

		memset(text, 'a', shift);
		for (i = shift; i + 3 < sizeof text - 1; i += 3)
			memcpy(text + i, "\xe4\xb8\xad", 4);
		syntax = json_string(text);
		error = ovsdb_syntax_error(syntax, "long");
		json = ovsdb_error_to_json(error);
		syntax = json_object_get(json, "syntax");
		ck_assert_uint_gt(json_string_length(syntax),
				  OVSDB_ERROR_MAX_SYNTAX - 4);
		ck_assert_uint_le(json_string_length(syntax),
				  OVSDB_ERROR_MAX_SYNTAX);
		ck_assert_str_ne(json_string_value(syntax), "(not UTF-8)");
		json_decref(json);
		json_decref(error->syntax);
		ovsdb_error_free(error);
	}
}
END_TEST

CHECK_MAIN("error", an_error_is_an_object, syntax_is_cut)
