/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/net/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <check.h>
#include <jansson.h>
#include "agent/net/jsonrpc.h"
#include "agent/net/turn.h"
#include "agent/net/unix.h"
#include "tests/unit/scratch.h"

enum { PATIENCE_MS = 10000 };

static struct event_base *base;
static struct control *control;
static struct control_request *pending;
static char directory[SCRATCH_SIZE], path[108];
static int fd;

static void
join_args(struct control_request *request, size_t n_args,
	  const char *const args[], void *ctx)
{
	char text[100] = "";

	ck_assert_ptr_eq(ctx, &base);
	ck_assert_ptr_null(args[n_args]);
	for (size_t i = 0; i < n_args; i++)
		strcat(strcat(text, args[i]), ";");
	control_reply(request, text);
}

static void
refuse(struct control_request *request, size_t n_args,
       const char *const args[], void *ctx)
{
	(void) n_args;
	(void) args;
	(void) ctx;
	control_fail(request, "not today");
}

static void
garble(struct control_request *request, size_t n_args,
       const char *const args[], void *ctx)
{
	(void) n_args;
	(void) args;
	(void) ctx;
	control_reply(request, "\xff");
}

static void
delay(struct control_request *request, size_t n_args,
      const char *const args[], void *ctx)
{
	(void) n_args;
	(void) args;
	(void) ctx;
	pending = request;
}

static void
set_up(void)
{
	char *problem;

	scratch_make(directory);
	snprintf(path, sizeof path, "%s/x.ctl", directory);
	base = event_base_new();
	control = control_new(base, path, "check 1.0", &problem);
	ck_assert_ptr_nonnull(control);
	control_add_command(control, "join", "A [B]", 1, 2, join_args, &base);
	control_add_command(control, "any", "[ARG]...", 0, SIZE_MAX,
			    join_args, &base);
	control_add_command(control, "refuse", "", 0, 0, refuse, NULL);
	control_add_command(control, "garble", "", 0, 0, garble, NULL);
	control_add_command(control, "delay", "", 0, 0, delay, NULL);
	ck_assert_int_eq(unix_connect(path, &fd), 0);
}

static void
tear_down(void)
{
	close(fd);
	control_free(control);
	ck_assert_int_eq(access(path, F_OK), -1);
	event_base_free(base);
	ck_assert(!rmdir(directory));
}

static void
loop(void)
{
	const struct timeval wait = { .tv_usec = 10000 };

	event_base_loopexit(base, &wait);
	event_base_loop(base, EVLOOP_ONCE);
}

static void
ask(const char *text)
{
	ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL),
			 (ssize_t) strlen(text));
}

/* The next reply must be this, written with ' for ". */
static void
hear(const char *expected_text)
{
	int64_t end = turn_now_ms() + PATIENCE_MS;
	char *text = strdup(expected_text);
	struct jsonrpc_reader reader;
	json_t *expected, *actual = NULL;

	for (char *c = text; *c; c++)
		if (*c == '\'')
			*c = '"';
	expected = json_loads(text, 0, NULL);
	ck_assert_ptr_nonnull(expected);
	jsonrpc_reader_init(&reader, 10000, 10);
	while (!actual) {
		char byte;
		size_t used;

		ck_assert_msg(turn_now_ms() < end, "%s", expected_text);
		/* One by one, so that nothing of the next is taken. */
		if (recv(fd, &byte, 1, MSG_DONTWAIT) == 1)
			jsonrpc_read(&reader, &byte, 1, &used, &actual);
		else
			loop();
	}
	ck_assert_msg(json_equal(expected, actual), "%s not %s",
		      json_dumps(actual, 0), text);
	jsonrpc_reader_done(&reader);
	json_decref(expected);
	json_decref(actual);
	free(text);
}

START_TEST(commands)
{
	ask("{\"id\":7,\"method\":\"join\",\"params\":[\"a\",\"b c\"]}");
	hear("{'id':7,'result':'a;b c;\\n','error':null}");
	ask("{\"id\":8,\"method\":\"any\",\"params\":[]}");
	hear("{'id':8,'result':'','error':null}");
	ask("{\"id\":9,\"method\":\"refuse\",\"params\":[]}");
	hear("{'id':9,'result':null,'error':'not today\\n'}");
	ask("{\"id\":\"v\",\"method\":\"version\",\"params\":[]}");
	hear("{'id':'v','result':'check 1.0\\n','error':null}");
	ask("{\"id\":1,\"method\":\"garble\",\"params\":[]}");
	hear("{'id':1,'result':null,'error':'the answer is not UTF-8'}");
}
END_TEST

START_TEST(what_is_wrong)
{
	ask("{\"id\":0,\"method\":\"none\",\"params\":[]}");
	hear("{'id':0,'result':null,'error':'\\\"none\\\" is not a valid "
	     "command (use \\\"list-commands\\\" to see a list of valid "
	     "commands)\\n'}");
	ask("{\"id\":0,\"method\":\"join\",\"params\":[]}");
	hear("{'id':0,'result':null,'error':'\\\"join\\\" command requires "
	     "at least 1 arguments\\n'}");
	ask("{\"id\":0,\"method\":\"join\",\"params\":[\"1\",\"2\",\"3\"]}");
	hear("{'id':0,'result':null,'error':'\\\"join\\\" command takes at "
	     "most 2 arguments\\n'}");
	ask("{\"id\":0,\"method\":\"any\",\"params\":[5]}");
	hear("{'id':0,'result':null,'error':'\\\"any\\\" command has a "
	     "non-string argument\\n'}");
}
END_TEST

START_TEST(list)
{
	ask("{\"id\":0,\"method\":\"list-commands\",\"params\":[]}");
	hear("{'id':0,'error':null,'result':'The available commands are:\\n"
	     "  any                     [ARG]...\\n  delay\\n  garble\\n"
	     "  help\\n  join                    A [B]\\n  list-commands\\n"
	     "  refuse\\n  version\\n'}");
}
END_TEST

START_TEST(later_answers)
{
	ask("{\"id\":1,\"method\":\"delay\",\"params\":[]}");
	ask("{\"id\":2,\"method\":\"version\",\"params\":[]}");
	hear("{'id':2,'result':'check 1.0\\n','error':null}");
	ck_assert_ptr_nonnull(pending);
	control_reply(pending, "done");
	hear("{'id':1,'result':'done\\n','error':null}");
}
END_TEST

/* Who asked has gone, or the control, when the answer comes. */
START_TEST(nobody_listens)
{
	char byte;

	ask("{\"id\":1,\"method\":\"delay\",\"params\":[]}");
	while (!pending)
		loop();
	if (_i) {
		shutdown(fd, SHUT_RDWR);
		for (int i = 0; i < 5; i++)
			loop();
		control_reply(pending, "done");
		return;
	}
	control_free(control);
	control = NULL;
	control_fail(pending, "too late");
	loop();
	ck_assert_int_eq(recv(fd, &byte, 1, MSG_DONTWAIT), 0);
}
END_TEST

START_TEST(what_is_no_request)
{
	static const char *const texts[] = {
		"x", "{}", "{\"method\":\"version\",\"params\":[]}",
		"{\"id\":1,\"method\":\"version\"}",
		"{\"id\":1,\"method\":5,\"params\":[]}",
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		int64_t end = turn_now_ms() + PATIENCE_MS;
		char byte;

		ask(texts[i]);
		while (recv(fd, &byte, 1, MSG_DONTWAIT)) {
			ck_assert(turn_now_ms() < end);
			loop();
		}
		close(fd);
		ck_assert_int_eq(unix_connect(path, &fd), 0);
	}
}
END_TEST

START_TEST(second_control)
{
	char *problem;

	ck_assert_ptr_null(control_new(base, path, "", &problem));
	ck_assert_ptr_eq(strstr(problem, path), problem);
	free(problem);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("control");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int n_failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, commands);
	tcase_add_test(tcase, what_is_wrong);
	tcase_add_test(tcase, list);
	tcase_add_test(tcase, later_answers);
	tcase_add_loop_test(tcase, nobody_listens, 0, 2);
	tcase_add_test(tcase, what_is_no_request);
	tcase_add_test(tcase, second_control);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
