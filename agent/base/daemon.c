/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/base/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "agent/base/log.h"
#include "agent/base/memory.h"

/* A daemon that dies sooner than that is given a rest first. */
enum { REST_S = 10 };

static int ready_fd = -1;	/* Whoever waits reads from its other end. */
static char *pid_file;		/* Ours, to be removed. */

static bool detach(void);
static void tell_starter(void);
static void tell_manager(const char *program, const char *what);
static void leave_terminal(void);
static bool fork_and_wait(pid_t *ret_child, int *ret_status);
static void watch(pid_t child);
static bool died_of_error(int status);
static char *fate(int status);
static bool write_pid_file(const struct daemon_options *);
static pid_t running(const char *path);
static bool create_pid_file(const char *path, const char *program);

bool
daemon_start(const struct daemon_options *options)
{
	pid_t pid;

	if (options->pid_path && !options->overwrite_pid_file
	    && (pid = running(options->pid_path)) > 0) {
		fprintf(stderr, "%s: %s: already running as pid %ld\n",
			options->program, options->pid_path, (long) pid);
		return false;
	}
	if (options->detach && !detach())
		return false;
	if (options->monitor) {
		pid_t child;
		int status, starter = ready_fd;

		if (!fork_and_wait(&child, &status))
			return false;
		if (child) {
			ready_fd = starter;
			if (status)
				_exit(status);
			tell_starter();
			/* It stays where a new daemon finds its files. */
			if (options->detach)
				leave_terminal();
			watch(child);
		} else if (starter >= 0) {
			close(starter);
		}
	}
	return !options->pid_path || write_pid_file(options);
}

void
daemon_ready(const struct daemon_options *options)
{
	tell_starter();
	tell_manager(options->program, "READY=1");
	if (options->detach) {
		if (!options->stay && chdir("/"))
			log_line(LOG_LEVEL_WARN, options->program,
				 "cannot go to /: %s", strerror(errno));
		leave_terminal();
	}
}

int64_t
daemon_alive_ms(void)
{
	const char *pid = getenv("WATCHDOG_PID");
	const char *time = getenv("WATCHDOG_USEC");

	/* One that was meant for a parent is none. */
	if (!time || (pid && strtoll(pid, NULL, 10) != getpid()))
		return 0;
	return strtoll(time, NULL, 10) / 2000;
}

void
daemon_alive(const struct daemon_options *options)
{
	tell_manager(options->program, "WATCHDOG=1");
}

void
daemon_stop(void)
{
	if (pid_file)
		unlink(pid_file);
	free(pid_file);
	pid_file = NULL;
}

/* The starter waits, and exits. */
static bool
detach(void)
{
	pid_t child;
	int status;

	if (!fork_and_wait(&child, &status))
		return false;
	if (child)
		_exit(status);
	setsid();
	return true;
}

static void
tell_starter(void)
{
	if (ready_fd < 0)
		return;
	while (write(ready_fd, "", 1) < 0 && errno == EINTR)
		continue;
	close(ready_fd);
	ready_fd = -1;
}

/* A datagram to a socket that has a path, or a name if that begins with '@'. */
static void
tell_manager(const char *program, const char *what)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t size = name ? strlen(name) : 0;
	int fd;

	if (!size)
		return;
	if (size >= sizeof address.sun_path) {
		log_line(LOG_LEVEL_WARN, program, "NOTIFY_SOCKET is too long");
		return;
	}
	memcpy(address.sun_path, name, size);
	if (*name == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || sendto(fd, what, strlen(what), MSG_NOSIGNAL,
			     (struct sockaddr *) &address,
			     (socklen_t) (offsetof(struct sockaddr_un,
						   sun_path) + size)) < 0)
		log_line(LOG_LEVEL_WARN, program, "cannot tell %s %s: %s",
			 name, what, strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void
leave_terminal(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; null >= 0 && fd < 3; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
}

/* Returns in both processes, in the first once the second is ready ('status'
 * 0) or has failed; false in the first if there is no second. */
static bool
fork_and_wait(pid_t *ret_child, int *ret_status)
{
	int ends[2];
	char byte;
	ssize_t n;

	if (pipe2(ends, O_CLOEXEC)) {
		fprintf(stderr, "pipe failed: %s\n", strerror(errno));
		return false;
	}
	fflush(NULL);
	*ret_child = fork();
	if (*ret_child < 0) {
		fprintf(stderr, "fork failed: %s\n", strerror(errno));
		close(ends[0]);
		close(ends[1]);
		return false;
	}
	if (!*ret_child) {
		close(ends[0]);
		ready_fd = ends[1];
		return true;
	}
	close(ends[1]);
	do
		n = read(ends[0], &byte, 1);
	while (n < 0 && errno == EINTR);
	close(ends[0]);
	*ret_status = n == 1 ? 0 : EXIT_FAILURE;
	if (n != 1) {
		int status;

		while (waitpid(*ret_child, &status, 0) < 0 && errno == EINTR)
			continue;
		if (WIFEXITED(status) && WEXITSTATUS(status))
			*ret_status = WEXITSTATUS(status);
		else if (WIFSIGNALED(status))
			fprintf(stderr, "the daemon died before it was "
				"ready: signal %d\n", WTERMSIG(status));
	}
	return true;
}

/* Returns in a new daemon.  Core files of one daemon are enough. */
static void
watch(pid_t child)
{
	const struct rlimit no_core = { 0 };
	time_t last = 0;

	for (;;) {
		struct timespec now;
		char *how;
		int status;

		if (waitpid(child, &status, 0) < 0) {
			if (errno == EINTR)
				continue;
			_exit(EXIT_FAILURE);
		}
		how = fate(status);
		if (!died_of_error(status)) {
			log_line(LOG_LEVEL_INFO, "monitor",
				 "pid %ld %s, exiting", (long) child, how);
			free(how);
			_exit(EXIT_SUCCESS);
		}
		log_line(LOG_LEVEL_ERROR, "monitor", "pid %ld %s, starting "
			 "another", (long) child, how);
		free(how);
		if (WCOREDUMP(status))
			setrlimit(RLIMIT_CORE, &no_core);
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (last && now.tv_sec < last + REST_S)
			sleep((unsigned) (last + REST_S - now.tv_sec));
		clock_gettime(CLOCK_MONOTONIC, &now);
		last = now.tv_sec;
		do
			if (!fork_and_wait(&child, &status)) {
				sleep(1);
				child = -1;
			}
		while (child < 0);
		if (!child)
			return;
	}
}

static bool
died_of_error(int status)
{
	static const int signals[] = {
		SIGABRT, SIGALRM, SIGBUS, SIGFPE, SIGILL, SIGPIPE, SIGSEGV,
		SIGXCPU, SIGXFSZ,
	};

	if (WIFSIGNALED(status))
		for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
			if (WTERMSIG(status) == signals[i])
				return true;
	return false;
}

static char *
fate(int status)
{
	if (WIFEXITED(status))
		return xasprintf("exited with status %d",
				 WEXITSTATUS(status));
	return xasprintf("was killed (%s)%s", strsignal(WTERMSIG(status)),
			 WCOREDUMP(status) ? ", core dumped" : "");
}

/* A daemon that the monitor started anew finds the file of the dead one. */
static bool
write_pid_file(const struct daemon_options *options)
{
	char *temporary = xasprintf("%s.tmp%ld", options->pid_path,
				    (long) getpid());
	bool is_ours = create_pid_file(temporary, options->program);

	if (is_ours && rename(temporary, options->pid_path)) {
		fprintf(stderr, "%s: %s: cannot rename to \"%s\": %s\n",
			options->program, temporary, options->pid_path,
			strerror(errno));
		unlink(temporary);
		is_ours = false;
	}
	free(temporary);
	if (is_ours) {
		free(pid_file);
		pid_file = realpath(options->pid_path, NULL);
	}
	return is_ours;
}

static pid_t
running(const char *path)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(path, O_RDWR | O_CLOEXEC);
	pid_t pid = 0;

	if (fd < 0)
		return 0;
	if (!fcntl(fd, F_GETLK, &lock) && lock.l_type != F_UNLCK)
		pid = lock.l_pid;
	close(fd);
	return pid;
}

/* The descriptor stays open, for the lock. */
static bool
create_pid_file(const char *path, const char *program)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	char text[32];
	int size = snprintf(text, sizeof text, "%ld\n", (long) getpid());

	if (fd >= 0 && write(fd, text, (size_t) size) == size
	    && !fcntl(fd, F_SETLK, &lock))
		return true;
	fprintf(stderr, "%s: %s: cannot write this pid file: %s\n", program,
		path, strerror(errno));
	if (fd >= 0) {
		close(fd);
		unlink(path);
	}
	return false;
}
