/* SPDX-License-Identifier: Apache-2.0 */

#ifndef UNIT_CRASH_DISK_H
#define UNIT_CRASH_DISK_H 1

/* A disk under a journal: what is done to it is noted, may fail, and may be
 * looked at as it would be found after the power has failed.  For
 * check_crash.c, which says how. */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <check.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SECTOR = 512, FILE_MAX = 256 << 10, MAX_STEPS = 20000,
       N_FILES = 64, MAX_STATES = 600, N_WAYS = 8 };

enum kind { WRITE, CUT, SYNC, FAILED_SYNC, RENAME, SYNC_DIRECTORY, BEGIN,
	    ACKNOWLEDGE, N_KINDS };

struct step {
	enum kind kind;
	int file;		/* WRITE, CUT, SYNC, RENAME. */
	int64_t offset;		/* CUT: the size; SYNC: steps when it began. */
	size_t size;
	char *bytes;
	int state;		/* BEGIN, ACKNOWLEDGE: of the database. */
};

static char path[128];		/* Of the database's file. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static bool is_recording;
static struct step steps[MAX_STEPS];
static size_t n_steps;
static struct {
	ino_t inode;
	int fd;			/* Keeps the number from being used again. */
} files[N_FILES];
static int n_files;

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

/* The journal's thread waits for the disk while this is so. */
static pthread_t main_thread;
static pthread_cond_t disk = PTHREAD_COND_INITIALIZER;
static bool is_disk_slow;

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

/* Of what had been done when it began. */
static int
sync_any(int fd, bool may_be_slow)
{
	struct stat st;
	size_t begun;
	int result = 0;

	if (!is_recording)
		return 0;
	pthread_mutex_lock(&mutex);
	begun = n_steps;
	while (is_disk_slow && may_be_slow)
		pthread_cond_wait(&disk, &mutex);
	ck_assert_int_eq(fstat(fd, &st), 0);
	if (S_ISDIR(st.st_mode)) {
		result = fails(SYNC_DIRECTORY) ? -1 : 0;
		if (!result)
			note(SYNC_DIRECTORY);
	} else {
		result = fails(SYNC) ? -1 : 0;
		note(result ? FAILED_SYNC : SYNC)->file = file_of_fd(fd);
		steps[n_steps - 1].offset = begun;
	}
	if (result)
		errno = fault.problem;
	pthread_mutex_unlock(&mutex);
	return result;
}

int
__wrap_fdatasync(int fd)
{
	return sync_any(fd, !pthread_equal(pthread_self(), main_thread));
}

static void
slow_disk(bool is_slow)
{
	pthread_mutex_lock(&mutex);
	is_disk_slow = is_slow;
	pthread_cond_broadcast(&disk);
	pthread_mutex_unlock(&mutex);
}

int
__wrap_fsync(int fd)
{
	return sync_any(fd, false);
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
sync_image(struct image *image, size_t begun)
{
	size_t n_left = 0, i;

	if (image->is_lost)
		return;
	for (i = 0; i < image->n_pending; i++) {
		if (image->pending[i] >= begun)
			image->pending[n_left++] = image->pending[i];
		else
			image->size = apply(image->synced, image->size,
					    &steps[image->pending[i]]);
	}
	image->n_pending = n_left;
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

#endif
