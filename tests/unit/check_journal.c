/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/store/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/ovsdb/store/row.h"
#include "tests/unit/journal_fixture.h"

START_TEST(what_was_committed_is_there_again)
{
	struct database *db = open_file(path, schema_path);
	char *before, *after;
	json_t *reply;

	fill(db);
	before = dump(db);
	database_free(db);
	db = open_file(path, NULL);
	after = dump(db);
	ck_assert_str_eq(before, after);
	reply = run(db, "{'op':'select','table':'R','where':[],'columns':"
		    "['ep','name']}");
	check_json(reply, "[{'rows':[{'ep':'','name':'a'}]}]", "ephemeral");
	json_decref(reply);
	free(after);

	ck_assert_ptr_null(journal_compact(database_journal(db), false));
	after = dump(db);
	ck_assert_str_eq(before, after);
	free(after);
	json_decref(run(db, "{'op':'insert','table':'R','row':{'name':'z'}}"));
	free(before);
	before = dump(db);
	database_free(db);
	db = open_file(path, schema_path);
	after = dump(db);
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
	database_free(db);
}
END_TEST

/* A daemon leaves the directory in which it was given the name. */
START_TEST(a_relative_path_stays_where_it_was)
{
	struct database *db;

	ck_assert_int_eq(chdir(directory), 0);
	db = open_file("t.db", "t.ovsschema");
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_ptr_null(journal_compact(database_journal(db), false));
	ck_assert_int_ne(access("/t.db", F_OK), 0);
	check_refused(path, schema_path, "open already");
	database_free(db);
	database_free(open_file(path, schema_path));
}
END_TEST

START_TEST(nothing_is_written_for_nothing)
{
	struct database *db = open_file(path, schema_path);
	static const char *const operations[] = {
		"{'op':'comment','comment':'x'}",
		"{'op':'update','table':'R','where':[],'row':{'i':0}}",
		"{'op':'update','table':'R','where':[],'row':{'ep':'q'}}",
		"{'op':'update','table':'R','where':[],'row':{'i':4}},"
		"{'op':'update','table':'R','where':[],'row':{'i':0}}",
		"{'op':'insert','table':'C','row':{}}",
		"{'op':'insert','table':'M1','row':{}},{'op':'abort'}",
		"{'op':'insert','table':'M1','row':{}},"
		"{'op':'insert','table':'M1','row':{}}",
	};
	int64_t size;
	size_t i;

	json_decref(run(db, "{'op':'insert','table':'R','row':{}}"));
	size = journal_size(database_journal(db));
	for (i = 0; i < sizeof operations / sizeof *operations; i++) {
		json_decref(run(db, operations[i]));
		ck_assert_int_eq(journal_size(database_journal(db)), size);
	}
	database_free(db);
}
END_TEST

/* Wherever the last record ends, the file is one without it. */
START_TEST(a_torn_tail_is_cut_off)
{
	struct database *db = open_file(path, schema_path);
	char *bytes, *before, *whole;
	size_t size, kept, n;

	fill(db);
	before = dump(db);
	kept = journal_size(database_journal(db));
	json_decref(run(db, "{'op':'insert','table':'R','row':{'name':"
			"'last'}}"));
	whole = dump(db);
	database_free(db);
	bytes = read_file(path, &size);
	ck_assert_uint_gt(size, kept + 60);

	for (n = kept; n <= size; n++) {
		struct ovsdb_error *error;
		char *warning, *now;

		write_file(path, bytes, n);
		error = journal_open_database(path, schema_path, &db,
					      &warning);
		ck_assert_msg(!error, "%zu: %s", n,
			      error ? error->details : "");
		ck_assert_int_eq(warning != NULL, n > kept && n < size);
		now = dump(db);
		ck_assert_str_eq(now, n < size ? before : whole);
		ck_assert_int_eq(journal_size(database_journal(db)),
				 n < size ? kept : size);
		database_free(db);
		free(warning);
		free(now);
	}
	/* What the file system made room for and never filled. */
	memset(bytes + kept, 0, size - kept);
	write_file(path, bytes, size);
	{
		char *warning;

		ck_assert_ptr_null(journal_open_database(path, NULL, &db,
							 &warning));
		ck_assert_ptr_nonnull(warning);
		free(warning);
		database_free(db);
	}
	free(bytes);
	free(before);
	free(whole);
}
END_TEST

/* A first record that is torn: nothing was ever acknowledged. */
START_TEST(a_torn_schema_is_written_anew)
{
	size_t size, n;
	char *bytes;

	database_free(open_file(path, schema_path));
	bytes = read_file(path, &size);
	for (n = 0; n < size; n += n < 80 ? 1 : 97) {
		struct ovsdb_error *error;
		struct database *db;
		char *warning;

		write_file(path, bytes, n);
		if (n)
			check_refused(path, NULL, "has no schema");
		write_file(path, bytes, n);
		error = journal_open_database(path, schema_path, &db,
					      &warning);
		ck_assert_msg(!error, "%zu: %s", n,
			      error ? error->details : "");
		free(warning);
		database_free(db);
	}
	free(bytes);
}
END_TEST

/* Every byte of every record but the last, one after the other. */
START_TEST(damage_is_refused)
{
	struct database *db = open_file(path, schema_path);
	size_t size, kept, n, n_refused = 0;
	char *bytes;

	json_decref(run(db, "{'op':'insert','table':'M1','row':{'i':1}}"));
	kept = journal_size(database_journal(db));
	json_decref(run(db, "{'op':'insert','table':'R','row':{'name':"
			"'last'}}"));
	database_free(db);
	bytes = read_file(path, &size);
	for (n = 0; n < kept; n++) {
		char was = bytes[n];
		struct ovsdb_error *error;
		struct stat st;
		char *warning;

		bytes[n] ^= 1;
		write_file(path, bytes, size);
		db = NULL;
		error = journal_open_database(path, schema_path, &db,
					      &warning);
		bytes[n] = was;
		ck_assert_msg(error != NULL, "byte %zu of %zu: %s", n, kept,
			      warning);
		ck_assert(strstr(error->details, "offset")
			  || strstr(error->details, "not an OVSDB"));
		ovsdb_error_free(error);
		ck_assert_int_eq(stat(path, &st), 0);
		ck_assert_int_eq(st.st_size, size);
		n_refused++;
	}
	ck_assert_uint_gt(n_refused, 1000);
	free(bytes);
}
END_TEST

START_TEST(strange_files_are_refused)
{
	static const char cluster[] = "OVSDB CLUSTER 5 0123\n{}\n";
	static const char text[] = "hello, world\n";
	struct database *db;
	char *other;

	check_refused(path, NULL, "No such file");
	write_file(path, cluster, sizeof cluster - 1);
	check_refused(path, schema_path, "clustered");
	write_file(path, text, sizeof text - 1);
	check_refused(path, schema_path, "not an OVSDB");
	check_refused(directory, NULL, "directory");
	write_file(path, "", 0);
	check_refused(path, NULL, "no schema");

	unlink(path);
	db = open_file(path, schema_path);
	check_refused(path, schema_path, "open already");
	database_free(db);
	ck_assert_int_gt(asprintf(&other, "%s/o.ovsschema", directory), 0);
	write_file(other, "{\"name\":\"O\",\"tables\":{}}", 24);
	check_refused(path, other, "holds the database T, not O");
	write_file(other, "{\"name\":\n7}", 11);
	unlink(path);
	{
		struct ovsdb_error *error;
		char *warning;

		error = journal_open_database(path, other, &db, &warning);
		ck_assert_ptr_nonnull(strstr(error->details, "o.ovsschema"));
		ovsdb_error_free(error);
		ck_assert_int_ne(access(path, F_OK), 0);
	}
	free(other);
}
END_TEST

/* As an ordinary user, whom permissions stop. */
START_TEST(read_only_files_are_refused)
{
	pid_t child;
	int status;

	database_free(open_file(path, schema_path));
	ck_assert_int_eq(chmod(path, 0444), 0);
	ck_assert_int_eq(chmod(directory, 0755), 0);
	child = fork();
	if (!child) {
		struct database *db;
		struct ovsdb_error *error;
		char *warning;

		if (!geteuid() && setuid(65534))
			_exit(2);
		error = journal_open_database(path, schema_path, &db,
					      &warning);
		if (!error || !strstr(error->details, "Permission denied"))
			_exit(3);
		error = journal_open_database(other_path, schema_path, &db,
					      &warning);
		_exit(!error && geteuid() == 65534 ? 4 : 0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(another_process_keeps_us_out)
{
	int ready[2], go[2];
	char byte = 0;
	pid_t child;

	ck_assert_int_eq(pipe(ready), 0);
	ck_assert_int_eq(pipe(go), 0);
	child = fork();
	if (!child) {
		struct database *db;
		char *warning;

		close(go[1]);
		if (!journal_open_database(path, schema_path, &db, &warning))
			byte = 1;
		if (write(ready[1], &byte, 1) != 1 || read(go[0], &byte, 1))
			_exit(1);
		_exit(0);
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	ck_assert_int_eq(byte, 1);
	check_refused(path, schema_path, "has it open");
	close(go[1]);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	database_free(open_file(path, schema_path));
}
END_TEST

/* A file that must not grow: the transaction fails, nothing of it is seen,
 * and when there is room again the next one is written. */
START_TEST(no_room_is_no_loss)
{
	struct database *db = open_file(path, schema_path);
	struct rlimit limit, old;
	char *before, *after;
	json_t *reply;
	int64_t size;

	fill(db);
	before = dump(db);
	size = journal_size(database_journal(db));
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	limit.rlim_cur = size + 70;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	reply = run(db, "{'op':'insert','table':'R','row':{'name':'big'}}");
	ck_assert_str_eq(error_of(reply), OVSDB_IO_ERROR);
	ck_assert_uint_eq(json_array_size(reply), 2);
	json_decref(reply);
	after = dump(db);
	ck_assert_str_eq(before, after);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
	reply = run(db, "{'op':'insert','table':'R','row':{'name':'big'}}");
	ck_assert_str_eq(error_of(reply), "");
	json_decref(reply);
	free(before);
	free(after);
	before = dump(db);
	database_free(db);
	db = open_file(path, schema_path);
	after = dump(db);
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
	database_free(db);
}
END_TEST

/* Records as other writers write them: whole values, differences, deletions
 * of what is not there. */
START_TEST(both_kinds_of_record_are_read)
{
	static const char *const records[] = {
		("{'R':{'00000000-0000-0000-0000-00000000000a':{'name':'x',"
		 "'si':['set',[1,2]],'m':['map',[['a','1'],['b','2']]],"
		 "'oi':3}},'_date':1,'_comment':'c'}"),
		("{'R':{'00000000-0000-0000-0000-00000000000a':{'si':"
		 "['set',[2,3]],'m':['map',[['a','1'],['b','9'],['c','4']]],"
		 "'oi':['set',[]]}},'_is_diff':true}"),
		"{'R':{'00000000-0000-0000-0000-00000000000a':{'si':7}}}",
		"{'R':{'00000000-0000-0000-0000-00000000000b':null}}",
	};
	struct database *db = open_file(path, schema_path);
	json_t *reply;
	size_t i;

	for (i = 0; i < sizeof records / sizeof *records; i++)
		append(db, records[i]);
	database_free(db);
	db = open_file(path, schema_path);
	reply = run(db, "{'op':'select','table':'R','where':[],'columns':"
		    "['m','name','oi','si']}");
	check_json(reply, "[{'rows':[{'m':['map',[['b','9'],['c','4']]],"
		   "'name':'x','oi':['set',[]],'si':7}]}]", "records");
	json_decref(reply);
	database_free(db);
}
END_TEST

/* The file of what was cut off there, or NULL. */
static char *
read_aside(int64_t offset)
{
	char name[160];
	size_t size;

	snprintf(name, sizeof name, "%s.cut-%lld", path, (long long) offset);
	return access(name, F_OK) ? NULL : read_file(name, &size);
}

/* A record that no writer writes: with others behind it the file is refused;
 * at the end it is put aside. */
START_TEST(senseless_records)
{
	static const char *const records[] = {
		"{'Nope':{}}", "{'R':7}", "{'R':{'x':{}}}",
		"{'R':{'00000000-0000-0000-0000-00000000000a':7}}",
		"{'R':{'00000000-0000-0000-0000-00000000000a':{'zz':1}}}",
		"{'R':{'00000000-0000-0000-0000-00000000000a':{'i':'x'}}}",
		"{'R':{'00000000-0000-0000-0000-00000000000a':{'_uuid':1}}}",
		("{'R':{'00000000-0000-0000-0000-00000000000a':{'strong':"
		 "['uuid','00000000-0000-0000-0000-00000000000b']}}}"),
	};
	struct database *db = open_file(path, schema_path);
	char *warning, *aside, *bytes;
	size_t size, size_then;
	struct uuid last;

	json_decref(run(db, "{'op':'insert','table':'R','row':{'name':"
			"'kept'}}"));
	last = *database_last_transaction(db);
	free(read_file(path, &size));
	append(db, records[_i]);
	database_free(db);
	ck_assert_ptr_null(journal_open_database(path, NULL, &db, &warning));
	ck_assert_ptr_nonnull(strstr(warning, path));
	free(warning);
	aside = read_aside(size);
	ck_assert_ptr_nonnull(strstr(aside, "OVSDB JSON "));
	ck_assert_uint_eq(table_n_rows(database_table(db, "R")), 1);
	ck_assert(uuid_equal(&last, database_last_transaction(db)));
	ck_assert_int_eq(journal_size(database_journal(db)), size);
	database_free(db);
	bytes = read_file(path, &size_then);
	ck_assert_uint_eq(size, size_then);
	free(bytes);
	free(aside);

	db = open_file(path, NULL);
	append(db, records[_i]);
	append(db, "{'R':{}}");
	database_free(db);
	check_refused(path, schema_path, "offset");
}
END_TEST

START_TEST(rubbish_at_the_end_is_put_aside)
{
	static const char *const rubbish[] = {
		"xxx\n", "OVSDB JSON 5 nothex\n{}\n", "\n\n", "{}", "\x01\x02",
	};
	struct database *db = open_file(path, schema_path);
	char *warning, *aside;
	FILE *stream;
	size_t size;

	json_decref(run(db, "{'op':'insert','table':'R','row':{'name':"
			"'kept'}}"));
	database_free(db);
	free(read_file(path, &size));
	stream = fopen(path, "a");
	fputs(rubbish[_i], stream);
	fclose(stream);
	ck_assert_ptr_null(journal_open_database(path, NULL, &db, &warning));
	ck_assert_ptr_nonnull(strstr(warning, "in header line \""));
	for (char *c = warning; *c; c++)
		ck_assert(*c >= ' ');
	free(warning);
	aside = read_aside(size);
	ck_assert_str_eq(aside, rubbish[_i]);
	free(aside);
	ck_assert_uint_eq(table_n_rows(database_table(db, "R")), 1);
	database_free(db);
	database_free(open_file(path, NULL));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("journal");
	TCase *tests = tcase_create("all");
	SRunner *runner;
	int n_failed;

	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, what_was_committed_is_there_again);
	tcase_add_test(tests, a_relative_path_stays_where_it_was);
	tcase_add_test(tests, nothing_is_written_for_nothing);
	tcase_add_test(tests, a_torn_tail_is_cut_off);
	tcase_add_test(tests, a_torn_schema_is_written_anew);
	tcase_add_test(tests, damage_is_refused);
	tcase_add_test(tests, strange_files_are_refused);
	tcase_add_test(tests, read_only_files_are_refused);
	tcase_add_test(tests, another_process_keeps_us_out);
	tcase_add_test(tests, no_room_is_no_loss);
	tcase_add_test(tests, both_kinds_of_record_are_read);
	tcase_add_loop_test(tests, senseless_records, 0, 8);
	tcase_add_loop_test(tests, rubbish_at_the_end_is_put_aside, 0, 5);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed != 0;
}
