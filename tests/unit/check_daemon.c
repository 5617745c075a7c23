/* SPDX-License-Identifier: Apache-2.0 */

/* Tests agent/base/daemon.c: what the service manager is told.  The rest, which
 * takes processes, is in tests/ovsdb and tests/system. */

#include <check.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/base/daemon.h"
#include "agent/base/log.h"
#include "tests/unit/scratch.h"

static const struct daemon_options options = { .program = "check_daemon" };
static unsigned n_lines;

static void
count_line(enum log_level level, const char *subject, const char *message)
{
	(void) level;
	(void) subject;
	(void) message;
	n_lines++;
}

static void
setup(void)
{
	n_lines = 0;
	log_set_sink(count_line);
}

static void
teardown(void)
{
	log_set_sink(NULL);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

/* What arrives at a socket of that name, '@' for one without a file. */
static void
hears(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char said[64];
	ssize_t n;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	ck_assert_int_ge(fd, 0);
	memcpy(address.sun_path, name, strlen(name));
	if (*name == '@')
		address.sun_path[0] = '\0';
	ck_assert_int_eq(bind(fd, (struct sockaddr *) &address,
			      (socklen_t) (offsetof(struct sockaddr_un,
						    sun_path)
					   + strlen(name))), 0);
	setenv("NOTIFY_SOCKET", name, 1);
	daemon_ready(&options);
	n = recv(fd, said, sizeof said, 0);
	ck_assert_int_eq(n, 7);
	ck_assert_mem_eq(said, "READY=1", 7);
	daemon_alive(&options);
	n = recv(fd, said, sizeof said, 0);
	ck_assert_int_eq(n, 10);
	ck_assert_mem_eq(said, "WATCHDOG=1", 10);
	ck_assert_int_eq(recv(fd, said, sizeof said, 0), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_uint_eq(n_lines, 0);
	close(fd);
}

START_TEST(tells_a_socket_with_a_path)
{
	char dir[SCRATCH_SIZE], path[108];

	scratch_make(dir);
	snprintf(path, sizeof path, "%s/notify", dir);
	hears(path);
}
END_TEST

START_TEST(tells_a_socket_without_one)
{
	char name[64];

	snprintf(name, sizeof name, "@check_daemon.%ld", (long) getpid());
	hears(name);
}
END_TEST

START_TEST(tells_nobody_if_nobody_asks)
{
	daemon_ready(&options);
	setenv("NOTIFY_SOCKET", "", 1);
	daemon_ready(&options);
	ck_assert_uint_eq(n_lines, 0);
}
END_TEST

START_TEST(knows_whom_the_watchdog_means)
{
	char pid[32];

	ck_assert_int_eq(daemon_alive_ms(), 0);
	setenv("WATCHDOG_USEC", "30000000", 1);
	ck_assert_int_eq(daemon_alive_ms(), 15000);
	setenv("WATCHDOG_PID", "1", 1);
	ck_assert_int_eq(daemon_alive_ms(), 0);
	snprintf(pid, sizeof pid, "%ld", (long) getpid());
	setenv("WATCHDOG_PID", pid, 1);
	ck_assert_int_eq(daemon_alive_ms(), 15000);
	setenv("WATCHDOG_USEC", "soon", 1);
	ck_assert_int_eq(daemon_alive_ms(), 0);
}
END_TEST

START_TEST(complains_if_it_cannot)
{
	char name[200] = "@";

	memset(name + 1, 'x', sizeof name - 2);
	setenv("NOTIFY_SOCKET", name, 1);
	daemon_ready(&options);
	ck_assert_uint_eq(n_lines, 1);
	setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1);
	daemon_ready(&options);
	ck_assert_uint_eq(n_lines, 2);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("daemon");
	TCase *tcase = tcase_create("ready");
	SRunner *runner;
	int n_failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, tells_a_socket_with_a_path);
	tcase_add_test(tcase, tells_a_socket_without_one);
	tcase_add_test(tcase, tells_nobody_if_nobody_asks);
	tcase_add_test(tcase, knows_whom_the_watchdog_means);
	tcase_add_test(tcase, complains_if_it_cannot);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
