/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/net/unix.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "agent/base/memory.h"

enum { BACKLOG = 512, MODE = 0660 };

/* 'directory' must be closed after the address was used; -1: none. */
struct address {
	struct sockaddr_un un;
	int directory;
};

static int clear_way(const char *path);
static int make_address(const char *path, struct address *);
static void address_done(struct address *);
static int make_socket(int *ret_fd);

int
unix_listen(const char *path, int *ret_fd)
{
	struct address address;
	int error = make_address(path, &address), fd = -1;

	if (error)
		return error;
	error = make_socket(&fd);
	if (!error) {
		const struct sockaddr *sa = (struct sockaddr *) &address.un;

		/* On Linux the file inherits the socket's mode: there is no
		 * moment at which others could open it. */
		if (fchmod(fd, MODE))
			error = -errno;
		if (!error)
			error = clear_way(path);
		if (!error && (bind(fd, sa, sizeof address.un)
			       || listen(fd, BACKLOG)))
			error = -errno;
		if (error)
			close(fd);
		else
			*ret_fd = fd;
	}
	address_done(&address);
	return error;
}

int
unix_connect(const char *path, int *ret_fd)
{
	struct address address;
	int error = make_address(path, &address), fd = -1;

	if (error)
		return error;
	error = make_socket(&fd);
	if (!error) {
		if (connect(fd, (struct sockaddr *) &address.un,
			    sizeof address.un)) {
			error = -errno;
			close(fd);
		} else {
			*ret_fd = fd;
		}
	}
	address_done(&address);
	return error;
}

/* Only a file that refuses connections is a stale socket. */
static int
clear_way(const char *path)
{
	struct stat status;
	int error, fd;

	if (lstat(path, &status))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(status.st_mode))
		return -EEXIST;
	error = unix_connect(path, &fd);
	if (!error)
		close(fd);
	if (!error || error == -EAGAIN)
		return -EADDRINUSE;
	if (error != -ECONNREFUSED)
		return error;
	return unlink(path) ? -errno : 0;
}

static int
make_address(const char *path, struct address *ret_address)
{
	struct address address = { .un.sun_family = AF_UNIX,
				   .directory = -1 };
	size_t room = sizeof address.un.sun_path;
	char *copy;
	int n;

	if (strlen(path) < room) {
		strcpy(address.un.sun_path, path);
		*ret_address = address;
		return 0;
	}
	copy = xstrdup(path);
	address.directory = open(dirname(copy), O_PATH | O_DIRECTORY
						| O_CLOEXEC);
	free(copy);
	if (address.directory < 0)
		return -errno;
	n = snprintf(address.un.sun_path, room, "/proc/self/fd/%d/%s",
		     address.directory, strrchr(path, '/')
					? strrchr(path, '/') + 1 : path);
	if (n < 0 || (size_t) n >= room) {
		address_done(&address);
		return -ENAMETOOLONG;
	}
	*ret_address = address;
	return 0;
}

static void
address_done(struct address *address)
{
	if (address->directory >= 0)
		close(address->directory);
}

static int
make_socket(int *ret_fd)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			0);

	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}
