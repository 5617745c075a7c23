/* SPDX-License-Identifier: Apache-2.0 */

/* Requests that are executed from their text do and answer what they would if
 * jansson had read them: beside a twin that has them read so. */

#include "agent/ovsdb/operation/request.h"

#include <stdarg.h>
#include <stdio.h>
#include "tests/unit/ovsdb_tools.h"
#include "tests/unit/transact_stock.h"
#include "tests/unit/twins.h"

enum { N_RANDOM = 1500, N_EACH = 60 };

static size_t n_parsed;		/* Texts that jansson was given. */

json_t *__real_json_loadb(const char *, size_t, size_t, json_error_t *);
json_t *__wrap_json_loadb(const char *, size_t, size_t, json_error_t *);

json_t *
__wrap_json_loadb(const char *text, size_t size, size_t flags,
		  json_error_t *error)
{
	n_parsed++;
	return __real_json_loadb(text, size, flags, error);
}

/* In these texts, too, ' stands for ". */
static char *
quoted(const char *text)
{
	char *copy = strdup(text);

	for (char *p = copy; *p; p++)
		if (*p == '\'')
			*p = '"';
	return copy;
}

static void
begin(struct twins *twins)
{
	json_t *schema = parse(everything);

	twins_init(twins, schema, NULL);
	json_decref(schema);
}

/* Returns whether jansson had nothing to do with it, but to read the tree for
 * the other side. */
static bool
hear(struct twins *twins, const char *text)
{
	size_t before = n_parsed;
	char *problem = twins_hear(twins, text, strlen(text));

	ck_assert_msg(!problem, "%s\n%s", text, problem);
	return n_parsed - before == 1;
}

START_TEST(as_stock_was_asked)
{
	size_t n = sizeof stock / sizeof *stock, n_typed = 0;
	struct twins twins;

	begin(&twins);
	for (size_t i = 0; i < n; i++) {
		char *text, *message;

		ck_assert_int_gt(asprintf(&text, "{'id':%zu,'method':"
					  "'transact','params':['T',%s]}", i,
					  stock[i].operations), 0);
		message = quoted(text);
		n_typed += hear(&twins, message);
		free(message);
		free(text);
	}
	ck_assert_uint_gt(n, 200);
	ck_assert_uint_gt(n_typed, 20);
	ck_assert_uint_lt(n_typed, n - 50);
	twins_done(&twins);
}
END_TEST

#define U1 "11111111-2222-4333-8444-555555555555"
#define U2 "21111111-2222-4333-8444-55555555555A"

/* Which of them are read without jansson is said in front. */
static const struct {
	bool is_typed;
	const char *text;
} requests[] = {
	{ true, "{'id':1,'method':'transact','params':['T']}" },
	{ true, " {\t'params' : [ 'T' ] ,\n'id' : 'a' ,\r'method' : "
	  "'transact' } " },
	{ false, "{'id':1,'id':2,'method':'transact','params':['T']}" },
	{ false, "{'id':1,'method':'transact','params':['T'],'x':1}" },
	{ false, "{'id':1.0,'method':'transact','params':['T']}" },
	{ false, "{'id':-0,'method':'transact','params':['T']}" },
	{ true, "{'id':-12,'method':'transact','params':['T']}" },
	{ false, "{'id':{'a':1},'method':'transact','params':['T']}" },
	{ false, "{'id':null,'method':'transact','params':['T']}" },
	{ false, "{'id':'\\u0041','method':'transact','params':['T']}" },
	{ false, "{'id':1,'method':'transact','params':['T'" },
	{ false, "{'id':1,'method':'transact','params':['T']} x" },
	{ false, "{'id':1,'method':'transact','params':['T'}]" },
	{ false, "{'id':1,'method':'transact','params':['T',]}" },
	{ false, "{'id':1,'method':'transact','params':['T' 1]}" },
	{ false, "{'id':1,'method':'transact','params':[]}" },
	{ false, "{'id':1,'method':'transact','params':['other']}" },
	{ false, "{'id':1,'method':'transact','params':[1]}" },
	{ false, "{'id':1,'method':'transact','params':{}}" },
	{ false, "{'id':1,'method':'echo','params':['T']}" },
	{ false, "{'id':1,'result':[],'error':null}" },
	{ false, "[]" },
	{ false, "{'id':1,'method':'cancel','params':['T']}" },
};

START_TEST(envelopes)
{
	struct twins twins;

	begin(&twins);
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		char *text = quoted(requests[i].text);

		ck_assert_msg(hear(&twins, text) == requests[i].is_typed,
			      "%s", text);
		free(text);
	}
	twins_done(&twins);
}
END_TEST

/* Lists of operations, each on a database of its own. */
static const struct {
	bool is_typed;
	const char *operations;
} operations[] = {
	{ true, "{'op':'insert','table':'R','row':{}}" },
	{ true, "{'row':{'name':'a','i':-5},'table':'R','op':'insert'}" },
	{ true, "{ 'op' : 'insert' , 'table' : 'R' , 'row' : { 'name' : 'a' ,"
	  " 's3' : [ 'set' , [ 'b' , 'a' ] ] , 'm' : [ 'map' , [ [ 'k' ,"
	  " 'v' ] ] ] , 'b' : true , 'oi' : [ 'set' , [ ] ] } }" },
	{ true, "{'op':'insert','table':'R','row':{'name':'\\\\ \\\" \\/ \\b"
	  "\\f\\n\\r\\t','b':false}}" },
	{ true, "{'op':'insert','table':'R','row':{'u':['uuid','" U1 "']}}" },
	{ true, "{'op':'insert','table':'R','row':{'u':['uuid','" U2 "'],"
	  "'b':[ 'set' , [ true ] ]},'uuid':'" U1 "'}" },
	/* References, forwards and backwards. */
	{ true, "{'op':'insert','table':'R','row':{'strong':['set',[["
	  "'named-uuid','c'],['named-uuid','d']]],'weak':['named-uuid','c'],"
	  "'pair':['map',[[['named-uuid','c'],['named-uuid','d']]]]}},"
	  "{'op':'insert','table':'C','uuid-name':'c','row':{'name':'c'}},"
	  "{'op':'insert','table':'C','uuid-name':'d','row':{'next':["
	  "'named-uuid','c']}},{'op':'update','table':'C','where':[['_uuid',"
	  "'==',['named-uuid','c']]],'row':{'next':['named-uuid','d']}}" },
	{ true, "{'op':'insert','table':'R','row':{'strong':['named-uuid',"
	  "'nobody']}}" },
	{ true, "{'op':'insert','table':'C','uuid-name':'c','row':{}},"
	  "{'op':'insert','table':'C','uuid-name':'c','row':{}}" },
	{ false, "{'op':'insert','table':'C','row':{'next':['named-uuid','c']"
	  "}},{'op':'insert','table':'C','uuid-name':'c','uuid':'" U1 "',"
	  "'row':{'next':['named-uuid','c']}},{'op':'insert','table':'R',"
	  "'row':{'strong':['named-uuid','c'],'u':['uuid','" U1 "']}}" },
	{ true, "{'op':'insert','table':'R','uuid':'" U1 "','row':{}},"
	  "{'op':'insert','table':'R','uuid':'" U1 "','row':{'name':'b'}}" },
	{ true, "{'op':'insert','table':'R','row':{'name':'a'}},"
	  "{'op':'insert','table':'R','row':{'name':'a'}},"
	  "{'op':'insert','table':'R','row':{'name':'b'}}" },
	/* Of the table that comes later. */
	{ true, "{'where':[['name','==','a']],'op':'delete','table':'R'}" },
	{ true, "{'op':'insert','table':'R','row':{'name':'a'}},{'op':"
	  "'update','row':{'i':2},'where':[['name','!=','b'],['i','==',0]],"
	  "'table':'R'},{'op':'delete','table':'R','where':[['name','==',"
	  "'a'],['i','==',2]]}" },
	{ true, "{'op':'insert','table':'R','row':{'_version':['uuid','" U1
	  "']}}" },
	/* Values that are not of the column. */
	{ false, "{'op':'insert','table':'R','row':{'i':1.0}}" },
	{ false, "{'op':'insert','table':'R','row':{'i':1.5}}" },
	{ false, "{'op':'insert','table':'R','row':{'i':1e2}}" },
	{ false, "{'op':'insert','table':'R','row':{'i':9223372036854775807}}"
	},
	{ false, "{'op':'insert','table':'R','row':{'i':9223372036854775808}}"
	},
	{ false, "{'op':'insert','table':'R','row':{'i':01}}" },
	{ true, "{'op':'insert','table':'R','row':{'i':-0}}" },
	{ false, "{'op':'insert','table':'R','row':{'i':- 1}}" },
	{ false, "{'op':'insert','table':'R','row':{'i':'1'}}" },
	{ false, "{'op':'insert','table':'R','row':{'b':tru}}" },
	{ false, "{'op':'insert','table':'R','row':{'b':truefalse}}" },
	{ false, "{'op':'insert','table':'R','row':{'name':1}}" },
	{ false, "{'op':'insert','table':'R','row':{'name':['set',[]]}}" },
	{ true, "{'op':'insert','table':'R','row':{'name':['set',['x']]}}" },
	{ false, "{'op':'insert','table':'R','row':{'name':['set',['x','y']]"
	  "}}" },
	{ false, "{'op':'insert','table':'R','row':{'s3':['set',['x','x']]}}"
	},
	{ false, "{'op':'insert','table':'R','row':{'s3':['set',['1','2','3',"
	  "'4']]}}" },
	{ false, "{'op':'insert','table':'R','row':{'s3':['set',['x',]]}}" },
	{ false, "{'op':'insert','table':'R','row':{'s3':['set']}}" },
	{ false, "{'op':'insert','table':'R','row':{'s3':['set',['x'],1]}}" },
	{ false, "{'op':'insert','table':'R','row':{'m':['map',[['k','v'],"
	  "['k','w']]]}}" },
	{ false, "{'op':'insert','table':'R','row':{'m':['map',[['k']]]}}" },
	{ false, "{'op':'insert','table':'R','row':{'m':['set',[]]}}" },
	{ false, "{'op':'insert','table':'R','row':{'rng':11}}" },
	{ true, "{'op':'insert','table':'R','row':{'rng':10}}" },
	{ false, "{'op':'insert','table':'R','row':{'len':'long'}}" },
	{ false, "{'op':'insert','table':'R','row':{'en':'c'}}" },
	{ true, "{'op':'insert','table':'E1','row':{}}" },
	{ true, "{'op':'insert','table':'E1','row':{'e':'x'}}" },
	{ false, "{'op':'insert','table':'R','row':{'u':['uuid','x']}}" },
	{ false, "{'op':'insert','table':'R','row':{'u':['uuid','" U1 "',1]}}"
	},
	{ false, "{'op':'insert','table':'R','row':{'name':'\xc3\xa4'}}" },
	{ false, "{'op':'insert','table':'R','row':{'name':'\xff'}}" },
	{ false, "{'op':'insert','table':'R','row':{'name':'\x01'}}" },
	{ true, "{'op':'insert','table':'R','row':{'name':'\x7f'}}" },
	{ false, "{'op':'insert','table':'R','row':{'name':'\\u00e4'}}" },
	{ false, "{'op':'insert','table':'R','row':{'name':'\\ud800'}}" },
	{ false, "{'op':'insert','table':'R','row':{'name':'\\x'}}" },
	/* Members that are not right. */
	{ false, "{'op':'insert','table':'R','row':{'i':1,'i':2}}" },
	{ false, "{'op':'insert','table':'R','table':'C','row':{}}" },
	{ false, "{'op':'insert','table':'R','row':{'nothing':1}}" },
	{ false, "{'op':'insert','table':'Q','row':{}}" },
	{ false, "{'op':'insert','table':'R','row':{},'where':[]}" },
	{ false, "{'op':'insert','table':'R'}" },
	{ false, "{'op':'insert','row':{}}" },
	{ false, "{'table':'R','row':{}}" },
	{ false, "{'op':'insert','table':'R','row':[]}" },
	{ false, "{'op':'insert','table':'R','row':{},'uuid':'x'}" },
	{ false, "{'op':'insert','table':'R','row':{},'uuid-name':'1x'}" },
	{ false, "{'op':'insert','table':'R','row':{},'uuid-name':''}" },
	{ false, "{'op':'insert','table':'R','row':{}}}" },
	{ false, "{'op':'insert','table':'R','row':{}}{}" },
	{ false, "{'op':'update','table':'R','where':[],'row':{'im':'x'}}" },
	{ false, "{'op':'update','table':'R','where':[],'row':{'_uuid':["
	  "'uuid','" U1 "']}}" },
	{ false, "{'op':'update','table':'R','row':{}}" },
	{ false, "{'op':'delete','table':'R'}" },
	{ false, "{'op':'delete','table':'R','where':[['i','<',1]]}" },
	{ false, "{'op':'delete','table':'R','where':[['i','==']]}" },
	{ false, "{'op':'delete','table':'R','where':[['j','==',1]]}" },
	{ false, "{'op':'delete','table':'R','where':[true]}" },
	{ false, "{'op':'delete','table':'R','where':{}}" },
	{ false, "{'op':'explode'}" }, { false, "1" }, { false, "{}" },
	/* One that fails, or is no JSON, undoes those before it. */
	{ false, "{'op':'insert','table':'R','row':{}},{'op':'abort'}" },
	{ false, "{'op':'insert','table':'R','row':{}},{'op':'abort'},{}" },
	{ false, "{'op':'insert','table':'R','row':{}},{'op':'abort'},{]" },
	{ false, "{'op':'insert','table':'R','row':{}},nul" },
	/* What is changed by what it was. */
	{ true, "{'op':'insert','table':'R','row':{'i':6,'rng':9,'m':['map',[["
	  "'a','b']]],'s3':['set',['x','y']]}},{'op':'mutate','table':'R',"
	  "'where':[['i','==',6]],'mutations':[['i','*=',7],['m','insert',["
	  "'map',[['c','d']]]],['s3','delete',['set',['x','z','u','v','w']]],["
	  "'rng','+=',1]]}" },
	{ true, "{'op':'insert','table':'R','row':{'rng':9}},{'mutations':[["
	  "'rng','+=',2]],'op':'mutate','where':[],'table':'R'}" },
	{ true, "{'op':'insert','table':'R','row':{'i':1}},{'op':'mutate',"
	  "'table':'R','where':[],'mutations':[['i','/=',0]]}" },
	{ true, "{'op':'insert','table':'C','row':{},'uuid-name':'c'},{'op':"
	  "'insert','table':'R','row':{}},{'op':'mutate','table':'R','where':"
	  "[],'mutations':[['strong','insert',['named-uuid','c']]]}" },
	{ false, "{'op':'insert','table':'R','row':{'m':['map',[['a','b']]]}},"
	  "{'op':'mutate','table':'R','where':[],'mutations':[['m','delete',["
	  "'set',['a']]]]}" },
	{ false, "{'op':'mutate','table':'R','where':[],'mutations':[['im',"
	  "'+=',1]]}" },
	{ false, "{'op':'mutate','table':'R','where':[],'mutations':[['name',"
	  "'+=',1]]}" },
	{ false, "{'op':'mutate','table':'R','where':[],'mutations':[['i','^=',"
	  "1]]}" },
	{ false, "{'op':'mutate','table':'R','where':[],'mutations':[['i','+='"
	  "]]}" },
	{ true, "{'op':'comment','comment':'it is'},{'op':'commit','durable':"
	  "true},{'op':'insert','table':'R','row':{}},{'op':'commit',"
	  "'durable':false}" },
	{ false, "{'op':'comment','comment':1}" },
	{ false, "{'op':'comment'}" },
	{ false, "{'op':'comment','comment':'a','table':'R'}" },
	{ false, "{'op':'commit','durable':1}" },
	{ false, "{'op':'commit','durable':true,'where':[]}" },
	{ true, "{'op':'insert','table':'R','row':{}},{'op':'comment',"
	  "'comment':'c'},{'op':'commit','durable':false},{'op':'select',"
	  "'table':'R','where':[]},{'op':'mutate','table':'R','where':[],"
	  "'mutations':[['i','+=',1]]},{'op':'update','table':'R','where':[["
	  "'i','==',1]],'row':{'i':7}},{'columns':['i','name'],'op':'select',"
	  "'table':'R','where':[]}" },
	{ true, "{'op':'insert','table':'R','row':{'name':'a'}},{'op':'insert'"
	  ",'table':'R','row':{'name':'b'}},{'op':'select','table':'R','where'"
	  ":[['name','!=','c']],'columns':[]},{'op':'select','table':'R',"
	  "'where':[],'columns':['i']},{'op':'select','table':'R','where':[],"
	  "'columns':['_uuid','_version']}" },
	{ false, "{'op':'select','table':'R','where':[],'columns':['i','i']}" },
	{ false, "{'op':'select','table':'R','where':[],'columns':['j']}" },
	{ false, "{'op':'select','table':'R','where':[],'columns':[1]}" },
	{ false, "{'op':'select','table':'R','where':[],'columns':{}}" },
	{ false, "{'op':'select','table':'R','where':[],'sort':['i']}" },
	{ false, "{'op':'select','table':'R','where':[],'rows':[]}" },
	{ false, "{'op':'select','columns':[],'where':[]}" },
	{ true, "{'op':'wait','table':'R','where':[],'columns':['i'],'until':"
	  "'==','rows':[],'timeout':0},{'op':'insert','table':'R','row':{'i':3"
	  ",'name':'x'}},{'rows':[{'name':'x','i':3,'s3':['set',[]]}],'op':"
	  "'wait','timeout':0,'where':[],'table':'R','columns':['name','i'],"
	  "'until':'=='}" },
	{ true, "{'op':'insert','table':'R','row':{'i':3}},{'op':'wait',"
	  "'table':'R','where':[['i','==',3]],'columns':['i'],'until':'==',"
	  "'rows':[{'i':4},{'i':3},{'i':3}],'timeout':0}" },
	{ true, "{'op':'wait','table':'R','where':[],'until':'!=','rows':[],"
	  "'timeout':0}" },
	/* Waits, by an id that jansson has read. */
	{ false, "{'op':'wait','table':'R','where':[],'columns':['i'],'until'"
	  ":'==','rows':[{'i':1}]},{'op':'insert','table':'R','row':{}}" },
	{ false, "{'op':'wait','table':'R','where':[],'columns':['i'],'until'"
	  ":'==','rows':[{'i':'a'}]}" },
	{ false, "{'op':'wait','table':'R','where':[],'columns':['i'],'until'"
	  ":'=','rows':[]}" },
	{ false, "{'op':'wait','table':'R','where':[],'columns':['i'],'until'"
	  ":'==','rows':{}}" },
	{ false, "{'op':'wait','table':'R','where':[],'columns':['i'],'until'"
	  ":'==','rows':[],'timeout':-1}" },
	{ false, "{'op':'wait','table':'R','where':[],'columns':['i'],'until'"
	  ":'==','rows':[],'row':{'i':1}}" },
	{ false, "{'op':'wait','table':'R','where':[],'columns':['i'],'until'"
	  ":'=='}" },
};

START_TEST(operation_by_operation)
{
	size_t n = sizeof operations / sizeof *operations;

	for (size_t i = 0; i < n; i++) {
		struct twins twins;
		char *text, *message;

		ck_assert_int_gt(asprintf(&text, "{'id':%zu,'method':"
					  "'transact','params':['T',%s]}", i,
					  operations[i].operations), 0);
		message = quoted(text);
		begin(&twins);
		ck_assert_msg(hear(&twins, message) == operations[i].is_typed,
			      "%s", message);
		/* And what comes next finds everything in its place. */
		hear(&twins, message);
		twins_done(&twins);
		free(message);
		free(text);
	}
}
END_TEST

/* A "wait" that has to wait is tried again from its text, and finds its id
 * taken meanwhile. */
START_TEST(waiting)
{
	static const char *const texts[] = {
		"{'id':'w','method':'transact','params':['T',{'op':'insert',"
		"'table':'R','row':{'name':'after'}},{'op':'wait','table':"
		"'M1','where':[],'columns':['i'],'until':'==','rows':[{'i':3}"
		"]}]}",
		"{'id':'w','method':'transact','params':['T']}",
		"{'id':'x','method':'transact','params':['T',{'op':'insert',"
		"'table':'M1','row':{'i':2}}]}",
		"{'id':'y','method':'transact','params':['T',{'op':'update',"
		"'table':'M1','where':[],'row':{'i':3}}]}",
		"{'id':'w','method':'transact','params':['T']}",
	};
	struct twins twins;

	begin(&twins);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		char *text = quoted(texts[i]);

		hear(&twins, text);
		ck_assert_uint_eq(table_n_rows(database_table(
					twins.text.database, "R")), i >= 3);
		free(text);
	}
	twins_done(&twins);
}
END_TEST

START_TEST(readers)
{
	static const char *const texts[] = {
		"{'id':1,'method':'transact','params':['T',{'op':'insert',"
		"'table':'R','row':{}}]}",
		"{'id':2,'method':'transact','params':['T',{'op':'select',"
		"'table':'R','where':[]},{'op':'delete','table':'R',"
		"'where':[]}]}",
		"{'id':3,'method':'transact','params':['T',{'op':'comment',"
		"'comment':'x'},{'op':'select','table':'R','where':[]}]}",
	};
	struct twins twins;
	int n_typed = 0;

	begin(&twins);
	client_set_read_only(twins.tree.client);
	client_set_read_only(twins.text.client);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		char *text = quoted(texts[i]);

		n_typed += hear(&twins, text);
		free(text);
	}
	ck_assert_int_eq(n_typed, 1);
	ck_assert(!table_n_rows(database_table(twins.text.database, "R")));
	twins_done(&twins);
}
END_TEST

/* As many operations as there may be, and one more: for a client, and for
 * anybody. */
START_TEST(operations_have_limits)
{
	static const char typed[] = "{\"op\":\"delete\",\"table\":\"R\","
				    "\"where\":[]}";
	static const struct {
		const char *operation;
		size_t n;
		uint32_t limit;
		size_t n_refused;
	} cases[] = {
		{ typed, 3, 3, 0 }, { typed, 4, 3, 1 }, { typed, 9, 3, 1 },
		{ "{}", 3, 3, 0 }, { "{}", 4, 3, 1 }, { "", 4, 3, 0 },
		{ "1", TRANSACT_MAX_OPERATIONS + 1, UINT32_MAX, 0 },
		{ "1", TRANSACT_MAX_OPERATIONS + 1,
		  TRANSACT_MAX_OPERATIONS, 1 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct server_limits limits;
		struct server_counters counters;
		struct encoding e = { 0 };
		struct twins twins;

		begin(&twins);
		server_limits(twins.text.server, &limits);
		limits.n_operations = cases[i].limit;
		server_set_limits(twins.text.server, &limits);
		server_set_limits(twins.tree.server, &limits);
		encode_text(&e, "{\"id\":1,\"method\":\"transact\","
			    "\"params\":[\"T\"");
		for (size_t k = 0; k < cases[i].n; k++) {
			encode_text(&e, ",");
			encode_text(&e, cases[i].operation);
		}
		encode_bytes(&e, "]}", 3);
		hear(&twins, e.bytes);
		server_counters(twins.text.server, &counters);
		ck_assert_uint_eq(counters.n_refused_operations,
				  cases[i].n_refused);
		encode_done(&e);
		twins_done(&twins);
	}
}
END_TEST

/* Random requests. */
struct writer {
	char text[16384];
	size_t n;
};

static void __attribute__((format(printf, 2, 3)))
add(struct writer *w, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(w->text + w->n, sizeof w->text - w->n, format, args);
	va_end(args);
	ck_assert_uint_lt((size_t) n, sizeof w->text - w->n);
	w->n += (size_t) n;
	if (!(rand() % 40))
		add(w, "%.1s", &" \t\n\r"[rand() % 4]);
}

static bool
one_in(int n)
{
	return !(rand() % n);
}

static const char *
any(const char *const words[], size_t n)
{
	return words[(size_t) rand() % n];
}
#define ANY(...) \
	any((const char *const[]) { __VA_ARGS__ }, \
	    sizeof (const char *const[]) { __VA_ARGS__ } \
	    / sizeof(const char *))

static void
add_uuid(struct writer *w)
{
	if (one_in(3))
		add(w, "[\"named-uuid\",\"n%d\"]", rand() % 4);
	else
		add(w, "[\"uuid\",\"%08x-0000-4000-8000-000000000000\"]",
		    rand() % 6);
}

static void
add_atom(struct writer *w, char type)
{
	if (one_in(25))
		type = "sibu"[rand() % 4];
	if (type == 's')
		add(w, "\"%s\"", ANY("a", "b", "c", "", "xyz", "a\\nb",
				     "\\\"q\\\\", "long text", "\xc3\xbc",
				     "\\u0041"));
	else if (type == 'i')
		add(w, "%s", ANY("0", "1", "2", "3", "-1", "10", "11", "2.0",
				 "123456789012345678", "-0", "1e1"));
	else if (type == 'b')
		add(w, "%s", ANY("true", "false", "null"));
	else if (type == 'r')
		add(w, "%s", ANY("0", "1.5", "-2", "1e3"));
	else
		add_uuid(w);
}

static void
add_set(struct writer *w, char type)
{
	int n = rand() % 4;

	if (one_in(3)) {
		add_atom(w, type);
		return;
	}
	add(w, "[\"set\",[");
	for (int i = 0; i < n; i++) {
		if (i)
			add(w, ",");
		add_atom(w, type);
	}
	add(w, "]]");
}

static void
add_map(struct writer *w, char type)
{
	int n = rand() % 4;

	add(w, "[\"map\",[");
	for (int i = 0; i < n; i++) {
		add(w, i ? ",[" : "[");
		add_atom(w, type);
		add(w, ",");
		add_atom(w, type);
		add(w, "]");
	}
	add(w, "]]");
}

/* A column of table R, and a value. */
static void
add_column(struct writer *w, const char *between)
{
	static const struct {
		const char *name, *kind;
	} columns[] = {
		{ "name", "s" }, { "i", "i" }, { "r", "r" }, { "b", "b" },
		{ "u", "u" }, { "oi", "{i" }, { "si", "{i" }, { "s3", "{s" },
		{ "m", "[s" }, { "ep", "s" }, { "rng", "i" }, { "len", "s" },
		{ "en", "s" }, { "strong", "{u" }, { "weak", "{u" },
		{ "pair", "[u" }, { "im", "s" }, { "nope", "i" },
		{ "name", "s" }, { "i", "i" }, { "oi", "{i" },
	};
	size_t n = sizeof columns / sizeof *columns;
	size_t i = (size_t) rand() % n;
	const char *kind;

	/* The odd ones are there for all to see, but not always. */
	if ((i == 16 || i == 17) && !one_in(8))
		i = 0;
	kind = columns[i].kind;
	add(w, "\"%s\"%s", columns[i].name, between);
	if (*kind == '{')
		add_set(w, kind[1]);
	else if (*kind == '[')
		add_map(w, kind[1]);
	else
		add_atom(w, *kind);
}

static void
add_row(struct writer *w)
{
	int n = rand() % 5;

	add(w, "\"row\":{");
	for (int i = 0; i < n; i++) {
		if (i)
			add(w, ",");
		add_column(w, ":");
	}
	add(w, "}");
}

static void
add_where(struct writer *w)
{
	int n = rand() % 3;

	add(w, "\"where\":[");
	for (int i = 0; i < n; i++) {
		char function[16];

		add(w, i ? ",[" : "[");
		snprintf(function, sizeof function, ",\"%s\",",
			 ANY("==", "!=", "==", "==", "includes", "excludes",
			     "<", "="));
		add_column(w, function);
		add(w, "]");
	}
	add(w, "]");
}

static void
add_insert(struct writer *w)
{
	bool is_late = one_in(3);

	add(w, "{\"op\":\"insert\",");
	if (!is_late)
		add(w, "\"table\":\"R\",");
	add_row(w);
	if (is_late)
		add(w, ",\"table\":\"R\"");
	if (one_in(3))
		add(w, ",\"uuid-name\":\"n%d\"", rand() % 4);
	else if (one_in(4))
		add(w, ",\"uuid\":\"%08x-0000-4000-8000-000000000000\"",
		    rand() % 6);
	add(w, "}");
}

static void
add_mutate(struct writer *w)
{
	add(w, "{\"op\":\"mutate\",\"table\":\"R\",");
	add_where(w);
	add(w, ",\"mutations\":[[\"%s\"", ANY("i", "oi", "si", "rng", "s3",
						"m", "name"));
	add(w, ",\"%s\",", ANY("+=", "-=", "insert", "delete"));
	if (one_in(2))
		add_set(w, "is"[rand() % 2]);
	else if (one_in(3))
		add_map(w, 's');
	else
		add_atom(w, 'i');
	add(w, "]]}");
}

static void
add_wait(struct writer *w)
{
	add(w, "{\"op\":\"wait\",\"table\":\"R\",");
	add_where(w);
	add(w, ",\"columns\":[\"%s\"],\"until\":\"%s\",\"timeout\":0,"
	    "\"rows\":[", ANY("i", "name"), ANY("==", "!="));
	for (int i = rand() % 3; i; i--) {
		add(w, "{");
		add_column(w, ":");
		add(w, i > 1 ? "}," : "}");
	}
	add(w, "]}");
}

static void
add_operation(struct writer *w)
{
	switch (rand() % 11) {
	case 0: case 1: case 2: case 3:
		add_insert(w);
		break;
	case 4:
		add(w, "{\"op\":\"insert\",\"table\":\"C\",\"row\":{\"next\":");
		add_set(w, 'u');
		add(w, "},\"uuid-name\":\"n%d\"}", rand() % 4);
		break;
	case 5: case 6:
		add(w, "{\"op\":\"update\",\"table\":\"R\",");
		add_where(w);
		add(w, ",");
		add_row(w);
		add(w, "}");
		break;
	case 7:
		add(w, "{\"table\":\"R\",");
		add_where(w);
		if (one_in(3))
			add(w, ",\"columns\":[\"%s\",\"%s\"],\"op\":"
			    "\"select\"}", ANY("i", "name", "s3"),
			    ANY("i", "oi", "_uuid"));
		else
			add(w, ",\"op\":\"%s\"}", ANY("delete", "delete",
						     "select"));
		break;
	case 8:
		add_mutate(w);
		break;
	case 9:
		add_wait(w);
		break;
	default:
		add(w, "%s", ANY("{\"op\":\"comment\",\"comment\":\"x\"}",
				 "{\"op\":\"commit\",\"durable\":false}",
				 "{\"op\":\"abort\"}", "{}", "[\"R\"]",
				 "{\"op\":\"wait\",\"table\":\"R\",\"where\":"
				 "[],\"columns\":[\"i\"],\"until\":\"!=\","
				 "\"rows\":[],\"timeout\":0}"));
	}
}

static void
write_request(struct writer *w, int id)
{
	int n = 1 + rand() % 4;

	w->n = 0;
	add(w, "{\"id\":%d,\"method\":\"transact\",\"params\":[\"T\"", id);
	for (int i = 0; i < n; i++) {
		add(w, ",");
		add_operation(w);
	}
	add(w, "]}");
	if (one_in(12))
		w->text[(size_t) rand() % w->n]
			= "{}[]\",:\\0a \x80"[rand() % 12];
}

START_TEST(at_random)
{
	unsigned n_typed = 0, n_odd = 0;
	static struct writer w;
	struct twins twins;

	srand(_i);
	for (int i = 0; i < N_RANDOM; i++) {
		if (!(i % N_EACH))
			begin(&twins);
		write_request(&w, i);
		if (hear(&twins, w.text))
			n_typed++;
		else
			n_odd++;
		if (i % N_EACH == N_EACH - 1)
			twins_done(&twins);
	}
	ck_assert_uint_gt(n_typed, N_RANDOM / 20);
	ck_assert_uint_gt(n_odd, N_RANDOM / 10);
}
END_TEST

CHECK_MAIN_LOOP("request", at_random, 4, at_random, as_stock_was_asked,
		envelopes, operation_by_operation, waiting, readers,
		operations_have_limits)
