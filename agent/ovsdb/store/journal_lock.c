/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/ovsdb/store/journal_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/memory.h"

struct journal_lock {
	int fd;
	dev_t device;
	ino_t inode;
	struct journal_lock *next;
};

/* A process does not exclude itself with fcntl(), and closing any descriptor
 * of a file drops the locks that others of it hold: so ours are remembered. */
static struct journal_lock *held;

static char *lock_path(const char *path);
static bool is_held(const struct stat *);
static struct ovsdb_error *in_use(const char *path, int fd);

char *
journal_lock_path(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	char *real = realpath(path, NULL);
	char *directory;

	if (real)
		return real;
	directory = slash ? xasprintf("%.*s", (int) (slash - path + 1), path)
			  : xstrdup(".");
	real = realpath(directory, NULL);
	free(directory);
	if (!real)
		return xstrdup(path);
	directory = real;
	real = xasprintf("%s/%s", strcmp(directory, "/") ? directory : "",
			 base);
	free(directory);
	return real;
}

struct ovsdb_error *
journal_lock_take(const char *path, struct journal_lock **ret_lock)
{
	struct flock range = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct ovsdb_error *error = NULL;
	char *name = lock_path(path);
	struct journal_lock *lock;
	struct stat st;
	int fd = -1;

	if (!stat(name, &st) && is_held(&st)) {
		error = ovsdb_error(OVSDB_IO_ERROR, "%s: this process has it"
				    " open already", path);
	} else {
		fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0 || fstat(fd, &st) < 0)
			error = ovsdb_error(OVSDB_IO_ERROR, "%s: lock file %s"
					    " cannot be opened: %s", path,
					    name, strerror(errno));
		else if (fcntl(fd, F_SETLK, &range) < 0)
			error = in_use(path, fd);
	}
	free(name);
	if (error) {
		if (fd >= 0)
			close(fd);
		return error;
	}
	lock = xmalloc(sizeof *lock);
	lock->fd = fd;
	lock->device = st.st_dev;
	lock->inode = st.st_ino;
	lock->next = held;
	held = lock;
	*ret_lock = lock;
	return NULL;
}

void
journal_lock_release(struct journal_lock *lock)
{
	struct journal_lock **l;

	if (!lock)
		return;
	for (l = &held; *l != lock; l = &(*l)->next)
		continue;
	*l = lock->next;
	close(lock->fd);
	free(lock);
}

static char *
lock_path(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return xasprintf(".%s.~lock~", path);
	return xasprintf("%.*s/.%s.~lock~", (int) (slash - path), path,
			 slash + 1);
}

static bool
is_held(const struct stat *st)
{
	const struct journal_lock *lock;

	for (lock = held; lock; lock = lock->next) {
		if (lock->device == st->st_dev && lock->inode == st->st_ino)
			return true;
	}
	return false;
}

static struct ovsdb_error *
in_use(const char *path, int fd)
{
	struct flock other = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int problem = errno;

	if ((problem == EACCES || problem == EAGAIN)
	    && !fcntl(fd, F_GETLK, &other) && other.l_type != F_UNLCK)
		return ovsdb_error(OVSDB_IO_ERROR, "%s: process %ld has it"
				   " open", path, (long) other.l_pid);
	return ovsdb_error(OVSDB_IO_ERROR, "%s: cannot be locked: %s", path,
			   strerror(problem));
}
