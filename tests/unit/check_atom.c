/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/value/atom.h"

#include <stdio.h>

#include "agent/ovsdb/value/symbols.h"
#include "tests/unit/ovsdb_tools.h"

/* What is read as which type, and how it is written again; NULL: not. */
static const struct {
	enum atom_type type;
	const char *in, *out;
} readings[] = {
	{ ATOM_INTEGER, "7", "7" },
	{ ATOM_INTEGER, "-9223372036854775808", "-9223372036854775808" },
	{ ATOM_INTEGER, "9223372036854775807", "9223372036854775807" },
	{ ATOM_INTEGER, "3.0", "3" },
	{ ATOM_INTEGER, "1e3", "1000" },
	{ ATOM_INTEGER, "1.5", NULL },
	{ ATOM_INTEGER, "1e19", NULL },
	{ ATOM_INTEGER, "'7'", NULL },
	{ ATOM_INTEGER, "true", NULL },
	{ ATOM_INTEGER, "null", NULL },
	{ ATOM_REAL, "7", "7" },
	{ ATOM_REAL, "7.0", "7" },
	{ ATOM_REAL, "0.1", "0.1" },
	{ ATOM_REAL, "-1e-300", "-1e-300" },
	{ ATOM_REAL, "1e300", "1e300" },
	{ ATOM_REAL, "'1'", NULL },
	{ ATOM_REAL, "[]", NULL },
	{ ATOM_BOOLEAN, "true", "true" },
	{ ATOM_BOOLEAN, "false", "false" },
	{ ATOM_BOOLEAN, "0", NULL },
	{ ATOM_BOOLEAN, "'true'", NULL },
	{ ATOM_STRING, "''", "''" },
	{ ATOM_STRING, "'a\\u00e9\\ud834\\udd1e'",
	  "'a\\u00e9\\ud834\\udd1e'" },
	{ ATOM_STRING, "7", NULL },
	{ ATOM_STRING, "null", NULL },
	{ ATOM_UUID, "['uuid','01234567-89AB-cdef-fedc-ba9876543210']",
	  "['uuid','01234567-89ab-cdef-fedc-ba9876543210']" },
	{ ATOM_UUID, "['uuid','x']", NULL },
	{ ATOM_UUID, "['uuid']", NULL },
	{ ATOM_UUID, "['uuid','01234567-89AB-cdef-fedc-ba9876543210',1]",
	  NULL },
	{ ATOM_UUID, "['named-uuid','x']", NULL },
	{ ATOM_UUID, "'01234567-89ab-cdef-fedc-ba9876543210'", NULL },
	{ ATOM_VOID, "null", NULL },
};

START_TEST(atoms_are_read_and_written)
{
	json_t *json = parse(readings[_i].in);
	union atom atom, copy;
	struct ovsdb_error *error;
	json_t *back;

	error = atom_from_json(readings[_i].type, json, NULL, &atom);
	if (!readings[_i].out) {
		ck_assert_ptr_nonnull(error);
		ck_assert_str_eq(error->name, OVSDB_SYNTAX_ERROR);
		ovsdb_error_free(error);
		json_decref(json);
		return;
	}
	ck_assert_ptr_null(error);
	json_decref(json);
	atom_copy(readings[_i].type, &atom, &copy);
	ck_assert(atom_equal(readings[_i].type, &atom, &copy));
	ck_assert_uint_eq(atom_hash(readings[_i].type, &atom),
			  atom_hash(readings[_i].type, &copy));
	atom_done(readings[_i].type, &atom);
	back = atom_to_json(readings[_i].type, &copy);
	check_json(back, readings[_i].out, readings[_i].in);
	json_decref(back);
	atom_done(readings[_i].type, &copy);
}
END_TEST

START_TEST(atoms_are_in_order)
{
	static const struct {
		enum atom_type type;
		const char *texts[4];
	} orders[] = {
		{ ATOM_INTEGER, { "-9223372036854775808", "-1", "0",
				  "9223372036854775807" } },
		{ ATOM_REAL, { "-1e300", "-0.5", "1e-300", "2" } },
		{ ATOM_BOOLEAN, { "false", "true" } },
		{ ATOM_STRING, { "''", "'B'", "'a'", "'\\u00e9'" } },
		{ ATOM_UUID, {
			"['uuid','00000000-0000-0000-0000-000000000001']",
			"['uuid','00000000-0000-0000-0100-000000000000']",
			"['uuid','7f000000-0000-0000-0000-000000000000']",
			"['uuid','80000000-0000-0000-0000-000000000000']" } },
	};
	size_t i, j, k;

	for (i = 0; i < sizeof orders / sizeof *orders; i++) {
		enum atom_type type = orders[i].type;
		union atom atoms[4];
		size_t n = 0;

		for (; n < 4 && orders[i].texts[n]; n++) {
			json_t *json = parse(orders[i].texts[n]);

			ck_assert_ptr_null(atom_from_json(type, json, NULL,
							  &atoms[n]));
			json_decref(json);
		}
		for (j = 0; j < n; j++) {
			for (k = 0; k < n; k++) {
				int order = atom_compare(type, &atoms[j],
							 &atoms[k]);

				ck_assert_int_eq((order > 0) - (order < 0),
						 (j > k) - (j < k));
				ck_assert_int_eq(atom_equal(type, &atoms[j],
							    &atoms[k]),
						 j == k);
			}
		}
		for (j = 0; j < n; j++)
			atom_done(type, &atoms[j]);
	}
}
END_TEST

START_TEST(equal_strings_are_one)
{
	enum { N = 2000 };
	static struct string *strings[N];
	struct string *again;
	char text[16];
	size_t i;

	for (i = 0; i < N; i++) {
		snprintf(text, sizeof text, "s%zu", i);
		strings[i] = string_intern(text, strlen(text));
	}
	for (i = 0; i < N; i++) {
		snprintf(text, sizeof text, "s%zu", i);
		again = string_intern(text, strlen(text));
		ck_assert_ptr_eq(again, strings[i]);
		ck_assert_uint_eq(again->n_refs, 2);
		string_unref(again);
	}
	/* Every other one goes; the rest must still be found. */
	for (i = 0; i < N; i += 2)
		string_unref(strings[i]);
	for (i = 1; i < N; i += 2) {
		snprintf(text, sizeof text, "s%zu", i);
		again = string_intern(text, strlen(text));
		ck_assert_ptr_eq(again, strings[i]);
		string_unref(again);
		string_unref(strings[i]);
	}
	again = string_intern("s1", 1);
	ck_assert_str_eq(again->text, "s");
	string_unref(again);
	string_unref(NULL);
}
END_TEST

START_TEST(names_stand_for_uuids)
{
	struct symbols *symbols = symbols_new();
	json_t *json = parse("['named-uuid','x']");
	union atom first, second;
	char name[16];
	size_t i;

	ck_assert_ptr_null(atom_from_json(ATOM_UUID, json, symbols, &first));
	for (i = 0; i < 100; i++) {
		snprintf(name, sizeof name, "n%zu", i);
		ck_assert(!symbols_get(symbols, name)->is_inserted);
		ck_assert(!uuid_equal(&symbols_get(symbols, name)->uuid,
				      &first.uuid));
	}
	ck_assert_ptr_null(atom_from_json(ATOM_UUID, json, symbols, &second));
	ck_assert(uuid_equal(&first.uuid, &second.uuid));
	json_decref(json);
	symbols_free(symbols);
	symbols_free(NULL);
}
END_TEST

START_TEST(defaults_and_names)
{
	static const char *const names[] = {
		"void", "integer", "real", "boolean", "string", "uuid"
	};
	static const char *const defaults[] = {
		"null", "0", "0", "false", "''",
		"['uuid','00000000-0000-0000-0000-000000000000']"
	};
	enum atom_type type;
	size_t i;

	for (i = 0; i < 6; i++) {
		union atom atom;
		json_t *json;

		ck_assert(atom_type_from_name(names[i], &type));
		ck_assert_int_eq(type, i);
		ck_assert_str_eq(atom_type_name(type), names[i]);
		atom_default(type, &atom);
		json = atom_to_json(type, &atom);
		check_json(json, defaults[i], names[i]);
		json_decref(json);
		atom_done(type, &atom);
	}
	ck_assert(!atom_type_from_name("int", &type));
}
END_TEST

CHECK_MAIN_LOOP("atom", atoms_are_read_and_written,
		sizeof readings / sizeof *readings, atoms_are_in_order,
		equal_strings_are_one, names_stand_for_uuids,
		defaults_and_names)
