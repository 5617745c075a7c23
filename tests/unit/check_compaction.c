/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/store/journal_compact.h"

#include <sys/stat.h>
#include <time.h>

#include "agent/ovsdb/store/row.h"
#include "agent/ovsdb/store/transaction.h"
#include "tests/unit/journal_fixture.h"

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

int
main(void)
{
	Suite *suite = suite_create("compaction");
	TCase *tests = tcase_create("all");
	SRunner *runner;
	int n_failed;

	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_file_that_has_grown_is_compacted);
	tcase_add_test(tests, a_large_table_is_compacted_while_it_changes);
	tcase_add_test(tests, whoever_asks_for_compaction_hears_of_its_end);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed != 0;
}
