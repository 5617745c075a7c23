/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/store/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/ovsdb/value/encode.h"
#include "agent/ovsdb/store/row.h"
#include "agent/ovsdb/store/transaction.h"
#include "tests/unit/ovsdb_tools.h"

static char directory[64];
static char path[128], schema_path[128], other_path[128];

static void
write_file(const char *name, const char *bytes, size_t size)
{
	FILE *stream = fopen(name, "w");

	ck_assert_ptr_nonnull(stream);
	ck_assert_uint_eq(fwrite(bytes, 1, size, stream), size);
	ck_assert_int_eq(fclose(stream), 0);
}

static char *
read_file(const char *name, size_t *ret_size)
{
	FILE *stream = fopen(name, "r");
	char *bytes = malloc(1 << 20);

	ck_assert_ptr_nonnull(stream);
	*ret_size = fread(bytes, 1, (1 << 20) - 1, stream);
	bytes[*ret_size] = '\0';
	fclose(stream);
	return bytes;
}

static void
setup(void)
{
	json_t *schema = parse(everything);

	strcpy(directory, "/tmp/check_journal.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/t.db", directory);
	snprintf(other_path, sizeof other_path, "%s/other.db", directory);
	snprintf(schema_path, sizeof schema_path, "%s/t.ovsschema",
		 directory);
	ck_assert_int_eq(json_dump_file(schema, schema_path, 0), 0);
	json_decref(schema);
}

static void
teardown(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf %s", directory);
	ck_assert_int_eq(system(command), 0);
}

static struct database *
open_file(const char *name, const char *schema)
{
	struct database *db = NULL;
	struct ovsdb_error *error;
	char *warning;

	error = journal_open_database(name, schema, &db, &warning);
	ck_assert_msg(!error, "%s", error ? error->details : "");
	ck_assert_ptr_null(warning);
	return db;
}

/* Opening fails, in one line that holds these words. */
static void
check_refused(const char *name, const char *schema, const char *words)
{
	struct database *db = NULL;
	struct ovsdb_error *error;
	char *warning;

	error = journal_open_database(name, schema, &db, &warning);
	ck_assert_msg(error != NULL, "%s was opened", name);
	ck_assert_msg(strstr(error->details, words) != NULL, "%s",
		      error->details);
	ck_assert_ptr_null(strchr(error->details, '\n'));
	ck_assert_ptr_nonnull(strstr(error->details, name));
	ovsdb_error_free(error);
}

static void
append(struct database *db, const char *record)
{
	struct encoding *out = journal_begin(database_journal(db));
	json_t *json = parse(record);
	char *text = json_dumps(json, JSON_COMPACT);
	struct uuid id = { { 0 } };

	encode_text(out, text);
	ck_assert_ptr_null(journal_append(database_journal(db), true, &id));
	free(text);
	json_decref(json);
}

static void
fill(struct database *db)
{
	static const char *const operations[] = {
		"{'op':'insert','table':'R','row':{'name':'a','i':1,'oi':5,"
		"'si':['set',[1,2,3]],'r':0.1,'m':['map',[['k','v'],['l',"
		"'w']]],'ep':'gone','strong':['named-uuid','c']}},"
		"{'op':'insert','table':'C','row':{'name':'\\n\\u00e9'},"
		"'uuid-name':'c'}",
		"{'op':'mutate','table':'R','where':[],'mutations':[['si',"
		"'insert',['set',[7,8]]],['si','delete',1],['m','delete',"
		"'k'],['oi','+=',1]]},{'op':'update','table':'R','where':[],"
		"'row':{'ep':'x'}}",
		"{'op':'update','table':'R','where':[],'row':{'m':['map',"
		"[['l','other']]],'oi':['set',[]],'r':1e-300}}",
		"{'op':'update','table':'R','where':[],'row':{'ep':'y'}}",
		"{'op':'insert','table':'R','row':{'name':'b'}},{'op':"
		"'comment','comment':'why'},{'op':'commit','durable':true}",
		"{'op':'delete','table':'R','where':[['name','==','b']]},"
		"{'op':'insert','table':'M1','row':{'i':-9}}",
	};
	size_t i;

	for (i = 0; i < sizeof operations / sizeof *operations; i++) {
		json_t *reply = run(db, operations[i]);

		ck_assert_str_eq(error_of(reply), "");
		json_decref(reply);
	}
}

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

	ck_assert_ptr_null(journal_compact(database_journal(db)));
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
	ck_assert_ptr_null(journal_compact(database_journal(db)));
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

static void
note_end(void *ends, struct ovsdb_error *error)
{
	strcat(ends, error ? error->name : "done");
	strcat(ends, ";");
	ovsdb_error_free(error);
}

/* As a turn of the event loop would, but faster.  Returns how often it was
 * called. */
static int
run_journal(struct database *db)
{
	struct journal *journal = database_journal(db);
	const struct timespec moment = { .tv_nsec = 200000 };
	int64_t now_ms = 0;
	int n;

	for (n = 0; journal_deadline(journal) < INT64_MAX; n++) {
		ck_assert_int_lt(n, 50000);
		journal_run(journal, now_ms += 5);
		nanosleep(&moment, NULL);
	}
	return n;
}

/* A file that holds little of what was written to it is compacted, by itself
 * and only then; transactions go on meanwhile, and are there afterwards. */
START_TEST(a_file_that_has_grown_is_compacted)
{
	struct database *db = open_file(path, schema_path);
	struct journal *journal = database_journal(db);
	enum { SIZE = 200 << 10 };
	char *text = malloc(SIZE + 200), *before, *after;
	struct journal_status status;
	int64_t size = 0;
	int i;

	fill(db);
	for (i = 0; i < 200; i++) {
		int used = sprintf(text, "{'op':'delete','table':'M1',"
				   "'where':[]},{'op':'insert','table':'M1',"
				   "'row':{'i':%d}},{'op':'comment',"
				   "'comment':'", i);

		memset(text + used, 'a' + i % 26, SIZE);
		strcpy(text + used + SIZE, "'}");
		json_decref(run(db, text));
		size = journal_size(journal);
		if (size < JOURNAL_COMPACT_MIN)
			ck_assert_int_eq(journal_deadline(journal),
					 INT64_MAX);
		journal_run(journal, i * 5);
	}
	run_journal(db);
	journal_status(journal, &status);
	ck_assert_uint_ge(status.n_compactions, 1);
	ck_assert_uint_eq(status.n_failed_compactions, 0);
	ck_assert_ptr_null(status.problem);
	ck_assert(!status.is_compacting);
	ck_assert_int_lt(status.size, JOURNAL_COMPACT_MIN);
	before = dump(db);
	database_free(db);
	db = open_file(path, NULL);
	after = dump(db);
	ck_assert_str_eq(before, after);
	database_free(db);
	free(before);
	free(after);
	free(text);
}
END_TEST

static void
write_some_rows(struct table *table, int n_changed, int turn)
{
	struct transaction *txn = transaction_begin(table->database);
	const struct row *row = table_first(table);
	struct row *inserted;

	for (int i = 0; i < n_changed; i++, row = table_next(table, row)) {
		struct datum value;

		if (i % 2) {
			transaction_delete(txn, row);
			continue;
		}
		datum_set_string(&value, turn % 2 ? "x" : "y");
		row_set(transaction_modify(txn, row),
			table_schema_column(table->schema, "e"), &value);
	}
	ck_assert_ptr_null(transaction_insert(txn, table, NULL, &inserted));
	ck_assert_ptr_null(transaction_commit(txn, false));
}

/* Rows are listed over many turns, and then written by a thread, while others
 * come, change and go. */
START_TEST(a_large_table_is_compacted_while_it_changes)
{
	struct database *db = open_file(path, schema_path);
	struct table *table = database_table(db, "E1");
	struct transaction *txn = transaction_begin(db);
	struct journal_status status;
	char *before, *after;
	struct row *row;
	int n_listing = 0, n_turns = 0;

	for (int i = 0; i < 30000; i++)
		ck_assert_ptr_null(transaction_insert(txn, table, NULL,
						      &row));
	ck_assert_ptr_null(transaction_commit(txn, false));
	journal_compact_begin(database_journal(db), NULL, NULL);
	for (; journal_deadline(database_journal(db)) == INT64_MIN;
	     n_listing++) {
		write_some_rows(table, 200, n_listing);
		journal_run(database_journal(db), 0);
	}
	ck_assert_int_ge(n_listing, 3);
	do {
		write_some_rows(table, 2, n_turns++);
		journal_run(database_journal(db), 5 * n_turns);
		journal_status(database_journal(db), &status);
	} while (status.is_compacting && n_turns < 10000);
	ck_assert_int_ge(n_turns, 3);
	run_journal(db);
	pin_reclaim(db, SIZE_MAX);
	ck_assert_uint_eq(db->pins->n_kept, 0);
	ck_assert_uint_eq(table_n_rows(table), 30000 - 99 * n_listing);
	before = dump(db);
	database_free(db);
	db = open_file(path, NULL);
	after = dump(db);
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
	database_free(db);
}
END_TEST

START_TEST(whoever_asks_for_compaction_hears_of_its_end)
{
	struct database *db = open_file(path, schema_path);
	struct journal *journal = database_journal(db);
	char ends[128] = "", other[128] = "";

	fill(db);
	journal_compact_begin(journal, note_end, ends);
	journal_compact_begin(journal, note_end, ends);
	json_decref(run(db, "{'op':'insert','table':'R','row':{'name':"
			"'meanwhile'}}"));
	ck_assert_str_eq(ends, "");
	ck_assert_int_gt(run_journal(db), 0);
	ck_assert_str_eq(ends, "done;done;");

	/* Where there can be no file beside it. */
	ck_assert_int_eq(chdir(directory), 0);
	ck_assert_int_eq(mkdir("t.db.tmp", 0700), 0);
	*ends = '\0';
	journal_compact_begin(journal, note_end, ends);
	run_journal(db);
	ck_assert_str_eq(ends, OVSDB_IO_ERROR ";");
	ck_assert_int_eq(rmdir("t.db.tmp"), 0);
	json_decref(run(db, "{'op':'insert','table':'R','row':{'name':"
			"'goes on'}}"));

	journal_compact_begin(journal, note_end, other);
	database_free(db);
	ck_assert_str_eq(other, OVSDB_CANCELED ";");
	ck_assert_int_ne(access("t.db.tmp", F_OK), 0);
	db = open_file(path, NULL);
	ck_assert_uint_eq(table_n_rows(database_table(db, "R")), 3);
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
	tcase_add_checked_fixture(tests, setup, teardown);
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
	tcase_add_test(tests, a_file_that_has_grown_is_compacted);
	tcase_add_test(tests, a_large_table_is_compacted_while_it_changes);
	tcase_add_test(tests, whoever_asks_for_compaction_hears_of_its_end);
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
