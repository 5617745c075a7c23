/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/operation/condition.h"

#include "agent/ovsdb/store/transaction.h"
#include "tests/unit/ovsdb_tools.h"

/* Which of three rows match: '1', '2', '3' in the text. */
static const struct {
	const char *where, *rows, *error;
} cases[] = {
	{ "[]", "123", NULL },
	{ "[true]", "123", NULL },
	{ "[false]", "", NULL },
	{ "[true,['i','==',1]]", "1", NULL },
	{ "[['i','==',1]]", "1", NULL },
	{ "[['i','!=',1]]", "23", NULL },
	{ "[['i','<',2]]", "1", NULL },
	{ "[['i','<=',2]]", "12", NULL },
	{ "[['i','>',2]]", "3", NULL },
	{ "[['i','>=',2]]", "23", NULL },
	{ "[['i','includes',2]]", "2", NULL },
	{ "[['i','excludes',2]]", "13", NULL },
	{ "[['i','>',1],['i','<',3]]", "2", NULL },
	{ "[['r','<',0.5]]", "1", NULL },
	{ "[['b','==',true]]", "2", NULL },
	{ "[['oi','==',5]]", "1", NULL },
	{ "[['oi','==',['set',[]]]]", "23", NULL },
	{ "[['oi','!=',['set',[]]]]", "1", NULL },
	{ "[['oi','!=',5]]", "23", NULL },
	{ "[['oi','<',9]]", "1", NULL },
	{ "[['oi','>=',-9]]", "1", NULL },
	{ "[['oi','includes',['set',[]]]]", "123", NULL },
	{ "[['oi','excludes',5]]", "23", NULL },
	{ "[['oi','excludes',['set',[5,6]]]]", "23", NULL },
	{ "[['si','==',['set',[2,1]]]]", "1", NULL },
	{ "[['si','includes',2]]", "12", NULL },
	{ "[['si','includes',['set',[2,3]]]]", "2", NULL },
	{ "[['si','excludes',['set',[1,3]]]]", "3", NULL },
	{ "[['m','includes',['map',[['k','v']]]]]", "1", NULL },
	{ "[['m','excludes',['map',[['k','v']]]]]", "23", NULL },
	{ "[['m','==',['map',[['k','w']]]]]", "2", NULL },
	{ "[['m','includes',['map',[]]]]", "123", NULL },
	{ "[['name','==','2']]", "2", NULL },
	{ "[['name','includes','3']]", "3", NULL },
	{ "[['name','!=','2']]", "13", NULL },
	{ "[['name','==','2'],['i','==',1]]", "", NULL },
	{ "[['name','==','zz']]", "", NULL },
	{ "[['name','==','1'],['name','==','2']]", "", NULL },
	{ "[['_uuid','==',['uuid','00000000-0000-0000-0000-00000000000a']]]",
	  "", NULL },
	{ "[['_uuid','!=',['uuid','00000000-0000-0000-0000-00000000000a']]]",
	  "123", NULL },
	{ "[['zz','==',1]]", NULL, OVSDB_UNKNOWN_COLUMN },
	{ "[['i','~',1]]", NULL, OVSDB_UNKNOWN_FUNCTION },
	{ "[['i','==']]", NULL, OVSDB_SYNTAX_ERROR },
	{ "[['i','==',1,2]]", NULL, OVSDB_SYNTAX_ERROR },
	{ "[[1,'==',1]]", NULL, OVSDB_SYNTAX_ERROR },
	{ "['i']", NULL, OVSDB_SYNTAX_ERROR },
	{ "[null]", NULL, OVSDB_SYNTAX_ERROR },
	{ "[['i','==','1']]", NULL, OVSDB_SYNTAX_ERROR },
	{ "[['i','==',['set',[]]]]", NULL, OVSDB_SYNTAX_ERROR },
	{ "[['i','excludes',['set',[1,2]]]]", NULL, OVSDB_SYNTAX_ERROR },
	{ "[['oi','includes',['set',[1,2]]]]", NULL, OVSDB_SYNTAX_ERROR },
	{ "[['oi','<',['set',[]]]]", NULL, OVSDB_SYNTAX_ERROR },
	{ "[['name','<','x']]", NULL, OVSDB_SYNTAX_ERROR },
	{ "[['b','<',true]]", NULL, OVSDB_SYNTAX_ERROR },
	{ "[['si','<',1]]", NULL, OVSDB_SYNTAX_ERROR },
	{ "[['m','<',1]]", NULL, OVSDB_SYNTAX_ERROR },
	{ "[['len','==','long']]", NULL, OVSDB_CONSTRAINT_VIOLATION },
};

static bool
note(void *ctx, const struct row *row)
{
	char *found = ctx;
	const char *name = row_string(row, "name", "");

	found[*name - '1'] = *name;
	return true;
}

static void
fill(struct database *db)
{
	json_decref(run(db, "{'op':'insert','table':'R','row':{'name':'1','i':"
			"1,'r':0.25,'oi':5,'si':['set',[1,2]],'m':['map',"
			"[['k','v']]]}},{'op':'insert','table':'R','row':"
			"{'name':'2','i':2,'r':1.5,'b':true,'si':['set',[1,2,"
			"3]],'m':['map',[['k','w']]]}},{'op':'insert','table':"
			"'R','row':{'name':'3','i':3,'r':2}}"));
}

START_TEST(conditions_match)
{
	struct database *db = open_everything();
	struct table *table = database_table(db, "R");
	json_t *json = parse(cases[_i].where);
	struct condition condition;
	struct ovsdb_error *error;
	struct transaction *txn;
	char found[4] = "   ";
	size_t i, n = 0;

	fill(db);
	error = condition_from_json(json, table_schema(table), NULL,
				    &condition);
	json_decref(json);
	if (cases[_i].error) {
		ck_assert_ptr_nonnull(error);
		ck_assert_str_eq(error->name, cases[_i].error);
		ovsdb_error_free(error);
		database_free(db);
		return;
	}
	ck_assert_msg(!error, "%s", error ? error->details : "");
	txn = transaction_begin(db);
	condition_each(&condition, txn, table, note, found);
	transaction_abort(txn);
	for (i = 0; i < 3; i++) {
		if (found[i] != ' ')
			found[n++] = found[i];
	}
	found[n] = '\0';
	ck_assert_str_eq(found, cases[_i].rows);
	condition_done(&condition);
	database_free(db);
}
END_TEST

/* Through the index, of rows that this very transaction has changed. */
START_TEST(an_index_follows_the_transaction)
{
	struct database *db = open_everything();
	json_t *reply;

	fill(db);
	reply = run(db,
		    "{'op':'update','table':'R','where':[['name','==','1']],"
		    "'row':{'name':'x'}},"
		    "{'op':'select','table':'R','where':[['name','==','1']],"
		    "'columns':['i']},"
		    "{'op':'select','table':'R','where':[['name','==','x']],"
		    "'columns':['i']},"
		    "{'op':'insert','table':'R','row':{'name':'1','i':9}},"
		    "{'op':'select','table':'R','where':[['name','==','1']],"
		    "'columns':['i']},"
		    "{'op':'delete','table':'R','where':[['name','==','1']]},"
		    "{'op':'select','table':'R','where':[['name','==','1']],"
		    "'columns':['i']},"
		    "{'op':'update','table':'R','where':[['name','==','x']],"
		    "'row':{'name':'1'}},"
		    "{'op':'select','table':'R','where':[['name','==','1']],"
		    "'columns':['i']},"
		    "{'op':'delete','table':'R','where':[['name','==','1']]},"
		    "{'op':'select','table':'R','where':[['name','==','1']],"
		    "'columns':['i']}");
	json_array_remove(reply, 3);
	check_json(reply, "[{'count':1},{'rows':[]},{'rows':[{'i':1}]},"
		   "{'rows':[{'i':9}]},{'count':1},{'rows':[]},{'count':1},"
		   "{'rows':[{'i':1}]},{'count':1},{'rows':[]}]", "index");
	json_decref(reply);
	database_free(db);
}
END_TEST

START_TEST(clauses_are_limited)
{
	struct schema *schema = schema_of(everything);
	json_t *json = json_array();
	struct condition condition;
	struct ovsdb_error *error;
	size_t i;

	for (i = 0; i < CONDITION_MAX_CLAUSES; i++)
		json_array_append_new(json, json_true());
	ck_assert_ptr_null(condition_from_json(json, schema->tables[0], NULL,
					       &condition));
	condition_done(&condition);
	json_array_append_new(json, json_true());
	error = condition_from_json(json, schema->tables[0], NULL,
				    &condition);
	ck_assert_str_eq(error->name, OVSDB_RESOURCES_EXHAUSTED);
	ovsdb_error_free(error);
	json_decref(json);
	schema_free(schema);
}
END_TEST

CHECK_MAIN_LOOP("condition", conditions_match,
		sizeof cases / sizeof *cases, an_index_follows_the_transaction,
		clauses_are_limited)
