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
 * They can also fail. */

#include "agent/ovsdb/store/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/ovsdb_tools.h"

enum { SECTOR = 512, FILE_MAX = 256 << 10, MAX_STEPS = 20000,
       N_FILES = 64, MAX_STATES = 600, N_WAYS = 8 };

enum kind { WRITE, CUT, SYNC, FAILED_SYNC, RENAME, SYNC_DIRECTORY, BEGIN,
	    ACKNOWLEDGE, N_KINDS };

struct step {
	enum kind kind;
	int file;		/* WRITE, CUT, SYNC, RENAME. */
	int64_t offset;		/* CUT: the size. */
	size_t size;
	char *bytes;
	int state;		/* BEGIN, ACKNOWLEDGE: of the database. */
	bool durable;
};

static char directory[64], path[128], schema_path[128];
static char crash_directory[64], crash_path[128];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static bool is_recording;
static struct step steps[MAX_STEPS];
static size_t n_steps;
static struct {
	ino_t inode;
	int fd;			/* Keeps the number from being used again. */
} files[N_FILES];
static int n_files;
static char *states[MAX_STATES];

/* Which calls fail: those of a kind, from one on, so many. */
static struct {
	enum kind kind;
	int from, n, problem;	/* 0: half of it is written. */
	int n_seen, n_hit;
} fault;

ssize_t __real_pwrite(int, const void *, size_t, off_t);
ssize_t __wrap_pwrite(int, const void *, size_t, off_t);
int __real_fdatasync(int);
int __wrap_fdatasync(int);
int __real_fsync(int);
int __wrap_fsync(int);
int __real_ftruncate(int, off_t);
int __wrap_ftruncate(int, off_t);
int __real_rename(const char *, const char *);
int __wrap_rename(const char *, const char *);

static uint64_t seed = 1;

static unsigned
draw(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (seed >> 33) % n;
}

static int
file_of(const struct stat *st)
{
	int i;

	for (i = 0; i < n_files && files[i].inode != st->st_ino; i++)
		continue;
	return i < n_files ? i : -1;
}

static int
file_of_fd(int fd)
{
	struct stat st;
	int file;

	ck_assert_int_eq(fstat(fd, &st), 0);
	file = file_of(&st);
	if (file >= 0)
		return file;
	ck_assert_int_lt(n_files, N_FILES);
	files[n_files].inode = st.st_ino;
	files[n_files].fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return n_files++;
}

static struct step *
note(enum kind kind)
{
	struct step *step = &steps[n_steps++];

	ck_assert_uint_lt(n_steps, MAX_STEPS);
	memset(step, 0, sizeof *step);
	step->kind = kind;
	return step;
}

/* Shall this call fail?  Called with the mutex. */
static bool
fails(enum kind kind)
{
	if (!fault.n || fault.kind != kind)
		return false;
	fault.n_seen++;
	if (fault.n_seen <= fault.from || fault.n_seen > fault.from + fault.n)
		return false;
	fault.n_hit++;
	errno = fault.problem;
	return true;
}

ssize_t
__wrap_pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
	struct step *step;
	ssize_t n = -1;

	if (!is_recording)
		return __real_pwrite(fd, bytes, size, offset);
	pthread_mutex_lock(&mutex);
	if (!fails(WRITE) || (fault.problem == ENOSPC && fault.n_hit % 2)
	    || !fault.problem) {
		/* A disk without room takes what it has room for. */
		if (fault.n && fault.n_hit && fault.n_seen <= fault.from
							     + fault.n)
			size = (size + 1) / 2;
		step = note(WRITE);
		step->file = file_of_fd(fd);
		step->offset = offset;
		step->size = size;
		step->bytes = malloc(size);
		memcpy(step->bytes, bytes, size);
		n = __real_pwrite(fd, bytes, size, offset);
	}
	pthread_mutex_unlock(&mutex);
	return n;
}

static int
sync_any(int fd)
{
	struct stat st;
	int result = 0;

	if (!is_recording)
		return 0;
	pthread_mutex_lock(&mutex);
	ck_assert_int_eq(fstat(fd, &st), 0);
	if (S_ISDIR(st.st_mode)) {
		result = fails(SYNC_DIRECTORY) ? -1 : 0;
		if (!result)
			note(SYNC_DIRECTORY);
	} else {
		result = fails(SYNC) ? -1 : 0;
		note(result ? FAILED_SYNC : SYNC)->file = file_of_fd(fd);
	}
	if (result)
		errno = fault.problem;
	pthread_mutex_unlock(&mutex);
	return result;
}

int
__wrap_fdatasync(int fd)
{
	return sync_any(fd);
}

int
__wrap_fsync(int fd)
{
	return sync_any(fd);
}

int
__wrap_ftruncate(int fd, off_t size)
{
	struct step *step;
	int result = -1;

	if (!is_recording)
		return __real_ftruncate(fd, size);
	pthread_mutex_lock(&mutex);
	if (!fails(CUT)) {
		step = note(CUT);
		step->file = file_of_fd(fd);
		step->offset = size;
		result = __real_ftruncate(fd, size);
	}
	pthread_mutex_unlock(&mutex);
	return result;
}

int
__wrap_rename(const char *from, const char *to)
{
	struct stat st;
	int result = -1;

	if (!is_recording)
		return __real_rename(from, to);
	pthread_mutex_lock(&mutex);
	if (!fails(RENAME)) {
		ck_assert_str_eq(to, path);
		ck_assert_int_eq(stat(from, &st), 0);
		note(RENAME)->file = file_of(&st);
		result = __real_rename(from, to);
	}
	pthread_mutex_unlock(&mutex);
	return result;
}

/* A file on the disk that is being shown. */
struct image {
	char synced[FILE_MAX];
	int64_t size;
	size_t pending[MAX_STEPS];
	size_t n_pending;
	bool is_lost;		/* A sync has failed: no other counts. */
};

static struct image *images;	/* N_FILES. */

static int64_t
apply(char *bytes, int64_t size, const struct step *step)
{
	int64_t end = step->offset + (int64_t) step->size;

	if (step->kind == CUT) {
		if (step->offset < size)
			memset(bytes + step->offset, 0,
			       size - step->offset);
		return step->offset;
	}
	ck_assert_int_le(end, FILE_MAX);
	memcpy(bytes + step->offset, step->bytes, step->size);
	return end > size ? end : size;
}

static void
sync_image(struct image *image)
{
	size_t i;

	if (image->is_lost)
		return;
	for (i = 0; i < image->n_pending; i++)
		image->size = apply(image->synced, image->size,
				    &steps[image->pending[i]]);
	image->n_pending = 0;
}

/* Some of what is pending, whole sectors of it. */
static int64_t
apply_sectors(const struct image *image, char *bytes)
{
	static unsigned char chosen[FILE_MAX / SECTOR];
	static char now[FILE_MAX];
	int64_t now_size = image->size, size = image->size;
	size_t last = image->n_pending < 255 ? image->n_pending : 255;
	size_t of_size = draw(last + 1);
	size_t i, sector;

	memcpy(now, image->synced, FILE_MAX);
	for (sector = 0; sector < FILE_MAX / SECTOR; sector++)
		chosen[sector] = draw(last + 1);
	for (i = 1; i <= last; i++) {
		now_size = apply(now, now_size, &steps[image->pending[i - 1]]);
		if (i == of_size)
			size = now_size;
		for (sector = 0; sector < FILE_MAX / SECTOR; sector++)
			if (chosen[sector] == i)
				memcpy(bytes + sector * SECTOR,
				       now + sector * SECTOR, SECTOR);
	}
	return size;
}

/* What is found in the file after a power cut of this kind. */
static int64_t
show(const struct image *image, int way, char *bytes)
{
	int64_t size = image->size;
	struct step last;
	size_t i;

	memcpy(bytes, image->synced, FILE_MAX);
	if (way == 0 || !image->n_pending)
		return size;
	if (way >= 4)
		return apply_sectors(image, bytes);
	for (i = 0; i + 1 < image->n_pending; i++)
		size = apply(bytes, size, &steps[image->pending[i]]);
	last = steps[image->pending[i]];
	if (way == 2 && last.kind == WRITE)
		last.size = draw(last.size + 1);
	size = apply(bytes, size, &last);
	if (way == 3 && last.kind == WRITE)
		bytes[last.offset + draw(last.size)] ^= 1 << draw(8);
	return size;
}

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
	struct database *db;
	char *found;
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
		{
			char *again = dump(db);

			ck_assert_str_eq(found, again);
			free(again);
		}
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
			sync_image(image);
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
			if (step->durable)
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

/* Notes a transaction that must succeed. */
static void
transact_noted(struct database *db, int n)
{
	struct step *step;

	pthread_mutex_lock(&mutex);
	note(BEGIN)->state = n;
	pthread_mutex_unlock(&mutex);
	ck_assert_str_eq(transact(db, n), "");
	free(states[n]);
	states[n] = dump(db);
	pthread_mutex_lock(&mutex);
	step = note(ACKNOWLEDGE);
	step->state = n;
	step->durable = n % 3 == 0;
	pthread_mutex_unlock(&mutex);
}

static void
begin_again(void)
{
	char command[160];

	is_recording = false;
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
	bool has_shm = !access("/dev/shm", W_OK);

	snprintf(directory, sizeof directory, "%s/check_crash.XXXXXX",
		 has_shm ? "/dev/shm" : "/tmp");
	strcpy(crash_directory, directory);
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_ptr_nonnull(mkdtemp(crash_directory));
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
	char command[160];
	int i;

	begin_again();
	for (i = 0; i < MAX_STATES; i++) {
		free(states[i]);
		states[i] = NULL;
	}
	snprintf(command, sizeof command, "rm -rf %s %s", directory,
		 crash_directory);
	ck_assert_int_eq(system(command), 0);
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

		if (n % 25 == 0)
			journal_compact_begin(journal, NULL, NULL);
		/* Some transactions come while the thread is at work. */
		if (n % 25 == n / 25)
			ck_assert_ptr_null(journal_compact(journal));
		transact_noted(db, n);
	}
	journal_status(database_journal(db), &status);
	ck_assert_uint_ge(status.n_compactions, 9);
	ck_assert_uint_eq(status.n_failed_compactions, 0);
	is_recording = false;
	database_free(db);

	n_points = check_all_points(0);
	printf("%d points: %zu steps, %d ways each\n", n_points, n_steps,
	       N_WAYS);
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

/* A run of transactions during which calls fail; returns false if there are
 * not so many.  Afterwards everything works again, and is on the disk. */
static bool
run_with_fault(enum kind kind, int problem, int from, int n,
	       int *n_refused, int *n_points)
{
	struct journal_status status;
	int64_t now_ms = 0;
	struct database *db;
	char *before, *after;
	bool was_hit;
	int i;

	begin_again();
	is_recording = true;
	db = open_file();
	fault.kind = kind;
	fault.problem = problem;
	fault.from = from;
	fault.n = n;
	before = dump(db);
	for (i = 1; i < 16; i++) {
		const char *error;

		if (i % 8 == 0)
			journal_compact_begin(database_journal(db), NULL,
					      NULL);
		if (i % 8 == 2)
			let_run(db, &now_ms, true);
		journal_run(database_journal(db), now_ms += 400);
		error = transact(db, i);
		after = dump(db);
		if (*error) {
			ck_assert_str_eq(error, OVSDB_IO_ERROR);
			ck_assert_str_eq(before, after);
			journal_status(database_journal(db), &status);
			ck_assert_ptr_nonnull(status.problem);
			++*n_refused;
		} else {
			ck_assert_str_ne(before, after);
		}
		free(before);
		before = after;
	}
	was_hit = fault.n_hit;
	fault.n = 0;
	now_ms += 100000;
	let_run(db, &now_ms, false);
	note(BEGIN)->state = 18;
	ck_assert_msg(!*transact(db, 18), "kind %d problem %d at %d", kind,
		      problem, from);
	note(ACKNOWLEDGE)->state = 18;
	steps[n_steps - 1].durable = true;
	journal_status(database_journal(db), &status);
	ck_assert_ptr_null(status.problem);
	is_recording = false;
	free(states[18]);
	states[18] = dump(db);
	database_free(db);
	*n_points += check_all_points(n_steps);
	free(before);
	return was_hit;
}

static const struct {
	enum kind kind;
	int problem, n;
	bool is_fatal;		/* Is any transaction refused? */
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
			      faults[_i].n, &n_refused, &n_points))
		from++;
	printf("fault %d: at %d calls, %d transactions refused, %d points\n",
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
