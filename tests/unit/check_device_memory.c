/* SPDX-License-Identifier: Apache-2.0 */

/* Tests libvswitch/device/{device,memory}.c. */

#include "tests/unit/device_rig.h"

static struct rig rig;
static uint8_t frame[VSW_PACKET_MAX + 1], taken[VSW_PACKET_MAX];

static void
set_up(void)
{
	rig_init(&rig);
	for (size_t i = 0; i < sizeof frame; i++)
		frame[i] = (uint8_t) rand();
	/* Ethernet, of a type that nobody looks into. */
	memcpy(frame, "\2\0\0\0\0\1\2\0\0\0\0\2\x88\xb5", 14);
}

static void
tear_down(void)
{
	rig_done(&rig);
}

START_TEST(frames_pass_in_order)
{
	struct vsw_device *a = rig_memory(&rig, "a", 0);
	struct vsw_device *b = rig_memory(&rig, "b", 0);

	rig_connect(&rig, a, b);
	ck_assert(!is_readable(vsw_device_fd(a, 0), 0));
	ck_assert_int_eq(vsw_device_receive(a, 0, rig.worker, 0), -EAGAIN);
	for (size_t i = 0; i < 100; i++)
		ck_assert_int_eq(vsw_device_put(a, frame, 60 + i, NULL, NULL),
				 0);
	while (is_readable(vsw_device_fd(a, 0), 0))
		ck_assert_int_eq(vsw_device_receive(a, 0, rig.worker, 0), 0);
	ck_assert_int_eq(vsw_device_receive(a, 0, rig.worker, 0), -EAGAIN);
	for (size_t i = 0; i < 100; i++) {
		ck_assert_int_eq(vsw_device_take(b, taken, 59 + i, NULL, NULL),
				 -EMSGSIZE);
		ck_assert_int_eq(vsw_device_take(b, taken, sizeof taken, NULL,
						 NULL), (long) (60 + i));
		ck_assert_mem_eq(taken, frame, 60 + i);
	}
	ck_assert_int_eq(vsw_device_take(b, taken, sizeof taken, NULL, NULL),
			 -EAGAIN);
	vsw_device_close(a);
	vsw_device_close(b);
}
END_TEST

START_TEST(the_largest_frame_passes)
{
	struct vsw_device *a = rig_memory(&rig, "a", 0);
	struct vsw_device *b = rig_memory(&rig, "b", 0);

	rig_connect(&rig, a, b);
	ck_assert_int_eq(vsw_device_put(a, frame, VSW_PACKET_MAX + 1, NULL,
					NULL), -EMSGSIZE);
	ck_assert_int_eq(vsw_device_put(a, frame, VSW_PACKET_MAX, NULL, NULL),
			 0);
	ck_assert_int_eq(rig_take(&rig, a, b, taken, sizeof taken, NULL),
			 VSW_PACKET_MAX);
	ck_assert_mem_eq(taken, frame, VSW_PACKET_MAX);
	vsw_device_close(a);
	vsw_device_close(b);
}
END_TEST

START_TEST(full_is_said_and_counted)
{
	const struct vsw_memory_options options = {
		.size = sizeof options, .name = "small", .max_packets = 2
	};
	struct vsw_device *a = rig_memory(&rig, "a", 0), *small;

	ck_assert_int_eq(vsw_device_open_memory(rig.vsw, &options, NULL, 0,
						&small), 0);
	rig_connect(&rig, a, small);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(vsw_device_put(small, frame, 60, NULL, NULL),
				 0);
	ck_assert_int_eq(vsw_device_put(small, frame, 60, NULL, NULL),
			 -ENOBUFS);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(vsw_device_put(a, frame, 60, NULL, NULL), 0);
	ck_assert_int_eq(vsw_device_receive(a, 0, rig.worker, 0), 0);
	ck_assert_uint_eq(rig_drops(small, VSW_DROP_DEVICE_FULL), 3);
	/* Both queues still hold frames: close frees them. */
	vsw_device_close(a);
	vsw_device_close(small);
}
END_TEST

START_TEST(without_memory_frames_are_counted)
{
	struct vsw_device *a = rig_memory(&rig, "a", 0);
	struct vsw_device *b = rig_memory(&rig, "b", 0);

	rig_connect(&rig, a, b);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(vsw_device_put(a, frame, 60, NULL, NULL), 0);
	rig_is_poor = true;
	ck_assert_int_eq(vsw_device_receive(a, 0, rig.worker, 0), 0);
	rig_is_poor = false;
	ck_assert_uint_eq(rig_drops(a, VSW_DROP_NO_MEMORY), 3);
	ck_assert(!is_readable(vsw_device_fd(a, 0), 0));
	ck_assert_int_eq(vsw_device_put(a, frame, 60, NULL, NULL), 0);
	ck_assert_int_eq(rig_take(&rig, a, b, taken, sizeof taken, NULL), 60);
	vsw_device_close(a);
	vsw_device_close(b);
}
END_TEST

START_TEST(a_tunnel_is_for_tunnel_ports)
{
	const struct vsw_tunnel tunnel = { .encap = VSW_ENCAP_VXLAN };
	struct vsw_device *a = rig_memory(&rig, "a", 0);
	struct vsw_device *t = rig_memory(&rig, "t", VSW_PORT_TUNNEL);

	ck_assert_int_eq(vsw_device_put(a, frame, 60, NULL, &tunnel),
			 -EINVAL);
	ck_assert_int_eq(vsw_device_put(t, frame, 60, NULL, &tunnel), 0);
	vsw_device_close(a);
	vsw_device_close(t);
}
END_TEST

START_TEST(opening_says_what_is_wrong)
{
	struct vsw_memory_options options = { .size = sizeof options };
	struct {
		struct vsw_memory_options known;
		uint8_t more[8];
	} later = { { .size = sizeof later, .name = "later" }, { 0 } };
	struct vsw_device *a = rig_memory(&rig, "a", 0), *none = a;
	char problem[256];

	ck_assert_int_eq(vsw_device_open_memory(rig.vsw, &options, problem,
						sizeof problem, &none),
			 -EINVAL);
	ck_assert_str_eq(problem, "memory (no name): name must have 1 to 63 "
			 "bytes: Invalid argument");
	options.name = "a";
	ck_assert_int_eq(vsw_device_open_memory(rig.vsw, &options, problem,
						sizeof problem, &none),
			 -EEXIST);
	ck_assert_str_eq(problem,
			 "memory a: cannot add the port: File exists");
	ck_assert_ptr_eq(none, a);

	/* What a later library's program asks for by default is nothing. */
	later.more[3] = 1;
	ck_assert_int_eq(vsw_device_open_memory(rig.vsw, &later.known, NULL, 0,
						&none), -E2BIG);
	later.more[3] = 0;
	ck_assert_int_eq(vsw_device_open_memory(rig.vsw, &later.known, NULL, 0,
						&none), 0);
	vsw_device_close(none);
	vsw_device_close(a);
	vsw_device_close(NULL);
}
END_TEST

START_TEST(there_is_one_queue)
{
	struct vsw_device *a = rig_memory(&rig, "a", 0);

	ck_assert_uint_eq(vsw_device_n_queues(a), 1);
	ck_assert_int_ge(vsw_device_fd(a, 0), 0);
	ck_assert_int_eq(vsw_device_fd(a, 1), -EINVAL);
	ck_assert_int_eq(vsw_device_receive(a, 1, rig.worker, 0), -EINVAL);
	vsw_device_close(a);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("device_memory");
	TCase *tc = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int n_failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, frames_pass_in_order);
	tcase_add_test(tc, the_largest_frame_passes);
	tcase_add_test(tc, full_is_said_and_counted);
	tcase_add_test(tc, without_memory_frames_are_counted);
	tcase_add_test(tc, a_tunnel_is_for_tunnel_ports);
	tcase_add_test(tc, opening_says_what_is_wrong);
	tcase_add_test(tc, there_is_one_queue);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed != 0;
}
