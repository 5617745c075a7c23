/* SPDX-License-Identifier: Apache-2.0 */

/* A record of many rows, as the first in a file and behind one that has
 * inserted a row, where it fills the tables, and behind one that has deleted
 * one, where it is a transaction: all must come to the same. */

#include "agent/ovsdb/store/fill.h"

#include <unistd.h>

#include "agent/ovsdb/store/journal.h"
#include "agent/ovsdb/store/row.h"
#include "agent/ovsdb/value/encode.h"
#include "tests/unit/ovsdb_tools.h"
#include "tests/unit/scratch.h"

#define A "00000000-0000-0000-0000-00000000000a"
#define B "00000000-0000-0000-0000-00000000000b"
#define C "00000000-0000-0000-0000-00000000000c"
#define D "00000000-0000-0000-0000-00000000000d"
#define REF(X) "['uuid','" X "']"

/* Before all others, if it is there. */
static const char *first;
static char directory[SCRATCH_SIZE], path[128], schema_path[128];

static void
setup(void)
{
	json_t *schema = parse(everything);

	scratch_make(directory);
	snprintf(path, sizeof path, "%s/f.db", directory);
	snprintf(schema_path, sizeof schema_path, "%s/f.ovsschema", directory);
	ck_assert_int_eq(json_dump_file(schema, schema_path, 0), 0);
	json_decref(schema);
}

static void
append(struct database *db, const char *text)
{
	struct uuid id = { { 0 } };

	encode_text(journal_begin(database_journal(db)), text);
	ck_assert_ptr_null(journal_append(database_journal(db), false, &id));
}

/* How strong references are counted and weak ones followed, beside what can
 * be seen. */
static char *
describe(const struct database *db)
{
	char *rows = dump(db), *text;
	uint64_t n_refs = 0, n_in = 0, n_out = 0;

	for (size_t i = 0; i < db->schema->n_tables; i++) {
		const struct row *row;

		for (row = table_first(&db->tables[i]); row;
		     row = table_next(&db->tables[i], row)) {
			const struct referrer *r;

			n_refs += row_refs(row) * (uint64_t)
				  row_uuid(row)->bytes[15];
			for (r = row_first_in(row); r; r = r->next_in)
				n_in += row_uuid(row)->bytes[15];
			for (r = row_first_out(row); r; r = r->next_out)
				n_out += row_uuid(row)->bytes[15];
		}
	}
	ck_assert_int_gt(asprintf(&text, "%s %llu %llu %llu", rows,
				  (unsigned long long) n_refs,
				  (unsigned long long) n_in,
				  (unsigned long long) n_out), 0);
	free(rows);
	return text;
}

enum before { NOTHING, AN_INSERTION, A_DELETION };

/* What a file with this record holds, or why it is not read. */
static char *
read_record(const char *record, enum before before)
{
	static const char other[] = "{\"E1\":{\"" C "\":{\"e\":\"x\"}}}";
	struct ovsdb_error *error;
	struct database *db;
	char *warning, *text;

	unlink(path);
	error = journal_open_database(path, schema_path, &db, &warning);
	ck_assert_msg(!error, "%s", error ? error->details : "");
	free(warning);
	if (first)
		append(db, first);
	if (before != NOTHING)
		append(db, other);
	if (before == A_DELETION) {
		append(db, "{\"M1\":{\"" A "\":{\"i\":5}}}");
		append(db, "{\"M1\":{\"" A "\":null}}");
	}
	append(db, record);
	if (before == NOTHING)
		append(db, other);
	append(db, "{\"E1\":{\"" A "\":{\"e\":\"y\"}}}");
	database_free(db);
	error = journal_open_database(path, NULL, &db, &warning);
	free(warning);
	if (error) {
		/* Without the offset. */
		text = strdup(strstr(error->details, "makes no sense"));
		ovsdb_error_free(error);
		return text;
	}
	text = describe(db);
	database_free(db);
	return text;
}

static void
check_all(const char *record, bool is_refused)
{
	char *alone = read_record(record, NOTHING);
	char *filled = read_record(record, AN_INSERTION);
	char *executed = read_record(record, A_DELETION);

	ck_assert_str_eq(alone, executed);
	ck_assert_str_eq(filled, executed);
	ck_assert_msg(!strncmp(filled, "makes", 5) == is_refused, "%s: %s",
		      record, filled);
	free(alone);
	free(filled);
	free(executed);
}

static const struct {
	const char *record;
	bool is_refused;
} records[] = {
	{ "{}", false },
	{ "{'_date':1}", false },
	/* References back and forth. */
	{ "{'C':{'" A "':{'name':'c'}},'R':{'" B "':{'strong':" REF(A)
	  ",'weak':" REF(A) "}}}", false },
	{ "{'R':{'" B "':{'strong':" REF(A) ",'weak':" REF(A) "}},'C':{'" A
	  "':{'name':'c'}}}", false },
	{ "{'R':{'" B "':{'strong':['set',[" REF(A) "," REF(C) "]],'pair':"
	  "['map',[[" REF(A) "," REF(C) "]]]}},'C':{'" A "':{'next':" REF(C)
	  "},'" C "':{}}}", false },
	/* Rows that nobody holds, that hold each other, and themselves. */
	{ "{'C':{'" A "':{'name':'c'}}}", false },
	{ "{'C':{'" A "':{'next':" REF(B) "},'" B "':{'next':" REF(A)
	  "}}}", false },
	{ "{'C':{'" A "':{'next':" REF(A) "}}}", false },
	{ "{'C':{'" A "':{'next':" REF(B) "},'" B "':{}}}", false },
	/* References to nothing. */
	{ "{'R':{'" A "':{'strong':" REF(B) "}}}", true },
	{ "{'R':{'" A "':{'weak':" REF(B) "}}}", false },
	{ "{'W1':{'" A "':{'w':" REF(B) "}}}", true },
	{ "{'R':{'" A "':{'pair':['map',[[" REF(C) "," REF(B) "]]]}},'C':{'"
	  C "':{}}}", false },
	/* Constraints. */
	{ "{'R':{'" A "':{'name':'x'},'" B "':{'name':'x'}}}", true },
	{ "{'R':{'" A "':{'name':'x'},'" B "':{'name':'y'}}}", false },
	{ "{'X2':{'" A "':{'a':1,'b':'x'},'" B "':{'a':2,'b':'x'}}}", true },
	{ "{'M1':{'" A "':{'i':1},'" B "':{'i':2}}}", true },
	{ "{'R':{'" A "':{'rng':77,'en':'no','len':'longer'}}}", false },
	/* What no writer writes. */
	{ "{'R':{'" A "':null,'" B "':{'i':1}}}", false },
	{ "{'R':{'" A "':{'i':1}},'R':{'" B "':{'name':'b'}}}", false },
	{ "{'R':{'" A "':{'i':1,'i':2}}}", false },
	{ "{'R':{'" A "':{'si':['set',[3,1,2]],'s3':'\\u0041','r':1e2}}}",
	  false },
	{ "{'R':{'" A "':{'si':['set',[1,1]]}}}", true },
	{ "{'R':{'" A "':{'zz':1}}}", true },
	{ "{'R':{'" A "':{'i':1}},'Nope':{}}", true },
	{ "{'R':{'" A "':{'ep':'gone','i':1}},'_is_diff':true}", false },
};

START_TEST(they_come_to_the_same)
{
	char *text = strdup(records[_i].record);

	for (char *p = text; *p; p++)
		if (*p == '\'')
			*p = '"';
	check_all(text, records[_i].is_refused);
	free(text);
}
END_TEST

/* Rows that refer to others which were there before, and that have to be taken
 * out again: for the sake of a reference that leads nowhere, of a row that is
 * changed, or deleted. */
START_TEST(nothing_is_left_of_what_is_taken_out)
{
	static const char base[] = "{\"R\":{\"" A "\":{\"name\":\"a\","
		"\"strong\":[\"uuid\",\"" B "\"]}},\"C\":{\"" B "\":{"
		"\"name\":\"b\"}}}";
	static const char *const behind[] = {
		"{'R':{'" C "':{'name':'c','strong':" REF(B) ",'weak':['set',["
		REF(B) "," REF(C) "]]},'" D "':{'weak':" REF(D) "}}}",
		"{'R':{'" C "':{'name':'c','strong':" REF(B) ",'weak':" REF(B)
		"},'" A "':{'i':7}}}",
		"{'R':{'" C "':{'name':'c','strong':" REF(B) ",'weak':" REF(B)
		"},'" A "':null}}",
	};
	char *text = strdup(behind[_i]), *filled, *executed;

	for (char *p = text; *p; p++)
		if (*p == '\'')
			*p = '"';
	first = base;
	filled = read_record(text, AN_INSERTION);
	executed = read_record(text, A_DELETION);
	first = NULL;
	ck_assert_str_eq(filled, executed);
	ck_assert_ptr_nonnull(strstr(filled, C));
	free(filled);
	free(executed);
	free(text);
}
END_TEST

/* Rows whose references are drawn: to what is there, mostly. */
START_TEST(large_ones_do)
{
	struct encoding e = { .n = 0 };
	unsigned seed = (unsigned) _i;
	bool is_refused = false;

	encode_text(&e, "{\"R\":{");
	for (int i = 0; i < 2000; i++) {
		char text[512];
		int to = (int) (rand_r(&seed) % 600);
		int weak = (int) (rand_r(&seed) % 700);

		if (_i % 3 == 2 && i == 1999)
			to = 601;
		is_refused = to > 599;
		snprintf(text, sizeof text, "%s\"00000000-0000-0000-0000-"
			 "%012x\":{\"name\":\"n%d\",\"i\":%d,\"strong\":"
			 "[\"uuid\",\"10000000-0000-0000-0000-%012x\"],"
			 "\"weak\":[\"uuid\",\"10000000-0000-0000-0000-%012x"
			 "\"]}", i ? "," : "", i, i, i, to,
			 _i % 3 ? to : weak);
		encode_text(&e, text);
	}
	encode_text(&e, "},\"C\":{");
	for (int i = 0; i < 600; i++) {
		char text[128];

		snprintf(text, sizeof text, "%s\"10000000-0000-0000-0000-"
			 "%012x\":{\"name\":\"c%d\"}", i ? "," : "", i, i);
		encode_text(&e, text);
	}
	encode_bytes(&e, "}}", 3);
	check_all(e.bytes, is_refused);
	encode_done(&e);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("fill");
	TCase *tests = tcase_create("all");
	SRunner *runner;
	int n_failed;

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_loop_test(tests, they_come_to_the_same, 0,
			    sizeof records / sizeof *records);
	tcase_add_loop_test(tests, nothing_is_left_of_what_is_taken_out, 0, 3);
	tcase_add_loop_test(tests, large_ones_do, 0, 9);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed != 0;
}
