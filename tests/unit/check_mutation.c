/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/operation/mutation.h"

#include "tests/unit/ovsdb_tools.h"

static const struct {
	const char *column, *before, *mutations, *after, *error;
} cases[] = {
	{ "i", "7", "[['i','+=',1]]", "8", NULL },
	{ "i", "7", "[['i','-=',9]]", "-2", NULL },
	{ "i", "7", "[['i','*=',-3]]", "-21", NULL },
	{ "i", "-7", "[['i','/=',2]]", "-3", NULL },
	{ "i", "-7", "[['i','%=',4]]", "-3", NULL },
	{ "i", "7", "[['i','+=',1],['i','*=',2],['i','-=',1]]", "15", NULL },
	{ "i", "7", "[['i','%=',-1]]", "0", NULL },
	{ "i", "-9223372036854775808", "[['i','%=',-1]]", "0", NULL },
	{ "i", "7", "[['i','/=',0]]", NULL, OVSDB_DOMAIN_ERROR },
	{ "i", "7", "[['i','%=',0]]", NULL, OVSDB_DOMAIN_ERROR },
	{ "i", "9223372036854775807", "[['i','+=',1]]", NULL,
	  OVSDB_RANGE_ERROR },
	{ "i", "-9223372036854775808", "[['i','-=',1]]", NULL,
	  OVSDB_RANGE_ERROR },
	{ "i", "4611686018427387904", "[['i','*=',2]]", NULL,
	  OVSDB_RANGE_ERROR },
	{ "i", "-9223372036854775808", "[['i','/=',-1]]", NULL,
	  OVSDB_RANGE_ERROR },
	{ "i", "7", "[['i','+=',1.5]]", NULL, OVSDB_SYNTAX_ERROR },
	{ "i", "7", "[['i','+=',['set',[1,2]]]]", NULL, OVSDB_SYNTAX_ERROR },
	{ "i", "7", "[['i','insert',1]]", NULL, OVSDB_SYNTAX_ERROR },
	{ "i", "7", "[['i','=',1]]", NULL, OVSDB_UNKNOWN_MUTATOR },
	{ "i", "7", "[['zz','+=',1]]", NULL, OVSDB_UNKNOWN_COLUMN },
	{ "i", "7", "[['i','+=']]", NULL, OVSDB_SYNTAX_ERROR },
	{ "i", "7", "[7]", NULL, OVSDB_SYNTAX_ERROR },
	{ "im", "'x'", "[['im','insert','y']]", NULL,
	  OVSDB_CONSTRAINT_VIOLATION },
	{ "rng", "7", "[['rng','+=',3]]", "10", NULL },
	{ "rng", "7", "[['rng','+=',4]]", NULL, OVSDB_CONSTRAINT_VIOLATION },
	{ "rng", "7", "[['rng','+=',100],['rng','-=',100]]", NULL,
	  OVSDB_CONSTRAINT_VIOLATION },
	{ "r", "0.5", "[['r','+=',1]]", "1.5", NULL },
	{ "r", "0.5", "[['r','/=',4]]", "0.125", NULL },
	{ "r", "0.5", "[['r','/=',0]]", NULL, OVSDB_DOMAIN_ERROR },
	{ "r", "1e308", "[['r','*=',1e10]]", NULL, OVSDB_RANGE_ERROR },
	{ "r", "0.5", "[['r','%=',2]]", NULL, OVSDB_SYNTAX_ERROR },
	{ "b", "true", "[['b','+=',1]]", NULL, OVSDB_SYNTAX_ERROR },
	{ "name", "'a'", "[['name','+=',1]]", NULL, OVSDB_SYNTAX_ERROR },
	{ "oi", "['set',[]]", "[['oi','+=',1]]", "['set',[]]", NULL },
	{ "oi", "['set',[]]", "[['oi','insert',1]]", "1", NULL },
	{ "oi", "1", "[['oi','insert',1]]", "1", NULL },
	{ "oi", "1", "[['oi','insert',2]]", NULL,
	  OVSDB_CONSTRAINT_VIOLATION },
	{ "oi", "1", "[['oi','delete',['set',[1,2]]]]", "['set',[]]", NULL },
	{ "si", "['set',[1,2,3]]", "[['si','+=',10]]", "['set',[11,12,13]]",
	  NULL },
	{ "si", "['set',[1,2,3]]", "[['si','*=',-1]]", "['set',[-3,-2,-1]]",
	  NULL },
	{ "si", "['set',[1,2,3]]", "[['si','/=',2]]", NULL,
	  OVSDB_CONSTRAINT_VIOLATION },
	{ "si", "['set',[1,2,3]]", "[['si','insert',['set',[0,2,9]]]]",
	  "['set',[0,1,2,3,9]]", NULL },
	{ "si", "['set',[1,2,3]]", "[['si','delete',['set',[1,3,9]]]]", "2",
	  NULL },
	{ "si", "['set',[1,2,3]]", "[['si','insert',['set',[]]]]",
	  "['set',[1,2,3]]", NULL },
	{ "s3", "['set',['a','b']]", "[['s3','insert',['set',['c','d']]]]",
	  NULL, OVSDB_CONSTRAINT_VIOLATION },
	{ "m", "['map',[['a','1'],['b','2']]]",
	  "[['m','insert',['map',[['b','9'],['c','3']]]]]",
	  "['map',[['a','1'],['b','2'],['c','3']]]", NULL },
	{ "m", "['map',[['a','1'],['b','2']]]",
	  "[['m','delete',['map',[['a','1'],['b','9']]]]]",
	  "['map',[['b','2']]]", NULL },
	{ "m", "['map',[['a','1'],['b','2']]]",
	  "[['m','delete',['set',['a','z']]]]", "['map',[['b','2']]]", NULL },
	{ "m", "['map',[['a','1'],['b','2']]]", "[['m','delete','b']]",
	  "['map',[['a','1']]]", NULL },
	{ "m", "['map',[]]", "[['m','insert',['set',['a']]]]", NULL,
	  OVSDB_SYNTAX_ERROR },
	{ "m", "['map',[]]", "[['m','delete',['set',[1]]]]", NULL,
	  OVSDB_SYNTAX_ERROR },
	{ "m", "['map',[]]", "[['m','+=',1]]", NULL, OVSDB_SYNTAX_ERROR },
};

START_TEST(mutations_apply)
{
	struct schema *schema = schema_of(everything);
	const struct table_schema *table = schema_table(schema, "R");
	const struct column *column = table_schema_column(table,
							  cases[_i].column);
	json_t *json = parse(cases[_i].before);
	struct mutations mutations = { NULL, 0 };
	struct ovsdb_error *error;
	struct datum d;
	size_t i;

	ck_assert_ptr_null(datum_from_json(json, &column->type, NULL, &d));
	json_decref(json);
	json = parse(cases[_i].mutations);
	error = mutations_from_json(json, table, NULL, &mutations);
	json_decref(json);
	for (i = 0; !error && i < mutations.n; i++)
		error = mutation_apply(&mutations.mutations[i], &d);
	if (cases[_i].error) {
		ck_assert_ptr_nonnull(error);
		ck_assert_str_eq(error->name, cases[_i].error);
		ovsdb_error_free(error);
	} else {
		ck_assert_msg(!error, "%s", error ? error->details : "");
		json = datum_to_json(&d, &column->type);
		check_json(json, cases[_i].after, cases[_i].mutations);
		json_decref(json);
	}
	mutations_done(&mutations);
	datum_done(&d, &column->type);
	schema_free(schema);
}
END_TEST

START_TEST(mutations_are_limited)
{
	struct schema *schema = schema_of(everything);
	json_t *json = json_array();
	json_t *one = parse("['i','+=',1]");
	struct mutations mutations;
	struct ovsdb_error *error;
	size_t i;

	for (i = 0; i < MUTATIONS_MAX; i++)
		json_array_append(json, one);
	ck_assert_ptr_null(mutations_from_json(json,
					       schema_table(schema, "R"),
					       NULL, &mutations));
	mutations_done(&mutations);
	json_array_append_new(json, one);
	error = mutations_from_json(json, schema_table(schema, "R"), NULL,
				    &mutations);
	ck_assert_str_eq(error->name, OVSDB_RESOURCES_EXHAUSTED);
	ovsdb_error_free(error);
	json_decref(json);
	schema_free(schema);
}
END_TEST

CHECK_MAIN_LOOP("mutation", mutations_apply, sizeof cases / sizeof *cases,
		mutations_are_limited)
