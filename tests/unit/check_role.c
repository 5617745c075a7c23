/* SPDX-License-Identifier: Apache-2.0 */

/* Role-based access control: who may do what to which row. */

#include "tests/unit/server_fixture.h"

static const char schema[] =
	"{'name':'t','version':'1.0.0','tables':{"
	"'RBAC_Role':{'isRoot':true,'columns':{'name':{'type':'string'},"
	"'permissions':{'type':{'key':'string','value':{'type':'uuid',"
	"'refTable':'RBAC_Permission','refType':'weak'},'min':0,"
	"'max':'unlimited'}}}},"
	"'RBAC_Permission':{'isRoot':true,'columns':{"
	"'authorization':{'type':{'key':'string','min':0,'max':'unlimited'}},"
	"'insert_delete':{'type':'boolean'},"
	"'update':{'type':{'key':'string','min':0,'max':'unlimited'}}}},"
	"'Own':{'isRoot':true,'columns':{'owner':{'type':'string'},"
	"'v':{'type':'integer'},'w':{'type':'integer'}}},"
	"'Map':{'isRoot':true,'columns':{'ids':{'type':{'key':'string',"
	"'value':'string','min':0,'max':'unlimited'}},"
	"'v':{'type':'integer'}}},"
	"'All':{'isRoot':true,'columns':{'v':{'type':'integer'}}},"
	"'None':{'isRoot':true,'columns':{'v':{'type':'integer'}}}}}";

static const char roles[] =
	"{'id':0,'method':'transact','params':['t',"
	"{'op':'insert','table':'RBAC_Permission','uuid-name':'own','row':"
	"{'authorization':'owner','insert_delete':true,"
	"'update':['set',['v','owner']]}},"
	"{'op':'insert','table':'RBAC_Permission','uuid-name':'map','row':"
	"{'authorization':'ids:host','insert_delete':false,'update':'v'}},"
	"{'op':'insert','table':'RBAC_Permission','uuid-name':'all','row':"
	"{'authorization':'','insert_delete':true,'update':'v'}},"
	"{'op':'insert','table':'RBAC_Role','row':{'name':'r','permissions':"
	"['map',[['Own',['named-uuid','own']],['Map',['named-uuid','map']],"
	"['All',['named-uuid','all']]]]}},"
	"{'op':'insert','table':'Own','row':{'owner':'a','v':1}},"
	"{'op':'insert','table':'Own','row':{'owner':'b','v':2}},"
	"{'op':'insert','table':'Map','row':{'ids':['map',[['host','a'],"
	"['other','b']]],'v':1}},"
	"{'op':'insert','table':'None','row':{'v':1}}]}";

/* The rest of an operation, and what client "a" of role "r" is told of it;
 * NULL: it may. */
static const struct {
	const char *operation, *prohibited;
} cases[] = {
	{ "'insert','table':'Own','row':{'owner':'a'}", NULL },
	{ "'insert','table':'Own','row':{'owner':'b'}",
	  "row insertion into table \"Own\"" },
	{ "'insert','table':'Own','row':{}",
	  "row insertion into table \"Own\"" },
	{ "'insert','table':'Map','row':{'ids':['map',[['host','a']]]}",
	  "row insertion into table \"Map\"" },
	{ "'insert','table':'All','row':{}", NULL },
	{ "'insert','table':'None','row':{}",
	  "row insertion into table \"None\"" },
	{ "'insert','table':'RBAC_Role','row':{'name':'mine'}",
	  "row insertion into table \"RBAC_Role\"" },
	{ "'update','table':'Own','where':[['v','==',1]],'row':{'v':9}", NULL },
	{ "'update','table':'Own','where':[['v','==',2]],'row':{'v':9}",
	  "modification of table \"Own\"" },
	{ "'update','table':'Own','where':[],'row':{'v':9}",
	  "modification of table \"Own\"" },
	{ "'update','table':'Own','where':[['v','==',1]],'row':{'w':9}",
	  "modification of table \"Own\"" },
	/* One's own row may be given away, with more of it in one go. */
	{ "'update','table':'Own','where':[['v','==',1]],"
	  "'row':{'owner':'b','v':5}", NULL },
	{ "'update','table':'Own','where':[['v','==',2]],"
	  "'row':{'owner':'a'}", "modification of table \"Own\"" },
	{ "'update','table':'Map','where':[],'row':{'v':2}", NULL },
	{ "'update','table':'None','where':[],'row':{'v':2}",
	  "modification of table \"None\"" },
	{ "'update','table':'None','where':[['v','==',7]],'row':{'v':2}",
	  NULL },
	{ "'mutate','table':'Own','where':[['v','==',1]],"
	  "'mutations':[['v','+=',1]]", NULL },
	{ "'mutate','table':'Own','where':[['v','==',2]],"
	  "'mutations':[['v','+=',1]]", "mutate operation on table \"Own\"" },
	{ "'mutate','table':'Own','where':[['v','==',1]],"
	  "'mutations':[['w','+=',1]]", "mutate operation on table \"Own\"" },
	{ "'delete','table':'Own','where':[['v','==',1]]", NULL },
	{ "'delete','table':'Own','where':[['v','==',2]]",
	  "row deletion from table \"Own\"" },
	{ "'delete','table':'Map','where':[]",
	  "row deletion from table \"Map\"" },
	{ "'delete','table':'All','where':[]", NULL },
	{ "'select','table':'None','where':[]", NULL },
};

static struct test_client client;

static void
set_up(void)
{
	fixture_init(schema);
	test_client_init(&client);
	put(&client, json_of(roles), 0);
	json_decref(take(&client));
}

static void
tear_down(void)
{
	test_client_done(&client);
	fixture_done();
}

static void
try(const char *operation, const char *who, const char *role,
    const char *prohibited)
{
	json_t *reply, *result;
	const char *details;
	char expected[256];

	ask(&client, "{'id':1,'method':'transact','params':['t',{'op':%s},"
	    "{'op':'abort'}]}", operation);
	reply = take(&client);
	result = json_array_get(json_object_get(reply, "result"), 0);
	ck_assert_msg(result != NULL, "%s", operation);
	details = json_string_value(json_object_get(result, "details"));
	if (!prohibited) {
		ck_assert_msg(!details, "%s: %s", operation, details);
	} else {
		snprintf(expected, sizeof expected, "RBAC rules for client "
			 "\"%s\" role \"%s\" prohibit %s.", who, role,
			 prohibited);
		ck_assert_msg(details && !strcmp(details, expected),
			      "%s: %s not %s", operation,
			      details ? details : "nothing", expected);
		ck_assert_str_eq(json_string_value(
				 json_object_get(result, "error")),
				 "permission error");
	}
	json_decref(reply);
}

START_TEST(what_it_may)
{
	client_set_role(client.client, "r", "a");
	try(cases[_i].operation, "a", "r", cases[_i].prohibited);
}
END_TEST

START_TEST(no_role)
{
	client_set_role(client.client, "", NULL);
	try(cases[_i].operation, "", "", NULL);
}
END_TEST

/* A role that is not there, or a client without a name, may nothing. */
START_TEST(nobody)
{
	client_set_role(client.client, "s", "a");
	try("'insert','table':'All','row':{}", "a", "s",
	    "row insertion into table \"All\"");
	client_set_role(client.client, "r", NULL);
	try("'insert','table':'All','row':{}", "", "r",
	    "row insertion into table \"All\"");
	try("'select','table':'All','where':[]", "", "r", NULL);
}
END_TEST

/* What it may is asked anew each time. */
START_TEST(changed)
{
	static const char insert[] = "'insert','table':'All','row':{}";

	client_set_role(client.client, "r", "a");
	try(insert, "a", "r", NULL);
	client_set_role(client.client, "", NULL);
	ask(&client, "{'id':1,'method':'transact','params':['t',"
	    "{'op':'delete','table':'RBAC_Role','where':[]}]}");
	json_decref(take(&client));
	client_set_role(client.client, "r", "a");
	try(insert, "a", "r", "row insertion into table \"All\"");
}
END_TEST

START_TEST(no_schema_of_its_own)
{
	server_allow_convert(server);
	client_set_role(client.client, "r", "a");
	ask(&client, "{'id':1,'method':'convert','params':['t',%s]}",
	    "{'name':'t','version':'2.0.0','tables':{}}");
	hear_error(&client, "not allowed");
}
END_TEST

int
main(void)
{
	const int n_cases = sizeof cases / sizeof *cases;
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, what_it_may, 0, n_cases);
	tcase_add_loop_test(tcase, no_role, 0, n_cases);
	tcase_add_test(tcase, nobody);
	tcase_add_test(tcase, changed);
	tcase_add_test(tcase, no_schema_of_its_own);
	return run_suite(tcase, "role");
}
