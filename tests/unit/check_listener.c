/* SPDX-License-Identifier: Apache-2.0 */

/* Listeners and the sessions that come of them, over sockets. */

#include "agent/net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <check.h>
#include "agent/base/log.h"
#include "agent/base/memory.h"
#include "agent/net/turn.h"
#include "agent/net/unix.h"
#include "tests/unit/scratch.h"

enum { PATIENCE_MS = 10000 };

static const char echo_request[] =
	"{\"id\":1,\"method\":\"echo\",\"params\":[]}";
static const char echo_reply[] = "{\"id\":1,\"result\":[],\"error\":null}";
static const char probe[] =
	"{\"method\":\"echo\",\"id\":\"echo\",\"params\":[]}";
static const char probe_reply[] =
	"{\"id\":\"echo\",\"result\":[],\"error\":null}";

static struct event_base *base;
static struct server *server;
static struct turn *turn;
static struct listener *listener;
static char directory[SCRATCH_SIZE], path[108], method[116];

static void
set_up(void)
{
	log_init("check", LOG_LEVEL_ERROR, false);
	scratch_make(directory);
	snprintf(path, sizeof path, "%s/s", directory);
	snprintf(method, sizeof method, "punix:%s", path);
	base = event_base_new();
	server = server_new();
	turn = turn_new(base, server);
}

static void
tear_down(void)
{
	listener_free(listener);
	listener = NULL;
	turn_free(turn);
	server_free(server);
	turn_loop_free(base);
	unlink(path);
	ck_assert(!rmdir(directory));
}

static void
listen_on(const char *name, const struct listener_options *options)
{
	char *problem = NULL;

	listener = listener_new(base, server, name, options, &problem);
	ck_assert_msg(listener != NULL, "%s", problem);
}

/* Turns the loop until there is 'count' of something. */
#define AWAIT(condition) \
	do { \
		int64_t end_ = turn_now_ms() + PATIENCE_MS; \
		while (!(condition)) { \
			ck_assert_msg(turn_now_ms() < end_, #condition); \
			loop(); \
		} \
	} while (0)

static void
loop(void)
{
	const struct timeval wait = { .tv_usec = 10000 };

	event_base_loopexit(base, &wait);
	event_base_loop(base, EVLOOP_ONCE);
}

static struct listener_counters
counters(void)
{
	struct listener_counters now;

	listener_counters(listener, &now);
	return now;
}

static int
join(void)
{
	uint32_t n = counters().n_sessions;
	int fd;

	ck_assert_int_eq(unix_connect(path, &fd), 0);
	AWAIT(counters().n_sessions == n + 1);
	return fd;
}

static void
say(int fd, const char *text)
{
	ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL),
			 (ssize_t) strlen(text));
}

/* What comes next is this, and nothing beyond it is taken. */
static void
hear(int fd, const char *text)
{
	size_t size = strlen(text), n = 0;
	char *heard = calloc(1, size + 1);

	while (n < size) {
		ssize_t more;

		AWAIT((more = recv(fd, heard + n, size - n, MSG_DONTWAIT))
		      >= 0);
		ck_assert_msg(more > 0, "end of stream after \"%s\"", heard);
		n += (size_t) more;
	}
	ck_assert_str_eq(heard, text);
	free(heard);
}

static bool
is_closed(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK);

	return !n || (n < 0 && errno == ECONNRESET);
}

START_TEST(unix_socket)
{
	struct stat status;
	mode_t mask = umask(0022);
	int a, b;

	listen_on(method, NULL);
	umask(mask);
	ck_assert_str_eq(listener_method(listener), method);
	ck_assert_uint_eq(listener_port(listener), 0);
	ck_assert(!stat(path, &status));
	ck_assert_uint_eq(status.st_mode & 0777, 0640);
	a = join();
	b = join();
	say(a, echo_request);
	say(b, echo_request);
	say(b, echo_request);
	hear(a, echo_reply);
	hear(b, echo_reply);
	hear(b, echo_reply);
	close(a);
	AWAIT(counters().n_sessions == 1);
	say(b, echo_request);
	hear(b, echo_reply);
	listener_free(listener);
	listener = NULL;
	AWAIT(is_closed(b));
	ck_assert_int_eq(access(path, F_OK), -1);
	close(b);
}
END_TEST

START_TEST(socket_file_in_the_way)
{
	struct listener *second;
	char *problem;
	int fd;

	/* One that somebody listens on stays. */
	listen_on(method, NULL);
	second = listener_new(base, server, method, NULL, &problem);
	ck_assert_ptr_null(second);
	ck_assert_ptr_nonnull(strstr(problem, "in use"));
	free(problem);
	fd = join();
	say(fd, echo_request);
	hear(fd, echo_reply);
	close(fd);
	listener_free(listener);

	/* A stale one goes. */
	ck_assert_int_eq(unix_listen(path, &fd), 0);
	close(fd);
	ck_assert_int_eq(access(path, F_OK), 0);
	listen_on(method, NULL);
	close(join());
	listener_free(listener);
	listener = NULL;

	/* Something else stays. */
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	second = listener_new(base, server, method, NULL, &problem);
	ck_assert_ptr_null(second);
	free(problem);
	ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

START_TEST(long_path)
{
	char deep[300], name[320];
	int fd;

	snprintf(deep, sizeof deep, "%s/%0150d", directory, 1);
	ck_assert(!mkdir(deep, 0700));
	snprintf(path, sizeof path, "%s/s", directory);
	strcat(deep, "/socket");
	snprintf(name, sizeof name, "punix:%s", deep);
	listen_on(name, NULL);
	ck_assert_int_eq(unix_connect(deep, &fd), 0);
	say(fd, echo_request);
	hear(fd, echo_reply);
	close(fd);
	listener_free(listener);
	listener = NULL;
	ck_assert_int_eq(access(deep, F_OK), -1);
	*strrchr(deep, '/') = '\0';
	ck_assert(!rmdir(deep));
}
END_TEST

START_TEST(methods_that_do_not_work)
{
	static const char *const names[] = {
		"", "nonsense", "ptcp:1:no.address", "ptcp:1:203.0.113.1",
		"punix:/nonexistent/directory/s",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char *problem = NULL;

		ck_assert_ptr_null(listener_new(base, server, names[i],
						NULL, &problem));
		ck_assert_ptr_eq(strstr(problem, names[i]), problem);
		free(problem);
	}
}
END_TEST

START_TEST(what_is_no_jsonrpc)
{
	const struct listener_options options = {
		.message_size = 100, .message_depth = 5,
	};
	static const struct {
		const char *text;
		size_t offset;
	} cases[] = {
#define COUNTER(name) offsetof(struct listener_counters, name)
		{ "nonsense", COUNTER(n_malformed) },
		{ "[]", COUNTER(n_malformed) },
		{ "{\"id\":1}", COUNTER(n_malformed) },
		{ "{\"id\":1,\"method\":\"monitor\"}",
		  COUNTER(n_malformed) },
		{ "{\"a\":[[[[[", COUNTER(n_too_deep) },
		{ "{\"a\":\"0123456789012345678901234567890123456789012345"
		  "678901234567890123456789012345678901234567890123456789",
		  COUNTER(n_too_long) },
#undef COUNTER
	};

	listen_on(method, &options);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct listener_counters before = counters(), after;
		int fd = join();

		say(fd, echo_request);
		say(fd, cases[i].text);
		hear(fd, echo_reply);
		AWAIT(is_closed(fd));
		after = counters();
		ck_assert_uint_eq(*(uint64_t *) ((char *) &after
						 + cases[i].offset),
				  *(uint64_t *) ((char *) &before
						 + cases[i].offset) + 1);
		ck_assert_uint_eq(after.n_sessions, 0);
		close(fd);
	}
}
END_TEST

/* A peer that closes its half after the request gets the reply. */
START_TEST(half_closed)
{
	int fd;

	listen_on(method, NULL);
	fd = join();
	say(fd, echo_request);
	shutdown(fd, SHUT_WR);
	hear(fd, echo_reply);
	AWAIT(is_closed(fd));
	close(fd);
}
END_TEST

static char *
big_echo(size_t size)
{
	char *text = xmalloc(size + 100);
	int n = sprintf(text, "{\"id\":1,\"method\":\"echo\",\"params\":[\"");

	memset(text + n, 'x', size);
	strcpy(text + n + size, "\"]}");
	return text;
}

/* A peer that does not read is not read from, and loses nothing. */
START_TEST(input_waits_for_output)
{
	char *request = big_echo(10000), *heard = xmalloc(1 << 20);
	size_t size = strlen(request), sent = 0, got = 0, n_full = 0;
	size_t reply_size = size + strlen(echo_reply) - strlen(echo_request);
	const size_t total = 400 * size;
	int fd;

	listen_on(method, NULL);
	fd = join();
	while (sent < total) {
		size_t i = sent % size;
		ssize_t n = send(fd, request + i, size - i,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0) {
			sent += (size_t) n;
			n_full = 0;
			continue;
		}
		loop();
		/* For half a second nothing was taken: it is full. */
		if (++n_full < 50)
			continue;
		while ((n = recv(fd, heard, 1 << 20, MSG_DONTWAIT)) > 0)
			got += (size_t) n;
	}
	ck_assert(got > 1 << 20);
	while (got < 400 * reply_size) {
		ssize_t n;

		AWAIT((n = recv(fd, heard, 1 << 20, MSG_DONTWAIT)) > 0);
		got += (size_t) n;
	}
	ck_assert_uint_eq(got, 400 * reply_size);
	ck_assert_uint_eq(counters().n_backlogged, 0);
	close(fd);
	free(heard);
	free(request);
}
END_TEST

START_TEST(output_has_a_limit)
{
	const struct listener_options options = { .output_size = 50000 };
	char *request = big_echo(200000);
	int fd;

	listen_on(method, &options);
	fd = join();
	for (int i = 0; i < 20 && !counters().n_backlogged; i++)
		for (size_t n = 0; n < strlen(request);) {
			ssize_t more = send(fd, request + n,
					    strlen(request) - n,
					    MSG_DONTWAIT | MSG_NOSIGNAL);

			if (more > 0)
				n += (size_t) more;
			else if (errno == EPIPE)
				break;
			else
				loop();
		}
	AWAIT(counters().n_backlogged == 1);
	ck_assert_uint_eq(counters().n_sessions, 0);
	close(fd);
	free(request);
}
END_TEST

START_TEST(too_many_sessions)
{
	const struct listener_options options = { .n_sessions = 2 };
	int a, b, c;

	listen_on(method, &options);
	a = join();
	b = join();
	ck_assert_int_eq(unix_connect(path, &c), 0);
	AWAIT(is_closed(c));
	ck_assert_uint_eq(counters().n_refused, 1);
	ck_assert_uint_eq(counters().n_accepted, 2);
	close(c);
	close(a);
	AWAIT(counters().n_sessions == 1);
	c = join();
	say(c, echo_request);
	hear(c, echo_reply);
	close(b);
	close(c);
}
END_TEST

START_TEST(silent_peers)
{
	const struct listener_options options = { .probe_ms = 50 };
	int answers, is_dead;

	listen_on(method, &options);
	answers = join();
	is_dead = join();
	for (int i = 0; i < 4; i++) {
		hear(answers, probe);
		say(answers, probe_reply);
	}
	hear(is_dead, probe);
	AWAIT(counters().n_silent == 1);
	AWAIT(is_closed(is_dead));
	close(answers);
	close(is_dead);
}
END_TEST

/* Running out of descriptors neither turns the loop nor ends anything. */
START_TEST(out_of_descriptors)
{
	struct rlimit limit, low;
	int fd, top = dup(0), n_loops = 0;

	listen_on(method, NULL);
	close(join());
	AWAIT(!counters().n_sessions);
	ck_assert_int_eq(unix_connect(path, &fd), 0);
	getrlimit(RLIMIT_NOFILE, &limit);
	low = limit;
	low.rlim_cur = (rlim_t) top;
	setrlimit(RLIMIT_NOFILE, &low);
	while (counters().n_accept_errors < 3) {
		event_base_loop(base, EVLOOP_ONCE);
		n_loops++;
	}
	ck_assert_int_lt(n_loops, 20);
	setrlimit(RLIMIT_NOFILE, &limit);
	AWAIT(counters().n_sessions == 1);
	say(fd, echo_request);
	hear(fd, echo_reply);
	close(fd);
	close(top);
}
END_TEST

/* The server dials; its peer goes and comes back. */
START_TEST(dials_for_ever)
{
	const struct listener_options options = {
		.min_backoff_ms = 1, .max_backoff_ms = 20,
	};
	char name[sizeof path + 8];
	int passive, fd;

	snprintf(name, sizeof name, "unix:%s", path);
	listen_on(name, &options);
	AWAIT(counters().n_dial_errors >= 3);
	for (int i = 1; i <= 3; i++) {
		ck_assert_int_eq(unix_listen(path, &passive), 0);
		AWAIT((fd = accept(passive, NULL, NULL)) >= 0);
		say(fd, echo_request);
		hear(fd, echo_reply);
		ck_assert_uint_eq(counters().n_dialled, (unsigned) i);
		close(passive);
		close(fd);
		AWAIT(counters().n_sessions == 0);
	}
}
END_TEST

/* TCP, in a network namespace of the test's own. */
static bool
own_network(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	int fd;

	if (unshare(CLONE_NEWNET))
		return false;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	request.ifr_flags = IFF_UP;
	ck_assert(!ioctl(fd, SIOCSIFFLAGS, &request));
	close(fd);
	return true;
}

static void
check_tcp(const char *passive, const char *host)
{
	struct listener *answering;
	struct server *other = server_new();
	char *problem, name[80];

	listen_on(passive, NULL);
	ck_assert_uint_gt(listener_port(listener), 0);
	snprintf(name, sizeof name, "tcp:%s:%u", host,
		 listener_port(listener));
	answering = listener_new(base, other, name, NULL, &problem);
	ck_assert_ptr_nonnull(answering);
	AWAIT(counters().n_sessions == 1);
	ck_assert_uint_eq(counters().n_accepted, 1);
	listener_free(answering);
	AWAIT(counters().n_sessions == 0);
	server_free(other);
	listener_free(listener);
	listener = NULL;
}

START_TEST(tcp)
{
	if (!own_network())
		return;
	check_tcp("ptcp:0", "127.0.0.1");
	check_tcp("ptcp:0:127.0.0.1", "127.0.0.1");
	check_tcp("ptcp:0:[::1]", "[::1]");
	check_tcp("ptcp:16640:[::]", "[::1]");
	check_tcp("ptcp:0:[::]", "127.0.0.1");
	check_tcp("ptcp:0", "localhost");
}
END_TEST

START_TEST(tcp_nobody_there)
{
	const struct listener_options options = {
		.min_backoff_ms = 1, .max_backoff_ms = 5,
	};

	if (!own_network())
		return;
	listen_on("tcp:127.0.0.1:16640", &options);
	AWAIT(counters().n_dial_errors >= 5);
	listener_free(listener);
	listen_on("tcp:203.0.113.1:16640", &options);
	AWAIT(counters().n_dial_errors >= 5);
}
END_TEST

static void
break_loop(evutil_socket_t fd, short what, void *arg)
{
	(void) fd;
	(void) what;
	(void) arg;
	event_base_loopbreak(base);
}

/* A program is told to end when a connection is not made yet, and libevent has
 * put off what that means.  LeakSanitizer looks. */
START_TEST(ends_while_dialling)
{
	own_network();
	listen_on("tcp:127.0.0.1:1", NULL);
	for (int i = 0; i < _i; i++) {
		event_base_once(base, -1, EV_TIMEOUT, break_loop, NULL, NULL);
		event_base_loop(base, 0);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("listener");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int n_failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, unix_socket);
	tcase_add_test(tcase, socket_file_in_the_way);
	tcase_add_test(tcase, long_path);
	tcase_add_test(tcase, methods_that_do_not_work);
	tcase_add_test(tcase, what_is_no_jsonrpc);
	tcase_add_test(tcase, half_closed);
	tcase_add_test(tcase, input_waits_for_output);
	tcase_add_test(tcase, output_has_a_limit);
	tcase_add_test(tcase, too_many_sessions);
	tcase_add_test(tcase, silent_peers);
	tcase_add_test(tcase, out_of_descriptors);
	tcase_add_test(tcase, dials_for_ever);
	tcase_add_test(tcase, tcp);
	tcase_add_test(tcase, tcp_nobody_there);
	tcase_add_loop_test(tcase, ends_while_dialling, 0, 5);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
