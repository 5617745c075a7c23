/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/value/type.h"

#include "tests/unit/ovsdb_tools.h"

/* How a type is written again, or the words of its refusal. */
static const struct {
	const char *in, *out, *words;
} types[] = {
	{ "'integer'", "'integer'", NULL },
	{ "{'key':'real'}", "'real'", NULL },
	{ "{'key':{'type':'boolean'}}", "'boolean'", NULL },
	{ "{'key':'string','min':0}", "{'key':'string','min':0}", NULL },
	{ "{'key':'string','min':1,'max':1}", "'string'", NULL },
	{ "{'key':'string','max':'unlimited'}",
	  "{'key':'string','max':'unlimited'}", NULL },
	{ "{'key':'string','value':'uuid','max':5}",
	  "{'key':'string','value':'uuid','max':5}", NULL },
	{ "{'key':{'type':'integer','minInteger':-1,'maxInteger':5}}",
	  "{'key':{'type':'integer','minInteger':-1,'maxInteger':5}}", NULL },
	{ "{'key':{'type':'real','minReal':0.5,'maxReal':2}}",
	  "{'key':{'type':'real','minReal':0.5,'maxReal':2}}", NULL },
	{ "{'key':{'type':'string','minLength':1,'maxLength':2}}",
	  "{'key':{'type':'string','minLength':1,'maxLength':2}}", NULL },
	{ "{'key':{'type':'string','enum':['set',['b','a']]}}",
	  "{'key':{'type':'string','enum':['set',['a','b']]}}", NULL },
	{ "{'key':{'type':'integer','enum':3}}",
	  "{'key':{'type':'integer','enum':3}}", NULL },
	{ "{'key':{'type':'uuid','refTable':'T'}}",
	  "{'key':{'type':'uuid','refTable':'T'}}", NULL },
	{ "{'key':{'type':'uuid','refTable':'T','refType':'strong'}}",
	  "{'key':{'type':'uuid','refTable':'T'}}", NULL },
	{ "{'key':{'type':'uuid','refTable':'T','refType':'weak'}}",
	  "{'key':{'type':'uuid','refTable':'T','refType':'weak'}}", NULL },
	{ "'void'", NULL, "not an atomic type" },
	{ "'int'", NULL, "not an atomic type" },
	{ "7", NULL, "Object expected" },
	{ "{}", NULL, "'key' member is missing" },
	{ "{'key':'integer','min':2}", NULL, "must be 0 or 1" },
	{ "{'key':'integer','min':-1}", NULL, "must be 0 or 1" },
	{ "{'key':'integer','max':0}", NULL, "range" },
	{ "{'key':'integer','max':4294967295}", NULL, "range" },
	{ "{'key':'integer','max':'many'}", NULL, "unlimited" },
	{ "{'key':'integer','more':1}", NULL, "'more' is present" },
	{ "{'key':{}}", NULL, "not an atomic type" },
	{ "{'key':'integer','value':'void'}", NULL, "not an atomic type" },
	{ "{'key':{'type':'integer','minReal':1}}", NULL,
	  "'minReal' is present" },
	{ "{'key':{'type':'integer','minInteger':2,'maxInteger':1}}", NULL,
	  "exceeds" },
	{ "{'key':{'type':'real','minReal':2,'maxReal':1}}", NULL,
	  "exceeds" },
	{ "{'key':{'type':'string','minLength':2,'maxLength':1}}", NULL,
	  "exceeds" },
	{ "{'key':{'type':'string','minLength':-1}}", NULL, "range" },
	{ "{'key':{'type':'string','enum':[]}}", NULL, "expected" },
	{ "{'key':{'type':'string','enum':['set',[]]}}", NULL, "1 to" },
	{ "{'key':{'type':'string','enum':['set',[1]]}}", NULL,
	  "expected string" },
	{ "{'key':{'type':'uuid','refTable':'T','refType':'x'}}", NULL,
	  "strong" },
	{ "{'key':{'type':'uuid','refType':'weak'}}", NULL,
	  "'refType' is present" },
	{ "{'key':{'type':'uuid','refTable':'no id'}}", NULL, "refTable" },
};

START_TEST(types_are_read_and_written)
{
	json_t *json = parse(types[_i].in);
	struct column_type type;
	struct ovsdb_error *error = column_type_from_json(json, &type);

	json_decref(json);
	if (types[_i].words) {
		ck_assert_ptr_nonnull(error);
		ck_assert_str_eq(error->name, OVSDB_SYNTAX_ERROR);
		ck_assert_msg(strstr(error->details, types[_i].words) != NULL,
			      "%s: %s", types[_i].in, error->details);
		ovsdb_error_free(error);
		return;
	}
	ck_assert_msg(!error, "%s", types[_i].in);
	json = column_type_to_json(&type);
	check_json(json, types[_i].out, types[_i].in);
	json_decref(json);
	column_type_done(&type);
}
END_TEST

START_TEST(limits_hold)
{
	static const struct {
		const char *type, *value;
		bool good;
	} cases[] = {
		{ "{'type':'integer','minInteger':1,'maxInteger':3}", "1", 1 },
		{ "{'type':'integer','minInteger':1,'maxInteger':3}", "3", 1 },
		{ "{'type':'integer','minInteger':1,'maxInteger':3}", "0", 0 },
		{ "{'type':'integer','minInteger':1,'maxInteger':3}", "4", 0 },
		{ "{'type':'real','minReal':0.5}", "0.5", 1 },
		{ "{'type':'real','minReal':0.5}", "0.4999", 0 },
		{ "{'type':'real','maxReal':0.5}", "0.5001", 0 },
		{ "{'type':'string','minLength':2}", "'\\u00e9\\u00e9'", 1 },
		{ "{'type':'string','minLength':2}", "'\\u00e9'", 0 },
		{ "{'type':'string','maxLength':2}",
		  "'\\ud834\\udd1e\\ud834\\udd1e'", 1 },
		{ "{'type':'string','maxLength':2}", "'abc'", 0 },
		{ "{'type':'string','enum':['set',['a','b']]}", "'b'", 1 },
		{ "{'type':'string','enum':['set',['a','b']]}", "'c'", 0 },
		{ "{'type':'integer','enum':['set',[1,5]]}", "5", 1 },
		{ "{'type':'integer','enum':['set',[1,5]]}", "2", 0 },
		{ "{'type':'boolean','enum':true}", "false", 0 },
	};
	size_t i;

	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		json_t *json = json_pack("{so}", "key", parse(cases[i].type));
		struct column_type type;
		struct ovsdb_error *error;
		union atom atom;

		ck_assert_ptr_null(column_type_from_json(json, &type));
		json_decref(json);
		json = parse(cases[i].value);
		ck_assert_ptr_null(atom_from_json(type.key.type, json, NULL,
						  &atom));
		json_decref(json);
		error = base_type_check(&type.key, &atom);
		ck_assert_msg(!error == cases[i].good, "%s %s", cases[i].type,
			      cases[i].value);
		if (error)
			ck_assert_str_eq(error->name,
					 OVSDB_CONSTRAINT_VIOLATION);
		ovsdb_error_free(error);
		atom_done(type.key.type, &atom);
		column_type_done(&type);
	}
}
END_TEST

CHECK_MAIN_LOOP("type", types_are_read_and_written,
		sizeof types / sizeof *types, limits_hold)
