/* SPDX-License-Identifier: Apache-2.0 */

#ifndef UNIT_SCRATCH_H
#define UNIT_SCRATCH_H 1

/* Directories for what a test writes.  A program that includes this has two of
 * its own, below TMPDIR and where nothing waits for a disk, and takes them with
 * it when it ends, however its tests ended: they run in children.  What ends
 * the program itself leaves them to tests/run. */

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SCRATCH_SIZE = 96 };

static char scratch_slow[SCRATCH_SIZE - 8], scratch_fast[SCRATCH_SIZE - 8];
static pid_t scratch_owner;

static inline void
scratch_begin(char root[SCRATCH_SIZE - 8], const char *base)
{
	int n = snprintf(root, SCRATCH_SIZE - 8, "%s/hnv-unit.XXXXXX", base);

	if (n >= SCRATCH_SIZE - 8 || !mkdtemp(root)) {
		perror(base);
		exit(EXIT_FAILURE);
	}
}

static inline int
scratch_drop(const char *name, const struct stat *st, int kind,
	     struct FTW *ftw)
{
	(void) st;
	(void) kind;
	(void) ftw;
	remove(name);
	return 0;
}

static inline void
scratch_end(void)
{
	if (getpid() != scratch_owner)
		return;
	nftw(scratch_slow, scratch_drop, 8, FTW_DEPTH | FTW_PHYS);
	nftw(scratch_fast, scratch_drop, 8, FTW_DEPTH | FTW_PHYS);
}

/* Before there are children, whose directories are in the same. */
__attribute__((constructor)) static void
scratch_begin_all(void)
{
	const char *slow = getenv("TMPDIR"), *fast = getenv("HNV_MEMORY_DIR");

	if (!slow || !*slow)
		slow = "/tmp";
	if (!fast || !*fast)
		fast = access("/dev/shm", W_OK) ? slow : "/dev/shm";
	scratch_owner = getpid();
	scratch_begin(scratch_slow, slow);
	scratch_begin(scratch_fast, fast);
	atexit(scratch_end);
}

static inline void
scratch_in(const char *root, char directory[SCRATCH_SIZE])
{
	snprintf(directory, SCRATCH_SIZE, "%s/XXXXXX", root);
	if (!mkdtemp(directory))
		abort();
}

/* Makes a new, empty directory, and writes its name. */
static inline void
scratch_make(char directory[SCRATCH_SIZE])
{
	scratch_in(scratch_slow, directory);
}

/* The same, for what syncs files thousands of times. */
static inline void
scratch_make_fast(char directory[SCRATCH_SIZE])
{
	scratch_in(scratch_fast, directory);
}

#endif /* unit/scratch.h */
