/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/store/journal_compact.h"

#include <sys/stat.h>
#include <time.h>

#include "agent/ovsdb/store/history.h"
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
		/* What is written meanwhile would be in the new file, too. */
		journal_status(journal, &status);
		if (status.is_compacting)
			run_journal(db);
	}
	run_journal(db);
	journal_status(journal, &status);
	ck_assert_uint_ge(status.n_compactions, 1);
	ck_assert_uint_eq(status.n_failed_compactions, 0);
	ck_assert_ptr_null(status.problem);
	ck_assert(!status.is_compacting);
	ck_assert_int_lt(status.size, JOURNAL_COMPACT_MIN * 2);
	/* It keeps some of the past, but not too much. */
	ck_assert_int_gt(status.compacted_size, JOURNAL_COMPACT_MIN / 4);
	ck_assert_int_lt(status.compacted_size, JOURNAL_COMPACT_MIN * 3 / 4);
	before = dump(db);
	database_free(db);
	db = open_file(path, NULL);
	ck_assert_int_eq(run_journal(db), 0);
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
	journal_compact_begin(database_journal(db), true, NULL, NULL);
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
	journal_compact_begin(journal, false, note_end, ends);
	journal_compact_begin(journal, false, note_end, ends);
	json_decref(run(db, "{'op':'insert','table':'R','row':{'name':"
			"'meanwhile'}}"));
	ck_assert_str_eq(ends, "");
	ck_assert_int_gt(run_journal(db), 0);
	ck_assert_str_eq(ends, "done;done;");

	/* Where there can be no file beside it. */
	ck_assert_int_eq(chdir(directory), 0);
	ck_assert_int_eq(mkdir("t.db.tmp", 0700), 0);
	*ends = '\0';
	journal_compact_begin(journal, false, note_end, ends);
	run_journal(db);
	ck_assert_str_eq(ends, OVSDB_IO_ERROR ";");
	ck_assert_int_eq(rmdir("t.db.tmp"), 0);
	json_decref(run(db, "{'op':'insert','table':'R','row':{'name':"
			"'goes on'}}"));

	journal_compact_begin(journal, false, note_end, other);
	database_free(db);
	ck_assert_str_eq(other, OVSDB_CANCELED ";");
	ck_assert_int_ne(access("t.db.tmp", F_OK), 0);
	db = open_file(path, NULL);
	ck_assert_uint_eq(table_n_rows(database_table(db, "R")), 3);
	database_free(db);
}
END_TEST

enum { MAX_STATES = 64 };

/* What the database was after each of some transactions. */
struct past_state {
	struct uuid id;
	char *text;
};

static struct past_state states[MAX_STATES];
static size_t n_states;

static void
note_state(struct database *db)
{
	ck_assert_uint_lt(n_states, MAX_STATES);
	states[n_states].id = *database_last_recorded(db);
	states[n_states++].text = dump(db);
}

static void
forget_states(void)
{
	while (n_states)
		free(states[--n_states].text);
}

static void
do_and_note(struct database *db, const char *operations)
{
	json_t *reply = run(db, operations);

	ck_assert_str_eq(error_of(reply), "");
	json_decref(reply);
	note_state(db);
}

static void
count_change(void *n, const struct change *change)
{
	ck_assert(change->old || change->new);
	++*(int *) n;
}

static bool
is_known(const struct database *db, size_t i)
{
	int n_changes = 0;

	return history_recall(db, &states[i].id, count_change, &n_changes);
}

static size_t
count_known(const struct database *db)
{
	size_t n = 0;

	for (size_t i = 0; i < n_states; i++)
		n += is_known(db, i);
	return n;
}

/* As if the clock had gone back: the tables, by what the history says. */
static void
go_back(void *txn, const struct change *change)
{
	const struct table_schema *schema = table_schema(change->table);
	struct row *row;

	if (!change->old) {
		const struct row *there = transaction_find(
			txn, (struct table *) change->table, &change->uuid);

		/* Another one that goes may have taken it along. */
		if (there)
			transaction_delete(txn, there);
		return;
	}
	if (!change->new)
		ck_assert_ptr_null(transaction_insert(
			txn, (struct table *) change->table, &change->uuid,
			&row));
	else
		row = transaction_modify(txn, change->new);
	for (size_t i = N_STANDARD_COLUMNS; i < schema->n_columns; i++) {
		const struct column *column = schema->columns[i];
		struct datum room, copy;

		datum_copy(row_datum(change->old, column, &room),
			   &column->type, &copy);
		row_set(row, column, &copy);
	}
}

static void
check_state(size_t i)
{
	struct database *db = open_file(path, NULL);
	struct transaction *txn = transaction_begin(db);
	char *then;

	ck_assert(history_recall(db, &states[i].id, go_back, txn));
	ck_assert_ptr_null(transaction_commit(txn, false));
	then = dump(db);
	ck_assert_str_eq(then, states[i].text);
	free(then);
	database_free(db);
}

/* What the file says after a compaction and a restart is not only what the
 * database is, but what it was: rows that went since, that came, that came and
 * went, that were changed; those that are there as long as somebody refers to
 * them, and references that go with a row. */
static const char *const episodes[] = {
	("{'op':'insert','table':'R','row':{'name':'a','i':1,'strong':"
	 "['named-uuid','c'],'si':['set',[1,2]]}},{'op':'insert','table':"
	 "'C','row':{'name':'c1'},'uuid-name':'c'}"),
	("{'op':'insert','table':'C','uuid-name':'c','row':{'name':'c2'}},"
	 "{'op':'insert','table':'R','row':{'name':'b','strong':"
	 "['named-uuid','c']}},{'op':'insert','table':'R','row':{'name':'w',"
	 "'weak':['named-uuid','c']}}"),
	("{'op':'update','table':'R','where':[['name','==','a']],'row':{'i':2,"
	 "'ep':'x'}},{'op':'mutate','table':'R','where':[],'mutations':"
	 "[['si','insert',9]]}"),
	"{'op':'update','table':'R','where':[],'row':{'ep':'y'}}",
	"{'op':'delete','table':'R','where':[['name','==','b']]}",
	("{'op':'update','table':'R','where':[['name','==','a']],'row':"
	 "{'strong':['set',[]],'i':3}}"),
	"{'op':'insert','table':'R','row':{'name':'short'}}",
	"{'op':'delete','table':'R','where':[['name','==','short']]}",
	"{'op':'delete','table':'R','where':[]}",
	("{'op':'insert','table':'R','row':{'name':'z','m':['map',[['k',"
	 "'v']]]}}"),
	("{'op':'mutate','table':'R','where':[],'mutations':[['m','delete',"
	 "'k']]}"),
};

enum { N_EPISODES = sizeof episodes / sizeof *episodes };

/* In the middle of which the file is compacted. */
START_TEST(the_past_survives)
{
	struct database *db = open_file(path, schema_path);
	struct uuid last;
	int i;

	for (i = 0; i < N_EPISODES; i++) {
		if (i == _i)
			ck_assert_ptr_null(journal_compact(
				database_journal(db), true));
		do_and_note(db, episodes[i]);
	}
	if (_i == N_EPISODES)
		ck_assert_ptr_null(journal_compact(database_journal(db),
						   true));
	ck_assert_uint_eq(count_known(db), n_states);
	last = *database_last_recorded(db);
	database_free(db);
	/* And again, from what has been read. */
	for (i = 0; i < 2; i++) {
		db = open_file(path, NULL);
		ck_assert(uuid_equal(database_last_recorded(db), &last));
		ck_assert_uint_eq(count_known(db), n_states);
		ck_assert_ptr_null(journal_compact(database_journal(db),
						   true));
		database_free(db);
	}
	for (size_t k = 0; k < n_states; k++) {
		char command[320];

		snprintf(command, sizeof command, "cp %s %s", path,
			 other_path);
		ck_assert_int_eq(system(command), 0);
		check_state(k);
		ck_assert_int_eq(rename(other_path, path), 0);
	}
	forget_states();
}
END_TEST

/* Records that are kept are copied as they are. */
START_TEST(records_are_kept_as_they_are)
{
	struct database *db = open_file(path, schema_path);
	struct journal *journal = database_journal(db);
	size_t size, size_then, size_without, tail;
	char *bytes, *then;
	int64_t begin;

	do_and_note(db, episodes[0]);
	begin = journal_size(journal);
	for (int i = 1; i < N_EPISODES; i++)
		do_and_note(db, episodes[i]);
	bytes = read_file(path, &size);
	tail = size - begin;
	ck_assert_ptr_null(journal_compact(journal, true));
	then = read_file(path, &size_then);
	ck_assert_int_eq(journal_size(journal), size_then);
	ck_assert_uint_gt(size_then, tail);
	ck_assert_mem_eq(then + size_then - tail, bytes + size - tail, tail);
	ck_assert_ptr_nonnull(strstr(then, "compacted up to transaction"));
	free(bytes);
	free(then);

	/* Nothing of it for who wants none; not even what is under way. */
	journal_compact_begin(journal, true, NULL, NULL);
	ck_assert_ptr_null(journal_compact(journal, false));
	then = read_file(path, &size_without);
	ck_assert_uint_le(size_without + tail, size_then);
	ck_assert_uint_eq(count_known(db), n_states);
	database_free(db);
	free(then);
	db = open_file(path, NULL);
	ck_assert_uint_eq(count_known(db), 1);
	database_free(db);
	forget_states();
}
END_TEST

/* The oldest that is known is when there was no row. */
START_TEST(there_was_nothing)
{
	struct database *db = open_file(path, schema_path);
	struct journal *journal = database_journal(db);
	struct history *history = database_history(db);

	for (int i = 0; i < 9; i++)
		do_and_note(db, episodes[i]);
	history_set_size(history, 0);
	ck_assert_uint_eq(count_known(db), 1);
	history_set_size(history, HISTORY_DEFAULT_SIZE);
	do_and_note(db, episodes[9]);
	do_and_note(db, episodes[10]);
	ck_assert_uint_eq(count_known(db), 3);
	ck_assert_ptr_null(journal_compact(journal, true));
	database_free(db);
	db = open_file(path, NULL);
	ck_assert_uint_eq(count_known(db), 3);
	ck_assert_ptr_null(journal_compact(database_journal(db), true));
	database_free(db);
	for (size_t k = 8; k < 11; k++) {
		char command[320];

		snprintf(command, sizeof command, "cp %s %s", path,
			 other_path);
		ck_assert_int_eq(system(command), 0);
		check_state(k);
		ck_assert_int_eq(rename(other_path, path), 0);
	}

	/* Where nothing is remembered nothing is kept, either. */
	db = open_file(path, NULL);
	history_set_size(database_history(db), 0);
	ck_assert_ptr_null(journal_compact(database_journal(db), true));
	database_free(db);
	db = open_file(path, NULL);
	ck_assert_uint_eq(count_known(db), 1);
	database_free(db);
	forget_states();
}
END_TEST

/* While the way back is gone, over many turns, the history forgets what is on
 * it, and others go on. */
START_TEST(the_past_is_forgotten_meanwhile)
{
	struct database *db = open_file(path, schema_path);
	struct table *table = database_table(db, "E1");
	struct history *history = database_history(db);
	struct transaction *txn = transaction_begin(db);
	struct history_counters counters;
	char *before, *after;
	struct row *row;
	int n = 0;

	for (int i = 0; i < 5000; i++)
		ck_assert_ptr_null(transaction_insert(txn, table, NULL,
						      &row));
	ck_assert_ptr_null(transaction_commit(txn, false));
	for (int i = 0; i < 40; i++) {
		write_some_rows(table, 200, i);
		note_state(db);
	}
	history_counters(history, &counters);
	journal_compact_begin(database_journal(db), true, NULL, NULL);
	while (journal_deadline(database_journal(db)) == INT64_MIN) {
		write_some_rows(table, 20, n);
		history_set_size(history, n++ < 2 ? counters.size * 3 / 4 : 0);
		journal_run(database_journal(db), 0);
	}
	ck_assert_int_ge(n, 3);
	history_set_size(history, HISTORY_DEFAULT_SIZE);
	run_journal(db);
	note_state(db);
	pin_reclaim(db, SIZE_MAX);
	ck_assert_uint_eq(db->pins->n_kept, 0);
	before = dump(db);
	database_free(db);
	db = open_file(path, NULL);
	after = dump(db);
	ck_assert_str_eq(before, after);
	/* Not all, but some. */
	ck_assert_uint_gt(count_known(db), 2);
	ck_assert_uint_lt(count_known(db), n_states - 2);
	free(before);
	free(after);
	database_free(db);
	forget_states();
}
END_TEST

/* Damage is not copied: without the past the file is whole again. */
START_TEST(a_damaged_past_is_let_go)
{
	struct database *db = open_file(path, schema_path);
	struct journal *journal = database_journal(db);
	struct ovsdb_error *error;
	int64_t begin = 0;
	int fd;

	for (int i = 0; i < N_EPISODES; i++) {
		if (i == 5)
			begin = journal_size(journal);
		do_and_note(db, episodes[i]);
	}
	fd = open(path, O_WRONLY);
	ck_assert_int_eq(pwrite(fd, "#", 1, begin + 100), 1);
	close(fd);
	error = journal_compact(journal, true);
	ck_assert_ptr_nonnull(error);
	ck_assert_ptr_nonnull(strstr(error->details, "damaged"));
	ovsdb_error_free(error);
	ck_assert_ptr_null(journal_compact(journal, true));
	database_free(db);
	db = open_file(path, NULL);
	ck_assert_uint_eq(count_known(db), 1);
	/* From now on again. */
	do_and_note(db, "{'op':'insert','table':'M1','row':{'i':1}}");
	ck_assert_ptr_null(journal_compact(database_journal(db), true));
	database_free(db);
	db = open_file(path, NULL);
	ck_assert_uint_eq(count_known(db), 2);
	database_free(db);
	forget_states();
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
	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, a_file_that_has_grown_is_compacted);
	tcase_add_test(tests, a_large_table_is_compacted_while_it_changes);
	tcase_add_test(tests, whoever_asks_for_compaction_hears_of_its_end);
	tcase_add_loop_test(tests, the_past_survives, 0, N_EPISODES + 1);
	tcase_add_test(tests, records_are_kept_as_they_are);
	tcase_add_test(tests, there_was_nothing);
	tcase_add_test(tests, the_past_is_forgotten_meanwhile);
	tcase_add_test(tests, a_damaged_past_is_let_go);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed != 0;
}
