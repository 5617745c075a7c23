/* SPDX-License-Identifier: Apache-2.0 */

/* Power cuts and broken disks.
 *
 * The linker puts functions of ours in front of those by which a journal
 * writes.  They note everything that is done to its files, so that afterwards
 * the disk can be shown as it may be found when the power fails after any of
 * these steps: what was synced is there; of everything else any sector may be
 * there or not, in any order, the last one torn or wrong; a file that was
 * renamed has the new name or not, until its directory is synced.  Each such
 * disk is opened, and must hold what some transaction left that is not older
 * than the last one acknowledged as durable.
 *
 * They can also fail, and the journal's own thread can be kept waiting for the
 * disk, so that transactions gather behind it. */

#include "agent/ovsdb/store/journal.h"

#include "tests/unit/crash_disk.h"
#include "tests/unit/ovsdb_tools.h"
#include "tests/unit/scratch.h"

static char directory[SCRATCH_SIZE], schema_path[128];
static char crash_directory[SCRATCH_SIZE], crash_path[128];
static char *states[MAX_STATES];

static void
put_file(const char *name, const char *bytes, int64_t size)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(__real_pwrite(fd, bytes, size, 0), size);
	close(fd);
}

static struct database *
open_crashed(size_t step, int way)
{
	struct database *db = NULL;
	struct ovsdb_error *error;
	char *warning;

	error = journal_open_database(crash_path, schema_path, &db, &warning);
	ck_assert_msg(!error, "step %zu, way %d: %s", step, way,
		      error ? error->details : "");
	free(warning);
	return db;
}

static void
check_point(size_t step, int way, int file, int oldest, int newest)
{
	static char bytes[FILE_MAX];
	char *found, *again;
	struct database *db;
	int i;

	if (file < 0)
		unlink(crash_path);
	else
		put_file(crash_path, bytes, show(&images[file], way, bytes));
	db = open_crashed(step, way);
	found = dump(db);
	for (i = oldest; i <= newest && strcmp(found, states[i]); i++)
		continue;
	ck_assert_msg(i <= newest,
		      "step %zu, way %d: not from %d to %d: %.400s", step, way,
		      oldest, newest, found);
	free(found);
	/* Now and then: it goes on from there. */
	if (draw(8) == 0) {
		json_decref(run(db, "{'op':'delete','table':'M1','where':[]},"
				"{'op':'insert','table':'M1','row':{'i':-1}},"
				"{'op':'commit','durable':true}"));
		found = dump(db);
		database_free(db);
		db = open_crashed(step, way);
		again = dump(db);
		ck_assert_str_eq(found, again);
		free(again);
		free(found);
	}
	database_free(db);
}

/* Cuts the power after each step from 'from' on, in every way. */
static int
check_all_points(size_t from)
{
	int file = -1, renamed = -1, oldest = 0, newest = 0, n_points = 0;
	size_t i;
	int way;

	images = calloc(N_FILES, sizeof *images);
	for (i = 0; i < n_steps; i++) {
		const struct step *step = &steps[i];
		struct image *image = &images[step->file];

		switch (step->kind) {
		case WRITE:
		case CUT:
			image->pending[image->n_pending++] = i;
			break;
		case SYNC:
			sync_image(image, step->offset);
			break;
		case FAILED_SYNC:
			image->is_lost = true;
			break;
		case RENAME:
			renamed = step->file;
			break;
		case SYNC_DIRECTORY:
			file = renamed;
			break;
		case BEGIN:
			newest = step->state;
			break;
		case ACKNOWLEDGE:
			oldest = step->state;
			break;
		case N_KINDS:
			break;
		}
		if (i + 1 < from || step->kind == BEGIN)
			continue;
		for (way = 0; way < N_WAYS; way++) {
			/* Way 1 is the end of the process alone. */
			bool is_new = way == 1 || (way > 1 && draw(2));

			check_point(i, way, is_new ? renamed : file, oldest,
				    newest);
			n_points++;
		}
	}
	free(images);
	return n_points;
}

static struct database *
open_file(void)
{
	struct database *db = NULL;
	struct ovsdb_error *error;
	char *warning;

	error = journal_open_database(path, schema_path, &db, &warning);
	ck_assert_msg(!error, "%s", error ? error->details : "");
	ck_assert_ptr_null(warning);
	return db;
}

/* The n-th transaction; different from all others.  Returns the error. */
static const char *
transact(struct database *db, int n)
{
	bool durable = n % 3 == 0;
	char text[4096], filler[2048];
	static char name[64];
	json_t *reply;
	int used;

	memset(filler, 'x', sizeof filler);
	filler[n % 7 ? (size_t) n % 40 : sizeof filler - 1] = '\0';
	used = snprintf(text, sizeof text, "{'op':'delete','table':'M1',"
			"'where':[]},{'op':'insert','table':'M1','row':"
			"{'i':%d}}", n);
	if (n % 5 == 0)
		used += snprintf(text + used, sizeof text - used, ",{'op':"
				 "'insert','table':'R','row':{'name':'n%d',"
				 "'s3':'%s'}},{'op':'delete','table':'R',"
				 "'where':[['name','==','n%d']]}", n, filler,
				 n - 30);
	else
		used += snprintf(text + used, sizeof text - used, ",{'op':"
				 "'mutate','table':'R','where':[],'mutations':"
				 "[['si','insert',%d],['si','delete',%d]]}",
				 n, n - 6);
	if (durable)
		used += snprintf(text + used, sizeof text - used,
				 ",{'op':'commit','durable':true}");
	ck_assert_int_lt(used, sizeof text);
	reply = run(db, text);
	snprintf(name, sizeof name, "%s", error_of(reply));
	json_decref(reply);
	return name;
}

/* Durable transactions whose fate is not known yet. */
static struct {
	int state;
	uint64_t number;
} unknown[MAX_STATES];
static size_t n_unknown;

/* Notes what is known to be on disk by now; returns how many are lost. */
static int
acknowledge(const struct database *db)
{
	const struct journal *journal = database_journal(db);
	size_t n_left = 0, i;
	int n_lost = 0;

	pthread_mutex_lock(&mutex);
	for (i = 0; i < n_unknown; i++) {
		enum journal_fate fate = journal_fate(journal,
						      unknown[i].number);

		if (fate == JOURNAL_ON_ITS_WAY)
			unknown[n_left++] = unknown[i];
		else if (fate == JOURNAL_ON_DISK)
			note(ACKNOWLEDGE)->state = unknown[i].state;
		else
			n_lost++;
	}
	n_unknown = n_left;
	pthread_mutex_unlock(&mutex);
	return n_lost;
}

/* Notes a transaction; returns its error.  It may be on disk from the moment
 * on when it begins. */
static const char *
transact_noted(struct database *db, int n)
{
	uint64_t before = journal_last_durable(database_journal(db));
	const char *error;

	pthread_mutex_lock(&mutex);
	note(BEGIN)->state = n;
	pthread_mutex_unlock(&mutex);
	error = transact(db, n);
	free(states[n]);
	states[n] = dump(db);
	if (journal_last_durable(database_journal(db)) > before) {
		ck_assert_str_eq(error, "");
		unknown[n_unknown].state = n;
		unknown[n_unknown++].number =
			journal_last_durable(database_journal(db));
	} else {
		ck_assert(*error || n % 3);
	}
	return error;
}

static void
begin_again(void)
{
	char command[160];

	is_recording = false;
	n_unknown = 0;
	while (n_steps)
		free(steps[--n_steps].bytes);
	while (n_files)
		close(files[--n_files].fd);
	snprintf(command, sizeof command, "%s/t.db", directory);
	unlink(command);
	memset(&fault, 0, sizeof fault);
}

static void
setup(void)
{
	json_t *schema = parse(everything);

	main_thread = pthread_self();

	scratch_make_fast(directory);
	scratch_make_fast(crash_directory);
	snprintf(path, sizeof path, "%s/t.db", directory);
	snprintf(crash_path, sizeof crash_path, "%s/t.db", crash_directory);
	snprintf(schema_path, sizeof schema_path, "%s/t.ovsschema",
		 directory);
	ck_assert_int_eq(json_dump_file(schema, schema_path, 0), 0);
	json_decref(schema);
}

static void
teardown(void)
{
	int i;

	begin_again();
	for (i = 0; i < MAX_STATES; i++) {
		free(states[i]);
		states[i] = NULL;
	}
}

START_TEST(the_power_may_fail_at_any_time)
{
	struct database *db;
	struct journal_status status;
	int n, n_points;

	is_recording = true;
	db = open_file();
	states[0] = dump(db);
	for (n = 1; n < 240; n++) {
		struct journal *journal = database_journal(db);

		/* Transactions gather, also over compactions. */
		if (draw(4) == 0)
			slow_disk(true);
		if (n % 25 == 0)
			journal_compact_begin(journal, draw(2), NULL,
					      NULL);
		/* Some transactions come while the thread is at work. */
		if (n % 25 == n / 25)
			ck_assert_ptr_null(journal_compact(journal, draw(2)));
		ck_assert_str_eq(transact_noted(db, n), "");
		if (draw(8) == 0) {
			slow_disk(false);
			journal_flush(journal);
		}
		ck_assert_int_eq(acknowledge(db), 0);
	}
	slow_disk(false);
	journal_flush(database_journal(db));
	ck_assert_int_eq(acknowledge(db), 0);
	ck_assert_uint_eq(n_unknown, 0);
	journal_status(database_journal(db), &status);
	ck_assert_uint_eq(status.n_durable, 239 / 3);
	ck_assert_uint_gt(status.n_syncs, 10);
	ck_assert_uint_lt(status.n_syncs, status.n_durable);
	ck_assert_uint_ge(status.n_compactions, 9);
	ck_assert_uint_eq(status.n_failed_compactions, 0);
	is_recording = false;
	database_free(db);

	n_points = check_all_points(0);
	printf("%d points: %zu steps, %d ways each; %d syncs\n", n_points,
	       n_steps, N_WAYS, (int) status.n_syncs);
	ck_assert_int_gt(n_points, 3000);
}
END_TEST

/* Polls the journal until it has nothing to do, or a compaction has come to an
 * end; its clock is ours. */
static void
let_run(struct database *db, int64_t *now_ms, bool once)
{
	struct journal *journal = database_journal(db);
	const struct timespec moment = { .tv_nsec = 200000 };
	struct journal_status before, after;
	int i;

	journal_status(journal, &before);
	for (i = 0; i < 20000 && journal_deadline(journal) < INT64_MAX; i++) {
		*now_ms += 5;
		journal_run(journal, *now_ms);
		journal_status(journal, &after);
		if (once && after.n_compactions + after.n_failed_compactions
			    > before.n_compactions
			      + before.n_failed_compactions)
			break;
		nanosleep(&moment, NULL);
	}
	ck_assert_int_lt(i, 20000);
}

/* A transaction that may fail; returns how many are refused or lost. */
static int
try_one(struct database *db, int n, int64_t *now_ms)
{
	struct journal *journal = database_journal(db);
	struct journal_status status;
	const char *error;
	int n_lost;

	if (n % 8 == 0)
		journal_compact_begin(journal, draw(2), NULL,
					      NULL);
	if (n % 8 == 2)
		let_run(db, now_ms, true);
	journal_run(journal, *now_ms += 400);
	error = transact_noted(db, n);
	if (*error) {
		ck_assert_str_eq(error, OVSDB_IO_ERROR);
		ck_assert_str_eq(states[n], states[n - 1]);
	} else {
		ck_assert_str_ne(states[n], states[n - 1]);
	}
	if (n % 4)
		journal_flush(journal);
	n_lost = acknowledge(db) + (*error != '\0');
	journal_status(journal, &status);
	if (n_lost)
		ck_assert_ptr_nonnull(status.problem);
	return n_lost;
}

/* A run of transactions during which calls fail; returns false if there are
 * not so many.  Afterwards everything works again, and is on the disk.
 * 'is_deep': the power may fail anywhere in between. */
static bool
run_with_fault(enum kind kind, int problem, int from, int n, bool is_deep,
	       int *n_refused, int *n_points)
{
	struct journal_status status;
	struct journal *journal;
	int64_t now_ms = 0;
	struct database *db;
	bool was_hit;
	int i;

	begin_again();
	is_recording = true;
	db = open_file();
	journal = database_journal(db);
	fault.kind = kind;
	fault.problem = problem;
	fault.from = from;
	fault.n = n;
	free(states[0]);
	states[0] = dump(db);
	for (i = 1; i < 16; i++)
		*n_refused += try_one(db, i, &now_ms);
	was_hit = fault.n_hit;
	fault.n = 0;
	now_ms += 100000;
	journal_flush(journal);
	let_run(db, &now_ms, false);
	acknowledge(db);
	ck_assert_uint_eq(n_unknown, 0);
	ck_assert_msg(!*transact_noted(db, 18), "kind %d problem %d at %d",
		      kind, problem, from);
	free(states[16]);
	free(states[17]);
	states[16] = strdup(states[15]);
	states[17] = strdup(states[15]);
	journal_flush(journal);
	ck_assert_int_eq(acknowledge(db), 0);
	ck_assert_uint_eq(n_unknown, 0);
	journal_status(journal, &status);
	ck_assert_ptr_null(status.problem);
	is_recording = false;
	database_free(db);
	*n_points += check_all_points(is_deep ? 0 : n_steps);
	return was_hit;
}

static const struct {
	enum kind kind;
	int problem, n;
	bool is_fatal;		/* Is any transaction refused, or lost? */
} faults[] = {
	{ WRITE, 0, 1, false },
	{ WRITE, 0, 6, false },
	{ WRITE, EINTR, 3, false },
	{ WRITE, EIO, 1, true },
	{ WRITE, EIO, 7, true },
	{ WRITE, ENOSPC, 2, true },
	{ WRITE, ENOSPC, 9, true },
	{ SYNC, EIO, 1, true },
	{ SYNC, EIO, 4, true },
	{ SYNC, ENOSPC, 2, true },
	{ RENAME, EIO, 1, false },
	{ SYNC_DIRECTORY, EIO, 1, true },
	{ SYNC_DIRECTORY, EIO, 3, true },
};

START_TEST(the_disk_may_fail_at_any_time)
{
	int n_refused = 0, n_points = 0, from = 0;

	while (run_with_fault(faults[_i].kind, faults[_i].problem, from,
			      faults[_i].n, from % 4 == _i % 4,
			      &n_refused, &n_points))
		from++;
	printf("fault %d: at %d calls, %d transactions lost, %d points\n",
	       _i, from, n_refused, n_points);
	ck_assert_int_gt(from, 0);
	ck_assert_int_eq(n_refused > 0, faults[_i].is_fatal);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("crash");
	TCase *tests = tcase_create("all");
	SRunner *runner;
	int n_failed;

	tcase_set_timeout(tests, 300);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, the_power_may_fail_at_any_time);
	tcase_add_loop_test(tests, the_disk_may_fail_at_any_time, 0,
			    sizeof faults / sizeof *faults);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed != 0;
}
