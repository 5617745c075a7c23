/* SPDX-License-Identifier: Apache-2.0 */

/* Tests agent/device/thread.c, with memory devices on a switch whose port "in"
 * outputs to its port "out". */

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "agent/device/thread.h"

static struct vsw *vsw;
static struct vsw_device *in, *out;
static struct vsw_worker *worker;
static struct thread *thread;
static struct thread_queue queue;
static int failed_fd;

static struct vsw_device *
open_memory(const char *name)
{
	struct vsw_memory_options options = {
		.size = sizeof options, .name = name
	};
	struct vsw_device *device;

	ck_assert_int_eq(vsw_device_open_memory(vsw, &options, NULL, 0,
						&device), 0);
	return device;
}

static void
program(struct vsw_port *from, struct vsw_port *to)
{
	struct vsw_program *program;
	struct vsw_group *group;
	char problem[128];

	ck_assert_int_eq(vsw_group_new(vsw, "all", &group), 0);
	if (to)
		vsw_rule_output(vsw_group_add_rule(group, 0, NULL), to);
	ck_assert_int_eq(vsw_group_seal(group, problem, sizeof problem), 0);
	ck_assert_int_eq(vsw_program_new(vsw, &program), 0);
	vsw_layer_add_group(vsw_program_add_layer(program, "all"), VSW_OUT,
			    group);
	ck_assert_int_eq(vsw_program_seal(program, problem, sizeof problem),
			 0);
	ck_assert_int_eq(vsw_port_set_program(from, program), 0);
	vsw_program_unref(program);
	vsw_group_unref(group);
}

static void
set_up(void)
{
	struct vsw_options options;

	vsw_options_init(&options);
	ck_assert_int_eq(vsw_new(&options, &vsw), 0);
	in = open_memory("in");
	out = open_memory("out");
	program(vsw_device_port(in), vsw_device_port(out));
	program(vsw_device_port(out), NULL);
	ck_assert_int_eq(vsw_worker_new(vsw, &worker), 0);
	failed_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	ck_assert_int_eq(thread_new(3, failed_fd, &thread), 0);
	ck_assert_int_eq(thread_add_worker(thread, worker), 0);
	queue = (struct thread_queue) { .device = in, .worker = worker };
	ck_assert_int_eq(thread_add_queue(thread, &queue), 0);
}

static void
tear_down(void)
{
	thread_remove_queue(&queue);
	thread_remove_worker(thread, worker);
	thread_free(thread);
	close(failed_fd);
	vsw_worker_free(worker);
	vsw_device_close(in);
	vsw_device_close(out);
	vsw_free(vsw);
}

static const uint8_t frame[60] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2,
				   0x88, 0xb5 };

/* Waits for what comes out, at most five seconds. */
static long
take(uint8_t *bytes, size_t size)
{
	struct pollfd pollfd = { .fd = vsw_device_fd(out, 0),
				 .events = POLLIN };
	uint64_t end = thread_now() + UINT64_C(5000000000);

	while (thread_now() < end) {
		long n = vsw_device_take(out, bytes, size, NULL, NULL);

		if (n != -EAGAIN)
			return n;
		poll(&pollfd, 1, 1);
	}
	return -ETIMEDOUT;
}

START_TEST(carries_what_comes)
{
	uint8_t bytes[100];

	for (int i = 0; i < 500; i++) {
		ck_assert_int_eq(vsw_device_put(in, frame, sizeof frame, NULL,
						NULL), 0);
		ck_assert_int_eq(take(bytes, sizeof bytes), sizeof frame);
		ck_assert_mem_eq(bytes, frame, sizeof frame);
	}
	ck_assert_uint_eq(thread_index(thread), 3);
}
END_TEST

START_TEST(leaves_alone_what_was_removed)
{
	uint8_t bytes[100];

	thread_remove_queue(&queue);
	ck_assert_int_eq(vsw_device_put(in, frame, sizeof frame, NULL, NULL),
			 0);
	/* A call comes after everything that was to be done before it. */
	thread_remove_queue(&queue);
	ck_assert_int_eq(vsw_device_take(out, bytes, sizeof bytes, NULL,
					 NULL), -EAGAIN);
	ck_assert_int_eq(thread_add_queue(thread, &queue), 0);
	ck_assert_int_eq(take(bytes, sizeof bytes), sizeof frame);
}
END_TEST

static void
note_thread(void *ctx)
{
	*(pthread_t *) ctx = pthread_self();
}

START_TEST(runs_calls_on_its_own_thread)
{
	pthread_t where = pthread_self();

	thread_call(thread, note_thread, &where);
	ck_assert(!pthread_equal(where, pthread_self()));
	ck_assert_int_eq(atomic_load(&queue.error), 0);
}
END_TEST

static void
note_cpu(void *ctx)
{
	struct timespec *used = ctx;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, used);
}

/* With nothing to carry and nothing cached it does not wake by itself: its
 * CPU time stands still while the process's clock goes on. */
START_TEST(sleeps_when_there_is_nothing_to_do)
{
	struct timespec before, after;
	struct pollfd never = { .fd = -1 };
	int64_t used_us;

	thread_call(thread, note_cpu, &before);
	poll(&never, 1, 300);		/* The span that is measured. */
	thread_call(thread, note_cpu, &after);
	used_us = (after.tv_sec - before.tv_sec) * INT64_C(1000000)
		  + (after.tv_nsec - before.tv_nsec) / 1000;
	ck_assert_int_lt(used_us, 10000);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("thread");
	TCase *tcase = tcase_create("thread");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, carries_what_comes);
	tcase_add_test(tcase, leaves_alone_what_was_removed);
	tcase_add_test(tcase, runs_calls_on_its_own_thread);
	tcase_add_test(tcase, sleeps_when_there_is_nothing_to_do);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
